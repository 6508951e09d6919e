"""`cactus trace` follows a printed number back to its raw files."""

import csv
import json
import shlex

import pytest

from cactus.errors import RecordError
from tests.workflow.project import Project

pytestmark = pytest.mark.workflow
MAML = "omniglot/acai/maml/s0"


def test_trace_goes_back_to_the_raw_archives(project: Project):
    table = "results/small/tables/omniglot.tex"
    code, output = project.cactus("trace", table, "--row", "ACAI CACTUs-MAML", "--col", "5w1s")
    assert code == 0
    jobs = [line.split()[0] for line in output.splitlines() if f"/{MAML}" in line]
    stages = ("make_partitions", "meta_train", "evaluate_model")
    assert jobs == [f"{stage}/{MAML}" for stage in stages]
    sources = json.loads((project.run / "data/omniglot/sources.json").read_text())
    assert sources["raw"]
    assert all(raw["sha256"] in output for raw in sources["raw"])
    assert len(output.splitlines()) < 25
    arguments = ("--row", "ACAI CACTUs-MAML", "--col", "5w1s", "--json")
    content = json.loads(project.cactus("trace", table, *arguments)[1])
    assert content["number"]["printed"] in output
    assert {one["record"]["schema"] for one in content["chain"]} == {"cactus-record/1"}


@pytest.mark.parametrize("name", ["report.html", "tables/omniglot.tex", "figures/shots.png"])
def test_without_a_row_and_a_column_it_lists_those_of_the_file(finished: Project, name: str):
    code, output = finished.cactus("trace", f"results/small/{name}")
    first, call, *rest = output.splitlines()
    assert (code, first.startswith(f"results/small/{name} has ")) == (0, True), output
    assert any("CACTUs-MAML" in line for line in rest)
    code, output = finished.cactus(*shlex.split(call)[1:])
    assert (code, "every job of the chain is fresh" in output) == (0, True), output


def test_without_a_column_it_lists_those_of_the_rows(finished: Project):
    table = ("trace", "results/small/tables/omniglot.tex", "--row", "ACAI MAML")
    output = finished.cactus(*table)[1]
    assert "  ACAI, CACTUs-MAML\n" in output
    assert "ProtoNets" not in output
    found = json.loads(finished.cactus(*table, "--json")[1])["numbers"]
    assert {one["row"] for one in found} == {"ACAI, CACTUs-MAML"}
    code, output = finished.cactus(*table[:3], "nothing")
    assert (code, "No row matches." in output) == (RecordError.exit_code, True)


def test_a_paper_that_is_not_made_is_named_with_its_command(finished: Project):
    code, output = finished.cactus("trace", "results/small/paper.pdf")
    assert (code, "`cactus paper small`" in output) == (RecordError.exit_code, True), output


def test_trace_of_a_table_that_is_not_made_yet(project: Project):
    table = "results/small/tables/omniglot.tex"
    for name in (table, f"{table}.map.json"):
        (project.folder / name).unlink()
    row = ("--row", "ACAI CACTUs-MAML", "--col", "5w1s")
    code, output = project.cactus("trace", table, *row)
    assert (code, "The table or figure is not finished." in output) == (RecordError.exit_code, True)
    assert "cactus update small" in output


def test_trace_averages_over_seeds(project: Project):
    table = "results/small/tables/mnist.tex"
    output = project.cactus("trace", table, "--row", "ACAI ProtoNets", "--col", "10w1s")[1]
    assert "evaluate_model/mnist/acai/protonets/s0" in output
    assert "evaluate_model/mnist/acai/protonets/s1" in output


def test_trace_explains_verdicts_and_paired_differences(finished: Project):
    table = "results/small/tables/omniglot"
    row = ("--row", "ACAI CACTUs-MAML", "--col")
    code, output = finished.cactus("trace", f"{table}-verdicts.tex", *row, "5w1s verdict")
    assert (code, "prints compared" in output) == (0, True), output
    assert "as published: CACTUs" in output
    assert f"evaluate_model/{MAML}" in output
    code, output = finished.cactus("trace", f"{table}-tests.tex", *row, "5w1s kNN")
    assert (code, "difference of two methods" in output) == (0, True), output
    assert f"evaluate_model/{MAML}" in output
    assert "run_baselines/omniglot/acai/s0" in output


def published_rows(project: Project) -> list[dict[str, str]]:
    with (project.folder / "config/paper_results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def is_knn(row: dict[str, str]) -> bool:
    cell = ("omniglot", "acai", "knn", "5", "1")
    return tuple(row[name] for name in ("dataset", "source", "method", "way", "shot")) == cell


PAPERS_KNN = ("trace", "results/small/tables/omniglot.tex", "--row", "ACAI kNN", "--col")


def test_trace_shows_the_source_of_a_published_number(finished: Project):
    (row,) = [row for row in published_rows(finished) if is_knn(row)]
    code, output = finished.cactus(*PAPERS_KNN, "5w1s paper")
    lines = output.splitlines()
    assert (code, lines[1]) == (0, f"prints {row['accuracy']} ± {row['ci95']}")
    assert lines[2] == f"as published: {row['paper']}, {row['table']}"
    assert lines[3] == f"source: {row['citation']}"
    assert lines[4] == "mean verified, interval recalled (config/paper_results.csv)"
    content = json.loads(finished.cactus(*PAPERS_KNN, "5w1s paper", "--json")[1])
    assert content["published"]["citation"] == row["citation"]
    assert json.loads(finished.cactus(*PAPERS_KNN, "5w1s", "--json")[1])["published"] is None


def test_trace_reports_a_published_number_that_was_removed(project: Project):
    rows = [row for row in published_rows(project) if not is_knn(row)]
    with (project.folder / "config/paper_results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    code, output = project.cactus(*PAPERS_KNN, "5w1s paper")
    assert code == RecordError.exit_code
    assert "The source of a published number is unknown." in output
    assert "config/paper_results.csv" in output


def test_trace_says_that_a_record_is_damaged(project: Project):
    (project.run / f"records/meta_train/{MAML}.json").write_text("{}")
    table = "results/small/tables/omniglot.tex"
    output = project.cactus("trace", table, "--row", "ACAI CACTUs-MAML", "--col", "5w1s")[1]
    row = next(line for line in output.splitlines() if line.startswith(f"meta_train/{MAML}"))
    assert "damaged record" in row
    output = project.cactus("trace", table, "--row", "nothing", "--col", "5w1s")[1]
    assert "ACAI, CACTUs-MAML; ACAI, CACTUs-ProtoNets; " in output
