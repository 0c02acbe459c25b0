"""A game of one's own: its file and its mistakes, the kernel against the judge, runs that need no file."""

import tomllib

import numpy as np
import pytest

import plaudit
from plaudit.domains import get_task
from plaudit.domains.level.custom import GAMES, CustomGame
from plaudit.domains.level.custom_rules import GameRules, check_rules
from plaudit.domains.level.task import Custom
from plaudit.errors import Infeasible, InputError
from plaudit.runs.api import Run, trainer
from plaudit.runs.checking import bound
from plaudit.runs.recipes import Changes, dump, load, resolve
from plaudit.task import Item

SMALL = ("env.copies=4", "env.pool=16", "network.layers=2", "network.channels=8", "threads=1")


def rules_of(name):
    return check_rules(GameRules.model_validate(tomllib.loads(GAMES[name].read_text())))


def random_rules(rng):
    """Rules at random: two to four kinds of things, walks through some of them, regions of any tiles."""
    things = [f"thing_{i}" for i in range(int(rng.integers(3, 6)))]
    tiles = [
        {"name": "wall", "glyph": "#", "colour": "#000000", "solid": True},
        {"name": "floor", "glyph": ".", "colour": "#ffffff"},
        {"name": "rock", "glyph": "o", "colour": "#888888", "solid": True, "max": int(rng.integers(3, 9))},
        *(
            {"name": name, "glyph": str(i), "colour": "#ff0000", "min": 1, "max": int(rng.integers(1, 5))}
            for i, name in enumerate(things)
        ),
    ]
    regions = [
        {"name": "land"},
        {"name": "walls", "tiles": ["wall", "rock"], "min": 1, "max": int(rng.integers(3, 9))},
    ]
    paths = []
    for at in range(int(rng.integers(1, 4))):
        points = rng.permutation(things)[: int(rng.integers(2, len(things) + 1))].tolist()
        closed = [name for name in (*things, "floor") if name not in points and rng.random() < 0.2]
        path = {"name": f"walk_{at}", "from": points[0], "through": points[1:-1], "to": points[-1]}
        paths.append({**path, "closed": closed, "min": int(rng.integers(1, 8)), "max": 30})
    target = {"statistic": "walk_0", "low": 8, "high": 12}
    plain = {"size": [9, 7], "tiles": tiles, "regions": regions, "paths": paths, "targets": [target]}
    return check_rules(GameRules.model_validate(plain))


def noise(game, rng, count, shape=(7, 9)):
    """Levels of mostly floor, so that there are ways, with every tile somewhere."""
    things = rng.integers(0, len(game.tiles), (count, *shape))
    return np.where(rng.random(things.shape) < 0.6, 1, things).astype(np.uint8)


def survey(game, levels):
    found = [game.judge.survey(level) for level in levels]
    return found, [[each[name] for name in game.statistics[:-1]] for each in found]


@pytest.mark.parametrize("seed", range(6))
def test_measure_equals_the_judge_on_any_rules(seed):
    rng = np.random.default_rng(seed)
    game = CustomGame(random_rules(rng))
    levels = noise(game, rng, 60)
    found, columns = survey(game, levels)
    stats = game.measure(levels)
    assert stats[:, :-1].tolist() == columns
    steps = stats[:, game.statistics.index("walk_0")]
    assert len(set(steps.tolist())) > 4 and (steps == -1).any()
    passed = [game.judge.passes(level, each) for level, each in zip(levels, found, strict=True)]
    assert (stats[:, -1] == 0).tolist() == passed


@pytest.mark.parametrize("name", GAMES)
def test_good_levels_have_no_faults_and_spoiled_ones_do(name):
    task = Custom(rules_of(name))
    requests = task.requests(30, 1, task.Request())
    levels = np.stack([i.content for i in task.baselines()["heuristic"](requests, list(range(30)))])
    rng = np.random.default_rng(0)
    spoiled = levels.copy()
    for level in spoiled:
        level.flat[rng.integers(level.size, size=3)] = rng.integers(len(task.game.tiles), size=3)
    both = np.concatenate([levels, spoiled])
    found, columns = survey(task.game, both)
    assert task.game.measure(both)[:, :-1].tolist() == columns
    passed = [task.game.judge.passes(level, each) for level, each in zip(both, found, strict=True)]
    assert (task.game.measure(both)[:, -1] == 0).tolist() == passed
    assert sum(passed[:30]) >= 25 and sum(passed[30:]) < 20


def test_a_walk_comes_to_its_points_in_their_order():
    """By hand: from A to B and back past A to C; the floor under `closed` is in the way of the second."""
    tiles = [
        {"name": name, "glyph": glyph, "colour": "#123456", "solid": name == "wall"}
        for name, glyph in (("wall", "#"), ("floor", "."), ("a", "A"), ("b", "B"), ("c", "C"), ("mud", "m"))
    ]
    for tile in tiles[2:5]:
        tile |= {"min": 1}
    paths = [
        {"name": "whole", "from": "a", "through": ["b"], "to": "c"},
        {"name": "dry", "from": "a", "to": "c", "closed": ["mud"]},
    ]
    rules = GameRules.model_validate(
        {
            "size": [6, 3],
            "tiles": tiles,
            "paths": paths,
            "targets": [{"statistic": "whole", "low": 1, "high": 9}],
        }
    )
    game = CustomGame(check_rules(rules))
    glyphs = {tile.glyph: number for number, tile in enumerate(game.tiles)}
    level = np.array([[glyphs[g] for g in row] for row in ("B.A.mC", "###.#.", "###...")], np.uint8)
    assert game.measure(level[None])[0, -3:-1].tolist() == [2 + 5, 7]
    assert game.judge.survey(level)["whole"] == 7 and game.judge.survey(level)["dry"] == 7


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('glyph = "T"', 'glyph = "O"', '35: tiles[4].glyph: the glyph "O" already stands for "well"'),
        (
            'colour = "#8a5a3b"',
            'color = "#8a5a3b"',
            '36: tiles[4].color: is not a known key. Did you mean "co',
        ),
        (
            'from = "gardener"',
            'form = "gardener"',
            '54: paths[0].form: is not a known key. Did you mean "from"',
        ),
        ('to = "tree"', 'to = "treex"', '56: paths[0].to: no tile is called "treex". Did you mean "tree"'),
        ('to = "tree"', 'to = "hedge"', "56: paths[0].to: a walk cannot come to"),
        ('to = "tree"', 'to = "gardener"', "paths[0]: the walk"),
        ("min = 12  ", "min = 1200", "57: paths[0].min: no walk on 12x8 has more than 190 steps"),
        ("min = 12", 'min = 12\nclosed = ["well"]', '58: paths[0].closed: "well" is closed to the walk'),
        ("low = 14", "low = 4", 'targets[0]: 4 to 26 of "walk" leave its rule: '),
        ("low = 14", "low = 30", "targets[0].low: low 30 is more than high 26"),
        ('statistic = "bees"', 'statistic = "bee"', 'is called "bee". Did you mean "bees"'),
        ("min = 2", "min = 9", "44: tiles[5].min: bees: min 9 is more than max 6"),
        ("min = 2\nmax = 6", "min = 94", "97 things must stand on them at least"),
        ("solid = true", "solid = false", "the first tile is what walls are made of"),
        ('name = "bees"', 'name = "rules"', 'tiles[5].name: "rules" is the name of a term'),
        ('name = "bees"', 'name = "tree"', 'tiles[5].name: two parts of the game are called "tree"'),
        ('glyph = "b"', 'glyph = "?"', "stands for any tile in a partial map"),
        ('size = "12x8"', 'size = "90x8"', "size: width and height go from 3 to 64"),
        ('title = "The garden"', 'title = "The garden', "4: not valid TOML"),
        ("[[regions]] ", "[[region]]", 'region: is not a known key. Did you mean "regions"'),
    ],
)
def test_a_mistake_is_named_with_file_key_and_line(tmp_path, monkeypatch, old, new, said):
    monkeypatch.chdir(tmp_path)
    text = GAMES["garden"].read_text()
    if new.endswith("min = 1200"):
        old = "min = 12\n"
        new = "min = 1200\n"
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as error:
        resolve("level/custom", changes=Changes(settings=("env.game=mine.toml",)))
    assert str(error.value).startswith("mine.toml") and said in str(error.value)


def test_files_that_are_not_there_and_names_of_no_game():
    for given, said in (("gardn", 'Did you mean "garden"'), ("none.toml", "none.toml")):
        with pytest.raises(InputError, match=said):
            resolve("level/custom", changes=Changes(settings=(f"env.game={given}",)))


def test_a_recipe_holds_the_whole_game(tmp_path):
    task, recipe = resolve("level/custom", changes=Changes(settings=("env.game=island",)))
    assert task.game.name == "custom" and task.statistics == ("search", "dig", "crab")
    (tmp_path / "recipe.toml").write_text(dump(recipe))
    again = bound(get_task("level/custom"), load(tmp_path / "recipe.toml"))
    assert again.rules == rules_of("island") == task.rules
    inline, _ = resolve(tmp_path / "recipe.toml")
    assert inline.rules == task.rules
    # Without a game the first that comes with the package is put in.
    _, plain = resolve("level/custom")
    assert plain.env["game"]["title"] == rules_of("garden").title


def test_a_mistake_in_a_recipe_names_its_line(tmp_path):
    _, recipe = resolve("level/custom")
    text = dump(recipe).replace('to = "tree"', 'to = "three"')
    (tmp_path / "recipe.toml").write_text(text)
    line = text[: text.index('to = "three"')].count("\n") + 1
    with pytest.raises(InputError, match=rf"recipe.toml:{line}: env.game.paths\[0\].to: .*tree"):
        resolve(tmp_path / "recipe.toml")


def test_runs_and_exported_policies_need_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(GAMES["island"].read_text().replace('glyph = "Y"', 'glyph = "P"'))
    changes = Changes(settings=("env.game=mine.toml", *SMALL), budget="1")
    task, recipe = resolve("level/custom", changes=changes)
    run = Run(trainer(task, recipe, tmp_path / "run").run().path)
    (tmp_path / "mine.toml").unlink()
    run.export(tmp_path / "mine.plaudit")
    for source in (tmp_path / "run", tmp_path / "mine.plaudit"):
        made = plaudit.load(source).sample(2, size=(10, 6))
        assert made[0].content.shape == (6, 10)
        made.save(tmp_path / "out", "txt")
        assert "P" in (tmp_path / "out" / "0001.txt").read_text()
    again = plaudit.load(tmp_path / "run").task.load(tmp_path / "out" / "0001.txt")
    assert (again.content == made[0].content).all()


def test_the_preset_that_is_missing_is_explained():
    with pytest.raises(InputError, match=r"--set env.game=FILE"):
        plaudit.load("level/custom")


def test_locks_are_kept_and_broken_levels_mended():
    task = Custom(rules_of("island"))
    requests = task.requests(1, 3, task.Request())
    (good,) = task.baselines()["heuristic"](requests, [4])
    assert task.judge([good])["quality"][0] == 1
    broken = good.content.copy()
    broken[broken == task.rules.number("map")] = 1
    locked = tuple("@" + "?" * 13 if y == 0 else "?" * 14 for y in range(9))
    request = task.Request(target=dict(requests[0].target))
    mended = task.repair(Item(broken, request, 0))
    assert task.judge([mended])["quality"][0] == 1 and len(mended.info["repair"]) <= 3
    policy = task.build(task.recipes()["expert"], {}).policy()
    (kept,) = task.generate(policy, task.requests(1, 3, task.Request(locked=locked)), [7])
    assert kept.content[0, 0] == task.rules.number("pirate")


def test_sizes_without_room_are_refused():
    task = Custom(rules_of("garden"))
    with pytest.raises(Infeasible, match="walk"):
        task.check_request(task.Request(size=(3, 3), target={"walk": 20, "bees": 2}))
    crowded = GAMES["garden"].read_text().replace("min = 2\nmax = 6", "min = 12")
    crowded = crowded.replace("low = 2\nhigh = 6", "low = 12\nhigh = 16")
    full = Custom(check_rules(GameRules.model_validate(tomllib.loads(crowded))))
    with pytest.raises(Infeasible, match="holds 15 things at least, and 3x3 has 9 cells"):
        full.check_request(full.Request(size=(3, 3)))
    big = task.requests(2, 0, task.Request(size=(24, 16)))
    assert all(14 <= request.target["walk"] <= 26 for request in big)


def test_tiles_are_drawn_in_their_colours():
    task = Custom(rules_of("garden"))
    level = np.ones((5, 6), np.uint8)
    level[2, 3] = task.rules.number("bees")
    image = np.asarray(task.preview(Item(level, task.Request(size=(6, 5)), 0)))
    assert image.shape == (7 * 16, 8 * 16, 3)
    assert (image[3 * 16 + 3, 4 * 16 + 8] == (0xE8, 0xC2, 0x3A)).all()
    assert (image[8, 8] == (0x2F, 0x6B, 0x4A)).all()


def test_a_few_seconds_of_training_make_it_better(monkeypatch):
    """The policy alone, without climbing: more of its levels are good and as asked than before."""
    monkeypatch.setattr(CustomGame, "polish", 0)
    monkeypatch.setattr(CustomGame, "proposals", 2)
    request = {"size": [7, 5], "target": {"walk": 13, "bees": 3}, "tolerance": {"walk": 2}}
    search = ("learner.looks=16", "learner.exhaustive=6", "learner.beam={problems=16,width=4}")
    small = ("env.game=garden", "env.pool=64", "network.layers=4", "network.channels=16", *search)
    task, recipe = resolve(
        "level/custom", changes=Changes(settings=small, seed=3, values={"request": request})
    )
    learner = task.build(recipe, {})
    requests = task.requests(40, 9, task.Request(**request))

    def good():
        figures = task.judge(list(task.generate(learner.policy(), requests, list(range(40)))))
        return float(np.mean(figures["quality"] * figures["control"]))

    before = good()
    for _ in range(16):
        learner.step()
    assert good() >= before + 0.2
