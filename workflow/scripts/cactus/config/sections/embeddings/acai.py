"""Settings of ACAI."""

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    Fraction,
    NonNegative,
    Overrides,
    Positive,
    UnfitError,
    changed,
    fitting,
    overrides,
    setting,
)
from cactus.config.sections.embeddings.base import Batch, EvenSide, MethodSettings


def _acai_overrides() -> Overrides:
    color = {"working_size": 64, "depth": 64}
    return {"miniimagenet": color, "celeba": color}


class AcaiSettings(MethodSettings):
    """ACAI: an autoencoder whose interpolations fool a critic (Berthelot et al. 2018).

    The defaults are those of the paper's MNIST runs. On color images, the depth is that of its
    color runs, and the working size is twice theirs, for the detail of 84-pixel images.
    """

    working_size: EvenSide = setting(
        32,
        "Side length of the images that the networks see, `latent_width` times a power of two; "
        "the paper pads 28-pixel digits to 32.",
        unit="pixels",
    )
    batch_size: Batch = changed(MethodSettings, "batch_size", 64)
    latent_channels: Count = setting(
        16, "Channels of the latent map; times `latent_width` squared, the embedding's dimensions."
    )
    latent_width: Count = setting(4, "Side length of the latent map.")
    depth: Count = setting(16, "Filters of the first convolution; they double at each scale.")
    critic_depth: Count | None = setting(None, "`depth` of the critic; null: the same as `depth`.")
    critic_weight: NonNegative = setting(
        0.5, "Weight lambda of the critic's term in the autoencoder's loss."
    )
    gamma: Fraction = setting(
        0.2, "Fraction of the real image in the blend for which the critic should output zero."
    )
    learning_rate: Positive = setting(1e-4, "Learning rate of Adam, for autoencoder and critic.")
    iterations: CountOrZero = setting(
        262_144,
        "Training steps; the original uses 2^14 times 1024 images in batches of 64. 0 for the "
        "untrained network.",
        unit="steps",
    )
    per_dataset: Overrides = overrides(_acai_overrides)

    @fitting
    def _sizes_fit(self) -> None:
        scale, rest = divmod(self.working_size, self.latent_width)
        if rest or scale < 2 or scale & (scale - 1):
            raise UnfitError(
                "working_size",
                f"working_size is {self.working_size}, latent_width {self.latent_width}; "
                "their ratio must be a power of two, at least 2",
            )
