"""Commands that would start Snakemake leave a run alone that Snakemake works on."""

from pathlib import Path

import pytest

from cactus.errors import ClusterError, RecordError
from cactus.provenance.execution.lease import Lease
from cactus.provenance.staleness.planned_config import PlannedConfig

STUDY = """\
run: one
synthetic_data: true
grid: {datasets: [mnist], embeddings: [acai], learners: [protonets]}
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that was planned."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/one.yaml").write_text(STUDY)
    planned = PlannedConfig(configfiles=["config/one.yaml"], overrides={}, config={})
    planned.write(tmp_path / "results/one")
    return tmp_path / "results/one"


@pytest.mark.parametrize("command", ["update", "paper"])
def test_a_run_that_snakemake_works_on_is_left_alone(cactus, run: Path, command: str):
    with Lease(run / "work/snakemake", "a test"):
        done = cactus(command, "one")
    assert (done.returncode, done.stdout) == (ClusterError.exit_code, ""), done.stderr
    assert "Snakemake is already working on this run." in done.stderr
    assert "cactus update" not in done.stderr


@pytest.mark.parametrize("command", ["update", "paper"])
def test_what_is_in_the_way_is_told_before_anything_is_read_there(cactus, run: Path, command: str):
    (run / "work").touch()
    done = cactus(command, "one")
    assert done.returncode == RecordError.exit_code, done.stderr
    assert "results/one/work\n  got:   a file in the place of a folder" in done.stderr


@pytest.mark.usefixtures("run")
def test_a_paper_waits_for_the_jobs_of_a_run_that_nothing_works_on(cactus):
    done = cactus("paper", "one")
    assert (done.returncode, "cactus update one" in done.stderr) == (RecordError.exit_code, True)


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("part", ["mnist/acai", "acai/protonets", "mnist", "mnist/acai/"])
def test_a_part_of_a_cell_lists_the_cells_that_have_it(cactus, part: str):
    done = cactus("show", part)
    assert done.returncode == RecordError.exit_code
    assert "fix:   name one of mnist/acai/protonets/s0\n" in done.stderr
