"""Sections of the report made of words and tables: the head, the baselines, the cost, how to repeat it."""

from __future__ import annotations

import math
import time

import numpy as np

from plaudit.runs.report.charts import Axes, Series, interval_bar, line_chart
from plaudit.runs.report.curves import total_trend
from plaudit.runs.report.files import Row, Run, column, number
from plaudit.runs.report.text import (
    NONE,
    duration,
    esc,
    figure,
    link,
    listing,
    missing,
    section,
    signed,
    table,
    words,
)
from plaudit.runs.report.verdict import MAIN_FIGURES, Figure, figures_of, judge, read_figure, standings

STALE_S = 120.0
"""A run that calls itself running and has not shown a heartbeat for this long has died."""
MOST_STATISTICS, MOST_FACTS = 8, 40
COSTS = {"seconds_per_item": "seconds an item", "evaluations_per_item": "evaluations an item"}
FILES = (
    *("recipe.toml", "command.txt", "env.json", "status.json", "metrics.jsonl", "rewards.jsonl"),
    *("timings.jsonl", "evaluation.json", "latest.json", "checkpoints", "samples", "stages"),
)


def head(run: Run) -> str:
    """Return the verdict, what stands behind it, and the figures that matter most."""
    verdict = judge(run.evaluation)
    name = run.recipe.get("name")
    title = run.task + (f" · {name}" if name and name != "default" else "")
    more = " ".join(map(esc, [*verdict.more[:-1], _trend_sentence(run), *verdict.more[-1:]]))
    note = "" if run.evaluation else missing("The run has no evaluation yet.", f"plaudit eval {run.place}")
    return (
        f'<section id="verdict" class="head"><p class="eyebrow">{esc(title, 200)} {_state(run)}</p>'
        f'<h1 class="{verdict.tone}">{esc(verdict.sentence)}</h1><p class="lead">{more}</p>{note}'
        f"{_error(run)}{_tiles(run)}{_unreadable(run)}</section>"
    )


def baselines(run: Run) -> str:
    """Return every generator's figures with intervals, and the terms' means below."""
    figures = figures_of(run.evaluation)
    if not figures:
        note = missing("No evaluation yet.", f"plaudit eval {run.place}")
        return section("baselines", "Against the baselines", "", note)
    count, seed = number(run.evaluation.get("n")), number(run.evaluation.get("seed"))
    lead = f"{figure(count)} items each, seed {seed:.0f}. " if math.isfinite(count + seed) else ""
    lead += "Means with 95% intervals; judged by code that is in no reward."
    drawn = number(run.evaluation.get("best_of_n_draws"))
    if drawn > 0:
        lead += f" Best-of-n keeps the best of {figure(drawn)} random items: what the policy's time pays for."
    body = _figures_table(figures) + _sets_table(run) + _terms_table(run)
    return section("baselines", "Against the baselines", lead, body)


def cost(run: Run) -> str:
    """Return time, speed, the share that saving took, and the machine."""
    if not run.timings:
        body = missing("No timings were logged (timings.jsonl).", f"plaudit resume {run.place}")
    else:
        x, y = column(run.timings, "steps_per_s")
        chart = line_chart([Series("speed", x, y, 3)], Axes("Speed", run.unit, f"{run.unit} a second"))
        body = f'<div class="card">{chart}</div>{_facts(cost_facts(run))}'
    machine = (
        _facts(_flat(run.machine)) if run.machine else missing("The machine was not recorded (env.json).")
    )
    halves = f"<div>{body}</div><div><h3>Machine</h3>{machine}</div>"
    return section("cost", "Cost", "", f'<div class="pair">{halves}</div>')


def reproduce(run: Run) -> str:
    """Return the command, the recipe, the checkpoint's hashes and links to the files."""
    body = f'<pre class="command"><code>{esc(run.command, 4000)}</code></pre>' if run.command else ""
    body = body or missing("The command was not recorded (command.txt).")
    if run.recipe_text:
        body += f"<details><summary>recipe.toml</summary><pre>{esc(run.recipe_text)}</pre></details>"
    if run.hashes:
        rows = [(esc(name), f"<code>{value}</code>") for name, value in list(run.hashes.items())[:16]]
        body += f"<h3>Checkpoint {esc(run.checkpoint)}</h3>"
        body += table(("file", "SHA-256"), rows, "cards hashes")
    else:
        body += missing("No complete checkpoint is here.", f"plaudit resume {run.place}")
    links = " ".join(link(name, name) for name in FILES if (run.folder / name).exists())
    return section("reproduce", "Do it again", "", f'{body}<p class="links">{links}</p>')


def cost_facts(run: Run) -> Row:
    """Return the figures of cost: time in seconds, median speed, share of time spent on saving."""
    steps, elapsed = column(run.timings, "elapsed_s")
    _, speed = column(run.timings, "steps_per_s")
    facts: Row = {}
    if len(elapsed):
        facts["training time"] = duration(float(elapsed.max()))
        facts[run.unit] = f"{int(steps.max()):,}"
    if len(speed):
        facts["median speed"] = f"{figure(float(np.median(speed)))} {run.unit}/s"
    for key, name in (("save_s", "time spent saving"), ("sample_s", "time spent on samples")):
        _, spent = column(run.timings, key)
        if len(spent) and len(elapsed) and elapsed.max() > 0:
            facts[name] = f"{duration(float(spent.sum()))} ({spent.sum() / elapsed.max():.1%})"
    return facts


def _state(run: Run) -> str:
    state = str(run.status.get("state") or "unknown")
    share, beat = number(run.status.get("share")), number(run.status.get("heartbeat"))
    if state == "running" and math.isfinite(beat) and time.time() - beat > STALE_S:
        state = "stopped without notice"
    elif state == "running" and math.isfinite(share):
        state = f"running, {share:.0%}"
    kind = {"done": "good", "failed": "bad", "diverged": "bad"}.get(state, "mixed")
    return f'<span class="pill {kind}">{esc(state, 60)}</span>'


def _error(run: Run) -> str:
    error = run.status.get("error")
    return f'<p class="error">{esc(error, 2000)}</p>' if error else ""


def _unreadable(run: Run) -> str:
    notes = "".join(f"<li>{esc(note, 400)}</li>" for note in run.unreadable[:12])
    if not notes:
        return ""
    summary = "<summary>Some files could not be read</summary>"
    return f'<details class="unreadable">{summary}<ul>{notes}</ul></details>'


def _trend_sentence(run: Run) -> str:
    first, last = total_trend(run)
    if not (math.isfinite(first) and math.isfinite(last)) or first == last:
        return ""
    verb = "rose" if last > first else "fell"
    return f"The reward {verb} from {figure(first)} to {figure(last)} per episode."


def _tiles(run: Run) -> str:
    figures = figures_of(run.evaluation)
    policy, reference = figures.get("policy", {}), figures.get("heuristic") or figures.get("random") or {}
    against = "the heuristic" if "heuristic" in figures else "random"
    tiles = ""
    for name in MAIN_FIGURES:
        if mine := read_figure(policy.get(name)):
            theirs = read_figure(reference.get(name))
            below = f"{signed(mine.mean - theirs.mean)} against {against}" if theirs else ""
            bar = interval_bar(mine.mean, mine.low, mine.high, (0, 1))
            tiles += _tile(name, figure(mine.mean), below, bar)
    for name, value in cost_facts(run).items():
        if name in ("training time", "median speed"):
            amount, _, unit = value.partition(" ") if name == "median speed" else (value, "", "")
            tiles += _tile(name, amount, unit)
    return f'<div class="tiles">{tiles}</div>' if tiles else ""


def _tile(name: str, value: str, below: str = "", bar: str = "") -> str:
    return (
        f'<div class="tile"><span>{esc(name)}</span><b>{esc(value)}</b>{bar}<small>{esc(below)}</small></div>'
    )


def _figures_table(figures: dict[str, Row]) -> str:
    known = [name for row in figures.values() for name in row if name not in COSTS]
    columns = [
        n
        for n in dict.fromkeys((*MAIN_FIGURES, *known))
        if any(read_figure(r.get(n)) for r in figures.values())
    ]
    columns = columns[: len(MAIN_FIGURES) + MOST_STATISTICS]
    costs = [name for name in COSTS if any(read_figure(row.get(name)) for row in figures.values())]
    spans = {name: _span(name, [read_figure(row.get(name)) for row in figures.values()]) for name in columns}
    rows = []
    for name, row in figures.items():
        cells = [_cell(read_figure(row.get(column)), spans[column]) for column in columns]
        rows.append([_generator(name, row, figures), *cells, *(figure(number(row.get(c))) for c in costs)])
    return table(["generator", *columns, *(COSTS[c] for c in costs)], rows, "cards figures")


def _generator(name: str, row: Row, figures: dict[str, Row]) -> str:
    """Return the name of a row, with what the policy is better and worse in."""
    if name == "policy" or "policy" not in figures:
        return f"<b>{esc(words(name).capitalize(), 60)}</b>"
    found = standings(figures["policy"], row)
    said = [f"policy {kind} in {listing(found[kind])}" for kind in ("better", "worse") if found[kind]]  # type: ignore[index]
    return (
        f"{esc(words(name).capitalize(), 60)}<small>{esc(', '.join(said) or 'no clear difference')}</small>"
    )


def _cell(value: Figure | None, span: tuple[float, float]) -> str:
    if value is None:
        return NONE
    width = f"<small>{figure(value.low)} to {figure(value.high)}</small>" if value.high > value.low else ""
    return f"<b>{figure(value.mean)}</b>{width}{interval_bar(value.mean, value.low, value.high, span)}"


def _span(name: str, values: list[Figure | None]) -> tuple[float, float]:
    known = [value for value in values if value]
    low, high = min(v.low for v in known), max(v.high for v in known)
    return (0.0, 1.0) if name in MAIN_FIGURES and low >= 0 and high <= 1 else (min(low, 0.0), high)


def _terms_table(run: Run) -> str:
    terms = run.evaluation.get("terms")
    terms = {k: v for k, v in terms.items() if isinstance(v, dict)} if isinstance(terms, dict) else {}
    if not terms:
        return ""
    names = list(dict.fromkeys(name for row in terms.values() for name in row))[:MOST_STATISTICS]
    rows = [
        [esc(words(term), 60), *(figure(number(row.get(n))) for n in names)]
        for term, row in list(terms.items())[:24]
    ]
    return "<h3>Reward terms, mean an item</h3>" + table(["term", *names], rows, "terms")


def _sets_table(run: Run) -> str:
    """Figures of all items of a generator together, where the task has some."""
    sets = run.evaluation.get("sets")
    sets = {k: v for k, v in sets.items() if isinstance(v, dict)} if isinstance(sets, dict) else {}
    names = list(dict.fromkeys(name for row in sets.values() for name in row))[:MOST_FACTS]
    if not names:
        return ""
    rows = [
        [esc(words(name), 60), *(figure(number(row.get(name))) for row in list(sets.values())[:24])]
        for name in names
    ]
    return "<h3>All items together</h3>" + table(["figure", *list(sets)[:24]], rows, "terms")


def _flat(value: Row, prefix: str = "") -> Row:
    flat: Row = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict) and prefix.count(" ") < 3:
            flat |= _flat(inner, f"{name} ")
        else:
            flat[name] = inner
    return flat


def _facts(facts: Row) -> str:
    rows = ""
    for name, value in list(facts.items())[:MOST_FACTS]:
        shown = listing([str(v) for v in value]) if isinstance(value, list) else value
        rows += f"<div><dt>{esc(words(name), 80)}</dt><dd>{esc(shown, 200)}</dd></div>"
    return f"<dl>{rows}</dl>"
