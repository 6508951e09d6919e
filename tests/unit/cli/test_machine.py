"""`cactus data` and `cactus doctor` tell what a run would miss here, and what to do."""

import json
import re
from importlib import metadata

import pytest

from cactus.cli.machine.doctor import _libraries
from cactus.cluster.local_gpu import visible_gpus
from cactus.config.load import parse_config
from cactus.config.models import Config
from cactus.synthetic.mnist.write import write_files

PARTS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte")


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A folder with the four files of MNIST, drawn."""
    folder = tmp_path_factory.mktemp("raw")
    settings = parse_config({"synthetic_data": True, "grid": {"datasets": ["mnist"]}}).synthetic
    write_files(settings.mnist, 0, folder / "mnist")
    return folder


def data(cactus, *words):
    done = cactus("data", "--json", *words)
    found = json.loads(done.stdout)["data_sets"]
    return done.returncode, {one["name"]: one for one in found}


def test_data_is_found_missing_or_incomplete(cactus, tmp_path, mnist):
    code, found = data(cactus)
    assert (code, {one["state"] for one in found.values()}) == (0, {"missing"})
    assert (found["mnist"]["downloaded"], found["celeba"]["downloaded"]) == (True, False)
    assert "data/celeba" in found["celeba"]["looked"]
    assert "mmlab.ie.cuhk.edu.hk" in found["celeba"]["source"]
    assert "no img_align_celeba.zip" in found["celeba"]["got"]
    (tmp_path / "data").symlink_to(mnist)
    _, found = data(cactus)
    assert (found["mnist"]["state"], found["mnist"]["got"]) == ("found", "")
    size = sum(path.stat().st_size for path in (mnist / "mnist").iterdir())
    assert found["mnist"]["bytes"] == size
    (tmp_path / "part/celeba").mkdir(parents=True)
    (tmp_path / "part/celeba/list_attr_celeba.txt").write_text("1\n")
    _, found = data(cactus, "--config", "data={raw_dir: part}")
    assert found["celeba"]["state"] == "incomplete"
    done = cactus("data", "--config", "data={raw_dir: part}")
    assert "CelebA is incomplete" in done.stdout


def test_data_that_a_named_study_cannot_get_is_a_failure(cactus):
    study = "grid={datasets: [celeba], embeddings: [acai]}"
    assert data(cactus, "--config", study)[0] == 1
    assert data(cactus, "--config", study, "synthetic_data=true")[0] == 0
    code, found = data(cactus, "--config", "grid={datasets: [mnist], embeddings: [acai]}")
    assert (code, found["mnist"]["used"], found["celeba"]["used"]) == (0, True, False)


def checks(cactus, *words, **variables):
    done = cactus("doctor", "--json", *words, **variables)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {one["name"]: one for one in json.loads(done.stdout)}


def test_a_computer_that_can_run_has_nothing_in_the_way(cactus):
    done = cactus("doctor")
    assert (done.returncode, "nothing blocks a run" in done.stdout) == (0, True), done.stdout
    assert {"Python", "libraries", "disk", "memory", "GPU", "Slurm", "TeX"} <= {
        line.split()[0] for line in done.stdout.splitlines() if line
    }


def test_locked_libraries_of_other_systems_are_named_and_not_missed(cactus):
    (found,) = (one for one in checks(cactus)[1].values() if one["name"] == "libraries")
    assert (found["state"], found["fix"]) == ("ok", "")
    here, _, others = found["found"].partition(" (not for this system: ")
    assert re.fullmatch(r"all \d+ locked ones that this system needs", here)
    assert {"colorama", "pyreadline3"} <= {*others.rstrip(")").split(", ")}


def test_a_locked_library_that_is_gone_is_missed(monkeypatch):
    every = [one for one in metadata.distributions() if one.name.lower() != "html5rdf"]
    monkeypatch.setattr(metadata, "distributions", lambda: every)
    found = _libraries(Config())
    assert (found.state, found.found.endswith(" locked ones, missing: html5rdf")) == (
        "note",
        True,
    ), found
    assert "make setup" in found.fix


def test_what_blocks_a_run_gives_exit_code_1(cactus, tmp_path):
    code, found = checks(cactus, PATH="/nowhere")
    assert (code, found["jobs' Python"]["state"]) == (1, "blocks")
    assert found["TeX"]["state"] == "note"
    study = ("--config", "grid={datasets: [celeba], embeddings: [acai]}")
    code, found = checks(cactus, *study)
    assert (code, found["data: celeba"]["state"], "data: mnist" in found) == (1, "blocks", False)
    if not visible_gpus():
        more = "compute={device: cuda}"
        code, found = checks(cactus, "--config", more, "synthetic_data=true")
        assert (code, found["GPU"]["state"]) == (1, "blocks")
    (tmp_path / "bad.yaml").write_text("run: [\n")
    assert cactus("doctor", "--configfile", "bad.yaml").returncode == 2
