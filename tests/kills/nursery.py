"""A process that has imported all that trainings need, and forks a child for each."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cactus.train.device import DeviceName
from tests.kills.faults import Fault

ROOT = Path(__file__).parents[2]
# Imported before the first child is born; torch._dynamo would be by the first step of a training.
_NEEDED = (
    "torch._dynamo",
    "cactus.command",
    "cactus.meta.maml.learner",
    "cactus.meta.protonets.learner",
    "cactus.embed.acai",
    "cactus.embed.bigan",
    "cactus.embed.contrastive",
    "cactus.embed.deepcluster",
    "cactus.embed.infogan",
    "tests.kills.trainers",
)


class Nursery:
    """Runs trainings in children of a process that is warm; each begins within milliseconds."""

    def __enter__(self) -> Self:
        ours = [str(ROOT / "workflow" / "scripts"), str(ROOT)]
        path = os.pathsep.join([*ours, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.kills.nursery"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def train(
        self,
        name: str,
        data: Path,
        folder: Path,
        *,
        every: int | None = 1,
        device: DeviceName = "cpu",
        fault: Fault | None = None,
        kill_after: float | None = None,
    ) -> tuple[int, str]:
        """Run a training of `tests.kills.trainers.train` in a child.

        Parameters
        ----------
        fault
            What the child does to itself, if anything.
        kill_after
            Seconds after which it is killed from outside.

        Returns
        -------
        tuple
            The exit code, negative for a signal, and what was printed.
        """
        log = folder.with_suffix(".log")
        task = {
            "name": name,
            "data": str(data),
            "folder": str(folder),
            "every": every,
            "device": device,
        }
        how = {"fault": asdict(fault) if fault else None, "kill_after": kill_after}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps({"task": task, "log": str(log), **how}), file=self._process.stdin)
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        # A child that is killed at once has not opened its log.
        return code, log.read_text() if log.exists() else ""


def main() -> None:
    """Fork a child for each line of JSON, and print its exit code."""
    for module in _NEEDED:
        importlib.import_module(module)
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            _be_child(job)
        print(_await(child, job["kill_after"]), flush=True)


def _await(child: int, kill_after: float | None) -> int:
    deadline = time.monotonic() + (float("inf") if kill_after is None else kill_after)
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(0.001)


def _be_child(job: dict[str, Any]) -> None:
    """Train, and leave the process without what its parent would do at its end."""
    from cactus.command import run_main
    from tests.kills.faults import inflict
    from tests.kills.trainers import train

    code: Any = 0
    try:
        log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if job["fault"]:
            inflict(Fault(**job["fault"]))
        task = job["task"]
        data, folder = Path(task["data"]), Path(task["folder"])
        how = {"every": task["every"], "device": task["device"]}
        run_main(partial(train, task["name"], data, folder, **how))
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
