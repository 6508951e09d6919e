import pickle

import pytest

from cactus.errors import CactusError, DataError, did_you_mean, printable


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("omniglott", "did you mean 'omniglot'?"),
        ("MNIST", "did you mean 'mnist'?"),
        ("", "use one of them"),
    ],
)
def test_an_unknown_name_gets_the_most_similar_known_one(name: str, advice: str):
    assert did_you_mean(name, ("mnist", "omniglot"), "use one of them") == advice


def test_without_a_similar_name_there_is_no_advice_by_default():
    assert did_you_mean("celeba", []) == ""


def test_an_error_survives_the_way_between_processes():
    error = DataError("No\x1b", where="a", got="b\nc", fix="d")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (DataError, str(error))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("日本語_עברית_ไทย é Å ø ñ — “x” \N{GRINNING FACE}", None),
        ("\u0645\u06cc\u200c\u062e", None),  # the joiner is part of Persian spelling
        (b"\xff00.png".decode("utf-8", "surrogateescape"), r"\xff00.png"),
        ("\ud800x", r"\ud800x"),
        ("\x1b[31mred\x1b[0m\x07\x9b1m", r"\x1b[31mred\x1b[0m\x07\x9b1m"),
        ("a\nb\tc\rd\x00", r"a\x0ab\x09c\x0dd\x00"),
        ("exe\u202egpj", r"exe\u202egpj"),
        ("\u2066x\u2069\u2028\u200f\ufeff", r"\u2066x\u2069\u2028\u200f\ufeff"),
        ("\U000e0041", r"\ue0041"),
    ],
)
def test_what_a_terminal_acts_on_is_escaped(text: str, shown: str | None):
    assert printable(text) == (text if shown is None else shown)
    printable(text).encode()


def test_every_part_of_a_message_is_printable_and_short():
    hostile = "\x1b]0;title\x07" + 3_000_000 * "\udcff" + "the end"
    error = CactusError(hostile, where=hostile, got=f"one\ntwo {hostile}", fix=hostile)
    text = str(error)
    text.encode()
    assert len(text) < 60_000
    assert not set("\x1b\x07") & set(text + str(error.args))
    assert "the end" in error.where
    assert error.got.startswith("one\ntwo ")


@pytest.mark.parametrize("got", ["", "  ", "\n"])
def test_an_error_never_leaves_out_what_it_found(got: str):
    error = CactusError("No such run.", where="results", got=got, fix="name one")
    assert str(error) == "No such run.\n  where: results\n  got:   nothing\n  fix:   name one"
