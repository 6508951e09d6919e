"""The actions of a crate: the runs of the workflow, of its steps and of every job."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rocrate.rocrate import ROCrate  # type: ignore[import-untyped]

from cactus.provenance.crate.entities import add_entity, file_id, refer
from cactus.provenance.crate.files import (
    SCRIPTS,
    WORKFLOW,
    config_name,
    declared_name,
    run_name,
)
from cactus.provenance.records.record import Activity, Record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job

_DONE: Final = "http://schema.org/CompletedActionStatus"
_ENGINE: Final = "https://snakemake.github.io"
_BYTES: Final = "https://qudt.org/vocab/unit/BYTE"
# Where each quantity is defined.
_QUANTITIES: Final = {
    "peak_memory_bytes": "https://man7.org/linux/man-pages/man2/getrusage.2.html#ru_maxrss",
    "peak_gpu_memory_bytes": "https://docs.pytorch.org/docs/stable/generated/"
    "torch.cuda.max_memory_allocated.html",
}


def script_name(stage: str) -> str:
    """Return the name of a stage's script, which is the tool of its step."""
    return f"{SCRIPTS}/{stage}.py"


def step_id(stage: str) -> str:
    """Return the identifier of a stage's step."""
    return f"{WORKFLOW}#rule/{stage}"


def job_id(job: Job) -> str:
    """Return the identifier of a job's action."""
    return f"#job/{job.name}"


def add_actions(
    crate: ROCrate, planner: Planner, records: Mapping[Job, Record], results: Sequence[str]
) -> None:
    """Add the actions of a run to a crate that has its files and the workflow's steps.

    `records` has the record of every job, `results` the files that the whole workflow made.
    """
    for job, record in records.items():
        _add_job(crate, planner, job, record)
    steps = dict.fromkeys(job.stage for job in records)
    for stage in steps:
        jobs = [job_id(job) for job in records if job.stage == stage]
        add_entity(
            crate,
            _control_id(stage),
            "ControlAction",
            name=f"Orchestration of {stage}",
            instrument=refer([step_id(stage)]),
            object=refer(jobs),
            actionStatus=_DONE,
        )
    _add_run(crate, planner, records, results)
    _add_engine(crate, planner, records, list(steps))
    mentions = [_run_id(planner), "#engine-run", *map(job_id, records)]
    crate.root_dataset["mentions"] = refer(mentions)


def _control_id(stage: str) -> str:
    return f"#step/{stage}"


def _run_id(planner: Planner) -> str:
    return f"#run/{planner.config.run}"


def _add_run(
    crate: ROCrate, planner: Planner, records: Mapping[Job, Record], results: Sequence[str]
) -> None:
    """Add the run of the whole workflow, from configuration and raw files to tables and figures."""
    raw = [one for record in records.values() for one in _raw(crate, planner, record)]
    made = {
        file_id(run_name(planner, name)) for record in records.values() for name in record.entities
    }
    outside = [one for one in raw if one not in made]
    add_entity(
        crate,
        _run_id(planner),
        "CreateAction",
        name=f"Run {planner.config.run} of the workflow",
        description=f"snakemake with the configuration in {config_name(planner)}",
        instrument={"@id": WORKFLOW},
        object=refer([config_name(planner), *outside]),
        result=refer(map(file_id, results)),
        **_when_and_who(crate, list(records.values())),
    )


def _add_engine(
    crate: ROCrate, planner: Planner, records: Mapping[Job, Record], stages: Sequence[str]
) -> None:
    """Add the run of Snakemake itself."""
    version = planner.project.locked["snakemake"]
    engine = {"name": "Snakemake", "url": _ENGINE, "softwareVersion": version}
    add_entity(crate, _ENGINE, "SoftwareApplication", **engine)
    add_entity(
        crate,
        "#engine-run",
        "OrganizeAction",
        name=f"Run of Snakemake {version}",
        instrument={"@id": _ENGINE},
        object=refer(map(_control_id, stages)),
        result={"@id": _run_id(planner)},
        **_when_and_who(crate, list(records.values())),
    )


def _add_job(crate: ROCrate, planner: Planner, job: Job, record: Record) -> None:
    activity = record.activity
    settings = {"seed": activity.seed, "threads": activity.threads}
    shown = [f"{name} {value}" for name, value in settings.items() if value is not None]
    command = (
        f"python {script_name(job.stage)} --plan {run_name(planner, f'plans/{job.name}.json')}"
    )
    made = sorted(run_name(planner, name) for name in record.entities)
    add_entity(
        crate,
        job_id(job),
        "CreateAction",
        name=job.name,
        description=", ".join([command, *shown]),
        instrument={"@id": script_name(job.stage)},
        object=refer(
            [
                *_inputs(planner, record),
                *_declared(crate, record),
                *_raw(crate, planner, record),
            ]
        ),
        result=refer(map(file_id, made)),
        subjectOf={"@id": file_id(run_name(planner, f"records/{job.name}.json"))},
        resourceUsage=refer(_usage(crate, job, activity)),
        environment=refer(_environment(crate, activity)),
        **_when_and_who(crate, [record]),
    )
    log = crate.get(file_id(run_name(planner, f"logs/{job.name}.log")))
    if log is not None:
        log["about"] = {"@id": job_id(job)}


def _inputs(planner: Planner, record: Record) -> Iterator[str]:
    """Yield the data files of the project and the results of other jobs that a job read."""
    yield from sorted({file_id(name.partition(":")[0]) for name in record.plan.files})
    yield from (file_id(run_name(planner, name)) for name in sorted(record.plan.inputs))


def _declared(crate: ROCrate, record: Record) -> Iterator[str]:
    """Yield declared files: those of the project are in the crate, others are only named."""
    for name, digest in sorted(record.plan.declared.items()):
        carried = declared_name(name)
        if carried is not None and file_id(carried) in crate:
            yield file_id(carried)
        else:
            about = "A data file of a custom module that is not part of the crate."
            properties = {"name": name, "description": about, "sha256": digest}
            yield add_entity(crate, f"#declared/{name}", "CreativeWork", **properties)


def _raw(crate: ROCrate, planner: Planner, record: Record) -> Iterator[str]:
    """Yield raw files: synthetic ones are in the crate, others are only named with their hash."""
    dataset, synthetic = record.job.cell, planner.config.synthetic_data
    for name, digest in sorted(record.plan.raw.items()):
        if synthetic:
            root = file_id(run_name(planner, f"raw/{dataset}/{name}")).rstrip("/")
            files = (one.id for one in crate.data_entities)
            yield from (one for one in files if one == root or one.startswith(root + "/"))
        else:
            about = "A raw file, or a folder of images, that is not part of the crate."
            properties = {"name": name, "description": about, "sha256": digest}
            yield add_entity(crate, f"#raw/{dataset}/{name}", "CreativeWork", **properties)


def _when_and_who(crate: ROCrate, records: Sequence[Record]) -> dict[str, Any]:
    """Return the properties that all actions share, from the records of an action's jobs.

    Records name computers, not people, so the agent is the operator of a computer.
    """
    agents = {record.agent.host: record.agent for record in records}
    hosts = sorted(agents)
    for host in hosts:
        about = f"{agents[host].machine}, Python {agents[host].python}"
        add_entity(crate, f"#host/{host}", "Place", name=host, description=about)
        add_entity(crate, f"#operator/{host}", "Person", name=f"operator of {host}")
    return {
        "startTime": _time(min(record.activity.started for record in records)),
        "endTime": _time(max(record.activity.ended for record in records)),
        "agent": refer(f"#operator/{host}" for host in hosts),
        "location": refer(f"#host/{host}" for host in hosts),
        "actionStatus": _DONE,
    }


def _time(moment: str) -> str:
    return datetime.fromisoformat(moment).isoformat(timespec="milliseconds")


def _usage(crate: ROCrate, job: Job, activity: Activity) -> Iterator[str]:
    for name, definition in _QUANTITIES.items():
        value = getattr(activity, name)
        if value is not None:
            amount = {"propertyID": definition, "unitCode": _BYTES, "value": str(value)}
            identifier = f"#usage/{job.name}/{name}"
            yield add_entity(crate, identifier, "PropertyValue", name=name, **amount)


def _environment(crate: ROCrate, activity: Activity) -> Iterator[str]:
    """Yield the recorded environment variables, which may affect results."""
    for name, value in sorted(activity.determinism.items()):
        if name.isupper():
            identifier = f"#environment/{name}={value}"
            yield add_entity(crate, identifier, "PropertyValue", name=name, value=str(value))
