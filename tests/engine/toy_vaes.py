"""A linear Gaussian world, whose evidence is known, and networks with weights set by hand to be linear."""

import math

import numpy as np
import torch

from plaudit.engine.nets.generator import SLOPE, GeneratorConfig, ItemShape
from plaudit.engine.vae.config import VaeConfig
from plaudit.engine.vae.learner import Vae

LOADS = torch.tensor([[1.2, 0.0], [0.5, 0.8], [-0.4, 1.0]])
"""Orthogonal columns: the posterior is independent by coordinate, as q is."""
CENTRE = torch.tensor([0.3, -0.2, 0.1])
VARIANCE = 0.16
NETWORK = GeneratorConfig(latent=2, widths=(8,), embed=4)


class Factors:
    """Probabilistic PCA: x = LOADS z + CENTRE + noise of VARIANCE; with labels the centre moves by one."""

    def __init__(self, classes=0):
        self.shape = ItemShape((3,), classes)

    def batch(self, n, random):
        z, noise = (torch.from_numpy(random.standard_normal((n, k))).float() for k in (2, 3))
        labels = torch.from_numpy(random.integers(0, max(self.shape.classes, 1), n))
        items = z @ LOADS.T + CENTRE + math.sqrt(VARIANCE) * noise + labels[:, None]
        return items, labels if self.shape.classes else None

    def validation(self, n):
        return self.batch(n, np.random.default_rng(9))


def evidence(items):
    """log p(x) `(B,)`, exact."""
    cover = LOADS @ LOADS.T + VARIANCE * torch.eye(3)
    return torch.distributions.MultivariateNormal(CENTRE, cover).log_prob(items)


def posterior():
    """Matrix `(2, 3)` from x - CENTRE to the mean of p(z | x), and that normal's covariance `(2, 2)`."""
    cover = torch.linalg.inv(torch.eye(2) + LOADS.T @ LOADS / VARIANCE)
    return cover @ LOADS.T / VARIANCE, cover


@torch.no_grad()
def make_linear(before, after, matrix, offset):
    """Set two linear layers with a leaky rectifier between so that they compute `matrix x + offset`.

    The rectifier of a less that of -a is (1 + SLOPE) a.
    """
    for weight in (before.weight, before.bias, after.weight):
        weight.zero_()
    size = matrix.shape[1]
    for unit in range(size):
        before.weight[2 * unit, unit], before.weight[2 * unit + 1, unit] = 1.0, -1.0
        after.weight[:, 2 * unit] = matrix[:, unit] / (1 + SLOPE)
        after.weight[:, 2 * unit + 1] = -matrix[:, unit] / (1 + SLOPE)
    after.bias.copy_(offset)


def exact(model, widen=1.0):
    """Set a model to the world itself; where q's deviation is `widen` times the exact one, it is off."""
    layers = model.generator.body.layers
    make_linear(layers[0], layers[2], LOADS, CENTRE)
    weights, cover = posterior()
    log_std = 0.5 * cover.diagonal().log() + math.log(widen)
    matrix = torch.cat([weights, torch.zeros(2, 3)])
    offset = torch.cat([-weights @ CENTRE, log_std])
    make_linear(model.encoder.body.layers[0], model.encoder.out, matrix, offset)
    model.variance.fill_(VARIANCE)


def vae(source=None, network=NETWORK, seed=0, **settings):
    settings = {"batch_size": 16, "updates": 2, "warm_up": 1, "ema": 0.9, **settings}
    return Vae(source or Factors(), None, VaeConfig(**settings), network, seed)
