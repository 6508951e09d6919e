"""The command line that all stage scripts share."""

import argparse
import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cactus.errors import CactusError, StorageError


def stage_arguments(description: str | None, *paths: str) -> argparse.Namespace:
    """Parse ``--spec`` and the named path options; an empty path becomes None.

    Parameters
    ----------
    description
        The script's docstring, shown by ``--help``.
    paths
        Names of the path options, all required, e.g. ``"data"`` for ``--data``.
    """
    parser = stage_parser(description)
    for name in paths:
        parser.add_argument(f"--{name}", required=True, nargs="?", type=_optional_path)
    return parser.parse_args()


def stage_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with ``--spec``, for scripts that have options of their own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--spec", required=True, help="the stage's part of the config, as JSON")
    return parser


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


def run_main(main: Callable[[], None]) -> None:
    """Run a script's `main`; print a `CactusError` without traceback and exit with its code."""
    try:
        main()
    except CactusError as error:
        _stop(error)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _stop(
            StorageError(
                "The disk is full.",
                where=str(error.filename or "a log or metrics file of this job"),
                got=str(error),
                fix="free some space and run the same command again; finished results are kept",
            )
        )


def _stop(error: CactusError) -> NoReturn:
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    raise SystemExit(error.exit_code) from None
