"""Settings of vectors that were made elsewhere."""

from pathlib import PurePath
from typing import Final

from cactus.config.sections.base import Settings, UnfitError, fitting, setting

_SPLITS: Final = ("train", "val", "test")


class ImageFiles(Settings):
    """Images, in the order of the vectors."""

    train: str = setting("", "`.npy` file of images for the vectors of `train`.")
    val: str = setting("", "`.npy` file of images for the vectors of `val`.")
    test: str = setting("", "`.npy` file of images for the vectors of `test`.")


class ReadyVectors(Settings):
    """Vectors that were made elsewhere, and the images that they belong to."""

    train: str = setting("", "File of vectors and images, `.npz`, or of vectors alone, `.npy`.")
    val: str = setting("", "The same for the validation split.")
    test: str = setting("", "The same for the test split.")
    images: ImageFiles = ImageFiles()
    vector_array: str = setting(
        "",
        "Name of the vectors in `.npz` files; empty means `Z`, or `Z_raw` where there is no `Z`.",
    )
    image_array: str = setting("X", "Name of the images in `.npz` files.")

    @property
    def files(self) -> list[tuple[str, str]]:
        """The files of vectors and of images of each split; for `.npz`, one is both."""
        pairs = ((getattr(self, split), getattr(self.images, split)) for split in _SPLITS)
        return [(vectors, images or vectors) for vectors, images in pairs]

    @fitting
    def _have_images(self) -> None:
        for split in _SPLITS:
            vectors, images = getattr(self, split), getattr(self.images, split)
            kind = PurePath(vectors).suffix
            if kind not in (".npy", ".npz"):
                fix = f"`{split}` needs the path of an .npz or .npy file"
                raise UnfitError(split, fix)
            if kind == ".npy" and PurePath(images).suffix != ".npy":
                raise UnfitError(
                    f"images.{split}",
                    "vectors in an .npy file need the .npy file of their images, in the same order",
                )
            if kind == ".npz" and images:
                raise UnfitError(f"images.{split}", "an .npz file holds its images; leave it out")
