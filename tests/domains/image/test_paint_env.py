"""Painting as an MDP, its learners and its generation."""

import numpy as np
import pytest
import torch

from plaudit.domains.image.paint_pen import BLOCKS, DRAWN, LIFTED, MOVES, PATCH, RUBBED, SET
from plaudit.domains.image.paint_pictures import fitted, glyph, pictures_of
from plaudit.domains.image.paint_reward import class_term
from plaudit.domains.image.task import Paint
from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Context

TASK = Paint()
FAR = {"index": 5}


def recipe(name, **env):
    found = TASK.recipes()[name]
    found = found.stages[-1] if found.stages else found
    # PPO's recipe pays at the end; here every step pays its change.
    return found.model_copy(update={"env": {**found.env, **env}, "inputs": {}, "form": "potential"})


@pytest.mark.parametrize(
    ("name", "env"), [("dqn", {"moves": 7}), ("dqn", {"sight": "planes", "moves": 7}), ("ppo", {})]
)
def test_an_episode_pays_the_change_of_the_error(name, env):
    paints = TASK.environment(5, recipe(name, **env))
    paints.reset(3)
    first = ((paints.canvas / 255.0 - paints.target / 255.0) ** 2).mean((1, 2))
    paid, rng = np.zeros(5), np.random.default_rng(0)
    for _ in range(paints.tool.steps):
        target = paints.target.copy()
        space = paints.action_space
        action = rng.integers(0, space.n, 5) if name == "dqn" else rng.random((5, *space.shape), np.float32)
        last = paints.canvas.copy()
        if name == "ppo":
            paints.tool.apply(action, last, target, np.zeros(5, np.int64))
        _, terms, ended, _, _ = paints.step(torch.from_numpy(action))
        paid += terms.numpy()[:, 0]
    assert ended.all() and (paints.canvas == 0).all()
    if name == "ppo":
        end = ((last / 255.0 - target / 255.0) ** 2).mean((1, 2))
        assert np.allclose(paid, first - end)
    assert (paid < first + 1e-9).all()


def number(x, y, what):
    return int(np.flatnonzero((MOVES == (x, y, what)).all(1))[0])


def test_the_pen_draws_where_it_goes_and_sees_what_is_missing():
    paints = TASK.environment(1, recipe("dqn", moves=9))
    obs = paints.reset(1).numpy()[0]
    assert obs[: PATCH * PATCH].reshape(PATCH, PATCH)[5, 5] == paints.target[0, 14, 14]
    obs = paints.step(torch.tensor([number(3, 0, DRAWN)]))[0].numpy()[0]
    assert (paints.canvas[0, 14, 14:18] == 255).all() and paints.canvas[0, 14, 20] == 0
    # What is drawn is seen as drawn, wherever the picture has ink.
    assert (obs[2 * PATCH * PATCH :][: PATCH * PATCH].reshape(PATCH, PATCH)[5, 2:6] == 255).all()
    before = paints.canvas.copy()
    paints.step(torch.tensor([number(0, 2, LIFTED)]))
    assert (paints.canvas == before).all() and paints.tool.place.tolist() == [[17, 16]]


def test_the_pen_is_set_down_where_most_ink_is_missing():
    paints = TASK.environment(1, recipe("dqn", moves=9))
    paints.reset(1)
    paints.target[0] = 0
    paints.target[0, 9, 22], paints.target[0, 10, 21] = 80, 200
    at = 3 * PATCH * PATCH + 2 * BLOCKS + 5
    obs = paints.step(torch.tensor([number(5, 2, SET)]))[0].numpy()[0]
    assert paints.tool.place.tolist() == [[21, 10]]
    # Full ink on 200 takes off 200**2 - 55**2; on 80 it would add error.
    assert obs[at] == (200**2 - 55**2) // 255 // 16
    paints.step(torch.tensor([number(0, 0, SET)]))
    assert paints.tool.place.tolist() == [[2, 2]] and (paints.canvas == 0).all()


def test_the_pen_rubs_out_what_it_drew():
    paints = TASK.environment(1, recipe("dqn", moves=9))
    paints.reset(1)
    paints.target[0] = 0
    for x, what in ((1, DRAWN), (-1, RUBBED)):
        paid = paints.step(torch.tensor([number(x, 0, what)]))[1]
    # The grey rim stays: half a pixel's ink is half a pixel's rubber.
    assert (paints.canvas[0, 14, 14:16] == 0).all() and float(paid[0, 0]) > 0
    assert paints.tool.count.tolist() == [2]


def test_the_planes_of_the_pen_are_what_they_say():
    paints = TASK.environment(3, recipe("dqn", sight="planes", moves=9))
    paints.reset(2)
    obs = paints.step(torch.tensor([2, 10, 20]))[0].numpy()
    assert (obs[..., 0] == paints.target).all() and (obs[..., 1] == paints.canvas).all()
    off = (256 + paints.target.astype(int) - paints.canvas) // 2
    assert (obs[..., 2] == off).all()
    for row, (x, y) in enumerate(paints.tool.place):
        assert obs[row, y, x, 3] == 255 and obs[row, 0, 0, 3] == 255 // 9 // 2


def test_an_ink_budget_ends_the_episode():
    frugal = recipe("ppo").model_copy(update={"request": {"ink": 0.001}})
    paints = TASK.environment(3, frugal)
    paints.reset(0)
    assert paints.step(torch.full((3, 40), 0.6))[2].all()


def test_no_two_built_in_pictures_are_alike():
    shown = pictures_of("", "train", 28).take(np.arange(200)).reshape(200, -1)
    assert len(np.unique(shown, axis=0)) == 200
    assert 0.02 < shown.mean() / 255 < 0.3
    assert glyph(3, 28) == glyph(3, 28)


def test_a_file_is_painted_as_ink_on_paper(tmp_path):
    from PIL import Image

    dark = Image.new("RGB", (60, 60), "white")
    dark.paste((0, 0, 0), (20, 10, 40, 50))
    shown = fitted([dark], 28)[0]
    assert shown[14, 14] == 255 and shown[0, 0] == 0
    dark.save(tmp_path / "a.png")
    asked = TASK.requests(1, 0, TASK.Request(picture=str(tmp_path / "a.png")))
    assert asked[0].picture.endswith("a.png")
    with pytest.raises(InputError):
        TASK.check_request(TASK.Request(picture=str(tmp_path / "none.png")))


def test_out_of_reach_is_said_with_the_nearest():
    with pytest.raises(Infeasible, match="error=1"):
        TASK.check_request(TASK.Request(target={"error": 3.0}))


@pytest.mark.parametrize(("name", "floor"), [("model", 0.04)])
def test_the_gradient_learns_to_paint_within_seconds(name, floor):
    short = recipe(name).model_copy(
        update={"learner": {"updates": 30, "batch_size": 32, "learning_rate": 3e-3}}
    )
    learner = TASK.build(short, {})
    for share in (0.0, 0.2, 0.4, 0.6, 0.8):
        learner.share = share
        error = -learner.step()["terms"]["error"]["raw"]
    assert error < floor  # a blank canvas has .10


def test_refining_lowers_the_error_and_is_counted():
    policy = TASK.build(recipe("model"), {}).policy()
    asked = [TASK.Request(index=i, refine=n) for n in (0, 30) for i in range(4)]
    items = list(TASK.generate(policy, asked, range(8)))
    plain, moved = np.split(TASK.judge(items)["error"], 2)
    assert (moved < plain - 0.01).all()
    assert [item.info["evaluations"] for item in items[::4]] == [1, 31]


def test_a_pen_policy_is_recorded_as_it_painted():
    learner = TASK.build(recipe("dqn", copies=2), {})
    item = next(iter(TASK.generate(learner.policy(), [TASK.Request(**FAR, strokes=3)], [1])))
    assert len(item.content.strokes) <= 3
    with pytest.raises(InputError, match="refined"):
        list(TASK.generate(learner.policy(), [TASK.Request(**FAR, refine=2)], [1]))


def test_terms_agree_with_the_judge_and_a_classifier_makes_one():
    items = list(TASK.baselines()["heuristic"](TASK.requests(20, 1, TASK.Request()), range(20)))
    batch, context = TASK.batch(items)
    terms = {term.name: term.score(batch, context) for term in TASK.terms()}
    judged = TASK.judge(items)
    for name in ("error", "ink", "strokes"):
        assert np.allclose(terms[name], judged[name], atol=2e-4)
    assert judged["quality"].mean() > 0.7  # .85 of 40
    dark = class_term(
        lambda p: np.stack([p.mean((1, 2)) / 255, 1 - p.mean((1, 2)) / 255], 1), ("ink", "paper"), "ink"
    )
    assert np.allclose(dark.score(batch, Context()), terms["ink"])


def test_a_reward_without_gradient_is_refused():
    from plaudit.runs.recipe import RewardEntry

    wrong = recipe("model").model_copy(update={"reward": (RewardEntry(term="spilt"),)})
    with pytest.raises(InputError, match="no gradient"):
        TASK.build(wrong, {})


def test_a_policy_of_small_bundles_paints_ten_strokes_unless_asked():
    policy = TASK.build(recipe("ppo", copies=2), {}).policy()
    asked = [TASK.Request(**FAR), TASK.Request(**FAR, strokes=5)]
    assert [len(item.content.strokes) for item in TASK.generate(policy, asked, [0, 0])] == [10, 5]


def test_scribbles_are_many_and_each_is_itself():
    shown = pictures_of("scribbles", "train", 28)
    some = shown.take(np.arange(120))
    assert len(np.unique(some.reshape(120, -1), axis=0)) == 120
    assert (shown.take(np.array([7]))[0] == some[7]).all()
    assert 0.03 < some.mean() / 255 < 0.25


def test_what_is_to_be_painted_is_painted_in_every_stage():
    """A prior that silently painted something else looked like a bad one."""
    from plaudit.runs.recipes import Changes, resolve

    changes = Changes(settings=("env.pictures=scribbles",))
    whole = resolve("image/paint", "ppo", changes)[1]
    assert [stage.env["pictures"] for stage in whole.stages] == ["scribbles", "scribbles"]
    assert [stage.env["bundle"] for stage in whole.stages] == [5, 5]
