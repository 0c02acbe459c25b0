"""Differentiable drawing of quadratic strokes: in plain torch, and compiled with closed-form gradients.

As DiffVG (Li et al., 2020) it differentiates through anti-aliased coverage, here of distance fields: a
pixel is covered by `clip(0.5 + (radius - d) / softness, 0, 1)`. Softness 1 is exactly what `paint_kernels.py`
draws, before it rounds to bytes; a larger one lets far edges pull. Ink is laid by maximum, so that a pixel's
gradient belongs to the one straight piece that made it. The nearest place on that piece is a minimum: its own
derivative vanishes, and it may be held fixed.

B pictures, S strokes, N chords. A stroke is `(x0, y0, x1, y1, x2, y2, width, ink)` in pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from plaudit.domains.image.paint_kernels import span
from plaudit.domains.image.paint_strokes import bernstein

NUMBERS = 8
"""Numbers of a stroke."""
_WEIGHTS = bernstein(3).astype(np.float32)


def lay(canvas: Tensor, strokes: Tensor, softness: float = 1.0) -> Tensor:
    """Draw `strokes (B, S, 8)` on `canvas (B, H, W)` in [0, 1]; differentiable in both.

    Compiled on the CPU, `lay_plain` elsewhere.
    """
    if strokes.device.type != "cpu":
        return lay_plain(canvas, strokes, softness)
    drawn: Tensor = _Lay.apply(canvas, strokes, softness)
    return drawn


def lay_plain(canvas: Tensor, strokes: Tensor, softness: float = 1.0) -> Tensor:
    """`lay` by autograd alone: the specification of the compiled form."""
    height, width = canvas.shape[1:]
    weights = torch.from_numpy(_WEIGHTS).to(strokes)
    rows = torch.arange(height, device=strokes.device) + 0.5
    columns = torch.arange(width, device=strokes.device) + 0.5
    places = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1).reshape(-1, 1, 2).to(strokes)
    for stroke in strokes.unbind(1):
        corners = weights @ stroke[:, :6].view(-1, 3, 2)
        distance = _distance(places, corners[:, None, :-1], corners[:, None, 1:]).amin(-1)
        cover = (0.5 + (stroke[:, 6:7] / 2 - distance) / softness).clamp(0.0, 1.0)
        canvas = torch.maximum(canvas, (stroke[:, 7:8] * cover).view_as(canvas))
    return canvas


def _distance(places: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Distances `(B, P, N)` of `places (P, 1, 2)` from pieces `(B, 1, N, 2)`."""
    along = end - start
    length = along.square().sum(-1)
    share = (((places - start) * along).sum(-1) / length.clamp(min=1e-12)).clamp(0.0, 1.0).detach()
    return (places - start - share[..., None] * along).square().sum(-1).clamp(min=1e-12).sqrt()


class _Lay(torch.autograd.Function):
    """The compiled form: remembers which piece made each pixel."""

    @staticmethod
    def forward(ctx: Any, canvas: Tensor, strokes: Tensor, softness: float) -> Tensor:
        drawn = canvas.detach().numpy().copy()
        maker = np.full(drawn.shape, -1, np.int32)
        held = strokes.detach().contiguous().numpy()
        _draw(drawn, maker, held, _WEIGHTS, np.float32(softness))
        ctx.held, ctx.maker, ctx.softness = held, maker, softness
        return torch.from_numpy(drawn)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        inflow = gradients[0].contiguous().numpy()
        outflow = np.zeros_like(ctx.held)
        _pull(inflow, ctx.maker, ctx.held, _WEIGHTS, np.float32(ctx.softness), outflow)
        below = torch.from_numpy(np.where(ctx.maker < 0, inflow, np.float32(0.0)))
        return below, torch.from_numpy(outflow), None


@njit(cache=True, nogil=True)
def _draw(drawn: Any, maker: Any, strokes: Any, weights: Any, softness: Any) -> None:
    """Lay `strokes (B, S, 8)` on `drawn (B, H, W)`; `maker` gets the number `stroke * N + chord`."""
    half = np.float32(0.5)
    chords = len(weights) - 1
    for row in range(len(strokes)):
        for s in range(strokes.shape[1]):
            stroke = strokes[row, s]
            radius, ink = stroke[6] * half, stroke[7]
            outer = radius + half * softness
            for n in range(chords):
                x0, y0, dx, dy, inverse = _piece(stroke, weights, n)
                top, bottom = span(y0, y0 + dy, outer, drawn.shape[1])
                left, right = span(x0, x0 + dx, outer, drawn.shape[2])
                for i in range(top, bottom):
                    py = np.float32(i) + half - y0
                    for j in range(left, right):
                        px = np.float32(j) + half - x0
                        u = min(np.float32(1.0), max(np.float32(0.0), (px * dx + py * dy) * inverse))
                        ex, ey = px - u * dx, py - u * dy
                        d2 = ex * ex + ey * ey
                        if d2 >= outer * outer:
                            continue
                        value = ink * min(np.float32(1.0), (outer - np.sqrt(d2)) / softness)
                        if value > drawn[row, i, j]:
                            drawn[row, i, j] = value
                            maker[row, i, j] = s * chords + n


@njit(cache=True, nogil=True, inline="always")
def _piece(stroke: Any, weights: Any, n: Any) -> Any:
    """Start, direction and inverse squared length of chord `n`."""
    a, b = weights[n], weights[n + 1]
    x0 = a[0] * stroke[0] + a[1] * stroke[2] + a[2] * stroke[4]
    y0 = a[0] * stroke[1] + a[1] * stroke[3] + a[2] * stroke[5]
    dx = b[0] * stroke[0] + b[1] * stroke[2] + b[2] * stroke[4] - x0
    dy = b[0] * stroke[1] + b[1] * stroke[3] + b[2] * stroke[5] - y0
    return x0, y0, dx, dy, np.float32(1.0) / max(dx * dx + dy * dy, np.float32(1e-12))


@njit(cache=True, nogil=True)
def _pull(inflow: Any, maker: Any, strokes: Any, weights: Any, softness: Any, outflow: Any) -> None:
    """Gradients `outflow (B, S, 8)` of the strokes from those of the pixels, `inflow (B, H, W)`."""
    one, half = np.float32(1.0), np.float32(0.5)
    chords = len(weights) - 1
    for row in range(len(strokes)):
        for i in range(maker.shape[1]):
            for j in range(maker.shape[2]):
                made = maker[row, i, j]
                if made < 0 or inflow[row, i, j] == 0.0:
                    continue
                s, n = made // chords, made % chords
                stroke, out = strokes[row, s], outflow[row, s]
                x0, y0, dx, dy, inverse = _piece(stroke, weights, n)
                px, py = np.float32(j) + half - x0, np.float32(i) + half - y0
                u = min(one, max(np.float32(0.0), (px * dx + py * dy) * inverse))
                ex, ey = px - u * dx, py - u * dy
                d = np.sqrt(max(ex * ex + ey * ey, np.float32(1e-12)))
                cover = half + (stroke[6] * half - d) / softness
                out[7] += inflow[row, i, j] * min(one, cover)
                if cover >= one:
                    continue
                edge = inflow[row, i, j] * stroke[7] / softness
                out[6] += half * edge
                for k in range(3):
                    share = (one - u) * weights[n, k] + u * weights[n + 1, k]
                    out[2 * k] += edge * share * ex / d
                    out[2 * k + 1] += edge * share * ey / d
