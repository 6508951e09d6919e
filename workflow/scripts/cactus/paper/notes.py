"""The caption and the notes of a table."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cactus.config.sections.source import Source
from cactus.files import read_json
from cactus.paper.cells import INTERVAL_RECALLED, MEAN_RECALLED, NOT_RUN, UNAVAILABLE
from cactus.paper.latex import escape
from cactus.paper.results import ALL_SEEDS
from cactus.paper.vocabulary import (
    SYNTHETIC_NOTE,
    dataset_title,
    is_oracle,
    learner_title,
    source_rank,
    source_title,
)

_MARKS: Final = {
    NOT_RUN: "not run by the paper, as far as its sources show.",
    UNAVAILABLE: "the paper's number is not at hand.",
    INTERVAL_RECALLED: "interval recalled, not verified.",
    MEAN_RECALLED: "mean (and interval) recalled, not verified.",
}
_LEARNERS: Final = {
    "maml": "MAML normalises with the batch statistics of the support or query set at hand, also "
    "in evaluation (transductive).",
    "protonets": "ProtoNets are evaluated with the running statistics of meta-training (not "
    "transductive).",
}


def caption(averaged: pd.DataFrame) -> str:
    """Return the caption of a data set's table, with a banner if the data is synthetic."""
    first = averaged.iloc[0]
    banner = rf" \textbf{{[{SYNTHETIC_NOTE}]}}" if first["synthetic"] else ""
    return (
        rf"{escape(dataset_title(first['dataset']))}{banner}: few-shot accuracy in \%,"
        rf" mean\,$\pm$\,half the 95\,\% interval, of the paper (CACTUs, ICLR 2019) and of "
        rf"our run ``{escape(first['run'])}''."
    )


def table_notes(results: pd.DataFrame, entries: Sequence[dict[str, Any]]) -> list[str]:
    """Return the sentences below a table: how its numbers were computed, and what its marks mean.

    Parameters
    ----------
    results
        All results of the data set, per seed and averaged.
    entries
        The map entries of the table's numbers, see `cactus.paper.cells.map_entry`.
    """
    notes = [_tasks_note(results), _seeds_note(results)]
    notes.append(
        r"\textbf{Bold}: our highest mean of a setting among the rows that use no labels."
        if not all(is_oracle(method) for method in results["method"])
        else "All rows use labels."
    )
    notes += _ways_note(results)
    notes += [text for name, text in _LEARNERS.items() if name in set(results["learner"])]
    used = {entry["mark"] for entry in entries}
    notes += [f"{_raised(mark)}{text}" for mark, text in _MARKS.items() if mark in used]
    return notes


def margin_notes(summaries: Sequence[Path]) -> list[str]:
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
        f"{escape(source_title(source))}, {learner_title(learner)}: too few hyperplanes keep a "
        f"margin of {asked:g}; the widest that do keep "
        f"{' and '.join(f'{margin:.3g}' for margin in sorted(margins))}."
        for (source, learner, asked), margins in sorted(used.items())
    ]


def _ways_note(results: pd.DataFrame) -> list[str]:
    """Return a sentence for each source of which a setting's own way has a model."""
    ways: dict[str, list[int]] = {}
    for source in sorted({*results["source"]}, key=source_rank):
        parsed = Source.parse(source)
        if parsed.way is not None:
            ways.setdefault(source_title(parsed.without_way), []).append(parsed.way)
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
