"""bfloat16 is taken where it is faster, and only there."""

import pytest
import torch

from plaudit.engine.flow import model as flow
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.precision import fast_bf16


def test_other_devices_are_believed_and_a_processor_is_asked(monkeypatch):
    assert fast_bf16("cuda")
    fast_bf16.cache_clear()
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not fast_bf16("cpu")
    fast_bf16.cache_clear()


@pytest.mark.parametrize("fast", [False, True])
def test_a_flow_computes_in_bf16_only_where_that_is_fast(monkeypatch, fast):
    monkeypatch.setattr(flow, "fast_bf16", lambda device: fast)
    shape, seen = flow.FlowShape((3,)), []
    made = flow.FlowModel(shape, flow.network_config(MLPConfig((4,)), shape), bf16=True)
    made.net.register_forward_hook(lambda net, given, out: seen.append(out.dtype))
    found = made.velocity(torch.zeros(2, 3), 0.5)
    assert seen == [torch.bfloat16 if fast else torch.float32]
    assert found.dtype == torch.float32
