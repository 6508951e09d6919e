"""Of a configuration's layers, the later wins, and each value knows its own."""

import json
from pathlib import Path

import pytest

from cactus.config.load import checked, load_config, parse_config, read_layers, read_yaml
from cactus.config.yaml_file import parse_document
from cactus.errors import ConfigError
from cactus.provenance.staleness.planned_config import PlannedConfig, read_planned_config

DATASETS = ("mnist", "omniglot", "miniimagenet", "celeba")


def iterations(config, dataset):
    return config.learners.resolve("protonets", dataset).iterations


def write(folder: Path, *texts: str) -> list[Path]:
    files = [folder / f"study-{index}.yaml" for index in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return files


PLAIN = "learners: {protonets: {iterations: %d}}\n"
MNIST = "learners: {protonets: {per_dataset: {mnist: {iterations: %d}}}}\n"
BOTH = "learners: {protonets: {iterations: %d, per_dataset: {mnist: {iterations: %d}}}}\n"


@pytest.mark.parametrize(
    ("texts", "overrides", "mnist", "miniimagenet"),
    [
        (["run: a\n"], {}, 30_000, 60_000),  # the defaults, of which miniImageNet has its own
        ([PLAIN % 150], {}, 150, 150),
        ([MNIST % 7], {}, 7, 60_000),
        ([BOTH % (150, 7)], {}, 7, 150),
        ([MNIST % 7, PLAIN % 150], {}, 150, 150),
        ([PLAIN % 150, MNIST % 7], {}, 7, 150),
        ([BOTH % (150, 7), PLAIN % 8], {}, 8, 8),
        ([BOTH % (150, 7)], {"iterations": 9}, 9, 9),
        ([BOTH % (150, 7)], {"per_dataset": {"mnist": {"iterations": 9}}}, 9, 150),
        (["run: a\n"], {"iterations": 9, "per_dataset": {"mnist": {"iterations": 8}}}, 8, 9),
    ],
)
def test_the_later_layer_wins(tmp_path, texts, overrides, mnist, miniimagenet):
    files = write(tmp_path, *texts)
    config = load_config(files, {"learners": {"protonets": overrides}})
    assert (iterations(config, "mnist"), iterations(config, "miniimagenet")) == (
        mnist,
        miniimagenet,
    )


MAML = "learners: {maml: %s}\n"


@pytest.mark.parametrize(
    ("layers", "omniglot", "mnist"),
    [
        (["{}"], 120_000, 30_000),
        (["{iterations: 5}"], 5, 5),
        (["{iterations: 0}"], 0, 0),
        (["{iterations: 5, oracle_iterations: 9}"], 9, 9),
        (["{iterations: 5, oracle_iterations: null}"], 5, 5),
        (["{oracle_iterations: 9}"], 9, 9),
        (["{per_dataset: {omniglot: {iterations: 5}}}"], 5, 30_000),
        (["{per_dataset: {mnist: {iterations: 5}}}"], 120_000, 5),
        (["{iterations: 5, per_dataset: {omniglot: {iterations: 6}}}"], 6, 5),
        (["{iterations: 5, per_dataset: {omniglot: {oracle_iterations: 9}}}"], 9, 5),
        (["{oracle_iterations: 9, per_dataset: {omniglot: {iterations: 5}}}"], 9, 9),
        (["{iterations: 5}", "{oracle_iterations: 9}"], 9, 9),
        (["{oracle_iterations: 9}", "{iterations: 5}"], 5, 5),
        (["{oracle_iterations: 9}", "{inner_steps: 4}"], 9, 9),
        (["{oracle_iterations: 9}", "{per_dataset: {omniglot: {iterations: 5}}}"], 5, 9),
        (["{per_dataset: {omniglot: {oracle_iterations: 9}}}", "{iterations: 5}"], 5, 5),
    ],
)
def test_a_studys_iterations_are_also_the_oracles_unless_it_says_otherwise(
    tmp_path, layers, omniglot, mnist
):
    *files, last = layers
    paths = write(tmp_path, "run: a\n", *(MAML % text for text in files))
    config = load_config(paths, parse_document(MAML % last, "--config").values)
    for dataset, expected in (("omniglot", omniglot), ("mnist", mnist)):
        assert config.learners.resolve("maml", dataset, "labels").iterations == expected
    planned = PlannedConfig.model_validate(
        {"configfiles": ["gone.yaml"], "overrides": {}, "config": config.model_dump(mode="json")}
    )
    assert checked(planned.last_planned()) == config


def test_the_oracles_iterations_come_from_the_line_of_the_studys(tmp_path):
    (file,) = write(tmp_path, "learners:\n  maml:\n    iterations: 5\n")
    layers = read_layers([file])
    assert str(layers.origin(("learners", "maml", "oracle_iterations"), "omniglot")) == f"{file}:3"


@pytest.mark.parametrize("values", [[], 3, {"maml": 3}, {"maml": {"iterations": []}}])
def test_sections_that_are_none_are_still_explained(values):
    with pytest.raises(ConfigError, match="learners"):
        parse_config({"learners": values})


def test_only_learners_have_an_oracle():
    shared = {"iterations": 5}
    values = {"learners": {"maml": shared}, "embeddings": {"acai": shared}}
    config = parse_config(values)
    assert config.embeddings.acai.iterations == config.learners.maml.iterations == 5
    assert shared == {"iterations": 5}
    with pytest.raises(ConfigError, match="'iterations'"):
        parse_config({"learners": {"scratch": {"iterations": 5}}})


@pytest.mark.parametrize("name", ["demo", "omniglot-acai", "mnist-gans"])
def test_the_studies_train_their_oracle_as_briefly_as_the_rest(name):
    config = load_config([Path(__file__).parents[3] / f"config/{name}.yaml"])
    for cell in config.expanded_grid.trained_cells:
        oracle, own = (
            config.learners.resolve(cell.learner, cell.dataset, source).iterations
            for source in ("labels", cell.source)
        )
        assert oracle == own


def test_a_studys_value_replaces_the_defaults_of_every_data_set():
    config = parse_config({"evaluation": {"settings": [{"way": 2, "shot": 3}]}})
    for dataset in DATASETS:
        settings = config.evaluation.resolve(dataset).settings
        assert [(one.way, one.shot) for one in settings] == [(2, 3)]


def test_a_nested_value_replaces_only_itself():
    config = parse_config({"learners": {"maml": {"validation": {"shot": 4}}}})
    celeba = config.learners.resolve("maml", "celeba").validation
    assert (celeba.shot, celeba.way) == (4, 2)


def test_a_studys_value_replaces_the_defaults_of_every_embedding():
    config = parse_config({"partitions": {"hyperplanes": {"margin": 0.5}}})
    hyperplanes = config.partitions.resolve("omniglot").hyperplanes
    assert [hyperplanes.resolve(name).margin for name in ("acai", "bigan")] == [0.5, 0.5]
    assert hyperplanes.resolve("deepcluster").point_range == 0.0
    values = {"per_dataset": {"mnist": {"hyperplanes": {"margin": 0.1}}}}
    mnist = parse_config({"partitions": values}).partitions.resolve("mnist").hyperplanes
    assert mnist.resolve("acai").margin == 0.1


def test_a_study_without_a_name_is_named_after_its_last_file(tmp_path):
    for name, run in (
        ("my-study.yaml", "my-study"),
        ("My Study (2).yml", "my-study-2"),
        ("Étude.yml", "etude"),
    ):
        (tmp_path / name).write_text("compute: {threads: 1}\n")
        assert load_config([tmp_path / name]).run == run
        assert load_config([tmp_path / name], {"run": "other"}).run == "other"
    first, second = write(tmp_path, "run: named\n", "compute: {threads: 1}\n")
    assert load_config([first, second]).run == "named"
    (tmp_path / "---.yaml").write_text("compute: {threads: 1}\n")
    with pytest.raises(ConfigError, match="named after its file"):
        load_config([tmp_path / "---.yaml"])


@pytest.mark.parametrize(
    ("path", "names", "origin"),
    [
        ("embeddings.acai.depth", ["celeba"], "built-in default for celeba"),
        ("learners.maml.inner_lr", ["omniglot"], "built-in default"),
        ("learners.maml.outer_lr", ["celeba"], "{}:3"),
        ("learners.maml.shot", ["celeba"], "{}:5"),
        ("learners.maml.shot", ["mnist"], "built-in default"),
        ("learners.maml.filters", ["mnist"], "--config"),
        ("partitions.hyperplanes.margin", ["mnist", "acai"], "built-in default for acai"),
        ("data.mnist.val_size", ["mnist"], "built-in default for synthetic data"),
        ("run", [], "the name of {}"),
    ],
)
def test_each_value_knows_where_it_comes_from(tmp_path, path, names, origin):
    text = (
        "learners:\n  maml:\n    outer_lr: 0.1\n    per_dataset:\n      celeba: {shot: 2}\n"
        "synthetic_data: true\n"
    )
    (file,) = write(tmp_path, text)
    layers = read_layers([file], {"learners": {"maml": {"filters": 8}}})
    assert str(layers.origin(tuple(path.split(".")), *names)) == origin.format(file)


OLD = {  # as written before the layers of a configuration were kept apart
    "configfiles": ["config/config.yaml", "study.yaml"],
    "overrides": {"learners": {"protonets": {"shot": "2"}}, "data": {"raw_dir": "here"}},
    "config": {"run": "a", "learners": {"protonets": {"shot": "2", "iterations": 7}}},
}


@pytest.mark.parametrize("with_file", [True, False])
def test_the_configuration_of_an_old_run_resolves_alike(tmp_path, with_file):
    run = tmp_path / "results/a"
    (run / "plans").mkdir(parents=True)
    (run / "plans/config.json").write_text(json.dumps(OLD))
    if with_file:
        (tmp_path / "config").mkdir()
        (tmp_path / "config/config.yaml").write_text("run: paper\n")
        (tmp_path / "study.yaml").write_text("run: a\nlearners: {protonets: {iterations: 7}}\n")
    planned = read_planned_config(run)
    config = planned.load(tmp_path)
    assert (config.run, iterations(config, "miniimagenet")) == ("a", 7)
    assert config.learners.protonets.shot == 2
    assert config == checked(planned.last_planned())


def test_a_saved_configuration_reads_back_as_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (file,) = write(tmp_path, BOTH % (150, 7))
    pairs = ["compute={threads: 3}", "grid={datasets: [mnist], seeds: [1]}"]
    planned = PlannedConfig.read([file], pairs, tmp_path)
    planned.write(tmp_path / "results/study-0")
    read = read_planned_config(tmp_path / "results/study-0")
    config = read.load(tmp_path)
    assert (config.run, config.compute.threads, config.grid.seeds) == ("study-0", 3, [1])
    assert iterations(config, "mnist") == 7
    assert checked(read.last_planned()) == config
    at = read.arguments().index("--config")
    again = PlannedConfig.read([file], read.arguments()[at + 1 :], tmp_path)
    assert again == planned


def test_without_a_file_the_papers_study_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = Path(__file__).parents[3]
    config = PlannedConfig.read([], ["compute={threads: 1}"], root).load(tmp_path)
    assert config.run == "paper"
    grid = config.grid.model_dump(exclude_defaults=True)
    assert grid == read_yaml(root / "config/config.yaml")["grid"]


def test_an_axis_of_the_command_line_wins_over_the_papers_for_single_data_sets():
    root = Path(__file__).parents[3]
    axes = ["grid={embeddings: [infogan], learners: [protonets], scratch: false}"]
    grid = PlannedConfig.read([], axes, root).load(root).expanded_grid
    assert {(cell.dataset, cell.learner) for cell in grid.cells if cell.source == "infogan"} == {
        (name, "protonets") for name in ("mnist", "omniglot", "miniimagenet", "celeba")
    }
    assert {cell.source for cell in grid.cells} == {"infogan", "labels"}


def test_the_readmes_study_plans_the_cells_that_it_reads_like():
    text = (Path(__file__).parents[3] / "README.md").read_text()
    study = text.split("```yaml\n")[1].split("```")[0]
    assert "two-seeds" in study
    cells = {
        cell.name
        for cell in parse_config(parse_document(study, "README.md").values).expanded_grid.cells
    }
    assert cells == {
        *(f"omniglot/acai/{name}/s{seed}" for name in ("maml", "protonets") for seed in (0, 1)),
        *(f"omniglot/deepcluster/protonets/s{seed}" for seed in (0, 1)),
    }
