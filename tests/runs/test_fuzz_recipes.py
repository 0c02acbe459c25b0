"""Damaged and malicious recipe files and settings raise the documented errors and nothing else."""

import random

import pytest

from plaudit.errors import Infeasible, InputError, MissingExtra
from plaudit.runs.recipes import Changes, dump, load, resolve

DOCUMENTED = (InputError, Infeasible, MissingExtra)
KEYS = (
    "task name summary algorithm seed budget reward request learner network env device threads stages".split()
)
VALUES = [
    *("0", "-1", "1e400", "nan", "-inf", "true", '""', '"x"', "[]", "{}", "[[]]", "[{}]", '["a", 1]'),
    *(
        "0xffffffffffffffffffff",
        "1979-05-27T07:32:00Z",
        '"\\u0000"',
        "'''\n'''",
        "{ a = { b = [{ c = 1 }] } }",
    ),
    *(
        '"60s"',
        '"os:abort"',
        '"../../etc/passwd"',
        '"stage:x"',
        '[{ term = "filled" }]',
        '"1e99h"',
        '"' + "9" * 50 + '"',
    ),
]


def seed_text(rng):
    source = rng.choice(["dots:Dots", "level/maze", "level/path"])
    return dump(resolve(source)[1])


def damage(text, rng):
    """One of: cut, flip, delete, swap lines, replace a value, add a key, nest, or pile up several."""
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    kind = rng.randrange(8)
    if kind == 0:
        return text[: rng.randrange(len(text))]
    if kind == 1:
        place = rng.randrange(len(text))
        return (
            text[:place]
            + chr(rng.choice([0, 9, 10, 34, 39, 91, 93, 123, 0x7F, 0x2028, 0x1F600]))
            + text[place:]
        )
    if kind == 2:
        del lines[at]
    elif kind == 3:
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 4 and "=" in lines[at]:
        lines[at] = lines[at].split("=")[0] + "= " + rng.choice(VALUES)
    elif kind == 5:
        lines.insert(
            at, f"{rng.choice([*KEYS, 'x', 'inputs.init', 'request.target.path'])} = {rng.choice(VALUES)}"
        )
    elif kind == 6:
        lines.insert(
            at,
            rng.choice(["[[reward]]", "[reward]", "[[stages]]", "[a.b.c]", "[inputs]", "[[stages.stages]]"]),
        )
    else:
        lines[at] = lines[at].replace("a", "\u00e4").replace("0", "00")
    return "\n".join(lines) + "\n"


def try_one(rng, path):
    """Resolve one damaged file under one odd setting; returns whether it was accepted."""
    text = seed_text(rng)
    for _ in range(rng.choice([1, 1, 2, 4])):
        text = damage(text or "\n", rng)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    settings = (f"{rng.choice(KEYS)}{rng.choice(['', '.x', '.filled.weight'])}={rng.choice(VALUES)}",)
    changes = Changes(settings=settings if rng.random() < 0.3 else ())
    try:
        recipe = resolve(path, changes=changes)[1]
    except DOCUMENTED as error:
        assert str(error).strip()
        return False
    path.write_text(dump(recipe), encoding="utf-8")
    assert dump(load(path)) == dump(recipe)
    return True


def fuzz(count, folder):
    rng = random.Random(count)
    accepted = sum(try_one(rng, folder / "fuzzed.toml") for _ in range(count))
    # Damage that the check no longer notices, or a generator that makes only rubbish, shows here.
    assert 0.02 * count < accepted < 0.7 * count


def test_300_damaged_recipes(tmp_path):
    fuzz(300, tmp_path)


@pytest.mark.slow
def test_10000_damaged_recipes(tmp_path):
    fuzz(10_000, tmp_path)
