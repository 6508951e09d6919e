"""BiGAN: adversarial feature learning (Donahue, Krähenbühl and Darrell 2017)."""

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.swa_utils import update_bn
from typing_extensions import override

from cactus.config.sections.embeddings.bigan import BiganSettings
from cactus.embed.base import TrainedEmbedding
from cactus.embed.bigan_networks import (
    batch_norm_gains,
    build_discriminator,
    build_encoder,
    build_generator,
)
from cactus.embed.images import (
    center_crops,
    random_crops,
    signed_range,
    unit_range,
    write_picture,
)
from cactus.embed.networks import update_together

_COLUMNS = 10

Settings = BiganSettings  # the name that jobs look for, as in modules of users


def discriminator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return half the negative of the value that D maximizes (equation 2 of the paper).

    (-E log D(x, E(x)) - E log (1 - D(G(z), z))) / 2, from logits (B,) of the two kinds of pairs.
    The authors' code takes this mean of the two; it decides what the weight decay amounts to.
    """
    return (F.softplus(-real).mean() + F.softplus(generated).mean()) / 2


def encoder_generator_loss(real: Tensor, generated: Tensor) -> Tensor:
    """Return the loss of E and G with inverted labels (section 3.4).

    (-E log (1 - D(x, E(x))) - E log D(G(z), z)) / 2: while D wins, its gradient is stronger than
    that of the negated discriminator loss.
    """
    return (F.softplus(real).mean() + F.softplus(-generated).mean()) / 2


def decayed_rate(epoch: float, epochs: int, decay_epochs: int, final: float) -> float:
    """Return the fraction of the full learning rate at a (fractional) epoch.

    It is 1 for `epochs`, then falls exponentially by the same factor at the start of each of
    `decay_epochs` epochs, to `final` in the last.
    """
    if epoch < epochs:
        return 1.0
    return float(final ** ((int(epoch) - epochs + 1) / decay_epochs))


class Method(TrainedEmbedding[BiganSettings]):
    """BiGAN; the embedding is the encoder's code E(x)."""

    def __init__(
        self,
        settings: BiganSettings,
        image_shape: tuple[int, int, int],
        seed: int,
        device: torch.device,
    ) -> None:
        super().__init__(settings, image_shape, seed, device)
        channels = image_shape[2]
        self.encoder = self.add_net("encoder", partial(build_encoder, settings, channels))
        self.generator = self.add_net("generator", partial(build_generator, settings, channels))
        self.discriminator = self.add_net(
            "discriminator", partial(build_discriminator, settings, channels)
        )
        self.coder_adam = self._add_adam("encoder_generator", self.encoder, self.generator)
        self.discriminator_adam = self._add_adam("discriminator", self.discriminator)

    def _add_adam(self, name: str, *nets: nn.Module) -> Optimizer:
        """Return Adam on networks, whose gains of batch norm do not decay."""
        return self.add_adam(
            name,
            nets,
            self.settings.learning_rate,
            beta1=self.settings.beta1,
            weight_decay=self.settings.weight_decay,
            undecayed=batch_norm_gains(*nets),
        )

    @override
    def total_steps(self, count: int) -> int:
        """Return the steps of all epochs."""
        epochs = self.settings.epochs + self.settings.decay_epochs
        return epochs * self.steps_per_epoch(count)

    @override
    def resident_size(self) -> int:
        """Return the side from which crops are taken."""
        return self.settings.raw_size

    @override
    def train_step(self, images: Tensor, indices: Tensor) -> dict[str, Tensor]:
        """Take one step of all three networks at once (section 3.4)."""
        self._set_rate()
        real = self._scaled(random_crops(images, self.settings.working_size, self.noise_generator))
        with self.forward_pass():
            codes = _squash(self.encoder(real))
            noise = self._noise(len(real))
            generated = self._generate(noise)
            of_real, of_generated = self._discriminate((real, codes), (generated, noise))
        coders = encoder_generator_loss(of_real, of_generated)
        discriminator = discriminator_loss(of_real, of_generated)
        update_together([(self.coder_adam, coders), (self.discriminator_adam, discriminator)])
        hits = (of_real > 0).float().mean() + (of_generated < 0).float().mean()
        return {
            "encoder_generator_loss": coders.detach(),
            "discriminator_loss": discriminator.detach(),
            "discriminator_accuracy": hits / 2,
        }

    def _discriminate(
        self, real: tuple[Tensor, Tensor], generated: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the logits of both kinds of pairs of image and code, see `joint_batch`."""
        images, codes = (torch.cat(parts) for parts in zip(real, generated, strict=True))
        batches = 1 if self.settings.joint_batch else 2
        of_real, of_generated = self.discriminator(images, codes, batches).float().chunk(2)
        return of_real, of_generated

    def _set_rate(self) -> None:
        settings = self.settings
        share = decayed_rate(
            self.epoch, settings.epochs, settings.decay_epochs, settings.final_rate
        )
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * share

    def _noise(self, count: int) -> Tensor:
        """Draw codes (count, dims) from the prior."""
        return self.uniform(count, self.settings.dims, low=-1.0)

    def _generate(self, codes: Tensor) -> Tensor:
        """Return images for codes (N, dims), in the range of `_scaled`."""
        images: Tensor = self.generator(codes, codes)
        return images * 2 - 1 if self.settings.signed_images else images

    def _scaled(self, images: Tensor) -> Tensor:
        """Return uint8 images as float32 in the range that the networks see."""
        return signed_range(images) if self.settings.signed_images else unit_range(images)

    @override
    def finish(self, resident: Tensor) -> None:
        """Let batch norm encode with the mean statistics of real batches, as the authors do.

        Those that it gathered in training are of other weights.
        """
        size = self.settings.working_size
        crops = (
            random_crops(batch, size, self.noise_generator)
            for batch in self.random_batches(resident)
        )
        update_bn(map(self._scaled, crops), self.encoder)

    @override
    def encode_batch(self, images: Tensor) -> Tensor:
        """Return E(x), or its logits, of the images' centers."""
        crops = center_crops(images, self.settings.working_size)
        logits: Tensor = self.encoder(self._scaled(crops))
        return _squash(logits) if self.settings.features == "code" else logits

    @override
    @torch.no_grad()
    def diagnose(self, images: npt.NDArray[np.uint8], path: Path) -> None:
        """Draw samples G(z), then pairs of rows: real images and their G(E(x))."""
        self.nets.eval()
        chosen = np.linspace(0, len(images) - 1, min(3 * _COLUMNS, len(images))).astype(int)
        crops = center_crops(self.resident(images[chosen]), self.settings.working_size)
        real = self._scaled(crops)
        samples = self._generate(self._noise(4 * _COLUMNS))
        rows = list(torch.split(samples, _COLUMNS))
        regenerated = self._generate(_squash(self.encoder(real)))
        pairs = torch.split(real, _COLUMNS), torch.split(regenerated, _COLUMNS)
        for pair in zip(*pairs, strict=True):
            rows += pair
        signed = self.settings.signed_images
        write_picture([(row + 1) / 2 if signed else row for row in rows], path)


def _squash(logits: Tensor) -> Tensor:
    """Map logits into the support (-1, 1) of the prior: 2 sigmoid(l) - 1."""
    return torch.tanh(logits / 2)
