"""Walks that wind through maps, and dead ends beside them."""

import numpy as np
import pytest

from plaudit.domains.level.metrics import distances, number_of_regions
from plaudit.domains.level.winding import beside, dig_dead_ends, lengthen


def open_map(shape, walk):
    free = np.zeros(shape, bool)
    free[tuple(np.transpose(walk))] = True
    return free


@pytest.mark.parametrize(("shape", "cells"), [((12, 8), 30), ((14, 22), 150), ((28, 44), 500)])
def test_a_short_walk_is_wound_to_any_length_and_touches_itself_nowhere(shape, cells):
    start = [(5, x) for x in range(1, 5)]
    found = set()
    for seed in range(5):
        walk = lengthen(start, np.zeros(shape, bool), cells, np.random.default_rng(seed))
        assert walk[0] == start[0]
        assert len(walk) == len(set(walk)) == cells
        # The only way from end to end, and no shorter one beside it.
        free = open_map(shape, walk)
        assert distances(free, walk[0])[walk[-1]] == cells - 1
        ends = [cell for cell in walk if len(beside(cell, ~free)) == 1]
        assert sorted(ends) == sorted([walk[0], walk[-1]])
        found.add(tuple(walk))
    assert len(found) == 5


def test_a_walk_keeps_out_of_what_is_shut_and_stays_where_there_is_no_room():
    shut = np.ones((6, 9), bool)
    shut[2] = False
    start = [(2, x) for x in range(9)]
    assert lengthen(start, shut, 20, np.random.default_rng(0)) == start
    shut[2:5] = False
    walk = lengthen(start, shut, 15, np.random.default_rng(0))
    assert len(walk) > 9
    assert not any(shut[cell] for cell in walk)
    assert lengthen(start, shut, 4, np.random.default_rng(0)) == start[:4]
    assert lengthen(start[:1], shut, 4, np.random.default_rng(0)) == start[:1]


def test_dead_ends_lead_nowhere():
    level = np.zeros((12, 8), np.uint8)
    walk = lengthen([(3, x) for x in range(6)], level > 0, 30, np.random.default_rng(1))
    level[tuple(np.transpose(walk))] = 2
    opened = dig_dead_ends(level, 0, 1, np.random.default_rng(2))
    assert len(opened) > 10
    assert {tuple(cell) for cell in np.argwhere(level == 1).tolist()} == set(opened)
    assert (level == 2).sum() == 30
    free = level > 0
    assert number_of_regions(free) == 1
    # A tree: as many joints as cells but one, so that the way from end to end is the walk.
    joints = sum(len(beside((int(y), int(x)), ~free)) for y, x in np.argwhere(free)) // 2
    assert joints == free.sum() - 1
    assert distances(free, walk[0])[walk[-1]] == 29
