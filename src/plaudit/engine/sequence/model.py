"""A recurrent model of token sequences under conditions that are known ahead for every step.

A gated recurrent unit (Cho et al., 2014) reads the token before, tokens some distances back (as in the
"lookback" of Waite, 2016: what came a bar ago), and an encoding of the conditions: this step's, and by a
second recurrence from the end what is still to come. Locked tokens are conditions like any other, so
that one model continues, fills in and starts afresh.

With `copy` the model is also told how long each look back has agreed with what was written, and its head
may point at what stood there (a pointer to fixed places; after Vinyals et al., 2015, arXiv:1506.03134):
without it a repetition has to be decided afresh at every token, and breaks off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from plaudit.engine.nets import draw_weights
from plaudit.errors import InputError


@dataclass(frozen=True)
class GRUConfig:
    """A gated recurrent network over tokens."""

    hidden: int = 256
    """Width of the state that carries what was written."""
    embed: int = 48
    """Width of a token."""
    encoder: int = 64
    """Width of the encoding of this step's conditions, and of that of the steps to come."""
    copy: bool = False
    """Whether the head may point at what stood at each look back."""

    def __post_init__(self) -> None:
        for name in ("hidden", "embed", "encoder"):
            if not 1 <= getattr(self, name) <= 8192:
                raise InputError(f"{name} = {getattr(self, name)} is not in 1..8192.", place="network")


@dataclass(frozen=True)
class Shape:
    """What a model is made for: tokens, features of a condition, and distances looked back."""

    vocabulary: int
    features: int = 0
    looks: int = 0


@dataclass
class Prompts:
    """What is given for B sequences of up to T tokens.

    Attributes:
        mask: `(B, T, V)` bool: the tokens allowed at each step, at least one.
        length: `(B,)` int64: tokens of each row; the rest is padding.
        cond: `(B, T, C)` float32 conditions.
        back: `(B, K)` int64: distances at which the row looks back, at least 1; a model with fewer looks
            reads the first ones.
    """

    mask: Tensor
    length: Tensor
    cond: Tensor
    back: Tensor

    @property
    def valid(self) -> Tensor:
        """`(B, T)` bool: steps that are not padding."""
        return torch.arange(self.mask.shape[1]) < self.length[:, None]

    def rows(self, at: Any) -> Prompts:
        """The prompts of some rows."""
        return Prompts(self.mask[at], self.length[at], self.cond[at], self.back[at])

    def repeated(self, times: int) -> Prompts:
        """Every row `times` over, copies side by side."""
        return self.rows(torch.arange(len(self.length)).repeat_interleave(times))


class SequenceModel(nn.Module):
    """Log-probabilities of tokens given the tokens before and the conditions."""

    def __init__(self, shape: Shape, config: GRUConfig) -> None:
        super().__init__()
        self.shape, self.config = shape, config
        # The token after the last stands for "nothing yet".
        self.embed = nn.Embedding(shape.vocabulary + 1, config.embed)
        self.look = nn.ModuleList(
            nn.Embedding(shape.vocabulary + 1, config.embed) for _ in range(shape.looks)
        )
        width = config.embed * (1 + shape.looks)
        if shape.features:
            self.now = nn.Linear(shape.features, config.encoder)
            self.ahead = nn.GRU(config.encoder, config.encoder, batch_first=True)
            width += 2 * config.encoder
        self.cell = nn.GRU(width, config.hidden, batch_first=True)
        self.head = nn.Linear(config.hidden, shape.vocabulary)
        if self.copies:
            self.agreed = nn.ModuleList(nn.Embedding(AGREEMENTS, config.embed) for _ in range(shape.looks))
            self.point = nn.Linear(config.hidden, shape.looks)
            self.trust = nn.Parameter(torch.zeros(shape.looks, AGREEMENTS))

    @property
    def copies(self) -> bool:
        """Whether there are looks back to point at."""
        return self.config.copy and self.shape.looks > 0

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw all weights anew from `generator`."""
        draw_weights(self, generator)
        for layer in self.modules():
            if isinstance(layer, nn.Embedding):
                layer.weight.normal_(0.0, 0.3, generator=generator)
            elif isinstance(layer, nn.GRU):
                bound = layer.hidden_size**-0.5
                for weight in layer.parameters():
                    weight.uniform_(-bound, bound, generator=generator)
        if self.copies:
            self.trust.zero_()

    def encode(self, prompts: Prompts) -> Tensor:
        """Encode conditions to `(B, T, 2E)`: this step's, and all from the row's end to here."""
        now = torch.tanh(self.now(prompts.cond))
        # Each row is turned round within its own length: its padding stays behind and says nothing.
        step = torch.arange(now.shape[1])
        turned = torch.where(prompts.valid, prompts.length[:, None] - 1 - step, step)[..., None]
        turned = turned.expand(now.shape)
        ahead, _ = self.ahead(now.gather(1, turned))
        return torch.cat([now, ahead.gather(1, turned)], 2)

    def inputs(self, prompts: Prompts, ids: Tensor) -> Tensor:
        """What the recurrence reads `(B, T, W)` when `ids (B, T)` is what is written."""
        parts = [self.embed(shifted(ids, torch.ones_like(prompts.length), self.shape.vocabulary))]
        for k, look in enumerate(self.look):
            seen = look(shifted(ids, prompts.back[:, k], self.shape.vocabulary))
            if self.copies:
                seen = seen + self.agreed[k](agreement(ids, prompts.back[:, k]))
            parts.append(seen)
        if self.shape.features:
            parts.append(self.encode(prompts))
        return torch.cat(parts, 2)

    def log_probs(
        self, prompts: Prompts, ids: Tensor, dropout: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Log-probabilities `(B, T, V)` of every token at every step of `ids (B, T)`; -inf = not allowed."""
        x = self.inputs(prompts, ids)
        if dropout:
            x = x * _kept(x, dropout, generator)
        state, _ = self.cell(x)
        if dropout:
            state = state * _kept(state, dropout, generator)
        logits = self.head(state)
        if self.copies:
            logits = logits + self._pointed(prompts, ids, state)
        return masked_log_softmax(logits, prompts.mask)

    def _pointed(self, prompts: Prompts, ids: Tensor, state: Tensor) -> Tensor:
        """What pointing at the looks back adds to the logits, `(B, T, V)`."""
        looks = [prompts.back[:, k] for k in range(self.shape.looks)]
        token = torch.stack([shifted(ids, back, self.shape.vocabulary) for back in looks], 2)
        run = torch.stack([agreement(ids, back) for back in looks], 2)
        return pointed(self.point(state) + trusted(self.trust, run), token, self.shape.vocabulary)

    def of(self, prompts: Prompts, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability `(B, T)` of the written tokens and entropy `(B, T)` of the choice; 0 in padding."""
        log_probs = self.log_probs(prompts, ids)
        taken = log_probs.gather(2, ids[..., None]).squeeze(2)
        entropy = -(log_probs.exp() * log_probs.clamp(min=-1e4)).sum(2)
        valid = prompts.valid
        return taken.where(valid, 0.0), entropy.where(valid, 0.0)


def refuse_space(config: GRUConfig, observation_space: Any, outputs: int) -> nn.Module:
    """A gru reads sequences alone; raises `InputError`."""
    raise InputError(
        "a gru reads sequences, not observations.", place="network.kind", hint="Known here: mlp, conv."
    )


def masked_log_softmax(logits: Tensor, mask: Tensor) -> Tensor:
    """Log-softmax over the last axis among the tokens that `mask` allows."""
    return logits.masked_fill(~mask, -torch.inf).log_softmax(-1)


def shifted(ids: Tensor, distance: Tensor, blank: int) -> Tensor:
    """`ids (B, T)` moved right by `distance (B,)`, with `blank` where nothing was."""
    source = torch.arange(ids.shape[1]) - distance[:, None]
    return ids.gather(1, source.clamp(min=0)).where(source >= 0, blank)


AGREEMENTS = 6
"""Kinds of agreement told apart: of 0, 1, 2-3, 4-7, 8-15 and 16 or more tokens."""


def agreement(ids: Tensor, distance: Tensor) -> Tensor:
    """For how long, before each step of `ids (B, T)`, the tokens were those `distance (B,)` before: its kind.

    >>> agreement(torch.tensor([[5, 6, 5, 6, 5, 7, 5]]), torch.tensor([2])).tolist()
    [[0, 0, 0, 1, 2, 2, 0]]
    """
    steps = ids.shape[1]
    same = ids == shifted(ids, distance, -1)
    at = torch.arange(steps)
    # The last step at which they differed, before each step.
    broken = torch.where(same, -1, at).cummax(1).values
    run = torch.zeros_like(ids)
    run[:, 1:] = (at - broken)[:, :-1]
    return agreement_kind(run)


def agreement_kind(run: Tensor) -> Tensor:
    """The kind of an agreement of `run` tokens: the number of its binary digits, at most `AGREEMENTS - 1`."""
    bounds = torch.tensor([1, 2, 4, 8, 16], dtype=run.dtype)
    return torch.bucketize(run, bounds, right=True)


def trusted(trust: Tensor, kind: Tensor) -> Tensor:
    """Entries `(..., K)` of `trust (K, AGREEMENTS)` for the kinds `(..., K)`."""
    return trust[torch.arange(len(trust)), kind]


def pointed(weight: Tensor, token: Tensor, vocabulary: int) -> Tensor:
    """Sums `(..., V)` of the weights `(..., K)` of what points at each token `(..., K)`; V = at nothing."""
    found = weight.new_zeros(*weight.shape[:-1], vocabulary + 1)
    return found.scatter_add(-1, token, weight)[..., :vocabulary]


def _kept(x: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    """Inverted dropout: one mask for all steps of a row (Gal and Ghahramani, 2016)."""
    keep = torch.empty(x.shape[0], 1, x.shape[2]).bernoulli_(1.0 - dropout, generator=generator)
    return keep / (1.0 - dropout)
