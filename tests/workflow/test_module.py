"""The workflow in others: as a module, from the standard path, in another folder, with spaces."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.project import PLAIN, Project

pytestmark = pytest.mark.workflow
STUDY = """\
run: mine
synthetic_data: true
grid: {datasets: [mnist], embeddings: [acai], learners: [protonets]}
synthetic: {mnist: {train_images: 900, test_images: 400}}
data: {mnist: {val_size: 350}}
"""
OUTER = """\
configfile: "their config.yaml"


onstart:
    shell("touch theirs-began")


module cactus:
    snakefile:
        config["snakefile"]
    config:
        config["cactus"]


use rule * from cactus as cactus_*


rule count:
    input:
        rules.cactus_data.input,
    output:
        "count.txt",
    default_target: True
    shell:
        "ls {input} | wc -l > {output}"
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project, without results, below a folder whose name has spaces."""
    return Project.create(tmp_path_factory.mktemp("module") / "a clone of mine")


def snakemake(clone: Project, folder: Path, *arguments: str, cores: str = "2") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", cores, *arguments],
        cwd=folder,
        env=clone.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def counts(output: str) -> dict[str, int]:
    table = output.split("Job stats:")[1].split("\n\n")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


@pytest.fixture
def outer(clone: Project, tmp_path: Path) -> Path:
    folder = tmp_path / "another workflow"
    folder.mkdir()
    (folder / "Snakefile").write_text(OUTER)
    study = "".join(f"  {line}\n" for line in STUDY.splitlines())
    text = f'snakefile: "{clone.folder}/workflow/Snakefile"\ntheirs: 1\ncactus:\n{study}'
    (folder / "their config.yaml").write_text(text)
    return folder


def test_a_module_with_renamed_rules_runs_beside_rules_of_others(clone: Project, outer: Path):
    planned = counts(snakemake(clone, outer, "--dry-run", "--quiet", "rules"))
    ours = {"cactus_make_synthetic_data": 1, "cactus_prepare_data": 1}
    assert planned == {**ours, "count": 1, "total": 3}
    output = snakemake(clone, outer, cores="999")
    assert (outer / "count.txt").read_text().strip() == "1"
    assert (outer / "theirs-began").exists()
    assert "--cores is 999" in output  # which is what ours warns of at the start
    assert "Nothing to be done" in snakemake(clone, outer)
    whole = counts(snakemake(clone, outer, "--dry-run", "--quiet", "rules", "--", "cactus_all"))
    assert {"cactus_meta_train", "cactus_audit_run", "cactus_make_table"} <= {*whole}


def test_commands_know_the_run_of_a_module(clone: Project, outer: Path):
    snakemake(clone, outer)
    command = [sys.executable, "-m", "cactus.cli.main"]
    run = {"cwd": outer, "env": clone.variables(), "capture_output": True, "text": True}
    status = subprocess.run([*command, "status", "mine"], check=False, **run)
    assert "mnist/acai/protonets/s0" in status.stdout, status.stderr
    why = [*command, "config", "mine", "mnist/acai/protonets/s0", "synthetic.mnist.train_images"]
    assert "900" in subprocess.run(why, check=False, **run).stdout


def test_a_wrong_key_of_a_modules_config_is_refused(clone: Project, outer: Path):
    text = (outer / "their config.yaml").read_text()
    (outer / "their config.yaml").write_text(text.replace("synthetic_data:", "synthetic_dta:"))
    with pytest.raises(AssertionError, match="did you mean 'synthetic_data'"):
        snakemake(clone, outer, "--dry-run")


def test_a_prefix_is_refused(clone: Project, outer: Path):
    text = (outer / "Snakefile").read_text()
    with_prefix = text.replace("    config:\n", '    prefix:\n        "below"\n    config:\n', 1)
    (outer / "Snakefile").write_text(with_prefix)
    with pytest.raises(AssertionError, match="has no prefix"):
        snakemake(clone, outer, "--dry-run")


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_another_working_folder_gets_the_results(clone: Project, tmp_path: Path, snakefile: str):
    folder = tmp_path / "results of mine"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    call = (
        "--snakefile", f"{clone.folder}/{snakefile}", "--directory", str(folder),
        "--configfile", str(folder / "study.yaml"), *PLAIN,
    )  # fmt: skip
    whole = counts(snakemake(clone, tmp_path, *call, "--dry-run", "--quiet", "rules"))
    assert whole["all"] == 1
    assert whole["meta_train"] == 1
    snakemake(clone, tmp_path, *call, "--", "data")
    assert (folder / "results/mine/data/mnist/manifest.json").is_file()
    assert not (clone.folder / "results").exists()
    assert "Nothing to be done" in snakemake(clone, tmp_path, *call, "--", "data")


def test_lint_finds_nothing_and_ends_without_a_traceback(clone: Project):
    output = snakemake(clone, clone.folder, "--lint")
    assert "your workflow is in a good condition" in output
    assert "Traceback" not in output
