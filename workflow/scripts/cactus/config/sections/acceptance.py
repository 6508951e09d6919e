"""When a k-means run is accepted."""

from typing import Annotated, Self

from pydantic import Field

from cactus.config.sections.base import Count, Settings, changed, setting

FractionBelowOne = Annotated[float, Field(ge=0.0, lt=1.0)]


def unread_starts(partitions: int) -> str:
    """Return the key of k-means starts that is for another number of partitions."""
    return "n_init" if partitions == 1 else "n_init_single"


class AcceptanceSettings(Settings):
    """When a k-means run is accepted for a learner, and how many starts it has."""

    fraction: FractionBelowOne = setting(
        0.75,
        "A k-means run is repeated until more than this fraction of its clusters is large enough.",
        unit="fraction of clusters",
    )
    strict: bool = setting(
        True,
        "Whether a large enough cluster has more than shot + query images (true) or at least "
        "shot + query (false).",
    )
    n_init: Count = setting(
        1,
        "k-means starts per run, of which the best is kept, with several partitions.",
        unit="starts",
    )
    n_init_single: Count = setting(
        10,
        "k-means starts per run, of which the best is kept, with a single partition.",
        unit="starts",
    )

    def of(self, partitions: int) -> Self:
        """Return these settings for a number of partitions, with the default of the unread key."""
        unread = unread_starts(partitions)
        return self.model_copy(update={unread: type(self).model_fields[unread].default})


class MamlAcceptanceSettings(AcceptanceSettings):
    """When a k-means run is accepted for MAML, and how many starts it has."""


class ProtonetsAcceptanceSettings(AcceptanceSettings):
    """When a k-means run is accepted for ProtoNets, and how many starts it has."""

    fraction: FractionBelowOne = changed(AcceptanceSettings, "fraction", 0.80)
    strict: bool = changed(AcceptanceSettings, "strict", False)
    n_init: Count = changed(AcceptanceSettings, "n_init", 3)
