"""A reference in one safetensors file: tensors, and the rest as JSON in the header. No code, no pickle."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from plaudit.domains.image.classifier import Classifier
from plaudit.domains.image.picture_moments import Moments
from plaudit.domains.image.picture_reference import (
    SHIPPED,
    VERSION,
    Facts,
    Reference,
    make_reference,
    pictures_of,
)
from plaudit.errors import InputError
from plaudit.media import cache
from plaudit.media.limits import Limits, parse_json, read_bytes

_KEY = "plaudit"
_LIMITS = Limits(file_bytes=128 * 2**20)
_MOMENTS = ("mean", "basis", "middle", "root", "spread")


def write_reference(reference: Reference, path: Path) -> None:
    """Write it whole or not at all; raises `OSError`."""
    tensors: dict[str, Tensor] = {}
    for role in ("reward", "judge"):
        own = getattr(reference, role).tensors()
        tensors |= {f"{role}.{name}": value.contiguous() for name, value in own.items()}
    for name in ("train", "real"):
        features, labels = getattr(reference, name)
        tensors[f"{name}.features"] = torch.from_numpy(features).half()
        tensors[f"{name}.labels"] = torch.from_numpy(labels).int()
    for name in _MOMENTS:
        tensors[f"moments.{name}"] = torch.from_numpy(getattr(reference.moments, name)).half()
    about = {
        "version": VERSION,
        "facts": asdict(reference.facts),
        "reward": reference.reward.describe(),
        "judge": reference.judge.describe(),
    }
    part = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(save(tensors, {_KEY: json.dumps(about, sort_keys=True)}))
    os.replace(part, path)


def read_reference(path: Path) -> Reference:
    """Read what `write_reference` wrote; raises only `InputError`."""
    content, place = read_bytes(path, _LIMITS), str(path)
    try:
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        about = parse_json(json.loads(content[8 : 8 + length])["__metadata__"][_KEY], place)
        if about["version"] != VERSION:
            raise InputError(f"is {about['version']}, not {VERSION}.", place=place)
        return _rebuilt(about, tensors)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise InputError(f"holds no reference of pictures: {error!r}.", place=place) from error


def _rebuilt(about: dict[str, Any], tensors: dict[str, Tensor]) -> Reference:
    facts = about["facts"]
    known = Facts(facts["source"], tuple(facts["names"]), tuple(facts["shape"]), facts["digest"])
    nets = [
        Classifier.from_description(
            about[role],
            {n.removeprefix(f"{role}."): t for n, t in tensors.items() if n.startswith(f"{role}.")},
        )
        for role in ("reward", "judge")
    ]
    parts = [
        (tensors[f"{name}.features"].float().numpy(), tensors[f"{name}.labels"].long().numpy())
        for name in ("train", "real")
    ]
    moments = {name: tensors[f"moments.{name}"].float().numpy() for name in _MOMENTS}
    if not all(np.isfinite(values).all() for values in moments.values()):
        raise ValueError("moments that are not finite")
    return Reference(known, nets[0], nets[1], parts[0], parts[1], Moments(known.shape, **moments))


def ship(name: str) -> Path:
    """Make the reference of a set anew and write it into the package, without the machine's paths."""
    made = make_reference(pictures_of(name, None))
    for classifier in (made.reward, made.judge):
        classifier.about["source"] = name
    path = SHIPPED / f"{name}.safetensors"
    write_reference(replace(made, facts=replace(made.facts, source=name)), path)
    return path


def _place(digest: str) -> Path:
    return cache.folder("image") / "references" / f"{VERSION.replace(' ', '-')}-{digest[:24]}.safetensors"


def kept_reference(digest: str) -> Reference | None:
    """The reference of the set with this digest from the user's cache."""
    try:
        return read_reference(_place(digest))
    except InputError:
        # Not there, or damaged: made anew.
        return None


def keep_reference(reference: Reference) -> None:
    """Keep one in the user's cache; a cache that cannot be written is no error."""
    try:
        write_reference(reference, _place(reference.facts.digest))
    except OSError as error:
        cache.to_stderr(f"not kept: {error.strerror}")
