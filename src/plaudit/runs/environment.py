"""What a run ran on: versions, threads, processor, code path. Recorded, and compared on resume.

It holds nothing about the user: no paths, no host name, no environment variables.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch

_PACKAGES = ("plaudit", "torch", "numpy", "numba", "gymnasium", "safetensors", "pydantic")
_BITS = ("python", "machine", "cpu", "threads", "versions", "learner")
"""What must be equal for a resumed run to be bit-identical."""


def describe(learner: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `env.json`; `learner` is `Learner.describe()`."""
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
        "learner": json.loads(json.dumps(learner)),
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what differs between two descriptions so that equal bits cannot be promised.

    >>> differences({"threads": 1}, {"threads": 2})
    ['threads: 1 then, 2 now']
    """
    flat_then, flat_now = _flat(then), _flat(now)
    keys = [key for key in flat_then | flat_now if flat_then.get(key) != flat_now.get(key)]
    return [f"{key}: {flat_then.get(key)} then, {flat_now.get(key)} now" for key in keys]


def _flat(description: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key in _BITS:
        value = description.get(key)
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        flat.update({f"{key} {part}".strip(): item for part, item in parts})
    return flat


@cache
def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


@cache
def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


@cache
def _commit() -> str | None:
    """Return the commit of the source tree, None for an installed package."""
    tree = Path(__file__).resolve().parents[3]
    if not (tree / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(tree), "rev-parse", "HEAD"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
