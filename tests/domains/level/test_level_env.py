"""The level environment: representations, masks, autoreset, determinism, sums, threads, state."""

import numpy as np
import pytest
import torch

from plaudit.domains.level.env import LevelConfig
from plaudit.domains.level.task import Maze
from plaudit.domains.level.views import Board, Wide, crop
from plaudit.errors import InputError
from plaudit.reward.compose import Composition
from plaudit.reward.term import Context

TASK = Maze()


def make(rows=6, size="5x4", **env):
    request = {"size": size} | {k: env.pop(k) for k in ("changes", "steps", "target") if k in env}
    form = env.pop("form", "potential")
    recipe = TASK.recipes()["ppo"]
    update = {"env": {"pool": 64, **env}, "request": request, "form": form}
    return TASK.environment(rows, recipe.model_copy(update=update))


def some_actions(env, rng):
    mask = env.action_mask()
    if mask is None:
        return torch.from_numpy(rng.integers(0, env.action_space.n, env.num_envs))
    return torch.from_numpy(rng.random(tuple(mask.shape))).masked_fill(~mask, -1).argmax(1)


@pytest.mark.parametrize("representation", ["wide", "narrow", "turtle", "patch"])
def test_rows_do_not_depend_on_how_threads_share_them(representation):
    one, two = (make(200, representation=representation, threads=n) for n in (1, 2))
    rng = np.random.default_rng(0)
    assert torch.equal(one.reset(5), two.reset(5))
    for _ in range(12):
        action = some_actions(one, rng)
        a, b = one.step(action), two.step(action)
        assert all(torch.equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))


def test_wide_flips_the_chosen_cell_alone():
    env = make(3)
    env.reset(0)
    env.goals[:] = 999  # no episode ends by chance
    before = env.maps.copy()
    env.step(torch.tensor([0, 7, 19]))
    changed = [np.flatnonzero(a != b).tolist() for a, b in zip(before, env.maps, strict=True)]
    assert changed == [[0], [7], [19]]


def test_narrow_goes_through_the_cells_in_scan_order():
    env = make(2, representation="narrow")
    env.reset(0)
    env.goals[:] = 999
    for cell in range(8):
        assert env.editor.cursor.tolist() == [cell, cell]
        mask = env.action_mask().numpy()
        here = env.maps.reshape(2, -1)[:, cell]
        assert mask[:, 0].all()
        assert (mask[:, 1:] == (here[:, None] != [0, 1])).all()
        env.step(torch.tensor([1, 2]))
        assert env.maps.reshape(2, -1)[:, cell].tolist() == [0, 1]


def test_narrow_in_random_order_visits_every_cell_once():
    env = make(4, representation="narrow", order="random")
    env.reset(0)
    visits = []
    for _ in range(20):
        visits.append(env.editor.cursor.copy())
        env.step(torch.zeros(4, dtype=torch.long))
    visits = np.array(visits)
    assert all(sorted(visits[:, row]) == list(range(20)) for row in range(4))
    assert not (visits[:, 0] == visits[:, 1]).all()


def test_turtle_stays_inside_and_sets_its_cell():
    env = make(1, representation="turtle", size="3x3")
    env.reset(0)
    env.editor.cursor[:] = 0
    assert env.action_mask()[0, :4].tolist() == [False, True, True, False]
    env.step(torch.tensor([0]))
    assert env.editor.cursor.tolist() == [0]
    env.step(torch.tensor([1]))
    assert env.editor.cursor.tolist() == [1]
    want = 1 - int(env.maps[0, 0, 1])
    env.step(torch.tensor([4 + want]))
    assert env.maps[0, 0, 1] == want


def test_window_is_centred_on_the_cursor_and_empty_outside():
    planes = np.arange(1, 13, dtype=np.float32).reshape(1, 3, 4, 1)
    out = np.full((1, 3, 3, 1), np.nan, np.float32)
    crop(planes, np.array([0]), out)
    assert out[0, :, :, 0].tolist() == [[0, 0, 0], [0, 1, 2], [0, 5, 6]]
    crop(planes, np.array([6]), out)
    assert out[0, :, :, 0].tolist() == [[2, 3, 4], [6, 7, 8], [10, 11, 12]]


@pytest.mark.parametrize("representation", ["wide", "narrow", "turtle", "patch"])
@pytest.mark.parametrize("form", ["potential", "end"])
def test_an_episode_pays_what_its_level_is_worth(representation, form):
    env = make(8, size="4x4", representation=representation, form=form, steps=9)
    recipe = TASK.recipes()["ppo"]
    composition = Composition(recipe.reward, TASK.terms())
    rng = np.random.default_rng(1)
    env.reset(3)
    sums, starts, goals = np.zeros((8, 4)), env.starts.copy(), env.goals.copy()
    compared = 0
    for _ in range(40):
        _, terms, terminated, truncated, info = env.step(some_actions(env, rng))
        sums += terms.numpy()
        assert ((terminated | truncated).numpy().nonzero()[0] == info["ended"]).all()
        for at, row in enumerate(info["ended"]):
            ends = []
            for one in (starts[row], info["ended_maps"][at]):
                request = TASK.Request(size=(4, 4), target={"path": int(goals[row, 0])})
                context = Context(requests=[request], cache={"starts": starts[row][None]})
                ends.append(composition.score(one[None], context)[0])
            worth = ends[1] - ends[0] if form == "potential" else ends[1]
            assert sums[row] == pytest.approx(worth, abs=1e-6)
            sums[row] = 0
            compared += 1
        starts, goals = env.starts.copy(), env.goals.copy()
    assert compared > 20


def test_novelty_is_scored_against_the_whole_batch_also_when_one_row_begins():
    recipe = TASK.recipes()["ppo"]
    novelty = (recipe.reward[0].model_copy(update={"term": "novelty"}),)
    request = {"size": "4x4", "steps": 3, "target": {"path": 12}, "tolerance": {"path": 0}}
    update = {"reward": novelty, "request": request, "env": {"pool": 64}}
    env = TASK.environment(5, recipe.model_copy(update=update))
    env.reset(0)
    env.taken[0] = 2
    _, _, terminated, truncated, _ = env.step(torch.zeros(5, dtype=torch.long))
    assert (terminated | truncated).tolist() == [True, False, False, False, False]
    # A row that is scored alone has no neighbour: its novelty would be 1.
    whole = env.reward.composition.score(env.maps, Context())[0]
    assert env.reward.state_dict()["before"][0] == whole
    assert whole < 1


def test_wide_actions_of_many_tiles_name_cell_and_tile():
    maps = np.array([[[0, 1], [2, 0]]], np.uint8)
    locked = np.array([[[False, False], [True, False]]])
    wide = Wide(Board(maps, locked, 3))
    assert wide.actions == 12
    assert wide.mask().reshape(4, 3).tolist() == [
        [False, True, True],
        [True, False, True],
        [False, False, False],  # locked
        [False, True, True],
    ]
    wide.edit(np.array([3 * 1 + 2]))
    assert maps.tolist() == [[[0, 2], [2, 0]]]


def test_a_finished_row_begins_anew_in_the_same_step():
    env = make(4, steps=3)
    env.reset(0)
    for step in range(1, 4):
        obs, _, _, truncated, info = env.step(torch.tensor([step, step, step, step]))
    assert truncated.all()
    assert info["ended_steps"].tolist() == [3] * 4
    assert (env.taken == 0).all()
    assert torch.equal(obs, env.obs)
    assert not torch.equal(info["final_obs"], obs)
    assert torch.equal(info["final_obs"], info["ended_obs"])
    assert (info["ended_maps"] != env.maps).any()


def test_final_observation_of_running_rows_is_the_observation():
    env = make(3, steps=50)
    obs = env.reset(0)
    obs, _, terminated, truncated, info = env.step(torch.tensor([0, 1, 2]))
    running = ~(terminated | truncated)
    assert torch.equal(info["final_obs"][running], obs[running])
    with pytest.raises(KeyError):
        info["nothing"]


def test_goals_met_end_the_episode_as_terminated():
    env = make(1, size="3x3", target={"path": 6}, steps=50)
    env.reset(0)
    env.maps[0] = [[1, 1, 1], [0, 0, 0], [1, 1, 1]]
    _, _terms, terminated, truncated, _ = env.step(torch.tensor([5]))
    assert terminated.tolist() == [True]
    assert truncated.tolist() == [False]


def test_changes_used_up_end_the_episode():
    env = make(1, size="5x4", changes=0.1, steps=50, target={"path": 13})
    env.reset(0)
    assert not env.step(torch.tensor([3]))[3].item()
    assert env.step(torch.tensor([4]))[3].item()


@pytest.mark.parametrize("representation", ["wide", "narrow", "turtle", "patch"])
def test_state_continues_exactly(representation):
    rng = np.random.default_rng(2)
    one = make(7, representation=representation, order="random", steps=5)
    one.reset(9)
    for _ in range(7):
        one.step(some_actions(one, rng))
    two = make(7, representation=representation, order="random", steps=5)
    two.reset(1)
    two.load_state_dict(one.state_dict())
    assert torch.equal(one.obs, two.obs)
    for _ in range(12):
        action = some_actions(one, rng)
        a, b = one.step(action), two.step(action)
        assert all(torch.equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))


def test_rows_and_seeds_start_from_different_maps():
    env = make(32, size="14x14")
    first = env.reset(0).clone()
    assert len({row.numpy().tobytes() for row in first}) > 30
    assert not torch.equal(first, env.reset(1))
    assert torch.equal(first, env.reset(0))


def test_an_action_outside_is_named():
    env = make(2)
    env.reset(0)
    with pytest.raises(InputError, match="0 to 19"):
        env.step(torch.tensor([0, 20]))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"representation": "wied"}, "wide"),
        ({"order": "zigzag"}, "order"),
        ({"view": 4}, "odd"),
        ({"copies": 0}, "copies"),
    ],
)
def test_a_wrong_setting_is_named(settings, named):
    with pytest.raises(InputError, match=named):
        LevelConfig(**settings)


def test_an_unknown_setting_is_named():
    with pytest.raises(InputError, match="representation"):
        make(2, representatio="wide")


def test_a_patch_sets_the_cells_of_its_brush_inside_the_map_and_off_the_locks():
    env = make(5, representation="patch")  # 5 x 4 cells
    env.reset(0)
    env.goals[:] = 999  # no episode ends by chance
    env.maps[:], env.locked[4, 1, 1] = 0, True

    def action(y, x, brush):
        return ((y * 5 + x) * 4 + brush) * 2 + 1

    chosen = [action(1, 1, 0), action(1, 1, 1), action(0, 4, 2), action(3, 4, 3), action(1, 1, 3)]
    env.step(torch.tensor(chosen))
    set_cells = [[tuple(cell) for cell in np.argwhere(level).tolist()] for level in env.maps]
    assert set_cells == [
        [(1, 1)],
        [(1, 0), (1, 1), (1, 2)],
        [(0, 4), (1, 4)],
        [(3, 4)],
        [(1, 2), (2, 1), (2, 2)],
    ]


def test_a_patch_is_allowed_where_it_changes_something():
    env, rng = make(6, representation="patch"), np.random.default_rng(2)
    env.reset(3)
    env.goals[:] = 999
    env.locked[:] = rng.random(env.locked.shape) < 0.3
    env.maps[0], env.locked[1] = 1, True
    mask = env.action_mask().numpy()
    assert not mask[0].reshape(-1, 2)[:, 1].any() and not mask[1].any() and mask[2:].any(1).all()
    for action in range(env.action_space.n):
        maps = env.maps.copy()
        env.editor.edit(np.full(6, action))
        assert ((env.maps != maps).any((1, 2)) == mask[:, action]).all()
        env.maps[:] = maps


def test_ppo_raises_the_reward_of_patches():
    """Mazes of 6 x 6 from nothing, for a few thousand steps: episodes end with more than they began with."""
    recipe = TASK.recipes()["ppo"]
    env = {"representation": "patch", "copies": 32, "pool": 256}
    update = {"env": env, "request": {"size": "6x6"}, "network": {**recipe.network, "layers": 3}}
    one = TASK.build(recipe.model_copy(update=update), {})
    rows = []
    for i in range(14):
        one.share = i / 14
        rows.append(one.step()["return"])
    assert np.mean(rows[-3:]) > np.mean(rows[:3]) + 0.3
