"""Painting: error on MNIST's test pictures by recipe, and the environment beside a loop over strokes.

The error is the mean squared difference on 1,000 pictures of the test split, pixels in [0, 1], judged from
the strokes by `paint_judge`, which shares no code with environment, terms or training; a blank canvas has
.112. The loop draws a pen move a row with OpenCV's anti-aliased line where OpenCV is installed (else with
Pillow's, which is not anti-aliased), takes NumPy's mean squared difference and stacks the same planes: what
a straight environment does.
"""

from __future__ import annotations

import importlib
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from plaudit.domains.image.paint_pen import DRAWN, MOVES
from plaudit.domains.image.paint_pictures import Stored
from plaudit.domains.image.task import Paint
from plaudit.runs import presets

COUNT, ROWS, STEPS = 1000, 256, 64
MADE = np.flatnonzero(MOVES[:, 2] <= DRAWN)
"""Moves that both sides make: drawn and lifted ones. Neither is set down or rubs out."""
SETTINGS = {"paint_dqn": {}, "paint_ppo": {}, "paint_model": {"refine": 60}, "paint_model_unrefined": {}}
"""Request fields of every figure: `paint_model` moves its eight strokes by 60 gradient steps each."""

Draw = Callable[[Any, Any, Any], Any]


def paint_figures(policies: Mapping[str, str | Path], mnist: Path, count: int = COUNT) -> dict[str, Any]:
    """Errors of the policies at `policies["dqn" | "ppo" | "model"]` (runs or presets), and `paint_ratio`."""
    torch.set_num_threads(1)
    figures: dict[str, Any] = {}
    for name, fields in SETTINGS.items():
        place = policies.get(name.split("_")[1])
        if place is not None:
            figures[name] = round(test_error(place, mnist, count, fields), 4)
    return {**figures, **speed_figures()}


def test_error(place: str | Path, mnist: Path, count: int, fields: Mapping[str, Any]) -> float:
    """Mean judged error of a policy on the first `count` pictures of the test split."""
    task, policy = Paint(), presets.load_policy(str(place))[0]
    requests = [
        task.Request(picture=str(mnist), split="test", index=i, target={"error": 0.0}, **fields)
        for i in range(count)
    ]
    items = list(task.generate(policy, requests, range(count)))
    return float(task.judge(items)["error"].mean())


def speed_figures(rounds: int = 7) -> dict[str, Any]:
    """`paint_ratio`: pen moves a second of the environment over the loop's, medians of CPU time."""
    recipe = Paint().recipes()["dqn"]
    recipe = recipe.model_copy(update={"env": {**recipe.env, "sight": "planes"}})
    env = Paint().environment(ROWS, recipe)
    env.reset(0)
    actions = np.random.default_rng(0).choice(MADE, (STEPS, ROWS))
    targets = env.target.copy()
    # Neither side pays for making up pictures.
    env.pictures = Stored(targets)
    draw, drawn_by = _line()
    ours, loops = [], []
    for _ in range(rounds + 1):
        ours.append(_timed(lambda: [env.step(torch.from_numpy(a)) for a in actions]))
        loops.append(_timed(lambda: loop(targets, actions, draw)))
    # The first round compiles.
    mine, theirs = (ROWS * STEPS / statistics.median(times[1:]) for times in (ours, loops))
    return {
        "paint_ratio": round(mine / theirs, 1),
        "paint_steps_per_s": round(mine),
        "loop_steps_per_s": round(theirs),
        "loop_draws_with": drawn_by,
    }


def loop(targets: Any, actions: Any, draw: Draw) -> None:
    """One episode of every row, stroke by stroke."""
    size = targets.shape[1]
    canvases = [np.zeros((size, size), np.uint8) for _ in targets]
    goals = [target.astype(np.float32) / 255.0 for target in targets]
    pens = [(size // 2, size // 2)] * len(targets)
    errors = [float((goal**2).mean()) for goal in goals]
    for step, row_actions in enumerate(actions):
        observations = []
        for row, action in enumerate(row_actions):
            dx, dy, what = MOVES[action]
            end = (min(size - 1, max(0, pens[row][0] + dx)), min(size - 1, max(0, pens[row][1] + dy)))
            if what == DRAWN:
                canvases[row] = draw(canvases[row], pens[row], end)
            pens[row] = end
            off = goals[row] - canvases[row] / np.float32(255.0)
            now = float((off**2).mean())
            errors[row] = now
            pen = np.full((size, size), step, np.uint8)
            pen[end[1], end[0]] = 255
            planes = (targets[row], canvases[row], (128 + 127 * off).astype(np.uint8), pen)
            observations.append(np.stack(planes, -1))
        np.stack(observations)


def _line() -> tuple[Draw, str]:
    """A function that draws one anti-aliased move, and what it draws with."""
    try:
        cv2: Any = importlib.import_module("cv2")
    except ImportError:
        return _pillow_line, "pillow"

    def line(canvas: Any, start: Any, end: Any) -> Any:
        points = [tuple(int(v) for v in place) for place in (start, end)]
        return np.maximum(canvas, cv2.line(np.zeros_like(canvas), *points, 255, 3, cv2.LINE_AA))

    return line, "opencv"


def _pillow_line(canvas: Any, start: Any, end: Any) -> Any:
    image = Image.fromarray(canvas)
    ImageDraw.Draw(image).line([tuple(map(int, start)), tuple(map(int, end))], fill=255, width=3)
    return np.asarray(image)


def _timed(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
