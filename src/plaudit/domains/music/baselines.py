"""What stands beside a policy: any allowed token, a melody built by rule, bars copied into open ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from plaudit.domains.music.build import built
from plaudit.domains.music.generation import INFILL, written
from plaudit.domains.music.request import MelodyRequest
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.model import Prompts
from plaudit.task import Item

Generator = Callable[[Sequence[MelodyRequest], Sequence[int]], Iterator[Item]]


def melody_baselines() -> Mapping[str, Generator]:
    return {"random": random_melodies, "heuristic": built_melodies}


def random_melodies(requests: Sequence[MelodyRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Any allowed token at every step."""
    return written(any_token, requests, seeds)


def any_token(prompts: Prompts, random: RowRandom) -> Tensor:
    """A uniform draw among the allowed tokens of every step, `(B, T)`."""
    rows, steps, count = prompts.mask.shape
    noise = torch.from_numpy(random.uniform(steps * count).reshape(rows, steps, count))
    return noise.masked_fill(~prompts.mask, -1.0).argmax(2)


def infill_baselines() -> Mapping[str, Any]:
    """Any allowed token in the open bars, and the bars before copied into them."""
    return {"random": random_infills, "heuristic": copied_infills}


def random_infills(requests: Sequence[Any], seeds: Sequence[int]) -> Iterator[Item]:
    return written(any_token, requests, seeds, INFILL)


def copied_infills(requests: Sequence[Any], seeds: Sequence[int]) -> Iterator[Item]:
    """Each open bar is the standing bar nearest to it, bar for bar as far as that is allowed."""

    def write(prompts: Prompts, random: RowRandom) -> Tensor:
        tokens = prompts.mask.int().argmax(2)
        given = prompts.mask.sum(2) == 1
        for row in range(len(tokens)):
            _copy_bars(tokens[row], given[row], int(prompts.back[row, 0]), prompts.mask[row])
        return tokens

    return written(write, requests, seeds, INFILL)


def _copy_bars(tokens: Tensor, given: Tensor, bar: int, mask: Tensor) -> None:
    """Fill what is not given of one line `(T,)` from bars that are, where the mask allows the token."""
    whole = given[: len(given) // bar * bar].view(-1, bar).all(1).nonzero().flatten().tolist()
    for step in (~given).nonzero().flatten().tolist():
        number = step // bar
        nearest = min(whole, key=lambda other: abs(other - number), default=None)
        token = 0 if nearest is None else int(tokens[nearest * bar + step % bar])
        if bool(mask[step, token]):
            tokens[step] = token


def built_melodies(requests: Sequence[MelodyRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Stock rhythms whose bars come back, and a walk along the scale between the ends (`build.py`)."""

    def blank(prompts: Prompts, random: RowRandom) -> Tensor:
        return prompts.mask.int().argmax(2)

    for item in written(blank, requests, seeds):
        notes = built(item.request, item.seed).voices
        yield replace(item, content=replace(item.content, voices=notes))
