"""Calibration, examination and splitting of learned rewards, against values known otherwise."""

import math

import numpy as np
import pytest
import torch

from plaudit.errors import InputError
from plaudit.reward.learned import (
    Calibration,
    HeldOut,
    Learned,
    auc_interval,
    calibrate,
    check_told_apart,
    examine,
    from_parts,
    split_parts,
)


class Sum:
    """Calls good what has a large sum."""

    def __init__(self, sign=1.0):
        self.sign = sign

    def logits(self, items):
        return self.sign * torch.as_tensor(items, dtype=torch.float32).sum(1)


SURE = HeldOut(100, (0.95, 0.89, 0.98), (0.99, 0.96, 1.0))


def learned(**fields):
    parts = {"reward": Calibration(2.0, 1.0), "judge": Calibration(0.5, 0.0)}
    return Learned(Sum(), Sum(-1.0), parts, {"reward": SURE, "judge": SURE}, {"source": "x"}, **fields)


def test_calibration_finds_the_chances_that_made_the_labels():
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, 5.0, 20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-(0.7 * x - 1.0)))).astype(np.int64)
    found = calibrate(x, labels)
    assert found.scale == pytest.approx(0.7, rel=0.05) and found.offset == pytest.approx(-1.0, abs=0.1)
    assert float(found(torch.tensor([1.0 / 0.7]))) == pytest.approx(0.5, abs=0.02)


def test_a_logit_that_knows_nothing_or_is_upside_down_earns_nothing():
    labels = np.array([0, 1] * 500)
    assert calibrate(np.zeros(1000), labels).scale == pytest.approx(0.0, abs=1e-6)
    assert calibrate(np.where(labels, -1.0, 1.0), labels).scale == 0.0
    apart = calibrate(np.where(labels, 4.0, -4.0), labels)
    assert math.isfinite(apart.scale) and float(apart(torch.tensor([4.0]))) == pytest.approx(
        501 / 502, abs=1e-3
    )


def test_examination_by_hand():
    scores, labels = [0.9, 0.6, 0.4, 0.5, 0.1, 0.6], np.array([1, 1, 1, 0, 0, 0])
    found = examine(scores, labels)
    # Right: .9, .6, .5 (at most 1/2 is bad), .1. Pairs: 3 + 2.5 + 1 of 9.
    assert found.n == 6 and found.accuracy[0] == pytest.approx(4 / 6)
    assert found.auc[0] == pytest.approx(6.5 / 9)
    assert found.auc[1] < 0.5 and not found.tells_apart
    assert found.accuracy[1:] == pytest.approx((0.300, 0.903), abs=2e-3)


def test_the_interval_of_an_auc_covers_as_often_as_it_says():
    rng, covered = np.random.default_rng(1), 0
    truth = 0.5 * (1 + math.erf(1.0 / 2.0))  # two normals a deviation apart
    for _ in range(300):
        good, bad = rng.normal(1.0, 1.0, 30), rng.normal(0.0, 1.0, 40)
        low, high = auc_interval(float((good[:, None] > bad[None]).mean()), 30, 40)
        covered += low <= truth <= high
    assert 0.92 <= covered / 300 <= 0.99
    assert auc_interval(1.0, 10, 10)[0] < 0.95, "being right ten times proves no perfection"


def test_what_cannot_be_told_apart_is_refused_and_what_is_shaky_is_said():
    chance = HeldOut(40, (0.5, 0.35, 0.65), (0.55, 0.38, 0.71))
    with pytest.raises(
        InputError, match=r"the judge cannot tell good from bad: AUC 0.55 \[0.38, 0.71\] on 40"
    ):
        check_told_apart({"reward": SURE, "judge": chance})
    shaky = HeldOut(40, (0.7, 0.55, 0.82), (0.75, 0.6, 0.87))
    assert "right on only 70% of 40" in check_told_apart({"reward": shaky, "judge": SURE})[0]
    assert check_told_apart({"reward": SURE, "judge": SURE}) == []


def test_parts_are_disjoint_and_twins_stay_together():
    rng = np.random.default_rng(2)
    hashes = [bytes([int(v)]) for v in rng.integers(0, 100, 400)]
    labels = np.arange(400) % 2
    part = split_parts(labels, hashes)
    for label in (0, 1):
        own = {
            p: {h for h, q, y in zip(hashes, part, labels, strict=True) if (q, y) == (p, label)}
            for p in (0, 1, 2)
        }
        assert not (own[0] & own[1] or own[0] & own[2] or own[1] & own[2])
        assert [len(own[p]) / sum(map(len, own.values())) for p in (0, 1, 2)] == pytest.approx(
            [0.4, 0.4, 0.2], abs=0.03
        )
    order = rng.permutation(400)
    assert (split_parts(labels[order], [hashes[i] for i in order]) == part[order]).all()


def test_the_reward_has_a_gradient_and_its_judge_none():
    made = learned()
    x = torch.tensor([[0.0, -0.5], [3.0, 1.0]], requires_grad=True)
    score = made.score(x)
    assert score.tolist() == pytest.approx([0.5, 1 / (1 + math.exp(-9))])
    score.sum().backward()
    assert x.grad[0].tolist() == pytest.approx([0.5, 0.5])
    judged = made.judged(x)
    assert judged.tolist() == pytest.approx([1 / (1 + math.exp(-0.25)), 1 / (1 + math.exp(2))])
    assert not judged.requires_grad


def test_what_was_described_is_rebuilt_and_damage_is_said():
    made = learned()
    description = made.describe()
    scorers = {"reward": made.reward, "judge": made.judge}
    again = from_parts(scorers, description)
    assert again.calibration == made.calibration and again.held_out == made.held_out
    for change in (
        {"calibration": {}},
        {"calibration": {"reward": {"scale": math.nan, "offset": 0}, "judge": {"scale": 1, "offset": 0}}},
        {"held_out": {"reward": {"n": 1}}},
        {"calibration": {"reward": {"power": 1}, "judge": {}}},
        {"about": 7},
    ):
        with pytest.raises(InputError):
            from_parts(scorers, {**description, **change})
