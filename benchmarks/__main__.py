"""Run one benchmark; stdout ends with one JSON line that holds every figure it claims.

`--quick` answers within about a minute on two cores: fewer pairs, seeds and levels, the same code.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys

NAMES = ("engine", "maze", "levels", "players", "solver", "music", "image")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--quick", action="store_true", help="within about 60 s on 2 cores")
    parser.add_argument(
        "--only", "--task", "--part", nargs="+", default=None, help="only these figures or tasks"
    )
    parser.add_argument("--columns", nargs="+", default=None, help="levels: only these columns of the tasks")
    options = parser.parse_args()
    if options.columns and options.name != "levels":
        parser.error(f"--columns is of levels alone, not of {options.name}")
    module = importlib.import_module(f"benchmarks.{options.name}")
    chosen = {"columns": options.columns} if options.columns else {}
    figures = module.run(quick=options.quick, only=options.only, **chosen)
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
