"""Edits of how files are written and kept, each with exactly the jobs that must run again."""

import base64
import os
import shutil
from collections.abc import Callable

from tests.workflow.edits import (
    NOTHING,
    TABLES,
    Action,
    Edit,
    code,
    configured,
    flip_a_byte,
    nothing,
    replaced,
)
from tests.workflow.grid import wave
from tests.workflow.project import CONFIG, Project

RAW = "results/small/raw/omniglot"
RULE = replaced("rules/metatrain.smk", "'exec python", "'exec nice python")
TRIGGERS = ("--rerun-triggers", "code", "params", "input", "software-env", "mtime")
LEARNER = "workflow/scripts/cactus/meta/protonets/learner.py"
PROTONETS = wave("(meta_train|evaluate_model) .*/protonets/")
BIGAN = wave("train_embedding .*/bigan/")


def written(file: str, content: str | bytes = "") -> Action:
    """Write a file, which may be new."""

    def apply(project: Project) -> None:
        path = project.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return apply


def rewritten(file: str, change: Callable[[bytes], bytes]) -> Action:
    """Change the bytes of a file, which must then differ."""

    def apply(project: Project) -> None:
        path = project.folder / file
        before = path.read_bytes()
        path.write_bytes(change(before))
        assert path.read_bytes() != before

    return apply


def deleted(*files: str) -> Action:
    def apply(project: Project) -> None:
        for file in files:
            path = project.folder / file
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return apply


def both(*actions: Action) -> Action:
    def apply(project: Project) -> None:
        for action in actions:
            action(project)

    return apply


def with_its_time(file: str, old: str, new: str) -> Action:
    """Replace a text by one of equal size, and set the file's time back."""

    def apply(project: Project) -> None:
        path = project.folder / file
        status = path.stat()
        replaced(file, old, new)(project)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert path.stat().st_size == status.st_size

    return apply


def another_branch_and_back(project: Project) -> None:
    """Plan with other code, which is then taken back."""
    text = (project.folder / LEARNER).read_text()
    code("cactus/meta/protonets/learner.py")(project)
    assert project.stale_jobs() == PROTONETS
    (project.folder / LEARNER).write_text(text)


def drawings(project: Project) -> None:
    """Add 20 drawings of a new character beside the archives."""
    for drawer in range(1, 21):
        written(f"{RAW}/more/Greek/character99/9999_{drawer:02}.png", b"png")(project)


def marked_incomplete(project: Project) -> None:
    """Mark results as Snakemake does before a job, and does not undo if it is killed."""
    for path in project.run.glob("models/**/*.safetensors"):
        name = path.relative_to(project.folder).as_posix().encode()
        mark = project.folder / ".snakemake/incomplete" / base64.urlsafe_b64encode(name).decode()
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text("{}")


def profile(project: Project) -> None:
    RULE(project)
    lines = "rerun-triggers: [code, params, input, software-env, mtime]\nrerun-incomplete: true\n"
    written("mine/config.yaml", lines)(project)


def study(text: str) -> tuple[Action, tuple[str, ...]]:
    """Return an action that adds a file to the study, and the options that name it."""
    return written("config/more.yaml", text), (*CONFIG, "config/more.yaml")


def _study_edit(what: str, text: str, stale: set[str]) -> Edit:
    return Edit(f"YAML: {what}", *(study(text)[0], stale, study(text)[1]))


SOURCE = [
    ("a coding line that changes a text", rewritten(LEARNER, lambda old: b"# coding: latin-1\n" + old + 'A = "\u00e9"\n'.encode()), PROTONETS),
    ("a coding line that changes no text", rewritten(LEARNER, lambda old: b"# coding: latin-1\n" + old), NOTHING),
    ("a byte order mark", rewritten(LEARNER, lambda old: b"\xef\xbb\xbf" + old), NOTHING),
    ("line ends of Windows", rewritten(LEARNER, lambda old: old.replace(b"\n", b"\r\n")), NOTHING),
    ("parentheses", replaced(LEARNER, "alpha=2)", "alpha=(2))"), NOTHING),
    ("another way to write a number", replaced(LEARNER, "alpha=2)", "alpha=0b10)"), NOTHING),
    ("another number of equal value", replaced(LEARNER, "alpha=2)", "alpha=2.0)"), PROTONETS),
    ("equal size and time", with_its_time(LEARNER, "alpha=2)", "alpha=3)"), PROTONETS),
    ("an empty statement", code("cactus/meta/protonets/learner.py", line="pass"), PROTONETS),
    ("a module that nobody imports", written("workflow/scripts/cactus/meta/new.py", "A = 1\n"), NOTHING),
    ("an import of a new module", both(written("workflow/scripts/cactus/meta/new.py", "A = 1\n"), code("cactus/meta/protonets/learner.py", line="import cactus.meta.new")), PROTONETS),
    ("an import for type checkers", code("cactus/embed/bigan.py", line="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cactus.paper.latex"), BIGAN),
    ("two modules at once", both(code("cactus/embed/bigan.py"), code("cactus/paper/figures/shots.py")), BIGAN | wave("make_figure shots")),
    ("a module and a rule", both(code("cactus/embed/bigan.py"), RULE), BIGAN),
    ("another branch and back", another_branch_and_back, NOTHING),
    ("cached bytecode", written("workflow/scripts/cactus/meta/protonets/__pycache__/learner.cpython-311.pyc", "old"), NOTHING),
]  # fmt: skip
RULES = [
    ("the text of a rule", RULE, ()),
    ("the text of a rule, all triggers on the command line", RULE, TRIGGERS),
    ("the text of a rule, all triggers in a profile", profile, ("--profile", "mine")),
    ("the threads of a rule", replaced("rules/metatrain.smk", "threads: THREADS", "threads: 1 + THREADS"), TRIGGERS),
    ("a priority", replaced("rules/embed.smk", "priority: 1", "priority: 2"), TRIGGERS),
    ("the environment of a rule", replaced("envs/cactus.yaml", "dependencies:", "# More.\ndependencies:"), TRIGGERS),
    ("marks of incomplete files", marked_incomplete, ()),
    ("marks of incomplete files, to rerun", marked_incomplete, ("--rerun-incomplete",)),
    ("more cores", nothing, ("--cores", "7", "--keep-going")),
    ("the lock of a dead Snakemake", written(".snakemake/locks/0.output.lock", "results/small/tables/mnist.tex\n"), ()),
]  # fmt: skip
RAW_FILES = [
    ("drawings of a new character", drawings, wave("prepare_data omniglot")),
    ("another archive", written(f"{RAW}/more.zip", b"PK"), wave("prepare_data omniglot")),
    ("a hidden file", written(f"{RAW}/.DS_Store", b"x"), NOTHING),
    ("an unfinished download", written(f"{RAW}/more.zip.part", b"PK"), NOTHING),
    ("an empty folder", lambda project: (project.folder / RAW / "more").mkdir(), NOTHING),
    ("a deleted file", deleted(f"{RAW}/images_evaluation.zip"), wave("make_synthetic_data omniglot")),
]  # fmt: skip
RESULTS = [
    ("an embedding by a byte", flip_a_byte("results/small/embeddings/omniglot/bigan/s0/train.npy"), BIGAN),
    ("partitions by a byte", flip_a_byte("results/small/partitions/omniglot/acai/maml/s0/partitions.npy"), wave("make_partitions omniglot/acai/maml")),
    ("accuracies by a byte", flip_a_byte("results/small/evaluations/omniglot/acai/maml/s0/accuracies.csv"), wave("evaluate_model omniglot/acai/maml")),
    ("the results by a byte", flip_a_byte("results/small/tables/results.csv"), wave("aggregate_results")),
    ("a table by a byte", flip_a_byte("results/small/tables/mnist.tex"), wave("make_table mnist$")),
    ("a figure by a byte", flip_a_byte("results/small/figures/shots.pdf"), wave("make_figure shots")),
    ("a deleted figure", deleted("results/small/figures/shots.png"), wave("make_figure shots")),
    ("a deleted folder", deleted("results/small/models/omniglot/acai/maml/s0"), wave("meta_train omniglot/acai/maml")),
    ("deleted records of two producers", deleted("results/small/records/make_table/mnist.json", "results/small/records/run_baselines/omniglot/acai/s0.json"), wave("make_table mnist$", "run_baselines omniglot/acai")),
    ("the deleted record of the audit", deleted("results/small/records/audit_run.json"), {"audit_run", "make_report"}),
    ("a record that is no JSON", written("results/small/records/make_document.json", "{"), wave("make_document")),
    ("a stray file", written("results/small/tables/notes.txt", "mine"), NOTHING),
    ("deleted plans", deleted("results/small/plans/meta_train"), NOTHING),
    ("a plan that is no JSON", written("results/small/plans/make_document.json", "{"), NOTHING),
    ("deleted hashes", lambda project: (project.run / "hashes.json").unlink(missing_ok=True), NOTHING),
    ("hashes that are no JSON", written("results/small/hashes.json", "{"), NOTHING),
    ("deleted logs", lambda project: shutil.rmtree(project.run / "logs", ignore_errors=True), NOTHING),
]  # fmt: skip
YAML = [
    ("a merge key with the same values", "evaluation: {<<: {tasks: 10}}\n", NOTHING),
    ("a merge key with another value", "evaluation: {<<: {tasks: 11}}\n", wave("evaluate_model", "run_baselines")),
    ("a merge key that is overridden", "evaluation: {<<: {tasks: 11}, tasks: 10}\n", NOTHING),
    ("a merge key of an anchor", "embeddings:\n  acai: &a {iterations: 4}\n  bigan: {per_dataset: {omniglot: {epochs: 1, width: 4}}}\nlearners: {maml: {<<: {outer_lr: 0.5}}}\n", wave("meta_train .*/maml/")),
    ("the same values again in another file", "data: {omniglot: {train_characters: 50}}\nevaluation: {tasks: 10}\n", NOTHING),
    ("block style and quotes", "'evaluation':\n  \"tasks\": 10  # as before\n", NOTHING),
    ("a key of one data set", "learners: {maml: {per_dataset: {omniglot: {iterations: 4}}}}\n", wave("meta_train .*/maml/")),
    ("a key of another data set", "learners: {maml: {per_dataset: {celeba: {iterations: 4}}}}\n", NOTHING),
]  # fmt: skip
FILES = [
    ("a comment in the registry", rewritten("config/datasets.yaml", lambda old: b"# More.\n" + old), NOTHING),
    ("a comment in the lock", rewritten("envs/requirements.lock", lambda old: b"# More.\n" + old), NOTHING),
    ("a comment in the study", rewritten("config/small.yaml", lambda old: b"# More.\n" + old), NOTHING),
    ("the figures that are drawn", nothing, {"audit_run", "make_report"}),
    ("the sizes of partitions", nothing, wave("make_partitions mnist/")),
    ("that runs may share", nothing, NOTHING),
    ("a seed of the evaluation", nothing, wave("evaluate_model", "run_baselines")),
    ("decimals and a module of the tables", code("cactus/paper/latex.py"), TABLES | wave("make_table")),
]  # fmt: skip
_KEYS = {
    "the figures that are drawn": "outputs={figures: [shots]}",
    "the sizes of partitions": "partitions={per_dataset: {mnist: {count: 3}}}",
    "that runs may share": "reuse=false",
    "a seed of the evaluation": "evaluation={seed: 1}",
    "decimals and a module of the tables": "outputs={decimals: 1}",
}

MORE_EDITS = [
    *(Edit(f"source: {what}", action, stale) for what, action, stale in SOURCE),
    *(
        Edit(f"Snakemake: {what}", action, NOTHING, (*more, *CONFIG))
        for what, action, more in RULES
    ),
    *(Edit(f"raw: {what}", action, stale) for what, action, stale in RAW_FILES),
    *(Edit(f"results: {what}", action, stale) for what, action, stale in RESULTS),
    *(_study_edit(*one) for one in YAML),
    *(
        Edit(f"files: {what}", action, stale, configured(_KEYS[what]) if what in _KEYS else CONFIG)
        for what, action, stale in FILES
    ),
]
