"""Synthetic miniImageNet: drawn objects under real WordNet ids, with the csv file of each split."""

from pathlib import Path

from cactus.config.synthetic import SyntheticMiniImagenet
from cactus.files import atomic_path, write_text
from cactus.seeding import numpy_generator
from cactus.synthetic.encode import encode_jpeg
from cactus.synthetic.miniimagenet import wnids
from cactus.synthetic.miniimagenet.objects import draw_object, invent_class


def write_files(settings: SyntheticMiniImagenet, seed: int, folder: Path) -> None:
    """Write images/<wnid><number>.jpg and train.csv, val.csv, test.csv into `folder`."""
    for split, names, count in (
        ("train", wnids.TRAIN, settings.train_classes),
        ("val", wnids.VAL, settings.val_classes),
        ("test", wnids.TEST, settings.test_classes),
    ):
        rows = [
            (filename, wnid)
            for wnid in names[:count]
            for filename in _write_class(wnid, settings, seed, folder / "images")
        ]
        lines = ["filename,label", *(f"{filename},{wnid}" for filename, wnid in rows)]
        write_text(folder / f"{split}.csv", "\n".join(lines) + "\n")


def _write_class(wnid: str, settings: SyntheticMiniImagenet, seed: int, folder: Path) -> list[str]:
    """Write the pictures of one class and return their file names."""
    number = (wnids.TRAIN + wnids.VAL + wnids.TEST).index(wnid)
    look = invent_class(number, seed)
    generator = numpy_generator("sample", "miniimagenet", wnid, seed)
    names = [f"{wnid}{image:08d}.jpg" for image in range(1, settings.images_per_class + 1)]
    for name in names:
        picture = draw_object(look, settings.variation, settings.clutter, generator)
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(encode_jpeg(picture, settings.jpeg_quality))
    return names
