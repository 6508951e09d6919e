"""Stand-in for CelebA: drawn faces in the official archive, with both list files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cactus.config.sample import CelebaSample
from cactus.files import write_text
from cactus.seeding import numpy_generator
from cactus.synthetic.celeba.attributes import ATTRIBUTES, deviate, draw_attributes
from cactus.synthetic.celeba.faces import draw_face
from cactus.synthetic.celeba.person import Kind, invent_kind
from cactus.synthetic.encode import encode_jpeg, write_zip


def write_celeba(settings: CelebaSample, seed: int, folder: Path) -> None:
    """Write img_align_celeba.zip and the attribute and partition lists into `folder`."""
    sizes = (settings.train_images, settings.val_images, settings.test_images)
    partitions = np.repeat(np.arange(3), sizes)
    generator = numpy_generator("sample", "celeba", "people", seed)
    kinds = [invent_kind(generator) for _ in range(settings.kinds)]
    kind_of = generator.integers(len(kinds), size=len(partitions))
    common = draw_attributes(len(kinds), generator)[kind_of]
    flags = deviate(common, settings.deviation, generator)
    names = [f"{image:06d}.jpg" for image in range(1, len(partitions) + 1)]
    write_text(folder / "list_attr_celeba.txt", attribute_list(names, flags))
    lines = [f"{name} {part}\n" for name, part in zip(names, partitions, strict=True)]
    write_text(folder / "list_eval_partition.txt", "".join(lines))
    people = [(_traits(row), kinds[kind]) for row, kind in zip(flags, kind_of, strict=True)]
    write_zip(folder / "img_align_celeba.zip", _pictures(names, people, settings, seed))


def attribute_list(names: list[str], flags: npt.NDArray[np.bool_]) -> str:
    """Return the text of list_attr_celeba.txt: count, names, then 1 or -1 for each attribute.

    Parameters
    ----------
    names
        File names of the N images.
    flags
        (N, 40), columns as `ATTRIBUTES`.
    """
    lines = [str(len(names)), " ".join(ATTRIBUTES) + " "]
    for name, row in zip(names, flags, strict=True):
        # The official list aligns its columns: a blank stands before each 1.
        lines.append(name + "".join("  1" if flag else " -1" for flag in row))
    return "\n".join(lines) + "\n"


def _traits(flags: npt.NDArray[np.bool_]) -> frozenset[str]:
    """Return the names of the attributes (40,) that hold."""
    return frozenset(trait for trait, flag in zip(ATTRIBUTES, flags, strict=True) if flag)


def _pictures(
    names: list[str], people: list[tuple[frozenset[str], Kind]], settings: CelebaSample, seed: int
) -> Iterator[tuple[str, bytes]]:
    for name, (traits, kind) in zip(names, people, strict=True):
        generator = numpy_generator("sample", "celeba", name, seed)
        picture = draw_face(traits, kind, settings.variation, generator)
        yield f"img_align_celeba/{name}", encode_jpeg(picture, settings.jpeg_quality)
