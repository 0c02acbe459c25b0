"""How alike two texts read, against the standard library and a plain table."""

from difflib import SequenceMatcher

import numpy as np
import pytest

from plaudit.domains.level.likeness import (
    LETTERS,
    LONGEST,
    compare,
    count_letters,
    excess,
    in_common,
    make_matching,
    matches,
)

SCRATCH = make_matching()


def draw_texts(rng, most, kinds):
    texts, sizes = np.zeros((2, LONGEST), np.int8), rng.integers(1, most + 1, 2)
    for row, size in zip(texts, sizes, strict=True):
        row[:size] = rng.integers(0, kinds, size)
    return texts, sizes


@pytest.mark.parametrize("allowed", [0.0, 0.5, 0.66])
def test_likeness_is_that_of_difflib(allowed):
    rng, counts = np.random.default_rng(1), np.zeros((2, LETTERS), np.int64)
    for _ in range(300):
        texts, sizes = draw_texts(rng, rng.choice([12, 30, LONGEST]), rng.integers(2, LETTERS + 1))
        one, other = (row[:size] for row, size in zip(texts, sizes, strict=True))
        for text, row in zip((one, other), counts, strict=True):
            count_letters(text, row)
        pair = [one.tolist(), other.tolist()]
        ratio = max(SequenceMatcher(None, *order, autojunk=False).ratio() for order in (pair, pair[::-1]))
        assert excess(one, other, counts, allowed, SCRATCH) == pytest.approx(max(ratio - allowed, 0.0))
        table = np.zeros((2, 2), np.uint8)
        compare(texts, sizes, 0, 2, allowed, table)
        assert table[0, 1] == table[1, 0] == (ratio > allowed)


def test_matches_may_stop_where_they_cannot_be_enough():
    rng = np.random.default_rng(2)
    for _ in range(300):
        one, other = (rng.integers(0, 4, rng.integers(1, LONGEST)).astype(np.int8) for _ in range(2))
        whole, enough = matches(one, other, -1, SCRATCH), int(rng.integers(0, 60))
        found = matches(one, other, enough, SCRATCH)
        assert found == whole if whole > enough else found <= enough


def test_letters_in_common_are_those_of_the_longest_common_subsequence():
    rng = np.random.default_rng(3)
    for _ in range(100):
        one, other = (rng.integers(0, 4, rng.integers(1, 65)).astype(np.int8) for _ in range(2))
        most = np.zeros((len(one) + 1, len(other) + 1), int)
        for i, letter in enumerate(one):
            for j, same in enumerate(other):
                most[i + 1, j + 1] = most[i, j] + 1 if letter == same else max(most[i, j + 1], most[i + 1, j])
        assert in_common(one, other, SCRATCH) == most[-1, -1]
