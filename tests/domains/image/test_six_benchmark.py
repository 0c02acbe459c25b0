"""The measurement "six rewards" on a small set: the best, what a tuning learns from, what it counts."""

from dataclasses import replace

import numpy as np
import one_step as toy
import pytest
import torch
from benchmarks import image_six
from benchmarks.image_flow import Bench

from plaudit.engine.flow.model import FlowModel, FlowShape, network_config
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.sampling import Sampler
from plaudit.measure.frechet import moments

SMALL = {"batch_size": 16, "updates": 1, "held_out": 8, "precision": "fp32"}
REWARDS = {"symmetry": image_six.Way(4, 0.5, 0.2), "compressibility": image_six.Way(8, 0.3, 0.2)}


@pytest.fixture(scope="module")
def setting():
    reference = toy.reference()
    size = (reference.facts.shape[2], toy.SIDE, toy.SIDE)
    shape = FlowShape(size, reference.facts.classes)
    model = FlowModel(shape, network_config({"kind": "unet", "width": 8, "levels": [1]}, shape))
    generator = torch.Generator().manual_seed(0)
    model.initialise(generator)
    # A net begins as zero, which no guidance changes.
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.1, generator=generator)
    model.eval().requires_grad_(False)
    features = reference.judge.features(toy.pictures().images)
    test = (moments(features[:200]), moments(features[200:]))
    own = FlowPolicy(model, Sampler(steps=2, guidance=0.15))
    bench = Bench(FlowPolicy(model, Sampler(steps=2)), own, reference.reward, reference.judge, test)
    plan = image_six.Plan(count=100, of=3, rewards=REWARDS, learning=SMALL)
    return image_six.Setting(plan, bench, reference, toy.pictures())


def test_every_reward_is_tuned_and_counted(setting):
    found = image_six.measured(setting)
    rows = [found[f"six_{name}"] for name in REWARDS]
    assert found["six_of"] == 2
    assert found["six_reward_ok"] == sum(row["reward_tuned"] >= row["reward_best"] for row in rows)
    assert found["six_fd_ok"] == sum(row["fd_tuned"] <= 1.1 * row["fd_best"] for row in rows)
    for row in rows:
        assert row["reward_best"] > row["reward_base"]
        assert row["queries"] == len(toy.pictures().part("train"))
        assert row["pictures_seen"] > 0 and row["seconds"] >= 0.2


def test_the_best_pays_the_most_of_its_column(setting):
    candidates = setting.candidates(16, 5)
    best, paid = setting.best("symmetry", candidates)
    every = np.stack([setting.paid("symmetry", images) for images in candidates])
    assert np.array_equal(paid, every.max(0))
    assert np.allclose(setting.paid("symmetry", best), paid)


def test_a_tuning_goes_on_from_the_base_and_takes_its_seconds(setting):
    def tuned(seconds):
        plan = replace(setting.plan, rewards={"symmetry": image_six.Way(4, 0.15, seconds)})
        policy, spent = image_six.tune(replace(setting, plan=plan), "symmetry", 1)
        return setting.draw(policy, 8, 3), spent

    base = setting.draw(setting.bench.own, 8, 3)
    none, spent = tuned(0.0)
    assert torch.equal(none, base) and spent["pictures_seen"] == 0
    longer, spent = tuned(0.3)
    assert not torch.equal(longer, base) and spent["pictures_seen"] > 0 and spent["seconds"] >= 0.3


def test_the_preset_is_also_drawn_with_the_guidance_of_the_tuned(setting):
    way = image_six.Way(4, 3.0, 0.0)
    plan = replace(setting.plan, rewards={"symmetry": way})
    row = image_six.measured(replace(setting, plan=plan))["six_symmetry"]
    assert row["reward_guided"] == row["reward_tuned"] != row["reward_base"]


def test_a_reward_learns_from_its_own_best(setting, monkeypatch):
    asked = {}

    class Seen(image_six.BestPictures):
        def __init__(self, pictures, reward, best_of):
            super().__init__(pictures, reward, best_of)
            asked[reward.weighing.names] = best_of

    monkeypatch.setattr(image_six, "BestPictures", Seen)
    for name in REWARDS:
        image_six.tune(setting, name, 1)
    assert asked == {("symmetry",): 4, ("compressibility",): 8}
