"""Every formula against a table computed by hand."""

import math

import numpy as np
import pytest
import torch
from torch import tensor

from plaudit.engine import returns
from plaudit.errors import InputError


def close(value, expected):
    torch.testing.assert_close(value, tensor(expected, dtype=value.dtype), rtol=1e-6, atol=1e-7)


def test_q_target_is_reward_where_terminated():
    target = returns.q_target(tensor([1.0, 2.0]), tensor([0.5, 0.0]), tensor([10.0, 99.0]))
    close(target, [6.0, 2.0])


def test_q_target_takes_numpy_too():
    target = returns.q_target(np.array([1.0]), np.array([0.5]), np.array([4.0]))
    assert target.tolist() == [3.0]


def test_greedy_value_keeps_to_the_mask():
    q = tensor([[1.0, 5.0, 3.0], [2.0, 0.0, -1.0]])
    close(returns.greedy_value(q), [5.0, 2.0])
    mask = tensor([[True, False, True], [False, True, True]])
    close(returns.greedy_value(q, mask), [3.0, 0.0])


def test_double_q_chooses_with_one_and_values_with_the_other():
    target_q = tensor([[1.0, 2.0, 9.0]])
    online_q = tensor([[0.0, 7.0, 3.0]])
    close(returns.double_q_value(target_q, online_q), [2.0])
    close(returns.double_q_value(target_q, online_q, tensor([[True, False, True]])), [9.0])


def test_td_error():
    close(returns.td_error(tensor([1.0, 4.0]), tensor([3.0, 1.0])), [2.0, -3.0])


def test_huber_is_quadratic_then_linear_and_squared_without_a_bend():
    error = tensor([0.5, -0.5, 3.0, -3.0])
    close(returns.huber(error, 1.0), [0.125, 0.125, 2.5, 2.5])
    close(returns.huber(error, math.inf), [0.125, 0.125, 4.5, 4.5])


def test_n_step_stops_at_the_end_of_the_episode():
    reward = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [4.0, 4.0, 4.0]])
    terminated = np.array([[False, False, False], [False, True, False], [False, False, False]])
    ended = np.array([[False, False, True], [False, True, False], [False, False, False]])
    total, discount, last = returns.n_step(reward, terminated, ended, 0.5)
    assert total.tolist() == [3.0, 2.0, 1.0]
    assert discount.tolist() == [0.125, 0.0, 0.5]
    assert last.tolist() == [2, 1, 0]


def test_discounted_returns_start_again_after_an_end():
    rewards = tensor([[1.0], [2.0], [4.0]])
    close(returns.discounted_returns(rewards, tensor([[False], [True], [False]]), 0.5), [[2.0], [2.0], [4.0]])


def test_gae_by_hand():
    # delta = r + 0.5 v' - v = [1.5, 0.5, 1.0]; trace 0.5 * 0.5.
    rewards, values = tensor([[1.0], [1.0], [1.0]]), tensor([[0.5], [2.0], [3.0]])
    following = tensor([[2.0], [3.0], [6.0]])
    no = torch.zeros(3, 1, dtype=torch.bool)
    close(returns.gae(rewards, values, following, no, no, 0.5, 0.5), [[1.6875], [0.75], [1.0]])


def test_gae_bootstraps_where_truncated_and_not_where_terminated():
    rewards, values = tensor([[1.0, 1.0], [1.0, 1.0]]), torch.zeros(2, 2)
    following = tensor([[8.0, 8.0], [4.0, 4.0]])
    terminated = tensor([[True, False], [False, False]])
    ended = tensor([[True, True], [False, False]])
    advantage = returns.gae(rewards, values, following, terminated, ended, 0.5, 1.0)
    close(advantage, [[1.0, 5.0], [3.0, 3.0]])


def test_gae_gives_a_masked_step_nothing_and_cuts_the_trace_there():
    rewards, values = tensor([[1.0], [math.nan], [1.0]]), torch.zeros(3, 1)
    following = tensor([[2.0], [2.0], [2.0]])
    no = torch.zeros(3, 1, dtype=torch.bool)
    close(returns.gae(rewards, values, following, no, no, 0.5, 1.0), [[2.0], [0.0], [2.0]])


def test_ppo_clip_holds_the_ratio_only_where_it_would_gain():
    log_prob = tensor([2.0, 2.0, 0.5, 0.5]).log()
    advantage = tensor([1.0, -1.0, 1.0, -1.0])
    close(returns.ppo_clip(log_prob, torch.zeros(4), advantage, 0.2), [-1.2, 2.0, -0.5, 0.8])


def test_value_clip_takes_the_larger_error():
    loss = returns.value_clip(tensor([3.0, 1.1]), tensor([1.0, 1.0]), tensor([3.0, 2.0]), 0.5)
    close(loss, [0.5 * 1.5**2, 0.5 * 0.9**2])


def test_k3_is_zero_at_equality_and_positive_elsewhere():
    log_prob = tensor([0.5, 0.5, 0.25]).log()
    old = tensor([0.5, 0.25, 0.5]).log()
    close(returns.k3_kl(log_prob, old), [0.0, 1.0 - math.log(2.0), -0.5 + math.log(2.0)])


def test_a_wrong_shape_is_named():
    with pytest.raises(InputError, match=r"rank 1.*reward.*\(2, 1\)"):
        returns.q_target(torch.zeros(2, 1), torch.zeros(2), torch.zeros(2))
