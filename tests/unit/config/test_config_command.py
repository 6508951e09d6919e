"""`cactus config` prints the keys of a cell, and where each comes from."""

import json
from pathlib import Path

import pytest

from cactus.cli import main as cactus_main
from cactus.config.sections.embeddings.acai import AcaiSettings
from cactus.errors import ConfigError
from cactus.provenance.staleness.planned_config import PlannedConfig

ROOT = Path(__file__).parents[3]
STUDY = """\
run: mine
synthetic_data: true
learners:
  protonets:
    iterations: 150
    per_dataset: {mnist: {shot: 2}}
partitions: {hyperplanes: {normal_range: 0.5}, variants: {k-12: {clusters: 12}}}
grid: {controls: {mnist: [acai+k-12, acai+p-1, hyperplanes-acai+margin-0]}}
"""


@pytest.fixture
def cactus(tmp_path, monkeypatch, capsys):
    """Run the command in a folder with a study; return its exit code and output."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(STUDY)

    def run(*words: str, command: str = "config") -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["cactus", command, *words])
        with pytest.raises(SystemExit) as caught:
            cactus_main.main()
        captured = capsys.readouterr()
        return caught.value.code, captured.out + captured.err

    return run


def rows(output: str) -> dict[str, tuple[object, str]]:
    return {row["key"]: (row["value"], row["origin"]) for row in json.loads(output)}


@pytest.mark.parametrize(
    ("cell", "key", "value", "origin"),
    [
        ("mnist/acai/protonets/s0", "learners.protonets.iterations", 150, "mine.yaml:5"),
        ("mnist/acai/protonets/s0", "learners.protonets.shot", 2, "mine.yaml:6"),
        ("celeba/acai/protonets/s0", "learners.protonets.shot", 1, "built-in default"),
        ("celeba/acai/protonets/s0", "embeddings.acai.depth", 64, "built-in default for celeba"),
        ("celeba/acai/maml/s0", "learners.maml.iterations", 60_000, "built-in default for celeba"),
        ("mnist/acai/maml/s0", "data.mnist.val_size", 500, "built-in default for synthetic data"),
        ("mnist/acai/maml/s0", "partitions.hyperplanes.margin", 0.6, "built-in default for acai"),
        ("mnist/acai/maml/s0", "partitions.hyperplanes.normal_range", 0.5, "mine.yaml:7"),
        ("mnist/bigan/maml/s0", "partitions.hyperplanes.margin", 0.0, "built-in default"),
        ("mnist/acai+k-12/maml/s0", "partitions.clusters", 12, "mine.yaml:7"),
        ("mnist/acai+p-1/maml/s0", "partitions.count", 1, "built-in default for p-1"),
        (
            "mnist/hyperplanes-acai+margin-0/maml/s0",
            "partitions.hyperplanes.margin",
            0.0,
            "built-in default for margin-0",
        ),
        (
            "train_embedding/mnist/bigan/s0",
            "embeddings.bigan.dims",
            50,
            "built-in default for mnist",
        ),
        ("mnist/acai/maml/s0", "compute.threads", 3, "--config"),
    ],
)
def test_a_cells_keys_have_their_origin(cactus, cell, key, value, origin):
    given = ("--configfile", "mine.yaml", "--config", "compute={threads: 3}")
    code, output = cactus(cell, "--json", *given)
    assert code == 0, output
    assert rows(output)[key] == (value, origin)


def test_a_cell_shows_only_what_its_jobs_can_read(cactus):
    _, output = cactus("--json", "--configfile", "mine.yaml", "mnist/acai/maml/s0")
    found = rows(output)
    assert not [key for key in found if "per_dataset" in key or "protonets" in key.split(".")[:2]]
    assert not [key for key in found if key.startswith(("data.celeba", "embeddings.bigan", "grid"))]


def test_an_embedding_like_another_shows_what_it_takes_over(cactus):
    entry = (
        "embeddings={acai: {depth: 8}, custom: {fresh: {like: acai, settings: {iterations: 0}}}}"
    )
    study = ("--configfile", "mine.yaml", "--config", entry, "grid={embeddings: [fresh]}")
    _, output = cactus("celeba/fresh/maml/s0", "--json", *study)
    start = "embeddings.custom.fresh.settings."
    found = {key.removeprefix(start): row for key, row in rows(output).items() if start in key}
    assert found["iterations"] == (0, "--config")
    assert found["depth"] == (8, "like acai, --config")
    assert found["working_size"] == (64, "like acai, built-in default for celeba")
    assert {*found} == {*AcaiSettings.model_fields} - {"per_dataset"}


def test_keys_are_found_by_section_or_last_part_and_others_are_refused(cactus):
    code, output = cactus("learners.protonets.way", "compute", "--configfile", "mine.yaml")
    assert code == 0
    assert output.splitlines()[0].split() == ["learners.protonets.way", "20", "built-in", "default"]
    assert "compute.device" in output
    code, output = cactus("iteratons", "--configfile", "mine.yaml")
    assert code == 2
    assert "did you mean 'iterations'?" in output
    code, output = cactus("mnist/acai/maml/s0", "grid.seeds", "--configfile", "mine.yaml")
    assert code == 2
    assert "no job of the cell reads it: leave the cell out" in output


@pytest.mark.parametrize(
    "words",
    [
        ("learners.maml.way", "--configfile", "mine.yaml"),
        ("--configfile", "mine.yaml", "learners.maml.way"),
        ("--config", "run=x", "learners.maml.way", "--configfile", "mine.yaml"),
        ("--configfile", "mine.yaml", "--config", "run=x", "learners.maml.way"),
        ("--configfile", "mine.yaml", "--", "learners.maml.way"),
    ],
)
def test_words_may_come_before_and_after_options(cactus, words):
    code, output = cactus(*words)
    assert (code, output.split()[:2]) == (0, ["learners.maml.way", "20"])


def test_a_run_is_found_among_the_words_but_not_beside_another_study(cactus, tmp_path):
    study = PlannedConfig.read([Path("mine.yaml")], ["compute={threads: 3}"], ROOT)
    study.write(tmp_path / "results/mine")
    for words in (("mine", "threads"), ("threads", "mine"), ("threads", "results/mine")):
        assert cactus(*words) == (0, "compute.threads  3  --config\n")
    assert cactus("mine", "threads", "--configfile", "mine.yaml")[0] == 0
    for command in ("config", "plan"):
        code, output = cactus("mine", "--config", "compute={threads: 1}", command=command)
        assert code == 2
        assert "mine, and a study whose run is paper" in output


@pytest.mark.parametrize("option", ["--config", "--configfile"])
def test_an_option_whose_first_values_would_be_dropped_is_refused(cactus, option):
    value = "run=x" if option == "--config" else "mine.yaml"
    for command in ("config", "plan"):
        code, output = cactus(option, value, f"{option}={value}", command=command)
        assert code == 2
        assert f"after a single {option}" in output


def test_a_call_of_snakemake_is_checked_before_it_plans(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("grid: {exclude: [{seed: 7}]}\n")
    study = PlannedConfig.read([Path("mine.yaml")], [], ROOT)
    call = ["snakemake", "--config", "run=x", "-C", "run=y"]
    with pytest.raises(ConfigError, match="more than once"):
        study.check_call(call)
    study.check_call(call[:3])
    assert "note: grid.exclude.0 (seed: 7) matches no cell" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "expected"), [("labels", (7, "--config")), ("acai", (30, "--config"))]
)
def test_a_cell_on_true_labels_trains_for_its_own_iterations(cactus, source, expected):
    values = (
        "grid={controls: {mnist: [labels]}}",
        "learners={maml: {iterations: 30, oracle_iterations: 7}}",
    )
    cell = f"mnist/{source}/maml/s0"
    code, output = cactus(cell, "--json", "--configfile", "mine.yaml", "--config", *values)
    assert code == 0, output
    assert rows(output)["learners.maml.iterations"] == expected


def test_a_model_of_one_way_has_its_own_way(cactus):
    values = ("grid={datasets: [omniglot], controls: {omniglot: [random+5-way]}}",)
    cell = "omniglot/random+5-way/maml/s0"
    code, output = cactus(cell, "--json", "--configfile", "mine.yaml", "--config", *values)
    assert code == 0, output
    found = rows(output)
    assert found["learners.maml.way"] == (5, "source random+5-way")
    assert found["learners.maml.validation.way"][0] == 5
    assert {one["way"] for one in found["evaluation.settings"][0]} == {5}


@pytest.mark.parametrize("option", ["--config", "-C", "--configfile"])
def test_an_update_takes_no_other_configuration(cactus, tmp_path, option):
    PlannedConfig.read([Path("mine.yaml")], [], ROOT).write(tmp_path / "results/mine")
    value = "mine.yaml" if option == "--configfile" else "run=y"
    code, output = cactus("mine", "--", option, value, command="update")
    assert (code, "takes the configuration of its run" in output) == (2, True)


def test_a_run_whose_study_is_no_longer_valid_is_explained(cactus, tmp_path):
    PlannedConfig.read([Path("mine.yaml")], [], ROOT).write(tmp_path / "results/mine")
    (tmp_path / "mine.yaml").write_text("run: mine\ngrid: {dataset: mnist}\n")
    code, output = cactus("mine", "threads")
    assert (code, "mine.yaml:2: grid.dataset" in output) == (2, True)


def test_without_run_or_study_the_papers_is_shown(cactus):
    code, output = cactus("--json")
    assert code == 0, output
    value, origin = rows(output)["run"]
    assert (value, origin.rpartition(":")[0]) == ("paper", str(ROOT / "config/config.yaml"))


def test_a_study_that_is_not_valid_is_explained(cactus, tmp_path):
    (tmp_path / "bad.yaml").write_text("learners: {maml: {way: 'x'}}\n")
    code, output = cactus("--configfile", "bad.yaml")
    assert code == 2
    assert output.startswith("ConfigError: ")
    assert "bad.yaml:1: learners.maml.way" in output


def test_the_readme_shows_what_the_command_prints(cactus, tmp_path):
    text = (ROOT / "README.md").read_text()
    given, shown = text.split("$ cactus config omniglot/acai/maml/s0 learners")[1].splitlines()[:2]
    (tmp_path / "config").symlink_to(ROOT / "config")
    _, output = cactus(*f"omniglot/acai/maml/s0 learners{given}".split())
    assert output.strip() == shown
