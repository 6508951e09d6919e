"""Whatever a configuration holds, it is read or refused with a message that helps."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cactus.config.command_line import parse_overrides
from cactus.config.layers import Layer
from cactus.config.load import all_keys, checked, stacked
from cactus.config.models import Config
from cactus.config.yaml_file import parse_document
from cactus.errors import ConfigError
from tests.fuzz import examples
from tests.unit.config.dotted import nested

ROOT = Path(__file__).parents[3]
STUDIES = [(ROOT / "config" / f"{name}.yaml").read_text() for name in ("demo", "omniglot-acai")]
KEYS = sorted({part for key in all_keys(Config) for part in key.split(".")})
NAMES = ["mnist", "omniglot", "miniimagenet", "celeba", "acai", "bigan", "custom", "mine", "labels"]
PIECES = [
    "&a ", "*a", "*small_acai", "<<: *a", "!!int ", "!!python/name:os.system ", "[", "]", "{", "}",
    ": ", "- ", "\n", "\n  ", "\t", "#", "'", '"', "|\n", ">\n", "---\n", "...\n", "? ", "=", "~",
    "%YAML 1.2\n", "yes", "1e3", "010", "2001-13-45", "9" * 30, ".nan", "\x00", "\x1b[31m",
    "\ufeff", "\u2028", "\ud800", '"\\ud800"', "per_dataset", "per_embedding", "run: x",
]  # fmt: skip

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.integers(0, 30),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([*NAMES, "auto", "autoo", "cpu", "acai+p-1", "1", "", "../up", "a" * 300]),
)
keys = st.one_of(st.sampled_from(KEYS), st.sampled_from(NAMES), st.text(max_size=6))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def edits(draw: st.DrawFn) -> dict[str, object]:
    """Draw a value for a key that there is, perhaps for a data set."""
    path = draw(st.sampled_from(list(all_keys(Config))))
    if draw(st.booleans()) and "." in path:
        at, rest = path.split(".")[0], path.split(".", 1)[1]
        middle = draw(st.sampled_from(["per_dataset", "per_embedding"]))
        path = f"{at}.{middle}.{draw(st.sampled_from(NAMES))}.{rest}"
    return nested(path, draw(values))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Draw a study in which pieces of the text were cut, doubled or replaced."""
    text = draw(st.sampled_from(STUDIES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.just(text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    return text


def check_outcome(read) -> None:
    """Check that a reader returns, or that every part of its error says something."""
    error = None
    try:
        read()
    except ConfigError as refused:
        error = refused
    if error is not None:
        assert all((error.what, error.where, error.got, error.fix))
        assert not error.where.endswith((": ", "."))
        assert len(str(error)) < 4000


@pytest.mark.fuzz
@examples(300)
@given(st.one_of(mutated(), st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
@example("grid: {seeds: [0], include: [{source: 'a b'}]}")
def test_any_text_is_a_configuration_or_explained(text):
    check_outcome(lambda: checked(stacked([Layer("a.yaml", *parse_document(text, "a.yaml"))])))


@pytest.mark.fuzz
@examples(300)
@given(st.lists(edits(), min_size=1, max_size=3))
@example([{"partitions": {"scale_low": 2}}])
@example([{"synthetic_data": True}, {"synthetic": {"omniglot": {"drawers": 1}}}])
@example([{"embeddings": {"custom": {"mine": {"module": "m", "settings": {"a": float("nan")}}}}}])
def test_any_value_is_accepted_or_explained(layers):
    check_outcome(
        lambda: checked(stacked([Layer(f"{n}.yaml", one) for n, one in enumerate(layers)]))
    )


@pytest.mark.fuzz
@examples(200)
@given(st.lists(st.one_of(st.text(), st.sampled_from(PIECES).map("run={}".format)), max_size=3))
def test_any_argument_of_config_is_read_or_explained(pairs):
    check_outcome(lambda: parse_overrides(pairs))
