"""Levels as they are played in a report: ways that the games' own searches find win by the page's rules."""

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import plaudit
from plaudit.domains import get_task
from plaudit.domains.level import cave_judge, dungeon_judge, platformer_agent, runner_agent, sokoban_judge
from plaudit.domains.level.metrics import distances, longest_path
from plaudit.domains.level.playable import playable, walk
from plaudit.runs.report.arcade import Playable, level_button

SCRIPT = Path(plaudit.__file__).parent / "runs" / "report" / "play.js"
NAMES = ("maze", "zelda", "sokoban", "dungeon", "cave", "platformer", "runner", "custom")
NODE = shutil.which("node")
RUNNER = """
const Levels = require(process.argv[1]);
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(({ play, keys }) => {
  const game = Levels.begin(play);
  const overs = keys.map(([dx, dy, side]) => Levels.turn(game, dx, dy, side).over);
  const { x, y, health, taken, turns, leg } = game;
  return { overs, x, y, health, taken, turns, leg };
})));
"""


def played(asked):
    """What became of levels `(play, keys)`: after which key they were over, and how."""
    if NODE is None:
        pytest.skip("node is not installed: the page's script cannot be run")
    told = json.dumps([{"play": play, "keys": [list(key) for key in keys]} for play, keys in asked])
    command = [NODE, "-e", RUNNER, str(SCRIPT)]
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def good_levels(name, count=6, seed=11):
    task = get_task(f"level/{name}")
    requests = task.requests(4 * count, seed, task.Request())
    levels = [i.content for i in task.baselines()["heuristic"](requests, range(seed, seed + 4 * count))]
    judge = task.game.judge
    return task.game, [level for level in levels if judge.passes(level, judge.survey(level))][:count]


def steps(cells):
    """Keys that walk along cells."""
    return [(x - u, y - v) for (v, u), (y, x) in pairwise(cells)]


def only(level, tile):
    (cell,) = np.argwhere(level == tile).tolist()
    return tuple(cell)


def maze_keys(game, level):
    return steps(longest_path(level == 1))


def zelda_keys(game, level):
    player, key, door = (only(level, tile) for tile in (2, 3, 4))
    return steps(walk((level != 0) & (level != 4), player, key)) + steps(walk(level != 0, key, door))


def sokoban_keys(game, level):
    return [(dx, dy) for (dy, dx), _ in sokoban_judge.find_solution(level)]


def dungeon_keys(game, level):
    chain = dungeon_judge._chain(dungeon_judge.play(level))
    return [key for key in steps([node.cell for node in chain]) if key != (0, 0)]


def cave_keys(game, level):
    """The actions between the moments of the way found, by asking the judge what each leads to."""
    level = cave_judge.connected(level)
    cave = cave_judge.Cave(level)
    moment, chain = cave_judge.play(cave), []
    while moment is not None:
        chain.append(moment)
        moment = moment.before
    keys = []
    for now, after in pairwise(chain[::-1]):
        actions = zip(((0, 1), (-1, 0), (1, 0), (0, -1)), cave.after(now), strict=True)
        keys.append(next(key for key, led_to in actions if led_to == after))
    return keys


def platformer_keys(game, level):
    found = platformer_agent.play(level, only(level, 2))
    return [(key.run, -1 if key.jump else 0) for key in found.keys]


RUNS = {"<": (-1, 0), ">": (1, 0), "^": (0, -1), "v": (0, 1), ".": (0, 0), "[": (0, 0, -1), "]": (0, 0, 1)}


def runner_keys(game, level):
    return [RUNS[key] for key in runner_agent.play(level, only(level, 2)).keys]


def custom_keys(game, level):
    gardener, well, tree = (only(level, tile) for tile in (2, 3, 4))
    free = level != 0
    return steps(walk(free, gardener, well)) + steps(walk(free, well, tree))


WAYS = {
    "maze": maze_keys,
    "zelda": zelda_keys,
    "sokoban": sokoban_keys,
    "dungeon": dungeon_keys,
    "cave": cave_keys,
    "platformer": platformer_keys,
    "runner": runner_keys,
    "custom": custom_keys,
}


@pytest.mark.parametrize("name", NAMES)
def test_ways_found_by_the_games_own_searches_win_with_their_last_key(name):
    game, levels = good_levels(name)
    assert len(levels) >= 3
    asked = [(playable(game, level), WAYS[name](game, level)) for level in levels]
    for (_, keys), came in zip(asked, played(asked), strict=True):
        assert came["overs"][-1] == "won"
        assert set(came["overs"][:-1]) <= {""}
        assert came["turns"] == len(keys)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_embedded_is_what_the_report_reads(name):
    game, levels = good_levels(name, 2)
    play = playable(game, levels[0])
    assert Playable.model_validate(play).cells == play["cells"]
    assert "data-play=" in level_button({"item": {"play": play}})
    assert len(level_button({"item": {"play": play}})) < 8000


def drawn(game, text):
    glyphs = {tile.glyph: number for number, tile in enumerate(game.tiles)}
    return np.array([[glyphs[glyph] for glyph in row] for row in text.split()], np.uint8)


def end(name, text, keys):
    game = get_task(f"level/{name}").game
    moves = {"l": (-1, 0), "r": (1, 0), "u": (0, -1), "d": (0, 1), "R": (1, -1)}
    (came,) = played([(playable(game, drawn(game, text)), [moves[key] for key in keys])])
    return came


def test_a_door_is_closed_without_the_key():
    came = end("zelda", "@Dk. ....", "rrd")
    assert (came["x"], came["y"], came["leg"]) == (0, 1, 0)
    assert end("zelda", "@Dk. ....", "drrul")["overs"] == ["", "", "", "", "won"]


def test_enemies_take_hearts_and_the_last_one_loses():
    # One bat stands on the shortest way: two hearts. The second bat is one too many.
    came = end("zelda", "@ekD ..e.", "rrr")
    assert came["overs"][-1] == "won" and came["health"] == 1
    assert end("zelda", "@ekD ..e.", "rrd")["overs"] == ["", "", "lost"]


def test_a_dungeon_counts_hearts_as_its_search_does():
    came = end("dungeon", "@o*$gH", "rrrrr")
    assert came["overs"][-1] == "won"
    assert (came["health"], came["taken"]) == (4, 1)
    assert end("dungeon", "@ooogH", "rrrr")["overs"] == ["", "", "lost", "lost"]


def test_two_crates_in_a_row_and_walls_cannot_be_pushed():
    game = get_task("level/sokoban").game
    level = np.array([[2, 3, 3, 1, 4], [3, 1, 1, 1, 4], [1, 1, 1, 1, 4]], np.uint8)
    (came,) = played([(playable(game, level), [(1, 0), (0, 1), (0, 1)])])
    assert (came["x"], came["y"], came["turns"]) == (0, 1, 1)


def test_caves_need_the_key_and_spikes_kill():
    assert end("cave", "..... @.k.H #####", "rrrr")["overs"][-1] == "won"
    assert end("cave", "..... k@..H #####", "rrr")["overs"][-1] == ""
    assert end("cave", "..... @.^kH #####", "rr")["overs"][-1] == "lost"
    # A jump rises for three moments, this one with its own included: up to the ceiling of two free rows.
    assert end("cave", "..... ..... ..... @.k.H #####", "u")["y"] == 2


def test_platformers_fall_and_touch_as_the_agent_does():
    level = "........ ........ @.o....H ##.#####"
    assert end("platformer", level, "rrrrrrrr")["overs"][-1] == "lost"
    # Three ticks to the coin, a jump over the gap with the key held, and on to the flag.
    came = end("platformer", level, "rrr" + "R" * 7 + "r" * 3)
    assert came["overs"][-1] == "won" and came["taken"] == 1
    assert end("platformer", "....... @..e..H #######", "rrrrr")["overs"][-1] == "lost"


@pytest.mark.parametrize("name", ["zelda", "dungeon", "cave", "platformer"])
def test_a_level_without_one_player_is_not_played(name):
    game, levels = good_levels(name, 1)
    level = levels[0].copy()
    level[level == 2] = 1
    assert playable(game, level) is None


def test_running_by_random_keys_keeps_to_the_rules_of_runner_levels():
    game, levels = good_levels("runner", 8)
    rng = np.random.default_rng(4)
    asked, expected = [], []
    for level in [each for each in levels for _ in range(12)]:
        keys = rng.choice(list(RUNS), 150, p=[0.2, 0.2, 0.2, 0.1, 0.02, 0.14, 0.14])
        world, state = runner_agent.World(level), runner_agent.State(only(level, 2))
        cells = []
        for key in keys:
            after = world.step(state, key)
            if after is None:
                break
            state = after
            cells.append(state.cell[::-1])
        asked.append((playable(game, level), [RUNS[key] for key in keys]))
        expected.append(cells)
    assert sum(len(cells) < 150 for cells in expected) > 5
    for cells, came in zip(expected, played(asked), strict=True):
        assert came["overs"] == [""] * len(cells) + ["lost"] * (150 - len(cells))
        assert len(cells) < 150 or (came["x"], came["y"]) == cells[-1]


def test_a_hole_closes_and_nothing_is_dug_from_a_rope():
    right, left, down, dig = (1, 0), (-1, 0), (0, 1), (0, 0, 1)
    game = get_task("level/runner").game
    floor = playable(game, drawn(game, "@...o..E BBBBBBBB ........ ########"))
    came = played([(floor, [dig] + [(0, 0)] * wait + [right, down]) for wait in (0, 1, 2)])
    assert [(each["x"], each["y"]) for each in came] == [(1, 1), (1, 0), (1, 0)]
    rope = playable(game, drawn(game, "@---..E. BB..BBBB ........ ########"))
    (came,) = played([(rope, [right, right, (0, 0, -1), left, down])])
    assert (came["x"], came["y"]) == (1, 0)


def test_pushing_along_random_keys_keeps_to_the_rules_of_sokoban():
    """Random keys beside a plain player of Sokoban: the same cells, step by step."""
    game, levels = good_levels("sokoban", 4)
    rng = np.random.default_rng(4)
    for level in levels:
        keys = [((1, 0), (-1, 0), (0, 1), (0, -1))[k] for k in rng.integers(0, 4, 60)]
        at, crates = only(level, 2), {tuple(cell) for cell in np.argwhere(level == 3).tolist()}
        free = {tuple(cell) for cell in np.argwhere(level != 0).tolist()}
        goals = {tuple(cell) for cell in np.argwhere(level == 4).tolist()}
        for dx, dy in keys:
            to, beyond = (at[0] + dy, at[1] + dx), (at[0] + 2 * dy, at[1] + 2 * dx)
            if to not in free or (to in crates and (beyond not in free or beyond in crates)):
                continue
            crates = {beyond if crate == to else crate for crate in crates}
            at = to
            if crates == goals:
                break
        (came,) = played([(playable(game, level), keys)])
        assert (came["y"], came["x"]) == at


def test_walks_are_shortest():
    rng = np.random.default_rng(0)
    free = rng.random((9, 9)) < 0.7
    free[0, 0] = True
    for goal, far in distances(free, (0, 0)).items():
        way = walk(free, (0, 0), goal)
        assert len(way) == far + 1 and way[-1] == goal
        assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairwise(way))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cells", ["01", "0"]),
        ("cells", ["0z"]),
        ("cells", "01"),
        ("start", [99, 0]),
        ("atlas", '"><script>'),
        ("sky", ["red;}"]),
        ("move", "fly"),
        ("kinds", []),
        ("hint", "x" * 301),
        ("physics", {"air": 10**9}),
        ("extra", 1),
    ],
)
def test_what_is_not_of_the_form_gets_no_button(key, value):
    game, levels = good_levels("zelda", 1)
    play = playable(game, levels[0])
    assert level_button({"item": {"play": {**play, key: value}}}) == ""
    assert level_button({"item": {"play": 3}}) == level_button({"item": []}) == level_button({}) == ""
