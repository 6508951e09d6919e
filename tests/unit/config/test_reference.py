import json
from pathlib import Path

import pytest

from cactus.config.load import parse_config, read_yaml
from cactus.config.models import Config
from cactus.config.reference import commented_yaml, json_schema, reference_markdown

CONFIG = Path(__file__).parents[3] / "config"


def test_generated_files_are_in_step_with_the_models():
    message = "run `make config-docs`"
    schema = json.loads((CONFIG / "config.schema.json").read_text())
    assert schema == json_schema(), message
    assert (CONFIG / "README.md").read_text() == reference_markdown(), message


def test_config_yaml_states_the_defaults():
    assert parse_config(read_yaml(CONFIG / "config.yaml")) == Config(), "run `make config-docs`"


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_study_is_valid(path):
    if path.name != "datasets.yaml":
        parse_config(read_yaml(path))


def test_the_yaml_of_a_config_reads_back_as_itself(tmp_path):
    config = Config(run="other")
    (tmp_path / "a.yaml").write_text(commented_yaml(config))
    assert parse_config(read_yaml(tmp_path / "a.yaml")) == config


def test_every_key_has_a_description():
    rows = reference_markdown().splitlines()[10:]
    assert len(rows) > 100
    assert not [row for row in rows if row.rstrip(" |").endswith("`")]
