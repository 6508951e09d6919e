"""The numbers of `results.csv` that can be traced."""

from pathlib import Path

import pytest

from cactus.errors import RecordError
from cactus.provenance.audit.reading.results_entries import results_entries

HEAD = (
    "run,dataset,source,method,learner,way,shot,seed,mean,ci95,"
    "paper_mean,paper_ci95,difference,difference_ci95\n"
)
MAML = "small,omniglot,acai,cactus-maml,maml,5,1,all,0.5,0.25,0.75,,-0.25,\n"
KNN = "small,omniglot,acai,knn,,5,1,0,0.5,0.25,,,,\n"


def test_each_number_of_a_row_is_an_entry(tmp_path: Path):
    path = tmp_path / "results.csv"
    path.write_text(HEAD + MAML + KNN)
    first, paper, difference, baseline = results_entries(path)
    assert first["row"] == "omniglot acai cactus-maml maml seed all"
    assert (first["column"], first["printed"]) == ("5-way 1-shot, ours", "0.5 ± 0.25")
    assert first["columns"] == ["mean", "ci95"]
    assert (paper["column"], paper["columns"]) == ("5-way 1-shot, paper", ["paper_mean"])
    assert (difference["printed"], difference["columns"]) == ("-0.25", ["difference"])
    assert baseline["row"] == "omniglot acai knn seed 0"
    assert baseline["results_row"] == {
        "run": "small", "dataset": "omniglot", "source": "acai", "method": "knn", "learner": "",
        "way": 5, "shot": 1, "seed": "0",
    }  # fmt: skip


@pytest.mark.parametrize("text", [HEAD + MAML.replace(",5,1,", ",five,1,"), "run,dataset\n"])
def test_a_damaged_table_is_named(tmp_path: Path, text: str):
    path = tmp_path / "results.csv"
    path.write_text(text)
    with pytest.raises(RecordError, match="A file of numbers is damaged") as caught:
        results_entries(path)
    assert caught.value.where == str(path)
