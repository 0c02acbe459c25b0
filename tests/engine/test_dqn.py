"""DQN: the loss by hand, a known optimum, exact resume, what it refuses."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn, tensor
from worlds import VectorEnv, chain, grid, optimal_values

from plaudit.engine.dqn import DQN, DQNConfig, QPolicy
from plaudit.engine.dqn_update import dqn_loss
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.random import RowRandom
from plaudit.errors import Diverged, InputError

PLAIN_2015 = {"double": False, "huber": 0.0, "path": "plain"}
ALL_ON = {"dueling": True, "n_step": 3, "prioritised": True, "target_tau": 0.01}
QUICK = DQNConfig(
    learning_rate=2e-3, gamma=0.9, learning_starts=200, target_period=50, epsilon_end=0.3, epsilon_until=0.5
)


def make(config=QUICK, model=None, rows=8, seed=0):
    env = VectorEnv(chain() if model is None else model, rows)
    return DQN(env, UnitWeights(env.term_names), config, MLPConfig(hidden=(32, 32)), seed)


def train(learner, steps):
    while learner.progress[0] < steps:
        learner.share = learner.progress[0] / steps
        learner.step()
    return learner


class Table(nn.Module):
    """A network whose output for observation i is row i of a table."""

    def __init__(self, rows):
        super().__init__()
        self.table = nn.Parameter(tensor(rows))

    def forward(self, obs):
        return self.table[obs]


def test_the_loss_by_hand():
    online, target = Table([[1.0, 2.0], [3.0, 0.0]]), Table([[0.0, 0.0], [5.0, 8.0]])
    batch = {
        "obs": tensor([0, 0]),
        "action": tensor([1, 0]),
        "reward": tensor([1.0, 0.5]),
        "discount": tensor([0.5, 0.0]),
        "next_obs": tensor([1, 1]),
        "weight": tensor([1.0, 0.5]),
    }
    # Targets 1 + 0.5 * 8 and 0.5; errors 3 and -0.5; Huber 2.5 and 0.125, the second at half weight.
    loss, error = dqn_loss(online, target, batch, DQNConfig(double=False, huber=1.0))
    assert error.tolist() == [3.0, -0.5]
    assert float(loss.detach()) == pytest.approx((2.5 + 0.0625) / 2)
    # Double: the online network prefers action 0, which the target values at 5.
    assert dqn_loss(online, target, batch, DQNConfig())[1].tolist() == [1.5, -0.5]
    # The mask leaves action 1 alone, for both.
    batch["next_mask"] = tensor([[False, True], [False, True]])
    assert dqn_loss(online, target, batch, DQNConfig())[1].tolist() == [3.0, -0.5]
    squared = dqn_loss(online, target, batch, DQNConfig(huber=0.0))[0]
    assert float(squared.detach()) == pytest.approx((4.5 + 0.5 * 0.125) / 2)


@pytest.mark.parametrize("switches", [{}, PLAIN_2015, ALL_ON], ids=["default", "2015", "all-on"])
def test_it_finds_the_optimum_of_the_chain(switches):
    learner = train(make(dataclasses.replace(QUICK, **switches)), 8_000)
    best = optimal_values(chain(), 0.9)
    obs = torch.eye(10)[1:9]
    assert learner.policy().act(obs)[0].tolist() == best[1:9].argmax(1).tolist()
    q = learner.twins.online(obs).detach().numpy().max(1)
    # The rewards of n steps come from the exploring policy: they draw the values down.
    assert q == pytest.approx(best[1:9].max(1), abs=0.25 if "n_step" in switches else 0.12)


@pytest.mark.parametrize(
    "switches", [{}, {**ALL_ON, "path": "plain"}, ALL_ON], ids=["default", "plain", "fast"]
)
def test_resume_is_exact(switches):
    model = grid([".....", ".#.#.", "....."], start=(0, 0), goal=(2, 4), masked=True)
    config = dataclasses.replace(QUICK, chunk=250, **switches)
    one, two = make(config, model), make(config, model, seed=7)
    train(one, 700)
    two.load_state_dict(one.state_dict(), one.policy().tensors())
    assert two.progress == one.progress
    for share in (0.5, 0.7):
        one.share = two.share = share
        assert one.step() == two.step()
    for name, value in one.policy().tensors().items():
        assert torch.equal(value, two.policy().tensors()[name]), name
    for name, value in one.replay.state_dict()["columns"].items():
        assert np.array_equal(value, two.replay.state_dict()["columns"][name]), name


@pytest.mark.slow
def test_it_learns_to_balance_the_pole():
    """Far beyond the 22 of chance; the claimed figure is measured by `python -m benchmarks engine`."""
    from benchmarks import cartpole

    scores = [cartpole.evaluate(cartpole.dqn_tuned(seed), 100, 9_000) for seed in range(3)]
    assert sum(scores) / 3 >= 300.0


def test_masked_actions_are_never_taken():
    model = grid(["...", ".#.", "..."], start=(0, 0), goal=(2, 2), masked=True)
    learner = make(dataclasses.replace(QUICK, epsilon_start=1.0, epsilon_end=1.0, chunk=800), model)
    learner.step()
    size = learner.replay.size
    state = learner.replay.columns["obs"][:size].argmax(1)
    assert model.allowed[0, state, learner.replay.columns["action"][:size]].all()
    following = learner.replay.columns["next_obs"][:size].argmax(1)
    assert np.array_equal(learner.replay.columns["next_mask"][:size], model.allowed[0, following])
    free = make(dataclasses.replace(QUICK, masks=False, epsilon_end=1.0, chunk=800), model)
    free.step()
    assert "next_mask" not in free.replay.columns


def test_updates_follow_the_transitions():
    learner = make(dataclasses.replace(QUICK, learning_starts=100, train_every=4, chunk=1000), rows=3)
    learner.step()
    assert learner.progress == (1002, "steps")
    assert learner.twins.updates == 1002 // 4 - 99 // 4
    assert learner.replay.size == 1002


def test_the_learning_rate_reaches_its_end_with_the_budget():
    learner = make(dataclasses.replace(QUICK, learning_rate_end=0.0))
    learner.share = 1.0
    before = learner.twins.params.clone()
    assert learner.step()["updates"] > 0
    assert torch.equal(learner.twins.params, before)


def test_the_figures_of_a_step():
    learner = make(dataclasses.replace(QUICK, chunk=2_000))
    learner.share = 0.25
    row = learner.step()
    assert row["epsilon"] == pytest.approx(0.65)
    assert row["episodes"] > 0
    assert row["terms"]["t0"]["weighted"] == pytest.approx(row["return"])
    assert row["loss"] > 0
    assert row["masked"] == 0


def test_unscored_rows_are_masked_and_counted():
    model = chain()
    terms = model.terms.copy()
    terms[0, 5] = np.nan
    learner = make(dataclasses.replace(QUICK, chunk=2_000), dataclasses.replace(model, terms=terms))
    row = learner.step()
    assert row["masked"] > 0
    assert learner.replay.size == 2_000 - row["masked"]
    assert not np.isnan(learner.replay.columns["reward"]).any()


def test_infinite_terms_and_observations_diverge_at_once():
    model = chain()
    with pytest.raises(Diverged, match="t0"):
        make(model=dataclasses.replace(model, terms=np.full_like(model.terms, np.inf))).step()
    learner = make()
    learner.env._see = lambda state: torch.full((8, 10), torch.nan)
    with pytest.raises(Diverged, match="observation of row 0"):
        learner.step()


@pytest.mark.parametrize("path", ["plain", "fast"])
def test_a_broken_network_diverges_at_once(path):
    learner = make(dataclasses.replace(QUICK, path=path))
    learner.twins.params.fill_(float("nan"))
    with pytest.raises(Diverged, match="loss"):
        learner.step()


def test_other_actions_are_refused():
    env = FromGym("Pendulum-v1", 1)
    with pytest.raises(InputError, match="Discrete actions"):
        DQN(env, UnitWeights(env.term_names), DQNConfig(), MLPConfig(), 0)
    env = VectorEnv(chain(), 1)
    env.action_space = spaces.MultiDiscrete([2, 2])
    with pytest.raises(InputError, match="PPO"):
        DQN(env, UnitWeights(env.term_names), DQNConfig(), MLPConfig(), 0)


@pytest.mark.parametrize("field", [{"train_every": 0}, {"path": "quick"}, {"gamma": 1.5}])
def test_wrong_settings_are_refused(field):
    with pytest.raises(InputError, match=str(next(iter(field)))):
        DQNConfig(**field)


@pytest.mark.parametrize("dueling", [False, True])
def test_the_policy_is_rebuilt_from_its_description(dueling):
    policy = make(dataclasses.replace(QUICK, dueling=dueling)).policy()
    again = QPolicy.from_description(policy.describe(), policy.tensors())
    obs = torch.eye(10)
    assert torch.equal(policy.act(obs)[0], again.act(obs)[0])
    one, two = (p.act(obs, generator=RowRandom(np.arange(10))) for p in (policy, again))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[2], two[2])


def test_a_policy_that_claims_more_than_it_has_is_refused():
    policy = make().policy()
    claim = policy.describe()
    claim["network"]["hidden"] = [16_384] * 64
    with pytest.raises(RuntimeError, match="layers"):
        QPolicy.from_description(claim, policy.tensors())
    with pytest.raises(InputError, match="float32"):
        QPolicy.from_description(policy.describe(), {k: v.double() for k, v in policy.tensors().items()})


def test_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    one = make(seed=5).policy().tensors()
    torch.manual_seed(2)
    two = make(seed=5).policy().tensors()
    other = make(seed=6).policy().tensors()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_the_first_update_imports_nothing_heavy():
    code = (
        "import sys, plaudit\n"
        "from plaudit.engine.dqn import DQN, DQNConfig\n"
        "from plaudit.engine.gym import FromGym\n"
        "from plaudit.engine.learner import UnitWeights\n"
        "from plaudit.engine.nets.mlp import MLPConfig\n"
        "env = FromGym('CartPole-v1', 4)\n"
        "config = DQNConfig(learning_starts=64, chunk=100)\n"
        "learner = DQN(env, UnitWeights(env.term_names), config, MLPConfig(), 0)\n"
        "assert learner.step()['updates'] > 0\n"
        "print([name for name in ('torch._dynamo', 'numba', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
