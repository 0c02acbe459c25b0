"""Small tasks and learners for the tests of runs: density fits and a generator pair, which are no MDPs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plaudit.engine.random import RowRandom
from plaudit.errors import Diverged, InputError
from plaudit.runs import checkpoint
from plaudit.runs.recipe import Recipe

ROWS = 32


class ToyPolicy:
    """Draws from what was fitted."""

    def __init__(self, tensors: dict[str, torch.Tensor]) -> None:
        self._tensors = {name: tensor.clone() for name, tensor in tensors.items()}

    def tensors(self) -> dict[str, torch.Tensor]:
        return self._tensors

    def describe(self) -> dict[str, Any]:
        return {"kind": "toy"}

    def act(self, obs: torch.Tensor, state: Any = None, mask: Any = None, generator: Any = None) -> Any:
        raise NotImplementedError("toys are not asked to act")


class DensityFit:
    """Fits mean and scale of D Gaussians by momentum descent on samples kept in a ring of memory."""

    def __init__(self, seed: int = 0, size: int = 6, rate: float = 0.02, ring: int = 128) -> None:
        self.share = 0.0
        self.rate, self.count = rate, 0
        self.mean, self.log_scale = torch.zeros(size), torch.zeros(size)
        self.speed = {"mean": torch.zeros(size), "log_scale": torch.zeros(size)}
        self.noise = torch.Generator().manual_seed(seed)
        self.pick = np.random.default_rng(seed)
        self.rows = RowRandom(np.arange(4) + seed)
        self.ring = np.zeros((ring, size), dtype=np.float32)
        self.ring[:] = self.pick.normal(3.0, 0.5, self.ring.shape)
        self.best = float("inf")

    def step(self) -> dict[str, Any]:
        at = (self.count * 8 + np.arange(8)) % len(self.ring)
        self.ring[at] = 3.0 + 0.5 * torch.randn(8, self.ring.shape[1], generator=self.noise).numpy()
        batch = torch.from_numpy(self.ring[self.pick.integers(0, len(self.ring), ROWS)])
        jitter = float(self.rows.uniform(1).sum()) * 1e-3
        z = (batch - self.mean) * torch.exp(-self.log_scale)
        loss = float((0.5 * z * z + self.log_scale).mean()) + jitter
        if not np.isfinite(loss):
            raise Diverged("the loss is not finite.", place="DensityFit")
        rate = self.rate * (1.0 - 0.5 * self.share)
        self._descend("mean", -(z * torch.exp(-self.log_scale)).mean(0), rate)
        self._descend("log_scale", (1.0 - z * z).mean(0), rate)
        self.count += 1
        self.best = min(self.best, loss)
        terms = {"fit": {"raw": -loss, "weight": 2.0, "weighted": -2.0 * loss}}
        return {"loss": loss, "best": self.best, "share": self.share, "terms": terms}

    def _descend(self, name: str, gradient: torch.Tensor, rate: float) -> None:
        self.speed[name].mul_(0.9).add_(gradient)
        getattr(self, name).sub_(rate * self.speed[name])

    @property
    def progress(self) -> tuple[int, str]:
        return self.count, "steps"

    def state_dict(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "speed": {name: tensor.clone() for name, tensor in self.speed.items()},
            "noise": self.noise.get_state(),
            "pick": self.pick.bit_generator.state,
            "rows": self.rows.state_dict(),
            "ring": self.ring.copy(),
            "best": self.best,
        }

    def load_state_dict(self, state: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        self.mean.copy_(tensors["mean"])
        self.log_scale.copy_(tensors["log_scale"])
        self.count, self.best = state["count"], state["best"]
        for name, tensor in self.speed.items():
            tensor.copy_(state["speed"][name])
        self.noise.set_state(state["noise"])
        self.pick.bit_generator.state = state["pick"]
        self.rows.load_state_dict(state["rows"])
        self.ring[...] = state["ring"]

    def policy(self) -> ToyPolicy:
        return ToyPolicy({"mean": self.mean, "log_scale": self.log_scale})

    def describe(self) -> dict[str, Any]:
        return {"algorithm": "density", "path": "plain", "size": len(self.mean)}


class Pair:
    """A generator and a critic that learn in turns, the smallest GAN there is: 1-D, both affine."""

    def __init__(self, seed: int = 0) -> None:
        self.share, self.count = 0.0, 0
        self.noise = torch.Generator().manual_seed(seed)
        self.weights = {
            "generator": torch.tensor([1.0, 0.0]),
            "critic": torch.randn(3, generator=self.noise) * 0.1,
        }

    def _critic(self, x: torch.Tensor) -> torch.Tensor:
        a, b, c = self.weights["critic"]
        return a * x * x + b * x + c

    def step(self) -> dict[str, Any]:
        real = 2.0 + 0.3 * torch.randn(ROWS, generator=self.noise)
        fake = self._draw()
        turn = "critic" if self.count % 2 == 0 else "generator"
        weights = self.weights[turn].detach().requires_grad_()
        self.weights[turn] = weights
        fake = self._draw() if turn == "generator" else fake.detach()
        gap = torch.nn.functional.softplus(-self._critic(real)).mean()
        gap = gap + torch.nn.functional.softplus(self._critic(fake)).mean()
        loss = gap if turn == "critic" else torch.nn.functional.softplus(-self._critic(fake)).mean()
        (gradient,) = torch.autograd.grad(loss, weights)
        self.weights[turn] = (weights - 0.05 * gradient).detach()
        self.count += 1
        return {"loss": float(loss.detach()), "score": -abs(float(self.weights["generator"][1]) - 2.0)}

    def _draw(self) -> torch.Tensor:
        scale, shift = self.weights["generator"]
        return scale * torch.randn(ROWS, generator=self.noise) + shift

    @property
    def progress(self) -> tuple[int, str]:
        return self.count, "updates"

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count, "noise": self.noise.get_state()}

    def load_state_dict(self, state: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        self.count = state["count"]
        self.noise.set_state(state["noise"])
        self.weights = {name: tensors[name].clone() for name in self.weights}

    def policy(self) -> ToyPolicy:
        return ToyPolicy(self.weights)

    def describe(self) -> dict[str, Any]:
        return {"algorithm": "pair", "path": "plain"}


class Toy:
    """A task that only trains: what it makes is a file of numbers."""

    name = "toy/fit"
    summary = "Fits numbers."

    def recipes(self) -> dict[str, Recipe]:
        return {"density": recipe(), "pair": recipe(algorithm="pair")}

    def build(self, recipe: Recipe, inputs: dict[str, Path]) -> Any:
        if recipe.algorithm == "pair":
            return Pair(recipe.seed)
        if recipe.algorithm != "density":
            raise InputError(f'no algorithm is called "{recipe.algorithm}".', place="algorithm")
        learner = DensityFit(recipe.seed, **recipe.learner)
        if "init" in inputs:
            tensors, _ = checkpoint.load_model(inputs["init"])
            learner.mean.copy_(tensors["mean"])
        return learner


def recipe(**changes: Any) -> Recipe:
    """A recipe of 30 steps that saves at every fourth."""
    plain = {"task": "toy:Toy", "algorithm": "density", "budget": "30", "checkpoint": "4", "seed": 3}
    return Recipe(**{**plain, **changes})


def staged(**changes: Any) -> Recipe:
    """A prior of 12 steps, then a tuning of 10 that starts from it."""
    prior = recipe(name="prior", budget="12")
    tune = recipe(name="tune", budget="10", seed=9, inputs={"init": "stage:prior"})
    return recipe(stages=(prior, tune), **changes)


def sample(task: Any, policy: Any, recipe: Recipe, folder: Path) -> None:
    """Write what the policy would make, as text."""
    numbers = {name: tensor.tolist() for name, tensor in policy.tensors().items()}
    (folder / "item.json").write_text(json.dumps(numbers))
