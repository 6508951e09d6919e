"""Settings that decide how fast a meta-learner computes, and results only by rounding."""

from typing import Literal

from cactus.config.sections.base import (
    Count,
    DatasetName,
    DatasetSettings,
    LearnerName,
    Settings,
    UnfitError,
    fitting,
    setting,
)

AtOnce = Count | Literal["auto"]


class MamlSpeed(DatasetSettings):
    """How MAML is computed."""

    kernel: Literal["manual", "autograd"] = setting(
        "manual",
        "How the inner steps are differentiated: by formulas derived by hand, or by automatic "
        "differentiation, the slower reference.",
    )
    cuda_graph: bool = setting(
        False,
        "Record the kernel launches of a training step's gradient as a CUDA graph and replay it; "
        "only on a GPU and with the manual kernel.",
    )
    tasks_at_once: AtOnce = setting(
        "auto",
        "Episodes of an outer update computed together by grouped convolutions. `auto` chooses by "
        "size, device and threads.",
        unit="episodes",
    )
    evaluation_tasks_at_once: AtOnce = setting(
        "auto", "The same for the episodes of an evaluation.", unit="episodes"
    )

    @fitting
    def _graphs_have_no_autograd(self) -> None:
        if self.cuda_graph and self.kernel != "manual":
            raise UnfitError("kernel", "cuda_graph needs the kernel 'manual': reset one of the two")


class ProtonetsSpeed(DatasetSettings):
    """How ProtoNets are evaluated."""

    evaluation_tasks_at_once: Count = setting(
        1000,
        "Episodes evaluated together, with each of their images encoded once.",
        unit="episodes",
    )
    images_at_once: Count = setting(256, "Images encoded together in evaluation.", unit="images")


class SpeedSettings(Settings):
    """Speed and memory of the meta-learners; these keys affect results only by rounding."""

    maml: MamlSpeed = MamlSpeed()
    protonets: ProtonetsSpeed = ProtonetsSpeed()

    def resolve(self, name: LearnerName, dataset: DatasetName) -> MamlSpeed | ProtonetsSpeed:
        """Return the settings of a meta-learner for one data set."""
        settings: MamlSpeed | ProtonetsSpeed = getattr(self, name)
        return settings.resolve(dataset)
