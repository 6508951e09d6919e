"""What is checked of learners of users before and after their training."""

from functools import partial
from pathlib import Path

import pytest

from cactus.errors import ConfigError, DataError
from cactus.meta.registry import check_custom
from tests.unit.meta.custom_modules import DROPOUT, EXAMPLE, PLAIN, SOURCE, changing, module
from tests.unit.meta.tiny import CPU, episodes

CHECKED = {
    "the example": (EXAMPLE, {"settings": {"filters": 4}}),
    "a plain one": (PLAIN, {}),
    "dropout": (DROPOUT, {}),
    "a transductive one": (
        changing("logits = logits - logits.mean(1, keepdim=True)"), {"transductive": True},
    ),
    "gradient steps in evaluation": (
        changing("\n".join([
            "with torch.enable_grad():",
            "            weights = self.linear.weight.expand(len(support), -1, -1)",
            "            features = support.flatten(-3).flatten(1, 2) @ weights.mT",
            "            steps, = torch.autograd.grad(features.square().sum(), weights)",
            "        logits = logits + steps.mean((1, 2))[:, None, None]",
        ])), {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHECKED)
def test_right_learners_pass_the_checks(tmp_path: Path, what: str):
    text, changes = CHECKED[what]
    source = Path(text).read_text() if text == EXAMPLE else text
    rebuild = module(tmp_path, source, **changes)
    learner = rebuild()
    batch = episodes(SOURCE, 4)
    check_custom(learner, SOURCE.images, batch, rebuild)
    learner.accumulate_gradients(SOURCE.images, batch)
    check_custom(learner, SOURCE.images, batch, rebuild)


REFUSED = {
    "NaN": ("logits = logits * float('nan')", "NaN or infinity"),
    "infinity": ("logits = logits / 0", "NaN or infinity"),
    "no class axis": ("logits = logits[..., 0]", "a number for each query and class"),
    "swapped axes": ("logits = logits.mT", "a number for each query and class"),
    "a class too few": ("logits = logits[..., :-1]", "(4, 6, 2), expected floating point"),
    "integers": ("logits = logits.long()", "a number for each query and class"),
    "no tensor": ("logits = logits.tolist()", "did not return a tensor"),
    "noise": ("logits = logits + torch.randn_like(logits)", "others when called again"),
    "a count": (
        "self.count += 1; logits = logits * self.count", "others when called again",
    ),
    "other episodes": (
        "logits = logits - logits.mean(0, keepdim=True)", "others without the other episodes",
    ),
    "the order of queries": (
        "logits = logits * torch.arange(logits.shape[1])[:, None]",
        "others in another order of the queries",
    ),
    "other queries": (
        "logits = logits - logits.mean(1, keepdim=True)", "others without the other queries",
    ),
    "a changed buffer": ("self.calls += 1", "A prediction changed the state."),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_wrong_predictions_are_refused(tmp_path: Path, what: str):
    line, expected = REFUSED[what]
    rebuild = module(tmp_path, changing(line))
    with pytest.raises(DataError) as caught:
        check_custom(rebuild(), SOURCE.images, episodes(SOURCE, 4), rebuild)
    assert expected in str(caught.value)
    assert caught.value.where.startswith("learners.custom.mine, ")
    assert "adding-a-learner.md" in caught.value.fix


def test_a_transductive_learner_may_still_not_depend_on_other_episodes(tmp_path: Path):
    text = changing("logits = logits - logits.mean((0, 1), keepdim=True)")
    rebuild = module(tmp_path, text, transductive=True)
    with pytest.raises(DataError, match="without the other episodes"):
        check_custom(rebuild(), SOURCE.images, episodes(SOURCE, 4), rebuild)


def test_what_training_changes_outside_the_state_is_noticed(tmp_path: Path):
    text = changing("self.count += self.training\n        logits = logits * (1 + self.count)")
    rebuild = module(tmp_path, text)
    learner, batch = rebuild(), episodes(SOURCE, 4)
    check_custom(learner, SOURCE.images, batch, rebuild)
    learner.accumulate_gradients(SOURCE.images, batch)
    with pytest.raises(DataError, match="with the state loaded into a new learner"):
        check_custom(learner, SOURCE.images, batch, rebuild)


def test_a_model_that_depends_on_keys_of_training_is_refused(tmp_path: Path):
    text = PLAIN.replace("channels, 8)", "channels, 8 * training.shot)")
    rebuild = module(tmp_path, text)
    scoring = partial(rebuild.func, "mine", rebuild.args[1].for_scoring(), *rebuild.args[2:])
    with pytest.raises(DataError, match="does not take the state") as caught:
        check_custom(
            rebuild(), SOURCE.images, episodes(SOURCE, 4), partial(scoring, seed=0, device=CPU)
        )
    assert "linear.weight" in caught.value.got


def test_a_state_that_is_not_tensors_is_refused(tmp_path: Path):
    extra = "\n    def get_extra_state(self):\n        return {'names': ['a']}\n"
    rebuild = module(tmp_path, PLAIN + extra)
    with pytest.raises(DataError, match="more than tensors") as caught:
        check_custom(rebuild(), SOURCE.images, episodes(SOURCE, 4), rebuild)
    assert "_extra_state" in caught.value.got


BAD_CLASSES = {
    "no base": (PLAIN.replace("Learner(EpisodicLearner)", "Learner(nn.Module)")
                .replace("super().__init__(training, image_shape)", "super().__init__()"),
                "not derived from EpisodicLearner"),
    "a function": (PLAIN.replace("class Learner", "class Mine") + "\ndef Learner(*a): ...\n",
                   "not derived from EpisodicLearner"),
    "no parameters": (PLAIN.replace("self.linear = nn.Linear(height * width * channels, 8)",
                                    "self.linear = nn.Identity()"), "no parameters"),
    "own accuracies": (PLAIN + "\n    def accuracies(self, images, batch): ...\n",
                       "it defines accuracies"),
    "own predictions": (PLAIN + "\n    def predicted_positions(self, images, batch): ...\n",
                        "it defines predicted_positions"),
    "own episodes": (PLAIN + "\n    def episodes(self, images, batch): ...\n", "defines episodes"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD_CLASSES)
def test_classes_that_cannot_be_used_are_refused(tmp_path: Path, what: str):
    text, expected = BAD_CLASSES[what]
    with pytest.raises(ConfigError) as caught:
        module(tmp_path, text)()
    assert expected in caught.value.got
    assert caught.value.where == "learners.custom.mine.module"


def test_refused_settings_name_the_key(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        module(tmp_path, PLAIN, settings={"scale": 0})()
    assert caught.value.where == "learners.custom.mine.settings.scale"
