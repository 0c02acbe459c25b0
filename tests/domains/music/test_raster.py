"""Pictures of scores and rolls: shapes lie where the SVG has them, every note shows in its colour."""

from __future__ import annotations

import numpy as np
import pytest

from plaudit.domains.music.raster import draw_svg, plain
from plaudit.domains.music.raster_outline import contours_of
from plaudit.domains.music.roll import BAR_LINE, BEAT_LINE, BLACK_ROW, VOICES, draw_roll
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.errors import PlauditError, ResourceError


def choir() -> Piece:
    lines = ((72, 74, 74, 72), (67, 67, 67, 67), (64, 59, 60, 64), (48, 43, 48, 48))
    voices = [
        Voice(str(i), tuple(Note(6 * n, 6, p) for n, p in enumerate(row))) for i, row in enumerate(lines)
    ]
    return Piece(tuple(voices), 24, metre=(3, 4), title="Choir")


def long() -> Piece:
    notes = tuple(Note(at, 2, 40 + (at * 7) % 60) for at in range(0, 1200, 2))
    return Piece((Voice("", notes),), 1200, pickup=6, metre=(6, 8), title="é" * 300)


def picture(body: str, scale: float = 1.0) -> np.ndarray:
    svg = f'<svg width="100px" height="50px"><svg viewBox="0 0 1000 500">{body}</svg></svg>'
    return np.asarray(draw_svg(svg, scale).convert("L")) < 128


def test_shapes_lie_where_they_should() -> None:
    seen = picture('<g transform="translate(100, 50)"><rect x="100" y="0" width="200" height="100"/></g>')
    assert (np.argwhere(seen).min(0).tolist(), np.argwhere(seen).max(0).tolist()) == ([5, 20], [14, 39])
    assert seen.sum() == pytest.approx(200, abs=1)
    line = picture('<path d="M100 200 L500 200" stroke-width="40"/>')
    assert line.sum() == 40 * 4
    circle = picture('<ellipse cx="500" cy="250" rx="200" ry="200"/>')
    assert circle.sum() == pytest.approx(np.pi * 400, rel=0.03)


def test_outlines_are_filled_by_the_non_zero_rule() -> None:
    outer, same, other = "M0 0H400V400H0Z", "M100 100H300V300H100Z", "M100 100V300H300V100Z"
    assert picture(f'<path d="{outer}{same}"/>').sum() == pytest.approx(1600, rel=0.02)
    assert picture(f'<path d="{outer}{other}"/>').sum() == pytest.approx(1200, rel=0.02)


def test_symbols_are_turned_scaled_and_hidden_ones_left_out() -> None:
    sign = '<g id="s"><path transform="scale(1,-1)" d="M0 0H100V200H0Z"/></g>'
    seen = picture(f'<defs>{sign}</defs><use href="#s" transform="translate(100, 400) scale(0.5, 0.5)"/>')
    assert np.argwhere(seen).min(0).tolist() == [30, 10]
    assert seen.sum() == pytest.approx(50, abs=8)
    assert not picture('<g class="x placeholder"><rect width="900" height="400"/></g>').any()


def test_words_are_set_from_their_anchor() -> None:
    def columns(anchor: str) -> np.ndarray:
        word = '<tspan font-size="200px">F♯m</tspan>'
        seen = picture(f'<text x="500" y="300" text-anchor="{anchor}"><tspan>{word}</tspan></text>', 2)
        return np.flatnonzero(seen.any(axis=0))

    start, middle, end = (columns(anchor) for anchor in ("start", "middle", "end"))
    assert start.min() >= 99
    assert end.max() <= 101
    assert abs((middle.min() + middle.max()) / 2 - 100) < 4
    assert plain("Übung ✓") == "Ubung ?"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("M1 2 3 4l-1-1", [[1, 2], [3, 4], [2, 3]]),
        ("m1,2h3v-4zm5 5L9,9", [[1, 2], [4, 2], [4, -2]]),
        ("M0 0C0 8 8 8 8 0", [[0, 0], [4, 6], [8, 0]]),
        ("M0 0q4 8 8 0", [[0, 0], [4, 4], [8, 0]]),
        ("M0 0c0 4 4 4 4 0s4 -4 4 0", [[0, 0], [4, 0], [8, 0]]),
        ("M0 0Q2 4 4 0T8 0", [[0, 0], [4, 0], [6, -2], [8, 0]]),
    ],
)
def test_paths_are_flattened(path: str, expected: list[list[float]]) -> None:
    found = contours_of(path)[0].tolist()
    assert found[0] == expected[0]
    assert found[-1] == expected[-1]
    assert all(point in found for point in expected)


def test_what_cannot_be_drawn_is_told() -> None:
    with pytest.raises(ValueError, match="'A'"):
        contours_of("M0 0A1 1 0 0 0 2 2")
    with pytest.raises(PlauditError, match=r"Verovio 5\.4"):
        picture('<symbol id="s"/><use href="#s"/>')
    with pytest.raises(ResourceError, match="pixels"):
        picture("", 200.0)


def test_the_roll_shows_every_note_in_the_colour_of_its_voice() -> None:
    piece = choir()
    image = draw_roll(piece)
    assert image.size == (640, 260)
    assert image.tobytes() == draw_roll(piece).tobytes()
    pixels = np.asarray(image).astype(int)
    for voice, colour in zip(piece.voices, VOICES, strict=False):
        rows, columns = np.nonzero(np.abs(pixels - colour).max(axis=2) < 6)
        assert len(rows) > 300
        # From margin to margin, as the voice sounds from the first step to the last.
        assert (columns.min() < 18, columns.max() > 620) == (True, True)
        parts = [rows[(columns > 20 + 154 * i) & (columns < 150 + 154 * i)].mean() for i in range(4)]
        heights = [note.pitch for note in voice.notes]
        assert all(
            (parts[i] < parts[0]) == (heights[i] > heights[0]) for i in range(4) if heights[i] != heights[0]
        )


@pytest.mark.parametrize("piece", [Piece((), 0), Piece((Voice("", ()),), 3), choir(), long()])
def test_any_piece_has_a_roll(piece: Piece) -> None:
    image = draw_roll(piece)
    assert min(image.size) >= 32
    assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 3


def test_chords_are_named_below_and_leave_out_what_has_no_room() -> None:
    few, many = (
        Piece((), 64, tuple(Chord(i * 64 // n, 64 // n, 0, "maj7") for i in range(n))) for n in (2, 64)
    )
    for piece, least in ((few, 2), (many, 8)):
        foot = np.asarray(draw_roll(piece).convert("L"))[238:] < 128
        gaps = np.diff(np.flatnonzero(foot.any(axis=0)))
        assert (gaps > 5).sum() + 1 >= least
        assert not foot[:, 634:].any()


def test_the_roll_marks_bars_beats_and_black_keys() -> None:
    pixels = np.asarray(draw_roll(Piece((Voice("", ()),), 24, metre=(3, 4)))).astype(int)

    def lines(colour: tuple[int, int, int]) -> list[int]:
        return np.flatnonzero((np.abs(pixels - colour).max(axis=2) < 6).sum(axis=0) > 60).tolist()

    assert lines(BAR_LINE) == [12, 320, 627]
    assert [round(x) for x in lines(BEAT_LINE)] == [114, 217, 422, 525]
    black = (np.abs(pixels[:, 60] - BLACK_ROW).max(axis=1) < 3).mean()
    assert black == pytest.approx(8 / 18 * 218 / 260, abs=0.06)
