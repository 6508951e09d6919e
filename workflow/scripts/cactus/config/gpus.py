"""Settings of how jobs share GPUs."""

from cactus.config.base import Count, Settings, setting


class GpuSettings(Settings):
    """How jobs share GPUs. No result depends on it or becomes stale."""

    jobs_per_gpu: Count = setting(
        1,
        "Maximum number of small jobs that share a GPU. On Slurm, a job requests its share of a "
        "GPU's shards; elsewhere, `--resources gpu=1` runs this many jobs at once. They all have "
        "to fit in the GPU's memory.",
        unit="jobs",
    )
