"""Dungeons that are laid out so that the player lives: stories, large maps, around locked cells."""

from difflib import SequenceMatcher

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import dungeon_plans
from plaudit.domains.level.dungeon_search import CURE, GOBLIN, HEALTH, OGRE, POTION, TREASURE, WALL
from plaudit.domains.level.dungeon_stories import LENGTHS, SLACK, SLOTS, TREASURES, load_stories, story_of
from plaudit.domains.level.dungeon_words import ASKED, anneal, begin, fits, make_wishes, price_all
from plaudit.domains.level.game import UNASKED
from plaudit.domains.level.request import complete, goals_of
from plaudit.domains.level.starts import beginnings, planned

TASK = get_task("level/dungeon")
FREE = np.zeros((24, 16), bool)


def plans(count, size):
    requests = [
        complete(TASK.game, request, i)
        for i, request in enumerate(TASK.requests(count, 5, TASK.Request(size=size)))
    ]
    return requests, beginnings(TASK.game, requests, np.arange(count))


@pytest.mark.parametrize("size", [(12, 18), (16, 24)])
def test_most_plans_of_large_maps_are_good_by_the_judge(size):
    requests, beginning = plans(12, size)
    levels = planned(TASK.game, beginning, requests[0]).maps
    judge = TASK.game.judge
    assert np.mean([judge.passes(level, judge.survey(level)) for level in levels]) >= 0.75
    assert len({level.tobytes() for level in levels}) == 12


def told(count, seed=75_000_000):
    """Requests that a way has room for, and the plans of numbers in a row."""
    requests = TASK.requests(count, 5, TASK.Request())
    requests = [
        complete(TASK.game, each, i)
        for i, each in enumerate(requests)
        if each.target["col_treasures"] + 10 <= each.target["solution_length"] - 2
    ]
    goals = goals_of(TASK.game, requests)
    return goals, dungeon_plans.tell_dungeons(np.arange(len(goals)) + seed, goals)


def test_plans_of_its_own_size_are_good_and_as_asked_by_the_judge():
    goals, levels = told(60)
    judge, off = TASK.game.judge, []
    for level, goal in zip(levels, goals, strict=True):
        found = judge.survey(level)
        assert judge.passes(level, found)
        off.append([found["col_treasures"] - goal[0], found["solution_length"] - goal[1]])
    assert len(off) > 30
    assert (np.abs(off) <= TASK.game.tolerance((8, 12))).all()
    assert np.mean(np.equal(off, 0), axis=0).min() >= 0.6


def test_what_a_player_meets_is_the_story_of_the_number():
    numbers, goals = np.arange(20) + 76_000_000, np.array([[6, 25]] * 20)
    letters = dict(zip("p$12", (POTION, TREASURE, GOBLIN, OGRE), strict=True))
    for number, level in zip(numbers.tolist(), dungeon_plans.tell_dungeons(numbers, goals), strict=True):
        met = [letters[letter] for letter in TASK.game.judge.survey(level)["story"]]
        story = story_of(number, 6, 25)
        assert [tile for tile in met if tile != TREASURE] == [tile for tile in story if tile != TREASURE]
        assert abs(met.count(TREASURE) - 6) <= 4


def test_plans_are_where_the_policy_begins_but_not_where_a_density_is_asked_for():
    requests, beginning = plans(2, (8, 12))
    begun = planned(TASK.game, beginning, requests[0])
    assert (begun.maps == dungeon_plans.tell_dungeons(beginning.seeds, beginning.goals)).all()
    sparse = TASK.Request(density=0.3)
    assert planned(TASK.game, beginning, sparse) is beginning


def test_other_requests_than_the_usual_still_get_a_whole_level():
    goals = np.array([[0, 2], [40, 47], [3, 90], [30, 60], [2, 9]])
    stats = TASK.game.measure(dungeon_plans.tell_dungeons(np.arange(5), goals))
    for name in ("players", "exits", "regions"):
        assert (stats[:, TASK.game.statistics.index(name)] == 1).all()


def test_no_search_is_spent_on_ways_too_short_for_what_must_be_on_them():
    # 8 goblins and 2 potions, player and exit: 12 cells of at most 16 + 4.
    goals = np.array([[12, 16], [13, 16], [19, 21], [19, 20], [UNASKED, 4], [19, UNASKED]])
    hopeless = TASK.game.hopeless(goals, (8, 12), TASK.game.tolerance((8, 12)))
    assert hopeless.tolist() == [False, True, True, True, False, False]
    assert not TASK.game.hopeless(goals, (8, 12), (4.0, 9.0)).any()
    stats = TASK.game.measure(dungeon_plans.tell_dungeons(np.arange(6), goals))
    assert TASK.game.distance(stats, goals, (4.0, 4.0))[0] == 0


def test_every_story_is_survived_and_answers_what_is_asked():
    stories = load_stories()
    assert np.shape([[0 for _ in slot] for slot in stories]) == (SLOTS, len(TREASURES) * len(LENGTHS))
    for slot in stories:
        for asked, story in enumerate(slot):
            health = HEALTH
            for tile in story:
                health = min(health + CURE, HEALTH) if tile == POTION else health
                health -= max(tile - TREASURE, 0)
                assert health > 0
            assert sum(tile >= GOBLIN for tile in story) >= 8
            shortest, wishes = LENGTHS[asked % len(LENGTHS)][0], make_wishes()
            assert wishes.fewest[asked] <= story.count(TREASURE) <= TREASURES[asked // len(LENGTHS)][1]
            assert len(story) + 2 <= shortest + SLACK


def test_stories_of_different_slots_hardly_ever_read_alike():
    stories, rng = load_stories(), np.random.default_rng(3)
    share = make_wishes().share
    alike = 0
    for _ in range(1500):
        one, other = rng.permutation(SLOTS)[:2]
        first, second = (stories[slot][rng.choice(ASKED, p=share)] for slot in (one, other))
        alike += SequenceMatcher(None, first, second).ratio() > 0.66
    assert alike <= 0.02 * 1500


def test_annealing_keeps_its_books_and_brings_costs_down():
    wishes = make_wishes()
    stories = begin(3, wishes)
    price_all(stories, wishes)
    before = stories.sums @ np.tile(wishes.share, SLOTS)
    anneal(4, stories, wishes, 1e-6, 300)
    kept, sums = stories.costs.copy(), stories.sums.copy()
    price_all(stories, wishes)
    np.testing.assert_allclose(kept, stories.costs)
    np.testing.assert_allclose(sums, stories.sums)
    assert sums @ np.tile(wishes.share, SLOTS) < before - 1e-4
    for row, (text, size) in enumerate(zip(stories.texts, stories.letters.tolist(), strict=True)):
        asked = row % ASKED
        assert fits(text[:size], (wishes.fewest[asked], wishes.most[asked], wishes.letters[asked]))


def test_a_player_who_meets_everything_in_order_lives():
    rng = np.random.default_rng(0)
    for _ in range(50):
        enemies = rng.choice([GOBLIN, OGRE], 32).tolist()
        met, health = dungeon_plans._survived(enemies, rng), HEALTH
        for tile in met:
            health = min(health + CURE, HEALTH) if tile == POTION else health - (tile - GOBLIN + 1)
            assert health > 0
        assert [tile for tile in met if tile != POTION] == enemies


def test_locked_cells_stay_and_what_can_be_entered_is_one_region():
    rng = np.random.default_rng(1)
    level = TASK.baselines()["heuristic"](TASK.requests(1, 3, TASK.Request()), [7])
    level = next(iter(level)).content
    for number in range(8):
        kept = rng.random(level.shape) < 0.2
        request = TASK.Request(
            locked=tuple(
                "".join(TASK.game.tiles[tile].glyph if keep else "?" for tile, keep in zip(*row, strict=True))
                for row in zip(level.tolist(), kept.tolist(), strict=True)
            )
        )
        request = complete(TASK.game, request, number)
        begun = beginnings(TASK.game, [request], np.array([number])).maps
        assert (begun[0][kept] == level[kept]).all()
        again = dungeon_plans.plan_dungeons(kept, level, np.array([number]), goals_of(TASK.game, [request]))
        assert (begun == again).all()
        walls = kept & (level == WALL)
        stats = TASK.game.measure(begun)[0]
        regions = stats[TASK.game.statistics.index("regions")]
        assert regions == 1 or walls.any()
        assert regions <= 3
