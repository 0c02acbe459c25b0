"""The measurement "six rewards" on a small set: the best, when a tuning ends, what it counts."""

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

SMALL = {"requests": 2, "group": 2, "steps": 2, "precision": "fp32", "chunk": 4}
REWARDS = {
    "symmetry": replace(image_six.GRADIENT, **SMALL),
    "compressibility": replace(image_six.BLACK_BOX, **SMALL, window=1),
}


@pytest.fixture(scope="module")
def setting():
    reference = toy.reference()
    size = (reference.facts.shape[2], toy.SIDE, toy.SIDE)
    shape = FlowShape(size, reference.facts.classes)
    model = FlowModel(shape, network_config({"kind": "unet", "width": 8, "levels": [1]}, shape))
    model.initialise(torch.Generator().manual_seed(0))
    model.eval().requires_grad_(False)
    features = reference.judge.features(toy.pictures().images)
    test = (moments(features[:200]), moments(features[200:]))
    own = FlowPolicy(model, Sampler(steps=2, guidance=0.15))
    bench = Bench(FlowPolicy(model, Sampler(steps=2)), own, reference.reward, reference.judge, test)
    plan = image_six.Plan(
        count=100, checked=16, of=3, seconds=0.2, every_s=0.05, rewards=REWARDS, kept={"fidelity": 0.1}
    )
    return image_six.Setting(plan, bench, reference)


def test_every_reward_is_tuned_and_counted(setting):
    found = image_six.measured(setting)
    rows = [found[f"six_{name}"] for name in REWARDS]
    assert found["six_of"] == 2
    assert found["six_reward_ok"] == sum(row["reward_tuned"] >= row["reward_best"] for row in rows)
    assert found["six_fd_ok"] == sum(row["fd_tuned"] <= 1.1 * row["fd_best"] for row in rows)
    for row in rows:
        assert row["reward_best"] > row["reward_base"]
        assert row["queries"] > 0
        assert row["stopped_by"] in ("reward", "seconds")


def test_the_best_pays_the_most_of_its_column(setting):
    candidates = setting.candidates(16, 5)
    best, paid = setting.best("symmetry", candidates)
    every = np.stack([setting.paid("symmetry", images) for images in candidates])
    assert np.array_equal(paid, every.max(0))
    assert np.allclose(setting.paid("symmetry", best), paid)


def test_a_tuning_ends_once_it_gains_enough(setting):
    setting.aim(setting.candidates(16, 11 * setting.plan.seed))
    # Enough is what the base has.
    easy = replace(setting, plan=replace(setting.plan, seconds=60.0, margin=-1.0))
    policy, spent = image_six.tune(easy, "symmetry", 1)
    assert (spent["stopped_by"], spent["queries"]) == ("reward", 0)
    drawn, own = easy.draw(policy, 8, 3), easy.draw(easy.bench.own, 8, 3)
    assert torch.equal(drawn, own)
    hard = replace(easy, plan=replace(easy.plan, seconds=0.1, margin=1e6))
    assert image_six.tune(hard, "symmetry", 1)[1]["stopped_by"] == "seconds"


def test_the_reward_is_weighed_in_units_of_what_the_best_gains(setting):
    setting.targets.update(symmetry=image_six.Target(0.25, 0.75), fidelity=image_six.Target(-2.0, -1.0))
    assert setting.weights("symmetry") == {"symmetry": 2.0, "fidelity": 0.1}
    assert setting.weights("fidelity") == {"fidelity": 1.0}
