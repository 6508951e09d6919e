"""The caption and the notes of a table."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cactus.config.printed.titles import Titles
from cactus.config.sections.source import Source
from cactus.files import read_json
from cactus.paper.cells import (
    INTERVAL_RECALLED,
    MEAN_RECALLED,
    NO_INTERVAL,
    NOT_RUN,
    UNAVAILABLE,
)
from cactus.paper.latex import escape
from cactus.paper.paired import BASE, BASE_MEANS, LEVEL, competitors
from cactus.paper.results import ALL_SEEDS, caveat
from cactus.paper.tables.departures import Schedule, departures
from cactus.paper.verdicts import resting_on_recalled, verdict_counts
from cactus.paper.vocabulary import is_oracle, row_source, source_rank

_MARKS: Final = {
    NOT_RUN: "not run by the paper, as far as its sources show.",
    UNAVAILABLE: "the paper's number is not at hand.",
    INTERVAL_RECALLED: "interval recalled, not verified.",
    MEAN_RECALLED: "mean, and interval if there is one, recalled, not verified.",
    NO_INTERVAL: "the paper's interval is not at hand: ours alone.",
}
_VERDICTS: Final = {
    "reproduced": "the interval of the difference contains 0.",
    "above": "ours is higher, and the interval leaves 0 out.",
    "below": "ours is lower, and the interval leaves 0 out.",
    "compared": "no judgment, because the paper's mean is recalled, not verified.",
    "not at hand": "the paper has a number, which we could not read.",
    "not in the paper": "not run by the paper, as far as its sources show.",
}
# What baselines select on validation tasks, by the name of its key.
_SELECTED: Final = {
    "neighbors": "$k$ of kNN",
    "c": "$C$ of the linear classifier",
    "hidden_units": "width of the MLP",
    "dropout": "dropout of the MLP",
}
_LEARNERS: Final = {
    "maml": "MAML normalizes with the batch statistics of the support or query set at hand, also "
    "in evaluation (transductive).",
    "protonets": "ProtoNets are evaluated with the running statistics of meta-training (not "
    "transductive).",
}


def caption(averaged: pd.DataFrame, titles: Titles, *, compared: bool) -> str:
    """Return the caption of a data set's table; it says if its numbers are not like the paper's.

    `compared` tells whether the paper's numbers are in the table.
    """
    whose = ", of the paper (CACTUs, ICLR 2019) and ours" if compared else ""
    return (
        rf"{_title(averaged, titles)}: few-shot accuracy in \%, mean\,$\pm$\,half the 95\,\% "
        rf"interval{whose}."
    )


def verdict_caption(averaged: pd.DataFrame, titles: Titles) -> str:
    """Return the caption of a data set's table of verdicts."""
    return (
        rf"{_title(averaged, titles)}: our few-shot accuracy minus that of the "
        r"paper (CACTUs, ICLR 2019) in percentage points,\,$\pm$\,half the 95\,\% "
        r"interval of the difference."
    )


def paired_caption(averaged: pd.DataFrame, titles: Titles, part: str) -> str:
    """Return the caption of a part of a data set's paired tests, `cactus.paper.paired.in_parts`."""
    name = ", ".join(filter(None, (_title(averaged, titles), part)))
    return (
        rf"{name}: few-shot accuracy of each CACTUs cell minus that "
        r"of the method above the column, in percentage points,\,$\pm$\,half the "
        r"95\,\% interval of the mean paired difference."
    )


def quality_caption() -> str:
    """Return the caption of the table of a run's partitions."""
    return "Partitions of the training images compared with their true classes."


def _title(averaged: pd.DataFrame, titles: Titles) -> str:
    note = caveat(averaged)
    banner = rf" \textbf{{[{note}]}}" if note else ""
    return f"{escape(titles.dataset(averaged.iloc[0]['dataset']))}{banner}"


def table_notes(
    results: pd.DataFrame,
    entries: Sequence[dict[str, Any]],
    schedule: Schedule,
    titles: Titles,
) -> list[str]:
    """Return the sentences below a table: how its numbers were computed, and what its marks mean.

    Parameters
    ----------
    results
        All results of the data set, per seed and averaged.
    entries
        The map entries of the table's numbers, see `cactus.paper.cells.map_entry`.
    schedule, titles
        See `cactus.paper.tables.rows.TableInputs`.
    """
    notes = [_tasks_note(results), _seeds_note(results), *spread_note(results)]
    notes += [*_split_notes(results), *departures(schedule, titles)]
    notes.append(
        r"\textbf{Bold}: our highest mean of a setting among the rows that use no labels, and each "
        "that is not separated from it: by the paired test with Holm's correction where the two "
        r"were tested, otherwise by the interval of the difference, $\pm\sqrt{a^2+b^2}$."
        if not all(is_oracle(method) for method in results["method"])
        else "All rows use labels."
    )
    notes += _ways_note(results, titles)
    notes += [text for name, text in _LEARNERS.items() if name in set(results["learner"])]
    notes += _selection_notes(results)
    return notes + _mark_notes(entries)


def verdict_notes(
    averaged: pd.DataFrame,
    entries: Sequence[dict[str, Any]],
    schedule: Schedule,
    titles: Titles,
) -> list[str]:
    """Return the sentences below a table of verdicts: their counts, and what they mean."""
    used = set(averaged["verdict"])
    meanings = dict(_VERDICTS)
    if averaged.iloc[0]["synthetic"]:
        meanings["compared"] = "no judgment, because our data is synthetic."
    elif averaged.iloc[0]["split"] != "test":
        meanings["compared"] = "no judgment, because ours is not on the test split."
    notes = [
        rf"\textbf{{Verdicts on {len(averaged)} numbers:}} {verdict_counts(averaged)}.",
        r"The half-width is $\sqrt{a^2+b^2}$ of ours, $a$, and the paper's, $b$: it covers the "
        "choice of tasks on both sides, but no training seeds.",
        *(rf"\emph{{{name}}}: {text}" for name, text in meanings.items() if name in used),
    ]
    resting = resting_on_recalled(averaged)
    if resting:
        notes.append(f"Without recalled intervals, {resting} would not be reproduced.")
    return (
        notes
        + spread_note(averaged)
        + _split_notes(averaged)
        + departures(schedule, titles)
        + _mark_notes(entries)
    )


def spread_note(results: pd.DataFrame) -> list[str]:
    """Say what the column of the spread over seeds has, if there are several."""
    if not results["seed_std"].notna().any():
        return []
    return [r"\emph{seeds}: standard deviation of our mean over training seeds."]


def paired_notes(paired: pd.DataFrame, shown: pd.DataFrame) -> list[str]:
    """Return the sentences below a table that shows some of a data set's paired tests."""
    sizes = sorted(set(paired.groupby(["way", "shot"]).size()))
    count = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    baselines = "Baselines are those on the cell's embedding. "
    base = [rf"\emph{{{BASE}}}: {BASE_MEANS}."] if BASE in competitors(shown) else []
    return [
        rf"$^{{*}}$\,significant at {100 * LEVEL:g}\,\%: paired $t$-test on the tasks that all "
        rf"methods share, with Holm's correction for the {count} pairs of a setting.",
        *base,
        "Several training seeds, of those that both have, are averaged task by task first. "
        + (baselines if (shown["other_learner"] == "").any() else "")
        + "Test and interval hold for the trained models: they leave out the spread over seeds.",
    ]


def _mark_notes(entries: Sequence[dict[str, Any]]) -> list[str]:
    used = {entry["mark"] for entry in entries}
    return [f"{_raised(mark)}{text}" for mark, text in _MARKS.items() if mark in used]


def _split_notes(results: pd.DataFrame) -> list[str]:
    """Say that our accuracies are not on the test split, if they are not."""
    if results.iloc[0]["split"] == "test":
        return []
    return [
        r"\textbf{Ours are accuracies on the validation split}, the paper's on the test split, "
        "whose classes are others in most data sets: no verdict is passed."
    ]


def _selection_notes(results: pd.DataFrame) -> list[str]:
    """Say what baselines selected on validation tasks, and on how many."""
    selecting = results[results["validation_tasks"] > 0]
    parts = []
    for tasks, rows in selecting.groupby("validation_tasks", sort=False):
        shown = " ".join(rows["selected"])
        names = [name for key, name in _SELECTED.items() if re.search(rf"\b{key}=", shown)]
        parts.append(f"{', '.join(names)} ({tasks} tasks)")
    if not parts:
        return []
    among = (
        " The accuracies are on these tasks, too." if (selecting["split"] != "test").any() else ""
    )
    return [
        "Chosen by the accuracy on validation tasks, for each embedding, way and shot: "
        f"{'; '.join(parts)}.{among}"
    ]


def custom_notes(custom: Sequence[tuple[str, bool]], titles: Titles) -> list[str]:
    """Return a sentence for each custom learner: whether it is transductive."""
    said = {
        True: "it predicts the queries of a task together (transductive)",
        False: "not transductive",
    }
    return [
        f"{escape(titles.learner(name))}: a learner of this study's own, {said[joint]}."
        for name, joint in custom
    ]


def margin_notes(summaries: Sequence[Path], titles: Titles) -> list[str]:
    """Return a sentence for each margin that hyperplanes could not keep.

    Parameters
    ----------
    summaries
        ``summary.json`` of partitions by hyperplanes, of any sources, learners and seeds.
    """
    used: dict[tuple[str, str, float], set[float]] = defaultdict(set)
    for path in summaries:
        found = read_json(path)
        if found["margin"] < found["margin_asked"]:
            used[found["source"], found["learner"], found["margin_asked"]].add(found["margin"])
    return [
        f"{escape(f'{titles.source(source)}, {titles.learner(learner)}')}: too few hyperplanes "
        f"keep a margin of {asked:g}; the widest that do keep "
        f"{' and '.join(f'{margin:.3g}' for margin in sorted(margins))}."
        for (source, learner, asked), margins in sorted(used.items())
    ]


def _ways_note(results: pd.DataFrame, titles: Titles) -> list[str]:
    """Return a sentence for each row that has numbers of models of a setting's own way."""
    ways: dict[str, list[int]] = {}
    for source in sorted({*results["source"]}, key=source_rank):
        parsed = Source.parse(source)
        if parsed.way is not None:
            ways.setdefault(titles.source(row_source(source)), []).append(parsed.way)
    return [
        f"{escape(title)}: the numbers for {' and '.join(f'{way}-way' for way in found)} tasks are "
        "of models that were trained on such tasks."
        for title, found in ways.items()
    ]


def _raised(mark: str) -> str:
    return f"{mark}\\," if mark.startswith("$") else rf"$^{{\mathrm{{{mark}}}}}$\,"


def _tasks_note(results: pd.DataFrame) -> str:
    tasks = sorted(set(results["tasks"]))
    count = str(tasks[0]) if len(tasks) == 1 else f"{tasks[0]} to {tasks[-1]}"
    return (
        rf"Ours: mean over {count} tasks, the same for all methods; the interval is "
        r"$\pm 1.96\,\sigma/\sqrt{n}$ over $n$ tasks."
    )


def _seeds_note(results: pd.DataFrame) -> str:
    seeds = results[results["seed"] != ALL_SEEDS].groupby(["source", "method"])["seed"].nunique()
    if seeds.max() == 1:
        return "One training seed."
    count = str(seeds.max()) if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    return (
        f"Averaged over {count} training seeds, task by task: the interval leaves out the spread "
        "over seeds."
    )
