"""The policy of a sequence model: acts token by token, and is stored as JSON and tensors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.decode import Draft, advance, begin, choose, write
from plaudit.engine.sequence.model import GRUConfig, Prompts, SequenceModel, Shape
from plaudit.errors import InputError


class SequencePolicy:
    """Writes tokens; `model` is there for whoever wants whole sequences (`decode.sample`)."""

    def __init__(self, model: SequenceModel) -> None:
        self.model = model

    def act(
        self,
        obs: Prompts | None,
        state: Draft | None = None,
        mask: Tensor | None = None,
        generator: RowRandom | None = None,
    ) -> tuple[Tensor, Draft, Tensor]:
        """Write one token `(B,)` of each row; the first call gives the prompts, later ones the state.

        `mask (B, V)` narrows what the prompts allow.
        """
        if state is None:
            if obs is None:
                raise InputError("the first call of a sequence policy needs the prompts.")
            state = begin(self.model, obs)
        log_probs = advance(self.model, state)
        if mask is not None:
            log_probs = log_probs.masked_fill(~mask, -torch.inf).log_softmax(1)
        uniform = None if generator is None else torch.from_numpy(generator.uniform(1)[:, 0])
        token = choose(log_probs, uniform)
        write(state, token)
        return token, state, log_probs.gather(1, token[:, None])[:, 0]

    def tensors(self) -> dict[str, Tensor]:
        return {name: tensor.detach() for name, tensor in self.model.state_dict().items()}

    def describe(self) -> dict[str, Any]:
        return {"kind": "sequence", "shape": asdict(self.model.shape), "network": asdict(self.model.config)}

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> SequencePolicy:
        shape = Shape(**{name: int(value) for name, value in description["shape"].items()})
        if not (
            1 <= shape.vocabulary <= 1 << 17 and 0 <= shape.features <= 1 << 14 and 0 <= shape.looks <= 64
        ):
            raise InputError(f"a sequence model cannot have the shape {shape}.")
        model = SequenceModel(shape, GRUConfig(**description["network"]))
        model.load_state_dict(tensors)
        return cls(model.eval())
