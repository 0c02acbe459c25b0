"""Small worlds for the tests of the value learners: a chain, grids, and tables stepped row by row."""

from __future__ import annotations

import numpy as np
import torch
from gymnasium import spaces

from plaudit.engine.env import VecEnv
from plaudit.engine.random import RowRandom
from plaudit.engine.tabular_model import TabularModel

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


class TableEnv(VecEnv):
    """A `TabularModel` stepped as an environment, with the start states that the kernel draws."""

    def __init__(self, model, num_envs, *, offer=False):
        self.model, self.num_envs = model, num_envs
        _, states, actions = model.sizes
        self.observation_space, self.action_space = spaces.Discrete(states), spaces.Discrete(actions)
        self.term_names = tuple(f"t{k}" for k in range(model.terms.shape[3]))
        self.world = np.arange(num_envs) if len(model.next_state) > 1 else np.zeros(num_envs, int)
        if offer:
            self.tabular_model = lambda: model

    def reset(self, seed):
        self.random = RowRandom(seed * self.num_envs + np.arange(self.num_envs))
        self.state, self.length = np.zeros(self.num_envs, int), np.zeros(self.num_envs, int)
        self._begin(np.arange(self.num_envs))
        return torch.from_numpy(self.state)

    def _begin(self, rows):
        u = self.random.uniform(1, rows)[:, 0]
        world = self.world[rows]
        self.state[rows] = self.model.starts[world, (u * self.model.start_counts[world]).astype(int)]
        self.length[rows] = 0

    def step(self, action):
        at = (self.world, self.state, action.numpy())
        terms, done = self.model.terms[at], self.model.done[at]
        self.state = self.model.next_state[at].astype(int)
        self.length += 1
        truncated = ~done & (self.length == self.model.max_steps)
        final = self.state.copy()
        info = {"final_obs": torch.from_numpy(final)}
        if self.model.allowed is not None:
            info["final_mask"] = torch.from_numpy(self.model.allowed[self.world, final])
        self._begin(np.flatnonzero(done | truncated))
        return (*tuple(map(torch.from_numpy, (self.state.copy(), terms, done, truncated))), info)

    def action_mask(self):
        if self.model.allowed is None:
            return None
        return torch.from_numpy(self.model.allowed[self.world, self.state])

    def state_dict(self):
        return {"state": self.state.copy(), "length": self.length.copy(), "random": self.random.state_dict()}

    def load_state_dict(self, state):
        self.state, self.length = state["state"].copy(), state["length"].copy()
        self.random.load_state_dict(state["random"])


class VectorEnv(TableEnv):
    """The same, its state seen as a one-hot vector of floats."""

    def __init__(self, model, num_envs):
        super().__init__(model, num_envs)
        self.states = model.sizes[1]
        self.observation_space = spaces.Box(0.0, 1.0, (self.states,), np.float32)

    def _see(self, state):
        return torch.nn.functional.one_hot(state.long(), self.states).float()

    def reset(self, seed):
        return self._see(super().reset(seed))

    def step(self, action):
        obs, terms, terminated, truncated, info = super().step(action)
        info["final_obs"] = self._see(info["final_obs"])
        return self._see(obs), terms, terminated, truncated, info


def grid(rows, *, start, goal, fall=-100.0, limit=100, masked=False):
    """A grid world from text: `#` wall, `~` a cliff that pays `fall` and leads back to the start.

    A step costs 1; with `masked`, moves into walls and over the edge are not allowed.
    """
    height, width = len(rows), len(rows[0])
    cells = height * width
    following, reward = np.zeros((cells, 4), np.int32), np.full((cells, 4), -1.0)
    allowed = np.ones((cells, 4), bool)
    for s in range(cells):
        for a, (dy, dx) in enumerate(MOVES):
            y, x = s // width + dy, s % width + dx
            inside = 0 <= y < height and 0 <= x < width and rows[y][x] != "#"
            following[s, a] = y * width + x if inside else s
            allowed[s, a] = inside or not masked
            if inside and rows[y][x] == "~":
                following[s, a], reward[s, a] = start[0] * width + start[1], fall
    allowed[~allowed.any(1)] = True
    done = following == goal[0] * width + goal[1]
    return TabularModel(
        following[None],
        reward[None, :, :, None],
        done[None],
        np.array([[start[0] * width + start[1]]], np.int32),
        np.array([1]),
        limit,
        allowed[None] if masked else None,
    )


def chain(length=10):
    """Walk right to the end: 1 for arriving, 0.1 for stepping back to the beginning."""
    s = np.arange(length)
    following = np.stack([np.maximum(s - 1, 0), np.minimum(s + 1, length - 1)], 1).astype(np.int32)
    reward = np.zeros((length, 2))
    reward[length - 2, 1], reward[1, 0] = 1.0, 0.1
    done = following == length - 1
    done[1:2, 0] = True
    return TabularModel(
        following[None], reward[None, :, :, None], done[None], np.array([[2]], np.int32), np.array([1]), 60
    )


def optimal_values(model, gamma, weights=(1.0,), sweeps=2000):
    """Value iteration (Bellman, 1957): the action values `(S, A)` of world 0, -inf where not allowed."""
    reward = model.terms[0] @ np.asarray(weights)
    allowed = np.ones(reward.shape, bool) if model.allowed is None else model.allowed[0]
    q = np.zeros(reward.shape)
    for _ in range(sweeps):
        value = np.where(allowed, q, -np.inf).max(1)
        q = reward + gamma * ~model.done[0] * value[model.next_state[0]]
    return np.where(allowed, q, -np.inf)


def route(model, policy_action, limit=200):
    """The states that a policy visits from the first start of world 0 until it is done."""
    state, visited = int(model.starts[0, 0]), []
    while len(visited) < limit:
        visited.append(state)
        action = policy_action(state)
        done = model.done[0, state, action]
        state = int(model.next_state[0, state, action])
        if done:
            return [*visited, state]
    return visited
