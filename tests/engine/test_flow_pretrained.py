"""Pipelines of diffusers as flows: time and predictions, adapters, tuning, what is stored and refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from plaudit.engine import policies
from plaudit.engine.flow.model import FlowShape
from plaudit.engine.flow.pretrained.clock import Clock
from plaudit.engine.flow.pretrained.lora import LoraFlow
from plaudit.engine.flow.pretrained.pipeline import Parts, open_pipeline
from plaudit.engine.flow.pretrained.policy import LoraPolicy
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.sampling import Sampler, solve
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.learner import UnitWeights
from plaudit.errors import InputError

diffusers = pytest.importorskip("diffusers")
pytest.importorskip("peft")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def parts() -> Parts:
    return open_pipeline("tiny")


def make(parts: Parts) -> LoraFlow:
    model = LoraFlow(parts, ["a cat", "a dog"], 4)
    model.initialise(torch.Generator().manual_seed(0))
    return model


def noise(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
def test_every_prediction_holds_the_velocity(prediction: str) -> None:
    scheduler = diffusers.DDIMScheduler(prediction_type=prediction)
    clock = Clock.of(dict(scheduler.config), scheduler.alphas_cumprod)
    data, eps = noise(5, 1).double(), noise(5, 2).double()
    t = torch.tensor([0.05, 0.2, 0.5, 0.8, 0.95]).double()
    x = t.view(-1, 1, 1, 1) * data + (1 - t.view(-1, 1, 1, 1)) * eps
    moment = clock.at(t)
    shown = moment.shown(x, t)
    a, s = moment.keep.view(-1, 1, 1, 1), moment.noise.view(-1, 1, 1, 1)
    assert torch.allclose(shown, a * data + s * eps, atol=1e-5)
    told = {"epsilon": eps, "sample": data, "v_prediction": a * eps - s * data}[prediction]
    assert torch.allclose(clock.velocity(told, shown, moment), data - eps, atol=1e-4)


def test_timesteps_are_the_schedulers() -> None:
    scheduler = diffusers.DDIMScheduler()
    clock = Clock.of(dict(scheduler.config), scheduler.alphas_cumprod)
    a = scheduler.alphas_cumprod.double().sqrt()
    t = a / (a + (1 - scheduler.alphas_cumprod.double()).sqrt())
    assert torch.allclose(clock.at(t).timestep, torch.arange(1000).double(), atol=1e-3)


def test_flow_schedulers_count_the_other_way() -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    clock = Clock.of(dict(scheduler.config), None)
    moment = clock.at(torch.tensor([0.0, 0.25]))
    assert moment.timestep.tolist() == [1000.0, 750.0]
    assert torch.equal(clock.velocity(torch.ones(2, 3), torch.zeros(2, 3), moment), -torch.ones(2, 3))


def test_one_step_is_the_librarys_ddim_step(parts: Parts) -> None:
    """DDIM is Euler's rule in these coordinates, so that the library's sampler is the reference."""
    model, scheduler = make(parts), parts.pipe.scheduler
    scheduler.set_timesteps(5)
    now, then = (int(k) for k in scheduler.timesteps[1:3])
    shown, label = noise(2), torch.tensor([0, 1])
    with torch.no_grad():
        told = parts.network(shown, now, encoder_hidden_states=model.encoded["encoder_hidden_states"][:2])[0]
        theirs = scheduler.step(told, now, shown).prev_sample
        ab = scheduler.alphas_cumprod[[now, then]]
        both = ab.sqrt() + (1 - ab).sqrt()
        t, t_next = (float(value) for value in ab.sqrt() / both)
        x = shown / both[0]
        ours = (x + (t_next - t) * model.velocity(x, t, label)) * both[1]
    assert torch.allclose(ours, theirs, atol=2e-4)


def test_copies_share_the_denoiser_and_own_their_adapters(parts: Parts) -> None:
    model = make(parts)
    base = copy.deepcopy(model)
    before = base.velocity(noise(2), 0.4, torch.tensor([0, 1])).detach()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3)
    assert base.parts is model.parts
    assert torch.equal(base.velocity(noise(2), 0.4, torch.tensor([0, 1])), before)
    assert not torch.allclose(model.velocity(noise(2), 0.4, torch.tensor([0, 1])), before)
    assert sum(p.numel() for p in model.parameters()) < 10_000


def test_prompts_matter_and_none_is_the_empty_one(parts: Parts) -> None:
    model = make(parts)
    x = noise(1).expand(3, -1, -1, -1)
    one, other, none = model.velocity(x, 0.4, torch.tensor([0, 1, -1])).detach()
    assert not torch.allclose(one, other)
    empty = LoraFlow(parts, [""], 4)
    empty.initialise(torch.Generator().manual_seed(0))
    assert torch.allclose(empty.velocity(x[:1], 0.4, torch.tensor([0]))[0], none, atol=1e-5)


class Bright:
    """The mean of red, on pictures that the pipeline has decoded."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.shape = parts, FlowShape(parts.size, 2)

    def draw(self, n: int, random: np.random.Generator) -> Tensor:
        return torch.from_numpy(random.integers(0, 2, n))

    def value(self, label: Tensor | None, images: Tensor) -> Tensor:
        return self.parts.decode(images)[:, :1].mean((1, 2, 3))[:, None]

    def score(self, label: Tensor | None, images: Tensor) -> Any:
        with torch.no_grad():
            return self.value(label, images).double().numpy()


@pytest.mark.parametrize("method", ["pathwise", "grpo"])
def test_the_learner_of_flows_tunes_adapters(parts: Parts, method: str) -> None:
    config = FlowRewardConfig(
        method=method,  # type: ignore[arg-type]
        requests=2,
        group=4,
        steps=4,
        window=2,
        beta=0.0,
        learning_rate=2e-2,
        learning_rate_end=2e-2,
    )
    source = Bright(parts)
    learner = FlowReward(source, UnitWeights(("bright",)), config, LoraFlow(parts, ["a", "b"], 4), 0)
    rows = [learner.step() for _ in range(8)]
    if method == "grpo":
        assert rows[0]["ratio_error"] < 1e-5
    start, label = noise(16, 7), torch.arange(16) % 2
    before, after = (
        source.score(label, solve(model, start, label, Sampler(4))).mean()  # type: ignore[arg-type]
        for model in (learner.tuned.base, learner.tuned.model)
    )
    assert after > before + 0.01


def test_stored_policies_draw_the_same(parts: Parts) -> None:
    model = make(parts)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1)
    policy = LoraPolicy(model, Sampler(3))
    described = json.loads(json.dumps(policy.describe()))
    again = policies.build(described, policy.tensors())
    label = torch.tensor([0, 1, 0, 1, 0])
    made = policy.draw(noise(5), label)
    assert made.shape == (5, 3, 16, 16)
    assert torch.equal(again.draw(noise(5), label), made)  # type: ignore[attr-defined]
    assert torch.equal(policy.draw(noise(5)[:2], label[:2]), made[:2])


def test_a_saved_pipeline_is_read_and_others_are_refused(tmp_path: Path) -> None:
    place, parts = tmp_path / "pipe", open_pipeline("tiny")
    parts.pipe.save_pretrained(place, safe_serialization=True)
    read = open_pipeline(str(place))
    assert read.size == parts.size
    index = place / "model_index.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps({**told, "unet": ["my_code", "Net"]}))
    with pytest.raises(InputError, match="my_code"):
        open_pipeline(str(place))
    index.write_text(json.dumps({**told, "_class_name": "EvilPipeline"}))
    with pytest.raises(InputError, match="EvilPipeline"):
        open_pipeline(str(place))
    index.write_text("{")
    with pytest.raises(InputError, match="no index"):
        open_pipeline(str(place))
    with pytest.raises(InputError, match="no folder"):
        open_pipeline("someone/some-model")
