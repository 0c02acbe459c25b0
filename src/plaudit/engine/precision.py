"""Whether bfloat16 saves time: on a processor without instructions for it, it is emulated number by number.

There it takes dozens of times as long as float32, for a result that is not better. So a network that may
compute in bfloat16 does so where that is what was meant by it: faster.
"""

from __future__ import annotations

import functools

import torch


@functools.cache
def fast_bf16(device: str) -> bool:
    """Whether a device of this type ("cpu", "cuda") computes convolutions and products in bfloat16."""
    if device != "cpu":
        return True
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(there and torch.ops.mkldnn._is_mkldnn_bf16_supported())
