"""The rules of four-part writing: two chords for each, and the compiled count beside the judge's."""

from dataclasses import astuple, fields

import numpy as np
import pytest

from plaudit.domains.music.chorale import judge, metrics, reward, rules
from plaudit.domains.music.chorale.grid import (
    LOWEST,
    PITCHES,
    SILENT,
    VOICES,
    Chorales,
    chorales_of,
    sounds_of,
)
from plaudit.domains.music.chorale.request import ChoraleRequest
from plaudit.domains.music.score import Note, Piece, Voice
from plaudit.errors import MissingExtra
from plaudit.reward.term import Context
from plaudit.task import Item


def chords(*columns, tonic=0, mode="major", length=4):
    """A piece of chords `(soprano, alto, tenor, bass)` in quarters; None = rest."""
    voices = tuple(
        Voice(
            name.capitalize(),
            tuple(Note(t * length, length, c[v]) for t, c in enumerate(columns) if c[v] is not None),
        )
        for v, name in enumerate(VOICES)
    )
    return Piece(voices, len(columns) * length, (), (4, 4), tonic, mode)


def both(piece, ends=()):
    """What the compiled rules and the judge count, which must be the same."""
    compiled = rules.measure(chorales_of([piece], [list(ends)], 1))[0]
    judged = judge.judged(piece, list(ends))
    assert compiled.tolist() == [float(count) for count in astuple(judged)]
    return judged


HOME = (72, 67, 64, 48)
"""C major, root in the bass."""
FIVE = (71, 67, 62, 55)
"""G major."""
USUAL = np.array(
    [HOME, FIVE, (77, 71, 62, 55), (69, 65, 60, 53), (74, 71, 67, 55), (72, 64, 64, 48), (67, 64, 60, 48)]
)


def test_the_columns_are_the_judges_fields():
    assert [field.name for field in fields(judge.Findings)] == list(rules.NAMES)


@pytest.mark.parametrize(
    "one, two, fifths, octaves",
    [
        # C-G in tenor and bass to D-A, one step up.
        ((71, 64, 55, 48), (69, 60, 57, 50), 1, 0),
        # The same fifth held is none.
        ((71, 64, 55, 48), (69, 60, 55, 48), 0, 0),
        # From a fifth to the twelfth in one direction is one; to a fifth by contrary motion is none.
        ((71, 64, 55, 48), (69, 60, 69, 50), 1, 0),
        ((71, 64, 55, 48), (69, 60, 43, 50), 0, 0),
        # Soprano and bass in octaves; a unison that moves counts too.
        ((72, 64, 55, 48), (74, 62, 53, 50), 0, 1),
        ((72, 60, 60, 52), (71, 62, 62, 43), 0, 1),
        # A diminished fifth that becomes a perfect one is allowed.
        ((77, 65, 59, 50), (76, 67, 60, 48), 0, 0),
        # With a rest between there is nothing to compare.
        ((71, 64, 55, None), (69, 60, 57, 50), 0, 0),
    ],
)
def test_parallels(one, two, fifths, octaves):
    found = both(chords(one, two))
    assert (found.fifths, found.octaves) == (fifths, octaves)


@pytest.mark.parametrize(
    "one, two, direct",
    [
        # Up together into an octave: by a leap above, by a step above, and the other way round.
        ((67, 64, 60, 53), (72, 64, 57, 60), 1),
        ((71, 64, 60, 53), (72, 64, 57, 60), 0),
        ((67, 64, 60, 53), (72, 64, 57, 48), 0),
        # Into a fifth.
        ((72, 64, 60, 57), (67, 60, 57, 48), 1),
    ],
)
def test_direct(one, two, direct):
    assert both(chords(one, two)).direct == direct


def test_crossing_spacing_and_overlap():
    assert both(chords((60, 64, 55, 48), HOME)).crossed == 1
    assert both(chords((72, 55, 60, 48))).crossed == 1
    assert both(chords((60, 60, 55, 55))).crossed == 0
    assert both(chords((79, 66, 60, 48))).wide == 1 and both(chords((79, 67, 54, 40))).wide == 1
    # Between tenor and bass any distance will do, and an octave is none too wide.
    assert both(chords((79, 67, 60, 40))).wide == 0
    # The bass goes above where the tenor was; the alto below it; neither.
    assert both(chords((72, 67, 52, 48), (74, 69, 60, 53))).overlap == 1
    assert both(chords((72, 67, 64, 48), (72, 62, 59, 43))).overlap == 1
    assert both(chords((72, 67, 60, 48), (74, 69, 59, 55))).overlap == 0


def test_range_and_leaps():
    assert both(chords((82, 74, 69, 60), (59, 53, 48, 40))).outside == 2
    assert both(chords((81, 74, 70, 65), (60, 52, 47, 39))).outside == 5
    # A fifth may be leapt, a sixth and a tritone not; the outer voices are free.
    found = both(chords((72, 60, 55, 48), (60, 67, 61, 60), (72, 59, 62, 48)))
    assert (found.moves, found.leaps) == (4, 2)
    # A rest breaks the line.
    assert both(chords((72, 60, 55, 48), (72, None, 55, 48), (72, 70, 55, 48))).leaps == 0


def test_doubled_leading_tone():
    assert both(chords((71, 67, 59, 55))).doubled == 1
    assert both(chords((71, 67, 59, 55), tonic=7)).doubled == 0
    assert both(chords(FIVE)).doubled == 0


@pytest.mark.parametrize(
    "one, two, leading, unresolved",
    [
        (FIVE, HOME, 1, 0),
        (FIVE, (67, 64, 60, 48), 1, 1),
        # An inner one may fall to the fifth, the soprano may not (above); elsewhere it may go as it likes.
        ((74, 71, 67, 55), (72, 67, 64, 48), 1, 0),
        ((74, 71, 67, 55), (72, 64, 64, 48), 1, 1),
        (FIVE, (69, 65, 60, 53), 0, 0),
    ],
)
def test_leading_tone(one, two, leading, unresolved):
    found = both(chords(one, two))
    assert (found.leading, found.unresolved) == (leading, unresolved)


def test_sevenths():
    seventh = (77, 71, 62, 55)
    down, up = (76, 72, 60, 48), (79, 72, 64, 48)
    assert (both(chords(seventh, down)).sevenths, both(chords(seventh, down)).hanging) == (1, 0)
    assert both(chords(seventh, up)).hanging == 1
    # One that stays has not been left yet.
    assert both(chords(seventh, (77, 72, 69, 53))).sevenths == 0


@pytest.mark.parametrize(
    "chord, known",
    [
        (HOME, 1),
        ((71, 65, 62, 55), 1),
        # The fifth may be missing, the third not; a fourth above the bass is no chord.
        ((72, 64, 60, 48), 1),
        ((72, 67, 60, 48), 0),
        ((72, 65, 60, 55), 0),
        ((71, 65, 62, 59), 1),
        ((71, 68, 65, 62), 1),
        ((73, 67, 61, 48), 0),
    ],
)
def test_chord_vocabulary(chord, known):
    found = both(chords(chord))
    assert (found.beats, found.known) == (1, known)


def test_cadences():
    assert both(chords(FIVE, HOME), [4]).cadences == 1 and both(chords(FIVE, HOME)).home == 1
    sixth = (72, 67, 60, 52)
    assert both(chords(FIVE, sixth), [4]).cadences == 0 and both(chords(FIVE, sixth)).home == 0
    assert both(chords(HOME, FIVE), [4]).cadences == 1 and both(chords(HOME, FIVE)).home == 0
    assert both(chords(HOME, (71, 65, 62, 55)), [4]).cadences == 0
    # What counts is what sounds last under the soprano's note: here a suspension that resolves.
    late = chords(FIVE, HOME)
    tenor = Voice("Tenor", (Note(0, 4, 62), Note(4, 2, 65), Note(6, 2, 64)))
    late = Piece((*late.voices[:2], tenor, late.voices[3]), 8)
    assert both(late, [4]).cadences == 1


def random_chorales(count=150, steps=48, seed=3):
    """Grids of all metres and keys: some wild, some near to chords, with held notes, repeats and rests."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 2, (count, 4, steps)) * PITCHES + 1
    middle = np.array([42, 34, 28, 20])[None, :, None]
    steady = np.repeat(rng.integers(-7, 8, (count, 4, steps // 4)), 4, axis=2)
    wild = rng.integers(-9, 10, (count, 4, steps))
    tokens += middle + np.where(rng.random((count, 1, 1)) < 0.7, steady, wild)
    drawn = USUAL[rng.integers(0, len(USUAL), (count, steps // 4))].transpose(0, 2, 1)
    strange = rng.random((count, 4, steps)) < 0.04
    near = np.repeat(drawn, 4, axis=2) - LOWEST + 1 + strange
    tokens = np.where(
        rng.random((count, 1, 1)) < 0.4, near + PITCHES * (rng.random(tokens.shape) < 0.7), tokens
    )
    tokens[rng.random(tokens.shape) < 0.04] = 0
    pitch, begins = sounds_of(tokens)
    length = rng.integers(8, steps + 1, count)
    inside = np.arange(steps) < length[:, None, None]
    ends = (rng.random((count, steps)) < 0.06) & begins[:, 0] & inside[:, 0]
    metre, shift = rng.integers(0, 4, count), rng.integers(-5, 7, count)
    return Chorales(
        np.where(inside, pitch, SILENT),
        begins & inside,
        ends,
        length,
        metre,
        rng.integers(0, 6, count),
        shift,
        rng.integers(0, 4, count) * 2,
    )


def assert_same(chorales, ends):
    compiled = rules.measure(chorales)
    for row, piece in enumerate(chorales):
        judged = judge.judged(piece, ends(row))
        assert compiled[row].tolist() == [float(count) for count in astuple(judged)], (row, piece.title)
    return compiled


def test_the_judge_counts_the_same_on_random_grids():
    made = random_chorales()
    found = assert_same(made, lambda row: (np.flatnonzero(made.ends[row]) * made.step).tolist())
    seldom = {name: found[:, at].sum() for name, at in rules.COLUMN.items()}
    assert all(count > 0 for count in seldom.values()), seldom


def test_the_judge_counts_the_same_on_bach():
    from plaudit.domains.music.chorale.data import bach_files, gathered

    try:
        files = bach_files()[10:51]
    except MissingExtra as error:
        pytest.skip(f"the corpus of music21 is not there: {error}")
    said = []
    bach = gathered(files, said.append)
    assert len(bach) >= 39 and any("41 files" in line for line in said)
    found = assert_same(bach.chorales, bach.ends)
    changes, ends = found[:, rules.COLUMN["changes"]].sum(), found[:, rules.COLUMN["ends"]].sum()
    parallels = found[:, rules.COLUMN["fifths"]].sum() + found[:, rules.COLUMN["octaves"]].sum()
    assert parallels / changes < 0.006 and found[:, rules.COLUMN["cadences"]].sum() / ends > 0.9
    assert ends > 4 * len(bach)


def test_a_finer_grid_counts_the_same():
    made = random_chorales(40)
    fine = chorales_of(list(made), [(np.flatnonzero(row) * made.step).tolist() for row in made.ends], 1)
    assert fine.step == 1 and (rules.measure(fine) == rules.measure(made)).all()


def test_terms_are_shares_of_the_counts():
    piece = chords((71, 64, 55, 48), (69, 60, 57, 50), FIVE, HOME)
    asked = ChoraleRequest(ends=(12,), target={"movement": 2.0, "parallels": 0.0})
    context = Context(requests=[asked])
    scores = {term.name: float(term.score([piece], context)[0]) for term in reward.chorale_terms()}
    found = both(piece, [12])
    assert found.parallels > 0 and scores["clean"] == 0.0
    assert scores["parallels"] == found.parallels / 3 and scores["parallels_target"] == -found.parallels
    assert scores["cadence"] == 1.0 and scores["close"] == 1.0 and scores["movement_target"] == -1.0
    for name, part, whole in (
        ("overlap", found.overlap, found.changes),
        ("crossing", found.crossed, found.chords),
        ("chords", found.known, found.beats),
        ("leaps", found.leaps, found.moves),
    ):
        assert scores[name] == part / whole, name


def test_the_judges_figures():
    good, bad = chords(HOME, (71, 67, 62, 55), HOME), chords((76, 72, 55, 48), (77, 74, 57, 50))
    asked = ChoraleRequest(target={"movement": 1.0, "parallels": 0})
    figures = metrics.judge_chorales([Item(piece, asked, 0) for piece in (good, bad, good)])
    assert figures["quality"].tolist() == [1, 0, 1] and figures["parallels"].tolist() == [0, 2, 0]
    assert figures["control"].tolist() == [1, 0, 1] and figures["diversity"].tolist() == [1, 1, 0]
    assert figures["movement"].tolist() == [1, 1, 1]
