"""What a picture is worth by its own pixels: terms that need no data and no network.

Differentiable terms are written in torch over float `(B, C, H, W)` in [0, 1] and take uint8 pictures too
(`pictures.as_tensor`); JPEG sizes are what Pillow writes, as in DDPO (Black et al., 2023,
arXiv:2305.13301), and have no gradient.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from plaudit.domains.image.pictures import as_pixels, as_tensor
from plaudit.reward.term import Context, Scores, Term

JPEG_QUALITY = 95
MOST_KB = 64.0
"""Largest JPEG that counts, far above a picture of 64 x 64."""
_TINY = 1e-6


def pixel_terms() -> tuple[Term, ...]:
    """Terms over pixels alone."""
    pathwise: dict[str, Any] = {"grad": "pathwise"}
    return (
        Term("compressibility", _compressible, "Minus the kB of its JPEG at quality 95.", (-MOST_KB, 0.0)),
        Term("incompressibility", _rich, "The kB of its JPEG at quality 95.", (0.0, MOST_KB)),
        Term("symmetry", symmetry, "How like its mirror image it is, left to right.", (0.0, 1.0), **pathwise),
        Term("colourfulness", colourfulness, "Spread and strength of its colours.", (0.0, 1.5), **pathwise),
        Term("sharpness", sharpness, "Variance of its Laplacian.", (0.0, 16.0), **pathwise),
        Term(
            "ink",
            ink,
            "Mean brightness: on a black ground, the ink used.",
            (0.0, 1.0),
            "minimize",
            **pathwise,
        ),
        Term("contrast", contrast, "Standard deviation of its pixels, doubled.", (0.0, 1.0), **pathwise),
        Term(
            "ink_target", ink_target, "Minus how far its ink is off the requested.", (-1.0, 0.0), **pathwise
        ),
        Term(
            "palette",
            palette,
            "Minus how far its pixels are from the requested colours.",
            (-2.0, 0.0),
            **pathwise,
        ),
    )


def symmetry(items: Any, context: Context) -> Tensor:
    """`(B,)`: 1 less the L1 distance to the mirror image over twice the picture's own; 1 for an empty one."""
    x = as_tensor(items)
    away = (x - x.flip(3)).abs().sum((1, 2, 3))
    return 1.0 - away / (2.0 * x.abs().sum((1, 2, 3)) + _TINY)


def colourfulness(items: Any, context: Context) -> Tensor:
    """`(B,)`: Hasler and Suesstrunk (2003) on [0, 1]: deviation of the opponent colours + .3 of their mean.

    0 for a grey picture.
    """
    x = as_tensor(items)
    if x.shape[1] == 1:
        return x.sum((1, 2, 3)) * 0.0
    red, green, blue = x[:, 0], x[:, 1], x[:, 2]
    sides = torch.stack([red - green, 0.5 * (red + green) - blue], 1).flatten(2)
    # A small floor keeps the root's gradient finite where there is no colour at all.
    spread = (sides.var(2, unbiased=False).sum(1) + _TINY).sqrt()
    return spread + 0.3 * (sides.mean(2).square().sum(1) + _TINY).sqrt()


_LAPLACIAN = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])


def sharpness(items: Any, context: Context) -> Tensor:
    """`(B,)`: variance of the Laplacian of the grey picture, edges repeated."""
    grey = as_tensor(items).mean(1, keepdim=True)
    edges = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), _LAPLACIAN[None, None])
    return edges.flatten(1).var(1, unbiased=False)


def ink(items: Any, context: Context) -> Tensor:
    """`(B,)`: mean of all values."""
    return as_tensor(items).mean((1, 2, 3))


def contrast(items: Any, context: Context) -> Tensor:
    """`(B,)`: twice the standard deviation of all values, which is at most 1."""
    return 2.0 * (as_tensor(items).flatten(1).var(1, unbiased=False) + _TINY**2).sqrt()


def ink_target(items: Any, context: Context) -> Tensor:
    """`(B,)`: 0 where nothing is asked."""
    found = ink(items, context)
    asked = [request.target.get("ink") for request in context.requests] or [None] * len(found)
    wanted = torch.tensor([np.nan if a is None else float(a) for a in asked])
    return -torch.where(wanted.isnan(), torch.zeros_like(found), (found - wanted).abs())


def palette(items: Any, context: Context) -> Tensor:
    """`(B,)`: minus the mean distance of the pixels to the nearest colour asked for; 0 where none is."""
    x = as_tensor(items)
    asked = [getattr(request, "palette", None) for request in context.requests] or [None] * len(x)
    scores = []
    for picture, colours in zip(x, asked, strict=True):
        if not colours:
            scores.append(picture.sum() * 0.0)
            continue
        known = torch.tensor(colours, dtype=torch.float32)
        away = (picture.expand(3, -1, -1).flatten(1).T[:, None] - known[None]).square().sum(2)
        scores.append(-(away.min(1).values + _TINY**2).sqrt().mean())
    return torch.stack(scores)


def jpeg_kb(items: Any) -> Scores:
    """Size `(B,)` in kB (1,000 bytes) of each picture as JPEG at quality 95."""
    pixels = as_pixels(items) if isinstance(items, Tensor) else np.asarray(items)
    sizes = []
    for picture in pixels:
        with io.BytesIO() as file:
            Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(
                file, "JPEG", quality=JPEG_QUALITY
            )
            sizes.append(file.tell() / 1000.0)
    return np.minimum(np.array(sizes), MOST_KB)


def _compressible(items: Any, context: Context) -> Scores:
    return -jpeg_kb(items)


def _rich(items: Any, context: Context) -> Scores:
    return jpeg_kb(items)
