"""What two runs share: the jobs that ran in both, and the lines of their numbers."""

import json
from pathlib import Path

import pytest

from cactus.cli.results.diff import _number_row
from cactus.config.printed.titles import Titles
from cactus.evaluate.comparison import PairedComparison
from cactus.paper.scores import ScoreKey
from cactus.provenance.audit.diff import NumberDifference
from cactus.provenance.staleness.planned_config import PlannedConfig

STUDY = "{{run: {name}, synthetic_data: true, grid: {{datasets: [{dataset}], embeddings: [acai]}}}}"


def test_runs_of_which_no_job_ran_are_not_called_the_same(cactus, tmp_path: Path):
    (tmp_path / "config").mkdir()
    for name, dataset in (("one", "mnist"), ("two", "omniglot"), ("same", "mnist")):
        study = f"config/{name}.yaml"
        (tmp_path / study).write_text(STUDY.format(name=name, dataset=dataset))
        planned = PlannedConfig(configfiles=[study], overrides={}, config={})
        planned.write(tmp_path / "results" / name)
    done = cactus("diff", "one", "two")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[0] == "no job has run in both; of the configurations, 1 key differs"
    assert lines[2].split() == ["key", "grid.datasets", '["mnist"]', '["omniglot"]']
    for other in ("one", "same"):
        done = cactus("diff", "one", other)
        lines = done.stdout.splitlines()
        assert lines[0] == "no job has run in both; of the configurations, no key differs"
        assert (done.returncode, "same" in lines[0]) == (1, False)
        facts = cactus("diff", "one", other, "--json")
        assert (facts.returncode, json.loads(facts.stdout)["jobs_in_both"]) == (1, 0)
    assert "numbers" not in done.stdout


def test_a_number_has_the_titles_of_its_embedding_and_learner():
    key = ScoreKey("mnist", "fresh", "cactus-mine", "mine", 5, 1)
    own = Titles(embeddings={"fresh": "50% & more_"}, learners={"mine": "Ünsal"})
    row = _number_row(NumberDifference(key, "0", 0.5, 0.25, None), own)
    assert row[0] == "mnist: 50% & more_, CACTUs-Ünsal, 5-way 1-shot, seed 0"
    assert row[3] == "+25.00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "< 0.0001"), (0.00009, "< 0.0001"), (0.0001, "0.0001"), (1.0, "1.0000")],
)
def test_a_p_value_is_never_printed_as_0(value, shown):
    key = ScoreKey("mnist", "acai", "cactus-maml", "maml", 5, 1)
    paired = PairedComparison(10, 0.1, 0.05, 0.15, value)
    assert _number_row(NumberDifference(key, "0", 0.5, 0.4, paired), Titles())[-1] == shown
