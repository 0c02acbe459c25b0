"""The named recipes of `image/picture`; the first is the default."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.runs.recipe import Recipe, RewardEntry

_NETWORK = {"kind": "unet", "width": 32, "levels": [1, 2]}
"""376,000 weights for 28 x 28 grey: the widest maps have a quarter of the pixels."""
_SAMPLER = {"steps": 20, "guidance": 0.15}
_REWARD = (RewardEntry(term="class_probability"), RewardEntry(term="fidelity", weight=0.5))


def picture_recipes() -> Mapping[str, Recipe]:
    """A flow learned and then tuned by reward (default), the learning alone, the tuning alone."""
    flow = Recipe(
        task="image/picture",
        name="flow",
        summary="A flow learned from the pictures, then tuned towards clear and typical ones near it.",
        budget="6m",
        reward=_REWARD,
        env={"pictures": "glyphs"},
        stages=(_base("4m"), _tune("2m")),
    )
    own = {"env": {"pictures": "glyphs"}}
    base = _base("15m").model_copy(update=own)
    # What it is tuned from is given: --init RUN.
    tune = _tune("2m").model_copy(update={**own, "inputs": {}})
    return {"flow": flow, "base": base, "tune": tune}


def _base(budget: str) -> Recipe:
    return Recipe(
        task="image/picture",
        name="base",
        summary="A flow learned from the pictures, with their classes.",
        algorithm="flow-matching",
        budget=budget,
        # Nothing is learned from it here: it is what best-of-n chooses by.
        reward=_REWARD,
        network=_NETWORK,
        learner={"batch_size": 64, "sampler": _SAMPLER},
    )


def _tune(budget: str) -> Recipe:
    return Recipe(
        task="image/picture",
        name="tune",
        summary="The reward's gradient through the drawing; every step away from the base costs.",
        algorithm="flow",
        budget=budget,
        reward=_REWARD,
        network=_NETWORK,
        learner={
            "method": "pathwise",
            "requests": 8,
            "group": 4,
            "steps": 10,
            "beta": 0.1,
            "learning_rate": 1e-4,
            "learning_rate_end": 1e-5,
            "precision": "bf16",
            "guidance": 0.15,
            "sampler": _SAMPLER,
        },
        inputs={"init": "stage:base"},
    )
