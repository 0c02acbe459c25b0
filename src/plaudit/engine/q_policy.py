"""The policy of a trained Q-network: greedy, or epsilon-greedy where it is given random numbers."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import Space
from torch import Tensor

from plaudit.engine import nets, spaces
from plaudit.engine.dqn_update import QNetwork
from plaudit.engine.explore import Exploration
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError


class QPolicy:
    """Acts by the values of a network; `epsilon` is the share of random actions when sampling."""

    def __init__(
        self, network: QNetwork, config: Any, observation: Space[Any], action: Space[Any], epsilon: float
    ) -> None:
        self.network, self.config, self.epsilon = network, config, epsilon
        self.observation_space, self.action_space = observation, action

    @torch.no_grad()
    def act(
        self,
        obs: Tensor,
        state: Any = None,
        mask: Tensor | None = None,
        generator: RowRandom | None = None,
    ) -> tuple[Tensor, Any, Tensor]:
        """Map `obs (B, *O)` to `action (B,), state, log_prob (B,)`; greedy when `generator` is None."""
        q = self.network(obs).cpu().numpy()
        action, log_prob = Exploration("epsilon", self.epsilon).act(
            q, None if mask is None else mask.cpu().numpy(), generator
        )
        return torch.from_numpy(action).to(obs.device), state, torch.from_numpy(log_prob).to(obs.device)

    @torch.no_grad()
    def preferences(self, obs: Tensor) -> Tensor:
        """Action values `(B, A)` for `obs (B, *O)`."""
        q: Tensor = self.network(obs)
        return q

    def tensors(self) -> dict[str, Tensor]:
        """A copy of the network's tensors, by name."""
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def describe(self) -> dict[str, Any]:
        """JSON that `from_description` reads."""
        return {
            "kind": "q-network",
            "network": nets.describe(self.config),
            "dueling": self.network.dueling,
            "observation_space": spaces.describe(self.observation_space),
            "action_space": spaces.describe(self.action_space),
            "epsilon": self.epsilon,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> QPolicy:
        """Make the policy that `describe` described; tensors of other names or shapes are an error."""
        observation = spaces.rebuild(description["observation_space"])
        action: Any = spaces.rebuild(description["action_space"])
        config, dueling = nets.config_of(description["network"]), bool(description["dueling"])
        # Made without memory: a description that claims a huge network is refused by its tensors.
        with torch.device("meta"):
            network = QNetwork(nets.build(config, observation, int(action.n) + dueling), dueling)
        if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
            raise InputError("the tensors of a Q-network must be float32.")
        network.load_state_dict(tensors, assign=True)
        return cls(network, config, observation, action, float(description["epsilon"]))
