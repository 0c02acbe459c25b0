"""The contract every task keeps, as checks anyone can run: `plaudit check TASK|module:Class`.

The package's own test suite runs the same checks over every task, in the way of scikit-learn's common
tests, so that a new domain only has to join the list.
"""

from __future__ import annotations

import inspect
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from plaudit.errors import PlauditError
from plaudit.runs.checking import bound
from plaudit.task import Item, Task

README_FORM = (
    "What it makes",
    "Who uses it",
    "The MDP",
    "Terms",
    "Requests",
    "Formats",
    "How to train",
    "Scores",
    "What it does not do",
)
SEEDS = (11, 12, 13, 14)


@dataclass(frozen=True)
class CheckResult:
    """Outcome of one check: `problem` is empty when it passed."""

    name: str
    problem: str = ""

    @property
    def passed(self) -> bool:
        return not self.problem


class Broken(Exception):
    """A clause of the contract that the task does not keep."""


def require(holds: object, problem: str) -> None:
    if not holds:
        raise Broken(problem)


def check_task(task: Task) -> list[CheckResult]:
    """Run every check; a check that raises is reported with the error and the rest go on."""
    return [run_check(check, task) for check in CHECKS]


def run_check(check: Callable[[Task], None], task: Task) -> CheckResult:
    """Run one check; anything that escapes it is the problem."""
    name = check.__name__.removeprefix("check_")
    try:
        check(task)
    except Broken as error:
        return CheckResult(name, str(error))
    except Exception as error:  # a task from outside may raise anything at all
        return CheckResult(name, f"{type(error).__name__}: {error}")
    return CheckResult(name)


def items_of(task: Task, baseline: str = "random", seeds: Sequence[int] = SEEDS) -> list[Item]:
    """A few items of a baseline on drawn requests."""
    requests = task.requests(len(seeds), 5, task.Request())
    return list(task.baselines()[baseline](requests, list(seeds)))


def bytes_of(task: Task, items: Sequence[Item]) -> list[bytes]:
    """Each item as the bytes of its default file: how two items are compared."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.{task.formats[0]}" for i in range(len(items))]
        for item, path in zip(items, paths, strict=True):
            task.save(item, path)
        return [path.read_bytes() for path in paths]


def check_names(task: Task) -> None:
    require(re.fullmatch(r"[a-z]+/[a-z0-9-]+", task.name), f"name {task.name!r} is not domain/task")
    require(task.summary.strip().endswith("."), "the summary is not a sentence")
    require(task.formats, "there is no file format")
    require(all("." not in suffix for suffix in task.formats), "formats are suffixes without the dot")


def check_recipes(task: Task) -> None:
    recipes = task.recipes()
    require(recipes, "there is no recipe")
    known = {term.name for term in task.terms()}
    for name, recipe in recipes.items():
        require(recipe.task == task.name, f"recipe {name} names the task {recipe.task}")
        for entry in recipe.reward:
            require(entry.term in known, f"recipe {name} uses the unknown term {entry.term}")


def check_terms_declared(task: Task) -> None:
    terms = task.terms()
    names = [term.name for term in terms]
    require(len(set(names)) == len(names), f"two terms share a name: {sorted(names)}")
    for term in terms:
        require(term.range[0] < term.range[1], f"term {term.name} has an empty range {term.range}")
        require(term.summary, f"term {term.name} has no summary")


def check_terms_score(task: Task) -> None:
    items = items_of(task)
    for term in task.terms():
        batch, context = task.batch(items)
        scores = np.asarray(term.score(batch, context), dtype=np.float64)
        require(scores.shape[:1] == (len(items),), f"term {term.name} gave the shape {scores.shape}")
        fine = np.isnan(scores) | ((scores >= term.range[0] - 1e-9) & (scores <= term.range[1] + 1e-9))
        require(fine.all(), f"term {term.name} left its range {term.range}: {scores[~fine][:3]}")


def check_twins_never_optimised(task: Task) -> None:
    twins = {term.name for term in task.terms() if term.eval_only}
    for name, recipe in task.recipes().items():
        used = twins & {entry.term for stage in (recipe, *recipe.stages) for entry in stage.reward}
        require(not used, f"recipe {name} optimises the twins {sorted(used)}")


def check_requests(task: Task) -> None:
    first, again = (task.requests(6, 3, task.Request()) for _ in range(2))
    require(first == again, "the same seed drew other requests")
    require(len(first) == 6, "asked for 6 requests, got another number")
    for request in first:
        task.check_request(request)


def check_unknown_target_is_refused(task: Task) -> None:
    try:
        task.check_request(task.Request(target={"no_such_statistic": 1.0}))
    except PlauditError as error:
        require("no_such_statistic" in str(error), "the error does not name the unknown statistic")
        return
    raise Broken("a target on an unknown statistic was accepted")


def check_baselines(task: Task) -> None:
    baselines = task.baselines()
    for name in ("random", "heuristic"):
        require(name in baselines, f'there is no baseline "{name}"')
        first, again = (bytes_of(task, items_of(task, name)) for _ in range(2))
        require(first == again, f"baseline {name} is not a function of its seeds")


def check_judge(task: Task) -> None:
    items = items_of(task)
    figures = task.judge(items)
    for key in ("quality", "control", "diversity", *task.statistics):
        require(key in figures, f'the judge does not report "{key}"')
        require(np.shape(figures[key]) == (len(items),), f"judged {key} is not one number per item")
    for key in ("quality", "control", "diversity"):
        require(np.isin(figures[key], (0.0, 1.0)).all(), f"judged {key} is not 0 or 1")


def check_files_round_trip(task: Task) -> None:
    items = items_of(task)
    wanted = bytes_of(task, items)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in task.formats:
            for item, expected in zip(items, wanted, strict=True):
                path = Path(folder) / f"item.{suffix}"
                task.save(item, path)
                got = bytes_of(task, [Item(task.load(path).content, item.request, item.seed, item.info)])
                require(got == [expected], f"an item changed in a round trip through .{suffix}")


def check_preview(task: Task) -> None:
    image = task.preview(items_of(task)[0])
    require(min(image.size) >= 32, f"the preview is only {image.size} pixels")


def check_environment(task: Task) -> None:
    if not hasattr(task, "environment"):
        return
    first, second = task.environment(4), task.environment(4)
    require(torch.equal(first.reset(3), second.reset(3)), "the same seed started other episodes")
    rng = np.random.default_rng(0)
    for _ in range(5):
        action = _some_action(first, rng)
        a, b = first.step(action), second.step(action.clone())
        require(torch.equal(a[0], b[0]), "the same actions led to other observations")
        require(torch.equal(a[1].nan_to_num(), b[1].nan_to_num()), "the same actions paid other terms")
        require(a[1].shape == (4, len(first.term_names)), f"step paid terms of shape {a[1].shape}")
    saved = {k: v.clone() if torch.is_tensor(v) else v for k, v in _copy(first.state_dict()).items()}
    action = _some_action(first, rng)
    ahead = first.step(action)[0].clone()
    second.load_state_dict(saved)
    require(torch.equal(ahead, second.step(action)[0]), "state_dict does not continue exactly")


def _copy(state: Any) -> Any:
    """Deep copy of nested state, so that an environment cannot change what was saved."""
    if isinstance(state, dict):
        return {key: _copy(value) for key, value in state.items()}
    return (
        state.clone()
        if torch.is_tensor(state)
        else np.copy(state)
        if isinstance(state, np.ndarray)
        else state
    )


def _some_action(env: Any, rng: np.random.Generator) -> torch.Tensor:
    """A random allowed action for each row."""
    mask = env.action_mask()
    if mask is None:
        env.action_space.seed(int(rng.integers(2**31)))
        return torch.as_tensor(np.stack([env.action_space.sample() for _ in range(env.num_envs)]))
    require(bool(mask.any(1).all()), "a row has no allowed action")
    noise = torch.as_tensor(rng.random(tuple(mask.shape)))
    return noise.masked_fill(~mask, -1.0).argmax(1)


def check_learner_resumes(task: Task) -> None:
    recipe = next(iter(task.recipes().values()))
    recipe = recipe.stages[0] if recipe.stages else recipe
    one, two = task.build(recipe, {}), task.build(recipe, {})
    one.share = two.share = 0.0
    one.step()
    two.load_state_dict(_copy(one.state_dict()), _copy(one.policy().tensors()))
    first, second = one.step(), two.step()
    require(repr(first) == repr(second), "a resumed learner logged other metrics")
    for name, tensor in one.policy().tensors().items():
        require(torch.equal(tensor, two.policy().tensors()[name]), f"a resumed learner differs in {name}")


def check_generation(task: Task) -> None:
    recipe = next(iter(task.recipes().values()))
    policy = task.build(recipe.stages[0] if recipe.stages else recipe, {}).policy()
    requests = task.requests(len(SEEDS), 5, task.Request())
    together = bytes_of(task, list(task.generate(policy, requests, SEEDS)))
    alone = bytes_of(task, list(task.generate(policy, requests[2:3], SEEDS[2:3])))
    require(together[2:3] == alone, "an item depends on its neighbours, not on its seed alone")


def preset_folder(task: Task) -> Path | None:
    """The task's preset, or None."""
    from plaudit.runs import presets

    try:
        return presets.find(task.name)
    except PlauditError:
        return None


def check_preset_beats_random(task: Task) -> None:
    folder = preset_folder(task)
    if folder is None:
        text = _readme(task)
        require("no preset" in text.lower(), "there is no preset and the README does not say why")
        return
    from plaudit.runs import presets

    policy, recipe = presets.load_policy(task.name)
    task = bound(task, recipe)
    seeds = [7_000_000 + i for i in range(40)]
    requests = task.requests(len(seeds), 8, task.Request())
    ours = task.judge(list(task.generate(policy, requests, seeds)))
    random = task.judge(list(task.baselines()["random"](requests, seeds)))
    score, floor = (float(np.mean(f["quality"])) for f in (ours, random))
    require(score > floor, f"the preset's quality {score:.2f} does not beat random's {floor:.2f}")


def _readme(task: Task) -> str:
    place = Path(inspect.getfile(type(task))).parent / "README.md"
    require(place.is_file(), f"{place.parent.name}/README.md is missing")
    return place.read_text(encoding="utf-8")


def check_readme_form(task: Task) -> None:
    text = _readme(task)
    missing = [head for head in README_FORM if not re.search(rf"^#+ {re.escape(head)}", text, re.M)]
    require(not missing, f"the README does not fill in: {', '.join(missing)}")
    require(task.name in text, f"the README does not speak of {task.name}")


CHECKS: tuple[Callable[[Task], None], ...] = (
    check_names,
    check_recipes,
    check_terms_declared,
    check_terms_score,
    check_twins_never_optimised,
    check_requests,
    check_unknown_target_is_refused,
    check_baselines,
    check_judge,
    check_files_round_trip,
    check_preview,
    check_environment,
    check_learner_resumes,
    check_generation,
    check_preset_beats_random,
    check_readme_form,
)


def failures(results: Sequence[CheckResult]) -> Iterator[CheckResult]:
    """The checks that did not pass."""
    return (result for result in results if not result.passed)
