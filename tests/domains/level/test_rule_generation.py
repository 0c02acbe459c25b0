"""From the presets of games with rules to levels: locks, requests, what an item owes to its seed alone."""

import numpy as np
import pytest
import torch

from plaudit.domains import get_task
from plaudit.domains.level.climb import climb
from plaudit.domains.level.decode import Made, Problems
from plaudit.domains.level.episodes import ItemEpisodes
from plaudit.domains.level.polish import polish
from plaudit.domains.level.request import FREE
from plaudit.domains.level.simulator import LevelSimulator
from plaudit.domains.level.starts import beginnings
from plaudit.runs import presets

NAMES = ("zelda", "sokoban", "dungeon", "cave", "platformer", "runner")
SEEDS = [91_000_000 + i for i in range(6)]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(name, requests, seeds):
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    return task, list(task.generate(policy, requests, seeds))


@pytest.mark.parametrize("name", NAMES)
def test_locked_cells_hold_their_tiles(name):
    task = get_task(f"level/{name}")
    rng = np.random.default_rng(2)
    pattern = next(iter(task.baselines()["heuristic"](task.requests(1, 6, task.Request()), [1]))).content
    keep = rng.random(pattern.shape) < 0.2
    glyphs = [tile.glyph for tile in task.game.tiles]
    rows = tuple(
        "".join(glyphs[tile] if kept else FREE for tile, kept in zip(row, keeps, strict=True))
        for row, keeps in zip(pattern.tolist(), keep.tolist(), strict=True)
    )
    requests = task.requests(3, 8, task.Request(locked=rows))
    _, items = made(name, requests, SEEDS[:3])
    for item in items:
        assert (item.content[keep] == pattern[keep]).all()


def test_nothing_is_edited_where_everything_is_locked():
    task = get_task("level/zelda")
    rows = ("@..k..D....", *["#" * 11] * 6)
    _, items = made("zelda", task.requests(2, 1, task.Request(locked=rows)), SEEDS[:2])
    glyphs = [tile.glyph for tile in task.game.tiles]
    for item in items:
        assert tuple("".join(glyphs[tile] for tile in row) for row in item.content) == rows


@pytest.mark.parametrize("name", ["zelda", "cave"])
def test_an_item_depends_on_its_seed_and_not_on_its_neighbours(name):
    task = get_task(f"level/{name}")
    requests = task.requests(4, 5, task.Request())
    _, together = made(name, requests, SEEDS[:4])
    _, alone = made(name, requests[2:3], SEEDS[2:3])
    assert (alone[0].content == together[2].content).all()
    assert alone[0].info == together[2].info


def test_zelda_keeps_most_of_its_routes():
    task = get_task("level/zelda")
    requests = task.requests(40, 5, task.Request())
    seeds = [93_000_000 + i for i in range(40)]
    _, items = made("zelda", requests, seeds)
    start = beginnings(task.game, requests, np.array(seeds))
    routes = [
        [task.game.judge.survey(level)["route"] for level in levels]
        for levels in (start.maps, [i.content for i in items])
    ]
    assert np.mean([a == b for a, b in zip(*routes, strict=True)]) >= 0.6


def test_paths_and_enemies_are_met_exactly():
    task = get_task("level/zelda")
    requests = [
        task.Request(target={"path": path, "enemies": count}) for path, count in ((24, 1), (30, 5), (34, 3))
    ]
    _, items = made("zelda", requests, SEEDS[:3])
    for item in items:
        found = task.game.judge.survey(item.content)
        assert abs(found["path"] - item.request.target["path"]) <= 1
        assert found["enemies"] == item.request.target["enemies"]


def test_climbing_does_not_depend_on_threads():
    task = get_task("level/dungeon")
    requests, seeds = task.requests(7, 5, task.Request()), np.arange(7)
    alone, shared = beginnings(task.game, requests, seeds), beginnings(task.game, requests, seeds)
    start, tolerance = alone.maps.copy(), task.game.tolerance(task.game.size)
    used, best = climb(task.game, alone, tolerance, 60)
    again = climb(task.game, shared, tolerance, 60, threads=3)
    assert (again[0].tolist(), again[1].tolist()) == (used.tolist(), best.tolist())
    assert (best == task.game.distance(task.game.measure(alone.maps), alone.goals, tolerance)).all()
    assert (shared.maps == alone.maps).all()
    assert (alone.maps != start).any()


def test_what_climbing_leaves_begins_afresh_and_the_better_level_counts(monkeypatch):
    """A policy that knows nothing leaves levels undone: fresh starts finish some, and none becomes worse."""
    task = get_task("level/zelda")
    game = type(task.game)
    requests = task.requests(24, 7, task.Request())
    monkeypatch.setattr(game, "polish", 200)
    distances = []
    for restarts in (0, 3):
        monkeypatch.setattr(game, "restarts", restarts)
        beginning = beginnings(task.game, requests, np.arange(24))
        left = [Made(i, level.copy(), 1.0, 0, 0) for i, level in enumerate(beginning.maps)]
        simulator = LevelSimulator(
            task.game, ItemEpisodes(task.game.size, beginning), task.game.tolerance(task.game.size), 9
        )
        problems = Problems(simulator, simulator.begin(beginning), None, 16, 9, 77, None)
        used = polish(problems, beginning, requests, left, 1)
        maps = np.stack([one.map for one in left])
        tolerance = task.game.tolerance(task.game.size)
        distances.append(task.game.distance(task.game.measure(maps), beginning.goals, tolerance))
        assert (used <= 200 * (1 + restarts) + 2).all()
    assert (distances[1] <= distances[0]).all()
    assert (distances[1] == 0).sum() > (distances[0] == 0).sum() + 2
