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
from plaudit.engine.precision import half
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
        noise, labels = padded(noise), None if labels is None else padded(labels)
        latent = noise if self.latent is None else self.latent.draw(noise, labels)
        return make(self.generator, latent, labels, self.precision)[:rows]

    def _check(self, noise: Tensor, labels: Tensor | None) -> None:
        if noise.dim() != 2 or noise.shape[1] != self.noise_size:
            raise InputError(
                f"noise of the shape (B, {self.noise_size}) was wanted, {tuple(noise.shape)} came."
            )
        self.check_labels(len(noise), labels)

    def check_labels(self, rows: int, labels: Tensor | None) -> None:
        """Raise `InputError` where `labels` are no classes for so many items."""
        classes = self.shape.classes
        if (labels is None) != (classes == 0):
            raise InputError(
                f"this generator knows {classes} classes: "
                + ("no label is wanted." if classes == 0 else "a label for each item is wanted.")
            )
        if labels is not None and (
            tuple(labels.shape) != (rows,) or bool(((labels < 0) | (labels >= classes)).any())
        ):
            raise InputError(f"{rows} labels in 0..{classes - 1} were wanted.")

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
        return {
            "kind": "generator",
            "shape": asdict(self.shape),
            "network": nets.describe(self.generator.config),
            "latent": describe_latent(self.latent),
            "critic": self.critic is not None,
            "precision": self.precision,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> GeneratorPolicy:
        """Make the policy that `describe` described; tensors of other names or shapes are an error."""
        shape, network = described(description, tensors)
        # Made without memory: a description that claims a huge network is refused by its tensors.
        with torch.device("meta"):
            generator = Generator(network, shape)
            latent = latent_of(description["latent"], network, shape)
            critic = Critic(network, shape) if description["critic"] else None
        assign({"generator": generator, "latent": latent, "critic": critic}, tensors)
        return cls(generator.eval(), latent, critic, description["precision"])


def padded(rows: Tensor) -> Tensor:
    """Rows `(B, ...)` filled up with zeros to the chunk's length."""
    return torch.cat([rows, rows.new_zeros(CHUNK - len(rows), *rows.shape[1:])])


def described(description: dict[str, Any], tensors: dict[str, Tensor]) -> tuple[ItemShape, GeneratorConfig]:
    """What a description says is made, and by what network; raises `InputError` where that cannot be."""
    shape, network = ItemShape(**description["shape"]), nets.config_of(description["network"])
    if not isinstance(network, GeneratorConfig) or description["precision"] not in ("fp32", "bf16"):
        raise InputError("it describes no generator.")
    if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
        raise InputError("the tensors of a generator must be float32.")
    return shape, network


def describe_latent(latent: LatentPolicy | None) -> dict[str, Any] | None:
    """JSON of a policy over latents that `latent_of` reads."""
    if isinstance(latent, OffsetLatent):
        return {"kind": "network", "spread": latent.spread}
    return None if latent is None else {"kind": "gaussian"}


def latent_of(
    about: dict[str, Any] | None, network: GeneratorConfig, shape: ItemShape
) -> LatentPolicy | None:
    """The policy over latents that `describe_latent` described, if there is one."""
    return latent_policy(about["kind"], network, shape, float(about.get("spread", 0.5))) if about else None


def assign(parts: dict[str, Any], tensors: dict[str, Tensor]) -> None:
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
    with half("cpu", precision == "bf16"):
        out: Tensor = generator(latent, labels)
    return out
