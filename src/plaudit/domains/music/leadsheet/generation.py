"""From a policy to lead sheets, in chunks of one size and one length: an item depends on its seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.leadsheet.conditions import SHAPE, prompts_of
from plaudit.domains.music.leadsheet.grid import BEATS, Melodies, melodies_of, symbols
from plaudit.domains.music.leadsheet.request import LeadRequest, draw_leads, pieces_of, salted, whole
from plaudit.domains.music.lines import Lines, lines_of
from plaudit.domains.music.score import Chord, Piece
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.decode import sample
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import InputError
from plaudit.task import Item

ROWS = 32
TEMPERATURE = 0.9
"""Chords are drawn a little cooler than learned: the corpus is small."""
Write = Callable[[Melodies, RowRandom], Tensor]


def generate_leads(policy: Policy, requests: Sequence[LeadRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Yield the piece of each request with chords; raises `InputError` for a policy of another kind."""
    if not isinstance(policy, SequencePolicy) or policy.model.shape != SHAPE:
        raise InputError("the policy does not write chords.")

    def write(melodies: Melodies, random: RowRandom) -> Tensor:
        return sample(policy.model, prompts_of(melodies), random, TEMPERATURE)[0]

    return harmonised(write, requests, seeds)


def harmonised(write: Write, requests: Sequence[LeadRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Yield an item for each request and seed, in their order."""
    full = [draw_leads(1, salted(seed), request)[0] for request, seed in zip(requests, seeds, strict=True)]
    pieces = pieces_of(full)
    lines = lines_of([whole(piece) for piece in pieces])
    beats = lines.length // np.array(BEATS)[lines.metre]
    made: dict[int, Item] = {}
    for at in range(len(full)):
        if at not in made:
            alike = at + np.flatnonzero(beats[at:] == beats[at])
            chunk = [int(i) for i in alike if int(i) not in made][:ROWS]
            chords = _chunk(write, lines, seeds, chunk)
            for row, own in zip(chunk, chords, strict=True):
                info = {"evaluations": 0, "chords": len(own)}
                made[row] = Item(finished(pieces[row], own), full[row], int(seeds[row]), info)
        yield made.pop(at)


def _chunk(write: Write, lines: Lines, seeds: Sequence[int], chunk: Sequence[int]) -> list[tuple[Chord, ...]]:
    rows = np.array([*chunk, *[chunk[-1]] * (ROWS - len(chunk))])
    length = lines.length[rows]
    tokens = lines.tokens[rows, : int(length.max())]
    melodies = melodies_of(tokens, length, lines.metre[rows], lines.mode[rows])
    with torch.no_grad():
        written = write(melodies, RowRandom([seeds[i] for i in rows])).numpy()
    beat = np.array(BEATS)[lines.metre[rows]]
    return [
        symbols(written[row, : melodies.length[row]], int(beat[row]), int(lines.shift[i]))
        for row, i in enumerate(chunk)
    ]


def finished(piece: Piece, chords: Sequence[Chord]) -> Piece:
    """The piece with its chords, which begin from the first bar line of its whole bars."""
    early = piece.bar - piece.pickup if piece.pickup else 0
    kept = []
    for chord in chords:
        start, end = max(chord.start - early, 0), min(chord.end - early, piece.steps)
        if end > start:
            kept.append(replace(chord, start=start, length=end - start))
    return replace(piece, chords=tuple(kept))
