"""The piano roll of a piece: a small picture for walls of many samples.

Time runs to the right, pitch upwards; rows of black keys are shaded, bars and beats are lines, each
voice has its colour. It is drawn four times as fine and shrunk, and needs nothing but Pillow.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from plaudit.domains.music.engrave_rhythm import beat_of
from plaudit.domains.music.engrave_spelling import chord_name
from plaudit.domains.music.raster import plain
from plaudit.domains.music.score import NAMES, Piece

WIDTH, HEIGHT = 640, 260
FINE = 4
"""Pixels of the fine canvas along one of the picture."""
HEAD, FOOT, MARGIN = 30, 26, 12
"""Pixels above the rows, below them where chords stand, and at the other sides."""
FEWEST_ROWS = 18
"""Semitones shown at least: a narrow tune does not become a wall of thick bars."""
BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
Colour = tuple[int, int, int]
PAPER: Colour = (250, 247, 240)
ROW: Colour = (255, 253, 248)
BLACK_ROW: Colour = (240, 235, 225)
BAR_LINE: Colour = (178, 168, 150)
BEAT_LINE: Colour = (226, 219, 206)
TONIC_LINE: Colour = (214, 190, 150)
INK: Colour = (58, 52, 46)
FAINT: Colour = (126, 116, 102)
VOICES: tuple[Colour, ...] = ((214, 92, 58), (58, 110, 165), (46, 134, 98), (124, 84, 160), (190, 52, 72))


@dataclass(frozen=True)
class Grid:
    """Where time and pitch lie on the fine canvas."""

    left: float
    right: float
    top: float
    bottom: float
    steps: int
    lowest: int
    highest: int

    def x(self, step: float) -> float:
        return self.left + (self.right - self.left) * step / self.steps

    def y(self, pitch: float) -> float:
        """The upper edge of a row."""
        return self.top + (self.highest - pitch) * self.row

    @property
    def row(self) -> float:
        return (self.bottom - self.top) / (self.highest - self.lowest + 1)


def draw_roll(piece: Piece) -> Image.Image:
    """Draw a piece, 640 x 260 pixels; equal for equal pieces. A piece without notes is an empty grid."""
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), PAPER)
    pen = ImageDraw.Draw(image)
    grid = _grid(piece)
    _rows(pen, grid, piece)
    _lines(pen, grid, piece)
    _chords(pen, grid, piece)
    _head(pen, piece)
    for number in reversed(range(len(piece.voices))):
        colour = VOICES[number % len(VOICES)]
        for note in piece.voices[number].notes:
            _bar(pen, grid, (note.start, note.end), note.pitch, colour)
    return image.reduce(FINE)


def _grid(piece: Piece) -> Grid:
    pitches = [note.pitch for voice in piece.voices for note in voice.notes] or [60, 72]
    low, high = min(pitches) - 1, max(pitches) + 1
    missing = max(0, FEWEST_ROWS - (high - low + 1))
    low, high = low - missing // 2, high + (missing + 1) // 2
    bottom = HEIGHT - (FOOT if piece.chords else MARGIN)
    edges = (MARGIN * FINE, (WIDTH - MARGIN) * FINE, HEAD * FINE, bottom * FINE)
    return Grid(*edges, max(piece.steps, 1), low, high)


def _rows(pen: ImageDraw.ImageDraw, grid: Grid, piece: Piece) -> None:
    pen.rectangle((grid.left, grid.top, grid.right, grid.bottom), ROW)
    for pitch in range(grid.lowest, grid.highest + 1):
        top = grid.y(pitch)
        if pitch % 12 in BLACK_KEYS:
            pen.rectangle((grid.left, top, grid.right, top + grid.row), BLACK_ROW)
        if pitch % 12 == piece.tonic:
            under = top + grid.row
            pen.line((grid.left, under, grid.right, under), TONIC_LINE, FINE)


def _lines(pen: ImageDraw.ImageDraw, grid: Grid, piece: Piece) -> None:
    beat = beat_of(piece.metre)
    crowded = piece.bars * piece.bar // beat > 80
    for step in range(piece.pickup % beat, piece.steps, beat):
        if (step - piece.pickup) % piece.bar and not crowded:
            _upright(pen, grid, step, BEAT_LINE)
    for step in range(piece.pickup, piece.steps, piece.bar):
        _upright(pen, grid, step, BAR_LINE)
    edge = (grid.left, grid.top, grid.right - 1, grid.bottom - 1)
    pen.rectangle(edge, outline=BAR_LINE, width=FINE)


def _upright(pen: ImageDraw.ImageDraw, grid: Grid, step: int, colour: Colour) -> None:
    """A line exactly one pixel wide."""
    left = grid.x(step) // FINE * FINE
    pen.rectangle((left, grid.top, left + FINE - 1, grid.bottom - 1), colour)


def _bar(pen: ImageDraw.ImageDraw, grid: Grid, time: tuple[int, int], pitch: int, colour: Colour) -> None:
    """A note as a bar with round ends, its beginning darker; a hair of air parts repeated notes."""
    left, right = grid.x(time[0]) + FINE / 2, grid.x(time[1]) - FINE
    right = max(right, left + 2 * FINE)
    thick = min(grid.row, 14 * FINE) * 0.86
    top = grid.y(pitch) + (grid.row - thick) / 2
    round_by = min(thick, right - left) / 2.6
    dark = tuple(round(0.72 * value) for value in colour)
    box = (left, top, right, top + thick)
    pen.rounded_rectangle(box, round_by, fill=colour, outline=dark, width=FINE)


def _chords(pen: ImageDraw.ImageDraw, grid: Grid, piece: Piece) -> None:
    """Names below the grid; one that has no room beside the one before is left out."""
    font = ImageFont.load_default(11 * FINE)
    free = 0.0
    y = grid.bottom + FOOT * FINE / 2
    for chord in piece.chords:
        x = grid.x(chord.start) + 2 * FINE
        name = plain(chord_name(chord, piece))
        width = font.getlength(name)
        if x >= free and x + width <= grid.right + MARGIN * FINE / 2:
            pen.text((x, y), name, INK, font, anchor="lm")
            free = x + width + 4 * FINE


def _head(pen: ImageDraw.ImageDraw, piece: Piece) -> None:
    """Key, metre and tempo at the left, the title at the right as far as it fits."""
    font = ImageFont.load_default(12 * FINE)
    told = f"{NAMES[piece.tonic]} {piece.mode}   {piece.metre[0]}/{piece.metre[1]}   {piece.tempo:.0f} bpm"
    y = HEAD * FINE / 2
    pen.text((MARGIN * FINE, y), told, INK, font, anchor="lm")
    room = (WIDTH - 3 * MARGIN) * FINE - font.getlength(told)
    title = plain(piece.title)
    while title and font.getlength(title) > room:
        title = title[:-1]
    pen.text(((WIDTH - MARGIN) * FINE, y), title, FAINT, font, anchor="rm")
