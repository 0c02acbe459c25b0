"""The policy of a variational autoencoder: makes items as a generator does, and says where an item lies."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from plaudit.engine import nets
from plaudit.engine.gan.latent import LatentPolicy
from plaudit.engine.gan.policy import (
    CHUNK,
    GeneratorPolicy,
    assign,
    describe_latent,
    described,
    latent_of,
    padded,
)
from plaudit.engine.precision import half
from plaudit.engine.vae.model import VaeModel
from plaudit.errors import InputError


class VaePolicy(GeneratorPolicy):
    """A generator with the encoder that it learned beside."""

    def __init__(self, model: VaeModel, latent: LatentPolicy | None = None, precision: str = "fp32") -> None:
        super().__init__(model.generator, latent, None, precision)
        self.model = model

    @torch.no_grad()
    def encode(self, items: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Where items `(B, *item)` in [-1, 1] lie: the noise `(B, latent)` that they are made from, by the
        mean of q, and the deviation of q among the latents."""
        if tuple(items.shape[1:]) != self.shape.item:
            raise InputError(f"items of {self.shape.item} were wanted, {tuple(items.shape[1:])} came.")
        self.check_labels(len(items), condition)
        parts = [
            self._encode_chunk(
                items[at : at + CHUNK], None if condition is None else condition[at : at + CHUNK]
            )
            for at in range(0, len(items), CHUNK)
        ]
        if not parts:
            empty = torch.zeros(0, self.model.config.latent)
            return empty, empty
        return torch.cat([mean for mean, _ in parts]), torch.cat([std for _, std in parts])

    def _encode_chunk(self, items: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        rows = len(items)
        items, labels = padded(items), None if labels is None else padded(labels)
        with half("cpu", self.precision == "bf16"):
            mean, log_std = self.model.encode(items, labels)
        mean = self.model.to_noise(mean.float(), labels)
        return mean[:rows], log_std[:rows].float().exp()

    @torch.no_grad()
    def decode(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Noise `(B, latent)` of the prior, past a policy over it, to items `(B, *item)`."""
        return GeneratorPolicy(self.generator, None, None, self.precision).draw(latent, condition)

    def near(self, items: Tensor, noise: Tensor, condition: Tensor | None, strength: float) -> Tensor:
        """Items `(B, *item)` like given ones, read and made again as of classes `condition`.

        `strength` in [0, 1] is how far `noise (B, noise_size)` may take them: 0 makes them again as well as
        that goes, 1 forgets them. Between them latents keep the prior's length.
        """
        mean, _ = self.encode(items, condition)
        away = noise[:, : mean.shape[1]]
        return self.decode((1.0 - strength**2) ** 0.5 * mean + strength * away, condition)

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name: "generator.", "encoder.", "variance", and "latent." where it is there."""
        latent = {} if self.latent is None else self.latent.state_dict()
        named = {**self.model.state_dict(), **{f"latent.{name}": t for name, t in latent.items()}}
        return {name: tensor.detach() for name, tensor in named.items()}

    def describe(self) -> dict[str, Any]:
        """JSON that `from_description` reads."""
        return {
            "kind": "vae",
            "shape": asdict(self.shape),
            "network": nets.describe(self.generator.config),
            "latent": describe_latent(self.latent),
            "precision": self.precision,
        }

    @classmethod
    def from_description(cls, description: dict[str, Any], tensors: dict[str, Tensor]) -> VaePolicy:
        """Make the policy that `describe` described; tensors of other names or shapes are an error."""
        shape, network = described(description, tensors)
        # Made without memory, as a generator's.
        with torch.device("meta"):
            model, latent = VaeModel(network, shape), latent_of(description["latent"], network, shape)
        own = {name: tensor for name, tensor in tensors.items() if not name.startswith("latent.")}
        model.load_state_dict(own, assign=True)
        rest = {name: tensor for name, tensor in tensors.items() if name not in own}
        assign({"latent": latent}, rest)
        return cls(model.eval().requires_grad_(False), latent, description["precision"])
