"""The Sokoban solver: verdicts by hand and against brute force, moves replayed by a plain simulator."""

import random
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from plaudit.domains.level.solver import Limits, read_levels, solve
from plaudit.domains.level.solver.xsb import parse_level
from plaudit.errors import InputError, PlauditError

BOXOBAN = Path(__file__).parents[4] / "shared" / "data" / "boxoban"
STEPS = {"u": (-1, 0), "d": (1, 0), "l": (0, -1), "r": (0, 1)}
QUICK = Limits(seconds=5, nodes=200_000)


def level_of(text):
    return parse_level(text.strip("\n").splitlines(), "test")


def replay(level, moves):
    """Whether moves are legal, say truly which are pushes, and end with every crate on a target."""
    player, crates = level.player, {tuple(cell) for cell in np.argwhere(level.crates).tolist()}
    for move in moves:
        dy, dx = STEPS[move.lower()]
        to, beyond = (player[0] + dy, player[1] + dx), (player[0] + 2 * dy, player[1] + 2 * dx)
        assert not level.walls[to]
        assert (to in crates) == move.isupper()
        if to in crates:
            assert not level.walls[beyond] and beyond not in crates
            crates = (crates - {to}) | {beyond}
        player = to
    return all(level.targets[crate] for crate in crates)


def can_be_solved(level):
    """Breadth first over single moves, with nothing clever about it."""
    first = (level.player, frozenset(tuple(cell) for cell in np.argwhere(level.crates).tolist()))
    queue, seen = deque([first]), {first}
    while queue:
        player, crates = queue.popleft()
        if all(level.targets[crate] for crate in crates):
            return True
        for dy, dx in STEPS.values():
            to, beyond = (player[0] + dy, player[1] + dx), (player[0] + 2 * dy, player[1] + 2 * dx)
            if level.walls[to] or (to in crates and (level.walls[beyond] or beyond in crates)):
                continue
            after = (to, (crates - {to}) | {beyond} if to in crates else crates)
            if after not in seen:
                seen.add(after)
                queue.append(after)
    return False


def test_verdicts_by_hand():
    straight = level_of("#######\n#@ $ .#\n#######")
    answer = solve(straight, QUICK)
    assert (answer.verdict, answer.moves, answer.pushes) == ("solved", "rRR", 2)
    assert solve(level_of("#####\n#$ .#\n# @ #\n#####"), QUICK).verdict == "unsolvable"
    assert solve(level_of("#####\n#@* #\n#####"), QUICK).moves == ""
    assert solve(level_of("#####\n#@* #\n#####"), QUICK).verdict == "solved"


def test_a_freeze_of_two_crates_is_proved():
    level = level_of("########\n#  .   #\n# $$   #\n#  @ . #\n########")
    assert solve(level, QUICK).verdict == ("solved" if can_be_solved(level) else "unsolvable")


def test_every_verdict_on_small_boards_is_brute_forces():
    rng = random.Random(4)
    verdicts = []
    for _ in range(250):
        grid = [[("#" if rng.random() < 0.15 else " ") for _ in range(6)] for _ in range(5)]
        count = rng.randint(1, 3)
        for glyph in ["@", *["$"] * count, *["."] * count]:
            while True:
                y, x = rng.randrange(5), rng.randrange(6)
                if grid[y][x] == " ":
                    grid[y][x] = glyph
                    break
        level = level_of("\n".join(["########", *("#" + "".join(row) + "#" for row in grid), "########"]))
        answer = solve(level, QUICK)
        assert answer.verdict == ("solved" if can_be_solved(level) else "unsolvable")
        assert answer.verdict != "solved" or replay(level, answer.moves)
        verdicts.append(answer.verdict)
    assert 30 < verdicts.count("solved") < 220


def test_few_positions_are_an_honest_unknown():
    if not BOXOBAN.is_dir():
        pytest.skip("../shared/data/boxoban is not there")
    level = read_levels(BOXOBAN / "hard" / "000.txt")[1]
    answer = solve(level, Limits(seconds=5, nodes=40))
    assert answer.verdict == "unknown" and answer.nearest > 0


def test_boxoban_levels_are_solved():
    if not BOXOBAN.is_dir():
        pytest.skip("../shared/data/boxoban is not there")
    for level in read_levels(BOXOBAN / "hard" / "000.txt")[:40]:
        answer = solve(level, QUICK)
        assert answer.verdict == "solved" and replay(level, answer.moves)


def test_files_give_back_what_was_written(tmp_path):
    text = "Title\n#####\n#@$.#\n#+  #\n".replace("+", " ") + "#####\n\n; 2\n####\n#+*#\n# $#\n####\n"
    path = tmp_path / "two.xsb"
    path.write_text(text)
    one, two = read_levels(path)
    assert (one.title, one.line, two.title) == ("Title", 2, "2")
    path.write_text(f"{one.text()}\n{two.text()}")
    again = read_levels(path)
    for before, after in zip((one, two), again, strict=True):
        assert (before.crates == after.crates).all() and before.player == after.player
        assert (before.walls == after.walls).all() and (before.targets == after.targets).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing here\n", "holds no level"),
        ("###\n#x#\n###\n", "line 2, column 2: 'x' is no tile"),
        ("####\n#$.#\n####\n", "one player, this one 0"),
        ("#####\n#@$ #\n#####\n", "1 crates for 0 targets"),
        ("#" * 80 + "\n#@$.#\n", "80x2 cells is too large"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, text, said):
    path = tmp_path / "bad.xsb"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_levels(path)


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutated_files_raise_only_the_documented_error(tmp_path, count):
    rng, path = random.Random(count), tmp_path / "fuzz.xsb"
    good = "; 1\n#######\n#@ $ .#\n# $  .#\n#######\n"
    for _ in range(count):
        data = bytearray(good.encode())
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 2)] = bytes(rng.randrange(256) for _ in range(rng.randint(0, 3)))
        path.write_bytes(bytes(data))
        try:
            for level in read_levels(path):
                solve(level, Limits(seconds=0.05, nodes=500))
        except PlauditError as error:
            assert isinstance(error, InputError)
