"""Stored policies by kind: from a JSON description and tensors to something that acts.

Loading runs no code from the file: a description only picks one of the classes below, each of which
checks that the tensors are its own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor

from plaudit.engine.learner import Policy
from plaudit.errors import InputError, did_you_mean

KINDS = {
    "q-table": "plaudit.engine.tabular:QTablePolicy",
    "q-network": "plaudit.engine.dqn:QPolicy",
    "actor-critic": "plaudit.engine.actor_critic:ActorPolicy",
    "sequence": "plaudit.engine.sequence.policy:SequencePolicy",
    "flow": "plaudit.engine.flow.policy:FlowPolicy",
    "lora-flow": "plaudit.engine.flow.pretrained.policy:LoraPolicy",
    "generator": "plaudit.engine.gan.policy:GeneratorPolicy",
    "vae": "plaudit.engine.vae.policy:VaePolicy",
}
"""`kind -> module:class with from_description`, imported when asked for."""


def build(description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Policy:
    """Make the policy that `Policy.describe` described; raises `InputError` for anything else."""
    kind = description.get("kind") if isinstance(description, Mapping) else None
    if not isinstance(kind, str):
        raise InputError('the description of a policy has no "kind".')
    if kind not in KINDS:
        raise InputError(f'no policy is of the kind "{kind}".', hint=did_you_mean(kind, KINDS))
    module, _, name = KINDS[kind].partition(":")
    policy = getattr(importlib.import_module(module), name)
    try:
        return cast(Policy, policy.from_description(dict(description), dict(tensors)))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"the description of the {kind} policy is damaged: {error!r}.") from error
    except (RuntimeError, MemoryError, OverflowError) as error:
        raise InputError(f"the {kind} policy cannot be made: {error}") from error
