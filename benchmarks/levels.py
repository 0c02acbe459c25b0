"""Levels with rules: the shipped presets beside hill climbing, a constructive generator and random search.

1,000 levels a task from seeds and targets that no training or tuning has seen, on one core (a part of them
once more on two), single shot: every level counts, none is drawn again. Diversity is judged within batches of
100 by the judge of each game, plain Python that shares nothing with the kernels of the environment; where
`PCG_BENCHMARK_HOME` names a checkout of the PCG Benchmark, its own judge looks at the first of the same
levels once more: `peer_*`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.level_env import env_ratio
from benchmarks.level_rivals import at_equal_time
from benchmarks.peers import pcg_benchmark
from benchmarks.timing import say
from plaudit.domains import get_task
from plaudit.domains.level.game import Maps
from plaudit.domains.level.request import FREE
from plaudit.errors import Infeasible
from plaudit.runs import presets
from plaudit.task import Item

Figures = dict[str, Any]
SEED, BATCH = 880_001, 100
COSTLY = ("sokoban", "dungeon", "cave", "platformer", "runner")
"""Games whose statistics take a solver, or a player: less is made of what stands beside the preset."""
BY_THE_PEER = 100
"""Levels that the PCG Benchmark's judge looks at, which takes seconds over some."""
TASKS = ("zelda", "sokoban", "dungeon", "cave", "platformer", "runner")
BESIDE = 100
"""Levels for which the policy stands beside its rivals at equal wall time."""
CRITERIA = ("quality", "control", "diversity")
ROOMY = {"zelda": 100, "sokoban": 40, "dungeon": 10, "cave": 10, "platformer": 10, "runner": 10}
"""Levels that are made on twice the width and height."""
LENGTHS = ("path", "solution", "solution_length")
"""Statistics that are asked for within one step, where others are asked for exactly."""
TWICE = 200
"""Levels that are made once more on two cores: the same ones, sooner."""


def _seeds(count: int) -> list[int]:
    """Item seeds as `plaudit sample --seed` numbers them."""
    return [SEED * 1_000_000 + i for i in range(count)]


def judged(task: Any, items: Sequence[Item]) -> Figures:
    """Shares that pass, and that pass all three on the same item."""
    parts = [task.judge(items[i : i + BATCH]) for i in range(0, len(items), BATCH)]
    passed = {key: np.concatenate([p[key] for p in parts]) for key in CRITERIA}
    joint = np.prod(list(passed.values()), axis=0)
    return {key: round(float(v.mean()), 4) for key, v in {**passed, "joint": joint}.items()}


def made(work: Callable[[], Iterator[Item]]) -> tuple[list[Item], float]:
    """The items and how many were made in a second."""
    start = time.perf_counter()
    items = list(work())
    return items, len(items) / (time.perf_counter() - start)


def main_figures(name: str, count: int) -> Figures:
    """The preset and what stands beside it, on the same requests."""
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    requests, seeds = task.requests(count, SEED, task.Request()), _seeds(count)
    list(task.generate(policy, requests[:BATCH], seeds[:BATCH]))  # warm-up: kernels are loaded
    begun = time.process_time()
    items, speed = made(lambda: task.generate(policy, requests, seeds))
    seconds = (time.process_time() - begun) / count
    torch.set_num_threads(2)
    again, both = made(lambda: task.generate(policy, requests[:TWICE], seeds[:TWICE]))
    torch.set_num_threads(1)
    assert all((a.content == b.content).all() for a, b in zip(again, items, strict=False))
    figures = {
        **judged(task, items),
        "levels_per_s": round(speed, 1),
        "levels_per_s_2_cores": round(both, 1),
        "levels_per_core_s": round(1.0 / seconds, 1),
        "evaluations": round(float(np.mean([item.info["evaluations"] for item in items])), 1),
        "polished_share": round(float(np.mean([item.info["polished"] > 0 for item in items])), 4),
        **pcg_benchmark.judge(name, items[:BY_THE_PEER]),
    }
    say(f"  {figures}")
    for key, rival in (("hill", "hill_climbing"), ("constructive", "heuristic")):
        few = min(count, ((300, 100) if name in COSTLY else (1000, 300))[key == "hill"])
        others, pace = made(lambda b=rival, n=few: task.baselines()[b](requests[:n], seeds[:n]))
        found = judged(task, others)
        figures |= {f"{key}_{k}": v for k, v in found.items()} | {f"{key}_levels_per_s": round(pace, 1)}
    return figures | beside(task, requests[:BESIDE], items[:BESIDE], seconds)


def beside(task: Any, requests: Sequence[Any], items: Sequence[Item], seconds: float) -> Figures:
    """What the rivals make of the same requests at equal wall time, and how far the policy is ahead:
    `vs_*`."""
    ours, figures = judged(task, items), {}
    for rival, made_by in at_equal_time(task, requests, [item.seed for item in items], seconds).items():
        theirs = judged(task, made_by)
        say(f"  {rival} in {seconds:.3f} s a level: {theirs}")
        figures[f"equal_time_{rival}"] = theirs
        figures[f"vs_{rival}"] = {key: round(ours[key] - theirs[key], 4) for key in CRITERIA}
    return figures


def sized(name: str, times: int, count: int) -> Figures:
    """Quality on maps `times` as wide and high, which no training has seen."""
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    size = tuple(times * side for side in task.game.size)
    requests = task.requests(count, SEED, task.Request(size=size))
    items, speed = made(lambda: task.generate(policy, requests, _seeds(count)))
    found = judged(task, items)
    return {f"size{times}_quality": found["quality"], f"size{times}_levels_per_s": round(speed, 2)}


def locked(name: str, count: int) -> Figures:
    """10 to 30 % of the cells are those of another good level, and what is asked for are its figures."""
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    rng, seeds = np.random.default_rng(SEED), _seeds(count)
    plain = task.requests(count, SEED, task.Request())
    requests = [
        task.Request(locked=partial(task, level, rng), target=figures)
        for level, figures in good_levels(task, count)
    ]
    items = list(task.generate(policy, requests, seeds))
    broken = sum(violations(task, item) for item in items)
    free = judged(task, list(task.generate(policy, plain, seeds)))["quality"]
    found = judged(task, items)["quality"]
    return {
        "locked_violations": broken,
        "locked_quality": found,
        "locked_quality_loss": round(free - found, 4),
    }


def good_levels(task: Any, count: int, names: Sequence[str] = ()) -> list[tuple[Maps, dict[str, float]]]:
    """Constructed levels that are good, and their values of the named targets or those of a plain request."""
    game, found = task.game, []
    names = names or game.modes[0]
    for block in range(100):
        requests = task.requests(count, SEED + 2 + block, task.Request())
        seeds = [(SEED + 2 + block) * 1_000_000 + i for i in range(count)]
        levels = np.stack([item.content for item in task.baselines()["heuristic"](requests, seeds)])
        for level, stats in zip(levels, game.measure(levels).tolist(), strict=True):
            figures = dict(zip(game.statistics, stats, strict=True))
            if figures["faults"] == 0:
                found.append((level, {name: float(figures[name]) for name in names}))
        if len(found) >= count:
            break
    return found[:count]


def partial(task: Any, level: Maps, rng: np.random.Generator) -> tuple[str, ...]:
    """A partial map: a share from 10 to 30 % of the cells of a level, the rest free."""
    kept = rng.random(level.shape) < rng.uniform(0.1, 0.3)
    return tuple(
        "".join(task.game.tiles[tile].glyph if keep else FREE for tile, keep in zip(row, keeps, strict=True))
        for row, keeps in zip(level.tolist(), kept.tolist(), strict=True)
    )


def violations(task: Any, item: Item) -> int:
    """Locked cells that hold another tile."""
    return sum(
        glyph not in (FREE, task.game.tiles[tile].glyph)
        for row, cells in zip(item.request.locked, item.content.tolist(), strict=True)
        for glyph, tile in zip(row, cells, strict=True)
    )


def asked_exactly(name: str, count: int) -> Figures:
    """All that can be asked for together: lengths within one step, the rest exact; each a good level's
    figures.

    Of zelda "path 30, 5 enemies" and its like are asked for instead, anywhere in their range.
    """
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    targets = [figures for _, figures in good_levels(task, count, all_of(task.game))]
    if name == "zelda":
        rng = np.random.default_rng(SEED)
        targets = [
            {"path": int(rng.integers(20, 37)), "enemies": int(rng.integers(1, 7))} for _ in range(count)
        ]
    requests = [
        task.Request(target=target, tolerance={key: float(key in LENGTHS) for key in target})
        for target in targets
    ]
    items = list(task.generate(policy, requests, _seeds(len(requests))))
    figures = [task.game.judge.survey(item.content) for item in items]
    # With another number of enemies than usual a level of zelda is as asked, though no plain one would be
    # good.
    good = _whole if name == "zelda" else task.game.judge.passes
    met = [
        all(abs(found[key] - value) <= (key in LENGTHS) for key, value in target.items())
        and good(item.content, found)
        for item, found, target in zip(items, figures, targets, strict=True)
    ]
    return {"asked_exact": round(float(np.mean(met)), 4)}


def all_of(game: Any) -> tuple[str, ...]:
    """The targets of the mode that asks for most."""
    return tuple(max(game.modes, key=len))


def repaired(name: str, count: int) -> Figures:
    """Playable levels damaged in one to three cells: the share made good in as few edits or fewer."""
    task = get_task(f"level/{name}")
    rng = np.random.default_rng(SEED)
    fixed, edits = [], []
    for number, (level, _) in enumerate(good_levels(task, count)):
        hurt = 1 + number % 3
        damaged = _damaged(task, Item(level, task.Request(), number), hurt, rng)
        try:
            mended = task.repair(damaged)
        except Infeasible:
            fixed.append(False)
            continue
        found = task.game.judge.survey(mended.content)
        edits.append(len(mended.info["repair"]))
        fixed.append(task.game.judge.passes(mended.content, found) and edits[-1] <= hurt)
    return {"repair_share": round(float(np.mean(fixed)), 4), "repair_edits": round(float(np.mean(edits)), 2)}


def _damaged(task: Any, item: Item, hurt: int, rng: np.random.Generator) -> Item:
    """The level with some cells changed, until it is no longer good; no request but to be good."""
    while True:
        level = item.content.copy()
        for cell in rng.choice(level.size, hurt, replace=False):
            level.flat[cell] = (level.flat[cell] + rng.integers(1, len(task.game.tiles))) % len(
                task.game.tiles
            )
        if not task.game.judge.passes(level, task.game.judge.survey(level)):
            return Item(level, task.Request(), item.seed)


def _whole(level: Maps, found: Figures) -> bool:
    """One of each, one region, both ways open."""
    del level
    single = found["players"] == found["keys"] == found["doors"] == found["regions"] == 1
    return bool(single and found["player_key"] > 0 and found["key_door"] > 0)


def run(quick: bool, only: list[str] | None) -> Figures:
    """Every figure of the levels, or only of the named tasks."""
    torch.set_num_threads(1)
    figures: Figures = {"benchmark": "levels", "quick": quick}
    for name in [name for name in only or TASKS if name in TASKS]:
        count = 200 if quick else 1000
        say(f"{name} ...")
        figures[name] = main_figures(name, count)
        say(f"  {figures[name]}")
        if not quick:
            figures[name] |= locked(name, 60 if name in COSTLY else 300)
            figures[name] |= sized(name, 2, ROOMY[name])
            figures[name] |= sized(name, 4, 20) if name in ("zelda", "sokoban") else {}
        if name != "platformer":
            few = name in COSTLY or quick
            figures[name] |= asked_exactly(name, 100 if few else 500) | repaired(name, 60 if few else 300)
        say(f"  {figures[name]}")
    if not only or "maze" in only:
        figures |= env_ratio(quick)
    return figures
