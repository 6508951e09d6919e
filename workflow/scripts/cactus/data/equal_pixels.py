"""Images with equal pixels in two splits, which a manifest notes."""

import hashlib

import numpy as np
import numpy.typing as npt

from cactus.splits import Split

_DIGEST_BYTES = 16
_EXAMPLES = 2

_Place = tuple[Split, int]


class EqualPixels:
    """The images of all splits by their pixels, to find those that are in several splits."""

    def __init__(self) -> None:
        self._first: dict[bytes, _Place] = {}
        self._equal: dict[bytes, tuple[_Place, _Place]] = {}

    def add(self, split: Split, row: int, image: npt.NDArray[np.uint8]) -> None:
        """Add an image of one shape with all others, and its row in its split."""
        digest = hashlib.blake2b(image.tobytes(), digest_size=_DIGEST_BYTES).digest()
        first = self._first.setdefault(digest, (split, row))
        if first[0] != split:
            self._equal.setdefault(digest, (first, (split, row)))

    def notes(self) -> list[str]:
        """Return a note with the number of such images and two examples; none if there are none."""
        if not self._equal:
            return []
        examples = [
            f"row {row} of {split}_images.npy and row {other_row} of {other}_images.npy"
            for (split, row), (other, other_row) in sorted(self._equal.values())[:_EXAMPLES]
        ]
        return [
            f"{len(self._equal)} images have the same pixels in two splits, e.g. "
            + "; ".join(examples)
        ]
