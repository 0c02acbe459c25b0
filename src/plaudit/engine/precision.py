"""Half precision where it is worth it: a setting of "bf16" means bfloat16 where the hardware computes in it.

A processor without instructions for it computes bfloat16 all the same, in software and some ten to thirty
times as slow as float32. There the layers compute in float32, whose results are the more exact ones.
"""

from __future__ import annotations

from functools import cache

import torch


def half(device: str, wanted: bool) -> torch.autocast:
    """The context in which layers on such a device compute: in bfloat16 where it is `wanted` and native.

    Weights and what is kept stay float32 either way.
    """
    enabled = wanted and (device != "cpu" or native_bfloat16())
    return torch.autocast(device, torch.bfloat16, enabled=enabled)


@cache
def native_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself; true for one that cannot be asked."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    known = ask() if ask else {}
    if known.get("architecture") != "x86_64":
        return True
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
