"""What is reported of generated pictures: quality, diversity, control, copies, beside what real ones score.

Real pictures are those of the test split, which neither generators nor rewards nor judges learned from.
Distances are taken on the judge's features, those of a net trained on the data themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.image.augment import SHIFTED
from plaudit.domains.image.classifier import TrainConfig, train_classifier
from plaudit.domains.image.judges import Judges
from plaudit.domains.image.sets import PictureSet
from plaudit.errors import InputError
from plaudit.measure.diversity import vendi_score
from plaudit.measure.floor import real_floor, to_real
from plaudit.measure.frechet import frechet_distance
from plaudit.measure.kernel_distance import kernel_distance, kernel_floor
from plaudit.measure.memorised import membership_auc, memorised
from plaudit.measure.neighbours import distance_blocks
from plaudit.measure.prdc import prdc, prdc_floor
from plaudit.measure.sliced import sliced_wasserstein

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Report = dict[str, float | None]
NEIGHBOURS = 5


@dataclass(frozen=True)
class Effort:
    """How much is drawn for the figures; smaller is faster and wider."""

    draws: int = 5
    """Pairs of random parts that distances and floors are averaged over."""
    most: int = 5000
    """Rows on each side of a distance."""
    neighbours: int = 2000
    """Rows on each side where neighbours are looked for."""
    alike: int = 400
    """Rows whose similarities are taken."""
    seed: int = 0


def quality_report(
    images: Pixels, labels: Labels | None, pictures: PictureSet, judges: Judges, effort: Effort | None = None
) -> Report:
    """Figures of generated `images (M, H, W, C)`, made on the request of `labels (M,)` where there are any.

    A figure that cannot be taken, as of too few pictures, is None. Every `x_floor` or `x_real` is what real
    pictures score in the place of the generated ones.
    """
    effort = effort or Effort()
    judges.judge.check(images)
    if labels is not None and labels.shape != (len(images),):
        raise InputError(f"labels {labels.shape} came with {len(images)} pictures.")
    rng = np.random.default_rng(effort.seed)
    test = pictures.part("test")
    ours, real = judges.judge.features(images), judges.features(pictures, "test")
    report: Report = {"n": float(len(images))}
    report |= distance_figures(ours, real, effort, rng)
    report |= neighbour_figures(ours, real, effort, rng)
    report |= copy_figures(ours, judges.features(pictures, "train"), real, effort, rng)
    report |= pixel_figures(images, test.images, effort, rng)
    report |= diversity_figures(ours, real, effort, rng)
    if labels is not None and judges.classes:
        report["judge_accuracy"] = judges.judge.accuracy(images, labels)
        report["judge_accuracy_real"] = judges.judge.accuracy(test.images, test.labels)
        report |= class_figures((ours, labels), (real, test.labels), effort, rng)
    return report


def distance_figures(ours: Floats, real: Floats, effort: Effort, rng: np.random.Generator) -> Report:
    """Frechet and kernel distance of features, and the first as a multiple of its floor."""
    n = min(len(ours), len(real) // 2, effort.most)
    report: Report = dict.fromkeys(("fd", "fd_floor", "fd_ratio", "kid", "kid_low", "kid_high", "kid_floor"))
    if n > real.shape[1]:
        fd = to_real(frechet_distance, ours, real, effort.draws, n, rng).mean
        floor = real_floor(frechet_distance, real, effort.draws, n, rng).mean
        report |= {"fd": fd, "fd_floor": floor, "fd_ratio": fd / floor if floor > 0 else None}
    if n > 1:
        kid = kernel_distance(ours, real, rng=rng)
        report |= dict(zip(("kid", "kid_low", "kid_high"), kid, strict=True))
        report["kid_floor"] = kernel_floor(real, effort.draws, n, rng).mean
    return report


def neighbour_figures(ours: Floats, real: Floats, effort: Effort, rng: np.random.Generator) -> Report:
    """Precision, recall, density and coverage, n generated pictures against n real ones."""
    names = ("precision", "recall", "density", "coverage")
    n = min(len(ours), len(real) // 2, effort.neighbours)
    if n <= NEIGHBOURS:
        return dict.fromkeys((*names, *(f"{name}_floor" for name in names)))
    found = prdc(some(real, n, rng), some(ours, n, rng), NEIGHBOURS)
    floor = prdc_floor(real, 1, n, rng, NEIGHBOURS)
    return {
        **{name: getattr(found, name) for name in names},
        **{f"{name}_floor": getattr(floor, name) for name in names},
    }


def copy_figures(
    ours: Floats, train: Floats, held_out: Floats, effort: Effort, rng: np.random.Generator
) -> Report:
    """How many come nearer to a training picture than real ones do, and whether training pictures show."""
    sampled, known = some(ours, effort.neighbours, rng), some(held_out, effort.neighbours, rng)
    members = some(train, len(known), rng)
    return {
        "memorised": memorised(sampled, train, known).share,
        "memorised_floor": 0.01,
        # All samples: what was copied may be any of them.
        "membership_auc": membership_auc(ours, members, known),
    }


def pixel_figures(images: Pixels, real: Pixels, effort: Effort, rng: np.random.Generator) -> Report:
    """Sliced Wasserstein distance of the pixels in [0, 1]: what no net has to see."""
    n = min(len(images), len(real) // 2, effort.neighbours)
    if n < 1:
        return {"sliced": None, "sliced_floor": None}
    drawn, order = some(images, n, rng), rng.permutation(len(real))
    ours, one, other = (
        part.reshape(n, -1) / 255.0 for part in (drawn, real[order[:n]], real[order[n : 2 * n]])
    )
    seed = int(rng.integers(2**31))
    return {
        "sliced": sliced_wasserstein(ours, one, rng=np.random.default_rng(seed)),
        "sliced_floor": sliced_wasserstein(other, one, rng=np.random.default_rng(seed)),
    }


def diversity_figures(ours: Floats, real: Floats, effort: Effort, rng: np.random.Generator) -> Report:
    """Vendi score of features under a Gaussian kernel as wide as real pictures' median distance."""
    n = min(len(ours), len(real), effort.alike)
    known = some(real, n, rng)
    far = _distances(known)
    width = float(np.median(far[np.triu_indices(n, 1)])) if n > 1 else 0.0
    if width == 0.0:
        return {"vendi": None, "vendi_real": None}
    return {
        "vendi": vendi_score(np.exp(-0.5 * (_distances(some(ours, n, rng)) / width) ** 2)),
        "vendi_real": vendi_score(np.exp(-0.5 * (far / width) ** 2)),
    }


def class_figures(
    ours: tuple[Floats, Labels], real: tuple[Floats, Labels], effort: Effort, rng: np.random.Generator
) -> Report:
    """Frechet distance within classes, the mean over those with enough pictures, beside its floor."""
    found, floors = [], []
    for label in np.unique(real[1]):
        own, known = ours[0][ours[1] == label], real[0][real[1] == label]
        n = min(len(own), len(known) // 2, effort.most)
        if n <= known.shape[1]:
            continue
        found.append(to_real(frechet_distance, own, known, effort.draws, n, rng).mean)
        floors.append(real_floor(frechet_distance, known, effort.draws, n, rng).mean)
    if not found:
        return {"class_fd": None, "class_fd_floor": None, "class_fd_classes": 0.0}
    return {
        "class_fd": float(np.mean(found)),
        "class_fd_floor": float(np.mean(floors)),
        "class_fd_classes": float(len(found)),
    }


def usefulness(
    images: Pixels, labels: Labels, pictures: PictureSet, config: TrainConfig | None = None
) -> Report:
    """Train on generated pictures, test on real ones (Esteban et al., 2017, arXiv 1706.02633).

    Beside it stands the same classifier trained on as many real pictures of the train split.
    """
    config = config or TrainConfig("strided", steps=1000, augment=SHIFTED)
    real = pictures.part("train")
    count = min(len(images), len(real))
    rng = np.random.default_rng(config.seed)
    made = PictureSet(images, labels, pictures.names, np.zeros(len(images), np.int8), "generated")
    test = pictures.part("test")
    scores = [
        train_classifier(known.take(rng.permutation(len(known))[:count]), config).accuracy(
            test.images, test.labels
        )
        for known in (made, real)
    ]
    return {"useful": scores[0], "useful_real": scores[1], "useful_n": float(count)}


def some(rows: NDArray[Any], n: int, rng: np.random.Generator) -> NDArray[Any]:
    """At most n rows at random, without repeats."""
    return rows if len(rows) <= n else rows[rng.permutation(len(rows))[:n]]


def _distances(rows: Floats) -> NDArray[np.float64]:
    return np.concatenate([found for _, found in distance_blocks(rows, rows)])
