"""From a generator to pictures: seeds, chunks, locks, edits and targets."""

import numpy as np
import pytest
import torch
from PIL import Image

from plaudit.domains.image.picture_generation import ROWS, generate_pictures, way_of
from plaudit.domains.image.picture_judge import statistics_of
from plaudit.domains.image.picture_reference import Facts
from plaudit.domains.image.picture_request import PictureRequest, fitted_file
from plaudit.engine.flow.model import FlowModel, FlowShape
from plaudit.engine.flow.policy import FlowPolicy
from plaudit.engine.flow.sampling import Sampler
from plaudit.engine.nets.unet import UNetConfig
from plaudit.errors import InputError

FACTS = Facts("toy", ("a", "b"), (12, 12, 1), "0" * 64)


@pytest.fixture(scope="module")
def policy():
    """An untrained flow whose velocity depends on place, time and class."""
    model = FlowModel(FlowShape((1, 12, 12), 2), UNetConfig(width=8, levels=(1,), middle=1, condition=8))
    generator = torch.Generator().manual_seed(0)
    model.initialise(generator)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.15 * torch.randn(weight.shape, generator=generator))
    return FlowPolicy(model.eval().requires_grad_(False), Sampler(steps=4))


@pytest.fixture
def start(tmp_path):
    path = tmp_path / "start.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 12), np.uint8)).save(path)
    return str(path)


def made(policy, requests, seeds):
    return [item.content for item in generate_pictures(policy, requests, seeds, FACTS)]


def one(policy, seed=5, **asked):
    return made(policy, [PictureRequest(**{"label": "a", **asked})], [seed])[0]


@pytest.mark.parametrize("kind", ["plain", "steered", "kept", "edited"])
def test_an_item_depends_on_its_own_seed_and_request_alone(policy, start, kind):
    asked = {
        "plain": {},
        "steered": {"target": {"ink": 0.6}},
        "kept": {"start": start, "keep": (0, 0, 6, 6)},
        "edited": {"start": start, "strength": 0.5},
    }[kind]
    requests = [PictureRequest(label=label, **asked) for label in "abba"]
    together = made(policy, requests, [1, 2, 3, 4])
    alone = made(policy, requests[2:3], [3])
    assert (together[2] == alone[0]).all() and not (together[2] == together[1]).all()


def test_items_come_in_the_order_of_their_requests(policy):
    ways = [{}, {"steps": 2}, {}, {"guidance": 1.0}]
    items = list(generate_pictures(policy, [PictureRequest(label="a", **w) for w in ways], range(4), FACTS))
    assert [item.seed for item in items] == [0, 1, 2, 3]
    assert [item.info["evaluations"] for item in items] == [4, 2, 4, 8]


def test_class_steps_and_guidance_reach_the_network(policy):
    plain = one(policy)
    for asked in ({"label": "b"}, {"label": "any"}, {"steps": 9}, {"guidance": 2.0}):
        assert not (one(policy, **asked) == plain).all(), asked


@pytest.mark.parametrize("where", [{"keep": (1, 2, 5, 4)}, {"redraw": (0, 0, 6, 12)}])
def test_what_stays_is_the_same_to_the_byte_and_the_rest_is_new(policy, start, where):
    given = fitted_file(start, FACTS.shape)
    picture = one(policy, start=start, **where)
    kept = np.zeros((12, 12), bool)
    if "keep" in where:
        kept[2:6, 1:6] = True
    else:
        kept[:, 6:] = True
    assert (picture[kept] == given[kept]).all() and (picture[~kept] != given[~kept]).mean() > 0.9


def test_a_weaker_edit_stays_nearer_to_the_start(policy, start):
    given = fitted_file(start, FACTS.shape).astype(float)
    off = [np.abs(one(policy, start=start, strength=s) - given).mean() for s in (0.05, 0.5, 1.0)]
    assert off[0] < off[1] < off[2]


@pytest.mark.parametrize(("name", "value"), [("ink", 0.62), ("contrast", 0.5), ("symmetry", 0.85)])
def test_a_target_pulls_the_statistic_towards_it(policy, name, value):
    plain = statistics_of(one(policy, steps=12)[None])[name][0]
    pulled = statistics_of(one(policy, steps=12, target={name: value})[None])[name][0]
    assert abs(pulled - value) < 0.5 * abs(plain - value)


def test_a_size_of_jpeg_has_no_gradient_and_pulls_nothing():
    assert way_of(PictureRequest(target={"jpeg_kb": 1.0})).plain
    assert not way_of(PictureRequest(target={"ink": 0.3})).plain


class OneStep:
    """A generator without steps, as a GAN's is."""

    def describe(self):
        return {"kind": "generator", "shape": {"classes": 2}}

    def noise(self, random):
        return torch.from_numpy(random.normal(3)).float()

    def draw(self, noise, condition):
        self.rows, self.threads = len(noise), torch.get_num_threads()
        assert ((condition >= 0) & (condition < 2)).all()
        return (noise[:, :1, None, None] + condition.view(-1, 1, 1, 1)).expand(-1, 1, 12, 12).tanh()


def test_a_generator_in_one_step_draws_and_refuses_what_needs_steps(start):
    assert one(OneStep(), label="any").shape == (12, 12, 1)
    assert one(OneStep(), label="b").mean() > one(OneStep(), label="a").mean()
    for asked in ({"steps": 3}, {"guidance": 1.0}, {"start": start}, {"target": {"ink": 0.4}}):
        with pytest.raises(InputError, match="one step"):
            one(OneStep(), **asked)


def test_every_chunk_has_the_same_rows_and_one_thread_whatever_the_process_has():
    drawer, before = OneStep(), torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert len(made(drawer, [PictureRequest(label="a")] * 3, range(3))) == 3
        assert (drawer.rows, drawer.threads, torch.get_num_threads()) == (ROWS, 1, 3)
    finally:
        torch.set_num_threads(before)


def test_a_policy_of_another_size_is_refused(policy):
    other = Facts("toy", ("a", "b"), (28, 28, 1), "0" * 64)
    with pytest.raises(InputError, match="draws pictures"):
        list(generate_pictures(policy, [PictureRequest(label="a")], [0], other))
