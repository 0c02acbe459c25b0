"""Rewards learned from two folders: what they tell apart, what they store, what they refuse."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from plaudit.cli.main import main
from plaudit.domains.image.learned import learn_reward, read_examples, read_learned, write_learned
from plaudit.errors import InputError
from plaudit.reward.learned import check_told_apart


def picture(kind, seed, side=28):
    """A bright disc (good) or bars (bad), somewhere."""
    rng = np.random.default_rng([seed, kind])
    y, x = np.mgrid[:side, :side] / side
    a, b = rng.uniform(0.35, 0.65, 2)
    ink = (x - a) ** 2 + (y - b) ** 2 < 0.05 if kind else np.sin(20 * x + 9 * a) > 0.3
    return np.clip(200 * ink + rng.normal(20, 10, (side, side)), 0, 255).astype(np.uint8)


def folder(place, kind, count, side=28, start=0):
    place.mkdir()
    for i in range(count):
        Image.fromarray(picture(kind, start + i, side)).save(place / f"{i:03d}.png")
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("rewards")
    good, bad = folder(home / "good", 1, 60), folder(home / "bad", 0, 50)
    examples = read_examples(good, bad)
    return home, examples, learn_reward(examples, steps=40)


def fresh(kind, n=40):
    return np.stack([picture(kind, 10_000 + i) for i in range(n)])[..., None]


def test_both_nets_tell_new_pictures_apart(made):
    _, examples, learned = made
    for score in (learned.score, learned.judged):
        assert float(score(fresh(1)).mean()) > 0.8 and float(score(fresh(0)).mean()) < 0.2
    assert learned.held_out["reward"].n == len(examples.of("held_out")) == 22
    assert check_told_apart(learned.held_out) == []


def test_reward_judge_and_examination_share_no_picture(made):
    _, examples, _ = made
    parts = [{one.tobytes() for one in examples.of(p).images} for p in ("reward", "judge", "held_out")]
    assert [len(p) for p in parts] == [44, 44, 22]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_a_gradient_flows_to_the_picture(made):
    x = torch.from_numpy(fresh(0, 4)).permute(0, 3, 1, 2).float().div(255).requires_grad_()
    made[2].reward.logits(x).sum().backward()
    assert float(x.grad.abs().sum()) > 0


def test_what_is_stored_scores_the_same(made):
    home, _, learned = made
    write_learned(learned, home / "R.safetensors")
    again = read_learned(home / "R.safetensors")
    x = fresh(1, 8)
    # The layout in memory may differ, and with it the last digits.
    assert torch.allclose(again.score(x), learned.score(x), atol=1e-6)
    assert torch.allclose(again.judged(x), learned.judged(x), atol=1e-6)
    with pytest.raises(InputError, match="pictures"):
        again.score(np.zeros((2, 32, 32, 1), np.uint8))


def test_damaged_files_are_said(made):
    home, _, learned = made
    path = home / "R2.safetensors"
    write_learned(learned, path)
    content = path.read_bytes()
    for at, broken in enumerate((b"", content[:500], content[: len(content) // 2], b"x" * 100)):
        (home / f"broken{at}").write_bytes(broken)
        with pytest.raises(InputError):
            read_learned(home / f"broken{at}")
    other = home / "other"
    from plaudit.domains.image.classifier_file import write_classifier

    write_classifier(learned.reward.classifier, other)
    with pytest.raises(InputError, match="no reward learned"):
        read_learned(other)


def test_mixed_sizes_are_brought_to_one(tmp_path):
    good, bad = folder(tmp_path / "good", 1, 24, side=40), folder(tmp_path / "bad", 0, 24, side=28)
    assert read_examples(good, bad).pictures.images.shape == (48, 28, 28, 1)


def test_folders_that_say_nothing_are_refused(tmp_path):
    good, few = folder(tmp_path / "good", 1, 30), folder(tmp_path / "few", 0, 3)
    same, empty = folder(tmp_path / "same", 1, 30), tmp_path / "empty"
    empty.mkdir()
    for bad, said in ((few, "3"), (same, "30 more lie in both"), (empty, "no pictures"), (good, "the same")):
        with pytest.raises(InputError, match=said):
            read_examples(good, bad)
    with pytest.raises(InputError, match="not there"):
        read_examples(good, tmp_path / "nowhere")


def test_what_lies_in_both_is_left_out(tmp_path):
    good, bad = folder(tmp_path / "good", 1, 30), folder(tmp_path / "bad", 0, 30)
    for i in range(5):
        (bad / f"copy\n{i}.png").write_bytes((good / f"{i:03d}.png").read_bytes())
    examples = read_examples(good, bad)
    assert examples.both == 5 and len(examples.pictures) == 55


def test_noise_against_noise_is_no_reward(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        for i in range(60):
            Image.fromarray(rng.integers(0, 256, (28, 28), np.uint8)).save(tmp_path / name / f"{i}.png")
    learned = learn_reward(read_examples(tmp_path / "good", tmp_path / "bad"), steps=5)
    with pytest.raises(InputError, match="cannot tell good from bad"):
        check_told_apart(learned.held_out)


def test_the_verb_writes_a_reward_or_says_why_not(tmp_path, capsys):
    good, bad = folder(tmp_path / "good", 1, 40), folder(tmp_path / "bad", 0, 40)
    (bad / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "R"
    words = ["reward", "--good", str(good), "--bad", str(bad), "--steps", "20", "--json"]
    assert main([*words, "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert out.is_file() and told["held_out"]["reward"]["n"] == 16
    assert told["pictures"] == {"reward": 32, "judge": 32, "held_out": 16} and len(told["skipped"]) == 1
    assert main([*words, "--out", str(tmp_path)]) == 2
    assert main(["reward", "--good", str(good), "--bad", str(tmp_path / "x"), "--out", str(out)]) == 2
    assert "not there" in capsys.readouterr().err


def test_the_term_learned_tunes_a_flow_and_its_judge_watches(made, tmp_path):
    from plaudit.domains.image.picture_source import JudgedPictureReward
    from plaudit.domains.image.picture_training import reward_of
    from plaudit.domains.image.task import Picture
    from plaudit.reward.compose import Composition
    from plaudit.runs.recipe import RewardEntry

    path = tmp_path / "R"
    write_learned(made[2], path)
    tune = Picture().recipes()["tune"]
    recipe = tune.model_copy(update={"reward": (RewardEntry(term="learned"),), "env": {"pictures": "mnist"}})
    with pytest.raises(InputError, match="plaudit reward"):
        reward_of(recipe, {})
    source = reward_of(recipe, {"reward": path})
    assert isinstance(source, JudgedPictureReward)
    source.draw(4, np.random.default_rng(0))
    x = torch.from_numpy(fresh(1, 4)).permute(0, 3, 1, 2).float().div(127.5).sub(1).requires_grad_()
    value = source.value(None, x)
    value.sum().backward()
    assert (
        torch.allclose(value[:, 0], made[2].score(fresh(1, 4)), atol=1e-5) and float(x.grad.abs().max()) > 0
    )
    assert torch.allclose(source.judge(None, x.detach()), made[2].judged(fresh(1, 4)), atol=1e-5)
    task = Picture().bound(recipe.model_copy(update={"inputs": {"reward": str(path)}}))
    assert task.learned == str(path)
    with pytest.raises(InputError, match="is a twin"):
        Composition([RewardEntry(term="learned_judge")], Picture().terms())
