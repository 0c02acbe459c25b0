"""Runner levels: where search begins around locked cells, and the moves that it climbs by."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import runner_kernels as kernels
from plaudit.domains.level.climb import climb
from plaudit.domains.level.film import Reel
from plaudit.domains.level.request import locks_of, tolerances
from plaudit.domains.level.starts import beginnings, lay_locks

TASK = get_task("level/runner")
GAME = TASK.game
GLYPHS = {tile.glyph: number for number, tile in enumerate(GAME.tiles)}
THINGS = [GLYPHS[glyph] for glyph in "@Eog"]
SOLID = [GLYPHS[glyph] for glyph in "#B"]


def drawn(text):
    return np.array([[GLYPHS[glyph] for glyph in row.strip()] for row in text.strip().splitlines()], np.uint8)


def moved(level, cell, number, locked=None):
    locked = np.zeros(level.shape, bool) if locked is None else locked
    flat = np.array([cell[0] * level.shape[1] + cell[1]])
    return GAME.moves(level[None], locked[None], flat, np.array([number]))[0]


def reached(level, cell, locked=None):
    """All levels that a move at a cell may lead to."""
    numbers = np.linspace(0, 1, 4000, endpoint=False)
    return {moved(level, cell, number, locked).tobytes() for number in numbers}


HALL = """
    ..........
    ..........
    BBBBBBBB..
    ..........
    ..........
    ..........
    ##########
"""


@pytest.mark.parametrize(
    ("before", "cell", "after"),
    [
        (HALL, (2, 4), "........../........../BBBBHBBB../....H...../....H...../....H...../##########"),
        (HALL, (2, 0), "........../........../........../........../........../........../##########"),
        (HALL, (3, 9), "........../........../BBBBBBBB../.......---/........../........../##########"),
    ],
)
def test_parts_are_put_up_and_taken_away_whole(before, cell, after):
    assert drawn(after.replace("/", "\n")).tobytes() in reached(drawn(before), cell)


def test_a_ladder_taken_away_leaves_its_floors_whole():
    level = drawn(
        "........../........../BBBBHBBB../....H...../....H...../....H...../##########".replace("/", "\n")
    )
    assert drawn(HALL).tobytes() in reached(level, (4, 4))


def test_a_rope_takes_away_what_is_solid_below():
    level = drawn("...../...../BBBBB".replace("/", "\n"))
    assert drawn("...../---../...BB".replace("/", "\n")).tobytes() in reached(level, (1, 0))


def test_things_come_go_and_move_and_stay_on_floors():
    level = drawn(HALL)
    level[5, 0], level[1, 3] = GLYPHS["@"], GLYPHS["o"]
    seen = set()
    for number in np.linspace(0.2, 0.55, 2000, endpoint=False):
        after = moved(level, (0, 0), number)
        counts = tuple(int((after == thing).sum()) for thing in THINGS)
        seen.add(counts)
        standing = np.isin(after, THINGS)
        assert np.isin(after[1:][standing[:-1]], SOLID).all()
    assert seen == {(1, 0, 1, 0), (1, 0, 2, 0), (1, 0, 1, 1), (0, 0, 1, 0), (1, 0, 0, 0)}


def test_moves_leave_locked_cells_alone():
    rng = np.random.default_rng(3)
    levels = rng.integers(0, 9, (3000, 9, 12), dtype=np.uint8)
    locked = rng.random(levels.shape) < 0.4
    after = GAME.moves(levels, locked, rng.integers(0, 108, 3000), rng.random(3000))
    assert (after[locked] == levels[locked]).all()
    assert after.max() < 9
    assert (after != levels).any((1, 2)).mean() > 0.5


def test_climbing_meets_requests_and_can_be_filmed():
    requests = TASK.requests(8, 71, TASK.Request())
    start = beginnings(GAME, requests, np.arange(8) + 500)
    reels = [Reel(level.copy()) for level in start.maps]
    used, left = climb(GAME, start, tolerances(GAME, requests[0]), 4000, reels=reels)
    assert (left == 0).sum() >= 7
    assert used.mean() < 2500
    assert (GAME.measure(start.maps[left == 0])[:, kernels.FAULTS] == 0).all()
    assert all((reel.last() == level).all() for reel, level in zip(reels, start.maps, strict=True))


def partly(level, share, rng):
    kept = rng.random(level.shape) < share
    rows = zip(level.tolist(), kept.tolist(), strict=True)
    return tuple(
        "".join(GAME.tiles[tile].glyph if keep else "?" for tile, keep in zip(*row, strict=True))
        for row in rows
    )


def test_starts_go_through_locked_cells():
    rng = np.random.default_rng(8)
    plain = TASK.requests(12, 9, TASK.Request())
    whole = [item.content for item in TASK.baselines()["heuristic"](plain, list(range(12)))]
    faults = {"around": 0, "laid in": 0}
    for number, level in enumerate(whole):
        request = TASK.requests(1, number, TASK.Request(locked=partly(level, 0.2, rng)))
        seeds = np.array([number])
        start = beginnings(GAME, request, seeds)
        cells, tiles = locks_of(GAME, request[0])
        assert (start.maps[0][cells] == tiles[cells]).all() and (start.locked[0] == cells).all()
        same = beginnings(GAME, 2 * request, np.array([number + 100, number]))
        assert (same.maps[1] == start.maps[0]).all() and (same.maps[0] != start.maps[0]).any()
        plainly = lay_locks(GAME, GAME.starts(seeds, (32, 22), None, start.goals), cells, tiles)
        for key, maps in (("around", start.maps), ("laid in", plainly)):
            faults[key] += GAME.measure(maps)[0, kernels.MISPLACED]
    assert 10 * faults["around"] < faults["laid in"]


def test_a_density_that_is_asked_for_is_kept_with_locks():
    request = TASK.requests(1, 3, TASK.Request(locked=("?" * 31 + "B",) * 22, density=0.0))
    assert (beginnings(GAME, request, np.array([1])).maps == GLYPHS["."]).sum() == 0


@pytest.mark.parametrize("size", [(3, 3), (5, 40), (20, 10), (64, 44)])
@pytest.mark.parametrize("share", [0.02, 0.5, 1.0])
def test_any_locked_cells_can_be_begun_with(size, share):
    rng = np.random.default_rng(5)
    level = rng.choice([GLYPHS[glyph] for glyph in "#.ogH-B"], size[::-1]).astype(np.uint8)
    request = TASK.requests(1, 1, TASK.Request(size=size, locked=partly(level, share, rng)))
    cells, tiles = locks_of(GAME, request[0])
    start = beginnings(GAME, request, np.array([5])).maps
    assert (start[0][cells] == tiles[cells]).all()
    assert start.max() < 9
