"""Which jobs run which modules, according to the standard library's ModuleFinder."""

import io
from collections.abc import Iterable
from modulefinder import _PY_SOURCE as PY_SOURCE  # type: ignore[attr-defined]
from modulefinder import ModuleFinder
from pathlib import Path

from tests.workflow.project import Project


def jobs_by_module(project: Project) -> dict[str, set[str]]:
    """Return the recorded jobs, ``<stage>/<cell>``, that run each file below the scripts' folder.

    Bookkeeping is left out, and with it the audit, which is nothing else.
    """
    found: dict[str, set[str]] = {}
    known: dict[tuple[str, str], set[str]] = {}
    folder = project.run / "records"
    for path in sorted(folder.rglob("*.json")):
        job = path.relative_to(folder).with_suffix("").as_posix()
        stage, _, cell = job.partition("/")
        if (stage, selected(stage, cell)) not in known:
            known[stage, selected(stage, cell)] = files_of(project, stage, selected(stage, cell))
        for file in known[stage, selected(stage, cell)]:
            found.setdefault(file, set()).add(job)
    return found


def selected(stage: str, cell: str) -> str:
    """Return the module that a job's cell selects, written out by hand; empty if none."""
    parts = cell.split("/")
    match stage:
        case "make_synthetic_data":
            return f"cactus.synthetic.{parts[0]}.write"
        case "prepare_data":
            return f"cactus.data.readers.{parts[0]}"
        case "train_embedding":
            return f"cactus.embed.{parts[1]}"
        case "meta_train" | "evaluate_model":
            return f"cactus.meta.{parts[2]}.learner"
        case "make_figure":
            return f"cactus.paper.figures.{cell.partition('-')[0]}"
        case "make_table":
            whole_run = cell == "partition_quality"
            kind = cell if whole_run else cell.partition("-")[2] or "accuracies"
            return f"cactus.paper.tables.{kind}"
    return ""


def files_of(project: Project, stage: str, module: str) -> set[str]:
    """Return the files that a stage's script and a selected module import."""
    return files_run(project.scripts, f"{stage}.py", [module] if module else [])


class RunFinder(ModuleFinder):
    """Finds modules, but not those imported below ``if TYPE_CHECKING:``."""

    def load_module(self, name, file, path, kind):  # type: ignore[no-untyped-def]
        """Load a source without code for type checkers; the compiler drops ``if 0``."""
        if kind[2] == PY_SOURCE:
            file = io.BytesIO(file.read().replace(b"if TYPE_CHECKING:", b"if 0:"))
        return super().load_module(name, file, path, kind)


def files_run(scripts: Path, script: str, modules: Iterable[str]) -> set[str]:
    """Return the files that a script and modules import, below the scripts' folder.

    The stages' own files are left out: what they say reaches the plans by value.
    """
    finder = RunFinder(path=[str(scripts)], excludes=["cactus.provenance"])
    finder.run_script(str(scripts / script))
    for module in modules:
        finder.import_hook(module)
    found = (getattr(one, "__file__", None) for one in finder.modules.values())
    names = {Path(file).relative_to(scripts).as_posix() for file in found if file} | {script}
    return {name for name in names if not name.startswith("cactus/stages/")}
