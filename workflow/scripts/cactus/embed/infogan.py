"""InfoGAN: a GAN that maximizes the information between codes and images (Chen et al. 2016)."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import update_bn
from typing_extensions import override

from cactus.config.sections.embeddings.infogan import InfoganSettings
from cactus.embed.base import TrainedEmbedding
from cactus.embed.images import unit_range, write_picture
from cactus.embed.networks import (
    Block,
    ConvGenerator,
    ConvTrunk,
    Style,
    draw_normal_weights,
    update_together,
)

_draw_weights = partial(draw_normal_weights, std=0.02)
_COLUMNS = 10
_ROWS = 12
_SHOWN_RANGE = 2.0

Settings = InfoganSettings  # the name that jobs look for, as in modules of users


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return -E log D(x) - E log (1 - D(G(z, c))) from logits (B,) (equation 1)."""
    return F.softplus(-real).mean() + F.softplus(generated).mean()


def generator_loss(generated: Tensor) -> Tensor:
    """Return -E log D(G(z, c)) from logits (B,), the non-saturating loss of the authors' code."""
    return F.softplus(-generated).mean()


def categorical_information(logits: Tensor, codes: Tensor) -> Tensor:
    """Return the lower bound E log Q(c|x) + H(c) for a uniform categorical code (equation 4).

    Parameters
    ----------
    logits
        (B, K), Q's unnormalized log-probabilities.
    codes
        int64 (B,), the values drawn.

    Returns
    -------
    Tensor
        Scalar in nats, at most log K.
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits, codes)


def continuous_information(means: Tensor, codes: Tensor) -> Tensor:
    """Return the bound of equation 4, summed over continuous codes uniform on (-1, 1).

    Q(c|x) is normal with the given mean and variance 1, as fixed in the authors' MNIST runs;
    H(c) is log 2 each. Both arguments are (B, C); the result is a scalar in nats.
    """
    negative_log_likelihood = 0.5 * (codes - means).square() + 0.5 * math.log(2 * math.pi)
    return codes.shape[1] * math.log(2) - negative_log_likelihood.sum(1).mean()


class Recognition(nn.Module):
    """The shared trunk with its two heads: discriminator D and recognition network Q."""

    def __init__(self, settings: InfoganSettings, channels: int) -> None:
        super().__init__()
        style = Style(slope=settings.leak)
        self.trunk = ConvTrunk(
            channels,
            settings.working_size,
            width=settings.width,
            hidden=settings.hidden,
            kernel=settings.kernel,
            style=style,
        )
        hidden = settings.recognition_hidden
        self.to_logit = nn.Linear(settings.hidden, 1)
        self.layer = Block(nn.Linear(settings.hidden, hidden), hidden, style)
        self.to_codes = nn.Linear(hidden, sum(settings.categorical) + settings.continuous)
        self.apply(_draw_weights)

    def forward(self, images: Tensor) -> Tensor:
        """Return Q's outputs (N, codes) for images (N, C, S, S)."""
        return self.recognize(self.trunk(images))

    def discriminate(self, features: Tensor) -> Tensor:
        """Return D's logits (N,) for the trunk's features."""
        logits: Tensor = self.to_logit(features)
        return logits.squeeze(1).float()

    def recognize(self, features: Tensor) -> Tensor:
        """Return Q's outputs (N, codes) before any activation, for the trunk's features."""
        outputs: Tensor = self.to_codes(self.layer(features))
        return outputs.float()


def _build_generator(settings: InfoganSettings, channels: int) -> ConvGenerator:
    inputs = settings.noise + sum(settings.categorical) + settings.continuous
    generator = ConvGenerator(
        inputs,
        channels,
        settings.working_size,
        width=settings.width,
        hidden=settings.hidden,
        kernel=settings.kernel,
        style=Style(slope=0.0),
    )
    return generator.apply(_draw_weights)


class Method(TrainedEmbedding[InfoganSettings]):
    """InfoGAN; the embedding is the output of the recognition network."""

    def __init__(
        self,
        settings: InfoganSettings,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(settings, image_shape, seed, device)
        channels, beta1 = image_shape[2], settings.beta1
        self.generator = self.add_net("generator", partial(_build_generator, settings, channels))
        self.recognition = self.add_net("recognition", partial(Recognition, settings, channels))
        self.generator_adam = self.add_adam(
            "generator", [self.generator], settings.generator_rate, beta1=beta1
        )
        self.recognition_adam = self.add_adam(
            "recognition", [self.recognition], settings.discriminator_rate, beta1=beta1
        )

    @override
    def total_steps(self, count: int) -> int:
        """Return the configured iterations."""
        return self.settings.iterations

    @override
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Take one step of D and Q, then one of G against them (equation 6)."""
        real = unit_range(images)
        categorical, continuous = self._draw_codes(len(real))
        noise = self._draw_noise(len(real))
        with self.forward_pass():
            generated = self.generator(self._join(noise, categorical, continuous))
            of_real, of_generated = self._trunk_of_both(real, generated.detach())
            discriminator = discriminator_loss(
                self.recognition.discriminate(of_real), self.recognition.discriminate(of_generated)
            )
            information, _ = self._information(of_generated, categorical, continuous)
        update_together([(self.recognition_adam, discriminator - information)])
        with self.forward_pass():
            of_generated = self._trunk_of_generated(real, generated)
            generator = generator_loss(self.recognition.discriminate(of_generated))
            information, metrics = self._information(of_generated, categorical, continuous)
        update_together([(self.generator_adam, generator - information)])
        return {
            "discriminator_loss": discriminator.detach(),
            "generator_loss": generator.detach(),
            **metrics,
        }

    def _trunk_of_both(self, real: Tensor, generated: Tensor) -> tuple[Tensor, Tensor]:
        """Return the trunk's features of real and of generated images, see `joint_batch`."""
        batches = 1 if self.settings.joint_batch else 2
        features = self.recognition.trunk(torch.cat([real, generated]), batches=batches)
        of_real, of_generated = features.chunk(2)
        return of_real, of_generated

    def _trunk_of_generated(self, real: Tensor, generated: Tensor) -> Tensor:
        """Return the features of generated images, in a batch with real ones if `joint_batch`."""
        if self.settings.joint_batch:
            return self._trunk_of_both(real, generated)[1]
        features: Tensor = self.recognition.trunk(generated)
        return features

    def _draw_codes(self, count: int) -> tuple[list[Tensor], Tensor]:
        """Draw categorical codes, each int64 (count,), and continuous ones (count, C)."""
        categorical = [
            torch.randint(values, (count,), generator=self.noise_generator, device=self.device)
            for values in self.settings.categorical
        ]
        return categorical, self.uniform(count, self.settings.continuous, low=-1.0)

    def _draw_noise(self, count: int) -> Tensor:
        return self.uniform(count, self.settings.noise, low=-1.0)

    def _join(self, noise: Tensor, categorical: list[Tensor], continuous: Tensor) -> Tensor:
        """Return the generator's input (N, noise + codes)."""
        sizes = zip(categorical, self.settings.categorical, strict=True)
        one_hot = [F.one_hot(codes, values).float() for codes, values in sizes]
        return torch.cat([noise, *one_hot, continuous], dim=1)

    def _information(
        self, features: Tensor, categorical: list[Tensor], continuous: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted information of all codes and its two parts, in nats."""
        settings = self.settings
        outputs = self.recognition.recognize(features)
        *logits, means = torch.split(outputs, [*settings.categorical, settings.continuous], dim=1)
        of_categorical = torch.zeros((), device=self.device)
        for code_logits, codes in zip(logits, categorical, strict=True):
            of_categorical = of_categorical + categorical_information(code_logits, codes)
        of_continuous = continuous_information(means, continuous)
        total = (
            settings.categorical_weight * of_categorical
            + settings.continuous_weight * of_continuous
        )
        parts = {
            "categorical_information": of_categorical.detach(),
            "continuous_information": of_continuous.detach(),
        }
        return total, parts

    def _features(self, images: Tensor) -> Tensor:
        """Return the configured layer's outputs for images in [0, 1]."""
        trunk: Tensor = self.recognition.trunk(images)
        hidden: Tensor = self.recognition.layer(trunk)
        codes: Tensor = self.recognition.to_codes(hidden)
        return {"codes": codes, "hidden": hidden, "trunk": trunk}[self.settings.features]

    @override
    def finish(self, resident: Tensor) -> None:
        """Let batch norm encode with the mean statistics of real batches.

        Those that it gathered in training are of generated images too, and of other weights.
        """
        update_bn(map(unit_range, self.random_batches(resident)), self.recognition)

    @override
    def encode_batch(self, images: Tensor) -> Tensor:
        """Return the recognition network's output for the images."""
        return self._features(unit_range(images))

    @override
    @torch.no_grad()
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Draw a row of real images, then rows of samples in each of which one code varies.

        Along a row a categorical code takes its values in order, and a continuous one goes from
        -2 to 2; noise and other codes stay the same. The rows of a code follow each other.
        """
        self.nets.eval()
        chosen = np.linspace(0, len(images) - 1, min(_COLUMNS, len(images))).astype(int)
        rows = [unit_range(self.resident(images[chosen]))]
        codes = len(self.settings.categorical) + self.settings.continuous
        for code in range(min(codes, _ROWS)):
            for _ in range(max(1, _ROWS // codes)):
                rows.append(self._vary(code))
        write_picture(rows, path)

    def _vary(self, code: int) -> Tensor:
        """Return one row of samples that differ only in one code."""
        categorical, continuous = self._draw_codes(1)
        categorical = [values.repeat(_COLUMNS) for values in categorical]
        continuous = continuous.repeat(_COLUMNS, 1)
        if code < len(categorical):
            columns = torch.arange(_COLUMNS, device=self.device)
            categorical[code] = columns % self.settings.categorical[code]
        else:
            sweep = torch.linspace(-_SHOWN_RANGE, _SHOWN_RANGE, _COLUMNS, device=self.device)
            continuous[:, code - len(categorical)] = sweep
        noise = self._draw_noise(1).repeat(_COLUMNS, 1)
        images: Tensor = self.generator(self._join(noise, categorical, continuous))
        return images
