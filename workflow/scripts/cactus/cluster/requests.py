"""What jobs request from Slurm, checked before anything is submitted."""

import shlex
import sys
from collections.abc import Iterable
from typing import Any, Final

from cactus.cluster.clients import run_slurm
from cactus.cluster.slurm import any_queued, is_limit, partitions, unavailable
from cactus.errors import ClusterError, printable

# Words in Slurm's refusal, and the keys of the profile that may have caused it.
_REFUSALS: Final = (
    ("accounting/qos policy", "less (memory, minutes) or another account or qos"),
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
# Options that choose whose limits count.
_TO_WHOM: Final = ("--account=", "--partition=", "--qos=", "--reservation=", "--clusters=")


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


def check_plugin(jobs: Iterable[Any], arrays: str | None) -> None:
    """Check that Snakemake's Slurm plugin would submit the jobs, Snakemake's own objects.

    Parameters
    ----------
    arrays
        The plugin's option ``--slurm-array-jobs``, with which it would bypass our submission and
        delete finished results.

    Raises
    ------
    ClusterError
        It would refuse a job, or submit jobs as arrays.
    """
    if arrays:
        raise ClusterError(
            "The jobs of this workflow cannot be submitted as arrays.",
            where="--slurm-array-jobs, of the command line or a profile",
            got=arrays,
            fix="leave the option out",
        )
    # Imported where it has been already; the rest of this file works without Snakemake.
    from snakemake_executor_plugin_slurm.utils import set_gres_string
    from snakemake_executor_plugin_slurm.validation import validate_slurm_extra
    from snakemake_interface_common.exceptions import WorkflowError

    for job in jobs:
        try:
            set_gres_string(job)
            validate_slurm_extra(job)
        except WorkflowError as error:
            raise ClusterError(
                "Snakemake's Slurm plugin would refuse the jobs of a rule.",
                where=f"rule {job.rule.name}",
                got=" ".join(str(error).split()),
                fix="leave gpu_model empty in the profile (slurm/config.yaml) if the model's name "
                "has other characters than letters, digits, `_` and `.`, and choose the GPUs by "
                "gpu_partition or constraint",
            ) from error


def check_requests(requests: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Ask Slurm whether it would accept each request; only jobs that are canceled are submitted.

    Report the requests that it would accept and that would wait for nodes that are unavailable now.

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
            obstacles = unavailable(_partition(options))
            if obstacles and _accepted_for_later(options):
                reasons = "; ".join(obstacles[:5]) + ("; ..." if len(obstacles) > 5 else "")
                print(printable(f"note: jobs of rule {rule} will wait: {reasons}"), file=sys.stderr)
            elif not is_limit(error.got) or not (any_queued() or _nothing_accepted(options)):
                raise _refusal(rule, options, error) from error


def _partition(options: tuple[str, ...]) -> str:
    prefix = "--partition="
    return next((one.removeprefix(prefix) for one in options if one.startswith(prefix)), "")


def _accepted_for_later(options: tuple[str, ...]) -> bool:
    """Return whether Slurm accepts a request where it cannot start it now.

    `--test-only` refuses what no node that is available could start. So submit a job for later,
    which Slurm checks against all nodes, and cancel it.
    """
    later = ("--begin=now+1hour", "--job-name=cactus_check", "--output=/dev/null")
    try:
        answer = run_slurm("sbatch", "--parsable", *later, *options, "--wrap", "true")
    except ClusterError:
        return False
    run_slurm("scancel", answer.split(";")[0].strip())
    return True


def _nothing_accepted(options: tuple[str, ...]) -> bool:
    """Return whether a limit refuses the smallest job, too: then the jobs of others fill it."""
    kept = [one for one in options if one.startswith(_TO_WHOM)]
    try:
        run_slurm("sbatch", "--test-only", *kept, "--time=1", "--wrap", "true")
    except ClusterError as error:
        return is_limit(error.got)
    return False


def _refusal(rule: str, options: tuple[str, ...], error: ClusterError) -> ClusterError:
    got = error.got.lower()
    to_blame = [keys for words, keys in _REFUSALS if words in got]
    if "No such file" in error.got or not to_blame:
        return error
    found = partitions()
    name = _partition(options)
    asked = [one for one in found if one.name == name or (one.default and not name)]
    if "node configuration" in got and asked and not asked[0].memory:
        to_blame.insert(0, "every row in memory to 0 (the partition's nodes declare no memory)")
    return ClusterError(
        "Slurm would refuse the jobs of a rule.",
        where=f"rule {rule}: sbatch {shlex.join(options)}",
        got=error.got,
        fix=f"set {to_blame[0]} in the profile (slurm/config.yaml), or run "
        f"`cactus profile` to fit it to this cluster; its partitions are: "
        f"{'; '.join(map(str, found))}",
    )
