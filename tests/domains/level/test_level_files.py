"""Level files: round trips, plain errors, and fuzzing that finds no other."""

import json

import numpy as np
import pytest

from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.task import Maze
from plaudit.domains.level.task import Path as PathTask
from plaudit.errors import InputError
from plaudit.media.png import read_about

MAZE, PATH = Maze(), PathTask()


def maze_item(seed=5, size=(9, 7)):
    return next(iter(MAZE.baselines()["heuristic"]([LevelRequest(size=size)], [seed])))


def path_item(seed=5):
    return next(iter(PATH.baselines()["random"]([PATH.Request(size=(8, 6))], [seed])))


@pytest.mark.parametrize("suffix", MAZE.formats)
def test_mazes_come_back(tmp_path, suffix):
    item, path = maze_item(), tmp_path / f"a.{suffix}"
    MAZE.save(item, path)
    back = MAZE.load(path)
    assert (back.content == item.content).all()
    if suffix == "png":
        assert (back.request, back.seed, back.info) == (item.request, item.seed, item.info)
        assert read_about(path)["recipe"] == {"task": "level/maze"}


def test_csv_is_zero_for_solid_and_one_for_open(tmp_path):
    item = maze_item()
    MAZE.save(item, tmp_path / "a.csv")
    rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    assert np.array(rows, int).tolist() == item.content.tolist()


@pytest.mark.parametrize("suffix", PATH.formats)
@pytest.mark.parametrize("seed", range(6))
def test_grid_worlds_come_back(tmp_path, suffix, seed):
    item, path = path_item(seed), tmp_path / f"a.{suffix}"
    PATH.save(item, path)
    back = PATH.load(path).content
    assert (back.grid == item.content.grid).all()
    assert (back.start, back.goal, back.route) == (item.content.start, item.content.goal, item.content.route)


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("a.csv", "0,1,1\n0,1\n0,0,0\n", "line 2"),
        ("a.csv", "0,1,1\n0,7,1\n0,0,0\n", "column 2"),
        ("a.csv", "0,1\n0,1\n", "3 to 64"),
        ("a.csv", "", "3 to 64"),
        ("a.txt", "...\n.@.\n...\n", "'@'"),
        ("a.txt", ".\n" * 99, "3 to 64"),
        ("a.png", "no picture", "not a PNG"),
        ("a.cvs", "0,1,1\n", "csv"),
    ],
)
def test_a_wrong_maze_is_said_plainly(tmp_path, name, text, named):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=named):
        MAZE.load(tmp_path / name)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"start": [0, 99]}, "not a cell"),
        ({"route": [[0, 0], [2, 2]]}, "route"),
        ({"rows": ["..."]}, "3 to 64"),
        ({"extra": 1}, "nothing else"),
        ({"start": [True, 0]}, "not a cell"),
    ],
)
def test_a_wrong_grid_world_is_said_plainly(tmp_path, change, named):
    good = {"rows": ["...", ".#.", "..."], "start": [0, 0], "goal": [2, 2], "route": [[0, 0], [0, 1]]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(good))
    assert PATH.load(path).content.steps == 1
    path.write_text(json.dumps(good | change))
    with pytest.raises(InputError, match=named):
        PATH.load(path)


def test_arrows_that_go_round_are_an_error(tmp_path):
    (tmp_path / "a.txt").write_text("start 0,0 goal 2,2\n>v.\n^<.\n...\n")
    with pytest.raises(InputError, match="circle"):
        PATH.load(tmp_path / "a.txt")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError):
        MAZE.load(tmp_path / "none.csv")


def mutate(content, rng):
    """Cut, swap, repeat or overwrite bytes."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        kind, at = int(rng.integers(4)), int(rng.integers(len(data) + 1))
        if kind == 0:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 1:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == 2 and at < len(data):
            data[at] = int(rng.choice(list(b'0123456789,.#\n"[]{}-eE^>v<SGx \x00\xff')))
        else:
            data[at:at] = data[at // 2 : at]
    return bytes(data)


def fuzz(folder, rounds):
    rng = np.random.default_rng(0)
    kinds = [
        (task, item, s) for task, item in ((MAZE, maze_item()), (PATH, path_item())) for s in task.formats
    ]
    refused = 0
    for task, item, suffix in kinds:
        path = folder / f"{task.name.replace('/', '-')}.{suffix}"
        task.save(item, path)
        content = path.read_bytes()
        for _ in range(rounds // len(kinds)):
            path.write_bytes(mutate(content, rng))
            try:
                back = task.load(path)
            except InputError:
                refused += 1
            else:
                task.judge([back])
    assert refused > rounds // 10


def test_damaged_files_raise_only_input_errors(tmp_path):
    fuzz(tmp_path, 300)


@pytest.mark.slow
def test_many_damaged_files_raise_only_input_errors(tmp_path):
    fuzz(tmp_path, 10_000)
