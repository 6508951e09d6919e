"""Settings of checkpoints."""

from cactus.config.base import Count, Positive, Settings, setting


class CheckpointSettings(Settings):
    """When training saves its state to go on from; no result depends on it, so nothing gets stale.

    A request to stop saves the state too.
    """

    seconds: Positive | None = setting(
        600.0, "Time after which the state is saved anew; null for never.", unit="seconds"
    )
    steps: Count | None = setting(
        None, "Training steps after which the state is saved anew; null for never.", unit="steps"
    )
