"""Settings that decide how fast a meta-learner computes, and results only by rounding."""

from cactus.config.sections.base import DatasetName, Settings
from cactus.config.sections.learners.maml import MamlSpeed
from cactus.config.sections.learners.protonets import ProtonetsSpeed

AnySpeed = MamlSpeed | ProtonetsSpeed | None


class SpeedSettings(Settings):
    """Speed and memory of the meta-learners; these keys affect results only by rounding."""

    maml: MamlSpeed = MamlSpeed()
    protonets: ProtonetsSpeed = ProtonetsSpeed()

    def resolve(self, name: str, dataset: DatasetName) -> AnySpeed:
        """Return the settings of a meta-learner for one data set; None for a custom one.

        The settings of a custom learner say how fast it is, too.
        """
        settings: AnySpeed = getattr(self, name, None)
        return settings and settings.resolve(dataset)
