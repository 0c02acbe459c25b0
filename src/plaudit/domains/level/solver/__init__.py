"""A Sokoban solver: which pushes bring every crate onto a target, or that none do, or an honest "unknown"."""

from plaudit.domains.level.solver.search import Answer, Limits, solve
from plaudit.domains.level.solver.xsb import Level, read_levels

__all__ = ["Answer", "Level", "Limits", "read_levels", "solve"]
