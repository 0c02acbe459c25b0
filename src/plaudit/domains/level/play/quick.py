"""A learned player's values row by row: the network of a `QPolicy` over small whole numbers, compiled.

Departs from the torch path in order alone: a row is added up by itself and always in the same order, so that
what a player does on a level depends on nothing beside it. Most of an observation is 0 and is skipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.level.play.board import Actions, Boards
from plaudit.engine.nets.mlp import MLP
from plaudit.engine.q_policy import QPolicy
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError


class QuickPlayer:
    """Chooses the best action of a Q-network with two hidden layers; see `generation.Choose`."""

    def __init__(self, policy: QPolicy) -> None:
        body: Any = policy.network.body
        if not isinstance(body, MLP) or len(body.layers) != 3 or body.config.activation != "relu":
            raise InputError("a player that measures difficulty is an MLP with two hidden layers of relu.")
        self.dueling = policy.network.dueling
        self.layers = tuple(
            array
            for layer in body.layers
            for array in (_array(layer.weight.t()), _array(layer.bias))  # (inputs, outputs), (outputs,)
        )

    def values(self, obs: NDArray[np.int8]) -> NDArray[np.float32]:
        """Action values `(B, A)`, less the state's own where there is one: their order is the same."""
        out = np.empty((len(obs), len(self.layers[5])), np.float32)
        _forward(obs, self.layers, out)
        return out[:, int(self.dueling) :]

    def __call__(self, boards: Boards, obs: Tensor, random: RowRandom) -> Actions:
        del boards, random
        return self.values(obs.numpy()).argmax(1)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)


@njit(cache=True, nogil=True)
def _forward(obs: Any, layers: Any, out: Any) -> None:
    first, b1, second, b2, third, b3 = layers
    one, two = np.empty(len(b1), np.float32), np.empty(len(b2), np.float32)
    for row in range(len(obs)):
        one[:] = b1
        for i in range(obs.shape[1]):
            if obs[row, i]:
                x = np.float32(obs[row, i])
                for j in range(len(one)):
                    one[j] += x * first[i, j]
        two[:] = b2
        _add(one, second, two)
        out[row] = b3
        _add(two, third, out[row])


@njit(cache=True, nogil=True)
def _add(x: Any, weight: Any, out: Any) -> None:
    """Add what the positive ones of `x` bring to `out`."""
    for i in range(len(x)):
        if x[i] > 0:
            for j in range(len(out)):
                out[j] += x[i] * weight[i, j]
