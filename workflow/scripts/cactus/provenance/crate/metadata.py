"""The metadata of a crate: the crate itself, its files, the workflow and its steps."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rocrate.rocrate import ROCrate  # type: ignore[import-untyped]

import cactus
from cactus.provenance.crate.actions import add_actions, script_name, step_id
from cactus.provenance.crate.entities import add_entity, file_id, refer
from cactus.provenance.crate.files import WORKFLOW, config_name, encoding_format, run_name
from cactus.provenance.records.links import run_digest
from cactus.provenance.records.record import Record
from cactus.provenance.staleness.planner import Planner
from cactus.stages.base import Job

# The versions for RO-Crate 1.1; newer ones need a newer RO-Crate.
_PROFILES: Final = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
_TERMS: Final = "https://w3id.org/ro/terms/workflow-run/context"
_BIOSCHEMAS: Final = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_LICENSE: Final = "https://spdx.org/licenses/MIT"
_AUTHORS: Final = "#authors"
# The Snakefile's targets that are the workflow's outputs.
_OUTPUTS: Final = ("results", "tables", "figures")


def build_crate(
    planner: Planner, records: Mapping[Job, Record], files: Mapping[str, Path]
) -> ROCrate:
    """Return a crate with its metadata, ready to write.

    `records` has the record of every job, upstream jobs first; `files` has the current path of each
    file, by its name in the crate.
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(_TERMS)
    stages = list(dict.fromkeys(job.stage for job in records))
    results = _results(planner, records)
    _add_files(crate, planner, files)
    _add_tools(crate, stages)
    _add_workflow(crate, planner, files, stages)
    _add_parameters(crate, planner, results)
    _add_root(crate, planner)
    add_actions(crate, planner, records, [name for names in results.values() for name in names])
    return crate


def _results(planner: Planner, records: Mapping[Job, Record]) -> dict[str, list[str]]:
    """Return the files of each output of the workflow."""
    return {
        output: sorted(
            run_name(planner, name)
            for job, record in records.items()
            if job.definition.target == output
            for name in record.entities
        )
        for output in _OUTPUTS
    }


def _add_files(crate: ROCrate, planner: Planner, files: Mapping[str, Path]) -> None:
    planner.project.tree.cache.warm(files.values())
    for name, path in files.items():
        if name != WORKFLOW:  # `_add_workflow` adds that one
            crate.add_file(path, name, properties=_file_properties(planner, name, path))


def _file_properties(planner: Planner, name: str, path: Path) -> dict[str, str]:
    return {
        "name": name,
        "contentSize": str(path.stat().st_size),
        "encodingFormat": encoding_format(name),
        "sha256": planner.project.tree.cache.sha256(path),
    }


def _add_tools(crate: ROCrate, stages: Sequence[str]) -> None:
    """Declare the stages' scripts to be software, and add a step of the workflow for each."""
    for position, stage in enumerate(stages):
        script = crate.get(script_name(stage))
        script["name"] = stage
        script["version"] = cactus.__version__
        script.properties()["@type"] = ["File", "SoftwareApplication"]
        tool = {"@id": script_name(stage)}
        step = {"name": stage, "position": str(position), "workExample": tool}
        add_entity(crate, step_id(stage), "HowToStep", **step)


def _add_workflow(
    crate: ROCrate, planner: Planner, files: Mapping[str, Path], stages: Sequence[str]
) -> None:
    workflow = crate.add_workflow(
        files[WORKFLOW],
        WORKFLOW,
        properties=_file_properties(planner, WORKFLOW, files[WORKFLOW]),
        main=True,
        lang="snakemake",
        lang_version=planner.project.locked["snakemake"],
    )
    workflow.properties()["@type"].append("HowTo")
    workflow["name"] = "CACTUs"
    workflow["description"] = "From images to the tables and figures of CACTUs; rules in rules/."
    workflow["version"] = cactus.__version__
    workflow["author"] = refer([_AUTHORS])
    workflow["license"] = refer([_LICENSE])
    workflow["conformsTo"] = refer([_BIOSCHEMAS])
    workflow["hasPart"] = refer(map(script_name, stages))
    workflow["step"] = refer(step_id(stage) for stage in stages)
    workflow["input"] = refer([_parameter("configfile")])
    workflow["output"] = refer(map(_parameter, _OUTPUTS))


def _parameter(name: str) -> str:
    return f"{WORKFLOW}#{name}"


def _add_parameters(crate: ROCrate, planner: Planner, results: Mapping[str, list[str]]) -> None:
    """Add the workflow's parameters, and link the files of this run to them."""
    for name, files in {"configfile": [config_name(planner)], **results}.items():
        add_entity(crate, _parameter(name), "FormalParameter", name=name, additionalType="File")
        for file in files:
            crate.get(file_id(file))["exampleOfWork"] = refer([_parameter(name)])


def _add_root(crate: ROCrate, planner: Planner) -> None:
    for identifier, name in _PROFILES.items():
        version = identifier.rpartition("/")[2]
        add_entity(crate, identifier, "CreativeWork", name=name, version=version)
    add_entity(crate, _BIOSCHEMAS, "CreativeWork", name="ComputationalWorkflow", version="1.0")
    add_entity(crate, _LICENSE, "CreativeWork", name="MIT License", identifier="MIT")
    add_entity(crate, _AUTHORS, "Organization", name="The CACTUs pipeline authors")
    run = planner.config.run
    root: Any = crate.root_dataset
    root["name"] = f"CACTUs: run {run}"
    root["description"] = (
        f"Run {run} of the CACTUs pipeline, with its code. Results are in results/{run}, records "
        f"of what each job ran on and made in results/{run}/records, and the source files as they "
        f"ran in results/{run}/objects. `cactus replay` recomputes a job from this crate. The "
        "license covers the code; images, and what is derived from them, are under their owners' "
        "terms."
    )
    root["license"] = refer([_LICENSE])
    root["author"] = root["publisher"] = refer([_AUTHORS])
    root["conformsTo"] = refer(_PROFILES)
    root["identifier"] = f"urn:sha256:{run_digest(planner)}"
    root["datePublished"] = datetime.now(UTC).isoformat(timespec="seconds")
    if "README.md" in crate:
        crate.get("README.md")["about"] = refer(["./"])
