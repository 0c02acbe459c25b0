"""The alarms of the report: collapse of exploration, copies among the samples, a reward against its twin.

Twins are terms that are reported and never optimised. They are scored on the stored samples, so their
curves have one point for each snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plaudit.errors import InputError
from plaudit.media.limits import Limits
from plaudit.media.png import read_png
from plaudit.runs.report.files import Row, Run, Snapshot, Values, column, number
from plaudit.runs.report.text import esc, figure, listing, section, words

_FEWEST_ROWS, _FEWEST_SNAPSHOTS = 6, 6
_MOST_PICTURES = 64


@dataclass(frozen=True)
class Twin:
    """One twin over the snapshots: `steps, values, totals (N,)`, means over the samples of each."""

    name: str
    direction: str
    steps: Values
    values: Values
    totals: Values


def alarms(run: Run) -> str:
    """Return the warnings that the logs and samples call for, or say what was checked in vain."""
    from plaudit.reward import guard

    checks: dict[str, list[str | None]] = {}
    _, entropy = column(run.metrics, "entropy")
    if len(entropy) >= _FEWEST_ROWS:
        checks["entropy"] = [guard.entropy_collapse(entropy, float(entropy.max()))]
    pictures = _pictures(run.snapshots[-1]) if run.snapshots else []
    if len(pictures) > 1:
        checks["copies among the samples"] = [guard.duplicates(pictures)]
    known = [twin for twin in twins(run) if len(twin.steps) >= _FEWEST_SNAPSHOTS]
    if known:
        checks["reward against twins"] = [
            guard.reward_against_twin(twin.totals, twin.values, words(twin.name), twin.direction)
            for twin in known
        ]
    if judged := _judged(run):
        checks["reward against its judge"] = judged
    _, masked = column(run.metrics, "masked")
    if len(masked):
        checks["rows that could not be scored"] = [_masked(float(masked.sum()))]
    return _section(checks)


def _judged(run: Run) -> list[str | None]:
    """What there is to say of the judge that a learner asked at every step; nothing where there was none."""
    from plaudit.reward import guard

    _, judge = column(run.metrics, "judge")
    if not len(judge):
        return []
    figures = ("declined", "best_judge", "judge", "gaming_gap", "best_step")
    stopped = guard.judge_declined({name: number(run.metrics[-1].get(name, 0.0)) for name in figures})
    if stopped:
        return [stopped]
    _, reward = column(run.metrics, "return")
    known = min(len(judge), len(reward))
    return [guard.reward_against_twin(reward[:known], judge[:known], "judge")]


def twins(run: Run) -> list[Twin]:
    """Return the twins that the snapshots' manifests name, with their direction."""
    named: dict[str, str] = {}
    for snapshot in run.snapshots:
        listed = snapshot.manifest.get("twins")
        if isinstance(listed, dict):
            named |= {name: way for name, way in listed.items() if way in ("maximize", "minimize")}
    return [_twin(run, name, direction) for name, direction in named.items()]


def mean_total(snapshot: Snapshot) -> float:
    """Return the mean composed reward of a snapshot's samples, NaN where none is known."""
    totals = []
    for item in snapshot.items:
        weighted = [number(term.get("weighted")) for term in _terms(item).values() if isinstance(term, dict)]
        totals += [sum(weighted)] if weighted else []
    return _mean(totals)


def _twin(run: Run, name: str, direction: str) -> Twin:
    points = []
    for snapshot in run.snapshots:
        terms = [_terms(item).get(name) for item in snapshot.items]
        raw = _mean([number(term.get("raw")) for term in terms if isinstance(term, dict)])
        points.append((float(snapshot.step), raw, mean_total(snapshot)))
    table = np.array([point for point in points if np.isfinite(point).all()]).reshape(-1, 3)
    return Twin(name, direction, *table.T)


def _terms(item: Row) -> Row:
    terms = item.get("terms")
    return terms if isinstance(terms, dict) else {}


def _mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _masked(rows: float) -> str | None:
    if rows <= 0:
        return None
    return f"{figure(rows)} rows could not be scored (NaN) and were left out of learning."


def _pictures(snapshot: Snapshot) -> list[Values]:
    """Return the pixels of the samples: files differ by the recipe inside them, pixels do not."""
    pictures = []
    for item in snapshot.items[:_MOST_PICTURES]:
        try:
            pictures.append(
                np.asarray(read_png(snapshot.folder / str(item.get("file")), Limits(pixels=2**20))[0])
            )
        except InputError:
            continue
    return pictures


def _section(checks: dict[str, list[str | None]]) -> str:
    found = [alarm for some in checks.values() for alarm in some if alarm]
    if found:
        body = "".join(f"<li>{esc(alarm)}</li>" for alarm in found)
        return section("alarms", "Alarms", "", f'<ul class="alarms">{body}</ul>')
    if not checks:
        return ""
    said = f"No cause for alarm. Checked: {listing(list(checks))}."
    return section("alarms", "Alarms", "", f'<p class="calm">{esc(said)}</p>')
