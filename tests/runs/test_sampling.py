"""The black box: seeds, requests, formats, the manifest, best-of-K."""

import json

import numpy as np
import pytest
from dots import Dots, DotsPolicy

from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Context
from plaudit.runs.sample_files import snapshot, write
from plaudit.runs.sampling import Order, draw, item_seeds, read_requests, requests_for

TASK, POLICY = Dots(), DotsPolicy()
RECIPE = TASK.recipes()["plain"]


def contents(batch):
    return [item.content.tolist() for item in batch.items]


def test_item_seeds_follow_from_the_batch_seed():
    assert item_seeds(3, 3) == [3_000_000, 3_000_001, 3_000_002]
    for seed, n in ((-1, 1), (2**31, 1), (0, 0), (0, 1_000_001)):
        with pytest.raises(InputError):
            item_seeds(seed, n)


def test_one_item_is_made_again_from_its_seed():
    batch = draw(TASK, POLICY, RECIPE, Order(n=5, seed=3))
    again = draw(TASK, POLICY, RECIPE, Order(item_seed=3_000_004))
    assert contents(again) == contents(batch)[4:]
    assert again.items[0].request == batch.items[4].request
    assert len({item.request.target["filled"] for item in batch.items}) > 1


def test_candidates_of_an_item_answer_the_same_request():
    base, candidate = (
        requests_for(TASK, RECIPE, Order(item_seed=s)) for s in (3_000_004, 3_000_004 + 10**16)
    )
    assert base == candidate


def test_an_item_does_not_depend_on_the_size_of_its_batch():
    assert (
        contents(draw(TASK, POLICY, RECIPE, Order(n=3)))
        == contents(draw(TASK, POLICY, RECIPE, Order(n=7)))[:3]
    )


def test_requests_are_laid_recipe_then_given_then_own():
    own = [{"size": 4}, {"target": {"filled": 2}}]
    order = Order(given={"target": {"filled": 3}, "size": 6}, requests=own)
    first, second = requests_for(TASK, RECIPE, order)
    assert (first.size, first.target) == (4, {"filled": 3})
    assert (second.size, second.target) == (6, {"filled": 2})
    assert requests_for(TASK, RECIPE, Order(n=1))[0].size == 8


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (Order(n=3, requests=[{}, {}]), "3 items were asked for, but only 2"),
        (Order(given={"sise": 3}), 'request.sise: is not a known key. Did you mean "size"?'),
        (Order(given={"size": "many"}), "request.size"),
        (Order(given={"target": {"filed": 3}}), 'no statistic "filed". Did you mean "filled"?'),
        (Order(requests=[{}, {"size": 0}]), "request 2.size"),
        (Order(best_of=901), "--best-of"),
    ],
)
def test_orders_that_cannot_be_met_are_refused(order, said):
    with pytest.raises(InputError) as caught:
        draw(TASK, POLICY, RECIPE, order)
    assert said in str(caught.value)


def test_an_unreachable_target_names_the_nearest():
    with pytest.raises(Infeasible, match="nearest is 8"):
        draw(TASK, POLICY, RECIPE, Order(given={"target": {"filled": 9}}))


def test_best_of_keeps_the_highest_reward_and_counts_the_rest():
    plain = draw(TASK, POLICY, RECIPE, Order(n=6))
    best = draw(TASK, POLICY, RECIPE, Order(n=6, best_of=4))
    assert (plain.rejected, best.rejected) == (0, 18)
    seeds = [seed + k * 10**16 for seed in item_seeds(0, 6) for k in range(4)]
    requests = [item.request for item in plain.items for _ in range(4)]
    rewards = [reward(item.content) for item in TASK.generate(POLICY, requests, seeds)]
    wanted = np.array(rewards).reshape(6, 4).max(axis=1)
    assert [reward(item.content) for item in best.items] == wanted.tolist()
    assert sum(map(reward, (i.content for i in plain.items))) < wanted.sum()


def reward(dots):
    """The recipe's reward by hand: filled dots minus half the runs, which are minimised."""
    runs = sum(1 for i, d in enumerate(dots) if d and (i == 0 or not dots[i - 1]))
    return float(dots.sum()) - 0.5 * runs


def test_the_manifest_says_of_each_item_what_it_is(tmp_path):
    batch = draw(TASK, POLICY, RECIPE, Order(n=4, seed=2))
    path = write(TASK, batch, tmp_path / "out", {"task": "toy/dots", "policy": "here"})
    manifest = json.loads(path.read_text())
    assert (manifest["asked"], manifest["rejected"], manifest["policy"]) == (4, 0, "here")
    for number, row in enumerate(manifest["items"], 1):
        assert row["file"] == f"{number:04d}.txt"
        dots = TASK.load(path.parent / row["file"]).content
        assert row["seed"] == 2_000_000 + number - 1
        assert row["statistics"] == {"filled": float(dots.sum())}
        assert row["met"] == (dots.sum() == row["request"]["target"]["filled"])
        assert sum(t["weighted"] for t in row["terms"].values()) == pytest.approx(reward(dots), abs=1e-9)
        assert row["terms"]["first"] == {"raw": float(dots[0]), "weight": 0.0, "weighted": 0.0}
    assert (path.parent / "wall.png").stat().st_size > 0


def test_a_smaller_batch_leaves_no_strangers_and_keeps_what_is_not_its_own(tmp_path):
    write(TASK, draw(TASK, POLICY, RECIPE, Order(n=5)), tmp_path, {})
    (tmp_path / "notes.txt").write_text("mine")
    write(TASK, draw(TASK, POLICY, RECIPE, Order(n=2)), tmp_path, {}, "json")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "0001.json",
        "0002.json",
        "manifest.json",
        "notes.txt",
        "wall.png",
    ]


def test_an_unknown_format_lists_the_known(tmp_path):
    batch = draw(TASK, POLICY, RECIPE, Order(n=1))
    with pytest.raises(InputError, match="Formats: txt, json"):
        write(TASK, batch, tmp_path / "out", {}, "jsn")
    assert not (tmp_path / "out").exists()


def test_a_manifest_that_lists_foreign_paths_removes_nothing(tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("keep")
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text(json.dumps({"items": [{"file": "../victim.txt"}, {"file": 3}]}))
    write(TASK, draw(TASK, POLICY, RECIPE, Order(n=1)), out, {})
    assert victim.read_text() == "keep"


def test_request_files_name_the_line_of_a_mistake(tmp_path):
    file = tmp_path / "r.jsonl"
    file.write_text('{"size": 4}\n\n{"size": 5}\n')
    assert read_requests(file) == [{"size": 4}, {"size": 5}]
    for text, place in (('{"size": 4}\n{"size"\n', ":2"), ("[1]\n", ":1"), ("\n", "holds no request")):
        file.write_text(text)
        with pytest.raises(InputError, match=place):
            read_requests(file)


def test_snapshots_show_the_same_seeds(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        snapshot(TASK, POLICY, RECIPE, folder)
    first, second = (json.loads((f / "manifest.json").read_text()) for f in folders)
    assert first == second and len(first["items"]) == 16


def test_items_that_a_term_cannot_score_lose_to_all_others(monkeypatch):
    terms = TASK.terms()

    def blind(items, context: Context):
        scores = np.array([float(i.sum()) for i in items])
        scores[[i.sum() > 2 for i in items]] = np.nan
        return scores

    spoiled = (terms[0].__class__("filled", blind, "Filled.", (0, 64)), *terms[1:])
    monkeypatch.setattr(TASK.__class__, "terms", lambda self: spoiled)
    best = draw(TASK, POLICY, RECIPE, Order(n=20, best_of=12, given={"target": {"filled": 2}}))
    plain = draw(TASK, POLICY, RECIPE, Order(n=20, given={"target": {"filled": 2}}))
    assert max(item.content.sum() for item in plain.items) > 2
    assert max(item.content.sum() for item in best.items) == 2
    assert any(row["filled"]["raw"] is None for row in plain.terms)
