"""Terms of shape against plain references on random maps, and similarity against its formula."""

import math
from collections import Counter

import numpy as np
import pytest

from plaudit.domains import get_task
from plaudit.domains.level import shape_terms
from plaudit.domains.level.metrics import neighbours, number_of_regions
from plaudit.domains.level.similarity import EPSILON, patterns, similarity
from plaudit.errors import InputError
from plaudit.reward.term import Context
from plaudit.runs.recipes import Changes, resolve
from plaudit.task import Item

GAMES = ("maze", "zelda", "sokoban", "dungeon", "cave", "platformer", "custom")


def maps(count, seed=0, shape=(7, 9)):
    rng = np.random.default_rng(seed)
    return rng.random((count, *shape)) < rng.uniform(0.3, 0.9, (count, 1, 1))


def plain_chokes(free):
    """Open cells without which there are more regions than with them."""
    regions, found = number_of_regions(free), 0
    for cell in map(tuple, np.argwhere(free).tolist()):
        without = free.copy()
        without[cell] = False
        alone = not neighbours(free, cell)
        found += number_of_regions(without) > regions - alone
    return found / max(1, free.sum())


def plain_dead_ends(free):
    cells = [tuple(cell) for cell in np.argwhere(free).tolist()]
    return sum(len(neighbours(free, cell)) <= 1 for cell in cells) / max(1, len(cells))


def plain_openness(free):
    cells = {tuple(cell) for cell in np.argwhere(free).tolist()}
    around = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return sum(all((y + dy, x + dx) in cells for dy, dx in around) for y, x in cells) / max(1, len(cells))


@pytest.mark.parametrize(
    ("fast", "plain"),
    [
        (shape_terms.choke_points, plain_chokes),
        (shape_terms.dead_ends, plain_dead_ends),
        (shape_terms.openness, plain_openness),
        (shape_terms.count_regions, number_of_regions),
    ],
)
def test_terms_equal_their_plain_references_on_random_maps(fast, plain):
    for free in (maps(60), maps(30, 1, (3, 3)), maps(20, 2, (12, 4)), np.zeros((1, 4, 4), bool)):
        assert fast(free).tolist() == pytest.approx([plain(one) for one in free])


@pytest.mark.slow
def test_choke_points_equal_the_plain_reference_on_thousands_of_maps():
    free = maps(4000, 3)
    assert shape_terms.choke_points(free).tolist() == pytest.approx([plain_chokes(one) for one in free])


@pytest.mark.parametrize("name", GAMES)
def test_every_game_has_the_terms_of_shape(name):
    task = get_task(f"level/{name}")
    terms = {term.name: term for term in task.terms()}
    levels = np.stack(
        [i.content for i in task.baselines()["random"](task.requests(4, 1, task.Request()), range(4))]
    )
    passable = np.array([tile.passable for tile in task.game.tiles])[levels]
    plain = {
        "choke_points": [plain_chokes(one) for one in passable],
        "dead_ends": [plain_dead_ends(one) for one in passable],
        "openness": [plain_openness(one) for one in passable],
        "density": 1.0 - passable.mean((1, 2)),
        "open_share": passable.mean((1, 2)),
        "regions": [number_of_regions(one) for one in passable],
        "symmetry": (levels == levels[:, :, ::-1]).mean((1, 2)),
    }
    for key, wanted in plain.items():
        assert terms[key].score(levels, Context()).tolist() == pytest.approx(list(wanted)), key
    assert np.isnan(terms["similarity"].score(levels, Context())).all()


def plain_divergence(levels, examples):
    """The paper's formula over dictionaries of windows, half each way, for windows of 2 and of 3."""
    halves = []
    for side in (2, 3):
        counts = []
        for group in (levels, examples):
            windows = Counter()
            for level in group:
                for y in range(len(level) - side + 1):
                    for x in range(len(level[0]) - side + 1):
                        windows[tuple(tuple(row[x : x + side]) for row in level[y : y + side])] += 1
            counts.append(windows)
        total = [sum(each.values()) for each in counts]

        def share(which, window, counts=counts, total=total):
            return (counts[which][window] + EPSILON) / ((total[which] + EPSILON) * (1 + EPSILON))

        for p, q in ((0, 1), (1, 0)):
            every = set(counts[0]) | set(counts[1])
            halves.append(0.5 * sum(share(p, w) * math.log(share(p, w) / share(q, w)) for w in every))
    return sum(halves) / 2


def test_similarity_is_the_divergence_of_tile_patterns():
    rng = np.random.default_rng(1)
    levels = rng.integers(0, 3, (5, 6, 7)).astype(np.uint8)
    examples = [rng.integers(0, 3, (5, 5)).astype(np.uint8), rng.integers(0, 2, (4, 8)).astype(np.uint8)]
    known = [patterns(examples, window, 3) for window in (2, 3)]
    plain = [-plain_divergence([level.tolist()], [e.tolist() for e in examples]) for level in levels]
    assert similarity(levels, known, 3).tolist() == pytest.approx(plain)
    same = [patterns([levels[0]], window, 3) for window in (2, 3)]
    assert similarity(levels[:1], same, 3)[0] == 0.0


def test_examples_from_a_folder_go_into_the_recipe_and_steer(tmp_path):
    task = get_task("level/maze")
    stripes = np.tile(np.array([[0], [1]], np.uint8), (4, 8))
    for number, suffix in enumerate(("csv", "png", "tmx")):
        task.save(Item(stripes, task.Request(size=(8, 8)), 0), tmp_path / f"{number}.{suffix}")
    changes = Changes(reward={"similarity": 1.0}, values={"env": {"examples": str(tmp_path)}})
    bound, recipe = resolve("level/maze", "ppo", changes)
    assert len(recipe.env["examples"]) == 3 and recipe.env["examples"][0].startswith("########\n........\n")
    terms = {term.name: term for term in bound.terms()}
    found = terms["similarity"].score(np.stack([stripes, stripes.T]), Context())
    assert found[0] == pytest.approx(0.0, abs=1e-9) and found[1] < -1
    env = bound.environment(2, recipe.model_copy(update={"request": {"size": "8x8"}}))
    env.reset(0)
    assert "similarity" in env.term_names


def test_similarity_without_levels_or_with_bad_ones_is_refused(tmp_path):
    bound, recipe = resolve("level/maze", "ppo", Changes(reward={"similarity": 1.0}))
    with pytest.raises(InputError, match="levels to be like"):
        bound.environment(2, recipe)
    for text, what in ((None, "holds 0 levels"), ("###\n#x#\n###\n", "unknown tile")):
        if text:
            (tmp_path / "a.txt").write_text(text)
        with pytest.raises(InputError, match=what):
            resolve("level/maze", "ppo", Changes(values={"env": {"examples": str(tmp_path)}}))
    with pytest.raises(InputError):
        resolve("level/maze", "ppo", Changes(values={"env": {"examples": ["###\n#x#\n###"]}}))
