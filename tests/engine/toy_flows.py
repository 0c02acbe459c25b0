"""Toys of flows whose answers are known: mixtures in closed form, Gaussians that a linear reward tilts."""

import functools
import math

import numpy as np
import torch

from plaudit.engine.flow.matching import FlowMatching, FlowMatchingConfig
from plaudit.engine.flow.model import FlowShape
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.nets.unet import UNetConfig

MEAN, SPREAD = torch.tensor([0.5, -0.3]), torch.tensor([0.6, 0.4])
SLOPE = torch.tensor([0.5, 1.0])
SMALL = UNetConfig(width=8, levels=(1, 2), middle=1, condition=16)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


class Mixture:
    """The exact velocity of a one-dimensional mixture of Gaussians: a model without a network."""

    share, mean, spread = torch.tensor([0.3, 0.7]), torch.tensor([-1.0, 1.2]), torch.tensor([0.3, 0.5])

    def velocity(self, x, t, label=None, guidance=0.0):
        variance = t**2 * self.spread**2 + (1 - t) ** 2
        likely = self.share.log() - 0.5 * (x - t * self.mean) ** 2 / variance - 0.5 * variance.log()
        slope = (t * self.spread**2 - (1 - t)) / variance
        each = self.mean + slope * (x - t * self.mean)
        return (likely.softmax(1) * each).sum(1, keepdim=True)

    def moments(self):
        """Mean and second to fourth moment."""
        m, s = self.mean, self.spread
        powers = (m, m**2 + s**2, m**3 + 3 * m * s**2, m**4 + 6 * m**2 * s**2 + 3 * s**4)
        return [float((self.share * each).sum()) for each in powers]


class Clouds:
    """Two-dimensional data: one Gaussian, or (with classes) two far apart."""

    def __init__(self, classes=0):
        self.shape = FlowShape((2,), classes)

    def batch(self, n, random):
        x = torch.from_numpy(random.standard_normal((n, 2))).float() * SPREAD + MEAN
        if not self.shape.classes:
            return x, None
        label = torch.from_numpy(random.integers(0, 2, n))
        return 0.4 * (x - MEAN) + torch.where(label[:, None] > 0, 1.5, -1.5), label

    def validation(self, n):
        return self.batch(n, np.random.default_rng(9))


class Slope:
    """Pays slope . x - bend * |x|^2."""

    def __init__(self, shape=None, bend=0.0):
        self.shape, self.bend = shape or FlowShape((2,)), bend

    def draw(self, n, random):
        return torch.from_numpy(random.integers(0, self.shape.classes, n)) if self.shape.classes else None

    def value(self, label, x):
        flat = x.flatten(1)
        slope = SLOPE.repeat(flat.shape[1] // 2 + 1)[: flat.shape[1]]
        return (flat @ slope - self.bend * flat.square().sum(1))[:, None]

    def score(self, label, x):
        return self.value(label, x).double().numpy()


@functools.cache
def base():
    """Weights of an MLP flow that learned the Gaussian."""
    config = FlowMatchingConfig(batch_size=256, learning_rate=1e-2, ema=0.99, precision="fp32")
    made = FlowMatching(Clouds(), None, config, MLPConfig((48, 48), "tanh"), 0)
    for step in range(100):
        made.share = step / 100
        made.step()
    return made.policy().tensors()


def tuner(**settings):
    """A learner that tunes that flow."""
    config = FlowRewardConfig(**settings)
    made = FlowReward(Slope(), UnitWeights(("slope",)), config, MLPConfig((48, 48), "tanh"), 1)
    made.load_weights(base())
    return made


def pictures(size=(1, 8, 8), classes=3, seed=0, **settings):
    """A learner that tunes a small unet whose weights are anything but zero."""
    config = FlowRewardConfig(**{"steps": 4, **settings})
    made = FlowReward(Slope(FlowShape(size, classes)), UnitWeights(("slope",)), config, SMALL, seed)
    generator = torch.Generator().manual_seed(seed)
    made.load_weights(
        {
            name: tensor + 0.05 * torch.randn(tensor.shape, generator=generator)
            for name, tensor in made.policy().tensors().items()
        }
    )
    return made


def kolmogorov(a, b):
    """Largest distance between two empirical distributions, in units in which 1.95 has a chance of .001."""
    a, b = np.sort(a), np.sort(b)
    every = np.concatenate([a, b])
    apart = np.abs(np.searchsorted(a, every, "right") / len(a) - np.searchsorted(b, every, "right") / len(b))
    return float(apart.max() * math.sqrt(len(a) * len(b) / (len(a) + len(b))))
