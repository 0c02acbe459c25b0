"""The formulas of adversarial training, of its reward term and of latent policies, each once.

Notation: B items; `real` and `fake (B,)` are what the critic says of training items and of made ones. A
critic's loss falls as `real` rises, a generator's as `fake` rises; each is a mean over the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from plaudit.engine.returns import check_rank

LossPair = tuple[Tensor, Tensor]
"""Of the critic and of the generator, both scalar."""


def non_saturating(real: Tensor, fake: Tensor) -> LossPair:
    """Cross entropy, with the generator's half turned round. Goodfellow et al., 2014.

    Critic: softplus(-D(x)) + softplus(D(G)); generator: softplus(-D(G)).
    """
    check_rank(1, real=real, fake=fake)
    return softplus(-real).mean() + softplus(fake).mean(), softplus(-fake).mean()


def wasserstein(real: Tensor, fake: Tensor) -> LossPair:
    """Critic: D(G) - D(x); generator: -D(G). Arjovsky et al., 2017."""
    check_rank(1, real=real, fake=fake)
    return fake.mean() - real.mean(), -fake.mean()


def relativistic(real: Tensor, fake: Tensor) -> LossPair:
    """Pairs of items against each other. Jolicoeur-Martineau, 2019; Huang et al., 2025 (R3GAN).

    Generator: softplus(-(D(G) - D(x))); critic: the mirror.
    """
    check_rank(1, real=real, fake=fake)
    apart = fake - real
    return softplus(apart).mean(), softplus(-apart).mean()


LOSSES: dict[str, Callable[[Tensor, Tensor], LossPair]] = {
    "relativistic": relativistic,
    "non-saturating": non_saturating,
    "wgan-gp": wasserstein,
}


def squared_slope(score: Tensor, items: Tensor) -> Tensor:
    """Squared norms `(B,)` of the gradient of `score (B,)` by the items it was read from; differentiable."""
    check_rank(1, score=score)
    (slope,) = torch.autograd.grad(score.sum(), items, create_graph=True)
    return slope.float().square().flatten(1).sum(1)


def zero_centred(slope: Tensor) -> Tensor:
    """Half the mean of squared norms `(B,)`: R1 on real items, R2 on made ones. Mescheder et al., 2018."""
    check_rank(1, slope=slope)
    return 0.5 * slope.mean()


def one_centred(slope: Tensor) -> Tensor:
    """Mean of (norm - 1)^2 for squared norms `(B,)`: the penalty of WGAN-GP. Gulrajani et al., 2017."""
    check_rank(1, slope=slope)
    # The root of 0 has no slope.
    return ((slope + 1e-12).sqrt() - 1.0).square().mean()


def between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Points `(B, *item)` on the way from fake items to real ones, `share (B,)` in [0, 1] of it."""
    check_rank(1, share=share)
    return torch.lerp(fake, real, share.view(-1, *[1] * (real.dim() - 1)))


def gaussian_log_prob(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Log-density `(B,)` of `x (B, Z)` under independent normals."""
    check_rank(2, x=x)
    apart = (x - mean) * (-log_std).exp()
    return -(0.5 * apart.square() + log_std + 0.5 * math.log(2.0 * math.pi)).sum(1)


def gaussian_kls(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL `(B, Z)` of each dimension from independent normals to standard ones. Kingma and Welling, 2014."""
    check_rank(2, mean=mean, log_std=log_std)
    return 0.5 * ((2.0 * log_std).exp() + mean.square() - 1.0 - 2.0 * log_std)


def gaussian_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL `(B,)` from independent normals `(B, Z)` to standard ones, in nats."""
    return gaussian_kls(mean, log_std).sum(1)
