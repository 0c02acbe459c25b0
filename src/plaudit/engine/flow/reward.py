"""The learner that tunes a flow by reward: five methods, their guards, every query counted.

Score function (grpo, ddpo: `score.py`), the reward's gradient (`pathwise.py`, `adjoint.py`), weighted
regression (`regression.py`); what they share is in `tuned.py`. The policy is the running mean of the
weights; where a judge that is never optimised declines (`engine/guard.py`), it is the running mean that the
judge liked best, and the training is `finished`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.env import State
from plaudit.engine.flow import adjoint, pathwise, regression, score
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.source import SampleReward
from plaudit.engine.flow.tuned import FlowRewardConfig, Tuned
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.errors import Diverged


class FlowReward:
    """The learner: sample, score, one update. Its unit is the sample drawn; scored ones are `queries`."""

    def __init__(
        self, source: SampleReward, weighing: Weighing, config: FlowRewardConfig, network: Any, seed: int
    ) -> None:
        self.config, self.share = config, 0.0
        self.tuned = Tuned(source, weighing, config, network, seed)

    def step(self) -> Metrics:
        self.tuned.share = self.share
        method = {
            "grpo": score.improve,
            "ddpo": score.improve,
            "pathwise": pathwise.improve,
            "adjoint": adjoint.improve,
            "rwr": regression.improve,
        }[self.config.method]
        self.tuned.judged.clear()
        row = method(self.tuned)
        columns, total = row.pop("columns"), row.pop("total")
        self.tuned.steps += 1
        report = self._report(columns, total)
        return {**row, **report, **self._judge(columns, report["return"])}

    def _judge(self, columns: Tensor, reward: float) -> Metrics:
        """What the judge says, and the end of the training where it has declined."""
        tuned = self.tuned
        tuned.remember(columns.flatten(0, 1))
        if not tuned.judged:
            return {}
        averaged = tuned.average.model
        row = tuned.guard.look(torch.cat(tuned.judged), reward, averaged.state_dict())
        if tuned.guard.finished:
            load_weights(averaged, tuned.guard.kept.weights)
        return row

    @property
    def finished(self) -> bool:
        """Whether the judge has declined: the policy is then the one that it liked best."""
        return self.tuned.guard.finished

    def _report(self, columns: Tensor, total: Tensor) -> Metrics:
        """Figures of the samples: columns `(N, G, K)` and what they are worth."""
        tuned = self.tuned
        weights = np.asarray(tuned.weighing.weights(self.share))
        each = columns.flatten(0, 1).numpy()
        known = ~np.isnan(each)
        raw = np.where(known, each, 0.0).sum(0) / np.maximum(known.sum(0), 1)
        weighted = np.where(weights != 0, raw * weights, 0.0)
        if not np.isfinite(weighted).all():
            raise Diverged("the composed reward is not finite.")
        rows = zip(tuned.weighing.names, raw, weights, weighted, strict=True)
        return {
            "return": float(weighted.sum()),
            "masked": int(total.isnan().sum()),
            "queries": tuned.queries,
            "beta": tuned.beta,
            "learning_rate": tuned.learning_rate(),
            "terms": {
                name: {"raw": float(r), "weight": float(w), "weighted": float(x)} for name, r, w, x in rows
            },
        }

    @property
    def progress(self) -> tuple[int, str]:
        return self.tuned.samples, "samples"

    def policy(self) -> FlowPolicy:
        return FlowPolicy(self.tuned.average.model, self.config.sampler)

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "flow",
            "path": "plain",
            "method": self.config.method,
            "precision": self.config.precision,
            "parameters": self.tuned.params.numel(),
        }

    def state_dict(self) -> State:
        return self.tuned.state_dict()

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        self.tuned.load_state_dict(state, tensors)

    def begin_from(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights; the base stays what it is."""
        load_weights(self.tuned.model, tensors)
        self.tuned.average.restart(tensors)

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights, and stay near them."""
        load_weights(self.tuned.base, tensors)
        self.begin_from(tensors)
