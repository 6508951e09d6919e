"""Writes a digest of a run: what a repository or a supplement should hold of it."""

import shlex
import shutil
from pathlib import Path, PurePosixPath
from typing import Final

from cactus.files import write_json, write_text
from cactus.provenance.audit.report import Report, passing_audit
from cactus.provenance.digest.page import digest_page, title
from cactus.provenance.digest.records_table import write_records
from cactus.provenance.output_folder import atomic_folder, check_output
from cactus.provenance.records.links import DIGEST, SEAL
from cactus.provenance.staleness.planned_config import read_planned_config
from cactus.provenance.staleness.planner import Planner

PAGE: Final = "README.md"
RECORDS: Final = "records.csv"
CONFIG: Final = "config.json"
AUDIT: Final = "audit.json"
_SIGNED: Final = (DIGEST, SEAL)
_COPIED: Final = (".csv", ".png", ".tex")


def write_digest(planner: Planner, output: Path) -> Path:
    """Write a digest of a run, which replaces an earlier one.

    It holds the tables, the results as CSV, the figures as PNG, the resolved configuration, the
    audit, one row per record, and a page that shows them. Every number of it can be traced in the
    run, and the hashes in ``records.csv`` tell whether a run is the one that it was made from.

    Parameters
    ----------
    planner
        The planner of a finished run, with an empty cache of hashes.
    output
        The digest's folder.

    Raises
    ------
    RecordError
        The audit has findings, or the output holds something else than a digest of the run.
    """
    run = planner.run_folder.resolve().name
    replaced = _is_digest(output, run)
    check_output("digest", output, replaced=replaced)
    report = passing_audit(planner, "has no digest")
    with atomic_folder(output) as folder:
        _fill(planner, report, folder, run)
    return output


def _is_digest(folder: Path, run: str) -> bool:
    """Return whether a folder holds an earlier digest of the run, and nothing else."""
    page = folder / PAGE
    if not page.is_file() or not page.read_bytes().startswith(f"{title(run)}\n".encode()):
        return False
    files = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    return all(_is_of_digest(file) for file in files)


def _is_of_digest(file: Path) -> bool:
    if len(file.parts) == 1:
        return file.name in {PAGE, RECORDS, CONFIG, AUDIT, *_SIGNED}
    return file.parts[0] in ("tables", "figures") and file.suffix in _COPIED


def _fill(planner: Planner, report: Report, folder: Path, run: str) -> None:
    records = [one.record for one in planner.assess_all() if one.record is not None]
    for name in sorted({name for record in records for name in record.entities}):
        target = _name_in_digest(PurePosixPath(name))
        if target is not None:
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(planner.run_folder / name, folder / target)
    write_json(folder / CONFIG, planner.config.model_dump(mode="json"))
    write_json(folder / AUDIT, report.as_json())
    write_records(records, folder / RECORDS)
    for name in _SIGNED:
        if (planner.run_folder / name).is_file():
            shutil.copyfile(planner.run_folder / name, folder / name)
    study = " ".join(map(shlex.quote, read_planned_config(planner.run_folder).arguments()))
    write_text(
        folder / PAGE, digest_page(run, study, records, report, folder, planner.config.titles())
    )


def _name_in_digest(name: PurePosixPath) -> PurePosixPath | None:
    """Return where a result of the run goes; None if a digest leaves it out."""
    match name.parts[0]:
        case "tables" | "figures" if name.suffix in _COPIED:
            return name
        case "embeddings" if name.suffix == ".png":
            return PurePosixPath("figures", "-".join(["embedding", *name.parts[1:]]))
    return None
