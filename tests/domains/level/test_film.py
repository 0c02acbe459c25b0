"""Levels in the making: reels lead from the start to the item, films show them, items stay as they are."""

import io
from copy import copy

import numpy as np
import pytest
from PIL import Image

from plaudit.domains import get_task
from plaudit.domains.level.climb import climb
from plaudit.domains.level.film import FRAMES, LAST_MS, Reel, draw_reel
from plaudit.domains.level.generation import film_levels, generate_levels
from plaudit.domains.level.request import tolerances
from plaudit.domains.level.starts import beginnings, start_of
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.media.film import Film
from plaudit.runs import presets
from plaudit.runs.api import Samples, load
from plaudit.task import Item


def made(name, count, seed=5):
    task = get_task(f"level/{name}")
    policy = presets.load_policy(task.name)[0]
    requests = task.requests(count, seed, task.Request())
    return task, policy, list(task.generate(policy, requests, range(seed, seed + count)))


def check_reels(game, policy, items):
    reels = {}
    asked = ([item.request for item in items], [item.seed for item in items])
    again = list(generate_levels(game, policy, *asked, reels))
    for at, (item, once_more) in enumerate(zip(items, again, strict=True)):
        assert (item.content == once_more.content).all() and item.info == once_more.info
        assert (reels[at].start == start_of(game, item)).all()
        assert (reels[at].last() == item.content).all()
    return reels


def test_reels_lead_from_the_start_to_the_item_and_change_nothing():
    task, policy, items = made("zelda", 6)
    reels = check_reels(task.game, policy, items)
    assert all(
        len(reel.steps) >= item.info["edits"] for reel, item in zip(reels.values(), items, strict=True)
    )


def test_climbing_and_fresh_starts_are_on_the_reels_too():
    task, policy, _ = made("sokoban", 1)
    game = copy(task.game)
    game.plan = lambda numbers, size, goals: None  # or hardly anything would be left to do
    game.polish = 40  # so little, after one step, that much is left to fresh starts
    requests = task.requests(12, 5, task.Request(steps=1))
    items = list(generate_levels(game, policy, requests, range(12)))
    reels = check_reels(game, policy, items)
    assert sum(item.info["polished"] > 0 for item in items) > 2
    assert any(len(step) > 1 for reel in reels.values() for step in reel.steps)  # from one start to another


def test_attempts_that_begin_anew_are_on_the_reels_too():
    task, policy, _ = made("dungeon", 1)
    game = copy(task.game)
    game.patience, game.polish, game.retries = 0.03, 1, 3  # so few steps that most begin again
    requests = task.requests(6, 5, task.Request(density=0.1))
    items = list(generate_levels(game, policy, requests, range(6)))
    reels = check_reels(game, policy, items)
    assert any(len(step) > 1 for reel in reels.values() for step in reel.steps)  # from one start to another


def test_films_of_planned_levels_begin_with_the_plan():
    task, policy, items = made("sokoban", 4)
    reels = {}
    asked = ([item.request for item in items], [item.seed for item in items])
    list(generate_levels(task.game, policy, *asked, reels))
    assert all((reels[at].last() == item.content).all() for at, item in enumerate(items))
    assert any((reels[at].start != start_of(task.game, item)).any() for at, item in enumerate(items))


def test_climbing_notes_the_edits_that_it_keeps():
    task = get_task("level/zelda")
    requests = task.requests(8, 2, task.Request())
    start = beginnings(task.game, requests, np.arange(8))
    reels = [Reel(level.copy()) for level in start.maps]
    climb(task.game, start, tolerances(task.game, requests[0]), 400, threads=2, reels=reels)
    assert all(reel.steps for reel in reels)
    assert all((reel.last() == level).all() for reel, level in zip(reels, start.maps, strict=True))


class Any_:
    """A narrow or turtle policy that takes any allowed action."""

    def __init__(self, env):
        self.shape, self.actions = tuple(env.observation_space.shape), env.action_space.n

    def describe(self):
        return {"action_space": {"n": self.actions}, "observation_space": {"shape": list(self.shape)}}

    def act(self, obs, state, mask=None, random=None):
        import torch

        random = random or RowRandom(np.arange(len(obs)))
        score = torch.from_numpy(random.uniform(self.actions))
        score = score if mask is None else score.masked_fill(~mask, -1.0)
        return score.argmax(1), None, None


@pytest.mark.parametrize("representation", ["narrow", "turtle", "patch"])
def test_policies_that_go_step_by_step_are_filmed_too(representation):
    task = get_task("level/zelda")
    recipe = task.recipes()["ppo"]
    recipe = recipe.model_copy(update={"env": {"representation": representation, "copies": 4, "pool": 16}})
    policy = Any_(task.environment(4, recipe))
    requests = task.requests(5, 1, task.Request(steps=40))
    items = list(task.generate(policy, requests, range(5)))
    films = film_levels(task.game, policy, items)
    assert max(len(film.frames) for film in films) > 4
    for item, film in zip(items, films, strict=True):
        assert film.frames[-1].tobytes() == task.preview(item).tobytes()


def test_a_film_begins_with_the_start_and_holds_the_level():
    task = get_task("level/maze")
    rng, level = np.random.default_rng(0), np.zeros((6, 7), np.uint8)
    reel = Reel(level.copy())
    for _ in range(3 * FRAMES):
        before = level.copy()
        level.flat[rng.integers(level.size)] ^= 1
        reel.note(before, level)
    film = draw_reel(task.game, reel)
    assert len(film.frames) == FRAMES + 2
    request = task.Request(size=(7, 6))
    assert film.frames[0].tobytes() == task.preview(Item(reel.start, request, 0)).tobytes()
    assert film.frames[-1].tobytes() == task.preview(Item(level, request, 0)).tobytes()
    for format, kind in (("gif", "GIF"), ("apng", "PNG")):
        with Image.open(io.BytesIO(film.encoded(format))) as shown:
            assert shown.format == kind and shown.is_animated and shown.n_frames > FRAMES
            shown.seek(shown.n_frames - 1)
            assert shown.info["duration"] == LAST_MS


def test_what_comes_after_the_kept_map_is_cut():
    reel = Reel(np.zeros((2, 2), np.uint8), [((0, 1),), ((1, 1),)])
    reel.keep()
    reel.steps.append(((2, 1),))
    reel.cut()
    assert reel.last().tolist() == [[1, 1], [0, 0]]


def test_an_item_that_another_hand_made_is_not_filmed():
    task, policy, items = made("zelda", 1)
    items[0].content[0, 0] ^= 1
    with pytest.raises(InputError, match="seed 5"):
        film_levels(task.game, policy, items)


def test_films_lie_beside_the_samples_and_go_with_them(tmp_path):
    samples = load("level/zelda").sample(2, seed=1)
    samples.save(tmp_path, animate="apng")
    assert sorted(p.name for p in tmp_path.glob("*.film.*")) == ["0001.film.png", "0002.film.png"]
    samples.save(tmp_path, animate="gif")
    assert sorted(p.name for p in tmp_path.glob("*.film.*")) == ["0001.film.gif", "0002.film.gif"]
    samples.save(tmp_path)
    assert not list(tmp_path.glob("*.film.*"))


def test_an_unknown_format_and_a_task_without_films_are_refused():
    with pytest.raises(InputError, match="webm"):
        Film([Image.new("RGB", (2, 2))], [10]).encoded("webm")
    with pytest.raises(InputError, match="in the making"):
        Samples(get_task("level/path"), None, {}).films()
