"""``cactus doctor``: whether this computer can run a study, and what to do where it cannot."""

import argparse
import importlib.util
import os
import platform
import re
import shutil
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final, Literal, NamedTuple

from packaging.markers import Marker

from cactus.cli.machine.data import raw_data, read_study
from cactus.cli.text import columns, print_json, size
from cactus.cluster.clients import has_slurm, run_slurm
from cactus.cluster.environment import SNAKEMAKE
from cactus.cluster.local_gpu import visible_gpus
from cactus.config.models import Config
from cactus.cores import usable_cores, usable_memory
from cactus.errors import ClusterError, CodeError, counted
from cactus.provenance.execution.environment import check_interpreter
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.dependencies import Project
from cactus.provenance.fingerprint.distributions import normalized, public_version
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.places import clearing, standing
from cactus.provenance.staleness.planned_config import ROOT

State = Literal["ok", "note", "blocks"]

_DRIVER: Final = Path("/proc/driver/nvidia/version")
_DRIVER_VERSION: Final = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+)\.([\d.]+)")
# The oldest driver for each major version of CUDA, by its minor-version compatibility:
# https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
_OLDEST_DRIVER: Final = {11: 450, 12: 525, 13: 580}
_SMALL_DISK: Final = 10e9
_NO_DISK: Final = 1e9
# A job of the demo needs up to 0.7 GB.
_SMALL_MEMORY: Final = 1e9
_LOCK: Final = "envs/requirements.lock"
_MARKED: Final = re.compile(r"^([\w.-]+)==[^\s;\\]+ *;([^\\\n]+)", re.M)
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_REINSTALL: Final = "install the locked versions with `make setup`"


class Check(NamedTuple):
    """What was checked, whether it blocks a run, what was found, and what to do about it."""

    name: str
    state: State
    found: str
    fix: str = ""


def show_doctor(arguments: argparse.Namespace) -> int:
    """Print what was checked; return 1 if anything blocks a run of the study, else 0."""
    named = bool(arguments.configfile or arguments.config)
    config = read_study(arguments)
    found = list(checks(config, named=named))
    blocking = [one for one in found if one.state == "blocks"]
    if arguments.json:
        print_json([one._asdict() for one in found])
    else:
        print(columns([(one.name, one.state, one.found) for one in found]))
        if fixes := [(one.name, one.fix) for one in found if one.fix]:
            print(f"\nto do:\n{columns(fixes)}")
        study = f"the study {config.run}" if named else "a run"
        end = f"{counted(len(blocking), 'problem')} in the way of" if blocking else "nothing blocks"
        print(f"\n{end} {study}")
    return 1 if blocking else 0


def checks(config: Config, *, named: bool) -> Iterator[Check]:
    """Yield each check; data that is missing blocks a run only if its study is named."""
    yield _python()
    yield _libraries(config)
    yield _interpreter()
    yield from _places()
    yield _disk()
    yield _memory()
    yield _gpu(config)
    yield _slurm()
    yield _tex()
    yield from _data(config, named=named)


def _python() -> Check:
    version, needed = platform.python_version(), _required_python()
    if _numbers(version) < _numbers(needed):
        return Check("Python", "blocks", f"{version}, at least {needed} is needed",
                     f"install Python {needed} or newer, then `make setup`")  # fmt: skip
    tested = _project().locked.get("python", "")
    if tested and not version.startswith(f"{tested}."):
        return Check("Python", "note", f"{version}; the locked versions are for {tested}")
    return Check("Python", "ok", version)


def _required_python() -> str:
    """Return the oldest Python that the project accepts."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["requires-python"]).lstrip(">=~ ")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _libraries(config: Config) -> Check:
    """Compare what is installed with the lock; jobs refuse other versions of what they import."""
    needed = {
        normalized(match[0])
        for one in metadata_requirements()
        if (match := _NAME.match(one)) is not None
    }
    locked = {name: one for name, one in _project().locked.items() if name != "python"}
    installed = {normalized(one.name): one.version for one in metadata.distributions()}
    lacking = sorted(name for name in needed if name not in installed)
    other = sorted(
        f"{name} {installed[name]} (locked {version})"
        for name, version in locked.items()
        if name in installed and public_version(installed[name]) != version
    )
    if lacking:
        return Check("libraries", "blocks", f"missing: {', '.join(lacking)}", _REINSTALL)
    if other:
        strict = config.environment == "locked" and any(one.split()[0] in needed for one in other)
        fix = f"{_REINSTALL}, or set `environment: site` in the study" if strict else ""
        return Check("libraries", "blocks" if strict else "note", ", ".join(other), fix)
    absent = [name for name in sorted(locked) if name not in installed]
    others = _of_other_systems()
    here = f"{len(locked) - len(absent)} locked ones"
    if left := [name for name in absent if name not in others]:
        return Check("libraries", "note", f"{here}, missing: {', '.join(left)}", _REINSTALL)
    more = f" (not for this system: {', '.join(absent)})" if absent else ""
    return Check("libraries", "ok", f"all {here} that this system needs{more}")


def _of_other_systems() -> set[str]:
    """Return the locked libraries that are for another system or Python, by their markers."""
    text = (ROOT / _LOCK).read_text(encoding="utf-8")
    return {normalized(name) for name, rule in _MARKED.findall(text) if not Marker(rule).evaluate()}


def metadata_requirements() -> list[str]:
    """Return what the project itself requires."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text)["project"]["dependencies"])


def _project() -> Project:
    return Project(ROOT, SourceTree(ROOT / "workflow" / "scripts", HashCache(None), Path()))


def _interpreter() -> Check:
    try:
        check_interpreter()
    except CodeError as error:
        return Check("jobs' Python", "blocks", error.got, error.fix)
    return Check("jobs' Python", "ok", str(shutil.which("python")))


def _places() -> Iterator[Check]:
    """Yield what is in the place of a folder that a run makes."""
    for one in standing([SNAKEMAKE, Path("results")]):
        yield Check(str(one.path), "blocks", one.got, f"`{clearing([one])}`")


def _disk() -> Check:
    place = Path("results").absolute()
    folder = next(one for one in (place, *place.parents) if one.is_dir())
    free = shutil.disk_usage(folder).free
    text = f"{size(free)} free in {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check("disk", "blocks", f"{folder} cannot be written", "run where you may write")
    if free < _NO_DISK:
        return Check("disk", "blocks", text, "free some space; `cactus clean` lists leftovers")
    advice = "`cactus plan` says what a study needs; `cactus clean` lists leftovers"
    return Check("disk", "note", text, advice) if free < _SMALL_DISK else Check("disk", "ok", text)


def _memory() -> Check:
    cores, memory = usable_cores(), usable_memory()
    text = f"{size(memory)}, {counted(cores, 'core')}"
    at_once = max(1, int(memory // _SMALL_MEMORY))
    if at_once < cores:
        advice = f"run fewer jobs at once: `snakemake --cores {at_once}`"
        return Check("memory", "note", text, advice)
    return Check("memory", "ok", text)


def _gpu(config: Config) -> Check:
    """Compare the driver with the CUDA of PyTorch's wheel, which is not imported."""
    gpus, cuda = visible_gpus(), _wheel_cuda()
    required = config.compute.device == "cuda"
    if not gpus:
        fix = "set `compute: {device: auto}`, or run where a GPU is" if required else ""
        return Check("GPU", "blocks" if required else "note", "none: jobs compute on the CPU", fix)
    text = f"{counted(gpus, 'GPU')}, {_driver() or 'unknown'} driver, PyTorch for CUDA {cuda}"
    bad: State = "blocks" if required else "note"
    if not cuda:
        return Check("GPU", bad, f"{counted(gpus, 'GPU')}, but PyTorch is built without CUDA",
                     _REINSTALL)  # fmt: skip
    oldest = _OLDEST_DRIVER.get(_numbers(cuda)[0], 0)
    if _driver() and _numbers(_driver())[0] < oldest:
        return Check("GPU", bad, text, f"update the driver to {oldest} or newer")
    return Check("GPU", "ok", text)


def _driver() -> str:
    """Return the version of the driver; empty if it is unknown."""
    try:
        match = _DRIVER_VERSION.search(_DRIVER.read_text(encoding="utf-8"))
    except OSError:
        return ""
    return f"{match[1]}.{match[2]}" if match else ""


def _wheel_cuda() -> str:
    """Return the version of CUDA that PyTorch is built for; empty if for none."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        return ""
    text = Path(found.origin).with_name("version.py").read_text(encoding="utf-8")
    match = re.search(r"^cuda\b.*= *'([\d.]+)'", text, re.M)
    return match[1] if match else ""


def _slurm() -> Check:
    if not has_slurm():
        return Check("Slurm", "note", "not here: runs are local")
    try:
        return Check("Slurm", "ok", run_slurm("sinfo", "--version").strip())
    except ClusterError as error:
        return Check("Slurm", "note", "installed, but it does not answer", error.fix)


def _tex() -> Check:
    missing = [name for name in ("pdflatex", "latexmk") if shutil.which(name) is None]
    if not missing:
        return Check("TeX", "ok", "pdflatex, latexmk")
    fix = "for `cactus paper`: apt install latexmk texlive-latex-recommended texlive-science"
    found = f"no {' and no '.join(missing)}: tables are written, not typeset"
    return Check("TeX", "note", found, fix)


def _data(config: Config, *, named: bool) -> Iterator[Check]:
    """Yield a check per data set: of the study if one is named, else of all."""
    for one in raw_data(config):
        if named and not one.used:
            continue
        if one.state == "found":
            yield Check(f"data: {one.name}", "ok", f"found, {size(one.bytes)}")
        elif one.downloaded:
            yield Check(f"data: {one.name}", "note", f"{one.state}: the first run downloads it")
        else:
            state: State = "blocks" if named else "note"
            yield Check(f"data: {one.name}", state, one.state, "`cactus data` says where to get it")
    if named and config.synthetic_data:
        yield Check("data", "ok", "drawn by the run itself")
