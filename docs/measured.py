"""Write the tables of measured results into the pages that show them, and draw README's figure.

The rows come from the digests under `docs/results`, where each row has its run. Run it by
``python -m docs.measured`` after a digest changes.
"""

import hashlib
import re
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
from matplotlib import style as matplotlib_style

from cactus.config.printed.titles import UNTITLED
from cactus.config.sections.outputs import OutputSettings
from cactus.files import write_text
from cactus.paper import style
from cactus.paper.absent import cell_name
from cactus.paper.figures import paper_comparison
from cactus.paper.figures.inputs import FigureInputs
from cactus.paper.results import averaged_over_seeds, read_results, sorted_results
from cactus.paper.verdicts import verdict_counts
from cactus.paper.vocabulary import setting_title

ROOT: Final = Path(__file__).resolve().parent.parent
FIGURE: Final = ROOT / "docs/images/measured-omniglot.png"


class Table(NamedTuple):
    """A table of measured results.

    Attributes
    ----------
    page
        The page that shows it, between lines with the table's name.
    digests
        Where its rows are; of two with one row, the first has it.
    baselines
        Whether it has the baselines, too.
    further
        Digests with a row that stands below the one of its name, and what sets them apart.
    """

    page: str
    digests: tuple[str, ...]
    baselines: bool
    further: Mapping[str, str] = {}


TABLES: Final = {
    "omniglot": Table(
        "README.md",
        ("omniglot-acai-seeds", "omniglot", "omniglot-embeddings"),
        baselines=False,
        further={"omniglot-random-longer": "20,000 iterations"},
    ),
    "mnist": Table("docs/results.md", ("mnist", "mnist-maml", "mnist-contrastive"), baselines=True),
}


def results_of(table: Table) -> pd.DataFrame:
    """Return the results of a table, from the first digest that has a row."""
    found: dict[tuple[str, str], pd.DataFrame] = {}
    for digest in table.digests:
        results = _results(digest)
        for (source, method), rows in results.groupby(["source", "method"]):
            if table.baselines or (rows["learner"] != "").all():
                found.setdefault((str(source), str(method)), rows)
    return sorted_results(pd.concat(found.values(), ignore_index=True))


def _results(digest: str) -> pd.DataFrame:
    return read_results(ROOT / "docs/results" / digest / "tables/results.csv")


def markdown(table: Table) -> str:
    """Return a table in Markdown, and how its numbers stand to the paper's."""
    averaged = averaged_over_seeds(results_of(table))
    further = {words: averaged_over_seeds(_results(one)) for one, words in table.further.items()}
    settings = sorted(set(zip(averaged["way"], averaged["shot"], strict=True)))
    known = {one: bool(averaged.query(_of(one))["paper_mean"].notna().any()) for one in settings}
    heads = [[setting_title(*one), *(["paper"] if known[one] else [])] for one in settings]
    head = ["", *chain.from_iterable(heads)]
    lines = [_line(*head), _line(*["---"] * len(head))]
    for (source, method), rows in averaged.groupby(["source", "method"], sort=False):
        name = cell_name(str(source), str(method), UNTITLED)
        lines.append(_row(name, rows, known))
        for words, others in further.items():
            same = others[(others["source"] == source) & (others["method"] == method)]
            lines += [] if same.empty else [_row(f"{name}, {words}", same, known)]
    return "\n".join([*lines, "", f"Ours against the paper: {verdict_counts(averaged)}."])


def _row(name: str, rows: pd.DataFrame, known: Mapping[tuple[int, int], bool]) -> str:
    """Return the line of a method; `known` has the settings, and whether the paper has them."""
    by_setting = {(row.way, row.shot): row for row in rows.itertuples()}
    cells = (_cells(by_setting.get(one), paper=paper) for one, paper in known.items())
    return _line(name, *chain.from_iterable(cells))


def _of(setting: tuple[int, int]) -> str:
    return f"way == {setting[0]} and shot == {setting[1]}"


def _cells(row: Any, *, paper: bool) -> list[str]:
    """Return our number, with the deviation over seeds in brackets, and the paper's."""
    if row is None:
        return [""] * (1 + paper)
    ours = f"{100 * row.mean:.2f} ± {100 * row.ci95:.2f}"
    ours += f" ({100 * row.seed_std:.1f})" if row.seed_std == row.seed_std else ""
    theirs = f"{100 * row.paper_mean:.2f}" if row.paper_mean == row.paper_mean else ""
    return [ours, *([theirs] if paper else [])]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def with_table(text: str, name: str) -> str:
    """Return the text of a page with a table in its place."""
    begin, end = (f"<!-- measured {name}: {word} -->" for word in ("begin", "end"))
    place = re.compile(rf"(?<={re.escape(begin)}\n).*?(?=\n{re.escape(end)})", re.DOTALL)
    changed, count = place.subn(lambda _: markdown(TABLES[name]), text)
    assert count == 1, f"{begin} and {end} have to be in the page once"
    return changed


def drawn(results: pd.DataFrame) -> str:
    """Return what tells from which results the figure was drawn: their sha256."""
    return hashlib.sha256(results.to_csv(index=False).encode()).hexdigest()


def main() -> None:
    """Write the tables and the figure."""
    for name, table in TABLES.items():
        page = ROOT / table.page
        write_text(page, with_table(page.read_text(encoding="utf-8"), name))
    results = results_of(TABLES["omniglot"])
    inputs = FigureInputs(ROOT, results, OutputSettings())
    with matplotlib_style.context(style.rc_parameters(inputs.settings), after_reset=True):
        figure = paper_comparison.draw(inputs)
        style.lay_out(figure)
        figure.savefig(FIGURE, dpi=200, metadata={"Source": drawn(results)})


if __name__ == "__main__":
    main()
