"""A classifier in one safetensors file, its description as JSON in the header."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from plaudit.domains.image.classifier import Classifier
from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import Limits, parse_json, read_bytes

_KEY = "plaudit"
_LIMITS = Limits(file_bytes=64 * 2**20)


def write_classifier(classifier: Classifier, path: Path) -> None:
    """Write it whole or not at all; raises `ResourceError`."""
    write_described(classifier.tensors(), classifier.describe(), path)


def read_classifier(path: Path) -> Classifier:
    """Read what `write_classifier` wrote; raises only `InputError`."""
    tensors, about = read_described(path)
    return Classifier.from_description(about, tensors)


def write_described(tensors: Mapping[str, Tensor], description: Mapping[str, Any], path: Path) -> None:
    """Write tensors and what rebuilds a net around them, whole or not at all; raises `ResourceError`."""
    content = save(dict(tensors), {_KEY: json.dumps(description, sort_keys=True)})
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            part.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise ResourceError(f"cannot be written: {reason}.", place=str(path)) from error


def read_described(path: Path) -> tuple[dict[str, Tensor], Any]:
    """Read what `write_described` wrote; raises only `InputError`."""
    content, place = read_bytes(path, _LIMITS), str(path)
    try:
        # The reader checks that the header claims what the file holds, and lists no more than that.
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        about = json.loads(content[8 : 8 + length])["__metadata__"][_KEY]
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"holds no nets of pictures: {error!r}.", place=place) from error
    return tensors, parse_json(about, place)
