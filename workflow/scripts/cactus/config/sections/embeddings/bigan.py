"""Settings of BiGAN."""

from typing import Final, Literal

from typing_extensions import override

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    NonNegative,
    Overrides,
    Positive,
    UnfitError,
    fitting,
    overrides,
    setting,
)
from cactus.config.sections.embeddings.base import JOINT_BATCH, MethodSettings, Momentum

_SMALLEST_MAP: Final = 7  # of `cactus.embed.networks.halvings`


def _bigan_overrides() -> Overrides:
    gray = {
        "working_size": 28,
        "raw_size": 28,
        "signed_images": False,
        "hidden": 1024,
        "encoder": "conv",
        "affine": False,
    }
    return {
        "mnist": {**gray, "dims": 50, "encoder": "mlp", "networks": "mlp"},
        "omniglot": gray,
        "celeba": {"epochs": 50, "decay_epochs": 50},
    }


class BiganSettings(MethodSettings):
    """BiGAN: an encoder trained against a joint discriminator (Donahue et al. 2017).

    The defaults are those of the authors' ImageNet runs, and for MNIST those of their MNIST
    runs. Omniglot uses the authors' convolutional networks for 28-pixel images, because the
    unordered pixels that they chose for MNIST are not part of the method. CelebA trains for 50 + 50
    epochs, as the authors do on a data set of its size, within a factor of eight.
    """

    dims: Count = setting(200, "Dimensions of the latent code, uniform on (-1, 1).")
    raw_size: Count = setting(
        72,
        "Side length to which images are resized before a random crop of `working_size` (a center "
        "crop when encoding); set it to `working_size` for no crop.",
        unit="pixels",
    )
    signed_images: bool = setting(
        True,
        "Whether the networks see pixels in [-1, 1], as in the authors' ImageNet runs, or in "
        "[0, 1], as in their MNIST runs.",
    )
    encoder: Literal["mlp", "conv", "alexnet"] = setting("alexnet", "Encoder architecture.")
    networks: Literal["mlp", "conv"] = setting("conv", "Generator and discriminator architecture.")
    width: Count = setting(
        64, "Base width: filters of the first convolution; 64 gives AlexNet its original size."
    )
    hidden: CountOrZero = setting(
        0, "Units of the fully connected layers (both of an MLP); 0 for none with `conv` networks."
    )
    kernel: Count = setting(5, "Kernel size of `conv` networks.", unit="pixels")
    affine: bool = setting(
        True,
        "Whether batch norm learns a gain and a bias, as in the authors' ImageNet runs but not in "
        "their MNIST runs. No other layer has a bias.",
    )
    joint_batch: bool = setting(False, JOINT_BATCH)
    learning_rate: Positive = setting(
        2e-4, "Learning rate of Adam until the decay, for all networks."
    )
    beta1: Momentum = setting(0.5, "Coefficient of Adam's first moment, below 1.")
    weight_decay: NonNegative = setting(2.5e-5, "L2 penalty on everything but batch norm's gains.")
    epochs: CountOrZero = setting(
        200,
        "Epochs at the full learning rate. 0, and 0 `decay_epochs`, for the untrained network.",
        unit="epochs",
    )
    decay_epochs: CountOrZero = setting(
        200, "Additional epochs, in which the learning rate decays exponentially.", unit="epochs"
    )
    final_rate: Positive = setting(0.01, "Final learning rate, as a fraction of the full one.")
    features: Literal["code", "logits"] = setting(
        "code",
        "What to use as the embedding: `code` is E(x) in (-1, 1), the paper's representation; "
        "`logits` is E(x) before it is squashed.",
    )
    per_dataset: Overrides = overrides(_bigan_overrides)

    @property
    @override
    def unread(self) -> frozenset[str]:
        networks = {self.encoder, self.networks}
        unread = {
            "final_rate": self.decay_epochs == 0,
            "kernel": "conv" not in networks,
            "width": networks == {"mlp"},
        }
        return frozenset(key for key, is_unread in unread.items() if is_unread)

    @fitting
    def _sizes_fit(self) -> None:
        if self.raw_size < self.working_size:
            raise UnfitError(
                "raw_size",
                f"raw_size ({self.raw_size}) is smaller than working_size ({self.working_size})",
            )
        if self.hidden == 0 and "mlp" in (self.encoder, self.networks):
            raise UnfitError("hidden", "an mlp needs hidden units; set `hidden` above 0")
        half = self.working_size // 2
        if self.hidden == 0 and self.networks == "conv" and (half % 2 or half <= _SMALLEST_MAP):
            raise UnfitError(
                "hidden",
                f"a discriminator that halves working_size ({self.working_size}) only once has no "
                "layer that sees the code; set `hidden` above 0, or change working_size",
            )
        if self.encoder == "alexnet" and self.width % 4:
            raise UnfitError(
                "width",
                f"the width ({self.width}) of an alexnet, whose convolutions have two groups, must "
                "be a multiple of 4",
            )
