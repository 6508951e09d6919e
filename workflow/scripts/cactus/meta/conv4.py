"""What both forms of conv4, the four-layer network of few-shot learning, have in common."""

from typing import Final

from cactus.errors import ConfigError

BLOCKS: Final = 4
KERNEL: Final = 3
ImageShape = tuple[int, int, int]


def check_positions(positions: int, image_shape: ImageShape) -> None:
    """Reject images that are too small to be halved four times.

    Parameters
    ----------
    positions
        Height times width after the four halvings.
    image_shape
        Height, width and channels of the images.

    Raises
    ------
    ConfigError
        No position is left.
    """
    if positions < 1:
        raise ConfigError(
            "The images are too small for four halvings by max-pooling.",
            where="conv4",
            got=f"{image_shape[0]}x{image_shape[1]} pixels",
            fix="use images of at least 16x16 pixels, or `downsampling: stride`",
        )
