"""What is reported of this domain's items, by task; painting's figures stand in `paint_judge.py`."""

from __future__ import annotations

from plaudit.domains.image.paint_judge import judge_paintings

__all__ = ["judge_paintings"]
