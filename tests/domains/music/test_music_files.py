"""Music files: what is written comes back equal, and what is foreign is put on the grid of sixteenths."""

import random
import sys
import zipfile

import numpy as np
import pytest

from plaudit.domains.music.files.abc import read_abc, write_abc
from plaudit.domains.music.files.grid import Sketch, Sound, guess_key, known_metre, settled, spans
from plaudit.domains.music.files.json_file import read_json, write_json
from plaudit.domains.music.files.midi import read_midi, write_midi
from plaudit.domains.music.files.musicxml import read_musicxml, write_musicxml
from plaudit.domains.music.files.notation import chord_name, chord_of, signature, spelled, tonic_of, written
from plaudit.domains.music.score import CHORDS, METRES, MODES, Chord, Note, Piece, Voice, bar_steps, problems
from plaudit.errors import InputError, MissingExtra, ResourceError

FORMATS = {
    "mid": (write_midi, read_midi, 288),
    "abc": (write_abc, read_abc, 288),
    "json": (write_json, read_json, 288),
    "musicxml": (write_musicxml, read_musicxml, 72),
    "mxl": (write_musicxml, read_musicxml, 12),
}
LENGTHS = (1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 11, 16, 23)
ABOUT = {"request": {"key": "Eb major", "bars": 8}, "seed": 7}


def random_line(rng, steps):
    """Notes of all lengths, with rests, over bar lines."""
    notes, at = [], 0
    while at < steps:
        length = min(rng.choice(LENGTHS), steps - at)
        if rng.random() < 0.75:
            notes.append(
                Note(at, length, rng.randint(21, 108) if rng.random() < 0.2 else rng.randint(55, 80))
            )
        at += length
    return tuple(notes) or (Note(0, steps, 60),)


def random_chords(rng, steps):
    """Chords of all kinds, with gaps, that begin anywhere; sometimes none."""
    chords, at = [], 0 if rng.random() < 0.7 else steps
    while at < steps:
        length = min(rng.choice((2, 4, 5, 8, 16)), steps - at)
        if rng.random() < 0.8:
            chords.append(Chord(at, length, rng.randrange(12), rng.choice(list(CHORDS))))
        at += length
    return tuple(chords)


def random_piece(seed):
    """Seeds 0 to 287 go through all metres, modes and tonics."""
    rng = random.Random(seed)
    metre, mode, tonic = METRES[seed % 4], list(MODES)[seed // 4 % 6], seed // 24 % 12
    bar = bar_steps(metre)
    pickup = rng.choice((0, 0, rng.randrange(1, bar)))
    steps = pickup + rng.randint(1, 8) * bar - rng.choice((0, 0, rng.randrange(bar)))
    steps = max(steps, pickup + 1)
    names = [rng.choice(("Melody", "Bass", 'A "b" & 50% \\ é', "")) for _ in range(rng.randint(1, 4))]
    return Piece(
        tuple(Voice(name, random_line(rng, steps)) for name in names),
        steps,
        random_chords(rng, steps),
        metre,
        tonic,
        mode,
        rng.choice((120.0, 97.0, 66.67, 20.0, 400.0)),
        pickup,
        rng.choice(("", "A tune", 'Té & <x> 100% \\ "q"')),
    )


def test_the_random_pieces_are_sound_and_cover_the_contract():
    pieces = [random_piece(seed) for seed in range(288)]
    assert [text for piece in pieces for text in problems(piece)] == []
    assert len({(piece.metre, piece.tonic, piece.mode) for piece in pieces}) == 288
    assert {len(piece.voices) for piece in pieces} == {1, 2, 3, 4}
    assert {chord.kind for piece in pieces for chord in piece.chords} == set(CHORDS)
    assert 0 < sum(piece.pickup > 0 for piece in pieces) < 288


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_comes_back_equal(suffix, tmp_path):
    write, read, count = FORMATS[suffix]
    path = tmp_path / f"piece.{suffix}"
    for number in range(count):
        # The slow formats take a few of the pieces, but go through all keys and metres as well.
        piece = random_piece(number if count == 288 else number * 53 % 288)
        write(piece, path, ABOUT)
        assert read(path) == (piece, ABOUT)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_piece_gives_the_same_bytes(suffix, tmp_path):
    paths = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for path in paths:
        FORMATS[suffix][0](random_piece(5), path, {"skipped": ["is not written"], "seed": 1})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"is not written" not in paths[0].read_bytes()
    if suffix == "mxl":
        with zipfile.ZipFile(paths[0]) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert FORMATS[suffix][1](paths[0])[1] == {"seed": 1}


@pytest.mark.parametrize("suffix", FORMATS)
def test_unsound_pieces_and_full_disks_are_refused_on_writing(suffix, tmp_path):
    write = FORMATS[suffix][0]
    for piece in (Piece((Voice("x", (Note(0, 4, 10),)),), 4), Piece((Voice("x", ()),), 16, pickup=16)):
        with pytest.raises(InputError, match="no sound piece"):
            write(piece, tmp_path / f"bad.{suffix}", {})
    with pytest.raises(ResourceError, match="cannot be written"):
        write(random_piece(1), tmp_path / "no" / f"piece.{suffix}", {})
    with pytest.raises(InputError, match="no JSON"):
        write(random_piece(1), tmp_path / f"bad.{suffix}", {"seed": {1}})


@pytest.mark.parametrize("suffix", ["mid", "musicxml"])
def test_a_missing_library_names_the_extra(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"piece.{suffix}"
    FORMATS[suffix][0](random_piece(1), path, {})
    for name in [name for name in sys.modules if name.split(".")[0] in ("symusic", "music21")]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r'pip install "plaudit\[music\]"'):
        FORMATS[suffix][1](path)


def test_abc_repeats_an_accidental_in_its_bar_only(tmp_path):
    notes = tuple(Note(4 * at, 4, pitch) for at, pitch in enumerate((61, 61, 73, 60, 60, 62, 64, 65)))
    write_abc(Piece((Voice("x", notes),), 32), tmp_path / "a.abc", {})
    assert (tmp_path / "a.abc").read_text().splitlines()[-1] == "^C4 ^C4 ^c4 =C4 | C4 D4 E4 F4 |]"


def test_titles_lose_only_what_no_format_holds(tmp_path):
    piece = Piece((Voice("a\nb\t\x07 ", (Note(0, 4, 60),)),), 16, title="  two  lines\n" + "x" * 300)
    for suffix in ("mid", "abc", "musicxml"):
        FORMATS[suffix][0](piece, tmp_path / f"t.{suffix}", {})
        back = FORMATS[suffix][1](tmp_path / f"t.{suffix}")[0]
        assert back.voices[0].name == "a b"
        assert back.title == "two lines " + "x" * 190


def sketch(sounds, **fields):
    return Sketch([("Voice", [Sound(*sound) for sound in sounds])], fifths=0, mode="major", **fields)


def test_foreign_times_go_to_the_nearest_step():
    third = 4 / 3
    rough = sketch([(0, third, 60), (third, third, 62), (2 * third, third, 64), (4, 0.1, 65)])
    piece = settled(rough, "x")
    assert piece.voices[0].notes == (Note(0, 1, 60), Note(1, 2, 62), Note(3, 1, 64), Note(4, 1, 65))
    assert rough.skipped == ["Notes moved to the grid of sixteenths: 4."]
    assert piece.steps == 16


def test_a_voice_sounds_one_note_at_a_time():
    rough = sketch([(0, 8, 60), (0, 8, 64), (0.1, 7, 67), (4, 4, 62), (8, 0.4, 70), (8.4, 0.4, 50)])
    piece = settled(rough, "x")
    assert piece.voices[0].notes == (Note(0, 4, 67), Note(4, 4, 62), Note(8, 1, 70))
    assert "Notes that sound with another or within the same sixteenth, dropped: 3." in rough.skipped
    assert "Notes cut where the next begins: 1." in rough.skipped


def test_foreign_voices_are_sorted_and_empty_ones_dropped():
    rough = sketch([(0, 4, 40)], pickup=2, tempo=1000.0)
    rough.parts += [("Empty", []), ("High", [Sound(20, 1, 80), Sound(21, 1, 150)])]
    piece = settled(rough, "x")
    assert [voice.name for voice in piece.voices] == ["High", "Voice"]
    assert (piece.steps, piece.pickup, piece.tempo) == (34, 2, 400.0)
    assert rough.skipped == [
        "Notes beyond the range of a piano, dropped: 1.",
        "Parts without notes, dropped: 1.",
        "The tempo 1000 was read as 400.",
    ]


def test_pieces_beyond_the_limits_are_refused():
    for rough in (
        sketch([(0, 1, 60)] * 50_001),
        sketch([(20_000, 1, 60)]),
        sketch([(0, 99_999, 60)]),
        sketch([]),
        Sketch([(str(number), [Sound(0, 1, 60)]) for number in range(65)]),
    ):
        with pytest.raises(InputError):
            settled(rough, "x")


def test_metres_of_other_names_are_known():
    skipped = []
    assert known_metre(2, 2, "x", skipped) == (4, 4)
    assert known_metre(12, 8, "x", skipped) == (6, 8)
    assert skipped == ["The metre 2/2 was read as 4/4.", "The metre 12/8 was read as 6/8."]
    with pytest.raises(InputError, match="measure 3: its metre is 3/8"):
        known_metre(3, 8, "f, measure 3", skipped)


def test_keys_are_guessed_from_pitch_classes():
    for tonic in range(12):
        scale = np.zeros(12)
        scale[[(tonic + step) % 12 for step in (0, 4, 7, 0, 2, 5, 9, 11)]] = (4, 2, 3, 4, 1, 1, 1, 1)
        assert guess_key(scale) == (tonic, "major")
        scale = np.zeros(12)
        scale[[(tonic + step) % 12 for step in (0, 3, 7, 2, 5, 8, 10)]] = (4, 3, 3, 1, 1, 1, 1)
        assert guess_key(scale) == (tonic, "minor")
        assert guess_key(scale, signature(tonic, "minor")) == (tonic, "minor")
        assert guess_key(scale, signature((tonic + 7) % 12, "major"))[0] in (
            (tonic + 7) % 12,
            (tonic + 4) % 12,
        )


def test_chord_symbols_go_to_the_nearest_kind():
    expected = {
        "maj": "C Cmaj C5 Cadd9 C/E C2 (C)",
        "min": "Cm C- Cmin Cm(maj7) CmM7 Cmadd9",
        "7": "C7 C9 C13 C7b9 C7(#9) Calt C7+9",
        "maj7": "Cmaj7 CM7 Cmaj9 C\u03947",
        "min7": "Cm7 C-7 Cm9 Cmin11 Cm7/Bb",
        "hdim7": "Cm7b5 C\u00f8 C\u00f87 Cm7-5 Chalfdim",
        "dim": "Cdim C\u00b0",
        "dim7": "Cdim7 C\u00b07",
        "aug": "C+ Caug C7#5 C7+",
        "sus4": "Csus C7sus4 Csus2 C9sus4",
        "6": "C6 C69 C6/9",
        "min6": "Cm6",
    }
    for kind, names in expected.items():
        assert {name: chord_of(name) for name in names.split()} == dict.fromkeys(names.split(), (0, kind))
    assert [chord_of(name) for name in ("", "Coda", "Fine", "la", "H7", "Dominant", "c")] == [None] * 7
    assert chord_of("F#m")[0], chord_of("Gb")[0] == (6, 6)
    for root in range(12):
        for kind in CHORDS:
            assert {chord_of(chord_name(root, kind, fifths)) for fifths in range(-5, 7)} == {(root, kind)}


def test_keys_and_pitches_are_spelled_and_read_back():
    letters = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
    for fifths in range(-5, 7):
        for pitch in range(21, 109):
            letter, alter, octave = spelled(pitch, fifths)
            assert (letters[letter] + alter + 12 * (octave + 1), abs(alter) <= 1) == (pitch, True)
    for mode in MODES:
        assert [tonic_of(signature(tonic, mode), mode) for tonic in range(12)] == list(range(12))
    assert [signature(tonic, "major") for tonic in range(12)] == [0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5]


def test_chords_last_to_the_next_symbol():
    symbols = [(8, (2, "7")), (0, (0, "maj")), (8.2, (5, "maj")), (12, None), (99, (1, "min"))]
    assert spans(symbols, 16) == (Chord(0, 8, 0, "maj"), Chord(8, 4, 5, "maj"))
    assert spans([], 16) == ()


def test_no_sign_goes_over_a_bar_line():
    voice = Voice("x", (Note(2, 21, 60), Note(23, 1, 62)))
    signs = list(written(voice, Piece((voice,), 26, metre=(2, 4), pickup=2), cuts=[5]))
    lengths = [(start, length, tied) for start, length, _, tied in signs]
    assert lengths[:4] == [(0, 2, False), (2, 3, True), (5, 4, True), (9, 1, True)]
    assert lengths[4:] == [(10, 8, True), (18, 4, True), (22, 1, False), (23, 1, False), (24, 2, False)]
    assert [pitch for _, _, pitch, _ in signs] == [None, 60, 60, 60, 60, 60, 60, 62, None]
