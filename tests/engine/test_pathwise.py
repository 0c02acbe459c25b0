"""The pathwise learner on a world with a known answer."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from plaudit.engine.learner import UnitWeights
from plaudit.engine.pathwise import Pathwise, PathwiseConfig
from plaudit.errors import Diverged, InputError


class Walk:
    """Two steps from 0 to a goal that is seen: each action is a step in [-1, 1]."""

    steps, term_names = 2, ("near",)
    weighing = UnitWeights(("near",))
    observation_space = spaces.Box(-4.0, 4.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    scale = 1.0

    def begin(self, rows, random, share):
        return torch.from_numpy(random.uniform(-1.5, 1.5, (rows, 1)).astype(np.float32)), torch.zeros(rows, 1)

    def observe(self, state):
        return torch.cat(state, 1)

    def act(self, state, action):
        return state[0], state[1] + action

    def score(self, state):
        return -self.scale * (state[0] - state[1]).square()


NETWORK = {"kind": "mlp", "hidden": [32]}


def learner(**settings):
    config = PathwiseConfig(updates=40, learning_rate=1e-2, **settings)
    return Pathwise(Walk(), Walk.weighing, config, NETWORK, 3)


def test_it_reaches_the_goal():
    one = learner()
    for share in np.linspace(0, 1, 8):
        one.share = float(share)
        row = one.step()
    assert row["terms"]["near"]["raw"] > -0.003  # standing still has -.75
    assert one.progress == (8 * 40 * 64, "episodes")
    goal = torch.tensor([[1.2, 0.0], [-0.6, 0.0]])
    first = one.policy().act(goal)[0]
    second = one.policy().act(torch.cat([goal[:, :1], first], 1))[0]
    assert torch.allclose(first + second, goal[:, :1], atol=0.12)


def test_a_resumed_training_is_the_uninterrupted_one():
    one, two = learner(along=0.5), learner(along=0.5)
    one.step()
    two.load_state_dict(one.state_dict(), one.policy().tensors())
    assert one.step() == two.step()
    for name, tensor in one.policy().tensors().items():
        assert torch.equal(tensor, two.policy().tensors()[name])


def test_a_loss_that_is_not_finite_is_a_divergence():
    one = learner()
    one.world.scale = float("inf")
    with pytest.raises(Diverged):
        one.step()


def test_discrete_actions_are_refused():
    world = Walk()
    world.action_space = spaces.Discrete(3)
    with pytest.raises(InputError, match="Box"):
        Pathwise(world, world.weighing, PathwiseConfig(), NETWORK, 0)
