"""The named recipes of the music tasks; the first of a task is its default."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.runs.recipe import Recipe, RewardEntry

MELODY_REWARD = {
    "repetition": 20.0,
    "out_of_key": 30.0,
    "doubled_leaps": 10.0,
    "leaps": 2.0,
    "unique_high": 1.0,
    "unique_low": 1.2,
    "cadence": 1.0,
    "contour": 1.5,
    "density_target": 0.5,
    "chord_tones": 2.0,
    "autocorrelation": 0.04,
    "variety": 0.3,
    "repeated_motif": 5.0,
}

COPYING = {"kind": "gru", "copy": True}
"""The network of melodies: tunes repeat themselves, so the head may point at what stood bars ago."""

VARY_REWARD = {
    **MELODY_REWARD,
    "doubled_leaps": 15.0,
    "leaps": 7.0,
    "autocorrelation": 0.1,
    "variety": 0.7,
    "repeated_motif": 6.0,
}
"""Of the last two minutes: what tuning has taken of the melodies' variety comes back."""


def infill_recipes() -> Mapping[str, Recipe]:
    """`default`: the shipped prior, tuned on stretches of tunes with open bars."""
    name = "music/infill"
    reward = {key: weight for key, weight in MELODY_REWARD.items() if key not in ("variety",)}
    return {
        "default": Recipe(
            task=name,
            summary="The prior of melodies, tuned to fill in.",
            algorithm="sequence",
            budget="8m",
            network=COPYING,
            inputs={"prior": "music/melody-prior"},
            reward=tuple(RewardEntry(term=term, weight=weight) for term, weight in reward.items()),
            learner={"prompts": 32, "group": 8, "beta": 0.1},
        )
    }


LEAD_REWARD = {
    "note_in_chord": 6.0,
    "covered": 2.0,
    "close": 0.5,
    "chord_variety": 2.0,
    "chords_apart": 4.0,
}


def lead_recipes() -> Mapping[str, Recipe]:
    """`default`: chords as the corpus has them, then tuned to fit the melody and to vary."""
    name = "music/leadsheet"
    network = {"kind": "gru", "hidden": 160, "embed": 32, "encoder": 64}
    prior = Recipe(
        task=name,
        name="prior",
        summary="How melodies are harmonised, by maximum likelihood.",
        algorithm="likelihood",
        budget="4m",
        network=network,
        learner={"dropout": 0.4, "batch_size": 32},
    )
    tune = Recipe(
        task=name,
        name="tune",
        summary="Chords that fit, close and vary, by RLOO under a price on leaving the prior.",
        algorithm="sequence",
        budget="4m",
        network=network,
        inputs={"prior": "stage:prior"},
        reward=tuple(RewardEntry(term=term, weight=weight) for term, weight in LEAD_REWARD.items()),
        learner={"prompts": 24, "group": 8, "beta": 0.1},
    )
    return {
        "default": Recipe(
            task=name, summary="A prior, then tuned near it.", stages=(prior, tune), budget="8m"
        )
    }


def melody_recipes() -> Mapping[str, Recipe]:
    """`default`: a prior of folk tunes, then tuned near it in two stages; `tune`: from the shipped prior."""
    name = "music/melody"
    prior = Recipe(
        task=name,
        name="prior",
        summary="What folk tunes are like, by maximum likelihood.",
        algorithm="likelihood",
        budget="14m",
        threads=1,
        network=COPYING,
    )
    tune = Recipe(
        task=name,
        name="tune",
        summary="Rules, endings and what is asked, by RLOO under a price on leaving the shipped prior.",
        algorithm="sequence",
        budget="14m",
        threads=1,
        network=COPYING,
        inputs={"prior": "music/melody-prior"},
        reward=tuple(RewardEntry(term=term, weight=weight) for term, weight in MELODY_REWARD.items()),
        learner={"prompts": 32, "group": 8, "beta": 0.1, "learning_rate": 6e-4, "learning_rate_end": 5e-5},
    )
    judge = Recipe(
        task=name,
        name="judge",
        summary="A model of the tunes that no prior learns from: it judges, and never rewards.",
        algorithm="likelihood",
        budget="6m",
        network={"kind": "gru", "hidden": 128, "embed": 32},
        env={"split": "judge", "locks": 0.0},
        learner={"dropout": 0.25},
    )
    vary = tune.model_copy(
        update={
            "name": "vary",
            "summary": "On from there, with more weight on variety.",
            "budget": "95s",
            "inputs": {"prior": "stage:prior", "init": "stage:tune"},
            "reward": tuple(RewardEntry(term=term, weight=weight) for term, weight in VARY_REWARD.items()),
            "learner": {**tune.learner, "learning_rate": 5e-4},
        }
    )
    stages = (prior, tune.model_copy(update={"inputs": {"prior": "stage:prior"}}), vary)
    whole = Recipe(task=name, summary="A prior, then tuned near it.", stages=stages, budget="30m")
    return {"default": whole, "tune": tune, "prior": prior, "judge": judge, **_textbook(name)}


def _textbook(name: str) -> Mapping[str, Recipe]:
    """`dqn`: RL Tuner's method and reward, log p + rules / c with c = .5; `q`: a table, the simplest case."""
    paper = (RewardEntry(term="likelihood", weight=1.0), RewardEntry(term="rl_tuner", weight=2.0))
    dqn = Recipe(
        task=name,
        name="dqn",
        summary="RL Tuner: two bars token by token, by DQN on the prior's likelihood and the paper's rules.",
        algorithm="dqn",
        budget="5m",
        reward=paper,
        request={"bars": 2, "metre": "4/4"},
        learner={"gamma": 0.9, "n_step": 4, "learning_rate": 3e-4, "chunk": 2048, "train_every": 8},
        network={"kind": "mlp", "hidden": (256, 128)},
    )
    q = Recipe(
        task=name,
        name="q",
        summary="Two bars from a table of steps and notes: Q-learning at its simplest.",
        algorithm="tabular-q",
        budget="2m",
        reward=(RewardEntry(term="rl_tuner"), RewardEntry(term="cadence", weight=2.0)),
        request={"bars": 2, "metre": "4/4", "key": "C major", "low": 60, "high": 76},
        env={"sight": "table"},
    )
    return {"dqn": dqn, "q": q}
