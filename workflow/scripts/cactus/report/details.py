"""What the page says of each cell of the grid and of each embedding."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from cactus.config.printed.durations import duration
from cactus.config.sections.base import Settings
from cactus.config.sections.partition import RULES
from cactus.config.sections.source import Source
from cactus.paper.cells import map_entry, our_cell
from cactus.paper.results import ALL_SEEDS
from cactus.paper.vocabulary import method_name, setting_title
from cactus.provenance.execution.logs import log_path
from cactus.provenance.records.record import record_path
from cactus.report.anchors import cell_anchor, embedding_anchor, figure_anchor
from cactus.report.compute import memory, moment, ran_on
from cactus.report.curves import Curve, read_curves
from cactus.report.pictures import Picture, embedded
from cactus.report.view import Numbers, RunView, rows_of
from cactus.stages.base import Job
from cactus.stages.evaluate_model import STAGE as EVALUATE_MODEL
from cactus.stages.make_partitions import STAGE as MAKE_PARTITIONS
from cactus.stages.measure_partitions import STAGE as MEASURE_PARTITIONS
from cactus.stages.meta_train import STAGE as META_TRAIN
from cactus.stages.run_baselines import STAGE as RUN_BASELINES
from cactus.stages.train_embedding import STAGE as TRAIN_EMBEDDING

if TYPE_CHECKING:
    from cactus.config.models import Config

_PICTURE = "diagnostic.png"
_CURVES = "metrics.jsonl"
_PICTURE_WIDTH = 700


class JobLine(NamedTuple):
    """One job behind a cell, and the addresses of its files; those that do not exist are empty."""

    name: str
    ended: str
    took: str
    memory: str
    where: str
    commit: str
    record: str
    log: str
    result: str


class Detail(NamedTuple):
    """A cell of the grid, or an embedding."""

    anchor: str
    title: str
    name: str
    numbers: list[tuple[str, Markup]]  # settings and accuracies of its seed
    curves: list[tuple[str, list[Curve]]]
    picture: Picture | None
    links: list[tuple[str, str]]
    settings: list[tuple[str, str]]  # jobs and what they read of the configuration
    jobs: list[JobLine]
    trace: str


def cell_details(view: RunView, numbers: Numbers, figures: set[str]) -> list[Detail]:
    """Return the details of every cell of the grid.

    Parameters
    ----------
    figures
        The names of the figures that the page shows.
    """
    by_seed: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows_of(view.results[view.results["seed"] != ALL_SEEDS]):
        key = row["dataset"], row["source"], row["learner"], row["seed"]
        by_seed.setdefault(key, []).append(row)
    details = []
    for cell in view.reader.config.expanded_grid.cells:
        rows = by_seed.get((cell.dataset, cell.source, cell.learner, str(cell.seed)), [])
        own = Job(EVALUATE_MODEL.name, cell.name)
        measured = Job(MEASURE_PARTITIONS.name, cell.name)
        chain = view.reader.graph.ancestry(own)
        chain += [measured] if measured in view.reader.graph.by_stage[measured.stage] else []
        trained = [job for job in chain if job.stage == META_TRAIN.name]
        title = view.cell_title(*cell)
        shown = [
            (setting_title(row["way"], row["shot"]), _number(view, numbers, row)) for row in rows
        ]
        details.append(
            Detail(
                cell_anchor(cell.name),
                title,
                cell.name,
                shown,
                [("Meta-training", _curves(view, job)) for job in trained],
                None,
                list(_cell_links(cell, figures)),
                [(job.name, _settings(view, job)) for job in chain if job.cell == cell.name],
                [job_line(view, job) for job in chain],
                _trace(view, cell, rows),
            )
        )
    return details


def embedding_details(view: RunView) -> list[Detail]:
    """Return the details of every trained embedding, with its baselines."""
    graph, details = view.reader.graph, []
    for dataset, embedding, seed in view.reader.config.expanded_grid.embedding_runs:
        name = f"{dataset}/{embedding}/s{seed}"
        job, scored = Job(TRAIN_EMBEDDING.name, name), Job(RUN_BASELINES.name, name)
        chain = graph.ancestry(scored if scored in graph.by_stage[scored.stage] else job)
        picture = view.folder / str(job.folder) / _PICTURE
        details.append(
            Detail(
                embedding_anchor(name),
                f"{view.titles.dataset(dataset)}, {view.titles.source(embedding)}, seed {seed}",
                name,
                [],
                [("Training", _curves(view, job))],
                embedded(picture, _PICTURE_WIDTH) if picture.is_file() else None,
                [],
                [(one.name, _settings(view, one)) for one in chain if one.cell == name],
                [job_line(view, one) for one in chain],
                "",
            )
        )
    return details


def _curves(view: RunView, job: Job) -> list[Curve]:
    return read_curves(view.folder / str(job.folder) / _CURVES)


def _number(view: RunView, numbers: Numbers, row: dict[str, Any]) -> Markup:
    title = view.cell_title(row["dataset"], row["source"], row["learner"], row["seed"])
    place = title, setting_title(row["way"], row["shot"])
    cell = our_cell(row, view.decimals, bold=False)
    return numbers.show(map_entry(cell, row, "ours", place, view.decimals))


def _cell_links(cell: Any, figures: set[str]) -> Iterator[tuple[str, str]]:
    """Yield what the page shows of a cell elsewhere."""
    embedding = Source.parse(cell.source).embedding
    if embedding:
        name = f"{cell.dataset}/{embedding}/s{cell.seed}"
        yield "diagnostic picture and curves of its embedding", f"#{embedding_anchor(name)}"
    for figure, title in (
        ("tasks", "sheet of its tasks"),
        ("training_curves", "curves of its data set in one figure"),
    ):
        if (name := f"{figure}-{cell.dataset}") in figures and cell.source != "scratch":
            yield title, f"#{figure_anchor(name)}"


def _settings(view: RunView, job: Job) -> str:
    """Return what a job reads of the configuration, one key per line."""
    record = view.record(job)
    if record is None:
        return ""
    left_out = _unread(view.reader.config, job)
    lines = _lines("", record.plan.spec)
    return "\n".join(one for one in lines if not one.startswith(left_out))


def _unread(config: "Config", job: Job) -> tuple[str, ...]:
    """Return how the lines of settings begin that a job does not read, which are defaults."""
    if job.stage not in (EVALUATE_MODEL.name, MAKE_PARTITIONS.name):
        return ()
    one = job.wildcards
    source = Source.parse(one["source"])
    settings: Settings
    if job.stage == MAKE_PARTITIONS.name:
        settings = config.partitions.of_source(source, one["dataset"])
        read = settings.read_by(source, one["dataset"]) - RULES
    else:
        settings = config.learners.resolve(one["learner"], one["dataset"])
        read = {*config.learners.keys_scored(one["learner"], one["source"])}
    keys = sorted(type(settings).model_fields.keys() - read)
    return tuple(f"settings.{key}{end}" for key in keys for end in (":", "."))


def _lines(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _lines(f"{key}.{name}" if key else name, inner)
    elif value not in (None, {}, []):
        yield f"{key}: {value if isinstance(value, str) else json.dumps(value)}"


def job_line(view: RunView, job: Job) -> JobLine:
    """Return what a job's record says, and where its files are."""
    record = view.record(job)
    log = view.link(log_path(view.folder, job).absolute().relative_to(view.folder.absolute()))
    if record is None:
        return JobLine(job.name, "", "", "", "no record", "", "", log, "")
    activity, git = record.activity, record.agent.git
    main = f"{job.folder}/{job.definition.main_result}" if job.definition.main_result else ""
    commit = f"{git['commit'][:12]}{'+' if git['dirty'] else ''}" if git else ""
    return JobLine(
        job.name,
        moment(activity.ended),
        duration(activity.seconds),
        memory(activity.peak_memory_bytes),
        ran_on(record) + (f", {record.origin}" if record.origin else ""),
        commit,
        view.link(record_path(Path(), job)),
        log,
        view.link(main or job.files[0]),
    )


def _trace(view: RunView, cell: Any, rows: list[dict[str, Any]]) -> str:
    """Return the command that traces the first number of a cell."""
    if not rows or view.prefix:
        return ""
    row = view.row_title(cell.dataset, cell.source, method_name(cell.source, cell.learner))
    setting = f"{rows[0]['way']}w{rows[0]['shot']}s"
    file = f"results/{view.place}/report.html"
    return f"cactus trace {shlex.quote(file)} --row {shlex.quote(row)} --col {setting}"
