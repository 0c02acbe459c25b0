"""From what the user gives to one checked recipe: order of layers, places of mistakes, round trip."""

import pytest

from plaudit.errors import Infeasible, InputError
from plaudit.runs import recipes, toml
from plaudit.runs.recipe import Recipe, RewardEntry
from plaudit.runs.recipes import Changes, dump, load, merge, resolve
from plaudit.runs.toml import line_of

DOTS = "dots:Dots"


def file(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


def told(call):
    with pytest.raises(InputError) as caught:
        call()
    return str(caught.value)


def test_later_layers_win(tmp_path):
    path = file(tmp_path, f'task = "{DOTS}"\nbudget = 10\nseed = 1\nthreads = 2\n[request]\nsize = 9\n')
    changes = Changes(settings=("seed=2", "budget=20"), budget="30", target={"filled": 3})
    task, recipe = resolve(path, "other", changes)
    assert (recipe.name, recipe.algorithm) == ("other", "count")  # the task's named recipe
    assert recipe.threads == 2  # the file over it
    assert recipe.seed == 2  # --set over the file
    assert recipe.budget == "30"  # the option over --set
    assert recipe.request == {"size": 9, "target": {"filled": 3}}
    assert recipe.task == DOTS and task.name == "toy/dots"


def test_the_first_recipe_is_the_default():
    assert resolve(DOTS)[1].name == "plain"
    assert resolve("level/maze")[1].name == "ppo"


def test_another_algorithm_starts_from_its_own_recipe(tmp_path):
    path = file(tmp_path, 'task = "level/maze"\nalgorithm = "dqn"\n')
    recipe = resolve(path)[1]
    assert (recipe.name, recipe.algorithm) == ("dqn", "dqn")


def test_settings_of_one_algorithm_are_not_given_to_another(tmp_path):
    recipe = resolve(file(tmp_path, 'task = "level/maze"\nalgorithm = "tabular-q"\n'))[1]
    assert recipe.learner == {} and recipe.network == {} and recipe.reward


def test_reward_options_replace_or_add_weights():
    changes = Changes(reward={"runs": 2.0, "filled": 0.0})
    assert [(e.term, e.weight) for e in resolve(DOTS, changes=changes)[1].reward] == [
        ("filled", 0.0),
        ("runs", 2.0),
    ]
    recipe = resolve("level/maze", changes=Changes(reward={"novelty": 0.5}))[1]
    assert recipe.reward[-1] == RewardEntry(term="novelty", weight=0.5)
    assert len(recipe.reward) == len(resolve("level/maze")[1].reward) + 1


def test_set_reaches_entries_of_the_reward_by_term():
    settings = ("reward.runs.weight=3", "reward.filled=4", "reward.runs.ramp=[0.0, 0.5]")
    filled, runs = resolve(DOTS, changes=Changes(settings=settings))[1].reward
    assert (filled.weight, runs.weight, runs.ramp) == (4.0, 3.0, (0.0, 0.5))


def test_values_of_python_are_merged_like_a_file():
    recipe = resolve("level/maze", changes=Changes(values={"env": {"copies": 7}}))[1]
    assert recipe.env["copies"] == 7 and recipe.env["representation"] == "wide"


def test_merge_goes_key_by_key_and_leaves_its_arguments_alone():
    low, high = {"a": {"x": 1}, "l": [1, 2]}, {"a": {"y": 2}, "l": [3]}
    merged = merge(low, high)
    assert merged == {"a": {"x": 1, "y": 2}, "l": [3]}
    merged["a"]["x"] = 9
    assert low["a"]["x"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed = 1\n", 'a recipe needs a task. Add a line such as task = "level/maze".'),
        (
            'task = "level/mase"\n',
            'recipe.toml:1: task: no task is called "level/mase". Did you mean "level/maze"?',
        ),
        ("task = 3\n", "recipe.toml:1: task: must be the name of a task, got 3"),
        (f'task = "{DOTS}"\nsede = 1\n', 'recipe.toml:2: sede: is not a known key. Did you mean "seed"?'),
        (f'task = "{DOTS}"\n\nseed = "x"\n', "recipe.toml:3: seed: Input should be a valid integer"),
        (f'task = "{DOTS}"\nseed = -1\n', "recipe.toml:2: seed"),
        (f'task = "{DOTS}"\nbudget = "1x"\n', 'recipe.toml:2: budget: "1x" is not a length of training'),
        (f'task = "{DOTS}"\nbudget = true\n', "recipe.toml:2: budget"),
        (f'task = "{DOTS}"\nname = "x" "y"\n', "recipe.toml:2: not valid TOML"),
        (
            f'task = "{DOTS}"\n[[reward]]\nterm = "runs"\n[[reward]]\nterm = "run"\n',
            "recipe.toml:5: reward[1].term",
        ),
        (f'task = "{DOTS}"\n[[reward]]\nterm = "run"\n', 'no term "run". Did you mean "runs"?'),
        (f'task = "{DOTS}"\n[[reward]]\nterm = "first"\n', "reported only and never optimised"),
        (f'task = "{DOTS}"\n[[reward]]\nterm = "runs"\nwieght = 1\n', "recipe.toml:4: reward[0].wieght"),
        (f'task = "{DOTS}"\n[[reward]]\nterm = "runs"\nwieght = 1\n', 'Did you mean "weight"?'),
        (f'task = "{DOTS}"\n[[reward]]\nterm = "runs"\nweight = inf\n', "recipe.toml:4: reward[0].weight"),
        (
            f'task = "{DOTS}"\n[[reward]]\nterm = "runs"\nramp = [0.5, 0.2]\n',
            "ramp must be two rising shares",
        ),
        (f'task = "{DOTS}"\n[[reward]]\nterm = "runs"\nweight = 0\n', "every reward weight is 0"),
        (f'task = "{DOTS}"\n[request]\nsise = 1\n', "recipe.toml:3: request.sise: is not a known key"),
        (f'task = "{DOTS}"\n[request.target]\nfiled = 1\n', 'no statistic "filed". Did you mean "filled"?'),
        (f'task = "{DOTS}"\nalgorithm = "pppo"\n', 'no algorithm is called "pppo". Did you mean "ppo"?'),
        (f'task = "{DOTS}"\nreward = 3\n', "recipe.toml:2: reward"),
        (f'task = "{DOTS}"\nrequest = "big"\n', "recipe.toml:2: request"),
        ('task = "level/maze"\n[learner]\ngama = 0.9\n', "recipe.toml:3: learner.gama: is not a known key"),
        (
            'task = "level/maze"\n[learner]\ngamma = "x"\n',
            "recipe.toml:3: learner.gamma: Input should be a valid number",
        ),
        (
            'task = "level/maze"\n[network]\nkind = "cnv"\n',
            'no network is called "cnv". Did you mean "conv"?',
        ),
        ('task = "level/maze"\n[network]\nlairs = 3\n', 'Did you mean "layers"?'),
        ('task = "level/maze"\n[env]\nrepresentation = "wid"\n', "recipe.toml:3: env.representation"),
        (
            'task = "level/maze"\n[inputs]\ninit = "no/where"\n',
            'recipe.toml:3: inputs.init: "no/where" is no file',
        ),
        ('task = "os:system"\n', '"os:system" is not the class of a task'),
        ('task = "no_such_module:Task"\n', "cannot be imported (ModuleNotFoundError"),
    ],
)
def test_each_mistake_is_one_error_with_its_place(tmp_path, text, said):
    message = told(lambda: resolve(file(tmp_path, text)))
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (Changes(settings=("seed",)), "--set seed: is not of the form key=value"),
        (Changes(settings=("sede=1",)), '--set sede=1: is not a known key. Did you mean "seed"?'),
        (Changes(settings=("seed.x=1",)), '--set seed.x=1: "seed" holds a single value'),
        (Changes(settings=("reward.run=1",)), 'no term "run"'),
        (Changes(settings=("reward=3",)), "--set reward=3"),
        (Changes(settings=("seed=1\nbudget=2",)), "--set seed=1"),
        (Changes(reward={"run": 1.0}), '--reward run: toy/dots has no term "run"'),
        (Changes(budget="soon"), '--budget: "soon" is not a length of training'),
        (Changes(seed=-1), "--seed: Input should be greater than or equal to 0; got -1"),
        (Changes(device="gpu"), "--device: Input should be 'auto', 'cpu' or 'cuda'; got 'gpu'"),
        (Changes(init="nothing"), '--init: "nothing" is no file'),
        (Changes(target={"filed": 1.0}), '--target: toy/dots has no statistic "filed"'),
    ],
)
def test_mistakes_in_options_name_the_option(changes, said):
    assert said in told(lambda: resolve(DOTS, changes=changes))


def test_an_unknown_recipe_name_is_told_apart():
    assert told(lambda: resolve(DOTS, "othr")).endswith('no recipe called "othr". Did you mean "other"?')


def test_an_unreachable_target_is_infeasible(tmp_path):
    with pytest.raises(Infeasible, match="nearest is 8"):
        resolve(DOTS, changes=Changes(target={"filled": 9.0}))


STAGES = f"""task = "{DOTS}"
algorithm = "count"
seed = 3
[request]
size = 5
[[stages]]
name = "prior"
[[stages]]
name = "tune"
request.size = 6
[[stages.reward]]
term = "runs"
"""


def test_stages_take_what_the_recipe_says_unless_they_say_otherwise(tmp_path):
    changes = Changes(reward={"filled": 2.0}, seed=7, budget="30")
    prior, tune = resolve(file(tmp_path, STAGES), changes=changes)[1].stages
    assert (prior.task, prior.algorithm, prior.seed, prior.request["size"]) == (DOTS, "count", 7, 5)
    assert (tune.seed, tune.request["size"], tune.budget) == (7, 6, "30")
    assert ([e.term for e in prior.reward], [e.term for e in tune.reward]) == ([], ["runs", "filled"])
    assert prior.budget == "60s"


def test_mistakes_in_stages_are_told_at_their_place(tmp_path):
    message = told(lambda: resolve(file(tmp_path, STAGES.replace('"runs"', '"run"'))))
    assert "stages[1].reward[0].term" in message and 'Did you mean "runs"?' in message
    assert "stages[1].request.size" in told(lambda: resolve(file(tmp_path, STAGES.replace("= 6", '= "x"'))))


def full_recipe():
    entry = RewardEntry(
        term="runs", weight=-0.25, target=3.0, tolerance=0.5, ramp=(0.0, 0.25), normalise=True
    )
    part = Recipe(task=DOTS, name="prior", budget="1.5m", inputs={"init": 'a/ü "quoted" \\ path\x7f'})
    return Recipe(
        task=DOTS,
        summary='two\nlines, a tab\t and "quotes"',
        seed=2**31 - 1,
        reward=(entry, RewardEntry(term="filled", product=True)),
        request={"size": 4, "target": {"filled": 2.5}, "odd key!": [1, 2, [3]], "empty": ""},
        learner={"rate": 1e-05, "big": 1e300, "flag": False, "names": ["a", "b"]},
        stages=(part, part.model_copy(update={"name": "tune", "reward": (entry,)})),
    )


def test_a_recipe_survives_its_own_file(tmp_path):
    for recipe in (full_recipe(), resolve(DOTS)[1], resolve("level/maze")[1], resolve("level/path")[1]):
        text = dump(recipe)
        assert load(file(tmp_path, text)) == recipe.model_copy(
            update={"request": load(tmp_path / "recipe.toml").request}
        )
        assert dump(load(tmp_path / "recipe.toml")) == text
    assert load(file(tmp_path, dump(full_recipe()))).request["odd key!"] == [1, 2, [3]]


def test_a_resolved_recipe_resolves_to_itself(tmp_path):
    for source, changes in (
        (DOTS, Changes(seed=4)),
        ("level/maze", Changes(reward={"novelty": 1.0}, seed=9)),
    ):
        recipe = resolve(source, changes=changes)[1]
        assert resolve(file(tmp_path, dump(recipe)))[1] == recipe


def test_lines_of_keys_are_found():
    text = "a = 1\n[t]\nx.y = 2\n[[r]]\nk = 1\n[[r]]\n# k = 2\nk = 3\n[r.s]\nz = 1\n"
    assert [line_of(text, w) for w in (("a",), ("t", "x", "y"), ("r", 0, "k"), ("r", 1, "k"))] == [1, 3, 5, 8]
    assert line_of(text, ("t", "missing")) == 2
    assert line_of(text, ("nowhere",)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nb = \n", "f.toml:2"),
        ("a = 0x" + "f" * 40, "more than 64 bits"),
        ("a = " + "[" * 60 + "]" * 60, "nested more than 32 deep"),
        ("a = " + "[" * 9000, "not valid TOML"),
        ("a = 99-99-99", "f.toml:1"),
    ],
)
def test_toml_that_is_none_or_too_much(text, said):
    assert said in told(lambda: toml.parse(text, "f.toml"))


def test_recipe_files_have_a_largest_size(tmp_path):
    path = file(tmp_path, "#" * (2**20 + 1))
    assert "more than the limit" in told(lambda: load(path))
    assert "missing" in told(lambda: load(tmp_path / "none.toml"))
    (tmp_path / "bin.toml").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in told(lambda: load(tmp_path / "bin.toml"))


def test_a_users_own_term_is_loaded_when_the_recipe_is_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def few(items, context):\n    return [1.0] * len(items)\n")
    recipe = resolve(DOTS, changes=Changes(reward={"mine.py:few": 0.5}))[1]
    assert recipe.reward[-1].term == "mine.py:few"
    assert 'no function "fwe". Did you mean "few"?' in told(
        lambda: resolve(DOTS, changes=Changes(reward={"mine.py:fwe": 0.5}))
    )
    assert "no such file" in told(lambda: resolve(DOTS, changes=Changes(reward={"your.py:few": 0.5})))


def test_task_of_names_files():
    assert recipes.is_file("a.toml") and not recipes.is_file("level/maze")
