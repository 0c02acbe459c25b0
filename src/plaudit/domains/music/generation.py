"""From a policy to melodies, in chunks of one size and one length: an item depends on its seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.music.asks import Asks
from plaudit.domains.music.conditions import SHAPE, prompts_of
from plaudit.domains.music.infill import InfillRequest, draw_infills, finished, infill_asks
from plaudit.domains.music.likeness import shipped_prior
from plaudit.domains.music.lines import TOKENS
from plaudit.domains.music.melody_env import Sight, View, space_of
from plaudit.domains.music.request import MelodyRequest, asks_of, draw_requests, lines_from
from plaudit.domains.music.score import Piece
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.decode import sample
from plaudit.engine.sequence.model import Prompts
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import InputError
from plaudit.task import Item

ROWS = 64
"""Rows of every chunk: sums depend on it in their last digits."""
_SALT = 0x3EED
Write = Callable[[Prompts, RowRandom], Tensor]
"""From prompts and the rows' generators to tokens `(B, T)`."""


def generate_melodies(
    policy: Policy, requests: Sequence[MelodyRequest], seeds: Sequence[int]
) -> Iterator[Item]:
    """Yield a melody for each request and seed; raises `InputError` for a policy of another kind."""
    if not isinstance(policy, SequencePolicy):
        return written(token_by_token(policy), requests, seeds)
    if policy.model.shape != SHAPE:
        raise InputError("the policy does not write melodies.")
    return written(lambda prompts, random: sample(policy.model, prompts, random)[0], requests, seeds)


def token_by_token(policy: Policy) -> Write:
    """Writing with a policy of the environment (`melody_env.py`), which sees the shipped prior."""
    described = policy.describe()
    sight: Sight = "table" if described.get("kind") == "q-table" else "prior"

    def write(prompts: Prompts, random: RowRandom) -> Tensor:
        view = View(shipped_prior(), prompts, sight)
        _check_view(policy, view)
        while view.step < view.steps:
            view.put(policy.act(view.observe(), None, view.mask(), random)[0])
        return view.draft.ids

    return write


def _check_view(policy: Policy, view: View) -> None:
    """Raise `InputError` for a policy that sees something else."""
    seen = space_of(view.model, view.sight, view.steps)
    if view.sight == "table":
        states = policy.tensors()["q"].shape[1]
        if states != getattr(seen, "n", 0):
            steps = states // (TOKENS + 1) - 1
            raise InputError(
                f"its table is for lines of {steps} sixteenths, not {view.steps}.",
                hint="Ask for the bars and the metre that it was trained on.",
            )
    elif policy.describe().get("observation_space", {}).get("shape") != list(seen.shape or ()):
        raise InputError("the policy does not write melodies.")


def generate_infills(
    policy: Policy, requests: Sequence[InfillRequest], seeds: Sequence[int]
) -> Iterator[Item]:
    """Yield the piece of each request with its free bars written; errors as in `generate_melodies`."""
    if not isinstance(policy, SequencePolicy) or policy.model.shape != SHAPE:
        raise InputError("the policy does not write melodies.")
    return written(lambda p, random: sample(policy.model, p, random)[0], requests, seeds, INFILL)


@dataclass(frozen=True)
class Kind:
    """What differs between melody and infilling: how what is open is drawn, arrays, the finished piece."""

    draw: Callable[[int, int, Any], Sequence[Any]]
    asks: Callable[[Sequence[Any]], tuple[Asks, NDArray[np.int64]]]
    finish: Callable[[Any, Piece], Piece]


MELODY = Kind(draw_requests, asks_of, lambda request, line: replace(line, tempo=request.tempo))
INFILL = Kind(draw_infills, infill_asks, finished)


def written(
    write: Write, requests: Sequence[Any], seeds: Sequence[int], kind: Kind = MELODY
) -> Iterator[Item]:
    """Yield an item for each request and seed, in their order."""
    full = [
        kind.draw(1, (int(seed) ^ _SALT) % 2**31, request)[0]
        for request, seed in zip(requests, seeds, strict=True)
    ]
    asks, _ = kind.asks(full)
    made: dict[int, Item] = {}
    for at in range(len(full)):
        if at not in made:
            # What is ahead and as long is written along; what lies before is out already.
            alike = at + np.flatnonzero(asks.length[at:] == asks.length[at])
            chunk = [int(i) for i in alike if int(i) not in made][:ROWS]
            made |= dict(zip(chunk, _chunk(write, full, seeds, (kind, chunk)), strict=True))
        yield made.pop(at)


def _chunk(
    write: Write, requests: Sequence[Any], seeds: Sequence[int], which: tuple[Kind, Sequence[int]]
) -> list[Item]:
    """The items of up to `ROWS` requests of one length; rows without an item repeat the last one."""
    kind, chunk = which
    padded = [*chunk, *[chunk[-1]] * (ROWS - len(chunk))]
    asks, shift = kind.asks([requests[i] for i in padded])
    with torch.no_grad():
        tokens = write(prompts_of(asks), RowRandom([seeds[i] for i in padded]))
    lines = lines_from(asks, tokens.numpy(), shift)
    items = []
    for row, i in enumerate(chunk):
        piece = kind.finish(requests[i], lines[row])
        items.append(Item(piece, requests[i], int(seeds[i]), {"evaluations": 0, "steps": piece.steps}))
    return items
