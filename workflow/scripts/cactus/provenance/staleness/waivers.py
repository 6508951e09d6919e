"""Changes that a person has declared harmless: who, when, why, and for which job."""

import getpass
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import TypeAdapter

from cactus.config.sections.base import Settings
from cactus.errors import RecordError
from cactus.files import parse_json, read_bytes
from cactus.provenance.records.reasons import Reason
from cactus.provenance.records.values import Moment, checked
from cactus.shell import quoted
from cactus.stages.base import Job

WAIVERS_FILE: Final = "accepted.jsonl"
# What may be declared harmless. A changed result or input may not: its bytes are in doubt.
WaivableKind = Literal["config", "code", "library", "file", "raw"]
WAIVABLE: Final[tuple[str, ...]] = get_args(WaivableKind)


class Waiver(Settings):
    """One change of one job, from a recorded value to a new one, that was declared harmless."""

    stage: str
    cell: str
    kind: WaivableKind
    name: str
    old: str
    new: str
    who: str
    when: Moment
    why: str

    @property
    def key(self) -> tuple[Job, Reason]:
        """The job, and the change that no longer makes it stale."""
        reason = Reason(self.kind, self.name, self.old, self.new)
        return Job(self.stage, self.cell), reason


_WAIVER: Final = TypeAdapter(Waiver)


def read_waivers(run_folder: Path) -> list[Waiver]:
    """Return the accepted changes of a run.

    Raises
    ------
    RecordError
        The file is damaged.
    """
    path = run_folder / WAIVERS_FILE
    try:
        lines = read_bytes(path).split(b"\n")  # as sed counts them
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error), f"rm {quoted(path)}") from error
    found: list[Waiver] = []
    wrong: dict[int, ValueError] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(checked(_WAIVER, parse_json(line.decode())))
        except ValueError as error:
            wrong[number] = error
    if wrong:
        got = "; ".join(f"line {number}: {error}" for number, error in wrong.items())
        remove = ";".join(f"{number}d" for number in wrong)
        raise _damaged(path, got, f"sed -i {quoted(remove)} {quoted(path)}")
    return found


def _damaged(path: Path, got: str, fix: str) -> RecordError:
    """Return the error for a damaged list, of which the damaged lines are removed."""
    return RecordError(
        "The list of accepted changes is damaged.", where=str(path), got=got, fix=fix
    )


def accept(run_folder: Path, job: Job, reasons: list[Reason], why: str) -> list[Waiver]:
    """Append changes of a job to the run's list of accepted ones, and return the entries."""
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    when = datetime.now(UTC).isoformat(timespec="seconds")
    entries = [
        Waiver(stage=job.stage, cell=job.cell, who=who, when=when, why=why, **reason._asdict())
        for reason in reasons
    ]
    with (run_folder / WAIVERS_FILE).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(entry.model_dump()) + "\n" for entry in entries)
        file.flush()
        os.fsync(file.fileno())
    return entries
