"""Toy data for generators: mixtures in the plane, and sources that pay for something known."""

import numpy as np
import torch

from plaudit.engine.gan.adversarial import Gan
from plaudit.engine.gan.config import GanConfig
from plaudit.engine.gan.rewards import mean_slope
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.generator import GeneratorConfig, ItemShape

RING_NETWORK = GeneratorConfig(latent=2, widths=(64, 64), embed=8)
GRID_NETWORK = GeneratorConfig(latent=2, widths=(128, 128, 128), embed=8)
QUICK = {
    "batch_size": 256,
    "updates": 8,
    "ema_images": 20_000,
    "learning_rate": 5e-3,
    "gamma": 0.1,
    "gamma_end": 0.01,
    "beta1": 0.5,
    "beta2": 0.9,
}
SMALL = GeneratorConfig(latent=3, widths=(16, 16), embed=4)
RING = torch.tensor([[np.cos(a), np.sin(a)] for a in np.arange(8) * np.pi / 4], dtype=torch.float32)
GRID = torch.tensor([[x, y] for x in range(-2, 3) for y in range(-2, 3)], dtype=torch.float32) / 2
SPREAD = 0.04


class Mixture:
    """Points near centres in the plane, labelled by the centre where `labelled`.

    Pays for the first coordinate, as a black box and with its slope.
    """

    def __init__(self, centres, labelled=False):
        self.centres, self.labelled = centres, labelled
        self.shape = ItemShape((2,), len(centres) if labelled else 0)

    def batch(self, n, random):
        which = torch.from_numpy(random.integers(0, len(self.centres), n))
        noise = torch.from_numpy(random.normal(0, SPREAD, (n, 2))).float()
        return self.centres[which] + noise, which if self.labelled else None

    def score(self, items, labels):
        return items[:, :1].double().numpy()

    def columns(self, items, labels):
        return items[:, :1]


class Pictures:
    """Pictures of 8x8 pixels: noise round a grey that the class decides."""

    def __init__(self, classes=2):
        self.shape = ItemShape((1, 8, 8), classes)

    def batch(self, n, random):
        labels = torch.from_numpy(random.integers(0, max(self.shape.classes, 1), n))
        grey = (labels.float() - 0.5).view(-1, 1, 1, 1)
        items = (grey + torch.from_numpy(random.normal(0, 0.1, (n, 1, 8, 8))).float()).clamp(-1, 1)
        return items, labels if self.shape.classes else None

    def score(self, items, labels):
        return items.mean((1, 2, 3)).double().numpy()[:, None]

    def columns(self, items, labels):
        return items.mean((1, 2, 3))[:, None]


PICTURE = GeneratorConfig(latent=4, widths=(16, 8), embed=4, group=4, expansion=2)


def gan(source, network=SMALL, seed=0, paid=True, **settings):
    settings = {"batch_size": 16, "updates": 2, "ema_images": 64, **settings}
    weighing = UnitWeights(("toy",)) if paid else None
    return Gan(source, weighing, GanConfig(**settings), network, seed)


def train(learner, steps):
    for step in range(steps):
        learner.share = step / steps
        row = learner.step()
    return row


def found(points, centres, near=3.5 * SPREAD):
    """How many centres have a third of their due of points near them, and the share of points near one."""
    apart = torch.cdist(points, centres)
    close = apart.min(1)
    hits = torch.bincount(close.indices[close.values < near], minlength=len(centres))
    return int((hits >= len(points) / len(centres) / 3).sum()), float((close.values < near).float().mean())


def mean_slope_of(surrogate, items):
    """The mean slope of what a surrogate guesses, as a list."""
    leaf = items.requires_grad_()
    return (mean_slope(surrogate.guess(leaf, None), leaf) * len(items)).mean(0).tolist()
