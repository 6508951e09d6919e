"""The worked example of a pretrained network gives the features that the network computes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from cactus.config.sections.embeddings.section import CustomEmbedding
from cactus.embed.registry import build
from cactus.embed.vectors import CheckedEncoder
from cactus.errors import ConfigError

MODULE = str(Path(__file__).parents[3] / "docs/examples/pretrained.py")
CPU = torch.device("cpu")


@pytest.fixture
def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return resnet18(weights=None).eval()


def embedding(net: torch.nn.Module, folder: Path, shape: tuple[int, int, int], **settings):
    torch.save(net.state_dict(), folder / "weights.pt")
    given = {"weights": str(folder / "weights.pt"), "side": 32, "batch": 7, **settings}
    custom = CustomEmbedding(module=MODULE, settings=given, files=[given["weights"]])
    return build("mine", custom, shape, 0, CPU)


@pytest.mark.parametrize("channels", [1, 3])
def test_vectors_are_the_features_of_normalized_images(net, channels, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (20, 32, 32, channels), dtype=np.uint8)
    mine = embedding(net, tmp_path, images.shape[1:], mean=[0.1, 0.2, 0.3], std=[1, 2, 4])
    pixels = np.repeat(images, 3 // channels, axis=3) / 255
    inputs = ((pixels - [0.1, 0.2, 0.3]) / [1, 2, 4]).transpose(0, 3, 1, 2)
    net.fc = torch.nn.Identity()
    with torch.inference_mode():
        expected = net(torch.tensor(inputs, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(mine.encode(images), expected, rtol=1e-3, atol=1e-4)


def test_they_pass_the_checks_and_come_back_from_the_state(net, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 20, 20, 1), dtype=np.uint8)
    mine = embedding(net, tmp_path, (20, 20, 1), layer="layer2")
    encoder = CheckedEncoder(mine, "mine")
    vectors = encoder.encode(images, "train")
    encoder.check_alone()
    mine.diagnose(images, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").is_file()
    other = embedding(resnet18(weights=None), tmp_path, (20, 20, 1), layer="layer2")
    assert not np.allclose(other.encode(images), vectors, atol=1e-3)
    other.load_state_dict(mine.state_dict())
    assert np.array_equal(other.encode(images), vectors)


def test_an_unknown_key_is_named(net, tmp_path):
    with pytest.raises(ConfigError) as caught:
        embedding(net, tmp_path, (20, 20, 1), layers="layer2")
    assert caught.value.where == "embeddings.custom.mine.settings.layers"
