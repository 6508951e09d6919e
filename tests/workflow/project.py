"""A copy of the project with a finished run, in which tests may edit what they like."""

import filecmp
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.workflow.warm.commands import call
from tests.workflow.warm.jobs import warm_python

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "rules", "workflow", "config", "profiles", "slurm", "envs", "pyproject.toml")
# Snakemake's own lines, which tests read.
PLAIN = ("--workflow-profile", "none")
CONFIG = ("--configfile", "config/demo.yaml", "config/small.yaml")
RUN = "small"


# The plans of jobs too, but not the configuration beside them.
_KEPT = {".snakemake", "__pycache__", "plans", "hashes.json"}


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
        self._equal: dict[str, tuple[int, ...]] = {}  # files that equal the original, as they were

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
            if new.is_dir() and not new.is_symlink():
                shutil.rmtree(new)
            if not new.exists():
                new.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(old, new)
            elif self._equal.get(name) != (state := _state(new)):
                if filecmp.cmp(old, new, shallow=False):
                    self._equal[name] = state
                else:
                    new.unlink()  # it may be another run's, too
                    shutil.copyfile(old, new)

    def snakemake(self, *arguments: str, config: tuple[str, ...] = CONFIG) -> str:
        """Run Snakemake; return its output."""
        done = self.run_snakemake(*arguments, config=config)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        # What fails as Python exits does not change the exit code.
        assert "Traceback" not in output, output
        return output

    def run_snakemake(
        self, *arguments: str, config: tuple[str, ...] = CONFIG
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake, which may fail."""
        return self._command("snakemake.cli", *PLAIN, *arguments, *config)

    def cactus(self, *arguments: str) -> tuple[int, str]:
        """Run the command `cactus`; return its exit code and its output."""
        done = self.run_cactus(*arguments)
        return done.returncode, done.stdout + done.stderr

    def run_cactus(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command `cactus`."""
        return self._command("cactus.cli.main", *arguments)

    def mend(self, audit: str) -> None:
        """Run each command that an audit printed, part by part."""
        fixes = re.findall(r"^  fix:     (.+)$", audit, re.M)
        for part in (part for fix in dict.fromkeys(fixes) for part in fix.split(" && ")):
            if part.startswith("cactus "):
                code, output = self.cactus(*shlex.split(part)[1:], "--", "--cores", "1")
                assert code == 0, output
            else:
                subprocess.run(["bash", "-c", part], cwd=self.folder, check=True)

    def stale_jobs(self, *more: str, config: tuple[str, ...] = CONFIG) -> set[str]:
        """Return the jobs that a dry run would do, as ``<stage> <cell>``."""
        output = self.snakemake("--dry-run", *more, config=config)
        found = re.findall(r"^Job \d+: (.+)$", output, re.M)
        assert found or "Nothing to be done" in output, output
        return {job.strip() for job in found}

    def variables(self, *, warm: bool = False) -> dict[str, str]:
        """Return the environment in which commands run; `warm` forks the jobs of Snakemake."""
        found = {**os.environ, **self.environment, "PYTHONPATH": str(self.scripts)}
        first = [*([warm_python()] if warm else []), str(Path(sys.executable).parent)]
        found["PATH"] = os.pathsep.join([*first, found["PATH"]])
        found.pop("CACTUS_PLANNED_BY", None)
        return found

    def _command(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call the `main` of a module in the project's folder, in a process of its own."""
        return call(module, arguments, self.folder, self.variables(warm=not self.environment))


def _state(path: Path) -> tuple[int, ...]:
    """Return what any change of a file changes, above all the time at which its inode changed."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _files(folder: Path) -> set[str]:
    found = set()
    for place, _, names in os.walk(folder):
        below = os.path.relpath(place, folder)  # `Path` would take three times as long
        if _KEPT.isdisjoint(below.split("/")):
            found |= {f"{below}/{name}".removeprefix("./") for name in names if name not in _KEPT}
        elif below.endswith("/plans"):
            found |= {f"{below}/config.json"} if "config.json" in names else set()
    return found
