"""The flat Adam against PyTorch's own, and against its formula."""

import pytest
import torch
from torch import nn

from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


@pytest.mark.parametrize("way", ["fused", "plain"])
def test_it_takes_the_steps_of_pytorch(way, monkeypatch):
    if way == "plain":
        monkeypatch.setattr("plaudit.engine.adam._FUSED", None)
    ours, theirs = net(), net()
    params, grads = flatten(ours)
    adam, reference = Adam(params), torch.optim.Adam(theirs.parameters(), lr=0.01)
    for i in range(20):
        x = torch.linspace(-1, 1, 15).view(5, 3) * (i + 1)
        for model in (ours, theirs):
            model.zero_grad(set_to_none=model is theirs)
            (model(x) ** 2).sum().backward()
        adam.step(grads, 0.01)
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_parameters_and_gradients_are_views():
    model = net()
    params, grads = flatten(model)
    params.fill_(0.5)
    model(torch.ones(1, 3)).sum().backward()
    assert all(bool((p == 0.5).all()) for p in model.parameters())
    assert float(grads.abs().sum()) == pytest.approx(
        sum(float(p.grad.abs().sum()) for p in model.parameters())
    )


def test_the_norm_is_cut_only_where_it_is_longer():
    grads = torch.tensor([3.0, 4.0])
    assert clip_norm(grads, 10.0) == 5.0
    assert grads.tolist() == [3.0, 4.0]
    assert clip_norm(grads, 1.0) == 5.0
    torch.testing.assert_close(grads, torch.tensor([0.6, 0.8]))


def test_state_goes_on_exactly():
    one, two = (Adam(flatten(net())[0]) for _ in range(2))
    grads = torch.linspace(-1, 1, len(one.params))
    one.step(grads, 0.1)
    two.params.copy_(one.params)
    two.load_state_dict(one.state_dict())
    for adam in (one, two):
        adam.step(grads, 0.1)
    assert torch.equal(one.params, two.params)


def test_denormals_are_flushed_only_inside():
    def tiny():
        return float(torch.tensor(1e-30) * 1e-10)

    if not torch.set_flush_denormal(False):
        pytest.skip("this processor cannot flush denormals")
    with flushed_denormals():
        assert tiny() == 0.0
    assert tiny() > 0.0
