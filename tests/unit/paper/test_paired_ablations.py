"""Variants, ablations and controls are tested against what they depart from, and from scratch."""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import pytest
from scipy import stats

from cactus.paper.paired import ABLATIONS, BASE, competitors, in_parts
from cactus.paper.paired_tests import paired_tests
from cactus.paper.scores import Score, ScoreKey
from cactus.paper.tables.notes import paired_notes
from cactus.paper.vocabulary import base_source
from cactus.provenance.audit.comparisons import PairedTests

SETTINGS = ((5, 1), (20, 1))
SCRATCH = ("scratch", "scratch", "maml")


def cactus(*sources: str, learner: str = "maml") -> list[tuple[str, str, str]]:
    return [(source, f"cactus-{learner}", learner) for source in sources]


def scored(
    cells: Iterable[tuple[str, str, str]],
    seeds: Sequence[int] = (0,),
    settings: Sequence[tuple[int, int]] = SETTINGS,
) -> list[Score]:
    found = []
    for (source, method, learner), (way, shot), seed in product(cells, settings, seeds):
        if f"{way}-way" in source or "-way" not in source:
            name = f"{source} {method} {way} {shot} {seed}"
            accuracies = np.random.default_rng([*name.encode()]).integers(0, 26, 40) / 25
            key = ScoreKey("omniglot", source, method, learner, way, shot)
            found.append(Score(key, str(seed), "cell", accuracies, "sha"))
    return found


def compared(given: Sequence[Score], source: str, way: int = 5) -> set[tuple[str, str]]:
    """Return what the cells of a source are compared with, by source and method."""
    rows = paired_tests(given, "run")
    rows = rows[(rows["source"] == source) & (rows["way"] == way)]
    return set(zip(rows["other_source"], rows["other_method"], strict=True))


def series(given: Sequence[Score], source: str, way: int, learner: str = "maml") -> np.ndarray:
    found = [one.accuracies for one in given
             if one.key[1] == source and one.key[3:5] == (learner, way)]  # fmt: skip
    return np.mean(found, axis=0)


@pytest.mark.parametrize(
    ("source", "base"),
    [
        ("acai", "acai"),
        ("acai+p-1", "acai"),
        ("acai+k-500", "acai"),
        ("acai+5-way", "acai"),
        ("acai+p-1+5-way", "acai"),
        ("hyperplanes-acai", "acai"),
        ("hyperplanes-acai+margin-0", "acai"),
        ("pixels", "pixels"),
        ("pixels+k-50", "pixels"),
        ("random+20-way", "random"),
        ("labels", "labels"),
    ],
)
def test_a_source_departs_from_its_base(source: str, base: str):
    assert base_source(source) == base


@pytest.mark.parametrize(
    "source",
    ["acai+p-1", "acai+k-500", "acai+5-way", "hyperplanes-acai", "hyperplanes-acai+margin-0"],
)
def test_ablations_meet_the_embedding_by_the_same_learner_and_scratch(source: str):
    others = [("acai", "knn", ""), ("labels", "oracle-maml", "maml"), SCRATCH]
    others += cactus("acai", learner="protonets") + cactus(source, learner="protonets")
    given = scored([*cactus("acai", "bigan", "acai+p-3", "hyperplanes-bigan", source), *others])
    rows = paired_tests(given, "run")
    for method in ("cactus-maml", "cactus-protonets"):
        here = rows[(rows["source"] == source) & (rows["method"] == method) & (rows["way"] == 5)]
        found = list(zip(here["other_source"], here["other_method"], strict=True))
        assert found == [("scratch", "scratch"), ("acai", method)]
    assert source not in set(rows["other_source"])


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_numbers_against_the_base_are_those_of_the_t_test(seeds: tuple[int, ...]):
    given = scored(cactus("acai", "hyperplanes-acai"), seeds)
    row = paired_tests(given, "run").iloc[0]
    one, two = series(given, "hyperplanes-acai", 5), series(given, "acai", 5)
    test = stats.ttest_rel(one, two)
    interval = test.confidence_interval()
    assert (row["source"], row["other_source"], row["way"]) == ("hyperplanes-acai", "acai", 5)
    assert row["difference"] == pytest.approx((one - two).mean())
    assert row["ci95"] == pytest.approx((interval.high - interval.low) / 2)
    assert row["p_value"] == row["p_holm"] == pytest.approx(test.pvalue)


@pytest.mark.parametrize(
    ("seeds", "both"), [((0, 1), (1,)), ((0, 2, 1), (1, 2)), ((0, 4), (0, 4, 1, 2, 3))]
)
def test_cells_are_averaged_over_the_seeds_that_both_have(seeds, both):
    given = [*scored(cactus("acai"), seeds), *scored(cactus("acai+p-1"), (1, 2, 3))]
    frame = paired_tests(given, "run")
    shared = [one for one in given if int(one.seed) in both]
    test = stats.ttest_rel(series(shared, "acai+p-1", 5), series(shared, "acai", 5))
    assert frame.iloc[0]["p_value"] == pytest.approx(test.pvalue)
    found: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for one in given:
        found.setdefault(_text(one.key), {})[one.seed] = one.accuracies.tolist()
    rows = frame.astype(str).to_dict("records")
    assert list(PairedTests(found).differences(rows, 1e-9)) == []


def test_controls_meet_scratch_and_no_other_source():
    pixels = [*cactus("pixels", "random", "acai"), *cactus("pixels", learner="protonets")]
    given = scored([*pixels, ("acai", "knn", ""), SCRATCH])
    for source in ("pixels", "random"):
        assert compared(given, source) == {("scratch", "scratch")}
    rows = paired_tests(given, "run")
    row = rows[(rows["source"] == "pixels") & (rows["way"] == 20)].iloc[0]
    test = stats.ttest_rel(series(given, "pixels", 20), series(given, "scratch", 20))
    assert row["difference"] == pytest.approx(
        series(given, "pixels", 20).mean() - series(given, "scratch", 20).mean()
    )
    assert row["p_value"] == pytest.approx(test.pvalue)


def test_a_model_of_one_way_is_tested_on_its_way_alone():
    given = scored([*cactus("random+20-way", "acai+5-way", "acai"), SCRATCH])
    assert compared(given, "random+20-way", 5) == set()
    assert compared(given, "random+20-way", 20) == {("scratch", "scratch")}
    assert compared(given, "acai+5-way", 20) == set()
    assert compared(given, "acai+5-way", 5) == {("scratch", "scratch"), ("acai", "cactus-maml")}
    both = [*given, *scored(cactus("random"))]
    assert ("random", "cactus-maml") in compared(both, "random+20-way", 20)


def test_a_variant_whose_base_is_not_in_the_run_has_no_base():
    other = [*cactus("bigan", "pixels+k-50"), *cactus("acai", learner="protonets")]
    variants = cactus("acai+p-1", "acai+p-3", "hyperplanes-acai", "hyperplanes-acai+margin-0")
    assert paired_tests(scored([*variants, *other]), "run").empty
    given = scored([*variants, *other, SCRATCH])
    assert compared(given, "acai+p-1") == {("scratch", "scratch")}


def test_the_oracle_is_no_competitor():
    oracle = ("labels", "oracle-maml", "maml")
    rows = paired_tests(scored([oracle, *cactus("acai", "acai+p-1"), SCRATCH]), "run")
    assert "labels" not in {*rows["source"], *rows["other_source"]}


def holm(values: Sequence[float]) -> list[float]:
    """Return the smallest level at which the step-down procedure rejects each hypothesis."""
    ordered = sorted(values)
    return [
        max(
            min(1, (len(values) - place) * one) for place, one in enumerate(ordered) if one <= value
        )
        for value in values
    ]


def test_families_have_the_pairs_of_a_setting_with_those_of_ablations():
    cells = cactus("acai", "acai+p-1", "hyperplanes-acai", "pixels", "random+20-way")
    given = scored([*cells, ("acai", "knn", ""), SCRATCH])
    frame = paired_tests(given, "run")
    # Scratch for each of the cells, kNN for ACAI, the base for both ablations.
    assert frame.groupby("way").size().to_dict() == {5: 4 + 1 + 2, 20: 5 + 1 + 2}
    for _, family in frame.groupby("way"):
        assert list(family["p_holm"]) == pytest.approx(holm(list(family["p_value"])))
    for _, part in in_parts(frame):
        assert "for the 7 to 8 pairs of a setting" in paired_notes(frame, part)[0]


def shown(given: Sequence[Score]) -> list[tuple[str, list[str], str]]:
    """Return the name, the columns and the notes of each part."""
    frame = paired_tests(given, "run")
    return [(name, competitors(rows), " ".join(paired_notes(frame, rows)))
            for name, rows in in_parts(frame)]  # fmt: skip


def test_notes_and_columns_name_only_what_is_compared():
    cells = [*cactus("acai", "acai+p-1", "pixels"), SCRATCH, ("acai", "knn", "")]
    plain, ablations = shown(scored(cells))
    assert plain[:2] == ("", ["scratch", "knn"])
    assert "Baselines are those on the cell's embedding" in plain[2]
    assert r"\emph{Base}" not in plain[2]
    assert ablations[:2] == (ABLATIONS, ["scratch", BASE])
    assert r"\emph{Base}: the same meta-learner on the source without variant" in ablations[2]
    assert "Baselines" not in ablations[2]


def test_a_part_without_pairs_is_left_out():
    assert [part[:2] for part in shown(scored(cactus("acai", "acai+p-1")))] == [(ABLATIONS, [BASE])]
    assert [part[:2] for part in shown(scored([*cactus("acai"), SCRATCH]))] == [("", ["scratch"])]
    assert shown(scored(cactus("acai", "pixels"))) == []


def _text(key: ScoreKey) -> tuple[str, ...]:
    return tuple(map(str, key))


def test_the_audit_comes_to_the_same_pairs_of_all_kinds_of_sources():
    sources = ["acai", "acai+p-1", "acai+p-1+5-way", "acai+20-way", "hyperplanes-acai",
               "hyperplanes-acai+margin-0", "hyperplanes-bigan", "bigan", "infogan+k-50", "pixels",
               "pixels+k-50", "random", "random+5-way", "random+20-way"]  # fmt: skip
    cells = [cell for learner in ("maml", "protonets", "mine")
             for cell in cactus(*sources, learner=learner)]  # fmt: skip
    given = scored([*cells, ("labels", "oracle-maml", "maml"), ("acai", "knn", ""), SCRATCH])
    frame = paired_tests(given, "run")
    audit = PairedTests({_text(one.key): {one.seed: one.accuracies.tolist()} for one in given})
    rows = frame.astype(str).to_dict("records")
    assert list(audit.differences(rows, 1e-9)) == []
    base = frame[frame["method"] == frame["other_method"]]
    assert set(base["source"]) == {*sources} - {"acai", "bigan", "pixels", "random",
                                                "infogan+k-50"}  # fmt: skip
    without = [row for row, cut in zip(rows, frame.index == base.index[0], strict=True) if not cut]
    assert ["no row" in one for one in audit.differences(without, 1e-9)] == [True]


def test_other_pairs_are_no_pairs_to_the_audit():
    given = scored([*cactus("acai", "acai+p-1", "acai+p-3"), *cactus("acai", learner="protonets")])
    audit = PairedTests({_text(one.key): {one.seed: one.accuracies.tolist()} for one in given})
    row = paired_tests(given, "run").astype(str).iloc[-1].to_dict()
    for other in ({"other_source": "acai+p-3"},
                  {"other_method": "cactus-protonets", "other_learner": "protonets"}):  # fmt: skip
        assert "not a pair" in next(audit.differences([{**row, **other}], 1e-9))
