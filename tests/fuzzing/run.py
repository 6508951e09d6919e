"""Coverage-guided fuzzing of the readers of untrusted bytes, with atheris.

usage: python -m tests.fuzzing.run TARGET [OPTION OF LIBFUZZER ...]

TARGET is unpickle, lists or idx; `-max_total_time=600` stops after ten minutes. atheris 3 has
wheels for Python 3.11 and is not in the lock: install it into an environment of its own. Anything
but a `DataError`, more than 5 seconds or 1 GiB for one input is a finding, which is written to
`crash-*`, `timeout-*` or `oom-*`.
"""

import importlib
import io
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

WHERE = Path("file")
_LIMITS = ["-timeout=5", "-rss_limit_mb=1024", "-max_len=4096", "-print_final_stats=1"]
Target = tuple[Callable[[bytes], object], Iterable[bytes]]


def unpickle() -> Target:
    """Give the unpickler, and a pickle of each protocol."""
    import numpy as np

    from cactus.data.unpickle.load import load_pickle

    plain = {
        "image_data": np.zeros((2, 2, 2, 3), np.uint8),
        "class_dict": {"n01": [0, 1], b"n02": (np.int64(1),), np.str_("n03"): range(3)},
        "labels": [0.5, None, True, 1 << 70, np.array(["a"])],
    }
    seeds = [pickle.dumps(plain, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    return lambda content: load_pickle(io.BytesIO(content), WHERE), seeds


def lists() -> Target:
    """Give the parser of miniImageNet's csv lists, and lists in several forms."""
    from cactus.data.readers.miniimagenet_lists import parse_list

    text = "filename,label\n# comment\na.jpg,n01\n'b.jpg', n01 \r\n"
    seeds = [text.encode(), text.encode("utf-16"), b'#;"label";"filename"\r1;"n01";"a.jpg"\x1a']
    return lambda content: parse_list(content, "list"), seeds


def idx() -> Target:
    """Give the parser of MNIST's idx files, compressed or not, and files of its shapes."""
    import gzip
    import struct

    from cactus.config.sections.data.section import DataSettings
    from cactus.data.files.registry import load_registry
    from cactus.data.files.tree import RawEntry, RawTree
    from cactus.data.readers import mnist

    class OneFile(RawTree):
        """A raw folder in which every file has the same content."""

        content = b""

        @contextmanager
        def open(self, entry: RawEntry, **_: bool) -> Iterator[IO[bytes]]:
            yield self._decompressed(io.BytesIO(self.content), WHERE, self.where(entry))

    roles = {"train-images-idx3": (60_000, 28, 28), "train-labels-idx1": (60_000,)}
    root = Path(tempfile.mkdtemp(prefix="cactus-fuzz-"))
    for role in roles:
        (root / f"{role}-ubyte").touch()
    tree = OneFile(root, load_registry()["mnist"], DataSettings(download=False))

    def read(content: bytes) -> None:
        tree.content = content
        role, most = list(roles.items())[len(content) % 2]
        mnist._read_copies(tree, role, most)

    images = struct.pack(">4I", 0x803, 1, 28, 28) + bytes(28 * 28)
    labels = struct.pack(">2I", 0x801, 1) + bytes(1)
    return read, [images, labels, gzip.compress(images), gzip.compress(labels)]


TARGETS: dict[str, Callable[[], Target]] = {"unpickle": unpickle, "lists": lists, "idx": idx}


def main(arguments: list[str]) -> None:
    """Fuzz one target until libFuzzer stops."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["cactus"]):
        from cactus.errors import DataError

        read, seeds = TARGETS[arguments[0]]()

    def one(content: bytes) -> None:
        try:
            read(content)
        except DataError as error:
            if len(str(error)) > 2000:
                raise AssertionError("a message of more than 2000 characters") from error

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            Path(corpus, str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], corpus, *_LIMITS, *arguments[1:]], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
