"""Find the words of `words/zelda.txt`: `python -m plaudit.domains.level.zelda_words > words/zelda.txt`.

Walks are drawn at random, and one is kept when it reads unlike every one kept before: at three lengths,
Ratcliff and Obershelp's similarity of the written coordinates is at most 0.7. Takes some minutes.
"""

from __future__ import annotations

import itertools
import sys
from difflib import SequenceMatcher

import numpy as np

from plaudit.domains.level.metrics import Cell, mirrored_route
from plaudit.domains.level.zelda_starts import LENGTHS, MOVES, WORD_SIZE, random_walk

WORDS, STEPS = 120, 20
LIMIT = 0.7


def written(cells: list[Cell]) -> str:
    """The coordinates as text, after mirroring, as levels are compared."""
    return "".join(f"{x},{y}|" for y, x in mirrored_route(cells, *WORD_SIZE))


def alike(one: str, other: str) -> bool:
    """Whether two texts have more in common than is allowed, in either order."""
    for first, second in ((one, other), (other, one)):
        matcher = SequenceMatcher(None, first, second)
        if matcher.real_quick_ratio() > LIMIT and matcher.quick_ratio() > LIMIT and matcher.ratio() > LIMIT:
            return True
    return False


def find_words(seed: int) -> list[list[Cell]]:
    """Draw walks until there are enough that read unlike each other."""
    rng = np.random.default_rng(seed)
    kept: list[tuple[list[Cell], list[str]]] = []
    while len(kept) < WORDS:
        walk = random_walk(WORD_SIZE, STEPS, rng)
        if len(walk) <= STEPS:
            continue
        texts = [written(walk[: length + 1]) for length in LENGTHS]
        if not any(alike(a, b) for _, known in kept for a, b in zip(texts, known, strict=True)):
            kept.append((walk, texts))
            print(f"{len(kept)} words", file=sys.stderr, flush=True)
    return [walk for walk, _ in kept]


def main() -> None:
    names = {step: name for name, step in MOVES.items()}
    print("# Walks that read unlike each other: row, column, moves. Made by zelda_words.py.")
    for walk in find_words(0):
        moves = "".join(names[b[0] - a[0], b[1] - a[1]] for a, b in itertools.pairwise(walk))
        print(walk[0][0], walk[0][1], moves)


if __name__ == "__main__":
    main()
