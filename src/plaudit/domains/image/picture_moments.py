"""A set of pictures as mean and spread of each class in a few principal directions: a baseline's knowledge.

Nothing of it is a picture of the set: what is drawn from it is new, smooth and blurred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plaudit.engine.random import RowRandom

DIRECTIONS = 48
_MOST = 6000
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Moments:
    """Gaussians of K classes (or one over all) along D directions.

    Attributes:
        mean: `(H * W * C,)` of all pictures in [0, 1].
        basis: `(D, H * W * C)`, orthonormal rows.
        middle: `(K, D)`.
        root: `(K, D, D)`, lower triangular roots of the covariances.
        spread: mean `(C,)` and standard deviation `(C,)` of the pixels: what noise is drawn from.
    """

    shape: tuple[int, int, int]
    mean: Floats
    basis: Floats
    middle: Floats
    root: Floats
    spread: Floats

    def draw(self, labels: NDArray[np.integer], random: RowRandom) -> Pixels:
        """Pictures `(B, H, W, C)` of classes `(B,)`, negative for any, one generator a picture."""
        known = len(self.middle)
        drawn = random.integers(0, known)
        at = np.where((labels < 0) | (labels >= known), drawn, labels)
        steps = random.normal(self.basis.shape[0]).astype(np.float32)
        # Row by row: sums over a batch may round otherwise than over one.
        flat = [
            (self.middle[k] + self.root[k] @ step) @ self.basis + self.mean
            for k, step in zip(at, steps, strict=True)
        ]
        return as_bytes(np.stack(flat).reshape(-1, *self.shape))

    def noise(self, random: RowRandom) -> Pixels:
        """Pictures `(B, H, W, C)` of noise with the set's mean and deviation."""
        values = random.normal(int(np.prod(self.shape))).reshape(-1, *self.shape)
        return as_bytes(self.spread[0] + self.spread[1] * values)


def moments_of(images: Pixels, labels: NDArray[np.int64], classes: int) -> Moments:
    """Moments of pictures `(N, H, W, C)` with classes `(N,)`; `classes` 0 = one Gaussian over all."""
    at = np.random.default_rng(1).permutation(len(images))[:_MOST]
    flat = images[at].reshape(len(at), -1).astype(np.float32) / 255
    own = labels[at] if classes else np.zeros(len(at), np.int64)
    mean = flat.mean(0)
    values, vectors = np.linalg.eigh(np.cov(flat - mean, rowvar=False))
    basis = vectors[:, np.argsort(values)[::-1][: min(DIRECTIONS, len(at) - 1)]].T.astype(np.float32)
    inner = (flat - mean) @ basis.T
    middle = np.zeros((max(classes, 1), len(basis)), np.float32)
    root = np.zeros((len(middle), len(basis), len(basis)), np.float32)
    for k in range(len(middle)):
        rows = inner[own == k]
        if len(rows):
            middle[k] = rows.mean(0)
        # Shrunk towards the spread of all: a class of three pictures has a covariance too.
        few = 1.0 / (1.0 + len(rows) / 20.0)
        own_cov = np.cov(rows, rowvar=False) if len(rows) > 1 else np.zeros_like(root[k])
        cov = (1.0 - few) * own_cov + few * np.diag(inner.var(0)) + 1e-6 * np.eye(len(basis))
        root[k] = np.linalg.cholesky(cov)
    pixels = images[at].reshape(-1, images.shape[-1]) / 255
    spread = np.stack([pixels.mean(0), pixels.std(0)]).astype(np.float32)
    height, width, channels = images.shape[1:]
    return Moments((height, width, channels), mean, basis, middle, root, spread)


def as_bytes(values: NDArray[np.floating]) -> Pixels:
    """[0, 1] to bytes; what lies outside is cut off."""
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)
