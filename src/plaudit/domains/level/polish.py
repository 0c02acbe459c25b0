"""Exact local search on what a policy could not finish: hill climbing from its level, then from fresh starts.

Climbing has a heavy tail: a level that it does not finish within its budget is seldom finished in twice that,
and a fresh start often is at once. Mazes are left as the policy made them: it finishes nearly all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.climb import climb
from plaudit.domains.level.decode import Made, Problems
from plaudit.domains.level.episodes import Beginning
from plaudit.domains.level.film import Reel
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.retry import APART
from plaudit.domains.level.starts import beginnings


def polish(
    problems: Problems,
    beginning: Beginning,
    requests: Sequence[LevelRequest],
    unfinished: Sequence[Made],
    threads: int,
) -> NDArray[np.int64]:
    """Finish levels in place where possible; returns the evaluations that each took `(R,)`.

    At first the items' own cells are left alone, if they have any; `requests` differ in their goals alone.
    """
    used = np.zeros(len(unfinished), np.int64)
    if not unfinished:
        return used
    game, tolerance = problems.simulator.game, problems.simulator.tolerance
    rows = np.array([made.item for made in unfinished])
    problem = replace(beginning.only(rows), maps=np.stack([made.map for made in unfinished]))
    reels = None if problems.reels is None else [problems.reels[row] for row in rows.tolist()]
    budget = game.polish
    if problems.own is not None:
        budget //= 2
        kept = replace(problem, locked=problem.locked | problems.own[rows])
        used += climb(game, kept, tolerance, budget, threads, reels)[0]
    took, least = climb(game, problem, tolerance, budget, threads, reels)
    used += took
    for attempt in range(1, game.restarts + 1):
        left = np.flatnonzero(least > 0)
        if not len(left):
            break
        fresh = beginnings(game, [requests[row] for row in rows[left]], problem.seeds[left] + attempt * APART)
        anew = None if reels is None else [Reel(level.copy()) for level in fresh.maps]
        took, found = climb(game, fresh, tolerance, game.polish, threads, anew)
        used[left] += took
        better = found < least[left]
        for row in np.flatnonzero(better) if reels is not None and anew is not None else ():
            reels[left[row]].go_on(problem.maps[left[row]], anew[row])
        problem.maps[left[better]] = fresh.maps[better]
        least[left[better]] = found[better]
    for made, level in zip(unfinished, problem.maps, strict=True):
        made.map[:] = level
    return used
