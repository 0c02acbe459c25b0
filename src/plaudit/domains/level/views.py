"""Representations: what one action may change, after PCGRL (Khalifa et al., 2020, arXiv 2001.09212).

wide: any cell. turtle: a cursor that moves one cell or sets its own. narrow: the environment moves the
cursor, the action sets the cell under it or keeps it.
patch: several cells at once, any brush of a few at any place, painted with one tile (gym-pcgrl's narrow-cast,
freed of the cursor). A view edits the maps in place and knows which actions are allowed; what would change
nothing is not.
"""

from __future__ import annotations

from typing import Literal, Protocol, get_args

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plaudit.domains.level.game import Maps
from plaudit.engine.env import State
from plaudit.engine.random import RowRandom

Representation = Literal["wide", "narrow", "turtle", "patch"]
Order = Literal["scan", "random"]
Index = NDArray[np.int64]
REPRESENTATIONS = get_args(Representation)
BRUSHES = (
    ((0, 0),),
    ((0, -1), (0, 0), (0, 1)),
    ((-1, 0), (0, 0), (1, 0)),
    ((0, 0), (0, 1), (1, 0), (1, 1)),
)
"""Cells (dy, dx) that a patch sets, from its own: a dot, a row and a column of three, a square of four."""
_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""North, east, south, west as (dy, dx)."""


class Board:
    """The maps `(B, H, W)` that a view edits, also flat, the cells it must not, and the number of tiles."""

    def __init__(self, maps: Maps, locked: NDArray[np.bool_], tiles: int) -> None:
        self.maps, self.tiles = maps, tiles
        self.locked = locked.reshape(len(maps), -1)
        self.rows, self.height, self.width = maps.shape
        self.cells = self.height * self.width
        self.flat = maps.reshape(self.rows, self.cells)
        self.every = np.arange(self.rows)

    def settable(self, cursor: Index) -> list[NDArray[np.bool_]]:
        """For each tile whether the cell under the cursor `(B,)` may become it: others, and not locked."""
        here, free = self.flat[self.every, cursor], ~self.locked[self.every, cursor]
        return [(here != tile) & free for tile in range(self.tiles)]


class Editor(Protocol):
    """One representation at work on a board."""

    actions: int
    cursor: Index | None
    """Flat cell of each row's cursor `(B,)`; None for wide and patch."""

    def begin(self, rows: Index, random: RowRandom) -> None:
        """Place the cursor for new episodes in `rows`."""
        ...

    def edit(self, action: Index) -> None:
        """Apply `action (B,)` to every row."""
        ...

    def mask(self) -> NDArray[np.bool_] | None:
        """Allowed actions `(B, actions)`; None = all."""
        ...

    def state(self) -> State: ...

    def restore(self, state: State) -> None: ...


class Wide:
    """action = cell * tiles + tile; with two tiles, action = cell, which flips it."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.flips = board.tiles == 2
        self.actions = board.cells * (1 if self.flips else board.tiles)
        self.cursor: Index | None = None

    def begin(self, rows: Index, random: RowRandom) -> None:
        """Nothing to place."""

    def edit(self, action: Index) -> None:
        if self.flips:
            self.board.flat[self.board.every, action] ^= 1
            return
        cell, tile = np.divmod(action, self.board.tiles)
        self.board.flat[self.board.every, cell] = tile

    def mask(self) -> NDArray[np.bool_] | None:
        if self.flips:
            return ~self.board.locked if self.board.locked.any() else None
        kinds = np.arange(self.board.tiles, dtype=np.uint8)
        changes = (self.board.flat[:, :, None] != kinds) & ~self.board.locked[:, :, None]
        return changes.reshape(self.board.rows, -1)

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""


class Patch:
    """action = (cell * brushes + brush) * tiles + tile: the brush sets its cells in one step.

    Cells outside of the map and locked ones are left alone; what would change nothing is not allowed.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.actions = board.cells * len(BRUSHES) * board.tiles
        self.cursor: Index | None = None

    def begin(self, rows: Index, random: RowRandom) -> None:
        """Nothing to place."""

    def edit(self, action: Index) -> None:
        board = self.board
        place, tile = np.divmod(action, board.tiles)
        cell, brush = np.divmod(place, len(BRUSHES))
        y, x = np.divmod(cell, board.width)
        for number, offsets in enumerate(BRUSHES):
            mine = np.flatnonzero(brush == number)
            for dy, dx in offsets:
                v, u = y[mine] + dy, x[mine] + dx
                inside = (v >= 0) & (v < board.height) & (u >= 0) & (u < board.width)
                rows, cells = mine[inside], v[inside] * board.width + u[inside]
                free = ~board.locked[rows, cells]
                board.flat[rows[free], cells[free]] = tile[rows[free]]

    def mask(self) -> NDArray[np.bool_] | None:
        board = self.board
        kinds = np.arange(board.tiles, dtype=np.uint8)
        changes = (board.maps[..., None] != kinds) & ~board.locked.reshape(board.maps.shape)[..., None]
        around = np.pad(changes, ((0, 0), (1, 1), (1, 1), (0, 0)))
        allowed = np.zeros((*board.maps.shape, len(BRUSHES), board.tiles), bool)
        for number, offsets in enumerate(BRUSHES):
            for dy, dx in offsets:
                rows, columns = slice(1 + dy, 1 + dy + board.height), slice(1 + dx, 1 + dx + board.width)
                allowed[..., number, :] |= around[:, rows, columns]
        return allowed.reshape(board.rows, -1)

    def state(self) -> State:
        return {}

    def restore(self, state: State) -> None:
        """Nothing to restore."""


class Turtle:
    """Actions 0 to 3 move north, east, south, west; action 4 + tile sets the cell under the cursor."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.actions = len(_MOVES) + board.tiles
        self.cursor: Index = np.zeros(board.rows, np.int64)

    def begin(self, rows: Index, random: RowRandom) -> None:
        self.cursor[rows] = random.integers(0, self.board.cells, rows)

    def edit(self, action: Index) -> None:
        board = self.board
        sets = action >= len(_MOVES)
        board.flat[board.every[sets], self.cursor[sets]] = action[sets] - len(_MOVES)
        y, x = np.divmod(self.cursor, board.width)
        shift = np.array([*_MOVES, (0, 0)])[np.minimum(action, len(_MOVES))]
        y = np.clip(y + shift[:, 0], 0, board.height - 1)
        x = np.clip(x + shift[:, 1], 0, board.width - 1)
        self.cursor[:] = y * board.width + x

    def mask(self) -> NDArray[np.bool_] | None:
        board = self.board
        y, x = np.divmod(self.cursor, board.width)
        inside = [
            (y + dy >= 0) & (y + dy < board.height) & (x + dx >= 0) & (x + dx < board.width)
            for dy, dx in _MOVES
        ]
        return np.stack([*inside, *board.settable(self.cursor)], axis=1)

    def state(self) -> State:
        return {"cursor": self.cursor.copy()}

    def restore(self, state: State) -> None:
        self.cursor[:] = state["cursor"]


class Narrow:
    """Action 0 keeps the cell under the cursor, action 1 + tile sets it; then the cursor moves on.

    The cursor visits every cell once before it starts over: in scan order, or in an order of the
    episode's own.
    """

    def __init__(self, board: Board, order: Order) -> None:
        self.board = board
        self.actions = 1 + board.tiles
        self.shuffled = order == "random"
        self.cursor: Index = np.zeros(board.rows, np.int64)
        self.visits = np.zeros(board.rows, np.int64)
        self.order = np.tile(np.arange(board.cells), (board.rows, 1))

    def begin(self, rows: Index, random: RowRandom) -> None:
        self.visits[rows] = 0
        if self.shuffled:
            self.order[rows] = np.argsort(random.bits(self.board.cells, rows), axis=1, kind="stable")
        self.cursor[rows] = self.order[rows, 0]

    def edit(self, action: Index) -> None:
        sets = action > 0
        self.board.flat[self.board.every[sets], self.cursor[sets]] = action[sets] - 1
        self.visits += 1
        self.cursor[:] = self.order[self.board.every, self.visits % self.board.cells]

    def mask(self) -> NDArray[np.bool_] | None:
        keep = np.ones(self.board.rows, bool)
        return np.stack([keep, *self.board.settable(self.cursor)], axis=1)

    def state(self) -> State:
        return {"visits": self.visits.copy(), "order": self.order.copy()}

    def restore(self, state: State) -> None:
        self.visits[:] = state["visits"]
        self.order[:] = state["order"]
        self.cursor[:] = self.order[self.board.every, self.visits % self.board.cells]


def make_editor(representation: Representation, board: Board, order: Order) -> Editor:
    """Make the editor of a representation; the order is the narrow one's."""
    if representation == "narrow":
        return Narrow(board, order)
    return {"turtle": Turtle, "patch": Patch, "wide": Wide}[representation](board)


@njit(cache=True, nogil=True)
def crop(planes: NDArray[np.float32], cursor: Index, out: NDArray[np.float32]) -> None:
    """Copy planes `(B, H, W, P)` into windows `out (B, V, V, P)` centred on the cursors; 0 outside."""
    rows, height, width, _ = planes.shape
    side = out.shape[1]
    for b in range(rows):
        top = cursor[b] // width - side // 2
        left = cursor[b] % width - side // 2
        first, last = max(left, 0), max(min(left + side, width), 0)
        for v in range(side):
            y = top + v
            if not 0 <= y < height or first >= last:
                out[b, v] = 0.0
                continue
            # Whole pieces of a row at once, as their planes lie side by side.
            out[b, v, : first - left] = 0.0
            out[b, v, first - left : last - left] = planes[b, y, first:last]
            out[b, v, last - left :] = 0.0
