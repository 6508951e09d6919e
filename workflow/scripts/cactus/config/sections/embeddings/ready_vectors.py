"""Settings of vectors that were made elsewhere."""

import os
from pathlib import PurePath
from typing import Final, NamedTuple, Self

from pydantic import model_validator

from cactus.config.sections.base import Settings, UnfitError, fitting, setting

_SPLITS: Final = ("train", "val", "test")


class VectorFiles(NamedTuple):
    """Files of vectors, and of what says which images they belong to; others are empty.

    For `.npz` files, they may be the same.
    """

    vectors: str
    images: str
    names: str


class ImageFiles(Settings):
    """Images, in the order of the vectors."""

    train: str = setting("", "`.npy` file of images for the vectors of `train`.")
    val: str = setting("", "`.npy` file of images for the vectors of `val`.")
    test: str = setting("", "`.npy` file of images for the vectors of `test`.")


class NameFiles(Settings):
    """Names of images, in the order of the vectors."""

    train: str = setting("", "Text file for the vectors of `train`, a name per line.")
    val: str = setting("", "Text file for the vectors of `val`, a name per line.")
    test: str = setting("", "Text file for the vectors of `test`, a name per line.")


class ReadyVectors(Settings):
    """Vectors that were made elsewhere, and the images that they belong to, or their names."""

    train: str = setting("", "File of vectors and images, `.npz`, or of vectors alone, `.npy`.")
    val: str = setting("", "The same for the validation split.")
    test: str = setting("", "The same for the test split.")
    images: ImageFiles = ImageFiles()
    names: NameFiles = NameFiles()
    vector_array: str = setting(
        "",
        "Name of the vectors in `.npz` files; empty means `Z`, or `Z_raw` where there is no `Z`.",
    )
    image_array: str = setting("X", "Name of the images in `.npz` files.")
    name_array: str = setting(
        "",
        "Name of the array of the images' names in `.npz` files; empty means that images, or files "
        "under `names`, are there.",
    )

    @property
    def by_names(self) -> bool:
        """Whether vectors belong to images by their names, not by their pixels."""
        return bool(self.name_array or any(getattr(self.names, split) for split in _SPLITS))

    @property
    def parts(self) -> list[VectorFiles]:
        """The files of each split; those that several splits have come once, in one spelling."""
        parts: dict[tuple[str, ...], VectorFiles] = {}
        for split in _SPLITS:
            vectors, images, names = (getattr(of, split) for of in (self, self.images, self.names))
            held = ("", names or vectors) if self.by_names else (images or vectors, "")
            part = VectorFiles(vectors, *held)
            parts.setdefault(tuple(map(os.path.realpath, part)), part)
        return list(parts.values())

    @property
    def files(self) -> list[str]:
        """All files, each once."""
        return list(dict.fromkeys(name for part in self.parts for name in part if name))

    @fitting
    def _belong_to_images(self) -> None:
        for split in _SPLITS:
            kind = PurePath(getattr(self, split)).suffix
            if kind not in (".npy", ".npz"):
                raise UnfitError(split, f"`{split}` needs the path of an .npz or .npy file")
            if self.by_names:
                self._check_names(split, kind)
            else:
                self._check_images(split, kind)

    @model_validator(mode="after")
    def _are_plain_paths(self) -> Self:
        for name in self.files:
            if name.startswith("~") or any(one in name for one in "*?"):
                key = next(
                    split
                    for split in ("train", "val", "test", "images", "names")
                    if name in str(getattr(self, split))
                )
                raise UnfitError(
                    key, f"write out the path '{name}': `~` and patterns stay as they are"
                )
        return self

    def _check_images(self, split: str, kind: str) -> None:
        images = getattr(self.images, split)
        if kind == ".npy" and PurePath(images).suffix != ".npy":
            raise UnfitError(
                f"images.{split}",
                "vectors in an .npy file need the .npy file of their images, or under `names` a "
                "text file of their images' names, in the same order",
            )
        if kind == ".npz" and images:
            raise UnfitError(f"images.{split}", "an .npz file holds its images; leave it out")

    def _check_names(self, split: str, kind: str) -> None:
        names = getattr(self.names, split)
        if getattr(self.images, split):
            raise UnfitError(f"images.{split}", "names say which images are meant; leave it out")
        if not names and not self.name_array:
            raise UnfitError(f"names.{split}", "if one split has a file of names, all need one")
        if names and self.name_array:
            raise UnfitError(f"names.{split}", "`name_array` says where names are; leave it out")
        if not names and kind == ".npy":
            raise UnfitError(f"names.{split}", "an .npy file has no `name_array`; name a text file")
