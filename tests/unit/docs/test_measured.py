"""Tables of measured results are those of the digests."""

import re

import pandas as pd
import pytest
from PIL import Image

from docs.measured import FIGURE, ROOT, TABLES, drawn, markdown, results_of, with_table


@pytest.mark.parametrize("name", TABLES)
def test_pages_show_the_tables_of_the_digests(name: str):
    text = (ROOT / TABLES[name].page).read_text(encoding="utf-8")
    assert with_table(text, name) == text, "run `python -m docs.measured`"


def test_the_picture_is_drawn_from_the_digests():
    with Image.open(FIGURE) as picture:
        found = picture.text["Source"]  # type: ignore[attr-defined]
    assert found == drawn(results_of(TABLES["omniglot"])), "run `python -m docs.measured`"


@pytest.mark.parametrize("name", TABLES)
def test_each_number_is_in_the_results_of_a_digest(name: str):
    """The mean of a row over its seeds, computed anew from the rows of the seeds."""
    table = TABLES[name]
    printed = [float(one) for one in re.findall(r"(\d+\.\d\d) ±", markdown(table))]
    digests = [*table.digests, *table.further]
    rows = pd.concat(
        pd.read_csv(ROOT / "docs/results" / one / "tables/results.csv") for one in digests
    )
    rows = rows[rows["seed"].astype(str) != "all"]
    means = rows.groupby(["run", "source", "method", "way", "shot"])["mean"].mean()
    known = {f"{100 * mean:.2f}" for mean in means}
    shown = results_of(table).query("seed == 'all'")
    further = rows[rows["run"].isin(table.further)]
    same = further.merge(shown[["source", "method"]].drop_duplicates())
    assert len(printed) == len(shown) + len(same)
    assert {f"{one:.2f}" for one in printed} <= known


def test_the_first_digest_has_a_row_that_several_have():
    shown = results_of(TABLES["omniglot"])
    several = shown[(shown["source"] == "acai") & (shown["seed"] != "all")]
    assert set(several["seed"]) == {"0", "1", "2"}
    assert shown.groupby(["source", "method"])["run"].nunique().max() == 1
