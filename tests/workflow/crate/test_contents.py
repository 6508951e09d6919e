"""What a crate holds: all files of the run and of the project, each with hash and size."""

import shutil
import zipfile
from urllib.parse import unquote

import pytest
from rocrate.rocrate import ROCrate

from cactus.files import file_hash, read_json
from tests.workflow.crate.tools import RUN, cactus, files_below, ids, of_type
from tests.workflow.snake import ROOT

pytestmark = pytest.mark.workflow


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
    found = files_below(ROOT / "workflow/scripts")
    sources = {name for name in found if "__pycache__" not in name}
    assert sources == {
        name.removeprefix("workflow/scripts/")
        for name in files_below(crate)
        if name.startswith("workflow/scripts/")
    }


def test_it_is_identified_by_the_digest_of_the_run(folder, graph):
    code, output = cactus(folder, "audit", "small")
    assert code == 0, output
    digest = output.splitlines()[-1].rpartition(" ")[2]
    assert graph["./"]["identifier"] == f"urn:sha256:{digest}"


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
