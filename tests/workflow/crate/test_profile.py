"""Checks a crate against the text of the profiles, independently of the code that writes it."""

import pytest

from cactus.files import read_json
from cactus.provenance.crate.export import export
from cactus.provenance.fingerprint.raw_files import OTHERS
from cactus.provenance.records.record import read_record
from cactus.stages.base import Job
from tests.workflow.crate.tools import RUN, ids, of_type, planner, types

pytestmark = pytest.mark.workflow
PROFILES = [
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
]


def test_the_root_and_its_descriptor(crate, graph):
    context = read_json(crate / "ro-crate-metadata.json")["@context"]
    assert context == [
        "https://w3id.org/ro/crate/1.1/context",
        "https://w3id.org/ro/terms/workflow-run/context",
    ]
    descriptor, root = graph["ro-crate-metadata.json"], graph["./"]
    assert types(descriptor) == {"CreativeWork"}
    assert ids(descriptor["about"]) == ["./"]
    assert set(ids(descriptor["conformsTo"])) == {"https://w3id.org/ro/crate/1.1", PROFILES[3]}
    assert types(root) == {"Dataset"}
    for name in ("name", "description", "datePublished", "license"):
        assert root[name]
    assert ids(root["conformsTo"]) == PROFILES
    for profile in PROFILES:
        assert types(graph[profile]) == {"CreativeWork"}
        assert graph[profile]["version"] == profile.rpartition("/")[2]


def test_references_lead_to_entities_or_to_the_web(graph):
    for entity in graph.values():
        for name, value in entity.items():
            for one in value if isinstance(value, list) else [value]:
                assert not isinstance(one, dict) or set(one) == {"@id"}, (entity["@id"], name)
                if isinstance(one, dict) and one["@id"] not in graph:
                    assert one["@id"].startswith("https://"), (entity["@id"], name)


def test_the_workflow_its_tools_and_its_steps(graph):
    workflow = graph["Snakefile"]
    assert ids(graph["./"]["mainEntity"]) == ["Snakefile"]
    assert types(workflow) == {"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"}
    language = graph[workflow["programmingLanguage"]["@id"]]
    assert types(language) == {"ComputerLanguage"}
    assert language["name"] == "Snakemake"
    tools = ids(workflow["hasPart"])
    used = {one["instrument"]["@id"] for one in of_type(graph, "CreateAction")}
    for tool in tools:
        assert types(graph[tool]) == {"File", "SoftwareApplication"}
        assert tool in used
    steps = [graph[one] for one in ids(workflow["step"])]
    assert [types(step) for step in steps] == [{"HowToStep"}] * len(tools)
    assert {step["workExample"]["@id"] for step in steps} == set(tools)
    assert len({int(step["position"]) for step in steps}) == len(steps)


def test_a_step_comes_after_those_that_it_needs(graph):
    positions = {
        graph[step]["workExample"]["@id"]: int(graph[step]["position"])
        for step in ids(graph["Snakefile"]["step"])
    }
    actions = [one for one in of_type(graph, "CreateAction") if one["@id"].startswith("#job/")]
    maker = {name: one["instrument"]["@id"] for one in actions for name in ids(one["result"])}
    for action in actions:
        for name in ids(action.get("object", [])):
            if name in maker:
                assert positions[maker[name]] < positions[action["instrument"]["@id"]]


def test_parameters_of_the_workflow(graph):
    parameters = of_type(graph, "FormalParameter")
    workflow = graph["Snakefile"]
    named = {*ids(workflow["input"]), *ids(workflow["output"])}
    assert named == {one["@id"] for one in parameters}
    run = next(
        one for one in of_type(graph, "CreateAction") if one["instrument"]["@id"] == "Snakefile"
    )
    for kind, end in (("input", "object"), ("output", "result")):
        realised = {
            parameter
            for name in ids(run[end])
            for parameter in ids(graph[name].get("exampleOfWork", []))
        }
        assert realised == set(ids(workflow[kind]))
    assert {one["additionalType"] for one in parameters} == {"File"}


def test_every_job_is_an_action_that_matches_its_record(graph, records):
    for name, record in records.items():
        action = graph[f"#job/{name}"]
        assert types(action) == {"CreateAction"}
        assert action["instrument"]["@id"] == f"workflow/scripts/{record.job.stage}.py"
        assert set(ids(action["result"])) == {f"{RUN}/{file}" for file in record.entities}
        inputs = {f"{RUN}/{file}" for file in record.plan.inputs}
        raw = {f"{RUN}/raw/{record.job.cell}/{file}" for file in record.plan.raw if file != OTHERS}
        data = {file.partition(":")[0] for file in record.plan.files}
        assert set(ids(action.get("object", []))) == inputs | raw | data
        for key, moment in (
            ("startTime", record.activity.started),
            ("endTime", record.activity.ended),
        ):
            assert action[key][:23] == moment[:23]
            assert action[key].endswith("+00:00")
        assert types(graph[action["agent"]["@id"]]) == {"Person"}
        assert graph[action["location"]["@id"]]["name"] == record.agent.host
        assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
        usage = [graph[one] for one in ids(action["resourceUsage"])]
        assert [one["value"] for one in usage] == [str(record.activity.peak_memory_bytes)]
        assert all(one["propertyID"] and one["unitCode"] for one in usage)
        assert action["subjectOf"]["@id"] == f"{RUN}/records/{name}.json"
        assert graph[f"{RUN}/logs/{name}.log"]["about"]["@id"] == f"#job/{name}"
    mentioned = set(ids(graph["./"]["mentions"]))
    assert mentioned >= {one["@id"] for one in of_type(graph, "CreateAction")}


def test_the_run_of_the_workflow_its_steps_and_its_engine(graph, records):
    runs = [
        one for one in of_type(graph, "CreateAction") if one["instrument"]["@id"] == "Snakefile"
    ]
    assert len(runs) == 1
    made = set(ids(runs[0]["result"]))
    assert {f"{RUN}/tables/results.csv", f"{RUN}/figures/shots.pdf"} <= made
    assert f"{RUN}/plans/config.json" in ids(runs[0]["object"])
    controls = of_type(graph, "ControlAction")
    controlled = [action for one in controls for action in ids(one["object"])]
    assert sorted(controlled) == sorted(f"#job/{name}" for name in records)
    for control in controls:
        step = graph[control["instrument"]["@id"]]
        assert types(step) == {"HowToStep"}
        for action in ids(control["object"]):
            assert graph[action]["instrument"] == step["workExample"]
    (engine,) = of_type(graph, "OrganizeAction")
    assert types(graph[engine["instrument"]["@id"]]) == {"SoftwareApplication"}
    assert engine["result"]["@id"] == runs[0]["@id"]
    assert sorted(ids(engine["object"])) == sorted(one["@id"] for one in controls)


def test_raw_files_outside_the_crate_are_listed_with_name_and_hash(folder, tmp_path):
    own = planner(folder)
    own.config = own.config.model_copy(update={"synthetic_data": False})
    crate = export(own, tmp_path / "crate")
    entities = read_json(crate / "ro-crate-metadata.json")["@graph"]
    graph = {one["@id"]: one for one in entities}
    record = read_record(folder / RUN, Job("prepare_data", "mnist"))
    for name, digest in record.plan.raw.items():
        raw = graph[f"#raw/mnist/{name}"]
        assert (types(raw), raw["sha256"]) == ({"CreativeWork"}, digest)
        assert raw["@id"] in ids(graph["#job/prepare_data/mnist"]["object"])
        assert raw["@id"] in ids(graph["#run/small"]["object"])
