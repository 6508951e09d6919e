"""Checks that a job runs exactly what was planned: code, imports, data files and inputs."""

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

from cactus.errors import CodeError, RecordError
from cactus.provenance.fingerprint.closure import SourceTree, is_bookkeeping
from cactus.provenance.fingerprint.declared import declared_hashes, declared_path
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.fingerprint.project_files import project_file_hash
from cactus.provenance.records.plan import PENDING, Plan
from cactus.provenance.records.record import Record, read_record
from cactus.source_loader import SourceFinder, loaded_sources
from cactus.stages.base import Job

# Seconds to wait for a file that another node has written; caches of NFS last up to a minute.
_PATIENCE: Final = 90.0
_PAUSE: Final = 1.0


def check_code(plan: Plan, tree: SourceTree) -> dict[str, bytes]:
    """Check the code and import all of it, so that the code in memory is the planned one.

    Modules of users are imported later; from here on, they are compiled from their sources, too.

    Returns
    -------
    dict
        The content of each source file.

    Raises
    ------
    CodeError
        A source file differs from the plan.
    """
    paths = {name: tree.path(name) for name in plan.code}
    contents = {name: path.read_bytes() for name, path in paths.items()}
    for name, planned in plan.code.items():
        found = tree.source_hash(name)
        if found != planned:
            raise _code_changed(name, f"source hash {found[:12]}, planned {planned[:12]}")
    foreign = [str(path) for path in paths.values() if not path.is_relative_to(tree.scripts)]
    SourceFinder("cactus", foreign).install()
    for name in plan.code:
        if name.startswith("cactus/"):
            parts = Path(name).with_suffix("").parts
            importlib.import_module(".".join(part for part in parts if part != "__init__"))
    loaded = loaded_sources()
    for name, path in paths.items():
        ran = loaded.get(os.path.realpath(path), contents[name])
        if not path.read_bytes() == contents[name] == ran:
            raise _code_changed(name, "an edit while the job was starting")
    return contents


def _code_changed(name: str, got: str) -> CodeError:
    return CodeError(
        "The code changed after this job was planned.",
        where=name,
        got=got,
        fix="run Snakemake again to plan the job with the current code",
    )


def check_imports(plan: Plan, scripts: Path, bookkeeping_modules: frozenset[str]) -> None:
    """Check that the job has imported none of the project's modules that its plan does not list.

    A job that reads the whole run is exempt: it is bookkeeping itself, and imports what it needs.
    So are `bookkeeping_modules`, which the bookkeeping imported before the stage ran.

    Raises
    ------
    CodeError
        The job imported a module that its plan does not list.
    """
    if plan.job.definition.reads_run:
        return
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        ours = name == "cactus" or name.startswith("cactus.")
        if not ours or file is None or name in bookkeeping_modules or is_bookkeeping(name):
            continue
        path = Path(file).relative_to(scripts).as_posix()
        if path not in plan.code:
            raise CodeError(
                "The job imported a module that its plan does not list.",
                where=path,
                got=f"a dynamic import, which the import statements of {plan.stage}.py do not show",
                fix="import it by an import statement or, if the configuration selects it by name, "
                f"add it to `modules` in cactus/stages/{plan.stage}.py",
            )


def check_declared(plan: Plan, cache: HashCache) -> None:
    """Check that the data files that the configuration declares are what was planned.

    Raises
    ------
    RecordError
        A file is missing or differs from the plan.
    """
    for name, found in declared_hashes(Path(), plan.declared, cache).items():
        if found != plan.declared[name]:
            raise RecordError(
                "A declared file is not what was planned.",
                where=str(declared_path(Path(), name).absolute()),
                got=f"sha256 {found[:12]}, planned {plan.declared[name][:12]}",
                fix="run Snakemake again to plan the job with the current file",
            )


def check_project_files(plan: Plan, root: Path, cache: HashCache) -> None:
    """Check that the project's own data files are what was planned.

    Raises
    ------
    CodeError
        A file is missing or damaged, or differs from the plan.
    """
    contents: dict[str, dict[str, Any]] = {}
    for name, planned in plan.files.items():
        found = project_file_hash(root, name, cache, contents)
        if found != planned:
            raise CodeError(
                "A data file of the project is not what was planned.",
                where=str(root / name),
                got=f"sha256 {found[:12]}, planned {planned[:12]}",
                fix="run Snakemake again to plan the job with the current file",
            )


def checked_inputs(run_folder: Path, plan: Plan, cache: HashCache) -> dict[str, str]:
    """Check that the inputs are what was planned, and return their hashes.

    Raises
    ------
    RecordError
        An input is missing or differs from the plan.
    """
    inputs = {}
    for name, planned in plan.inputs.items():
        path = run_folder / name
        if planned == PENDING and not _appears(run_folder, name):
            continue  # the upstream job is done and did not make this file
        found = cache.sha256(path) if path.is_file() else "missing"
        if found == "missing" or planned not in (PENDING, found):
            raise RecordError(
                "An input is not what was planned.",
                where=str(path),
                got=f"sha256 {found[:12]}, planned {planned[:12]}",
                fix="run Snakemake again: it rebuilds the input if its record does not match",
            )
        inputs[name] = found
    return inputs


def _appears(run_folder: Path, name: str) -> bool:
    """Wait for a file that an upstream job has just made, which a file system may show late.

    Return False if the record of that job does not list it.
    """
    end = time.monotonic() + _PATIENCE
    while not (run_folder / name).exists():
        record = _makers_record(run_folder, name)
        if record is not None and name not in record.entities:
            return False
        if time.monotonic() > end:
            break
        time.sleep(_PAUSE)
    return True


def _makers_record(run_folder: Path, name: str) -> Record | None:
    """Return the record of the job in whose folder a file lies.

    It is looked for among the records: the stages of other jobs are not imported here, because this
    job's plan does not list what they import.
    """
    for folder in Path(name).parents[:-2]:
        cell = "/".join(folder.parts[1:])
        for path in sorted((run_folder / "records").glob(f"*/{cell}.json")):
            stage = path.relative_to(run_folder / "records").parts[0]
            record = read_record(run_folder, Job(stage, cell))
            if record and any(Path(made).is_relative_to(folder) for made in record.entities):
                return record
    return None
