"""Writing token by token with the state kept: what the input adds is looked up in tables made once.

Equal to `SequenceModel.log_probs` on what was written, up to rounding (tested); per step one product with
the state and one with the head remain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.model import (
    Prompts,
    SequenceModel,
    agreement_kind,
    masked_log_softmax,
    pointed,
    trusted,
)

Narrow = Callable[[Tensor, int], Tensor]
"""Tokens `(B, V)` that may follow at step t, given what is written in `ids (B, T)`."""


@dataclass
class Draft:
    """B sequences under way.

    Attributes:
        ids: `(B, T)` what is written, 0 ahead of `step`.
        state: `(B, H)`.
        given: `(B, T, 3H)` what the conditions add to the gates.
        tables: one `(V + 1, 3H)` for the last token, then one for each look back.
        agreed: one `(AGREEMENTS, 3H)` for each look back of a model that copies.
        run: `(B, K)` for how many tokens each look back has agreed with what was written.
    """

    prompts: Prompts
    ids: Tensor
    state: Tensor
    given: Tensor
    tables: list[Tensor]
    agreed: list[Tensor]
    run: Tensor
    step: int = 0


@torch.no_grad()
def begin(model: SequenceModel, prompts: Prompts) -> Draft:
    """Nothing written yet."""
    rows, steps = prompts.mask.shape[:2]
    weight, _, bias, _ = _weights(model)
    width, start, tables, agreed = model.config.embed, 0, [], []
    for k, layer in enumerate((model.embed, *model.look)):
        part = weight[:, start : start + width].T
        tables.append(cast(Tensor, layer.weight) @ part)
        if model.copies and k:
            agreed.append(cast(Tensor, model.agreed[k - 1].weight) @ part)
        start += width
    given = bias.expand(rows, steps, -1)
    if model.shape.features:
        given = model.encode(prompts) @ weight[:, start:].T + bias
    ids = torch.zeros(rows, steps, dtype=torch.int64)
    run = torch.zeros(rows, model.shape.looks, dtype=torch.int64)
    return Draft(prompts, ids, torch.zeros(rows, model.config.hidden), given, tables, agreed, run)


@torch.no_grad()
def advance(model: SequenceModel, draft: Draft) -> Tensor:
    """Read the token written last and return the log-probabilities `(B, V)` of the next."""
    t, blank = draft.step, model.shape.vocabulary
    gates = draft.given[:, t].clone()
    seen = _seen(draft, t, blank)
    last = draft.ids[:, t - 1] if t else torch.full_like(draft.prompts.length, blank)
    for table, token in zip(draft.tables, (last, *seen.T), strict=True):
        gates += table[token]
    kind = agreement_kind(draft.run)
    for table, run in zip(draft.agreed, kind.T, strict=False):
        gates += table[run]
    _, weight, _, bias = _weights(model)
    carried = torch.addmm(bias, draft.state, weight.T)
    hidden = draft.state.shape[1]
    opened = torch.sigmoid(gates[:, : 2 * hidden] + carried[:, : 2 * hidden])
    reset, update = opened[:, :hidden], opened[:, hidden:]
    fresh = torch.tanh(gates[:, 2 * hidden :] + reset * carried[:, 2 * hidden :])
    draft.state = torch.lerp(fresh, draft.state, update)
    logits = torch.addmm(model.head.bias, draft.state, model.head.weight.T)
    if model.copies:
        logits += pointed(model.point(draft.state) + trusted(model.trust, kind), seen, blank)
    return masked_log_softmax(logits, draft.prompts.mask[:, t])


def _seen(draft: Draft, t: int, blank: int) -> Tensor:
    """What stood at each look back from step t, `(B, K)`; `blank` where nothing was."""
    source = t - draft.prompts.back[:, : draft.run.shape[1]]
    return draft.ids.gather(1, source.clamp(min=0)).where(source >= 0, blank)


def _weights(model: SequenceModel) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weights of input and state, and their biases."""
    cell = model.cell
    parts = (cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0)
    return cast(tuple[Tensor, Tensor, Tensor, Tensor], parts)


def write(draft: Draft, token: Tensor) -> None:
    """Write `token (B,)` at the current step."""
    same = _seen(draft, draft.step, -1) == token[:, None]
    draft.run = torch.where(same, draft.run + 1, 0)
    draft.ids[:, draft.step] = token
    draft.step += 1


def choose(log_probs: Tensor, uniform: Tensor | None, temperature: float = 1.0) -> Tensor:
    """Draw a token `(B,)` by inverting the distribution at `uniform (B,)`; the likeliest without it."""
    if uniform is None:
        return log_probs.argmax(1)
    heat = log_probs if temperature == 1.0 else (log_probs / temperature).log_softmax(1)
    # In double precision, as the sum of many small shares must not lose the last tokens.
    reached = heat.double().exp().cumsum(1)
    return (reached <= uniform[:, None] * reached[:, -1:]).sum(1)


@torch.no_grad()
def sample(
    model: SequenceModel,
    prompts: Prompts,
    random: RowRandom | None,
    temperature: float = 1.0,
    narrow: Narrow | None = None,
) -> tuple[Tensor, Tensor]:
    """Write whole sequences; returns `ids (B, T)` and their log-probabilities `(B, T)`, 0 in padding.

    Without `random` the likeliest token is taken. The log-probabilities are those at temperature 1. What
    `narrow` leaves takes the place of the prompts' mask, step by step: with it, `SequenceModel.of` gives
    the same log-probabilities again.
    """
    draft = begin(model, prompts)
    rows, steps = draft.ids.shape
    taken = torch.zeros(rows, steps)
    uniform = None if random is None else torch.from_numpy(random.uniform(steps))
    for t in range(steps):
        if narrow is not None:
            prompts.mask[:, t] &= narrow(draft.ids, t)
        log_probs = advance(model, draft)
        token = choose(log_probs, None if uniform is None else uniform[:, t], temperature)
        taken[:, t] = log_probs.gather(1, token[:, None])[:, 0]
        write(draft, token)
    valid = prompts.valid
    return draft.ids.where(valid, 0), taken.where(valid, 0.0)
