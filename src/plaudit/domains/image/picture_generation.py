"""From a generator to pictures: chunks of a fixed number of rows, one generator of random numbers an item.

An item depends on its request and its seed, not on its neighbours. Plain requests go through the policy's own
`draw`; those with a start, a lock or a target take the steps of a flow themselves (`picture_steering.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from plaudit.domains.image.picture_reference import Facts
from plaudit.domains.image.picture_request import (
    GIVEN,
    PictureRequest,
    completed,
    fitted_file,
    kept_of,
    labels_of,
)
from plaudit.domains.image.picture_steering import STEERED, Wishes, draw_towards
from plaudit.domains.image.pictures import as_pixels, as_tensor, from_model, to_model
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.sampling import Sampler
from plaudit.engine.random import RowRandom
from plaudit.engine.vae.policy import VaePolicy
from plaudit.errors import InputError
from plaudit.task import Item

ROWS = 64
"""Rows of every chunk: with a fixed number, an item does not depend on its neighbours."""
_SALT = 0x91C7


@dataclass(frozen=True)
class Way:
    """What the rows of a chunk have in common.

    Attributes:
        strength: how far an edit may go; 0 for a picture from noise alone.
        locks: whether something of a start stays.
        steers: whether a target pulls at the drawing.
    """

    guidance: float | None
    steps: int | None
    strength: float
    locks: bool
    steers: bool

    @property
    def plain(self) -> bool:
        return not (self.strength or self.locks or self.steers)


def way_of(request: PictureRequest) -> Way:
    """How a request is drawn."""
    strength = (request.strength or (1.0 if request.locks else GIVEN)) if request.start else 0.0
    steers = any(name in STEERED for name in request.target)
    return Way(request.guidance, request.steps, strength, request.locks, steers)


def generate_pictures(
    policy: Any, requests: Sequence[PictureRequest], seeds: Sequence[int], facts: Facts
) -> Iterator[Item]:
    """Yield one picture `(H, W, C)` uint8 for each request and seed; raises `InputError`."""
    full = [completed(request, seed, facts) for request, seed in zip(requests, seeds, strict=True)]
    pairs = list(zip(full, seeds, strict=True))
    for way, group in groupby(pairs, key=lambda pair: way_of(pair[0])):
        alike = list(group)
        for start in range(0, len(alike), ROWS):
            yield from _chunk(policy, way, alike[start : start + ROWS], facts)


def _chunk(
    policy: Any, way: Way, pairs: Sequence[tuple[PictureRequest, int]], facts: Facts
) -> Iterator[Item]:
    """Draw at most `ROWS` items; rows without an item repeat the last one."""
    at = np.minimum(np.arange(ROWS), len(pairs) - 1)
    requests = [pairs[i][0] for i in at]
    random = RowRandom(np.array([pairs[i][1] for i in at], np.int64))
    labels = _condition(policy, labels_of(requests, facts.names), random.key)
    noise = policy.noise(random)
    sampler = _sampler(policy, way)
    evaluations = 1 if sampler is None else _evaluations(sampler, labels)
    with _one_thread():
        if way.plain:
            drawer = policy if sampler is None else FlowPolicy(policy.model, sampler)
            drawn = drawer.draw(noise, labels)
        elif sampler is None:
            drawn, evaluations = policy.near(_starts(requests, facts), noise, labels, way.strength), 2
        else:
            wishes = _wishes(requests, way, facts)
            drawn, evaluations = draw_towards(policy.model, (noise, labels), sampler, wishes, random)
    images = as_pixels(from_model(drawn))
    if images.shape[1:] != facts.shape:
        raise InputError(f"this policy draws pictures {images.shape[1:]}, {facts.shape} was wanted.")
    for row, (request, seed) in enumerate(pairs):
        yield Item(images[row].copy(), request, int(seed), {"evaluations": evaluations})


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums are split by threads, and so are their last digits: an item is the same with any number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _condition(policy: Any, labels: NDArray[np.int64], key: NDArray[np.uint64]) -> Tensor | None:
    """Classes as the policy takes them; one without "no class" draws a class in its place."""
    about = policy.describe()
    classes = int(about["shape"]["classes"])
    if not classes:
        return None
    if about["kind"] != "flow":
        drawn = (key ^ np.uint64(_SALT)) % np.uint64(classes)
        labels = np.where(labels < 0, drawn.astype(np.int64), labels)
    return torch.from_numpy(labels)


def _sampler(policy: Any, way: Way) -> Sampler | None:
    """How a flow draws on this way; None for a generator that has no steps."""
    if isinstance(policy, FlowPolicy):
        asked = {"guidance": way.guidance, "steps": way.steps}
        return replace(policy.sampler, **{name: value for name, value in asked.items() if value is not None})
    begins = way.plain or (isinstance(policy, VaePolicy) and not way.locks and not way.steers)
    if not begins or way.guidance is not None or way.steps is not None:
        raise InputError(
            "this generator draws in one step: it has no guidance, steps, locks or targets, and a start only "
            "where it learned to read pictures, as an autoencoder does.",
            hint="Flows have (plaudit train image/picture).",
        )
    return None


def _evaluations(sampler: Sampler, labels: Tensor | None) -> int:
    """How often the network is asked for one picture."""
    each = 2 * sampler.steps - 1 if sampler.solver == "heun" else sampler.steps
    return each * (2 if sampler.guidance and labels is not None else 1)


def _wishes(requests: Sequence[PictureRequest], way: Way, facts: Facts) -> Wishes:
    targets = np.array([[r.target.get(name, np.nan) for name in STEERED] for r in requests], np.float32)
    known = kept = None
    if way.strength:
        known = _starts(requests, facts)
    if way.locks:
        kept = torch.from_numpy(np.stack([_kept(r, facts) for r in requests])[:, None])
    return Wishes(torch.from_numpy(targets) if way.steers else None, known, kept, 1.0 - (way.strength or 1.0))


def _starts(requests: Sequence[PictureRequest], facts: Facts) -> Tensor:
    """The pictures `(B, C, H, W)` in [-1, 1] that are begun from."""
    return to_model(as_tensor(np.stack([fitted_file(r.start, facts.shape) for r in requests])))


def _kept(request: PictureRequest, facts: Facts) -> NDArray[np.bool_]:
    found = kept_of(request, facts.shape)
    assert found is not None
    return found
