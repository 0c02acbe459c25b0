"""The benchmark of levels: single columns by themselves, damage that is damage, locks that are counted."""

import subprocess
import sys

import numpy as np
import pytest
from benchmarks import level_requests, levels

from plaudit.domains import get_task
from plaudit.task import Item


def test_a_named_column_is_measured_alone(monkeypatch):
    monkeypatch.setattr(
        levels, "COLUMNS", {"one": lambda name, quick: {"a": name}, "two": lambda name, quick: {"b": quick}}
    )
    monkeypatch.setattr(levels, "env_ratio", lambda quick: {"env_ratio": 1.0})
    assert levels.run(True, ["zelda"], ["two"])["zelda"] == {"b": True}
    whole = levels.run(False, ["zelda", "maze"])
    assert whole["zelda"] == {"a": "zelda", "b": False}
    assert whole["env_ratio"] == 1.0


def test_a_quick_run_leaves_slow_columns_out(monkeypatch):
    monkeypatch.setattr(levels, "COLUMNS", {"plain": lambda *_: {"a": 1}, "locked": lambda *_: {"b": 1}})
    assert levels.run(True, ["cave"])["cave"] == {"a": 1}
    assert levels.run(False, ["cave"])["cave"] == {"a": 1, "b": 1}


def test_an_unknown_column_is_refused_with_those_there_are():
    with pytest.raises(SystemExit, match="no column lock; there are plain, rivals"):
        levels.run(True, ["cave"], ["lock"])


def test_other_benchmarks_have_no_columns():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "maze", "--columns", "plain"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "levels alone" in done.stderr


@pytest.mark.parametrize("name", ["zelda", "cave", "dungeon"])
def test_what_is_damaged_is_no_longer_good(name):
    task, rng = get_task(f"level/{name}"), np.random.default_rng(0)
    level = level_requests.good_levels(task, 1)[0][0]
    for hurt in (1, 2, 3):
        damaged = level_requests._damaged(task, Item(level, task.Request(), 0), hurt, rng).content
        assert 1 <= np.count_nonzero(damaged != level) <= hurt
        assert not task.judge([Item(damaged, task.Request(), 0)])["quality"].any()


def test_a_locked_cell_that_came_out_otherwise_is_counted():
    task = get_task("level/zelda")
    level = level_requests.good_levels(task, 1)[0][0]
    rows = level_requests.partial(task, level, np.random.default_rng(0))
    kept = sum(glyph != "?" for row in rows for glyph in row)
    assert 0.1 * level.size * 0.3 < kept < 0.5 * level.size
    item = Item(level, task.Request(locked=rows), 0)
    assert level_requests.violations(task, item) == 0
    other = (level + 1) % len(task.game.tiles)
    assert level_requests.violations(task, Item(other, item.request, 0)) == kept
