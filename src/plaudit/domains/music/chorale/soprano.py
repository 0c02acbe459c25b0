"""Sopranos made up by rule, for requests that bring none: phrases of two bars in plain quarters.

Each phrase walks along the scale to a note of its cadence; the last one comes home to the tonic by step.
"""

from __future__ import annotations

import numpy as np

from plaudit.domains.music.score import MODES, QUARTER, Note, Piece, Voice

LOW, HIGH = 62, 76
"""Lowest and highest note: D4 to E5."""
PHRASE_BARS = 2
BEATS = 7
"""Notes of a phrase: six quarters and a half note, the first one before the bar line."""
MOVES = {-2: 0.1, -1: 0.34, 0: 0.1, 1: 0.34, 2: 0.12}
"""How often the line moves by so many degrees of the scale."""
CLOSES = (0, 1, 2, 4)
"""Degrees on which inner phrases end, the tonic being 0."""
EIGHTHS = 0.6
"""Share of the thirds that are filled with a passing eighth."""


def made_up(tonic: int, mode: str, phrases: int, random: np.random.Generator, tempo: float) -> Piece:
    """A soprano of two bars a phrase in 4/4, with a quarter as pickup."""
    ladder = [p for p in range(LOW, HIGH + 1) if (p - tonic) % 12 in MODES[mode]]
    degree = {(tonic + step) % 12: place for place, step in enumerate(MODES[mode])}
    notes: list[Note] = []
    place = _near(ladder, degree, int(random.choice((0, 2, 4))), len(ladder) // 2)
    for phrase in range(phrases):
        final = phrase == phrases - 1
        goal = 0 if final else int(random.choice(CLOSES))
        target = _near(ladder, degree, goal, place + int(random.integers(-1, 2)))
        path = _walk(place, target, len(ladder), random)
        notes += _phrase([ladder[at] for at in path], phrase * PHRASE_BARS * 4 * QUARTER, random, ladder)
        place = int(np.clip(target + random.choice((-1, 0, 0, 1, 2)), 0, len(ladder) - 1))
    if mode in ("minor", "dorian") and notes[-2].pitch == notes[-1].pitch - 2:
        notes[-2] = Note(notes[-2].start, notes[-2].length, notes[-2].pitch + 1)
    steps = phrases * PHRASE_BARS * 4 * QUARTER
    return Piece((Voice("Soprano", tuple(notes)),), steps, (), (4, 4), tonic, mode, tempo, QUARTER)


def _near(ladder: list[int], degree: dict[int, int], wanted: int, place: int) -> int:
    fits = [at for at, pitch in enumerate(ladder) if degree[pitch % 12] == wanted]
    return min(fits, key=lambda at: abs(at - place))


def _walk(start: int, target: int, rungs: int, random: np.random.Generator) -> list[int]:
    """`BEATS` places of the ladder from `start` to `target`, which is reached by a step."""
    path = [start]
    for left in range(BEATS - 2, 0, -1):
        moves = [m for m in MOVES if 0 <= path[-1] + m < rungs and _reaches(path[-1] + m, target, left)]
        if not moves:
            moves = [int(np.sign(target - path[-1])) * 2]
        weight = np.array([MOVES[m] for m in moves])
        path.append(path[-1] + int(random.choice(moves, p=weight / weight.sum())))
    return [*path, target]


def _reaches(place: int, target: int, left: int) -> bool:
    away = abs(target - place)
    return away == 1 if left == 1 else away <= 2 * left - 1


def _phrase(pitches: list[int], start: int, random: np.random.Generator, ladder: list[int]) -> list[Note]:
    """Quarters and a half note at the end; some thirds filled."""
    notes = []
    for at, pitch in enumerate(pitches):
        time = start + at * QUARTER
        if at == len(pitches) - 1:
            notes.append(Note(time, 2 * QUARTER, pitch))
            continue
        here, there = ladder.index(pitch), ladder.index(pitches[at + 1])
        if abs(here - there) == 2 and random.random() < EIGHTHS:
            middle = ladder[(here + there) // 2]
            notes += [Note(time, QUARTER // 2, pitch), Note(time + QUARTER // 2, QUARTER // 2, middle)]
        else:
            notes.append(Note(time, QUARTER, pitch))
    return notes
