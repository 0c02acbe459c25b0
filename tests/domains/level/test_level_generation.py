"""Generation: an item depends on its seed alone, at any size its network reads."""

import numpy as np
import pytest

from plaudit.domains.level.generation import config_for
from plaudit.domains.level.request import LevelRequest
from plaudit.domains.level.task import Maze
from plaudit.errors import Infeasible

TASK = Maze()


def policy_of(recipe="ppo", network=None, **env):
    chosen = TASK.recipes()[recipe]
    update = {"env": {**chosen.env, "copies": 4, "pool": 16, **env}, "network": network or chosen.network}
    return TASK.build(chosen.model_copy(update=update), {}).policy()


def contents(items):
    return [(item.content.tobytes(), item.seed, item.info, item.request) for item in items]


@pytest.mark.parametrize(
    "env", [{}, {"representation": "turtle"}, {"representation": "narrow"}, {"representation": "patch"}]
)
def test_an_item_is_the_same_alone_in_a_batch_and_in_another_order(env):
    network = {"kind": "conv", "channels": 8, "layers": 2, "head": "pooled"} if env else None
    policy = policy_of(network=network, **env)
    n = 70 if not env else 5  # more than one chunk, so that rows go on with other items
    seeds = [3_000_000 + i for i in range(n)]
    requests = [LevelRequest(target=r.target, steps=12) for r in TASK.requests(n, 1, LevelRequest())]
    together = contents(TASK.generate(policy, requests, seeds))
    assert [c[1] for c in together] == seeds
    turned = contents(TASK.generate(policy, requests[::-1], seeds[::-1]))
    assert turned[::-1] == together
    for i in (0, n // 2, n - 1):
        assert contents(TASK.generate(policy, [requests[i]], [seeds[i]])) == [together[i]]


def test_requests_of_many_kinds_come_back_in_order():
    policy = policy_of()
    sizes = [(14, 14), (6, 9), (14, 14), (6, 9), (20, 5)]
    requests = [LevelRequest(size=size, steps=5) for size in sizes]
    items = list(TASK.generate(policy, requests, range(5)))
    assert [item.content.shape[::-1] for item in items] == sizes
    assert all("path" in item.request.target for item in items)
    assert all(item.info["evaluations"] > item.info["steps"] for item in items)


def test_an_item_is_the_nearest_map_of_its_episode():
    policy = policy_of()
    request = LevelRequest(target={"path": 60})
    (item,) = TASK.generate(policy, [request], [4])
    game = TASK.game
    start = next(iter(TASK.baselines()["random"]([request], [4]))).content
    goal = np.array([[60]])
    distance = [game.distance(game.measure(m[None]), goal, (7.0,))[0] for m in (item.content, start)]
    assert distance[0] <= distance[1]
    assert item.info["edits"] == (item.content != start).sum()


def test_a_network_that_reads_one_size_says_so():
    policy = policy_of(network={"kind": "mlp", "hidden": [8]})
    with pytest.raises(Infeasible, match="14x14"):
        list(TASK.generate(policy, [LevelRequest(size="9x9")], [1]))


def test_few_changes_are_kept_to():
    items = list(TASK.generate(policy_of(), [LevelRequest(changes=0.05)] * 3, range(3)))
    assert all(item.info["edits"] <= 10 for item in items)


def test_dqn_policies_make_levels_too():
    items = list(TASK.generate(policy_of("dqn"), [LevelRequest(steps=4)] * 2, [1, 2]))
    assert len(items) == 2


def test_the_representation_is_read_from_the_policy():
    network = {"kind": "conv", "channels": 4, "layers": 1, "head": "pooled"}
    for representation in ("narrow", "turtle"):
        config = config_for(policy_of(network=network, representation=representation), TASK.game)
        assert (config.representation, config.view) == (representation, 27)
    assert config_for(policy_of(), TASK.game).representation == "wide"
    assert config_for(policy_of(representation="patch"), TASK.game).representation == "patch"


def test_weights_to_start_from_are_taken(tmp_path):
    from safetensors.torch import save_file

    recipe = TASK.recipes()["ppo"].model_copy(update={"env": {"copies": 4, "pool": 16}})
    other = TASK.build(recipe.model_copy(update={"seed": 5}), {}).policy().tensors()
    save_file({k: v.contiguous() for k, v in other.items()}, tmp_path / "model.safetensors")
    started = TASK.build(recipe, {"init": tmp_path}).policy().tensors()
    assert all((started[name] == tensor).all() for name, tensor in other.items())
