"""A run is read alike from every folder, and by its own configuration and code."""

import shutil
from pathlib import Path

import pytest
import yaml

from cactus.errors import CodeError, ConfigError, RecordError
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.records.plan import Plan
from cactus.provenance.staleness.open_run import (
    ROOT,
    PlannedConfig,
    open_run,
    open_study,
    read_planned_config,
)
from cactus.provenance.staleness.planned_config import _one_name
from cactus.stages.base import Job

CACHE = HashCache(None)
MODULE = "import numpy as np\n\nSIZE = 3\n"
STUDY = {
    "run": "mine",
    "grid": {"datasets": ["mnist"], "embeddings": ["mine"], "seeds": [0], "controls": {}},
    "embeddings": {"custom": {"mine": {"module": "mine.py"}}},
    "data": {"raw_dir": "raw"},
}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A working folder with a planned run whose paths are relative, below a link."""
    folder = tmp_path / "real/work"
    (folder / "raw/mnist").mkdir(parents=True)
    (folder / "sub").mkdir()
    (folder / "mine.py").write_text(MODULE)
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    planned = PlannedConfig(configfiles=["study.yaml"], overrides={}, config=STUDY)
    planned.write(folder / "results/mine")
    (tmp_path / "link").symlink_to("real/work")
    return folder


def declare(base: Path, **keys: object) -> None:
    """Give the embedding of the study other keys."""
    study = {**STUDY, "embeddings": {"custom": {"mine": keys}}}
    (base / "study.yaml").write_text(yaml.safe_dump(study))


def plans(run: Path | str) -> list[Plan]:
    return [one.plan for one in open_run(str(run), cache=CACHE).assess_all()]


@pytest.mark.parametrize(
    ("cwd", "run"),
    [
        (".", "results/mine"), (".", "mine"), ("sub", "../results/mine"), ("results/mine", "."),
        ("..", "work/results/mine"), ("../..", "link/results/mine"),
        ("../../link", "results/mine"), ("/", None),
    ],
)  # fmt: skip
def test_a_run_with_relative_paths_is_the_same_from_everywhere(base, monkeypatch, cwd, run):
    monkeypatch.chdir(base)
    here = plans("mine")
    assert any("mine.py" in one.code for one in here)
    monkeypatch.chdir(base / cwd)
    run = run or base / "results/mine"
    assert plans(run) == here
    assert (open_run(str(run)).raw_dir / "mnist").is_dir()


@pytest.mark.parametrize(
    "form",
    ["./mine.py", ".//mine.py", "sub/../mine.py", "{base}/mine.py", "{link}/mine.py",
     "/{base}/sub/..//mine.py"],
)  # fmt: skip
def test_another_spelling_of_a_module_changes_no_plan(base, form):
    before = plans(base / "results/mine")
    link = base.parents[1] / "link"
    study = (base / "study.yaml").read_text()
    for run, own in ((base / "results/mine", base), (link / "results/mine", link)):
        spelled = form.format(base=base, link=own)
        (base / "study.yaml").write_text(study.replace("mine.py", spelled))
        assert plans(run) == before
    (base / "study.yaml").write_text(study.replace("mine.py", "sub/mine.py"))
    with pytest.raises(CodeError):
        plans(base / "results/mine")


FORMS = ["./{}", "sub/..//{}", "{base}/{}", "{base}/sub/../{}", "../work/{}"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["lists/", "lists/**", "lists/a.txt"])
def test_another_spelling_of_a_declared_file_changes_no_plan(base, form, name):
    (base / "lists").mkdir()
    (base / "lists/a.txt").touch()
    declare(base, module="mine.py", files=[name])
    before = plans(base / "results/mine")
    assert any("lists/a.txt" in one.declared for one in before)
    declare(base, module="mine.py", files=[form.format(name, base=base)])
    assert plans(base / "results/mine") == before


@pytest.mark.parametrize("form", FORMS)
def test_another_spelling_of_vectors_changes_no_plan(base, form):
    files = {split: f"{split}.npy" for split in ("train", "val", "test")}
    for name in (*files.values(), "images.npy"):
        (base / name).touch()
    images = dict.fromkeys(files, "images.npy")
    declare(base, vectors={**files, "images": images})
    before = plans(base / "results/mine")
    assert any({*files.values(), "images.npy"} == {*one.declared} for one in before)
    spelled = {split: form.format(name, base=base) for split, name in files.items()}
    others = dict.fromkeys(files, form.format("images.npy", base=base))
    declare(base, vectors={**spelled, "images": others})
    assert plans(base / "results/mine") == before


@pytest.mark.parametrize("name", ["link/../a.txt", "~/a.txt", "../a.txt", "/a/../b.txt", " "])
def test_a_name_keeps_what_it_leads_to(base, tmp_path, name):
    (tmp_path / "elsewhere/sub").mkdir(parents=True)
    (base / "link").symlink_to(tmp_path / "elsewhere/sub")
    expected = {"/a/../b.txt": "/b.txt"}.get(name, name)
    assert _one_name(name, base) == expected


@pytest.mark.parametrize("cwd", [".", "sub", "/"])
@pytest.mark.parametrize("edited", ["mine.py", "study.yaml"])
def test_an_edit_is_seen_from_everywhere(base, monkeypatch, cwd, edited):
    before = plans(base / "results/mine")
    text = (base / edited).read_text()
    text = text.replace("SIZE = 3", "SIZE = 4") + ("evaluation: {tasks: 7}\n" * (edited[-4] == "y"))
    (base / edited).write_text(text)
    monkeypatch.chdir(base / cwd)
    assert plans(base / "results/mine") != before


def test_a_run_that_was_copied_alone_is_read_where_its_configuration_is(base, tmp_path):
    planned = read_planned_config(base / "results/mine")
    planned.model_copy(update={"folder": str(base)}).write(base / "results/mine")
    copy = tmp_path / "elsewhere/results/mine"
    shutil.copytree(base / "results/mine", copy)
    assert plans(copy) == plans(base / "results/mine")


def test_a_moved_working_folder_is_read_where_it_is_now(base, tmp_path):
    planned = read_planned_config(base / "results/mine")
    planned.model_copy(update={"folder": str(base)}).write(base / "results/mine")
    shutil.copytree(base, tmp_path / "moved")
    (base / "mine.py").write_text("EDITED = 1\n")
    assert plans(tmp_path / "moved/results/mine") != plans(base / "results/mine")


def test_files_and_the_clone_are_remembered_relative_to_the_folder(base, monkeypatch):
    monkeypatch.chdir(base / "sub")
    found = PlannedConfig.read([Path("../study.yaml")], [], base)
    assert found.configfiles == ["../study.yaml"]
    assert (found.folder, found.project) == (str(base / "sub"), "..")
    assert PlannedConfig.read([base / "study.yaml"], [], ROOT).project == str(ROOT)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"configfiles": 1}', "\xff", '{"a": NaN}', "[" * 10**5]
)
def test_a_damaged_configuration_is_named(base, content):
    path = base / "results/mine/plans/config.json"
    path.write_bytes(content.encode("latin1"))
    with pytest.raises(RecordError, match="configuration saved with a run") as caught:
        open_run(str(base / "results/mine"))
    assert caught.value.where == str(path)
    assert caught.value.got


@pytest.mark.parametrize(
    ("module", "told"),
    [("torch", "is a library's"), ("mine", "does not exist"), ("mine.py", "has no class `Method`")],
)
def test_a_study_whose_code_cannot_run_is_refused_before_it_is_planned(
    base, monkeypatch, module, told
):
    monkeypatch.chdir(base)
    key = f"embeddings={{custom: {{mine: {{module: {module}}}}}}}"
    with pytest.raises(ConfigError) as caught:
        open_study([Path("study.yaml")], [key])
    assert told in str(caught.value)
    assert "embeddings.custom.mine.module" in str(caught.value)


@pytest.mark.parametrize("name", ["workflow", "moved"])
def test_a_study_is_planned_with_the_code_of_the_clone_that_one_is_in(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its `workflow` may be a link, also to a folder of another name."""
    shutil.copytree(ROOT / "workflow", tmp_path / "elsewhere" / name)
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "workflow").symlink_to(tmp_path / "elsewhere" / name)
    for one in ("Snakefile", "config", "envs", "rules"):
        (clone / one).symlink_to(ROOT / one)
    learner = clone / "workflow/scripts/cactus/meta/protonets/learner.py"
    learner.write_text(f"{learner.read_text()}X = 1\n", encoding="utf-8")
    monkeypatch.chdir(clone)
    planner = open_study([Path("config/demo.yaml")], [])
    file = "cactus/meta/protonets/learner.py"
    code = planner.assess(Job("meta_train", "mnist/acai/protonets/s0")).plan.code
    assert code[file] != SourceTree(ROOT / "workflow/scripts", CACHE).source_hash(file)
