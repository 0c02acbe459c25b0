"""The named recipes of `image/diffusers`; the first is the default."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.runs.recipe import Recipe, RewardEntry


def diffusers_recipes() -> Mapping[str, Recipe]:
    """`grpo` takes any reward; `pathwise` follows the gradient of one that has one."""
    name = "image/diffusers"
    grpo = Recipe(
        task=name,
        name="grpo",
        summary="A pipeline's low-rank weights tuned by any reward: GRPO in a window of steps.",
        algorithm="flow",
        budget="10m",
        reward=(RewardEntry(term="compressibility"),),
        learner={
            "method": "grpo",
            "requests": 2,
            "group": 8,
            "steps": 10,
            "window": 2,
            "chunk": 4,
            "beta": 0.01,
        },
    )
    pathwise = grpo.model_copy(
        update={
            "name": "pathwise",
            "summary": "A pipeline's low-rank weights tuned by the reward's gradient through the last steps.",
            "reward": (RewardEntry(term="colourfulness"),),
            "learner": {
                "method": "pathwise",
                "requests": 2,
                "group": 4,
                "steps": 10,
                "last": 2,
                "chunk": 2,
                "checkpointing": True,
                "beta": 0.01,
                "learning_rate": 1e-3,
                "learning_rate_end": 1e-4,
            },
        }
    )
    return {"grpo": grpo, "pathwise": pathwise}
