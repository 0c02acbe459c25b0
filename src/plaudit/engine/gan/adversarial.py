"""Adversarial training with a reward term: min over G, max over D of V(G, D) - lambda E[R(G(z))].

Goodfellow et al., 2014; by default the relativistic game with R1 and R2 (Huang et al., 2025, R3GAN). The
reward term (`paid.py`) has random numbers of its own: with lambda = 0 the weights are those of the plain GAN
bit for bit, whatever the reward.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.adam import Adam, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.gan import losses
from plaudit.engine.gan.config import Examples, GanConfig, network_config
from plaudit.engine.gan.latent import LatentPolicy
from plaudit.engine.gan.paid import Moment, RewardTerm
from plaudit.engine.gan.policy import GeneratorPolicy, make
from plaudit.engine.learner import Metrics, Weighing
from plaudit.engine.nets import load_weights
from plaudit.engine.nets.critic import Critic
from plaudit.engine.nets.generator import Generator
from plaudit.engine.precision import half
from plaudit.errors import Diverged, InputError


class Gan:
    """The learner: alternating updates of critic and generator. Its unit is the training item, "images"."""

    def __init__(
        self, source: Examples, weighing: Weighing | None, config: GanConfig, network: Any, seed: int
    ) -> None:
        self.source, self.config, self.share = source, config, 0.0
        self.network = network_config(network)
        self.random = np.random.default_rng(seed)
        self.noise = torch.Generator().manual_seed(seed)
        self.generator, self.critic = (
            Generator(self.network, source.shape),
            Critic(self.network, source.shape),
        )
        self.generator.initialise(torch.Generator().manual_seed(seed))
        self.critic.initialise(torch.Generator().manual_seed(seed + 1))
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self.params, self.grads = flatten(self.generator)
        self.critic_params, self.critic_grads = flatten(self.critic)
        self.average_params, _ = flatten(self.average)
        betas = (config.beta1, config.beta2)
        self.adam, self.critic_adam = Adam(self.params, betas), Adam(self.critic_params, betas)
        self.images = self.rounds = self.critic_rounds = 0
        self.settled = False
        self.term = None
        if weighing is not None:
            self.term = RewardTerm(source, weighing, config.reward, self.network, seed)
        if config.reward.stop_on_decline and (self.term is None or self.term.judge is None):
            raise InputError(
                "there is no judge that could decline.",
                place="learner.reward.stop_on_decline",
                hint="A reward learned from two folders (plaudit reward) brings one.",
            )

    def step(self) -> Metrics:
        """Take `updates` rounds of the game."""
        rows = [self._round() for _ in range(self.config.updates)]
        metrics: Metrics = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        if not all(math.isfinite(value) for value in metrics.values()):
            raise Diverged(f"the game is not finite: {metrics}.")
        metrics |= {"learning_rate": self._falling("learning_rate"), "gamma": self._falling("gamma")}
        return metrics | self._report()

    def _round(self) -> dict[str, float]:
        """Some critic updates and one of the generator."""
        for _ in range(self.config.critic_updates):
            real, labels = self.source.batch(self.config.batch_size, self.random)
            critic_loss = self._update_critic(real, labels)
        loss, norm = self._update_generator(real, labels)
        self._follow()
        return {"critic_loss": critic_loss, "loss": loss, "gradient_norm": norm}

    def _update_critic(self, real: Tensor, labels: Tensor | None) -> float:
        with torch.no_grad():
            fake = self._fake(len(real), labels)
        gamma = self._falling("gamma") * self.config.penalty_every
        penalised = gamma > 0 and self.critic_rounds % self.config.penalty_every == 0
        self.critic_grads.zero_()
        loss = self._critic_loss(real, fake, labels, gamma if penalised else 0.0)
        loss.backward()  # type: ignore[no-untyped-call]
        with flushed_denormals():
            self.critic_adam.step(self.critic_grads, self._falling("learning_rate"))
        self.images += len(real)
        self.critic_rounds += 1
        return float(loss.detach())

    def _critic_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None, gamma: float) -> Tensor:
        """The critic's loss, with `gamma` times its gradient penalty."""
        centred = self.config.loss != "wgan-gp"
        items = torch.cat([real, fake])
        items.requires_grad_(gamma > 0 and centred)
        scores = self._judge(items, None if labels is None else torch.cat([labels, labels]))
        loss = losses.LOSSES[self.config.loss](scores[: len(real)], scores[len(real) :])[0]
        if gamma > 0 and centred:
            slope = losses.squared_slope(scores, items)
            r1, r2 = losses.zero_centred(slope[: len(real)]), losses.zero_centred(slope[len(real) :])
            loss = loss + gamma * (r1 + r2)
        elif gamma > 0:
            share = torch.rand(len(real), generator=self.noise)
            middle = losses.between(real, fake, share).requires_grad_()
            loss = loss + gamma * losses.one_centred(
                losses.squared_slope(self._judge(middle, labels), middle)
            )
        return loss

    def _update_generator(self, real: Tensor, labels: Tensor | None) -> tuple[float, float]:
        """One step of the generator; returns its adversarial loss and that gradient's norm."""
        self.grads.zero_()
        fake = self._judge(self._fake(len(real), labels), labels)
        with torch.no_grad():
            genuine = (
                self._judge(real, labels) if self.config.loss == "relativistic" else torch.zeros_like(fake)
            )
        loss = losses.LOSSES[self.config.loss](genuine, fake)[1]
        loss.backward()  # type: ignore[no-untyped-call]
        norm = float(self.grads.norm())
        if self.term is not None:
            self.term.add(self.grads, self._now())
        with flushed_denormals():
            self.adam.step(self.grads, self._falling("learning_rate"))
        self.rounds += 1
        return float(loss.detach()), norm

    def _fake(self, rows: int, labels: Tensor | None) -> Tensor:
        return self._make(torch.randn(rows, self.network.latent, generator=self.noise), labels)

    def _make(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        return make(self.generator, latent, labels, self.config.precision)

    def _judge(self, items: Tensor, labels: Tensor | None) -> Tensor:
        """What the critic says `(B,)`."""
        with half("cpu", self.config.precision == "bf16"):
            scores: Tensor = self.critic(items, labels)
        return scores[:, 0]

    def _follow(self) -> None:
        """Let the generator into its average, of which the first images are soon forgotten.

        Where the average began from stored weights it has nothing to forget.
        """
        half_life = (
            self.config.ema_images if self.settled else min(self.config.ema_images, 0.05 * self.images)
        )
        kept = 0.5 ** (self.config.batch_size * self.config.critic_updates / max(half_life, 1.0))
        self.average_params.lerp_(self.params, 1.0 - kept)

    def _falling(self, name: str) -> float:
        """A setting on its way to its end."""
        start, end = getattr(self.config, name), getattr(self.config, f"{name}_end")
        return float(end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(self.share, 1.0))))

    def _now(self) -> Moment:
        return Moment(self.rounds, self.images, self.share, self._make)

    def _report(self) -> Metrics:
        """Rows of the reward; where its judge has declined, the weights that it liked best are back."""
        if self.term is None:
            return {}
        rows = self.term.report(self._now(), self._newest)
        if self.finished:
            self.load_weights(self.term.liked)
        return rows

    @property
    def finished(self) -> bool:
        """Whether the judge has declined: the policy is then the one that it liked best."""
        return self.term is not None and self.term.finished

    @property
    def progress(self) -> tuple[int, str]:
        return self.images, "images"

    def policy(self) -> GeneratorPolicy:
        """The average of the newest generators, or where a constraint steers the reward its best ones."""
        return self._newest() if self.term is None else self.term.keep(self._newest())

    def _newest(self) -> GeneratorPolicy:
        critic = self.critic if self.config.keep_critic else None
        return GeneratorPolicy(self.average, self._latents, critic, self.config.precision)

    @property
    def _latents(self) -> LatentPolicy | None:
        return None if self.term is None else self.term.latents

    def describe(self) -> dict[str, Any]:
        return {
            "algorithm": "gan",
            "path": "plain",
            "loss": self.config.loss,
            "parameters": self.params.numel(),
            "critic_parameters": self.critic_params.numel(),
        }

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "noise": self.noise.get_state(),
            "generator": self.params.clone(),
            "critic": self.critic_params.clone(),
            "average": self.average_params.clone(),
            "adam": self.adam.state_dict(),
            "critic_adam": self.critic_adam.state_dict(),
            "counts": [self.images, self.rounds, self.critic_rounds],
            "settled": self.settled,
            "term": None if self.term is None else self.term.state_dict(),
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        """Go on from `state`; `tensors` are the policy's, which need not be the newest."""
        self.params.copy_(torch.as_tensor(state["generator"]))
        self.critic_params.copy_(torch.as_tensor(state["critic"]))
        self.average_params.copy_(torch.as_tensor(state["average"]))
        self.random.bit_generator.state = state["random"]
        self.noise.set_state(torch.as_tensor(state["noise"]))
        for name in ("adam", "critic_adam"):
            getattr(self, name).load_state_dict(state[name])
        self.images, self.rounds, self.critic_rounds = (int(count) for count in state["counts"])
        self.settled = bool(state["settled"])
        if self.term is not None:
            self.term.load_state_dict(state["term"])

    def load_weights(self, tensors: dict[str, Tensor]) -> None:
        """Begin from these weights: generator, and critic and latent policy where they are kept."""
        load_part(self.generator, "generator", tensors)
        load_part(self.average, "generator", tensors)
        self.settled = True
        rest: dict[str, torch.nn.Module | None] = {"critic": self.critic, "latent": self._latents}
        for part, module in rest.items():
            if module is not None and any(name.startswith(f"{part}.") for name in tensors):
                load_part(module, part, tensors)


def load_part(module: torch.nn.Module, part: str, tensors: dict[str, Tensor]) -> None:
    """Copy the tensors called `part.*` into a module; raises `InputError` where they are another's."""
    prefix = f"{part}."
    came = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
    load_weights(module, came, f"the {part}'s weights")
