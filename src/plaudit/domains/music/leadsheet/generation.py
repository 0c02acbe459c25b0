"""From a policy to lead sheets, in chunks of one size and one length: an item depends on its seed alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from plaudit.domains.music.files.json_file import from_table, table
from plaudit.domains.music.generation import INFILL, written
from plaudit.domains.music.infill import InfillRequest, bars_of
from plaudit.domains.music.leadsheet.conditions import SHAPE, prompts_of
from plaudit.domains.music.leadsheet.grid import BEATS, Melodies, melodies_of, symbols
from plaudit.domains.music.leadsheet.request import LeadRequest, draw_leads, pieces_of, salted, whole
from plaudit.domains.music.likeness import shipped
from plaudit.domains.music.lines import Lines, lines_of
from plaudit.domains.music.score import Chord, Piece, Voice
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
    """Yield the piece of each request with chords, or with a melody for its chords.

    The melody is written by the melody preset, whatever the policy. Raises `InputError` for a policy of
    another kind.
    """
    if not isinstance(policy, SequencePolicy) or policy.model.shape != SHAPE:
        raise InputError("the policy does not write chords.")

    def write(melodies: Melodies, random: RowRandom) -> Tensor:
        return sample(policy.model, prompts_of(melodies), random, TEMPERATURE)[0]

    rows = list(zip(requests, seeds, strict=True))
    chords = _of(rows, "chords", lambda asked, own: harmonised(write, asked, own))
    melodies = _of(rows, "melody", sung)
    for request in requests:
        yield next(melodies if request.write == "melody" else chords)


def _of(
    rows: Sequence[tuple[LeadRequest, int]], kind: str, make: Callable[..., Iterator[Item]]
) -> Iterator[Item]:
    """The items of the requests of one kind."""
    own = [(request, seed) for request, seed in rows if request.write == kind]
    return make([request for request, _ in own], [seed for _, seed in own])


def sung(requests: Sequence[LeadRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Yield the chords of each request with a melody over them."""
    full = [draw_leads(1, salted(seed), request)[0] for request, seed in zip(requests, seeds, strict=True)]
    asked = [_infill_of(request) for request in full]
    model = shipped("melody") if full else None
    made = written(lambda prompts, random: sample(model, prompts, random)[0], asked, seeds, INFILL)
    for request, item in zip(full, made, strict=True):
        yield Item(item.content, request, item.seed, item.info)


def _infill_of(request: LeadRequest) -> InfillRequest:
    """The whole melody open, over the chords of the piece."""
    piece = from_table(request.piece, "request.piece")
    if not piece.voices:
        piece = replace(piece, voices=(Voice("melody", ()),))
    return InfillRequest(piece=table(piece), free=f"1-{bars_of(piece)}", opening=None)


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
