"""The black box `sample`: requests in, items with their scores and judged figures out.

Item i of a batch with seed S has the seed S * 1,000,000 + i, and everything about it (what the request
leaves open, the generation) follows from that number: `--item-seed` makes one item again. Nothing is
rejected unless best-of-K is asked for; then candidate k of an item has its seed + k * 10^16, the one
with the highest composed reward stays, and the others are counted. Judges never choose.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plaudit.engine.random import splitmix
from plaudit.errors import InputError
from plaudit.media.limits import Limits, parse_json, read_text
from plaudit.reward.breakdown import Breakdown
from plaudit.reward.compose import Composition
from plaudit.runs.checking import check_request, request_of
from plaudit.runs.places import Places
from plaudit.runs.recipe import Recipe
from plaudit.runs.recipes import merge

if TYPE_CHECKING:
    from plaudit.engine.learner import Policy
    from plaudit.task import Item, Request, Task

BATCH_SPAN = 1_000_000
"""Item seeds between two batch seeds: the most items of one batch."""
CANDIDATE_SPAN = 10**16
"""Between the seeds of two candidates of one item."""
LARGEST_SEED = 2**31 - 1
LARGEST_BEST_OF = 900
CHUNK = 100
"""Items scored and judged together; diversity is defined within 100."""
_REQUESTS = Limits(file_bytes=64 * 2**20)

Tick = Callable[[int, int], None]
"""Told `(items done, items asked)`."""


@dataclass(frozen=True)
class Order:
    """What is asked of `sample`.

    Attributes:
        n: how many items; None = one for each given request, else 16.
        seed: of the batch.
        item_seed: make only the item of this seed.
        given: request fields laid over the recipe's request: `{"target": {"path": 40}}`.
        requests: one mapping of request fields per item, laid over `given`.
        best_of: candidates per item; 1 = no rejection.
        format: file suffix; "" = the task's default.
    """

    n: int | None = None
    seed: int = 0
    item_seed: int | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    requests: Sequence[Mapping[str, Any]] = ()
    best_of: int = 1
    format: str = ""

    @property
    def count(self) -> int:
        if self.item_seed is not None:
            return 1
        return self.n if self.n is not None else len(self.requests) or 16

    @property
    def seeds(self) -> list[int]:
        """The item seeds."""
        if self.item_seed is not None:
            return [self.item_seed]
        return item_seeds(self.seed, self.count)


@dataclass
class Batch:
    """Items with what is known of them, before anything is written.

    Attributes:
        terms: per item `name -> {"raw", "weight", "weighted"}`.
        figures: the judge's figures, each `(n,)`.
        rejected: candidates that were not kept.
    """

    items: list[Item] = field(default_factory=list)
    terms: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    figures: dict[str, np.ndarray] = field(default_factory=dict)
    rejected: int = 0


def item_seeds(seed: int, n: int) -> list[int]:
    """Return the seeds of the n items of a batch; raises `InputError` beyond the limits.

    >>> item_seeds(3, 2)
    [3000000, 3000001]
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"a batch seed is between 0 and {LARGEST_SEED:,}, got {seed}.", place="--seed")
    if not 1 <= n <= BATCH_SPAN:
        raise InputError(f"between 1 and {BATCH_SPAN:,} items can be asked for, got {n}.", place="-n")
    return [seed * BATCH_SPAN + i for i in range(n)]


def read_requests(path: Path) -> list[dict[str, Any]]:
    """Read one request a line, each a JSON object; raises `InputError` with file and line."""
    found = []
    for number, line in enumerate(read_text(path, _REQUESTS).splitlines(), start=1):
        if not line.strip():
            continue
        value = parse_json(line, f"{path}:{number}")
        if not isinstance(value, dict):
            raise InputError(f"a request is a JSON object, got {line[:40]}.", place=f"{path}:{number}")
        found.append(value)
    if not found:
        raise InputError("holds no request.", place=str(path))
    return found


def requests_for(task: Task, recipe: Recipe, order: Order) -> list[Request]:
    """Return one complete request per item: recipe, then `given`, then its own, the rest drawn.

    Raises `InputError` for what cannot be asked and `Infeasible` for what cannot be reached.
    """
    if order.requests and order.count > len(order.requests):
        raise InputError(
            f"{order.count} items were asked for, but only {len(order.requests)} requests given.",
            place="-n",
        )
    common = merge(recipe.request, order.given)
    own = order.requests or [{}]
    drawn = []
    checked: dict[str, Request] = {}
    for i, seed in enumerate(order.seeds):
        place = f"request {i + 1}" if order.requests else "request"
        values = merge(common, own[i] if len(own) > 1 else own[0])
        key = json.dumps(values, sort_keys=True, default=str)
        if key not in checked:
            checked[key] = request_of(task, values, Places(), (place,))
            check_request(task, checked[key], place)
        drawn += task.requests(1, _request_seed(seed), checked[key])
    return drawn


def _request_seed(item_seed: int) -> int:
    """A seed in [0, 2^31) for what the request leaves open, the same for all candidates of an item."""
    base = np.array([item_seed % CANDIDATE_SPAN], dtype=np.uint64)
    return int(splitmix(base)[0]) & 0x7FFFFFFF


def composition_of(task: Task, recipe: Recipe) -> Composition | None:
    """The composition that the policy was trained on, as far as it can be had here; None without any.

    A user's own term that lives in a file which is not here is left out.
    """
    tuned = recipe.stages[-1] if recipe.stages else recipe
    entries = [e for e in tuned.reward if ".py:" not in e.term or Path(e.term.rpartition(":")[0]).is_file()]
    return Composition(entries, task.terms(), tuned.product_weight) if entries else None


def score(task: Task, composition: Composition | None, items: Sequence[Item]) -> Breakdown | None:
    """Score items against the composition; None without one."""
    if composition is None:
        return None
    batch, context = task.batch(items)
    return composition.breakdown(batch, context)


def draw(
    task: Task, policy: Policy, recipe: Recipe, order: Order, tick: Tick = lambda done, asked: None
) -> Batch:
    """Generate, score and judge what the order asks for; raises `InputError` or `Infeasible`."""
    requests, seeds = requests_for(task, recipe, order), order.seeds
    composition = composition_of(task, recipe)
    if not 1 <= order.best_of <= LARGEST_BEST_OF:
        raise InputError(f"must be between 1 and {LARGEST_BEST_OF}, got {order.best_of}.", place="--best-of")
    if order.best_of > 1 and composition is None:
        raise InputError("the recipe has no reward to choose the best by.", place="--best-of")
    batch = Batch(rejected=len(seeds) * (order.best_of - 1))
    for start in range(0, len(seeds), CHUNK):
        part = slice(start, start + CHUNK)
        chosen = _candidates(task, policy, composition, (requests[part], seeds[part], order.best_of))
        for item in chosen:
            batch.items.append(item)
            tick(len(batch.items), len(seeds))
    describe(task, composition, batch)
    return batch


def _candidates(
    task: Task,
    policy: Policy,
    composition: Composition | None,
    wanted: tuple[Sequence[Request], Sequence[int], int],
) -> Iterator[Item]:
    """Yield the item of each request, the best of K by composed reward where K > 1."""
    requests, seeds, best_of = wanted
    if best_of == 1:
        yield from task.generate(policy, requests, seeds)
        return
    rounds = [
        list(task.generate(policy, requests, [seed + k * CANDIDATE_SPAN for seed in seeds]))
        for k in range(best_of)
    ]
    yield from best(task, composition, rounds)


def best(task: Task, composition: Composition | None, rounds: Sequence[Sequence[Item]]) -> list[Item]:
    """Of K rounds of the same B requests keep for each the item of highest reward, the first of equals."""
    totals = []
    for items in rounds:
        breakdown = score(task, composition, items)
        assert breakdown is not None
        totals.append(np.where(breakdown.valid, breakdown.total, -np.inf))
    winners = np.argmax(np.stack(totals), axis=0)
    return [rounds[k][row] for row, k in enumerate(winners)]


def describe(task: Task, composition: Composition | None, batch: Batch) -> None:
    """Score and judge the items, a hundred at a time."""
    figures: list[dict[str, np.ndarray]] = []
    for start in range(0, len(batch.items), CHUNK):
        items = batch.items[start : start + CHUNK]
        breakdown = score(task, composition, items)
        batch.terms += [breakdown.item(row) if breakdown else {} for row in range(len(items))]
        figures.append(task.judge(items))
    batch.figures = {name: np.concatenate([np.asarray(f[name]) for f in figures]) for name in figures[0]}
