"""Rooms that Sokoban levels begin with: how they read, against the judge in plain Python, and what
becomes of them."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level.game import UNASKED
from plaudit.domains.level.likeness import LONGEST, compare
from plaudit.domains.level.sokoban_anneal import anneal_rooms
from plaudit.domains.level.sokoban_plans import load_plans, plan_levels
from plaudit.domains.level.sokoban_rooms import GLYPHS, SIDE, read_rooms, write_room
from plaudit.domains.level.sokoban_slots import (
    ASKED,
    SLOTS,
    begin_slots,
    clashes,
    count_repeated,
    fill_slots,
    settle_slots,
)
from plaudit.domains.level.sokoban_words import Search
from plaudit.measure.diversity import unique_share

NAMES = "rldueksy"
"""A step right, left, down, up, and the same with a push, as the judge writes them."""


@pytest.fixture(scope="module")
def game():
    return get_task("level/sokoban").game


@pytest.fixture(scope="module")
def found(game):
    return [game.judge.survey(room) for room in load_plans().words.rooms]


def text(words, row):
    return words.texts[row, : words.letters[row]]


def test_rooms_read_as_the_judge_reads_them(game, found):
    words = load_plans().words
    for row, each in enumerate(found):
        written = "".join(NAMES[letter] for letter in text(words, row))
        assert written == game.judge.read_solution(each["steps"])
        assert words.moves[row] == each["solution"]


def test_rooms_are_good_and_hardly_any_two_read_alike(game, found):
    plans = load_plans()
    rooms = list(plans.words.rooms)
    assert all(game.judge.passes(room, each) for room, each in zip(rooms, found, strict=True))
    judged = game.judge.similarity(rooms, found) > 0
    assert ((judged | judged.T) == plans.alike).all()
    pairs = np.count_nonzero(np.triu(plans.alike, 1))
    assert pairs <= 0.01 * len(rooms) * (len(rooms) - 1) / 2


def test_slots_have_rooms_for_all_crates(game):
    plans = load_plans()
    assert plans.slots.shape == (SLOTS, ASKED)
    off = np.abs(plans.words.crates[plans.slots] - np.arange(1, ASKED + 1))
    assert off.max() <= game.tolerance((SIDE, SIDE))[0]
    assert set(plans.slots.ravel().tolist()) == set(range(len(plans.words.rooms)))


def test_numbers_in_a_row_go_through_all_slots(game):
    """Levels of one slot may read alike; what reads like a room of another slot already may, and no other."""
    plans, numbers = load_plans(), np.arange(40) + 73_000_000
    levels = plan_levels(numbers, (SIDE, SIDE), np.array([[4, UNASKED]] * 40))
    rooms = plans.slots[numbers % SLOTS, 3]
    judged = game.judge.similarity(list(levels), [game.judge.survey(level) for level in levels]) > 0
    assert not (judged & (plans.alike[np.ix_(rooms, rooms)] == 0)).any()


def test_filling_slots_counts_and_saves_pairs_that_read_alike():
    rng = np.random.default_rng(0)
    table = (rng.random((60, 60)) < 0.3).astype(np.uint8)
    table = np.maximum(table, table.T)
    np.fill_diagonal(table, 1)
    crates = rng.integers(1, 6, 60)
    slots = begin_slots(crates, rng)
    before = clashes(table, slots, np.zeros(60, np.int32))
    left = fill_slots(1, table, crates, slots, 300)
    apart = np.arange(SLOTS).repeat(ASKED)
    pairs = table[np.ix_(slots.ravel(), slots.ravel())] * (apart[:, None] != apart)
    assert left == pairs.sum() < before
    assert (np.abs(crates[slots] - np.arange(1, ASKED + 1)) <= 1).all()


@pytest.mark.parametrize("goal", [(1, 14), (2, 21), (3, 30), (4, 25), (5, 18)])
def test_a_plan_has_the_moves_and_crates_asked_for(game, goal):
    for level in plan_levels(np.arange(4) + 74_000_000, (SIDE, SIDE), np.array([goal] * 4)):
        each = game.judge.survey(level)
        assert game.judge.passes(level, each)
        assert (each["crates"], each["solution"]) == goal


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
    assert write_room(words.rooms[0]) == "#####|#@$.#|#####|#####|#####"
    assert words.texts.shape == (1, LONGEST)


def test_plans_leave_the_rooms_as_they_are():
    """A plan follows from its number, whatever was planned before."""
    rooms = load_plans().words.rooms.copy()
    goals = np.full((40, 2), UNASKED)
    first = plan_levels(np.arange(40), (5, 5), goals)
    assert (plan_levels(np.arange(40), (5, 5), goals) == first).all()
    assert (load_plans().words.rooms == rooms).all()


def test_annealed_rooms_read_less_alike():
    begun = anneal_rooms(1, 12, 6, 0.0)
    rooms = anneal_rooms(1, 12, 6, 0.02)
    assert np.count_nonzero(rooms.costs) < np.count_nonzero(begun.costs)
    again = read_rooms([write_room(level) for level in rooms.levels])
    assert all((text(again, row) == text(rooms, row)).all() for row in range(18))
    assert set(again.crates[:12]) <= {1, 2} and set(again.crates[12:]) <= {4, 5}
    table = np.zeros(rooms.costs.shape, np.uint8)
    compare(again.texts, again.letters, 0, 18, 0.5, table)
    assert ((rooms.costs > 0) == (table - np.eye(18) > 0)).all()


def test_a_search_brings_rooms_in_and_saves_pairs(tmp_path):
    search = Search(1)
    rooms = anneal_rooms(2, 12, 6, 0.0)
    search.add(rooms.levels, rooms.texts, rooms.letters)
    search.begin(np.zeros((0, ASKED), np.int64))
    before, size = search.pairs, search.size
    search.wander()
    assert search.size > size
    search.fill(500)
    assert search.pairs < before
    search.thin()
    assert search.pairs == clashes(
        search.alike[: search.size, : search.size], search.slots, np.zeros(search.size, np.int32)
    )
    search.write(tmp_path / "rooms.txt")
    lines = (tmp_path / "rooms.txt").read_text().splitlines()[1:]
    words = read_rooms([line for line in lines if "|" in line])
    slots = np.array([line.split() for line in lines if "|" not in line], int)
    assert slots.shape == (SLOTS, ASKED) and (words.letters > 0).all()
    assert (np.abs(words.crates[slots] - np.arange(1, ASKED + 1)) <= 1).all()


def test_settling_counts_levels_as_the_judge_does_and_makes_more_count():
    rng = np.random.default_rng(3)
    table = (rng.random((60, 60)) < 0.03).astype(np.uint8)
    table = np.maximum(table, table.T)
    np.fill_diagonal(table, 1)
    crates = rng.integers(1, 6, 60)
    rooms = rng.integers(0, 60, 40)
    together = table[np.ix_(rooms, rooms)].astype(float)
    assert count_repeated(rooms, table) == round(40 * (1 - unique_share(together)))
    slots, asked = begin_slots(crates, rng), rng.integers(0, ASKED, (20, SLOTS))
    before = np.mean([count_repeated(slots[np.arange(SLOTS), row], table) for row in asked])
    share = settle_slots(1, table, crates, slots, asked, 300)
    after = np.mean([count_repeated(slots[np.arange(SLOTS), row], table) for row in asked])
    assert share == pytest.approx(1 - after / SLOTS)
    assert after < before
    assert (np.abs(crates[slots] - np.arange(1, ASKED + 1)) <= 1).all()
