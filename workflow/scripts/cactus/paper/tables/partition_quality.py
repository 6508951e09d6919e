"""The LaTeX table of the partitions' quality."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

import pandas as pd

from cactus.paper import latex
from cactus.paper.cells import quality_entry
from cactus.paper.partition_quality import QUALITY_TABLE, read_quality_table
from cactus.paper.results import averaged_over_seeds
from cactus.paper.tables.notes import quality_caption
from cactus.paper.tables.rows import Table, TableInputs
from cactus.paper.vocabulary import SYNTHETIC_NOTE


class Column(NamedTuple):
    """A column of numbers: what it prints, its titles, and its unit."""

    measure: str
    group: str  # title of neighboring columns; empty for a column of its own
    title: str
    percent: bool = True
    statistic: str = "mean"


COLUMNS: Final = (
    Column("clusters", "", "partitions", percent=False, statistic="partitions"),
    Column("clusters", "", "clusters", percent=False),
    Column("smallest", "images of a cluster", "smallest", percent=False),
    Column("median", "images of a cluster", "median", percent=False),
    Column("largest", "images of a cluster", "largest", percent=False),
    Column("covered", "", "covered"),
    Column("purity", "purity", "found"),
    Column("purity_chance", "purity", "by chance"),
    Column("nmi", "NMI", "found"),
    Column("nmi_chance", "NMI", "by chance"),
    Column("ari", "", "ARI"),
    Column("pair_precision", "same class", "of pairs"),
    Column("task_precision", "same class", "in tasks"),
)
_NOTES: Final = (
    "Means over the partitions and seeds of a cell. Training never sees these numbers. "
    "Partitions, clusters and images are counts; all others are in \\%.",
    "Covered: training images in a cluster; the others are in no task, and in no other number.",
    "By chance: the classes permuted. ARI: adjusted Rand index, 0 by chance.",
    "Same class: the probability that two images of a cluster share their class, of all such "
    "pairs, and as tasks draw them, from each cluster equally often.",
)


def render(inputs: TableInputs) -> Table:
    """Return the table of all data sets' partitions; the results tell which data is synthetic."""
    averaged = averaged_over_seeds(read_quality_table(inputs.folder / QUALITY_TABLE))
    synthetic = set(inputs.results[inputs.results["synthetic"]]["dataset"])
    entries: list[dict[str, Any]] = []
    text = latex.table(
        labels=2,
        head=_head(),
        body=list(_body(averaged, synthetic, inputs, entries)),
        caption=quality_caption(),
        label=inputs.label,
        notes=_NOTES,
    )
    return text, entries


def _head() -> list[str]:
    titles, rules, first = [], [], 3
    for group, members in groupby(COLUMNS, lambda column: column.group):
        count = len(list(members))
        titles += [rf"\multicolumn{{{count}}}{{c}}{{{group}}}"] if group else [""] * count
        rules += [rf"\cmidrule(lr){{{first}-{first + count - 1}}}"] if group else []
        first += count
    names = " & ".join(f"{{{column.title}}}" for column in COLUMNS)
    return [rf" & & {' & '.join(titles)} \\", " ".join(rules), rf"Embedding & Learner & {names} \\"]


def _body(
    averaged: pd.DataFrame,
    synthetic: set[str],
    inputs: TableInputs,
    entries: list[dict[str, Any]],
) -> Iterator[str]:
    """Yield the lines below the middle rule; append each number's map entry to `entries`."""
    records = [
        {str(key): value for key, value in row.items()} for row in averaged.to_dict("records")
    ]
    previous = ""
    for (dataset, source, learner), rows in groupby(
        records, lambda row: (row["dataset"], row["source"], row["learner"])
    ):
        if dataset != previous:
            if previous:
                yield r"\midrule"
            note = f" [{SYNTHETIC_NOTE}]" if dataset in synthetic else ""
            title = latex.escape(inputs.titles.dataset(dataset) + note)
            yield rf"\multicolumn{{{2 + len(COLUMNS)}}}{{l}}{{\textbf{{{title}}}}} \\"
        previous = dataset
        names = [inputs.titles.source(source), inputs.titles.learner(learner)]
        row = f"{inputs.titles.dataset(dataset)}: {', '.join(names)}"
        cells = quality_cells({one["measure"]: one for one in rows}, row, inputs.decimals)
        entries += cells
        numbers = (entry["printed"] for entry in cells)
        yield " & ".join([*map(latex.escape, names), *numbers]) + r" \\"


def quality_cells(rows: dict[str, dict[str, Any]], row: str, decimals: int) -> list[dict[str, Any]]:
    """Return the map entries of a row, in the order of its columns."""
    return [
        quality_entry(
            rows[column.measure],
            (row, f"{column.group} {column.title}".strip()),
            [column.statistic],
            100 if column.percent else 1,
            decimals if column.percent else int(column.statistic == "mean"),
        )
        for column in COLUMNS
    ]
