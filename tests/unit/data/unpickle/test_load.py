import collections
import io
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cactus.data.unpickle.load import load_pickle
from cactus.errors import DataError


def load(content):
    return load_pickle(io.BytesIO(content), Path("file.pkl"))


numbers = st.sampled_from(["u1", "i1", "<i2", ">i2", "<i8", ">u4", "<f4", ">f8", "?"])


@given(
    array=numbers.flatmap(
        lambda dtype: hnp.arrays(
            "b1" if dtype == "?" else dtype, hnp.array_shapes(max_dims=4, max_side=4)
        )
    ),
    protocol=st.integers(0, pickle.HIGHEST_PROTOCOL),
    fortran=st.booleans(),
)
def test_arrays_come_back(array, protocol, fortran):
    array = np.asfortranarray(array) if fortran else array
    result = load(pickle.dumps({"a": array, "b": {"c": array}}, protocol))
    for loaded in (result["a"], result["b"]["c"]):
        np.testing.assert_array_equal(loaded, array)
        assert loaded.dtype == array.dtype


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(), inner, max_size=3)
            | st.tuples(inner, inner)
        ),
        max_leaves=10,
    ),
    st.integers(0, pickle.HIGHEST_PROTOCOL),
)
def test_containers_come_back(value, protocol):
    assert load(pickle.dumps(value, protocol)) == value


def test_scalars_and_ordered_dicts():
    value = collections.OrderedDict(a=[np.int64(3), np.float32(0.5)])
    assert load(pickle.dumps(value)) == {"a": [3, 0.5]}


def python2_pickle(array):
    """Protocol 2 as Python 2 wrote it: byte strings, NumPy's old module names."""

    def text(value):
        return b"U" + bytes([len(value)]) + value

    dtype = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R"
    dtype += b"(K\x03" + text(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    shape = b"(" + b"".join(b"K" + bytes([side]) for side in array.shape) + b"t"
    raw = b"T" + struct.pack("<i", array.size) + array.tobytes()
    content = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b")
    content += b"\x87R(K\x01" + shape + dtype + b"\x89" + raw + b"tb"
    return b"\x80\x02}(" + text(b"image_data") + content + text(b"class_dict") + b"}u."


def test_python_2():
    array = np.random.default_rng(0).integers(0, 256, (2, 3, 4), dtype=np.uint8)
    content = python2_pickle(array)
    # The hand-written program is what NumPy itself reads.
    np.testing.assert_array_equal(pickle.loads(content, encoding="bytes")[b"image_data"], array)
    np.testing.assert_array_equal(load(content)[b"image_data"], array)


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'touch ran'\ntR.",
        b"cposix\nsystem\n(S'touch ran'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cbuiltins\ngetattr\n(cnumpy\nload\nS'x'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x09touch ran\x85R.",
    ],
)
def test_programs_are_not_run(tmp_path, monkeypatch, program):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="asks for code"):
        load(program)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle",
        b"\x80\x04.",
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62),
        b"\x80\x02\x82\x01.",
        b"Pid\n.",
        pickle.dumps(np.array([object()], dtype=object))[:-3],
        pickle.dumps(np.zeros(2, dtype=[("a", "i4")])),
        pickle.dumps(np.arange(5))[:-4],
    ],
)
def test_damage_and_other_types(content):
    with pytest.raises(DataError, match=r"damaged|no data set needs"):
        load(content)


def test_plain_forms_of_other_kits():
    """NumPy's text, default dicts, ranges, tuples and arrays of text are plain data."""
    value = collections.defaultdict(list, {np.str_("n01"): (0, 1), np.str_("n02"): range(2, 4)})
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        loaded = load(pickle.dumps({"a": value, "b": np.array(["x", "yz"])}, protocol))
        assert loaded["a"] == {"n01": (0, 1), "n02": range(2, 4)}
        assert all(type(key) is str for key in loaded["a"])
        assert loaded["b"].tolist() == ["x", "yz"]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_one_array_in_two_places(protocol):
    array = np.arange(6)
    first, second = load(pickle.dumps([array, {"again": array}], protocol))
    assert first is second["again"]
    np.testing.assert_array_equal(first, array)
