"""Figures of a whole set of generated pictures, beside what real ones score in their place.

They are taken on the judge's features of a thousand test pictures that the reference keeps, so that they can
be had without the data. `metrics.quality_report` takes the same ones, and more, on all of the data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from plaudit.domains.image.metrics import (
    Effort,
    Report,
    distance_figures,
    diversity_figures,
    neighbour_figures,
)
from plaudit.domains.image.picture_reference import Reference
from plaudit.domains.image.picture_request import labels_of
from plaudit.task import Item


def set_figures(items: Sequence[Item], reference: Reference, effort: Effort | None = None) -> Report:
    """Distances to real ones, precision and recall, variety, the judge's accuracy of the labels asked.

    A figure that cannot be taken, as of too few pictures, is None; every `x_floor` or `x_real` is real ones'.
    """
    effort = effort or Effort()
    rng = np.random.default_rng(effort.seed)
    images = np.stack([item.content for item in items])
    asked = labels_of([item.request for item in items], reference.names)
    ours, real = reference.judge.features(images), reference.real[0]
    report: Report = {"n": float(len(items))}
    report |= distance_figures(ours, real, effort, rng)
    report |= neighbour_figures(ours, real, effort, rng)
    report |= diversity_figures(ours, real, effort, rng)
    if reference.names and bool((asked >= 0).any()):
        known = asked >= 0
        seen = reference.judge.logits(images[known]).argmax(1)
        with torch.inference_mode():
            real_seen = reference.judge.net.out(torch.from_numpy(real)).argmax(1).numpy()
        report["accuracy"] = float((seen == asked[known]).mean())
        report["accuracy_real"] = float((real_seen == reference.real[1]).mean())
    return report
