"""The processors that a job's attempts ran on, and a GPU that none of them could use.

Results are the same bits only on the same kind of processor: PyTorch and OpenBLAS choose their code
by its instruction set.
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, Final

from cactus.provenance.records.plan import Plan
from cactus.provenance.records.record import Record

_FILE: Final = "processors.jsonl"
_CPUINFO: Final = Path("/proc/cpuinfo")
_DEVICES: Final = Path("/dev")
# What is recorded of an attempt besides instruction sets.
_OTHER: Final = frozenset({"attempt", "model"})


def processor() -> dict[str, str]:
    """Return the processor's model, and the instruction sets that the loaded libraries use."""
    facts = {"model": _model()}
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["torch"] = torch.backends.cpu.get_cpu_capability()
    if "numpy" in sys.modules:
        from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

        found = {one.get("architecture") for one in threadpool_info()} - {None}
        if found:
            facts["openblas"] = ", ".join(sorted(map(str, found)))
    for name in ("ONEDNN_MAX_CPU_ISA", "MKL_CBWR"):
        if name in os.environ:
            facts[name] = os.environ[name]
    return facts


def processor_name(record: Record) -> str:
    """Return the model of the processor of a job's last attempt; empty if it is not recorded."""
    return str(last_processor(record).get("model") or "")


def processor_difference(recorded: Record, here: Record) -> str:
    """Return in words how the processors of two runs of a job differ; empty if they do not."""
    old, new = last_processor(recorded), last_processor(here)
    known = {*old, *new} if recorded.activity.processors else {*old}
    names = [name for name in sorted(known - _OTHER) if old.get(name) != new.get(name)]
    used = {_sets(one, sorted({*one} - _OTHER)) for one in recorded.activity.processors}
    several = f" (its attempts ran on {' and on '.join(sorted(used))})" if len(used) > 1 else ""
    if names:
        return (
            f"the processor's instruction set differs: recorded {_sets(old, names)}{several}, "
            f"here {_sets(new, names)}"
        )
    if several:
        return f"the instruction set changed while it was recorded{several}"
    models = old.get("model"), new.get("model")
    if None in models or models[0] == models[1]:
        return ""
    return f"the processor differs: recorded {models[0]}, here {models[1]}"


def last_processor(record: Record) -> dict[str, Any]:
    """Return the processor of a record's last attempt; older records know PyTorch's only."""
    if record.activity.processors:
        return record.activity.processors[-1]
    device = record.agent.device or {}
    return {"torch": device["cpu"]} if "cpu" in device else {}


def _sets(facts: dict[str, Any], names: list[str]) -> str:
    return ", ".join(f"{name} {facts.get(name, 'unknown')}" for name in names)


def note_processor(work: Path, fingerprint: str, attempt: int) -> None:
    """Add the processor of this attempt to those of earlier ones, in the job's work folder."""
    line = json.dumps({"fingerprint": fingerprint, "attempt": attempt, **processor()})
    with (work / _FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def noted_processors(work: Path, fingerprint: str) -> list[dict[str, Any]]:
    """Return the processors of all attempts at a plan; lines that a crash cut short are skipped."""
    path = work / _FILE
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            facts = json.loads(line)
        except ValueError:
            continue
        if isinstance(facts, dict) and facts.pop("fingerprint", None) == fingerprint:
            found.append(facts)
    return found


def unused_gpu(plan: Plan) -> str:
    """Return why a job that may use a GPU runs on the CPU although one seems to be there; or "".

    A job that should find one stops instead (`cactus.train.gpu`).
    """
    # Similar facts decide there; if the code were shared, an edit for the records would make
    # trained models stale.
    torch = sys.modules.get("torch")
    compute = plan.spec.get("compute")
    device = compute.get("device") if isinstance(compute, dict) else None
    hint = _hint()
    if torch is None or device != "auto" or not hint:
        return ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return ""
    said = "".join(f"; {' '.join(str(one.message).split())}" for one in caught)
    return f"no GPU is used: {hint}, but PyTorch {torch.__version__} sees none{said}"


def _hint() -> str:
    """Return what suggests that there is a GPU; empty if nothing does, or it is hidden."""
    if "CUDA_VISIBLE_DEVICES" not in os.environ and any(_DEVICES.glob("nvidia[0-9]*")):
        return "there is a device of NVIDIA"
    return ""


def _model() -> str:
    """Return the name of the processor."""
    names = ("model name", "Model", "CPU part", "cpu model")
    lines = _CPUINFO.read_text(errors="replace").splitlines() if _CPUINFO.exists() else []
    found = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    return next((found[name] for name in names if name in found), "unknown")
