"""Levels played in the page: what the report brings along, and the page's window, keys and buttons."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from report_runs import build, write_json

import plaudit
from plaudit.domains import get_task
from plaudit.domains.level.playable import playable
from plaudit.media.film import Film
from plaudit.runs.report import write_report
from plaudit.task import Item

SCRIPT = Path(plaudit.__file__).parent / "runs" / "report" / "play.js"
PAGE = Path(__file__).parent / "play_page.js"
NODE = shutil.which("node")


def drawn(game, text):
    glyphs = {tile.glyph: number for number, tile in enumerate(game.tiles)}
    return np.array([[glyphs[glyph] for glyph in row] for row in text.split()], np.uint8)


def opened(name, text, keys=""):
    """What the page showed of a level after keys (l, r, u, d)."""
    if NODE is None:
        pytest.skip("node is not installed: the page's script cannot be run")
    game = get_task(f"level/{name}").game
    names = {"l": "ArrowLeft", "r": "ArrowRight", "u": "ArrowUp", "d": "ArrowDown"}
    play = playable(game, drawn(game, text))
    told = json.dumps({"script": str(SCRIPT), "play": play, "keys": [names[key] for key in keys]})
    command = [NODE, str(PAGE)]
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return play, json.loads(done.stdout)


def test_samples_that_are_levels_bring_a_button_and_the_script_with_them(tmp_path):
    run = build(tmp_path / "run")
    task, last = get_task("level/zelda"), run / "samples" / "step_050000"
    level = drawn(task.game, "@.kD ..e.")
    task.save(Item(level, task.Request(size=(4, 3)), 1), last / "a.png")
    task.save(Item(level[:, ::-1], task.Request(size=(4, 3)), 2), last / "b.png")
    write_json(last / "manifest.json", {"items": [{"file": "a.png"}, {"file": "b.png"}]})
    page = write_report(run).read_text()
    told = [json.loads(unescape(text)) for text in re.findall(r'data-play="([^"]*)"', page)]
    assert [each["cells"] for each in told] == [["2134", "1151"], ["4312", "1511"]]
    assert page.count("<script>") == 1 and SCRIPT.read_text() in page
    assert "http" not in SCRIPT.read_text() and "innerHTML" not in SCRIPT.read_text()


def test_a_report_without_levels_stays_without_the_script(tmp_path):
    assert "ArrowLeft" not in write_report(build(tmp_path / "run")).read_text()


def test_the_window_shows_the_level_and_follows_the_keys():
    play, shown = opened("zelda", "@.kD ..e.", "rrr")
    assert shown["shown"] and not shown["hidden"] and shown["pads"] == 8
    assert shown["size"] == [6 * 16, 4 * 16]
    key = play["kinds"][3][2]
    assert [key, 48, 16] in shown["first"]
    assert [play["player"], 16, 16] in shown["first"]
    assert [play["player"], 64, 16] in shown["last"]
    assert not any(picture == key for picture, _, _ in shown["last"])
    assert shown["said"].startswith("You made it!") and "3 steps" in shown["said"]
    assert "0 steps" in shown["again"] and "made it" not in shown["again"]


def test_walls_are_drawn_by_their_neighbours():
    play, shown = opened("maze", "#... ##.. ####")
    under_floor = play["kinds"][0][1][0b1101]  # wall to the north, south and west
    assert play["kinds"][0][1][15] != under_floor
    assert [play["kinds"][0][1][15], 16, 48] in shown["first"]


def test_a_crate_on_its_mark_looks_stored_and_a_lost_game_says_so():
    play, shown = opened("sokoban", "@$.", "r")
    assert [play["stored"], 48, 16] in shown["last"] and "1 of 1 in place" in shown["said"]
    _, shown = opened("cave", "..... @^.kH #####", "r")
    assert shown["said"].startswith("That went wrong")


def test_films_of_the_run_are_shown_and_foreign_files_are_not(tmp_path):
    run = build(tmp_path / "run")
    (run / "films").mkdir()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    Film(frames, [50, 500]).save(run / "films" / "0001.gif")
    (run / "films" / "0002.gif").write_bytes(b"<script>alert(1)</script>")
    (run / "films" / "0003.gif").write_bytes(b"GIF89a" + bytes(10**6))
    page = write_report(run).read_text()
    assert page.count("data:image/gif;base64,") == 1 and '<section id="films"' in page
    assert 'id="films"' not in write_report(build(tmp_path / "other")).read_text()
