"""Settings of how GPUs are shared out among jobs."""

from cactus.config.base import Count, Settings, setting


class GpuSettings(Settings):
    """How GPUs are shared out among jobs; no result depends on it, so nothing gets stale."""

    jobs_per_gpu: Count = setting(
        1,
        "Jobs that share a GPU, at most, where they are small. On Slurm, a job asks for its part "
        "of a GPU's shards; otherwise `--resources gpu=1` admits so many jobs at once. Each has to "
        "find room in the GPU's memory.",
        unit="jobs",
    )
