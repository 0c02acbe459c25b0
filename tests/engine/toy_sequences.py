"""A toy of 8 tokens and 6 steps, of which all 262,144 sequences can be listed."""

import copy

import numpy as np
import torch

from plaudit.engine.learner import UnitWeights
from plaudit.engine.sequence.gradient import SequenceConfig, SequenceGradient
from plaudit.engine.sequence.model import GRUConfig, Prompts, Shape

V, L = 8, 6
NETWORK = GRUConfig(hidden=32, embed=16, encoder=4)


def prompts(rows, steps=L):
    return Prompts(
        torch.ones(rows, steps, V, dtype=torch.bool),
        torch.full((rows,), steps),
        torch.zeros(rows, steps, 0),
        torch.zeros(rows, 0, dtype=torch.int64),
    )


class Toy:
    """Pays for rising steps and for ending where it began: neither can be had from one token alone."""

    shape = Shape(V)
    narrowing = None

    def draw(self, n, random):
        return prompts(n)

    def score(self, prompts, ids):
        return reward(ids)[:, None].numpy()


def reward(ids):
    rising = (ids[:, 1:] == ids[:, :-1] + 1).double().mean(1)
    return rising + 0.5 * (ids[:, -1] == ids[:, 0])


def learner(seed=0, **settings):
    made = SequenceGradient(Toy(), UnitWeights(("toy",)), SequenceConfig(**settings), NETWORK, seed)
    with torch.no_grad():
        # A prior with likes and dislikes: the head's weights as drawn are nearly uniform.
        made.model.head.weight.mul_(4.0)
    made.prior = copy.deepcopy(made.model).requires_grad_(False)
    return made


def everything():
    """All sequences `(V^L, L)`."""
    grid = np.indices((V,) * L).reshape(L, -1).T
    return torch.from_numpy(np.ascontiguousarray(grid))


def all_log_probs(model, ids, rows=32768):
    """Log-probability of each whole sequence, differentiable."""
    return torch.cat([model.of(prompts(len(part)), part)[0].sum(1) for part in ids.split(rows)])


def best(made, ids):
    """beta * ln Z, the most that reward less beta * KL can be."""
    with torch.no_grad():
        prior = all_log_probs(made.prior, ids).double()
    return float(made.beta * torch.logsumexp(prior + reward(ids) / made.beta, 0))


def objective(made, ids):
    """Reward less beta * KL of the model as it is, over all sequences; differentiable."""
    log_prob = all_log_probs(made.model, ids).double()
    with torch.no_grad():
        prior = all_log_probs(made.prior, ids).double()
    return (log_prob.exp() * (reward(ids) - made.beta * (log_prob - prior))).sum()
