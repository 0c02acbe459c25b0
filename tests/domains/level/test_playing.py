"""Playing: the rules on maps drawn by hand, ways that searches and judges know, the MDP, traces and films."""

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
import torch

from plaudit.domains.level import cave_judge, dungeon_judge, platformer_agent, runner_agent
from plaudit.domains.level.play import files
from plaudit.domains.level.play.baselines import at_random, greedy
from plaudit.domains.level.play.board import GATHERED, HURT, LOST, STAGE, UNDER_WAY, WON, X, Y
from plaudit.domains.level.play.env import Eyes
from plaudit.domains.level.play.film import film_of
from plaudit.domains.level.play.games import BY_NAME, RULES, rules_of
from plaudit.domains.level.play.generation import play_on
from plaudit.domains.level.play.judge import survey
from plaudit.domains.level.play.jump_platformer import edges
from plaudit.domains.level.play.levels import is_good, make_levels, usual_size
from plaudit.domains.level.play.playthrough import FIGURES, Playthrough, replayed
from plaudit.domains.level.play.search import shortest
from plaudit.domains.level.play.task import Player
from plaudit.domains.level.render import glyphs, parse_rows
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.runs.recipes import Changes, resolve


def level_of(name, *rows):
    return parse_rows(rows, glyphs(BY_NAME[name].game), name)


def played(name, level, letters):
    rules = BY_NAME[name]
    return Playthrough(name, level, tuple(rules.keys.index(letter) for letter in letters))


def ended(name, level, letters):
    """The board after the moves."""
    rules = BY_NAME[name]
    boards = rules.begin(level[None])
    for move in played(name, level, letters).moves:
        rules.step(boards, np.array([move]))
    return boards


def levels(name, count, first=3_000_000):
    return make_levels(name, usual_size(BY_NAME[name].game), range(first, first + count))


def test_a_maze_is_walked_from_one_end_of_its_longest_path_to_the_other():
    level = level_of("maze", "....", "###.", "....")
    start = BY_NAME["maze"].begin(level[None])
    assert (start.body[0, Y], start.body[0, X]) == (2, 0)
    assert ended("maze", level, "RRRUULLL").outcome[0] == WON
    assert ended("maze", level, "RRRUULL").outcome[0] == UNDER_WAY
    assert ended("maze", level, "UULLRRRUULLL").outcome[0] == WON  # walls and the border stop the player


def test_zelda_needs_the_key_before_the_door():
    level = level_of("zelda", "@Dk", "...", "...")
    assert ended("zelda", level, "R").body[0, X] == 0  # the door is closed
    assert ended("zelda", level, "DRRU").body[0, STAGE] == 1
    assert ended("zelda", level, "DRRUL").outcome[0] == WON


def test_three_enemies_of_zelda_are_one_too_many():
    level = level_of("zelda", "@eeekD", "######", "......")
    boards = ended("zelda", level, "RRR")
    assert boards.outcome[0] == LOST
    assert boards.body[0, HURT] == 3
    assert ended("zelda", level_of("zelda", "@ee.kD", "######", "......"), "RRRRR").outcome[0] == WON
    # An enemy that was met is gone.
    assert ended("zelda", level_of("zelda", "@e.kD", "#####", "....."), "RLRLRRRR").outcome[0] == WON


def test_crates_are_pushed_one_at_a_time():
    level = level_of("sokoban", "#####", "@$ .#", "#####")
    assert ended("sokoban", level, "RR").outcome[0] == WON
    two = level_of("sokoban", "#######", "@$$ ..#", "#######")
    assert ended("sokoban", two, "R").body[0, X] == 0
    assert ended("sokoban", level_of("sokoban", "  . ", "@$  ", "    "), "DRULUR").outcome[0] == WON


def test_a_crate_in_a_corner_ends_sokoban():
    level = level_of("sokoban", "   @ ", " . $ ", "     ", "     ")
    assert ended("sokoban", level, "D").outcome[0] == UNDER_WAY
    assert ended("sokoban", level, "DD").outcome[0] == LOST


def test_dungeons_hurt_and_heal():
    level = level_of("dungeon", "@og*$H", "######", "......")
    boards = ended("dungeon", level, "RRRR")
    assert boards.body[0, HURT] == 3
    assert boards.body[0, GATHERED] == 1
    assert boards.body[0, 5] == 4  # five less three, and a potion of two
    assert ended("dungeon", level, "RRRRR").outcome[0] == WON
    assert ended("dungeon", level_of("dungeon", "@oooH", "#####", "....."), "RRR").outcome[0] == LOST


def test_caves_are_jumped():
    level = level_of("cave", "......", "......", "..k...", "@.#..H", "######")
    assert ended("cave", level, "R").body[0, X] == 1
    up = ended("cave", level, "RJ")
    assert up.body[0, Y] == 2
    moves = shortest(BY_NAME["cave"], level)
    assert moves is not None
    spikes = level_of("cave", "......", "......", "......", "@^k..H", "######")
    assert ended("cave", spikes, "R").outcome[0] == LOST
    assert shortest(BY_NAME["cave"], spikes) is not None


def test_platformers_are_run_and_jumped():
    level = level_of("platformer", "......", "......", "......", "@.o.eH", "######")
    assert ended("platformer", level, "rrrr").body[0, GATHERED] == 1
    assert ended("platformer", level, "r" * 7).outcome[0] == LOST
    moves = shortest(BY_NAME["platformer"], level)
    assert moves is not None
    gap = level_of("platformer", "......", "......", "......", "@....H", "##..##")
    assert ended("platformer", gap, "rrrr" + "." * 9).outcome[0] == LOST


def test_runner_levels_are_climbed_hung_in_and_dug():
    level = level_of("runner", "........", "@.oHg...", "BBBH....", "...H....", "...H...E", "BBBBBBBB")
    assert ended("runner", level, "RR").body[0, STAGE] == 1
    assert ended("runner", level, "R" * 4).outcome[0] == LOST  # a guard
    moves = shortest(BY_NAME["runner"], level_of("runner", "@.o.....", "BB..H--E", "BBBBBBBB"))
    assert moves is not None
    dug = level_of("runner", "@.......", "BBBBBBBB", "o......E", "BBBBBBBB")
    moves = shortest(BY_NAME["runner"], dug)
    assert moves is not None
    letters = "".join(BY_NAME["runner"].keys[move] for move in moves)
    assert set(letters) >= {"[", "L"} or set(letters) >= {"]", "R"}
    assert survey(Playthrough("runner", dug, moves))["won"] == 1
    # Whoever goes through the floor without the gold up there cannot come back for it.
    lost = level_of("runner", "@..o", "BBBB", "...E", "BBBB")
    assert ended("runner", lost, "]R").outcome[0] == UNDER_WAY
    assert ended("runner", lost, "]RR").outcome[0] == LOST


def test_the_keys_that_a_runner_knows_of_win():
    """Pressing what leads nearer, and nothing else; with holes and falls in between."""
    rules = BY_NAME["runner"]
    boards, maps = rules.begin(levels("runner", 6)), levels("runner", 6)
    ahead, carried = np.empty(6, np.float32), np.empty((6, len(rules.carried)), np.int8)
    moves = []
    while (boards.outcome == UNDER_WAY).any():
        before = ahead.copy()
        rules.survey(boards, ahead, carried)
        moves.append(carried[:, 4:].argmax(1))
        rules.step(boards, moves[-1])
        assert len(moves) < rules.limit((32, 22))
    assert (boards.outcome == WON).all()
    assert (before < 400).all()
    for level, pressed in zip(maps, np.transpose(moves).tolist(), strict=True):
        assert survey(Playthrough("runner", level, tuple(pressed)))["won"] == 1


def test_a_runner_takes_the_gold_first_that_cannot_be_come_back_for():
    """The gold behind the player is up there, and nearer is the edge from which there is no way back."""
    rules = BY_NAME["runner"]
    boards = rules.begin(level_of("runner", "o...@...", "BBBBBB..", "........", "......oE", "BBBBBBBB")[None])
    ahead, carried, pressed = np.empty(1, np.float32), np.empty((1, len(rules.carried)), np.int8), ""
    while boards.outcome[0] == UNDER_WAY and len(pressed) < 40:
        rules.survey(boards, ahead, carried)
        pressed += rules.keys[carried[0, 4:].argmax()]
        rules.step(boards, np.array([rules.keys.index(pressed[-1])]))
    assert boards.outcome[0] == WON
    assert pressed.startswith("LLLL")


def test_the_runners_physics_are_the_agents():
    """Random keys: the same cell and the same holes after each tick."""
    rules, rng = BY_NAME["runner"], np.random.default_rng(4)
    keys, dug = (*runner_agent.STEPS, runner_agent.DIG_LEFT, runner_agent.DIG_RIGHT), 0
    for level in levels("runner", 3):
        world = runner_agent.World(level)
        for _ in range(8):
            boards = rules.begin(level[None])
            state = runner_agent.State(tuple(np.argwhere(level == runner_agent.PLAYER)[0].tolist()))
            for move in rng.integers(0, 6, 150).tolist():
                rules.step(boards, np.array([move]))
                state = world.step(state, keys[move])
                if state is None:
                    assert boards.outcome[0] == LOST
                    break
                assert (boards.body[0, Y], boards.body[0, X]) == state.cell
                holes = {
                    (int(y), int(x)): int(boards.maps[0, y, x]) - 9
                    for y, x in np.argwhere(boards.maps[0] > 8)
                }
                assert holes == dict(state.holes)
                dug += bool(holes)
                if boards.outcome[0] != UNDER_WAY:
                    break
    assert dug > 20


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "runner"])
def test_the_shortest_way_wins_for_the_rules_and_for_the_judge(name):
    rules = BY_NAME[name]
    ways = [(level, shortest(rules, level)) for level in levels(name, 2 if name == "platformer" else 4)]
    # A good level of zelda may have three enemies on every way; of the other games every one can be won.
    assert all(moves is not None for _, moves in ways) or name == "zelda"
    assert sum(moves is not None for _, moves in ways) >= 2
    for level, moves in ways:
        if moves is None:
            continue
        trace = Playthrough(name, level, moves)
        assert survey(trace)["won"] == 1
        figures = dict(zip(FIGURES, replayed(rules, [trace])[0], strict=True))
        assert (figures["won"], figures["steps"], figures["progress"]) == (1, len(moves), 1)


@pytest.mark.parametrize("name", list(BY_NAME))
def test_judge_and_rules_agree_on_whatever_is_played(name):
    rules = BY_NAME[name]
    maps = np.repeat(levels(name, 4), 4, axis=0)
    for choose in (at_random(rules), greedy(rules)):
        outing = play_on(rules, maps, choose, RowRandom(np.arange(len(maps))), np.zeros(len(maps)))
        traces = [
            Playthrough(name, level, tuple(moves[:taken].tolist()))
            for level, moves, taken in zip(maps, outing.moves, outing.taken, strict=True)
        ]
        table = replayed(rules, traces)
        for trace, row in zip(traces, table, strict=True):
            found = survey(trace)
            for key in ("won", "steps", "gathered", "hurt"):
                if key == "steps" and found["won"] == 0:
                    continue  # the rules end a lost game of Sokoban, the judge plays on
                assert found[key] == row[FIGURES.index(key)], key


def test_the_ways_of_the_games_own_players_win():
    """What the judges of dungeons and caves find by search, pressed key by key."""
    for level in levels("dungeon", 3):
        chain = dungeon_judge._chain(dungeon_judge.play(level))
        cells = [node.cell for node in chain]
        moves = [dungeon_judge.STEPS.index((b[0] - a[0], b[1] - a[1])) for a, b in pairwise(cells)]
        assert replayed(BY_NAME["dungeon"], [Playthrough("dungeon", level, tuple(moves))])[0, 0] == 1
    for level in levels("platformer", 2):
        start = tuple(np.argwhere(level == platformer_agent.PLAYER)[0].tolist())
        pressed = platformer_agent.play(level, start).keys
        moves = tuple(keys.run + 1 + 3 * keys.jump for keys in pressed)
        assert replayed(BY_NAME["platformer"], [Playthrough("platformer", level, moves)])[0, 0] == 1
    rules = BY_NAME["runner"]
    letters = dict(zip("<>^v[].", (*range(6), 0), strict=True))
    for level in levels("runner", 3):
        start = tuple(np.argwhere(level == runner_agent.PLAYER)[0].tolist())
        moves = tuple(letters[key] for key in runner_agent.play(level, start).keys)
        assert replayed(rules, [Playthrough("runner", level, moves)])[0, 0] == 1


def test_the_physics_are_the_agents():
    """Random keys, the same body after each tick."""
    rules, rng = BY_NAME["platformer"], np.random.default_rng(3)
    for level in levels("platformer", 2):
        physics = platformer_agent.Physics(level)
        for _ in range(6):
            boards = rules.begin(level[None])
            body = physics.placed(tuple(np.argwhere(level == platformer_agent.PLAYER)[0].tolist()))
            for move in rng.integers(0, 6, 80).tolist():
                rules.step(boards, np.array([move]))
                body = physics.step(body, platformer_agent.Keys(move % 3 - 1, move >= 3))
                assert (body is None) == (boards.outcome[0] == LOST)
                if body is None or boards.outcome[0] != UNDER_WAY:
                    break
                assert (*edges(boards.body[0]), boards.body[0, 5]) == body


def test_what_cannot_be_played_is_lost_at_once():
    for rules in RULES:
        blank = np.zeros((1, 6, 8), np.uint8)
        assert rules.begin(blank).outcome[0] == LOST
        assert not is_good(rules.game, blank)[0]


@pytest.mark.parametrize("name", list(BY_NAME))
def test_what_a_player_sees_is_told_in_small_numbers(name):
    rules = BY_NAME[name]
    boards, eyes = rules.begin(levels(name, 4)), Eyes(rules, 4)
    obs = eyes.look(boards, np.ones(4)).copy()
    assert obs.shape == (4, rules.values)
    rows, columns = rules.window
    size, planes = rows * columns, max(rules.planes) + 1
    windows = obs[:, : planes * size].reshape(4, planes, rows, columns)
    assert set(np.unique(windows)) == {0, 1}
    assert (windows.sum(1) <= 1).all()
    assert (windows[:, 0, rows // 2, columns // 2] == 0).all()  # nobody stands in a wall
    assert np.abs(obs).max() <= 8


@pytest.mark.parametrize("name", list(BY_NAME))
def test_an_episode_pays_what_its_terms_say(name):
    task, recipe = resolve("level/player", "", Changes(settings=(f"env.game={name}", "env.pool=4")))
    env = task.environment(3, recipe)
    env.reset(5)
    paid, rng = np.zeros(len(env.term_names)), np.random.default_rng(0)
    for _ in range(env.limit):
        action = torch.from_numpy(rng.integers(0, len(task.rules.moves), 3))
        _, terms, over, spent, _ = env.step(action)
        paid += terms[0].numpy()
        if over[0] or spent[0]:
            break
    else:
        raise AssertionError("an episode did not end")
    steps = -paid[env.term_names.index("steps")]
    assert 0 < steps <= env.limit
    assert -1 <= paid[env.term_names.index("progress")] <= 1


def test_training_levels_are_nobodys_items():
    task = Player(rules_of("zelda"))
    ours = {
        item.content.level.tobytes() for item in task.baselines()["random"]([task.Request()] * 20, range(20))
    }
    recipe = resolve("level/player", "", Changes(settings=("env.pool=64",)))[1]
    pool = {level.tobytes() for level in task.environment(1, recipe).pool}
    assert len(pool) > 60
    assert not ours & pool


@pytest.mark.parametrize("suffix", files.FORMATS)
def test_files_give_the_trace_back(suffix, tmp_path):
    for name in ("zelda", "platformer"):
        task = Player(rules_of(name))
        item = next(iter(task.baselines()["heuristic"]([task.Request(slips=0.1)], [7])))
        path = tmp_path / f"{name}.{suffix}"
        task.save(item, path)
        back = task.load(path)
        assert back.content.moves == item.content.moves
        assert (back.content.level == item.content.level).all()
        assert back.request.slips == 0.1
        assert back.seed == 7


def test_a_film_has_a_frame_a_move():
    task = Player(rules_of("maze"))
    item = next(iter(task.baselines()["heuristic"]([task.Request(size=(8, 8))], [7])))
    frames, times = film_of(item.content)
    assert len(frames) == len(times) == 1 + len(item.content.moves)
    assert frames[0].tobytes() != frames[1].tobytes()


def test_a_level_of_ones_own_is_played(tmp_path):
    (tmp_path / "mine.txt").write_text("@.k\n.#.\n..D\n")
    task = Player(rules_of("zelda"))
    request = task.Request(level=str(tmp_path / "mine.txt"))
    item = next(iter(task.baselines()["heuristic"]([request], [0])))
    assert item.content.level.shape == (3, 3)
    assert survey(item.content)["won"] == 1
    rows = task.Request(level=("@.k", ".#.", "..D"))
    assert (next(iter(task.baselines()["random"]([rows], [0]))).content.level == item.content.level).all()


def test_bad_input_is_one_clear_error(tmp_path):
    task = Player(rules_of("zelda"))
    with pytest.raises(InputError, match="a player, or what it has to reach"):
        task.check_request(task.Request(level=("...", "...", "...")))
    with pytest.raises(InputError, match="unknown tile"):
        task.check_request(task.Request(level=("@.k", ".%.", "..D")))
    with pytest.raises(InputError, match="no player knows a game"):
        resolve("level/player", "", Changes(settings=("env.game=chess",)))
    good = {"game": "zelda", "level": ["@.k", "...", "..D"], "moves": "RR", "seed": 1}
    for change in (
        {"moves": "RX"},
        {"moves": 3},
        {"level": "x"},
        {"game": "go"},
        {"seed": "x"},
        {"level": []},
    ):
        path = tmp_path / "bad.json"
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(InputError):
            task.load(path)


def test_a_policy_of_another_game_is_refused():
    maze = resolve("level/player", "", Changes(settings=("env.game=maze", "env.pool=2")))
    policy = maze[0].build(maze[1], {}).policy()
    task = Player(rules_of("zelda"))
    with pytest.raises(InputError, match="trained on another game"):
        list(task.generate(policy, [task.Request()], [1]))


def test_an_item_depends_on_its_seed_alone():
    task, recipe = resolve("level/player", "", Changes(settings=("env.pool=2",)))
    policy = task.build(recipe, {}).policy()
    requests = [task.Request(), task.Request(size=(9, 9)), task.Request(slips=0.3), task.Request()]
    together = list(task.generate(policy, requests, [1, 2, 3, 4]))
    alone = next(iter(task.generate(policy, requests[2:3], [3])))
    assert together[2].content.moves == alone.content.moves
    assert len(dataclasses.asdict(alone.content)["moves"]) == alone.info["steps"]


def test_caves_are_played_by_the_judges_physics():
    level = levels("cave", 1)[0]
    cave, rng = cave_judge.Cave(level), np.random.default_rng(1)
    rules = BY_NAME["cave"]
    boards, moment = rules.begin(level[None]), cave.start
    for move in rng.integers(0, 4, 60).tolist():
        rules.step(boards, np.array([move]))
        moment = list(cave.after(moment))[move]
        if boards.outcome[0] != UNDER_WAY:
            break
        assert (boards.body[0, Y], boards.body[0, X]) == moment.cell
        assert boards.body[0, 5] == moment.air
        assert bool(boards.body[0, STAGE]) == moment.key
