"""How fast and how light the command line starts; what it says when nothing is asked."""

import os
import resource
import subprocess
import sys

import pytest

HEAVY = ("torch", "numba", "pydantic", "typer", "rich", "numpy", "gymnasium", "PIL")


def imported(*words):
    """Modules that a fresh `plaudit WORDS` imports."""
    code = "import sys; from plaudit.cli.main import main; main(sys.argv[1:])"
    code += "; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stderr.split()), done.stdout


@pytest.mark.parametrize("words", [["--help"], ["tasks"], [], ["--version"], ["tasks", "--json"]])
def test_nothing_heavy_is_imported_to_answer_a_newcomer(words):
    modules, out = imported(*words)
    assert sorted(set(HEAVY) & modules) == []
    assert out.strip()


@pytest.mark.parametrize("words", [["--help"], ["tasks"]])
def test_the_answer_takes_less_than_150_ms_of_processor_time(words):
    # Processor time: the wall clock belongs to whatever else runs on the machine.
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "plaudit", *words], check=True, capture_output=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.15


def test_importing_the_public_face_is_light():
    code = "import plaudit, plaudit.domains, plaudit.errors, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert {"torch", "numba", "pydantic"} & set(done.stdout.split()) == set()


def test_a_reader_that_leaves_early_is_no_error():
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "plaudit", "tasks"],
        check=False,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
