"""Expert iteration on a puzzle whose best policy is known: flip the bits that differ from the goal."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from gymnasium import spaces

from plaudit.engine.expert import ExpertConfig, ExpertIteration
from plaudit.engine.learner import UnitWeights
from plaudit.engine.memory import SolutionMemory
from plaudit.engine.nets.mlp import MLPConfig
from plaudit.engine.random import splitmix
from plaudit.engine.search import Beam, BeamConfig, Solution, pruned
from plaudit.errors import InputError

BITS = 8
WEIGHTS = np.ones(1)


class Bits:
    """Turn one row of bits into another, one flip at a time."""

    observation_space = spaces.Box(0.0, 1.0, (2 * BITS,), np.float32)
    action_space = spaces.Discrete(BITS)
    actions = BITS
    table = splitmix(np.arange(BITS, dtype=np.uint64))

    def fresh(self, count, random):
        drawn = random.integers(0, 2, (2, count, BITS))
        same = (drawn[0] == drawn[1]).all(1)
        drawn[0, same, 0] ^= 1
        return {"now": drawn[0], "start": drawn[0].copy(), "goal": drawn[1]}

    def observe(self, at):
        wrong = at["now"] != at["goal"]
        return torch.from_numpy(np.concatenate([at["now"], wrong], 1).astype(np.float32))

    def distance(self, at):
        return (at["now"] != at["goal"]).sum(1).astype(float)

    def columns(self, at):
        return -self.distance(at)[:, None]

    def prospects(self, at, actions, weights):
        wrong = np.take_along_axis(at["now"] != at["goal"], actions, 1)
        distance = self.distance(at)[:, None] + np.where(wrong, -1.0, 1.0)
        return distance, -weights[0] * distance

    def keys(self, at, actions):
        now = np.bitwise_xor.reduce(np.where(at["now"] == 1, self.table, np.uint64(0)), axis=1)
        return now[:, None] ^ self.table[actions]

    def allowed(self, at):
        return np.ones((len(at["now"]), self.actions), bool)

    def chances(self, at):
        return None

    def reverts(self, at, actions):
        return np.take_along_axis(at["now"] != at["start"], actions, 1)

    def act(self, at, actions):
        rows = np.flatnonzero(actions >= 0)
        at["now"][rows, actions[rows]] ^= 1

    def undoing(self, at, origin, actions):
        return actions

    def matters(self, actions):
        cells, count = np.unique(actions, return_counts=True)
        return cells[count % 2 == 1]

    def mirror(self, at, weights, random):
        return at, weights


CONFIG = ExpertConfig(
    beam=BeamConfig(problems=6, width=2, children=3, depth=12),
    exhaustive=40,
    searches=4,
    updates=10,
    memory=300,
    batch_size=32,
    rows=8,
    horizon=12,
)


class Env:
    """An environment that offers its simulator, which is all that expert iteration asks of it."""

    def simulator(self):
        return Bits()


def learner(seed=0, config=CONFIG):
    return ExpertIteration(Env(), UnitWeights(("closeness",)), config, MLPConfig(hidden=(64,)), seed)


def test_the_beam_finds_shortest_solutions_with_an_exact_guide():
    puzzle, random = Bits(), np.random.default_rng(0)
    every = np.arange(BITS)

    def guide(at):
        tiled = np.tile(every, (len(at["now"]), 1))
        return puzzle.prospects(at, tiled, WEIGHTS)[1].astype(np.float32)

    beam = Beam(puzzle, lambda n: puzzle.fresh(n, random), CONFIG.beam, random)
    found = [s for _ in range(12) for s in beam.step(guide, WEIGHTS)]
    assert len(found) >= 6
    for solution in found:
        assert len(solution.actions) == puzzle.distance(solution.origin)[0]
        for action in solution.actions:
            puzzle.act(solution.origin, np.array([action]))
        assert puzzle.distance(solution.origin)[0] == 0


def test_the_policy_solves_unseen_puzzles_without_search():
    one = learner()
    before = solved_share(one)
    for i in range(40):
        one.share = i / 40
        one.step()
    assert before < 0.3
    assert solved_share(one) > 0.95


def test_without_exhaustive_search_a_given_policy_guides_from_the_first_step_on():
    untaught = learner(config=replace(CONFIG, exhaustive=0, searches=1))
    row = untaught.step()  # no problem is solved by then: nothing to imitate, and no error
    assert row["solutions"] == 0 and "loss" not in row
    taught = learner()
    for i in range(40):
        taught.share = i / 40
        taught.step()
    given = learner(seed=1, config=replace(CONFIG, exhaustive=0))
    given.load_state_dict(given.state_dict(), taught.policy().tensors())
    rows = [given.step() for _ in range(6)]
    assert rows[-1]["solutions"] > 20 and "loss" in rows[-1]
    assert solved_share(given) > 0.95


@pytest.mark.parametrize(("name", "value"), [("exhaustive", -1), ("searches", 0), ("batch_size", 0)])
def test_settings_out_of_range_are_named(name, value):
    with pytest.raises(InputError, match=f"{value}") as caught:
        replace(CONFIG, **{name: value})
    assert caught.value.place == f"learner.{name}"


def solved_share(one):
    puzzle, random = Bits(), np.random.default_rng(99)
    at = puzzle.fresh(200, random)
    for _ in range(BITS):
        action = one.policy().act(puzzle.observe(at))[0].numpy()
        puzzle.act(at, np.where(puzzle.distance(at) > 0, action, -1))
    return float((puzzle.distance(at) == 0).mean())


@pytest.mark.parametrize("steps", [1, 12])
def test_resume_is_exact(steps):
    one, two = learner(3), learner(4)
    for _ in range(steps):
        one.step()
    two.load_state_dict(copy.deepcopy(one.state_dict()), one.policy().tensors())
    for _ in range(3):
        assert one.step() == two.step()
    for name, tensor in one.policy().tensors().items():
        assert torch.equal(tensor, two.policy().tensors()[name])


def test_the_target_is_half_the_next_action_and_half_all_that_matter():
    memory = SolutionMemory(4, 6)
    origin = {
        "now": np.zeros((1, BITS), int),
        "start": np.zeros((1, BITS), int),
        "goal": np.ones((1, BITS), int),
    }
    memory.add([Solution(origin, origin, np.array([5, 2, 2, 1]))])
    _, weights = memory.draw(Bits(), 64, np.random.default_rng(0))
    rows = {tuple(np.round(row, 4)) for row in weights}
    at_first = np.zeros(BITS)
    at_first[[1, 5]] = 0.25  # the two flips of bit 2 undo each other
    at_first[5] += 0.5
    assert tuple(np.round(at_first, 4)) in rows
    last = np.zeros(BITS)
    last[1] = 1.0
    assert tuple(last) in rows


def test_the_terms_shown_are_what_search_chose_the_solutions_by():
    class Half(UnitWeights):
        def weights(self, progress):
            return np.full(1, 0.5)

    class Offset(Bits):
        def columns(self, at):
            return 3.0 - self.distance(at)[:, None]

    env = Env()
    env.simulator = Offset
    one = ExpertIteration(env, Half(("closeness",)), CONFIG, MLPConfig(hidden=(64,)), 5)
    shown = [row for row in (one.step() for _ in range(4)) if "terms" in row]
    assert shown
    for row in shown:
        assert row["terms"]["closeness"] == {"raw": 3.0, "weight": 0.5, "weighted": 1.5}
        assert row["return"] == 1.5


def test_needless_edits_are_left_out():
    class Loose(Bits):
        """Solved as soon as one bit is right, so that every other edit is needless."""

        def prospects(self, at, actions, weights):
            distance = np.maximum(super().prospects(at, actions, weights)[0] - (BITS - 1), 0)
            # All equally free: the low bits are worth less, so they go last.
            return distance, -at["now"].sum(1)[:, None] + 0.1 * actions

    zeros, ones = np.zeros((1, BITS), int), np.ones((1, BITS), int)
    origin = {"now": zeros, "start": zeros.copy(), "goal": ones}
    end = {**origin, "now": np.array([[1, 1, 1, 0, 0, 0, 0, 0]])}
    short = pruned(Loose(), Solution(origin, end, np.array([0, 4, 4, 1, 2])), WEIGHTS)
    assert short.actions.tolist() == [0]
    assert short.end["now"].tolist() == [[1, 0, 0, 0, 0, 0, 0, 0]]
