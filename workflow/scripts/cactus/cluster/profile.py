"""The profile for Slurm, fitted to the cluster at hand."""

import getpass
import json
import math
import re
from pathlib import Path
from typing import Final, NamedTuple

from cactus.cluster.slurm import Partition, accounts, ask, partitions, settings
from cactus.errors import ClusterError

PROFILE: Final = Path(__file__).resolve().parents[4] / "config/profiles/slurm/config.yaml"
# Seconds that an ended job has to stay in squeue: Snakemake asks every 180 s at the rarest.
_SEEN: Final = 240


class Choice(NamedTuple):
    """The value of a key of the profile, and why."""

    value: str | int
    why: str


class Wishes(NamedTuple):
    """What a user wants; None where the cluster is to decide."""

    account: str | None = None
    cpu_partition: str | None = None
    gpu_partition: str | None = None
    gpu_request: str | None = None
    gpu_model: str | None = None
    constraint: str | None = None
    qos: str | None = None
    max_jobs: int | None = None


def choose(wishes: Wishes) -> dict[str, Choice]:
    """Ask the cluster, and choose the value of each key that it decides.

    Parameters
    ----------
    wishes
        What the user wants.

    Raises
    ------
    ClusterError
        Slurm is absent or does not answer, or it has not what is wanted.
    """
    found, config = partitions(), settings()
    cpu = _partition(found, wishes.cpu_partition) or _default(found)
    gpu = _partition(found, wishes.gpu_partition) or _with_gpu(found)
    chosen = {
        "cpu_partition": Choice(cpu.name, "as asked" if wishes.cpu_partition else "the default"),
        **_limits("cpu", cpu),
        **_gpus(gpu, wishes, config),
        **_limits("gpu", gpu or cpu),
        **_accounting(wishes.account, config),
    }
    for key in ("constraint", "qos", "max_jobs"):
        value = getattr(wishes, key)
        if value is not None:
            chosen[key] = Choice(value, "as asked")
    return chosen


def fill_in(text: str, choices: dict[str, Choice]) -> str:
    """Return a profile with the values of its plain keys replaced; all else stays as it is.

    Parameters
    ----------
    text
        The profile.
    choices
        New values, by key.

    Raises
    ------
    ClusterError
        The profile has no such key.
    """
    for key, choice in choices.items():
        line = rf"(?m)^  {key}:.*$"
        if len(re.findall(line, text)) != 1:
            raise ClusterError(
                "The profile has not the form of the one that comes with the project.",
                where=f"key {key}",
                got=f"{len(re.findall(line, text))} lines that set it",
                fix="restore it by `git checkout config/profiles/slurm`, or write elsewhere by "
                "`--output`",
            )
        text = re.sub(line, f"  {key}: {json.dumps(choice.value)}".replace("\\", r"\\"), text)
    return text


def write_profile(file: Path, choices: dict[str, Choice]) -> None:
    """Fill the values into a profile; where there is none yet, into a copy of the project's.

    Parameters
    ----------
    file
        The profile's file.
    choices
        New values, by key.

    Raises
    ------
    ClusterError
        The profile has not the form of the project's.
    """
    text = (file if file.exists() else PROFILE).read_text(encoding="utf-8")
    filled = fill_in(text, choices)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(filled, encoding="utf-8")


def describe(partition: Partition) -> str:
    """Return a partition in words."""
    limit = f"{partition.max_minutes} min" if partition.max_minutes else "no time limit"
    default = ", the default" if partition.default else ""
    gpus = ", ".join(_models(partition)) or "no GPU"
    shards = f", {partition.shards} shards each" if partition.shards else ""
    return f"{partition.name}{default}: {gpus}{shards}, {limit}"


def _partition(found: list[Partition], name: str | None) -> Partition | None:
    if name is None:
        return None
    for one in found:
        if one.name == name:
            return one
    raise ClusterError(
        "The cluster has no such partition.",
        where="sinfo",
        got=name,
        fix=f"take one of {', '.join(one.name for one in found)}",
    )


def _default(found: list[Partition]) -> Partition:
    for one in found:
        if one.default:
            return one
    raise ClusterError(
        "The cluster has no default partition.",
        where="sinfo",
        got=", ".join(one.name for one in found) or "no partition that is up",
        fix="name one for the jobs without GPU by `--cpu-partition`",
    )


def _with_gpu(found: list[Partition]) -> Partition | None:
    """Return the partition for GPU jobs: by its name, else that with the longest time."""

    def rank(one: Partition) -> tuple[bool, float]:
        return "gpu" in one.name.lower(), one.max_minutes or math.inf

    return max((one for one in found if _models(one)), key=rank, default=None)


def _models(partition: Partition) -> list[str]:
    return [kind for kind in partition.gres if kind.split(":")[0] == "gpu"]


def _gpus(gpu: Partition | None, wishes: Wishes, config: dict[str, str]) -> dict[str, Choice]:
    having = _models(gpu) if gpu else []
    if gpu is None or not having:
        if wishes.gpu_partition or wishes.gpu_model:
            raise ClusterError(
                "There is no GPU where one is wanted.",
                where=f"partition {gpu.name}" if gpu else "sinfo",
                got=f"gres {', '.join(gpu.gres) if gpu and gpu.gres else 'none'}",
                fix="take a partition with gres gpu (`sinfo --format='%P %G'` shows them), or "
                "leave --gpu-partition and --gpu-model out",
            )
        none = Choice("none", "no partition has GPUs")
        return {"gpu_partition": Choice("", "no partition has GPUs"), "gpu_request": none}
    known = sorted({kind.split(":")[1] for kind in having if kind.count(":") == 2})
    if wishes.gpu_model and wishes.gpu_model not in known:
        raise ClusterError(
            "The partition has no GPU of this model.",
            where=f"partition {gpu.name}",
            got=f"{wishes.gpu_model}; it has {', '.join(having)}",
            fix=f"take one of {', '.join(known)}" if known else "leave --gpu-model out",
        )
    # --gpus is known to one plug-in of Slurm only.
    select = config.get("SelectType", "")
    request = wishes.gpu_request or ("gpus" if select == "select/cons_tres" else "gres")
    return {
        "gpu_partition": Choice(
            gpu.name, "as asked" if wishes.gpu_partition else f"has {', '.join(having)}"
        ),
        "gpu_request": Choice(request, "as asked" if wishes.gpu_request else select),
        "gpu_model": Choice(
            wishes.gpu_model or "", "as asked" if wishes.gpu_model else "any model will do"
        ),
        "gpu_shards": Choice(
            gpu.shards or "", "of each GPU" if gpu.shards else "its GPUs cannot be shared"
        ),
    }


def _limits(kind: str, partition: Partition) -> dict[str, Choice]:
    why = f"of partition {partition.name}"
    return {
        f"{kind}_minutes": Choice(partition.max_minutes or "", f"the time limit {why}"),
        f"{kind}_memory": Choice(partition.memory, f"MB of the largest node {why}"),
    }


def _accounting(account: str | None, config: dict[str, str]) -> dict[str, Choice]:
    age = int(config.get("MinJobAge", "0").split()[0])
    kept = f"squeue shows an ended job for {age} s"
    if not config.get("AccountingStorageType", "").endswith("slurmdbd") or not _sacct_works():
        short = "" if age >= _SEEN else f": too short; ask for MinJobAge={_SEEN} or for accounting"
        return {
            "status_command": Choice("squeue", f"no accounting; {kept}{short}"),
            "account": Choice(account or "", "no accounting"),
        }
    known = accounts(getpass.getuser())
    if account and known and account.lower() not in known:
        raise ClusterError(
            "The account is not one of yours.",
            where="sacctmgr show associations",
            got=account,
            fix=f"take one of {', '.join(known)}",
        )
    why = f"yours are {', '.join(known) or 'unknown'}"
    only = known[0] if len(known) == 1 else ""
    return {
        "status_command": Choice("sacct", f"there is accounting ({kept})"),
        "account": Choice(account or only, "as asked" if account else why),
    }


def _sacct_works() -> bool:
    try:
        ask("sacct", "--noheader", "--allocations", "--starttime=now-1hour")
    except ClusterError:
        return False
    return True
