"""The table of a comparison as LaTeX and as text, and where each of its numbers comes from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cactus.config.printed.titles import Titles
from cactus.paper import latex
from cactus.paper.cells import TableCell, our_cell, paired_cell
from cactus.paper.paired import LEVEL
from cactus.paper.vocabulary import setting_title
from cactus.provenance.compare.rows import Row, Test

Setting = tuple[int, int]
_TITLES = ("Embedding", "Method", "Run")
_STARS = (
    rf"$^{{*}}$\,significant at {100 * LEVEL:g}\,\%: paired $t$-test on the shared tasks, with "
    r"Holm's correction for all pairs of a data set and setting."
)


class Line(NamedTuple):
    """A line of the table: what it shows, and a number for each of some settings."""

    titles: tuple[str, ...]  # embedding, method and run, or the two rows of a test
    cells: Mapping[Setting, TableCell]


class Section(NamedTuple):
    """The lines of one data set: accuracies, and differences of them."""

    title: str
    settings: list[Setting]
    rows: list[Line]
    tests: list[Line]


def sections(
    rows: Sequence[Row], tests: Sequence[Test], decimals: int, titles: Titles
) -> list[Section]:
    """Return the table by data set; accuracies are in percent with so many decimals.

    `titles` are those of what the runs add.
    """
    found = []
    for dataset in dict.fromkeys(row.key.dataset for row in rows):
        here = [row for row in rows if row.key.dataset == dataset]
        paired = [test for test in tests if test.first.key.dataset == dataset]
        settings = sorted({row.setting[1:] for row in here})
        shown = [
            (
                (titles.source(row.key.source), titles.method(row.key.method), row.run),
                row.setting[1:],
                accuracy_cell(row, decimals),
            )
            for row in here
        ]
        compared = [
            (
                (title_of_test(test, titles),),
                test.first.setting[1:],
                difference_cell(test, decimals),
            )
            for test in paired
        ]
        title = titles.dataset(dataset)
        found.append(Section(title, settings, _lines_of(shown), _lines_of(compared)))
    return found


def _lines_of(cells: Iterable[tuple[tuple[str, ...], Setting, TableCell]]) -> list[Line]:
    found: dict[tuple[str, ...], dict[Setting, TableCell]] = {}
    for titles, setting, cell in cells:
        found.setdefault(titles, {})[setting] = cell
    return [Line(titles, numbers) for titles, numbers in found.items()]


def title_of_test(test: Test, titles: Titles) -> str:
    """Return what a test compares, e.g. ``ACAI, CACTUs-MAML (new) minus (demo)``."""
    same = test.first.cell == test.other.cell
    other = f"({test.other.run})" if same else test.other.title(titles)
    return f"{test.first.title(titles)} minus {other}"


def accuracy_cell(row: Row, decimals: int) -> TableCell:
    """Return a row's mean and half the interval."""
    return our_cell(vars(row.summary), decimals, bold=False)


def difference_cell(test: Test, decimals: int) -> TableCell:
    """Return a paired difference and half its interval, with a star if it is significant."""
    result = test.result
    half = (result.high - result.low) / 2
    shown = {"difference": result.difference, "ci95": half, "p_holm": test.p_holm}
    return paired_cell(shown, decimals)


def number_entries(
    rows: Sequence[Row], tests: Sequence[Test], decimals: int, titles: Titles
) -> Iterator[dict[str, Any]]:
    """Yield, for each printed number, the files of accuracies that it comes from."""
    for row in rows:
        place = {"dataset": row.key.dataset, "row": row.title(titles)}
        yield {
            **place,
            "column": setting_title(*row.setting[1:]),
            "printed": accuracy_cell(row, decimals).printed,
            "from": [one._asdict() for one in row.origins],
        }
    for test in tests:
        first, other = test.origins
        yield {
            "dataset": test.first.key.dataset,
            "row": title_of_test(test, titles),
            "column": setting_title(*test.first.setting[1:]),
            "printed": difference_cell(test, decimals).printed,
            "from": [one._asdict() for one in first],
            "minus": [one._asdict() for one in other],
        }


def as_text(found: Sequence[Section]) -> Iterator[list[tuple[str, ...]]]:
    """Yield the rows of tables for a terminal: a data set's accuracies, then its differences."""
    for one in found:
        settings = [setting_title(*setting) for setting in one.settings]
        yield [
            (one.title, "method", "run", *settings),
            *((*line.titles, *_printed(line, one.settings)) for line in one.rows),
        ]
        if one.tests:
            tested = [(*line.titles, *_printed(line, one.settings)) for line in one.tests]
            yield [(f"{one.title}, difference", *settings), *tested]


def _printed(line: Line, settings: Sequence[Setting]) -> Iterator[str]:
    return (line.cells[one].printed if one in line.cells else "" for one in settings)


def as_latex(
    found: Sequence[Section], runs: Sequence[str], notes: Sequence[str], caveat: str = ""
) -> str:
    """Return the table as a LaTeX float: a part per data set, the differences below a rule.

    The caption starts with the caveat, if there is one.
    """
    width = max(len(one.settings) for one in found)
    body: list[str] = []
    for one in found:
        body += [r"\midrule"] if body else []
        body += [_head(one, width), r"\midrule", *_lines(one.rows, one.settings, width)]
        if one.tests:
            body += [r"\addlinespace", *_lines(one.tests, one.settings, width)]
    names = ", ".join(f"``{latex.escape(name)}''" for name in runs)
    banner = rf"\textbf{{[{latex.escape(caveat)}]}} " if caveat else ""
    return latex.table(
        labels=len(_TITLES),
        head=[" & ".join([*_TITLES, rf"\multicolumn{{{width}}}{{c}}{{Setting}}"]) + r" \\"],
        body=body,
        caption=rf"{banner}Few-shot accuracy in \%, mean\,$\pm$\,half the 95\,\% interval, of the "
        rf"runs {names}, and mean paired differences in percentage points.",
        label=f"tab:comparison-{'-'.join(runs)}",
        notes=[
            r"The interval is $\pm 1.96\,\sigma/\sqrt{n}$ over $n$ tasks, that of a difference "
            r"Student's $t$. Several training seeds, of a difference those that both have, are "
            "averaged task by task first. Runs joined by = share a result.",
            *([_STARS] if any(one.tests for one in found) else []),
            *map(latex.escape, notes),
        ],
    )


def _head(one: Section, width: int) -> str:
    titles = [setting_title(*setting) for setting in one.settings]
    blank = [""] * (width - len(titles))
    name = _across(rf"\textbf{{{latex.escape(one.title)}}}")
    shown = (rf"\multicolumn{{1}}{{c}}{{{title}}}" for title in titles)
    return " & ".join([name, *shown, *blank]) + r" \\"


def _across(text: str) -> str:
    """Return a text in the columns of titles."""
    return rf"\multicolumn{{{len(_TITLES)}}}{{l}}{{{text}}}"


def _lines(lines: Sequence[Line], settings: Sequence[Setting], width: int) -> Iterator[str]:
    for line in lines:
        titles = [latex.escape(title) for title in line.titles]
        if len(titles) == 1:
            titles = [_across(titles[0])]
        cells = [line.cells[one].latex if one in line.cells else "" for one in settings]
        yield " & ".join([*titles, *cells, *[""] * (width - len(cells))]) + r" \\"
