"""What a scheduler's config says of time and predictions, in this engine's terms.

Diffusion models (Ho et al., 2020) noise data as y = a x + s n with a^2 + s^2 = 1, flows of `diffusers` as
y = (1 - sigma) x + sigma n. Both are the flow x_t = t x + (1 - t) n of `engine/flow/model.py` at another
scale: t = a / (a + s), y = (a + s) x_t. Whatever the network predicts, noise, data, v = a n - s x (Salimans
and Ho, 2022) or n - x, the velocity x - n follows from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.errors import InputError

PREDICTIONS = ("epsilon", "sample", "v_prediction", "flow")


@dataclass(frozen=True)
class Moment:
    """A time of a batch as the network knows it: each `(B,)`."""

    timestep: Tensor
    keep: Tensor
    """Share a of the data in what the network is shown."""
    noise: Tensor
    """Share s of the noise."""

    def shown(self, x: Tensor, t: Tensor) -> Tensor:
        """What the network is shown `(B, ...)` for `x (B, ...)` at times `t (B,)`.

        Scaled by the noise's share: before the first timestep, where data have a share in the network's world
        and none in ours, the noise keeps the size that it learned.
        """
        return x * _wide(self.noise / (1.0 - t).clamp_min(1e-6), x)


@dataclass(frozen=True)
class Clock:
    """From time in [0, 1], noise to data, to timesteps and shares; and from predictions to velocities.

    Attributes:
        prediction: one of `PREDICTIONS`.
        log_odds: `(T,)` log(a / s) of each timestep, falling; empty for a flow.
        timesteps: their number T.
    """

    prediction: str
    log_odds: NDArray[np.float64]
    timesteps: int

    @classmethod
    def of(cls, config: Mapping[str, Any], alphas: Tensor | None) -> Clock:
        """The clock of a scheduler's config and its cumulative products `(T,)` of alphas; None for flows.

        Raises `InputError` for a prediction that is not known.
        """
        count = int(config.get("num_train_timesteps", 1000))
        if alphas is None:
            return cls("flow", np.empty(0), count)
        prediction = str(config.get("prediction_type", "epsilon"))
        if prediction not in PREDICTIONS[:3]:
            raise InputError(f'a scheduler that predicts "{prediction}" is not known.', place="env.pipeline")
        # A schedule with zero terminal signal has its last odds at 0: as little as is finite stands in.
        kept = np.clip(alphas.double().numpy(), 1e-8, 1.0 - 1e-12)
        return cls(prediction, 0.5 * np.log(kept / (1.0 - kept)), count)

    def at(self, t: Tensor) -> Moment:
        """The network's side of times `t (B,)` in [0, 1)."""
        if not len(self.log_odds):
            return Moment((1.0 - t) * self.timesteps, t, 1.0 - t)
        wanted = torch.logit(t.double().clamp(1e-9, 1.0 - 1e-9)).cpu().numpy()
        # Timesteps in between are what the network's embedding of time allows.
        falling = np.arange(len(self.log_odds), dtype=np.float64)
        step = np.interp(wanted, self.log_odds[::-1], falling[::-1])
        odds = np.clip(wanted, self.log_odds[-1], self.log_odds[0])
        keep, noise = (np.sqrt(1.0 / (1.0 + np.exp(sign * 2.0 * odds))) for sign in (-1.0, 1.0))
        return Moment(*(torch.from_numpy(value).to(t) for value in (step, keep, noise)))

    def velocity(self, predicted: Tensor, shown: Tensor, moment: Moment) -> Tensor:
        """Data less noise `(B, ...)`, as the prediction for `shown (B, ...)` has them."""
        if self.prediction == "flow":
            return -predicted
        a, s = _wide(moment.keep, shown), _wide(moment.noise, shown)
        if self.prediction == "epsilon":
            return (shown - s * predicted) / a - predicted
        if self.prediction == "sample":
            return predicted - (shown - a * predicted) / s
        return (a * shown - s * predicted) - (s * shown + a * predicted)


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.dim() - 1))
