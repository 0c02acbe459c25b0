"""Tabular Q-learning and its world in one compiled loop; the plain loop is in `tabular.py`.

Both draw the same numbers (SplitMix64 of a row's key and counter, see `random.py`) and make the same
choices, so that they learn the same table. Importing this file imports numba.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bits = NDArray[np.uint64]
Bools = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


class World(NamedTuple):
    """`TabularModel` as the kernel reads it."""

    next_state: NDArray[np.int32]
    terms: Floats
    done: NDArray[np.bool_]
    allowed: NDArray[np.bool_] | None
    starts: NDArray[np.int32]
    start_counts: Ints
    max_steps: int


class Rows(NamedTuple):
    """Where B rows stand; the kernel writes into every array."""

    state: Ints
    length: Ints
    running: Floats
    paid: Floats
    explore_key: Bits
    explore_counter: Bits
    start_key: Bits
    start_counter: Bits


class Sums(NamedTuple):
    """What is logged: sums and counts `(K,)` of scored episodes; `counts` of episodes, steps, masked."""

    total: Floats
    paid: Floats
    scored: Ints
    counts: Ints


class Rule(NamedTuple):
    """How to choose and how to learn; `by_visits` takes 1/n instead of `rate`."""

    weights: Floats
    boltzmann: bool
    strength: float
    by_visits: bool
    rate: float
    gamma: float


@njit(cache=True, nogil=True)
def _uniform(key: np.uint64, counter: np.uint64) -> float:
    """Draw `counter` of a row, as `RowRandom.uniform` does."""
    x = (key ^ (counter * _GOLDEN)) + _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _MIX1
    x = (x ^ (x >> np.uint64(27))) * _MIX2
    x = x ^ (x >> np.uint64(31))
    return float(x >> np.uint64(11)) * 2.0**-53


@njit(cache=True, nogil=True)
def _may(allowed: Bools | None, w: int, s: int, a: int) -> bool:
    # A comparison with None is settled when the kernel is compiled: worlds without masks pay nothing.
    if allowed is None:
        return True
    return bool(allowed[w, s, a])


@njit(cache=True, nogil=True)
def _best(q: Floats, t: int, s: int, allowed: Bools | None, w: int) -> int:
    """First allowed action of the highest value in `q (T, S, A)`; `allowed` is None where all are."""
    best = 0
    if allowed is None:
        for a in range(1, q.shape[2]):
            best = a if q[t, s, a] > q[t, s, best] else best
        return best
    for a in range(1, q.shape[2]):
        if allowed[w, s, a] and (not allowed[w, s, best] or q[t, s, a] > q[t, s, best]):
            best = a
    return best


@njit(cache=True, nogil=True)
def _epsilon_greedy(
    q: Floats, t: int, s: int, allowed: Bools | None, w: int, epsilon: float, u: float
) -> int:
    """The best action, or below epsilon the allowed one at `u / epsilon` in [0, 1) of their row."""
    actions = q.shape[2]
    if u >= epsilon:
        return _best(q, t, s, allowed, w)
    if allowed is None:
        nth = int(u / epsilon * actions)
        return min(nth, int(actions) - 1)
    count = int(allowed[w, s].sum())
    nth = min(int(u / epsilon * count), count - 1)
    for a in range(actions):
        nth -= int(allowed[w, s, a])
        if nth < 0:
            return a
    return 0


@njit(cache=True, nogil=True)
def _softmax(q: Floats, t: int, s: int, allowed: Bools | None, w: int, temperature: float, u: float) -> int:
    """The action at `u` in [0, 1) of the Boltzmann distribution."""
    top, total, last = q[t, s, _best(q, t, s, allowed, w)], 0.0, 0
    for a in range(q.shape[2]):
        if _may(allowed, w, s, a):
            total += math.exp((q[t, s, a] - top) / temperature)
    heap = 0.0
    for a in range(q.shape[2]):
        if _may(allowed, w, s, a):
            heap += math.exp((q[t, s, a] - top) / temperature)
            last = a
            if heap > u * total:
                return a
    return last


@njit(cache=True, nogil=True)
def start(world: World, rows: Rows, row: int) -> None:
    """Put a row at a start state of its world."""
    w = row if len(world.starts) > 1 else 0
    u = _uniform(rows.start_key[row], rows.start_counter[row])
    rows.start_counter[row] += np.uint64(1)
    rows.state[row] = world.starts[w, int(u * world.start_counts[w])]
    rows.length[row] = 0
    rows.running[row, :] = 0.0
    rows.paid[row, :] = 0.0


@njit(cache=True, nogil=True)
def _close(world: World, rows: Rows, sums: Sums, row: int) -> None:
    """Log the episode that ended and start the next."""
    for k in range(rows.running.shape[1]):
        if not math.isnan(rows.running[row, k]):
            sums.total[k] += rows.running[row, k]
            sums.paid[k] += rows.paid[row, k]
            sums.scored[k] += 1
    sums.counts[0] += 1
    sums.counts[1] += rows.length[row]
    start(world, rows, row)


@njit(cache=True, nogil=True)
def _reward(
    term: Floats, weights: Floats, running: Floats, paid: Floats, w: int, s: int, a: int, row: int
) -> float:
    """The weighted sum of the terms of a step, each of them added to what its episode has."""
    reward = 0.0
    for k in range(term.shape[3]):
        running[row, k] += term[w, s, a, k]
        if weights[k] != 0.0:
            worth = weights[k] * term[w, s, a, k]
            paid[row, k] += worth
            reward += worth
    return reward


@njit(cache=True, nogil=True)
def run(q: Floats, visits: Ints, world: World, rows: Rows, sums: Sums, rule: Rule, steps: int) -> None:
    """Make `steps` steps of every row; `q, visits (T, S, A)`, T = 1 for a shared table or B for own ones.

    Rows that share a table all choose and value by the table before the step, then learn in turn.
    """
    # Plain local names and whole arrays: a field or a slice costs a reference count in every step.
    next_state, terms, done, allowed, _, _, max_steps = world
    state, length, running, paid, key, counter, _, _ = rows
    weights, boltzmann, strength, by_visits, rate, gamma = rule
    masked = 0
    together = len(state) if len(q) == 1 else 1
    at, action, error = np.zeros(together, np.int64), np.zeros(together, np.int64), np.zeros(together)
    for first in range(0, len(state), together):
        t = first // together
        for _ in range(steps):
            for i in range(together):
                row, s = first + i, state[first + i]
                w, u = row if len(next_state) > 1 else 0, _uniform(key[row], counter[row])
                counter[row] += np.uint64(1)
                if boltzmann:
                    a = _softmax(q, t, s, allowed, w, strength, u)
                else:
                    a = _epsilon_greedy(q, t, s, allowed, w, strength, u)
                value = _reward(terms, weights, running, paid, w, s, a, row)
                s2 = next_state[w, s, a]
                state[row], length[row] = s2, length[row] + 1
                if not done[w, s, a]:
                    value += gamma * q[t, s2, _best(q, t, s2, allowed, w)]
                at[i], action[i], error[i] = s, a, value - q[t, s, a]
                known = not math.isnan(value)
                visits[t, s, a] += known
                masked += not known
                if done[w, s, a] or length[row] == max_steps:
                    _close(world, rows, sums, row)
            for i in range(together):
                s, a = at[i], action[i]
                if not math.isnan(error[i]):
                    q[t, s, a] += error[i] * (1.0 / visits[t, s, a] if by_visits else rate)
    sums.counts[2] += masked
