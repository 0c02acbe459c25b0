"""Requests of the maze: what can be asked, what cannot, what is drawn."""

import pytest
from pydantic import ValidationError

from plaudit.domains import get_task
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.task import Maze
from plaudit.errors import Infeasible, InputError

TASK = Maze()


@pytest.mark.parametrize("size", ["22x14", " 22 x 14 ", [22, 14], (22, 14)])
def test_sizes_are_width_by_height(size):
    assert LevelRequest(size=size).size == (22, 14)


@pytest.mark.parametrize("size", ["22", "axb", "3x", "1e3x3", "-3x3", [1, 2, 3], None])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ValidationError):
        LevelRequest(size=size)


@pytest.mark.parametrize("size", ["2x9", "9x2", "65x9", "0x0", "99999999999x3"])
def test_impossible_sizes(size):
    with pytest.raises(InputError, match="3 to 64"):
        TASK.check_request(LevelRequest(size=size))


@pytest.mark.parametrize(
    ("target", "named"),
    [({"pth": 40}, "path"), ({"path": -1}, "-1"), ({"path": 40.5}, "whole"), ({"path": float("nan")}, "nan")],
)
def test_impossible_targets(target, named):
    with pytest.raises(InputError, match=named):
        TASK.check_request(LevelRequest(target=target))


def test_a_tolerance_may_be_a_fraction_and_is_finite():
    TASK.check_request(LevelRequest(tolerance={"path": 0.5}))
    with pytest.raises(InputError):
        TASK.check_request(LevelRequest(tolerance={"path": float("inf")}))


def test_what_no_map_reaches_is_said_with_the_nearest():
    with pytest.raises(Infeasible, match="path=138"):
        TASK.check_request(LevelRequest(target={"path": 160}))
    TASK.check_request(LevelRequest(target={"path": 138}))


def test_drawn_targets_fill_the_span_and_keep_what_is_given():
    drawn = TASK.requests(400, 0, LevelRequest())
    paths = [request.target["path"] for request in drawn]
    assert (min(paths), max(paths)) == (35, 98)
    assert len(set(paths)) == 64
    given = TASK.requests(3, 0, LevelRequest(target={"path": 40}, size="9x9"))
    assert all(request.target == {"path": 40} and request.size == (9, 9) for request in given)


def test_other_seeds_draw_other_targets():
    draws = {tuple(r.target["path"] for r in TASK.requests(8, seed, LevelRequest())) for seed in range(5)}
    assert len(draws) == 5


@pytest.mark.parametrize(
    ("name", "other", "own", "value"),
    [
        ("zelda", "key_path", "player_key", 12),
        ("sokoban", "path", "solution", 14),
        ("dungeon", "path", "solution_length", 20),
        ("cave", "exit_x", "ex", 3),
    ],
)
def test_targets_have_other_names_too(name, other, own, value):
    task = get_task(f"level/{name}")
    request = task.Request(target={other: value}, tolerance={other: 2})
    assert dict(request.target) == {own: value} and dict(request.tolerance) == {own: 2}
    assert own in task.statistics and other not in task.game.targets
    (drawn,) = task.requests(1, 0, request)
    assert drawn.target[own] == value
    with pytest.raises(ValidationError, match="another name"):
        task.Request(target={other: value, own: value})
