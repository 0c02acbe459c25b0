"""Find the stories of `words/dungeon.txt`:
`python -m plaudit.domains.level.dungeon_words SEED MINUTES FILE [FROM]`.

By simulated annealing (Kirkpatrick and others, 1983), for so many minutes of a processor, from nothing or
from stories that were found before. A story is changed at random and takes the place of the one before where
it reads less like those of the other slots, or more by an amount that becomes ever smaller. What pairs cost
is weighed by how often requests show them together.

The shipped file was found in some 50 minutes of a core, in three runs of which each began with what the one
before had found; in the first, stories had fewer letters, so that one command does not give that file again.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.dungeon_kernels import usual_enemies
from plaudit.domains.level.dungeon_search import CURE, GOBLIN, HEALTH, POTION
from plaudit.domains.level.dungeon_search import TREASURE as TREASURE_TILE
from plaudit.domains.level.dungeon_stories import (
    GLYPHS,
    LENGTHS,
    SIZE,
    SLACK,
    SLOTS,
    TREASURES,
    fewest_potions,
    read_story,
)
from plaudit.domains.level.likeness import LETTERS, LONGEST, count_letters, excess, make_matching

ASKED = len(TREASURES) * len(LENGTHS)
ALLOWED = 0.66
"""Share of the letters of two stories that may match, where seven of ten cells of two dungeons differ."""
STEP = 0.05
"""Price of a pair that reads alike, beside how much more alike it is than is allowed."""
WARMEST, COLDEST = 0.0005, 0.00002
"""A cost that a change may bring, in the mean, at the beginning and the end."""
TURN = 5_000
"""Changes between two looks at the clock."""
KINDS = len(GLYPHS)
TREASURE = TREASURE_TILE - POTION
FOE = GOBLIN - POTION
"""The first letter that is an enemy; it hurts by one, and the next by two."""
ENEMIES = int(usual_enemies(SIZE[0] * SIZE[1]))


class Wishes(NamedTuple):
    """What requests ask of stories `(ASKED,)`: fewest and most treasures, most letters, and the share of
    requests that ask it."""

    fewest: NDArray[np.int64]
    most: NDArray[np.int64]
    letters: NDArray[np.int64]
    share: NDArray[np.float64]


class Stories(NamedTuple):
    """Texts `(K, LONGEST)`, letters in all `(K,)` and of each sort `(K, LETTERS)`; what each pair costs
    `(K, K)` and what the pairs of each do together `(K,)`; how often each was read like of late `(K,)`."""

    texts: NDArray[np.int8]
    letters: NDArray[np.int64]
    counts: NDArray[np.int64]
    costs: NDArray[np.float64]
    sums: NDArray[np.float64]
    hits: NDArray[np.float64]


def make_wishes() -> Wishes:
    """Treasures nearly as asked, as far as enemies and potions leave room for them and some freedom."""
    rows = []
    for least, last in TREASURES:
        for shortest, longest in LENGTHS:
            # The way may be as much longer than asked for as its tolerance says, and its ends are bare.
            letters = shortest + SLACK - 2
            room = letters - ENEMIES - fewest_potions(ENEMIES)
            share = (last - least + 1) * (longest - shortest + 1)
            rows.append((max(min(last - SLACK, room - 1), 0), min(last, room), letters, share))
    fewest, most, letters, share = (np.array(column) for column in zip(*rows, strict=True))
    return Wishes(fewest, most, letters, share / share.sum())


@njit(cache=True, nogil=True)
def fits(text: Any, wish: Any) -> bool:
    """Whether a player lives who meets this, with enemies enough, and treasures and letters as wished."""
    fewest, most, letters = wish
    health, enemies, treasures = HEALTH, 0, 0
    for letter in text:
        if letter == 0:
            health = min(health + CURE, HEALTH)
        elif letter == TREASURE:
            treasures += 1
        else:
            health -= letter - FOE + 1
            enemies += 1
            if health <= 0:
                return False
    return len(text) <= letters and enemies >= ENEMIES and fewest <= treasures <= most


@njit(cache=True, nogil=True)
def draw(wish: Any, text: Any) -> int:
    """Write a story by chance; returns its letters."""
    fewest, most, letters = wish
    while True:
        treasures = np.random.randint(fewest, most + 1)
        room = letters - ENEMIES - treasures
        size, ogres = ENEMIES + treasures + np.random.randint(2, max(room, 2) + 1), np.random.random() / 2
        for at in range(size):
            if at < treasures:
                text[at] = TREASURE
            elif at < treasures + ENEMIES:
                text[at] = FOE + int(np.random.random() < ogres)
            else:
                text[at] = 0
        for _ in range(30):
            for at in range(size - 1, 0, -1):
                other = np.random.randint(at + 1)
                text[at], text[other] = text[other], text[at]
            if fits(text[:size], wish):
                return size


@njit(cache=True, nogil=True)
def change(old: Any, wish: Any, text: Any) -> int:
    """Write a story changed in one to three places that still fits; returns its letters, 0 = none found."""
    for _ in range(200):
        size = len(old)
        text[:size] = old
        for _ in range(np.random.randint(1, 4)):
            size = _change_once(text, size)
        if fits(text[:size], wish):
            return size
    return 0


@njit(cache=True, nogil=True)
def _change_once(text: Any, size: int) -> int:
    """Put in, leave out, replace or swap a letter, make a run of one, or turn the text round."""
    how, at, other = np.random.randint(6), np.random.randint(size), np.random.randint(size)
    letter = np.random.randint(KINDS)
    if how == 0 and size < LONGEST:
        text[at + 1 : size + 1] = text[at:size].copy()
        text[at] = letter
        return size + 1
    if how == 1 and size > ENEMIES:
        text[at : size - 1] = text[at + 1 : size].copy()
        return size - 1
    if how == 2:
        text[at] = letter
    elif how == 3:
        text[at], text[other] = text[other], text[at]
    elif how == 4:
        text[at : min(at + 1 + np.random.randint(5), size)] = letter
    elif how == 5:
        text[:size] = np.concatenate((text[at:size], text[:at]))
    return size


def begin(seed: int, wishes: Wishes) -> Stories:
    """Stories by chance for all slots."""
    count = SLOTS * ASKED
    stories = Stories(
        np.zeros((count, LONGEST), np.int8),
        np.zeros(count, np.int64),
        np.zeros((count, LETTERS), np.int64),
        np.zeros((count, count)),
        np.zeros(count),
        np.zeros(count),
    )
    _draw_all(seed, stories, wishes)
    return stories


@njit(cache=True, nogil=True)
def _draw_all(seed: int, stories: Stories, wishes: Wishes) -> None:
    np.random.seed(seed)
    for row in range(len(stories.letters)):
        stories.letters[row] = draw(_wish(row, wishes), stories.texts[row])


@njit(cache=True, nogil=True, inline="always")
def _wish(row: int, wishes: Wishes) -> Any:
    asked = row % ASKED
    return wishes.fewest[asked], wishes.most[asked], wishes.letters[asked]


@njit(cache=True, nogil=True)
def price_all(stories: Stories, wishes: Wishes) -> None:
    """Count letters and price all pairs."""
    matching = make_matching()
    for row in range(len(stories.letters)):
        text = stories.texts[row, : stories.letters[row]]
        count_letters(text, stories.counts[row])
        for other in range(row // ASKED * ASKED):
            cost = _price(text, stories.counts[row], other, stories, matching)
            stories.costs[row, other] = cost
            stories.costs[other, row] = cost
    for row in range(len(stories.letters)):
        stories.sums[row] = 0
        for other in range(len(stories.letters)):
            stories.sums[row] += stories.costs[row, other] * wishes.share[other % ASKED]


@njit(cache=True, nogil=True, inline="always")
def _price(text: Any, counts: Any, other: int, stories: Stories, matching: Any) -> float:
    """What a text beside another story costs: 0 where they do not read alike."""
    known = stories.texts[other, : stories.letters[other]]
    over = excess(text, known, (counts, stories.counts[other]), ALLOWED, matching)
    return over + STEP if over > 0 else 0.0


@njit(cache=True, nogil=True)
def anneal(seed: int, stories: Stories, wishes: Wishes, warmth: float, changes: int) -> None:
    """Try so many changes, in place."""
    np.random.seed(seed)
    matching, costs = make_matching(), np.zeros(len(stories.letters))
    text, counts = np.zeros(LONGEST + 1, np.int8), np.zeros(LETTERS, np.int64)
    for attempt in range(changes):
        if attempt % 500 == 0:  # what was read like most comes first, as that ends most comparisons
            order = np.argsort(-stories.hits)
            stories.hits[:] *= 0.9
        row = _draw_row(stories.sums, wishes.share)
        if stories.sums[row] == 0:
            continue
        size = _propose(row, stories, wishes, text)
        if size == 0:
            continue
        count_letters(text[:size], counts)
        share = wishes.share[row % ASKED]
        most = stories.sums[row] - warmth * math.log(1.0 - np.random.random()) / share
        total = _price_row(row, (text[:size], counts), (stories, wishes, order, matching), most, costs)
        if total > most:
            continue
        for other in range(len(costs)):
            stories.sums[other] += (costs[other] - stories.costs[row, other]) * share
            stories.costs[row, other] = costs[other]
            stories.costs[other, row] = costs[other]
        stories.texts[row], stories.letters[row] = text[:LONGEST], size
        stories.counts[row], stories.sums[row] = counts, total


@njit(cache=True, nogil=True)
def _draw_row(sums: Any, share: Any) -> int:
    """A story to change, of three the one that costs most."""
    row = np.random.randint(len(sums))
    for _ in range(2):
        other = np.random.randint(len(sums))
        if sums[other] * share[other % ASKED] > sums[row] * share[row % ASKED]:
            row = other
    return row


@njit(cache=True, nogil=True)
def _propose(row: int, stories: Stories, wishes: Wishes, text: Any) -> int:
    """Write a changed copy of a story, or of another of its slot, or now and then a new one."""
    chance, wish = np.random.random(), _wish(row, wishes)
    if chance < 0.03:
        return draw(wish, text)
    if chance < 0.13:
        row = row // ASKED * ASKED + np.random.randint(ASKED)
    return change(stories.texts[row, : stories.letters[row]], wish, text)


@njit(cache=True, nogil=True)
def _price_row(row: int, trial: Any, known: Any, most: float, costs: Any) -> float:
    """What a text in a story's place costs, with each pair into `costs (K,)`; stops above `most`."""
    (text, counts), (stories, wishes, order, matching), total = trial, known, 0.0
    costs[:] = 0
    for other in order:
        if other // ASKED == row // ASKED:
            continue
        costs[other] = _price(text, counts, other, stories, matching)
        if costs[other] > 0:
            stories.hits[other] += 1
            total += costs[other] * wishes.share[other % ASKED]
            if total > most:
                break
    return total


def write(file: Path, stories: Stories) -> None:
    """A line for every slot."""
    words = [
        "".join(GLYPHS[letter] for letter in text[:size])
        for text, size in zip(stories.texts.tolist(), stories.letters.tolist(), strict=True)
    ]
    lines = [" ".join(words[at : at + ASKED]) for at in range(0, len(words), ASKED)]
    head = "What is met on the way, for every slot and all that is asked. Made by dungeon_words.py."
    file.write_text("\n".join([head, *lines]) + "\n", encoding="ascii")


def main() -> None:
    seed, minutes, file = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    wishes = make_wishes()
    stories, warmest = begin(seed, wishes), WARMEST
    for known in sys.argv[4:]:
        words, warmest = Path(known).read_text(encoding="ascii").split("\n", 1)[1].split(), 4 * COLDEST
        for row, word in enumerate(words):
            text = np.array(read_story(word)) - POTION
            if fits(text, _wish(row, wishes)):
                stories.texts[row, : len(word)], stories.letters[row] = text, len(word)
    price_all(stories, wishes)
    turn, begun, written = 0, time.process_time(), 0.0
    while (gone := time.process_time() - begun) < 60 * minutes:
        turn += 1
        warmth = warmest * (COLDEST / warmest) ** (gone / (60 * minutes))
        anneal(1_000_000 * seed + turn, stories, wishes, warmth, TURN)
        if gone > written + 30:
            written = gone
            write(file, stories)
            weights = np.tile(wishes.share, SLOTS) / SLOTS
            alike = float(weights @ (stories.costs > 0) @ weights)
            print(f"{gone:.0f} s: {alike:.4f} of the pairs read alike", flush=True)
    write(file, stories)


if __name__ == "__main__":
    main()
