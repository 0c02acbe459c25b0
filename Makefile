# Each target sets up what it needs on a fresh machine: `.venv` with the exact versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test test-slow check bench clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $(READY)

demo: $(READY)
	$(BIN)/plaudit demo

test: $(READY)
	$(BIN)/python -m pytest -m 'not slow' -n 2

test-slow: $(READY)
	$(BIN)/python -m pytest -n 2

check: $(READY)
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/codespell src tests benchmarks docs README.md CHANGELOG.md CONTRIBUTING.md

bench: $(READY)
	$(BIN)/python -m benchmarks engine
	$(BIN)/python -m benchmarks maze

clean:
	rm -rf .venv build dist
