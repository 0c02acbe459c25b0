"""The grid world: dynamics, tables, the learned route, what it cannot make."""

import numpy as np
import pytest
import torch

from plaudit.domains.level.layouts import FAR, make_layout, move_table, steps_from
from plaudit.domains.level.metrics import distances
from plaudit.domains.level.routes import without_loops
from plaudit.domains.level.task import Path
from plaudit.errors import Infeasible, InputError

TASK = Path()
SMALL = TASK.recipes()["q"].model_copy(
    update={"request": {"size": "6x5"}, "env": {"replicas": 6, "copies": 12}, "budget": "120000"}
)


def learn(recipe=SMALL):
    learner = TASK.build(recipe, {})
    while learner.progress[0] < int(recipe.budget):
        learner.share = learner.progress[0] / int(recipe.budget)
        learner.step()
    return learner


@pytest.fixture(scope="module")
def policy():
    return learn().policy()


@pytest.mark.parametrize("walls", [0.0, 0.25, 0.6])
def test_every_layout_can_be_solved(walls):
    for number in range(40):
        layout = make_layout((7, 5), walls, number)
        steps = steps_from(layout.grid, layout.start)
        assert steps[layout.goal] >= 4
        plain = distances(layout.grid == 1, layout.start)
        assert all(steps[cell] == plain.get(cell, FAR) for cell in np.ndindex(5, 7))


def test_walls_and_border_stop_a_move():
    grid = np.array([[1, 0], [1, 1]], np.uint8)
    assert move_table(grid)[[0, 2, 3]].tolist() == [[0, 0, 2, 0], [0, 3, 2, 2], [3, 3, 3, 2]]


def test_steps_pay_the_goal_and_their_cost():
    env = TASK.environment(4, SMALL)
    obs = env.reset(0)
    assert (np.isin(obs.numpy(), env.first)).all()
    target = int(np.flatnonzero(env.is_goal)[0])
    before = int(np.flatnonzero((env.moves == target).any(1) & ~env.is_goal)[0])
    env.state[:] = before
    action = int(np.flatnonzero(env.moves[before] == target)[0])
    _, terms, terminated, _, info = env.step(torch.full((4,), action))
    assert terms.tolist() == [[1.0, -1.0]] * 4
    assert terminated.all()
    assert info["final_obs"].tolist() == [target] * 4


def test_the_tables_are_the_environment():
    env, rng = TASK.environment(8, SMALL), np.random.default_rng(0)
    model = env.tabular_model()
    state = env.reset(1).numpy()
    for _ in range(200):
        action = rng.integers(0, 4, 8)
        obs, terms, terminated, _truncated, info = env.step(torch.from_numpy(action))
        assert (model.next_state[0, state, action] == info["final_obs"].numpy()).all()
        assert (model.terms[0, state, action] == terms.numpy()).all()
        assert (model.done[0, state, action] == terminated.numpy()).all()
        state = obs.numpy()
    assert model.starts[0].tolist() == env.first.tolist()


def test_the_learned_routes_are_the_shortest(policy):
    items = list(TASK.generate(policy, [TASK.Request(size="6x5")] * 6, range(6)))
    found = TASK.judge(items)
    assert found["quality"].tolist() == [1] * 6
    assert found["steps"].tolist() == found["shortest"].tolist()
    assert found["diversity"].tolist() == [1] * 6
    assert len({item.info["layout"] for item in items}) == 6


def test_wanted_steps_choose_among_the_layouts(policy):
    lengths = TASK.judge(list(TASK.generate(policy, [TASK.Request(size="6x5")] * 6, range(6))))["shortest"]
    request = TASK.Request(size="6x5", target={"steps": float(lengths[0])}, tolerance={"steps": 0})
    (item,) = TASK.generate(policy, [request], [77])
    assert item.content.steps == lengths[0]
    with pytest.raises(Infeasible, match="nearest has steps"):
        list(TASK.generate(policy, [TASK.Request(size="6x5", target={"steps": 29})], [1]))


@pytest.mark.parametrize("other", [{"size": "5x6"}, {"size": "8x8"}, {"size": "6x5", "walls": 0.5}])
def test_layouts_that_were_not_trained_are_refused(policy, other):
    with pytest.raises(Infeasible, match="has not learned"):
        list(TASK.generate(policy, [TASK.Request(**other)], [1]))


def test_a_route_longer_than_the_grid_is_infeasible():
    with pytest.raises(Infeasible):
        TASK.check_request(TASK.Request(size="5x5", target={"steps": 40}))


def test_only_sums_over_steps_can_be_learned():
    entry = SMALL.reward[0].model_copy(update={"threshold": 1.0})
    with pytest.raises(InputError, match="step by step"):
        TASK.build(SMALL.model_copy(update={"reward": (entry,)}), {})


def test_the_judge_sees_a_route_that_jumps_or_wanders():
    item = next(iter(TASK.baselines()["random"]([TASK.Request(size="6x5")], [3])))
    layout = item.content
    item.content = layout.with_route((layout.start, layout.goal))
    assert TASK.judge([item])["quality"].tolist() == [0]


def test_the_twin_counts_the_detour():
    items = list(TASK.baselines()["random"]([TASK.Request(size="6x5")] * 8, range(8)))
    detour = next(term for term in TASK.terms() if term.name == "detour")
    batch, context = TASK.batch(items)
    found = TASK.judge(items)
    scores, whole = detour.score(batch, context), np.array([layout.reached for layout in batch])
    assert (scores[whole] == (found["steps"] - found["shortest"])[whole]).all()
    assert 0 < whole.sum() < 8
    assert np.isnan(scores[~whole]).all()
    assert detour.eval_only


def test_loops_are_erased():
    walk = [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0), (1, 0)]
    assert without_loops(walk) == ((0, 0), (1, 0))
