"""The reward terms of tile games: batched measures of levels `(B, H, W)` or of a list of mixed sizes.

A term that needs statistics takes them from `context.cache` where the environment has put them, and
measures the levels itself otherwise, so that a number in a report is the number that was optimised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.game import UNASKED, Game, Maps, stack_sizes
from plaudit.domains.level.request import LARGEST, goals_of, tolerances
from plaudit.domains.level.shape_terms import each, shape_terms
from plaudit.domains.level.similarity import WORST, similarity
from plaudit.reward.term import Context, Scores, Term

CELLS = float(LARGEST * LARGEST)
"""The most cells a level has: where the ranges of counts end."""
_DIAMETER_CELLS = 1024
"""Above this the exact diameter takes seconds a level, and is left out (NaN)."""
_SIMILAR = 0.4
"""Share of cells that must differ before two levels count as different (PCG Benchmark)."""


def shared_terms(game: Game) -> tuple[Term, ...]:
    """Terms that every tile game has."""
    return (
        *(
            Term(
                f"{name}_target",
                partial(_closeness, game, name),
                f"Minus the distance of {name} from the requested {name}, beyond the tolerance; 0 is met.",
                (-CELLS, 0.0),
            )
            for name in game.targets
        ),
        Term(
            "satisfied", partial(_satisfied, game), "1 when everything asked for is met, else 0.", (0.0, 1.0)
        ),
        Term(
            "edits",
            _edits,
            "Share of the cells that differ from the start map.",
            (0.0, 1.0),
            direction="minimize",
        ),
        Term("symmetry", each(_symmetry), "Share of the cells equal to their left-right mirror.", (0.0, 1.0)),
        Term(
            "novelty",
            _novelty,
            "Distance to the nearest other level of the batch; 1 from 40 % of the cells on.",
            (0.0, 1.0),
            scope="batch",
        ),
        Term(
            "similarity",
            partial(_similarity, game),
            "Minus the tile-pattern divergence from the example levels (`env.examples`); 0 is alike.",
            (-WORST, 0.0),
        ),
    )


_FEWER = ("regions", "missed", "avoided", "misplaced")
"""Statistics of which less is better."""


def rule_terms(game: Game, meanings: Mapping[str, str], replaced: Sequence[str]) -> tuple[Term, ...]:
    """Terms of games with rules: what is wrong with a level, whether it is good, and each statistic.

    meanings: of the statistics that are terms of their own.
    replaced: statistics that count faults beside `faults`, where no target makes them void.
    """
    wrong = ("faults", *replaced)
    passable = np.array([tile.passable for tile in game.tiles])
    return (
        Term(
            "rules",
            lambda items, context: -_statistic(game, "faults", items, context),
            "Minus what keeps a level from being a good one, in steps of path; 0 is a good level.",
            (-CELLS * 8, 0.0),
        ),
        Term(
            "playable",
            lambda items, context: np.float64(
                sum(_statistic(game, each, items, context) for each in wrong) == 0
            ),
            "1 when a level keeps every rule of the game, else 0.",
            (0.0, 1.0),
        ),
        Term(
            "goals",
            partial(_goals, game),
            "Minus how far the level is from everything asked for, beyond the tolerances; 0 is met.",
            (-CELLS * 8, 0.0),
        ),
        *(
            Term(
                name,
                partial(_statistic, game, name),
                meaning,
                (-1.0, 4 * CELLS),
                direction="minimize" if name in _FEWER else "maximize",
            )
            for name, meaning in meanings.items()
        ),
        *shape_terms(passable, "regions" not in meanings),
    )


def passage_terms(game: Game) -> tuple[Term, ...]:
    """Terms of games in which one walks: regions, paths and openings of the passable cells."""
    passable = np.array([tile.passable for tile in game.tiles])
    return (
        Term(
            "one_region",
            lambda items, context: -np.abs(_statistic(game, "regions", items, context) - 1.0),
            "Minus the number of regions too many (or too few): 0 is one connected region.",
            (-CELLS / 2, 0.0),
        ),
        Term(
            "path_length",
            partial(_statistic, game, "path"),
            "Longest path in steps, by a double breadth-first sweep.",
            (0.0, CELLS),
        ),
        Term(
            "playable",
            partial(_playable, game),
            "1 when there is one region and its path is at least width + height, else 0.",
            (0.0, 1.0),
        ),
        Term(
            "regions",
            partial(_statistic, game, "regions"),
            "Connected regions of the open cells.",
            (0.0, CELLS / 2),
            direction="minimize",
        ),
        *shape_terms(passable, False),
        Term(
            "diameter",
            each(lambda maps: _diameter(passable[maps])),
            "Exact longest shortest path: the twin of path_length, which loops may deceive.",
            (0.0, CELLS),
            eval_only=True,
        ),
    )


def _edits(items: Any, context: Context) -> Scores:
    """Share of changed cells `(B,)`; NaN for an item whose start is not known."""
    if "changed_cells" in context.cache:
        return np.asarray(context.cache["changed_cells"] / items[0].size)
    starts = context.cache.get("starts")
    values = np.full(len(items), np.nan)
    for row, start in enumerate(() if starts is None else starts):
        if start is not None:
            values[row] = np.count_nonzero(items[row] != start) / start.size
    return values


def _statistic(game: Game, name: str, items: Any, context: Context) -> Scores:
    """One statistic `(B,)`, measured once for all the terms of a scoring."""
    known = context.cache.get("statistics")
    if known is None:
        table = np.empty((len(items), len(game.statistics)), np.int32)
        for rows, maps in stack_sizes(items):
            table[rows] = game.measure(maps)
        known = {each: table[:, i] for i, each in enumerate(game.statistics)}
        context.cache["statistics"] = known
    return np.asarray(known[name], dtype=np.float64)


def _wanted(game: Game, name: str, items: Any, context: Context) -> tuple[Scores, Scores]:
    """Wanted value and tolerance of a statistic `(B,)`; NaN where nothing is asked."""
    if "targets" in context.cache:
        tolerance = np.broadcast_to(np.float64(context.cache["tolerances"][name]), (len(items),))
        goals = np.asarray(context.cache["targets"][name], np.float64)
        return np.where(goals == UNASKED, np.nan, goals), tolerance
    at = game.targets.index(name)
    wanted = [request.target.get(name, np.nan) for request in context.requests]
    return np.array(wanted, np.float64), np.array([tolerances(game, r)[at] for r in context.requests])


def _closeness(game: Game, name: str, items: Any, context: Context) -> Scores:
    wanted, tolerance = _wanted(game, name, items, context)
    miss = np.abs(_statistic(game, name, items, context) - wanted) - tolerance
    # Where it may stay open, what is not asked for is met; where it may not, there is nothing to score.
    optional = not all(name in mode for mode in game.modes)
    return -np.maximum(np.nan_to_num(miss) if optional else miss, 0.0)


def _goals(game: Game, items: Any, context: Context) -> Scores:
    """All targets at once `(B,)`: what `Game.distance` counts beyond the faults."""
    if "distance" in context.cache:
        return np.asarray(_statistic(game, "faults", items, context) - context.cache["distance"])
    stats = np.stack([_statistic(game, name, items, context) for name in game.statistics], axis=1)
    beyond = np.empty(len(items))
    for row, request in enumerate(context.requests):
        one, limits = stats[row : row + 1], tolerances(game, request)
        whole = game.distance(one.astype(np.int32), goals_of(game, [request]), limits)[0]
        beyond[row] = one[0, game.statistics.index("faults")] - whole
    return beyond


def _satisfied(game: Game, items: Any, context: Context) -> Scores:
    if "distance" in context.cache:
        return np.asarray(context.cache["distance"] <= 0, np.float64)
    stats = np.stack([_statistic(game, name, items, context) for name in game.statistics], axis=1)
    met = np.full(len(items), np.nan)
    for row, request in enumerate(context.requests):
        if request.target:
            goals = goals_of(game, [request])
            limits = tolerances(game, request)
            met[row] = game.distance(stats[row : row + 1].astype(np.int32), goals, limits)[0] <= 0
    return met


def _playable(game: Game, items: Any, context: Context) -> Scores:
    sides = np.array([sum(np.shape(item)) for item in items], np.float64)
    one = _statistic(game, "regions", items, context) == 1
    return (one & (_statistic(game, "path", items, context) >= sides)).astype(np.float64)


def _symmetry(maps: Maps) -> NDArray[Any]:
    return (maps == maps[:, :, ::-1]).mean(axis=(1, 2))


def _novelty(items: Any, context: Context) -> Scores:
    """Hamming distance to the nearest other item as a share of 40 % of the cells; other sizes are far."""
    values = np.ones(len(items))
    for rows, maps in stack_sizes(items):
        if len(rows) < 2:
            continue
        flat = maps.reshape(len(maps), -1)
        # One product a tile counts the equal cells of all pairs.
        same = sum((m := (flat == tile).astype(np.float32)) @ m.T for tile in np.unique(flat))
        different = flat.shape[1] - np.asarray(same, np.float64)
        np.fill_diagonal(different, np.inf)
        values[rows] = np.minimum(different.min(axis=1) / (_SIMILAR * flat.shape[1]), 1.0)
    return values


def _similarity(game: Game, items: Any, context: Context) -> Scores:
    """How like the examples of the recipe `(B,)`; NaN where it has none."""
    del context
    if not game.examples:
        return np.full(len(items), np.nan)
    return similarity([np.asarray(item) for item in items], game.examples, len(game.tiles))


def _diameter(free: NDArray[np.bool_]) -> NDArray[Any]:
    """Largest distance between connected cells, by breadth-first layers from all cells at once."""
    if free[0].size > _DIAMETER_CELLS:
        return np.full(len(free), np.nan)
    return np.array([_layers(one) for one in free], np.float64)


def _layers(free: NDArray[np.bool_]) -> int:
    """Number of layers after the first until the slowest of all searches in one map `(H, W)` ends."""
    cells = np.argwhere(free)
    front = np.zeros((len(cells), free.shape[0] + 2, free.shape[1] + 2), bool)
    front[np.arange(len(cells)), cells[:, 0] + 1, cells[:, 1] + 1] = True
    unseen = np.pad(free, 1) & ~front
    depth = -1
    while front.any():
        depth += 1
        spread = np.zeros_like(front)
        spread[:, 1:-1, 1:-1] = (
            front[:, :-2, 1:-1] | front[:, 2:, 1:-1] | front[:, 1:-1, :-2] | front[:, 1:-1, 2:]
        )
        front = spread & unseen
        unseen &= ~front
    return max(depth, 0)
