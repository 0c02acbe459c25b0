"""The named recipes of `music/chorale`; the first is its default."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.runs.recipe import Recipe, RewardEntry

CHORALE_REWARD = {
    "clean": 2.0,
    "parallels": 20.0,
    "crossing": 6.0,
    "direct": 4.0,
    "overlap": 2.0,
    "spacing": 2.0,
    "doubled_leading_tone": 4.0,
    "leading_tone": 1.0,
    "sevenths": 2.0,
    "chords": 4.0,
    "cadence": 3.0,
    "close": 0.5,
    "leaps": 6.0,
    "movement_target": 1.0,
}


def chorale_recipes() -> Mapping[str, Recipe]:
    """`default`: a prior of Bach's chorales, then tuned by RLOO near it; `judge`: the frozen judge."""
    name = "music/chorale"
    prior = Recipe(
        task=name,
        name="prior",
        summary="What Bach's chorales are like, by maximum likelihood.",
        algorithm="likelihood",
        budget="10m",
        learner={"batch_size": 32, "dropout": 0.25},
    )
    tune = Recipe(
        task=name,
        name="tune",
        summary="Voice leading, cadences and what is asked, by RLOO under a price on leaving the prior.",
        algorithm="sequence",
        budget="10m",
        inputs={"prior": "stage:prior"},
        reward=tuple(RewardEntry(term=term, weight=weight) for term, weight in CHORALE_REWARD.items()),
        learner={"prompts": 8, "group": 8, "beta": 0.1},
    )
    judge = Recipe(
        task=name,
        name="judge",
        summary="A model of the chorales that no prior learns from: it judges, and never rewards.",
        algorithm="likelihood",
        budget="5m",
        network={"kind": "gru", "hidden": 128, "embed": 24},
        env={"split": "judge", "locks": 1.0},
        learner={"batch_size": 32, "dropout": 0.35},
    )
    return {
        "default": Recipe(
            task=name, summary="A prior of Bach, then tuned near it.", stages=(prior, tune), budget="20m"
        ),
        "judge": judge,
    }
