"""Repair: few edits, locks honoured, an honest refusal; on the command line with the edits listed."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.errors import Infeasible
from plaudit.task import Item

ZELDA = get_task("level/zelda")
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
    glyphs = [tile.glyph for tile in ZELDA.game.tiles]
    return np.array([[glyphs.index(cell) for cell in row] for row in rows], np.uint8)


def test_a_good_level_stays_as_it_is():
    mended = ZELDA.repair(Item(level_of(GOOD), ZELDA.Request(), 0))
    assert mended.info["repair"] == [] and (mended.content == level_of(GOOD)).all()


def test_one_wall_too_many_is_one_edit():
    broken = [*GOOD]
    broken[2] = "#k..#...###"
    mended = ZELDA.repair(Item(level_of(broken), ZELDA.Request(), 0))
    assert mended.info["edits"] == 1
    assert ZELDA.judge([mended])["quality"].tolist() == [1]


def test_what_is_asked_for_is_reached_and_locks_are_kept():
    rows = ["?" * 11 for _ in GOOD]
    rows[0] = "@??????????"
    request = ZELDA.Request(target={"player_key": 15, "enemies": 4}, locked=tuple(rows))
    mended = ZELDA.repair(Item(level_of(GOOD), request, 0))
    judged = ZELDA.judge([mended])
    assert judged["quality"].tolist() == judged["control"].tolist() == [1]
    assert mended.info["edits"] == 2 and mended.content[0, 0] == 2


def test_a_level_that_cannot_be_mended_is_said_to_be_so():
    walls = tuple("#" * 11 for _ in range(7))
    with pytest.raises(Infeasible, match="the nearest lacks"):
        ZELDA.repair(Item(level_of(GOOD), ZELDA.Request(locked=walls), 0))


@pytest.mark.parametrize("name", ["maze", "sokoban", "dungeon", "cave"])
def test_every_game_mends_what_one_cell_broke(name):
    task = get_task(f"level/{name}")
    rng = np.random.default_rng(3)
    requests = task.requests(20, 2, task.Request())
    good = [item for item in task.baselines()["heuristic"](requests, list(range(20)))]
    good = [item for item in good if task.judge([item])["quality"][0] == 1][:2]
    for item in good:
        while task.judge([Item(broken := item.content.copy(), task.Request(), 0)])["quality"][0] == 1:
            broken = item.content.copy()
            broken.flat[rng.integers(broken.size)] = rng.integers(len(task.game.tiles))
            if task.judge([Item(broken, task.Request(), 0)])["quality"][0] == 0:
                break
        mended = task.repair(Item(broken, task.Request(), 0))
        assert mended.info["edits"] <= 1
        assert task.judge([mended])["quality"].tolist() == [1]
