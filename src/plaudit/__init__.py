"""Plaudit: compose a reward, train a generator, look at what it makes, use it.

Everything here is imported on first use, so that `import plaudit` costs next to nothing.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "train": "plaudit.runs.api",
    "resume": "plaudit.runs.api",
    "load": "plaudit.runs.api",
    "Run": "plaudit.runs.api",
    "Model": "plaudit.runs.api",
    "Trainer": "plaudit.runs.trainer",
    "make": "plaudit.envs",
    "make_vec": "plaudit.envs",
    "reward": "plaudit.reward.user",
    "PlauditError": "plaudit.errors",
    "InputError": "plaudit.errors",
}

__all__ = [*_PUBLIC, "__version__"]  # noqa: PLE0604 - the names are keys of the table above


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'plaudit' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


if "gymnasium" in sys.modules:
    # Gymnasium loads no plug-ins: whoever imported it first finds our environments from here on.
    importlib.import_module("plaudit.envs").register()
