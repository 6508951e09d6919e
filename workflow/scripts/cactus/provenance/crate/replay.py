"""Recomputes jobs of a crate, from the crate alone, and compares the bits."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from cactus.config.load import parse_config
from cactus.config.models import Config
from cactus.errors import RecordError
from cactus.files import file_hash, write_json, write_text
from cactus.graph import Graph
from cactus.provenance.crate.files import METADATA, SCRIPTS
from cactus.provenance.crate.unpack import unpack
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.raw_files import raw_hashes
from cactus.provenance.records.objects import load_text
from cactus.provenance.records.plan import PlanFile, plan_path
from cactus.provenance.records.record import Record, read_record
from cactus.provenance.staleness.open_run import find_run_folder, read_planned_config
from cactus.stages.audit_run import AUDIT
from cactus.stages.base import Job
from cactus.stages.prepare_data import STAGE as PREPARE_DATA
from cactus.stages.prepare_data import raw_access

# What jobs read of the project besides their own code.
_PROJECT: Final = (SCRIPTS, "config", "envs")
_ABSENT: Final = "missing"


class Comparison(NamedTuple):
    """A result of a job: as recorded, as it lies in the crate, and as recomputed (sha256 each).

    Attributes
    ----------
    job
        The job.
    name
        The file, below the run's folder.
    recorded, kept, recomputed
        The three hashes.
    """

    job: Job
    name: str
    recorded: str
    kept: str
    recomputed: str

    @property
    def equal(self) -> bool:
        """Whether all three are the same, bit for bit."""
        return self.recorded == self.kept == self.recomputed


def replay(crate: Path, name: str, work: Path) -> list[Comparison]:
    """Recompute jobs of a crate on the CPU and compare every result with its record.

    Each job starts from the inputs in the crate, runs the code of its record, and leaves its
    results below `work`; the crate is only read. As this runs the crate's code, replay only what
    you would run yourself.

    Parameters
    ----------
    crate
        A crate that `cactus.provenance.crate.export.export` wrote: a folder or a zip file.
    name
        A job, ``<stage>/<cell>``; or a cell, which stands for the jobs that bear its name.
    work
        An empty or new folder to work in.

    Raises
    ------
    RecordError
        The crate holds no such job, or is not what its records say; the job ran on a GPU, cannot
        be recomputed from the crate, or fails.
    StorageError
        The crate is a zip file that has no room on the disk.
    """
    if work.exists() and any(work.iterdir()):
        raise RecordError(
            "The folder to work in is not empty.",
            where=str(work),
            got=f"{len(list(work.iterdir()))} files or folders",
            fix="name an empty or new folder",
        )
    crate = _opened(crate, work)
    run_folder = find_run_folder(None, crate / "results")
    config = parse_config(
        read_planned_config(run_folder).config, "the configuration kept in the crate"
    )
    compared: list[Comparison] = []
    for job in _chosen(config, name):
        record = _replayable(run_folder, job)
        compared += _Replay(crate, run_folder, config, record, work / "jobs" / job.name).run()
    return compared


def _opened(crate: Path, work: Path) -> Path:
    """Return the folder of a crate, which is unpacked below `work` if it is a file."""
    folder = work / "crate" if crate.is_file() else crate
    if crate.is_file():
        unpack(crate, folder)
    if not (folder / METADATA).is_file():
        raise RecordError(
            "There is no crate.",
            where=str(crate),
            got=f"no {METADATA}" if crate.exists() else "no such file or folder",
            fix="name a folder or zip file that `cactus export` wrote",
        )
    return folder


def _chosen(config: Config, name: str) -> list[Job]:
    """Return the jobs that a name stands for, without the shared ones that a cell builds on."""
    jobs = Graph(config).find(name)
    return [job for job in jobs if name in (job.name, job.cell)]


def _replayable(run_folder: Path, job: Job) -> Record:
    """Return the record of a job that can be recomputed here."""
    record = read_record(run_folder, job)
    where = f"{run_folder}: {job.name}"
    if record is None:
        raise RecordError(
            "The crate holds no record of the job.",
            where=where,
            got="no record",
            fix="get the crate again from where it was published",
        )
    device = (record.agent.device or {}).get("device", "cpu")
    if device != "cpu":
        raise RecordError(
            "Only what a CPU computed can be compared bit for bit.",
            where=where,
            got=f"a record of device {device}",
            fix="replay a job that ran on a CPU; for this one compare the results' numbers",
        )
    if job == AUDIT or (record.plan.raw and not record.plan.spec["sample"]):
        raise RecordError(
            "The job cannot be recomputed from the crate alone.",
            where=where,
            got="it reads the whole run" if job == AUDIT else "its raw files are not in the crate",
            fix="replay a job that comes after it"
            if record.plan.raw
            else "run `cactus audit` on the run's folder instead",
        )
    return record


class _Replay:
    """One job that is recomputed in a folder of its own.

    Parameters
    ----------
    crate, run_folder
        The unpacked crate and the run's folder in it.
    config, record
        The run's configuration and the job's record.
    place
        Where the job works: a clone with a run of nothing but its inputs.
    """

    def __init__(
        self, crate: Path, run_folder: Path, config: Config, record: Record, place: Path
    ) -> None:
        self.crate, self.kept, self.config, self.record = crate, run_folder, config, record
        self.place = place
        self.run_folder = place / "results" / config.run

    def run(self) -> list[Comparison]:
        """Run the job and compare its results with the record."""
        self._copy_inputs()
        self._copy_code()
        job = self.record.job
        plan = plan_path(self.run_folder, job)
        write_json(plan, PlanFile(plan=self.record.plan, planned="", reasons=[]).model_dump())
        self._execute(plan)
        return [
            Comparison(
                job, name, entity.sha256, _hash(self.kept / name), _hash(self.run_folder / name)
            )
            for name, entity in self.record.entities.items()
        ]

    def _copy_inputs(self) -> None:
        """Copy what the job read, after a check that it is what the record names."""
        for name, recorded, found in self._inputs():
            if found != recorded:
                raise RecordError(
                    "An input in the crate is not what the record names.",
                    where=str(self.kept / name),
                    got=f"sha256 {found[:12]}, recorded {recorded[:12]}",
                    fix="get the crate again from where it was published",
                )
            source, target = self.kept / name, self.run_folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)

    def _inputs(self) -> Iterator[tuple[str, str, str]]:
        """Yield each file or raw folder that the job read, its recorded hash and that found."""
        plan, dataset = self.record.plan, self.record.job.cell
        for name, recorded in plan.inputs.items():
            yield name, recorded, _hash(self.kept / name)
        raw = raw_hashes(self.kept / "raw", [dataset], plan.raw, HashCache(None))
        for name, recorded in plan.raw.items():
            yield f"raw/{dataset}/{name}", recorded, raw.get(name, _ABSENT)

    def _copy_code(self) -> None:
        """Copy the project, with each source file of the job as it was when the job ran."""
        for name in _PROJECT:
            shutil.copytree(self.crate / name, self.place / name)
        for name, digest in self.record.activity.sources.items():
            text = load_text(self.kept, digest)
            path = self.place / SCRIPTS / name
            if not Path(name).is_absolute():
                write_text(path, text)
            elif _hash(path) != digest:
                raise RecordError(
                    "The job ran code from outside the project.",
                    where=name,
                    got=f"sha256 {_hash(path)[:12]}, recorded {digest[:12]}",
                    fix=f"copy results/{self.config.run}/objects/{digest[:2]}/{digest} of the "
                    "crate to that place",
                )

    def _execute(self, plan: Path) -> None:
        stage = self.record.job.stage
        command = [sys.executable, f"{SCRIPTS}/{stage}.py", "--plan", str(plan.absolute())]
        if stage == PREPARE_DATA.name:
            command += ["--access", raw_access(self.config).text()]
        done = subprocess.run(
            command,
            cwd=self.place,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RecordError(
                "The job fails when it is recomputed.",
                where=f"{self.place}: {self.record.job.name}",
                got="\n".join(done.stderr.splitlines()[-8:]),
                fix="set up the locked libraries by `make setup` in the crate, and use its Python",
            )

    def _environment(self) -> dict[str, str]:
        """Return the environment with the switches of the record, and without GPUs."""
        facts: dict[str, Any] = self.record.activity.determinism
        switches = {name: str(value) for name, value in facts.items() if name.isupper()}
        return {**os.environ, **switches, "CUDA_VISIBLE_DEVICES": ""}


def _hash(path: Path) -> str:
    return file_hash(path) if path.is_file() else _ABSENT
