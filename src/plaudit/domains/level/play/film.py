"""A playthrough as pictures: the level with the way that was taken, and an animation, a frame a move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw

from plaudit.domains.level.game import Maps
from plaudit.domains.level.play.board import WON, Boards, Rules, X, Y
from plaudit.domains.level.play.games import rules_of
from plaudit.domains.level.play.jump_platformer import edges
from plaudit.domains.level.play.playthrough import Playthrough, stages
from plaudit.domains.level.scenery import draw_scene
from plaudit.domains.level.shafts import draw_cavern
from plaudit.domains.level.things import PAINTERS, SIDE, Pen, draw_things
from plaudit.domains.level.tiles import draw_map, draw_trail
from plaudit.media.gif import gif_bytes

MOVE_MS, LAST_MS = 110, 1600
LONGEST = 240
"""Frames of a film; of a longer game, and of platformers, which are played in ticks, moves are left out."""
_TICKS_A_FRAME = 2
_COLOURS = 64
_WIDEST = 512


def draw_played(played: Playthrough) -> Image.Image:
    """The level, the cells that the player came to, and the player where it ended."""
    rules = rules_of(played.game)
    boards = rules.begin(played.level[None])
    cells = [_cell(boards)]
    image = _scene(rules, boards.maps[0])
    for _ in stages(rules, played, boards):
        if _cell(boards) != cells[-1]:
            cells.append(_cell(boards))
    draw_trail(image, cells)
    _draw_player(rules, image, boards)
    return image


def film_of(played: Playthrough) -> tuple[list[Image.Image], list[int]]:
    """Frames of a playthrough and how long each is shown, in milliseconds."""
    rules = rules_of(played.game)
    every = _TICKS_A_FRAME if played.game == "platformer" else 1
    every = max(every, -(-len(played.moves) // LONGEST))
    shown = list(_drawn(rules, played, every))
    palette = shown[0].quantize(_COLOURS)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in shown]
    return frames, [MOVE_MS * every // (4 if every > 1 else 1)] * (len(frames) - 1) + [LAST_MS]


def gif_of(played: Playthrough) -> bytes:
    """A playthrough as an animation, its larger pictures at half the size."""
    frames, times = film_of(played)
    if frames[0].width > _WIDEST:
        half = frames[0].width // 2, frames[0].height // 2
        frames = [frame.resize(half, Image.Resampling.NEAREST) for frame in frames]
    return gif_bytes(frames, times, {})


def _drawn(rules: Rules, played: Playthrough, every: int) -> Iterator[Image.Image]:
    """The frames in full colour: every few moves, and the last one for certain."""
    boards = rules.begin(played.level[None])
    before, image = boards.maps[0].copy(), _scene(rules, boards.maps[0])
    yield _with_player(rules, image, boards)
    for number, _ in enumerate(stages(rules, played, boards), start=1):
        if number % every and number < len(played.moves) and boards.outcome[0] != WON:
            continue
        if (boards.maps[0] != before).any():
            before, image = boards.maps[0].copy(), _scene(rules, boards.maps[0])
        yield _with_player(rules, image, boards)


def _scene(rules: Rules, level: Maps) -> Image.Image:
    """A board without its player."""
    if rules.game.name == "platformer":
        return draw_scene(level, rules.shown)
    if rules.game.name == "runner":
        return draw_cavern(level, rules.shown)
    image = draw_map(level != 0)
    names: Sequence[str] = rules.shown
    draw_things(image, np.asarray(level), names)
    return image


def _with_player(rules: Rules, image: Image.Image, boards: Boards) -> Image.Image:
    frame = image.copy()
    _draw_player(rules, frame, boards)
    return frame


def _draw_player(rules: Rules, image: Image.Image, boards: Boards) -> None:
    """Draw the player on its cell; in platformers to the half and quarter cell."""
    left, top = (int(boards.body[0, X]) + 1) * SIDE, (int(boards.body[0, Y]) + 1) * SIDE
    if rules.game.name == "platformer":
        half, quarter = edges(boards.body[0])
        left = (2 + half) * SIDE // 2
        top = (boards.maps.shape[1]) * SIDE - quarter * SIDE // 4
    PAINTERS["player"](Pen(ImageDraw.Draw(image), left, top))


def _cell(boards: Boards) -> tuple[int, int]:
    return int(boards.body[0, Y]), int(boards.body[0, X])
