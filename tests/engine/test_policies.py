"""Stored policies: description and tensors rebuild the same policy; damaged ones are refused."""

import dataclasses
import json

import pytest
import torch
from gymnasium import spaces

from plaudit.engine import algorithms, policies
from plaudit.engine.actor_critic import ActorCritic, ActorPolicy
from plaudit.engine.nets.conv import ConvConfig
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError

BOX, GRID = spaces.Box(-1.0, 1.0, (4,)), spaces.Box(0.0, 1.0, (3, 3, 2))
CASES = {
    "discrete": (BOX, spaces.Discrete(3), MLPConfig((8,)), False),
    "several": (BOX, spaces.MultiDiscrete([2, 3]), MLPConfig((8,), "tanh"), True),
    "box": (BOX, spaces.Box(-2.0, 1.0, (2,)), MLPConfig((8,)), False),
    "cells": (GRID, spaces.Discrete(18), ConvConfig(4, 2, dilations=(1, 2)), True),
}


def policy_of(case, normalise=True):
    observation, action, network, shared = CASES[case]
    model = ActorCritic(observation, action, network, shared, normalise)
    model.initialise(torch.Generator().manual_seed(0))
    model.obs_mean.fill_(0.3)
    return ActorPolicy(model)


@pytest.mark.parametrize("case", CASES)
def test_round_trip(case):
    policy = policy_of(case)
    again = policies.build(json.loads(json.dumps(policy.describe())), policy.tensors())
    obs = torch.rand((5, *CASES[case][0].shape), generator=torch.Generator().manual_seed(1))
    for seeds in (None, [1, 2, 3, 4, 5]):
        made = [p.act(obs, generator=seeds and RowRandom(seeds)) for p in (policy, again)]
        assert torch.equal(made[0][0], made[1][0])
        assert torch.equal(made[0][2], made[1][2])
    for action in made[0][0]:
        assert CASES[case][1].contains(action.numpy())


def test_greedy_keeps_to_the_mask():
    policy = policy_of("discrete")
    obs = torch.zeros(3, 4)
    mask = torch.eye(3) > 0
    assert policy.act(obs, mask=mask)[0].tolist() == [0, 1, 2]
    mask[1] = False
    with pytest.raises(InputError, match="row 1"):
        policy.act(obs, mask=mask)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "actor-critc"}, 'Did you mean "actor-critic"'),
        ({"kind": None}, "kind"),
        ({"action_space": {"type": "discrete", "n": 4, "start": 0}}, "do not fit"),
        ({"action_space": {"type": "sphere"}}, "sphere"),
        ({"network": {"kind": "mlp", "hiden": [8]}}, "hidden"),
        ({"network": {"kind": "mlp", "hidden": "wide"}}, "damaged"),
        ({"observation_space": 7}, "not complete|damaged"),
    ],
)
def test_damaged_descriptions_are_refused(change, words):
    policy = policy_of("discrete")
    with pytest.raises(InputError, match=words):
        policies.build({**policy.describe(), **change}, policy.tensors())


def test_foreign_tensors_are_refused():
    policy = policy_of("discrete")
    tensors = policy.tensors()
    tensors["actor.layers.0.weight"] = torch.zeros(2, 2)
    with pytest.raises(InputError, match=r"actor\.layers\.0\.weight"):
        policies.build(policy.describe(), tensors)
    with pytest.raises(InputError, match="do not fit"):
        policies.build(policy.describe(), {})


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_every_algorithm_is_there(name):
    assert algorithms.learner_class(name).step
    first = dataclasses.fields(algorithms.config_class(name))[0]
    assert getattr(algorithms.configure(name, {first.name: first.default}), first.name) == first.default
    with pytest.raises(InputError, match=f'Did you mean "{first.name}"'):
        algorithms.configure(name, {f"{first.name}x": 1})


def test_an_unknown_algorithm_is_refused():
    with pytest.raises(InputError, match='Did you mean "ppo"'):
        algorithms.get_algorithm("ppp")
