"""Pipelines of diffusers as a task: tuned by a reward, sampled for any prompt, stored and given back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from plaudit.domains import get_task
from plaudit.domains.image.diffusers_judge import judge_prompted
from plaudit.domains.image.diffusers_request import DiffusersRequest
from plaudit.domains.image.diffusers_training import DiffusersConfig, parts_of
from plaudit.engine.flow.pretrained.pipeline import open_pipeline
from plaudit.engine.flow.pretrained.policy import LoraPolicy
from plaudit.errors import Infeasible, InputError
from plaudit.runs.recipe import RewardEntry
from plaudit.task import Item

pytest.importorskip("diffusers")
pytest.importorskip("peft")
LEARNER = {
    "method": "pathwise",
    "requests": 2,
    "group": 4,
    "steps": 4,
    "last": 2,
    "beta": 0.0,
    "learning_rate": 5e-2,
    "learning_rate_end": 5e-2,
    "sampler": {"steps": 4},
}


@pytest.fixture(scope="module")
def policy() -> LoraPolicy:
    """A pipeline tuned towards dark pictures."""
    task = get_task("image/diffusers")
    recipe = task.recipes()["pathwise"].model_copy(
        update={"reward": (RewardEntry(term="ink"),), "learner": LEARNER}
    )
    learner: Any = task.build(recipe, {})
    for _ in range(12):
        learner.step()
    return learner.policy()


def test_a_pipeline_follows_its_reward(policy: LoraPolicy) -> None:
    task = get_task("image/diffusers")
    requests = task.requests(12, 3, DiffusersRequest(steps=4))
    seeds = list(range(50, 62))
    ours = [item.content.mean() for item in task.generate(policy, requests, seeds)]
    came = [item.content.mean() for item in task.baselines()["heuristic"](requests, seeds)]
    assert np.mean(ours) < np.mean(came) - 5


def test_prompts_that_training_did_not_see_are_drawn(policy: LoraPolicy) -> None:
    requests = [DiffusersRequest(prompt=text, steps=3) for text in ("a tree", "a tree", "a house", "")]
    items = list(get_task("image/diffusers").generate(policy, requests, [1, 1, 1, 1]))
    assert np.array_equal(items[0].content, items[1].content)
    assert not np.array_equal(items[0].content, items[2].content)
    assert not np.array_equal(items[0].content, items[3].content)


def test_the_library_takes_the_weights(policy: LoraPolicy) -> None:
    fresh = open_pipeline("tiny")
    fresh.pipe.load_lora_weights(policy.lora_weights())
    x, t = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([0.5, 0.5])
    moment = fresh.clock.at(t)
    shown = moment.shown(x, t)
    asked = policy.model.encoded["encoder_hidden_states"][:2]
    with torch.no_grad():
        told = fresh.network(shown, moment.timestep, encoder_hidden_states=asked)[0]
        theirs = fresh.clock.velocity(told, shown, moment)
        ours = policy.model.velocity(x, t, torch.tensor([0, 1]))
        base = open_pipeline("tiny").network(shown, moment.timestep, encoder_hidden_states=asked)[0]
    assert torch.allclose(ours, theirs, atol=1e-3)
    assert not torch.allclose(told, base, atol=1e-3)


def test_what_cannot_be_asked_is_said() -> None:
    task = get_task("image/diffusers")
    with pytest.raises(InputError, match="brightness"):
        task.check_request(DiffusersRequest(target={"brightness": 1.0}))
    with pytest.raises(Infeasible, match="nearest is ink=1"):
        task.check_request(DiffusersRequest(target={"ink": 2.0}))
    for bad, message in (
        ({"prompts": ["a\0b"]}, "lines of text"),
        ({"side": 100_000}, "side"),
        ({"pipeline": "nowhere"}, "no folder"),
    ):
        with pytest.raises(InputError, match=message):
            parts_of(DiffusersConfig(**bad))  # type: ignore[arg-type]


def test_flat_burnt_out_and_repeated_pictures_are_seen() -> None:
    rng = np.random.default_rng(0)
    fine = rng.integers(40, 200, (16, 16, 3), dtype=np.uint8)
    images = [fine, fine.copy(), np.full((16, 16, 3), 128, np.uint8), (fine > 120).astype(np.uint8) * 255]
    found = judge_prompted([Item(image, DiffusersRequest(), 0) for image in images])
    assert found["quality"].tolist() == [1, 1, 0, 0]
    assert found["diversity"].tolist() == [1, 0, 1, 1]


def test_pictures_keep_prompt_and_seed(tmp_path: Path) -> None:
    task, path = get_task("image/diffusers"), tmp_path / "a.png"
    image = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    task.save(Item(image, DiffusersRequest(prompt="a kite"), 7), path)
    again = task.load(path)
    assert (again.request.prompt, again.seed) == ("a kite", 7)
    assert np.array_equal(again.content, image)
