"""A lock on a job's results: only one process on all nodes may write them at a time.

The lease is a file in the job's work folder, made by a hard link, which is atomic on the file
systems that nodes share. Its holder renews it. A holder that stays silent for too long, or whose
process is known to be gone, has lost it. The clocks of two nodes are never compared: a process that
waits watches whether the file changes.
"""

import errno
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import Any, Final, Self

from cactus.closed import files_below
from cactus.errors import LeaseError, StorageError
from cactus.files import read_text
from cactus.provenance.execution.process import identity, is_alive, process_location
from cactus.provenance.records.facts import parse_facts

LEASE_FILE: Final = "lease.json"
# A holder that misses nine renewals counts as dead.
RENEWAL_SECONDS: Final = 20.0
EXPIRY_SECONDS: Final = 180.0
_REMINDER_SECONDS: Final = 600.0


@dataclass
class Lease:
    """Holds the exclusive right to write the results of one job while the block runs.

    Parameters
    ----------
    folder
        The job's work folder, shared by all nodes.
    name
        The job, for messages.
    facts
        Further JSON values to store in the file.
    progress
        Returns values that each renewal updates.
    renewal, expiry
        Seconds between renewals, and seconds of silence after which another process may take over.
    """

    folder: Path
    name: str
    facts: dict[str, Any] = field(default_factory=dict)
    progress: Callable[[], dict[str, Any]] = dict
    renewal: float = RENEWAL_SECONDS
    expiry: float = EXPIRY_SECONDS

    def __post_init__(self) -> None:
        self.token = uuid.uuid4().hex
        self.started = datetime.now(UTC)
        self._beat = 0
        self._lost = False
        self._ended = Event()

    @property
    def path(self) -> Path:
        """The file of the lease."""
        return self.folder / LEASE_FILE

    def __enter__(self) -> Self:
        """Wait until no other process holds the lease, then take it."""
        while not self._take():
            time.sleep(min(1.0, self.renewal))  # its file may show up later than it was made
            self._wait()
        self._renewals = Thread(target=self._renew_until_ended, daemon=True)
        self._renewals.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._renewals.join()
        if self.held:
            self._remove(self.token)
            with suppress(OSError):  # not empty: the next attempt needs what is left
                self.folder.rmdir()

    @property
    def held(self) -> bool:
        """Whether this process still holds the lease."""
        return not self._lost and self._holds()

    def check(self) -> None:
        """Check that this process still holds the lease; call this just before each write.

        A process may be stopped between any two lines, for hours, and then go on.

        Raises
        ------
        LeaseError
            Another process has taken over, because this one was silent for too long.
        """
        if not self.held:
            raise LeaseError(
                "Another process has taken over this job.",
                where=self.name,
                got=f"no renewal of {self.path} for over {self.expiry:.0f} s, from this process",
                fix="nothing: the other process resumes from the last checkpoint",
            )

    def _take(self) -> bool:
        """Make the file of the lease, unless it exists; return whether this process holds it."""
        self.started = datetime.now(UTC)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self._draft()
        except FileNotFoundError:  # the previous holder has just removed the folder
            return False
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return self._holds()  # NFS may lose the reply to a link that it has made
        except FileNotFoundError:  # the previous holder has just emptied the folder
            return False
        except OSError as error:
            raise StorageError(
                "This file system makes no hard links, which keep a job to one process.",
                where=str(self.folder),
                got=str(error),
                fix="put the folder `results`, or this folder by a symbolic link, on a file system "
                "with hard links (ext4, XFS, NFS, Lustre)",
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return True

    def _draft(self) -> Path:
        draft = self.folder / f".{LEASE_FILE}.{self.token}"
        own = {"token": self.token, "beat": self._beat, "started": self.started.isoformat()}
        content = {**self.facts, **identity(), **own, **self.progress()}
        draft.write_text(json.dumps(content), encoding="utf-8")
        return draft

    def _holds(self) -> bool:
        holder = read_lease(self.folder)
        return holder is not None and holder.get("token") == self.token

    def _wait(self) -> None:
        """Watch another process's lease until it is released or its holder is dead."""
        seen: tuple[Any, Any] | None = None
        since, reported = time.monotonic(), -_REMINDER_SECONDS
        while (holder := read_lease(self.folder)) is not None:
            now = time.monotonic()
            if now - reported >= _REMINDER_SECONDS:
                print(
                    f"waiting: {self.name} is in progress {process_location(holder)}",
                    file=sys.stderr,
                )
                reported = now
            beat = (holder.get("token"), holder.get("beat"))
            if beat != seen:
                seen, since = beat, now
            if is_alive(holder) is False or now - since > self.expiry:
                self._evict(holder)
                return
            time.sleep(min(1.0, self.renewal))

    def _evict(self, holder: dict[str, Any]) -> None:
        """Remove the lease of a dead process, unless another process has already replaced it."""
        if self._remove(holder.get("token")):
            print(
                f"taking over {self.name}: its process {process_location(holder)} is gone",
                file=sys.stderr,
            )

    def _remove(self, token: str | None) -> bool:
        """Remove the lease with this token; return whether it was there."""
        aside = self.folder / f".{LEASE_FILE}.{self.token}.dead"
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return False
        found = _read(aside)
        same = found is not None and found.get("token") == token
        if not same:  # another process was faster and holds its own lease: put it back
            with suppress(FileExistsError, FileNotFoundError):
                os.link(aside, self.path)
        aside.unlink(missing_ok=True)
        return same

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(self.renewal):
            try:
                if not self._holds():
                    self._lost = True
                    print(f"{self.name} was taken over by another process", file=sys.stderr)
                    os.kill(os.getpid(), signal.SIGTERM)  # as a batch system would stop it
                    return
                self._beat += 1
                self._draft().replace(self.path)
            except OSError as error:  # a full disk, an outage of the file server: try again
                print(f"the lease of {self.name} was not renewed: {error}", file=sys.stderr)


def read_lease(folder: Path) -> dict[str, Any] | None:
    """Return the content of the lease in a job's work folder; None if nobody holds it.

    A damaged file reads as empty. It then has no token, so its holder notices the loss.
    """
    return _read(folder / LEASE_FILE)


def held_folders(work: Path) -> Iterator[Path]:
    """Yield the folders below a run's `work` that have a lease of a process that is alive.

    Raises
    ------
    PermissionError
        A folder or a lease is closed.
    """
    for lease in files_below(work, LEASE_FILE):
        holder = read_lease(lease.parent)
        if holder is not None and lives(lease.parent, holder):
            yield lease.parent


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return parse_facts(read_text(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        return _read(path)  # on NFS: another host replaced the file while it was being read
    except ValueError:
        return {}


def lives(folder: Path, holder: dict[str, Any]) -> bool:
    """Return whether the holder of a lease is alive, as far as this host can tell.

    A process on another host counts as dead after a long silence: good enough to report a state,
    not to take a lease.
    """
    alive = is_alive(holder)
    if alive is not None:
        return alive
    try:
        return file_clock(folder) - (folder / LEASE_FILE).stat().st_mtime < EXPIRY_SECONDS
    except FileNotFoundError:
        return False


def file_clock(folder: Path) -> float:
    """Return the time by the clock that dates the files of a folder; this host's may be wrong."""
    try:
        with TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:  # the folder cannot be written
        return time.time()
