"""Terms of tile games on levels whose scores can be counted by hand."""

import numpy as np
import pytest

from plaudit.domains.level.maze import MazeGame
from plaudit.domains.level.request import LevelRequest
from plaudit.reward.term import Context

TERMS = {term.name: term for term in MazeGame().terms()}


def level(*rows):
    return np.array([[cell == "." for cell in row] for row in rows], np.uint8)


COMB = level(".....", ".#.#.", ".###.")
SNAKE = level("...", "##.", "...")
RING = level("...", ".#.", "...")


@pytest.mark.parametrize(
    ("name", "item", "score"),
    [
        ("one_region", COMB, 0.0),
        ("one_region", level(".#.", "###", ".#."), -3.0),
        ("one_region", level("###", "###", "###"), -1.0),
        ("path_length", COMB, 8.0),
        ("playable", COMB, 1.0),
        ("playable", RING, 0.0),
        ("playable", SNAKE, 1.0),
        ("open_share", SNAKE, 7 / 9),
        ("dead_ends", SNAKE, 2 / 7),
        ("dead_ends", COMB, 3 / 10),
        ("dead_ends", level("###", "###", "###"), 0.0),
        ("symmetry", RING, 1.0),
        ("symmetry", SNAKE, 7 / 9),
        ("diameter", SNAKE, 6.0),
        ("diameter", RING, 4.0),
        ("diameter", level("#.#", ".#.", "#.#"), 0.0),
    ],
)
def test_scores_by_hand(name, item, score):
    assert TERMS[name].score(item[None], Context())[0] == pytest.approx(score)


def test_the_twin_sees_what_a_double_sweep_misses():
    # In a grid with loops the first sweep may end at a cell that no longest way begins at.
    rng = np.random.default_rng(0)
    maps = (rng.random((300, 8, 8)) < 0.7).astype(np.uint8)
    exact, swept = (TERMS[name].score(maps, Context()) for name in ("diameter", "path_length"))
    assert (exact >= swept).all()
    assert (exact > swept).any()
    assert TERMS["diameter"].eval_only


def test_path_target_counts_only_beyond_the_tolerance():
    requests = [LevelRequest(size=(3, 3), target={"path": want}) for want in (6, 7, 10)]
    context = Context(requests=requests)
    assert TERMS["path_target"].score(np.stack([SNAKE] * 3), context).tolist() == [0.0, 0.0, -3.0]
    assert TERMS["satisfied"].score(np.stack([SNAKE] * 3), context).tolist() == [1.0, 1.0, 0.0]


def test_what_is_not_asked_cannot_be_scored():
    context = Context(requests=[LevelRequest(size=(3, 3))])
    assert np.isnan(TERMS["path_target"].score(SNAKE[None], context)).all()
    assert np.isnan(TERMS["satisfied"].score(SNAKE[None], context)).all()


def test_edits_need_a_start():
    context = Context(cache={"starts": [RING, None]})
    scores = TERMS["edits"].score(np.stack([SNAKE, SNAKE]), context)
    assert scores[0] == pytest.approx(1 / 9)
    assert np.isnan(scores[1])


def test_novelty_is_the_nearest_neighbour_and_saturates_at_forty_percent():
    far = 1 - SNAKE
    near = SNAKE.copy()
    near[0, 0] = 0
    scores = TERMS["novelty"].score(np.stack([SNAKE, near, far]), Context())
    assert scores[:2] == pytest.approx([1 / 3.6] * 2)
    assert scores[2] == 1.0


def test_mixed_sizes_score_as_they_do_alone():
    mixed = [COMB, SNAKE, RING, COMB]
    for name in ("one_region", "path_length", "open_share", "dead_ends", "symmetry", "diameter", "playable"):
        alone = [TERMS[name].score(item[None], Context())[0] for item in mixed]
        assert TERMS[name].score(mixed, Context()).tolist() == alone
    assert TERMS["novelty"].score(mixed, Context()).tolist() == [0.0, 1 / (0.4 * 9), 1 / (0.4 * 9), 0.0]


def test_terms_reuse_the_statistics_of_the_environment():
    context = Context(cache={"statistics": {"regions": np.array([1]), "path": np.array([77])}})
    assert TERMS["path_length"].score(SNAKE[None], context).tolist() == [77.0]
