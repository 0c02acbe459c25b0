"""The one explicit list of algorithms, lazy: listing them imports no torch. To add one, add a line."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from plaudit.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Algorithm:
    """What `plaudit algorithms` says of a learner, and where it and its config live."""

    summary: str
    config: str
    """`module:Class` of the frozen dataclass that `Recipe.learner` fills."""
    learner: str
    """`module:Class`"""
    has_network: bool = True


ALGORITHMS = {
    "tabular-q": Algorithm(
        "Q-learning over a table of states and actions, many replicas at once.",
        "plaudit.engine.tabular:QConfig",
        "plaudit.engine.tabular:TabularQ",
        has_network=False,
    ),
    "dqn": Algorithm(
        "Q-learning with a network and a replay buffer: double, dueling, n-step, prioritised.",
        "plaudit.engine.dqn:DQNConfig",
        "plaudit.engine.dqn:DQN",
    ),
    "ppo": Algorithm(
        "Proximal policy optimisation: an actor and a critic, clipped updates on fresh rollouts.",
        "plaudit.engine.ppo:PPOConfig",
        "plaudit.engine.ppo:PPO",
    ),
    "expert": Algorithm(
        "Expert iteration: a guided beam search solves problems, the policy imitates it.",
        "plaudit.engine.expert:ExpertConfig",
        "plaudit.engine.expert:ExpertIteration",
    ),
    "pathwise": Algorithm(
        "The gradient of a differentiable world, followed through whole episodes back to the policy.",
        "plaudit.engine.pathwise:PathwiseConfig",
        "plaudit.engine.pathwise:Pathwise",
    ),
    "imitation": Algorithm(
        "Action values from episodes that were played by others: what DQN may begin from.",
        "plaudit.engine.imitation:ImitationConfig",
        "plaudit.engine.imitation:Imitation",
    ),
    "likelihood": Algorithm(
        "Maximum likelihood of a corpus's sequences: the prior that tuning starts from.",
        "plaudit.engine.sequence.likelihood:LikelihoodConfig",
        "plaudit.engine.sequence.likelihood:Likelihood",
    ),
    "sequence": Algorithm(
        "Policy gradients over sequences near a prior: RLOO, REINFORCE, SCST, GRPO, Dr. GRPO, PPO.",
        "plaudit.engine.sequence.gradient:SequenceConfig",
        "plaudit.engine.sequence.gradient:SequenceGradient",
    ),
    "flow-matching": Algorithm(
        "Flow matching: the velocity that carries noise to a set of pictures, with classes and guidance.",
        "plaudit.engine.flow.matching:FlowMatchingConfig",
        "plaudit.engine.flow.matching:FlowMatching",
    ),
    "flow": Algorithm(
        "Tuning a flow by reward near a base: GRPO in a window, DDPO, pathwise, weighted regression.",
        "plaudit.engine.flow.tuned:FlowRewardConfig",
        "plaudit.engine.flow.reward:FlowReward",
    ),
    "gan": Algorithm(
        "A generator against a critic, with a reward term: relativistic, non-saturating, WGAN-GP.",
        "plaudit.engine.gan.config:GanConfig",
        "plaudit.engine.gan.adversarial:Gan",
    ),
    "vae": Algorithm(
        "A variational autoencoder: an encoder and a generator that climb the evidence's bound.",
        "plaudit.engine.vae.config:VaeConfig",
        "plaudit.engine.vae.learner:Vae",
    ),
    "latent": Algorithm(
        "A policy chooses the latents of a frozen VAE or GAN by reward, near the prior.",
        "plaudit.engine.vae.latent:LatentConfig",
        "plaudit.engine.vae.latent:Latent",
    ),
}


def get_algorithm(name: str) -> Algorithm:
    """Return the algorithm called `name`; raises `InputError` with the nearest name."""
    if name not in ALGORITHMS:
        hint = f"{did_you_mean(name, ALGORITHMS)} List: plaudit algorithms"
        raise InputError(f'no algorithm is called "{name}".', place="algorithm", hint=hint)
    return ALGORITHMS[name]


def config_class(name: str) -> type[Any]:
    """The config dataclass of an algorithm."""
    return _import(get_algorithm(name).config)


def learner_class(name: str) -> type[Any]:
    """The learner of an algorithm."""
    return _import(get_algorithm(name).learner)


def configure(name: str, settings: Mapping[str, Any]) -> Any:
    """Make an algorithm's config; raises `InputError` with the nearest field for an unknown one."""
    kind = config_class(name)
    known = [field.name for field in dataclasses.fields(kind)]
    for key in settings:
        if key not in known:
            raise InputError(
                f'the algorithm {name} has no setting "{key}".',
                place=f"learner.{key}",
                hint=did_you_mean(key, known),
            )
    return kind(**settings)


def _import(place: str) -> type[Any]:
    module, _, name = place.partition(":")
    found: type[Any] = getattr(importlib.import_module(module), name)
    return found
