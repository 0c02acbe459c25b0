"""What a tile game must say of itself, so that the rooms of this domain can serve it.

One game is one file beside this one (`maze.py` is the model) and one class in `task.py`. Environment,
generation, files, baselines and judge ask these questions and know no game.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from plaudit.domains.level.metrics import Judge
from plaudit.reward.term import Term

if TYPE_CHECKING:
    from plaudit.domains.level.look import Look
    from plaudit.domains.level.playable import Rules

Maps = NDArray[np.uint8]
"""Tile numbers, `(B, H, W)` or `(H, W)`."""
Stats = NDArray[np.int32]
"""`(B, S)`, one column for each of the game's statistics."""
Goals = NDArray[np.int64]
"""Wanted values `(B, G)`, one column for each statistic that can be asked for; `UNASKED` = any will do."""
UNASKED = -1
Size = tuple[int, int]
"""Width and height, in cells."""


@dataclass(frozen=True)
class Tile:
    """One kind of cell: its position in `Game.tiles` is its number in maps and CSV files."""

    name: str
    glyph: str
    passable: bool
    single: bool = False
    """Whether a good level has exactly one."""
    colour: str = ""
    """`#rrggbb` of a tile that is drawn as a plate with its glyph; "" = drawn by its name."""


@dataclass(frozen=True)
class View:
    """What `Game.observe` reads: maps, starts and locked cells `(B, H, W)`, goals `(B, G)`, and the share
    of steps left `(B,)`."""

    maps: Maps
    starts: Maps
    locked: NDArray[np.bool_]
    goals: Goals
    left: NDArray[np.float32]


class Game(Protocol):
    """Tiles, statistics, goals and terms of one game."""

    name: ClassVar[str]
    tiles: ClassVar[tuple[Tile, ...]]
    statistics: ClassVar[tuple[str, ...]]
    """Names of the columns that `measure` gives."""
    targets: ClassVar[tuple[str, ...]]
    """Those that a request may ask for, and the environment steers to."""
    modes: ClassVar[tuple[tuple[str, ...], ...]]
    """Targets that training asks for together; a request that names none asks for those of the first."""
    symmetries: ClassVar[tuple[str, ...]]
    """Mirrors that turn a level into another just as good: "horizontal", "vertical", "diagonal"."""
    examples: Sequence[Any]
    """Patterns of the levels that its own should be like (`similarity.patterns`, one for each window)."""
    look: ClassVar[Look]
    """How levels and tiles are drawn."""
    judge: ClassVar[Judge]
    """Judges levels by code that shares nothing with `measure`."""
    proposals: ClassVar[int]
    """Edits whose exact outcome a wide policy's step looks at."""
    glance: ClassVar[int]
    """Of these, how many are looked at first: where one of them brings the level nearer, it is taken."""
    polish: ClassVar[int]
    """Evaluations of hill climbing that may finish what a wide policy left; 0 = none."""
    widest: ClassVar[int]
    """Columns of the widest level that can be asked for."""
    patience: ClassVar[float]
    """Steps of a wide policy for each cell of the map; only the hardest requests use them up."""
    retries: ClassVar[int]
    """Fresh starts that a wide policy may make where it runs out of steps, before anything is climbed."""
    restarts: ClassVar[int]
    """Fresh starts that hill climbing may make where that does not do, with as many evaluations each."""

    @property
    def planes(self) -> int:
        """Number of observation planes."""
        ...

    def measure(self, maps: Maps) -> Stats:
        """Statistics `(B, S)` of maps `(B, H, W)`."""
        ...

    def measure_after(self, maps: Maps, actions: NDArray[np.int64]) -> Stats:
        """Statistics `(B, C, S)` after each of C single edits `(B, C)`, wide actions, of every map."""
        ...

    def observe(
        self, view: View, tolerance: tuple[float, ...], out: NDArray[np.float32], stats: Stats
    ) -> None:
        """Write planes `out (B, H, W, planes)`, in [-2, 2], and statistics in one pass; frees the GIL."""
        ...

    def seems_kept(
        self, planes: NDArray[np.float32], goals: Goals, tolerance: tuple[float, ...]
    ) -> NDArray[np.bool_]:
        """Whether met goals seem to stay met when a cell is edited, `(B, H * W)`: a guess from planes."""
        ...

    def distance(self, stats: Stats, goals: Goals, tolerance: tuple[float, ...]) -> NDArray[np.float64]:
        """How far `(B,)` the maps are from what is asked; 0 = every goal met."""
        ...

    def tolerance(self, size: Size) -> tuple[float, ...]:
        """Default tolerance of each target."""
        ...

    def span(self, size: Size) -> tuple[tuple[int, int], ...]:
        """Lowest and highest value of each target that requests are drawn from, both included."""
        ...

    def reach(self, size: Size) -> tuple[tuple[int, int], ...]:
        """Provable bounds of each target: nothing outside of them exists."""
        ...

    def starts(self, numbers: NDArray[np.int64], size: Size, density: float | None, goals: Goals) -> Maps:
        """Where items of these seeds and goals begin `(R, H, W)`; `density` is the share of open cells."""
        ...

    def around(
        self, cells: NDArray[np.bool_], tiles: Maps, numbers: NDArray[np.int64], goals: Goals
    ) -> Maps | None:
        """Where items begin `(R, H, W)` whose locked `cells (H, W)` hold their `tiles (H, W)`, laid out to go
        with them; None = as other items do, with these tiles laid in."""
        ...

    def plan(self, numbers: NDArray[np.int64], size: Size, goals: Goals) -> Maps | None:
        """Levels `(R, H, W)` of seeds and goals that a wide policy begins with instead; None = the starts."""
        ...

    def kept(self, starts: Maps) -> NDArray[np.bool_] | None:
        """Cells of start maps `(R, H, W)` that tell an item from its neighbours, to be kept; None = none."""
        ...

    def hopeless(self, goals: Goals, size: Size, tolerance: tuple[float, ...]) -> NDArray[np.bool_]:
        """Which goals `(R, G)` no good level can meet `(R,)`, for certain: no search is spent on them."""
        ...

    def suspects(self, maps: Maps) -> NDArray[np.float32] | None:
        """How likely each cell `(B, H, W)` is to be in need of an edit, above 0; None = no guess.

        Search looks there first while there is no policy to guide it.
        """
        ...

    def moves(
        self, maps: Maps, locked: NDArray[np.bool_], cells: NDArray[np.int64], drawn: NDArray[np.float64]
    ) -> Maps | None:
        """Maps `(R, H, W)` after a move of hill climbing in each, at flat cells `(R,)`, by numbers `(R,)` in
        [0, 1); locked cells stay. None = a move sets one cell to another tile."""
        ...

    def play(self, level: Maps) -> Rules | None:
        """How a level `(H, W)` is played by whoever presses keys; None = it lacks what that takes."""
        ...

    def terms(self) -> tuple[Term, ...]:
        """The reward terms, twins included."""
        ...


def stack_sizes(items: Any) -> list[tuple[NDArray[np.intp], Maps]]:
    """Group levels of mixed sizes: `(indices (R,), maps (R, H, W))` for each size."""
    if isinstance(items, np.ndarray) and items.ndim == 3:
        return [(np.arange(len(items)), items)]
    shapes = [np.shape(item) for item in items]
    groups = []
    for shape in sorted(set(shapes)):
        rows = np.array([i for i, other in enumerate(shapes) if other == shape], dtype=np.intp)
        groups.append((rows, np.stack([np.asarray(items[i], dtype=np.uint8) for i in rows])))
    return groups
