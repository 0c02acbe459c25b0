"""Learning a variational autoencoder: the bound of the evidence (ELBO), climbed by its gradient.

The price of the distance from the prior grows from 0 at the start (Bowman et al., 2016), so that latents are
in use before they cost. The logged bound of held-out items is the plain one, with beta = 1 and nothing free.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.flow.average import Average
from plaudit.engine.gan.config import network_config
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.engine.vae.config import Items, VaeConfig
from plaudit.engine.vae.model import LEAST_VARIANCE, VaeModel, best_variance, log_likelihood, priced
from plaudit.engine.vae.policy import VaePolicy
from plaudit.errors import Diverged

_KEPT = 0.99
_ACTIVE = 0.01
"""Nats from which on a latent dimension tells something (Burda et al., 2016, by the variance of its mean)."""


class Vae:
    """The learner: a few gradient steps on items of the data. Its unit is the training item, "images"."""

    def __init__(
        self, source: Items, weighing: Weighing | None, config: VaeConfig, network: Any, seed: int
    ) -> None:
        self.source, self.config, self.share = source, config, 0.0
        self.random = np.random.default_rng(seed)
        self.noise = torch.Generator().manual_seed(seed + 1)
        self.model = VaeModel(network_config(network), source.shape)
        self.model.initialise(torch.Generator().manual_seed(seed))
        if config.deviation > 0:
            self.model.variance.fill_(max(config.deviation**2, LEAST_VARIANCE))
        self.params, self.grads = flatten(self.model)
        self.average = Average(self.model, config.ema)
        self.adam = Adam(self.params)
        self.dimensions = math.prod(source.shape.item)
        self.images = self.updates = self.steps = 0

    def step(self) -> Metrics:
        """Take `updates` gradient steps."""
        rows = [self._update() for _ in range(self.config.updates)]
        self.steps += 1
        means: Metrics = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        means |= {
            "beta": self._beta(),
            "deviation": math.sqrt(float(self.model.variance)),
            "learning_rate": self._learning_rate(),
        }
        if self.steps % 16 == 1:
            means["validation_elbo"] = self.validate()
        return means

    def _update(self) -> dict[str, float]:
        items, labels = self.source.batch(self.config.batch_size, self.random)
        noise = torch.randn(len(items), self.model.config.latent, generator=self.noise)
        self.grads.zero_()
        error, distances = self.model.pass_through(items, labels, noise, self.config.precision)
        variance = self._fit_variance(error)
        likelihood = log_likelihood(error, self.dimensions, variance).mean()
        cost = self._beta() * priced(distances, self.config.free_bits)
        # Over the numbers of an item, so that a gradient's length means the same at any size.
        ((cost - likelihood) / self.dimensions).backward()  # type: ignore[no-untyped-call]
        norm = clip_norm(self.grads, self.config.max_grad_norm)
        told = distances.detach().mean(0)
        row = {
            "elbo": float(likelihood.detach() - told.sum()),
            "kl": float(told.sum()),
            "squared_error": float(error.detach().mean()) / self.dimensions,
            "active_latents": float((told > _ACTIVE).sum()),
            "gradient_norm": norm,
        }
        if not all(math.isfinite(value) for value in row.values()):
            raise Diverged(f"the bound is not finite: {row}.")
        with flushed_denormals():
            self.adam.step(self.grads, self._learning_rate())
        self.average.step(self.params)
        self.average.model.variance.copy_(self.model.variance)
        self.images, self.updates = self.images + len(items), self.updates + 1
        return row

    def _fit_variance(self, error: Tensor) -> Tensor:
        """The variance for this batch; the model keeps a running mean of the best ones."""
        if self.config.deviation > 0:
            return self.model.variance
        variance = best_variance(error, self.dimensions)
        kept = min(_KEPT, self.updates / (10.0 + self.updates))
        self.model.variance.lerp_(variance.detach(), 1.0 - kept)
        return variance

    @torch.no_grad()
    def validate(self) -> float:
        """The averaged weights' bound `ELBO` on the validation split, in nats of an item, the same noise
        every time."""
        items, labels = self.source.validation(self.config.held_out)
        generator, found = torch.Generator().manual_seed(0), 0.0
        for start in range(0, len(items), self.config.batch_size):
            rows = slice(start, start + self.config.batch_size)
            noise = torch.randn(len(items[rows]), self.model.config.latent, generator=generator)
            found += float(self._bound(items[rows], None if labels is None else labels[rows], noise).sum())
        return found / max(len(items), 1)

    def _bound(self, items: Tensor, labels: Tensor | None, noise: Tensor) -> Tensor:
        """The averaged weights' bound `(B,)` at one draw of q for each item."""
        model = self.average.model
        error, distances = model.pass_through(items, labels, noise, self.config.precision)
        return log_likelihood(error, self.dimensions, model.variance) - distances.sum(1)

    def _beta(self) -> float:
        """The price of a nat as the budget is spent."""
        rise = self.config.beta_warm_up
        return self.config.beta * (min(1.0, self.share / rise) if rise > 0 else 1.0)

    def _learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        falling = end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(self.share, 1.0)))
        return falling * min(1.0, (self.updates + 1) / max(self.config.warm_up, 1))

    @property
    def progress(self) -> tuple[int, str]:
        return self.images, "images"

    def policy(self) -> VaePolicy:
        return VaePolicy(self.average.model, None, self.config.precision)

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "vae",
            "path": "plain",
            "precision": self.config.precision,
            "parameters": self.params.numel(),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "noise": self.noise.get_state(),
            "weights": self.params.clone(),
            "variance": self.model.variance.clone(),
            "averaged": self.average.steps,
            "adam": self.adam.state_dict(),
            "counts": [self.images, self.updates, self.steps],
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        load_weights(self.average.model, tensors)
        self.params.copy_(torch.as_tensor(state["weights"]))
        self.model.variance.copy_(torch.as_tensor(state["variance"]))
        self.average.steps = int(state["averaged"])
        self.random.bit_generator.state = state["random"]
        self.noise.set_state(torch.as_tensor(state["noise"]))
        self.adam.load_state_dict(state["adam"])
        self.images, self.updates, self.steps = (int(count) for count in state["counts"])

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights; a policy over latents is left behind."""
        own = {name: tensor for name, tensor in tensors.items() if not name.startswith("latent.")}
        load_weights(self.model, own)
        self.average.restart(own)
