"""A run as an RO-Crate: what it holds, what it says, and what can be recomputed from it."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest
from rocrate.rocrate import ROCrate

from cactus.errors import RecordError
from cactus.files import file_hash, read_json, write_json
from cactus.provenance.crate import export
from cactus.provenance.jobs import Job
from cactus.provenance.record import read_record, record_path, write_record
from cactus.provenance.replay import replay
from cactus.provenance.run import open_run
from tests.workflow.crate_tools import offline_contexts, online, runcrate, validate
from tests.workflow.project import Project
from tests.workflow.snake import ROOT

pytestmark = pytest.mark.workflow
RUN = "results/small"
CELL = "omniglot/acai/maml/s0"
TRAINED = Job("meta_train", CELL)
PROFILES = [
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/ro/wfrun/provenance/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
]


@pytest.fixture(scope="module")
def folder(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with a finished run; tests leave it as it is."""
    return finished.copy(tmp_path_factory.mktemp("exported") / "work").folder


@pytest.fixture(scope="module")
def crate(folder):
    """The run as a folder; tests leave it as it is."""
    return export(planner(folder), folder.parent / "crate")


@pytest.fixture
def edited(crate, tmp_path):
    """A copy of the crate to edit."""
    return Path(shutil.copytree(crate, tmp_path / "edited"))


@pytest.fixture(scope="module")
def graph(crate):
    """All entities of the crate's metadata by their identifiers."""
    entities = read_json(crate / "ro-crate-metadata.json")["@graph"]
    assert max(Counter(one["@id"] for one in entities).values()) == 1
    return {one["@id"]: one for one in entities}


@pytest.fixture(scope="module")
def records(folder):
    found = {job.name: read_record(folder / RUN, job) for job in jobs(folder)}
    assert len(found) == 42
    return found


def planner(folder):
    return open_run("small", folder / "results")


def jobs(folder):
    return [one.job for one in planner(folder).assess_all()]


def cactus(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "cactus.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def ids(value) -> list[str]:
    """Return the identifiers of what a property refers to."""
    listed = value if isinstance(value, list) else [value]
    return [one["@id"] for one in listed]


def types(entity) -> set[str]:
    found = entity["@type"]
    return set(found if isinstance(found, list) else [found])


def of_type(graph, kind):
    return [one for one in graph.values() if kind in types(one)]


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# What the crate holds


def test_every_file_is_described_with_its_hash_and_size(crate, graph):
    described = {unquote(one["@id"]): one for one in of_type(graph, "File")}
    assert set(described) == files_below(crate) - {"ro-crate-metadata.json"}
    for name, entity in described.items():
        assert entity["sha256"] == file_hash(crate / name)
        assert int(entity["contentSize"]) == (crate / name).stat().st_size
        assert "/" in entity["encodingFormat"]
    assert {unquote(one) for one in ids(graph["./"]["hasPart"])} == set(described)


def test_it_holds_all_results_records_sources_and_the_code(folder, crate, graph, records):
    kept = files_below(folder / RUN) - {"hashes.json"}
    kept = {name for name in kept if not name.startswith("states/")}
    assert {f"{RUN}/{name}" for name in kept} == {
        name for name in files_below(crate) if name.startswith("results/")
    }
    for job, record in records.items():
        assert f"records/{job}.json" in kept
        for name, entity in record.entities.items():
            assert graph[f"{RUN}/{name}"]["sha256"] == entity.sha256
        for digest in record.activity.sources.values():
            assert f"objects/{digest[:2]}/{digest}" in kept
    for name in ("Snakefile", "rules/data.smk", "envs/requirements.lock", "config/datasets.yaml"):
        assert (crate / name).read_bytes() == (ROOT / name).read_bytes()
    sources = {name for name in files_below(ROOT / "workflow/scripts") if name.endswith(".py")}
    assert sources == {
        name.removeprefix("workflow/scripts/")
        for name in files_below(crate)
        if name.startswith("workflow/scripts/")
    }


def test_a_zip_file_holds_the_same(folder, crate, tmp_path):
    code, output = cactus(folder, "export", "small")
    assert code == 0, output
    assert output.endswith("wrote small.crate.zip\n")
    shutil.move(folder / "small.crate.zip", tmp_path / "crate.zip")
    with zipfile.ZipFile(tmp_path / "crate.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))
        archive.extractall(tmp_path / "unpacked")
    assert files_below(tmp_path / "unpacked") == files_below(crate)
    metadata = [read_json(one / "ro-crate-metadata.json") for one in (crate, tmp_path / "unpacked")]
    for content in metadata:
        root = next(one for one in content["@graph"] if one["@id"] == "./")
        assert root.pop("datePublished")
    assert metadata[0] == metadata[1]  # nothing else varies between two exports
    assert ROCrate(tmp_path / "crate.zip").mainEntity.id == "Snakefile"


# What the profile texts require, read from the texts and not from the writer


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


def test_references_lead_to_entities_or_out_into_the_web(graph):
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


def test_a_step_stands_after_those_that_it_needs(graph):
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


def test_every_job_is_an_action_as_its_record_says(graph, records):
    for name, record in records.items():
        action = graph[f"#job/{name}"]
        assert types(action) == {"CreateAction"}
        assert action["instrument"]["@id"] == f"workflow/scripts/{record.job.stage}.py"
        assert set(ids(action["result"])) == {f"{RUN}/{file}" for file in record.entities}
        inputs = {f"{RUN}/{file}" for file in record.plan.inputs}
        raw = {f"{RUN}/raw/{record.job.cell}/{file}" for file in record.plan.raw}
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


def test_raw_files_that_are_not_part_of_the_crate_are_told_by_name_and_hash(folder, tmp_path):
    own = planner(folder)
    own.config = own.config.model_copy(update={"sample_data": False})
    crate = export(own, tmp_path / "crate")
    entities = read_json(crate / "ro-crate-metadata.json")["@graph"]
    graph = {one["@id"]: one for one in entities}
    record = read_record(folder / RUN, Job("prepare_data", "mnist"))
    for name, digest in record.plan.raw.items():
        raw = graph[f"#raw/mnist/{name}"]
        assert (types(raw), raw["sha256"]) == ({"CreativeWork"}, digest)
        assert raw["@id"] in ids(graph["#job/prepare_data/mnist"]["object"])
        assert raw["@id"] in ids(graph["#run/small"]["object"])


# What others' readers say


def test_the_validator_accepts_it_without_the_network(crate, tmp_path):
    cache = offline_contexts(tmp_path / "contexts")
    code, report = validate(crate, tmp_path, "--offline", "--cache-path", str(cache))
    assert code == 0, report["issues"]
    assert report["passed"]
    assert not report["skipped_checks"]


def test_the_validator_misses_what_is_taken_away(edited, tmp_path):
    taken = {"#engine-run": "result", "#step/meta_train": "instrument", "Snakefile": "hasPart"}
    metadata = edited / "ro-crate-metadata.json"
    content = read_json(metadata)
    for entity in content["@graph"]:
        if entity["@id"] in taken:
            del entity[taken[entity["@id"]]]
    write_json(metadata, content)
    cache = offline_contexts(tmp_path / "contexts")
    code, report = validate(edited, tmp_path, "--offline", "--cache-path", str(cache))
    assert code != 0
    missed = {issue["violatingEntity"].removeprefix("./") for issue in report["issues"]}
    assert missed >= set(taken)


@pytest.mark.network
def test_the_validator_accepts_it_with_the_published_contexts(crate, tmp_path):
    if not online():
        pytest.skip("w3id.org cannot be reached")
    code, report = validate(crate, tmp_path, "--cache-path", str(tmp_path / "contexts"))
    assert code == 0, report["issues"]
    assert report["passed"]


def test_runcrate_reports_every_job(crate, records):
    report = runcrate("report", str(crate))
    actions = report.split("\naction: ")
    assert actions[0].startswith("action: #run/small")
    assert sorted(one.split()[0] for one in actions[1:]) == sorted(
        f"#job/{name}" for name in records
    )
    trained = next(one for one in actions if one.startswith(f"#job/{TRAINED.name}\n"))
    assert "step: Snakefile#rule/meta_train" in trained
    assert f"{RUN}/partitions/{CELL}/partitions.npy" in trained.partition("outputs:")[0]
    assert f"{RUN}/models/{CELL}/model.safetensors" in trained.partition("outputs:")[2]


# What is refused


@pytest.mark.parametrize("name", ["taken", "taken.zip", f"{RUN}/crate.zip"])
def test_nothing_is_overwritten(folder, tmp_path, name):
    place = folder / name if name.startswith("results") else tmp_path / name
    if name == "taken":
        place.mkdir()
        (place / "file").write_text("mine")
    elif name == "taken.zip":
        place.write_text("mine")
    before = sorted(place.parent.rglob("*"))
    with pytest.raises(RecordError, match="cannot be written there"):
        export(planner(folder), place)
    assert sorted(place.parent.rglob("*")) == before


def test_an_empty_folder_is_filled(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    export(planner(folder), tmp_path / "empty")
    assert (tmp_path / "empty/ro-crate-metadata.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize("form", ["crate", "crate.zip"])
def test_what_is_half_written_never_bears_the_name(folder, tmp_path, monkeypatch, form):
    monkeypatch.setattr("rocrate.model.metadata.Metadata.generate", lambda _: {"a": object()})
    with pytest.raises(TypeError):
        export(planner(folder), tmp_path / form)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def damaged(folder, tmp_path):
    """A copy of the run to damage."""
    shutil.copytree(folder, tmp_path / "damaged", symlinks=True)
    return tmp_path / "damaged"


def test_jobs_without_record_are_named(damaged, tmp_path):
    record_path(damaged / RUN, TRAINED).unlink()
    edited = record_path(damaged / RUN, Job("make_table", "mnist"))
    edited.write_text(edited.read_text().replace('"seconds"', '"second"'))
    code, output = cactus(damaged, "export", "small", "--output", str(tmp_path / "crate"))
    assert code == RecordError.exit_code
    assert TRAINED.name in output
    assert "make_table/mnist" in output
    assert "fix:" in output
    assert not (tmp_path / "crate").exists()


@pytest.mark.parametrize("edit", ["changed", "missing"])
def test_results_that_are_not_as_recorded_are_refused(damaged, tmp_path, edit):
    path = damaged / RUN / f"evaluations/{CELL}/accuracies.csv"
    path.unlink() if edit == "missing" else path.write_text(path.read_text() + "5,1,0,0.9\n")
    with pytest.raises(RecordError, match="not the one that its job recorded"):
        export(planner(damaged), tmp_path / "crate")


def test_jobs_that_have_changed_since_are_exported_as_they_were_run(damaged, tmp_path):
    record = read_record(damaged / RUN, TRAINED)
    plan = record.plan.model_copy(update={"code": {**record.plan.code, "gone.py": "0" * 64}})
    activity = record.activity.model_copy(update={"plan": plan})
    write_record(damaged / RUN, record.model_copy(update={"activity": activity}))
    code, output = cactus(damaged, "export", "--output", str(tmp_path / "crate.zip"))
    assert code == 0, output
    assert output.startswith("stale, and exported as they were run: ")
    assert TRAINED.name in output


# What can be recomputed


@pytest.fixture
def alone(folder, crate, tmp_path):
    """A copy of the crate elsewhere, while the run and the first crate cannot be reached."""
    moved = shutil.copytree(crate, tmp_path / "elsewhere/crate")
    hidden = [(path, path.with_name(f"hidden-{path.name}")) for path in (folder, crate)]
    for path, away in hidden:
        path.rename(away)
    yield Path(moved)
    for path, away in hidden:
        away.rename(path)


def test_a_cell_is_recomputed_from_the_crate_alone(alone, tmp_path, records):
    before = {name: file_hash(alone / name) for name in files_below(alone)}
    compared = replay(alone, TRAINED.name, tmp_path / "work")
    assert {one.name for one in compared} == set(records[TRAINED.name].entities)
    assert all(one.equal for one in compared)
    assert {name: file_hash(alone / name) for name in files_below(alone)} == before
    made = tmp_path / f"work/jobs/{TRAINED.name}/{RUN}"
    trained = f"models/{CELL}/model.safetensors"
    assert (made / trained).read_bytes() == (alone / RUN / trained).read_bytes()
    assert made.samefile(next((tmp_path / "work").rglob("results")) / "small")


def test_a_whole_cell_is_recomputed_from_the_zip_file(folder, tmp_path):
    archive = export(planner(folder), tmp_path / "crate.zip")
    code, output = cactus(tmp_path, "replay", str(archive), CELL)
    assert code == 0, output
    lines = [line.split() for line in output.splitlines() if " equal" in line]
    assert {line[0].partition("/")[0] for line in lines} == {
        "make_partitions",
        "meta_train",
        "evaluate_model",
    }
    assert "0 different" in output


def test_a_changed_weight_is_found(edited, tmp_path):
    weights = edited / RUN / f"models/{CELL}/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    compared = replay(edited, TRAINED.name, tmp_path / "work")
    assert [one.name for one in compared if not one.equal] == [f"models/{CELL}/model.safetensors"]
    with pytest.raises(RecordError, match="An input in the crate"):  # of the evaluation
        replay(edited, f"evaluate_model/{CELL}", tmp_path / "again")


def test_a_forged_record_is_found(edited, tmp_path):
    """Accuracies that were changed together with the record, checksum and all."""
    job = Job("evaluate_model", CELL)
    accuracies = edited / RUN / f"evaluations/{CELL}/accuracies.csv"
    lines = accuracies.read_text().splitlines(keepends=True)
    accuracies.write_text("".join([*lines[:-1], lines[-1].replace("0.", "0.9", 1)]))
    record = read_record(edited / RUN, job)
    name = f"evaluations/{CELL}/accuracies.csv"
    forged = record.entities[name].model_copy(update={"sha256": file_hash(accuracies)})
    entities = {**record.entities, name: forged}
    write_record(edited / RUN, record.model_copy(update={"entities": entities}))
    code, output = cactus(tmp_path, "replay", str(edited), job.name)
    assert code == 1
    assert "DIFFERENT: recomputed" in next(
        line for line in output.splitlines() if "accuracies.csv" in line
    )
    assert "1 different" in output


def test_the_code_is_that_of_the_crate(edited, tmp_path):
    bookkeeping = edited / "workflow/scripts/cactus/provenance/job.py"
    bookkeeping.write_text(bookkeeping.read_text() + "\nraise SystemExit('of the crate')\n")
    with pytest.raises(RecordError) as caught:
        replay(edited, TRAINED.name, tmp_path / "work")
    assert caught.value.got == "of the crate"


def test_a_job_runs_the_sources_of_its_record(edited, tmp_path):
    script = edited / "workflow/scripts/meta_train.py"
    script.write_text("raise SystemExit('written after the job ran')\n")
    assert all(one.equal for one in replay(edited, TRAINED.name, tmp_path / "work"))


def test_what_a_gpu_computed_is_refused(edited, tmp_path):
    record = read_record(edited / RUN, TRAINED)
    device = {**record.agent.device, "device": "cuda"}
    agent = record.agent.model_copy(update={"device": device})
    write_record(edited / RUN, record.model_copy(update={"agent": agent}))
    with pytest.raises(RecordError, match="Only what a CPU computed") as caught:
        replay(edited, TRAINED.name, tmp_path / "work")
    assert "cuda" in caught.value.got


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("audit_run", "cannot be recomputed from the crate alone"),
        ("omniglot/acai/mamml/s0", "no such cell or job"),
    ],
)
def test_what_cannot_be_recomputed_is_refused(crate, tmp_path, name, what):
    with pytest.raises(RecordError, match=what):
        replay(crate, name, tmp_path / "work")


def test_what_is_no_crate_is_refused(tmp_path):
    (tmp_path / "text.zip").write_text("no zip file")
    for place in (tmp_path / "absent", tmp_path, tmp_path / "text.zip"):
        with pytest.raises(RecordError):
            replay(place, CELL, tmp_path / f"work-{place.name}")


def test_a_folder_in_use_is_not_worked_in(crate, tmp_path):
    (tmp_path / "mine").write_text("")
    with pytest.raises(RecordError, match="not empty"):
        replay(crate, CELL, tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "inside/../../outside", "link"])
def test_a_zip_file_that_would_write_elsewhere_is_refused(tmp_path, name):
    member = zipfile.ZipInfo(name)
    if name == "link":
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "crate.zip", "w") as archive:
        archive.writestr("ro-crate-metadata.json", json.dumps({}))
        archive.writestr(member, "..")
    with pytest.raises(RecordError, match="not unpacked"):
        replay(tmp_path / "crate.zip", CELL, tmp_path / "work")
    assert files_below(tmp_path) == {"crate.zip"}
