"""What array domains share: a canvas of three cells, small enough to follow by hand."""

import numpy as np
import pytest
import torch

from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Term
from plaudit.runs.recipe import Recipe, RewardEntry
from plaudit.stepwise import ROWS, Canvas, build_learner, read_weights
from plaudit.task import Item, Request


def write(cells, step, action):
    cells[:, step] = action


def total(cells, context):
    return cells.sum(1)


CANVAS = Canvas((3,), values=3, actions=3, steps=3, act=write, targets={"sum": (1, 5)}, tolerance=1.0)
TERMS = (Term("total", total, "Sum of the cells.", (0, 6)),)
RECIPE = Recipe(task="toy/sums", algorithm="ppo", reward=(RewardEntry(term="total", weight=2.0),))


def env(rows=2, **changes):
    return CANVAS.environment(TERMS, RECIPE.model_copy(update=changes), rows)


def play(env, actions):
    return [env.step(torch.tensor(action)) for action in actions]


def test_an_observation_holds_cells_clock_and_target():
    asked = [Request(target={"sum": 1}), Request(target={"sum": 4})]
    obs = CANVAS.observe(np.array([[0, 1, 2], [2, 0, 0]], np.uint8), 1, asked)
    assert obs.tolist() == [[0, 0.5, 1, 0, 1, 0, 0], [1, 0, 0, 0, 1, 0, 0.75]]
    after = CANVAS.observe(np.zeros((1, 3), np.uint8), 3, asked[:1])
    assert after[0, 3:6].tolist() == [0, 0, 0] and CANVAS.observation_space.shape == (7,)


@pytest.mark.parametrize(
    "form,paid", [("potential", [[2, 1], [0, 2], [1, 0]]), ("end", [[0, 0], [0, 0], [3, 3]])]
)
def test_steps_pay_the_change_or_the_end(form, paid):
    world = env(form=form)
    world.reset(0)
    steps = play(world, [[2, 1], [0, 2], [1, 0]])
    assert [step[1][:, 0].tolist() for step in steps] == paid
    assert [step[2].tolist() for step in steps] == [[False] * 2, [False] * 2, [True] * 2]


def test_the_last_observation_travels_and_the_next_episode_is_blank():
    world = env()
    world.reset(0)
    obs, _, _, truncated, info = play(world, [[2, 1], [0, 2], [1, 0]])[-1]
    assert info["final_obs"][:, :3].tolist() == [[1, 0, 0.5], [0.5, 1, 0]]
    assert obs[:, :3].tolist() == [[0] * 3] * 2 and obs[:, 3].tolist() == [1, 1]
    assert not truncated.any()
    _, _, _, _, info = world.step(torch.tensor([1, 1]))
    assert info["final_obs"][:, 0].tolist() == [0.5, 0.5]


def test_targets_vary_unless_they_are_given():
    world = env(200)
    world.reset(1)
    assert {request.target["sum"] for request in world.requests} == {1, 2, 3, 4, 5}
    fixed = env(20, request={"target": {"sum": 3}})
    fixed.reset(1)
    assert {request.target["sum"] for request in fixed.requests} == {3}
    drawn = CANVAS.requests(50, 2, Request())
    assert drawn == CANVAS.requests(50, 2, Request()) != CANVAS.requests(50, 3, Request())


def test_what_cannot_be_asked():
    with pytest.raises(InputError, match='Did you mean "sum"'):
        CANVAS.check_request(Request(target={"sun": 1}))
    with pytest.raises(InputError, match="finite"):
        CANVAS.check_request(Request(target={"sum": float("nan")}))
    with pytest.raises(Infeasible, match="nearest is sum=5"):
        CANVAS.check_request(Request(target={"sum": 7}))
    CANVAS.check_request(Request(target={"sum": 6}))
    with pytest.raises(InputError, match="copies"):
        env(env={"copy": 3})


def test_state_continues_exactly_across_an_episode():
    one, two = env(), env()
    one.reset(4)
    assert one.requests[0] != one.requests[1]
    one.step(torch.tensor([1, 2]))
    state = one.state_dict()
    play(one, [[0, 0]])
    ahead = play(one, [[1, 1], [2, 2]])
    two.load_state_dict(state)
    play(two, [[0, 0]])
    again = play(two, [[1, 1], [2, 2]])
    for first, second in zip(ahead, again, strict=True):
        assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])


def test_an_item_depends_on_its_seed_alone():
    requests, seeds = [Request()] * (ROWS + 3), list(range(ROWS + 3))
    together = list(CANVAS.random(requests, seeds))
    alone = next(CANVAS.random(requests[:1], [ROWS + 1]))
    assert [item.seed for item in together] == seeds
    assert np.array_equal(together[ROWS + 1].content, alone.content)
    assert together[ROWS + 1].request == alone.request
    assert len({item.content.tobytes() for item in together}) > 10


def test_generation_shows_the_policy_what_training_showed():
    world, seen = env(1, request={"target": {"sum": 4}}), []
    trained = [world.reset(0), *(step[0] for step in play(world, [[1], [2]]))]

    def choose(obs, random):
        seen.append(obs[:1])
        return np.full(ROWS, len(seen))

    item = next(CANVAS.rollout(lambda o, r: choose(o, r) % 3, [Request(target={"sum": 4})], [0]))
    assert all(torch.equal(a, b) for a, b in zip(trained, seen, strict=True))
    assert item.content.tolist() == [1, 2, 0]


def test_a_policy_of_another_canvas_is_refused():
    other = Canvas((4,), 3, 3, 3, write, {"sum": (1, 5)})
    policy = build_learner(env(), RECIPE, {}).policy()
    assert len(list(CANVAS.generate(policy, [Request()], [0]))) == 1
    with pytest.raises(InputError, match="this task shows"):
        next(other.generate(policy, [Request()], [0]))


def test_a_learner_starts_from_given_weights(tmp_path):
    from safetensors.torch import save_file

    first = build_learner(env(), RECIPE, {})
    second = RECIPE.model_copy(update={"seed": 9})
    save_file(first.policy().tensors(), tmp_path / "model.safetensors")
    plain, warm = (build_learner(env(), second, given) for given in ({}, {"init": tmp_path}))
    wanted = first.policy().tensors()
    assert all(torch.equal(wanted[name], tensor) for name, tensor in warm.policy().tensors().items())
    assert any(not torch.equal(wanted[name], tensor) for name, tensor in plain.policy().tensors().items())
    (tmp_path / "bad.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="holds no weights"):
        read_weights(tmp_path / "bad.safetensors")


def test_judged_figures():
    request = Request(target={"sum": 3})
    strict = Request(target={"sum": 3}, tolerance={"sum": 0})
    cells = [np.array(row, np.uint8) for row in ([2, 2, 0], [2, 2, 0], [1, 2, 0], [2, 2, 1])]
    items = [Item(c, r, 0) for c, r in zip(cells, (request, strict, strict, request), strict=True)]
    sums = [int(c.sum()) for c in cells]
    figures = CANVAS.judge(items, [True, True, False, True], sum=sums)
    assert {name: values.tolist() for name, values in figures.items()} == {
        "quality": [1, 1, 0, 1],
        "control": [1, 0, 1, 0],
        "diversity": [1, 0, 1, 1],
        "sum": [4, 4, 3, 5],
    }


def test_by_hand_draws_from_the_item_s_own_seed():
    made = CANVAS.by_hand(lambda request, random: random.integers(0, 3, 3))
    two = list(made([Request(), Request()], [1, 2]))
    assert np.array_equal(two[1].content, next(made([Request()], [2])).content)
    assert not np.array_equal(two[0].content, two[1].content)


def test_drawing_covers_both_ends_evenly():
    asked = [r.target["sum"] for r in CANVAS.draw(RowRandom(np.arange(5000)), Request())]
    counts = np.bincount(np.array(asked, int), minlength=7)
    assert counts[[0, 6]].tolist() == [0, 0] and (abs(counts[1:6] - 1000) < 150).all()
