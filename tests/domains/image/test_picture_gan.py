"""The recipe `gan` of `image/picture`: its stages, what its reward sees, what its policy draws."""

import json

import numpy as np
import one_step as toy
import pytest
import torch

from plaudit.domains.image.picture_items import PaidItems, PaidPictures
from plaudit.domains.image.picture_source import PictureSource
from plaudit.domains.image.picture_training import make_learner, reward_of
from plaudit.engine import policies
from plaudit.errors import InputError


@pytest.fixture(autouse=True)
def small_set(monkeypatch):
    toy.at_hand(monkeypatch)


def learned(recipe, steps=2, inputs=None):
    made = make_learner(recipe, inputs or {})
    for step in range(steps):
        made.share = step / steps
        row = made.step()
    return made, row


def paid_items():
    return PaidPictures(PictureSource(toy.pictures()), reward_of(toy.stage("gan", "paid")), toy.reference())


def test_the_game_knows_no_reward_and_the_next_stage_begins_from_it(tmp_path):
    game, row = learned(toy.stage("gan", "game"))
    assert "lambda" not in row
    inputs = {"init": toy.weights(game.policy(), tmp_path)}
    begun = make_learner(toy.stage("gan", "paid"), inputs)
    assert torch.equal(begun.params, game.average_params)
    assert torch.equal(begun.critic_params, game.critic_params)


@pytest.mark.parametrize(
    ("schedule", "ramp"),
    [("constant", [0, 0]), ("constant", [0.1, 0.4]), ("balanced", [0, 0]), ("dual", [0, 0])],
)
def test_every_lambda_moves_the_generator(schedule, ramp):
    reward = {"schedule": schedule, "ramp": ramp, "weight": 0.5, "reference": 1.0}
    paid, row = learned(toy.stage("gan", "paid", reward=reward), 3)
    plain, _ = learned(toy.stage("gan", "paid", reward={**reward, "weight": 0.0}), 3)
    assert row["lambda"] > 0
    assert set(row["terms"]) == {"class_probability", "fidelity"}
    assert row["queries"] > 0
    assert not torch.equal(paid.params, plain.params)
    if schedule == "dual":
        assert row["distance"] > 0


@pytest.mark.parametrize("method", ["score", "surrogate"])
def test_black_boxes_are_rewards_too(method):
    reward = {"method": method, "schedule": "constant", "ramp": [0, 0]}
    recipe = toy.stage("gan", "paid", {"compressibility": 1.0}, reward=reward)
    made, row = learned(recipe)
    assert row["terms"]["compressibility"]["raw"] < 0
    again = policies.build(json.loads(json.dumps(made.policy().describe())), made.policy().tensors())
    assert np.array_equal(toy.drawn(made.policy(), 5), toy.drawn(again, 5))
    with pytest.raises(InputError, match="gradient"):
        learned(toy.stage("gan", "paid", {"compressibility": 1.0}, reward={"ramp": [0, 0]}))


def test_items_are_worth_what_their_pictures_are():
    """The columns are those of the terms on the very pictures, by the class that each was made for."""
    source, held = paid_items(), toy.pictures().part("validation")
    items, labels = source.validation(40)
    columns = source.score(items, labels)
    logits = toy.reference().reward.logits(held.images[:40])
    wanted = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert columns[:, 0] == pytest.approx(wanted[np.arange(40), held.labels[:40]], abs=1e-3)
    assert columns == pytest.approx(source.columns(items, labels).detach().numpy(), abs=1e-3)
    other = source.score(items, (labels + 1) % len(toy.pictures().names))
    assert not np.allclose(other[:, 0], columns[:, 0])


class Drawing:
    """A policy that draws pictures of the set, moved by a shade."""

    def __init__(self, part, shade):
        self.images = toy.pictures().part(part).images
        self.shade = shade

    def noise(self, random):
        return torch.zeros(len(random.key), 1)

    def draw(self, noise, condition):
        at = np.arange(len(noise)) % len(self.images)
        shown = torch.from_numpy(self.images[at]).permute(0, 3, 1, 2).float() / 127.5 - 1
        return (shown + self.shade).clamp(-1, 1)


def test_the_distance_grows_as_pictures_leave_the_set():
    source = paid_items()
    near, far, farther = (source.distance(Drawing("validation", shade)).value for shade in (0.0, 0.3, 0.9))
    assert 0 <= near < far < farther


def test_the_distance_knows_its_error():
    """What ten parts of the pictures would have said alone, and the same again for the same pictures."""
    source = paid_items()
    found, moved = (source.distance(Drawing("validation", shade)) for shade in (0.3, 0.31))
    assert found == source.distance(Drawing("validation", 0.3))
    assert len(found.left_out) == 10 and 0 < found.error < found.value
    # Two that are asked on the same noise err alike.
    assert moved.growth_error(found) < 0.3 * moved.error


def test_one_item_is_one_seed():
    policy = learned(toy.stage("gan", "game"))[0].policy()
    many = toy.drawn(policy, 70)
    assert many.shape == (70, toy.SIDE, toy.SIDE, 3)
    assert many.dtype == np.uint8
    assert np.array_equal(toy.drawn(policy, 3), many[:3])
    assert not np.array_equal(many[0], many[len(toy.reference().facts.names)])
    # Without a class asked the seed decides it, and any class will do.
    assert toy.drawn(policy, 3, label="any").shape == (3, toy.SIDE, toy.SIDE, 3)


def test_what_it_cannot_do_is_said():
    policy = learned(toy.stage("gan", "game"))[0].policy()
    with pytest.raises(InputError, match="one step"):
        toy.drawn(policy, 1, guidance=0.5)
    with pytest.raises(InputError, match="one step"):
        toy.drawn(policy, 1, target={"ink": 0.3})
    assert not hasattr(PaidItems, "batch")
