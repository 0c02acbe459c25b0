"""Routes through grid worlds: what is asked, the terms, generation, the judge and the baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from plaudit.domains.level.game import Size
from plaudit.domains.level.grid_world import STEPS_PER_CELL
from plaudit.domains.level.layouts import FAR, Cell, Layout, make_layout, move_table, steps_from
from plaudit.domains.level.metrics import distances
from plaudit.domains.level.request import LARGEST, GridSize, check_size, check_statistics
from plaudit.engine.learner import Policy
from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible
from plaudit.reward.term import Context, Scores, Term
from plaudit.task import Item, Request

STATISTICS = ("steps",)
TOLERANCE = 1.0
LAYOUTS = 256
"""Layouts of the default recipe: what baselines draw from."""
_COMPARED = 8
"""Layouts by which a table is recognised."""
Walk = Callable[[Layout, int], list[Cell]]


class PathRequest(Request):
    """One grid world with its route. `target` may ask for a number of steps."""

    size: GridSize = (10, 10)
    """Width x height in cells, each from 3 to 64; one that the policy was trained on."""
    walls: float = Field(0.25, ge=0, le=0.6)
    """Share of solid cells; layouts that cannot be solved are thinned out."""


def check_path(request: PathRequest) -> None:
    """Raise `InputError` for what cannot be asked, `Infeasible` for more steps than cells."""
    check_size(request.size)
    check_statistics(STATISTICS, request)
    most = request.size[0] * request.size[1] - 1
    wanted = request.target.get("steps", 0)
    if wanted - request.tolerance.get("steps", TOLERANCE) > most:
        raise Infeasible(
            f"no shortest route of a {request.size[0]}x{request.size[1]} grid has steps={wanted:g}; "
            f"the nearest possible is below steps={most}."
        )


def path_terms() -> tuple[Term, ...]:
    """What a step may pay, and the twin that knows the shortest route."""
    cells = float(LARGEST * LARGEST)
    return (
        Term("goal", _goal, "1 when the route reaches the goal, else 0.", (0.0, 1.0)),
        Term(
            "steps",
            _steps,
            "Moves of the route; its weight is the cost of a step.",
            (0.0, STEPS_PER_CELL * cells),
            direction="minimize",
        ),
        Term(
            "detour",
            _detour,
            "Moves beyond the shortest route, by search; NaN where the goal is not reached.",
            (0.0, STEPS_PER_CELL * cells),
            direction="minimize",
            eval_only=True,
        ),
    )


def _goal(items: Sequence[Layout], context: Context) -> Scores:
    return np.array([layout.reached for layout in items], np.float64)


def _steps(items: Sequence[Layout], context: Context) -> Scores:
    return np.array([layout.steps for layout in items], np.float64)


def _detour(items: Sequence[Layout], context: Context) -> Scores:
    return np.array(
        [
            layout.steps - steps_from(layout.grid, layout.start)[layout.goal] if layout.reached else np.nan
            for layout in items
        ],
        np.float64,
    )


def generate_routes(policy: Policy, requests: Sequence[PathRequest], seeds: Sequence[int]) -> Iterator[Item]:
    """Draw one trained layout an item and follow the policy greedily; raises `Infeasible`.

    Among the layouts, the item's seed chooses one, of those with the wanted number of steps where
    the request names it.
    """
    for request, seed in zip(requests, seeds, strict=True):
        number = _choose(request, seed, trained_layouts(policy, request))
        layout = make_layout(request.size, request.walls, number)
        walk = _follow(policy, layout, number)
        info = {"layout": number, "steps": len(walk) - 1, "evaluations": 1}
        yield Item(layout.with_route(without_loops(walk)), request, seed, info)


def trained_layouts(policy: Policy, request: PathRequest) -> int:
    """How many layouts like the request's a policy was trained on; raises `Infeasible` for none.

    A table says it itself: cells that are solid were never left, so that their values are still equal.
    """
    table = policy.tensors().get("q")
    states = len(table[0]) if table is not None else int(policy.describe()["observation_space"]["n"])
    width, height = request.size
    count, rest = divmod(states, width * height)
    fits = rest == 0
    if fits and table is not None:
        known = min(count, _COMPARED)
        solid = [make_layout(request.size, request.walls, n).grid.reshape(-1) == 0 for n in range(known)]
        values = table[0, : known * width * height][torch.from_numpy(np.concatenate(solid))]
        fits = bool((values == values.flatten()[:1]).all())
    if not fits:
        raise Infeasible(
            f"this policy has not learned layouts of {width}x{height} with walls={request.walls:g}; "
            f"it knows {states} cells of those that it was trained on.",
            hint=f"Ask for their size, or train: plaudit train level/path with size {width}x{height}.",
        )
    return count


def _choose(request: PathRequest, seed: int, layouts: int) -> int:
    """The number of the layout that an item's seed draws; neighbouring seeds draw different ones."""
    block, place = divmod(seed, layouts)
    order = np.random.default_rng([block % 2**63, layouts]).permutation(layouts)
    if "steps" not in request.target:
        return int(order[place])
    lengths = _lengths(request.size, request.walls, layouts)
    off = np.abs(lengths - request.target["steps"])
    fits = [n for n in order if off[n] <= request.tolerance.get("steps", TOLERANCE)]
    if not fits:
        nearest = int(lengths[int(off.argmin())])
        raise Infeasible(
            f"none of the {layouts} trained layouts has a route of steps={request.target['steps']:g}; "
            f"the nearest has steps={nearest}."
        )
    return int(fits[place % len(fits)])


@lru_cache(maxsize=16)
def _lengths(size: Size, walls: float, layouts: int) -> NDArray[np.int64]:
    """Steps of the shortest route of every layout."""
    made = (make_layout(size, walls, number) for number in range(layouts))
    return np.array([steps_from(layout.grid, layout.start)[layout.goal] for layout in made])


def _follow(policy: Policy, layout: Layout, number: int) -> list[Cell]:
    """Cells of the greedy walk, up to the goal or a cell seen before (where it would go round for ever)."""
    width, cells = layout.grid.shape[1], layout.grid.size
    moves = move_table(layout.grid)
    cell = layout.start[0] * width + layout.start[1]
    walk, seen = [layout.start], {cell}
    while walk[-1] != layout.goal:
        action, _, _ = policy.act(torch.tensor([number * cells + cell]))
        cell = int(moves[cell, int(action[0])])
        if cell in seen:
            break
        seen.add(cell)
        walk.append((cell // width, cell % width))
    return walk


def without_loops(walk: Sequence[Cell]) -> tuple[Cell, ...]:
    """The walk without its detours back to where it was: every cell once (Lawler, 1980).

    >>> without_loops([(0, 0), (0, 1), (0, 0), (1, 0)])
    ((0, 0), (1, 0))
    """
    route: list[Cell] = []
    for cell in walk:
        if cell in route:
            del route[route.index(cell) :]
        route.append(cell)
    return tuple(route)


def judge_routes(items: Sequence[Item]) -> dict[str, NDArray[np.float64]]:
    """Judged figures `(n,)`: quality = the route is whole and as short as a search of our own finds."""
    shortest, quality, control, diversity = [], [], [], []
    seen: set[tuple[Any, ...]] = set()
    for item in items:
        layout = item.content
        best = distances(layout.grid == 1, layout.start).get(layout.goal, FAR)
        shortest.append(best)
        quality.append(_is_walk(layout) and layout.reached and layout.steps == best)
        miss = abs(layout.steps - item.request.target.get("steps", layout.steps))
        control.append(miss <= item.request.tolerance.get("steps", TOLERANCE))
        key = (layout.grid.shape, layout.grid.tobytes(), layout.start, layout.goal)
        diversity.append(key not in seen)
        seen.add(key)
    return {
        "quality": np.array(quality, np.float64),
        "control": np.array(control, np.float64),
        "diversity": np.array(diversity, np.float64),
        "steps": np.array([item.content.steps for item in items], np.float64),
        "shortest": np.array(shortest, np.float64),
    }


def _is_walk(layout: Layout) -> bool:
    """Every cell of the route is open and next to the one before."""
    nexts = pairwise(layout.route)
    near = all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in nexts)
    return near and all(layout.grid[cell] for cell in layout.route)


def path_baselines() -> dict[str, Callable[[Sequence[PathRequest], Sequence[int]], Iterator[Item]]]:
    """A random walk, and a walk that always turns to the goal."""

    def each(walk: Walk) -> Callable[[Sequence[PathRequest], Sequence[int]], Iterator[Item]]:
        def generate(requests: Sequence[PathRequest], seeds: Sequence[int]) -> Iterator[Item]:
            for request, seed in zip(requests, seeds, strict=True):
                layout = make_layout(request.size, request.walls, _choose(request, seed, LAYOUTS))
                cells = walk(layout, seed)
                info = {"steps": len(cells) - 1, "evaluations": 1}
                yield Item(layout.with_route(without_loops(cells)), request, seed, info)

        return generate

    return {"random": each(random_walk), "heuristic": each(greedy_walk)}


def random_walk(layout: Layout, seed: int) -> list[Cell]:
    """Random moves until the goal or the limit of an episode."""
    random = RowRandom([seed])
    walk = [layout.start]
    while walk[-1] != layout.goal and len(walk) <= STEPS_PER_CELL * layout.grid.size:
        options = _around(layout, walk[-1])
        walk.append(options[int(random.integers(0, len(options))[0])])
    return walk


def greedy_walk(layout: Layout, seed: int) -> list[Cell]:
    """Always to the unvisited neighbour that looks nearest to the goal; ends where there is none."""
    random = RowRandom([seed])
    walk = [layout.start]
    while walk[-1] != layout.goal:
        options = [cell for cell in _around(layout, walk[-1]) if cell not in walk]
        if not options:
            break
        ties = random.uniform(len(options))[0]
        away = [abs(y - layout.goal[0]) + abs(x - layout.goal[1]) for y, x in options]
        walk.append(options[int(np.argmin(np.array(away) + 0.5 * ties))])
    return walk


def _around(layout: Layout, cell: Cell) -> list[Cell]:
    """Open neighbours; a start always has one, or the goal could not be reached."""
    y, x = cell
    height, width = layout.grid.shape
    return [
        (v, u)
        for v, u in ((y - 1, x), (y, x + 1), (y + 1, x), (y, x - 1))
        if 0 <= v < height and 0 <= u < width and layout.grid[v, u]
    ]
