"""The software and hardware that a job runs on: what to record of it, and checks."""

import os
import platform
import shutil
import socket
import subprocess
import sys
from datetime import datetime
from email import message_from_string
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from cactus.errors import CodeError
from cactus.provenance.execution.process import identity, process_location
from cactus.provenance.fingerprint.distributions import normalized, public_version
from cactus.provenance.records.objects import store
from cactus.provenance.records.plan import Plan
from cactus.provenance.records.record import Agent

_JOB: Final = "SLURM_JOB_ID"
_PARTITION: Final = "SLURM_JOB_PARTITION"
_GPUS: Final = "CUDA_VISIBLE_DEVICES"
# The executor plugin drops the job's variables; these are the ones that srun sets again.
_SLURM: Final = {
    "job": _JOB,
    "cluster": "SLURM_CLUSTER_NAME",
    "partition": _PARTITION,
    "nodes": "SLURM_JOB_NODELIST",
    "gpus": _GPUS,
}
DETERMINISM_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "CUBLAS_WORKSPACE_CONFIG",
)
_DRIVER: Final = Path("/proc/driver/nvidia/version")


def collect_environment(run_folder: Path, root: Path, libraries: list[str]) -> Agent:
    """Collect the software and hardware of this process; store long texts with the run.

    This includes the state of the clone in the folder `root` and the versions of `libraries`.
    """
    found = map(_name_and_version, metadata.distributions())
    installed = [pair for pair in found if all(pair)]  # an uninstallation may leave a folder behind
    first = {normalized(name): version for name, version in reversed(installed)}
    packages = sorted(f"{name}=={version}" for name, version in installed)
    return Agent(
        host=socket.gethostname(),
        machine=platform.machine(),
        python=platform.python_version(),
        libraries={name: first[normalized(name)] for name in libraries if name != "python"},
        packages=store(run_folder, "\n".join(packages) + "\n"),
        device=_device(),
        git=_git(run_folder, root),
        slurm=_slurm() if _JOB in os.environ else None,
    )


def _name_and_version(package: metadata.Distribution) -> tuple[str, str]:
    """Return what a package's metadata says, without parsing its description, as the library does.

    That takes a tenth of the time, and every job asks for all packages.
    """
    files = ("METADATA", "PKG-INFO", "")  # where the library looks
    text = next(filter(None, map(package.read_text, files)), "")
    found = message_from_string(text.partition("\n\n")[0])
    return found["Name"], found["Version"]


def _slurm() -> dict[str, str]:
    return {key: os.environ[name] for key, name in _SLURM.items() if name in os.environ}


def log_header(plan: Plan, started: datetime, attempt: int) -> str:
    """Return the first line of the log of an attempt; it names GPUs that the job may use."""
    job, compute = plan.job, plan.spec.get("compute")
    device = compute.get("device") if isinstance(compute, dict) else "cpu"
    gpus = os.environ.get(_GPUS) if device != "cpu" else None
    facts = [
        f"attempt {attempt}",
        f"started {started.isoformat(timespec='seconds')}",
        process_location(identity()),
        *([f"partition {os.environ[_PARTITION]}"] if _PARTITION in os.environ else []),
        *([f"GPU {gpus}"] if gpus else []),
    ]
    return f"=== {job.name}: {', '.join(facts)}"


def check_interpreter() -> None:
    """Check that `python`, which jobs run, belongs to this process's environment.

    Raises
    ------
    CodeError
        It belongs to another environment, or there is none.
    """
    found = shutil.which("python")
    prefix = _prefix(found) if found else ""
    if Path(prefix).resolve() != Path(sys.prefix).resolve():
        python = f"{found} in {prefix or 'no environment'}" if found else "no such program"
        raise CodeError(
            "Jobs would run in a different environment than Snakemake.",
            where="the first python on PATH",
            got=f"{python}; Snakemake runs in {sys.prefix}",
            fix=f"activate the environment with `source {sys.prefix}/bin/activate`, then run "
            "Snakemake again",
        )


def _prefix(python: str) -> str:
    """Return the folder of an interpreter's environment; empty if it does not run."""
    command = [python, "-c", "import sys; print(sys.prefix)"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def check_libraries(planned: dict[str, str]) -> None:
    """Check that the installed libraries are the planned ones.

    Raises
    ------
    CodeError
        A library is missing or has another version.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    for name, version in planned.items():
        found = python if name == "python" else _installed(name)
        if public_version(found) != public_version(version):
            foreign = None if name == "python" else _foreign_folder(name)
            raise CodeError(
                "A library does not have the planned version.",
                where=normalized(name) + (f" in {foreign}" if foreign else ""),
                got=f"{found}, planned {version}",
                fix=f"remove {foreign} from PYTHONPATH, or unset PYTHONPATH, then run Snakemake "
                "again"
                if foreign
                else "install the locked versions with `make setup` (or from "
                "envs/requirements.lock), then run Snakemake again; to run with the versions that "
                "are installed where Snakemake starts, set `environment: site` in the study",
            )


def _foreign_folder(name: str) -> Path | None:
    """Return the folder of a library that is outside the environment, mostly by PYTHONPATH."""
    try:
        folder = Path(str(metadata.distribution(name).locate_file(""))).resolve()
    except metadata.PackageNotFoundError:
        return None
    return None if folder.is_relative_to(Path(sys.prefix).resolve()) else folder


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _device() -> dict[str, Any] | None:
    """Return PyTorch's device and versions; None if this process has not imported PyTorch."""
    # Results hold similar facts. If the code were shared, it would count as the stage's own, and an
    # edit for the records would make trained models stale.
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    used = torch.cuda.is_available() and torch.cuda.is_initialized()
    facts: dict[str, Any] = {"device": "cuda" if used else "cpu", "torch": torch.__version__}
    facts["cpu"] = torch.backends.cpu.get_cpu_capability()
    if used:
        facts["gpu"] = torch.cuda.get_device_name()
        facts["cuda"], facts["cudnn"] = torch.version.cuda, torch.backends.cudnn.version()
        facts["driver"] = _DRIVER.read_text().splitlines()[0] if _DRIVER.exists() else None
    return facts


def determinism() -> dict[str, Any]:
    """Return the settings that decide whether running a job again gives the same bits."""
    facts: dict[str, Any] = {
        name: os.environ[name] for name in DETERMINISM_VARIABLES if name in os.environ
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["deterministic_algorithms"] = torch.are_deterministic_algorithms_enabled()
        facts["cudnn_benchmark"] = torch.backends.cudnn.benchmark
        facts["tf32"] = torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32
        facts["torch_threads"] = torch.get_num_threads()
    return facts


def _git(run_folder: Path, root: Path) -> dict[str, Any] | None:
    """Return the state of the git clone; None if the project is not a repository of its own."""
    top = _run_git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top.strip()).resolve() != root.resolve():
        return None
    commit = _run_git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    diff = _run_git(root, "diff", "--no-color", "--no-ext-diff", "HEAD") or ""
    status = _run_git(root, "status", "--porcelain") or ""
    return {
        "commit": commit.strip(),
        "dirty": bool(diff),
        "diff": store(run_folder, diff) if diff else None,
        "untracked": sorted(line[3:] for line in status.splitlines() if line.startswith("??")),
    }


def _run_git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        run = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return None
    return run.stdout if run.returncode == 0 else None
