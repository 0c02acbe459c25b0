"""A wide policy's further attempts: levels that it did not finish in its steps, begun anew from other starts.

What a policy does not finish soon it seldom finishes at all, while a fresh start of the same request often
is done in a few steps. An item's fresh starts follow from its own seed, so that it still depends on nothing
else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.level.decode import Made, Problems, Ranker, decode
from plaudit.domains.level.film import Reel
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.starts import beginnings, planned

APART = 10**12
"""From the seed of an item to that of its next fresh start."""


def begin_anew(
    policy: Ranker,
    problems: Problems,
    requests: Sequence[LevelRequest],
    seeds: NDArray[np.int64],
    unfinished: Sequence[Made],
    attempts: int,
) -> list[Made]:
    """Return the unfinished items, each as its best attempt left it, with the evaluations and steps of them
    all.

    requests and seeds: of all items `(N,)`, differing in their goals alone.
    """
    made, game = list(unfinished), problems.simulator.game
    for attempt in range(1, attempts + 1):
        left = [i for i, each in enumerate(made) if each.distance > 0]
        if not left:
            break
        items = np.array([made[i].item for i in left])
        asked = [requests[item] for item in items]
        fresh = planned(game, beginnings(game, asked, seeds[items] + attempt * APART), asked[0])
        start = problems.simulator.begin(fresh)
        anew = None if problems.reels is None else [Reel(level.copy()) for level in fresh.maps]
        again = replace(problems, start=start, apart=None, own=game.kept(fresh.maps), reels=anew)
        for other in decode(policy, again, torch.get_num_threads()):
            one = made[left[other.item]]
            made[left[other.item]] = _better(one, other)
            if problems.reels is not None and anew is not None and other.distance < one.distance:
                problems.reels[one.item].go_on(one.map, anew[other.item])
    return made


def _better(one: Made, other: Made) -> Made:
    """The better of two attempts at an item, the first of equals, with what both took."""
    best = other if other.distance < one.distance else one
    steps, evaluations = one.steps + other.steps, one.evaluations + other.evaluations
    return replace(best, item=one.item, steps=steps, evaluations=evaluations)
