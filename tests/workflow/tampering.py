"""Ways to tamper with a finished run, each with the finding that must report it."""

import os
from typing import Any

from cactus.paper.results import COLUMNS
from tests.workflow.tamper import (
    MAML,
    PROTONETS,
    Action,
    Tampering,
    add_line,
    better_result,
    both,
    copy,
    cut_line,
    edit,
    empty_map,
    flip,
    flip_and_set_back_the_clock,
    folder_for,
    forge,
    other_code,
    other_input,
    other_value,
    overwrite,
    remove,
    repeat_line,
    set_key,
    swap,
    truncate,
    without_a_seed,
)

_FLIPPED = [
    "raw/omniglot/synthetic.json", "raw/omniglot/images_background.zip",
    "raw/mnist/train-images-idx3-ubyte.gz", "data/omniglot/manifest.json",
    "data/omniglot/train_images.npy", "data/omniglot/test_labels.npy",
    "embeddings/omniglot/acai/s0/train.npy", "embeddings/omniglot/acai/s0/encoder.safetensors",
    "embeddings/omniglot/acai/s0/metrics.jsonl", "embeddings/omniglot/acai/s0/diagnostic.png",
    f"partitions/{MAML}/partitions.npy", f"partitions/{MAML}/summary.json",
    f"models/{MAML}/model.safetensors", f"models/{MAML}/model.json",
    f"models/{MAML}/metrics.jsonl", f"evaluations/{MAML}/summary.json",
    f"evaluations/{MAML}/accuracies.csv", f"evaluations/{MAML}/confusion.csv",
    "baselines/omniglot/acai/s0/accuracies.csv",
    "tables/results.csv", "tables/omniglot.tex", "tables/omniglot.tex.map.json",
    "tables/paired_tests.csv", "tables/omniglot-verdicts.tex", "tables/omniglot-tests.tex.map.json",
    f"quality/{MAML}/quality.csv", f"quality/{MAML}/quality.json", "tables/partition_quality.csv",
    "tables/partition_quality.tex", "figures/partitions-omniglot.pdf",
    "tables/tables.tex", "figures/shots.pdf", "figures/accuracy_grid.png",
]  # fmt: skip
_TABLE = "make_table/omniglot"
_VERDICTS = "tables/omniglot-verdicts.tex"
_PAIRED = "tables/omniglot-tests.tex"
_STRAYS = [
    "models/omniglot/acai/maml/s9/model.safetensors", f"models/{MAML}/model-2.safetensors",
    f"evaluations/{MAML}/extra.csv", "evaluations/omniglot/acai/maml/s9/accuracies.csv",
    "embeddings/omniglot/acai/s9/train.npy", "data/omniglot/test_images_2.npy",
    "raw/omniglot/more.zip", "tables/forged.pdf", "tables/results-2.csv", "figures/new.png",
    "objects/zz/source", "objects/ab/" + "ab" * 32, "records/meta_train/notes.json",
    f"quality/{MAML}/quality-2.csv", "baselines/omniglot/acai/s9/accuracies.csv",
    "paper/paper.pdf",
]  # fmt: skip
_JOBS = [
    "aggregate_results", "make_document", "make_figure/shots", "make_table/omniglot",
    f"evaluate_model/{MAML}", f"measure_partitions/{MAML}", f"make_partitions/{MAML}",
    "prepare_data/omniglot", "make_synthetic_data/mnist", "run_baselines/omniglot/acai/s0",
    "train_embedding/omniglot/acai/s0", "audit_run",
]  # fmt: skip
TAMPERINGS = [
    *(Tampering(f"a byte of {file}", flip(file), "output changed", file) for file in _FLIPPED),
    Tampering("a byte, and the clock set back", flip_and_set_back_the_clock(f"models/{MAML}/model.safetensors"), "output changed", f"models/{MAML}/model.safetensors"),
    Tampering("a truncated archive", truncate("raw/omniglot/images_evaluation.zip"), "output changed", "raw/omniglot/images_evaluation.zip"),
    Tampering("an emptied file", lambda run: os.truncate(run / "figures/shots.png", 0), "output changed", "figures/shots.png"),
    Tampering("swapped checkpoints", swap(f"models/{PROTONETS}/model.safetensors", "models/omniglot/bigan/protonets/s0/model.safetensors"), "output changed", f"models/{PROTONETS}/model.safetensors"),
    Tampering("a result removed", remove(f"models/{MAML}/model.safetensors"), "output missing", f"models/{MAML}/model.safetensors"),
    Tampering("a figure removed", remove("figures/shots.pdf"), "output missing", "figures/shots.pdf"),
    Tampering("a file dropped in", copy("tables/omniglot.tex", "tables/omniglot-2.tex"), "stray file", "tables/omniglot-2.tex"),
    Tampering("an edited accuracy", edit(f"evaluations/{MAML}/accuracies.csv", r"0\.\d+", "1.0"), "output changed", f"evaluations/{MAML}/accuracies.csv"),
    Tampering("an edited accuracy, its record forged", both(edit(f"evaluations/{MAML}/accuracies.csv", r"0\.\d+", "1.0"), forge(f"evaluate_model/{MAML}")), "number differs", "tables/results.csv"),
    Tampering("an edited mean", better_result, "output changed", "tables/results.csv"),
    Tampering("an edited mean, its record forged", both(better_result, forge("aggregate_results")), "number differs", "tables/results.csv"),
    Tampering("a seed left out, the record forged", both(without_a_seed, forge("aggregate_results")), "seed missing", "tables/results.csv"),
    Tampering("a digit in a table", edit("tables/omniglot.tex", r"bfseries \d", r"bfseries 9"), "output changed", "tables/omniglot.tex"),
    Tampering("a number in a table, its record forged", both(edit("tables/omniglot.tex", r"bfseries \d", r"bfseries 9"), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("a number in a map, its record forged", both(edit("tables/omniglot.tex.map.json", r'"printed": "\d\d\.\d\d', '"printed": "99.99'), forge(_TABLE)), "number differs", "tables/omniglot.tex"),
    Tampering("a row of a table, its record forged", both(edit("tables/omniglot.tex", r"\n[^\n]* & [^\n]*\\pm[^\n]*\\\\\n", "\n"), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("a map that is none, its record forged", both(empty_map, forge(_TABLE)), "map damaged", "tables/omniglot.tex.map.json"),
    Tampering("a number in a figure's map, its record forged", both(edit("figures/shots.map.json", r'"printed": "\d\d\.\d\d', '"printed": "99.99'), forge("make_figure/shots")), "number differs", "figures/shots.pdf"),
    Tampering("a verdict in the results, its record forged", both(edit("tables/results.csv", ",compared,", ",reproduced,"), forge("aggregate_results")), "number differs", "tables/results.csv"),
    Tampering("a difference to the paper, its record forged", both(other_value("tables/results.csv", "difference", "0.25"), forge("aggregate_results")), "number differs", "tables/results.csv"),
    Tampering("an interval of that difference, its record forged", both(other_value("tables/results.csv", "difference_ci95", "0.25"), forge("aggregate_results")), "number differs", "tables/results.csv"),
    Tampering("a spread over seeds, its record forged", both(other_value("tables/results.csv", "seed_std", "0.0"), forge("aggregate_results")), "number differs", "tables/results.csv"),
    *(Tampering(f"{name} of a paired test, the record forged", both(other_value("tables/paired_tests.csv", name, "0.0123"), forge("aggregate_results")), "number differs", "tables/paired_tests.csv") for name in ("difference", "ci95", "p_value", "p_holm")),
    Tampering("a paired test left out, the record forged", both(cut_line("tables/paired_tests.csv", 2), forge("aggregate_results")), "number differs", "tables/paired_tests.csv"),
    Tampering("a paired test twice, the record forged", both(repeat_line("tables/paired_tests.csv", 2), forge("aggregate_results")), "number differs", "tables/paired_tests.csv"),
    Tampering("a verdict in a table, its record forged", both(edit(_VERDICTS, "compared &", "above &"), forge("make_table/omniglot-verdicts")), "text differs", _VERDICTS),
    Tampering("a verdict in a table and its map, its record forged", both(edit(_VERDICTS, "compared &", "above &"), edit(f"{_VERDICTS}.map.json", '"printed": "compared"', '"printed": "above"'), forge("make_table/omniglot-verdicts")), "number differs", _VERDICTS),
    Tampering("a difference in a table and its map, its record forged", both(edit(_VERDICTS, r"& [+-]\d", "& +9"), edit(f"{_VERDICTS}.map.json", r'"printed": "[+-]\d', '"printed": "+9'), forge("make_table/omniglot-verdicts")), "number differs", _VERDICTS),
    Tampering("a star of significance in a table, its record forged", both(edit(_PAIRED, r"(\\pm [0-9.]+) &", r"\1 {\\rlap{$^{*}$}} &"), forge("make_table/omniglot-tests")), "text differs", _PAIRED),
    Tampering("a star in a table and its map, its record forged", both(edit(f"{_PAIRED}.map.json", r'"printed": "([^"*]+\d)"', r'"printed": "\1 *"'), forge("make_table/omniglot-tests")), "number differs", _PAIRED),
    Tampering("an edited purity, its record forged", both(edit(f"quality/{MAML}/quality.csv", r"0\.\d+", "0.99"), forge(f"measure_partitions/{MAML}")), "number differs", "tables/partition_quality.csv"),
    Tampering("an edited mean purity, its record forged", both(edit("tables/partition_quality.csv", r"(?<=purity,2,)0\.\d+", "0.99"), forge("aggregate_results")), "number differs", "tables/partition_quality.csv"),
    Tampering("a purity in a table, its record forged", both(edit("tables/partition_quality.tex", r"& 12\.0 &", "& 13.0 &"), forge("make_table/partition_quality")), "text differs", "tables/partition_quality.tex"),
    Tampering("a purity in a figure's map, its record forged", both(edit("figures/partitions-omniglot.map.json", r'(?s)(purity, ours.*?"printed": ")\d', r"\g<1>99"), forge("make_figure/partitions-omniglot")), "number differs", "figures/partitions-omniglot.pdf"),
    Tampering("an edited confusion, its record forged", both(edit(f"evaluations/{MAML}/confusion.csv", r"(?m)^(5,1,\d+,\d+),\d+,", r"\g<1>,9999,"), forge(f"evaluate_model/{MAML}")), "results damaged", f"evaluations/{MAML}/confusion.csv"),
    Tampering("a percentage of confusion in a figure's map, its record forged", both(edit("figures/confusion-mnist.map.json", r'"printed": "\d+"', '"printed": "101"'), forge("make_figure/confusion-mnist")), "number differs", "figures/confusion-mnist.pdf"),
    Tampering("a digit in the report", edit("report.html", r'(data-number="0">)\d', r"\g<1>9"), "output changed", "report.html"),
    Tampering("a number in the report, its record forged", both(edit("report.html", r'(data-number="0">)\d', r"\g<1>9"), forge("make_report")), "text differs", "report.html"),
    Tampering("a number taken out of the report, its record forged", both(edit("report.html", ' data-number="1"', ""), forge("make_report")), "text differs", "report.html"),
    Tampering("a number in the report's map, its record forged", both(edit("report.map.json", r'"printed": "\d\d\.\d\d', '"printed": "99.99'), forge("make_report")), "number differs", "report.html"),
    Tampering("the report's record deleted", remove("records/make_report.json"), "record missing", "records/make_report.json"),
    Tampering("a record deleted", remove(f"records/meta_train/{MAML}.json"), "record missing", f"records/meta_train/{MAML}.json"),
    Tampering("a record cut short", truncate(f"records/meta_train/{MAML}.json"), "record damaged", f"records/meta_train/{MAML}.json"),
    Tampering("a hash in a record", edit(f"records/meta_train/{MAML}.json", r'"sha256": "[0-9a-f]{6}', '"sha256": "000000'), "record damaged", f"records/meta_train/{MAML}.json"),
    Tampering("the commit in a record", edit(f"records/meta_train/{MAML}.json", r'"host": "', '"host": "not-'), "record damaged", f"records/meta_train/{MAML}.json"),
    Tampering("a record copied over another", copy(f"records/meta_train/{PROTONETS}.json", f"records/meta_train/{MAML}.json"), "record damaged", f"records/meta_train/{MAML}.json"),
    Tampering("a seed's results over another's", both(copy("evaluations/mnist/acai/protonets/s0/accuracies.csv", "evaluations/mnist/acai/protonets/s1/accuracies.csv"), copy("evaluations/mnist/acai/protonets/s0/summary.json", "evaluations/mnist/acai/protonets/s1/summary.json")), "output changed", "evaluations/mnist/acai/protonets/s1/accuracies.csv"),
    Tampering("a seed's results over another's, record forged", both(copy("evaluations/mnist/acai/protonets/s0/accuracies.csv", "evaluations/mnist/acai/protonets/s1/accuracies.csv"), forge("evaluate_model/mnist/acai/protonets/s1")), "input differs", "evaluations/mnist/acai/protonets/s1/accuracies.csv"),
    Tampering("a forged input", forge(f"evaluate_model/{MAML}", other_input), "input differs", f"models/{MAML}/model.safetensors"),
    Tampering("a forged source", forge(f"meta_train/{MAML}", other_code), "source differs", "cactus/meta/maml/learner.py"),
    Tampering("a forged seed", forge(f"meta_train/{MAML}", set_key("activity", "seed", value=7)), "record damaged", f"records/meta_train/{MAML}.json"),
    Tampering("a forged seed in the spec", forge("meta_train/mnist/acai/protonets/s1", set_key("activity", "plan", "spec", "seed", value=7)), "stale", "meta_train/mnist/acai/protonets/s1"),
    Tampering("a rewound clock", forge(f"meta_train/{MAML}", set_key("activity", "ended", value="2001-01-01T00:00:00+00:00")), "link broken", f"records/meta_train/{MAML}.json"),
    Tampering("a clock ahead", forge(f"meta_train/{MAML}", set_key("activity", "ended", value="2999-01-01T00:00:00+00:00")), "link broken", f"records/meta_train/{MAML}.json"),
    Tampering("a seed of another configuration", forge("meta_train/mnist/acai/protonets/s1", set_key("activity", "plan", "spec", "settings", "outer_lr", value=0.5)), "mixed row", "tables/mnist.tex (meta_train)"),
    Tampering("other code for a seed", forge("meta_train/mnist/acai/protonets/s1", set_key("activity", "plan", "code", "cactus/meta/protonets/learner.py", value="0" * 64)), "mixed row", "tables/mnist.tex (meta_train)"),
    Tampering("other libraries for a seed", forge("meta_train/mnist/acai/protonets/s1", set_key("activity", "plan", "libraries", "numpy", value="0.1")), "mixed row", "tables/mnist.tex (meta_train)"),
    # Files that no job owns, and records that are removed or edited.
    *(Tampering(f"a stray {name}", copy("tables/omniglot.tex", name), "stray file", name) for name in _STRAYS),
    *(Tampering(f"no record of {job}", remove(f"records/{job}.json"), "record missing", f"records/{job}.json") for job in _JOBS),
    *(Tampering(f"another end of {job}", edit(f"records/{job}.json", '"ended": "2', '"ended": "3'), "record damaged", f"records/{job}.json") for job in _JOBS),
    Tampering("a record copied beside", copy(f"records/meta_train/{MAML}.json", "records/meta_train/omniglot/acai/maml/s9.json"), "stray file", "records/meta_train/omniglot/acai/maml/s9.json"),
    Tampering("a link in the place of a folder", lambda run: (run / "models/omniglot/link").symlink_to(run / "models/mnist"), "stray file", "models/omniglot/link"),
    Tampering("a folder in the place of a file", folder_for(f"models/{MAML}/model.json"), "obstructed", f"models/{MAML}/model.json"),
    Tampering("a folder in the place of a record", folder_for(f"records/meta_train/{MAML}.json"), "obstructed", f"records/meta_train/{MAML}.json"),
    Tampering("a record that is not UTF-8", overwrite(f"records/meta_train/{MAML}.json", b"\xff"), "record damaged", f"records/meta_train/{MAML}.json"),
    Tampering("the audit removed", remove("audit.json"), "output missing", "audit.json"),
]  # fmt: skip

_ACCURACIES = f"evaluations/{MAML}/accuracies.csv"
_MAP = "tables/omniglot.tex.map.json"
_RECORD = f"records/meta_train/{MAML}.json"


def forged(*path: str, value: Any) -> Action:
    return forge(f"meta_train/{MAML}", set_key(*path, value=value))


# Damage that a reader could stumble over.
DAMAGES = [
    Tampering("a line cut from the accuracies", cut_line(_ACCURACIES, 3), "results damaged", _ACCURACIES),
    Tampering("the last line cut from the accuracies", cut_line(_ACCURACIES, -1), "number differs", "tables/results.csv"),
    Tampering("a column of the accuracies renamed", edit(_ACCURACIES, "accuracy", "accurate"), "results damaged", _ACCURACIES),
    Tampering("an accuracy that is not a number", edit(_ACCURACIES, r"0\.\d+", "nan"), "results damaged", _ACCURACIES),
    Tampering("an accuracy of thousands of digits", edit(_ACCURACIES, r"0\.\d+", "9" * 5000), "results damaged", _ACCURACIES),
    Tampering("a short line added to the results", add_line("tables/results.csv", "a,b"), "results damaged", "tables/results.csv"),
    Tampering("a line of nonsense added to the results", add_line("tables/results.csv", ",".join("x" * len(COLUMNS))), "number differs", "tables/results.csv"),
    Tampering("a quote added to the results", add_line("tables/results.csv", '"'), "results damaged", "tables/results.csv"),
    Tampering("a column of the results renamed", edit("tables/results.csv", "way", "weg"), "results damaged", "tables/results.csv"),
    Tampering("a column of the paired tests renamed", edit("tables/paired_tests.csv", "p_holm", "p"), "results damaged", "tables/paired_tests.csv"),
    Tampering("a p-value that is not a number", other_value("tables/paired_tests.csv", "p_value", "x"), "number differs", "tables/paired_tests.csv"),
    Tampering("a map with a billion decimals", edit(_MAP, '"decimals": 2', '"decimals": 999999999'), "map damaged", _MAP),
    Tampering("a map with NaN", edit(_MAP, '"scale": 100', '"scale": NaN'), "map damaged", _MAP),
    Tampering("a map with a list as a way", edit(_MAP, '"way": 5', '"way": [5]'), "map damaged", _MAP),
    *(Tampering(f"a map with the columns {names}", edit(_MAP, r'"columns": \[\s*"mean",\s*"ci95"\s*\]', f'"columns": {names}'), "number differs", "tables/omniglot.tex") for names in ('["seed_std"]', '["mean", "verdict"]', '["verdict", "mean"]')),
    Tampering("a record whose start is no time", forged("activity", "started", value="today"), "record damaged", _RECORD),
    Tampering("a record whose commit is no text", forged("agent", "git", value={"commit": 1}), "record damaged", _RECORD),
    Tampering("a record with NaN", forged("activity", "seconds", value=float("nan")), "record damaged", _RECORD),
    Tampering("a source whose hash is a path", forged("activity", "sources", "a.py", value="../../../etc/passwd"), "record damaged", _RECORD),
    Tampering("a result outside the run", forged("entities", "../../x", value={"sha256": "0" * 64, "bytes": 1}), "record damaged", _RECORD),
    Tampering("a forged size", forged("entities", f"models/{MAML}/model.json", "bytes", value=1), "record damaged", _RECORD),
    Tampering("an edited audit", edit("audit.json", r'"jobs": \d+', '"jobs": 1'), "output changed", "audit.json"),
    Tampering("an audit's damaged record", truncate("records/audit_run.json"), "record damaged", "records/audit_run.json"),
]  # fmt: skip

_RESULTS = "tables/results.csv"
# Edits of what is no printed number, with a forged record: only a file made anew shows them.
REMADE = [
    Tampering("a label of a table", both(edit("tables/omniglot.tex", "CACTUs-MAML", "Our-MAML"), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("two labels of a table swapped", both(edit("tables/omniglot.tex", "ACAI", "BiGAM"), edit("tables/omniglot.tex", "BiGAN", "ACAI"), edit("tables/omniglot.tex", "BiGAM", "BiGAN"), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("bold taken from a number", both(edit("tables/omniglot.tex", r"\\bfseries ", ""), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("the banner of synthetic data", both(edit("tables/omniglot.tex", r" \\textbf\{\[synthetic[^]]*\]\}", ""), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("a note of a table", both(edit("tables/omniglot.tex", "One training seed", "Ten training seeds"), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("a row behind a comment", both(edit("tables/omniglot.tex", r"\n & CACTUs", r"\n% & CACTUs"), forge(_TABLE)), "text differs", "tables/omniglot.tex"),
    Tampering("a row of a map", both(edit("tables/omniglot.tex.map.json", '"mark": "[^"]*"', '"mark": "b"'), forge(_TABLE)), "text differs", "tables/omniglot.tex.map.json"),
    Tampering("a table left out of the document", both(edit("tables/tables.tex", r"\\input\{omniglot\}", ""), forge("make_document")), "text differs", "tables/tables.tex"),
    *(Tampering(f"{name} of the results", both(other_value(_RESULTS, name, value), forge("aggregate_results")), "text differs", _RESULTS) for name, value in (("std", "0.0123"), ("tasks", "99"), ("validation_tasks", "77"), ("synthetic", "False"), ("episodes_sha256", "0" * 64))),
    Tampering("the description of a column", both(edit("tables/datapackage.json", "Mean accuracy", "Median accuracy"), forge("aggregate_results")), "text differs", "tables/datapackage.json"),
]  # fmt: skip
FIGURES = [
    Tampering("a point of a figure", both(flip("figures/shots.pdf"), forge("make_figure/shots")), "text differs", "figures/shots.pdf"),
    Tampering("a pixel of a figure", both(flip("figures/accuracy_grid.png"), forge("make_figure/accuracy_grid")), "text differs", "figures/accuracy_grid.png"),
]  # fmt: skip
