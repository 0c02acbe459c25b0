"""Melodies from the shipped preset beside the prior it was tuned from, real tunes, and simple generators.

10,000 melodies of eight bars from seeds and requests that nothing has seen, single shot, all figures on the
same melodies. The rules are those of RL Tuner's table, measured by the judge in plain Python over windows of
two bars; real tunes are stretches of the corpus's test split, measured in the same way on the same grid.
The judge of likelihood is a model of its own, trained on a split that no prior has seen.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.music_chorales import chorale
from benchmarks.timing import say
from plaudit.domains import get_task
from plaudit.domains.music.baselines import melody_baselines
from plaudit.domains.music.data import KINDS, SPLITS, folder_files, load_tunes, pieces_in, split_of
from plaudit.domains.music.files.json_file import table as table_of
from plaudit.domains.music.infill import InfillRequest
from plaudit.domains.music.leadsheet.request import LeadRequest
from plaudit.domains.music.likeness import log_likelihood
from plaudit.domains.music.lines import Lines, lines_of
from plaudit.domains.music.melody_judge import windows
from plaudit.domains.music.novelty import Known
from plaudit.domains.music.reward import run_codes
from plaudit.domains.music.score import Piece
from plaudit.domains.music.source import TuneCorpus
from plaudit.errors import PlauditError
from plaudit.measure.diversity import vendi_score
from plaudit.runs import presets
from plaudit.task import Item

Figures = dict[str, Any]
OPENEWLD = Path(os.environ.get("PLAUDIT_OPENEWLD", Path(__file__).parents[2] / "shared/data/openewld"))
"""402 public-domain lead sheets (00sapo/OpenEWLD, MIT)."""
SEED, BARS, WIDE = 2_350_001, 8, 500
"""Of the batch; bars of every melody; melodies between which the Vendi score is taken."""


def run(quick: bool = False, only: Sequence[str] | None = None) -> Figures:
    parts = {
        "melody": lambda: melody(1_000 if quick else 10_000),
        "infill": lambda: infill(100 if quick else 1_000),
        "leadsheet": lambda: leadsheet(1 if quick else 4),
        "chorale": lambda: chorale(1 if quick else 4),
    }
    for name in only or parts:
        if name not in parts:
            raise SystemExit(f"no task is called {name}: {', '.join(parts)}")
    figures = {}
    for name in only or parts:
        say(f"music/{name}")
        figures[name] = parts[name]()
    return figures


def melody(count: int) -> Figures:
    """Every figure of the task."""
    tunes = load_tunes()
    task = get_task("music/melody")
    items, figures = made(task, "melody", count)
    say(f"  preset: {figures}")
    real = real_pieces(tunes, count)
    prior, _ = made(task, "melody-prior", count)
    own, base, true = (table(pieces) for pieces in (pieces_of(items), pieces_of(prior), real))
    figures |= own | {"asked_met": float(np.mean([v["asked_met"].mean() for v in judged(task, items)]))}
    figures |= {"prior": base, "real": true, **beside(true, own)}
    few = min(count, 2000)
    nll = {name: likelihood(found[:few]) for name, found in (("own", items), ("prior", prior))}
    figures["judge_nll_ratio"] = round(nll["own"] / nll["prior"], 4)
    figures |= {"judge_nll": round(nll["own"], 4), "prior_judge_nll": round(nll["prior"], 4)}
    figures |= kept(pieces_of(items), pieces_of(prior))
    copied = Known(tunes).copied(lines_of(pieces_of(items)))
    figures["novel"] = round(float((copied == 0).mean()), 4)
    figures["real_novel"] = round(float((Known(tunes).copied(lines_of(real)) == 0).mean()), 4)
    figures["built"] = table(pieces_of(list(melody_baselines()["heuristic"](*orders(task, few)))))
    return figures | {"train_s": trained_s()}


def orders(task: Any, count: int) -> tuple[list[Any], list[int]]:
    seeds = [SEED * 1_000_000 + i for i in range(count)]
    return task.requests(count, SEED, task.Request(bars=BARS)), seeds


def made(task: Any, preset: str, count: int) -> tuple[list[Item], Figures]:
    """Melodies of a preset, and how many a second on one core."""
    policy = presets.policy_in(presets.find(f"music/{preset}"))
    requests, seeds = orders(task, count)
    torch.set_num_threads(1)
    list(task.generate(policy, requests[:64], seeds[:64]))
    start = time.perf_counter()
    items = list(task.generate(policy, requests, seeds))
    speed = count / (time.perf_counter() - start)
    parts = judged(task, items)
    shares = {
        key: round(float(np.mean([part[key].mean() for part in parts])), 4)
        for key in ("quality", "control", "diversity")
    }
    return items, {**shares, "melodies_per_s": round(speed, 1)}


def judged(task: Any, items: Sequence[Item]) -> list[dict[str, Any]]:
    return [task.judge(items[at : at + 100]) for at in range(0, len(items), 100)]


def pieces_of(items: Sequence[Item]) -> list[Piece]:
    return [item.content for item in items]


def real_pieces(tunes: Any, count: int) -> list[Piece]:
    """Stretches of eight bars of tunes that neither prior nor judge has seen."""
    found = TuneCorpus(tunes, "test", 0.0).stretches(min(count, 2000), np.random.default_rng(SEED), BARS)
    zero = np.zeros(len(found.length), np.int64)
    return list(Lines(found.tokens, found.length, found.metre, found.mode, zero))


def table(pieces: Sequence[Piece]) -> Figures:
    """RL Tuner's table, over the windows of all pieces."""
    all_windows = [windows(piece) for piece in pieces]
    flat = [window for own in all_windows for window in own]

    def total(name: str) -> float:
        return float(sum(getattr(window, name) for window in flat))

    steps, count, leaps = total("steps"), len(flat), total("resolved") + total("doubled")
    first = [piece.voices[0].notes[0] for piece in pieces if piece.voices and piece.voices[0].notes]
    tonic = [
        note.start == 0 and (note.pitch - piece.tonic) % 12 == 0
        for note, piece in zip(first, pieces, strict=True)
    ]
    rho = np.array([window.rho for window in flat if window.rho is not None]).mean(0)
    figures = {
        "repetition": total("repeated") / steps,
        "out_of_key": total("out_of_key") / steps,
        "tonic_start": float(np.mean(tonic)),
        "leaps_resolved": total("resolved") / max(leaps, 1.0),
        "unique_max": total("unique_max") / count,
        "unique_min": total("unique_min") / count,
        "motif": total("motif") / steps,
        "repeated_motif": total("repeated_motif") / steps,
    }
    return {key: round(value, 5) for key, value in figures.items()} | {
        "rho": [round(float(r), 4) for r in rho]
    }


def beside(real: Figures, own: Figures) -> Figures:
    off = np.abs(np.array(real["rho"]) - np.array(own["rho"]))
    return {
        "motif_ratio": round(own["motif"] / real["motif"], 4),
        "repeated_motif_ratio": round(own["repeated_motif"] / real["repeated_motif"], 4),
        "autocorrelation_ok": bool((off <= 0.1).all()),
    }


def likelihood(items: Sequence[Item]) -> float:
    """Nats a note under the frozen judge."""
    notes = sum(len(item.content.voices[0].notes) for item in items)
    return float(nats(items).sum()) / notes


def nats(items: Sequence[Item]) -> np.ndarray:
    """Nats of each melody under the frozen judge, which is told metre, mode, length and range alone."""
    judge = presets.policy_in(presets.find("music/melody-judge")).model
    return -log_likelihood(judge, lines_of(pieces_of(items)))


def kept(own: Sequence[Piece], prior: Sequence[Piece]) -> Figures:
    """Diversity after tuning over that before: distinct runs of eight sixteenths, and the Vendi score."""
    figures = {}
    for name, pieces in (("", own), ("prior_", prior)):
        lines = lines_of(pieces)
        runs = [run_codes(lines.tokens[row, : lines.length[row]]) for row in range(len(lines))]
        every = np.concatenate(runs)
        figures[f"{name}distinct_8"] = round(len(np.unique(every)) / len(every), 4)
        sets = [set(run.tolist()) for run in runs[:WIDE]]
        alike = np.array([[len(a & b) / (len(a) * len(b)) ** 0.5 for b in sets] for a in sets])
        figures[f"{name}vendi"] = round(vendi_score(alike), 2)
    shares = [figures[key] / figures[f"prior_{key}"] for key in ("distinct_8", "vendi")]
    return {**figures, "diversity_kept": round(min(shares), 4)}


def trained_s(preset: str = "melody") -> float | None:
    """Seconds that the preset's stages took, as its scores say."""
    path = presets.find(f"music/{preset}") / "scores.json"
    if not path.is_file():
        return None
    seconds = json.loads(path.read_text()).get("train_s")
    return float(seconds) if seconds is not None else None


def infill(count: int) -> Figures:
    """Unseen tunes with three of eight bars open: what stands stays, and what the judge prefers."""
    task, tunes = get_task("music/infill"), load_tunes()
    pieces = real_pieces(tunes, count)
    free = np.random.default_rng(SEED).integers(0, BARS - 2, len(pieces))
    asked = [
        InfillRequest(piece=table_of(piece), free=f"{at + 1}-{at + 3}")
        for piece, at in zip(pieces, free, strict=True)
    ]
    seeds = [SEED * 1_000_000 + i for i in range(len(asked))]
    made_by = {}
    for name in ("infill", "melody-prior"):
        policy = presets.policy_in(presets.find(f"music/{name}"))
        made_by[name] = list(task.generate(policy, asked, seeds))
    own, before = made_by["infill"], made_by["melody-prior"]
    parts = judged(task, own)
    figures = {
        key: round(float(np.mean(np.concatenate([part[key] for part in parts]))), 4)
        for key in ("asked_met", "quality", "diversity")
    }
    wins = nats(own) < nats(before)
    same = np.array([a.content == b.content for a, b in zip(own, before, strict=True)])
    figures["preferred_to_prior"] = round(float(wins[~same].mean()), 4)
    figures |= {"judge_nll_ratio": round(float(nats(own).sum() / nats(before).sum()), 4)}
    return figures | {
        "rules": table(pieces_of(own)),
        "prior_rules": table(pieces_of(before)),
        "real_rules": table(pieces),
    }


def leadsheet(draws: int) -> Figures:
    """Chords for the unseen scores of OpenEWLD, several draws each, beside the real ones."""
    if not OPENEWLD.is_dir():
        say(f"  {OPENEWLD} is not there: set PLAUDIT_OPENEWLD")
        return {}
    task = get_task("music/leadsheet")
    unseen = [piece for piece in scores(OPENEWLD) if split_of(piece.title) == SPLITS.index("test")]
    asked = [LeadRequest(piece=table_of(replace(piece, chords=()))) for piece in unseen] * draws
    seeds = [SEED * 1_000_000 + i for i in range(len(asked))]
    policy = presets.policy_in(presets.find("music/leadsheet"))
    start = time.perf_counter()
    items = list(task.generate(policy, asked, seeds))
    speed = len(items) / (time.perf_counter() - start)
    figures = {**sheets(task, items), "scores": len(unseen), "sheets_per_s": round(speed, 1)}
    real = [Item(piece, LeadRequest(), 0) for piece in unseen]
    figures["real"] = sheets(task, real)
    few = len(unseen)
    # The score grows with the number of sheets: one draw a score, as there is one real sheet of each.
    figures["vendi"] = round(
        float(np.mean([vendi_of(items[i * few : (i + 1) * few]) for i in range(draws)])), 2
    )
    figures["real"]["vendi"] = round(vendi_of(real), 2)
    for name, generator in task.baselines().items():
        others = list(generator(asked[:few], seeds[:few]))
        figures[name] = sheets(task, others) | {"vendi": round(vendi_of(others), 2)}
    return figures | {"train_s": trained_s("leadsheet")}


def scores(folder: Path) -> list[Piece]:
    """Every score of a folder that can be read."""
    found = []
    for path in folder_files(folder):
        try:
            piece = pieces_in(path)[0][0]
        except PlauditError:
            continue
        found.append(piece if piece.title else replace(piece, title=path.stem))
    return found


def sheets(task: Any, items: Sequence[Item]) -> Figures:
    """Share of the melody's time on chord tones: of all of it, and of that under any chord as GAPT counts."""
    found = task.judge(items)
    names = ("note_in_chord", "note_in_chord_under", "covered", "chords_per_bar", "quality")
    return {name: round(float(np.nanmean(found[name])), 4) for name in names}


def vendi_of(items: Sequence[Item]) -> float:
    """Vendi score over the sheets' shares of chords, from the tonic; cosine similarity."""
    rows = []
    for item in items:
        row = np.zeros((12, len(KINDS)))
        for chord in item.content.chords:
            row[(chord.root - item.content.tonic) % 12, KINDS.index(chord.kind)] += chord.length
        rows.append(row.ravel() / max(np.linalg.norm(row), 1e-9))
    unit = np.array([row if row.any() else np.eye(len(row))[0] for row in rows])
    return vendi_score(unit @ unit.T)
