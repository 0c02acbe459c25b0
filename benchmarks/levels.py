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
TWICE = 200
"""Levels that are made once more on two cores: the same ones, sooner."""


def _seeds(count: int) -> list[int]:
    """Item seeds as `plaudit sample --seed` numbers them."""
    return [SEED * 1_000_000 + i for i in range(count)]


def judged(task: Any, items: Sequence[Item]) -> Figures:
    """Shares that pass, and that pass all three on the same item."""
    parts = [task.judge(items[i : i + BATCH]) for i in range(0, len(items), BATCH)]
    passed = {key: np.concatenate([p[key] for p in parts]) for key in ("quality", "control", "diversity")}
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
    items, speed = made(lambda: task.generate(policy, requests, seeds))
    torch.set_num_threads(2)
    again, both = made(lambda: task.generate(policy, requests[:TWICE], seeds[:TWICE]))
    torch.set_num_threads(1)
    assert all((a.content == b.content).all() for a, b in zip(again, items, strict=False))
    figures = {
        **judged(task, items),
        "levels_per_s": round(speed, 1),
        "levels_per_s_2_cores": round(both, 1),
        "evaluations": round(float(np.mean([item.info["evaluations"] for item in items])), 1),
        "polished_share": round(float(np.mean([item.info["polished"] > 0 for item in items])), 4),
        **pcg_benchmark.judge(name, items[:BY_THE_PEER]),
    }
    say(f"  {figures}")
    for key, beside in (("hill", "hill_climbing"), ("constructive", "heuristic")):
        few = min(count, ((300, 100) if name in COSTLY else (1000, 300))[key == "hill"])
        others, pace = made(lambda b=beside, n=few: task.baselines()[b](requests[:n], seeds[:n]))
        found = judged(task, others)
        figures |= {f"{key}_{k}": v for k, v in found.items()} | {f"{key}_levels_per_s": round(pace, 1)}
    return figures | {"filter": filtered(task, min(count, 100), 1.0 / speed)}


def filtered(task: Any, count: int, seconds: float) -> Figures:
    """Random start maps until one is good and as asked, for as long as the policy takes for a level."""
    requests, kept = task.requests(count, SEED + 1, task.Request()), []
    for number, request in enumerate(requests):
        begun, tries, best = time.perf_counter(), 0, None
        while time.perf_counter() - begun < seconds or best is None:
            item = next(iter(task.baselines()["random"]([request], [number * 10_000 + tries])))
            tries += 1
            stats = task.game.measure(item.content[None])
            good = int(stats[0, task.game.statistics.index("faults")] == 0)
            best = item if best is None or good else best
            if good:
                break
        kept.append(best)
    return judged(task, kept)


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


def good_levels(task: Any, count: int) -> list[tuple[Maps, dict[str, float]]]:
    """Constructed levels that are good, and their values of all that a plain request asks for."""
    game, found = task.game, []
    for block in range(100):
        requests = task.requests(count, SEED + 2 + block, task.Request())
        seeds = [(SEED + 2 + block) * 1_000_000 + i for i in range(count)]
        levels = np.stack([item.content for item in task.baselines()["heuristic"](requests, seeds)])
        for level, stats in zip(levels, game.measure(levels).tolist(), strict=True):
            figures = dict(zip(game.statistics, stats, strict=True))
            if figures["faults"] == 0:
                found.append((level, {name: float(figures[name]) for name in game.modes[0]}))
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


def asked_exactly(count: int) -> Figures:
    """Zelda with "path 30, 5 enemies" and its like: the path within one step and the enemies exact."""
    task = get_task("level/zelda")
    policy = presets.load_policy(task.name)[0]
    rng = np.random.default_rng(SEED)
    requests = [
        task.Request(target={"path": int(rng.integers(20, 37)), "enemies": int(rng.integers(1, 7))})
        for _ in range(count)
    ]
    items = list(task.generate(policy, requests, _seeds(count)))
    figures = [task.game.judge.survey(item.content) for item in items]
    met = [
        abs(f["path"] - r.target["path"]) <= 1 and f["enemies"] == r.target["enemies"] and _whole(f)
        for f, r in zip(figures, requests, strict=True)
    ]
    return {"asked_exact": round(float(np.mean(met)), 4)}


def repaired(count: int) -> Figures:
    """Playable zelda levels damaged in one to three cells: the share made good in as few edits or fewer."""
    task = get_task("level/zelda")
    rng = np.random.default_rng(SEED)
    requests = task.requests(count, SEED + 3, task.Request())
    fixed, edits = [], []
    for number, item in enumerate(task.baselines()["heuristic"](requests, _seeds(count))):
        hurt = 1 + number % 3
        damaged = _damaged(task, item, hurt, rng)
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


def _whole(found: Figures) -> bool:
    """One of each, one region, both ways open."""
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
            figures[name] |= sized(name, 2, 10 if name in COSTLY else 100)
            figures[name] |= sized(name, 4, 20) if name == "zelda" else {}
        say(f"  {figures[name]}")
    if not only or "maze" in only:
        figures |= env_ratio(quick)
    if not only or "zelda" in only:
        figures |= asked_exactly(100 if quick else 500) | repaired(60 if quick else 300)
    return figures
