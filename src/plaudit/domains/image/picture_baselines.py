"""What stands beside a generator: noise, and a Gaussian of each class in the directions that vary most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from plaudit.domains.image.picture_reference import Reference
from plaudit.domains.image.picture_request import PictureRequest, completed, fitted_file, kept_of, labels_of
from plaudit.engine.random import RowRandom
from plaudit.task import Item

Baseline = Callable[[Sequence[PictureRequest], Sequence[int]], Iterator[Item]]


def picture_baselines(reference: Callable[[], Reference]) -> Mapping[str, Baseline]:
    """`random`: pixels of the set's mean and deviation; `heuristic`: the Gaussian of the class asked."""

    def random(requests: Sequence[PictureRequest], seeds: Sequence[int]) -> Iterator[Item]:
        return _each(reference(), requests, seeds, by_class=False)

    def heuristic(requests: Sequence[PictureRequest], seeds: Sequence[int]) -> Iterator[Item]:
        return _each(reference(), requests, seeds, by_class=True)

    return {"random": random, "heuristic": heuristic}


def _each(
    reference: Reference, requests: Sequence[PictureRequest], seeds: Sequence[int], by_class: bool
) -> Iterator[Item]:
    for given, seed in zip(requests, seeds, strict=True):
        request = completed(given, seed, reference.facts)
        random = RowRandom(np.array([seed], np.int64))
        moments = reference.moments
        label = labels_of([request], reference.names)
        picture = (moments.draw(label, random) if by_class else moments.noise(random))[0]
        kept = kept_of(request, reference.facts.shape) if request.start else None
        if kept is not None:
            picture[kept] = fitted_file(request.start, reference.facts.shape)[kept]
        yield Item(picture, request, int(seed), {"evaluations": 1})
