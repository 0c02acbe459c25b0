"""Every named recipe of the games with rules learns: a few steps of each, with finite figures."""

import math

import pytest

from plaudit.domains import get_task

SMALL = {"ppo": {"n_steps": 8, "batch_size": 16}, "dqn": {"learning_starts": 16, "chunk": 32}}


@pytest.mark.parametrize("recipe", ["ppo", "dqn"])
@pytest.mark.parametrize("name", ["zelda", "sokoban", "dungeon", "cave", "platformer", "runner"])
def test_textbook_recipes_take_steps(name, recipe):
    task = get_task(f"level/{name}")
    named = task.recipes()[recipe]
    small = named.model_copy(
        update={
            "env": {**named.env, "copies": 4, "pool": 8},
            "learner": {**named.learner, **SMALL[recipe]},
        }
    )
    learner = task.build(small, {})
    rows = [learner.step() for _ in range(2)]
    assert learner.progress[0] >= 64
    assert all(math.isfinite(value) for row in rows for value in row.values() if isinstance(value, float))


@pytest.mark.parametrize("representation", ["narrow", "turtle", "patch"])
def test_other_representations_keep_to_locks(representation):
    task = get_task("level/zelda")
    recipe = task.recipes()["ppo"]
    recipe = recipe.model_copy(
        update={"env": {"representation": representation, "copies": 4, "pool": 8, "locks": 1.0}}
    )
    env = task.environment(0, recipe)
    env.reset(3)
    assert env.locked.any()
    for step in range(60):
        mask = env.action_mask()
        before, locked = env.maps.copy(), env.locked.copy()
        *_, info = env.step(mask.float().multinomial(1)[:, 0])
        alive = [row for row in range(4) if row not in info["ended"]]
        assert (env.maps[alive] == before[alive])[locked[alive]].all(), step
