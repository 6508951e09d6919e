"""Which jobs run which modules, as the standard library finds them in compiled code."""

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
        case "make_sample":
            return f"cactus.sample.{parts[0]}"
        case "prepare_data":
            return f"cactus.data.{parts[0]}"
        case "train_embedding":
            return f"cactus.embed.{parts[1]}"
        case "meta_train" | "evaluate_model":
            return f"cactus.meta.{parts[2]}"
        case "make_figure":
            return f"cactus.paper.figures.{cell.partition('-')[0]}"
    return ""


def files_of(project: Project, stage: str, module: str) -> set[str]:
    """Return the files that a stage's script and a selected module import."""
    finder = ModuleFinder(path=[str(project.scripts)], excludes=["cactus.provenance"])
    finder.run_script(str(project.scripts / f"{stage}.py"))
    if module:
        finder.import_hook(module)
    found = (getattr(one, "__file__", None) for one in finder.modules.values())
    names = {Path(file).relative_to(project.scripts).as_posix() for file in found if file}
    return {*names, f"{stage}.py"}
