"""Public tools read a crate without complaint."""

import pytest

from cactus.files import read_json, write_json
from tests.workflow.crate.readers import offline_contexts, online, runcrate, validate
from tests.workflow.crate.tools import CELL, RUN, TRAINED

pytestmark = pytest.mark.workflow


def test_the_validator_accepts_it_without_the_network(crate, tmp_path):
    cache = offline_contexts(tmp_path / "contexts")
    code, report = validate(crate, tmp_path, "--offline", "--cache-path", str(cache))
    assert code == 0, report["issues"]
    assert report["passed"]
    assert not report["skipped_checks"]


def test_the_validator_notices_what_is_removed(edited, tmp_path):
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
