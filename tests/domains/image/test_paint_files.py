"""Files of drawings: exact round trips, and one clear error for anything else."""

import json

import numpy as np
import pytest

from plaudit.domains.image.paint_files import FORMATS
from plaudit.domains.image.paint_strokes import Drawing, Stroke
from plaudit.domains.image.task import Paint
from plaudit.errors import InputError
from plaudit.task import Item

TASK = Paint()


@pytest.fixture(scope="module")
def item():
    strokes = (
        Stroke(((2.5, 3.25), (20.0, 21.13), (25.0, 2.0)), 2.6, 0.9, "quadratic"),
        Stroke(((3.0, 20.0), (8.0, -1.5), (20.0, 27.0), (25.0, 8.0)), 3.0, 0.8, "cubic", erase=True),
        Stroke(((5.0, 6.0), (20.0, 6.0), (20.0, 12.0)), 1.4),
        Stroke(((9.0, 9.0),), 3.0),
    )
    return Item(Drawing(28, strokes), TASK.Request(index=7, target={"error": 0.0}), 41)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_strokes_back(item, suffix, tmp_path):
    path = tmp_path / f"a.{suffix}"
    TASK.save(item, path)
    found = TASK.load(path)
    assert found.content == item.content
    assert (found.request, found.seed) == (item.request, 41)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_or_changed_file_is_an_input_error(item, suffix, tmp_path):
    path, rng = tmp_path / f"a.{suffix}", np.random.default_rng(3)
    TASK.save(item, path)
    whole = path.read_bytes()
    refused = 0
    for trial in range(40):
        broken = bytearray(whole)
        if trial % 2:
            broken = broken[: int(rng.integers(len(whole)))]
        else:
            broken[int(rng.integers(len(whole)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        try:
            TASK.load(path)
        except InputError:
            refused += 1
    # A film's strokes stand at its beginning: many a cut leaves them whole.
    assert refused >= (4 if suffix == "gif" else 15)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 9"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9999 9999"/>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><path d="A1 2 3"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28">'
        '<path d="M1 1 L1e9 4" stroke-width="1" data-ink="1"/></svg>',
    ],
)
def test_foreign_svg_is_refused(text, tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(text)
    with pytest.raises(InputError):
        TASK.load(path)


def test_json_with_an_endless_number_is_refused(item, tmp_path):
    path = tmp_path / "a.json"
    TASK.save(item, path)
    held = json.loads(path.read_text())
    held["item"]["drawing"]["strokes"][0]["width"] = float("nan")
    path.write_text(json.dumps(held))
    with pytest.raises(InputError, match="width"):
        TASK.load(path)


def test_the_film_ends_with_the_drawing(item, tmp_path):
    from PIL import Image

    TASK.save(item, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames > 10
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert("L"), float)
    wanted = 255 - item.content.enlarged(8).astype(float)
    assert np.corrcoef(last.ravel(), wanted.ravel())[0, 1] > 0.99


def test_a_film_goes_from_the_empty_page_to_the_painting(item):
    (film,) = TASK.films(None, [item])
    first, last = (np.asarray(film.frames[at].convert("L")) for at in (0, -1))
    assert first.min() == first.max() > last.min()
    assert len(film.frames) == len(film.times_ms) > len(item.content.strokes)
    assert film.times_ms[-1] > film.times_ms[0]
