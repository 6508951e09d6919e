"""Let Snakemake read configurations by the project's own loader.

Snakemake reads `--configfile` and `--config` before the Snakefile. Its loader runs Python code in
YAML files that ask for it (``__use_yte__``), fills the memory with nested aliases, keeps the last
of two equal keys, and shows errors as tracebacks. It imports every logger plugin before that, so
this package can put the project's loader in its place. The Snakefile reads the same files again.
"""

import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def use_own_loader() -> None:
    """Replace the functions by which Snakemake reads files and arguments of the configuration."""
    if "snakemake" not in sys.modules:  # another program imports a part of this package
        return
    import snakemake.cli  # type: ignore[import-untyped]
    import snakemake.settings.types  # type: ignore[import-untyped]

    snakemake.settings.types.load_configfile = _read_file
    original = snakemake.cli.parse_config

    def parse(entries: Iterable[str] | None) -> dict[str, Any]:
        _or_exit("cactus.config.command_line:parse_overrides", entries or ())
        parsed: dict[str, Any] = original(entries)
        return parsed

    snakemake.cli.parse_config = parse


def _read_file(path: str | Path) -> dict[str, Any]:
    values: dict[str, Any] = _or_exit("cactus.config.yaml_file:read_document", Path(path)).values
    return values


def _or_exit(reader: str, given: Any) -> Any:
    """Return what a function of the project reads; print its error alone, and exit."""
    known = set(sys.modules)
    try:
        return pkgutil.resolve_name(reader)(given)
    except pkgutil.resolve_name("cactus.errors:CactusError") as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
    finally:
        # The Snakefile imports the package from its own clone, which may be another one.
        for name in set(sys.modules) - known:
            if name.partition(".")[0] == "cactus":
                del sys.modules[name]
