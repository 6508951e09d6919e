"""What an embedding returns is checked where it is made."""

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cactus.embed.vectors import CheckedEncoder
from cactus.errors import TrainingError
from tests.unit.embed import tiny

WEIGHTS = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
Encode = Callable[[np.ndarray], Any]


def good(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32) / 255 @ WEIGHTS


def checked(encode: Encode, counts=(300, 50, 70)):
    """Encode three splits and check them; return the vectors."""
    generator = np.random.default_rng(0)
    embedding = types.SimpleNamespace(encode=encode)
    encoder = CheckedEncoder(embedding, "mnist/mine/s0, mine.py")
    found = {}
    for split, count in zip(("train", "val", "test"), counts, strict=True):
        images = generator.integers(0, 256, (count, 3, 3, 1), dtype=np.uint8)
        found[split] = encoder.encode(images, split), images
    encoder.check_alone()
    return found


READ = {
    "as the contract says": good,
    "float64": lambda x: good(x).astype(np.float64),
    "float16 within float32": lambda x: good(x).astype(np.float16),
    "big-endian": lambda x: good(x).astype(">f4"),
    "columns first": lambda x: np.asfortranarray(good(x)),
    "a tensor": lambda x: torch.from_numpy(good(x)),
    "a tensor with a gradient": lambda x: torch.from_numpy(good(x)).requires_grad_(),
    "a bfloat16 tensor": lambda x: torch.from_numpy(good(x)).bfloat16(),
    "a float64 tensor": lambda x: torch.from_numpy(good(x)).double(),
    "a list of rows": lambda x: list(good(x)),
    "a list of numbers": lambda x: good(x).tolist(),
    "a list of tensors": lambda x: list(torch.from_numpy(good(x)).requires_grad_()),
}


@pytest.mark.parametrize("what", READ)
def test_vectors_whose_meaning_is_clear_are_read_as_float32(what: str):
    for vectors, images in checked(READ[what]).values():
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        np.testing.assert_allclose(vectors, good(images), rtol=1e-2, atol=1e-2)


class Counter:
    """An encoder that drifts from call to call."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, images: np.ndarray) -> np.ndarray:
        self.calls += 1
        return good(images) + np.float32(0.1 * self.calls)


class Remembers:
    """An encoder that centers by the mean of the call before."""

    def __init__(self) -> None:
        self.mean = np.zeros(4, np.float32)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        found = good(images) - self.mean
        self.mean = good(images).mean(0)
        return found


def one_swapped(images: np.ndarray) -> np.ndarray:
    found = good(images)
    if len(found) > 200:
        found[[140, 141]] = found[[141, 140]]
    return found


def normalized(images: np.ndarray) -> np.ndarray:
    found = good(images)
    return (found - found.mean(0)) / (found.std(0) + 1e-5)


def looked_up(images: np.ndarray) -> np.ndarray:
    return np.random.default_rng(len(images)).normal(size=(len(images), 4)).astype(np.float32)


def noisy(images: np.ndarray) -> np.ndarray:
    found = good(images)
    return found + np.random.default_rng().normal(size=found.shape).astype(np.float32) * 0.3


def wrong_at(value: float, row: int = 17) -> Encode:
    def encode(images: np.ndarray) -> np.ndarray:
        found = good(images)
        found[row % len(found)] = value
        return found

    return encode


REFUSED = {
    "one too few": (lambda x: good(x)[:-1], "one vector for each image", "(299, 4) for 300"),
    "one too many": (lambda x: good(x)[[0, *range(len(x))]], "one vector", "(301, 4) for 300"),
    "the last batch left out": (lambda x: good(x)[: len(x) // 128 * 128], "one vector", "256"),
    "one dimension": (lambda x: good(x)[:, 0], "one vector", "(300,)"),
    "no dimension": (lambda x: good(x)[:, :0], "one vector", "(300, 0)"),
    "maps": (lambda x: good(x).reshape(-1, 2, 2), "one vector", "(300, 2, 2)"),
    "mean and variance": (lambda x: (good(x), good(x)), "one vector", "(2, 300, 4)"),
    "integers": (lambda x: good(x).astype(np.int64), "floating-point", "int64"),
    "booleans": (lambda x: good(x) > 0, "floating-point", "bool"),
    "complex": (lambda x: good(x) + 1j, "floating-point", "complex"),
    "objects": (lambda x: good(x).astype(object), "floating-point", "object"),
    "texts": (lambda x: good(x).astype(str), "floating-point", "str"),
    "nothing": (lambda _: None, "floating-point", "NoneType"),
    "a generator": (lambda x: (row for row in good(x)), "floating-point", "generator"),
    "a dictionary": (lambda x: dict(enumerate(good(x))), "floating-point", "dict"),
    "a ragged list": (lambda x: [r[: i % 2] for i, r in enumerate(good(x))], "floating", "list"),
    "a sparse tensor": (lambda x: torch.from_numpy(good(x)).to_sparse(), "floating", "Tensor"),
    "no data": (lambda x: torch.empty(len(x), 4, device="meta"), "floating", "Tensor"),
    "dimensions by split": (lambda x: good(x)[:, : 2 + (len(x) == 300)], "two splits", "2 dim"),
    "NaN": (wrong_at(np.nan), "NaN", "1 of 300 images have such values, the first is image 17"),
    "infinity": (wrong_at(np.inf), "NaN or infinity", "image 17"),
    "beyond float32": (lambda x: good(x).astype(float) * 1e39, "NaN or infinity", "image 0"),
    "squares beyond float32": (wrong_at(1e19), "overflow", "image 17"),
    "masked": (lambda x: np.ma.masked_less(good(x), 0), "NaN", "images"),
    "all the same": (lambda x: np.ones((len(x), 4), np.float32), "collapsed", "300"),
    "no image looked at": (looked_up, "own image alone", "in another order"),
    "reversed": (lambda x: good(x)[::-1], "own image alone", "in another order"),
    "off by one": (lambda x: np.roll(good(x), 1, axis=0), "own image alone", "in another order"),
    "the first twice": (lambda x: good(x)[[0, *range(len(x) - 1)]], "own image", "another order"),
    "sorted": (lambda x: np.sort(good(x), axis=0), "own image alone", "in another order"),
    "two swapped": (one_swapped, "own image alone", "in another order"),
    "batch statistics": (normalized, "own image alone", "in a batch of 36 images"),
    "split mean": (lambda x: good(x) - good(x).mean(0), "own image alone", "in a batch of 36"),
    "noise": (noisy, "own image alone", "encoded again"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_vectors_that_would_make_later_stages_wrong_are_refused(what: str):
    encode, message, got = REFUSED[what]
    with pytest.raises(TrainingError, match=message) as caught:
        checked(encode)
    assert got in caught.value.got
    assert "mnist/mine/s0, mine.py, " in caught.value.where
    assert caught.value.fix


@pytest.mark.parametrize("kind", [Counter, Remembers])
def test_an_encoder_that_keeps_state_between_calls_is_refused(kind):
    with pytest.raises(TrainingError, match="own image alone"):
        checked(kind())


def test_vectors_by_the_place_in_a_small_batch_alone_are_refused():
    """The first chunk of a split looks right; a single image does not."""
    shift = WEIGHTS[:1]
    with pytest.raises(TrainingError, match="own image alone") as caught:
        checked(lambda x: good(x) + (shift if len(x) == 1 else 0))
    assert "by itself" in caught.value.got


def test_an_encoder_that_cannot_take_one_image_says_where_it_failed():
    def encode(images: np.ndarray) -> np.ndarray:
        if len(images) < 2:
            raise ValueError("more than 1 value per channel expected")
        return good(images)

    with pytest.raises(ValueError, match="more than 1 value") as caught:
        checked(encode)
    assert "on 1 images; mnist/mine/s0, mine.py" in caught.value.__notes__[0]


def test_an_encoder_that_writes_into_its_images_is_stopped():
    def encode(images: np.ndarray) -> np.ndarray:
        if len(images) < 300:
            images[:] = 0
        return good(images)

    with pytest.raises((ValueError, TrainingError)):
        checked(encode, (300, 300, 300))


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.integers(0, 299), min_size=2, max_size=6, unique=True))
def test_any_exchange_of_rows_is_noticed(rows: list[int]):
    def encode(images: np.ndarray) -> np.ndarray:
        found = good(images)
        if len(images) == 300:
            found[rows] = found[rows[1:] + rows[:1]]
        return found

    with pytest.raises(TrainingError, match="own image alone"):
        checked(encode, (310, 50, 300))
    with pytest.raises(TrainingError, match="own image alone"):
        checked(encode)


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 0.004), offset=st.floats(-50, 50), scale=st.floats(1e-3, 1e3))
def test_rounding_that_depends_on_the_batch_is_accepted(share, offset, scale):
    """Each batch size rounds differently, by a share of a value; offset and scale are free."""

    def encode(images: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(len(images)).uniform(-share, share, (len(images), 4))
        return (scale * (good(images) * (1 + noise) + offset)).astype(np.float32)

    checked(encode)


@pytest.mark.parametrize("name", tiny.TINY)
def test_the_built_in_embeddings_encode_each_image_alone(name, tiny_settings, fit, blobs):
    embedding = fit(name, tiny_settings(name), blobs[0])
    encoder = CheckedEncoder(embedding, name)
    for split, rows in {
        "train": slice(0, 120),
        "val": slice(120, 160),
        "test": slice(160, 240),
    }.items():
        images = blobs[0][rows]
        assert np.array_equal(encoder.encode(images, split), embedding.encode(images))
    encoder.check_alone()
