"""Every example of README.md and docs/ runs as it stands (tests/docs/pages.py), and tables are complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import plaudit
from plaudit.engine import algorithms
from plaudit.engine.gym import FromGym
from plaudit.engine.learner import UnitWeights
from plaudit.errors import InputError

ROOT = Path(__file__).parents[1]
HERE = ROOT / "tests" / "docs"
sys.path.append(str(HERE))

import pages  # noqa: E402 - beside the tests, not in a package
import tables  # noqa: E402

PAGES = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.is_file()]
SRC = Path(plaudit.__file__).parent
MOST_LINES = 60


def page(name):
    return ROOT / "docs" / f"{name}.md"


def run_script(folder, text, timeout_s=300):
    """Run a page's script in `folder`, as a file: what the user decorates has a file and a line."""
    (folder / "page.py").write_text(text)
    path = os.pathsep.join([str(HERE), str(SRC.parent), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, "page.py"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_example_runs(path, tmp_path):
    if not any(map(pages.runs, pages.blocks(path))):
        pytest.skip("no examples")
    done = run_script(tmp_path, pages.script(path))
    assert done.returncode == 0, f"{path.name}\n{done.stderr[-4000:]}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


class TestTheExamplesAreReallyRun:
    """The runner itself, on pages that are wrong."""

    def say(self, tmp_path, text):
        (tmp_path / "page.md").write_text(text)
        return run_script(tmp_path, pages.script(tmp_path / "page.md"))

    def test_python_with_its_line(self, tmp_path):
        done = self.say(tmp_path, "# T\n\n```python\na = 1\n```\n\ntext\n\n```python\nassert a == 2\n```\n")
        assert done.returncode == 1 and "line 10" in done.stderr

    @pytest.mark.parametrize(
        "block",
        [
            "$ plaudit rewards level/maze\nno such line",
            "$ plaudit rewards level/mase",
            "$ plaudit rewards level/mase\nerror: no task ...\n$ echo $?\n3",
            "$ plaudit --version\n$ echo $?\n1",
        ],
    )
    def test_commands(self, tmp_path, block):
        assert self.say(tmp_path, f"# T\n\n```console\n{block}\n```\n").returncode == 1

    def test_what_is_right_passes(self, tmp_path):
        text = (
            "# T\n\n```console\n$ plaudit rewards level/mase\n"
            'error: no task is ... "level/maze"? ...\n$ echo $?\n2\n```\n'
            "```toml file=a.toml\nb = 1\n```\n"
            "```python\nassert open('a.toml').read() == 'b = 1\\n'\n```\n"
        )
        done = self.say(tmp_path, text)
        assert done.returncode == 0, done.stderr


def test_a_domain_fits_in_sixty_lines():
    code = [block for block in pages.blocks(page("adding-a-domain")) if block.file == "stripes.py"]
    assert len(code) == 1
    assert 20 < len(code[0].lines) <= MOST_LINES
    others = [block for block in pages.blocks(page("adding-a-domain")) if block.file.endswith(".py")]
    assert others == code, "the domain is one file"


def test_the_domain_of_the_page_keeps_the_contract(tmp_path, monkeypatch):
    from plaudit.conformance import check_task
    from plaudit.domains import get_task

    for block in pages.blocks(page("adding-a-domain")):
        if block.file:
            (tmp_path / block.file).write_text(block.text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        results = check_task(get_task("stripes:Stripes"))
    finally:
        sys.modules.pop("stripes", None)
    assert [(result.name, result.problem) for result in results if not result.passed] == []
    assert len(results) >= 16


def test_the_page_of_algorithms_lists_every_setting():
    from plaudit.engine.algorithms import ALGORITHMS
    from plaudit.engine.nets import FAMILIES

    text = page("algorithms").read_text()
    wanted = {algorithm.config for algorithm in ALGORITHMS.values()}
    wanted |= {place.rpartition(":")[0] for place in FAMILIES.values()}
    assert wanted <= set(tables.listed(text))
    assert tables.render(text) == text, "run: python tests/docs/tables.py"


def test_the_page_of_algorithms_names_every_algorithm():
    from plaudit.engine.algorithms import ALGORITHMS

    heads = re.findall(r"^## `([a-z-]+)`", page("algorithms").read_text(), re.M)
    assert heads == list(ALGORITHMS)


def test_the_architecture_names_files_that_exist():
    text = page("architecture").read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", text))
    missing = [name for name in named if not (SRC / name).is_file() and not (ROOT / name).is_file()]
    # A bare name is one of the room that its line speaks of.
    missing = [name for name in missing if "/" in name or not any(SRC.rglob(name))]
    assert missing == [] and len(named) > 40


def test_the_architecture_names_every_file_of_the_package():
    """The house as built: a new file is a line on that page, in words."""
    text = page("architecture").read_text()
    for path in sorted(SRC.rglob("*.py")):
        place = path.relative_to(SRC)
        if place.name.startswith("__") or (place.parts[0] == "domains" and place.parts[1] != "level"):
            continue
        assert re.search(rf"\b{re.escape(place.stem)}\b", text), f"docs/architecture.md does not name {place}"


def test_the_page_of_runs_lists_every_exit_code():
    from plaudit import errors

    table = dict(re.findall(r"^\| (\d+) \| (.+?) \|", page("runs").read_text(), re.M))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert {str(kind.exit_code) for kind in kinds} | {"0", "130", "143"} == set(table)


def spaces_of():
    """A small space for each row of the table of spaces in docs/algorithms.md."""
    box = spaces.Box(-1, 1, (2,), np.float32)
    return {
        "actions Discrete": (box, spaces.Discrete(2)),
        "actions MultiDiscrete": (box, spaces.MultiDiscrete([2, 3])),
        "actions Box, bounded": (box, box),
        "observations Discrete": (spaces.Discrete(3), spaces.Discrete(2)),
        "observations MultiDiscrete": (spaces.MultiDiscrete([2, 3]), spaces.Discrete(2)),
        "observations Box": (box, spaces.Discrete(2)),
    }


class Whatever(gymnasium.Env):
    """Any observations and actions."""

    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, False, False, {}


SMALL = {
    "tabular-q": {"chunk": 8},
    "dqn": {"chunk": 8, "learning_starts": 2, "batch_size": 2},
    "ppo": {"n_steps": 4, "batch_size": 4},
}


@pytest.mark.parametrize("algorithm", SMALL)
@pytest.mark.parametrize("row", spaces_of())
def test_the_table_of_spaces_is_true(row, algorithm):
    lines = [
        [cell.strip() for cell in line.split("|")] for line in page("algorithms").read_text().splitlines()
    ]
    head = next(line for line in lines if f"`{algorithm}`" in line)
    cell = next(line for line in lines if row in line)[head.index(f"`{algorithm}`")]
    observed, acted = spaces_of()[row]
    # A table sees numbers: its actions are asked about with observations that it can take.
    observed = spaces.Discrete(3) if algorithm == "tabular-q" and row.startswith("actions") else observed

    def train():
        env = FromGym(lambda: Whatever(observed, acted), 2)
        config = algorithms.configure(algorithm, SMALL[algorithm])
        network = [{"kind": "mlp"}] if algorithms.get_algorithm(algorithm).has_network else []
        algorithms.learner_class(algorithm)(env, UnitWeights(env.term_names), config, *network, 0).step()

    if cell.startswith("yes"):
        train()
    else:
        with pytest.raises(InputError):
            train()
