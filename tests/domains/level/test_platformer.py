"""Platformers: physics by hand, kernels against the agent, ways replayed by key presses, rules one by one."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import platformer_kernels as kernels
from plaudit.domains.level.climb import _cells
from plaudit.domains.level.platformer_agent import Body, Keys, Physics, play, replay
from plaudit.domains.level.starts import beginnings
from plaudit.errors import InputError

TASK = get_task("level/platformer")
GAME = TASK.game
GLYPHS = {tile.glyph: number for number, tile in enumerate(GAME.tiles)}
NAMES = ("players", "exits", "enemies", "coins", "pipes", "blocks", "gaps", "jumps", "missed")


def drawn(text):
    return np.array([[GLYPHS[glyph] for glyph in row.strip()] for row in text.strip().splitlines()], np.uint8)


def figures(level):
    return dict(zip(GAME.statistics, GAME.measure(level[None])[0].tolist(), strict=True))


def compare(levels):
    """Kernel and judge agree on every figure and on what is good; ways found finish by their keys."""
    finished = 0
    for level, stats in zip(levels, GAME.measure(levels), strict=True):
        found = GAME.judge.survey(level)
        assert [found[name] for name in NAMES] == stats[: len(NAMES)].tolist()
        assert GAME.judge.passes(level, found) == (stats[kernels.FAULTS] == 0)
        assert (stats[kernels.MISPLACED] > 0) <= bool(found["wrong"])
        if found["jumps"] >= 0:
            start = tuple(np.argwhere(level == GLYPHS["@"])[0].tolist())
            assert replay(level, start, found["keys"]) == (True, found["jumps"])
            finished += 1
    return finished


def mixed(count, seed, size=(50, 16)):
    """Starts, built levels, and both with cells changed where one runs and jumps."""
    rng = np.random.default_rng(seed)
    requests, seeds = TASK.requests(count, seed, TASK.Request(size=size)), list(range(count))
    made = [list(TASK.baselines()[name](requests, seeds)) for name in ("random", "heuristic")]
    levels = np.stack([item.content for items in made for item in items])
    spoiled = levels.copy()
    for level in spoiled:
        for _ in range(rng.integers(1, 12)):
            row = rng.integers(level.shape[0] // 3, level.shape[0])
            level[row, rng.integers(level.shape[1])] = rng.choice([0, 1, 1, 4, 5, 6, 7])
    return np.concatenate([levels, spoiled])


def rooms(count, seed):
    """Small halls full of blocks, enemies and coins: jumps that hit their head, shafts, low ceilings."""
    rng = np.random.default_rng(seed)
    levels = rng.choice([0, 1, 4, 5, 7], (count, 9, 14), p=[0.1, 0.68, 0.08, 0.06, 0.08]).astype(np.uint8)
    levels[:, -1] = np.where(rng.random((count, 14)) < 0.75, 0, 1)
    for level in levels:
        level[tuple(rng.integers((9, 4)))] = GLYPHS["@"]
        level[tuple(rng.integers((0, 10), (9, 14)))] = GLYPHS["H"]
    return levels


def test_kernel_and_agent_agree():
    assert 30 < compare(mixed(14, 1)) < 56
    assert 30 < compare(rooms(150, 2)) < 150
    assert compare(mixed(6, 3, size=(90, 20))) > 3


@pytest.mark.slow
def test_kernel_and_agent_agree_on_thousands_of_maps():
    assert compare(rooms(3000, 4)) > 300
    assert compare(mixed(250, 5)) > 300


def test_a_jump_rises_as_written_and_lets_go():
    physics = Physics(drawn("\n".join(["." * 12] * 7 + ["#" * 12])))
    body, heights = physics.placed((6, 0)), []
    for _ in range(11):
        body = physics.step(body, Keys(1, True))
        heights.append(body.y - 4)
    assert heights == [5, 9, 12, 14, 15, 14, 12, 9, 5, 1, 0]
    assert body == Body(11, 4, 0)
    body = physics.step(physics.step(physics.placed((6, 0)), Keys(0, True)), Keys(0, False))
    assert body == Body(0, 8, -1)


@pytest.mark.parametrize(("gap", "jumps"), [(1, 1), (4, 1), (5, 1), (6, -1)])
def test_five_columns_can_be_jumped_and_six_cannot(gap, jumps):
    rows = ["." * (10 + gap)] * 7
    level = drawn("\n".join([*rows, "@...." + "." * (gap + 4) + "H", "#####" + "." * gap + "#####"]))
    assert figures(level)["jumps"] == play(level, (7, 0)).jumps == jumps


@pytest.mark.parametrize(("wall", "jumps"), [(1, 1), (3, 1), (4, -1)])
def test_three_cells_can_be_climbed_and_four_cannot(wall, jumps):
    level = drawn("\n".join(["." * 12] * 8 + ["@..........H", "#" * 12]))
    level[9 - wall : 9, 5:7] = GLYPHS["U"]
    assert figures(level)["jumps"] == play(level, (8, 0)).jumps == jumps


def test_enemies_kill_and_are_jumped():
    level = drawn("\n".join(["." * 12] * 6 + ["@....e.....H", "#" * 12]))
    assert figures(level)["jumps"] == play(level, (6, 0)).jumps == 1
    physics, body = Physics(level), Physics(level).placed((6, 0))
    for _ in range(20):
        body = physics.step(body, Keys(1, False)) if body else None
    assert body is None
    level[5, :] = GLYPHS["B"]  # no room to jump
    assert figures(level)["jumps"] == play(level, (6, 0)).jumps == -1


def good_level():
    """A built level that is good."""
    requests = TASK.requests(60, 2, TASK.Request())
    for item in TASK.baselines()["heuristic"](requests, list(range(60))):
        if figures(item.content)["faults"] == 0 and figures(item.content)["pipes"] > 1:
            return item.content
    raise AssertionError("none of 60 built levels is good")


def test_each_rule_counts():
    """Break one rule of a good level at a time: it is no longer good, to kernel and judge alike."""
    good, marks = good_level(), GLYPHS
    surface = int(np.argwhere(good[:, 25] != marks["."])[0][0]) if (good[:, 25] != 1).any() else 8

    def changed(*edits):
        level = good.copy()
        for (y, x), glyph in edits:
            level[y, x] = marks[glyph]
        return level

    exit_at, player_at = (tuple(np.argwhere(good == marks[g])[0].tolist()) for g in "H@")
    block = tuple(np.argwhere(good == marks["B"])[0].tolist())
    pipe = tuple(np.argwhere(good == marks["U"])[0].tolist())
    broken = {
        "no exit": changed((exit_at, ".")),
        "two players": changed(((0, 30), "@")),
        "enemy in the air": changed(((2, 20), "e")),
        "ground in the air": changed(((1, 10), "#")),
        "half a pipe": changed((pipe, ".")),
        "a lone block": changed(((1, 40), "B")),
        "a block on a block": changed(((block[0] - 1, block[1]), "B")),
        "a coin out of reach": changed(((0, 25), "o")),
        "player too far in": changed((player_at, "."), ((max(surface - 1, 0), 25), "@")),
    }
    gap = good.copy()
    gap[:, 14:20] = marks["."]
    assert not (gap[:, 14:20] == marks["@"]).any()
    broken["a gap too wide"] = gap
    for name, level in broken.items():
        found = GAME.judge.survey(level)
        assert not GAME.judge.passes(level, found), name
        assert figures(level)["faults"] > 0, name


def test_starts_are_never_good_and_hold_what_is_asked():
    requests = TASK.requests(300, 4, TASK.Request())
    start = beginnings(GAME, requests, np.arange(300))
    assert (GAME.measure(start.maps)[:, kernels.FAULTS] > 0).all()
    assert len({level.tobytes() for level in start.maps}) == 300
    assert ((start.maps == GLYPHS["@"]).sum((1, 2)) == 1).all()


@pytest.mark.parametrize("size", [(3, 3), (20, 10), (64, 16), (65, 12), (200, 24)])
def test_any_size_can_be_begun_built_and_measured(size):
    requests = TASK.requests(2, 1, TASK.Request(size=size))
    for name in ("random", "heuristic"):
        levels = np.stack([item.content for item in TASK.baselines()[name](requests, [1, 2])])
        assert levels.shape == (2, size[1], size[0])
        compare(levels)


def test_search_and_climbing_look_at_what_is_wrong_first():
    level = good_level()
    level[2, 20] = GLYPHS["#"]
    suspects = GAME.suspects(level[None])[0]
    assert suspects.min() > 0
    assert (suspects[1:4, 19:22] == suspects.max()).all() and suspects[0, 30] < suspects.max() / 10
    drawn_cells = _cells(GAME, np.stack([level, level]), np.random.default_rng(0).random((2, 4000)))
    assert drawn_cells.min() >= 0 and drawn_cells.max() < level.size
    share = np.bincount(drawn_cells[1], minlength=level.size) / 4000
    expected = suspects.ravel() / suspects.sum()
    assert abs(share[2 * 50 + 20] - expected[2 * 50 + 20]) < 0.01
    assert np.abs(share - expected).sum() < 0.5


def test_only_platformers_are_wide():
    for name, size in (("maze", (65, 10)), ("platformer", (201, 16)), ("platformer", (50, 65))):
        task = get_task(f"level/{name}")
        with pytest.raises(InputError, match="not possible"):
            task.check_request(task.Request(size=size))


def test_wide_levels_survive_their_files(tmp_path):
    request = TASK.requests(1, 1, TASK.Request(size=(120, 20)))
    item = next(iter(TASK.baselines()["heuristic"](request, [3])))
    for suffix in TASK.formats:
        path = tmp_path / f"level.{suffix}"
        TASK.save(item, path)
        assert (TASK.load(path).content == item.content).all(), suffix


def test_the_picture_shows_every_tile():
    level = np.ones((4, 12), np.uint8)
    plain = np.asarray(TASK.preview(_item(level)))
    for number in range(len(GAME.tiles)):
        other = level.copy()
        other[2, 5] = number
        changed = (np.asarray(TASK.preview(_item(other))) != plain).any(2)
        assert changed.any() == (number != GLYPHS["."])
        assert not changed[: 2 * 16].any()


def _item(level):
    from plaudit.task import Item

    return Item(level, TASK.Request(size=level.shape[::-1]), 0)
