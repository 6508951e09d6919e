"""Outlines of the objects as maps that can be looked up in any pose."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from cactus.synthetic.miniimagenet.outlines import OUTLINES

_Field = npt.NDArray[np.float64]

# Side of a map, in cells; shapes are drawn larger and averaged down.
_SIDE = 96
_OVERSAMPLING = 4
# Width of the rounded rim that gives an object its relief, in cells.
_RIM = 12.0


@dataclass(frozen=True)
class Pose:
    """Place of an object's unit square in a frame of side 1, rotation in radians, mirroring."""

    middle: tuple[float, float]
    size: float
    angle: float
    mirrored: bool

    def to_object(self, x: _Field, y: _Field) -> tuple[_Field, _Field]:
        """Map points of the frame to the object's unit square."""
        cosine, sine = np.cos(self.angle) / self.size, np.sin(self.angle) / self.size
        u = (x - self.middle[0]) * cosine + (y - self.middle[1]) * sine
        v = (y - self.middle[1]) * cosine - (x - self.middle[0]) * sine
        return 0.5 + (-u if self.mirrored else u), 0.5 + v


def silhouette(name: str, pose: Pose, side: int) -> tuple[_Field, _Field, _Field]:
    """Return three maps (side, side), in [0, 1], of one of the `OUTLINES` in a pose.

    They are the coverage by the whole object, the coverage by its plain parts, and its relief:
    the height of its rounded surface, 0 at the rim.
    """
    corners = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    origin, right, down = (_SIDE * np.stack(pose.to_object(*corners))).T
    across, along = (right - origin) / side, (down - origin) / side
    affine = np.stack([across, along, origin], axis=1).ravel().tolist()
    seen = _maps(name).transform(
        (side, side), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR
    )
    coverage, part, relief = (np.asarray(channel) / 255 for channel in seen.split())
    return coverage, part, relief


@cache
def _maps(name: str) -> Image.Image:
    """Return the maps over the unit square as the channels of one image."""
    side = _SIDE * _OVERSAMPLING
    layers = {layer: Image.new("L", (side, side)) for layer in ("body", "part")}
    for line in OUTLINES[name].split("\n")[1:]:
        layer, kind, *pairs = line.split()
        points = [tuple(int(value) * side / 100 for value in pair.split(",")) for pair in pairs]
        for other, image in layers.items():
            draw = ImageDraw.Draw(image)
            paint = draw.ellipse if kind == "ellipse" else draw.polygon
            paint(points, fill=255 if other == layer else 0)
    body, part = (np.asarray(layers[layer].reduce(_OVERSAMPLING)) / 255 for layer in layers)
    whole = np.minimum(body + part, 1.0)
    depth = ndimage.distance_transform_edt(whole > 0.5)
    relief = ndimage.gaussian_filter(np.sqrt(1 - (1 - np.minimum(depth / _RIM, 1)) ** 2), 1.0)
    maps = np.rint(255 * np.stack([whole, part, relief], axis=2)).astype(np.uint8)
    return Image.fromarray(maps)
