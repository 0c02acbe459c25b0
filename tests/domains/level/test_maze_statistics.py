"""The kernels against the judge's plain searches: two codes, one definition."""

import itertools

import numpy as np
import pytest

from plaudit.domains.level.game import View
from plaudit.domains.level.maze import MazeGame, longest_possible
from plaudit.domains.level.maze_judge import survey
from plaudit.domains.level.metrics import longest_path

GAME = MazeGame()


def random_maps(rng, count, shape, density):
    return (rng.random((count, *shape)) < density).astype(np.uint8)


@pytest.mark.parametrize("shape", [(14, 14), (3, 3), (3, 9), (11, 5), (1, 6)])
@pytest.mark.parametrize("density", [0.0, 0.35, 0.5, 0.6, 0.8, 1.0])
def test_measure_equals_a_plain_search(shape, density):
    maps = random_maps(np.random.default_rng(sum(shape)), 100, shape, density)
    plain = [survey(one) for one in maps]
    assert GAME.measure(maps).tolist() == [[p["regions"], p["path"]] for p in plain]


def test_observation_and_measure_agree():
    maps = random_maps(np.random.default_rng(3), 200, (14, 14), 0.5)
    stats = np.zeros((200, 2), np.int32)
    out = np.full((200, 14, 14, GAME.planes), np.nan, np.float32)
    view = View(maps, maps, np.zeros(maps.shape, bool), np.full((200, 1), 60), np.ones(200, np.float32))
    GAME.observe(view, (7.0,), out, stats)
    assert (stats == GAME.measure(maps)).all()
    assert np.isfinite(out).all()
    assert out.min() >= -2 and out.max() <= 2
    assert ((out[..., 0] == 1) == (maps == 1)).all()


def test_a_wanted_path_of_nothing_can_be_observed():
    maps = np.zeros((1, 3, 3), np.uint8)
    out, stats = np.zeros((1, 3, 3, GAME.planes), np.float32), np.zeros((1, 2), np.int32)
    view = View(maps, maps, maps.astype(bool), np.zeros((1, 1), np.int64), np.ones(1, np.float32))
    GAME.observe(view, (1.0,), out, stats)
    assert np.isfinite(out).all()


@pytest.mark.parametrize(
    ("rows", "regions", "path"),
    [
        (["...", ".#.", "..."], 1, 4),  # a loop: the double sweep sees half of it
        (["...", "##.", "..."], 1, 6),  # the longest that 3 x 3 can have
        (["#.#", ".#.", "#.#"], 4, 0),
        (["###", "###", "###"], 0, 0),
        ([".....", "####.", "....."], 1, 10),
    ],
)
def test_statistics_by_hand(rows, regions, path):
    level = np.array([[cell == "." for cell in row] for row in rows], np.uint8)
    assert GAME.measure(level[None]).tolist() == [[regions, path]]
    assert survey(level)["path"] == path


def test_distance_counts_regions_five_times_and_only_the_miss_beyond_the_tolerance():
    stats = np.array([[1, 40], [1, 50], [3, 40], [0, 0]], np.int32)
    distance = GAME.distance(stats, np.full((4, 1), 40), (7.0,))
    assert distance.tolist() == [0, 3, 10, 5 + 33]


def test_no_map_of_three_by_three_beats_the_bound():
    maps = (np.arange(512)[:, None] >> np.arange(9) & 1).astype(np.uint8).reshape(-1, 3, 3)
    assert GAME.measure(maps)[:, 1].max() == longest_possible((3, 3)) == 6


def test_longest_path_is_a_walk_over_open_cells():
    for level in random_maps(np.random.default_rng(8), 30, (8, 8), 0.6):
        path = longest_path(level == 1)
        assert all(level[cell] for cell in path)
        assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in itertools.pairwise(path))


@pytest.mark.parametrize("size", [(3, 3), (4, 3), (5, 6), (7, 7), (14, 14), (64, 64)])
def test_spans_lie_within_reach(size):
    ((low, high),), ((least, most),) = GAME.span(size), GAME.reach(size)
    assert least <= low <= high <= most


def test_the_benchmark_range_at_its_own_size():
    assert GAME.span((14, 14)) == ((35, 98),)
    assert GAME.tolerance((14, 14)) == (7.0,)
