"""Synthetic CelebA: drawn faces in the official archive, with both list files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cactus.config.sections.data.section import CELEBA_NAMES as ATTRIBUTES
from cactus.config.sections.synthetic import SyntheticCeleba
from cactus.files import write_text
from cactus.seeding import numpy_generator
from cactus.synthetic.celeba.attributes import deviate, draw_attributes
from cactus.synthetic.celeba.faces import draw_face
from cactus.synthetic.celeba.person import Kind
from cactus.synthetic.encode import encode_jpeg, write_zip


def write_files(settings: SyntheticCeleba, seed: int, folder: Path) -> None:
    """Write img_align_celeba.zip and the attribute and partition lists into `folder`."""
    sizes = (settings.train_images, settings.val_images, settings.test_images)
    partitions = np.repeat(np.arange(3), sizes)
    generator = numpy_generator("sample", "celeba", "people", seed)
    kinds = [Kind(generator) for _ in range(settings.kinds)]
    kind_of = generator.integers(len(kinds), size=len(partitions))
    common = draw_attributes(len(kinds), generator)[kind_of]
    flags = deviate(common, settings.deviation, generator)
    names = [f"{image:06d}.jpg" for image in range(1, len(partitions) + 1)]
    write_text(folder / "list_attr_celeba.txt", _attribute_list(names, flags))
    lines = [f"{name} {part}\n" for name, part in zip(names, partitions, strict=True)]
    write_text(folder / "list_eval_partition.txt", "".join(lines))
    traits = [frozenset(np.array(ATTRIBUTES)[row].tolist()) for row in flags]
    people = zip(names, traits, (kinds[kind] for kind in kind_of), strict=True)
    write_zip(folder / "img_align_celeba.zip", _pictures(people, settings, seed))


def _attribute_list(names: list[str], flags: npt.NDArray[np.bool_]) -> str:
    """Return the text of list_attr_celeba.txt: count, names, then 1 or -1 for each attribute."""
    lines = [str(len(names)), " ".join(ATTRIBUTES) + " "]
    for name, row in zip(names, flags, strict=True):
        # The official list aligns its columns: a blank stands before each 1.
        lines.append(name + "".join("  1" if flag else " -1" for flag in row))
    return "\n".join(lines) + "\n"


def _pictures(
    people: Iterable[tuple[str, frozenset[str], Kind]], settings: SyntheticCeleba, seed: int
) -> Iterator[tuple[str, bytes]]:
    for name, traits, kind in people:
        generator = numpy_generator("sample", "celeba", name, seed)
        picture = draw_face(traits, kind, settings.variation, generator)
        yield f"img_align_celeba/{name}", encode_jpeg(picture, settings.jpeg_quality)
