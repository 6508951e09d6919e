"""A real training that tests interrupt and let go on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.workflow.project import Project


class TrainingJob:
    """The training script of one cell, with a plan of more steps than in the grid."""

    def __init__(self, project: Project, cell: str) -> None:
        self.project, self.cell = project, cell
        self.plan = project.run / f"plans/meta_train/{cell}.json"
        content = json.loads(self.plan.read_text())
        content["plan"]["spec"]["settings"] |= {"iterations": 40, "log_every": 7}
        self.plan.write_text(json.dumps(content))
        self.work = project.run / f"work/meta_train/{self.cell}"

    def start(self) -> subprocess.Popen[str]:
        script = self.project.scripts / "meta_train.py"
        options = ["--plan", str(self.plan), "--checkpoints", '{"steps": 1}']
        return subprocess.Popen(
            [sys.executable, str(script), *options],
            cwd=self.project.folder,
            env={**os.environ, "PYTHONPATH": str(self.project.scripts)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> str:
        process = self.start()
        _, printed = process.communicate()
        assert process.returncode == 0, printed
        return printed

    def last_saved(self) -> int:
        paths = (self.work / "checkpoints").glob("step-*.ckpt")
        return max((int(path.stem.removeprefix("step-")) for path in paths), default=0)

    def interrupt(self, number: int, when: Callable[[], bool]) -> tuple[int, str]:
        """Start the job and send it a signal as soon as a condition holds."""
        process = self.start()
        while not when():
            assert process.poll() is None, "the job has ended already"
            time.sleep(0.005)
        process.send_signal(number)
        _, printed = process.communicate()
        return process.returncode, printed

    def results(self) -> dict[str, bytes]:
        folder = self.project.run / f"models/{self.cell}"
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def record(self) -> Path:
        return self.project.run / f"records/meta_train/{self.cell}.json"

    def forget(self) -> None:
        """Let it run again from the start."""
        self.record().unlink()
        shutil.rmtree(self.work)

    def resumed_from(self) -> list[int]:
        record = json.loads(self.record().read_text())
        steps: list[int] = record["activity"]["resumed_from"]
        return steps

    def check_that_it_resumes(self) -> None:
        """Kill and stop it, let it finish, and compare it with an uninterrupted one."""
        self.finish()
        whole = self.results()
        assert self.resumed_from() == []
        assert not (self.work / "checkpoints").exists()
        self.forget()

        code, printed = self.interrupt(signal.SIGKILL, lambda: self.last_saved() >= 3)
        assert code == -signal.SIGKILL, printed
        killed_at = self.last_saved()
        _, audit = self.project.cactus("audit")
        assert f"meta_train/{self.cell}" in audit
        assert "work" not in audit

        code, printed = self.interrupt(signal.SIGTERM, lambda: self.last_saved() >= killed_at + 3)
        assert code == 75, printed
        assert f"resumed from step {killed_at}" in printed
        stopped_at = self.last_saved()
        assert f"resumes from step {stopped_at}" in printed

        assert f"resumed from step {stopped_at} of 40" in self.finish()
        assert self.resumed_from() == [killed_at, stopped_at]
        assert self.results() == whole
        assert not (self.work / "checkpoints").exists()
