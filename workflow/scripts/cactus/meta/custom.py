"""Build a meta-learner of users, and check what it predicts."""

from collections.abc import Callable
from typing import Any, Final, cast

import torch
from torch import Tensor

from cactus.config.sections.learners.custom import CustomLearner
from cactus.custom_code import LEARNER, custom_code
from cactus.errors import ConfigError
from cactus.meta.base import MetaLearner
from cactus.meta.conv4 import ImageShape
from cactus.meta.episodic import Episodes, EpisodicLearner
from cactus.seeding import derive_seed
from cactus.tasks.episodes import EpisodeBatch

Settings = CustomLearner  # the name that jobs look for
# Methods that a user's class inherits: they keep the labels from it, and check what it predicts.
_KEPT: Final = ("accuracies", "checked_logits", "episodes", "predicted_positions")
# By how much logits may differ for rounding: parts of their spread, and of their size.
_OF_SPREAD, _OF_SIZE = 0.02, 0.001
_SHOWN: Final = 300  # characters of an error


def build_custom(
    name: str, training: CustomLearner, image_shape: ImageShape, seed: int
) -> EpisodicLearner:
    """Return an untrained learner of a user's module.

    PyTorch's global generator is seeded, too: layers draw their weights from it, and dropout.

    Raises
    ------
    ConfigError
        The module cannot be imported, lacks a class, or rejects its settings, or the class is not
        derived from `EpisodicLearner` or has no parameters.
    """
    made, values = custom_code(LEARNER, name, training.module, training.settings)
    if not (isinstance(made, type) and issubclass(made, EpisodicLearner)):
        raise _refused(name, training, f"{made!r} is not derived from EpisodicLearner")
    changed = [one for one in _KEPT if getattr(made, one) is not getattr(EpisodicLearner, one)]
    if changed:
        raise _refused(name, training, f"it defines {', '.join(changed)}, which would not be safe")
    # Another stream than the generator's, or both would draw the same weights.
    torch.manual_seed(derive_seed("global", seed))
    generator = torch.Generator().manual_seed(seed)
    learner = cast(Any, made)(values, training, image_shape, generator)
    learner.name = name
    if not any(True for _ in learner.parameters()):
        raise _refused(name, training, "it has no parameters to learn")
    return cast(EpisodicLearner, learner)


def check_predictions(
    learner: EpisodicLearner,
    images: Tensor,
    batch: EpisodeBatch,
    rebuild: Callable[[], MetaLearner],
) -> None:
    """Check that evaluation gets the same predictions, however it asks for them.

    Parameters
    ----------
    learner
        The learner, which stays as it is.
    images, batch
        Some episodes.
    rebuild
        Builds the learner again, untrained, as evaluation does.

    Raises
    ------
    DataError
        The state is not tensors, or it is not all that predictions depend on; logits are not
        finite; they change from call to call or with the other episodes, the order of the queries
        or, unless the learner is transductive, the other queries; or a prediction changes the
        state.
    """
    before = _state(learner)
    episodes = learner.episodes(images, batch)
    logits = _logits(learner, episodes)
    if not logits.isfinite().all():
        raise learner.refusal("`logits` returned NaN or infinity.", "not finite")
    for what, again, expected in _repeated(learner, episodes, logits):
        _compare(learner, what, again, expected)
    after = _state(learner)
    changed = [key for key, value in before.items() if not torch.equal(value, after[key])]
    if changed:
        raise learner.refusal("A prediction changed the state.", ", ".join(changed))
    other = rebuild()
    try:
        other.load_state_dict(after)
    except RuntimeError as error:
        got = " ".join(str(error).split())[:_SHOWN]
        raise learner.refusal("A new learner does not take the state.", got) from error
    found = _logits(cast(EpisodicLearner, other), episodes)
    _compare(learner, "with the state loaded into a new learner", found, logits)


def _repeated(
    learner: EpisodicLearner, episodes: Episodes, logits: Tensor
) -> list[tuple[str, Tensor, Tensor]]:
    """Return logits that were asked for in other ways, and what they should be."""
    support, query, labels = episodes
    alone = [Episodes(*(part[one : one + 1] for part in episodes)) for one in range(len(support))]
    turned = Episodes(support, query.flip(1), labels.flip(1))
    found = [
        ("when called again", _logits(learner, episodes), logits),
        ("without the other episodes", torch.cat([_logits(learner, one) for one in alone]), logits),
        ("in another order of the queries", _logits(learner, turned), logits.flip(1)),
    ]
    if not learner.settings.transductive:
        for count in {1, max(1, query.shape[1] // 2)}:
            part = Episodes(support, query[:, :count], labels[:, :count])
            found.append(("without the other queries", _logits(learner, part), logits[:, :count]))
    return found


@torch.no_grad()
def _logits(learner: EpisodicLearner, episodes: Episodes) -> Tensor:
    learner.eval()
    return learner.checked_logits(episodes)


def _compare(learner: EpisodicLearner, what: str, found: Tensor, expected: Tensor) -> None:
    spread = expected.std() if expected.numel() > 1 else expected.new_zeros(())
    allowed = _OF_SPREAD * spread + _OF_SIZE * expected.abs()
    apart = (found - expected).abs()
    if not bool((apart <= allowed).all()):
        difference = f"a difference of {float(apart.max()):.3g} in logits of {float(spread):.3g}"
        raise learner.refusal(f"The predictions are others {what}.", difference)


def _state(learner: EpisodicLearner) -> dict[str, Tensor]:
    """Return a copy of the state, which consists of tensors."""
    state: dict[str, Any] = learner.state_dict()
    wrong = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if wrong:
        raise learner.refusal("The state holds more than tensors.", ", ".join(wrong))
    return {key: value.detach().clone() for key, value in state.items()}


def _refused(name: str, training: CustomLearner, got: str) -> ConfigError:
    return ConfigError(
        "The class `Learner` of a custom learner cannot be used.",
        where=f"{LEARNER.section}.{name}.module",
        got=f"{training.module}: {got}",
        fix=f"correct the module; {LEARNER.guide} describes it",
    )
