"""Levels in the files of engines: round trips, another reader's view, plain errors, fuzzing."""

import base64
import gzip
import json
import random
import re
import zlib

import numpy as np
import pytest
from PIL import Image

from plaudit.domains import get_task
from plaudit.errors import InputError

NAMES = ("maze", "zelda", "sokoban", "dungeon", "cave", "platformer", "runner")
SUFFIXES = ("tmx", "tmj", "ldtk", "tscn")
ZELDA = get_task("level/zelda")


def item_of(task, **request):
    asked = task.requests(1, 3, task.Request(**request))
    return next(iter(task.baselines()["heuristic"](asked, [7])))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", NAMES)
def test_levels_come_back_with_request_seed_and_locks(tmp_path, name, suffix):
    task = get_task(f"level/{name}")
    width, height = task.Request().size
    free = "?" * width
    item, path = item_of(task, locked=("#" + free[1:], *[free] * (height - 1))), tmp_path / f"a.{suffix}"
    item.info["recipe"] = {"task": task.name, "seed": 4}
    task.save(item, path)
    back = task.load(path)
    assert (back.content == item.content).all()
    assert (back.request, back.seed, back.info["recipe"]) == (item.request, 7, item.info["recipe"])


def test_sokoban_has_its_own_text(tmp_path):
    task = get_task("level/sokoban")
    item, path = item_of(task, target={"crates": 2}), tmp_path / "a.xsb"
    task.save(item, path)
    assert (task.load(path).content == item.content).all()
    assert path.read_text().splitlines()[0] == "#######"


def test_another_reader_sees_the_same_map(tmp_path):
    pytmx = pytest.importorskip("pytmx")
    item = item_of(ZELDA)
    ZELDA.save(item, tmp_path / "a.tmx")
    read = pytmx.TiledMap(str(tmp_path / "a.tmx"))
    layer = read.get_layer_by_name("level")
    kinds = [[read.get_tile_properties(x, y, 0)["type"] for x in range(11)] for y in range(7)]
    names = [tile.name for tile in ZELDA.game.tiles]
    assert (layer.width, layer.height) == (11, 7)
    assert kinds == [[names[tile] for tile in row] for row in item.content.tolist()]
    assert json.loads(read.properties["plaudit"])["seed"] == 7
    picture = Image.open(tmp_path / "zelda.tiles.png")
    assert picture.size == (16 * len(names), 16)
    assert len({picture.crop((16 * i, 0, 16 * i + 16, 16)).tobytes() for i in range(len(names))}) == len(
        names
    )


@pytest.mark.parametrize(
    ("compression", "pack"), [("", bytes), ("zlib", zlib.compress), ("gzip", gzip.compress)]
)
def test_packed_layers_of_tiled_are_read(tmp_path, compression, pack):
    item, path = item_of(ZELDA), tmp_path / "a.tmx"
    ZELDA.save(item, path)
    raw = (item.content.astype("<u4") + 1).tobytes()
    data = (
        f'<data encoding="base64" compression="{compression}">{base64.b64encode(pack(raw)).decode()}</data>'
    )
    path.write_text(re.sub(r"<data.*?</data>", data, path.read_text(), flags=re.S))
    assert (ZELDA.load(path).content == item.content).all()


def test_a_godot_scene_has_twelve_bytes_a_cell(tmp_path):
    item, path = item_of(ZELDA), tmp_path / "a.tscn"
    ZELDA.save(item, path)
    numbers = re.search(r"PackedByteArray\(([^)]*)\)", path.read_text())[1].split(",")
    data = np.array(numbers, int).astype(np.uint8)
    cells = data[2:].view("<i2").reshape(-1, 6)
    assert len(cells) == 77
    assert [(x, y, item.content[y, x]) for x, y, *_ in cells] == [(x, y, tile) for x, y, _, tile, *_ in cells]


def bomb() -> str:
    return base64.b64encode(zlib.compress(bytes(2**24), 9)).decode()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('infinite="0"', 'infinite="1"', "no finite Tiled map"),
        ("</map>", '<layer id="2" width="1" height="1"/></map>', "has 2 tile layers"),
        ('<tileset firstgid="1"', '<tileset source="else.tsx" firstgid="1"', "tileset is another file"),
        ("<map ", '<!DOCTYPE x [<!ENTITY a "b">]><map ', "document type"),
        ('width="11" height="7">\n  <data', 'width="10000" height="10000">\n  <data', "10000 x 10000 cells"),
        (
            'width="11" height="7">\n  <data',
            'width="11" height="8">\n  <data',
            "77 cells where 11 x 8 need 88",
        ),
        ('width="11" height="7">\n  <data', 'width="0" height="0">\n  <data', "0 x 0 cells"),
        ('encoding="csv"', 'encoding="base64" compression="zstd"', "zstd, which is not read"),
        ('<data encoding="csv">\n', '<data encoding="csv">\n99,', "holds 78 cells"),
        ("<data encoding", "<nodata encoding", "is not XML"),
    ],
)
def test_what_is_wrong_with_a_tiled_map_is_said(tmp_path, old, new, said):
    path = tmp_path / "a.tmx"
    ZELDA.save(item_of(ZELDA), path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=said):
        ZELDA.load(path)


def test_an_unknown_tile_is_named_with_its_cell(tmp_path):
    path = tmp_path / "a.tmj"
    ZELDA.save(item_of(ZELDA), path)
    whole = json.loads(path.read_text())
    whole["layers"][0]["data"][12] = 40
    path.write_text(json.dumps(whole))
    with pytest.raises(InputError, match=r"row 2, column 2: holds the unknown tile 39"):
        ZELDA.load(path)


def test_a_packed_bomb_is_cut_off(tmp_path):
    path = tmp_path / "a.tmx"
    ZELDA.save(item_of(ZELDA), path)
    data = f'<data encoding="base64" compression="zlib">{bomb()}</data>'
    path.write_text(re.sub(r"<data.*?</data>", data, path.read_text(), flags=re.S))
    with pytest.raises(InputError, match="no map of ours"):
        ZELDA.load(path)


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_mutated_files_raise_only_the_documented_error(tmp_path, suffix, count):
    rng, path = random.Random(count), tmp_path / f"a.{suffix}"
    ZELDA.save(item_of(ZELDA), path)
    good, read = path.read_bytes(), 0
    for _ in range(count):
        data = bytearray(good)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(data))
            data[at : at + rng.randint(0, 3)] = rng.choice(
                [bytes(rng.randrange(256) for _ in range(3)), b"9", b"-1", b'"', b"", b"null", b"[", b"1e999"]
            )
        path.write_bytes(bytes(data))
        try:
            ZELDA.load(path)
            read += 1
        except InputError as error:
            assert str(path) in str(error)
    assert read < count
