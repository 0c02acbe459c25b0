"""What stands beside a painting policy: strokes at random, and a pen that always takes the best next move."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numba import njit

from plaudit.domains.image.paint_bezier import NUMBERS, stroke_objects, strokes_of
from plaudit.domains.image.paint_env import PaintConfig
from plaudit.domains.image.paint_kernels import draw_capsule
from plaudit.domains.image.paint_pen import DRAWN, MOVES, WIDTH
from plaudit.domains.image.paint_request import PaintRequest, completed, target_of
from plaudit.domains.image.paint_strokes import Drawing, Stroke, tidy
from plaudit.task import Item

Baseline = Callable[[Sequence[PaintRequest], Sequence[int]], Iterator[Item]]


def paint_baselines() -> Mapping[str, Baseline]:
    """`random` and `heuristic`, which is the greedy pen."""
    return {"random": _each(random_strokes), "heuristic": _each(greedy_pen)}


def _each(make: Callable[[PaintRequest, int], tuple[Drawing, int]]) -> Baseline:
    def generate(requests: Sequence[PaintRequest], seeds: Sequence[int]) -> Iterator[Item]:
        for given, seed in zip(requests, seeds, strict=True):
            request = completed(given, seed)
            drawing, evaluations = make(request, seed)
            yield Item(drawing, request, int(seed), {"evaluations": evaluations})

    return generate


def random_strokes(request: PaintRequest, seed: int) -> tuple[Drawing, int]:
    """Eight strokes, every number of them uniform."""
    rng = np.random.default_rng([seed % 2**64, 0x57])
    action = rng.random((1, (request.strokes or PaintConfig.strokes) * NUMBERS), np.float32)
    strokes = stroke_objects(strokes_of(action, request.size)[0])
    return Drawing(request.size, tuple(map(tidy, strokes))), 1


def greedy_pen(request: PaintRequest, seed: int) -> tuple[Drawing, int]:
    """The drawing moves of the recipe `dqn`, always the best next one; the pen is lifted where none helps."""
    target = target_of(request)
    width = WIDTH * request.size
    moves = MOVES[MOVES[:, 2] == DRAWN]
    path = np.zeros((PaintConfig.moves, 5), np.int64)
    used = walk(target, moves, np.float32(width / 2), path)
    strokes: list[Stroke] = []
    for x0, y0, x1, y1, on in path[:used].tolist():
        end = (x1 + 0.5, y1 + 0.5)
        if on:
            strokes[-1] = Stroke((*strokes[-1].points, end), width)
        elif not request.strokes or len(strokes) < request.strokes:
            strokes.append(Stroke(((x0 + 0.5, y0 + 0.5), end), width))
        else:
            break
    return Drawing(request.size, tuple(map(tidy, strokes))), used * len(moves)


@njit(cache=True, nogil=True)
def walk(target: Any, moves: Any, radius: Any, path: Any) -> Any:
    """Fill `path (T, 5)` with x0, y0, x1, y1 and whether the line goes on; return how many moves help."""
    canvas, trial = np.zeros_like(target), np.zeros_like(target)
    piece = np.zeros(7, np.float32)
    piece[4], piece[5] = radius, 1.0
    last, x, y, on = target.shape[0] - 1, -1, -1, 0
    for step in range(len(path)):
        best, gain = -1, 0
        if x >= 0:
            for m in range(len(moves)):
                trial[:] = canvas
                piece[0], piece[1] = x + 0.5, y + 0.5
                piece[2] = min(last, max(0, x + moves[m, 0])) + 0.5
                piece[3] = min(last, max(0, y + moves[m, 1])) + 0.5
                change = draw_capsule(trial, target, piece)
                if change < gain:
                    best, gain = m, change
        if best >= 0:
            u, v = min(last, max(0, x + moves[best, 0])), min(last, max(0, y + moves[best, 1]))
        else:
            # Lift the pen and set it down where most ink is missing.
            off = target.astype(np.int64) - canvas
            at = int(off.argmax())
            x, y, on = at % target.shape[1], at // target.shape[1], 0
            u, v = x, y
        piece[0], piece[1], piece[2], piece[3] = x + 0.5, y + 0.5, u + 0.5, v + 0.5
        if draw_capsule(canvas, target, piece) >= 0:
            return step
        path[step, 0], path[step, 1], path[step, 2], path[step, 3], path[step, 4] = x, y, u, v, on
        x, y, on = u, v, 1
    return len(path)
