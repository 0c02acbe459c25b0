"""Zelda: the kernels against the judge's searches, the judge against the benchmark's, starts, locks."""

import itertools
import os
import sys

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import zelda_judge, zelda_starts
from plaudit.domains.level.game import UNASKED, View
from plaudit.domains.level.metrics import judge_levels
from plaudit.domains.level.request import locks_of
from plaudit.domains.level.starts import beginnings
from plaudit.domains.level.zelda_kernels import DOOR, ENEMY, KEY, PLAYER
from plaudit.domains.level.zelda_starts import LENGTHS
from plaudit.domains.level.zelda_words import alike, written
from plaudit.errors import Infeasible, InputError
from plaudit.task import Item

TASK = get_task("level/zelda")
GAME = TASK.game
GOOD = (
    "@.......###",
    "#######.###",
    "#k......###",
    "#.#########",
    "#.e...e...#",
    "#########.#",
    "#D........#",
)


def level_of(rows):
    glyphs = [tile.glyph for tile in GAME.tiles]
    return np.array([[glyphs.index(cell) for cell in row] for row in rows], np.uint8)


def random_maps(rng, count, shape=(7, 11)):
    """From nearly empty to nearly solid, with the things of the game anywhere."""
    open_share, things = rng.random((count, 1, 1)), rng.random((count, 1, 1)) * 0.4
    plain = rng.random((count, *shape)) < open_share
    return np.where(rng.random(plain.shape) < things, rng.integers(0, 6, plain.shape), plain).astype(np.uint8)


def rows_of(levels):
    """Kernel statistics and judge's figures of the same levels, by name."""
    stats = GAME.measure(levels)
    names = [name for name in GAME.statistics if name not in ("faults", "crowd")]
    plain = [zelda_judge.survey(level) for level in levels]
    return stats, [[found[name] for name in names] for found in plain], plain


def test_measure_equals_the_judges_searches():
    for shape, count in (((7, 11), 2000), ((3, 3), 300), ((4, 16), 300)):
        levels = random_maps(np.random.default_rng(count), count, shape)
        stats, plain, _ = rows_of(levels)
        assert stats[:, : len(plain[0])].tolist() == plain


@pytest.mark.slow
def test_measure_equals_the_judges_searches_on_many_maps():
    stats, plain, _ = rows_of(random_maps(np.random.default_rng(5), 10_000))
    assert stats[:, : len(plain[0])].tolist() == plain


def test_no_faults_is_what_the_judge_lets_pass():
    rng = np.random.default_rng(1)
    good = np.repeat(level_of(GOOD)[None], 500, axis=0)
    spoiled = good.copy()
    for level in spoiled:  # levels near a good one: some stay good
        level[rng.integers(7), rng.integers(11)] = rng.integers(6)
    levels = np.concatenate([good[:1], spoiled, random_maps(rng, 500)])
    stats, _, found = rows_of(levels)
    faults = stats[:, GAME.statistics.index("faults")] + stats[:, GAME.statistics.index("crowd")]
    passed = [zelda_judge.passes(level, each) for level, each in zip(levels, found, strict=True)]
    assert (faults == 0).tolist() == passed
    assert passed[0] and 10 < sum(passed) < 490


def test_figures_by_hand():
    found = zelda_judge.survey(level_of(GOOD))
    assert (found["player_key"], found["key_door"], found["path"]) == (15, 20, 35)
    assert (found["enemies"], found["regions"], found["players"]) == (2, 1, 1)


def test_the_way_to_the_key_does_not_lead_through_the_door():
    level = level_of(["@D.k.", "#.#.#", "#...#"])
    assert zelda_judge.survey(level)["player_key"] == -1
    assert GAME.measure(level[None])[0, GAME.statistics.index("player_key")] == -1


def test_an_edit_is_measured_as_if_it_were_made():
    rng = np.random.default_rng(3)
    levels = random_maps(rng, 20)
    actions = rng.integers(0, 77 * 6, (20, 9))
    after = GAME.measure_after(levels, actions)
    for row, (level, chosen) in enumerate(zip(levels, actions, strict=True)):
        for column, action in enumerate(chosen):
            made = level.copy()
            made.flat[action // 6] = action % 6
            assert after[row, column].tolist() == GAME.measure(made[None])[0].tolist()


def test_distance_counts_only_what_is_asked():
    stats = GAME.measure(level_of(GOOD)[None])
    limits = GAME.tolerance(GAME.size)

    def distance(**asked):
        goals = np.array([[asked.get(name, UNASKED) for name in GAME.targets]])
        return GAME.distance(stats, goals, limits)[0]

    assert distance() == 0
    assert distance(player_key=15) == distance(player_key=17) == 0
    assert distance(player_key=20) == 3
    assert distance(enemies=2) == 0 and distance(enemies=5) == 3
    crowded = level_of([row.replace("e...e", "eeeee") for row in GOOD])
    stats = GAME.measure(crowded[None])
    assert distance() == 1  # five enemies where four are usual ...
    assert distance(enemies=5) == 0  # ... unless five are asked for


def test_planes_stay_in_bounds_and_show_the_map():
    rng = np.random.default_rng(4)
    levels, starts = random_maps(rng, 50), random_maps(rng, 50)
    locked = rng.random(levels.shape) < 0.2
    goals = np.where(rng.random((50, 4)) < 0.5, rng.integers(0, 90, (50, 4)), UNASKED)
    out = np.full((50, 7, 11, GAME.planes), np.nan, np.float32)
    stats = np.zeros((50, len(GAME.statistics)), np.int32)
    view = View(levels, starts, locked, goals, np.linspace(0, 1, 50, dtype=np.float32))
    GAME.observe(view, GAME.tolerance(GAME.size), out, stats)
    assert (stats == GAME.measure(levels)).all()
    assert np.abs(out).max() <= 2
    assert (out[..., :6].argmax(-1) == levels).all() and (out[..., :6].sum(-1) == 1).all()
    assert (out[..., 6] == (levels != starts)).all() and (out[..., 7] == locked).all()


def test_words_read_unlike_each_other():
    words = zelda_starts.load_words()
    assert len(words) >= 100 and all(len(word) == 21 for word in words)
    for length in LENGTHS:
        texts = [written(word[: length + 1]) for word in words[::4]]
        assert not any(alike(a, b) for a, b in itertools.combinations(texts, 2))


def test_a_start_walks_its_word_as_far_as_is_asked():
    requests = TASK.requests(40, 3, TASK.Request())
    start = beginnings(GAME, requests, np.arange(40))
    stats = GAME.measure(start.maps)
    legs = [request.target["player_key"] for request in requests]
    assert np.abs(stats[:, GAME.statistics.index("player_key")] - legs).max() <= 2
    for tile in (PLAYER, KEY, DOOR):
        assert ((start.maps == tile).sum((1, 2)) == 1).all()
    assert ((start.maps == ENEMY).sum((1, 2)) == 3).all()
    alone = beginnings(GAME, requests[7:8], np.array([7]))
    assert (alone.maps[0] == start.maps[7]).all()


def test_locked_cells_are_in_the_start_and_two_players_are_refused():
    rows = ("?" * 11, "??@????????", *["?" * 11] * 4, "##?????????")
    request = TASK.Request(locked=rows)
    cells, tiles = locks_of(GAME, request)
    start = beginnings(GAME, [request], np.array([5]))
    assert cells.sum() == 3 and (start.maps[0][cells] == tiles[cells]).all()
    assert (start.maps[0] == PLAYER).sum() == 1
    twice = (rows[0], "??@????@???", *rows[2:])
    with pytest.raises(
        InputError, match=r"line 2, column 3 and line 2, column 8: two cells are locked as player"
    ):
        TASK.check_request(TASK.Request(locked=twice))
    with pytest.raises(InputError, match="unknown tile 'x'"):
        TASK.check_request(TASK.Request(locked=("x" * 11, *rows[1:])))
    with pytest.raises(InputError, match="11x6"):
        TASK.check_request(TASK.Request(locked=rows[1:]))


def test_what_is_asked_together_is_drawn_together():
    legs = TASK.requests(1, 0, TASK.Request())[0].target
    assert set(legs) == {"player_key", "key_door"}
    assert set(TASK.requests(1, 0, TASK.Request(target={"path": 30}))[0].target) == {"path", "enemies"}
    with pytest.raises(Infeasible, match="nearest possible is enemies=74"):
        TASK.check_request(TASK.Request(target={"enemies": 80}))


def test_baselines_do_what_they_are_for():
    requests = TASK.requests(20, 4, TASK.Request())
    seeds = [9_000_000 + i for i in range(20)]
    figures = {
        name: judge_levels(GAME, list(make(requests, seeds))) for name, make in TASK.baselines().items()
    }
    assert figures["random"]["quality"].mean() == 0
    for name in ("heuristic", "hill_climbing"):
        assert figures[name]["quality"].mean() >= 0.9
        assert figures[name]["control"].mean() >= 0.8


def test_the_benchmark_judges_the_same():
    place = os.environ.get("PCG_BENCHMARK_HOME", "")
    if not place:
        pytest.skip("PCG_BENCHMARK_HOME names no checkout of the PCG Benchmark")
    sys.path.insert(0, place)
    import pcg_benchmark

    env = pcg_benchmark.make("zelda-v0")
    requests = TASK.requests(60, 8, TASK.Request())
    items = list(TASK.baselines()["heuristic"](requests[:40], list(range(40))))
    noise = random_maps(np.random.default_rng(9), 20)
    items += [Item(level, request, 0) for level, request in zip(noise, requests[40:], strict=True)]
    infos = env.info([item.content.astype(int) for item in items])
    asked = [{k: int(v) for k, v in item.request.target.items()} for item in items]
    judged = judge_levels(GAME, items)
    assert (env.quality(infos)[1] >= 1).tolist() == judged["quality"].astype(bool).tolist()
    assert (env.controlability(infos, asked)[1] >= 1).tolist() == judged["control"].astype(bool).tolist()
    assert env.diversity(infos)[0] == judged["diversity"].mean()


def test_terms_say_what_the_judge_says():
    crowded = level_of([row.replace("e...e", "eeeee") for row in GOOD])
    blocked = level_of([row.replace("#k......", "#k..#...") for row in GOOD])
    items = [
        Item(level, TASK.Request(target={"path": 35}), 0) for level in (level_of(GOOD), crowded, blocked)
    ]
    batch, context = TASK.batch(items)
    scores = {term.name: term.score(batch, context) for term in TASK.terms() if term.name != "novelty"}
    assert scores["playable"].tolist() == TASK.judge(items)["quality"].tolist() == [1, 0, 0]
    assert scores["rules"].tolist()[:2] == [0, 0] and scores["rules"][2] < 0
    assert scores["path"].tolist() == [35, 35, 20]
    assert scores["path_target"].tolist() == [0, 0, -14]
    assert scores["player_key_target"].tolist() == [0, 0, 0]  # not asked for
    assert scores["enemies"].tolist() == [2, 5, 2]
