"""The policy of a tuned pipeline: its adapters, and where the rest is; and the learner that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.pretrained.lora import LoraFlow
from plaudit.engine.flow.pretrained.pipeline import open_pipeline
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.sampling import Sampler
from plaudit.engine.nets import load_weights


class LoraPolicy(FlowPolicy):
    """Draws pictures by the ODE; what is stored is the adapters and the name of the pipeline."""

    model: LoraFlow
    rows = 4

    def draw(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map `noise (B, *size)` to pictures `(B, C, H, W)` in [-1, 1]; `condition (B,)` numbers prompts."""
        made = super().draw(noise, condition)
        with torch.no_grad():
            return torch.cat([self.model.parts.decode(one) for one in torch.split(made, 1)])

    def asked(self, prompts: Sequence[str], sampler: Sampler) -> LoraPolicy:
        """The same weights for other prompts, by another sampler."""
        model = LoraFlow(self.model.parts, prompts, self.model.rank, self.model.bf16)
        load_weights(model, self.tensors())
        return LoraPolicy(model.requires_grad_(False), sampler)

    def lora_weights(self) -> dict[str, Tensor]:
        """The weights under the names that a pipeline's `load_lora_weights` of the library takes."""
        part = "unet" if hasattr(self.model.parts.pipe, "unet") else "transformer"
        return {
            f"{part}.{key.removeprefix('adapters.').replace('/', '.').replace('.default', '')}": weight
            for key, weight in self.tensors().items()
        }

    def describe(self) -> dict[str, Any]:
        model = self.model
        return {
            "kind": "lora-flow",
            "pipeline": model.parts.source,
            "side": model.parts.size[1],
            "prompts": list(model.prompts),
            "rank": model.rank,
            "bf16": model.bf16,
            "sampler": asdict(self.sampler),
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> LoraPolicy:
        """Open the pipeline, which has to be on this machine, and lay the adapters over it."""
        parts = open_pipeline(str(description["pipeline"]), int(description["side"]))
        model = LoraFlow(
            parts,
            [str(p) for p in description["prompts"]],
            int(description["rank"]),
            bool(description["bf16"]),
        )
        load_weights(model, tensors)
        return cls(model.requires_grad_(False), Sampler(**description["sampler"]))


class LoraReward(FlowReward):
    """The learner of flows on a pipeline's adapters."""

    def policy(self) -> LoraPolicy:
        model = self.tuned.average.model
        assert isinstance(model, LoraFlow)
        return LoraPolicy(model, self.config.sampler)
