"""From a policy to drawings: one episode an item, in chunks of a fixed number of rows, strokes recorded.

The policy acts greedily: an item's seed decides the picture where the request leaves it open, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from plaudit.domains.image.paint_bezier import NUMBERS, stroke_objects, strokes_of
from plaudit.domains.image.paint_env import PaintConfig, Tool
from plaudit.domains.image.paint_freehand import draw_freely, is_free
from plaudit.domains.image.paint_kernels import squared_error
from plaudit.domains.image.paint_pen import LIFTED, NEAR, RUBBED, Pen
from plaudit.domains.image.paint_refine import kept, refine
from plaudit.domains.image.paint_request import PaintRequest, completed, targets_of
from plaudit.domains.image.paint_strokes import Drawing, Pixels, Stroke, tidy
from plaudit.domains.image.paint_training import make_tool
from plaudit.engine.learner import Policy
from plaudit.errors import Infeasible, InputError
from plaudit.task import Item

WHOLE, STROKES = 8, 10
"""Least strokes of an action that is a painting by itself; else, strokes of a painting."""
ROWS = 64
"""Rows of every chunk: with a fixed number, an item does not depend on its neighbours."""


def paint(policy: Policy, requests: Sequence[PaintRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Yield one drawing for each request and seed; raises `Infeasible` for a size the policy cannot see."""
    full = [completed(request, seed) for request, seed in zip(requests, seeds, strict=True)]
    pairs = list(zip(full, seeds, strict=True))
    if is_free(policy):
        yield from draw_freely(policy, pairs)
        return
    if any(request.label is not None for request in full):
        raise InputError(
            "this policy copies pictures, it draws no class by itself.",
            place="label",
            hint="Take a policy of the recipe free: plaudit train image/paint --recipe free",
        )
    for _, group in groupby(pairs, key=lambda pair: (pair[0].size, pair[0].strokes, pair[0].refine)):
        alike = list(group)
        for start in range(0, len(alike), ROWS):
            yield from _chunk(policy, alike[start : start + ROWS])


def _chunk(policy: Policy, pairs: Sequence[tuple[PaintRequest, int]]) -> Iterator[Item]:
    """Paint at most `ROWS` items; rows without an item repeat the last one."""
    at = np.minimum(np.arange(ROWS), len(pairs) - 1)
    requests = [pairs[i][0] for i in at]
    target = targets_of(requests)
    config = config_of(policy, requests[0])
    tool = make_tool(config, requests[0].size, ROWS)
    if list(tool.observation_space.shape or ()) != list(policy.describe()["observation_space"]["shape"]):
        raise Infeasible(
            f"this policy cannot paint {requests[0].size} pixels wide; "
            f"the nearest it can is {_size_of(policy)}, which it was trained on."
        )
    record = _Record(tool, target, np.array([request.ink for request in requests]), requests[0].strokes)
    strokes, steps = record.run(policy)
    if requests[0].refine:
        strokes = _refined(strokes, target, requests[0].refine)
    for row, (request, seed) in enumerate(pairs):
        drawing = Drawing(request.size, tuple(map(tidy, strokes[row])))
        info = {"evaluations": steps + request.refine, "steps": steps, "strokes": len(drawing.strokes)}
        yield Item(drawing, request, int(seed), info)


def config_of(policy: Policy, request: PaintRequest) -> PaintConfig:
    """The tool that a stored policy was trained with, from what it says of itself.

    A bundle of 8 strokes or more is a whole painting; smaller ones paint 10 strokes or a few
    more. A request may say otherwise.
    """
    about = policy.describe()
    if "n" in about["action_space"]:
        near = list(about["observation_space"]["shape"]) == [NEAR]
        return PaintConfig(tool="pen", sight="near" if near else "planes")
    bundle = int(about["action_space"]["shape"][0]) // NUMBERS
    actions = -(-(request.strokes or (bundle if bundle >= WHOLE else STROKES)) // bundle)
    return PaintConfig(tool="brush", bundle=bundle, strokes=actions * bundle)


def _size_of(policy: Policy) -> int:
    shape = policy.describe()["observation_space"]["shape"]
    return int(shape[0]) if len(shape) == 3 else 28


class _Record:
    """One chunk of episodes, and the strokes that they are made of."""

    def __init__(self, tool: Tool, target: Pixels, ink: NDArray[np.float64], most: int) -> None:
        self.tool, self.target, self.ink, self.most = tool, target, ink, most
        self.canvas, self.error = np.zeros_like(target), np.zeros(ROWS, np.int64)
        squared_error(self.canvas, target, self.error)
        self.strokes: list[list[Stroke]] = [[] for _ in range(ROWS)]
        tool.begin(np.arange(ROWS))

    def run(self, policy: Policy) -> tuple[list[list[Stroke]], int]:
        """Paint to the end; a row that has used its ink or its strokes takes no more."""
        tool, done = self.tool, np.zeros(ROWS, np.int64)
        space = tool.observation_space
        obs = np.zeros((ROWS, *(space.shape or ())), space.dtype)
        for _ in range(tool.steps):
            tool.observe(self.canvas, self.target, done, obs)
            action = policy.act(torch.from_numpy(obs))[0].numpy()
            open_rows = self.canvas.mean((1, 2)) < 255.0 * self.ink
            self._note(action, open_rows)
            done += 1
        return self.strokes, tool.steps

    def _note(self, action: Any, open_rows: NDArray[np.bool_]) -> None:
        tool = self.tool
        if isinstance(tool, Pen):
            before, did = tool.place.copy(), tool.did.copy()
            tool.apply(action, self.canvas, self.target, self.error)
            for row in np.flatnonzero(open_rows & (tool.did != LIFTED)):
                ends = [tuple((xy[row] + 0.5).tolist()) for xy in (before, tool.place)]
                piece = Stroke(
                    (ends[0], ends[1]), float(2 * tool.radius), erase=bool(tool.did[row] == RUBBED)
                )
                _lengthen(self.strokes[row], piece, bool(tool.did[row] == did[row]), self.most)
            return
        tool.apply(action, self.canvas, self.target, self.error)
        for row in np.flatnonzero(open_rows):
            made = stroke_objects(strokes_of(action[row : row + 1], self.canvas.shape[1])[0])
            room = self.most - len(self.strokes[row]) if self.most else len(made)
            self.strokes[row].extend(made[: max(0, room)])


def _lengthen(strokes: list[Stroke], piece: Stroke, on: bool, most: int) -> None:
    """Go on with the pen's line, or begin a new one where it was lifted or turned round."""
    # The stroke before may have been one too many, and is not there.
    if on and strokes and strokes[-1].points[-1] == piece.points[0]:
        strokes.append(replace(piece, points=(*strokes.pop().points, piece.points[1])))
    elif not most or len(strokes) < most:
        strokes.append(piece)


def _refined(strokes: list[list[Stroke]], target: Pixels, steps: int) -> list[list[Stroke]]:
    """Every row's strokes after gradient steps, without those of no use.

    Rows with fewer strokes are filled with invisible ones while they move.
    """
    if any(stroke.kind != "quadratic" for row in strokes for stroke in row):
        raise InputError("only bent strokes can be refined.", hint="Paint with the recipe model or ppo.")
    most = max(1, *(len(row) for row in strokes))
    numbers = np.zeros((len(strokes), most, NUMBERS), np.float32)
    numbers[..., 6] = 1.0
    for row, made in enumerate(strokes):
        for k, stroke in enumerate(made):
            numbers[row, k] = (*np.array(stroke.points).ravel(), stroke.width, stroke.ink)
    moved = refine(numbers, target, steps)
    ends = [moved[row, : len(made)] for row, made in enumerate(strokes)]
    return [stroke_objects(end[kept(end, target[row])]) for row, end in enumerate(ends)]
