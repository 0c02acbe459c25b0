"""Every error that Plaudit raises on purpose, each with the exit code of the command line.

A message says what was asked, what came, and what to do; `place` names the file and the key or byte.
Anything else that escapes is a defect of Plaudit.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PlauditError(Exception):
    """A failure with a plain message. `exit_code` is what the command line returns."""

    exit_code = 1

    def __init__(self, message: str, *, place: str = "", hint: str = "") -> None:
        self.message, self.place, self.hint = message, place, hint
        super().__init__(self.__str__())

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} {self.hint}" if self.hint else text


class InputError(PlauditError):
    """A recipe, file, option or request that cannot be used as it is."""

    exit_code = 2


class MissingExtra(PlauditError):
    """An optional dependency is not installed; the message holds the install line."""

    exit_code = 3


class Diverged(PlauditError):
    """A loss, gradient, composed reward or observation is not finite."""

    exit_code = 4


class ResourceError(PlauditError):
    """The disk, the memory or a lock is not available."""

    exit_code = 5


class Infeasible(PlauditError):
    """The request cannot be met; the message names the nearest that was reached."""

    exit_code = 6


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean "x"?`, or the list of what is known where nothing is close.

    >>> did_you_mean("symetry", ["symmetry", "path"])
    'Did you mean "symmetry"?'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Known: {', '.join(names)}." if names else ""
