"""The MDPs of this domain, by task; painting's stands in `paint_env.py`."""

from __future__ import annotations

from plaudit.domains.image.paint_env import PaintConfig, PaintEnv

__all__ = ["PaintConfig", "PaintEnv"]
