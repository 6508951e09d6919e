"""Object classes (outline, texture, colors, habitat) and pictures of their objects."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cactus.seeding import numpy_generator
from cactus.synthetic.miniimagenet.outlines import OUTLINES
from cactus.synthetic.miniimagenet.silhouettes import Pose, silhouette
from cactus.synthetic.scenes import SCENES, blend, frame, hsv, paint_scene, to_image
from cactus.synthetic.textures import PATTERNS, Texture

_Field = npt.NDArray[np.float64]
# Hue (in turns), saturation and value.
_Color = tuple[float, float, float]

SIDE = 84
# Hues of consecutive classes advance by the golden ratio: any few of them differ.
_GOLDEN = 0.618034
# Share of a class's pictures with its own habitat as background; the others show any scene.
_HABITAT_SHARE = 0.3


@dataclass(frozen=True)
class ObjectClass:
    """What the pictures of a class have in common."""

    outline: str
    texture: Texture
    body: _Color
    pattern: _Color
    part: _Color
    habitat: str


def invent_class(number: int, seed: int) -> ObjectClass:
    """Invent the class with this number; consecutive classes differ in outline."""
    shared = numpy_generator("sample", "miniimagenet", "classes", seed)
    outlines = shared.permutation(sorted(OUTLINES))
    patterns = shared.permutation(sorted(PATTERNS))
    own = numpy_generator("sample", "miniimagenet", "class", number, seed)
    turn = number // len(outlines)
    hue = (shared.random() + number * _GOLDEN) % 1.0
    return ObjectClass(
        outline=str(outlines[number % len(outlines)]),
        texture=Texture(
            str(patterns[(number + turn) % len(patterns)]),
            repeats=own.uniform(3.0, 6.0),
            angle=own.uniform(0, np.pi),
        ),
        body=(hue, own.uniform(0.5, 0.95), own.uniform(0.55, 0.95)),
        pattern=(hue + own.uniform(0.25, 0.75), own.uniform(0.1, 0.9), own.uniform(0.1, 0.95)),
        part=(own.random(), own.uniform(0.2, 0.8), own.uniform(0.15, 0.8)),
        habitat=str(own.choice(sorted(SCENES))),
    )


def draw_object(
    look: ObjectClass, variation: float, clutter: int, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Draw one picture (84, 84, 3) of a class.

    `variation` is the strength of the changes of pose, color and light. At most `clutter`
    unrelated objects are scattered behind the main one.
    """
    at_home = generator.random() < _HABITAT_SHARE
    scene = look.habitat if at_home else str(generator.choice(sorted(SCENES)))
    picture = paint_scene(scene, SIDE, generator)
    for _ in range(generator.integers(clutter + 1)):
        picture = _add_clutter(picture, generator)
    pose = _draw_pose(variation, generator)
    picture = _add_object(picture, look, pose, variation, generator)
    return np.asarray(to_image(_light(picture, variation, generator)))


def _draw_pose(variation: float, generator: np.random.Generator) -> Pose:
    shift = variation * generator.uniform(-0.05, 0.05, size=2)
    return Pose(
        middle=(0.5 + shift[0], 0.5 + shift[1]),
        size=0.88 * np.exp(variation * generator.uniform(-0.12, 0.12)),
        angle=variation * generator.uniform(-0.2, 0.2),
        mirrored=bool(variation > 0 and generator.random() < 0.5),
    )


def _vary(color: _Color, variation: float, generator: np.random.Generator) -> _Field:
    """Return the RGB of a class's color as it looks in one picture."""
    hue, saturation, value = color
    change = variation * generator.normal(0.0, [0.025, 0.07, 0.08])
    return hsv(hue + change[0], saturation + change[1], max(value + change[2], 0.1))


def _add_object(
    picture: _Field, look: ObjectClass, pose: Pose, variation: float, generator: np.random.Generator
) -> _Field:
    """Paint the object over its shadow, lit from a random side."""
    u, v = pose.to_object(*frame(SIDE))
    coverage, part, relief = silhouette(look.outline, pose, SIDE)
    share = look.texture.at(u, v, variation * generator.uniform(0, 2 * np.pi))
    body, pattern, plain = (
        _vary(color, variation, generator) for color in (look.body, look.pattern, look.part)
    )
    surface = blend(part, blend(share, body, pattern), plain)
    slope_y, slope_x = np.gradient(relief)
    side = generator.uniform(-np.pi, 0)
    shade = 0.75 + 0.25 * relief - 1.2 * (slope_x * np.cos(side) + slope_y * np.sin(side))
    below = (pose.middle[0] + 0.04 * np.cos(side), pose.middle[1] + 0.06)
    shadow, _, _ = silhouette(look.outline, replace(pose, middle=below), SIDE)
    darkened = picture * (1 - 0.45 * shadow)
    return blend(coverage, darkened, surface * shade.clip(0.3, 1.4))


def _add_clutter(picture: _Field, generator: np.random.Generator) -> _Field:
    """Paint a small plain object with a random outline, color and place."""
    pose = Pose(
        middle=tuple(generator.uniform(0, 1, size=2)),
        size=generator.uniform(0.15, 0.4),
        angle=generator.uniform(0, 2 * np.pi),
        mirrored=False,
    )
    coverage, _, relief = silhouette(str(generator.choice(sorted(OUTLINES))), pose, SIDE)
    color = hsv(generator.random(), generator.uniform(0.1, 0.7), generator.uniform(0.2, 0.9))
    return blend(coverage, picture, color * (0.6 + 0.4 * relief))


def _light(picture: _Field, variation: float, generator: np.random.Generator) -> _Field:
    """Change brightness, contrast and color cast, add a gradient of light and sensor noise."""
    cast = np.exp(variation * generator.normal(0.0, 0.035, size=(3, 1, 1)))
    gain = np.exp(variation * generator.normal(0.0, 0.08))
    x, y = frame(SIDE)
    tilt = variation * generator.uniform(-0.2, 0.2, size=2)
    gradient = 1 + tilt[0] * (x - 0.5) + tilt[1] * (y - 0.5)
    contrast = np.exp(variation * generator.normal(0.0, 0.07))
    lit = 0.5 + contrast * (picture - 0.5)
    noise = 0.02 * variation * generator.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(lit * (gain * cast * gradient) + noise)
