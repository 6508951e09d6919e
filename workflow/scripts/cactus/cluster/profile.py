"""The Slurm profile, fitted to the cluster at hand."""

import getpass
import json
import math
import re
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from cactus.cluster.clients import works
from cactus.cluster.gres import MODEL
from cactus.cluster.slurm import Partition, accounts, partitions, settings
from cactus.errors import ClusterError

PROFILE: Final = Path(__file__).resolve().parents[4] / "config/profiles/slurm/config.yaml"
# What `--profile` names: a link to the profile's folder, in the clone.
PROFILE_LINK: Final = "slurm"
# Seconds that squeue has to show an ended job: Snakemake may ask only every 180 s.
_MIN_JOB_AGE: Final = 240


class ProfileValue(NamedTuple):
    """The value of a key of the profile, and why it was chosen."""

    value: str | int
    why: str


class ProfileOptions(NamedTuple):
    """What a user asks of the profile; None leaves the choice to the cluster."""

    account: str | None = None
    cpu_partition: str | None = None
    gpu_partition: str | None = None
    gpu_request: str | None = None
    gpu_model: str | None = None
    constraint: str | None = None
    qos: str | None = None
    max_jobs: int | None = None


def choose_values(options: ProfileOptions) -> dict[str, ProfileValue]:
    """Query the cluster, and choose a value for each key that depends on it.

    Raises
    ------
    ClusterError
        Slurm is not installed, does not answer, or does not have what the user asks for.
    """
    found, config = partitions(), settings()
    cpu = _partition(found, options.cpu_partition) or _default(found)
    gpu = _partition(found, options.gpu_partition) or _with_gpu(found)
    values = {
        "cpu_partition": _asked_or(options.cpu_partition, cpu.name, "the default"),
        **_limits("cpu", cpu),
        **_gpus(gpu, options, config),
        **_limits("gpu", gpu or cpu),
        **_accounting(options.account, config),
    }
    for key in ("constraint", "qos", "max_jobs"):
        value = getattr(options, key)
        if value is not None:
            values[key] = ProfileValue(value, "as requested")
    return values


def fill_in(text: str, values: dict[str, ProfileValue]) -> str:
    """Return a profile with new values for its plain keys; everything else stays as it is.

    Raises
    ------
    ClusterError
        The profile does not have such a key.
    """
    for key, new in values.items():
        line = f"  {key}: {json.dumps(new.value)}".replace("\\", r"\\")
        text, count = re.subn(rf"(?m)^  {key}:.*$", line, text)
        if count != 1:
            raise ClusterError(
                "The profile does not have the structure of the project's own.",
                where=f"key {key}",
                got=f"{count} lines that set it",
                fix="restore it with `git checkout config/profiles/slurm`, or write a new one "
                "elsewhere with `--output`",
            )
    return text


def write_profile(file: Path, values: dict[str, ProfileValue]) -> None:
    """Fill values into a profile, or into a copy of the project's own if the file is missing.

    Raises
    ------
    ClusterError
        The profile does not have the structure of the project's own.
    """
    source = file if file.exists() else PROFILE
    try:
        filled = fill_in(source.read_text(encoding="utf-8"), values)
        found = yaml.safe_load(filled)["__variables__"]
        wrong = [f"{key}: {found[key]!r}" for key in values if found[key] != values[key].value]
    except (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError) as error:
        wrong = [" ".join(str(error).split())]
    if wrong:  # such as a value that goes on in the next line
        raise ClusterError(
            "The profile cannot be filled in.",
            where=str(source),
            got=wrong[0],
            fix="write each key of its first part in one line, as UTF-8; or restore it with `git "
            "checkout config/profiles/slurm`, or write a new one elsewhere with `--output`",
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(filled, encoding="utf-8")


def profile_files(profile: Path = PROFILE) -> list[Path]:
    """Return the files to fill in, so that ``--profile slurm`` reads what was written.

    Copies of a clone may hold a folder instead of the link, with a profile of its own; both are
    returned then. Archives and some file systems turn the link into a text file; it is mended.

    Parameters
    ----------
    profile
        The project's profile, ``config/profiles/slurm/config.yaml`` in the clone.

    Raises
    ------
    ClusterError
        ``slurm`` is something else.
    """
    link = profile.parents[3] / PROFILE_LINK
    target = profile.parent.relative_to(link.parent)
    if link.is_dir():
        return [profile] if link.samefile(profile.parent) else [profile, link / "config.yaml"]
    lost = link.is_symlink() or not link.exists()
    if not lost and link.is_file() and link.stat().st_size < 100:
        lost = link.read_text(errors="replace").strip().replace("\\", "/") == target.as_posix()
    if not lost:
        raise ClusterError(
            "The folder of the Slurm profile is something else.",
            where=str(link),
            got="a file" if link.is_file() else "neither a file nor a folder",
            fix=f"remove it and run `ln -s {target} slurm`, or use `--profile {target}`",
        )
    link.unlink(missing_ok=True)
    with suppress(OSError):  # a file system without links: a folder then
        link.symlink_to(target)
        return [profile]
    link.mkdir()
    return [profile, link / "config.yaml"]


def _asked_or(asked: str | None, found: str | int, why: str) -> ProfileValue:
    return ProfileValue(asked, "as requested") if asked else ProfileValue(found, why)


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
        fix=f"choose one of {', '.join(one.name for one in found)}",
    )


def _default(found: list[Partition]) -> Partition:
    for one in found:
        if one.default:
            return one
    raise ClusterError(
        "The cluster has no default partition.",
        where="sinfo",
        got=", ".join(one.name for one in found) or "no partition that is up",
        fix="name one for jobs without a GPU with `--cpu-partition`",
    )


def _with_gpu(found: list[Partition]) -> Partition | None:
    """Return the partition for GPU jobs: one named so, else the one with the longest time limit."""

    def rank(one: Partition) -> tuple[bool, float]:
        return "gpu" in one.name.lower(), one.max_minutes or math.inf

    return max((one for one in found if one.gpus), key=rank, default=None)


def _gpus(
    gpu: Partition | None, options: ProfileOptions, config: dict[str, str]
) -> dict[str, ProfileValue]:
    if gpu is None or not gpu.gpus:
        _refuse_gpu_options(gpu, options)
        why = "no partition has GPUs"
        return {"gpu_partition": ProfileValue("", why), "gpu_request": ProfileValue("none", why)}
    # Only one of Slurm's plugins knows --gpus.
    select = config.get("SelectType", "")
    request = "gpus" if select == "select/cons_tres" else "gres"
    sharing = "of each GPU" if gpu.shards else "its GPUs cannot be shared"
    return {
        "gpu_partition": _asked_or(options.gpu_partition, gpu.name, f"has {', '.join(gpu.gpus)}"),
        "gpu_request": _asked_or(options.gpu_request, request, select),
        "gpu_model": _model(gpu, options.gpu_model),
        "gpu_shards": ProfileValue(gpu.shards or "", sharing),
    }


def _refuse_gpu_options(partition: Partition | None, options: ProfileOptions) -> None:
    if options.gpu_partition or options.gpu_model:
        raise ClusterError(
            "There is no GPU where one is requested.",
            where=f"partition {partition.name}" if partition else "sinfo",
            got=f"gres {', '.join(partition.gres if partition else ()) or 'none'}",
            fix="choose a partition with gres gpu (`sinfo --format='%P %G'` shows them), or "
            "leave out --gpu-partition and --gpu-model",
        )


def _model(partition: Partition, asked: str | None) -> ProfileValue:
    """Return the model of GPU to request: any, unless some of them are only slices."""
    known = sorted({gpu.model for gpu in partition.gpu_kinds} - {""})
    usable = [model for model in known if MODEL.fullmatch(model)]
    if asked is not None:
        if asked and asked not in usable:
            raise ClusterError(
                "Jobs cannot request a GPU of this model."
                if asked in known
                else "The partition has no GPU of this model.",
                where=f"partition {partition.name}",
                got=f"{asked}; it has {', '.join(partition.gpus)}",
                fix=f"choose one of {', '.join(usable)}" if usable else "leave out --gpu-model",
            )
        return ProfileValue(asked, "as requested")
    slices = sorted({gpu.model for gpu in partition.gpu_kinds if gpu.is_slice})
    whole = [gpu for gpu in partition.gpu_kinds if not gpu.is_slice and gpu.model in usable]
    if not slices:
        return ProfileValue("", "any model will do")
    if not whole:
        return ProfileValue("", f"any, slices of GPUs included ({', '.join(slices)})")
    chosen = max(whole, key=lambda gpu: gpu.number or 0).model
    return ProfileValue(chosen, f"whole GPUs; it also has slices of them ({', '.join(slices)})")


def _limits(kind: str, partition: Partition) -> dict[str, ProfileValue]:
    why = f"of partition {partition.name}"
    return {
        f"{kind}_minutes": ProfileValue(partition.max_minutes or "", f"the time limit {why}"),
        f"{kind}_memory": ProfileValue(
            partition.memory or "",
            f"MB of the largest node {why}"
            if partition.memory
            else f"unknown: no node {why} declares its memory (RealMemory in slurm.conf)",
        ),
    }


def _accounting(account: str | None, config: dict[str, str]) -> dict[str, ProfileValue]:
    age = int(config.get("MinJobAge", "0").split()[0])
    kept = f"squeue shows an ended job for {age} s"
    has_database = config.get("AccountingStorageType", "").endswith("slurmdbd")
    if not has_database or not works("sacct", "--allocations", "--starttime=now-1hour"):
        short = f": too short; ask for MinJobAge={_MIN_JOB_AGE} or for accounting"
        why = f"no accounting; {kept}{short if age < _MIN_JOB_AGE else ''}"
        return {
            "status_command": ProfileValue("squeue", why),
            "account": ProfileValue(account or "", "no accounting"),
        }
    known = accounts(getpass.getuser())
    if account and known and account.lower() not in known:
        raise ClusterError(
            "The account is not one of yours.",
            where="sacctmgr show associations",
            got=account,
            fix=f"choose one of {', '.join(known)}",
        )
    only = known[0] if len(known) == 1 else ""
    return {
        "status_command": ProfileValue("sacct", f"there is accounting ({kept})"),
        "account": _asked_or(account, only, f"yours are {', '.join(known) or 'unknown'}"),
    }
