"""Alarms speak when they should and are silent when they should."""

import numpy as np

from plaudit.reward.guard import duplicates, entropy_collapse, judge_declined, reward_against_twin

RNG = np.random.default_rng(0)
UP, DOWN = np.linspace(0, 1, 30), np.linspace(1, 0, 30)
NOISE = RNG.normal(0, 0.05, 30)


def test_entropy_collapse():
    falling = np.concatenate([np.linspace(1.3, 0.02, 20), np.full(10, 0.02)])
    assert "collapsed to 1.4%" in entropy_collapse(falling, np.log(4))
    assert entropy_collapse(falling + 0.2, np.log(4)) is None
    assert entropy_collapse(falling[-4:], np.log(4)) is None
    assert entropy_collapse(np.concatenate([falling, [np.nan]]), np.log(4)) is not None


def test_reward_rising_while_a_twin_falls():
    assert '"judge" gets worse' in reward_against_twin(UP + NOISE, DOWN + NOISE, "judge")
    assert reward_against_twin(UP + NOISE, UP + NOISE, "judge") is None
    assert reward_against_twin(DOWN + NOISE, DOWN + NOISE, "judge") is None
    assert reward_against_twin(UP, NOISE, "judge") is None
    assert reward_against_twin(UP, UP + NOISE, "errors", "minimize") is not None
    assert reward_against_twin(np.where(UP > 2, UP, np.nan), DOWN, "judge") is None


def test_duplicates():
    same = np.zeros((16, 4, 4))
    assert duplicates(same).startswith("100% of the samples")
    assert duplicates(RNG.normal(size=(16, 4, 4))) is None
    # 5 different of 101: 96 of 100 are copies; 6 different of 101: 95 of 100 are
    mostly = [np.zeros(3)] * 97 + [np.full(3, k) for k in range(1, 5)]
    assert duplicates(mostly) is not None
    assert duplicates([np.full(3, 9.0), *mostly[1:]]) is None
    assert duplicates(["a", "a", "a"]) is not None and duplicates([{"a": 1}, {"a": 2}]) is None
    assert duplicates([]) is None


def test_an_end_by_the_judge_is_told_with_its_figures():
    row = {"declined": 1.0, "best_judge": 0.91, "judge": 0.4, "gaming_gap": 3.2, "best_step": 12.0}
    told = judge_declined(row)
    assert told is not None and "stopped: its judge" in told
    assert all(part in told for part in ("from 0.91 to 0.4", "gaming gap 3.2", "look 12"))
    assert judge_declined({**row, "declined": 0.0}) is None
