"""The terms of this domain's tasks, by task; painting's stand in `paint_reward.py`."""

from __future__ import annotations

from plaudit.domains.image.paint_reward import paint_terms

__all__ = ["paint_terms"]
