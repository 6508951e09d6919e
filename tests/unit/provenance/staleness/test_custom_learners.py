"""Custom learners that cannot run are refused before any job, without running their code."""

from pathlib import Path
from typing import Any

import pytest

from cactus.config.load import parse_config
from cactus.errors import ConfigError
from cactus.provenance.fingerprint.closure import SourceTree
from cactus.provenance.fingerprint.hash_cache import HashCache
from cactus.provenance.staleness.custom_code import check_custom_code
from tests.workflow.project import ROOT

SCRIPTS = ROOT / "workflow/scripts"
GOOD = """
raise SystemExit("the planner ran the module")

from cactus.config.sections import base
from cactus.meta.episodic import EpisodicLearner


class Settings(base.Settings):
    dims: base.Count = 3
    limit: float


class Learner(EpisodicLearner):
    def __init__(self, settings, training, image_shape, generator): ...
    def logits(self, support, query): ...
"""


def check(folder: Path, text: str = GOOD, **changes: Any) -> None:
    (folder / "mine.py").write_text(text)
    entry = {"module": "mine.py", "settings": {"limit": 1.5}, **changes}
    grid = {"datasets": ["mnist", "omniglot"], "embeddings": ["acai"], "learners": ["mine"]}
    config = parse_config({"grid": grid, "learners": {"custom": {"mine": entry}}})
    check_custom_code(config, SourceTree(SCRIPTS, HashCache(None), folder))


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


ACCEPTED = {
    "the contract": GOOD,
    "its base by its module": changed(
        "from cactus.meta.episodic import EpisodicLearner", "import cactus.meta.episodic as e"
    ).replace("(EpisodicLearner)", "(e.EpisodicLearner)"),
    "another loss": GOOD + "    def accumulate_gradients(self, images, batch): ...\n",
    "a base that is not read": changed("(EpisodicLearner)", "(other.Base)"),
}  # fmt: skip


@pytest.mark.parametrize("what", ACCEPTED)
def test_modules_that_can_run_are_accepted(tmp_path: Path, what: str):
    check(tmp_path, ACCEPTED[what])


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no such file": (GOOD, {"module": "mien.py"}, "did you mean 'mine.py'?"),
    "broken source": ("def f(:", {}, "mine.py: invalid syntax"),
    "no learner": (changed("class Learner", "class Lerner"), {}, "no class `Learner`"),
    "no settings": (changed("class Settings", "class Setings"), {}, "no class `Settings`"),
    "no logits": (changed("def logits", "def forward"), {}, "no logits"),
    "no base": (changed("(EpisodicLearner)", ""), {}, "no accumulate_gradients, accuracies"),
    "no constructor": (
        changed("    def __init__(self, settings, training, image_shape, generator): ...\n", ""),
        {}, "`__init__`",
    ),
    "too few arguments": (changed(", image_shape, generator", ""), {}, "`__init__` in line 14"),
    "labels": (changed("support, query)", "support, query, labels)"), {}, "`logits` in line 15"),
    "a generator": (changed("query): ...", "query): yield 1"), {}, "`logits` in line 15"),
    "an unknown key": (GOOD, {"settings": {"limit": 1.5, "dim": 2}}, "did you mean 'dims'?"),
    "a key for one data set": (
        GOOD, {"per_dataset": {"omniglot": {"settings": {"dimz": 2}}}}, "settings.dimz",
    ),
    "no value": (GOOD, {"settings": {}}, "`limit`, which has no default"),
    "a missing file": (GOOD, {"files": ["weights.pt"]}, "weights.pt: no such file"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_modules_that_cannot_run_are_refused(tmp_path: Path, what: str):
    text, changes, expected = REFUSED[what]
    with pytest.raises(ConfigError) as caught:
        check(tmp_path, text, **changes)
    assert expected in str(caught.value)
    assert "learners.custom" in caught.value.where
    assert "embedding" not in caught.value.what
    assert caught.value.fix


def test_a_learner_that_the_grid_leaves_out_is_not_checked(tmp_path: Path):
    custom = {"mine": {"module": "nowhere.py"}}
    config = parse_config({"learners": {"custom": custom}})
    check_custom_code(config, SourceTree(SCRIPTS, HashCache(None), tmp_path))


def test_the_example_passes():
    grid = {"datasets": ["mnist"], "embeddings": ["acai"], "learners": ["mine"]}
    entry = {"module": "docs/examples/matching_networks.py"}
    config = parse_config({"grid": grid, "learners": {"custom": {"mine": entry}}})
    check_custom_code(config, SourceTree(SCRIPTS, HashCache(None), ROOT))


@pytest.mark.parametrize("learner", ["maml", "protonets"])
def test_jobs_of_other_learners_do_not_run_what_custom_ones_need(learner: str):
    tree = SourceTree(SCRIPTS, HashCache(None), ROOT)
    for script in ("meta_train.py", "evaluate_model.py"):
        code = tree.closure([script, f"cactus.meta.{learner}.learner"]).files
        assert not {"cactus/meta/custom.py", "cactus/meta/episodic.py", "cactus/custom_code.py"} & {
            *code
        }
        other = "protonets" if learner == "maml" else "maml"
        assert not [name for name in code if name.startswith(f"cactus/meta/{other}/")]
