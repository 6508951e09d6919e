"""A record as a job would write it."""

from cactus.provenance.records.plan import Plan
from cactus.provenance.records.record import Activity, Agent, FileEntity, Record
from cactus.stages.base import Job

JOB = Job("meta_train", "omniglot/acai/maml/s0")


def a_record() -> Record:
    plan = Plan(
        stage=JOB.stage, cell=JOB.cell, spec={"seed": 0, "rate": 0.1}, code={"a.py": "0" * 64},
        libraries={"numpy": "1"}, files={}, inputs={"data/x": "1" * 64},
    )  # fmt: skip
    activity = Activity(
        plan=plan, sources={"a.py": "2" * 64}, seed=0, threads=1, determinism={},
        started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:00:01+00:00", seconds=1.0,
        peak_memory_bytes=1, peak_gpu_memory_bytes=None,
    )  # fmt: skip
    agent = Agent(
        host="h", machine="m", python="3.11.7", libraries={}, packages="3" * 64, device=None,
        git=None, slurm=None,
    )  # fmt: skip
    entities = {"models/x": FileEntity(sha256="4" * 64, bytes=5)}
    return Record(entities=entities, activity=activity, agent=agent)
