"""A pipeline's denoiser as a flow whose low-rank weights are tuned (LoRA: Hu et al., 2022, arXiv 2106.09685).

The denoiser is frozen and shared. Each copy of the model (tuned, base, running mean) owns nothing but its
adapters, which are lent to the denoiser for one call: three copies cost hardly more than one. Adapters begin
at no change, so that the base is the pipeline as it came.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from plaudit.engine.flow.model import FlowModel
from plaudit.engine.flow.pretrained.pipeline import Encoded, Parts
from plaudit.engine.precision import half
from plaudit.errors import InputError

ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")


class LoraFlow(FlowModel):
    """The velocity of a pipeline with adapters, for a prompt or none."""

    def __init__(self, parts: Parts, prompts: Sequence[str], rank: int = 4, bf16: bool = False) -> None:
        """`prompts` are the classes, in their order; raise `InputError` where nothing can be adapted."""
        nn.Module.__init__(self)  # there is no network of its own to build
        self.parts, self.prompts, self.rank, self.bf16 = parts, tuple(prompts), rank, bf16
        self.shape = parts.shape(len(self.prompts))
        self.encoded: Encoded = parts.encode(self.prompts)
        self.adapters = nn.ParameterDict(
            {
                _key(name): nn.Parameter(value.detach().float().clone())
                for name, value in _adapters(parts, rank)
            }
        )

    def initialise(self, generator: torch.Generator) -> None:
        """Draw the first factors anew, set the second to zero: no change."""
        with torch.no_grad():
            for name, weight in self.adapters.items():
                if "lora_B" in name:
                    weight.zero_()
                else:
                    drawn = torch.randn(weight.shape, generator=generator) / math.sqrt(self.rank)
                    weight.copy_(drawn)

    def _run(self, x: Tensor, t: Tensor, label: Tensor | None) -> Tensor:
        moment = self.parts.clock.at(t)
        shown = moment.shown(x, t)
        asked = {} if label is None else {name: rows[label] for name, rows in self.encoded.items()}
        first = "sample" if hasattr(self.parts.pipe, "unet") else "hidden_states"
        given = {first: shown, "timestep": moment.timestep, "return_dict": False, **asked}
        weights = {_name(key): weight for key, weight in self.adapters.items()}
        with half(x.device.type, self.bf16):
            predicted = functional_call(self.parts.network, weights, (), given)[0]
        return self.parts.clock.velocity(predicted.float(), shown, moment)


def _adapters(parts: Parts, rank: int) -> Sequence[tuple[str, Tensor]]:
    """Put adapters into the denoiser unless it has them, and return their names and weights."""
    from peft import LoraConfig, inject_adapter_in_model

    if not 1 <= rank <= 256:
        raise InputError(f"rank = {rank} is not in 1..256.", place="env.rank")
    found = [(name, p) for name, p in parts.network.named_parameters() if "lora_" in name]
    if found and any(_rank(name, p) != rank for name, p in found):
        raise InputError("the pipeline carries adapters of another rank.", place="env.pipeline")
    if not found:
        try:
            inject_adapter_in_model(
                LoraConfig(r=rank, lora_alpha=rank, target_modules=list(ATTENTION)), parts.network
            )
        except ValueError as error:
            raise InputError(
                f"the network has no attention to adapt: {error}", place="env.pipeline"
            ) from error
        found = [(name, p) for name, p in parts.network.named_parameters() if "lora_" in name]
    parts.network.requires_grad_(False)
    return found


def _rank(name: str, weight: Tensor) -> int:
    return int(weight.shape[0] if "lora_A" in name else weight.shape[1])


def _key(name: str) -> str:
    return name.replace(".", "/")


def _name(key: str) -> str:
    return key.replace("/", ".")
