"""What every method of tuning a flow works with: the model, its frozen base, the running mean, the reward."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from plaudit.engine.adam import Adam, clip_norm, flatten, flushed_denormals
from plaudit.engine.env import State
from plaudit.engine.flow.average import Average
from plaudit.engine.flow.matching import check_choice
from plaudit.engine.flow.model import PRECISIONS, FlowModel, FlowShape, network_config, weights_of
from plaudit.engine.flow.sampling import (
    MEMORYLESS,
    Noise,
    Reduction,
    Rule,
    Sampler,
    Step,
    noise_from,
    steps_of,
)
from plaudit.engine.guard import JudgeGuard, judgement
from plaudit.engine.learner import Weighing
from plaudit.engine.nets import load_weights
from plaudit.engine.normalise import RunningMoments
from plaudit.errors import Diverged, InputError

_LEARNING = {"condition": {"time", "label", "film"}, "class": {"label"}}
"""Parts of the parameters' names, by the setting `trained`."""
METHODS = ("grpo", "ddpo", "pathwise", "adjoint", "rwr")


@dataclass(frozen=True)
class FlowRewardConfig:
    """Settings of tuning a flow by reward."""

    method: Literal["grpo", "ddpo", "pathwise", "adjoint", "rwr"] = "pathwise"
    """Clipped ratios in a window of steps, or in all; the reward's gradient, or its match; weights."""
    requests: int = 8
    """Requests of one step of the learner."""
    group: int = 8
    """Samples for each request."""
    steps: int = 10
    """Steps from noise to data in training."""
    noise: float = MEMORYLESS
    """Noise level a of the stochastic steps (grpo, ddpo, pathwise); sqrt(2) is memoryless, 0 the ODE."""
    rule: Literal["exact", "euler"] = "exact"
    """How a stochastic step is taken: see `engine/flow/sampling.py`."""
    floor: float = 0.0
    """Least deviation of a stochastic step; the exact rule's last step has none without it."""
    reduction: Literal["sum", "mean"] = "sum"
    """Log-probabilities and nats: the sum over all numbers of a sample, or (Flow-GRPO) their mean."""
    window: int = 4
    """Stochastic steps of grpo, side by side; 0 = all."""
    window_every: int = 1
    """Steps of the learner after which grpo's window moves on by one."""
    branching: bool = False
    """Siblings of a group share their first noise, and so the steps before grpo's window, which are taken
    once for all of them."""
    last: int = 0
    """Steps before the end that the reward's gradient flows through (pathwise, DRaFT-K); 0 = all."""
    checkpointing: bool = False
    """Compute the steps again on the way back instead of keeping them (pathwise): less memory, more time."""
    beta: float = 0.1
    """Reward that one nat of distance from the base costs; rwr: temperature of the weights."""
    kl_target: float = 0.0
    """Nats a sample that beta is steered to (not rwr); 0 = beta stays."""
    scaled: bool = True
    """Divide advantages by their group's deviation (grpo, ddpo): beta counts in those units then."""
    trained: Literal["all", "condition", "class"] = "all"
    """Which weights learn (of a unet): all; those through which time and class steer the rest; or the
    classes' vectors alone, that of no class among them. The fewer, the less there is to exploit."""
    normalise_then_sum: bool = False
    """Make each term group-relative before they are summed, as GDPO does; by their running spread where the
    reward's own gradient is followed."""
    stop_on_decline: int = 0
    """Steps over which the judge's mean is taken; it ends when that has fallen. 0 = it never ends early."""
    behaviour: Literal["base", "policy"] = "base"
    """What draws the samples that rwr weighs; from the base the optimum is the base tilted by the reward."""
    epochs: int = 1
    """Passes over the samples of one step (not pathwise)."""
    minibatches: int = 1
    """Gradient steps of a pass (not pathwise)."""
    clip: float = 0.2
    """How far a ratio may leave 1 (grpo, ddpo); with reduction = "mean" some 1e-4 does the same."""
    chunk: int = 64
    """Samples that go through the network at once; changes memory, not what is learned."""
    learning_rate: float = 3e-4
    """Step size of Adam at the start."""
    learning_rate_end: float = 3e-5
    """Step size at the end of the budget, reached linearly."""
    max_grad_norm: float = 1.0
    """Longest gradient."""
    ema: float = 0.95
    """Decay of the running mean of the weights, which is what samples."""
    precision: Literal["bf16", "fp32"] = "fp32"
    """Of the network; "bf16" where the processor has it. Weights, loss and optimiser are float32."""
    device: str = "cpu"
    """Where the network is."""
    guidance: float = 0.0
    """Strength of classifier-free guidance while training; the base is guided alike."""
    sampler: Sampler = field(default_factory=Sampler)
    """How the policy draws once it is trained."""

    def __post_init__(self) -> None:
        if isinstance(self.sampler, Mapping):  # a recipe's table
            object.__setattr__(self, "sampler", Sampler(**self.sampler))
        check_choice("method", self.method, METHODS)
        check_choice("rule", self.rule, ("exact", "euler"))
        check_choice("reduction", self.reduction, ("sum", "mean"))
        check_choice("trained", self.trained, ("all", *_LEARNING))
        check_choice("behaviour", self.behaviour, ("base", "policy"))
        check_choice("precision", self.precision, PRECISIONS)
        for name in ("requests", "group", "steps", "epochs", "minibatches", "chunk", "window_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} is below 1.", place=f"learner.{name}")
        self._check_method()

    def _check_method(self) -> None:
        for name in ("noise", "floor", "beta", "kl_target", "window", "last", "clip", "stop_on_decline"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise InputError(f"{name} = {getattr(self, name)} is below 0.", place=f"learner.{name}")
        if self.method in ("grpo", "rwr") and self.group < 2:
            raise InputError(f"{self.method} compares within a group of 2 or more.", place="learner.group")
        if self.method in ("rwr", "adjoint") and self.beta == 0:
            raise InputError(
                f"{self.method} divides the reward by beta: 0 has no meaning.", place="learner.beta"
            )
        if self.method in ("grpo", "ddpo") and (self.noise == 0 or self.steps < 2):
            raise InputError(
                f"{self.method} needs steps that draw: noise = {self.noise}, steps = {self.steps}.",
                place="learner.noise",
                hint="Take a noise above 0 and 2 steps or more.",
            )
        if self.branching and self.method != "grpo":
            raise InputError(
                f"{self.method} has no window that siblings could part in.",
                place="learner.branching",
                hint='Take branching = false, or method = "grpo".',
            )
        if self.method == "pathwise" and self.epochs * self.minibatches > 1:
            raise InputError("pathwise learns from fresh samples: one pass.", place="learner.epochs")


def _model(shape: FlowShape, network: Any, config: FlowRewardConfig) -> FlowModel:
    return FlowModel(shape, network_config(network, shape), config.precision == "bf16")


@dataclass
class Group:
    """N * G requests, siblings side by side, with the noise that their samples begin from."""

    label: Tensor | None
    start: Tensor

    def __len__(self) -> int:
        return len(self.start)


def freeze_all_but(model: FlowModel, trained: str) -> None:
    """Leave to learn what the setting `trained` names; raises `InputError` where a network has none of it."""
    wanted = _LEARNING[trained]
    learning = [name for name, _ in model.named_parameters() if wanted & set(name.split("."))]
    if not any({"film", "label"} & set(name.split(".")) for name in learning):
        raise InputError(
            f'the network has nothing that trained = "{trained}" could mean.',
            place="learner.trained",
            hint='Take trained = "all"; the others are for a unet, "class" for one with classes.',
        )
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in learning)


class Tuned:
    """The parts that the methods share."""

    def __init__(
        self, source: Any, weighing: Weighing, config: FlowRewardConfig, network: Any, seed: int
    ) -> None:
        self.source, self.weighing, self.config, self.share = source, weighing, config, 0.0
        self.random = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed + 1)
        self.noise: Noise = noise_from(self.generator)
        model = network if isinstance(network, FlowModel) else _model(source.shape, network, config)
        model.initialise(torch.Generator().manual_seed(seed))
        self.model = model.to(config.device)
        self.base = copy.deepcopy(self.model).requires_grad_(False)
        self.params, self.grads = flatten(self.model)
        if config.trained != "all":
            freeze_all_but(self.model, config.trained)
        self.average = Average(self.model, config.ema)
        self.adam = Adam(self.params)
        self.beta, self.steps, self.samples, self.queries = config.beta, 0, 0, 0
        self.guard, self.judged = JudgeGuard(config.stop_on_decline), list[Tensor]()
        self.spread = RunningMoments((len(weighing.names),))

    def draw(self) -> Group:
        """Draw the requests of one step and the noise of all their samples."""
        config = self.config
        asked = self.source.draw(config.requests, self.random)
        label = None if asked is None else asked.repeat_interleave(config.group).to(config.device)
        rows = config.requests * config.group
        if config.branching:
            start = torch.randn(config.requests, *self.model.shape.size, generator=self.generator)
            start = start.repeat_interleave(config.group, 0)
        else:
            start = torch.randn(rows, *self.model.shape.size, generator=self.generator)
        self.samples += rows
        return Group(label, start.to(config.device))

    def pieces(self, rows: int) -> list[Tensor]:
        """Row numbers in chunks, the same for drawing and for every update.

        The last digits of a convolution depend on how many rows go through it at once: what is compared
        with what was drawn has to go through in the same company.
        """
        return list(torch.split(torch.arange(rows), self.config.chunk))

    def plan(self, noisy: range | None = None) -> list[Step]:
        """The steps from noise to data, with noise in all or in some."""
        n, config = self.config.steps, self.config
        levels = [config.noise if noisy is None or k in noisy else 0.0 for k in range(n)]
        rule: Rule = config.rule
        return steps_of(n, levels, rule, config.floor)

    def watch(self, label: Tensor | None, images: Tensor) -> None:
        """Let the judge see samples of this step, where the source has one."""
        if not hasattr(self.source, "judge"):
            return
        with torch.no_grad():
            label = None if label is None else label.cpu()
            judged = self.source.judge(label, images.detach().cpu())
        self.judged.append(judgement(judged, len(images)))

    @property
    def reduction(self) -> Reduction:
        return self.config.reduction

    def score(self, group: Group, images: Tensor) -> Tensor:
        """Columns `(N, G, K)` of the composition; every sample is a query."""
        label = None if group.label is None else group.label.cpu()
        columns = np.asarray(self.source.score(label, images.cpu()), np.float64)
        self.watch(label, images)
        self.queries += len(images)
        if columns.shape != (len(images), len(self.weighing.names)):
            raise InputError(
                f"the reward gave {columns.shape} for {len(images)} samples and "
                f"{len(self.weighing.names)} terms.",
                place="reward",
            )
        if bool(np.isinf(columns).any()):
            raise Diverged("the composed reward of a sample is infinite.")
        return torch.from_numpy(columns).view(-1, self.config.group, columns.shape[1])

    def evened(self, columns: Tensor) -> Tensor:
        """Columns `(R, K)` over their deviations so far, where each term is to count alike.

        A shift has no gradient: dividing is all of normalising that matters here.
        """
        if not self.config.normalise_then_sum:
            return columns
        if self.spread.count == 0:
            self.remember(columns)
        return columns * torch.from_numpy(self.spread.scale).to(columns)

    def remember(self, columns: Tensor) -> None:
        """Let columns `(R, K)` into the deviations; a row that some term could not score is left out."""
        flat = columns.detach().double().cpu()
        self.spread.update(flat[~flat.isnan().any(1)])

    def weights(self) -> Tensor:
        """Weights `(K,)` of the columns as the budget is spent."""
        return torch.from_numpy(np.asarray(self.weighing.weights(self.share), np.float64))

    def descend(self) -> float:
        """One step of Adam along what is in `grads`; returns the gradient's norm."""
        norm = clip_norm(self.grads, self.config.max_grad_norm)
        if not np.isfinite(norm):
            raise Diverged(f"the gradient's norm is {norm}.")
        with flushed_denormals():
            self.adam.step(self.grads, self.learning_rate())
        self.average.step(self.params)
        return norm

    def learning_rate(self) -> float:
        start, end = self.config.learning_rate, self.config.learning_rate_end
        return start + (end - start) * min(self.share, 1.0)

    def state_dict(self) -> State:
        return {
            "random": self.random.bit_generator.state,
            "generator": self.generator.get_state(),
            "weights": weights_of(self.model),
            "base": weights_of(self.base),
            "averaged": self.average.steps,
            "adam": self.adam.state_dict(),
            "beta": self.beta,
            "guard": self.guard.state_dict(),
            "spread": self.spread.state_dict(),
            "counts": [self.steps, self.samples, self.queries],
        }

    def load_state_dict(self, state: State, tensors: dict[str, Tensor]) -> None:
        for model, name in ((self.model, "weights"), (self.base, "base")):
            load_weights(model, {key: torch.as_tensor(t) for key, t in state[name].items()})
        load_weights(self.average.model, tensors)
        self.average.steps = int(state["averaged"])
        self.random.bit_generator.state = state["random"]
        self.generator.set_state(torch.as_tensor(state["generator"]))
        self.adam.load_state_dict(state["adam"])
        self.beta = float(state["beta"])
        self.guard.load_state_dict(state["guard"])
        self.spread.load_state_dict(state["spread"])
        self.steps, self.samples, self.queries = (int(n) for n in state["counts"])
