"""RL Tuner's rules of melody over arrays, compiled. Jaques et al., 2017 (arXiv:1611.02796), section 4.2.

The paper judges compositions of 32 sixteenths. A longer line is cut into windows of two bars (four in
2/4), each of which counts as one composition. Departs from the paper in that every key and mode has its
own tonic and scale. `melody_judge.py` measures the same from its own reading, in plain Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.music.asks import IN_KEY
from plaudit.domains.music.lines import FIRST, HOLD, REST, Lines

LEAP = 7
"""Semitones from which an interval is a leap."""
MOTIF_STEPS, MOTIF_NOTES = 8, 3
PATIENCE = 6
"""Steps after which leaping back resolves a leap."""
_BY_SIZE = np.array([0, 0, 0.4, 0, 0.45, 0.35, 0, 0.1, 0, 0.25, 0, -1.5, 0])
"""What an interval of so many semitones is paid, up to an octave, five times the paper's figure."""
NAMES = (
    "windows",
    "steps",
    "repeated",
    "out_of_key",
    "motif",
    "repeated_motif",
    "resolved",
    "doubled",
    "high",
    "low",
    "rho1",
    "rho2",
    "rho3",
    "loud_rho",
    "motif_notes",
    "repeated_motif_notes",
    "intervals",
    "tonic_start",
    "tonic_end",
    "notes",
)
"""Columns of `measure`: sums over a line's windows."""
COLUMN = {name: at for at, name in enumerate(NAMES)}


def window_of(bar: NDArray[np.int64]) -> NDArray[np.int64]:
    """Steps of a window: two bars, four in 2/4."""
    return np.where(bar < 12, 4 * bar, 2 * bar)


def measure(lines: Lines) -> NDArray[np.float64]:
    """Sums `(B, len(NAMES))` over the windows of each line; counts of steps but for the rhos and rewards."""
    out = np.zeros((len(lines), len(NAMES)))
    tokens = np.ascontiguousarray(lines.tokens, np.int64)
    _measure(tokens, lines.length, window_of(lines.bar), lines.bar, IN_KEY[lines.mode], out)
    return out


@njit(cache=True, nogil=True)
def _measure(tokens: Any, length: Any, window: Any, bar: Any, scale: Any, out: Any) -> None:
    for row in range(len(tokens)):
        for start in range(0, length[row], window[row]):
            end = min(start + window[row], length[row])
            line = tokens[row, start:end]
            sums = out[row]
            sums[0] += 1
            sums[1] += end - start
            _steps(line, scale[row], sums)
            _leaps(line, sums)
            _extremes(line, sums)
            _autocorrelation(line, sums)
        first = tokens[row, 0]
        out[row, 17] = first >= FIRST and (first - FIRST) % 12 == 0
        _ending(tokens[row, : length[row]], bar[row], out[row])


@njit(cache=True, nogil=True)
def _steps(line: Any, scale: Any, sums: Any) -> None:
    """Repetition, key, motifs and intervals, step by step."""
    for t in range(len(line)):
        token = line[t]
        sums[2] += _is_repeated(line, t)
        if token >= FIRST:
            sums[19] += 1
            sums[3] += not scale[(token - FIRST) % 12]
        if t + 1 >= MOTIF_STEPS:
            notes = _different_notes(line, t)
            if notes >= MOTIF_NOTES:
                sums[4] += 1
                sums[14] += notes - MOTIF_NOTES
                if _came_before(line, t):
                    sums[5] += 1
                    sums[15] += notes - MOTIF_NOTES
        sums[16] += _interval_reward(line, t)


@njit(cache=True, nogil=True)
def _is_repeated(line: Any, t: int) -> bool:
    """Whether the token is one too many of its kind."""
    count, held, broken = 0, False, False
    for i in range(t - 1, -1, -1):
        if line[i] == line[t]:
            count += 1
        elif line[i] == REST:
            broken = True
        elif line[i] == HOLD:
            held = True
        else:
            break
    if line[t] == REST and count > 1:
        return True
    return count > (6 if held or broken else 4)


@njit(cache=True, nogil=True)
def _different_notes(line: Any, t: int) -> int:
    """Different pitches that begin within the last eight steps."""
    count = 0
    for i in range(t - MOTIF_STEPS + 1, t + 1):
        if line[i] >= FIRST:
            fresh = True
            for j in range(t - MOTIF_STEPS + 1, i):
                fresh = fresh and line[j] != line[i]
            count += fresh
    return count


@njit(cache=True, nogil=True)
def _came_before(line: Any, t: int) -> bool:
    """Whether the last eight tokens came before, not overlapping these."""
    start = t - MOTIF_STEPS + 1
    for i in range(start - MOTIF_STEPS + 1):
        same = True
        for j in range(MOTIF_STEPS):
            same = same and line[i + j] == line[start + j]
        if same:
            return True
    return False


@njit(cache=True, nogil=True)
def _last_note(line: Any, t: int) -> int:
    """The note that began last before step t; 0 without one."""
    for i in range(t - 1, -1, -1):
        if line[i] >= FIRST:
            return line[i]
    return 0


@njit(cache=True, nogil=True)
def _interval_reward(line: Any, t: int) -> float:
    """What the paper pays for the interval to the note before, times five."""
    before = _last_note(line, t)
    if before == 0:
        return 0.0
    degree = (before - FIRST) % 12
    stable = degree in (0, 7)
    token = line[t]
    if token < FIRST:
        held = token == HOLD
        return (1.5 if held else 0.75) if stable else (0.375 if held else 0.25)
    if abs(token - before) > 12:
        return -5.0
    if abs(token - before) == 7 and stable:
        return 0.5
    if abs(token - before) == 4 and degree in (0, 4):
        return 0.75
    return _BY_SIZE[abs(token - before)]


@njit(cache=True, nogil=True)
def _leaps(line: Any, sums: Any) -> None:
    """Leaps that were resolved, and those that another in the same direction followed."""
    direction, origin, since = 0, 0, 0
    for t in range(1, len(line)):
        token, before = line[t], _last_note(line, t)
        if token < FIRST:
            since += 1
            continue
        if before and abs(token - before) >= LEAP:
            heading = 1 if token > before else -1
            if direction == 0:
                direction, origin = heading, before
            elif direction != heading:
                sums[6] += since > PATIENCE
                direction = 0
            else:
                sums[7] += 1
            since = 0
            continue
        since += 1
        if (direction == 1 and token <= origin) or (direction == -1 and token >= origin):
            sums[6] += 1
            direction = 0


@njit(cache=True, nogil=True)
def _extremes(line: Any, sums: Any) -> None:
    """Whether the highest and the lowest note come once each."""
    high, low, highs, lows = -1, 10_000, 0, 0
    for token in line:
        if token < FIRST:
            continue
        if token > high:
            high, highs = token, 0
        if token < low:
            low, lows = token, 0
        highs += token == high
        lows += token == low
    sums[8] += highs == 1
    sums[9] += lows == 1


@njit(cache=True, nogil=True)
def _autocorrelation(line: Any, sums: Any) -> None:
    """Correlation of the tokens with themselves 1 to 3 steps on; the paper counts silence 0, holding 1."""
    value = np.empty(len(line))
    for t in range(len(line)):
        value[t] = line[t] if line[t] >= FIRST else 1 - line[t]
    value -= value.mean()
    spread = (value * value).sum()
    if spread <= 0:
        return
    for lag in range(1, 4):
        rho = (value[lag:] * value[:-lag]).sum() / spread
        sums[9 + lag] += rho
        if abs(rho) > 0.15:
            sums[13] += abs(rho)


@njit(cache=True, nogil=True)
def _ending(line: Any, bar: int, sums: Any) -> None:
    """Steps of the last bar's last quarter in which the tonic sounds, as a share."""
    count = 0
    for t in range(len(line) - 4, len(line)):
        token = line[t] if line[t] >= FIRST else _last_note(line, t)
        count += token >= FIRST and (token - FIRST) % 12 == 0
    sums[18] = count / 4.0
