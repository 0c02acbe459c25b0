"""A level in the making: the edits that led to it, noted only where they are asked for, and their film.

Whoever edits maps (`decode.py`, `climb.py`, `polish.py`, `generation.py`) notes what it changed on the reel
of an item, if there is one. An item follows from its request and seed, so that a film can be made of any item
afterwards: it is made once more, on a reel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

from plaudit.domains.level.game import Game, Maps
from plaudit.domains.level.things import SIDE
from plaudit.media.film import Film

Edits = tuple[tuple[int, int], ...]
"""What a step changed: flat cells with their new tiles."""
FRAMES = 90
"""Pictures of a film at most, the first and the last excepted; more steps share one."""
FIRST_MS, LAST_MS, LEAST_MS, MOST_MS = 600, 2500, 50, 160
WHOLE_MS = 9000
"""About how long a film is, where its steps leave the choice."""
MARK = (232, 64, 84)


@dataclass
class Reel:
    """The map `(H, W)` that an item began as, and its steps; `kept` of them led to the map that it is."""

    start: Maps
    steps: list[Edits] = field(default_factory=list)
    kept: int = 0

    def note(self, before: Maps, after: Maps) -> None:
        """Add a step, unless it changed nothing."""
        cells = np.flatnonzero(before.ravel() != after.ravel()).tolist()
        if cells:
            self.steps.append(tuple((cell, int(after.flat[cell])) for cell in cells))

    def keep(self) -> None:
        """The map that it is now is the one to be kept, until a later one is."""
        self.kept = len(self.steps)

    def cut(self) -> None:
        """Leave out what came after the map that was kept."""
        del self.steps[self.kept :]

    def go_on(self, before: Maps, other: Reel) -> None:
        """From the map `before`, begin anew as another attempt did, and go its way."""
        self.note(before, other.start)
        self.steps += other.steps

    def last(self) -> Maps:
        """The map after all steps."""
        level = self.start.copy()
        for step in self.steps:
            for cell, tile in step:
                level.flat[cell] = tile
        return level


def draw_reel(game: Game, reel: Reel) -> Film:
    """The film: the start, the level after every step or few with what changed marked, at last itself."""
    level, frames = reel.start.copy(), [game.look.draw(reel.start, game.tiles)]
    every = max(1, -(-len(reel.steps) // FRAMES))
    for first in range(0, len(reel.steps), every):
        changed = []
        for step in reel.steps[first : first + every]:
            for cell, tile in step:
                level.flat[cell] = tile
                changed.append(cell)
        frames.append(_marked(game, level, changed))
    frames.append(game.look.draw(level, game.tiles))
    pace = int(np.clip(WHOLE_MS // len(frames), LEAST_MS, MOST_MS))
    return Film(frames, [FIRST_MS, *[pace] * (len(frames) - 2), LAST_MS])


def _marked(game: Game, level: Maps, cells: Sequence[int]) -> Image.Image:
    image = game.look.draw(level, game.tiles)
    pen = ImageDraw.Draw(image)
    for cell in dict.fromkeys(cells):
        y, x = ((at + 1) * SIDE for at in divmod(cell, level.shape[1]))
        pen.rectangle((x, y, x + SIDE - 1, y + SIDE - 1), outline=MARK, width=2)
    return image
