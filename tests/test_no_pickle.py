"""No source of the package can run code that a file holds: nothing unpickles, evaluates or opens a shell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[1] / "src").rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "compile_command", "os.system", "os.popen", "torch.load", "torch.save", "yaml.load"}


def dotted(node: ast.expr) -> str:
    """Write `a.b.c` for names and attributes, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def faults(source: str) -> list[str]:
    """Return what in a source is forbidden, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module.split(".")[0], *(f"{module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call):
            names = [dotted(node.func), *_keywords(node)]
        else:
            continue
        found += [
            f"{name} in line {node.lineno}" for name in names if name in MODULES | CALLS | {"shell=True"}
        ]
    return found


def _keywords(call: ast.Call) -> list[str]:
    given = {key.arg: key.value for key in call.keywords}
    shell = given.get("shell")
    names = (
        [] if shell is None or (isinstance(shell, ast.Constant) and shell.value is False) else ["shell=True"]
    )
    allow = given.get("allow_pickle")
    if allow is not None and not (isinstance(allow, ast.Constant) and allow.value is False):
        names.append("pickle")
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nothing_in_the_package_runs_code_from_files(path: Path) -> None:
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch; torch.load('x', weights_only=True)",
        "from torch import save",
        "import os; os.system('ls')",
        "eval('1')",
        "exec(text)",
        "run('ls', shell=True)",
        "run('ls', shell=flag)",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_the_rule_sees_what_is_forbidden(source: str) -> None:
    assert faults(source)


def test_the_rule_lets_the_rest_pass() -> None:
    assert len(SOURCES) > 20
    assert (
        faults("model.eval()\nsafetensors.torch.load(data)\nrun(['ls'], shell=False)\nre.compile('x')") == []
    )
