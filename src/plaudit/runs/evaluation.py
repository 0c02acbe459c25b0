"""Whether the training was worth it: the policy beside baselines, judged by code that no reward uses.

Baselines are the task's own ("random", "heuristic", ...) and best-of-n at equal compute: for each item
as many random items as fit into the policy's seconds per item, scoring included, of which the one
with the highest composed reward stays. All generators get the same requests and seeds; diversity is
judged within batches of 100; intervals are 95% bootstrap intervals over items.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from plaudit.measure.intervals import bootstrap_mean
from plaudit.media.png import write_png
from plaudit.reward.compose import Composition
from plaudit.reward.evaluate import evaluate as evaluate_term
from plaudit.runs import disk
from plaudit.runs.recipe import Recipe
from plaudit.runs.sample_files import number_or_none
from plaudit.runs.sampling import (
    CANDIDATE_SPAN,
    CHUNK,
    Order,
    Tick,
    best,
    composition_of,
    requests_for,
    score,
)

if TYPE_CHECKING:
    from plaudit.engine.learner import Policy
    from plaudit.task import Item, Request, Task

LARGEST_N = 900
"""Most random items that best-of-n draws for one item, however slow the policy."""
MOST_FAILURES = 12
FAILURES = "failures"
BEST_OF_N = "best_of_n"

Generator = Callable[[Sequence["Request"], Sequence[int]], Iterable["Item"]]


@dataclass
class Outcome:
    """What one generator made of the requests.

    Attributes:
        seconds, evaluations: per item; None where the items do not say how many evaluations they took.
        figures: the judge's, each `(n,)`; terms: raw values, each `(n,)`.
    """

    items: list[Item] = field(default_factory=list)
    seconds: float = 0.0
    evaluations: float | None = None
    figures: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    terms: dict[str, NDArray[np.float64]] = field(default_factory=dict)


def evaluate(
    task: Task, policy: Policy, recipe: Recipe, order: Order, tick: Tick = lambda done, asked: None
) -> tuple[dict[str, Any], list[Item]]:
    """Return the content of `evaluation.json` and the policy's failed items; see `write`.

    `order.best_of` and `order.format` are not used. Raises `InputError` or `Infeasible`.
    """
    requests, seeds = requests_for(task, recipe, order), order.seeds
    composition = composition_of(task, recipe)
    baselines = dict(task.baselines())
    asked = len(seeds) * (1 + len(baselines) + (composition is not None))
    meter = _Meter(tick, asked)
    outcomes = {"policy": _run(lambda r, s: task.generate(policy, r, s), requests, seeds, meter)}
    for name, generator in baselines.items():
        outcomes[name] = _run(generator, requests, seeds, meter)
    drawn = 0
    if composition is not None:
        drawn = _affordable(task, composition, baselines["random"], outcomes)
        outcomes[BEST_OF_N] = _best_of(
            task, composition, baselines["random"], (requests, seeds, drawn), meter
        )
    for outcome in outcomes.values():
        _judge(task, composition, outcome)
    failed, reasons = _failures(task, outcomes["policy"])
    return {
        "task": task.name,
        "n": len(seeds),
        "seed": order.seed,
        "policy": _figures(task, outcomes["policy"]),
        "baselines": {k: _figures(task, v) for k, v in outcomes.items() if k != "policy"},
        "best_of_n_draws": drawn,
        "terms": _terms(outcomes),
        "sets": _sets(task, outcomes),
        "failures": reasons,
    }, failed


def write(task: Task, evaluation: Mapping[str, Any], failed: Sequence[Item], folder: Path) -> Path:
    """Write `evaluation.json` and a picture of each failed item; returns the JSON's path."""
    with disk.plain_errors(folder):
        (folder / FAILURES).mkdir(parents=True, exist_ok=True)
        for old in (folder / FAILURES).glob("[0-9][0-9][0-9][0-9].png"):
            old.unlink()
    for item, entry in zip(failed, evaluation["failures"], strict=True):
        write_png(task.preview(item), folder / entry["file"])
    text = json.dumps(evaluation, indent=1, allow_nan=False)
    disk.write_atomic(folder / "evaluation.json", text.encode() + b"\n")
    return folder / "evaluation.json"


class _Meter:
    """Counts items over all generators."""

    def __init__(self, tick: Tick, asked: int) -> None:
        self._tick, self._asked, self._done = tick, asked, 0

    def step(self) -> None:
        self._done += 1
        self._tick(self._done, self._asked)


def _run(generator: Generator, requests: Sequence[Request], seeds: Sequence[int], meter: _Meter) -> Outcome:
    """Time a generator over all requests; a first item, not counted, pays for compiling and caches."""
    list(generator(requests[:1], seeds[:1]))
    outcome = Outcome()
    start = time.perf_counter()
    for item in generator(requests, seeds):
        outcome.items.append(item)
        meter.step()
    outcome.seconds = (time.perf_counter() - start) / len(seeds)
    outcome.evaluations = _evaluations(outcome.items)
    return outcome


def _evaluations(items: Sequence[Item]) -> float | None:
    counts = [item.info["evaluations"] for item in items if "evaluations" in item.info]
    return float(np.mean(counts)) if len(counts) == len(items) else None


def _affordable(
    task: Task, composition: Composition, generator: Generator, outcomes: Mapping[str, Outcome]
) -> int:
    """How many random items, drawn and scored, fit into the policy's seconds per item; at least 1."""
    items = outcomes["random"].items[:CHUNK]
    score(task, composition, items)
    start = time.perf_counter()
    score(task, composition, items)
    cost = outcomes["random"].seconds + (time.perf_counter() - start) / len(items)
    return int(np.clip(outcomes["policy"].seconds / max(cost, 1e-9), 1, LARGEST_N))


def _best_of(
    task: Task,
    composition: Composition,
    generator: Generator,
    wanted: tuple[Sequence[Request], Sequence[int], int],
    meter: _Meter,
) -> Outcome:
    """The best of n random items for each request, by composed reward."""
    requests, seeds, n = wanted
    outcome, start, spent = Outcome(), time.perf_counter(), []
    for at in range(0, len(seeds), CHUNK):
        part = slice(at, at + CHUNK)
        offers = [[seed + k * CANDIDATE_SPAN for seed in seeds[part]] for k in range(n)]
        rounds = [list(generator(requests[part], offer)) for offer in offers]
        spent += [_evaluations(items) for items in rounds]
        outcome.items += best(task, composition, rounds)
        for _ in rounds[0]:
            meter.step()
    outcome.seconds = (time.perf_counter() - start) / len(seeds)
    known = [count for count in spent if count is not None]
    outcome.evaluations = float(np.mean(known)) * n if known else None
    return outcome


def _judge(task: Task, composition: Composition | None, outcome: Outcome) -> None:
    """Judge and score the items, a hundred at a time."""
    own = {term.name: term for term in (*task.terms(), *(composition.terms if composition else ()))}
    figures: list[Mapping[str, Any]] = []
    terms: list[dict[str, Any]] = []
    for start in range(0, len(outcome.items), CHUNK):
        items = outcome.items[start : start + CHUNK]
        figures.append(task.judge(items))
        batch, context = task.batch(items)
        terms.append({name: evaluate_term(term, batch, context) for name, term in own.items()})
    outcome.figures = {name: np.concatenate([f[name] for f in figures]) for name in figures[0]}
    outcome.terms = {name: np.concatenate([t[name] for t in terms]) for name in own}


def _figures(task: Task, outcome: Outcome) -> dict[str, Any]:
    """One generator's figures with intervals, and what an item cost."""
    names = dict.fromkeys(("quality", "control", "diversity", *task.statistics))
    table: dict[str, Any] = {
        name: [
            number_or_none(value) for value in bootstrap_mean(np.asarray(outcome.figures[name], np.float64))
        ]
        for name in names
    }
    return {**table, "seconds_per_item": outcome.seconds, "evaluations_per_item": outcome.evaluations}


def _terms(outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, float | None]]:
    """Mean raw value of every term for every generator."""
    return {
        name: {
            who: number_or_none(np.nanmean(outcome.terms[name])) if _any(outcome.terms[name]) else None
            for who, outcome in outcomes.items()
        }
        for name in outcomes["policy"].terms
    }


def _sets(task: Task, outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, float | None]]:
    """Figures of all items of a generator together, for every generator; {} for tasks without any."""
    take = getattr(task, "set_figures", None)
    if take is None:
        return {}
    return {
        who: {name: None if x is None else number_or_none(x) for name, x in take(outcome.items).items()}
        for who, outcome in outcomes.items()
    }


def _any(values: NDArray[np.float64]) -> bool:
    return bool((~np.isnan(values)).any())


def _failures(task: Task, outcome: Outcome) -> tuple[list[Item], list[dict[str, Any]]]:
    """The policy's first items that missed quality or a target, with the reason of each."""
    figures, failed, entries = outcome.figures, [], []
    for row in np.flatnonzero((figures["quality"] < 1) | (figures["control"] < 1))[:MOST_FAILURES]:
        item = outcome.items[row]
        failed.append(item)
        entries.append(
            {
                "file": f"{FAILURES}/{len(failed):04d}.png",
                "seed": int(item.seed),
                "reason": _reason(task, outcome, int(row)),
            }
        )
    return failed, entries


def _reason(task: Task, outcome: Outcome, row: int) -> str:
    """What was asked and what came: `path 31, asked 40`."""
    item = outcome.items[row]
    asked = [
        f"{name} {outcome.figures[name][row]:g}, asked {wanted:g}"
        for name, wanted in item.request.target.items()
    ]
    stated = [f"{name} {outcome.figures[name][row]:g}" for name in task.statistics]
    if outcome.figures["quality"][row] < 1:
        return "not good enough: " + ", ".join(stated)
    return "missed its target: " + ", ".join(asked or stated)
