"""The graph that plans jobs equals Snakemake's: the same jobs, inputs and outputs."""

import csv
import io
from pathlib import Path

import pytest

from cactus.provenance.records.plan import plan_path
from cactus.provenance.records.record import record_path
from cactus.provenance.staleness.open_run import open_run
from cactus.stages.base import Job
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow


def test_snakemake_has_the_same_jobs_inputs_and_outputs(finished: Project, tmp_path: Path):
    # A copy of its own: Snakemake remembers inputs, which undoing edits does not undo.
    project = finished.copy(tmp_path / "project")
    output = project.snakemake("--detailed-summary")
    table = output[output.index("output_file\t") :]
    inputs: dict[Job, set[str]] = {}
    outputs: dict[Job, set[str]] = {}
    run = "results/small"
    for row in csv.DictReader(io.StringIO(table), delimiter="\t"):
        if row["rule"] is None or "plans/" not in (row["input-file(s)"] or ""):
            continue
        files = set(row["input-file(s)"].split(","))
        plan = next(file for file in files if file.startswith(f"{run}/plans/"))
        stage, _, cell = plan.removeprefix(f"{run}/plans/").removesuffix(".json").partition("/")
        assert stage == row["rule"]
        inputs.setdefault(Job(stage, cell), set()).update(files)
        outputs.setdefault(Job(stage, cell), set()).add(row["output_file"])
    planner = open_run(str(project.run))
    assert set(inputs) == set(planner.jobs)
    for job, files in inputs.items():
        sentinels = {f"{run}/{upstream.job.files[0]}" for upstream in planner.graph.inputs(job)}
        relative = {path.relative_to(project.run) for path in (plan_path(project.run, job),)}
        assert files == sentinels | {f"{run}/{path}" for path in relative}
        record = f"{run}/{record_path(project.run, job).relative_to(project.run)}"
        assert record in outputs[job]
        for file in outputs[job] - {record}:
            name = file.removeprefix(f"{run}/")
            assert name in job.files or name.startswith(f"{job.folder}/"), name


def test_several_files_of_one_stage_can_be_requested_before_anything_is_planned(tmp_path: Path):
    project = Project.create(tmp_path / "project")
    names = [f"results/small/raw/{name}/synthetic.json" for name in ("mnist", "omniglot")]
    assert project.stale_jobs(*names) == {
        "make_synthetic_data mnist",
        "make_synthetic_data omniglot",
    }
