"""One contract over all tasks: a new task joins by standing in `plaudit.domains.TASKS`."""

import pytest

from plaudit.conformance import CHECKS, run_check
from plaudit.domains import TASKS, get_task


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", [info.name for info in TASKS])
def test_contract(name, check):
    result = run_check(check, get_task(name))
    assert result.passed, result.problem
