"""Small arrays as files: round trips, and what is no such file."""

import json

import numpy as np
import pytest

from plaudit.errors import InputError, ResourceError
from plaudit.media.cells import draw_cells, load_cells, save_cells

CELLS = np.array([[0, 1, 2], [2, 0, 1]], np.uint8)
ABOUT = {"request": {"target": {"dark": 2}}, "item": {"seed": 7}}


@pytest.mark.parametrize("suffix", ["json", "png"])
def test_cells_and_what_is_known_of_them_come_back(tmp_path, suffix):
    save_cells(CELLS, 3, tmp_path / f"a.{suffix}", ABOUT)
    cells, about = load_cells(tmp_path / f"a.{suffix}", (2, 3), 3)
    assert np.array_equal(cells, CELLS) and cells.dtype == np.uint8
    assert about["request"] == ABOUT["request"] and about["item"]["seed"] == 7


def test_a_cell_is_darker_the_higher_its_value():
    grey = np.asarray(draw_cells(CELLS, 3).convert("L")).astype(int)
    assert grey.shape == (36, 54)
    assert grey[0, 0] > grey[0, 20] > grey[0, 50]
    assert min(draw_cells(np.zeros(1, np.uint8), 2).size) >= 36


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"item": 3}',
        '{"item": {"cells": "x"}}',
        '{"item": {"cells": [[0, 1], [1]]}}',
        '{"item": {"cells": [[0, 1, 3], [0, 0, 0]]}}',
        '{"item": {"cells": [[0, 1, -1], [0, 0, 0]]}}',
        '{"item": {"cells": [[0, 1, 0.5], [0, 0, 0]]}}',
        '{"item": {"cells": [[0, 1], [1, 0]]}}',
        '{"item": {"cells": [[0, 1, 1], [0, 0, 0]]}, "request": []}',
    ],
)
def test_what_holds_no_such_cells_is_an_input_error(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=r"a\.json"):
        load_cells(tmp_path / "a.json", (2, 3), 3)


def test_a_foreign_picture_and_a_missing_folder(tmp_path):
    draw_cells(CELLS, 3).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="no cells"):
        load_cells(tmp_path / "a.png", (2, 3), 3)
    with pytest.raises(ResourceError):
        save_cells(CELLS, 3, tmp_path / "none" / "a.json", {})


def test_the_file_is_plain_json(tmp_path):
    save_cells(CELLS, 3, tmp_path / "a.json", ABOUT)
    assert json.loads((tmp_path / "a.json").read_text())["item"]["cells"] == CELLS.tolist()
