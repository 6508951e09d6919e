"""Metrics of small trainings, held so that no speed-up changes a result beyond rounding.

Both numbers of threads and both memory layouts of convolutions repeat them to 1e-6, the kernels of
plain x86-64, AVX2 and AVX-512 processors to 2e-5.
"""

import json
from pathlib import Path

import pytest

# Of the first and of the last of four steps on 48 images.
GOLDEN = {
    "acai": (
        {"reconstruction_error": 0.0966258645, "critic_loss": 0.0513492189},
        {"autoencoder_loss": 0.0980435461, "critic_loss": 0.0746361837},
    ),
    "bigan": (
        {"encoder_generator_loss": 0.6931471806, "discriminator_loss": 0.6931471806},  # log 2
        {"encoder_generator_loss": 0.6942384243, "discriminator_loss": 0.6942349672},
    ),
    "contrastive": (
        {"loss": 3.4244048595},
        {"loss": 3.4110105038},
    ),
    "deepcluster": (
        {"loss": 1.7836912870, "accuracy": 5 / 24},
        {"loss": 1.8042532206, "accuracy": 4 / 24, "cluster_stability": 0.4864189327},
    ),
    "infogan": (
        {"discriminator_loss": 1.3885747194, "categorical_information": 0.0285420418},
        {"generator_loss": 0.6918634772, "continuous_information": -0.7892146111},
    ),
}


def _curve(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").open()]


@pytest.mark.parametrize("method", GOLDEN)
def test_metrics_stay_within_rounding(
    method: str, tiny_settings, fit, noise_images, tmp_path: Path
) -> None:
    sizes = {"working_size": 28} if method == "deepcluster" else {}
    lengths = {
        "acai": {"iterations": 4, "learning_rate": 0.01},
        "bigan": {
            "epochs": 1,
            "decay_epochs": 1,
            "batch_size": 24,
            "learning_rate": 0.03,
            "final_rate": 0.5,
        },
        "contrastive": {
            "iterations": 4,
            "learning_rate": 0.001,  # Adam turns rounding of small gradients into steps
            "temperature": 0.5,
            "views": {"quarter_turns": True},
        },
        "deepcluster": {"epochs": 2, "batch_size": 24},
        "infogan": {"iterations": 4, "leak": 0.1},
    }
    settings = tiny_settings(method, log_every=1, **sizes, **lengths[method])
    fit(method, settings, noise_images((20, 20, 1), 48))
    curve = _curve(tmp_path)
    assert len(curve) == 4
    for line, expected in zip((curve[0], curve[-1]), GOLDEN[method], strict=True):
        found = {name: line[name] for name in expected}
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)
