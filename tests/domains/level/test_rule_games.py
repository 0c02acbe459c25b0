"""Sokoban, dungeon and cave: kernels against the judges, judges against the benchmark, edits, planes."""

import os
import sys

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level.game import UNASKED, View
from plaudit.domains.level.metrics import judge_levels
from plaudit.domains.level.starts import beginnings
from plaudit.task import Item

NAMES = ("sokoban", "dungeon", "cave")
PEERS = {"sokoban": "sokoban-v0", "dungeon": "mdungeons-v0", "cave": "ddave-v0"}


@pytest.fixture(params=(*NAMES, "platformer", "runner"))
def task(request):
    return get_task(f"level/{request.param}")


def levels_of(task, count, seed=0, size=None):
    """Starts, built levels, and both with a few cells changed: good ones, nearly good ones and noise."""
    rng, game = np.random.default_rng(seed), task.game
    asked = task.Request(size=size) if size else task.Request()
    requests, seeds = task.requests(count, seed, asked), list(range(count))
    made = [list(task.baselines()[name](requests, seeds)) for name in ("random", "heuristic")]
    levels = np.stack([item.content for items in made for item in items])
    spoiled = levels.copy()
    for level in spoiled:
        for _ in range(rng.integers(1, 5)):
            level.flat[rng.integers(level.size)] = rng.integers(len(game.tiles))
    noise = rng.integers(0, len(game.tiles), (count // 2, *levels.shape[1:]))
    noise = np.where(rng.random(noise.shape) < 0.7, 1, noise)
    return np.concatenate([levels, spoiled, noise]).astype(np.uint8)


def compare(task, levels):
    """Judge's figures of levels, after all that both count was found equal."""
    game = task.game
    stats = game.measure(levels)
    found = [game.judge.survey(level) for level in levels]
    names = [name for name in game.statistics if name in found[0]]
    assert len(names) >= len(game.statistics) - 2
    columns = [game.statistics.index(name) for name in names]
    assert stats[:, columns].tolist() == [[each[name] for name in names] for each in found]
    return stats, found


@pytest.mark.parametrize("task", NAMES, indirect=True)
def test_measure_equals_the_judges_searches(task):
    levels = levels_of(task, 40)
    stats, found = compare(task, levels)
    passed = [task.game.judge.passes(level, each) for level, each in zip(levels, found, strict=True)]
    assert (stats[:, task.game.statistics.index("faults")] == 0).tolist() == passed
    assert 5 < sum(passed) < len(levels) - 5


@pytest.mark.parametrize(("name", "lead"), [("dungeon", ""), ("cave", "key")])
def test_things_beyond_the_first_128_count(name, lead):
    """A hall with 168 treasures above the corridor in which the level is played."""
    game = get_task(f"level/{name}").game
    tiles = {tile.name: number for number, tile in enumerate(game.tiles)}
    treasure = tiles["treasure" if name == "dungeon" else "diamond"]
    level = np.ones((16, 24), np.uint8)
    level[:7] = treasure
    level[7:14, 1:] = 0
    level[15, 3:7] = treasure
    level[15, 0], level[15, 20] = tiles["player"], tiles["exit"]
    if lead:
        level[15, 2] = tiles[lead]
    stats, found = compare(get_task(f"level/{name}"), np.stack([level, level[:, ::-1]]))
    assert (stats[:, game.statistics.index("solution_length")] == 21).all()
    if name == "dungeon":
        assert [each["col_treasures"] for each in found] == [4, 4]


@pytest.mark.slow
@pytest.mark.parametrize("task", NAMES, indirect=True)
def test_measure_equals_the_judges_searches_on_many_levels(task):
    compare(task, levels_of(task, 2200, seed=3))


def test_an_edit_is_measured_as_if_it_were_made(task):
    game, rng = task.game, np.random.default_rng(1)
    levels = levels_of(task, 4)
    actions = rng.integers(0, levels[0].size * len(game.tiles), (len(levels), 3))
    after = game.measure_after(levels, actions)
    for row, (level, chosen) in enumerate(zip(levels, actions, strict=True)):
        for column, action in enumerate(chosen):
            made = level.copy()
            made.flat[action // len(game.tiles)] = action % len(game.tiles)
            assert after[row, column].tolist() == game.measure(made[None])[0].tolist()


def test_planes_stay_in_bounds_and_show_the_map(task):
    game, levels = task.game, levels_of(task, 6)
    rows, shape, kinds = len(levels), levels.shape[1:], len(game.tiles)
    goals = np.full((rows, len(game.targets)), UNASKED)
    goals[::2] = 3
    out = np.full((rows, *shape, game.planes), np.nan, np.float32)
    stats = np.zeros((rows, len(game.statistics)), np.int32)
    view = View(levels, levels, levels == 0, goals, np.ones(rows, np.float32))
    game.observe(view, game.tolerance(game.size), out, stats)
    assert (stats == game.measure(levels)).all()
    assert np.abs(out).max() <= 2
    assert (out[..., :kinds].argmax(-1) == levels).all()
    assert (out[..., kinds] == 0).all() and (out[..., kinds + 1] == (levels == 0)).all()


def test_starts_hold_what_is_asked_and_depend_on_the_seed_alone(task):
    requests = task.requests(12, 3, task.Request())
    start = beginnings(task.game, requests, np.arange(12))
    alone = beginnings(task.game, requests[5:6], np.array([5]))
    assert (alone.maps[0] == start.maps[5]).all()
    assert len({level.tobytes() for level in start.maps}) == 12
    player = next(i for i, tile in enumerate(task.game.tiles) if tile.name == "player")
    assert ((start.maps == player).sum((1, 2)) == 1).all()


def test_baselines_stand_above_the_start_maps(task):
    requests = task.requests(40, 4, task.Request())
    good = {
        name: (task.game.measure(levels)[:, task.game.statistics.index("faults")] == 0).mean()
        for name in ("random", "heuristic")
        for levels in [np.stack([i.content for i in task.baselines()[name](requests, list(range(40)))])]
    }
    assert good["heuristic"] >= good["random"] + 0.15


@pytest.mark.parametrize("task", NAMES, indirect=True)
def test_the_benchmark_judges_the_same(task):
    place = os.environ.get("PCG_BENCHMARK_HOME", "")
    if not place:
        pytest.skip("PCG_BENCHMARK_HOME names no checkout of the PCG Benchmark")
    sys.path.insert(0, place)
    import pcg_benchmark

    env = pcg_benchmark.make(PEERS[task.game.name])
    levels = levels_of(task, 12, seed=7)
    requests = task.requests(len(levels), 7, task.Request())
    items = [Item(level, request, 0) for level, request in zip(levels, requests, strict=True)]
    infos = env.info([level.astype(int) for level in levels])
    judged = judge_levels(task.game, items)
    assert (env.quality(infos)[1] >= 1).tolist() == judged["quality"].astype(bool).tolist()
    assert env.diversity(infos)[0] == judged["diversity"].mean()
    asked = [{key: int(value) for key, value in request.target.items()} for request in requests]
    whole = np.array([found == 1 for found in judged["players"]])
    control = env.controlability(infos, asked)[1] >= 1
    assert control[whole].tolist() == judged["control"].astype(bool)[whole].tolist()
