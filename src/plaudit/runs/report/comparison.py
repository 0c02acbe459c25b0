"""Several runs on one page: runs that differ in their seed alone form a group, with intervals over seeds.

Intervals over seeds are Student's: with five runs a bootstrap of the mean is too narrow.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plaudit.errors import InputError
from plaudit.runs.report.charts import Axes, Series, interval_bar, line_chart
from plaudit.runs.report.curves import MOST_TERMS, term_names
from plaudit.runs.report.facts import cost_facts
from plaudit.runs.report.files import Run, Values, column
from plaudit.runs.report.gallery import Gallery, sample_wall
from plaudit.runs.report.text import NONE, esc, figure, link, listing, missing, page, section, table, words
from plaudit.runs.report.verdict import (
    MAIN_FIGURES,
    RULE,
    Figure,
    Standing,
    compare,
    figures_of,
    read_figure,
    sentence,
)

STUDENT_975 = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
)
"""Student's t for a 95% interval with 1, 2, ... 14 degrees of freedom; beyond, `1.96 + 2.5 / degrees`."""
GRID_POINTS = 120
WALL_ITEMS = 8


@dataclass(frozen=True)
class Group:
    """Runs of one recipe and its label."""

    label: str
    runs: list[Run]


def compare_page(runs: Sequence[Run], home: Path, picture_bytes: int) -> str:
    """Return the page about several runs; links are relative to the folder `home`."""
    if not runs:
        raise InputError(
            "a comparison needs at least one run; none came.", hint="plaudit compare RUN RUN ..."
        )
    groups = group(runs)
    body = (
        _head(groups) + _figures(groups) + _curves(groups) + _walls(groups, picture_bytes) + _runs(runs, home)
    )
    anchors = (("figures", "Figures"), ("curves", "Curves"), ("samples", "Samples"), ("runs", "Runs"))
    return page(f"{len(runs)} runs · Plaudit comparison", anchors, body)


def group(runs: Sequence[Run]) -> list[Group]:
    """Gather runs whose recipes differ in nothing but the seed."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        same = {key: value for key, value in run.recipe.items() if key != "seed"}
        found.setdefault(json.dumps(same, sort_keys=True, default=str) if same else run.place, []).append(run)
    tasks = {run.task for run in runs}
    labels = [_label(members[0], len(tasks) > 1) for members in found.values()]
    return [
        Group(label if labels.count(label) == 1 else f"{label} · {members[0].folder.name}", members)
        for label, members in zip(labels, found.values(), strict=True)
    ]


def seed_interval(values: Sequence[float]) -> Figure:
    """Return mean and 95% interval over runs; a single run has no interval and stands alone.

    >>> seed_interval([1.0, 2.0, 3.0]).mean, round(seed_interval([1.0, 2.0, 3.0]).high, 3)
    (2.0, 4.484)
    """
    known = np.array([v for v in values if math.isfinite(v)])
    if not len(known):
        return Figure(math.nan, math.nan, math.nan)
    if np.ptp(known) == 0:
        return Figure(known[0], known[0], known[0])
    mean = float(known.mean())
    half = student(len(known) - 1) * float(known.std(ddof=1)) / math.sqrt(len(known))
    return Figure(mean, mean - half, mean + half)


def student(degrees: int) -> float:
    """Return Student's t at 0.975; within 0.3% beyond the table."""
    return STUDENT_975[degrees - 1] if degrees <= len(STUDENT_975) else 1.96 + 2.5 / degrees


def band(name: str, lines: Sequence[tuple[Values, Values]], colour: int) -> Series:
    """Return the mean of several curves with its interval, over the steps that all of them reached."""
    lines = [(x, y) for x, y in lines if len(x)]
    if not lines:
        return Series(name, np.array([]), np.array([]), colour)
    start, end = max(float(x[0]) for x, _ in lines), min(float(x[-1]) for x, _ in lines)
    grid = np.linspace(start, max(start, end), GRID_POINTS)
    table_ = np.stack([np.interp(grid, x, y) for x, y in lines])
    if len(lines) == 1:
        return Series(name, grid, table_[0], colour)
    half = student(len(lines) - 1) * table_.std(axis=0, ddof=1) / math.sqrt(len(lines))
    mean = table_.mean(axis=0)
    return Series(name, grid, mean, colour, mean - half, mean + half)


def _label(run: Run, with_task: bool) -> str:
    parts = [run.task] if with_task else []
    parts += [str(run.recipe.get(key) or "") for key in ("name", "algorithm")]
    return " · ".join(dict.fromkeys(part for part in parts if part and part != "default")) or run.task


def _over_seeds(group_: Group, name: str, generator: str = "policy") -> Figure:
    values = [read_figure(figures_of(run.evaluation).get(generator, {}).get(name)) for run in group_.runs]
    return seed_interval([value.mean for value in values if value])


def _head(groups: list[Group]) -> str:
    runs = sum(len(one.runs) for one in groups)
    tasks = listing(sorted({run.task for one in groups for run in one.runs}))
    eyebrow = f"{esc(tasks, 200)} · {runs} runs, {len(groups)} {'recipe' if len(groups) == 1 else 'recipes'}"
    lead = f"Intervals are over seeds (Student's, 95%). {RULE}"
    return (
        f'<section id="verdict" class="head"><p class="eyebrow">{eyebrow}</p>'
        f'<h1>{esc(_verdict(groups), 300)}</h1><p class="lead">{esc(lead)}</p></section>'
    )


def _verdict(groups: list[Group]) -> str:
    """Compare the first group with the second; of one group say what its seeds reached."""
    if len(groups) == 1:
        reached = [(name, _over_seeds(groups[0], name)) for name in MAIN_FIGURES]
        parts = [
            f"{name} {figure(v.mean)} ± {figure(v.high - v.mean)}"
            for name, v in reached
            if math.isfinite(v.mean)
        ]
        return (
            ", ".join(parts).capitalize() + f" over {len(groups[0].runs)} seeds."
            if parts
            else "Not evaluated yet."
        )
    first, second = groups[0], groups[1]
    standing: dict[Standing, list[str]] = {"better": [], "worse": [], "level": []}
    for name in MAIN_FIGURES:
        mine, theirs = _over_seeds(first, name), _over_seeds(second, name)
        if math.isfinite(mine.mean) and math.isfinite(theirs.mean):
            alone = min(len(first.runs), len(second.runs)) < 2
            standing["level" if alone else compare(mine, theirs)].append(name)
    if not any(standing.values()):
        return "Not evaluated yet."
    said = sentence(standing, second.label)
    return f"{first.label}: {said[0].lower()}{said[1:]}"


def _figures(groups: list[Group]) -> str:
    costs = ("seconds_per_item", "evaluations_per_item")
    rows = []
    for one in groups:
        cells = [_cell(_over_seeds(one, name)) for name in MAIN_FIGURES]
        cells += [figure(_over_seeds(one, name).mean) for name in costs]
        rows.append([f"<b>{esc(one.label, 120)}</b><small>{len(one.runs)} seeds</small>", *cells])
    for name in dict.fromkeys(
        name for one in groups for run in one.runs for name in figures_of(run.evaluation)
    ):
        if name != "policy":
            everyone = Group(name, [run for one in groups for run in one.runs])
            cells = [_cell(_over_seeds(everyone, key, name)) for key in MAIN_FIGURES]
            cells += [figure(_over_seeds(everyone, key, name).mean) for key in costs]
            rows.append([f"{esc(words(name).capitalize(), 60)}<small>baseline</small>", *cells])
    head = ["", *MAIN_FIGURES, "seconds an item", "evaluations an item"]
    body = table(head, rows, "cards figures")
    return section("figures", "Figures", "Means over seeds with 95% intervals.", body)


def _cell(value: Figure) -> str:
    if not math.isfinite(value.mean):
        return NONE
    width = f"<small>± {figure(value.high - value.mean)}</small>" if value.high > value.low else ""
    return f"<b>{figure(value.mean)}</b>{width}{interval_bar(value.mean, value.low, value.high, (0, 1))}"


def _curves(groups: list[Group]) -> str:
    unit = groups[0].runs[0].unit
    names = list(dict.fromkeys(name for one in groups for run in one.runs for name in term_names(run)))
    charts: list[tuple[str, tuple[str, ...], int]] = [("Reward per episode", ("total",), 260)]
    charts += [(words(name), ("terms", name, "raw"), 140) for name in names[:MOST_TERMS]]
    drawn = []
    for title, keys, height in charts:
        series = [
            band(one.label, [column(run.rewards, *keys) for run in one.runs], colour)
            for colour, one in enumerate(groups[:6], 1)
        ]
        drawn.append(f'<div class="card">{line_chart(series, Axes(title, unit, height=height))}</div>')
    lead = "Lines are means over seeds, shades their 95% intervals, over the steps that every seed reached."
    return section("curves", "Curves", lead, drawn[0] + f'<div class="grid">{"".join(drawn[1:])}</div>')


def _walls(groups: list[Group], picture_bytes: int) -> str:
    rows = ""
    for one in groups[:12]:
        for run in one.runs[:12]:
            shown = [snapshot for snapshot in run.snapshots if snapshot.items]
            if shown:
                label = (
                    f"<b>seed {esc(run.recipe.get('seed', '?'), 20)}</b><small>{esc(one.label, 80)}</small>"
                )
                wall = sample_wall(Gallery(run.folder, picture_bytes), shown[-1], WALL_ITEMS, captions=False)
                rows += f'<div class="moment"><div>{label}</div>{wall}</div>'
    body = f'<div class="timeline card">{rows}</div>' if rows else missing("No samples were stored.")
    return section("samples", "Samples", "The last samples of each run.", body)


def _runs(runs: Sequence[Run], home: Path) -> str:
    rows = []
    for run in runs[:100]:
        facts = cost_facts(run)
        target = os.path.relpath(run.folder / "report.html", home)
        name = (
            link(target, run.folder.name) if (run.folder / "report.html").exists() else esc(run.folder.name)
        )
        state = esc(run.status.get("state") or "unknown", 40)
        rows.append(
            [
                name,
                esc(run.recipe.get("seed", NONE), 20),
                state,
                *(esc(facts.get(k, NONE)) for k in ("training time", "median speed")),
            ]
        )
    head = ["run", "seed", "state", "training time", "median speed"]
    return section("runs", "Runs", "", table(head, rows, "cards"))
