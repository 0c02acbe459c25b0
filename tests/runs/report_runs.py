"""Run folders that look like real ones, for the tests of the report (and for looking at it)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from plaudit.media.png import write_png

RECIPE = """task = "level/maze"
name = "{name}"
algorithm = "{name}"
seed = {seed}
budget = "50000"
form = "potential"
reward = [
  {{ term = "connected", weight = 1.0 }},
  {{ term = "path_length", weight = 0.05, target = 40.0, tolerance = 2.0 }},
  {{ term = "novelty", weight = 0.5, ramp = [0.2, 0.6] }},
]
"""
STEPS = 50_000
BLUE, PAPER = (43, 58, 103), (241, 236, 222)


def build(folder: Path, seed: int = 0, name: str = "ppo", lift: float = 1.0) -> Path:
    """Write a finished run; `lift` scales what training gained."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    (folder / "recipe.toml").write_text(RECIPE.format(seed=seed, name=name))
    (folder / "command.txt").write_text(f"plaudit train level/maze --budget 50000 --seed {seed}\n")
    write_json(folder / "env.json", MACHINE)
    write_json(folder / "status.json", {"state": "done", "task": "level/maze", "unit": "steps", "share": 1.0})
    write_logs(folder, random, lift)
    for step in range(0, STEPS + 1, STEPS // 10):
        write_samples(folder, step, skill=lift * step / STEPS)
    write_evaluation(folder, lift)
    write_checkpoint(folder)
    return folder


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_logs(folder: Path, random: np.random.Generator, lift: float, rows: int = 600) -> None:
    steps = (np.linspace(0, STEPS, rows) // 1).astype(int)
    rise = lift / (1 + np.exp(-8 * (np.linspace(0, 1, rows) - 0.35)))
    noise = random.normal(0, 1, (rows, 6))
    ramp = np.clip((steps / STEPS - 0.2) / 0.4, 0, 1) * 0.5
    with (folder / "metrics.jsonl").open("w") as metrics, (folder / "rewards.jsonl").open("w") as rewards:
        for i, step in enumerate(steps.tolist()):
            raw = {
                "connected": 0.3 + 0.68 * rise[i] + 0.03 * noise[i, 0],
                "path_length": -30 + 29 * rise[i] + 1.5 * noise[i, 1],
                "novelty": 0.25 + 0.5 * rise[i] + 0.04 * noise[i, 2],
                "dead_ends": 9 - 3 * rise[i] + 0.6 * noise[i, 3],
            }
            weights = {"connected": 1.0, "path_length": 0.05, "novelty": float(ramp[i]), "dead_ends": 0.0}
            terms = {k: {"raw": v, "weight": weights[k], "weighted": v * weights[k]} for k, v in raw.items()}
            total = sum(term["weighted"] for term in terms.values())
            rewards.write(json.dumps({"step": step, "terms": terms, "total": total}) + "\n")
            metrics.write(json.dumps({"step": step, **learner_row(i / rows, noise[i])}) + "\n")
    speed = 5200 + 300 * random.normal(size=40)
    with (folder / "timings.jsonl").open("w") as timings:
        for i in range(40):
            row = {
                "step": STEPS * (i + 1) // 40,
                "elapsed_s": 4.8 * (i + 1),
                "steps_per_s": speed[i],
                "save_s": 0.02,
            }
            timings.write(json.dumps(row) + "\n")


def learner_row(share: float, noise: np.ndarray) -> dict[str, float]:
    return {
        "policy_loss": -0.02 * (1 - share) + 0.006 * noise[4],
        "value_loss": 0.9 * np.exp(-4 * share) + 0.05 + 0.02 * abs(noise[5]),
        "entropy": 1.9 - 1.1 * share + 0.02 * noise[4],
        "approx_kl": 0.011 + 0.003 * abs(noise[5]),
        "clip_fraction": 0.12 + 0.02 * noise[4],
        "episode_length": 196 - 40 * share + 4 * noise[5],
        "learning_rate": 3e-4 * (1 - share),
        "masked": 0.0,
    }


def write_samples(folder: Path, step: int, skill: float, count: int = 16) -> None:
    place = folder / "samples" / f"step_{step:06d}"
    place.mkdir(parents=True)
    items = []
    for i in range(count):
        open_cells, path = maze(np.random.default_rng(100 + i), skill)
        met = abs(path - 40) <= 4
        request = {"target": {"path": 40}}
        write_png(
            draw(open_cells), place / f"{i + 1:04d}.png", {"request": request, "item": {"seed": 100 + i}}
        )
        terms = {"connected": {"raw": skill, "weight": 1.0, "weighted": skill}}
        terms["symmetry"] = {"raw": 0.5 + 0.01 * i, "weight": 0.0, "weighted": 0.0}
        items.append(
            {
                **{"file": f"{i + 1:04d}.png", "seed": 100 + i, "request": request, "met": met},
                **{"terms": terms, "statistics": {"path": path, "regions": 1}},
            }
        )
    counts = {"rejected": 0, "asked": count, "twins": {"symmetry": "maximize"}}
    write_json(place / "manifest.json", {"items": items, "task": "level/maze", **counts})


def maze(random: np.random.Generator, skill: float, side: int = 14) -> tuple[np.ndarray, int]:
    """Carve a depth-first maze and disturb it: little skill, much noise. Returns cells, path length."""
    cells = np.zeros((side, side), bool)
    stack = [(1, 1)]
    cells[1, 1] = True
    while stack:
        y, x = stack[-1]
        ways = [
            (dy, dx)
            for dy, dx in ((0, 2), (2, 0), (0, -2), (-2, 0))
            if 0 <= y + dy < side and 0 <= x + dx < side and not cells[y + dy, x + dx]
        ]
        if not ways:
            stack.pop()
            continue
        dy, dx = ways[random.integers(len(ways))]
        cells[y + dy // 2, x + dx // 2] = cells[y + dy, x + dx] = True
        stack.append((y + dy, x + dx))
    noise = random.random((side, side)) < 0.5 * (1 - min(1.0, skill))
    return cells ^ noise, int(12 + 28 * skill + random.integers(-2, 3))


def draw(cells: np.ndarray, tile: int = 8) -> Image.Image:
    colours = np.where(cells[..., None], PAPER, BLUE).astype(np.uint8)
    return Image.fromarray(colours.repeat(tile, 0).repeat(tile, 1))


def write_evaluation(folder: Path, lift: float) -> None:
    def row(
        quality: float, control: float, diversity: float, path: float, seconds: float, evals: float
    ) -> dict:
        rest = {
            "path": [path, path - 1.1, path + 1.1],
            "seconds_per_item": seconds,
            "evaluations_per_item": evals,
        }
        named = {"quality": quality, "control": control, "diversity": diversity}
        return {k: [v, max(0, v - 0.02), min(1, v + 0.02)] for k, v in named.items()} | rest

    reasons = ("two regions instead of one", "path 31, asked 40 ± 2", "path 55, asked 40 ± 2")
    (folder / "failures").mkdir()
    for i in range(len(reasons)):
        write_png(draw(maze(np.random.default_rng(900 + i), 0.7)[0]), folder / "failures" / f"{i}.png")
    failures = [{"file": f"failures/{i}.png", "reason": reason} for i, reason in enumerate(reasons)]
    baselines = {
        "random": row(0.02, 0.01, 0.99, 8, 0.0004, 1),
        "heuristic": row(0.97, 0.61, 0.62, 31, 0.0015, 310),
        "best_of_n": row(0.31, 0.12, 0.97, 17, 0.021, 64),
    }
    policy = row(0.3 + 0.68 * lift, 0.2 + 0.72 * lift, 0.81, 39.4, 0.012, 1)
    terms = {
        "connected": {"policy": 0.99, "random": 0.03, "heuristic": 0.98, "best_of_n": 0.4},
        "path_length": {"policy": -0.8, "random": -31.2, "heuristic": -9.1, "best_of_n": -22.0},
    }
    record = {"task": "level/maze", "n": 1000, "seed": 1, "policy": policy, "baselines": baselines}
    write_json(folder / "evaluation.json", record | {"terms": terms, "failures": failures})


def write_checkpoint(folder: Path) -> None:
    files = {
        name: {"sha256": hashlib.sha256(name.encode()).hexdigest(), "bytes": 1_204_812}
        for name in ("model.safetensors", "state.safetensors")
    }
    write_json(
        folder / "checkpoints" / "050000" / "manifest.json", {"format": 1, "step": STEPS, "files": files}
    )
    write_json(folder / "latest.json", {"path": "checkpoints/050000", "step": STEPS})


MACHINE = {
    **{
        "python": "3.11.14",
        "system": "Linux",
        "machine": "x86_64",
        "cpu": "AMD EPYC",
        "cores": 2,
        "threads": 1,
    },
    "versions": {"plaudit": "0.1.0", "torch": "2.13.0+cpu", "numpy": "2.4.6", "numba": "0.63.1"},
    "learner": {"algorithm": "ppo", "path": "fast", "parameters": 87_301},
}
