"""The verdict: what the evaluation's intervals allow to say, in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from plaudit.runs.report.files import Row, number
from plaudit.runs.report.text import figure as written
from plaudit.runs.report.text import listing, words

MAIN_FIGURES = ("quality", "control", "diversity")
"""What every task is judged by, greater is better; a statistic has no better or worse."""
RULE = "Better and worse mean that the 95% intervals do not overlap."
Standing = Literal["better", "worse", "level"]


@dataclass(frozen=True)
class Figure:
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """`tone` is "good", "mixed", "bad" or "unknown"; `more` are further sentences."""

    sentence: str
    tone: str
    more: tuple[str, ...] = ()


def read_figure(value: Any) -> Figure | None:
    """Return `[mean, low, high]` as a figure, a lone number as one without width, else None."""
    if isinstance(value, list) and len(value) == 3:
        mean, low, high = map(number, value)
    else:
        mean = low = high = number(value)
    return Figure(mean, low, high) if all(map(math.isfinite, (mean, low, high))) else None


def figures_of(evaluation: Row) -> dict[str, Row]:
    """Return the policy's figures and every baseline's, by name, the policy first."""
    baselines = evaluation.get("baselines")
    named = {"policy": evaluation.get("policy"), **(baselines if isinstance(baselines, dict) else {})}
    return {name: value for name, value in named.items() if isinstance(value, dict)}


def compare(policy: Figure, other: Figure) -> Standing:
    """Say where the policy stands when greater is better.

    >>> compare(Figure(0.9, 0.8, 1.0), Figure(0.5, 0.4, 0.6))
    'better'
    """
    if policy.low > other.high:
        return "better"
    return "worse" if policy.high < other.low else "level"


def standings(policy: Row, other: Row) -> dict[Standing, list[str]]:
    """Return the main figures that both have, by where the policy stands."""
    found: dict[Standing, list[str]] = {"better": [], "worse": [], "level": []}
    for name in MAIN_FIGURES:
        mine, theirs = read_figure(policy.get(name)), read_figure(other.get(name))
        if mine and theirs:
            found[compare(mine, theirs)].append(name)
    return found


def judge(evaluation: Row) -> Verdict:
    """Weigh the policy against the strongest kind of baseline that was measured."""
    figures = figures_of(evaluation)
    policy = figures.pop("policy", None)
    if policy is None:
        return Verdict("Not evaluated yet.", "unknown")
    order = ["heuristic", "best_of_n", "random"]
    names = [n for n in order if n in figures] + [n for n in figures if n not in order]
    found = {name: standings(policy, figures[name]) for name in names}
    found = {name: standing for name, standing in found.items() if any(standing.values())}
    if not found:
        return Verdict("Evaluated, with no baseline beside it.", "unknown", _alone(policy))
    first, *others = found
    more = tuple(sentence(found[name], name) for name in others)
    return Verdict(sentence(found[first], first), _tone(found[first]), (*more, RULE))


def sentence(standing: dict[Standing, list[str]], name: str) -> str:
    """Say one comparison: "Better than the heuristic in control, not distinguishable in quality."."""
    other = {"heuristic": "the heuristic", "random": "random generation"}.get(name, words(name))
    openings: dict[Standing, tuple[str, str]] = {
        "better": ("better than {}", "better"),
        "worse": ("worse than {}", "worse"),
        "level": ("not distinguishable from {}", "not distinguishable"),
    }
    parts: list[str] = []
    for kind, (opening, following) in openings.items():
        if figures := standing.get(kind):
            start = following if parts else opening.format(other)
            parts.append(f"{start} in {listing(figures)}")
    text = ", ".join(parts) + "."
    return text[0].upper() + text[1:]


def _tone(standing: dict[Standing, list[str]]) -> str:
    if standing["worse"]:
        return "mixed" if standing["better"] else "bad"
    return "good" if standing["better"] else "mixed"


def _alone(policy: Row) -> tuple[str, ...]:
    known = {name: read_figure(policy.get(name)) for name in MAIN_FIGURES}
    parts = [f"{name} {written(value.mean)}" for name, value in known.items() if value]
    return (f"{listing(parts).capitalize()}.",) if parts else ()
