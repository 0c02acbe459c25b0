"""Flow matching: learning the velocity that carries noise to data (Lipman et al., 2023; Liu et al., 2023).

The loss is the mean squared error of the velocity at a random time on the straight line between a sample
and noise. Times are spread evenly over each batch, which takes part of the noise out of the gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.flow.average import Average
from plaudit.engine.flow.model import (
    PRECISIONS,
    FlowModel,
    FlowShape,
    network_config,
    weights_of,
)
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.sampling import Sampler
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.errors import Diverged, InputError


@dataclass(frozen=True)
class FlowMatchingConfig:
    """Settings of flow matching."""

    batch_size: int = 64
    """Samples of one gradient step."""
    updates: int = 8
    """Gradient steps of one step of the learner."""
    learning_rate: float = 4e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 2e-5
    """Step size at the end of the budget; it falls as half a cosine."""
    warm_up: int = 50
    """Gradient steps over which the step size first rises linearly."""
    times: Literal["uniform", "logit_normal"] = "uniform"
    """How times are drawn; "logit_normal" favours the middle (Esser et al., 2024)."""
    label_dropout: float = 0.1
    """Share of samples whose class is hidden: guidance needs a model without classes beside."""
    ema: float = 0.999
    """Decay of the running mean of the weights, which is what samples."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    precision: Literal["bf16", "fp32"] = "bf16"
    """Of the network; "bf16" where the processor has it. Weights, loss and optimiser are float32."""
    device: str = "cpu"
    """Where the network is."""
    held_out: int = 512
    """Samples of the validation split that are looked at for the logged figure."""
    sampler: Sampler = field(default_factory=Sampler)
    """How the policy draws."""

    def __post_init__(self) -> None:
        if isinstance(self.sampler, Mapping):  # a recipe's table
            object.__setattr__(self, "sampler", Sampler(**self.sampler))
        for name in ("batch_size", "updates", "held_out"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        for name in ("label_dropout", "ema"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} = {getattr(self, name)} is not in [0, 1].", place=f"learner.{name}")
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("times", self.times, ("uniform", "logit_normal"))


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise `InputError` for a setting that is none of the known."""
    if value not in known:
        raise InputError(
            f'{name} "{value}" is unknown.', place=f"learner.{name}", hint=f"Known: {', '.join(known)}."
        )


class Samples(Protocol):
    """Data to learn from."""

    shape: FlowShape

    def batch(self, n: int, random: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """Draw n training samples `(n, *size)` in [-1, 1], augmented or not, and classes `(n,)` or None."""
        ...

    def validation(self, n: int) -> tuple[Tensor, Tensor | None]:
        """The first n samples of the validation split, always the same."""
        ...


def matching_loss(model: FlowModel, data: Tensor, label: Tensor | None, noise: Tensor, t: Tensor) -> Tensor:
    """Squared error `(B,)` of the velocity at x_t, a mean over the numbers of each row."""
    share = t.view(-1, *[1] * (data.dim() - 1))
    at = (1.0 - share) * noise + share * data
    return (model.velocity(at, t, label) - (data - noise)).square().flatten(1).mean(1)


def draw_times(n: int, kind: str, generator: torch.Generator) -> Tensor:
    """n times in (0, 1), one from each n-th of the distribution, in random order."""
    even = (torch.randperm(n, generator=generator) + torch.rand(n, generator=generator)) / n
    if kind == "logit_normal":
        return torch.sigmoid(torch.special.ndtri(even.double().clamp(1e-6, 1 - 1e-6))).float()
    return even


class FlowMatching:
    """The learner: a few gradient steps on samples of the data. Its unit is the sample."""

    def __init__(
        self, source: Samples, weighing: Weighing | None, config: FlowMatchingConfig, network: Any, seed: int
    ) -> None:
        self.source, self.config, self.share = source, config, 0.0
        self.random = np.random.default_rng(seed)
        self.noise = torch.Generator().manual_seed(seed + 1)
        model = FlowModel(source.shape, network_config(network, source.shape), config.precision == "bf16")
        model.initialise(torch.Generator().manual_seed(seed))
        self.model = model.to(config.device)
        self.params, self.grads = flatten(self.model)
        self.average = Average(self.model, config.ema)
        self.adam = Adam(self.params)
        self.samples = self.updates = self.steps = 0

    def step(self) -> Metrics:
        losses = [self._update() for _ in range(self.config.updates)]
        self.steps += 1
        row: Metrics = {"loss": float(np.mean(losses)), "learning_rate": self._learning_rate()}
        if self.steps % 16 == 1:
            row["validation_loss"] = self.validate()
        return row

    def _update(self) -> float:
        data, label = self.source.batch(self.config.batch_size, self.random)
        self.grads.zero_()
        loss = self._loss(data, self._hidden(label))
        loss.backward()  # type: ignore[no-untyped-call]
        norm, value = clip_norm(self.grads, self.config.max_grad_norm), float(loss.detach())
        if not np.isfinite(norm + value):
            raise Diverged(f"the matching loss is {value}, its gradient's norm {norm}.")
        with flushed_denormals():
            self.adam.step(self.grads, self._learning_rate())
        self.average.step(self.params)
        self.samples, self.updates = self.samples + len(data), self.updates + 1
        return value

    def _loss(self, data: Tensor, label: Tensor | None) -> Tensor:
        noise = torch.randn(data.shape, generator=self.noise)
        t = draw_times(len(data), self.config.times, self.noise)
        where = self.config.device
        label = None if label is None else label.to(where)
        return matching_loss(self.model, data.to(where), label, noise.to(where), t.to(where)).mean()

    def _hidden(self, label: Tensor | None) -> Tensor | None:
        """The classes with a share of them hidden."""
        if label is None:
            return None
        hide = torch.rand(len(label), generator=self.noise) < self.config.label_dropout
        return label.masked_fill(hide, -1)

    @torch.no_grad()
    def validate(self) -> float:
        """The averaged weights' loss on the validation split, with the same noise and times every time."""
        data, label = self.source.validation(self.config.held_out)
        generator, found, seen = torch.Generator().manual_seed(0), 0.0, 0
        where = self.config.device
        for at in range(0, len(data), self.config.batch_size):
            part = data[at : at + self.config.batch_size].to(where)
            classes = None if label is None else label[at : at + len(part)].to(where)
            noise = torch.randn(part.shape, generator=generator).to(where)
            t = draw_times(len(part), "uniform", generator).to(where)
            found += float(matching_loss(self.average.model, part, classes, noise, t).sum())
            seen += len(part)
        return found / max(seen, 1)

    def _learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        falling = end + (start - end) * 0.5 * (1.0 + float(np.cos(np.pi * min(self.share, 1.0))))
        return falling * min(1.0, (self.updates + 1) / max(self.config.warm_up, 1))

    @property
    def progress(self) -> tuple[int, str]:
        return self.samples, "samples"

    def policy(self) -> FlowPolicy:
        return FlowPolicy(self.average.model, self.config.sampler)

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "flow-matching",
            "path": "plain",
            "precision": self.config.precision,
            "parameters": self.params.numel(),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "noise": self.noise.get_state(),
            "weights": weights_of(self.model),
            "averaged": self.average.steps,
            "adam": self.adam.state_dict(),
            "samples": self.samples,
            "updates": self.updates,
            "steps": self.steps,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        load_weights(self.model, {name: torch.as_tensor(t) for name, t in state["weights"].items()})
        load_weights(self.average.model, tensors)
        self.average.steps = int(state["averaged"])
        self.random.bit_generator.state = state["random"]
        self.noise.set_state(torch.as_tensor(state["noise"]))
        self.adam.load_state_dict(state["adam"])
        self.samples, self.updates = int(state["samples"]), int(state["updates"])
        self.steps = int(state["steps"])

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights."""
        load_weights(self.model, tensors)
        self.average.restart(tensors)
