"""Recomputes jobs from a crate alone and compares the results bit for bit."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cactus.config.load import checked
from cactus.config.models import Config
from cactus.errors import RecordError
from cactus.files import file_hash, write_json, write_text
from cactus.graph import Graph
from cactus.provenance.crate.files import METADATA, SCRIPTS, declared_name
from cactus.provenance.crate.unpack import check_folder, unpack
from cactus.provenance.execution.environment import DETERMINISM_VARIABLES
from cactus.provenance.execution.processor import processor_difference
from cactus.provenance.fingerprint.declared import declared_path
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.raw_files import OTHERS, raw_hashes
from cactus.provenance.records.objects import load
from cactus.provenance.records.plan import PlanFile, plan_path
from cactus.provenance.records.record import Record, read_record
from cactus.provenance.records.values import is_inside
from cactus.provenance.staleness.planned_config import read_planned_config
from cactus.provenance.staleness.run_folders import find_run_folder
from cactus.stages.base import Job
from cactus.stages.prepare_data import STAGE as PREPARE_DATA
from cactus.stages.prepare_data import raw_access

# The parts of the project that jobs need.
_PROJECT: Final = (SCRIPTS, "config", "envs")
_ABSENT: Final = "missing"


class Comparison(NamedTuple):
    """The sha256 of a job's result as recorded, as stored in the crate, and as recomputed.

    The name of the result is relative to the run's folder. `processor` says how the processors of
    the two runs differ, if they do.
    """

    job: Job
    name: str
    recorded: str
    stored: str
    recomputed: str
    processor: str = ""

    @property
    def equal(self) -> bool:
        """Whether all three are equal."""
        return self.recorded == self.stored == self.recomputed


def replay(crate: Path, name: str, work: Path) -> list[Comparison]:
    """Recompute jobs of a crate on the CPU and compare every result with its record.

    Each job starts from the inputs in the crate, runs the code of its record, and writes its
    results below `work`; the crate is only read. This runs the crate's code, so replay only crates
    whose code you trust. Until that runs, nothing in the crate is trusted: what is not a plain file
    inside it is refused, and commands and metadata in it are not used.

    Parameters
    ----------
    crate
        A crate written by `cactus.provenance.crate.export.export`: a folder or a zip file.
    name
        A job, ``<stage>/<cell>``; or a cell, which stands for all jobs of this cell.
    work
        An empty or new folder to work in.

    Raises
    ------
    RecordError
        The crate has no such job or differs from its records; or the job ran on a GPU, cannot be
        recomputed from the crate alone, or fails.
    StorageError
        The crate is a zip file that does not fit on the disk.
    """
    if work.exists() and any(work.iterdir()):
        raise RecordError(
            "The working folder is not empty.",
            where=str(work),
            got=f"{len(list(work.iterdir()))} files or folders",
            fix="name an empty or new folder",
        )
    crate = _open_crate(crate, work)
    run_folder = find_run_folder(None, crate / "results")
    config = checked(read_planned_config(run_folder).last_planned())
    compared: list[Comparison] = []
    for job in Graph(config).find(name):
        if name not in (job.name, job.cell):
            continue  # a cell does not stand for jobs that cells share
        record = _replayable_record(run_folder, job)
        compared += _JobReplay(crate, run_folder, config, record, work / "jobs" / job.name).run()
    return compared


def _open_crate(crate: Path, work: Path) -> Path:
    """Return the folder of a crate; a zip file is unpacked below `work` first."""
    folder = work / "crate" if crate.is_file() else crate
    if crate.is_file():
        unpack(crate, folder)
    else:
        check_folder(crate)
    parts = [METADATA, *_PROJECT]
    if missing := [name for name in parts if not (folder / name).exists()]:
        raise RecordError(
            "This is not a crate.",
            where=str(crate),
            got=f"no {', '.join(missing)}" if crate.exists() else "no such file or folder",
            fix="name a folder or zip file written by `cactus export`",
        )
    return folder


def _replayable_record(run_folder: Path, job: Job) -> Record:
    """Return the record of a job, after checking that the job can be recomputed here."""
    record = read_record(run_folder, job)
    where = f"{run_folder}: {job.name}"
    if record is None:
        raise RecordError(
            "The crate has no record of the job.",
            where=where,
            got="no record",
            fix="get the crate again from where it was published",
        )
    device = (record.agent.device or {}).get("device", "cpu")
    if device != "cpu":
        raise RecordError(
            "Only jobs that ran on a CPU can be compared bit for bit.",
            where=where,
            got=f"a job that ran on {device}",
            fix="replay a job that ran on a CPU; for this job, compare the printed numbers",
        )
    whole = job.definition.reads_run
    if whole or (record.plan.raw and not record.plan.spec["synthetic"]):
        raise RecordError(
            "The job cannot be recomputed from the crate alone.",
            where=where,
            got="it reads the whole run" if whole else "its raw files are not in the crate",
            fix="run `cactus audit` on the run instead"
            if whole
            else "replay a job that comes after it",
        )
    return record


@dataclass
class _JobReplay:
    """Recomputes one job in a folder of its own.

    Attributes
    ----------
    crate, stored
        The unpacked crate and the run's folder in it.
    folder
        Where the job runs: a copy of the project, with only the job's inputs in the run's folder.
    """

    crate: Path
    stored: Path
    config: Config
    record: Record
    folder: Path

    @property
    def run_folder(self) -> Path:
        """The run's folder where the job runs."""
        return self.folder / "results" / self.config.run

    def run(self) -> list[Comparison]:
        """Run the job and compare its results with the record."""
        self._copy_inputs()
        self._copy_declared()
        self._copy_code()
        job, planned = self.record.job, PlanFile(plan=self.record.plan, planned="", reasons=[])
        plan = plan_path(self.run_folder, job)
        write_json(plan, planned.model_dump(exclude_defaults=True))
        self._execute(plan)
        again = read_record(self.run_folder, job)
        processor = processor_difference(self.record, again) if again else ""
        return [
            Comparison(
                *(job, name, entity.sha256),
                *(_hash(self.stored / name), _hash(self.run_folder / name), processor),
            )
            for name, entity in self.record.entities.items()
        ]

    def _copy_inputs(self) -> None:
        """Copy what the job read, after checking that it matches the record."""
        for name, recorded, found in self._inputs():
            if found != recorded:
                raise RecordError(
                    "An input in the crate differs from the record.",
                    where=str(self.stored / name),
                    got=f"sha256 {found[:12]}, recorded {recorded[:12]}",
                    fix="get the crate again from where it was published",
                )
            source, target = self.stored / name, self.run_folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)

    def _inputs(self) -> Iterator[tuple[str, str, str]]:
        """Yield each file or raw folder that the job read, its recorded and its actual hash."""
        plan, dataset = self.record.plan, self.record.job.cell
        for name, recorded in plan.inputs.items():
            yield name, recorded, _hash(self.stored / name)
        raw = raw_hashes(self.stored / "raw", [dataset], plan.raw, HashCache(None))
        for name in sorted({*plan.raw} - {OTHERS}):
            yield f"raw/{dataset}/{name}", plan.raw[name], raw.get(name, _ABSENT)

    def _copy_declared(self) -> None:
        """Copy the declared files that the crate carries; check those that it only names."""
        for name, recorded in self.record.plan.declared.items():
            carried = declared_name(name)
            source = declared_path(self.crate, carried or name)
            if _hash(source) != recorded:
                raise RecordError(
                    "A file that code of users reads is not what the record says.",
                    where=str(source),
                    got=f"sha256 {_hash(source)[:12]}, recorded {recorded[:12]}",
                    fix="get the crate again from where it was published"
                    if carried
                    else "put the file there; the crate does not carry it",
                )
            if carried:
                (self.folder / carried).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, self.folder / carried)

    def _copy_code(self) -> None:
        """Copy the project, with the source files of the job as they were when it ran."""
        for name in _PROJECT:
            shutil.copytree(self.crate / name, self.folder / name, dirs_exist_ok=True)
        for name, digest in self.record.activity.sources.items():
            if Path(name).is_absolute():
                self._check_outside(name, digest)
            elif is_inside(name):
                # A custom module is named from the folder in which Snakemake started.
                ours = (self.crate / SCRIPTS / name).is_file()
                path = self.folder / (SCRIPTS if ours else "") / name
                write_text(path, load(self.stored, digest))
            else:
                raise RecordError(
                    "The record names a source file outside the project.",
                    where=f"{self.stored}: {self.record.job.name}",
                    got=name,
                    fix="get the crate again from where it was published, or from a run whose "
                    "configuration names its modules without `..`",
                )

    def _check_outside(self, name: str, digest: str) -> None:
        """Check that a module outside the project, which is not written to, is what the job ran."""
        found = _hash(Path(name))
        if found != digest:
            raise RecordError(
                "The job ran code from outside the project.",
                where=name,
                got=f"sha256 {found[:12]}, recorded {digest[:12]}",
                fix=f"copy {self.stored}/objects/{digest[:2]}/{digest} to that path",
            )

    def _execute(self, plan: Path) -> None:
        stage = self.record.job.stage
        command = [sys.executable, f"{SCRIPTS}/{stage}.py", "--plan", str(plan.absolute())]
        if stage == PREPARE_DATA.name:
            command += ["--access", raw_access(self.config).text()]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise RecordError(
                "The job failed when it was recomputed.",
                where=f"{self.folder}: {self.record.job.name}",
                got="\n".join(done.stderr.splitlines()[-8:]),
                fix="use the versions of its record; `make setup` in the crate installs the lock's",
            )

    def _environment(self) -> dict[str, str]:
        """Return the environment with the recorded variables, and without GPUs."""
        facts = self.record.activity.determinism
        known: list[str] = [name for name in DETERMINISM_VARIABLES if name in facts]
        recorded = {name: str(facts[name]) for name in known}
        return {**os.environ, **recorded, "CUDA_VISIBLE_DEVICES": ""}


def _hash(path: Path) -> str:
    return file_hash(path) if path.is_file() else _ABSENT
