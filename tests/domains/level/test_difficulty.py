"""How hard levels are for the shipped players, as terms of those who make levels."""

import numpy as np
import pytest
import torch

from plaudit.domains import get_task
from plaudit.domains.level import difficulty
from plaudit.domains.level.play.env import Eyes
from plaudit.domains.level.play.games import BY_NAME
from plaudit.domains.level.play.levels import make_levels, usual_size
from plaudit.domains.level.render import glyphs, parse_rows
from plaudit.errors import InputError
from plaudit.reward.term import Context
from plaudit.runs import presets
from plaudit.runs.recipes import Changes, resolve

SHIPPED = [name for name in BY_NAME if difficulty.preset_of(name).is_dir()]


def scored(name, maps):
    terms = {term.name: term for term in difficulty.difficulty_terms(BY_NAME[name].game)}
    context = Context()
    return np.stack([terms[key].score(maps, context) for key in ("difficulty", "effort")], axis=1)


def levels(name, count, first=4_000_000):
    return make_levels(name, usual_size(BY_NAME[name].game), range(first, first + count))


def test_every_game_that_is_played_ships_a_player():
    assert SHIPPED == list(BY_NAME)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_quick_player_values_moves_as_its_network_does(name):
    policy = presets.load_policy(f"level/player-{name}")[0]
    rules, quick = difficulty.shipped_player(name)
    boards = rules.begin(levels(name, 4))
    obs = Eyes(rules, 4).look(boards, np.ones(4))
    plain = policy.preferences(torch.from_numpy(obs)).numpy()
    ours = quick.values(obs)
    assert np.allclose(plain - plain.mean(1, keepdims=True), ours - ours.mean(1, keepdims=True), atol=1e-3)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_level_is_as_hard_whatever_stands_beside_it(name):
    maps = levels(name, 3)
    together = difficulty.measured(name, maps)
    assert np.isfinite(together).all()
    assert (together[:, 0] >= 0).all()
    assert (together[:, 0] <= 1).all()
    for row, level in enumerate(maps):
        assert (difficulty.measured(name, level[None]) == together[row]).all()
    assert (scored(name, maps) == together).all()


def test_a_level_with_enemies_on_every_way_is_harder_than_an_open_one():
    game = BY_NAME["zelda"].game
    trivial = parse_rows(
        [
            "@..........",
            ".........k.",
            "...........",
            "...........",
            "...........",
            ".........e.",
            "D........ee",
        ],
        glyphs(game),
        "easy",
    )
    guarded = parse_rows(
        [
            "@..........",
            "##########.",
            "kee........",
            ".#########e",
            "...........",
            "##########.",
            "D..........",
        ],
        glyphs(game),
        "hard",
    )
    walled = parse_rows(
        [
            "@..........",
            "##########.",
            "kee.e......",
            "###########",
            "###########",
            "###########",
            "###########",
        ],
        glyphs(game),
        "broken",
    )
    easy, hard, broken = scored("zelda", np.stack([trivial, guarded, walled]))
    assert easy[0] < hard[0]
    assert easy[1] < hard[1]
    assert tuple(broken) == (0, 0)  # no door: not hard, but broken


def test_broken_levels_are_not_played(monkeypatch):
    def refuse(*_):
        raise AssertionError("a broken level was played")

    monkeypatch.setattr(difficulty, "play_often", refuse)
    for name in SHIPPED:
        blank = np.ones((2, *reversed(usual_size(BY_NAME[name].game))), np.uint8)
        if name != "maze":
            assert (scored(name, blank) == 0).all()


def test_levels_of_many_sizes_are_scored_in_one_batch():
    zelda = [levels("zelda", 1)[0], make_levels("zelda", (9, 9), [5])[0]]
    both = scored("zelda", zelda)
    assert both.shape == (2, 2)
    assert (both[:1] == difficulty.measured("zelda", zelda[0][None])).all()


def test_the_term_pays_in_training_and_in_the_breakdown():
    changes = Changes(reward={"difficulty": 1.0}, settings=("env.copies=4", "env.pool=8"))
    task, recipe = resolve("level/zelda", "ppo", changes)
    env = task.environment(4, recipe)
    assert "difficulty" in env.term_names
    env.reset(0)
    terms = env.step(torch.zeros(4, dtype=torch.int64))[1]
    assert torch.isfinite(terms).all()
    items = list(task.baselines()["heuristic"](task.requests(4, 1, task.Request()), range(4)))
    batch, context = task.batch(items)
    from plaudit.reward.compose import Composition

    rows = Composition(recipe.reward, task.terms()).breakdown(batch, context)
    at = rows.names.index("difficulty")
    assert (rows.raw[:, at] == difficulty.measured("zelda", np.stack([i.content for i in items]))[:, 0]).all()


def test_games_without_a_player_have_no_such_term():
    assert "difficulty" not in {term.name for term in get_task("level/custom").terms()}
    with pytest.raises(InputError, match="no player of custom"):
        difficulty.shipped_player("custom")


def test_a_level_is_shown_being_played():
    task = get_task("level/zelda")
    item = next(iter(task.baselines()["heuristic"](task.requests(1, 1, task.Request()), [3])))
    film = task.replay(item)
    assert film[:6] == b"GIF89a"
    item.content[:] = 0
    assert task.replay(item) is None
