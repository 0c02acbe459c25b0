"""Zelda levels on maps that are larger than the words of its routes."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level.game import UNASKED
from plaudit.domains.level.request import complete, goals_of
from plaudit.domains.level.starts import beginnings, planned
from plaudit.domains.level.zelda_kernels import ENEMY

TASK = get_task("level/zelda")


@pytest.mark.parametrize("size", [(22, 14), (44, 28), (15, 20)])
def test_plans_are_good_and_as_asked_by_the_judge(size):
    requests = [
        complete(TASK.game, request, i)
        for i, request in enumerate(TASK.requests(12, 7, TASK.Request(size=size)))
    ]
    levels = TASK.game.plan(np.arange(12), size, goals_of(TASK.game, requests))
    tolerance = TASK.game.tolerance(size)[0]
    met = []
    for level, request in zip(levels, requests, strict=True):
        found = TASK.game.judge.survey(level)
        assert TASK.game.judge.passes(level, found)
        met.append(all(abs(found[name] - value) <= tolerance for name, value in request.target.items()))
    assert np.mean(met) >= 0.75
    assert len({level.tobytes() for level in levels}) == 12


def test_a_path_and_enemies_that_are_asked_for_are_there_exactly():
    goals = np.array([[UNASKED, UNASKED, 120, 9], [60, UNASKED, 120, 0], [UNASKED, 50, 120, 60]])
    levels = TASK.game.plan(np.arange(3), (22, 14), goals)
    for level, goal in zip(levels, goals, strict=True):
        found = TASK.game.judge.survey(level)
        assert found["path"] == 120
        assert (level == ENEMY).sum() == goal[3]
        assert goal[0] in (UNASKED, found["player_key"])
        assert goal[1] in (UNASKED, found["key_door"])


def test_on_its_own_size_levels_begin_with_their_words():
    request = complete(TASK.game, TASK.Request(), 1)
    beginning = beginnings(TASK.game, [request], np.array([1]))
    assert planned(TASK.game, beginning, request) is beginning
