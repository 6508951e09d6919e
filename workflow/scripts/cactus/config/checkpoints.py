"""Settings of checkpoints."""

from cactus.config.base import Count, Positive, Settings, setting


class CheckpointSettings(Settings):
    """When training saves the state to resume from. No result depends on it or becomes stale.

    A request to stop also saves the state.
    """

    seconds: Positive | None = setting(
        600.0, "Time between two checkpoints; null turns them off.", unit="seconds"
    )
    steps: Count | None = setting(
        None, "Training steps between two checkpoints; null turns them off.", unit="steps"
    )
