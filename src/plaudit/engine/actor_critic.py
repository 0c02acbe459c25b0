"""The network pair of actor-critic learners, and the policy that is stored and used afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from gymnasium import Space, spaces
from torch import Tensor, nn

from plaudit.engine import nets
from plaudit.engine import spaces as space_json
from plaudit.engine.actions import check_mask, make_head
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError

LIMIT = 10.0
"""Normalised observations are kept within this many deviations."""


class ActorCritic(nn.Module):
    """Observation `(B, *O)` to the numbers of the action head `(B, n)` and the value `(B,)`.

    With `shared` one network carries both, the value being one more output; else the critic is a second
    network of the same config. `normalise` shifts and scales Box observations by two stored tensors.
    """

    def __init__(
        self,
        observation_space: Space[Any],
        action_space: Space[Any],
        network: Any,
        shared: bool = False,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.observation_space, self.action_space = observation_space, action_space
        self.network = nets.config_of(network)
        self.shared = shared
        self.head = make_head(action_space)
        self.actor = nets.build(self.network, observation_space, self.head.outputs + int(shared))
        self.critic = None if shared else nets.build(self.network, observation_space, 1)
        self.free = nn.Parameter(torch.zeros(self.head.free)) if self.head.free else None
        self.normalise = normalise and isinstance(observation_space, spaces.Box)
        shape = observation_space.shape if self.normalise and observation_space.shape else ()
        self.obs_mean: Tensor
        self.obs_scale: Tensor
        self.register_buffer("obs_mean", torch.zeros(shape), persistent=self.normalise)
        self.register_buffer("obs_scale", torch.ones(shape), persistent=self.normalise)

    def prepare(self, obs: Tensor) -> Tensor:
        """Normalise `obs (B, *O)` where the model does; the other methods take what this returns."""
        if not self.normalise:
            return obs
        return ((obs - self.obs_mean) * self.obs_scale).clamp(-LIMIT, LIMIT)

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Map prepared `(B, *O)` to the head's numbers `(B, n)` and the value `(B,)`."""
        out: Tensor = self.actor(obs)
        if self.critic is None:
            return self._widen(out[:, :-1]), out[:, -1]
        return self._widen(out), self.critic(obs).squeeze(-1)

    def decide(self, obs: Tensor) -> Tensor:
        """Map prepared `(B, *O)` to the head's numbers `(B, n)` alone."""
        out: Tensor = self.actor(obs)
        return self._widen(out if self.critic is not None else out[:, : out.shape[1] - 1])

    def value(self, obs: Tensor) -> Tensor:
        """Map prepared `(B, *O)` to the value `(B,)` alone."""
        out: Tensor = self.actor(obs)[:, -1] if self.critic is None else self.critic(obs).squeeze(-1)
        return out

    def _widen(self, out: Tensor) -> Tensor:
        if self.free is None:
            return out
        return torch.cat([out, self.free.expand(len(out), -1)], -1)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator, log_std: float = 0.0) -> None:
        """Draw orthogonal weights (Saxe et al., 2014): the first policy is nearly uniform.

        `log_std`: what the learned deviations of Box actions begin with.
        """
        if self.free is not None:
            self.free.fill_(log_std)
        for net, last_gain in ((self.actor, 0.01), (self.critic, 1.0)):
            if net is None:
                continue
            last = last_layers(net)
            for layer in net.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    gain = last_gain if layer in last else math.sqrt(2.0)
                    nn.init.orthogonal_(layer.weight, gain, generator=generator)
                    if layer.bias is not None:
                        layer.bias.zero_()


def last_layers(net: nn.Module) -> Sequence[nn.Module]:
    """The layers that write a network's output: as it says itself, else its last linear layer."""
    known = getattr(net, "last_layers", None)
    if known is not None:
        return list(known)
    return [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1:]


class ActorPolicy:
    """A trained actor, with the critic that judges its states."""

    def __init__(self, model: ActorCritic) -> None:
        self.model = model

    @torch.no_grad()
    def act(
        self,
        obs: Tensor,
        state: Any = None,
        mask: Tensor | None = None,
        generator: RowRandom | None = None,
    ) -> tuple[Tensor, Any, Tensor]:
        """Map `obs (B, *O)` to `action, state, log_prob (B,)`; the likeliest action without a generator."""
        if mask is not None:
            check_mask(mask)
        distribution = self.model.head(self.model.decide(self.model.prepare(obs)), mask)
        raw = distribution.mode() if generator is None else distribution.sample(generator)
        return self.model.head.action(raw), state, distribution.log_prob(raw)

    @torch.no_grad()
    def preferences(self, obs: Tensor) -> Tensor:
        """Log-probabilities `(B, A)` of Discrete actions for `obs (B, *O)`."""
        return self.model.decide(self.model.prepare(obs)).log_softmax(1)

    def tensors(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}

    def describe(self) -> dict[str, Any]:
        return {
            "kind": "actor-critic",
            "observation_space": space_json.describe(self.model.observation_space),
            "action_space": space_json.describe(self.model.action_space),
            "network": nets.describe(self.model.network),
            "shared": self.model.shared,
            "normalise": self.model.normalise,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> ActorPolicy:
        """Make the described policy; raises `InputError` when the tensors are not its own."""
        model = ActorCritic(
            space_json.rebuild(description["observation_space"]),
            space_json.rebuild(description["action_space"]),
            description["network"],
            shared=bool(description["shared"]),
            normalise=bool(description["normalise"]),
        )
        load_tensors(model, tensors)
        return cls(model)


@torch.no_grad()
def load_tensors(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Copy tensors into a model in place; raises `InputError` unless names and shapes agree."""
    own = model.state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in own.items()}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != given:
        odd = sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))
        name = odd[0]
        raise InputError(
            f"the stored weights do not fit the model: {name} should be {wanted.get(name, 'absent')}, "
            f"is {given.get(name, 'absent')} ({len(odd)} differ in all)."
        )
    for name, tensor in own.items():
        tensor.copy_(tensors[name])
