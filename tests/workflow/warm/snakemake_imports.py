"""Imported once, by the process from which the commands of tests are forked.

It imports what Snakemake does for a dry run, but not the package: each project has its own.
"""

import smart_open  # type: ignore[import-untyped]  # noqa: F401
import snakemake.api  # type: ignore[import-untyped]
import snakemake.cli  # type: ignore[import-untyped]
import snakemake.parser  # type: ignore[import-untyped]
import yte  # type: ignore[import-untyped]  # noqa: F401

snakemake.cli.get_argument_parser()  # finds and imports the plugins
