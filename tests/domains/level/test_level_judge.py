"""The judge and the baselines of the maze."""

import numpy as np

from plaudit.domains.level.maze_judge import similarity
from plaudit.domains.level.metrics import judge_levels
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.task import Maze
from plaudit.task import Item

TASK = Maze()


def item(rows, **request):
    level = np.array([[cell == "." for cell in row] for row in rows], np.uint8)
    return Item(level, LevelRequest(size=level.shape[::-1], **request), 0)


def test_figures_by_hand():
    snake, ring = ["...", "##.", "..."], ["...", ".#.", "..."]
    items = [item(snake, target={"path": 6}), item(snake, target={"path": 8}), item(ring)]
    found = judge_levels(TASK.game, items)
    assert found["quality"].tolist() == [1, 1, 0]
    assert found["control"].tolist() == [1, 0, 1]
    assert found["path"].tolist() == [6, 6, 4]
    assert found["regions"].tolist() == [1, 1, 1]
    # One of the two equal ones goes first; one of nine cells is less than 40 %, so the other goes as well.
    assert found["diversity"].tolist() == [0, 0, 1]


def test_similarity_ends_at_forty_percent():
    a = np.zeros((5, 4), np.uint8)
    b = a.copy()
    b.flat[:4] = 1
    c = a.copy()
    c.flat[:8] = 1
    assert similarity([a, b, c, a.T], []).tolist() == [
        [1, 0.5, 0, 0],
        [0.5, 1, 0.5, 0],
        [0, 0.5, 1, 0],
        [0, 0, 0, 1],
    ]


def test_diversity_is_judged_within_hundreds():
    same = [item(["...", "##.", "..."])] * 101
    assert judge_levels(TASK.game, same)["diversity"].sum() == 2


def test_baselines_do_what_they_are_for():
    requests = TASK.requests(20, 4, LevelRequest())
    seeds = [9_000_000 + i for i in range(20)]
    figures = {
        name: judge_levels(TASK.game, list(make(requests, seeds))) for name, make in TASK.baselines().items()
    }
    assert figures["random"]["quality"].mean() == 0
    assert figures["heuristic"]["quality"].mean() >= 0.95
    assert figures["heuristic"]["control"].mean() >= 0.8
    assert figures["hill_climbing"]["control"].mean() >= 0.95
    assert figures["random"]["diversity"].mean() >= 0.95


def test_the_heuristic_keeps_to_any_size_and_short_paths():
    requests = [LevelRequest(size=(9, 5), target={"path": want}) for want in (0, 1, 12)]
    items = list(TASK.baselines()["heuristic"](requests, [1, 2, 3]))
    assert judge_levels(TASK.game, items)["path"].tolist() == [0, 1, 12]
