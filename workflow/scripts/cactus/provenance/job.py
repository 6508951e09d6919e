"""A job at work: it checks that it is what was planned, runs, and leaves its record."""

import hashlib
import importlib
import json
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cactus.config.checkpoints import CheckpointSettings
from cactus.errors import CodeError, RecordError
from cactus.files import file_hash
from cactus.provenance.agent import check_libraries, describe_agent, determinism
from cactus.provenance.closure import BOOKKEEPING, SourceTree
from cactus.provenance.hashes import HASHES_FILE, HashCache
from cactus.provenance.jobs import AUDIT, Job, job_of
from cactus.provenance.objects import keep
from cactus.provenance.plan import PENDING, Plan, read_plan
from cactus.provenance.record import (
    Activity,
    FileEntity,
    Record,
    record_path,
    write_record,
)
from cactus.provenance.state import JobState
from cactus.stop import StopRequest

if TYPE_CHECKING:
    from cactus.checkpoint import Checkpoints

SCRIPTS: Final = Path(__file__).resolve().parents[2]
_KIB: Final = 1024


@dataclass
class RunningJob:
    """The job of this process.

    Attributes
    ----------
    run_folder
        Folder of the run.
    plan
        What the job has to be; no input is pending any more.
    stop
        Request to stop it.
    raw
        sha256 of each raw file that the job read, if it reads any; the job fills it in.
    resumed_from
        Steps from which the job went on after interruptions.
    """

    run_folder: Path
    plan: Plan
    stop: StopRequest
    raw: dict[str, str] = field(default_factory=dict)
    _checkpoints: "Checkpoints | None" = None

    @property
    def spec(self) -> str:
        """The keys of the configuration that the stage reads, as JSON."""
        return json.dumps(self.plan.spec)

    @property
    def output(self) -> Path:
        """The job's own folder, or its first file."""
        job = self.plan.job
        return self.run_folder / (job.folder or job.files[0])

    @property
    def work(self) -> Path:
        """The job's folder for what it needs until its end; Snakemake does not know of it."""
        return self.run_folder / "work" / self.plan.job.name

    @property
    def fingerprint(self) -> str:
        """sha256 of everything that the job's results follow from."""
        content = self.plan.model_dump(mode="json", exclude={"raw"})
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def resumed_from(self) -> list[int]:
        """Steps from which the job went on after interruptions."""
        return self._checkpoints.resumed_from if self._checkpoints else []

    def checkpoints(self, settings: str) -> "Checkpoints":
        """Return the job's checkpoints, those of earlier attempts too.

        Parameters
        ----------
        settings
            The configuration's section ``checkpoints`` as JSON. It decides nothing about results,
            so it is read here and not by the stage.
        """
        from cactus.checkpoint import Checkpoints  # which needs PyTorch, as most jobs do not

        when = CheckpointSettings.model_validate_json(settings)
        self._checkpoints = Checkpoints(
            self.work / "checkpoints",
            self.fingerprint,
            seconds=when.seconds,
            steps=when.steps,
            stop=self.stop,
        )
        return self._checkpoints

    def folder(self, stage: str, **wildcards: str) -> Path:
        """Return the folder of a job of another stage, for the same cell but for `wildcards`."""
        other = job_of(stage, **{**self.plan.job.wildcards, **wildcards})
        return self.run_folder / (other.folder or "")


@contextmanager
def running_job(plan_file: Path) -> Iterator[RunningJob]:
    """Check the plan of a job, let it run, and leave its record.

    Raises
    ------
    CodeError
        The code or a library is not what was planned.
    RecordError
        An input is not what was planned, or is missing.
    StoppedError
        The job was asked to stop.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    plan = read_plan(plan_file).plan
    run_folder = plan_file.absolute().parents[len(Path(plan.job.name).parts)]
    cache = HashCache.load(run_folder / HASHES_FILE)
    sources = _check_code(plan, SourceTree(SCRIPTS, cache))
    check_libraries(plan.libraries)
    plan = plan.model_copy(update={"inputs": _checked_inputs(run_folder, plan, cache)})
    with StopRequest(plan.job.name) as stop, JobState(run_folder, plan.job, started):
        _clear(run_folder, plan.job)
        job = RunningJob(run_folder, plan, stop)
        yield job
        _check_imports(plan)
        plan = plan.model_copy(update={"raw": job.raw})
        kept = {name: keep(run_folder, text) for name, text in sources.items()}
        activity = _activity(plan, kept, started, time.monotonic() - clock)
        activity = activity.model_copy(update={"resumed_from": job.resumed_from})
        agent = describe_agent(run_folder, SCRIPTS.parents[1], list(plan.libraries))
        entities = _made(run_folder, plan.job)
        write_record(run_folder, Record(entities=entities, activity=activity, agent=agent))
        shutil.rmtree(job.work, ignore_errors=True)


def _clear(run_folder: Path, job: Job) -> None:
    """Remove the record and the results of an earlier run of the job."""
    record_path(run_folder, job).unlink(missing_ok=True)
    if job.folder is not None and job.stage != "make_sample":  # which takes care itself
        shutil.rmtree(run_folder / job.folder, ignore_errors=True)
        (run_folder / job.folder).mkdir(parents=True)


def _check_code(plan: Plan, tree: SourceTree) -> dict[str, str]:
    """Check the code and import all of it, so that what is in memory is what was planned.

    Returns
    -------
    dict
        The text of each source file.
    """
    texts = {name: _text(tree, name) for name in plan.code}
    for name, planned in plan.code.items():
        found = tree.meaning(name)
        if found != planned:
            raise _code_changed(name, f"meaning {found[:12]}, planned {planned[:12]}")
    for name in plan.code:
        if name.startswith("cactus/"):
            parts = Path(name).with_suffix("").parts
            importlib.import_module(".".join(part for part in parts if part != "__init__"))
    for name, text in texts.items():
        if _text(tree, name) != text:
            raise _code_changed(name, "an edit while the job was starting")
    return texts


def _code_changed(name: str, got: str) -> CodeError:
    return CodeError(
        "The code changed after this job was planned.",
        where=name,
        got=got,
        fix="run Snakemake again: it plans the job with the code as it is now",
    )


def _text(tree: SourceTree, name: str) -> str:
    path = tree.path(name)
    return (path if path.is_file() else Path(name)).read_text(encoding="utf-8")


def _check_imports(plan: Plan) -> None:
    """Check that the job has run no file of ours that was not planned.

    The audit is bookkeeping itself: it imports what it needs to judge every stage.
    """
    if plan.job == AUDIT:
        return
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        ours = name == "cactus" or name.startswith("cactus.")
        if not ours or file is None or name in _LOADED_FIRST or name.startswith(BOOKKEEPING):
            continue
        path = Path(file).relative_to(SCRIPTS).as_posix()
        if path not in plan.code:
            raise CodeError(
                "The job imported a module that its plan does not name.",
                where=path,
                got=f"an import by name that {plan.stage}.py's imports do not show",
                fix="name it in cactus.provenance.ingredients.entries, where modules are listed "
                "that a stage's wildcards select",
            )


def _checked_inputs(run_folder: Path, plan: Plan, cache: HashCache) -> dict[str, str]:
    """Return the hashes of the inputs, which must be what was planned."""
    inputs = {}
    for name, planned in plan.inputs.items():
        path = run_folder / name
        if planned == PENDING and not path.exists():
            continue  # the receipt of its folder says that there is no such file
        found = cache.sha256(path) if path.is_file() else "missing"
        if planned not in (PENDING, found):
            raise RecordError(
                "An input is not what was planned.",
                where=str(path),
                got=f"sha256 {found[:12]}, planned {planned[:12]}",
                fix="run Snakemake again: it makes the input anew if its record does not fit",
            )
        inputs[name] = found
    return inputs


def _activity(plan: Plan, sources: dict[str, str], started: datetime, seconds: float) -> Activity:
    compute: dict[str, Any] = plan.spec.get("compute", {})
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return Activity(
        plan=plan,
        sources=sources,
        seed=plan.spec.get("seed"),
        threads=compute.get("threads", plan.spec.get("threads")),
        determinism=determinism(),
        started=started.isoformat(),
        ended=datetime.now(UTC).isoformat(),
        seconds=round(seconds, 3),
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB,
        peak_gpu_memory_bytes=torch.cuda.max_memory_allocated() if torch and gpu else None,
    )


def _made(run_folder: Path, job: Job) -> dict[str, FileEntity]:
    """Describe all files that the job made."""
    paths = [run_folder / name for name in job.files]
    if job.folder is not None:
        found = (run_folder / job.folder).rglob("*")
        paths = sorted(path for path in found if path.is_file() and path.name[0] != ".")
    return {
        path.relative_to(run_folder).as_posix(): FileEntity(
            sha256=file_hash(path), bytes=path.stat().st_size
        )
        for path in paths
    }


# What the bookkeeping itself imports: loaded before any stage, whether a stage needs it or not.
_LOADED_FIRST: Final = frozenset(sys.modules)
