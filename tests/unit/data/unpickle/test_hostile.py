"""Hostile pickles are refused quickly, in little memory, and without a traceback."""

import io
import pickle
import pickletools
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cactus.data.unpickle.load import load_pickle
from cactus.errors import DataError
from tests.fuzz import examples
from tests.unit.data.unpickle.programs import PROGRAMS

MIB = 1 << 20
LIMIT_SECONDS = 20  # of processor time for all programs together: far below one second each
ROOT = Path(__file__).parents[4]


def refusal(content):
    with pytest.raises(DataError) as caught:
        load_pickle(io.BytesIO(content), Path("file.pkl"))
    return caught.value


def refuse_in_little_memory():
    """Run in a process of its own: after the imports, 200 MiB more and no more time than that."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 200 * MIB, used + 200 * MIB))
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_SECONDS, LIMIT_SECONDS))
    for name, content in PROGRAMS.items():
        print(name, flush=True)
        assert "MemoryError" not in refusal(content).got


def test_programs_are_refused_in_little_time_and_memory():
    code = "import sys; sys.path[:0] = ['workflow/scripts', '.']\n"
    code += "from tests.unit.data.unpickle import test_hostile\n"
    code += "test_hostile.refuse_in_little_memory()"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr[-2000:]


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_gets_one_short_message(name):
    error = refusal(PROGRAMS[name])
    assert error.where == "file.pkl"
    assert 0 < len(error.got) < 600


def test_genuine_pickles_of_many_small_values_are_read():
    """A list of arrays, 30 operations each, and 38,400 integers."""
    images = list(np.zeros((16_000, 16, 16, 3), np.uint8))
    content = pickle.dumps({"images": images, "labels": list(range(38_400))}, protocol=2)
    loaded = load_pickle(io.BytesIO(content), Path("x"))
    assert (len(loaded["images"]), loaded["labels"][-1]) == (16_000, 38_399)


PLAIN = {
    "image_data": np.zeros((2, 2, 2, 3), np.uint8),
    "class_dict": {"n01": [0, 1], b"n02": (np.int64(1),), np.str_("n03"): range(3)},
    "labels": [0.5, None, True, 1 << 70, "\ud800", np.array(["a"])],
}
SEEDS = [pickle.dumps(PLAIN, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
OPCODES = [op.code.encode("latin1") for op in pickletools.opcodes]
SIZES = st.one_of(*(st.integers(0, 1 << bits).map(lambda n: n.to_bytes(9, "little")[:8])
                    for bits in (8, 32, 63)))  # fmt: skip
PIECES = st.one_of(
    st.sampled_from(OPCODES),
    st.sampled_from([b"cnumpy\nndarray\n", b"cnumpy\ndtype\n", b"c_codecs\nencode\n", b"U\x02u1"]),
    st.sampled_from([b"K\x00", b"N", b"]", b"}", b")", b"q\x00", b"h\x00", b"C\x03abc", b"I7\n"]),
    SIZES,
    st.binary(max_size=4),
)


def read_or_refuse(content):
    try:
        load_pickle(io.BytesIO(content), Path("file.pkl"))
    except DataError as error:
        message = str(error)
    else:
        message = ""
    assert len(message) < 2000


@pytest.mark.fuzz
@examples(300)
@given(st.lists(PIECES, max_size=60).map(b"".join))
def test_any_program_is_read_or_refused(content):
    read_or_refuse(content)
    read_or_refuse(b"\x80\x04" + content + b".")


@pytest.mark.fuzz
@examples(300)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), PIECES, st.booleans()), min_size=1, max_size=4),
)
def test_mutated_pickles_are_read_or_refused(content, changes):
    for place, piece, replaces in changes:
        start = int(place * len(content))
        content = content[:start] + piece + content[start + len(piece) * replaces :]
    read_or_refuse(content)
