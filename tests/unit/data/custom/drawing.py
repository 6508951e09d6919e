"""Raw data sets of colored shapes, drawn in the forms that users have."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from cactus.config.sections.data.section import DataSettings

KINDS = ("circle", "square", "triangle", "diamond", "bar", "ring", "cross", "corner")


def shape(kind: str, number: int, side: int = 21) -> Image.Image:
    """Draw a shape whose color and place depend on its number; no two have equal pixels."""
    generator = np.random.default_rng([KINDS.index(kind), number])
    background, ink = generator.integers(0, 90, 3), generator.integers(140, 256, 3)
    image = Image.new("RGB", (side, side), tuple(map(int, background)))
    draw, color = ImageDraw.Draw(image), tuple(map(int, ink))
    x, y = generator.integers(1, 4, 2)
    low, high = (int(x), int(y)), (int(x) + side // 2, int(y) + side // 2)
    middle = ((low[0] + high[0]) // 2, (low[1] + high[1]) // 2)
    match kind:
        case "circle":
            draw.ellipse([low, high], fill=color)
        case "square":
            draw.rectangle([low, high], fill=color)
        case "triangle":
            draw.polygon([(low[0], high[1]), high, (middle[0], low[1])], fill=color)
        case "diamond":
            points = [(low[0], middle[1]), (middle[0], low[1]), (high[0], middle[1])]
            draw.polygon([*points, (middle[0], high[1])], fill=color)
        case "bar":
            draw.rectangle([(low[0], middle[1] - 1), (high[0], middle[1] + 1)], fill=color)
        case "ring":
            draw.ellipse([low, high], outline=color, width=2)
        case "cross":
            draw.line([low, high], fill=color, width=2)
            draw.line([(low[0], high[1]), (high[0], low[1])], fill=color, width=2)
        case "corner":
            draw.line([(high[0], low[1]), low, (low[0], high[1])], fill=color, width=2)
    return image


def write_folders(folder: Path, kinds: Iterable[str] = KINDS, count: int = 6) -> Path:
    """Write ``<folder>/<kind>/<number>.png``."""
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            shape(kind, number).save(folder / kind / f"{number:03}.png")
    return folder


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write a csv file; the first row has the names of the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def settings(name: str = "shapes", **own: object) -> DataSettings:
    """Return the settings of a data set of small splits; `own` replaces its keys."""
    keys = {
        "image_size": 13,
        "channels": 3,
        "min_classes": {"train": 1, "val": 1, "test": 1},
        "min_images_per_class": 2,
        **own,
    }
    return DataSettings.model_validate({"custom": {name: keys}})


def pixels(image: Image.Image, side: int) -> npt.NDArray[np.uint8]:
    """Return an image as Pillow resizes it by itself."""
    return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
