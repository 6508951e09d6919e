"""What people and programs do to a finished run without changing what it says."""

import os
import shutil
from collections.abc import Callable, Iterable
from typing import Final

from cactus.provenance.records.objects import store
from cactus.provenance.records.record import read_record, write_record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job
from tests.workflow.forgeries import (
    EMBEDDED,
    RESULTS,
    SCORED,
    TABLE,
    TRAINED,
    Change,
    change_activity,
    change_agent,
    reused,
    seal_all,
)
from tests.workflow.tamper import MAML

Operation = Callable[[Planner], object]
_GIT: Final = {"commit": "c" * 40, "dirty": True, "diff": None, "untracked": ["notes.txt"]}


def add(name: str, text: str = "a note\n") -> Operation:
    def apply(planner: Planner) -> None:
        path = planner.run_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return apply


def compile_tables(planner: Planner) -> None:
    """Leave what LaTeX and its companions write, of several documents and of none."""
    for name in _BY_LATEX:
        (planner.run_folder / "tables" / name).write_text("by LaTeX\n")


def drop(*names: str) -> Operation:
    def apply(planner: Planner) -> None:
        for name in names:
            path = planner.run_folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return apply


def touch(time: float) -> Operation:
    def apply(planner: Planner) -> None:
        for path in planner.run_folder.rglob("*"):
            os.utime(path, (time, time))

    return apply


def chmod(mode: int) -> Operation:
    def apply(planner: Planner) -> None:
        for path in planner.run_folder.rglob("*"):
            if path.is_file():
                path.chmod(mode)

    return apply


def rewrite(planner: Planner) -> None:
    """Give every file another inode, as a copy or a restored backup has."""
    for path in list(planner.run_folder.rglob("*")):
        if path.is_file():
            shutil.copyfile(path, path.with_name("copy-of-a-file"))
            path.with_name("copy-of-a-file").replace(path)


def had_been(change: Change, *jobs: Job) -> Operation:
    """Make the run as if some jobs had recorded something else when they ran."""

    def apply(planner: Planner) -> None:
        for job in jobs:
            record = read_record(planner.run_folder, job)
            assert record is not None
            write_record(planner.run_folder, change(record))
            seal_all(planner, job)

    return apply


def by_link(name: str) -> Operation:
    """Keep a folder of the run elsewhere, with a link in its place."""

    def apply(planner: Planner) -> None:
        folder = planner.run_folder / name
        elsewhere = planner.run_folder / f".elsewhere-{folder.name}"
        folder.rename(elsewhere)
        folder.symlink_to(elsewhere.absolute())

    return apply


def another_job(planner: Planner) -> None:
    """Leave the results and the record of a job that is no longer in the study."""
    run, other = planner.run_folder, "omniglot/acai/maml/s7"
    shutil.copytree(run / f"models/{MAML}", run / f"models/{other}")
    record = read_record(run, TRAINED)
    assert record is not None
    plan = record.plan.model_copy(update={"cell": other})
    entities = {name.replace(MAML, other): one for name, one in record.entities.items()}
    made = change_activity(plan=plan)(record.model_copy(update={"entities": entities}))
    write_record(run, made)


def _named(
    what: str, make: Callable[[str], Operation], names: Iterable[str]
) -> dict[str, Operation]:
    return {f"{what} {name}": make(name) for name in names}


_LEFT: Final = (
    "tables/omniglot.aux", "tables/omniglot.log", "tables/omniglot.pdf", "tables/omniglot.fls",
    "tables/omniglot.fdb_latexmk", "tables/omniglot.synctex.gz", "tables/tables.out",
    "tables/omniglot.tex~", "tables/.omniglot.tex.swp", "tables/#omniglot.tex#",
    "tables/omniglot.tex.save", "tables/nohup.out", "tables/omniglot.tex.bkp",
    "tables/_minted-tables/default.pygstyle", "figures/shots.xbb", "figures/shots.bb",
    f"models/{MAML}/model.json.bak", f"evaluations/{MAML}/accuracies.csv.orig",
    "figures/.DS_Store", "figures/Thumbs.db", "figures/shots.pdf:Zone.Identifier",
    f"records/meta_train/{MAML}.json~",
    "tables/~$results.csv", "tables/4913", "tables/omniglot.tex.rej", "figures/ehthumbs.db",
    "figures/Icon\r", "tables/auto/omniglot.el", "records/.#audit_run.json",
    ".nfs0001", "README.txt", "notes/ideas.md", "slides.pdf",
)  # fmt: skip
_BY_LATEX: Final = (
    *(f"omniglot.{one}" for one in ("dvi", "xdv", "ps", "bbl", "blg", "bcf", "run.xml")),
    *(f"tables.{one}" for one in ("nav", "snm", "vrb", "lot", "lof", "idx", "ind", "ilg")),
    *(
        "tables.maf",
        "tables.mtc0",
        "omniglot.synctex(busy)",
        "omniglot.synctex.gz(busy)",
        "omniglot-blx.bib",
    ),
    *("texput.log", "texput.fls", "missfont.log", "comment.cut"),
    *("tables.loe", "tables.pytxcode", "tables-figure0.pdf", "tables-figure0.log"),
)
OPERATIONS: Final[dict[str, Operation]] = {
    "nothing": lambda _: None,
    **_named("a file left:", add, _LEFT),
    "what LaTeX leaves": compile_tables,
    **_named("removed:", drop, ["hashes.json", "logs", "work", "plans/meta_train"]),
    "caches and logs removed": drop("hashes.json", "logs", "work", "states"),
    "a damaged cache": add("hashes.json", "{"),
    "a blank list of accepted changes": add("accepted.jsonl", "\n \n"),
    "all times set back": touch(0),
    "all times of 1970": touch(1),
    "all times ahead": touch(4e9),
    "all files read-only": chmod(0o444),
    "all files writable": chmod(0o666),
    "all files restored from a backup": rewrite,
    "a stored text that no record needs": lambda one: store(one.run_folder, "old = 1\n"),
    "a job of an earlier study": another_job,
    **_named("kept elsewhere:", by_link, ["models", "data", "tables", "models/omniglot"]),
    "a clock that was set back within a job": had_been(
        change_activity(ended="2020-01-01T00:00:00+00:00"), TRAINED
    ),
    "a computer that slept within a job": had_been(
        change_activity(started="2020-01-01T00:00:00+00:00"), EMBEDDED
    ),
    "a clock ahead of the auditor's": had_been(
        change_activity(started="2090-01-01T00:00:00+00:00", ended="2090-01-01T00:00:09+00:00"),
        RESULTS,
    ),
    "a node whose clock is behind": had_been(
        change_activity(started="2019-01-01T00:00:00+00:00", ended="2019-01-01T00:00:09+00:00"),
        SCORED,
    ),
    "jobs on two computers": had_been(change_agent(host="n2"), TRAINED),
    "a GPU for one job": had_been(change_agent(device={"device": "cuda", "gpu": "A100"}), TRAINED),
    "Slurm for one job": had_been(change_agent(slurm={"id": "7"}), TRAINED),
    "a commit that is not at hand": had_been(change_agent(git=_GIT), TRAINED),
    "a job resumed": had_been(change_activity(resumed_from=[1, 2]), TRAINED),
    "results of another run": had_been(reused, SCORED),
    "a table made by another processor": had_been(change_agent(machine="aarch64"), TABLE),
}  # fmt: skip
