"""Policy gradients over whole sequences: REINFORCE, SCST, RLOO, GRPO, Dr. GRPO and PPO, by one loop.

The price of leaving the prior is part of the reward: -beta * log(policy / prior) of the whole sequence, so
that the optimum is the prior tilted by the reward, prior * exp(reward / beta). There the sum of both is
the same for every sequence, and the gradient has no noise left; paid token by token, as returns-to-go, it
would keep some. As a loss of its own the k3 estimate has another fixed point; it is logged, not optimised.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence import losses
from plaudit.engine.sequence.decode import Narrow, sample
from plaudit.engine.sequence.likelihood import network_config
from plaudit.engine.sequence.model import Prompts, SequenceModel, Shape
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import Diverged, InputError

ESTIMATORS = ("rloo", "reinforce", "scst", "grpo", "dr_grpo", "ppo")


@dataclass(frozen=True)
class SequenceConfig:
    """Settings of policy gradients over sequences."""

    estimator: Literal["rloo", "reinforce", "scst", "grpo", "dr_grpo", "ppo"] = "rloo"
    """How returns become advantages, and whether the ratio is clipped (grpo, dr_grpo, ppo)."""
    prompts: int = 32
    """Requests of one step."""
    group: int = 8
    """Sequences for each request."""
    epochs: int = 1
    """Passes over them; more than 1 for grpo, dr_grpo and ppo alone."""
    minibatches: int = 1
    """Gradient steps of a pass; more than 1 for grpo, dr_grpo and ppo alone."""
    chunk: int = 128
    """Sequences that are differentiated at once; changes memory, not what is learned."""
    learning_rate: float = 3e-4
    """Step size of Adam at the start."""
    learning_rate_end: float = 3e-5
    """Step size at the end of the budget, reached linearly."""
    beta: float = 0.1
    """Reward that one nat of distance from the prior costs, at the start."""
    kl_target: float = 0.0
    """Nats a sequence that beta is steered to; 0 = beta stays."""
    entropy: float = 0.0
    """Weight of the entropy bonus."""
    clip_low: float = 0.2
    """How far the ratio may fall below 1 (grpo, dr_grpo, ppo)."""
    clip_high: float = 0.2
    """How far the ratio may rise above 1 (grpo, dr_grpo, ppo)."""
    max_grad_norm: float = 1.0
    """Longest gradient."""

    def __post_init__(self) -> None:
        if self.estimator not in ESTIMATORS:
            known = ", ".join(ESTIMATORS)
            raise InputError(
                f'estimator "{self.estimator}" is unknown.',
                place="learner.estimator",
                hint=f"Known: {known}.",
            )
        for name in ("prompts", "group", "epochs", "minibatches", "chunk"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        if self.beta < 0 or self.kl_target < 0:
            raise InputError("beta and kl_target are at least 0.", place="learner.beta")
        if self.group < 2 and self.estimator not in ("reinforce", "scst"):
            raise InputError(f"{self.estimator} compares within a group of 2 or more.", place="learner.group")
        if self.epochs * self.minibatches > 1 and not self.clips:
            raise InputError(
                f"{self.estimator} learns from fresh sequences: one pass, one gradient step.",
                place="learner.epochs",
                hint="ppo, grpo and dr_grpo take more.",
            )

    @property
    def clips(self) -> bool:
        return self.estimator in ("grpo", "dr_grpo", "ppo")


class PromptSource(Protocol):
    """Where requests come from, and what sequences are worth."""

    shape: Shape
    narrowing: Callable[[Prompts], Narrow] | None
    """Makes the rules that depend on what is written, where there are any; they hold for the prior too."""

    def draw(self, n: int, random: np.random.Generator) -> Prompts:
        """Draw n requests."""
        ...

    def score(self, prompts: Prompts, ids: Tensor) -> NDArray[np.float64]:
        """Score sequences for the requests drawn last, siblings side by side.

        Columns `(B, K)` of the composition for `ids (B, T)`, or `(B, T, K)` paid step by step;
        NaN = could not be scored.
        """
        ...


@dataclass
class _Batch:
    """N * G finished sequences, siblings side by side."""

    prompts: Prompts
    ids: Tensor
    log_prob: Tensor
    prior: Tensor
    columns: NDArray[np.float64]
    reward: Tensor
    advantage: Tensor


class SequenceGradient:
    """The learner: sample groups, score them, one policy-gradient update. Its unit is the sequence."""

    def __init__(
        self, source: PromptSource, weighing: Weighing, config: SequenceConfig, network: Any, seed: int
    ) -> None:
        self.source, self.weighing, self.config, self.share = source, weighing, config, 0.0
        self.random = np.random.default_rng(seed)
        self.model = SequenceModel(source.shape, network_config(network))
        self.model.initialise(torch.Generator().manual_seed(seed))
        self.prior = copy.deepcopy(self.model).requires_grad_(False)
        self.params, self.grads = flatten(self.model)
        self.adam = Adam(self.params)
        self.beta, self.mean_return, self.sequences = config.beta, 0.0, 0

    def step(self) -> Metrics:
        batch = self._collect()
        self.sequences += len(batch.ids)
        rows = self._learn(batch)
        return {**rows, **self._report(batch)}

    def _collect(self) -> _Batch:
        asked = self.source.draw(self.config.prompts, self.random)
        prompts = asked.repeated(self.config.group)
        ids, log_prob = self._sample(prompts)
        prior = self._of_prior(prompts, ids)
        columns = np.asarray(self.source.score(prompts, ids), np.float64)
        paid = self._weigh(columns)
        distance = (log_prob - prior).sum(1)
        returns = self._returns(paid, distance)
        advantage = self._advantage(returns, asked)
        columns = columns if columns.ndim == 2 else columns.sum(1)
        return _Batch(prompts, ids, log_prob, prior, columns, paid.sum(1), advantage)

    def _weigh(self, columns: NDArray[np.float64]) -> Tensor:
        """Weighted sums of the columns: `(B, T)`, or `(B, 1)` where all is paid at the end."""
        weights = np.asarray(self.weighing.weights(self.share))
        used = weights != 0
        steps = columns[:, None] if columns.ndim == 2 else columns
        paid = torch.from_numpy((steps[..., used] * weights[used]).sum(2)).float()
        if bool(torch.isinf(paid).any()):
            raise Diverged("the composed reward of a sequence is infinite.")
        return paid

    def _sample(self, prompts: Prompts) -> tuple[Tensor, Tensor]:
        seeds = self.random.integers(0, 2**62, len(prompts.length))
        return sample(self.model, prompts, RowRandom(seeds), narrow=self._narrow(prompts))

    def _narrow(self, prompts: Prompts) -> Narrow | None:
        return None if self.source.narrowing is None else self.source.narrowing(prompts)

    @torch.no_grad()
    def _of_prior(self, prompts: Prompts, ids: Tensor) -> Tensor:
        return torch.cat(
            [
                self.prior.of(prompts.rows(part), ids[part])[0]
                for part in torch.split(torch.arange(len(ids)), self.config.chunk)
            ]
        )

    def _returns(self, paid: Tensor, distance: Tensor) -> Tensor:
        """Returns-to-go `(N, G, T)` of what is paid `(B, T)`, less the price of the whole distance `(B,)`.

        T is 1 where all is paid at the end.
        """
        price = (self.beta * distance).view(-1, self.config.group)
        return losses.to_go(-price, paid.view(*price.shape, -1))

    def _advantage(self, returns: Tensor, asked: Prompts) -> Tensor:
        """Advantages `(N * G, T)`, T = 1 where one holds for the whole sequence."""
        kind = self.config.estimator
        if kind in ("rloo", "ppo"):
            advantage = losses.leave_one_out(returns)
        elif kind == "reinforce":
            advantage = losses.baselined(returns, torch.tensor(self.mean_return))
            self._remember(returns)
        elif kind == "scst":
            advantage = losses.baselined(returns, self._greedy_return(asked)[:, None, None])
        else:
            total = losses.group_relative(returns[..., 0], scaled=kind == "grpo")
            advantage = total[..., None].expand(returns.shape)
        return advantage.reshape(-1, returns.shape[2])

    def _remember(self, returns: Tensor) -> None:
        """Let the batch into the running mean: after it was used, so that the baseline stays independent."""
        mean = float(returns[..., 0].nanmean())
        if np.isfinite(mean):
            first = self.sequences == 0
            self.mean_return += (mean - self.mean_return) * (1.0 if first else 0.1)

    def _greedy_return(self, asked: Prompts) -> Tensor:
        """What the likeliest sequence of each request earns, `(N,)`; 0 where it cannot be scored."""
        asked = asked.repeated(1)
        ids, log_prob = sample(self.model, asked, None, narrow=self._narrow(asked))
        paid = self._weigh(np.asarray(self.source.score(asked, ids), np.float64)).sum(1)
        distance = (log_prob - self._of_prior(asked, ids)).sum(1)
        return (paid - self.beta * distance).nan_to_num(nan=0.0)

    def _learn(self, batch: _Batch) -> Metrics:
        """Make the gradient steps of this batch."""
        norms: list[float] = []
        ratio = 0.0
        for epoch in range(self.config.epochs):
            order = torch.arange(len(batch.ids))
            if self.config.minibatches > 1:
                order = torch.from_numpy(self.random.permutation(len(batch.ids)))
            for part in order.chunk(self.config.minibatches):
                error = self._gradient(batch, part)
                ratio = error if epoch == 0 and not norms else ratio
                norm = clip_norm(self.grads, self.config.max_grad_norm)
                if not np.isfinite(norm):
                    raise Diverged(f"the gradient's norm is {norm}.")
                norms.append(norm)
                with flushed_denormals():
                    self.adam.step(self.grads, self._learning_rate())
        kl = float((batch.log_prob - batch.prior).sum(1).mean())
        if self.config.kl_target > 0:
            self.beta = losses.adapted(self.beta, kl, self.config.kl_target)
        return {"gradient_norm": float(np.mean(norms)), "ratio_error": ratio, "kl": kl}

    def _gradient(self, batch: _Batch, part: Tensor) -> float:
        """Put the gradient over the rows `part` into `grads`; returns how far the ratio is from 1."""
        self.grads.zero_()
        furthest, divisor = 0.0, self._divisor(batch, part)
        for rows in torch.split(part, self.config.chunk):
            prompts = batch.prompts.rows(rows)
            log_prob, entropy = self.model.of(prompts, batch.ids[rows])
            advantage, old = batch.advantage[rows].expand(log_prob.shape), batch.log_prob[rows]
            if self.config.clips:
                low, high = self.config.clip_low, self.config.clip_high
                loss = losses.clipped(log_prob, old, advantage, low, high)
            else:
                loss = losses.score_function(log_prob, advantage)
            loss = (loss - self.config.entropy * entropy).where(prompts.valid, 0.0)
            (loss.sum(1) / divisor[rows]).sum().backward()  # type: ignore[no-untyped-call]
            furthest = max(furthest, float((log_prob - old).detach().exp().sub(1.0).abs().max()))
        return furthest

    def _divisor(self, batch: _Batch, part: Tensor) -> Tensor:
        """What each row's sum over tokens is divided by, `(B,)`.

        The true gradient sums over tokens and averages over sequences; GRPO takes the mean over each
        sequence's tokens, Dr. GRPO divides by the longest length.
        """
        divisor = torch.full((len(batch.ids),), float(len(part)))
        if self.config.estimator == "grpo":
            divisor = divisor * batch.prompts.length.clamp(min=1)
        elif self.config.estimator == "dr_grpo":
            divisor = divisor * batch.ids.shape[1]
        return divisor

    def _report(self, batch: _Batch) -> Metrics:
        weights = np.asarray(self.weighing.weights(self.share))
        known = ~np.isnan(batch.columns)
        raw = np.where(known, batch.columns, 0.0).sum(0) / np.maximum(known.sum(0), 1)
        weighted = np.where(weights != 0, raw * weights, 0.0)
        columns = zip(self.weighing.names, raw, weights, weighted, strict=True)
        away = batch.prior - batch.log_prob
        return {
            "return": float(weighted.sum()),
            "masked": int(batch.reward.isnan().sum()),
            "beta": self.beta,
            "k3": float((torch.expm1(away) - away).sum(1).mean()),
            "entropy": float(-batch.log_prob.sum(1).div(batch.prompts.length).mean()),
            "length": float(batch.prompts.length.double().mean()),
            "learning_rate": self._learning_rate(),
            "terms": {
                name: {"raw": float(r), "weight": float(w), "weighted": float(x)} for name, r, w, x in columns
            },
        }

    def _learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        return start + (end - start) * min(self.share, 1.0)

    @property
    def progress(self) -> tuple[int, str]:
        return self.sequences, "sequences"

    def policy(self) -> SequencePolicy:
        return SequencePolicy(self.model)

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "sequence",
            "path": "plain",
            "estimator": self.config.estimator,
            "parameters": self.params.numel(),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "adam": self.adam.state_dict(),
            "prior": {name: tensor.clone() for name, tensor in self.prior.state_dict().items()},
            "beta": self.beta,
            "mean_return": self.mean_return,
            "sequences": self.sequences,
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        load_weights(self.model, tensors)
        load_weights(self.prior, {name: torch.as_tensor(t) for name, t in state["prior"].items()})
        self.random.bit_generator.state = state["random"]
        self.adam.load_state_dict(state["adam"])
        self.beta, self.mean_return = float(state["beta"]), float(state["mean_return"])
        self.sequences = int(state["sequences"])

    def begin_from(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights; the prior stays what it is."""
        load_weights(self.model, tensors)

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights, and stay near them."""
        load_weights(self.model, tensors)
        load_weights(self.prior, tensors)
