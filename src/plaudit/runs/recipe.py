"""A recipe: how a task is trained. Strict: an unknown key is an error that names the nearest one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _as_text(value: Any) -> Any:
    """Let `budget = 50000` stand beside `budget = "60s"`."""
    return str(value) if type(value) is int else value


AmountText = Annotated[str, BeforeValidator(_as_text), Field(max_length=40)]
"""A length of training as `plaudit.engine.fit.Amount` reads it."""


class RewardEntry(BaseModel):
    """One weighted term of a composition, optionally shaped."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    term: str
    """Name of a term of the task, or `file.py:function`."""
    weight: float = 1.0
    target: float | None = None
    """Score becomes -|value - target| beyond `tolerance`: 0 is best."""
    tolerance: float = Field(0.0, ge=0)
    threshold: float | None = None
    """Score becomes 1 where the value is at least (at most, for a minimised term) this, else 0."""
    ramp: tuple[float, float] | None = None
    """Weight grows linearly from 0 to `weight` between these two shares of the budget."""
    normalise: bool = False
    """Divide by the term's running standard deviation before weighing."""
    product: bool = False
    """Member of the one product group: its members' scores are multiplied into a single column."""

    @model_validator(mode="after")
    def _ramp_is_ordered(self) -> RewardEntry:
        if self.ramp and not 0.0 <= self.ramp[0] <= self.ramp[1] <= 1.0:
            raise ValueError(f"ramp must be two rising shares of the budget in [0, 1], got {self.ramp}")
        return self


class Recipe(BaseModel):
    """How: algorithm, network, environment, reward, budget, seed, stages and inputs."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: str
    name: str = "default"
    summary: str = ""
    algorithm: str = ""
    seed: int = Field(0, ge=0, lt=2**31)
    budget: AmountText = "60s"
    """`"60s"`, `"10m"`, `"2h"` of training time, or a count of the learner's units: `"50000"`."""
    reward: tuple[RewardEntry, ...] = ()
    product_weight: float = 1.0
    form: Literal["potential", "end"] = "potential"
    """Pay the change of the composition at every step, or the composition at the end."""
    request: Mapping[str, Any] = {}
    """What is asked of the items during training; validated by the task's Request."""
    learner: Mapping[str, Any] = {}
    """Fields of the algorithm's config dataclass."""
    network: Mapping[str, Any] = {}
    """Fields of the network's config dataclass."""
    env: Mapping[str, Any] = {}
    """Fields of the task's environment config (representation, number of copies ...)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(1, ge=1, le=256)
    checkpoint: AmountText = "30s"
    inputs: Mapping[str, str] = {}
    """`init`, `prior`, `judge`, `reward`: a preset, a run or a file; pinned by SHA-256 when it starts."""
    stages: tuple[Recipe, ...] = ()
    """Recipes run one after another; a stage's `inputs` may name an earlier one as `stage:prior`."""
