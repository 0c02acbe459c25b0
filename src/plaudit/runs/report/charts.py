"""Charts without a library: the lines are SVG that stretches, the text is HTML that does not.

A chart fills its box at any width with strokes and letters of constant size, so that one page serves
a wide screen and a phone. Long series are condensed to means with the range behind them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plaudit.runs.report.files import Values
from plaudit.runs.report.text import esc, figure, minus

MOST_POINTS = 140
_SIZE = 1000
"""Side of the square in which lines are drawn before the box stretches them."""


@dataclass(frozen=True)
class Series:
    """One line: `x, y (N,)`, optionally with a band between `low` and `high (N,)`.

    `colour` counts 1-6 through the palette; 0 is the muted one.
    """

    name: str
    x: Values
    y: Values
    colour: int = 1
    low: Values | None = None
    high: Values | None = None


@dataclass(frozen=True)
class Axes:
    """What a chart's axes say and span; `y_range` None = from the data."""

    title: str
    x_unit: str = "steps"
    y_unit: str = ""
    height: int = 140
    y_range: tuple[float, float] | None = None


def line_chart(series: Sequence[Series], axes: Axes) -> str:
    """Return the HTML of one chart; a chart without a point says so."""
    filled = [one for one in series if len(one.x)]
    if not filled:
        empty = f'<figcaption>{esc(axes.title)}</figcaption><p class="missing">No values.</p>'
        return f'<figure class="chart">{empty}</figure>'
    drawn = [condense(one) for one in filled]
    # Training starts at zero, wherever the first value was logged.
    left, right = min(0.0, *(float(one.x.min()) for one in filled)), max(float(one.x.max()) for one in filled)
    frame = (left, right if right > left else left + 1.0, *padded(*(axes.y_range or spread(filled))))
    ticks = [tick for tick in nice_ticks(frame[2], frame[3]) if frame[2] <= tick <= frame[3]]
    lines = "".join(f'<path class="grid" d="M0 {_y(tick, frame)}H{_SIZE}"/>' for tick in ticks)
    lines += "".join(_band(one, frame) for one in drawn) + "".join(_line(one, frame) for one in drawn)
    names = ", ".join(f"{one.name} ends at {figure(float(one.y[-1]))}" for one in filled)
    data = " ".join(f"{edge:.10g}" for edge in frame)
    style = f'style="height:{axes.height}px" data-frame="{data}" data-unit="{esc(axes.x_unit)}"'
    drawing = (
        f'<svg viewBox="0 0 {_SIZE} {_SIZE}" preserveAspectRatio="none" role="img" '
        f'aria-label="{esc(axes.title)}: {esc(names)}">{lines}</svg>{_labels(frame, ticks, axes)}'
    )
    return (
        f'<figure class="chart"><figcaption>{_caption(series, axes)}</figcaption>'
        f'<div class="plot" {style}>{drawing}</div></figure>'
    )


def interval_bar(mean: float, low: float, high: float, span: tuple[float, float]) -> str:
    """Return a small track over `span` with the interval as a bar and the mean as a dot."""
    if not all(map(math.isfinite, (mean, low, high))) or span[1] <= span[0]:
        return ""
    at = [100 * min(1.0, max(0.0, (v - span[0]) / (span[1] - span[0]))) for v in (mean, low, high)]
    return (
        f'<span class="track"><i style="left:{at[1]:.1f}%;width:{max(0.0, at[2] - at[1]):.1f}%"></i>'
        f'<b style="left:{at[0]:.1f}%"></b></span>'
    )


def condense(series: Series, most: int = MOST_POINTS) -> Series:
    """Replace a long series by the means of `most` equal groups, banded by their least and greatest."""
    if len(series.x) <= most:
        return series
    groups = np.array_split(np.arange(len(series.x)), most)
    low = series.y if series.low is None else series.low
    high = series.y if series.high is None else series.high
    return Series(
        series.name,
        np.array([series.x[g].mean() for g in groups]),
        np.array([series.y[g].mean() for g in groups]),
        series.colour,
        np.array([low[g].min() for g in groups]),
        np.array([high[g].max() for g in groups]),
    )


def nice_ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Return round numbers whose first and last enclose `[low, high]`.

    >>> nice_ticks(0.03, 0.97)
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    raw = (high - low) / about
    if not math.isfinite(raw) or raw < 1e-12 * max(abs(low), abs(high), 1e-280):
        return [low, high]
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{step * i:.10g}") for i in range(first, last + 1)]


def padded(low: float, high: float) -> tuple[float, float]:
    """Return the range with a twentieth of air on both sides, and never an empty one."""
    pad = (high - low) * 0.05 if high > low else abs(low) * 0.1 or 1.0
    return low - pad, high + pad


def spread(series: Sequence[Series]) -> tuple[float, float]:
    """Return the least and greatest value over all series and bands."""
    parts = [v for one in series for v in (one.y, one.low, one.high) if v is not None]
    return float(min(np.min(v) for v in parts)), float(max(np.max(v) for v in parts))


def short(value: float) -> str:
    """Return a tick label: 50,000 -> 50k.

    >>> short(50_000), short(2_500_000), short(0.25), short(2e-5)
    ('50k', '2.5M', '0.25', '2e−5')
    """
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return minus(f"{value / (1e3 if suffix == 'k' else size):.4g}{suffix}")
    text = f"{value:.4g}" if value == 0 or abs(value) >= 0.001 else f"{value:.2g}".replace("e-0", "e-")
    return minus(text)


def _x(value: float, frame: tuple[float, float, float, float]) -> int:
    return round(_SIZE * (value - frame[0]) / (frame[1] - frame[0]))


def _y(value: float, frame: tuple[float, float, float, float]) -> int:
    return round(_SIZE * (1 - (value - frame[2]) / (frame[3] - frame[2])))


def _line(series: Series, frame: tuple[float, float, float, float]) -> str:
    points = [f"{_x(x, frame)} {_y(y, frame)}" for x, y in zip(series.x, series.y, strict=True)]
    # A stroke of no length with round ends is a dot that stays round when the box stretches.
    dot = f'<path class="dot c{series.colour}" d="M{points[-1]}h0"/>'
    return (
        f'<path class="line c{series.colour}" data-name="{esc(series.name)}" d="M{"L".join(points)}"/>{dot}'
    )


def _band(series: Series, frame: tuple[float, float, float, float]) -> str:
    if series.low is None or series.high is None:
        return ""
    top = [f"{_x(x, frame)} {_y(y, frame)}" for x, y in zip(series.x, series.high, strict=True)]
    low = [f"{_x(x, frame)} {_y(y, frame)}" for x, y in zip(series.x, series.low, strict=True)]
    return f'<path class="band c{series.colour}" d="M{"L".join(top + low[::-1])}Z"/>'


def _caption(series: Sequence[Series], axes: Axes) -> str:
    unit = f' <span class="unit">{esc(axes.y_unit)}</span>' if axes.y_unit else ""
    chips = "".join(
        f'<span class="chip c{one.colour}">{esc(one.name) if len(series) > 1 else ""} '
        f"<b>{figure(float(one.y[-1])) if len(one.y) else ''}</b></span>"
        for one in series
    )
    return f'<span class="name">{esc(axes.title)}{unit}</span><span class="chips">{chips}</span>'


def _labels(frame: tuple[float, float, float, float], ticks: Sequence[float], axes: Axes) -> str:
    every = 2 if len(ticks) > 4 and axes.height < 120 else 1
    text = "".join(
        f'<span class="y" style="top:{_y(tick, frame) / 10:.1f}%">{short(tick)}</span>'
        for tick in ticks[::every]
    )
    for tick in nice_ticks(frame[0], frame[1], 3):
        at = _x(tick, frame) / 10
        if 0 <= at <= 100:
            edge = " last" if at > 90 else " first" if at < 4 else ""
            text += f'<span class="x{edge}" style="left:{at:.1f}%">{short(tick)}</span>'
    return text + f'<span class="xunit">{esc(axes.x_unit)}</span>'
