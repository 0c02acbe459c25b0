"""The measurement "GAN + reward" on a small set: what it trains, what it judges, when it says yes."""

import json

import numpy as np
import one_step as toy
import pytest
from benchmarks import image_gan

from plaudit.media import cache

PLAN = image_gan.Plan(
    pictures="toy",
    base_s=0.3,
    tune_s=0.3,
    seeds=(1, 2),
    rewards=("symmetry", "compressibility"),
    count=240,
    network=toy.NETWORK,
    settings={"batch_size": 16, "updates": 2},
    tuning={"reward": {"batch_size": 16, "ramp": [0.0, 0.0]}},
)


@pytest.fixture(autouse=True)
def small_set(monkeypatch, tmp_path):
    toy.at_hand(monkeypatch)
    monkeypatch.setattr(image_gan, "pictures_of", lambda *place: toy.pictures())
    monkeypatch.setattr(image_gan, "reference_of", lambda *place: toy.reference())
    monkeypatch.setattr(cache, "folder", lambda kind: tmp_path / kind)


def test_it_measures_every_reward_and_seed(tmp_path):
    found = json.loads(json.dumps(image_gan.measured(PLAN)))
    rows = found["gan_reward"]
    assert [(row["reward"], row["seed"], row["control"]) for row in rows] == [
        ("symmetry", 1, False),
        ("symmetry", 2, False),
        ("compressibility", 1, False),
        ("compressibility", 2, False),
        ("symmetry", 1, True),
    ]
    for row in rows:
        assert row["gain_low"] <= row["gain"] <= row["gain_high"]
        assert row["ok"] == (row["gain_low"] > 0 and row["fd_of_base"] <= 1.1)
        # Lambda is 0 in the control alone, which asks for no score.
        assert (row["lambda"] > 0) == (row["queries"] > 0) == (not row["control"])
    paid = [row["ok"] for row in rows if not row["control"]]
    assert found["gan_reward_ok"] == all(paid)
    assert len(list(tmp_path.glob("image/bench/*.safetensors"))) == 1


def test_the_base_is_kept_and_the_pictures_are_the_same_twice():
    first = image_gan.base_of(PLAN)
    again = image_gan.base_of(PLAN)
    one, two = (image_gan.judged(policy, PLAN, toy.reference()) for policy in (first, again))
    assert one.figures == two.figures
    assert all(np.array_equal(one.rewards[name], two.rewards[name]) for name in PLAN.rewards)
    assert one.figures["judge_accuracy"] is not None


def test_a_gain_without_its_price_and_a_price_without_a_gain(monkeypatch):
    """Both halves of the claim count: the reward's interval above 0, the distance within a tenth."""
    base = image_gan.base_of(PLAN)
    before = image_gan.judged(base, PLAN, toy.reference())
    seen = {}
    for name, gain, grown in (("yes", 0.1, 1.05), ("far", 0.1, 1.2), ("low", -0.1, 1.0)):
        rewards = {term: values + gain for term, values in before.rewards.items()}
        figures = {**before.figures, "fd": 2.0 * grown}
        after = image_gan.Judged(rewards, figures)
        monkeypatch.setattr(image_gan, "judged", lambda *about, after=after: after)
        monkeypatch.setattr(image_gan, "train", lambda *about: {})
        start = image_gan.Judged(before.rewards, {**before.figures, "fd": 2.0})
        seen[name] = image_gan._tuned_row(PLAN, base, start, toy.reference(), "symmetry", 1, False)["ok"]
    assert seen == {"yes": True, "far": False, "low": False}
