"""A task small enough to compute by hand: rows of dots, of which so many shall be filled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from pydantic import Field

from plaudit.engine.random import RowRandom
from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Context, Term
from plaudit.runs.recipe import Recipe, RewardEntry
from plaudit.task import Item, Request


class DotsRequest(Request):
    size: int = Field(8, ge=1, le=64)


class DotsPolicy:
    """Fills each dot with the probability that meets the target on average."""

    def tensors(self) -> dict[str, Any]:
        return {}

    def describe(self) -> dict[str, Any]:
        return {"kind": "dots"}


class Dots:
    """Rows of dots."""

    name: ClassVar[str] = "toy/dots"
    summary: ClassVar[str] = "Rows of dots."
    Request: ClassVar[type[Request]] = DotsRequest
    formats: ClassVar[tuple[str, ...]] = ("txt", "json")
    statistics: ClassVar[tuple[str, ...]] = ("filled",)

    def terms(self) -> tuple[Term, ...]:
        return (
            Term(
                "filled", lambda items, _: np.array([i.sum() for i in items], float), "Filled dots.", (0, 64)
            ),
            Term("runs", _runs, "Runs of filled dots.", (0, 64), "minimize"),
            Term(
                "first",
                lambda items, _: np.array([i[0] for i in items], float),
                "Whether the first is filled.",
                (0, 1),
                eval_only=True,
            ),
        )

    def recipes(self) -> Mapping[str, Recipe]:
        reward = (RewardEntry(term="filled"), RewardEntry(term="runs", weight=0.5))
        plain = Recipe(task=self.name, name="plain", algorithm="count", reward=reward, request={"size": 8})
        return {"plain": plain, "other": plain.model_copy(update={"name": "other", "budget": "50"})}

    def check_request(self, request: DotsRequest) -> None:
        wanted = request.target.get("filled", 0)
        if wanted > request.size:
            raise Infeasible(
                f"{request.size} dots cannot have {wanted:g} filled; nearest is {request.size}.",
                place="target",
            )

    def build(self, recipe: Recipe, inputs: Mapping[str, Path]) -> Any:
        raise NotImplementedError

    def requests(self, n: int, seed: int, given: DotsRequest) -> list[DotsRequest]:
        if "filled" in given.target:
            return [given] * n
        drawn = RowRandom([seed]).uniform(n)[0] * given.size
        return [given.model_copy(update={"target": {"filled": float(int(value))}}) for value in drawn]

    def generate(self, policy: Any, requests: Sequence[Any], seeds: Sequence[int]) -> Iterator[Item]:
        for request, seed in zip(requests, seeds, strict=True):
            share = request.target["filled"] / request.size
            dots = (RowRandom([seed]).uniform(request.size)[0] < share).astype(np.uint8)
            yield Item(dots, request, seed, {"evaluations": 1})

    def baselines(self) -> Mapping[str, Any]:
        return {"random": _random, "heuristic": _heuristic}

    def batch(self, items: Sequence[Item]) -> tuple[Any, Context]:
        return [item.content for item in items], Context(requests=[item.request for item in items])

    def judge(self, items: Sequence[Item]) -> dict[str, Any]:
        filled = np.array([item.content.sum() for item in items], float)
        wanted = np.array([item.request.target["filled"] for item in items])
        seen: set[bytes] = set()
        fresh = []
        for item in items:
            fresh.append(float(item.content.tobytes() not in seen))
            seen.add(item.content.tobytes())
        return {
            "quality": (filled > 0).astype(float),
            "control": (filled == wanted).astype(float),
            "diversity": np.array(fresh),
            "filled": filled,
        }

    def save(self, item: Item, path: Path) -> None:
        dots = item.content.tolist()
        path.write_text(json.dumps(dots) if path.suffix == ".json" else "".join(".#"[d] for d in dots))

    def load(self, path: Path) -> Item:
        text = path.read_text()
        if set(text) - {".", "#"}:
            raise InputError("holds no dots.", place=str(path))
        return Item(np.array([c == "#" for c in text], np.uint8), DotsRequest(size=len(text)), 0)

    def preview(self, item: Item) -> Image.Image:
        return Image.fromarray(np.kron(item.content[None] * np.uint8(255), np.ones((4, 4), np.uint8)))


def _runs(items: Sequence[Any], context: Context) -> Any:
    return np.array([int(i[0]) + int((np.diff(i.astype(int)) == 1).sum()) for i in items], float)


def _random(requests: Sequence[Any], seeds: Sequence[int]) -> Iterator[Item]:
    for request, seed in zip(requests, seeds, strict=True):
        yield Item((RowRandom([seed]).uniform(request.size)[0] < 0.5).astype(np.uint8), request, seed)


def _heuristic(requests: Sequence[Any], seeds: Sequence[int]) -> Iterator[Item]:
    for request, seed in zip(requests, seeds, strict=True):
        dots = np.arange(request.size) < request.target["filled"]
        yield Item(dots.astype(np.uint8), request, seed, {"evaluations": 1})
