"""Pictures: how fast a flow is tuned beside DDPO's own loop, and Frechet distances beside torchmetrics'."""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.peers.ddpo import Ddpo, Settings
from benchmarks.timing import of_ratio, paired, say
from plaudit.engine.flow.model import FlowModel, FlowShape
from plaudit.engine.flow.reward import FlowReward
from plaudit.engine.flow.tuned import FlowRewardConfig
from plaudit.engine.learner import UnitWeights
from plaudit.engine.nets.unet import UNetConfig
from plaudit.measure.frechet import frechet_distance, moments

SIZE, SAMPLES = (1, 28, 28), 64


class Bright:
    """The mean of a picture: a reward that costs nothing, so that the loops are compared."""

    shape = FlowShape(SIZE)

    def draw(self, n: int, random: np.random.Generator) -> Tensor | None:
        return None

    def score(self, label: Tensor | None, images: Tensor) -> np.ndarray:
        return images.mean((1, 2, 3)).double().numpy()[:, None]


def tuning_figures(pairs: int = 5) -> dict[str, Any]:
    """Images a second while tuning: `ddpo_ratio` for what we do, `ddpo_same_ratio` for DDPO done by us."""
    windowed = FlowRewardConfig(
        method="grpo", requests=4, group=16, steps=10, window=4, branching=True, precision="bf16"
    )
    same = FlowRewardConfig(method="ddpo", requests=64, group=1, steps=10, minibatches=4, beta=0.0)
    figures: dict[str, Any] = {}
    for name, config in (("ddpo", windowed), ("ddpo_same", same)):
        ratio = paired(_ours(config), _theirs(), pairs)
        figures |= of_ratio(name, ratio)
        figures[f"{name}_images_per_s"] = round(SAMPLES / float(np.median(ratio.ours_s)), 1)
        say(f"  {name}: {ratio.median:.2f} times the port of DDPO")
    return figures


def _ours(config: FlowRewardConfig) -> Any:
    learner = FlowReward(Bright(), UnitWeights(("bright",)), config, UNetConfig(), 0)

    def job(seed: int) -> float:
        start = time.perf_counter()
        learner.step()
        return time.perf_counter() - start

    return job


def _theirs() -> Any:
    model = FlowModel(FlowShape(SIZE), UNetConfig())
    model.initialise(torch.Generator().manual_seed(0))
    network = copy.deepcopy(model.net)
    peer = Ddpo(_Plain(network), SIZE, lambda x: x.mean((1, 2, 3)), Settings(samples=SAMPLES))

    def job(seed: int) -> float:
        start = time.perf_counter()
        peer.round()
        return time.perf_counter() - start

    return job


class _Plain(torch.nn.Module):
    """The network without a class."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        out: Tensor = self.net(x, t, None)
        return out


def distance_figures(rows: int = 10_000, width: int = 64, pairs: int = 9) -> dict[str, Any]:
    """FD of fresh samples to a reference whose moments both sides keep: `fd_speed`, `fd_apart`."""
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance
    except ImportError:
        say("  torchmetrics is not installed: pip install -r benchmarks/peers/requirements.txt")
        return {}
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(width, width)) / np.sqrt(width)
    real, fake = ((rng.normal(shift, 1.0, (rows, width)) @ mix).astype(np.float32) for shift in (0.0, 0.1))
    known = moments(real)
    theirs = FrechetInceptionDistance(feature=_Features(width), reset_real_features=False)
    theirs.update(torch.from_numpy(real), real=True)
    found: dict[str, float] = {}

    def ours(seed: int) -> float:
        start = time.perf_counter()
        found["ours"] = frechet_distance(fake, known)
        return time.perf_counter() - start

    def peer(seed: int) -> float:
        start = time.perf_counter()
        theirs.update(torch.from_numpy(fake), real=False)
        found["theirs"] = float(theirs.compute())
        elapsed = time.perf_counter() - start
        theirs.reset()
        return elapsed

    ratio = paired(ours, peer, pairs)
    apart = abs(found["ours"] - found["theirs"]) / found["theirs"]
    say(f"  FD {found['ours']:.4f}, torchmetrics {found['theirs']:.4f}, {ratio.median:.1f} times as fast")
    return {**of_ratio("fd", ratio), "fd_speed": round(ratio.median, 2), "fd_apart": apart}


class _Features(torch.nn.Module):
    """Features that are given as they are."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.num_features = num_features

    def forward(self, x: Tensor) -> Tensor:
        return x
