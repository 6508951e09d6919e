import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cactus.config.sections.embeddings.section import CustomEmbedding, EmbeddingSettings
from cactus.embed.registry import build
from cactus.errors import ConfigError

ROOT = Path(__file__).parents[3]
SCRIPTS = ROOT / "workflow" / "scripts"
CPU = torch.device("cpu")


@pytest.fixture
def custom() -> EmbeddingSettings:
    module = str(ROOT / "docs" / "examples" / "pca.py")
    entry = {
        "module": module,
        "settings": {"dims": 12},
        "per_dataset": {"omniglot": {"settings": {"dims": 5}}},
    }
    return EmbeddingSettings.model_validate({"custom": {"pca": entry}})


def test_example_of_the_docs_fits_and_encodes(custom, fit, blobs, tmp_path: Path) -> None:
    images = blobs[0]
    embedding = fit("pca", custom.resolve("pca", "mnist"), images)
    vectors = embedding.encode(images)
    assert vectors.shape == (240, 12)
    assert vectors.dtype == np.float32
    pixels = images.reshape(240, -1) / 255
    centered = pixels - pixels.mean(0)
    variances = np.linalg.svd(centered, compute_uv=False)[:12] ** 2
    np.testing.assert_allclose((vectors.astype(float) ** 2).sum(0), variances, rtol=1e-3)
    embedding.diagnose(images, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").is_file()


def test_example_of_the_docs_loads_its_state(custom, fit, blobs) -> None:
    settings = custom.resolve("pca", "mnist")
    trained = fit("pca", settings, blobs[0])
    fresh = build("pca", settings, blobs[0].shape[1:], 1, CPU)
    fresh.load_state_dict(trained.state_dict())
    assert np.array_equal(fresh.encode(blobs[0]), trained.encode(blobs[0]))


def test_custom_settings_differ_by_data_set(custom, fit, blobs) -> None:
    embedding = fit("pca", custom.resolve("pca", "omniglot"), blobs[0])
    assert embedding.encode(blobs[0]).shape == (240, 5)


def test_dotted_module_name() -> None:
    settings = CustomEmbedding(module="cactus.embed.base")
    with pytest.raises(ConfigError, match="no class `Method`"):
        build("mine", settings, (8, 8, 1), 0, CPU)


@pytest.mark.parametrize("module", ["no_such_package.module", "no/such/file.py"])
def test_missing_module(module: str) -> None:
    with pytest.raises(ConfigError, match="cannot be imported") as caught:
        build("mine", CustomEmbedding(module=module), (8, 8, 1), 0, CPU)
    assert caught.value.where == "embeddings.custom.mine.module"
    assert module in caught.value.got


def test_refused_settings_name_the_key(custom) -> None:
    entry = custom.custom["pca"].model_copy(update={"settings": {"dims": 0}})
    with pytest.raises(ConfigError) as caught:
        build("pca", entry, (8, 8, 1), 0, CPU)
    assert caught.value.where == "embeddings.custom.pca.settings.dims"
    assert caught.value.got == "0"


def test_only_the_wanted_method_is_imported() -> None:
    code = (
        "import sys, torch\n"
        "from cactus.config.sections.embeddings.section import EmbeddingSettings\n"
        "from cactus.embed.registry import build\n"
        "settings = EmbeddingSettings().resolve('acai', 'mnist')\n"
        "build('acai', settings, (28, 28, 1), 0, torch.device('cpu'))\n"
        "print(sorted(name for name in sys.modules if name.startswith('cactus.embed.')))\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, check=True, capture_output=True, text=True
    ).stdout
    assert "cactus.embed.acai" in printed
    assert "cactus.embed.bigan" not in printed
    assert "cactus.embed.deepcluster" not in printed
