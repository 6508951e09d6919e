"""Settings of random views of images."""

from typing import Annotated, ClassVar

from pydantic import Field
from typing_extensions import override

from cactus.config.sections.base import Fraction, Settings, setting

Degrees = Annotated[float, Field(ge=0.0, le=180.0)]
Scale = Annotated[float, Field(ge=0.0, lt=1.0)]


class ViewSettings(Settings):
    """Random changes that make a view of an image, each drawn anew; 0, 1 or false turns one off."""

    # Quarter turns are no change between two views, which are turned alike.
    _changes: ClassVar = (
        "rotation", "scale", "shear", "shift", "elastic", "flip", "jitter", "grayscale",
    )  # fmt: skip

    quarter_turns: bool = setting(
        False,
        "Whether each image is first turned by a random multiple of 90 degrees, both views alike, "
        "so that a turned image counts as another one.",
    )
    rotation: Degrees = setting(
        0.0, "Largest rotation, to either side; 0 for none.", unit="degrees"
    )
    scale: Scale = setting(
        0.0,
        "Largest change of width and of height, each drawn by itself, as a fraction of them; 0 for "
        "none.",
    )
    shear: Fraction = setting(
        0.0, "Largest horizontal shift of a row per row of distance from the center; 0 for none."
    )
    shift: Fraction = setting(
        0.0, "Largest shift along each axis, as a fraction of the side; 0 for none."
    )
    elastic: Fraction = setting(
        0.0,
        "Standard deviation of the random displacement along each axis, as a fraction of the side; "
        "it is drawn on a grid of 4x4 points and smooth between them; 0 for none.",
    )
    crop_area_min: Annotated[float, Field(gt=0.0, le=1.0)] = setting(
        1.0,
        "Smallest random crop, as a fraction of the image's area; the largest is the whole image, "
        "and ratios of width to height are between 3/4 and 4/3; 1 for no crop.",
    )
    flip: bool = setting(False, "Flip images horizontally with probability one half.")
    jitter: Fraction = setting(
        0.0,
        "Strength of color jitter, which changes four of five color images: brightness, contrast "
        "and saturation by up to 0.8 times this fraction, and hue by 0.2 times this fraction of a "
        "full turn; 0 for none.",
    )
    grayscale: Fraction = setting(0.0, "Probability that a color image loses its colors.")
    blur_sigma: Annotated[float, Field(ge=0.0, le=100.0)] = setting(
        0.0, "Largest standard deviation of a Gaussian blur; 0 for none.", unit="pixels"
    )
    blur_probability: Fraction = setting(0.5, "Probability that an image is blurred.")

    @property
    @override
    def unread(self) -> frozenset[str]:
        return frozenset() if self.blur_sigma else frozenset({"blur_probability"})

    @property
    def differ(self) -> bool:
        """Whether two views of an image can differ."""
        blurred = self.blur_sigma > 0 and self.blur_probability > 0
        changed = any(getattr(self, name) for name in self._changes)
        return changed or blurred or self.crop_area_min < 1
