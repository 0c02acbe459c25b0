"""The judge beside a game's reward: it changes nothing, ends what declines, and is resumed exactly."""

import math

import pytest
import torch
import toy_items as toy

from plaudit.errors import InputError


class Hacked(toy.Mixture):
    """The judge wants points near the ring, which the reward leaves for ever."""

    def judge(self, items, labels):
        return -(items.norm(dim=1) - 1.0).abs()


REWARD = {"weight": 50.0, "batch_size": 32}


def hacked(stop=0):
    reward = {**REWARD, "stop_on_decline": stop}
    return toy.gan(Hacked(toy.RING), reward=reward, learning_rate=5e-3)


def test_a_judge_changes_nothing_but_the_rows():
    one, two = hacked(), toy.gan(toy.Mixture(toy.RING), reward=REWARD, learning_rate=5e-3)
    for _ in range(3):
        seen, plain = one.step(), two.step()
    assert torch.equal(one.params, two.params) and torch.equal(one.critic_params, two.critic_params)
    assert set(seen) - set(plain) == {"judge", "gaming_gap"} and math.isfinite(seen["judge"])


def test_without_a_weight_it_is_the_plain_game():
    one = toy.gan(Hacked(toy.RING), reward={"weight": 0.0, "stop_on_decline": 2})
    two = toy.gan(toy.Mixture(toy.RING), paid=False)
    toy.train(one, 4)
    toy.train(two, 4)
    assert torch.equal(one.params, two.params) and torch.equal(one.average_params, two.average_params)


@pytest.mark.parametrize("method", ["pathwise", "surrogate", "score"])
def test_it_ends_where_the_judge_declines_and_keeps_what_it_liked(method):
    made = toy.gan(
        Hacked(toy.RING),
        reward={**REWARD, "method": method, "stop_on_decline": 4, "policy_learning_rate": 0.3},
        learning_rate=5e-3,
    )
    rows = []
    while not made.finished and len(rows) < 300:
        rows.append(made.step())
    assert made.finished and rows[-1]["declined"] == 1.0
    assert rows[-1]["best_judge"] > rows[-1]["judge"]
    assert all(
        torch.equal(made.policy().tensors()[n], t) for n, t in made.term.judge.guard.kept.weights.items()
    )


def test_it_is_resumed_exactly():
    one, two = hacked(2), hacked(2)
    for _ in range(3):
        one.step()
    two.load_state_dict(one.state_dict(), {n: t.clone() for n, t in one.policy().tensors().items()})
    assert [repr(one.step()) for _ in range(3)] == [repr(two.step()) for _ in range(3)]
    assert torch.equal(one.params, two.params) and one.finished == two.finished


def test_stopping_needs_a_judge():
    with pytest.raises(InputError, match="no judge"):
        toy.gan(toy.Mixture(toy.RING), reward={"stop_on_decline": 3})
    with pytest.raises(InputError, match="stop_on_decline"):
        hacked(-1)


def test_a_judge_of_the_wrong_shape_is_said():
    made = hacked()
    made.source.judge = lambda items, labels: items
    with pytest.raises(InputError, match="the judge gave"):
        made.step()
