"""bfloat16 only where the processor computes in it, and never unasked."""

import pytest
import torch

from plaudit.engine import precision


@pytest.fixture
def processor(monkeypatch):
    def be(**known):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known, raising=False)
        precision.native_bfloat16.cache_clear()

    yield be
    precision.native_bfloat16.cache_clear()


def product(wanted):
    with precision.half("cpu", wanted):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("known", "native"),
    [
        ({"architecture": "x86_64", "avx2": True}, False),
        ({"architecture": "x86_64", "avx512_f": True, "avx512_bf16": False}, False),
        ({"architecture": "x86_64", "avx512_bf16": True}, True),
        ({"architecture": "x86_64", "amx_bf16": True}, True),
        ({"architecture": "aarch64"}, True),
        ({}, True),
    ],
)
def test_layers_compute_in_what_the_processor_has(processor, known, native):
    processor(**known)
    assert product(True) == (torch.bfloat16 if native else torch.float32)
    assert product(False) == torch.float32
