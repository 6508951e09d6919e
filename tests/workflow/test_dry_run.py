import subprocess
import sys

import pytest

from tests.workflow.snake import ROOT, job_counts, snakemake

pytestmark = pytest.mark.workflow
SEEDS = 5


def test_the_papers_grid_runs_if_no_study_is_named(tmp_path):
    counts = job_counts(tmp_path)
    assert counts == jobs(counts, embeddings=9, trained=30, celeba=6, seeds=1)
    assert (tmp_path / "results/paper").is_dir()


def test_the_full_grid_with_five_seeds_has_the_jobs_that_its_axes_multiply_to(tmp_path):
    study = ("--configfile", str(ROOT / "config/full.yaml"))
    counts = job_counts(tmp_path, *study, "--config", "grid={seeds: [0, 1, 2, 3, 4]}")
    controls = 1 + 7 + 5 + 1
    trained = SEEDS * 2 * (4 * 4 + controls)
    assert counts == jobs(
        counts, embeddings=SEEDS * 16, trained=trained, celeba=SEEDS * 2 * 5, seeds=SEEDS
    )
    assert (tmp_path / "results/full").is_dir()


def jobs(
    counts: dict[str, int], embeddings: int, trained: int, celeba: int, seeds: int
) -> dict[str, int]:
    return {
        "prepare_data": 4,
        "train_embedding": embeddings,
        "make_partitions": trained,
        "measure_partitions": trained - celeba,  # it has no classes
        "meta_train": trained,
        "evaluate_model": trained + seeds * 4,
        "run_baselines": embeddings,
        "aggregate_results": 1,
        "make_table": 4 * 3 + 1,
        "make_document": 1,
        "make_figure": 3 + 8 * 4 - 4,  # those of classes on CelebA, which has none
        "audit_run": 1,
        "make_report": 1,
        "all": 1,
        "total": sum(counts.values()) - counts["total"],
    }


def test_the_demo_has_the_32_cells(tmp_path):
    counts = job_counts(tmp_path, "--configfile", str(ROOT / "config" / "demo.yaml"))
    assert counts["make_synthetic_data"] == counts["prepare_data"] == 4
    assert counts["train_embedding"] == 16
    assert counts["meta_train"] == 32 + 4 * 2  # the oracles besides


def test_a_shorter_axis_leaves_out_the_rest(tmp_path):
    (tmp_path / "study.yaml").write_text("grid: {datasets: [omniglot], embeddings: [acai]}\n")
    counts = job_counts(tmp_path, "--configfile", "study.yaml")
    assert (counts["prepare_data"], counts["train_embedding"], counts["meta_train"]) == (1, 1, 2)


def test_a_misspelled_key_stops_before_any_job(tmp_path):
    (tmp_path / "study.yaml").write_text("grid: {dataset: [omniglot]}\n")
    options = ("--workflow-profile", "none", "--dry-run", "--configfile", "study.yaml")
    assert snakemake(tmp_path, *options, check=False) == (
        "ConfigError: The configuration has an unknown key.\n"
        "  where: study.yaml:1: grid.dataset\n"
        "  got:   'dataset'\n"
        "  fix:   did you mean 'datasets'?\n"
    )


def test_a_start_that_is_refused_leaves_no_run(tmp_path):
    mine = "embeddings: {custom: {mine: {module: torch}}}"
    (tmp_path / "study.yaml").write_text(f"run: refused\ngrid: {{embeddings: [mine]}}\n{mine}\n")
    output = snakemake(tmp_path, "--dry-run", "--configfile", "study.yaml", check=False)
    assert "is a library's, not your own" in output
    assert not (tmp_path / "results/refused/plans").exists()


# Snakemake reads files and arguments before the Snakefile, so its own loader would see them first.
@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("run: a\nrun: b\n", (), "the key 'run' twice, first at line 1"),
        ("__use_yte__: true\nrun: ?__import__('os').mkdir('made')\n", (), "'__use_yte__'"),
        (
            "a0: &a0 {x: 1}\n"
            + "".join(f"a{n}: &a{n} {{a: *a{n - 1}, b: *a{n - 1}}}\n" for n in range(1, 40)),
            (),
            "more than 20000 values",
        ),
        ("run: a\n", ("--config", "compute.threads=1"), "--config 'compute={threads: 1}'"),
    ],
    ids=["a key twice", "a template", "a bomb", "a dotted key"],
)
def test_snakemake_reads_configurations_by_the_projects_loader(tmp_path, text, arguments, message):
    (tmp_path / "study.yaml").write_text(text)
    given = ("--dry-run", "--configfile", "study.yaml", *arguments)
    output = snakemake(tmp_path, *given, check=False)
    profile, *error = output.splitlines()
    assert "workflow specific profile" in profile
    assert error[0].startswith("ConfigError: ")
    assert message in output
    assert len(error) == 4
    assert not (tmp_path / "made").exists()


def test_parsing_imports_no_torch():
    code = (
        "import sys\n"
        "import cactus.config.load, cactus.graph, cactus.provenance.staleness.open_run\n"
        "print([name for name in ('torch', 'sklearn', 'pandas') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow/scripts", capture_output=True, text=True
    )
    assert run.stdout.strip() == "[]", run.stderr


def too_long(pattern: str, limit: int) -> dict[str, int]:
    lengths = {path.name: len(path.read_text().splitlines()) for path in ROOT.glob(pattern)}
    assert lengths
    return {name: length for name, length in lengths.items() if length > limit}


def test_files_stay_short():
    assert too_long("Snakefile", 60) == {}
    assert too_long("workflow/scripts/*.py", 40) == {}
    assert too_long("rules/*.smk", 120) == {}
    assert too_long("workflow/scripts/cactus/**/*.py", 300) == {}
