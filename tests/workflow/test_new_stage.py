"""A stage is added by one file, one rule and one script, as docs/architecture.md says."""

import json
from pathlib import Path

import pytest

from tests.workflow.project import Project

pytestmark = pytest.mark.workflow

STAGE = '''"""Count the images of each class of a data set."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from cactus.config.sections.base import DatasetName
from cactus.stages.base import DatasetStage, DatasetWildcards, Inputs, Spec, inputs_from

if TYPE_CHECKING:
    from cactus.config.models import Config


class CountImagesSpec(Spec):
    """One data set."""

    dataset: DatasetName


class CountImages(DatasetStage):
    """One job per data set."""

    target = "counts"
    folder = "counts"
    results = ("counts.json",)
    final = True
    local = True

    def spec(self, config: "Config", wildcards: DatasetWildcards) -> CountImagesSpec:
        """Return the data set."""
        return CountImagesSpec(dataset=wildcards.dataset)

    def inputs(self, config: "Config", wildcards: DatasetWildcards) -> Iterator[Inputs]:
        """Yield the labels of the training images."""
        yield inputs_from("prepare_data", wildcards.dataset, "manifest.json", "train_labels.npy")


STAGE: Final = CountImages()
'''
SCRIPT = '''"""Count the images of each class of a data set."""

import numpy as np

from cactus.command import run_main, stage_job
from cactus.data.array_files import read_array
from cactus.files import write_json


def main() -> None:
    """Run the stage."""
    with stage_job(__doc__) as job:
        labels = read_array(job.input_folder("data") / "train_labels.npy")
        write_json(job.output / "counts.json", np.bincount(labels).tolist())


if __name__ == "__main__":
    run_main(main)
'''
RULE = """

rule count_images:
    input:
        unpack(planned("count_images")),
    output:
        *results_of("count_images"),
        record=record_of("count_images"),
    log:
        log_of("count_images"),
    localrule: True
    conda:
        "../envs/cactus.yaml"
    message:
        "count_images {wildcards.dataset}"
    shell:
        'exec python "$SCRIPTS/count_images.py" --plan {input.plan:q} >> {log:q} 2>&1'


rule counts:
    input:
        made_by("count_images"),
"""
COUNTS = {"count_images mnist", "count_images omniglot"}


def test_a_stage_of_three_parts_runs_with_all_and_reruns_alone(finished: Project, tmp_path: Path):
    # A copy of its own: Snakemake remembers inputs, which undoing the edits does not undo.
    project = finished.copy(tmp_path / "project")
    (project.scripts / "cactus/stages/count_images.py").write_text(STAGE)
    script = project.scripts / "count_images.py"
    script.write_text(SCRIPT)
    rules = project.folder / "rules/data.smk"
    rules.write_text(rules.read_text() + RULE)
    assert project.stale_jobs() == {*COUNTS, "audit_run", "make_report"}
    assert project.stale_jobs("counts") == COUNTS
    project.snakemake("--cores", "1")
    counts = json.loads((project.run / "counts/mnist/counts.json").read_text())
    assert sum(counts) > 0
    assert project.stale_jobs() == set()
    code, output = project.cactus("status", "small", "--jobs")
    assert code == 0
    assert "count_images/omniglot" in output
    script.write_text(SCRIPT.replace("np.bincount(labels)", "np.bincount(labels, minlength=9)"))
    assert project.stale_jobs() == {*COUNTS, "audit_run", "make_report"}
    code, output = project.cactus("audit", "small")
    assert code == 1
    assert "stale: count_images/mnist" in output
