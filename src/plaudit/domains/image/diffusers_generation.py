"""From a tuned pipeline to pictures, one generator of random numbers an item; and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import torch

from plaudit.domains.image.diffusers_request import DiffusersRequest
from plaudit.domains.image.diffusers_training import DiffusersConfig, parts_of
from plaudit.domains.image.pictures import as_pixels, from_model
from plaudit.engine.flow.pretrained.lora import LoraFlow
from plaudit.engine.flow.pretrained.policy import LoraPolicy
from plaudit.engine.flow.sampling import Sampler, noise_of
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError
from plaudit.task import Item

Baseline = Callable[[Sequence[DiffusersRequest], Sequence[int]], Iterator[Item]]


def generate_prompted(
    policy: Any, requests: Sequence[DiffusersRequest], seeds: Sequence[int]
) -> Iterator[Item]:
    """Yield one picture `(H, W, C)` uint8 for each request and seed."""
    if not isinstance(policy, LoraPolicy):
        raise InputError("this policy is no tuned pipeline.")
    pairs = list(zip(requests, seeds, strict=True))
    for (steps, guidance), group in groupby(pairs, key=lambda pair: (pair[0].steps, pair[0].guidance)):
        asked = {"steps": steps, "guidance": guidance}
        sampler = replace(policy.sampler, **{name: v for name, v in asked.items() if v is not None})
        yield from _alike(policy, sampler, list(group))


def _alike(
    policy: LoraPolicy, sampler: Sampler, pairs: Sequence[tuple[DiffusersRequest, int]]
) -> Iterator[Item]:
    prompts = list(dict.fromkeys(request.prompt or "" for request, _ in pairs))
    drawer = policy.asked(prompts, sampler)
    number = {prompt: at for at, prompt in enumerate(prompts)}
    for start in range(0, len(pairs), drawer.rows):
        some = pairs[start : start + drawer.rows]
        noise = noise_of(drawer.model.shape, RowRandom(np.array([seed for _, seed in some], np.int64)))
        label = torch.tensor([number[request.prompt or ""] for request, _ in some])
        images = as_pixels(from_model(drawer.draw(noise, label)))
        calls = sampler.steps * (2 if sampler.guidance else 1)
        for image, (request, seed) in zip(images, some, strict=True):
            yield Item(image.copy(), request, int(seed), {"evaluations": calls})


def pipeline_baselines(config: DiffusersConfig) -> Mapping[str, Baseline]:
    """`random`: noise; `heuristic`: the pipeline as it came."""

    def random(requests: Sequence[DiffusersRequest], seeds: Sequence[int]) -> Iterator[Item]:
        channels, height, width = parts_of(config).pixels
        for request, seed in zip(requests, seeds, strict=True):
            values = RowRandom([seed]).uniform(height * width * channels).reshape(height, width, channels)
            yield Item((values * 255).astype(np.uint8), request, int(seed), {"evaluations": 0})

    def heuristic(requests: Sequence[DiffusersRequest], seeds: Sequence[int]) -> Iterator[Item]:
        model = LoraFlow(parts_of(config), (), config.rank)
        model.initialise(torch.Generator().manual_seed(0))
        return generate_prompted(LoraPolicy(model.requires_grad_(False), Sampler()), requests, seeds)

    return {"random": random, "heuristic": heuristic}
