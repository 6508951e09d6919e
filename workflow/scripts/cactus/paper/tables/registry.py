"""Write a table by its kind; only its own module is imported."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from cactus.config.printed.titles import UNTITLED, Titles
from cactus.errors import DataError
from cactus.files import write_json, write_text
from cactus.paper.results import read_results
from cactus.paper.tables.rows import TableInputs
from cactus.stages.make_table import MakeTableSpec


def write_table(
    kind: str,
    results_file: Path,
    dataset: str | None,
    output: Path,
    decimals: int,
    run: str,
    schedule: Sequence[tuple[str, str, int | float | str, int | float | str]] = (),
    hyperplanes: Sequence[Path] = (),
    custom: Sequence[tuple[str, bool]] = (),
    titles: Titles = UNTITLED,
) -> None:
    """Write a table of a data set or of the run, and the map from its numbers to the results.

    Parameters
    ----------
    kind
        Name of a module next to this one.
    results_file
        The table of every accuracy; the other files of numbers are beside it.
    dataset
        The data set; None for a table of the whole run, whose numbers are in ``<kind>.csv``.
    output
        The ``.tex`` file to write; the map is written next to it, to ``<output>.map.json``.
    decimals
        Decimals of the percentages.
    run
        Name of the run, for the label ``tab:<run>-<table's name>``: a paper may show two runs.
    schedule, hyperplanes, custom, titles
        See `cactus.paper.tables.rows.TableInputs`.

    Raises
    ------
    DataError
        There are no results, a method lacks one of its settings, or a file is damaged.
    """
    results = read_results(results_file)
    if dataset is not None:
        results = results[results["dataset"] == dataset]
    if results.empty:
        raise DataError(
            "There are no results for the table.",
            where=str(results_file),
            got=f"no row of {dataset or 'any data set'}",
            fix=f"evaluate a cell of {dataset or 'the grid'}, or leave out its table",
        )
    folder, label = results_file.parent, f"tab:{run}-{_name(kind, dataset)}"
    inputs = TableInputs(results, folder, decimals, label, schedule, hyperplanes, custom, titles)
    text, entries = import_module(f"cactus.paper.tables.{kind}").render(inputs)
    write_text(output, text)
    write_json(
        output.with_name(output.name + ".map.json"),
        {
            "table": output.name,
            "results": results_file.name if dataset else f"{kind}.csv",
            "cells": entries,
        },
    )


def write_table_of(
    spec: MakeTableSpec, run_folder: Path, inputs: Iterable[str], output: Path
) -> None:
    """Write the table of a job from the results of its run.

    Parameters
    ----------
    spec
        What the job reads of the configuration.
    inputs
        The files of the run that the job reads.
    output
        See `write_table`.

    Raises
    ------
    DataError
        See `write_table`.
    """
    results = run_folder / "tables" / "results.csv"
    planes = [run_folder / name for name in inputs if name.startswith("partitions/")]
    keys = spec.decimals, spec.run, spec.schedule, planes, spec.custom, spec.titles
    write_table(spec.kind, results, spec.dataset, output, *keys)


def _name(kind: str, dataset: str | None) -> str:
    if dataset is None:
        return kind
    return dataset if kind == "accuracies" else f"{dataset}-{kind}"
