"""Imitation: the loss by hand, the values it finds, resuming, and what DQN begins from."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from plaudit.engine.imitation import Imitation, ImitationConfig, Played, imitation_loss
from plaudit.errors import InputError


class Line:
    """Four places in a row; the teacher goes right (1) from all but the last, and earns 1 at the end."""

    observation_space = spaces.Discrete(4)
    action_space = spaces.Discrete(3)

    def play(self, random, gamma):
        at = random.integers(0, 4, 64)
        return Played(at, np.where(at < 3, 1, 2), (gamma ** (3 - at)).astype(np.float32))


def learner(**settings):
    config = ImitationConfig(batch_size=32, gamma=0.5, margin=0.2, **settings)
    return Imitation(Line(), None, config, {"kind": "mlp", "hidden": [32]}, 0)


def test_the_loss_is_what_it_says():
    q = torch.tensor([[1.0, 2.0, 0.0], [0.5, 0.0, 3.0]])
    config = ImitationConfig(margin=0.5, margin_coef=2.0)
    found = imitation_loss(q, torch.tensor([1, 0]), torch.tensor([1.0, 0.5]), config)
    # Values: (2 - 1)^2 / 2 and 0; margins: max(1.5, 2, 0.5) - 2 = 0 and 3.5 - 0.5 = 3.
    assert float(found) == pytest.approx(0.25 + 2.0 * 1.5)


def test_it_does_what_was_done_and_knows_what_that_earned():
    model = learner(margin_coef=0.05, learning_rate=1e-2)
    for k in range(60):
        model.share = k / 60
        metrics = model.step()
    q = model.policy().preferences(torch.arange(4)).numpy()
    assert q.argmax(1).tolist() == [1, 1, 1, 2] and metrics["same_action"] == 1.0
    assert np.allclose(q.max(1), [0.125, 0.25, 0.5, 1.0], atol=0.1)
    assert (np.sort(q, 1)[:, -1] - np.sort(q, 1)[:, -2] > 0.1).all()


def test_a_resumed_run_is_the_uninterrupted_one():
    one, two = learner(), learner()
    for _ in range(3):
        one.step()
    two.load_state_dict(one.state_dict(), one.policy().tensors())
    one.step(), two.step()
    for a, b in zip(one.policy().tensors().values(), two.policy().tensors().values(), strict=True):
        assert torch.equal(a, b)
    assert two.progress == (256, "moments")


def test_dqn_begins_from_it_with_both_networks():
    from plaudit.engine.dqn import DQN, DQNConfig
    from plaudit.engine.gym import FromGym
    from plaudit.engine.learner import UnitWeights

    env = FromGym("CartPole-v1", 2)
    dqn = DQN(env, UnitWeights(env.term_names), DQNConfig(), {"kind": "mlp", "hidden": [8]}, 0)
    other = {name: torch.ones_like(t) for name, t in dqn.policy().tensors().items()}
    dqn.load_weights(other)
    assert torch.equal(dqn.twins.target_params, torch.ones_like(dqn.twins.target_params))
    assert torch.equal(dqn.twins.params, dqn.twins.target_params)


@pytest.mark.parametrize("wrong", [{"passes": 0}, {"margin": -1.0}])
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(InputError):
        ImitationConfig(**wrong)
