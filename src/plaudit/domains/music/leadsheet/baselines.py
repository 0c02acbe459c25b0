"""What stands beside a policy: any chord, and the triad of the key that each bar implies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.harmony import triads
from plaudit.domains.music.leadsheet.generation import harmonised
from plaudit.domains.music.leadsheet.grid import CHORD_TOKENS, FIRST_CHORD, GOES_ON, Melodies
from plaudit.domains.music.leadsheet.request import LeadRequest
from plaudit.domains.music.leadsheet.reward import TONES
from plaudit.engine.random import RowRandom
from plaudit.task import Item


def lead_baselines() -> Mapping[str, Callable[..., Iterator[Item]]]:
    return {"random": random_leads, "heuristic": implied_leads}


def random_leads(requests: Sequence[LeadRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Any chord on every beat."""

    def write(melodies: Melodies, random: RowRandom) -> Tensor:
        drawn = random.uniform(melodies.onset.shape[1]) * (CHORD_TOKENS - FIRST_CHORD)
        return torch.from_numpy(drawn.astype(np.int64) + FIRST_CHORD)

    return harmonised(write, requests, seeds)


def implied_leads(requests: Sequence[LeadRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """For each bar the triad of the key that its notes dwell on most; among near equals the seed chooses."""

    def write(melodies: Melodies, random: RowRandom) -> Tensor:
        noise = random.uniform(melodies.onset.shape[1] * 7).reshape(*melodies.onset.shape, 7)
        tokens = np.full(melodies.onset.shape, GOES_ON)
        for row in range(len(melodies)):
            own = np.array([FIRST_CHORD + 12 * kind + root for root, kind in triads(int(melodies.mode[row]))])
            beats = int(melodies.beats[row])
            for at in range(0, int(melodies.length[row]), beats):
                dwelt = melodies.dwelt[row, at : at + beats].sum(0)
                fit = TONES[own] @ dwelt + 0.3 * noise[row, at]
                tokens[row, at] = own[int(fit.argmax())]
        return torch.from_numpy(tokens)

    return harmonised(write, requests, seeds)
