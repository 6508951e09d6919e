"""Exports a run as an RO-Crate: its results, its code, and where each result comes from.

The metadata follows the Provenance Run Crate profile, which builds on Workflow Run Crate, Process
Run Crate and Workflow RO-Crate.
"""

import errno
import os
from pathlib import Path

from cactus.closed import Closed, closed_on_the_way
from cactus.errors import RecordError, few
from cactus.files import atomic_path
from cactus.provenance.crate.files import crate_files
from cactus.provenance.crate.metadata import build_crate
from cactus.provenance.fingerprint.declared import declared_hashes
from cactus.provenance.output_folder import atomic_folder, check_output
from cactus.provenance.records.objects import load
from cactus.provenance.records.reasons import result_state
from cactus.provenance.records.record import Record, record_path
from cactus.provenance.staleness.obstructions import refuse_obstructions
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job


def export(planner: Planner, output: Path) -> Path:
    """Write a run as an RO-Crate from which its jobs can be recomputed.

    Parameters
    ----------
    planner
        The planner of the run.
    output
        Where to write the crate: a zip file if the name ends in ``.zip``, else a folder.

    Returns
    -------
    pathlib.Path
        The crate. It is never left half-written.

    Raises
    ------
    RecordError
        Something keeps the run from its files, a job has no record, a result differs from its
        record, a stored text is lost, or the output exists.
    PermissionError
        A file cannot be read.
    """
    check_output("crate", output)
    try:
        records = _records(planner)
    except RecordError:
        refuse_obstructions(planner)  # which explain it
        raise
    files = crate_files(planner)
    for path in files.values():
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    crate = build_crate(planner, records, files)
    if output.suffix == ".zip":
        with atomic_path(output) as temporary:
            crate.write_zip(temporary)
    else:
        with atomic_folder(output) as temporary:
            crate.write(temporary)
    return output


def _records(planner: Planner) -> dict[Job, Record]:
    """Return the record of every job, after checking that all results match."""
    found = {one.job: one.record for one in planner.assess_all()}
    missing = [job for job, record in found.items() if record is None]
    if missing:
        ways = (closed_on_the_way(record_path(planner.run_folder, job)) for job in missing)
        closed = next(filter(None, ways), None)
        raise RecordError(
            "Jobs of the run have no valid record.",
            where=str(planner.run_folder),
            got=few([job.name for job in missing]),
            fix=_way(closed, f"run them first: `cactus update {planner.run_folder}`"),
        )
    records = {job: record for job, record in found.items() if record is not None}
    for record in records.values():
        for changed in planner.changed_results(record):
            closed = closed_on_the_way(planner.run_folder / changed.name)
            raise RecordError(
                "A result differs from its job's record.",
                where=str(planner.run_folder / changed.name),
                got=f"it {result_state(changed.new)}",
                fix=_way(closed, f"rebuild it: `cactus update {planner.run_folder}`"),
            )
        _check_declared(planner, record)
    for digest in {one for record in records.values() for one in record.texts}:
        load(planner.run_folder, digest)  # or a RecordError that names it
    return records


def _way(closed: Closed | None, otherwise: str) -> str:
    return closed.fix if closed else otherwise


def _check_declared(planner: Planner, record: Record) -> None:
    tree = planner.project.tree
    for name, found in declared_hashes(tree.base, record.plan.declared, tree.cache).items():
        if found != record.plan.declared[name]:
            raise RecordError(
                "A file that code of users read has changed.",
                where=name,
                got=f"{found[:12]}, recorded {record.plan.declared[name][:12]}",
                fix=f"restore it, or run `cactus update {planner.run_folder}`",
            )
