"""What jobs ask of Slurm, tried before anything is submitted."""

import shlex
from collections.abc import Iterable
from typing import Any, Final

from cactus.cluster.slurm import ask, partitions
from cactus.errors import ClusterError

# Part of Slurm's refusal, the keys of the profile that may cause it, and what Slurm can tell.
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
    """Return the options with which a job is submitted, as Snakemake's Slurm plugin words them.

    Parameters
    ----------
    resources
        The resources of a Snakemake job, with a method `get`.
    threads
        Its threads.
    """
    options = {
        "--account": str(resources.get("slurm_account") or "").replace(",", " ").split()[:1],
        "--partition": resources.get("slurm_partition"),
        "--time": resources.get("runtime"),
        "--mem": resources.get("mem_mb"),
        "--constraint": resources.get("constraint"),
        "--qos": resources.get("qos"),
        "--gres": resources.get("gres"),
        "--gpus": _gpus(resources),
        "--cpus-per-task": resources.get("cpus_per_task") or threads,
    }
    words = []
    for name, value in options.items():
        text = value[0] if isinstance(value, list) and value else value
        if text:
            words.append(f"{name}={text}")
    return (*words, *shlex.split(str(resources.get("slurm_extra") or "")))


def _gpus(resources: Any) -> str | None:
    count, model = resources.get("gpu"), resources.get("gpu_model")
    if not count:
        return None
    return f"{model}:{count}" if model else str(count)


def check_sharing(jobs_per_gpu: int, requests: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Refuse a request for a whole GPU where several jobs are to share one.

    Parameters
    ----------
    jobs_per_gpu
        How many are to share one.
    requests
        Pairs of the rule and the options of `sbatch`.

    Raises
    ------
    ClusterError
        A request is for a whole GPU.
    """
    for rule, options in requests:
        whole = [one for one in options if one.startswith(("--gpus=", "--gres=gpu"))]
        if jobs_per_gpu > 1 and whole:
            raise ClusterError(
                "Jobs are to share GPUs, and the profile asks for whole ones.",
                where="gpus.jobs_per_gpu",
                got=f"{jobs_per_gpu}, and {' '.join(whole)} for rule {rule}",
                fix="set it to 1; or, where the GPUs have shards (`sinfo --format='%P %G'` shows "
                "gres shard), let `cactus profile` set gpu_shards in the profile",
            )


def check_requests(requests: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Ask Slurm whether it would take each request; nothing is submitted.

    Parameters
    ----------
    requests
        Pairs of the rule and the options of `sbatch`.

    Raises
    ------
    ClusterError
        Slurm would refuse one, or does not answer.
    """
    for options, rule in {options: rule for rule, options in requests}.items():
        try:
            ask("sbatch", "--test-only", *options, "--wrap", "true")
        except ClusterError as error:
            if "No such file" in error.got or not _refused(error.got):
                raise
            raise _refusal(rule, options, error.got) from error


def _refused(got: str) -> bool:
    return any(words in got.lower() for words, _ in _REFUSALS)


def _refusal(rule: str, options: tuple[str, ...], got: str) -> ClusterError:
    keys = next(keys for words, keys in _REFUSALS if words in got.lower())
    known = "; ".join(
        f"{one.name}{' (default)' if one.default else ''} with {', '.join(one.gres) or 'no GPU'}"
        for one in partitions()
    )
    return ClusterError(
        "Slurm would refuse the jobs of a rule.",
        where=f"rule {rule}: sbatch {shlex.join(options)}",
        got=got,
        fix=f"set {keys} in the profile (slurm/config.yaml), or let `cactus profile` write one "
        f"for this cluster; its partitions are: {known}",
    )
