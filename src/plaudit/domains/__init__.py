"""The one explicit list of tasks, lazy: listing them imports no torch.

A domain is a folder beside this file; a task is one class of its `task.py`. To add one, add a line.
"""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from plaudit.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from plaudit.task import Task


@dataclass(frozen=True)
class TaskInfo:
    """Where a task lives and what it makes, without importing it."""

    name: str
    summary: str
    place: str
    """`module:Class`"""
    stepwise: bool = True
    """Whether the task has an environment, and so a Gymnasium id."""
    no_preset: str = ""
    """Why the task ships no preset, and what to do instead; "" = train one."""


TASKS = (
    TaskInfo(
        "level/maze",
        "Mazes: one connected region and a longest path of the length you ask for.",
        "plaudit.domains.level.task:Maze",
    ),
    TaskInfo(
        "level/zelda",
        "Zelda levels: a key, a door and enemies, with ways of the length you ask for.",
        "plaudit.domains.level.task:Zelda",
    ),
    TaskInfo(
        "level/sokoban",
        "Sokoban levels that can be solved, with as many crates as you ask for.",
        "plaudit.domains.level.task:Sokoban",
    ),
    TaskInfo(
        "level/dungeon",
        "Dungeons: goblins, potions and treasures on a way of the length you ask for.",
        "plaudit.domains.level.task:Dungeon",
    ),
    TaskInfo(
        "level/cave",
        "Caves to jump through, with start, exit and diamonds as you ask for.",
        "plaudit.domains.level.task:Cave",
    ),
    TaskInfo(
        "level/platformer",
        "Platformers: run and jump to the exit, with jumps, enemies and coins as you ask for.",
        "plaudit.domains.level.task:Platformer",
    ),
    TaskInfo(
        "level/custom",
        "A tile game of your own, from a file: tiles, counts, regions, walks and targets.",
        "plaudit.domains.level.task:Custom",
        no_preset="A game of your own is trained first: plaudit train level/custom --set env.game=FILE.toml "
        "(or garden, island); then: plaudit sample runs/latest",
    ),
    TaskInfo(
        "level/path",
        "A grid world with start, goal, walls and step cost, and the route Q-learning finds.",
        "plaudit.domains.level.task:Path",
    ),
    TaskInfo(
        "music/melody",
        "Melodies in the key, metre, length and range you ask for, with chords if you like.",
        "plaudit.domains.music.task:Melody",
    ),
    TaskInfo(
        "music/infill",
        "Open bars of your own piece filled in, or the piece gone on with.",
        "plaudit.domains.music.task:Infill",
        stepwise=False,
    ),
    TaskInfo(
        "music/leadsheet",
        "Chord symbols for a melody of yours.",
        "plaudit.domains.music.leadsheet.task:Leadsheet",
        stepwise=False,
    ),
    TaskInfo(
        "music/chorale",
        "Four-part chorales: alto, tenor and bass to your soprano, or what you leave open.",
        "plaudit.domains.music.chorale.task:Chorale",
        stepwise=False,
    ),
    TaskInfo(
        "image/paint",
        "A picture of yours painted with a few strokes, as SVG and as a film.",
        "plaudit.domains.image.task:Paint",
    ),
    TaskInfo(
        "image/picture",
        "Small pictures of the class you ask for, learned from a set of yours.",
        "plaudit.domains.image.task:Picture",
        stepwise=False,
    ),
)


def get_task(name: str) -> Task:
    """Import and make the task called `name`; raises `InputError` with the nearest name.

    `name` may also be `module:Class` for a task outside the package, on the path or in the working folder.
    """
    known = {info.name: info.place for info in TASKS}
    if name not in known and ":" not in name:
        hint = did_you_mean(name, known)
        raise InputError(f'no task is called "{name}".', hint=f"{hint} List: plaudit tasks")
    if name not in known:
        return _from_outside(name)
    module, _, attribute = known[name].partition(":")
    return cast("Task", getattr(importlib.import_module(module), attribute)())


def _from_outside(name: str) -> Task:
    """Make the task of `module:Class`; only a class with a task's methods is called."""
    module, _, attribute = name.partition(":")
    # A script that lies elsewhere finds the file beside which it was started, as the command line does.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        found = getattr(importlib.import_module(module), attribute)
    # A module from outside may raise anything while it is imported.
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError(f'the task "{name}" cannot be imported ({reason}).') from error
    if not isinstance(found, type) or not all(
        hasattr(found, part) for part in ("recipes", "generate", "judge")
    ):
        raise InputError(f'"{name}" is not the class of a task.', hint="See docs/adding-a-domain.md.")
    return cast("Task", found())
