"""The named recipes of `image/picture` whose generators draw in one step: adversarial, and autoencoding."""

from __future__ import annotations

from typing import Any

from plaudit.runs.recipe import Recipe, RewardEntry

_NETWORK = {"kind": "generator", "latent": 32, "widths": [96, 48]}
_LEARNED = {**_NETWORK, "latent": 16, "prior": 4}
"""Draws of N(0, 1) are often no latents of pictures; those of a learned prior are."""
_REWARD = (RewardEntry(term="class_probability"), RewardEntry(term="fidelity", weight=0.5))
_PICTURES = {"pictures": "glyphs"}


def one_step_recipes() -> dict[str, Recipe]:
    """A game with a reward term, and an autoencoder whose latents a policy chooses."""
    gan = Recipe(
        task="image/picture",
        name="gan",
        summary="Generator against critic; then a reward term too, as far as the distance to the set allows.",
        budget="6m",
        reward=_REWARD,
        env=_PICTURES,
        stages=(_game("4m"), _paid("2m")),
    )
    vae = Recipe(
        task="image/picture",
        name="vae",
        summary="An autoencoder of the pictures; then a policy chooses its latents by reward.",
        budget="5m",
        reward=_REWARD,
        env=_PICTURES,
        stages=(_autoencoder("4m"), _choice("1m")),
    )
    return {"gan": gan, "vae": vae}


def _stage(name: str, summary: str, algorithm: str, budget: str, **rest: Any) -> Recipe:
    return Recipe(
        task="image/picture",
        name=name,
        summary=summary,
        algorithm=algorithm,
        budget=budget,
        **{"network": _NETWORK, **rest},
    )


def _game(budget: str) -> Recipe:
    summary = "A generator and a critic, relativistic with R1 and R2."
    return _stage("game", summary, "gan", budget, learner={"precision": "bf16"})


def _paid(budget: str) -> Recipe:
    learner = {
        "precision": "bf16",
        "learning_rate": 2e-4,
        "learning_rate_end": 5e-5,
        "gamma": 0.1,
        "reward": {
            "method": "pathwise",
            "schedule": "dual",
            "weight": 0.02,
            "ramp": [0.05, 0.1],
            "slack": 0.1,
            "judge_every": 20_000,
        },
    }
    summary = "The game goes on, with as much reward as the distance to the set allows."
    rest = {"reward": _REWARD, "inputs": {"init": "stage:game"}}
    return _stage("paid", summary, "gan", budget, learner=learner, **rest)


def _autoencoder(budget: str) -> Recipe:
    summary = "An encoder and a generator that climb the evidence's bound."
    return _stage("vae", summary, "vae", budget, learner={"precision": "bf16"}, network=_LEARNED)


def _choice(budget: str) -> Recipe:
    learner = {"method": "pathwise", "policy": "network", "kl_target": 4.0, "precision": "bf16"}
    rest = {"reward": _REWARD, "inputs": {"init": "stage:vae"}, "network": _LEARNED}
    summary = "A policy chooses latents by reward, some nats from the prior."
    return _stage("latent", summary, "latent", budget, learner=learner, **rest)
