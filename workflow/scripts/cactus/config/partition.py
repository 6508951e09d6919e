"""Settings of the partitions from which meta-training tasks are built."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from cactus.config.base import (
    Count,
    CountOrZero,
    DatasetName,
    DatasetSettings,
    Fraction,
    LearnerName,
    NonNegative,
    Positive,
    Settings,
    merge,
    setting,
)

ShareBelowOne = Annotated[float, Field(ge=0.0, lt=1.0)]


class MamlAcceptanceSettings(Settings):
    """When a k-means run is good enough for MAML, and how often it is started."""

    fraction: ShareBelowOne = setting(
        0.75,
        "A k-means run is repeated until more than this share of its clusters is large enough.",
        unit="share of clusters",
    )
    strict: bool = setting(
        True,
        "Whether a cluster is large enough only with more than shot + query images (true) or "
        "already with exactly shot + query (false).",
    )
    n_init: Count = setting(
        1,
        "k-means starts per run, the best of which is kept, with several partitions.",
        unit="starts",
    )
    n_init_single: Count = setting(
        10,
        "k-means starts per run, the best of which is kept, with one partition.",
        unit="starts",
    )


class ProtonetsAcceptanceSettings(MamlAcceptanceSettings):
    """When a k-means run is good enough for ProtoNets, and how often it is started."""

    fraction: ShareBelowOne = setting(
        0.80,
        "A k-means run is repeated until more than this share of its clusters is large enough.",
        unit="share of clusters",
    )
    strict: bool = setting(
        False,
        "Whether a cluster is large enough only with more than shot + query images (true) or "
        "already with exactly shot + query (false).",
    )
    n_init: Count = setting(
        3,
        "k-means starts per run, the best of which is kept, with several partitions.",
        unit="starts",
    )


class RandomSettings(Settings):
    """Uniformly random labels, the control without any structure."""

    labels: Count = setting(500, "Labels among which each image draws one.", unit="labels")
    count: Count = setting(
        2400,
        "Partitions; 2400 means about 100 tasks each in 30,000 iterations of 8 tasks.",
        unit="partitions",
    )


class PixelSettings(Settings):
    """k-means on contrast-normalised, whitened pixels, the control without an embedding.

    Whitened pixels are given by their principal coordinates, which differ from ZCA's by a
    rotation. No distance changes, so the first, unscaled partition is that of ZCA.
    """

    count: Count = setting(
        1,
        "Partitions; the sources name no number, and one is the plain k-means.",
        unit="partitions",
    )
    n_init: Count = setting(1, "k-means starts per run, the best is kept.", unit="starts")
    contrast_offset: Positive = setting(
        10.0,
        "Added to the pixel variance of an image before dividing by its root.",
        unit="squared grey levels, 0 to 255",
    )
    zca_epsilon: Positive = setting(
        1e-5,
        "Added to the variance of each principal direction before dividing by its root.",
        unit="squared contrast units",
    )
    fit_images: Count = setting(
        100_000,
        "Images, drawn at random, from which the principal directions are found; bounds the "
        "memory (images x pixels x 4 bytes).",
        unit="images",
    )
    components: Count = setting(
        1024,
        "Leading principal directions kept; 784 or more is exact on 28x28 images.",
        unit="directions",
    )


class HyperplaneSettings(Settings):
    """Cells cut out by random hyperplanes in the embedding space."""

    count: Count = setting(
        2400,
        "Partitions; 2400 means about 100 tasks each in 30,000 iterations of 8 tasks.",
        unit="partitions",
    )
    planes: Count = setting(1000, "Accepted planes from which partitions draw.", unit="planes")
    normal_range: Positive = setting(
        1.0,
        "Half width a of U(-a, a), from which each component of a normal is drawn before it is "
        "scaled to unit length.",
        unit="embedding units",
    )
    point_range: NonNegative = setting(
        0.8,
        "Half width a of U(-a, a), from which each component of a point on the plane is drawn; "
        "0 is the origin.",
        unit="embedding units",
    )
    margin: NonNegative = setting(
        0.0,
        "Least distance from each plane; nearer images belong to no cell.",
        unit="embedding units",
    )
    side_factor: Count = setting(
        10,
        "Images beyond the margin that each side of a plane needs, as a multiple of shot + query.",
        unit="multiple",
    )
    max_plane_draws: Count = setting(
        100,
        "Planes drawn, on average per accepted one, before an error; the original goes on for "
        "ever.",
        unit="planes",
    )
    max_combinations: Count = setting(
        10_000,
        "Combinations of planes tried for one partition before an error; the original goes on "
        "for ever.",
        unit="combinations",
    )
    per_embedding: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {
            "acai": {"margin": 1.2},
            "deepcluster": {"point_range": 0.0},
        },
        description="Values of this section's keys that hold for one embedding only.",
    )

    @model_validator(mode="after")
    def _overrides_are_valid(self) -> Self:
        for embedding in self.per_embedding:
            self.resolve(embedding)
        return self

    def resolve(self, embedding: str) -> Self:
        """Return these settings as they hold for one embedding, without `per_embedding`."""
        base = self.model_dump(exclude={"per_embedding"})
        values = merge(base, self.per_embedding.get(embedding, {}))
        return type(self).model_validate({**values, "per_embedding": {}})


_PAPER_PER_DATASET: dict[DatasetName, dict[str, Any]] = {
    "mnist": {"clusters": 10},
    "miniimagenet": {"count": 50, "pixels": {"fit_images": 5000}},
    "celeba": {"count": 50, "maml": {"n_init_single": 1}, "pixels": {"fit_images": 5000}},
}


class PartitionSettings(DatasetSettings):
    """Partitions of the unlabelled training images (Algorithm 1 of CACTUs)."""

    clusters: Count = setting(500, "Clusters k of each k-means.", unit="clusters")
    count: Count = setting(100, "Partitions P made by k-means.", unit="partitions")
    max_iterations: Count = setting(3000, "Iterations of one k-means at most.", unit="iterations")
    tolerance: Fraction = setting(
        0.02,
        "k-means stops when no more than this share of the images changed its cluster in an "
        "iteration; at 0, when none did, as the original nearly does.",
        unit="images / images",
    )
    max_restarts: CountOrZero = setting(
        20,
        "Repetitions of a k-means run that is not accepted before an error; the original repeats "
        "for ever.",
        unit="runs",
    )
    scale_low: NonNegative = setting(
        0.0,
        "Lower end of the uniform range of the weights that scale the dimensions in every "
        "partition but the first.",
        unit="weight",
    )
    scale_high: Positive = setting(1.0, "Upper end of that range.", unit="weight")
    maml: MamlAcceptanceSettings = setting(
        MamlAcceptanceSettings(), "Acceptance of k-means runs that serve MAML."
    )
    protonets: ProtonetsAcceptanceSettings = setting(
        ProtonetsAcceptanceSettings(), "Acceptance of k-means runs that serve ProtoNets."
    )
    random: RandomSettings = setting(RandomSettings(), "Partitions by random labels.")
    pixels: PixelSettings = setting(PixelSettings(), "Partitions by k-means on pixels.")
    hyperplanes: HyperplaneSettings = setting(
        HyperplaneSettings(), "Partitions by random hyperplanes."
    )
    pool_attributes: Count = setting(
        3,
        "Attributes that define a CelebA task: one class has chosen values of all of them, the "
        "other the opposite values.",
        unit="attributes",
    )
    per_dataset: dict[DatasetName, dict[str, Any]] = Field(
        default_factory=lambda: dict(_PAPER_PER_DATASET),
        description="Values of this section's keys that hold for one data set only.",
    )

    def acceptance(self, learner: LearnerName) -> MamlAcceptanceSettings:
        """Return the acceptance rule that serves a learner."""
        return self.maml if learner == "maml" else self.protonets
