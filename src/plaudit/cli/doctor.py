"""`plaudit doctor`: what is installed, on what it runs, and whether it works."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from plaudit.cli.answer import Answer, columns
from plaudit.errors import PlauditError

PACKAGES = (
    "plaudit",
    "torch",
    "numpy",
    "numba",
    "gymnasium",
    "safetensors",
    "pydantic",
    "typer",
    "rich",
    "pillow",
)
EXTRAS = {"track": ("tensorboard",)}
ENOUGH_BYTES = 2**30


def command() -> Answer:
    """Say what is installed, whether it works, and what to do where it does not."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "versions": {name: _version(name) for name in PACKAGES},
        "extras": {name: all(map(_importable, parts)) for name, parts in EXTRAS.items()},
    }
    checks = [_python(), _torch(found), _numba(), _disk(), _presets()]
    found["checks"] = [{"check": name, "ok": ok, "said": said} for name, ok, said in checks]
    rows = [["python", found["python"]], ["system", f"{found['system']}, {found['cores']} cores"]]
    rows += [[name, number or "missing"] for name, number in found["versions"].items()]
    rows += [
        [f"[{name}]", "installed" if there else f"not installed: pip install 'plaudit[{name}]'"]
        for name, there in found["extras"].items()
    ]
    rows += [["", ""], *([name, f"{'ok' if ok else 'FAIL'}: {said}"] for name, ok, said in checks)]
    passed = all(ok for _, ok, _ in checks)
    return Answer(columns(rows), {**found, "ok": passed}, 0 if passed else 1)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _importable(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _python() -> tuple[str, bool, str]:
    fine = sys.version_info >= (3, 11)
    return "interpreter", fine, "recent enough" if fine else "Plaudit needs Python 3.11 or newer"


def _torch(found: dict[str, Any]) -> tuple[str, bool, str]:
    start = time.perf_counter()
    try:
        import torch
    except ImportError as error:
        return "torch", False, str(error)
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no GPU, the CPU is used"
    found["threads"], found["cuda"] = torch.get_num_threads(), torch.cuda.is_available()
    took = time.perf_counter() - start
    return "torch", True, f"imported in {took:.1f} s, {found['threads']} threads, {device}"


def _numba() -> tuple[str, bool, str]:
    """Compiled kernels are kept beside the source, or in the user's cache where that is read-only."""
    import plaudit

    given = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(given) if given else Path(plaudit.__file__).parent
    if os.access(folder, os.W_OK):
        return "numba cache", True, "kernels are compiled once and kept"
    fine = os.access(Path.home(), os.W_OK)
    hint = "kept in the user's cache folder" if fine else "not kept: set NUMBA_CACHE_DIR to a writable folder"
    return "numba cache", fine, f"the package folder is read-only; kernels are {hint}"


def _disk() -> tuple[str, bool, str]:
    free = shutil.disk_usage(Path.cwd()).free
    try:
        with tempfile.NamedTemporaryFile(dir=Path.cwd()):
            pass
    except OSError as error:
        return "disk", False, f"runs cannot be written here: {error.strerror}"
    said = f"{free / 1e9:.1f} GB free for runs"
    return "disk", free > ENOUGH_BYTES, said if free > ENOUGH_BYTES else f"{said}: at least 1 GB is advised"


def _presets() -> tuple[str, bool, str]:
    """Every preset of the package loads."""
    try:
        from plaudit.runs import presets

        names = list(presets.folders())
        for name in names:
            presets.load_policy(name)
    except (PlauditError, ImportError) as error:
        return "presets", False, str(error)
    return "presets", True, f"{len(names)} load" + (f": {', '.join(names)}" if names else "")
