"""The examples in docs/adding-a-dataset.md are studies that run."""

import re
from typing import Any

import pytest
import yaml

from cactus.config.load import parse_config
from tests.workflow.project import ROOT

PAGE = (ROOT / "docs/adding-a-dataset.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]


def test_the_study_is_complete():
    study = parse_config(BLOCKS[0])
    assert study.expanded_grid.datasets == ("birds",)
    assert [one.shot for one in study.evaluation.resolve("birds").settings] == [1, 5]


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_other_entries_are_valid(block: dict[str, Any]):
    entries = block["data"]["custom"] if "data" in block else block
    config = parse_config({"data": {"custom": entries}, "grid": {"datasets": ["mnist"]}})
    assert [*config.data.custom] == [*entries]


def test_the_page_shows_the_examples_code():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    example = (ROOT / "docs/examples/digits.py").read_text(encoding="utf-8")
    for line in code.splitlines()[1:]:
        assert line in example
