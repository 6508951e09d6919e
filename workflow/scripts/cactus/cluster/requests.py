"""What jobs request from Slurm, checked before anything is submitted."""

import shlex
from collections.abc import Iterable
from typing import Any, Final

from cactus.cluster.slurm import partitions, run_slurm
from cactus.errors import ClusterError

# Words in Slurm's refusal, and the keys of the profile that may have caused it.
_REFUSALS: Final = (
    ("account", "account"),
    ("partition", "cpu_partition or gpu_partition"),
    ("qos", "qos"),
    ("gres", "gpu_request, gpu_model or gpu_shards"),
    ("node configuration", "gpu_model, or the row of the rule in memory"),
    ("memory", "the row of the rule in memory"),
    ("time limit", "the row of the rule in minutes"),
    ("processors", "the threads of the rule (compute.threads in the configuration)"),
    ("feature", "constraint"),
)


def request_options(resources: Any, threads: int) -> tuple[str, ...]:
    """Return the `sbatch` options that Snakemake's Slurm plugin submits a job with.

    Parameters
    ----------
    resources
        The resources of a Snakemake job; has a method `get`.
    threads
        The job's threads.
    """
    accounts = str(resources.get("slurm_account") or "").replace(",", " ").split()
    options = {
        "--account": accounts[0] if accounts else None,
        "--partition": resources.get("slurm_partition"),
        "--time": resources.get("runtime"),
        "--mem": resources.get("mem_mb"),
        "--constraint": resources.get("constraint"),
        "--qos": resources.get("qos"),
        "--gres": resources.get("gres"),
        "--gpus": _gpus(resources),
        "--cpus-per-task": resources.get("cpus_per_task") or threads,
    }
    arguments = [f"{name}={value}" for name, value in options.items() if value]
    return (*arguments, *shlex.split(str(resources.get("slurm_extra") or "")))


def _gpus(resources: Any) -> str | None:
    count, model = resources.get("gpu"), resources.get("gpu_model")
    if not count:
        return None
    return f"{model}:{count}" if model else str(count)


def check_sharing(jobs_per_gpu: int, requests: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Check that no job requests a whole GPU where several jobs should share one.

    Parameters
    ----------
    jobs_per_gpu
        How many jobs should share a GPU.
    requests
        Pairs of a rule and its `sbatch` options.

    Raises
    ------
    ClusterError
        A job requests a whole GPU.
    """
    for rule, options in requests:
        whole = [one for one in options if one.startswith(("--gpus=", "--gres=gpu"))]
        if jobs_per_gpu > 1 and whole:
            raise ClusterError(
                "Jobs should share GPUs, but the profile requests whole GPUs.",
                where="gpus.jobs_per_gpu",
                got=f"{jobs_per_gpu}, and {' '.join(whole)} for rule {rule}",
                fix="set it to 1, or, if the GPUs have shards (`sinfo --format='%P %G'` shows gres "
                "shard), run `cactus profile` to set gpu_shards in the profile",
            )


def check_requests(requests: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Ask Slurm whether it would accept each request, without submitting anything.

    Parameters
    ----------
    requests
        Pairs of a rule and its `sbatch` options.

    Raises
    ------
    ClusterError
        Slurm would refuse a request, or does not answer.
    """
    for options, rule in {options: rule for rule, options in requests}.items():
        try:
            run_slurm("sbatch", "--test-only", *options, "--wrap", "true")
        except ClusterError as error:
            to_blame = [keys for words, keys in _REFUSALS if words in error.got.lower()]
            if "No such file" in error.got or not to_blame:
                raise
            raise ClusterError(
                "Slurm would refuse the jobs of a rule.",
                where=f"rule {rule}: sbatch {shlex.join(options)}",
                got=error.got,
                fix=f"set {to_blame[0]} in the profile (slurm/config.yaml), or run "
                "`cactus profile` to fit it to this cluster; its partitions are: "
                f"{'; '.join(map(str, partitions()))}",
            ) from error
