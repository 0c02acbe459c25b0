"""The house itself: one direction of imports, and the same rooms in every domain."""

import ast
from pathlib import Path

import pytest

import plaudit
from plaudit.domains import TASKS

SRC = Path(plaudit.__file__).parent
MODULES = sorted(path.relative_to(SRC) for path in SRC.rglob("*.py"))
ALLOWED = {
    "errors": {"errors"},
    "engine": {"engine", "errors"},
    "reward": {"reward", "engine", "errors", "measure"},
    "measure": {"measure", "errors"},
    "media": {"media", "errors"},
    "task": {"task", "reward", "engine", "runs", "errors"},
    "stepwise": {"stepwise", "task", "reward", "engine", "media", "runs", "errors"},
    "domains": {"domains", "task", "stepwise", "reward", "engine", "measure", "media", "errors", "runs"},
}
"""What each floor may import. `task`, `stepwise` and `domains` know of `runs` the recipe alone."""

ROOMS = ("task.py", "reward.py", "render.py", "metrics.py", "README.md", "presets")


def imports(path: Path) -> set[str]:
    """Dotted names below `plaudit` that a module imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse((SRC / path).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name.removeprefix("plaudit.") for name in found if name.startswith("plaudit.")}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_knowledge_runs_one_way(path):
    floor = path.parts[0].removesuffix(".py")
    if floor not in ALLOWED:
        return
    for name in imports(path):
        first = name.split(".")[0]
        assert first in ALLOWED[floor], f"{path} imports plaudit.{name}"
        if floor in {"task", "stepwise", "domains"} and first == "runs":
            assert name.startswith("runs.recipe"), f"{path} imports plaudit.{name}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parts[0] == "domains" and len(p.parts) > 2], ids=str
)
def test_a_domain_knows_no_other_domain(path):
    others = {n.split(".")[1] for n in imports(path) if n.startswith("domains.") and n.count(".") > 1}
    assert others <= {path.parts[1]}, f"{path} imports {others - {path.parts[1]}}"


@pytest.mark.parametrize("domain", sorted({info.name.split("/")[0] for info in TASKS}))
def test_every_domain_has_the_same_rooms(domain):
    folder = SRC / "domains" / domain
    assert [room for room in ROOMS if not (folder / room).exists()] == []
    assert (folder / "env.py").exists() or (folder / "model.py").exists()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_name_that_says_nothing(path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
