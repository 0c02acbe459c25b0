"""The shipped pictures beside MNIST's test pictures: `fd_ratio`, `judge_acc`, what stands beside, and speed.

5,000 pictures of classes drawn at random, by the preset's own sampler, whose guidance was fixed before any
figure was taken. Distances and accuracy are those of the judge, a net that no reward asks and that learned
from the validation split; `fd_ratio` is the mean over draws, over that of real pictures.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plaudit.domains import get_task
from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.judges import Judges
from plaudit.domains.image.metrics import quality_report
from plaudit.domains.image.picture_reference import reference_of
from plaudit.domains.image.picture_request import labels_of
from plaudit.runs import presets
from plaudit.runs.checking import bound

PRESETS = {"base": "image/picture", "tuned": "image/picture-tuned"}
SEED = 3_410_007


def picture_figures(mnist: Path, quick: bool) -> dict[str, Any]:
    """Figures of both presets; `fd_ratio` and `judge_acc` on top are those of the base."""
    torch.set_num_threads(1)
    found = {name: _one(preset, mnist, 1_000 if quick else 5_000) for name, preset in PRESETS.items()}
    return {key: found["base"][key] for key in ("fd_ratio", "judge_acc")} | found


def _one(preset: str, mnist: Path, count: int) -> dict[str, Any]:
    policy, recipe = presets.load_policy(preset)
    task: Any = bound(get_task(recipe.task), recipe)
    requests = task.requests(count, SEED, task.Request())
    list(task.generate(policy, requests[:64], range(64)))
    start = time.perf_counter()
    items = list(task.generate(policy, requests, range(SEED * 1000, SEED * 1000 + count)))
    speed = count / (time.perf_counter() - start)
    reference = reference_of("mnist", None)
    images = np.stack([item.content for item in items])
    labels = labels_of(requests, reference.names)
    report = quality_report(
        images, labels, load_pictures(mnist), Judges(reference.reward, reference.judge, True)
    )
    figures = {name: None if value is None else round(value, 4) for name, value in report.items()}
    return {"judge_acc": figures["judge_accuracy"], "images_per_s": round(speed, 1), **figures}
