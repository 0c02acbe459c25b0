"""The named recipes of `image/paint`; the first is the default."""

from __future__ import annotations

from collections.abc import Mapping

from plaudit.runs.recipe import Recipe, RewardEntry


def paint_recipes() -> Mapping[str, Recipe]:
    """The gradient through the drawing (default), PPO with bent strokes, DQN with pen moves."""
    reward = (RewardEntry(term="error", weight=10.0),)
    model = Recipe(
        task="image/paint",
        name="model",
        summary="Eight strokes at once, learned by the gradient through the drawing itself.",
        algorithm="pathwise",
        budget="10m",
        reward=reward,
        network={"kind": "mlp", "hidden": [384, 384]},
        learner={"batch_size": 64, "learning_rate": 1e-3},
        env={"tool": "brush", "strokes": 8, "bundle": 8},
    )
    ppo = Recipe(
        task="image/paint",
        name="ppo",
        summary="Ten strokes in two actions: begun by the gradient, then tuned by PPO.",
        reward=reward,
        budget="15m",
        stages=(_prior(reward), _tune(reward)),
    )
    dqn = Recipe(
        task="image/paint",
        name="dqn",
        summary="Double DQN with moves of a pen, which sees what is around it.",
        algorithm="dqn",
        # Steps, not minutes: a budget of steps and a seed fix every byte, however busy the machine is.
        budget="1500000",
        reward=(RewardEntry(term="error", weight=100.0),),
        network={"kind": "mlp", "hidden": [256, 256]},
        learner={
            "buffer_size": 300_000,
            "batch_size": 128,
            "train_every": 32,
            "learning_rate": 5e-4,
            "learning_rate_end": 1e-5,
            "gamma": 0.8,
            "n_step": 2,
            "epsilon_start": 0.5,
            "epsilon_end": 0.02,
            "epsilon_until": 0.2,
            "target_period": 500,
            "chunk": 6400,
        },
        env={"tool": "pen", "sight": "near", "copies": 64},
    )
    return {"model": model, "ppo": ppo, "dqn": dqn, "strokes": _strokes(), "free": _free()}


def _strokes() -> Recipe:
    """How people draw, with the pen: alone, or as what `dqn` begins from (`--init`)."""
    return Recipe(
        task="image/paint",
        name="strokes",
        summary="Strokes in people's order, imitated with the pen: what dqn may begin from.",
        algorithm="imitation",
        budget="3m",
        reward=(RewardEntry(term="error", weight=100.0),),
        network={"kind": "mlp", "hidden": [256, 256]},
        learner={"gamma": 0.8},
        env={"tool": "pen", "sight": "near", "copies": 64},
    )


def _free() -> Recipe:
    """Drawings of a class, with no picture to copy."""
    return Recipe(
        task="image/paint",
        name="free",
        summary="A digit of the class you ask for, drawn freely in six strokes, by the gradient.",
        algorithm="pathwise",
        budget="5m",
        reward=(RewardEntry(term="unlike", weight=20.0), RewardEntry(term="legible", weight=0.02)),
        network={"kind": "mlp", "hidden": [256, 256]},
        learner={"batch_size": 192, "learning_rate": 2e-3, "updates": 8},
        env={"tool": "brush", "strokes": 6, "bundle": 6},
    )


_TWO_ACTIONS = {"tool": "brush", "strokes": 10, "bundle": 5}
_NARROW = {"kind": "mlp", "hidden": [176, 256]}


def _prior(reward: tuple[RewardEntry, ...]) -> Recipe:
    """What PPO begins from: the gradient through the drawing, on the same pictures."""
    return Recipe(
        task="image/paint",
        name="prior",
        summary="Ten strokes in two actions, by the gradient through the drawing.",
        algorithm="pathwise",
        budget="100000",
        reward=reward,
        network=_NARROW,
        # Deviations of a pixel or so: PPO looks around what is known.
        learner={"along": 0.3, "log_std": -3.0},
        env=_TWO_ACTIONS,
    )


def _tune(reward: tuple[RewardEntry, ...]) -> Recipe:
    """PPO from the prior."""
    return Recipe(
        task="image/paint",
        name="tune",
        summary="PPO from what the prior can do, on the pictures that are to be painted.",
        algorithm="ppo",
        budget="100000",
        reward=reward,
        # What is left at the end differs less from picture to picture than what was taken away: the advantage
        # of an action is seen long before the values are good.
        form="end",
        network=_NARROW,
        learner={
            "n_steps": 2,
            # All of a rollout at once: the signal of one episode is small, and a second step of the same size
            # would leave the policy that was played.
            "batch_size": 4096,
            "epochs": 4,
            # Actions have 40 numbers of small deviation: a larger step leaves what the prior knows.
            "learning_rate": 1e-5,
            "learning_rate_end": 2e-6,
            "target_kl": 0.05,
            "gamma": 1.0,
            "lam": 1.0,
            "value_coef": 0.1,
            "shared": True,
        },
        env={**_TWO_ACTIONS, "copies": 2048},
        inputs={"init": "stage:prior"},
    )
