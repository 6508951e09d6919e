"""Numbers that no job of the grid scores have no value, instead of a crash."""

from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.reading.episodes import EpisodeAccuracies, accuracies_of
from cactus.stages.base import Job

JOB = Job("evaluate_model", "mnist/acai/maml/s0")
KEY = "", 5, 1


def test_a_number_without_jobs_is_named_as_such(tmp_path: Path):
    with pytest.raises(ValueError, match="no job of the grid scores it"):
        EpisodeAccuracies(tmp_path).summary([], KEY)


@pytest.mark.parametrize(
    "lines",
    [
        "5,1,0,0.5\n5,1,0,0.5\n",  # a row twice
        "5,1,1,0.5\n5,1,0,0.5\n",  # another order
        "5,1,0,nan\n",
        "5,1,0,50\n",
        "\ufeff",
        "5,5,0,0.5\n",  # other episodes
    ],
)
def test_rows_that_no_evaluation_writes_are_damage(tmp_path: Path, lines: str):
    path = tmp_path / accuracies_of(JOB)
    path.parent.mkdir(parents=True)
    start = "\ufeff" if lines == "\ufeff" else ""
    path.write_text(f"{start}way,shot,episode,accuracy\n{lines.lstrip(start)}")
    with pytest.raises(RecordError, match="damaged"):
        EpisodeAccuracies(tmp_path).summary([JOB], KEY)
