"""ACAI: adversarially constrained autoencoder interpolation (Berthelot et al. 2018)."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import override

from cactus.config.sections.embeddings.acai import AcaiSettings
from cactus.embed.base import TrainedEmbedding
from cactus.embed.images import signed_range, write_picture
from cactus.embed.networks import draw_normal_weights, update_together

_SLOPE = 0.2
_PAIRS = 8
_STEPS = 9

Settings = AcaiSettings  # the name that jobs look for, as in modules of users


def fold_alpha(uniform: Tensor) -> Tensor:
    """Fold mixing coefficients from [0, 1] into [0, 1/2] (section 2, after equation 1).

    A mixture with coefficient 1 - alpha is the one with alpha for the other image, so larger
    coefficients would ask the critic for the same answer twice.
    """
    return 0.5 - (uniform - 0.5).abs()


def mix_codes(codes: Tensor, alpha: Tensor) -> Tensor:
    """Return alpha z1 + (1 - alpha) z2, where z2 is the batch of codes z1 in reverse order.

    Parameters
    ----------
    codes
        (B, ...).
    alpha
        (B,).
    """
    weights = alpha.reshape(-1, *[1] * (codes.dim() - 1))
    return weights * codes + (1 - weights) * codes.flip(0)


def autoencoder_loss(
    images: Tensor, reconstructions: Tensor, critic_of_mixtures: Tensor, weight: float
) -> Tensor:
    """Return the autoencoder's loss: ||x - g(f(x))||^2 + lambda ||d(x_alpha)||^2 (equation 1).

    Parameters
    ----------
    images, reconstructions
        (B, C, S, S); the squared error is averaged over pixels too, as in the authors' code.
    critic_of_mixtures
        (B,), the critic's guess of each decoded mixture's alpha.
    weight
        lambda.
    """
    realism = critic_of_mixtures.square().mean()
    return F.mse_loss(reconstructions, images) + weight * realism


def critic_loss(critic_of_mixtures: Tensor, alpha: Tensor, critic_of_blends: Tensor) -> Tensor:
    """Return ||d(x_alpha) - alpha||^2 + ||d(gamma x + (1 - gamma) g(f(x)))||^2 (equation 2).

    All arguments are (B,).
    """
    return (critic_of_mixtures - alpha).square().mean() + critic_of_blends.square().mean()


def encoder_network(channels: int, depth: int, scales: int, outputs: int) -> nn.Sequential:
    """Return convolutions that halve an image `scales` times (appendix B).

    The map keeps 1 / 2^scales of the image's side and has `outputs` channels.
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, depth, 1)]
    inputs = depth
    for scale in range(scales):
        layers += [*_pair(inputs, depth << scale), nn.AvgPool2d(2)]
        inputs = depth << scale
    layers += [*_activated(inputs, depth << scales), _convolution(depth << scales, outputs)]
    return nn.Sequential(*layers).apply(_draw_weights)


def decoder_network(inputs: int, depth: int, scales: int, channels: int) -> nn.Sequential:
    """Return convolutions that double a map of `inputs` channels `scales` times (appendix B)."""
    layers: list[nn.Module] = []
    for scale in reversed(range(scales)):
        layers += [*_pair(inputs, depth << scale), nn.Upsample(scale_factor=2)]
        inputs = depth << scale
    layers += [*_activated(inputs, depth), _convolution(depth, channels)]
    return nn.Sequential(*layers).apply(_draw_weights)


def _convolution(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _activated(inputs: int, outputs: int) -> list[nn.Module]:
    return [_convolution(inputs, outputs), nn.LeakyReLU(_SLOPE, inplace=True)]


def _pair(inputs: int, outputs: int) -> list[nn.Module]:
    return [*_activated(inputs, outputs), *_activated(outputs, outputs)]


def _draw_weights(module: nn.Module) -> None:
    """Draw a convolution's weights with variance 1 / ((1 + slope^2) fan-in), as the authors."""
    if isinstance(module, nn.Conv2d):
        draw_normal_weights(module, 1 / math.sqrt((1 + _SLOPE**2) * module.weight[0].numel()))


class Method(TrainedEmbedding[AcaiSettings]):
    """ACAI; the embedding is the flattened latent map."""

    def __init__(
        self,
        settings: AcaiSettings,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(settings, image_shape, seed, device)
        channels, latent = image_shape[2], settings.latent_channels
        depth, critic_depth = settings.depth, settings.critic_depth or settings.depth
        scales = (settings.working_size // settings.latent_width).bit_length() - 1
        encode = partial(encoder_network, channels, depth, scales, latent)
        decode = partial(decoder_network, latent, depth, scales, channels)
        criticize = partial(encoder_network, channels, critic_depth, scales, latent)
        self.encoder = self.add_net("encoder", encode)
        self.decoder = self.add_net("decoder", decode)
        self.critic = self.add_net("critic", criticize)
        rate = settings.learning_rate
        self.autoencoder_adam = self.add_adam("autoencoder", [self.encoder, self.decoder], rate)
        self.critic_adam = self.add_adam("critic", [self.critic], rate)

    @override
    def total_steps(self, count: int) -> int:
        """Return the configured iterations."""
        return self.settings.iterations

    @override
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Take one step of autoencoder and critic (algorithm 1)."""
        real = signed_range(images)
        gamma = self.settings.gamma
        with self.forward_pass():
            codes = self.encoder(real)
            alpha = fold_alpha(self.uniform(len(real)))
            decoded = self.decoder(torch.cat([codes, mix_codes(codes, alpha)])).float()
            reconstructions, mixtures = decoded.chunk(2)
            blends = (gamma * real + (1 - gamma) * reconstructions).detach()
            of_mixtures, of_blends = self._criticize(torch.cat([mixtures, blends])).chunk(2)
        weight = self.settings.critic_weight
        autoencoder = autoencoder_loss(real, reconstructions, of_mixtures, weight)
        critic = critic_loss(of_mixtures, alpha, of_blends)
        update_together([(self.autoencoder_adam, autoencoder), (self.critic_adam, critic)])
        return {
            "autoencoder_loss": autoencoder.detach(),
            "reconstruction_error": F.mse_loss(reconstructions, real).detach(),
            "critic_loss": critic.detach(),
        }

    def _criticize(self, images: Tensor) -> Tensor:
        """Return the critic's predictions (B,), the means of its map."""
        answers: Tensor = self.critic(images)
        return answers.float().mean((1, 2, 3))

    @override
    def encode_batch(self, images: Tensor) -> Tensor:
        """Return latent maps as vectors."""
        codes: Tensor = self.encoder(signed_range(images))
        return codes.flatten(1)

    @override
    @torch.no_grad()
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Draw one interpolation per row, between its two real images.

        The second and the second-to-last image of a row are reconstructions, alpha 0 and 1.
        """
        self.nets.eval()
        pairs = min(_PAIRS, len(images) // 2)
        chosen = np.linspace(0, len(images) - 1, 2 * pairs).astype(int)
        real = signed_range(self.resident(images[chosen]))
        codes = self.encoder(real)
        rows = []
        for one in range(pairs):
            alpha = torch.linspace(0, 1, _STEPS, device=self.device)[:, None, None, None]
            path_codes = (1 - alpha) * codes[one] + alpha * codes[one + pairs]
            ends = real[one : one + 1], real[one + pairs : one + pairs + 1]
            rows.append((torch.cat([ends[0], self.decoder(path_codes), ends[1]]) + 1) / 2)
        write_picture(rows, path)
