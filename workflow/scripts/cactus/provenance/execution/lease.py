"""The right to write a job's results, held by one process at a time on all nodes together.

It is a file in the job's work folder, made by a hard link, which file systems that nodes share
make atomic. Its holder renews it; one that is silent for long, or whose process is seen to be
gone, has lost it. Clocks of two nodes are never compared: who waits watches the file.
"""

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from cactus.errors import LeaseError
from cactus.provenance.execution.process import identity, is_alive, place

LEASE_FILE: Final = "lease.json"
# A holder that was silent for nine renewals is taken for dead.
RENEWAL_SECONDS: Final = 20.0
EXPIRY_SECONDS: Final = 180.0
_SAY_AGAIN_SECONDS: Final = 600.0


@dataclass
class Lease:
    """The right to write the results of one job while the block runs.

    Parameters
    ----------
    folder
        The job's work folder, shared by all nodes.
    name
        The job, for messages.
    facts
        Further JSON values for the file.
    progress
        Returns values that are written anew with each renewal.
    renewal, expiry
        Seconds between renewals, and of silence after which another process takes the lease.
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
        """Wait until no other process holds the lease, and take it."""
        while not self._take():
            self._wait()
        self._renewals = Thread(target=self._renew_until_ended, daemon=True)
        self._renewals.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._renewals.join()
        if self._holds():
            self.path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty: something is kept for the next attempt
                self.folder.rmdir()

    def check(self) -> None:
        """Check that this process still holds the lease; call it before results are published.

        Raises
        ------
        LeaseError
            Another process has taken it, because this one was silent for too long.
        """
        if self._lost or not self._holds():
            raise LeaseError(
                "Another process has taken over this job.",
                where=self.name,
                got=f"no renewal of {self.path} for over {self.expiry:.0f} s, from this process",
                fix="nothing: the other process goes on from the last checkpoint",
            )

    def _take(self) -> bool:
        """Make the file of the lease, unless it is there."""
        self.started = datetime.now(UTC)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self._draft()
        except FileNotFoundError:  # the holder before us has just removed the folder
            return False
        try:
            os.link(draft, self.path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
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
        """Watch the lease of another process until it is given up or its holder is dead."""
        seen: tuple[Any, Any] | None = None
        since, said = time.monotonic(), -_SAY_AGAIN_SECONDS
        while (holder := read_lease(self.folder)) is not None:
            now = time.monotonic()
            if now - said >= _SAY_AGAIN_SECONDS:
                print(f"waiting: {self.name} is being made {place(holder)}", file=sys.stderr)
                said = now
            beat = (holder.get("token"), holder.get("beat"))
            if beat != seen:
                seen, since = beat, now
            if is_alive(holder) is False or now - since > self.expiry:
                self._evict(holder)
                return
            time.sleep(min(1.0, self.renewal))

    def _evict(self, holder: dict[str, Any]) -> None:
        """Remove the lease of a dead process, if it is still that one's."""
        aside = self.folder / f".{LEASE_FILE}.{self.token}.dead"
        try:
            self.path.rename(aside)
        except FileNotFoundError:
            return
        found = _read(aside)
        if found is not None and found.get("token") == holder.get("token"):
            print(f"taking over {self.name}: its process {place(holder)} is gone", file=sys.stderr)
        else:  # another process was faster and has a lease of its own: give it back
            with suppress(FileExistsError):
                os.link(aside, self.path)
        aside.unlink()

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(self.renewal):
            if not self._holds():
                self._lost = True
                print(f"{self.name} was taken over by another process", file=sys.stderr)
                os.kill(os.getpid(), signal.SIGTERM)  # as the scheduler would end it
                return
            self._beat += 1
            self._draft().replace(self.path)


def read_lease(folder: Path) -> dict[str, Any] | None:
    """Return what the lease in a job's work folder says; None if nobody holds it.

    A damaged file is nobody's: it names no token, and its holder will find it lost.
    """
    return _read(folder / LEASE_FILE)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        facts = json.loads(text)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def lives(folder: Path, holder: dict[str, Any]) -> bool:
    """Return whether the holder of a lease is alive, as far as this host can tell.

    A process of another host is taken for dead after long silence, by the clocks of two hosts.
    """
    alive = is_alive(holder)
    if alive is None:
        return _silence(folder / LEASE_FILE) < EXPIRY_SECONDS
    return alive


def _silence(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
