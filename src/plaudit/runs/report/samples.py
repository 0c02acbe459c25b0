"""Sections of the report that show things: before and after, the wall over time, the failures."""

from __future__ import annotations

import numpy as np

from plaudit.runs.report.alarms import mean_total
from plaudit.runs.report.files import Row, Run, Snapshot, number
from plaudit.runs.report.gallery import Gallery, met_counts, sample_wall, targets
from plaudit.runs.report.text import esc, figure, link, missing, section

WALL_ITEMS = 16
TIMELINE_ROWS, TIMELINE_ITEMS = 8, 8
MOST_FAILURES = 12
MOST_FILMS, MOST_REPLAYS = 4, 3


def before_after(run: Run, gallery: Gallery) -> str:
    """Return the first samples against the last."""
    shown = [snapshot for snapshot in run.snapshots if snapshot.items]
    if not shown:
        note = missing("No samples were stored.", f"plaudit sample {run.place} -n 16 --out samples")
        return section("samples", "Before and after", "", note)
    first, last = shown[0], shown[-1]
    panels = _panel(run, gallery, last, "After" if last is not first else "Samples", "after")
    if last is not first:
        panels = _panel(run, gallery, first, "Before", "before") + panels
    lead = "The first samples of the run beside the last, unsorted: nothing was picked by hand."
    if any(targets(item) for item in last.items[:WALL_ITEMS]):
        lead += " Under each stands what came / what was asked."
    return section("samples", "Before and after", lead, f'<div class="pair">{panels}</div>')


def timeline(run: Run, gallery: Gallery) -> str:
    """Return one row of samples for each of a few moments, evenly spread over the run."""
    shown = [snapshot for snapshot in run.snapshots if snapshot.items]
    if len(shown) < 3:
        return ""
    at = np.unique(np.linspace(0, len(shown) - 1, min(TIMELINE_ROWS, len(shown))).round().astype(int))
    rows = ""
    for snapshot in (shown[i] for i in at):
        label = f"<b>{snapshot.step:,}</b><small>{esc(_facts(snapshot))}</small>"
        wall = sample_wall(gallery, snapshot, TIMELINE_ITEMS, captions=False)
        rows += f'<div class="moment"><div>{label}</div>{wall}</div>'
    same = _same_seeds([shown[i] for i in at])
    lead = f"One row a moment, in {esc(run.unit)}." + (" Each column keeps its seed." if same else "")
    return section("timeline", "Over the training", lead, f'<div class="timeline card">{rows}</div>')


def films(run: Run, gallery: Gallery) -> str:
    """Return the films of samples in the making, as many as there is room for."""
    found = sorted((run.folder / "films").glob("[0-9][0-9][0-9][0-9].gif"))[:MOST_FILMS]
    shown = "".join(filter(None, (gallery.film(path) for path in found)))
    if not shown:
        return ""
    lead = "From where they began, step by step; what was just changed in a level has a frame."
    return section("films", "In the making", lead, f'<div class="wall">{shown}</div>')


def replays(run: Run, gallery: Gallery) -> str:
    """Return the last samples as the shipped player plays them, where the task has one."""
    shown = [snapshot for snapshot in run.snapshots if snapshot.items]
    found = sorted(shown[-1].folder.glob("replay_*.gif"))[:MOST_REPLAYS] if shown else []
    films = "".join(filter(None, (gallery.film(path) for path in found)))
    if not films:
        return ""
    lead = "The first of the last samples, move by move, by the player that learned to play them."
    return section("replays", "Played", lead, f'<div class="wall films">{films}</div>')


def failures(run: Run, gallery: Gallery) -> str:
    """Return what went wrong, with the reason under each picture."""
    if not run.evaluation:
        return ""
    listed = run.evaluation.get("failures")
    found = [f for f in listed if isinstance(f, dict)] if isinstance(listed, list) else []
    if not found:
        return section("failures", "Failures", "", "<p>The evaluation recorded no failure.</p>")
    shown = "".join(_failure(gallery, run, one) for one in found[:MOST_FAILURES])
    count = f"{len(found)} recorded" + (f", {MOST_FAILURES} shown." if len(found) > MOST_FAILURES else ".")
    lead = f"Items of the evaluation that missed what was asked: {count}"
    return section("failures", "Failures", lead, f'<div class="wall failed">{shown}</div>')


def _panel(run: Run, gallery: Gallery, snapshot: Snapshot, title: str, kind: str) -> str:
    facts = f"{snapshot.step:,} {esc(run.unit, 30)}"
    more = _facts(snapshot)
    facts = f"{facts} · {esc(more)}" if more else facts
    files = link(f"samples/{snapshot.folder.name}/manifest.json", "manifest")
    return (
        f'<div class="card {kind}"><header><h3>{title}</h3>{files}<p>{facts}</p></header>'
        f"{sample_wall(gallery, snapshot, WALL_ITEMS)}</div>"
    )


def _facts(snapshot: Snapshot) -> str:
    met, known = met_counts(snapshot)
    facts = [f"{met} of {known} meet every target"] if known else []
    total = mean_total(snapshot)
    facts += [f"mean reward {figure(total)}"] if np.isfinite(total) else []
    rejected = number(snapshot.manifest.get("rejected"))
    return " · ".join(facts + ([f"{figure(rejected)} rejected"] if rejected > 0 else []))


def _same_seeds(snapshots: list[Snapshot]) -> bool:
    seeds = {tuple(str(item.get("seed")) for item in s.items[:TIMELINE_ITEMS]) for s in snapshots}
    return len(seeds) == 1 and "None" not in seeds.pop()


def _failure(gallery: Gallery, run: Run, failure: Row) -> str:
    reason = esc(failure.get("reason") or "no reason recorded", 160)
    return gallery.figure(run.folder / str(failure.get("file") or ""), reason, str(failure.get("file") or ""))
