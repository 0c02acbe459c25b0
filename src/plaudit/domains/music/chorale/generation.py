"""From a policy to chorales, in chunks of one size and one length: an item depends on its seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.chorale.asks import chorales_from
from plaudit.domains.music.chorale.conditions import SHAPE, prompts_of
from plaudit.domains.music.chorale.grid import STEP, by_voice
from plaudit.domains.music.chorale.request import ChoraleRequest, chorale_asks, draw_chorales, finished
from plaudit.domains.music.chorale.strict import strictly
from plaudit.domains.music.score import Piece
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.decode import sample
from plaudit.engine.sequence.model import Prompts
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import InputError
from plaudit.task import Item

ROWS = 32
"""Rows of every chunk: sums depend on it in their last digits."""
_SALT = 0xC0A1
Write = Callable[[Prompts, RowRandom, bool], Tensor]
"""From prompts, the rows' generators and whether to be strict to tokens `(B, 4T)` in the order of writing."""


def generate_chorales(
    policy: Policy, requests: Sequence[ChoraleRequest], seeds: Sequence[int]
) -> Iterator[Item]:
    """Yield a chorale for each request and seed; raises `InputError` for a policy of another kind."""
    if not isinstance(policy, SequencePolicy) or policy.model.shape != SHAPE:
        raise InputError("the policy does not write chorales.")

    def write(prompts: Prompts, random: RowRandom, strict: bool) -> Tensor:
        narrow = strictly(prompts) if strict else None
        return sample(policy.model, prompts, random, narrow=narrow)[0]

    return written(write, requests, seeds)


def complete(requests: Sequence[ChoraleRequest], seeds: Sequence[int]) -> list[ChoraleRequest]:
    """Each request with what it leaves open drawn by its seed."""
    return [
        draw_chorales(1, (int(seed) ^ _SALT) % 2**31, request)[0]
        for request, seed in zip(requests, seeds, strict=True)
    ]


def written(write: Write, requests: Sequence[ChoraleRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Yield an item for each request and seed, in their order."""
    full = complete(requests, seeds)
    kinds = [(-(-int((r.soprano or {})["steps"]) // STEP), r.strict) for r in full]
    made: dict[int, Item] = {}
    for at in range(len(full)):
        if at not in made:
            # What is ahead and of one kind is written along; what lies before is out already.
            alike = [i for i in range(at, len(full)) if kinds[i] == kinds[at] and i not in made]
            made |= _chunk(write, full, seeds, alike[:ROWS])
        yield made.pop(at)


def _chunk(
    write: Write, requests: Sequence[ChoraleRequest], seeds: Sequence[int], chunk: Sequence[int]
) -> dict[int, Item]:
    """The items of up to `ROWS` requests of one length; rows without an item repeat the last one."""
    padded = [*chunk, *[chunk[-1]] * (ROWS - len(chunk))]
    asks = chorale_asks([requests[i] for i in padded])
    with torch.no_grad():
        random = RowRandom([seeds[i] for i in padded])
        tokens = write(prompts_of(asks), random, requests[chunk[0]].strict)
    chorales = chorales_from(asks, by_voice(np.asarray(tokens)))
    return {i: item_of(requests[i], chorales[row], seeds[i]) for row, i in enumerate(chunk)}


def item_of(request: ChoraleRequest, piece: Piece, seed: int) -> Item:
    """A written piece as an item, with what stands exactly as it was given."""
    done = finished(request, piece)
    return Item(done, request, int(seed), {"evaluations": 0, "steps": done.steps})
