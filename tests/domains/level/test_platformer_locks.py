"""Platformers around locked cells: the land goes through what is locked, and most starts are good levels."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level.platformer import PlatformerGame
from plaudit.domains.level.platformer_locks import around
from plaudit.domains.level.platformer_physics import BLOCK, EXIT, OPEN, PIPE, PLAYER, WALL
from plaudit.domains.level.starts import lay_locks

GAME = PlatformerGame()
FAULTS = GAME.statistics.index("faults")
COUNT = 24


@pytest.fixture(scope="module")
def constructed():
    """Good levels of the constructive generator with a share of their cells locked, and their figures."""
    task, rng, found = get_task("level/platformer"), np.random.default_rng(4), []
    requests = task.requests(4 * COUNT, 31, task.Request())
    for item in task.baselines()["heuristic"](requests, list(range(4 * COUNT))):
        stats = GAME.measure(item.content[None])[0]
        if stats[FAULTS] == 0 and len(found) < COUNT:
            cells = rng.random(item.content.shape) < rng.uniform(0.1, 0.3)
            goals = stats[[GAME.statistics.index(name) for name in GAME.targets]]
            found.append((item.content, cells, goals[None].astype(np.int64)))
    return found


def faults(maps):
    return GAME.measure(maps)[:, FAULTS]


def test_locked_cells_are_kept_and_most_starts_are_good(constructed):
    good, plain = [], []
    for number, (level, cells, goals) in enumerate(constructed):
        start = around(cells, level, np.array([number]), goals)
        assert (start[0][cells] == level[cells]).all()
        good.append(faults(start)[0] == 0)
        laid = lay_locks(GAME, GAME.starts(np.array([number]), GAME.size, None, goals), cells, level)
        plain.append(faults(laid)[0] == 0)
    assert len(good) == COUNT
    assert np.mean(good) > 0.6
    assert np.mean(plain) < 0.1


def test_seeds_differ_and_come_back(constructed):
    level, cells, goals = constructed[0]
    one, other = around(cells, level, np.array([1, 2]), np.repeat(goals, 2, 0))
    assert (one != other).any()
    assert (around(cells, level, np.array([2]), goals)[0] == other).all()


def test_half_a_pipe_and_a_single_block_get_what_they_lack():
    level = np.full((16, 50), OPEN, np.uint8)
    level[13:, :] = WALL
    level[11:13, 20] = PIPE
    level[9, 30] = BLOCK
    cells = level > OPEN
    start = around(cells, level, np.array([0]), np.array([[2, 8, 2]]))[0]
    assert (start[12, [19, 21]] == PIPE).sum() == 1
    assert (start[9, [29, 31]] == BLOCK).any()
    assert (start == PLAYER).sum() == (start == EXIT).sum() == 1


def test_locks_that_nothing_agrees_with_are_kept_all_the_same():
    rng = np.random.default_rng(0)
    level = rng.integers(0, len(GAME.tiles), (16, 50)).astype(np.uint8)
    cells = rng.random(level.shape) < 0.5
    start = around(cells, level, np.array([3]), np.array([[2, 8, 2]]))[0]
    assert (start[cells] == level[cells]).all()
