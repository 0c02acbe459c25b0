"""Sections of the report with curves: the sum, each reward term raw and weighted, learning."""

from __future__ import annotations

import numpy as np

from plaudit.runs.report.alarms import Twin, twins
from plaudit.runs.report.charts import Axes, Series, condense, line_chart, spread
from plaudit.runs.report.files import Run, Values, column, number
from plaudit.runs.report.text import esc, figure, listing, missing, section, words

MOST_TERMS, MOST_CURVES, MOST_LINES = 24, 24, 6
LEADING = ("return", "episode", "reward", "loss", "entropy", "epsilon", "temperature", "kl", "length")
"""Words whose curves come first; the others follow by name."""


def rewards(run: Run) -> str:
    """Return the sum over time and, term by term, what it is made of."""
    if not run.rewards:
        note = missing("No rewards were logged (rewards.jsonl).", f"plaudit resume {run.place}")
        return section("reward", "Reward", "", note)
    names = term_names(run)
    shared = _shared_range(run, names)
    cards = "".join(_term(run, name, shared) for name in names[:MOST_TERMS])
    cards += "".join(_twin(run, twin) for twin in twins(run)[:MOST_TERMS] if twin.name not in names)
    hidden = (
        f"<p>{len(names) - MOST_TERMS} further terms are in rewards.jsonl.</p>"
        if len(names) > MOST_TERMS
        else ""
    )
    lead = (
        "The sum is the number that was optimised: the weighted terms of an episode, undiscounted. "
        "Weighted curves share one scale, so their heights compare."
    )
    body = f'<div class="card">{_sum(run, names)}</div><div class="grid">{cards}</div>{hidden}'
    return section("reward", "Reward", lead, body)


def learning(run: Run) -> str:
    """Return a curve for every scalar that the learner logged."""
    names = _ordered(
        {k for row in run.metrics for k, v in row.items() if k != "step" and np.isfinite(number(v))}
    )
    if not names:
        note = missing("No metrics were logged (metrics.jsonl).", f"plaudit resume {run.place}")
        return section("learning", "Learning and exploration", "", note)
    series = [Series(name, *column(run.metrics, name)) for name in names[:MOST_CURVES]]
    still = [one for one in series if len(one.y) > 1 and np.ptp(one.y) == 0]
    cards = "".join(
        f'<div class="card">{line_chart([one], Axes(words(one.name), run.unit))}</div>'
        for one in series
        if not any(one is other for other in still)
    )
    lead = "Every scalar of metrics.jsonl. The shade behind a line is the range within each group of points."
    notes = [f"{words(one.name)} {figure(float(one.y[0]))}" for one in still]
    more = f"<p>Constant: {esc(listing(notes))}.</p>" if notes else ""
    if len(names) > MOST_CURVES:
        more += f"<p>{len(names) - MOST_CURVES} further series are in metrics.jsonl.</p>"
    return section("learning", "Learning and exploration", lead, f'<div class="grid">{cards}</div>{more}')


def term_names(run: Run) -> list[str]:
    """Return the terms in the order of their first appearance in the log."""
    names: dict[str, None] = {}
    for row in run.rewards:
        if isinstance(terms := row.get("terms"), dict):
            names.update(dict.fromkeys(terms))
    return list(names)


def total_trend(run: Run) -> tuple[float, float]:
    """Return the mean sum over the first and the last tenth of the run; NaN without a log."""
    _, y = column(run.rewards, "total")
    if not len(y):
        return float("nan"), float("nan")
    tenth = max(1, len(y) // 10)
    return float(y[:tenth].mean()), float(y[-tenth:].mean())


def _sum(run: Run, names: list[str]) -> str:
    x, y = column(run.rewards, "total")
    parts: list[Series] = []
    for name in names:
        px, py = column(run.rewards, "terms", name, "weighted")
        if np.any(py != 0):
            parts.append(Series(words(name), px, py, len(parts) + 2))
    # Without ranges: seven shaded bands over each other would hide the lines.
    thin = [_means_only(part) for part in parts[: MOST_LINES - 1]] if len(parts) > 1 else []
    return line_chart(
        [*thin, Series("sum", x, y)], Axes("Reward per episode", run.unit, "sum of weighted terms", 260)
    )


def _means_only(series: Series) -> Series:
    thin = condense(series)
    return Series(thin.name, thin.x, thin.y, thin.colour)


def _term(run: Run, name: str, shared: tuple[float, float] | None) -> str:
    raw = Series("raw", *column(run.rewards, "terms", name, "raw"), colour=1)
    weighted = Series("weighted", *column(run.rewards, "terms", name, "weighted"), colour=2)
    _, weights = column(run.rewards, "terms", name, "weight")
    reported = not np.any(weights != 0)
    badge = "reported, not optimised" if reported else f"weight {_weight(weights)}"
    charts = line_chart([raw], Axes("raw", run.unit, height=110))
    if not reported:
        charts += line_chart([weighted], Axes("weighted", run.unit, height=110, y_range=shared))
    return (
        f'<div class="card term"><header><h3>{esc(words(name), 80)}</h3><p>{badge}</p></header>{charts}</div>'
    )


def _twin(run: Run, twin: Twin) -> str:
    series = Series("raw", twin.steps, twin.values)
    chart = line_chart([series], Axes("raw, on the samples", run.unit, height=110))
    head = f"<h3>{esc(words(twin.name), 80)}</h3><p>twin: reported, not optimised</p>"
    return f'<div class="card term"><header>{head}</header>{chart}</div>'


def _weight(weights: Values) -> str:
    first, last = float(weights[0]), float(weights[-1])
    return figure(last) if first == last else f"{figure(first)} to {figure(last)}"


def _shared_range(run: Run, names: list[str]) -> tuple[float, float] | None:
    series = [Series(name, *column(run.rewards, "terms", name, "weighted")) for name in names]
    filled = [one for one in series if len(one.x)]
    return spread(filled) if filled else None


def _ordered(names: set[str]) -> list[str]:
    def rank(name: str) -> tuple[int, str]:
        places = [i for i, word in enumerate(LEADING) if word in name]
        return (places[0] if places else len(LEADING), name)

    return sorted(names, key=rank)
