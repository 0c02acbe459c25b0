"""The named recipes of the music tasks; the first of a task is its default."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.runs.recipe import Recipe, RewardEntry

MELODY_REWARD = {
    "repetition": 20.0,
    "out_of_key": 20.0,
    "leaps": 2.0,
    "unique_high": 1.0,
    "unique_low": 1.0,
    "cadence": 1.0,
    "contour": 0.5,
    "density_target": 0.2,
    "chord_tones": 1.0,
}


def melody_recipes() -> Mapping[str, Recipe]:
    """`default`: a prior of folk tunes, then tuned by RLOO near it; `judge`: the frozen judge."""
    name = "music/melody"
    prior = Recipe(
        task=name,
        name="prior",
        summary="What folk tunes are like, by maximum likelihood.",
        algorithm="likelihood",
        budget="14m",
        threads=2,
    )
    tune = Recipe(
        task=name,
        name="tune",
        summary="Rules, endings and what is asked, by RLOO under a price on leaving the prior.",
        algorithm="sequence",
        budget="14m",
        threads=2,
        inputs={"prior": "stage:prior"},
        reward=tuple(RewardEntry(term=term, weight=weight) for term, weight in MELODY_REWARD.items()),
        learner={"prompts": 32, "group": 8, "beta": 0.1},
    )
    judge = Recipe(
        task=name,
        name="judge",
        summary="A model of the tunes that no prior learns from: it judges, and never rewards.",
        algorithm="likelihood",
        budget="6m",
        threads=2,
        network={"hidden": 128, "embed": 32},
        env={"split": "judge", "locks": 0.0},
        learner={"dropout": 0.25},
    )
    return {
        "default": Recipe(
            task=name, summary="A prior, then tuned near it.", stages=(prior, tune), budget="28m"
        ),
        "judge": judge,
    }
