"""The policy of a generator: noise and a class to an item, in one shot; stored as JSON and tensors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.gan.latent import LatentPolicy, OffsetLatent, latent_policy
from plaudit.engine.nets.critic import Critic
from plaudit.engine.nets.generator import Generator, GeneratorConfig, ItemShape
from plaudit.engine.random import RowRandom
from plaudit.errors import InputError

CHUNK = 64
"""Rows that the network sees at once, padded where there are fewer: an item depends on its noise alone."""


class GeneratorPolicy:
    """Makes items; `critic` is only kept, for a training that goes on."""

    def __init__(
        self,
        generator: Generator,
        latent: LatentPolicy | None = None,
        critic: Critic | None = None,
        precision: str = "fp32",
    ) -> None:
        self.generator, self.latent, self.critic, self.precision = generator, latent, critic, precision

    @property
    def shape(self) -> ItemShape:
        return self.generator.shape

    @property
    def noise_size(self) -> int:
        """Numbers that an item is made from."""
        return self.generator.config.latent if self.latent is None else self.latent.noise_size

    def noise(self, random: RowRandom) -> Tensor:
        """Standard normal `(B, noise_size)` float32, each row from its own seed."""
        return torch.from_numpy(random.normal(self.noise_size)).float()

    @torch.no_grad()
    def draw(self, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        """Map `noise (B, noise_size)` and classes `(B,)` (None: unlabelled) to items `(B, *item)` float32.

        Raises `InputError` for noise of another size or a class that is none.
        """
        self._check(noise, condition)
        made = []
        for start in range(0, len(noise), CHUNK):
            part = slice(start, start + CHUNK)
            made.append(self._chunk(noise[part], None if condition is None else condition[part]))
        return torch.cat(made) if made else torch.zeros(0, *self.shape.item)

    def _chunk(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        rows = len(noise)
        noise = torch.cat([noise, noise.new_zeros(CHUNK - rows, noise.shape[1])])
        if labels is not None:
            labels = torch.cat([labels, labels.new_zeros(CHUNK - rows)])
        latent = noise if self.latent is None else self.latent.draw(noise, labels)
        return make(self.generator, latent, labels, self.precision)[:rows]

    def _check(self, noise: Tensor, labels: Tensor | None) -> None:
        if noise.dim() != 2 or noise.shape[1] != self.noise_size:
            raise InputError(
                f"noise of the shape (B, {self.noise_size}) was wanted, {tuple(noise.shape)} came."
            )
        classes = self.shape.classes
        if (labels is None) != (classes == 0):
            raise InputError(
                f"this generator knows {classes} classes: "
                + ("no label is wanted." if classes == 0 else "a label for each item is wanted.")
            )
        if labels is not None and (
            labels.shape != noise.shape[:1] or bool(((labels < 0) | (labels >= classes)).any())
        ):
            raise InputError(f"{len(noise)} labels in 0..{classes - 1} were wanted.")

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name: "generator.", and where they are kept "latent." and "critic."."""
        parts = {"generator": self.generator, "latent": self.latent, "critic": self.critic}
        return {
            f"{part}.{name}": tensor.detach()
            for part, module in parts.items()
            if module is not None
            for name, tensor in module.state_dict().items()
        }

    def describe(self) -> dict[str, Any]:
        """JSON that `from_description` reads."""
        latent: dict[str, Any] | None = None if self.latent is None else {"kind": "gaussian"}
        if isinstance(self.latent, OffsetLatent):
            latent = {"kind": "network", "spread": self.latent.spread}
        return {
            "kind": "generator",
            "shape": asdict(self.shape),
            "network": nets.describe(self.generator.config),
            "latent": latent,
            "critic": self.critic is not None,
            "precision": self.precision,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> GeneratorPolicy:
        """Make the policy that `describe` described; tensors of other names or shapes are an error."""
        shape, network = ItemShape(**description["shape"]), nets.config_of(description["network"])
        if not isinstance(network, GeneratorConfig) or description["precision"] not in ("fp32", "bf16"):
            raise InputError("it describes no generator.")
        if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
            raise InputError("the tensors of a generator must be float32.")
        about = description["latent"]
        # Made without memory: a description that claims a huge network is refused by its tensors.
        with torch.device("meta"):
            generator = Generator(network, shape)
            latent = about and latent_policy(about["kind"], network, shape, float(about.get("spread", 0.5)))
            critic = Critic(network, shape) if description["critic"] else None
        parts = {"generator": generator, "latent": latent or None, "critic": critic}
        _assign(parts, tensors)
        return cls(generator.eval(), latent or None, critic, description["precision"])


def _assign(parts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Give every module its tensors; one too many is an error like one too few."""
    rest = dict(tensors)
    for part, module in parts.items():
        if module is not None:
            own = {n.removeprefix(f"{part}."): rest.pop(n) for n in list(rest) if n.startswith(f"{part}.")}
            module.load_state_dict(own, assign=True)
    if rest:
        raise InputError(f'the tensor "{next(iter(rest))}" belongs to no part of a generator.')


def make(generator: Generator, latent: Tensor, labels: Tensor | None, precision: str) -> Tensor:
    """Items `(B, *item)` float32 from latents, computed in the given precision."""
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        out: Tensor = generator(latent, labels)
    return out
