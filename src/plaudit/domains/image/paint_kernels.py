"""Compiled drawing: anti-aliased capsules on canvases of bytes, with the error to a target kept up to date.

A capsule covers a pixel by `clip(0.5 + radius - d, 0, 1)`, d the distance of the pixel's centre from its
middle line. `paint_judge.py` draws the same in plain NumPy, `paint_gradient.py` in torch. Serial on purpose:
an item's bytes depend on no thread count, and a step of 64 rows takes some 60 microseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, inline="always")
def span(a: Any, b: Any, reach: Any, size: Any) -> Any:
    """First and one past the last pixel whose centre may lie within `reach` of a piece from a to b."""
    low = max(0, int(np.floor(min(a, b) - reach - 0.5)) + 1)
    return low, min(size, int(np.floor(max(a, b) + reach - 0.5)) + 1)


@njit(cache=True, nogil=True)
def draw_capsule(canvas: Any, target: Any, piece: Any) -> Any:
    """Draw one capsule `(7,)` on `canvas (H, W)`; return the change of the squared error to `target`.

    Errors are sums over pixels of whole squares, so that they add up exactly.
    """
    one, half = np.float32(1.0), np.float32(0.5)
    x0, y0, x1, y1, radius = piece[0], piece[1], piece[2], piece[3], piece[4]
    full, erase = piece[5] * np.float32(255.0), piece[6] > half
    dx, dy = x1 - x0, y1 - y0
    length = dx * dx + dy * dy
    inverse = one / length if length > np.float32(1e-12) else np.float32(0.0)
    outer = radius + half
    inner = max(np.float32(0.0), radius - half)
    outer2, inner2 = outer * outer, inner * inner
    top, bottom = span(y0, y1, outer, canvas.shape[0])
    left, right = span(x0, x1, outer, canvas.shape[1])
    change = 0
    for i in range(top, bottom):
        py = np.float32(i) + half - y0
        for j in range(left, right):
            px = np.float32(j) + half - x0
            u = min(one, max(np.float32(0.0), (px * dx + py * dy) * inverse))
            ex, ey = px - u * dx, py - u * dy
            d2 = ex * ex + ey * ey
            if d2 >= outer2:
                continue
            cover = one if d2 <= inner2 and radius >= half else min(one, outer - np.sqrt(d2))
            ink = int(full * cover + half)
            before = int(canvas[i, j])
            after = min(before, 255 - ink) if erase else max(before, ink)
            if after != before:
                canvas[i, j] = after
                goal = int(target[i, j])
                change += (after - goal) * (after - goal) - (before - goal) * (before - goal)
    return change


@njit(cache=True, nogil=True)
def draw_capsules(canvas: Any, pieces: Any) -> None:
    """Draw capsules `(N, 7)` float32 on one canvas `(H, W)` uint8, in order."""
    for n in range(len(pieces)):
        draw_capsule(canvas, canvas, pieces[n])


@njit(cache=True, nogil=True)
def draw_curves(canvas: Any, target: Any, curves: Any, weights: Any, error: Any) -> None:
    """Draw one quadratic curve on each of B canvases `(B, H, W)`.

    `curves (B, 9)` float32: three control points, width, ink, erase; `weights (chords + 1, 3)` from
    `bernstein`. Adds the change of the squared error to `error (B,)` int64.
    """
    piece = np.empty(7, np.float32)
    for row in range(len(curves)):
        curve = curves[row]
        piece[4], piece[5], piece[6] = curve[6] * np.float32(0.5), curve[7], curve[8]
        for n in range(len(weights)):
            w = weights[n]
            x = w[0] * curve[0] + w[1] * curve[2] + w[2] * curve[4]
            y = w[0] * curve[1] + w[1] * curve[3] + w[2] * curve[5]
            if n > 0:
                piece[2], piece[3] = x, y
                error[row] += draw_capsule(canvas[row], target[row], piece)
            piece[0], piece[1] = x, y


@njit(cache=True, nogil=True)
def squared_error(canvas: Any, target: Any, error: Any) -> None:
    """Sums of squared differences `(B,)` int64 of `canvas` and `target (B, H, W)`."""
    for row in range(len(canvas)):
        total = 0
        for i in range(canvas.shape[1]):
            for j in range(canvas.shape[2]):
                off = int(canvas[row, i, j]) - int(target[row, i, j])
                total += off * off
        error[row] = total
