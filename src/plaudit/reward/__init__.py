"""The reward language: terms, compositions, breakdowns. Knows arrays, not content.

The package is also the decorator: `@plaudit.reward(range=(0, 1))` is `plaudit.reward.user.reward`.
Python binds `plaudit.reward` to this module as soon as anything in it is imported, so the module
itself has to answer the call.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _CallableRoom(ModuleType):
    def __call__(self, *args: Any, **declared: Any) -> Any:
        from plaudit.reward.user import reward

        return reward(*args, **declared)


sys.modules[__name__].__class__ = _CallableRoom
