"""A copy of the project with a finished run, in which tests may edit what they like."""

import atexit
import filecmp
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "rules", "workflow", "config", "slurm", "envs", "pyproject.toml")
CONFIG = ("--configfile", "config/demo.yaml", "config/small.yaml")
RUN = "small"


# The plans of jobs too, but not the configuration beside them.
_KEPT = {".snakemake", "__pycache__", "plans", "hashes.json"}
_SOURCE = "plans/config.json"
_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(["snakemake.cli"])


class Project:
    """A copy of the project in a folder of its own, without a git repository.

    Parameters
    ----------
    folder
        Where the copy is, or will be.
    environment
        Variables that commands find besides those of this process.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder, self.environment = folder, environment or {}

    @classmethod
    def create(cls, folder: Path) -> "Project":
        """Copy the project's files; nothing is run."""
        folder.mkdir(parents=True)
        for name in PARTS:
            source = ROOT / name
            if source.is_symlink():
                (folder / name).symlink_to(source.readlink())
            elif source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, folder / name, ignore=ignored)
            else:
                shutil.copy(source, folder / name)
        shutil.copy(ROOT / "tests/workflow/small.yaml", folder / "config/small.yaml")
        return cls(folder)

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.folder / "results" / RUN

    @property
    def scripts(self) -> Path:
        """Folder of the stages' scripts and of the package."""
        return self.folder / "workflow/scripts"

    def copy(self, folder: Path) -> "Project":
        """Copy everything, including results, as `cp -r` does: without times."""
        shutil.copytree(self.folder, folder, copy_function=shutil.copyfile)
        return Project(folder)

    def restore(self, original: "Project") -> None:
        """Undo all edits since this was copied; unchanged files stay untouched.

        Files that Snakemake and the planner write to save work or to pass on plans are kept.
        """
        here, there = _files(self.folder), _files(original.folder)
        for name in here - there:
            (self.folder / name).unlink()
        for folder in sorted({above for name in here - there for above in Path(name).parents})[
            ::-1
        ]:
            with suppress(OSError):  # it is not empty
                (self.folder / folder).rmdir()
        for name in there:
            old, new = original.folder / name, self.folder / name
            if not new.exists() or not filecmp.cmp(old, new, shallow=False):
                new.parent.mkdir(parents=True, exist_ok=True)
                new.unlink(missing_ok=True)  # it may be another run's, too
                shutil.copyfile(old, new)

    def snakemake(self, *arguments: str, config: tuple[str, ...] = CONFIG) -> str:
        """Run Snakemake; return its output."""
        done = self.run_snakemake(*arguments, config=config)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run_snakemake(
        self, *arguments: str, config: tuple[str, ...] = CONFIG
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake, which may fail."""
        return self._python("-m", "snakemake", *arguments, *config)

    def cactus(self, *arguments: str) -> tuple[int, str]:
        """Run the command `cactus`; return its exit code and its output."""
        done = self._python("-m", "cactus.cli.main", *arguments)
        return done.returncode, done.stdout + done.stderr

    def stale_jobs(self, *more: str, config: tuple[str, ...] = CONFIG) -> set[str]:
        """Return the jobs that a dry run would do, as ``<stage> <cell>``."""
        output = self._dry_run("--dry-run", *more, *config)
        found = re.findall(r"^Job \d+: (.+)$", output, re.M)
        assert found or "Nothing to be done" in output, output
        return {job.strip() for job in found}

    def variables(self) -> dict[str, str]:
        """Return the environment in which commands run."""
        found = {**os.environ, **self.environment, "PYTHONPATH": str(self.scripts)}
        found["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{found['PATH']}"
        found.pop("CACTUS_PLANNED_BY", None)
        return found

    def _dry_run(self, *arguments: str) -> str:
        """Run Snakemake in a process that has already imported it, which takes half the time."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "output"
            process = _WARM.Process(target=_run_snakemake, args=(self.folder, arguments, output))
            process.start()
            process.join()
            text = output.read_text()
        assert process.exitcode == 0, text
        return text

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )


def _run_snakemake(folder: Path, arguments: tuple[str, ...], output: Path) -> None:
    from snakemake.cli import main  # type: ignore[import-untyped]

    os.chdir(folder)
    os.environ.pop("CACTUS_PLANNED_BY", None)
    with output.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        main(list(arguments))
    finally:
        sys.stdout.flush()
        atexit._run_exitfuncs()  # a forked process skips these; they save the hashes


def _files(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if not _KEPT & {*path.parts} or path.match(_SOURCE)}
