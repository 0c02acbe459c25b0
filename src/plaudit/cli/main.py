"""The `plaudit` command: finds the verb, runs it, and turns what comes back into text, JSON and exit code.

Nothing heavy is imported here: `plaudit --help` and `plaudit tasks` answer before torch could be
loaded. A verb is one file beside this one, imported when it is called; its options are read by Typer
from the signature of its `command` (or of several `commands`). A verb returns an `Answer`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from plaudit.cli.answer import Answer
from plaudit.errors import InputError, PlauditError, ResourceError, did_you_mean

VERBS = {
    "tasks": "List what can be made.",
    "rewards": "List the reward terms of a task: range, direction, whether differentiable.",
    "reward": "Learn a reward from a folder of good pictures and one of bad ones.",
    "algorithms": "List the learning algorithms, or the settings of one.",
    "check": "Check a task, a task of your own (module:Class) or a recipe file.",
    "train": "Train a generator, evaluate it, write samples and a report.",
    "resume": "Go on with a run that was stopped.",
    "sample": "Generate items from a preset, a run or an exported file.",
    "solve": "Solve Sokoban levels, or prove that they cannot be.",
    "eval": "Judge a policy beside random, heuristic and best-of-n.",
    "compare": "Put runs side by side.",
    "report": "Write the report of a run.",
    "export": "Write the policy of a run as one file, or as a preset folder.",
    "runs": "List, show or remove runs.",
    "doctor": "Say what is installed and whether it works.",
    "demo": "Train mazes for a minute and look at them.",
}
_MODULES = {"eval": "evaluate"}
_INTERRUPTED = 130
_DEFECT = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; never raises, never prints a bare traceback."""
    given = list(sys.argv[1:] if argv is None else argv)
    as_json, debug = "--json" in given, "--debug" in given
    given = [word for word in given if word not in ("--json", "--debug")]
    with warnings.catch_warnings():
        warnings.showwarning = _warn
        try:
            answer = _run(given)
        except BaseException as error:
            if debug:
                raise
            answer = _failure(error)
        return _print(answer, as_json)


def _run(given: list[str]) -> Answer:
    verb = given[0] if given else "--help"
    if verb in ("--help", "-h", "help"):
        return Answer(_overview(), {"verbs": VERBS})
    if verb in ("--version", "-V"):
        from plaudit import __version__

        return Answer(f"plaudit {__version__}", {"version": __version__})
    if verb not in VERBS:
        raise InputError(
            f'there is no command "{verb}".', hint=f"{did_you_mean(verb, VERBS)} See plaudit --help"
        )
    module = importlib.import_module(f"plaudit.cli.{_MODULES.get(verb, verb)}")
    if verb == "tasks" and len(given) == 1:
        # Nothing to parse: this answers without loading Typer, which alone takes 0.1 s.
        return _answer(module.command())
    # So that `module:Class` finds a file beside which the command is typed.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    return _parse_and_run(verb, module, given[1:])


def _parse_and_run(verb: str, module: Any, words: list[str]) -> Answer:
    """Let Typer read the words by the signature of the verb's functions and call the one meant."""
    import typer

    commands: tuple[Callable[..., Answer], ...] = getattr(module, "commands", ()) or (module.command,)
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=len(commands) > 1)
    for command in commands:
        app.command(help=(command.__doc__ or VERBS[verb]).strip())(command)
    try:
        return _answer(
            typer.main.get_command(app).main(args=words, prog_name=f"plaudit {verb}", standalone_mode=False)
        )
    except typer.Abort:
        raise KeyboardInterrupt from None
    # BadParameter is the one usage error that Typer exports; its parent class holds them all.
    except typer.BadParameter.__mro__[1] as error:
        hint = f"See plaudit {verb} --help"
        raise InputError(str(error.format_message()), place=f"plaudit {verb}", hint=hint) from None


def _answer(returned: Any) -> Answer:
    """What a verb returned; Typer returns a plain exit code after `--help`."""
    return returned if isinstance(returned, Answer) else Answer("", {}, int(returned or 0))


def _failure(error: BaseException) -> Answer:
    """The plain message and exit code of an error; anything unforeseen is a defect and says so."""
    if isinstance(error, KeyboardInterrupt):
        return _said("Stopped.", _INTERRUPTED)
    if isinstance(error, PlauditError):
        return _said(str(error), error.exit_code)
    if isinstance(error, MemoryError):
        return _said("out of memory.", ResourceError.exit_code)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return _said(f"{place}{error.strerror or error}.", ResourceError.exit_code)
    if isinstance(error, SystemExit):
        return Answer("", {}, error.code if isinstance(error.code, int) else _DEFECT)
    kind = f"{type(error).__name__}: {error}".strip(": ")
    return _said(f"internal error: {kind}. Run again with --debug for the traceback.", _DEFECT)


def _said(message: str, code: int) -> Answer:
    return Answer("", {"error": message, "exit_code": code}, code)


def _print(answer: Answer, as_json: bool) -> int:
    """Text or, when asked for, JSON to stdout; errors to stderr."""
    try:
        if answer.text and not as_json:
            print(answer.text, flush=True)
        if "error" in answer.data:
            # A signal is no error: what was saved and how to go on is all there is to say.
            prefix = "" if answer.exit_code >= _INTERRUPTED else "error: "
            print(f"{prefix}{answer.data['error']}", file=sys.stderr, flush=True)
        if as_json:
            print(json.dumps(answer.data, allow_nan=False, default=str), flush=True)
    except BrokenPipeError:
        # The reader has seen enough (`plaudit tasks | head -1`); Python would complain once more at exit.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")
    return answer.exit_code


def _warn(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    print(f"warning: {message}", file=sys.stderr, flush=True)


def _overview() -> str:
    width = max(map(len, VERBS)) + 2
    verbs = "\n".join(f"  {verb:<{width}}{summary}" for verb, summary in VERBS.items())
    return (
        "Plaudit: compose a reward, train a generator, look at what it makes, use it.\n\n"
        f"plaudit COMMAND ...\n\n{verbs}\n\n"
        "Every command: --help, --json (last line of stdout is one JSON object), --debug (tracebacks).\n"
        "Start with: plaudit demo, or plaudit train level/maze"
    )


if __name__ == "__main__":
    sys.exit(main())
