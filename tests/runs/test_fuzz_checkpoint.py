"""Damaged checkpoints raise only the documented error, or are what they were before."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from plaudit.errors import InputError
from plaudit.runs import checkpoint, tensors
from plaudit.runs.checkpoint import Snapshot

NAMES = (checkpoint.MODEL, checkpoint.STATE, checkpoint.SKELETON, checkpoint.MANIFEST)


def snapshot() -> Snapshot:
    state = {"a": [1, 2.5, (None, True)], "b": {"c": np.arange(7), "d": torch.ones(2, 3)}, "e": float("nan")}
    return Snapshot(7, {"w": torch.arange(6.0), "v": torch.ones(2, 2)}, state, {"policy": {"kind": "toy"}})


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, insert, repeat, zero or replace a part."""
    at, size = chance.randrange(len(data) + 1), chance.choice([1, 1, 2, 8, 64])
    digit = chance.choice([i for i, byte in enumerate(data) if chr(byte).isdigit()] or [0])
    number = chance.choice([b"9" * 12, b"-1", b"null", b"[]", b"1e9"])
    flipped = bytes(byte ^ (1 << chance.randrange(8)) for byte in data[at : at + 1])
    changed = (
        data[:at],
        data[:at] + chance.randbytes(size) + data[at:],
        data[:at] + data[at + size :],
        data[:at] + bytes(size) + data[at + size :],
        data[:at] + data[max(0, at - size) :],
        data[:digit] + number + data[digit + 1 :],
        data[:at] + flipped + data[at + 1 :],
    )
    return chance.choice(changed)


def fuzz(count: int, folder: Path, seal: bool) -> int:
    """Damage one file of a checkpoint at a time; returns how many were refused.

    With `seal`, hashes and seal are made to fit again, so that the readers behind them are reached.
    """
    chance, refused = random.Random(count + seal), 0
    (folder / "good").mkdir(parents=True)
    good = checkpoint.save(folder / "good", snapshot())
    place = folder / "bad" / "checkpoints" / "000007"
    for _ in range(count):
        shutil.rmtree(folder / "bad", ignore_errors=True)
        shutil.copytree(good, place)
        name = chance.choice(NAMES)
        (place / name).write_bytes(mutate((good / name).read_bytes(), chance))
        if seal:
            reseal(place)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                checkpoint.newest(folder / "bad")
        except InputError as error:
            assert str(place) in str(error) and len(str(error)) < 1000
            refused += 1
    return refused


def reseal(place: Path) -> None:
    """Make hashes and seal fit the files again, where the manifest can still be read."""
    try:
        body = json.loads((place / checkpoint.MANIFEST).read_bytes())
        for name in NAMES[:3]:
            data = (place / name).read_bytes()
            body["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        body.pop("seal", None)
        (place / checkpoint.MANIFEST).write_text(json.dumps({**body, "seal": checkpoint._seal(body)}))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass


def fuzz_tensors(count: int) -> None:
    chance = random.Random(count)
    good = tensors.encode({"w": torch.arange(6.0), "mask": torch.tensor([True, False]), "n": torch.tensor(3)})
    for _ in range(count):
        bad = good
        for _ in range(chance.choice([1, 1, 2, 4])):
            bad = mutate(bad, chance) or b"\0"
        try:
            found = tensors.decode(bad, "memory")
            assert sum(tensor.nbytes for tensor in found.values()) <= len(bad)
        except InputError:
            pass


@pytest.mark.usefixtures("quick_disk")
def test_damaged_checkpoints_raise_only_input_errors(tmp_path: Path) -> None:
    refused = fuzz(150, tmp_path / "plain", seal=False)
    assert refused > 120
    assert fuzz(150, tmp_path / "sealed", seal=True) > 30
    fuzz_tensors(2_000)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_disk")
def test_many_damaged_checkpoints_raise_only_input_errors(tmp_path: Path) -> None:
    assert fuzz(10_000, tmp_path / "plain", seal=False) > 8_000
    assert fuzz(10_000, tmp_path / "sealed", seal=True) > 2_000
    fuzz_tensors(100_000)
