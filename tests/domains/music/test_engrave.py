"""A score says what the piece says, can be read at sight, and its picture has what the SVG has."""

from __future__ import annotations

import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from plaudit.domains.music.engrave import engrave_png, engrave_svg, mei
from plaudit.domains.music.score import METRES, MODES, Chord, Note, Piece, Voice
from plaudit.errors import MissingExtra

SHORT = "{http://www.music-encoding.org/ns/mei}"
NATURAL = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
SHARPS = {"s": 1, "f": -1, "n": 0, "x": 2}


def tune(seed: int = 0, steps: int = 128, **more) -> Piece:
    """A melody of random rhythm and pitches with rests, and chords of every kind."""
    draws = np.random.default_rng(seed)
    notes, at = [], 0
    while at < steps:
        length = min(int(draws.choice([1, 2, 2, 3, 4, 4, 5, 6, 7, 8, 12, 18])), steps - at)
        if draws.random() < 0.85:
            notes.append(Note(at, length, int(draws.integers(55, 84))))
        at += length
    kinds = ("maj", "min7", "7", "hdim7")
    chords = tuple(Chord(i * 16, 16, (i * 5) % 12, kinds[i % 4]) for i in range(steps // 16))
    return Piece((Voice("melody", tuple(notes)),), steps, chords, **more)


def choir() -> Piece:
    lines = ((72, 74, 74, 72), (67, 67, 67, 67), (64, 59, 60, 64), (48, 43, 48, 48))
    voices = [
        Voice(str(i), tuple(Note(6 * n, 6, p) for n, p in enumerate(row))) for i, row in enumerate(lines)
    ]
    return Piece(tuple(voices), 24, metre=(3, 4), title="Choir")


def read(text: str, piece: Piece) -> list[set[Note]]:
    """Read a score as a player would, voice by voice: signature, signs that hold to the bar line, ties."""
    root = ET.fromstring(text)
    key = signs_of(root.find(f".//{SHORT}scoreDef").get("keysig"))
    voices: dict[tuple[str, str], set[Note]] = {}
    tied: dict[tuple[str, str], Note] = {}
    begin = 0
    for measure in root.iter(f"{SHORT}measure"):
        ends = set()
        for staff in measure.iter(f"{SHORT}staff"):
            heads, end = heads_of(staff, begin, piece.bar)
            ends |= end
            held: dict[tuple[str, str], int] = {}
            for at, layer, length, head in heads:
                place = (staff.get("n"), layer)
                note = heard(head, Note(at, length, 0), held, key, tied.pop(place, None))
                if head.get("tie") in ("i", "m"):
                    tied[place] = note
                else:
                    voices.setdefault(place, set()).add(note)
        assert len(ends) == 1, "the layers of a bar differ in length"
        begin = ends.pop()
    assert begin == piece.steps
    assert not tied
    return [voices[place] for place in sorted(voices)]


def signs_of(signature: str) -> dict[str, int]:
    count = int(signature.rstrip("sf"))
    order, sign = ("beadgcf", -1) if signature.endswith("f") else ("fcgdaeb", 1)
    return dict.fromkeys(order[:count], sign)


def heads_of(staff: ET.Element, begin: int, bar: int) -> tuple[list, set[int]]:
    """Start, layer, length and element of each head, in the order of time; and where the layers end."""
    heads, ends = [], set()
    for layer in staff.iter(f"{SHORT}layer"):
        at = begin
        for element in layer.iter():
            length = bar if element.tag == f"{SHORT}mRest" else 0
            if element.get("dur"):
                length = 16 // int(element.get("dur"))
                length += length // 2 if element.get("dots") else 0
            if element.tag == f"{SHORT}note":
                heads.append((at, layer.get("n"), length, element))
            at += length
        ends.add(at)
    return sorted(heads, key=lambda head: head[:2]), ends


def heard(head: ET.Element, note: Note, held: dict, key: dict[str, int], before: Note | None) -> Note:
    """The note of a head: one that is tied goes on with the pitch before, any other looks at its signs."""
    letter, octave = head.get("pname"), head.get("oct")
    white = 12 * (int(octave) + 1) + NATURAL[letter]
    if head.get("tie") in ("m", "t"):
        assert before is not None
        assert before.end == note.start
        assert abs(before.pitch - white) <= 2
        return Note(before.start, before.length + note.length, before.pitch)
    if head.get("accid"):
        held[letter, octave] = SHARPS[head.get("accid")]
    return replace(note, pitch=white + held.get((letter, octave), key.get(letter, 0)))


@pytest.mark.parametrize("metre", METRES)
@pytest.mark.parametrize("pickup", [0, 3])
@pytest.mark.parametrize("mode", MODES)
def test_who_reads_the_score_plays_the_piece(metre, pickup, mode) -> None:
    for tonic in range(12):
        piece = tune(tonic, 61, metre=metre, pickup=pickup, tonic=tonic, mode=mode)
        assert read(mei(piece), piece) == [set(piece.notes)]


def test_a_choir_reads_two_staves_and_other_voices_one_each() -> None:
    piece = choir()
    assert read(mei(piece), piece) == [set(voice.notes) for voice in piece.voices]
    root = ET.fromstring(mei(piece))
    staves = root.findall(f".//{SHORT}staffDef")
    assert [staff.get("clef.shape") for staff in staves] == ["G", "F"]
    stems = {
        (layer.get("n"), note.get("stem.dir"))
        for layer in root.iter(f"{SHORT}layer")
        for note in layer.iter(f"{SHORT}note")
    }
    assert stems == {("1", "up"), ("2", "down")}
    three = replace(piece, voices=piece.voices[1:])
    assert read(mei(three), three) == [set(voice.notes) for voice in three.voices]
    assert mei(three).count("<staffDef") == 3


def test_lines_hold_about_four_bars_and_no_bar_stands_alone() -> None:
    def lines(bars: int, length: int = 4, pickup: int = 0) -> list[int]:
        notes = tuple(Note(at, length, 60) for at in range(0, 16 * bars, length))
        parts = mei(Piece((Voice("", notes),), 16 * bars, pickup=pickup)).split("<sb />")
        return [part.count("<measure") for part in parts]

    assert lines(4) == [4]
    assert lines(8) == [4, 4]
    assert lines(9) == [4, 3, 2]
    assert lines(6, length=1) == [2, 2, 2]
    assert lines(8, pickup=4) == [5, 4]


def test_verovio_plays_each_note_at_its_time() -> None:
    verovio = pytest.importorskip("verovio")
    piece = replace(tune(5, 120, metre=(3, 4), tempo=60.0), pickup=4)
    toolkit = verovio.toolkit()
    assert toolkit.loadData(mei(piece))
    begun = {4 * row["qstamp"] for row in toolkit.renderToTimemap({}) if row.get("on")}
    assert {note.start for note in piece.notes} <= begun


def test_the_svg_holds_every_head_and_word_and_repeats() -> None:
    pytest.importorskip("verovio")
    piece = tune(3, 96, title="Tom & <Jerry> \x07 é", tonic=5)
    svg = engrave_svg(piece)
    ET.fromstring(svg)
    assert svg == engrave_svg(piece)
    assert svg.count('class="notehead"') == mei(piece).count("<note ")
    assert svg.count('class="tie') >= mei(piece).count('tie="i"')
    assert svg.count('class="harm"') == len(piece.chords)
    assert "Tom &amp; &lt;Jerry&gt;" in svg
    assert "♭" in svg
    assert not any("\ue000" <= sign <= "\uf8ff" for sign in svg)
    assert svg.index('fill="white"') < svg.index('class="system"')


@pytest.mark.parametrize("piece", [Piece((), 0), Piece((Voice("", ()),), 5), Piece((), 40, pickup=40)])
def test_pieces_of_nothing_have_a_score(piece: Piece) -> None:
    pytest.importorskip("verovio")
    assert engrave_png(piece).width > 50


def test_without_verovio_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "verovio", None)
    with pytest.raises(MissingExtra, match=r'pip install "plaudit\[music\]"'):
        engrave_svg(tune())


def test_the_page_is_cropped_to_music_and_title() -> None:
    pytest.importorskip("verovio")
    one = Piece((Voice("", (Note(0, 4, 60),)),), 4)
    assert engrave_png(one).width < 300
    assert engrave_png(replace(one, title="A title that is much wider than the music")).width > 800
    for piece in (one, choir(), tune(2), tune(8, title="x" * 200)):
        ink = np.asarray(engrave_png(piece).convert("L")) < 128
        assert not ink[:4].any()
        assert not ink[-4:].any()
        assert not ink[:, :4].any()
        assert not ink[:, -4:].any()


def test_the_picture_follows_its_scale() -> None:
    pytest.importorskip("verovio")
    small, large = (np.asarray(engrave_png(choir(), scale).convert("L")) / 255 for scale in (1, 2))
    assert np.abs(np.array(large.shape) / np.array(small.shape) - 2).max() < 0.02
    assert (1 - large).mean() == pytest.approx((1 - small).mean(), rel=0.1)
    # Five lines of two staves, each as long as the music.
    dark = (large < 0.6).mean(axis=1) > 0.8
    assert (np.diff(dark.astype(int)) == 1).sum() == 10
