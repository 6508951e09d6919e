"""Settings of how a run is operated; no result depends on them, so nothing becomes stale."""

from cactus.config.sections.base import Count, Positive, Settings, setting


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


class GpuSettings(Settings):
    """How jobs share GPUs. No result depends on it or becomes stale."""

    jobs_per_gpu: Count = setting(
        1,
        "Maximum number of small jobs that share a GPU. On Slurm, a job requests its share of a "
        "GPU's shards; elsewhere, `--resources gpu=1` runs this many jobs at once. They all have "
        "to fit in the GPU's memory.",
        unit="jobs",
    )
