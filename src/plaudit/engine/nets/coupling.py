"""A learned prior: couplings that carry standard normal numbers to latents, and back. Dinh et al., 2017.

Half of the numbers is moved and scaled by what a small network reads from the other half and from the class,
so that the way back and the density are known in closed form. The latents of an autoencoder lie anywhere but
where N(0, 1) does; a prior that learns where makes draws of it pictures (Chen et al., 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from plaudit.engine.nets.generator import flat_layers

_WIDTH = 96
_MOST = 2.0
"""Logarithm of the largest scale of one coupling."""


class Couplings(nn.Module):
    """Standard normal noise `(B, Z)` to latents `(B, Z)`, and back; it begins as the identity."""

    def __init__(self, latent: int, classes: int, embed: int, count: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, embed) if classes else None
        given = latent + (embed if classes else 0)
        self.nets = nn.ModuleList(flat_layers(given, (_WIDTH, _WIDTH), 2 * latent) for _ in range(count))
        self.latent = latent

    @torch.no_grad()
    def reset(self) -> None:
        """Make it the identity."""
        for net in self.nets:
            for weight in net[-1].parameters():  # type: ignore[index]
                weight.zero_()

    def draw(self, noise: Tensor, labels: Tensor | None) -> Tensor:
        """Noise to latents."""
        z = noise.float()
        for at in range(len(self.nets)):
            kept, shift, log_scale = self._read(at, z, labels)
            z = kept * z + (1.0 - kept) * (z * log_scale.exp() + shift)
        return z

    def back(self, latent: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Latents to the noise that makes them, and the logarithm `(B,)` of how much that way stretches."""
        z, stretched = latent.float(), torch.zeros(len(latent))
        for at in reversed(range(len(self.nets))):
            kept, shift, log_scale = self._read(at, z, labels)
            z = kept * z + (1.0 - kept) * (z - shift) * (-log_scale).exp()
            stretched = stretched - log_scale.sum(1)
        return z, stretched

    def _read(self, at: int, z: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Which numbers stay `(Z,)`, and shift and scale `(B, Z)` of the others, 0 for those that stay."""
        kept = ((torch.arange(self.latent) + at) % 2).float()
        given = z * kept
        if self.embed is not None:
            given = torch.cat([given, self.embed(labels)], 1)
        with torch.autocast("cpu", enabled=False):
            shift, log_scale = self.nets[at](given.float()).chunk(2, 1)
        return kept, shift * (1.0 - kept), _MOST * torch.tanh(log_scale) * (1.0 - kept)
