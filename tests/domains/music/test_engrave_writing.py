"""Rhythms and pitches are written as players expect them: note values, beams, signatures, spelling."""

from __future__ import annotations

import pytest

from plaudit.domains.music.engrave_rhythm import VALUES, bars_of, beams, events_of, split
from plaudit.domains.music.engrave_spelling import chord_name, signature, spell
from plaudit.domains.music.score import METRES, Chord, Note, Piece, Voice


@pytest.mark.parametrize(
    ("metre", "place", "length", "values"),
    [
        ((4, 4), 0, 16, [16]),
        ((4, 4), 0, 12, [12]),
        ((4, 4), 0, 10, [8, 2]),
        ((4, 4), 4, 8, [8]),
        ((4, 4), 6, 4, [2, 2]),
        ((4, 4), 2, 4, [4]),
        ((4, 4), 3, 2, [1, 1]),
        ((4, 4), 0, 5, [4, 1]),
        ((3, 4), 0, 12, [12]),
        ((3, 4), 2, 10, [2, 8]),
        ((2, 4), 2, 4, [4]),
        ((6, 8), 0, 12, [12]),
        ((6, 8), 0, 8, [6, 2]),
        ((6, 8), 4, 4, [2, 2]),
        ((6, 8), 2, 4, [4]),
    ],
)
def test_notes_are_cut_where_players_expect_it(metre, place, length, values) -> None:
    assert [value for _, value in split(place, length, metre)] == values


@pytest.mark.parametrize("metre", METRES)
def test_every_cut_is_whole_and_has_a_value(metre) -> None:
    bar = 16 * metre[0] // metre[1]
    for place in range(bar):
        for length in range(1, bar - place + 1):
            cuts = split(place, length, metre)
            assert cuts[0][0] == place
            assert [at + value for at, value in cuts] == [at for at, _ in cuts[1:]] + [place + length]
            assert all(value in VALUES for _, value in cuts)
            assert len(cuts) <= 4


@pytest.mark.parametrize(
    ("metre", "lengths", "expected"),
    [
        ((4, 4), [2, 2, 2, 2, 4, 2, 2], [4, 1, 2]),
        ((4, 4), [4, 2, 2, 2, 2, 4], [1, 2, 2, 1]),
        ((4, 4), [1, 1, 2, 2, 2, 8], [3, 2, 1]),
        ((6, 8), [2, 2, 2, 4, 2], [3, 1, 1]),
        ((3, 4), [2, 2, 3, 1, 4], [2, 2, 1]),
    ],
)
def test_beams_follow_the_beat(metre, lengths, expected) -> None:
    notes, at = [], 0
    for length in lengths:
        notes.append(Note(at, length, 70))
        at += length
    piece = Piece((Voice("", tuple(notes)),), at, metre=metre)
    bar = bars_of(piece)[0]
    groups = beams(events_of(piece.voices[0], bar, metre), bar, metre)
    assert [len(group) for group in groups] == expected


@pytest.mark.parametrize(
    ("tonic", "mode", "fifths"),
    [
        (0, "major", 0),
        (9, "minor", 0),
        (6, "dorian", 4),
        (3, "minor", -6),
        (6, "major", 6),
        (1, "major", -5),
        (8, "minor", 5),
        (4, "phrygian", 0),
        (5, "lydian", 0),
        (7, "mixolydian", 0),
        (10, "major", -2),
    ],
)
def test_signatures(tonic: int, mode: str, fifths: int) -> None:
    piece = Piece((), 0, tonic=tonic, mode=mode)
    assert signature(piece) == fifths
    # The notes of the key need no sign beyond the signature.
    for pitch in piece.scale:
        letter, sharps, _ = spell(pitch + 60, piece)
        order = "FCGDAEB".index(letter)
        assert sharps == (fifths > order) - (fifths < order - 6)


@pytest.mark.parametrize(
    ("tonic", "mode", "pitch", "spelt"),
    [
        (9, "minor", 68, ("G", 1, 4)),
        (2, "minor", 61, ("C", 1, 4)),
        (0, "minor", 71, ("B", 0, 4)),
        (8, "minor", 67, ("F", 2, 4)),
        (3, "major", 66, ("G", -1, 4)),
        (5, "major", 61, ("D", -1, 4)),
        (2, "major", 68, ("G", 1, 4)),
        (6, "major", 60, ("B", 1, 3)),
        (3, "minor", 71, ("C", -1, 5)),
    ],
)
def test_chromatic_notes_are_spelt_by_the_key(tonic, mode, pitch, spelt) -> None:
    assert spell(pitch, Piece((), 0, tonic=tonic, mode=mode)) == spelt


def test_chords_are_called_by_the_key() -> None:
    assert chord_name(Chord(0, 1, 6, "hdim7"), Piece((), 0, tonic=7)) == "F♯m7♭5"
    assert chord_name(Chord(0, 1, 10, "maj7"), Piece((), 0, tonic=5)) == "B♭maj7"


def test_a_pickup_is_written_as_the_end_of_a_bar() -> None:
    piece = Piece((Voice("", (Note(0, 5, 60), Note(5, 16, 62))),), 21, pickup=5)
    lengths = [[event.length for event in events_of(piece.voices[0], bar, (4, 4))] for bar in bars_of(piece)]
    assert lengths == [[1, 4], [16]]


def test_rests_show_the_beats() -> None:
    piece = Piece((Voice("", (Note(0, 1, 60), Note(15, 1, 60))),), 16)
    lengths = [event.length for event in events_of(piece.voices[0], bars_of(piece)[0], (4, 4))]
    assert lengths == [1, 1, 2, 4, 4, 2, 1, 1]
