"""Learning a prior: maximum likelihood of a corpus's sequences, by Adam, with early stopping on the side.

The loss is the mean negative log-likelihood of a token; locked tokens, which only one choice is allowed
for, cost nothing and teach nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.engine.sequence.model import GRUConfig, Prompts, SequenceModel, Shape
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import Diverged, InputError


@dataclass(frozen=True)
class LikelihoodConfig:
    """Settings of maximum likelihood."""

    batch_size: int = 64
    """Sequences of one gradient step."""
    updates: int = 8
    """Gradient steps of one step of the learner."""
    learning_rate: float = 3e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 1e-4
    """Step size at the end of the budget; it falls as half a cosine."""
    dropout: float = 0.15
    """Share of inputs and of the state that is left out at random."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    held_out: int = 256
    """Sequences of the validation split that are looked at for the logged figure."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "updates"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        if not 0.0 <= self.dropout < 1.0:
            raise InputError(f"dropout = {self.dropout} is not in [0, 1).", place="learner.dropout")


class Corpus(Protocol):
    """Sequences to learn from."""

    shape: Shape

    def batch(self, n: int, random: np.random.Generator) -> tuple[Prompts, Tensor]:
        """Draw n training sequences: prompts and `ids (n, T)`."""
        ...

    def validation(self, n: int) -> tuple[Prompts, Tensor]:
        """The first n sequences of the validation split, always the same."""
        ...


class Likelihood:
    """The learner: a few gradient steps on sequences of the corpus. Its unit is the sequence."""

    def __init__(
        self, source: Corpus, weighing: Weighing | None, config: LikelihoodConfig, network: Any, seed: int
    ) -> None:
        self.source, self.config, self.share = source, config, 0.0
        self.random = np.random.default_rng(seed)
        self.model = SequenceModel(source.shape, network_config(network))
        self.model.initialise(torch.Generator().manual_seed(seed))
        self.dropout = torch.Generator().manual_seed(seed + 1)
        self.params, self.grads = flatten(self.model)
        self.adam = Adam(self.params)
        self.sequences = self.steps = 0

    def step(self) -> Metrics:
        losses = [self._update() for _ in range(self.config.updates)]
        self.steps += 1
        row: Metrics = {"loss": float(np.mean(losses)), "learning_rate": self._learning_rate()}
        if self.steps % 16 == 1:
            row["validation_loss"] = self.validate()
        return row

    def _update(self) -> float:
        prompts, ids = self.source.batch(self.config.batch_size, self.random)
        self.grads.zero_()
        loss = self._loss(prompts, ids, self.config.dropout)
        loss.backward()  # type: ignore[no-untyped-call]
        norm, value = clip_norm(self.grads, self.config.max_grad_norm), float(loss.detach())
        if not np.isfinite(norm + value):
            raise Diverged(f"the likelihood loss is {value}, its gradient's norm {norm}.")
        with flushed_denormals():
            self.adam.step(self.grads, self._learning_rate())
        self.sequences += len(ids)
        return value

    def _loss(self, prompts: Prompts, ids: Tensor, dropout: float) -> Tensor:
        log_probs = self.model.log_probs(prompts, ids, dropout, self.dropout)
        taken = log_probs.gather(2, ids[..., None]).squeeze(2)
        # Steps with one choice are given, not learned.
        free = prompts.valid & (prompts.mask.sum(2) > 1)
        return -taken.where(free, 0.0).sum() / free.sum().clamp(min=1)

    @torch.no_grad()
    def validate(self) -> float:
        """Mean negative log-likelihood of a free token of the validation split (nats)."""
        prompts, ids = self.source.validation(self.config.held_out)
        return float(self._loss(prompts, ids, 0.0))

    def _learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        return end + (start - end) * 0.5 * (1.0 + float(np.cos(np.pi * min(self.share, 1.0))))

    @property
    def progress(self) -> tuple[int, str]:
        return self.sequences, "sequences"

    def policy(self) -> SequencePolicy:
        return SequencePolicy(self.model)

    def describe(self) -> dict[str, Any]:
        return {"algorithm": "likelihood", "path": "plain", "parameters": self.params.numel()}

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "dropout": self.dropout.get_state(),
            "adam": self.adam.state_dict(),
            "sequences": self.sequences,
            "steps": self.steps,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        self.load_weights(tensors)
        self.random.bit_generator.state = state["random"]
        self.dropout.set_state(torch.as_tensor(state["dropout"]))
        self.adam.load_state_dict(state["adam"])
        self.sequences, self.steps = int(state["sequences"]), int(state["steps"])

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights."""
        load_weights(self.model, tensors)


def network_config(network: Any) -> GRUConfig:
    """The config of a recipe's network; raises `InputError` for another family."""
    from plaudit.engine import nets

    config = nets.config_of({"kind": "gru", **network} if isinstance(network, dict) else network)
    if not isinstance(config, GRUConfig):
        raise InputError("a sequence model is a gru.", place="network.kind")
    return config
