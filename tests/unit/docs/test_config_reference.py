import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from cactus.config.load import parse_config, read_yaml
from cactus.config.models import Config
from cactus.config.sections.grid import GridSettings
from cactus.config.words import type_text
from cactus.config.yaml_file import parse_document
from docs.config_reference import PAPER, commented_yaml, json_schema, reference_markdown

CONFIG = Path(__file__).parents[3] / "config"
ROWS = [row for row in reference_markdown().splitlines() if row.startswith("| `")]


def test_generated_files_are_in_step_with_the_models():
    message = "run `make config-docs`"
    schema = json.loads((CONFIG / "config.schema.json").read_text())
    assert schema == json_schema(), message
    assert (CONFIG / "README.md").read_text() == reference_markdown(), message


def test_config_yaml_states_the_defaults_and_the_papers_grid():
    text = (CONFIG / "config.yaml").read_text()
    assert text == commented_yaml(PAPER), "run `make config-docs`"
    paper = parse_config(read_yaml(CONFIG / "config.yaml"))
    # Lines such as "  #way: 20" are the defaults.
    everything = re.sub(r"^( *)#(?=\S)", r"\1", text, flags=re.MULTILINE)
    assert parse_config(parse_document(everything, "config.yaml").values) == paper
    assert paper.model_copy(update={"grid": GridSettings()}) == Config()


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_study_is_valid(path):
    if path.name != "datasets.yaml":
        parse_config(read_yaml(path))


def test_the_yaml_of_a_config_reads_back_as_itself(tmp_path):
    config = Config(run="other")
    (tmp_path / "a.yaml").write_text(commented_yaml(config))
    assert parse_config(read_yaml(tmp_path / "a.yaml")) == config


def test_every_key_has_a_description():
    rows = ROWS
    assert len(rows) > 100
    assert not [row for row in rows if row.rstrip(" |").endswith("`")]


class Pair(BaseModel):
    first: int
    second: str


Count = Annotated[int, Field(ge=1)]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (bool, "boolean"),
        (str, "string"),
        (Count, "integer >= 1"),
        (Annotated[int, Field(ge=8, multiple_of=2)], "integer >= 8 and a multiple of 2"),
        (Annotated[float, Field(gt=0.0, lt=0.5)], "float > 0 and < 0.5"),
        (Annotated[float, Field(gt=0.0)] | None, "float > 0 or null"),
        (Annotated[str, Field(pattern="^[a-z]+$")], "string matching `^[a-z]+$`"),
        (Literal["maml", "protonets"], "one of maml, protonets"),
        (Literal["auto"] | Count, "auto or integer >= 1"),
        (list[Count], "list of integers >= 1"),
        (tuple[Count, ...], "list of integers >= 1"),
        (tuple[Count, Count], "list of 2 integers >= 1"),
        (list[Literal["val", "test"]], "list of val, test"),
        (list[Pair], "list of mappings with the keys first, second"),
        (dict[str, Any], "mapping"),
        (dict[Literal["a", "b"], list[str]], "mapping from a, b to lists of strings"),
    ],
    ids=str,
)
def test_types_are_given_in_words_with_their_bounds(annotation, words):
    assert type_text(annotation) == words


def test_the_reference_shows_no_type_of_python_or_pydantic():
    for row in ROWS:
        row = row.replace("\\|", "")
        kind = row.split("|")[2]
        assert not any(word in kind for word in ("[", "FieldInfo", "Optional")) or "`" in kind, row
