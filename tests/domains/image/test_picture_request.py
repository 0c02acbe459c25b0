"""What may be asked of a picture, and how it is refused."""

import numpy as np
import pytest
from PIL import Image

from plaudit.domains.image.picture_reference import Facts
from plaudit.domains.image.picture_request import (
    PictureRequest,
    check_picture,
    completed,
    draw_pictures,
    fitted_file,
    kept_of,
)
from plaudit.errors import Infeasible, InputError

FACTS = Facts("toy", ("cat", "dog", "7"), (32, 32, 3), "0" * 64)
GREY = Facts("grey", (), (28, 28, 1), "1" * 64)


@pytest.fixture
def start(tmp_path):
    path = tmp_path / "start.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(path)
    return str(path)


def refused(facts, **asked):
    with pytest.raises(InputError) as caught:
        check_picture(PictureRequest(**asked), facts)
    return str(caught.value)


def test_a_label_is_a_class_of_the_set_and_numbers_are_names():
    check_picture(PictureRequest(label=7), FACTS)
    assert 'mean "cat"' in refused(FACTS, label="cta") and "dog" in refused(FACTS, label="zebra")
    assert "no classes" in refused(GREY, label="cat")


def test_targets_are_known_finite_and_within_reach():
    assert "no_such" in refused(FACTS, target={"no_such": 1.0})
    assert "ink" in refused(FACTS, target={"ink": float("nan")})
    for facts, name, value, nearest in ((FACTS, "ink", 1.5, "1"), (GREY, "colourfulness", 0.4, "0")):
        with pytest.raises(Infeasible, match=f"nearest is {name}={nearest}"):
            check_picture(PictureRequest(target={name: value}), facts)


@pytest.mark.parametrize("asked", [{"strength": 0.5}, {"keep": (0, 0, 4, 4)}, {"mask": "m.png"}])
def test_what_needs_a_start_says_so(asked):
    assert "begin from" in refused(FACTS, **asked)


def test_only_one_thing_says_what_stays(start):
    assert "together" in refused(FACTS, start=start, keep=(0, 0, 4, 4), redraw=(4, 4, 4, 4))
    assert "nothing is left" in refused(FACTS, start=start, keep=(0, 0, 32, 32))
    assert "does not lie" in refused(FACTS, start=start, redraw=(30, 0, 4, 4))
    assert "not there" in refused(FACTS, start=start + ".gone")


def test_keep_and_redraw_are_each_others_opposite(start):
    kept = kept_of(PictureRequest(start=start, keep=(2, 5, 10, 3)), FACTS.shape)
    drawn = kept_of(PictureRequest(start=start, redraw=(2, 5, 10, 3)), FACTS.shape)
    assert kept[5:8, 2:12].all() and kept.sum() == 30 and (kept == ~drawn).all()


def test_a_mask_is_bright_where_the_picture_is_drawn_anew(start, tmp_path):
    mask = np.zeros((32, 32), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    kept = kept_of(PictureRequest(start=start, mask=str(tmp_path / "mask.png")), FACTS.shape)
    assert kept[:, :16].all() and not kept[:, 16:].any()


def test_a_picture_file_fits_the_set_whatever_it_was(start):
    assert fitted_file(start, (32, 32, 3)).shape == (32, 32, 3)
    assert fitted_file(start, (28, 28, 1)).shape == (28, 28, 1)


def test_a_file_that_changes_is_read_anew(start):
    before = fitted_file(start, (32, 32, 3)).copy()
    Image.new("RGB", (64, 64), "white").save(start)
    assert (fitted_file(start, (32, 32, 3)) == 255).all() and not (before == 255).all()


def test_what_begins_from_a_picture_has_no_class_unless_it_is_asked(start):
    for label, wanted in (("", "any"), ("cat", "cat")):
        drawn = draw_pictures(3, 1, PictureRequest(start=start, label=label), FACTS, "")
        assert {request.label for request in drawn} == {wanted}


def test_open_labels_are_drawn_over_the_classes():
    drawn = draw_pictures(600, 1, PictureRequest(), FACTS, "")
    counts = [sum(request.label == name for request in drawn) for name in FACTS.names]
    assert sum(counts) == 600 and min(counts) > 150
    assert {r.label for r in draw_pictures(5, 1, PictureRequest(label="dog"), FACTS, "")} == {"dog"}
    assert {r.label for r in draw_pictures(5, 1, PictureRequest(), FACTS, "any")} == {"any"}
    edited = PictureRequest(start="x.png")
    assert completed(edited, 3, FACTS).label == "any"
    assert completed(PictureRequest(), 3, FACTS) == completed(PictureRequest(), 3, FACTS)
