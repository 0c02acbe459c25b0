"""Shared by the tests of runs."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the waiting for the disk where a test does not cut the power for real."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
