"""Settings of the paper's four embeddings."""

from typing import Annotated, Literal

from pydantic import Field

from cactus.config.sections.base import (
    Count,
    CountOrZero,
    DatasetSettings,
    Fraction,
    NonNegative,
    Overrides,
    Positive,
    Precision,
    UnfitError,
    changed,
    fitting,
    overrides,
    setting,
)

EvenSide = Annotated[int, Field(ge=8, multiple_of=2)]

_JOINT = (
    "Whether the discriminator sees real and generated images in one batch. The original uses "
    "two batches, in which batch norm hides their overall difference; with one, training is "
    "faster at first."
)


class MethodSettings(DatasetSettings):
    """Settings that all methods with a training loop share."""

    working_size: EvenSide = setting(
        64,
        "Side length of the images that the networks see: larger images are downsampled with "
        "antialiasing, smaller ones padded with their border pixels.",
        unit="pixels",
    )
    batch_size: Count = setting(128, "Images in a training batch.", unit="images")
    log_every: Count = setting(
        100, "Steps per point of the training curve; each point is their mean.", unit="steps"
    )
    encode_batch_size: Count = setting(
        500, "Images encoded at once; does not affect the embedding.", unit="images"
    )
    precision: Precision = setting(
        "float32",
        "Precision of the networks' passes in training: `bfloat16` is mixed precision, on a GPU "
        "only. Weights, statistics, losses and encoding stay float32.",
    )


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
    batch_size: Count = changed(MethodSettings, "batch_size", 64)
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
    iterations: Count = setting(
        262_144,
        "Training steps; the original uses 2^14 times 1024 images in batches of 64.",
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


def _bigan_overrides() -> Overrides:
    gray = {"working_size": 28, "raw_size": 28, "hidden": 1024, "encoder": "conv"}
    return {
        "mnist": {**gray, "dims": 50, "encoder": "mlp", "networks": "mlp"},
        "omniglot": gray,
        "celeba": {"epochs": 50, "decay_epochs": 50},
    }


class BiganSettings(MethodSettings):
    """BiGAN: an encoder trained against a joint discriminator (Donahue et al. 2017).

    The defaults are those of the authors' ImageNet runs, and for MNIST those of their MNIST
    runs. Omniglot uses the convolutional networks for 28-pixel images, because the unordered
    pixels that the authors chose for MNIST are not part of the method. CelebA trains for 50 + 50
    epochs, as the authors do on a data set of its size, within a factor of eight.
    """

    dims: Count = setting(200, "Dimensions of the latent code, uniform on (-1, 1).")
    raw_size: Count = setting(
        72,
        "Side length to which images are resized before a random crop of `working_size` (a center "
        "crop when encoding); set it to `working_size` for no crop.",
        unit="pixels",
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
    joint_batch: bool = setting(False, _JOINT)
    learning_rate: Positive = setting(
        2e-4, "Learning rate of Adam until the decay, for all networks."
    )
    beta1: Fraction = setting(0.5, "Coefficient of Adam's first moment.")
    weight_decay: NonNegative = setting(2.5e-5, "L2 penalty on all weights.")
    epochs: Count = setting(200, "Epochs at the full learning rate.", unit="epochs")
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

    @fitting
    def _sizes_fit(self) -> None:
        if self.raw_size < self.working_size:
            raise UnfitError(
                "raw_size",
                f"raw_size ({self.raw_size}) is smaller than working_size ({self.working_size})",
            )
        if self.hidden == 0 and "mlp" in (self.encoder, self.networks):
            raise UnfitError("hidden", "an mlp needs hidden units; set `hidden` above 0")


def _deepcluster_overrides() -> Overrides:
    gray = {
        "working_size": 28,
        "channels": [48, 128, 192, 192, 128],
        "hidden": 1024,
        "crop_area_min": 0.5,
        "flip": False,
    }
    return {
        "mnist": {**gray, "clusters": 390},
        "omniglot": {**gray, "clusters": 170},
        "celeba": {"clusters": 1270},
    }


class DeepclusterSettings(MethodSettings):
    """DeepCluster: a network that predicts the clusters of its own features (Caron et al. 2018).

    The network is AlexNet on 64-pixel images with a first convolution of kernel size 5, stride 1
    and padding 1, as CACTUs states for miniImageNet. Grayscale characters have no color and
    little texture, so they use half its filters and a quarter of its units. They are never
    mirrored, because a mirrored character is a different one, and cropped less, because a part
    may be a different one too.
    """

    batch_size: Count = changed(MethodSettings, "batch_size", 256)
    dims: Count = setting(256, "Dimensions after PCA whitening.")
    clusters: Count = setting(
        300,
        "Number of clusters k for the pseudo-labels. The original has 128 images per cluster "
        "(k = 10,000 on ImageNet); the ratio is kept here, because the number for CACTUs is not "
        "published.",
    )
    kmeans_iterations: Count = setting(20, "Iterations of k-means per epoch.")
    channels: tuple[Count, Count, Count, Count, Count] = setting(
        (96, 256, 384, 384, 256), "Filters of AlexNet's five convolutions."
    )
    first_kernel: Count = setting(5, "Kernel size of the first convolution.", unit="pixels")
    first_stride: Count = setting(1, "Stride of the first convolution.", unit="pixels")
    first_padding: CountOrZero = setting(1, "Padding of the first convolution.", unit="pixels")
    hidden: Count = setting(4096, "Units of the two fully connected layers.")
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = setting(
        0.5, "Fraction of units dropped before each of the two fully connected layers."
    )
    learning_rate: Positive = setting(0.05, "Learning rate of SGD, for trunk and classifier.")
    momentum: Fraction = setting(0.9, "Momentum of SGD for the trunk; the classifier has none.")
    weight_decay: NonNegative = setting(1e-5, "L2 penalty on all weights.")
    epochs: Count = setting(200, "Epochs; each starts with a new clustering.", unit="epochs")
    crop_area_min: Annotated[float, Field(gt=0.0, le=1.0)] = setting(
        0.08,
        "Smallest random crop, as a fraction of the image's area; the largest is the whole image.",
    )
    crop_ratio_max: Annotated[float, Field(ge=1.0)] = setting(
        4 / 3, "Largest aspect ratio of a crop; the smallest is its inverse."
    )
    flip: bool = setting(True, "Flip images horizontally with probability one half.")
    per_dataset: Overrides = overrides(_deepcluster_overrides)

    @fitting
    def _sizes_fit(self) -> None:
        if self.dims > self.hidden:
            raise UnfitError("dims", f"dims ({self.dims}) is larger than hidden ({self.hidden})")
        if self.feature_size < 1:
            raise UnfitError(
                "first_stride",
                f"nothing is left of images of {self.working_size} pixels after the convolutions; "
                "increase working_size or decrease first_stride",
            )

    @property
    def feature_size(self) -> int:
        """Side length of the last feature map: a strided convolution, three 3x3 poolings by two."""
        size = (self.working_size + 2 * self.first_padding - self.first_kernel) // self.first_stride
        size += 1
        for _ in range(3):
            size = (size - 3) // 2 + 1
        return size


def _infogan_overrides() -> Overrides:
    many = {"categorical": [10] * 10, "continuous": 0, "noise": 128}
    color = {**many, "working_size": 32, "iterations": 50_000}
    return {"omniglot": many, "miniimagenet": color, "celeba": color}


class InfoganSettings(MethodSettings):
    """InfoGAN: a GAN whose codes can be recovered from its images (Chen et al. 2016).

    The defaults are those of the authors' MNIST runs. Color images use the codes, the noise and
    the working size of the paper's CelebA run, with ten times the steps, because photographs are
    harder to generate. Omniglot uses the same codes, because a single ten-valued code cannot
    distinguish 1100 characters.
    """

    working_size: EvenSide = changed(MethodSettings, "working_size", 28)
    noise: CountOrZero = setting(62, "Dimensions of the incompressible noise, uniform on (-1, 1).")
    categorical: tuple[Count, ...] = setting((10,), "Number of values of each categorical code.")
    continuous: CountOrZero = setting(2, "Number of continuous codes, uniform on (-1, 1).")
    width: Count = setting(
        64, "Filters of the first convolution; each additional one doubles them."
    )
    hidden: Count = setting(1024, "Units of the fully connected layer after the convolutions.")
    recognition_hidden: Count = setting(128, "Units of the recognition network's own layer.")
    kernel: Count = setting(4, "Kernel size.", unit="pixels")
    joint_batch: bool = setting(False, _JOINT)
    generator_rate: Positive = setting(1e-3, "Learning rate of Adam for the generator.")
    discriminator_rate: Positive = setting(
        2e-4, "Learning rate of Adam for discriminator and recognition network."
    )
    beta1: Fraction = setting(0.5, "Coefficient of Adam's first moment.")
    categorical_weight: NonNegative = setting(
        1.0, "Weight lambda of the categorical codes' mutual information."
    )
    continuous_weight: NonNegative = setting(
        1.0, "Weight lambda of the continuous codes' mutual information."
    )
    iterations: Count = setting(
        5_000, "Training steps, each updates discriminator and generator (50 x 100).", unit="steps"
    )
    features: Literal["codes", "hidden", "trunk"] = setting(
        "codes",
        "What to use as the embedding: `codes` are the recognition network's outputs before any "
        "activation, as in CACTUs; `hidden` is the layer before, `trunk` the one before that.",
    )
    per_dataset: Overrides = overrides(_infogan_overrides)

    @fitting
    def _codes_exist(self) -> None:
        if not self.categorical and self.continuous == 0:
            raise UnfitError("categorical", "there are no codes; set `categorical` or `continuous`")
        if min(self.categorical, default=2) < 2:
            raise UnfitError("categorical", "a categorical code needs at least two values")
