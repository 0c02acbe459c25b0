"""The task as a recipe binds it, from recipe to learner to pictures."""

import numpy as np
import pytest
from PIL import Image

from plaudit.domains import get_task
from plaudit.domains.image.picture_recipes import picture_recipes
from plaudit.domains.image.picture_training import PictureConfig, make_learner, reward_of, source_of
from plaudit.domains.image.shapes import shapes
from plaudit.errors import InputError
from plaudit.runs.api import Model, load
from plaudit.runs.evaluation import evaluate
from plaudit.runs.recipes import Changes, resolve
from plaudit.runs.sampling import Order
from plaudit.runs.trainer import Trainer

SMALL = {"kind": "unet", "width": 8, "levels": (1,), "middle": 1, "condition": 8}


def stage(name, **more):
    recipe = next(one for one in picture_recipes()["flow"].stages if one.name == name)
    return recipe.model_copy(update={"env": {"pictures": "shapes"}, **more})


def test_a_recipe_binds_the_task_to_its_set():
    task = get_task("image/picture")
    assert task.facts.shape == (28, 28, 1) and len(task.facts.names) == 36
    shapes = picture_recipes()["base"].model_copy(update={"env": {"pictures": "shapes"}})
    assert task.bound(shapes).facts.shape == (32, 32, 3)
    assert {r.label for r in task.bound(shapes).requests(9, 0, task.Request())} != {"any"}


def test_a_set_for_the_whole_run_is_that_of_every_stage():
    recipe = resolve("image/picture", changes=Changes(settings=("env.pictures=shapes",)))[1]
    assert [one.env["pictures"] for one in recipe.stages] == ["shapes", "shapes"]


def test_a_policy_without_classes_is_asked_for_none():
    task = get_task("image/picture")
    recipe = picture_recipes()["base"].model_copy(update={"env": {"pictures": "shapes", "classes": False}})
    assert {r.label for r in task.bound(recipe).requests(4, 0, task.Request())} == {"any"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"algorithm": "ppo"}, "not learned by ppo"),
        ({"env": {"picture": "shapes"}}, 'no "picture"'),
        ({"env": {"pictures": "no-such-set"}}, "not there"),
        ({"env": {"side": 4}}, "side of 4"),
    ],
)
def test_a_recipe_that_cannot_be_is_one_clear_error(change, said):
    with pytest.raises(InputError, match=said):
        make_learner(stage("base", **change), {})


def test_tuning_needs_something_to_begin_from():
    with pytest.raises(InputError, match="tuned from a base"):
        make_learner(stage("tune"), {})


@pytest.fixture
def flat(tmp_path, monkeypatch):
    """A folder of pictures without classes."""
    monkeypatch.setenv("PLAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("plaudit.domains.image.judges._FEWEST_STEPS", 5)
    (tmp_path / "flat").mkdir()
    for at, image in enumerate(shapes(12, 60, 4).images):
        Image.fromarray(image).save(tmp_path / "flat" / f"{at}.png")
    return {"pictures": str(tmp_path / "flat"), "side": 12}


def test_a_folder_without_classes_is_learned_tuned_and_judged(flat):
    base = make_learner(stage("base", env=flat, network=SMALL, learner={"batch_size": 4, "updates": 1}), {})
    assert np.isfinite(base.step()["loss"]) and base.policy().describe()["shape"]["classes"] == 0
    source = reward_of(stage("tune", env=flat))
    assert source.draw(3, np.random.default_rng(0)) is None
    columns = source.score(None, source_of(stage("base", env=flat)).batch(6, np.random.default_rng(0))[0])
    assert (columns[:, 0] == 0).all() and (columns[:, 1] < 0).all()
    task = get_task("image/picture").bound(stage("base", env=flat))
    requests = task.requests(3, 0, task.Request())
    figures = task.judge(list(task.generate(base.policy(), requests, range(3))))
    assert {r.label for r in requests} == {"any"} and figures["control"].all()
    with pytest.raises(InputError, match="no classes"):
        task.check_request(task.Request(label="cat"))
    alone = stage("tune", env=flat, reward=stage("tune").reward[:1])
    with pytest.raises(InputError, match="no classes whose probability"):
        make_learner(alone, {"init": "x"})


def test_similarity_needs_an_example(tmp_path):
    rewarded = stage("tune").reward[0].model_copy(update={"term": "similarity"})
    with pytest.raises(InputError, match="needs an example"):
        make_learner(stage("tune", reward=(rewarded,)), {"init": tmp_path})


def test_sides_are_checked_where_they_are_given():
    with pytest.raises(InputError, match="side"):
        PictureConfig(side=1000)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Both stages of the default recipe, as small as can be."""
    learner = {"batch_size": 8, "updates": 1, "sampler": {"steps": 2, "guidance": 0.15}}
    tuning = {**stage("tune").learner, "requests": 2, "group": 2, "steps": 2, "sampler": {"steps": 2}}
    stages = (
        stage("base", network=SMALL, budget="32", learner=learner),
        stage("tune", network=SMALL, budget="8", learner=tuning),
    )
    whole = {"stages": stages, "env": {"pictures": "shapes"}}
    recipe = picture_recipes()["flow"].model_copy(update=whole)
    folder = tmp_path_factory.mktemp("picture") / "run"
    Trainer(recipe, folder, get_task("image/picture").bound(recipe)).run()
    return folder


def test_a_run_of_both_stages_draws_what_is_asked(run):
    items = load(run).sample(3, seed=1, label="star", target={"ink": 0.4})
    assert [item.request.label for item in items] == ["star"] * 3
    assert items[0].content.shape == (32, 32, 3) and items[0].content.dtype == np.uint8
    assert items.batch.terms[0].keys() >= {"class_probability", "fidelity", "judged"}


def test_the_best_of_some_is_worth_no_less(run):
    model = load(run)
    one, best = (model.sample(order=Order(n=4, seed=2, best_of=k)) for k in (1, 4))
    worth = [[sum(x["weighted"] for x in terms.values()) for terms in s.batch.terms] for s in (one, best)]
    assert (np.array(worth[1]) >= np.array(worth[0])).all() and worth[0] != worth[1]
    assert best.batch.rejected == 12


def test_an_evaluation_has_figures_of_the_set_for_every_generator(run):
    model: Model = load(run)
    figures, _ = evaluate(model.task, model.policy, model.recipe, Order(n=24, seed=5))
    assert figures["sets"].keys() == {"policy", "random", "heuristic", "best_of_n"}
    assert figures["sets"]["policy"]["kid"] > 0 and figures["sets"]["policy"]["fd"] is None
