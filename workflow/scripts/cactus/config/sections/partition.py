"""Settings of the partitions from which meta-training tasks are built."""

from collections.abc import Mapping
from typing import Any, Final, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from cactus.config.sections.acceptance import (
    AcceptanceSettings,
    MamlAcceptanceSettings,
    ProtonetsAcceptanceSettings,
)
from cactus.config.sections.base import (
    Count,
    CountOrZero,
    DatasetName,
    DatasetSettings,
    Fraction,
    NonNegative,
    Overrides,
    Positive,
    Settings,
    UnfitError,
    fitting,
    merge,
    overrides,
    setting,
)
from cactus.config.sections.source import Source, is_variant_name, unmet_name

_KMEANS_KEYS: Final = {"clusters", "kmeans", "max_iterations", "tolerance", "max_restarts"}
_SCALES: Final = {"scale_low", "scale_high"}  # of all partitions but the first
RULES: Final = {"maml", "protonets"}  # when a run is accepted for a built-in learner
_MAX_VARIANT: Final = 40  # characters
_COUNT = (
    "Partitions, each of which serves about 100 tasks: 2400 in 30,000 iterations of 8 tasks, 4800 "
    "in 60,000."
)


class RandomSettings(Settings):
    """Uniformly random labels: the control without any structure."""

    labels: Count = setting(
        500, "Number of labels, of which each image gets a random one.", unit="labels"
    )
    count: Count = setting(2400, _COUNT, unit="partitions")


class PixelSettings(Settings):
    """k-means on contrast-normalized, whitened pixels: the control without an embedding.

    Whitened pixels are in principal coordinates, which differ from ZCA's by a rotation. This
    leaves all distances unchanged, so the first, unscaled partition is that of ZCA.
    """

    count: Count = setting(
        1, "Partitions; the sources give no number, and one is plain k-means.", unit="partitions"
    )
    n_init: Count = setting(1, "k-means starts per run, of which the best is kept.", unit="starts")
    contrast_offset: Positive = setting(
        10.0,
        "Added to the pixel variance of an image before dividing by its square root.",
        unit="squared gray levels, 0 to 255",
    )
    zca_epsilon: Positive = setting(
        1e-5,
        "Added to the variance of each principal direction before dividing by its square root.",
        unit="squared contrast units",
    )
    fit_images: Count = setting(
        100_000,
        "Random images from which the principal directions are computed; limits the memory "
        "(images x pixels x 4 bytes).",
        unit="images",
    )
    components: Count = setting(
        1024,
        "Leading principal directions to keep; 784 or more is exact on 28x28 images.",
        unit="directions",
    )


class HyperplaneSettings(Settings):
    """Cells between random hyperplanes in the embedding space."""

    count: Count = setting(2400, _COUNT, unit="partitions")
    unit: Literal["spread", "embedding"] = setting(
        "spread",
        "Unit of `margin` and `point_range`. `spread` is the root mean square of the dimensions' "
        "standard deviations over the training images, and points are around their mean. "
        "`embedding` is that of the values themselves, with points around the origin, as in the "
        "original, whose 1.2 and 0.8 are for its own ACAI.",
    )
    planes: Count = setting(1000, "Accepted planes from which partitions are drawn.", unit="planes")
    normal_range: Positive = setting(
        1.0,
        "Half-width a of U(-a, a), from which each component of a normal is drawn before the "
        "normal is scaled to unit length.",
    )
    point_range: NonNegative = setting(
        0.4,
        "Half-width a of U(-a, a), from which each component of a point on the plane is drawn.",
        unit="`unit`",
    )
    margin: NonNegative = setting(
        0.0,
        "Minimum distance from each plane; closer images belong to no cell. A margin that too few "
        "planes can keep is lowered by tenths, which the summary of the partitions and a note "
        "below the table say.",
        unit="`unit`",
    )
    side_factor: Count = setting(
        10,
        "Minimum number of images beyond the margin on each side of a plane, as a multiple of "
        "shot + query.",
        unit="multiple",
    )
    max_plane_draws: Count = setting(
        100,
        "Maximum number of planes drawn, on average per accepted one, before an error; the "
        "original has no limit.",
        unit="planes",
    )
    max_combinations: Count = setting(
        10_000,
        "Maximum number of combinations of planes tried for one partition before an error; the "
        "original has no limit.",
        unit="combinations",
    )
    per_embedding: dict[str, dict[str, Any]] = Field(
        default_factory=lambda: {"acai": {"margin": 0.6}, "deepcluster": {"point_range": 0.0}},
        description="Values of this section's keys for single embeddings.",
    )

    def resolve(self, embedding: str) -> Self:
        """Return these settings for one embedding, without `per_embedding`."""
        base = self.model_dump(exclude={"per_embedding"})
        values = merge(base, self.per_embedding.get(embedding, {}))
        return type(self).model_validate({**values, "per_embedding": {}})


def _paper_variants() -> dict[str, dict[str, Any]]:
    original = {"unit": "embedding", "margin": 1.2, "point_range": 0.8}
    return {
        "p-1": {"count": 1},
        "margin-0": {"hyperplanes": {"margin": 0.0}},
        "margin-1.2": {"hyperplanes": original},
    }


def _paper_overrides() -> Overrides:
    color: dict[str, Any] = {
        "count": 50,
        "random": {"count": 4800},
        "pixels": {"fit_images": 5000},
        "hyperplanes": {"count": 4800},
    }
    return {
        "mnist": {"clusters": 10},
        "miniimagenet": color,
        "celeba": {**color, "maml": {"n_init_single": 1}},
    }


class PartitionSettings(DatasetSettings):
    """Partitions of the unlabeled training images (Algorithm 1 of CACTUs)."""

    clusters: Count = setting(500, "Number of clusters k of each k-means run.", unit="clusters")
    count: Count = setting(100, "Number of partitions P made by k-means.", unit="partitions")
    kmeans: Literal["lloyd", "scikit-learn"] = setting(
        "lloyd",
        "k-means of this project, or scikit-learn's as a reference: from k-means++, until its "
        "centroids hardly move, on one core of the CPU.",
    )
    max_iterations: Count = setting(
        3000, "Maximum number of iterations per k-means run.", unit="iterations"
    )
    tolerance: Fraction = setting(
        0.02,
        "k-means stops when at most this fraction of the images changed clusters in an iteration. "
        "At 0, it stops when none did, which is close to the original.",
        unit="images / images",
    )
    max_restarts: CountOrZero = setting(
        20,
        "Maximum number of repetitions of a rejected k-means run before an error; the original has "
        "no limit.",
        unit="runs",
    )
    scale_low: NonNegative = setting(
        0.0,
        "Lower end of the uniform range of the weights that scale the dimensions in every "
        "partition except the first.",
        unit="weight",
    )
    scale_high: Positive = setting(1.0, "Upper end of that range.", unit="weight")
    maml: MamlAcceptanceSettings = setting(
        MamlAcceptanceSettings(), "When k-means runs are accepted for MAML."
    )
    protonets: ProtonetsAcceptanceSettings = setting(
        ProtonetsAcceptanceSettings(), "When k-means runs are accepted for ProtoNets."
    )
    random: RandomSettings = setting(RandomSettings(), "Partitions by random labels.")
    pixels: PixelSettings = setting(PixelSettings(), "Partitions by k-means on pixels.")
    hyperplanes: HyperplaneSettings = setting(
        HyperplaneSettings(), "Partitions by random hyperplanes."
    )
    pool_attributes: Count = setting(
        3,
        "Attributes that define a CelebA task: one class has a chosen value of each of them, the "
        "other the opposite values.",
        unit="attributes",
    )
    variants: dict[str, dict[str, Any]] = Field(
        default_factory=_paper_variants,
        description="Values of this section's keys for single task sources, by name. Those of "
        "`k-50` hold for `acai+k-50` and other sources with `+k-50`, and win over all others.",
    )
    per_dataset: Overrides = overrides(_paper_overrides)

    @fitting
    def _scales_are_ordered(self) -> None:
        if self.scale_low > self.scale_high:
            raise UnfitError(
                "scale_low",
                f"scale_low ({self.scale_low:g}) is above scale_high ({self.scale_high:g})",
            )

    @model_validator(mode="after")
    def _variants_have_fitting_names(self) -> Self:
        for name, values in self.variants.items():
            if len(name) > _MAX_VARIANT or not is_variant_name(name):
                raise UnfitError(
                    "variants",
                    f"a variant's name has at most {_MAX_VARIANT} lowercase letters and digits, "
                    "with `-`, `_` or `.` between them, and is not like `5-way`, which sets the "
                    "way of a task source",
                    name,
                )
            if wanted := unmet_name(name, values):
                raise UnfitError("variants", f"`{name}` is the name of {wanted}; rename it", name)
        return self

    @property
    @override
    def unread(self) -> frozenset[str]:
        return frozenset({"tolerance"} if self.kmeans == "scikit-learn" else ())

    def of_source(self, source: Source, dataset: DatasetName) -> Self:
        """Return these settings for one task source on one data set, without overrides."""
        variant = self.variants.get(source.variant, {}) if source.variant else {}
        values = merge(self.resolve(dataset).model_dump(exclude={"variants"}), variant)
        planes = HyperplaneSettings.model_validate(values["hyperplanes"])
        resolved = planes.resolve(source.embedding or "")
        return type(self).model_validate({**values, "variants": {}, "hyperplanes": resolved})

    def count_of(self, source: Source) -> int:
        """Return the number of partitions that k-means makes for a source."""
        return self.pixels.count if source.kind == "pixels" else self.count

    def read_by(self, source: Source, dataset: DatasetName) -> set[str]:
        """Return the keys that the partitions of a source depend on, given the values of others."""
        unread = set(self.unread)
        unread |= _SCALES if self.count_of(source) == 1 else set()
        unread |= {"max_restarts"} if source.kind == "pixels" else set()  # any run is accepted
        return keys_read(source, dataset) - unread

    def acceptance(self, learner: str) -> AcceptanceSettings | None:
        """Return the acceptance rule for a meta-learner; None for one that declares its own."""
        rule: AcceptanceSettings | None = getattr(self, learner) if learner in RULES else None
        return rule


def changes_partitions(variant: Mapping[str, Any], source: Source, dataset: DatasetName) -> bool:
    """Return whether a variant sets one of the keys that the partitions of a source read."""
    values = {key: variant[key] for key in variant.keys() & keys_read(source, dataset)}
    planes = values.get("hyperplanes")
    if isinstance(planes, dict):
        own = planes.get("per_embedding")
        here = own.get(source.embedding, {}) if isinstance(own, dict) else {}
        values |= {**planes, "hyperplanes": {}, "per_embedding": here}
    return any(value != {} for value in values.values())


def keys_read(source: Source, dataset: DatasetName) -> set[str]:
    """Return the keys of `partitions` that the partitions of a source depend on."""
    match source.kind:
        case "kmeans":
            return _KMEANS_KEYS | _SCALES | {"count"} | RULES
        case "pixels":
            return _KMEANS_KEYS | _SCALES | {"pixels"}
        case "random" | "hyperplanes":
            return {source.kind}
    return {"pool_attributes"} if dataset == "celeba" else set()
