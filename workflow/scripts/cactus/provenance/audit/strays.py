"""Checks that every file in the folder of a run belongs to a job of it."""

import os
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from cactus.errors import CodeError, RecordError, counted, few
from cactus.provenance.audit.findings import Finding, foreign_records
from cactus.provenance.fingerprint.hash_cache import HASHES_FILE
from cactus.provenance.records.links import DIGEST, SEAL
from cactus.provenance.records.objects import load
from cactus.provenance.records.record import Record, read_record, record_path
from cactus.provenance.staleness.obstructions import FOLDERS
from cactus.provenance.staleness.planner import Planner
from cactus.provenance.staleness.waivers import WAIVERS_FILE
from cactus.stages.base import Job, stage_named, stage_names
from cactus.stages.whole_run.audit_run import AUDIT

_BACKUP: Final = re.compile(
    r"^\.|^~\$|~$|^#.*#$|\.(bak|bkp|orig|rej|save|sw[a-p]|tmp)(\.\d+)?$"
    r"|^((eh)?[Tt]humbs\.db|desktop\.ini|Icon\r|4913|nohup\.out)$|:Zone\.Identifier$"
)
# What LaTeX and its companions write beside a document, with the document's name.
_LATEX: Final = re.compile(
    r"(-blx\.bib|-figure\d+\.(pdf|dpth|log|md5)"
    r"|\.(aux|log|out|toc|lof|lot|lol|loa|loe|cut|fls|fdb_latexmk|pdf|dvi|xdv|ps|pdfsync"
    r"|synctex(\.gz)?(\(busy\))?|bbl|bcf|blg|pytxcode|run\.xml|nav|snm|vrb|thm|spl|ent"
    r"|idx|ind|ilg|glo|gls|glg|acn|acr|alg|ist|maf|mtc\d*|el))$"
)
_NAMELESS: Final = ("texput", "missfont", "comment")  # what LaTeX writes under these names
_MINTED: Final = re.compile(r"^_minted(-|$)")  # a folder of its colored listings
_BOX: Final = re.compile(r"\.(xbb|bb)$")  # the size of a figure, as some drivers read it
_OBJECT: Final = re.compile(r"^objects/([0-9a-f]{2})/(\1[0-9a-f]{62})$")
# What is in the folder of a run beside the results.
_OF_THE_RUN: Final = (*FOLDERS, "plans", HASHES_FILE, WAIVERS_FILE, DIGEST, SEAL)
_SHARED: Final = ("tables", "figures", "paper")


class Strays:
    """Looks for files of a run that no job owns.

    What jobs need only while they run is left alone, and so is what is named as an `obstruction`,
    and what lies below it. What lies beside the folders of results is a note.
    """

    def __init__(self, planner: Planner, obstructions: AbstractSet[Path]) -> None:
        self._obstructions = obstructions
        self._planner, self._folder = planner, planner.run_folder
        self._jobs = {*planner.graph.jobs}

    def findings(self) -> Iterator[Finding]:
        """Yield files that no record lists, and records that list files of other jobs."""
        for job in self._jobs:
            record = self._planner.record(job)
            for name in _claimed(record) if record else ():
                yield Finding("record damaged", name, f"{job.name} claims it", job)
        for name in self._unowned:
            if not self._left_by_a_program(name):
                yield Finding("stray file", name, "no record lists it", self._owner(name))

    def notes(self) -> Iterator[str]:
        """Yield what editors and LaTeX left, and how many stored texts no record needs."""
        left = [name for name in (*self._unowned, *self._beside) if self._left_by_a_program(name)]
        if left:
            files = counted(len(left), "file")
            yield f"left by an editor or LaTeX: {files}, the first is {left[0]}"
        if beside := [name for name in self._beside if name not in left]:
            yield f"not of any job: {few(beside)}, beside the results"
        if self._unused:
            yield f"no record refers to {counted(len(self._unused), 'stored text')} any more"

    @cached_property
    def _owned(self) -> set[str]:
        """The files that the jobs recorded, or always make if they have no record."""
        names: set[str] = set()
        for job in self._jobs:
            record = self._planner.record(job)
            names.add(record_path(Path(), job).as_posix())
            names.update(record.entities if record else job.files)
        for record in self._foreign:
            names.add(record_path(Path(), record.job).as_posix())
            names.update({*record.entities} - {*_claimed(record)})
        return names

    @cached_property
    def _foreign(self) -> list[Record]:
        """The valid records of jobs that are not in the study."""
        found = []
        for path in foreign_records(self._planner):
            parts = path.relative_to(self._folder / "records").with_suffix("").parts
            with suppress(RecordError, CodeError):
                job = Job(parts[0], "/".join(parts[1:]))
                record = read_record(self._folder, job) if parts[0] in stage_names() else None
                found += [record] if record else []
        return found

    @cached_property
    def _tops(self) -> set[str]:
        """The folders that hold nothing but what jobs recorded."""
        folders = {stage_named(name).folder or "" for name in stage_names()}
        tops = {folder.partition("/")[0] for folder in folders} | {*_SHARED, "records", "objects"}
        return tops - {""}

    @cached_property
    def _beside(self) -> list[str]:
        """What lies in the folder of the run itself and is none of its own; folders end in /."""
        known = {*self._tops, *_OF_THE_RUN, *(name.partition("/")[0] for name in self._owned)}
        _, folders, files = next(os.walk(self._folder))
        left = sorted({*folders, *files} - known)
        return [f"{name}/" if name in folders else name for name in left]

    @cached_property
    def _unowned(self) -> list[str]:
        found = [name for top in sorted(self._tops) for name in self._below(top)]
        return [name for name in found if name not in self._owned and self._is_stray(name)]

    @cached_property
    def _places(self) -> set[str]:
        """The folders that hold owned files."""
        return {str(above) for name in self._owned for above in PurePosixPath(name).parents}

    def _below(self, top: str) -> Iterator[str]:
        """Yield the names of all files below a folder of the run, also of links and pipes.

        A link in the place of a folder that holds owned files is a folder kept elsewhere.
        """
        for place, folders, files in os.walk(self._folder / top):
            folders.sort()
            above = Path(place).relative_to(self._folder).as_posix()
            names = [f"{above}/{one}" for one in sorted(files)]
            for one in folders:
                if os.path.islink(f"{place}/{one}"):  # noqa: PTH114  no error if it is closed
                    name = f"{above}/{one}"
                    names += self._below(name) if name in self._places else [name]
            yield from names

    def _is_stray(self, name: str) -> bool:
        path = self._folder / name
        if self._obstructions and self._obstructions & {path, *path.parents}:
            return False
        if not name.startswith("objects/"):
            job = self._owner(name)
            unfinished = job != AUDIT and self._planner.record(job) is None
            return not (unfinished and name.startswith(f"{job.folder}/"))
        if name in self._texts:
            return False
        match = _OBJECT.match(name)
        if match is None:
            return True
        try:
            load(self._folder, match[2])
        except RecordError:
            return True
        self._unused.append(name)
        return False

    @cached_property
    def _unused(self) -> list[str]:
        return []

    @cached_property
    def _texts(self) -> set[str]:
        records = [*self._planner.records(), *self._foreign]
        return {f"objects/{one[:2]}/{one}" for record in records for one in record.texts}

    @cached_property
    def _folders(self) -> dict[str, Job]:
        return {job.folder: job for job in self._jobs if job.folder}

    def _owner(self, name: str) -> Job:
        """Return the job in whose folder a file lies; the audit if there is none."""
        above = map(str, PurePosixPath(name).parents)
        return next((self._folders[one] for one in above if one in self._folders), AUDIT)

    def _left_by_a_program(self, name: str) -> bool:
        path = PurePosixPath(name)
        if any(_BACKUP.search(part) for part in path.parts):
            return True
        if _BOX.search(path.name):
            return any(str(path.with_suffix(one)) in self._owned for one in (".pdf", ".png"))
        if path.parts[0] not in ("tables", "paper"):
            return False
        if any(map(_MINTED.search, path.parts)):
            return True
        if not _LATEX.search(path.name):
            return False
        document = _LATEX.sub("", path.name)
        beside = path.parent if path.parent.name == "auto" else path  # where Emacs keeps its own
        text = str(beside.with_name(f"{document}.tex"))
        return document in _NAMELESS or (text in self._owned and (self._folder / text).is_file())


def _claimed(record: Record) -> list[str]:
    """Return the files that a record lists although they cannot be its job's."""
    job = record.job
    if job.folder is None:
        return sorted({*record.entities} - {*job.files})
    return [name for name in record.entities if not name.startswith(f"{job.folder}/")]
