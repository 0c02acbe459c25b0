"""Rooms that Sokoban levels begin with: how they read, against the judge in plain Python, and what
becomes of them."""

from difflib import SequenceMatcher

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level.game import UNASKED
from plaudit.domains.level.sokoban_plans import GLYPHS, SIDE, excess, load_words, plan_levels, read_rooms
from plaudit.domains.level.sokoban_reading import at_most, likeness

LETTERS = "rlduekSy".lower()
"""A step right, left, down, up, and the same with a push, as the judge writes them."""


@pytest.fixture(scope="module")
def game():
    return get_task("level/sokoban").game


@pytest.fixture(scope="module")
def found(game):
    return [game.judge.survey(room) for room in load_words().rooms]


def text(words, row):
    return words.texts[row, : words.letters[row]]


def test_rooms_read_as_the_judge_reads_them(game, found):
    words = load_words()
    for row, each in enumerate(found):
        written = "".join(LETTERS[letter] for letter in text(words, row))
        assert written == game.judge.read_solution(each["steps"])
        assert words.moves[row] == each["solution"]


def test_rooms_are_good_and_read_unlike_each_other(game, found):
    rooms = list(load_words().rooms)
    assert all(game.judge.passes(room, each) for room, each in zip(rooms, found, strict=True))
    assert (game.judge.similarity(rooms, found) == np.eye(len(rooms))).all()


def test_likeness_is_that_of_difflib():
    rng = np.random.default_rng(1)
    for _ in range(300):
        one, other = (rng.integers(0, rng.integers(2, 9), rng.integers(1, 30)).astype(np.int8) for _ in "ab")
        pair = ["".join(LETTERS[i] for i in each) for each in (one, other)]
        ratios = [SequenceMatcher(None, *order).ratio() for order in (pair, pair[::-1])]
        assert likeness(one, other) == pytest.approx(max(ratios))
        assert at_most(one, other) == pytest.approx(SequenceMatcher(None, *pair).quick_ratio())
        known = np.zeros((1, 40), np.int8)
        known[0, : len(other)] = other
        assert excess(one, known, np.array([len(other)])) == pytest.approx(max(max(ratios) - 0.5, 0.0))


@pytest.mark.parametrize("asked", [1, 2, 3, 4, 5])
def test_a_plan_is_a_good_level_with_the_crates_asked_for(game, asked):
    numbers = np.arange(12) + 70_000_000
    plan = plan_levels(numbers, (SIDE, SIDE), np.array([[asked, UNASKED]] * 12))
    for level in plan:
        each = game.judge.survey(level)
        assert game.judge.passes(level, each)
        assert abs(each["crates"] - asked) <= 1


def test_a_plan_depends_on_its_seed_alone():
    numbers, goals = np.arange(6) + 71_000_000, np.array([[1 + i % 5, UNASKED] for i in range(6)])
    for size in ((SIDE, SIDE), (10, 9)):
        together = plan_levels(numbers, size, goals)
        assert (plan_levels(numbers[3:4], size, goals[3:4])[0] == together[3]).all()
        assert len({level.tobytes() for level in together}) == 6


def test_larger_plans_have_the_moves_and_crates_asked_for(game):
    numbers, goals = np.arange(10) + 72_000_000, np.array([[1 + i % 5, UNASKED] for i in range(10)])
    stats = game.measure(plan_levels(numbers, (12, 10), goals))
    columns = dict(zip(game.statistics, stats.T, strict=True))
    assert (columns["faults"] == 0).mean() >= 0.8
    assert (np.abs(columns["crates"] - goals[:, 0]) <= 1).mean() >= 0.8
    assert (columns["crates"] == columns["targets"]).all()
    assert (columns["players"] == 1).all()


def test_maps_that_no_room_fits_begin_as_ever(game):
    assert plan_levels(np.array([1]), (4, 9), np.array([[1, UNASKED]])) is None
    task = get_task("level/sokoban")
    request = task.Request(size=(4, 4), target={"crates": 1})
    from plaudit.runs import presets

    policy = presets.load_policy(task.name)[0]
    item = next(iter(task.generate(policy, [request], [5])))
    assert item.content.shape == (4, 4)


def test_a_room_without_solution_has_no_text():
    words = read_rooms(["#####|#@$.#|#####|#####|#####"])
    assert words.letters[0] == 0 and words.moves[0] == 0
    assert GLYPHS[words.rooms[0, 1, 2]] == "$"


def test_plans_leave_the_rooms_as_they_are():
    """A plan follows from its number, whatever was planned before."""
    rooms = load_words().rooms.copy()
    goals = np.full((40, 2), UNASKED)
    first = plan_levels(np.arange(40), (5, 5), goals)
    assert (plan_levels(np.arange(40), (5, 5), goals) == first).all()
    assert (load_words().rooms == rooms).all()
