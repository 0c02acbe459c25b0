"""The evaluation: baselines on equal requests, best-of-n at equal compute, intervals, failures."""

import json

import numpy as np
import pytest
from dots import Dots, DotsPolicy

from plaudit.cli.finish import sets_table
from plaudit.runs import evaluation
from plaudit.runs.sampling import Order, draw

TASK, POLICY = Dots(), DotsPolicy()
RECIPE = TASK.recipes()["plain"]


@pytest.fixture(scope="module")
def judged():
    return evaluation.evaluate(TASK, POLICY, RECIPE, Order(n=120, seed=5))


def test_figures_are_those_of_the_judge(judged):
    figures, _ = judged
    batch = draw(TASK, POLICY, RECIPE, Order(n=120, seed=5))
    # Diversity is judged within a hundred: the last 20 items are judged by themselves.
    hundreds = [TASK.judge(batch.items[:100]), TASK.judge(batch.items[100:])]
    for name in ("quality", "control", "diversity", "filled"):
        mean, low, high = figures["policy"][name]
        assert mean == pytest.approx(np.concatenate([h[name] for h in hundreds]).mean())
        assert low <= mean <= high
    assert figures["policy"]["control"][1] < figures["policy"]["control"][2]
    assert (figures["n"], figures["seed"], figures["task"]) == (120, 5, "toy/dots")


def test_baselines_stand_beside_the_policy(judged):
    figures, _ = judged
    assert set(figures["baselines"]) == {"random", "heuristic", "best_of_n"}
    assert figures["baselines"]["heuristic"]["control"] == [1.0, 1.0, 1.0]
    assert figures["baselines"]["random"]["control"][0] < 0.5
    assert figures["policy"]["evaluations_per_item"] == 1
    assert figures["baselines"]["random"]["evaluations_per_item"] is None
    assert set(figures["terms"]) == {"filled", "runs", "first"}
    assert figures["terms"]["filled"]["random"] == pytest.approx(4, abs=0.6)


def test_figures_of_a_set_are_taken_for_every_generator():
    class Counted(Dots):
        def set_figures(self, items):
            return {"n": float(len(items)), "unknown": None, "endless": float("inf")}

    figures, _ = evaluation.evaluate(Counted(), POLICY, RECIPE, Order(n=12, seed=5))
    assert figures["sets"]["heuristic"] == {"n": 12.0, "unknown": None, "endless": None}
    table = sets_table(figures)
    assert "of all items" in table and "12" in table
    assert sets_table({**figures, "sets": {}}) == ""


def test_best_of_n_spends_what_the_policy_spends(monkeypatch):
    """With a clock that only the generators move: a policy item costs 10, a random item 1, scoring 0."""
    now = [0.0]
    monkeypatch.setattr(evaluation.time, "perf_counter", lambda: now[0])

    class Slow(Dots):
        def generate(self, policy, requests, seeds):
            for item in super().generate(policy, requests, seeds):
                now[0] += 10
                yield item

        def baselines(self):
            def random(requests, seeds):
                for item in Dots.baselines(self)["random"](requests, seeds):
                    now[0] += 1
                    yield item

            return {"random": random, "heuristic": Dots.baselines(self)["heuristic"]}

    figures, _ = evaluation.evaluate(Slow(), POLICY, RECIPE, Order(n=30))
    assert figures["best_of_n_draws"] == 10
    assert (
        figures["baselines"]["best_of_n"]["seconds_per_item"] == figures["policy"]["seconds_per_item"] == 10
    )
    assert figures["terms"]["filled"]["best_of_n"] > figures["terms"]["filled"]["random"] + 0.5


def test_without_a_reward_there_is_no_best_of_n():
    bare = RECIPE.model_copy(update={"reward": ()})
    figures, _ = evaluation.evaluate(TASK, POLICY, bare, Order(n=5))
    assert "best_of_n" not in figures["baselines"]


def test_failures_are_pictured_with_their_reason(judged, tmp_path):
    figures, failed = judged
    path = evaluation.write(TASK, figures, failed, tmp_path)
    assert json.loads(path.read_text()) == figures
    missed = round(120 * (1 - figures["policy"]["control"][0]))
    assert len(figures["failures"]) == min(12, missed) and missed > 0
    for entry, item in zip(figures["failures"], failed, strict=True):
        assert (tmp_path / entry["file"]).is_file()
        asked, came = item.request.target["filled"], item.content.sum()
        assert f"filled {came:g}" in entry["reason"]
        assert asked != came or came == 0
    kinds = {entry["reason"].split(":")[0] for entry in figures["failures"]}
    assert kinds == {"missed its target", "not good enough"}
    evaluation.write(TASK, {**figures, "failures": []}, [], tmp_path)
    assert list((tmp_path / "failures").iterdir()) == []


def test_progress_reaches_all_that_was_asked():
    seen = []
    evaluation.evaluate(TASK, POLICY, RECIPE, Order(n=7), lambda done, asked: seen.append((done, asked)))
    assert seen == [(i, 28) for i in range(1, 29)]
