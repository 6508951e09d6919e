"""Pictures of drawn faces with given attributes."""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from cactus.synthetic.celeba import dress, features, hair
from cactus.synthetic.celeba.pen import HEIGHT, WIDTH, Pen
from cactus.synthetic.celeba.person import Kind, Person
from cactus.synthetic.scenes import SCENES, paint_scene, tint, to_image
from cactus.synthetic.textures import Texture

_BLUR_RADIUS = 2.6
_SCENE_SIDE = 109
_CURTAINS = ("stripes", "checks", "dots", "zigzag", "marble", "rings")
_CURTAIN_STRENGTH = (0.5, 1.0)


def draw_face(
    traits: frozenset[str], kind: Kind, variation: float, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Draw a face, RGB (218, 178, 3), with the attributes that `traits` names.

    `variation` is the strength of the changes of pose, proportions and light.
    """
    person = Person(traits, kind, variation, generator)
    scene = paint_scene(str(generator.choice(sorted(SCENES))), _SCENE_SIDE, generator)
    pen = Pen(to_image(scene), variation, generator)
    _draw_person(pen, person, generator)
    picture = pen.picture()
    if person.has("Blurry"):
        picture = picture.filter(ImageFilter.GaussianBlur(_BLUR_RADIUS))
    return np.asarray(_light(picture, variation, generator))


def _draw_person(pen: Pen, person: Person, generator: np.random.Generator) -> None:
    """Draw from the back to the front."""
    hair.draw_back_hair(pen, person)
    dress.draw_clothes(pen, person)
    features.draw_neck(pen, person)
    dress.draw_necktie(pen, person)
    dress.draw_necklace(pen, person)
    features.draw_head(pen, person)
    features.draw_skin(pen, person, generator)
    hair.draw_beard(pen, person)
    features.draw_mouth(pen, person)
    hair.draw_mustache(pen, person)
    features.draw_nose(pen, person)
    features.draw_eyes(pen, person)
    hair.draw_top_hair(pen, person)
    hair.draw_hat(pen, person)
    dress.draw_glasses(pen, person)
    dress.draw_earrings(pen, person)


def _light(picture: Image.Image, variation: float, generator: np.random.Generator) -> Image.Image:
    """Change brightness and color cast; light falls from one side, through a colored curtain."""
    x, y = np.linspace(-0.5, 0.5, WIDTH), np.linspace(-0.5, 0.5, HEIGHT)[:, None]
    tilt = variation * generator.uniform(-0.15, 0.15, size=2)
    cast = generator.normal(0.0, 0.05) + generator.normal(0.0, 0.02, size=(3, 1, 1))
    light = np.exp(variation * cast) * (1 + tilt[0] * x + tilt[1] * y)
    light = (light + variation * _curtain(generator)) / 255
    planes = np.stack([np.asarray(channel) for channel in picture.split()])
    return to_image(planes * light)


def _curtain(generator: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the fine colored pattern (3, 218, 178) that a curtain adds to the light.

    Like the textures of the scenes, it misleads an untrained network more than k-means.
    """
    pattern = Texture(
        str(generator.choice(_CURTAINS)), generator.uniform(3, 7), generator.uniform(0, np.pi)
    )
    x, y = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
    share = pattern.at(x, y, generator.uniform(0, 2 * np.pi))
    strength = generator.uniform(*_CURTAIN_STRENGTH)
    return np.asarray(strength * tint(generator) * (share - share.mean()))
