"""A child process for one user's function: time limit, memory limit, restart after a failure.

This keeps a training alive through a function that never returns, exits or eats the memory; it is no
sandbox, as the function is the user's own program. The child is forked, so that functions of scripts
and notebooks work as they stand, without pickling. What the function prints goes to stderr.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from plaudit.errors import InputError, PlauditError
from plaudit.reward import wire
from plaudit.reward.answer import Loaded, serve
from plaudit.reward.term import Context


@dataclass(frozen=True)
class Limits:
    """What one child may use."""

    call_s: float = 5.0
    """Seconds for one call."""
    load_s: float = 60.0
    """Seconds for importing the user's file."""
    memory_gb: float = 4.0
    """Address space beyond what the training had when it forked."""


_running: weakref.WeakSet[Child] = weakref.WeakSet()


class Child:
    """A user's function at work in its own process, started by the first call.

    `load` runs in the child and returns the function with its declaration.
    """

    def __init__(self, name: str, load: Callable[[], Loaded], limits: Limits) -> None:
        self.name, self.limits = name, limits
        self._load = load
        self._process: _Process | None = None
        self._requests: tuple[Any, ...] = ()
        self._references: Any = None

    def start(self) -> dict[str, Any]:
        """Start the process and return what the function declares; raises `InputError`."""
        self.stop()
        self._process = _fork(self._load, self.limits)
        _running.add(self)
        self._requests, self._references = (), None
        self._process.stream.sock.settimeout(self.limits.load_s)
        return self._receive(self.limits.load_s, "could not be imported within").head

    def call(self, items: Any, context: Context) -> NDArray[np.float64]:
        """Return the function's numbers, of whatever shape; raises `InputError` naming the culprit."""
        if self._process is None:
            self.start()
        assert self._process is not None
        if self._process.stream.sock.gettimeout() != self.limits.call_s:
            self._process.stream.sock.settimeout(self.limits.call_s)
        frame = self._frame(items, context)
        try:
            self._process.stream.send(frame)
        except OSError:
            raise self._ended() from None
        reply = self._receive(self.limits.call_s, f"did not return within (batch of {len(items)})")
        if context.generator is not None:
            context.generator.counter[...] = reply.arrays[1]
        return reply.arrays[0]

    def stop(self) -> str:
        """End the process, if there is one, and say how it ended."""
        process, self._process = self._process, None
        return process.end() if process is not None else ""

    def _receive(self, limit_s: float, late: str) -> wire.Frame:
        assert self._process is not None
        try:
            reply = self._process.stream.receive()
        except TimeoutError:
            self.stop()
            raise InputError(
                f'the reward function "{self.name}" {late} {limit_s:g} s; its process was stopped.',
                hint="Make it faster, or give it longer: @plaudit.reward(limit_s=...).",
            ) from None
        except (EOFError, OSError):
            raise self._ended() from None
        except BaseException:
            # After Ctrl-C the answer is still to come: the next call must not take it for its own.
            self.stop()
            raise
        if "refused" in reply.head:
            self.stop()
            raise InputError(reply.head["refused"], place=reply.head["place"], hint=reply.head["hint"])
        if "error" in reply.head:
            raise InputError(
                f'the reward function "{self.name}" {reply.head["error"]}', place=reply.head["place"]
            )
        return reply

    def _ended(self) -> InputError:
        return InputError(
            f'the reward function "{self.name}" ended its process ({self.stop()}).',
            hint=f"It may use {self.limits.memory_gb:g} GB and must return, not exit.",
        )

    def _frame(self, items: Any, context: Context) -> wire.Frame:
        """Describe one call; requests and references travel only when they are new."""
        frame = wire.Frame({})
        frame.head["items"] = wire.pack(items, frame.arrays)
        requests = tuple(context.requests)
        changed = _changed(requests, self._requests)
        if changed or len(requests) != len(self._requests):
            values = wire.pack([requests[at] for at in changed], frame.arrays)
            frame.head["requests"] = {"count": len(requests), "at": changed, "values": values}
        self._requests = requests
        if context.references is not self._references:
            try:
                frame.head["references"] = wire.pack(context.references, frame.arrays)
            except PlauditError:
                frame.head["references"] = wire.pack((), frame.arrays)
            self._references = context.references
        if context.groups is not None:
            frame.head["groups"] = wire.pack(context.groups, frame.arrays)
        if context.generator is not None:
            frame.head["key"] = wire.pack(context.generator.key, frame.arrays)
            frame.head["counter"] = wire.pack(context.generator.counter, frame.arrays)
        return frame


def _changed(requests: tuple[Any, ...], before: tuple[Any, ...]) -> list[int]:
    """Return the rows whose request is another object; requests are frozen."""
    if len(requests) != len(before):
        return list(range(len(requests)))
    return [at for at, (one, other) in enumerate(zip(requests, before, strict=True)) if one is not other]


@dataclass
class _Process:
    """A started child: its process id and our end of the stream."""

    pid: int
    stream: wire.Stream
    parent: int

    def __post_init__(self) -> None:
        self._finish = weakref.finalize(self, _kill, self.pid, self.stream.sock, self.parent)

    def end(self) -> str:
        return str(self._finish() or "")


def _kill(pid: int, sock: socket.socket, parent: int) -> str:
    """Kill a child with all that it started, and say how it ended. Nothing to do in a forked copy."""
    if os.getpid() != parent:
        return ""
    sock.close()
    ended, status = os.waitpid(pid, os.WNOHANG)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _fork(load: Callable[[], Loaded], limits: Limits) -> _Process:
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads at a fork; torch always has some, and the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _be_child(load, limits, ours, theirs)
    theirs.close()
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    return _Process(pid, wire.Stream(ours), os.getpid())


def _be_child(
    load: Callable[[], Loaded], limits: Limits, ours: socket.socket, theirs: socket.socket
) -> NoReturn:
    try:
        ours.close()
        for other in _running:
            # Else a sibling would not see its stream end when the training is killed.
            if other._process is not None:
                other._process.stream.sock.close()
        _confine(limits)
        serve(wire.Stream(theirs), load, limits.call_s, limits.load_s)
    finally:
        os._exit(1)


def _confine(limits: Limits) -> None:
    """Own process group, no terminal input, prints to stderr, one thread, bounded memory, no forks."""
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    _limit_memory(limits.memory_gb)
    sys.addaudithook(_refuse_forks)


def _limit_memory(memory_gb: float) -> None:
    """Linux counts address space, of which a forked torch already holds much: the limit is on top."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm") as statm:
            held = int(statm.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (held + int(memory_gb * 1e9), hard))


def _refuse_forks(event: str, _: Any) -> None:
    if event in ("os.fork", "os.forkpty"):
        raise PermissionError("a reward function may not fork its process; subprocess.run is allowed")
