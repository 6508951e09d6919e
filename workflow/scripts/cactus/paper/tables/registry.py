"""Write a table by its kind; only its own module is imported."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from cactus.errors import DataError
from cactus.files import write_json, write_text
from cactus.paper.paired import PAIRED_FILE
from cactus.paper.results import read_results
from cactus.paper.tables.rows import TableInputs


def write_table(
    kind: str,
    results_file: Path,
    dataset: str,
    output: Path,
    decimals: int,
    run: str,
    schedule: Sequence[tuple[str, str, int, int]] = (),
    hyperplanes: Sequence[Path] = (),
) -> None:
    """Write a table of a data set, and the map from its numbers to the results.

    Parameters
    ----------
    kind
        Name of a module next to this one.
    results_file
        The table of every number; the paired tests are in a file beside it.
    output
        The ``.tex`` file to write; the map is written next to it, to ``<output>.map.json``.
    decimals
        Decimals of the percentages.
    run
        Name of the run, for the label ``tab:<run>-<table's name>``: a paper may show two runs.
    schedule, hyperplanes
        See `cactus.paper.tables.rows.TableInputs`.

    Raises
    ------
    DataError
        The data set has no results, a method lacks one of its settings, or a file is damaged.
    """
    results = read_results(results_file)
    results = results[results["dataset"] == dataset]
    if results.empty:
        raise DataError(
            "There are no results for the table.",
            where=str(results_file),
            got=f"no row of {dataset}",
            fix=f"evaluate a cell of {dataset}, or leave out its table",
        )
    name = dataset if kind == "accuracies" else f"{dataset}-{kind}"
    paired = results_file.with_name(PAIRED_FILE)
    inputs = TableInputs(results, paired, decimals, f"tab:{run}-{name}", schedule, hyperplanes)
    text, entries = import_module(f"cactus.paper.tables.{kind}").render(inputs)
    write_text(output, text)
    write_json(
        output.with_name(output.name + ".map.json"),
        {"table": output.name, "results": results_file.name, "cells": entries},
    )


def write_run_table(kind: str, results_file: Path, output: Path, decimals: int, run: str) -> None:
    """Write a table of a whole run, and the map from its numbers to their sources.

    Parameters
    ----------
    kind
        Name of a module next to this one, which has a function ``write``.
    results_file, output, decimals, run
        As in `write_table`.
    """
    import_module(f"cactus.paper.tables.{kind}").write(results_file, output, decimals, run)
