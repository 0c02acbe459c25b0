"""The command line in this process, and one small trained run for whoever needs one."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small import SMALL

from plaudit.cli.main import main


@dataclass(frozen=True)
class Said:
    """What a command returned and printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command line in a folder of its own, through the real entry point."""
    monkeypatch.chdir(tmp_path)

    def run(*words: Any) -> Said:
        capfd.readouterr()
        code = main([str(word) for word in words])
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run of level/maze; not to be written to."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    before = os.getcwd()
    os.chdir(folder.parent)
    try:
        words = ["train", "level/maze", *SMALL, "--budget", "96", "--out", str(folder), "--evaluate", "6"]
        assert main(words) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the small run that a test may spoil."""
    return Path(shutil.copytree(trained, tmp_path / "run"))
