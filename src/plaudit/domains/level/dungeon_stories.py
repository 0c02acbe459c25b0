"""Stories of dungeons: what a player meets on the way, of a kind for every number.

Two dungeons are judged different mostly by what is taken and fought on the way, in its order: enemies,
potions and treasures as letters of a text. So every number has its place among a hundred slots, and every
slot has a story of its own for all that is asked for usually, in `words/dungeon.txt`; stories of different
slots hardly ever read alike (`dungeon_words.py` found them), and a player lives who meets one from beginning
to end.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from plaudit.domains.level.dungeon_search import CURE, GOBLIN, HEALTH, POTION
from plaudit.domains.level.game import Size

SIZE: Size = (8, 12)
"""The map that stories are made for."""
SLOTS = 100
TREASURES = ((0, 3), (4, 7), (8, 11), (12, 15), (16, 19))
LENGTHS = ((16, 20), (21, 26), (27, 33), (34, 47))
"""What stories answer: so many treasures asked for, and cells of the way."""
SLACK = 4
"""What treasures and length may be off on this map."""
LEAN = (*[GOBLIN] * 4, *[POTION, GOBLIN, GOBLIN] * 2)
"""The shortest story that is survived with as many enemies as must be met."""
GLYPHS = "*$go"
"""Potion, treasure, goblin and ogre, as in the files of levels."""
_WORDS = Path(__file__).parent / "words" / "dungeon.txt"


def fewest_potions(enemies: int) -> int:
    """Potions without which nobody outlives so many goblins.

    >>> fewest_potions(4), fewest_potions(8)
    (0, 2)
    """
    return max(0, math.ceil((enemies + 1 - HEALTH) / CURE))


def story_of(number: int, treasures: int, length: int) -> list[int]:
    """Tiles in the order in which they are met, for what is asked; [] where no story answers that."""
    for i, (least, most) in enumerate(TREASURES):
        for j, (shortest, longest) in enumerate(LENGTHS):
            if least <= treasures <= most and shortest <= length <= longest:
                return load_stories()[number % SLOTS][i * len(LENGTHS) + j]
    return []


@lru_cache(maxsize=1)
def load_stories() -> list[list[list[int]]]:
    """The stories of every slot, in the order of treasures and then lengths, as tiles."""
    lines = _WORDS.read_text(encoding="ascii").splitlines()[1:]
    return [[read_story(word) for word in line.split()] for line in lines]


def read_story(word: str) -> list[int]:
    """Tiles of a story.

    >>> read_story("*g")
    [4, 6]
    """
    return [POTION + GLYPHS.index(glyph) for glyph in word]
