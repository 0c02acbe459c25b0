"""Runner levels: physics by hand, kernels against plain searches, plays pressed again, rules one by one."""

from collections import deque

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import runner_kernels as kernels
from plaudit.domains.level.runner_agent import (
    DIG_LEFT,
    DIG_RIGHT,
    DOWN,
    EXIT,
    GOLD,
    LEFT,
    RIGHT,
    UP,
    WAIT,
    State,
    World,
    play,
    replay,
)
from plaudit.domains.level.starts import beginnings
from plaudit.task import Item

TASK = get_task("level/runner")
GAME = TASK.game
GLYPHS = {tile.glyph: number for number, tile in enumerate(GAME.tiles)}
NAMES = GAME.statistics[:12]
KEYS = (LEFT, RIGHT, UP, DOWN, WAIT, DIG_LEFT, DIG_RIGHT)


def drawn(text):
    return np.array([[GLYPHS[glyph] for glyph in row.strip()] for row in text.strip().splitlines()], np.uint8)


def figures(level):
    return dict(zip(GAME.statistics, GAME.measure(level[None])[0].tolist(), strict=True))


def start_of(level):
    return tuple(np.argwhere(level == GLYPHS["@"])[0].tolist())


def compare(levels):
    """Kernel and judge agree on every figure and on what is good; plays found win. How many were won."""
    won = 0
    for level, stats in zip(levels, GAME.measure(levels), strict=True):
        found = GAME.judge.survey(level)
        assert [found[name] for name in NAMES] == stats[:12].tolist()
        assert GAME.judge.passes(level, found) == (stats[kernels.FAULTS] == 0)
        assert (stats[kernels.MISPLACED] > 0) == bool(found["wrong"])
        assert found["won"] == (found["moves"] >= 0 and found["missed"] == 0)
        won += found["won"] and replay(level, start_of(level), found["keys"])
    return won


def mixed(count, seed, size=(32, 22)):
    """Starts, built levels, and both with cells changed."""
    rng = np.random.default_rng(seed)
    requests, seeds = TASK.requests(count, seed, TASK.Request(size=size)), list(range(count))
    made = [list(TASK.baselines()[name](requests, seeds)) for name in ("random", "heuristic")]
    levels = np.stack([item.content for items in made for item in items])
    spoiled = levels.copy()
    for level in spoiled:
        for cell in rng.integers(level.size, size=rng.integers(1, 12)):
            if level.flat[cell] not in (2, 3):
                level.flat[cell] = rng.choice([0, 1, 4, 5, 6, 7, 8])
    return np.concatenate([levels, spoiled])


def rooms(count, seed, size=(9, 12), gold=3):
    """Small maps full of everything: shafts, hanging ladders, ropes over bricks, holes beside holes."""
    rng = np.random.default_rng(seed)
    shares = [0.06, 0.44, 0.02, 0.14, 0.08, 0.26]
    levels = rng.choice([0, 1, 5, 6, 7, 8], (count, *size), p=shares).astype(np.uint8)
    for level in levels:
        cells = rng.permutation(level.size)[: 2 + rng.integers(gold + 1)]
        level.flat[cells] = GLYPHS["o"]
        level.flat[cells[:2]] = GLYPHS["@"], GLYPHS["E"]
    return levels


def test_kernel_and_agent_agree():
    assert 4 < compare(mixed(5, 1)) < 18
    assert 4 < compare(rooms(150, 2)) < 100
    assert compare(mixed(2, 3, size=(50, 16))) > 0


@pytest.mark.slow
def test_kernel_and_agent_agree_on_thousands_of_maps():
    assert compare(rooms(9000, 4)) > 500
    assert compare(mixed(250, 5)) > 100


def walked(level):
    """Fewest ticks to every cell, every key pressed in every state with all its holes."""
    world, begin = World(level), State(start_of(level))
    ticks, queue = {begin: 0}, deque([begin])
    while queue:
        state = queue.popleft()
        for key in KEYS:
            after = world.step(state, key)
            if after is not None and after not in ticks:
                ticks[after] = ticks[state] + 1
                queue.append(after)
    cells = {}
    for state, when in ticks.items():
        cells[state.cell] = min(when, cells.get(state.cell, when))
    return cells


def most_gold(level):
    """The most gold of one play to the exit, over all states with all holes and all gold taken so far."""
    world, best = World(level), -1
    begin = (State(start_of(level)), frozenset())
    seen, queue = {begin}, deque([begin])
    while queue:
        state, taken = queue.popleft()
        if world.tiles[state.cell] == EXIT:
            best = max(best, len(taken))
        for key in KEYS:
            after = world.step(state, key)
            if after is None:
                continue
            now = taken | {after.cell} if world.tiles[after.cell] == GOLD else taken
            if (after, now) not in seen:
                seen.add((after, now))
                queue.append((after, now))
    return best


def check_plainly(levels):
    """The kernel's ticks, cells and gold equal those of searches that know nothing of its reasoning."""
    holes = few = 0
    for level, stats in zip(levels, GAME.measure(levels), strict=True):
        cells = walked(level)
        leave = tuple(np.argwhere(level == EXIT)[0].tolist())
        assert stats[kernels.MOVES] == cells.get(leave, -1)
        assert stats[kernels.EXPLORED] == sum(level[cell] not in (0, 8) for cell in cells)
        holes += any(level[cell] == GLYPHS["B"] for cell in cells)
        if stats[kernels.MOVES] >= 0:
            best = most_gold(level)
            assert stats[kernels.GOLDS] - stats[kernels.MISSED] == best
            few += 0 < stats[kernels.MISSED]
    return holes, few


def test_one_cell_is_all_there_is_to_know():
    """Open holes, and gold taken before, change nothing in what can be done next: by full search."""
    holes, few = check_plainly(rooms(300, 9, size=(6, 8), gold=4))
    assert holes > 60
    assert few > 20


@pytest.mark.slow
def test_one_cell_is_all_there_is_to_know_on_many_maps():
    holes, few = check_plainly(rooms(1500, 7, size=(6, 8), gold=4))
    assert holes > 300
    assert few > 150


def ends(level, keys):
    """Where the player is after the keys; None = dead."""
    world, state = World(level), State(start_of(level))
    for key in keys:
        state = world.step(state, key) if state else None
    return state and state.cell


def test_a_rope_is_hung_from_and_let_go_of():
    level = drawn("""
        .......E
        @-----HB
        B.....H.
        ......H.
        BBBBBBHB
    """)
    assert ends(level, ">>") == (1, 2)
    assert ends(level, ">>...") == (1, 2)
    assert ends(level, ">>v..") == (3, 2)
    assert figures(level)["moves"] == play(level, (1, 0)).moves == 8
    level[1, 3] = GLYPHS["."]
    assert ends(level, ">>>..") == (3, 3)


def test_falling_takes_ticks_and_no_keys():
    level = drawn("""
        @....
        B....
        .....
        ....E
        BBBBB
    """)
    assert ends(level, ">>>>") == (3, 1)
    assert ends(level, ">...") == (3, 1)
    assert figures(level)["moves"] == play(level, (0, 0)).moves == 7


def test_a_hole_opens_is_fallen_into_and_closes():
    level = drawn("""
        ...@...
        BBBBBBB
        .......
        E.....H
        BBBBBBB
    """)
    assert ends(level, "[<.") == (1, 2)
    assert ends(level, "[<..") == (2, 2)
    assert ends(level, "[.<") == (0, 2)  # closed again in the tick in which the player comes there
    assert ends(level, "[.<..") == (0, 2)
    assert figures(level)["moves"] == play(level, (0, 3)).moves == 7
    world = World(level)
    state = world.step(State((0, 3)), DIG_LEFT)
    assert state.holes == (((1, 2), 2),)
    assert world.step(world.step(state, WAIT), WAIT).holes == ()


def test_who_sits_in_a_hole_on_stone_has_lost():
    level = drawn("""
        ...@..E
        BBBBBBB
        #######
    """)
    world, state = World(level), State((0, 3))
    for key in "[<.":
        state = world.step(state, key)
    assert state.cell == (1, 2)
    assert all(world.step(state, key).cell == (1, 2) for key in KEYS)
    assert figures(level)["moves"] == 3


def test_nothing_is_dug_from_a_hole_or_a_rope_or_under_a_guard_a_wall_or_a_hole():
    level = drawn("""
        g@#....E
        BBBBBBBB
        ........
        BBBBBBBB
    """)
    world = World(level)
    assert world.digs(State((0, 1)), DIG_LEFT) is None
    assert world.digs(State((0, 1)), DIG_RIGHT) is None
    open_beside = drawn("""
        ..@....E
        B.HBBBBB
        .BHB....
        BBHBBBBB
    """)
    assert World(open_beside).digs(State((1, 2), (((1, 3), 1),)), DIG_RIGHT) is None
    in_a_hole = drawn("""
        @......E
        BBHBBBBB
        BBBBBBBB
    """)
    assert World(in_a_hole).digs(State((1, 1), (((1, 1), 0),)), DIG_RIGHT) is None
    assert World(drawn("@-.E\n..BB\n...B")).digs(State((0, 1)), DIG_RIGHT) is None
    assert ends(level, "<") is None


@pytest.mark.parametrize(
    ("text", "missed", "buried"),
    [
        # Two pits without a way back: one can have the gold of either, and none where the exit is below.
        ("...@...\nBBB.BBB\n......E\nBBBBBBB", 0, 0),
        ("o..@..E\nBBBBBBB\no......\nBBBBBBB", 1, 1),
        ("...@..E\nBBBBBBB\n#o###..\n#######", 1, 1),
        ("...@...\nBBBBBBB\n#o###oE\nBBBBBBB", 1, 2),
        ("o.H@..o\nBBHBBBB\nE.H...o\nBBBBBBB", 0, 0),
        ("@.....E\nBBBBBBB\n#######\n#ooooo#\n#######", 5, 5),
    ],
)
def test_gold_that_cannot_be_had_together(text, missed, buried):
    level = drawn(text)
    found, stats = play(level, start_of(level)), figures(level)
    assert (stats["missed"], stats["buried"]) == (missed, buried)
    assert stats["gold"] - found.taken == missed
    assert found.won == (missed == 0)
    assert most_gold(level) == stats["gold"] - missed


def good_level():
    """A built level that is good, has room in its upper rows and a brick floor."""
    requests = TASK.requests(60, 2, TASK.Request())
    for item in TASK.baselines()["heuristic"](requests, list(range(60))):
        if figures(item.content)["faults"] == 0 and (item.content[:2] == 1).all():
            return item.content
    raise AssertionError("none of 60 built levels is good")


def test_each_rule_counts():
    """Break one rule of a good level at a time: it is no longer good, to kernel and judge alike."""
    good, marks = good_level(), GLYPHS

    def changed(*edits):
        level = good.copy()
        for place, glyph in edits:
            level[place] = marks[glyph]
        return level

    at = {glyph: tuple(np.argwhere(good == marks[glyph])[0].tolist()) for glyph in "E@oH-"}
    ladder = np.argwhere((good[:-1] == marks["H"]) & (good[1:] != marks["H"]))[0]
    broken = {
        "no exit": changed((at["E"], ".")),
        "two players": changed(((0, 30), "@")),
        "guard in the air": changed(((0, 20), "g")),
        "gold in the air": changed(((0, 20), "o")),
        "a lone brick": changed(((0, 10), "B")),
        "a ladder that ends in the air": changed((tuple(ladder.tolist()), ".")),
        "a short rope": changed(((0, 5), "-"), ((0, 6), "-")),
        "a rope on something solid": changed(*(((20, x), "-") for x in (3, 4, 5))),
        "gold behind walls": changed(
            *(((0, x), g) for x, g in zip(range(3), "o##", strict=True)), ((1, 0), "#"), ((1, 1), "#")
        ),
        "too much gold": changed(*(((20, x), "o") for x in np.flatnonzero(good[20] == 1).tolist())),
        "no guards": np.where(good == marks["g"], marks["."], good).astype(np.uint8),
        "no ropes": np.where(good == marks["-"], marks["."], good).astype(np.uint8),
        "floors of no use": changed(*(((y, x), "B") for y in (1,) for x in range(32))),
    }
    for name, level in broken.items():
        found = GAME.judge.survey(level)
        assert not GAME.judge.passes(level, found), name
        assert figures(level)["faults"] > 0, name
    assert GAME.judge.passes(good, GAME.judge.survey(good))


def test_what_counts_as_two_levels():
    one = good_level()
    same, other = one.copy(), one[:, ::-1].copy()
    levels = [one, same, other]
    alike = GAME.judge.similarity(levels, [GAME.judge.survey(level) for level in levels])
    assert alike[0, 1] == 1.0
    assert alike[0, 2] == alike[2, 0] < 0.5


def test_starts_are_never_good_and_hold_what_is_asked():
    requests = TASK.requests(100, 4, TASK.Request())
    start = beginnings(GAME, requests, np.arange(100))
    assert (GAME.measure(start.maps)[:, kernels.FAULTS] > 0).all()
    assert len({level.tobytes() for level in start.maps}) == 100
    assert ((start.maps == GLYPHS["@"]).sum((1, 2)) == 1).all()
    assert ((start.maps == GLYPHS["E"]).sum((1, 2)) == 1).all()


@pytest.mark.parametrize("size", [(3, 3), (20, 10), (8, 40), (64, 44)])
def test_any_size_can_be_begun_built_and_measured(size):
    requests = TASK.requests(2, 1, TASK.Request(size=size))
    for name in ("random", "heuristic"):
        levels = np.stack([item.content for item in TASK.baselines()[name](requests, [1, 2])])
        assert levels.shape == (2, size[1], size[0])
        compare(levels[: 1 if size[0] > 40 else 2])


def test_search_looks_at_what_is_wrong_first():
    level = good_level()
    level[1, 20] = GLYPHS["g"]
    suspects = GAME.suspects(level[None])[0]
    assert suspects.min() > 0
    assert (suspects[0:3, 19:22] == suspects.max()).all()
    assert suspects[0, 3] < suspects.max() / 5


def test_an_agent_that_gives_up_proves_nothing(monkeypatch):
    from plaudit.domains.level import runner_agent

    level = good_level()
    assert GAME.judge.survey(level)["won"]
    monkeypatch.setattr(runner_agent, "LIMIT", 50)
    found = GAME.judge.survey(level)
    assert not found["won"] and not GAME.judge.passes(level, found)


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
    return Item(level, TASK.Request(size=level.shape[::-1]), 0)
