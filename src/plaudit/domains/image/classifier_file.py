"""A classifier in one safetensors file, its description as JSON in the header."""

from __future__ import annotations

import json
import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from plaudit.domains.image.classifier import Classifier
from plaudit.errors import InputError, ResourceError
from plaudit.media.limits import Limits, parse_json, read_bytes

_KEY = "plaudit"
_LIMITS = Limits(file_bytes=64 * 2**20)


def write_classifier(classifier: Classifier, path: Path) -> None:
    """Write it whole or not at all; raises `ResourceError`."""
    about = json.dumps(classifier.describe(), sort_keys=True)
    content = save(classifier.tensors(), {_KEY: about})
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ResourceError(f"cannot be written: {error.strerror}.", place=str(path)) from error


def read_classifier(path: Path) -> Classifier:
    """Read what `write_classifier` wrote; raises only `InputError`."""
    content, place = read_bytes(path, _LIMITS), str(path)
    try:
        # The reader checks that the header claims what the file holds, and lists no more than that.
        tensors = load(content)
        length = int.from_bytes(content[:8], "little")
        about = json.loads(content[8 : 8 + length])["__metadata__"][_KEY]
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise InputError(f"is no classifier of pictures: {error!r}.", place=place) from error
    return Classifier.from_description(parse_json(about, place), tensors)
