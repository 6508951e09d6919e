"""Which accuracies `cactus results` shows."""

from pathlib import Path

import pytest

from cactus.cli.results.accuracies import Accuracy, _chosen, _of_setting
from cactus.errors import ConfigError, RecordError
from cactus.provenance.staleness.planned_config import PlannedConfig

PRINTED = {
    "omniglot/acai/maml/s0": "Omniglot, ACAI, CACTUs-MAML",
    "omniglot/labels/maml/s0": "Omniglot, True labels, Oracle-MAML",
    "omniglot/acai/knn/s0": "Omniglot, ACAI, kNN",
}
STUDY = """\
run: one
synthetic_data: true
grid: {datasets: [mnist], embeddings: [acai], learners: [protonets], baselines: true}
"""


@pytest.mark.parametrize(
    ("pattern", "cells"),
    [
        ("kNN", ["omniglot/acai/knn/s0"]),
        ("OMNIGLOT", [*PRINTED]),
        ("*/MAML/*", ["omniglot/acai/maml/s0", "omniglot/labels/maml/s0"]),
        ("cactus-maml", ["omniglot/acai/maml/s0"]),
        ("true labels", ["omniglot/labels/maml/s0"]),
        ("*labels*oracle*", ["omniglot/labels/maml/s0"]),
        ("mnist", []),
    ],
)
def test_cells_are_chosen_by_what_is_printed_whatever_its_case(pattern: str, cells: list[str]):
    assert _chosen(PRINTED, pattern) == {*cells}


@pytest.mark.parametrize("setting", ["5w1s", "5W1S", "5-way 1-shot", "5 way, 1 shot"])
def test_a_setting_may_be_written_as_it_is_printed(setting: str):
    one, other = (
        Accuracy("mnist/acai/maml/s0", "mnist", "cactus-maml", 5, shot, 10, 0.5, 0.1)
        for shot in (1, 5)
    )
    assert _of_setting([one, other], setting) == [one]
    with pytest.raises(ConfigError, match="no results of this setting") as caught:
        _of_setting([other], setting)
    assert caught.value.got == setting


def test_a_setting_in_the_place_of_a_pattern_is_pointed_to_its_option(cactus, tmp_path: Path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/one.yaml").write_text(STUDY)
    planned = PlannedConfig(configfiles=["config/one.yaml"], overrides={}, config={})
    planned.write(tmp_path / "results/one")
    done = cactus("results", "5-way 1-shot")
    assert done.returncode == RecordError.exit_code
    assert "`cactus results --setting 5w1s`" in done.stderr
    for pattern in ("kNN", "CACTUs-ProtoNets"):
        assert cactus("results", pattern).returncode == 0
    assert "No finished cell matches." in cactus("results", "CACTUs-MAML").stderr
