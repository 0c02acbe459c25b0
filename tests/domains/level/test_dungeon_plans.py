"""Dungeons that are laid out so that the player lives: on large maps, around locked cells."""

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import dungeon_plans
from plaudit.domains.level.dungeon_search import CURE, GOBLIN, HEALTH, OGRE, POTION, WALL
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


def test_maps_of_its_own_size_begin_as_they_did_in_training():
    requests, beginning = plans(2, (8, 12))
    assert planned(TASK.game, beginning, requests[0]) is beginning


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
