"""The model of a variational autoencoder, and its bound. Kingma and Welling, 2014; Rezende et al., 2014.

p(x | z, class) is a normal round what the generator makes, with one deviation for all numbers of all items;
q(z | x, class) is a normal for each latent dimension; the prior of z is N(0, 1), or learned
(`nets/coupling.py`).

Why a normal of one fitted deviation (Rybkin et al., 2021): it reads vectors and pictures alike, it is a true
density of grey levels (cross entropy of grey levels is none), and it weighs reconstruction against distance
from the prior by itself, which else takes a search over beta for each data set. It departs from a
discretised logistic, the likelihood of 8-bit files, in that its nats are not bits of a compressor.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from plaudit.engine.gan.losses import gaussian_kls
from plaudit.engine.nets.coupling import Couplings
from plaudit.engine.nets.critic import Critic
from plaudit.engine.nets.generator import Generator, GeneratorConfig, ItemShape
from plaudit.engine.precision import half
from plaudit.engine.returns import check_rank

LEAST_VARIANCE = 1e-6
"""Below the step of 8-bit files: a set of constant pictures has no density."""
_WIDEST = 8.0
_LEAK = 0.1
"""Where the ground is one colour, all numbers soon lie where the tanh is flat, ink too: without a leak the
gradient dies there and the ground is all that is ever made."""


class VaeModel(nn.Module):
    """Encoder, generator, and the variance of an item's numbers round what is made.

    Attributes:
        variance: `()` float32; learning keeps it, as it is known in closed form.
    """

    variance: Tensor

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__()
        self.config, self.shape = config, shape
        self.generator: Generator = (PriorGenerator if config.prior else Generator)(config, shape)
        self.encoder = Critic(config, shape, 2 * config.latent)
        self.register_buffer("variance", torch.ones(()))

    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`; q begins near the prior."""
        self.generator.initialise(generator)
        self.encoder.initialise(generator)
        if isinstance(self.generator, PriorGenerator):
            self.generator.prior.reset()
        with torch.no_grad():
            self.encoder.out.weight.mul_(0.1)

    def encode(self, items: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the deviation, `(B, latent)` each, of q for `items (B, *item)`."""
        mean, log_std = self.encoder(items, labels).chunk(2, 1)
        return mean, log_std.clamp(-_WIDEST, _WIDEST)

    def pass_through(
        self, items: Tensor, labels: Tensor | None, noise: Tensor, precision: str
    ) -> tuple[Tensor, Tensor]:
        """Squared error `(B,)`, summed, of items made from a draw of q, and the distances `(B, latent)` of q
        from the prior, which are only in sum one where the prior is learned.

        `noise (B, latent)` is standard normal.
        """
        with half(items.device.type, precision == "bf16"):
            mean, log_std = self.encode(items, labels)
            latent = mean + log_std.exp() * noise
            made = Generator.forward(self.generator, latent, labels, _LEAK)
        error = (made - items).square().flatten(1).sum(1)
        if not isinstance(self.generator, PriorGenerator):
            return error, gaussian_kls(mean, log_std)
        # At the one draw: log q - log p, in which the noise's own normal stands on both sides.
        before, stretched = self.generator.prior.back(latent, labels)
        told = 0.5 * (before.square() - noise.square()) - log_std
        return error, told - (stretched / latent.shape[1])[:, None]

    def to_noise(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """What the generator makes these latents' items from; the same where the prior is normal."""
        if isinstance(self.generator, PriorGenerator):
            return self.generator.prior.back(latent, labels)[0]
        return latent


class PriorGenerator(Generator):
    """A generator whose latents a learned prior makes from standard normal ones."""

    def __init__(self, config: GeneratorConfig, shape: ItemShape) -> None:
        super().__init__(config, shape)
        self.prior = Couplings(config.latent, shape.classes, config.embed, config.prior)

    def forward(self, latent: Tensor, labels: Tensor | None = None, leak: float = 0.0) -> Tensor:
        return super().forward(self.prior.draw(latent, labels), labels, leak)


def log_likelihood(squared_error: Tensor, dimensions: int, variance: Tensor) -> Tensor:
    """Log-density `(B,)` of D numbers `squared_error (B,)` from what is made, of variance `()`."""
    check_rank(1, squared_error=squared_error)
    return -0.5 * (squared_error / variance + dimensions * torch.log(2.0 * math.pi * variance))


def best_variance(squared_error: Tensor, dimensions: int) -> Tensor:
    """The variance `()` under which a batch is likeliest: its mean squared error; the gradient passes."""
    check_rank(1, squared_error=squared_error)
    return (squared_error.mean() / dimensions).clamp(min=LEAST_VARIANCE)


def priced(distances: Tensor, free: float) -> Tensor:
    """What distances `(B, Z)` cost `()`: the batch's mean of each dimension, but at least `free` nats.

    Kingma et al., 2016 (free bits): a dimension that tells less than that is not pushed to tell nothing.
    """
    check_rank(2, distances=distances)
    return distances.mean(0).clamp(min=free).sum()
