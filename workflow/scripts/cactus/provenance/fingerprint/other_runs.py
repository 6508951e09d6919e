"""Other runs in the same folder of results that have done a job already, exactly as planned."""

import os
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from cactus.errors import RecordError
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.objects import object_path
from cactus.provenance.records.plan import Plan
from cactus.provenance.records.readers import Readers
from cactus.provenance.records.reasons import result_state
from cactus.provenance.records.record import Record, read_sealed_record

# Returns the current sha256 of the raw files that a record names, of those that are available.
RawHashes = Callable[[Record], Mapping[str, str]]


class Donor(NamedTuple):
    """A run that has done a job as planned, and its record of it."""

    run_folder: Path
    record: Record

    @property
    def run(self) -> str:
        """The run's name."""
        return self.run_folder.name


def find_donors(
    run_folder: Path,
    plan: Plan,
    cache: HashCache,
    raw: RawHashes,
    refuse: Callable[[str], object],
    readers: Readers,
) -> Iterator[Donor]:
    """Yield the runs whose results of a job can stand for those of its plan.

    A plan has everything that the results depend on, by content, so an equal plan is enough;
    accepted changes of either run do not count. All files of the donor have to be intact, and its
    later jobs have to have read the record that is there.

    Parameters
    ----------
    run_folder
        The folder of the run that needs the results; the folders beside it are looked at.
    plan
        The plan; no input is pending.
    cache
        Cache of file hashes.
    refuse
        Called with why a run with an equal plan, or one whose record is damaged, is left out.
    readers
        The links of the runs beside this one.
    """
    # `Path.resolve` would fail at a link in a loop.
    own, parent = os.path.realpath(run_folder), run_folder.absolute().parent
    beside = sorted(parent.iterdir()) if parent.is_dir() else []
    for folder in beside:
        if not (folder / "records").is_dir() or os.path.realpath(folder) == own:
            continue
        try:
            sealed = read_sealed_record(folder, plan.job)
        except RecordError as error:
            refuse(f"{folder.name}: its record is damaged: {error.got}")
            continue
        if sealed is None or sealed[0].plan.model_copy(update={"raw": {}}) != plan:
            continue
        donor, digest = Donor(folder, sealed[0]), sealed[1]
        disowning = (f"{one} read another record" for one in readers.disown(*donor, digest))
        wrong = next(chain(_wrong(donor, cache, raw), disowning), None)
        if wrong is None:
            yield donor
        else:
            refuse(f"{donor.run}: {wrong}")


def _wrong(donor: Donor, cache: HashCache, raw: RawHashes) -> Iterator[str]:
    """Yield what speaks against the results of a run."""
    record = donor.record
    yield from (f"its record does not list {name}" for name in record.unrecorded)
    entities = record.entities.items()
    files = [(name, entity.sha256, entity.bytes) for name, entity in entities]
    texts = [(object_path(Path(), one).as_posix(), one, None) for one in record.texts]
    for name, recorded, size in [*files, *texts]:
        found = cache.state(donor.run_folder / name, size)
        if found != recorded:
            yield f"{name} {result_state(found)}"
    if record.plan.raw and raw(record) != record.plan.raw:
        yield "the raw files are not those that it read"
