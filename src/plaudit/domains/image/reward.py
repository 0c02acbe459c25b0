"""The terms of this domain's tasks, by task; painting's stand in `paint_reward.py`."""

from __future__ import annotations

from plaudit.domains.image.paint_reward import paint_terms
from plaudit.domains.image.picture_likeness import likeness_terms
from plaudit.domains.image.picture_reward import pixel_terms
from plaudit.reward.term import Term

__all__ = ["paint_terms", "picture_terms"]


def picture_terms() -> tuple[Term, ...]:
    """Terms of `image/picture`: over a set's features, and over pixels alone."""
    return (*likeness_terms(), *pixel_terms())
