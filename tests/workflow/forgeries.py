"""Forgeries: records that are changed and sealed again, and some of the records below them too."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from cactus.files import file_hash
from cactus.provenance.records.record import FileEntity, Record, read_record, write_record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from cactus.stages.whole_run.audit_run import AUDIT
from tests.workflow.scratch import below, reseal
from tests.workflow.tamper import MAML, edit, flip

Change = Callable[[Record], Record]


def change_activity(**values: Any) -> Change:
    return lambda record: record.model_copy(
        update={"activity": record.activity.model_copy(update=values)}
    )


def change_agent(**values: Any) -> Change:
    return lambda record: record.model_copy(
        update={"agent": record.agent.model_copy(update=values)}
    )


def change_plan(part: str, **values: Any) -> Change:
    def apply(record: Record) -> Record:
        found = {**getattr(record.plan, part), **values}
        plan = record.plan.model_copy(update={part: found})
        return change_activity(plan=plan)(record)

    return apply


def unlinked(record: Record) -> Record:
    return record.model_copy(update={"links": None})


def reused(record: Record) -> Record:
    taken = {"run": "elsewhere", "when": "2026-01-01T00:00:00+00:00"}
    return Record.model_validate({**record.model_dump(by_alias=True), "reused": [taken]})


GIT: Final = {"commit": "c" * 40, "dirty": False, "diff": None, "untracked": []}
CHANGES: Final[dict[str, Change]] = {
    "another host": change_agent(host="cluster"),
    "another commit": change_agent(git=GIT),
    "no Slurm": change_agent(slurm={"id": "7"}),
    "another device": change_agent(device={"device": "cuda", "gpu": "H100"}),
    "another machine": change_agent(machine="aarch64"),
    "less time": change_activity(seconds=0.001),
    "an earlier end": change_activity(ended="2001-01-01T00:00:00+00:00"),
    "a later start": change_activity(started="2031-01-01T00:00:00+00:00"),
    "less memory": change_activity(peak_memory_bytes=1),
    "other determinism": change_activity(determinism={}),
    "no resumption": change_activity(resumed_from=[3]),
    "other processors": change_activity(processors=[{"model": "fast"}]),
    "results of another run": reused,
}
TRAINED: Final = Job("meta_train", MAML)
SCORED: Final = Job("evaluate_model", MAML)
EMBEDDED: Final = Job("train_embedding", "omniglot/acai/s0")
PREPARED: Final = Job("prepare_data", "omniglot")
RESULTS: Final = Job("aggregate_results", "")
TABLE: Final = Job("make_table", "omniglot")
FIGURE: Final = Job("make_figure", "shots")
CHANGED: Final = (PREPARED, EMBEDDED, TRAINED, SCORED, RESULTS, TABLE, FIGURE)


class Forgery(NamedTuple):
    """A change of a job's files or record, and which records below it are sealed again too."""

    what: str
    job: Job
    apply: Callable[[Path], None]
    change: Change
    sealed: int  # number of records below it, in order; a negative one counts from the end

    def carry_out(self, planner: Planner) -> None:
        run = planner.run_folder
        self.apply(run)
        record = read_record(run, self.job)
        assert record is not None
        entities = {
            name: FileEntity(sha256=file_hash(run / name), bytes=(run / name).stat().st_size)
            for name in record.entities
        }
        write_record(run, self.change(record.model_copy(update={"entities": entities})))
        reseal(planner, below(planner, self.job)[: self.sealed])


def nothing(_: Path) -> None:
    """Leave the files alone."""


def same(record: Record) -> Record:
    return record


def _forgeries() -> Iterator[Forgery]:
    for number, (what, change) in enumerate(CHANGES.items()):
        for job in (CHANGED[number % len(CHANGED)], CHANGED[(number + 3) % len(CHANGED)]):
            yield Forgery(f"{what} of {job.name}, alone", job, nothing, change, 0)
    for job in (PREPARED, EMBEDDED, TRAINED, SCORED, RESULTS):
        for sealed in (1, 2, -2, -1):
            what = f"another host of {job.name}, {sealed} records below"
            yield Forgery(what, job, nothing, CHANGES["another host"], sealed)
    accuracies = edit(f"evaluations/{MAML}/accuracies.csv", r"0\.\d+", "1.0")
    files: dict[Job, Callable[[Path], None]] = {
        TRAINED: flip(f"models/{MAML}/model.safetensors"),
        EMBEDDED: flip("embeddings/omniglot/acai/s0/train.npy"),
        SCORED: accuracies,
        FIGURE: flip("figures/shots.png"),
        PREPARED: flip("data/omniglot/manifest.json"),
    }
    for job, apply in files.items():
        for sealed in (0,) if job == FIGURE else (0, 1, -1):
            yield Forgery(f"files of {job.name}, {sealed} records below", job, apply, same, sealed)
    yield Forgery("links left out", TRAINED, nothing, unlinked, 0)
    yield Forgery("links left out, most below sealed", TRAINED, nothing, unlinked, -1)


FORGERIES: Final = list(_forgeries())


def seal_all(planner: Planner, job: Job) -> None:
    """Seal every record below a job's again, the audit's too: the complete forgery."""
    chain = below(planner, job)
    assert AUDIT in chain
    reseal(planner, chain)
