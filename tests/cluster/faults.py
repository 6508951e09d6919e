"""Runs of slow trainings on the test cluster, for tests to interrupt."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.slurm import Job, SlurmCluster
from tests.workflow.project import Project

_HERE = Path(__file__).parent
RUN = "faults"
CONFIG = ("--configfile", "config/demo.yaml", "config/faults.yaml")
# A training of some seconds: 30 steps of half a second, with a checkpoint every five steps.
USUAL = {"steps": 30, "pause": 0.5, "log_every": 5, "batch_size": 16, "working_size": 8}
REFERENCE = "reference"
# Makes a run of trainings from their settings and resources.
MakeRun = Callable[..., "FaultRun"]


def write_config(project: Project, trainings: Mapping[str, Mapping[str, Any]]) -> None:
    """Configure one embedding per training, with settings that override `USUAL`."""
    custom = {
        name: {"module": "patient.py", "settings": {**USUAL, **settings}}
        for name, settings in trainings.items()
    }
    config = {
        "run": RUN,
        "compute": {"device": "cpu", "threads": 1},
        "grid": {
            "datasets": ["mnist"],
            "embeddings": list(trainings),
            "learners": ["protonets"],
            "controls": {"mnist": []},
            "scratch": False,
        },
        "embeddings": {"custom": custom},
        "synthetic": {"mnist": {"train_images": 900, "test_images": 400}},
        "data": {"mnist": {"val_size": 350}},
        "checkpoints": {"seconds": None, "steps": 5},
    }
    (project.folder / "config/faults.yaml").write_text(yaml.safe_dump(config))


def prepare(folder: Path) -> Project:
    """Return a project with prepared data and one uninterrupted training, computed here."""
    project = Project.create(folder)
    shutil.copy(_HERE / "patient.py", folder / "patient.py")
    write_config(project, {REFERENCE: {"pause": 0.0}})
    project.snakemake("embeddings", "--cores", "2", config=CONFIG)
    return project


class FaultRun:
    """Trainings on the cluster.

    Parameters
    ----------
    cluster
        The cluster that they run on.
    project
        A copy of the project from `prepare`, for this run alone.
    trainings
        Settings, by the name of the embedding.
    resources
        Resources of the trainings, in the form that ``--set-resources`` takes.
    """

    def __init__(
        self,
        cluster: SlurmCluster,
        project: Project,
        trainings: Mapping[str, Mapping[str, Any]],
        resources: Mapping[str, str] | None = None,
    ) -> None:
        self.cluster, self.project = cluster, project
        write_config(project, trainings)
        asked = {"mem_mb": "1500", "runtime": "10", **(resources or {})}
        self._options = [
            "embeddings",
            *CONFIG,
            "--set-resources",
            *(f"train_embedding:{name}={value}" for name, value in asked.items()),
            # Ask earlier than the profile does, because these trainings are short.
            *("--slurm-init-seconds-before-status-checks", "5"),
        ]
        # Variables that processes of `start` find besides those of the cluster, and a command that
        # starts them.
        self.variables: dict[str, str] = {}
        self.launcher: tuple[str, ...] = ()
        self.folder = project.folder / "results" / RUN
        self.output = project.folder / "output"
        self.code: int | None = None
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start plain ``snakemake --profile slurm``."""
        return self._start("snakemake", "--profile", "slurm", *self._options, *options)

    def start_supervised(
        self, *options: str, patience: int = 60, snakemake: Sequence[str] = ()
    ) -> "subprocess.Popen[bytes]":
        """Start ``cactus run``, with further options for it and for Snakemake."""
        own = ("--poll", "2", "--patience", str(patience), *options)
        words = ("run", *own, "--", *self._options, *snakemake)
        return self._start("cactus.cli.main", *words)

    def _start(self, *words: str) -> "subprocess.Popen[bytes]":
        path = f"{Path(sys.executable).parent}{os.pathsep}{self.cluster.environment['PATH']}"
        environment = {
            **self.cluster.environment,
            "PATH": path,
            "PYTHONPATH": str(self.project.scripts),
            **self.variables,
        }
        environment.pop("CACTUS_PLANNED_BY", None)
        with self.output.open("ab") as output:
            process = subprocess.Popen(
                [*self.launcher, sys.executable, "-m", *words],
                cwd=self.project.folder,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_hear_interrupts,
            )
        self._started.append(process)
        return process

    def close(self) -> None:
        """Stop whatever a failed test left running."""
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        here = str(self.project.folder)
        left = [job.id for job in self.cluster.jobs() if job.workdir == here and not job.over]
        if left:
            self.cluster.run("scancel", *left)

    def end(self, process: "subprocess.Popen[bytes]", timeout: float = 300) -> int:
        """Wait for a process of `start`; return its exit code."""
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(self.text() + self.cluster.report()) from None

    def text(self) -> str:
        """Return all that the processes of `start` have printed."""
        return self.output.read_text(errors="replace")

    def log(self, name: str, attempt: int | None = None) -> str:
        """Return the log of a training: of its last attempt, or of one that was stopped."""
        suffix = f".attempt-{attempt}" if attempt else ""
        path = self.folder / f"logs/train_embedding/mnist/{name}/s0{suffix}.log"
        return path.read_text() if path.exists() else ""

    def jobs(self, name: str) -> list[Job]:
        """Return the Slurm jobs of a training, the newest last."""
        comment = f"rule_train_embedding_wildcards_mnist_{name}_0"
        here = str(self.project.folder)
        return [
            job for job in self.cluster.jobs() if job.comment == comment and job.workdir == here
        ]

    def wait_for_checkpoint(self, *names: str, timeout: float = 120) -> None:
        """Wait until each training has saved a checkpoint."""
        for name in names:
            folder = self.folder / f"work/train_embedding/mnist/{name}/s0/checkpoints"
            self.cluster.wait_for(
                partial(_checkpoints, folder),
                f"a checkpoint of {name}\n{self.text()}\n{self.log(name)}",
                timeout,
            )

    def record(self, name: str) -> dict[str, Any]:
        """Return the record of a training."""
        path = self.folder / f"records/train_embedding/mnist/{name}/s0.json"
        assert path.exists(), f"no record of {name}\n{self.text()}\n{self.log(name)}"
        record: dict[str, Any] = json.loads(path.read_text())
        return record

    def resumed_from(self, name: str) -> list[int]:
        """Return the steps from which a training resumed."""
        steps: list[int] = self.record(name)["activity"]["resumed_from"]
        return steps

    def assert_equal_to_uninterrupted(self, *names: str) -> None:
        """Check that weights, vectors and metrics equal those of an uninterrupted training."""
        for name in names:
            assert _hashes(self.record(name)) == _hashes(self.record(REFERENCE)), name
        assert not list((self.folder / "work").rglob("*.ckpt")), "checkpoints are left over"


def _hear_interrupts() -> None:
    # A shell that starts the tests in the background ignores SIGINT, and children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _hashes(record: dict[str, Any]) -> dict[str, str]:
    """Return the hashes of results, without the manifest, which names the embedding."""
    hashes = {Path(name).name: entity["sha256"] for name, entity in record["entities"].items()}
    del hashes["manifest.json"]
    return hashes


def _checkpoints(folder: Path) -> list[Path]:
    return list(folder.glob("step-*.ckpt"))
