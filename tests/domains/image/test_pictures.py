"""Sets of pictures from every source, with what is skipped, refused and how it is split."""

import gzip
import io
import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from plaudit.domains.image.data import load_pictures
from plaudit.domains.image.glyphs import glyphs
from plaudit.domains.image.sets import SPLITS, split_by_content
from plaudit.domains.image.shapes import SHAPES, shapes
from plaudit.domains.image.sizing import side_for, squared
from plaudit.errors import InputError


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PLAUDIT_CACHE", str(tmp_path_factory.mktemp("cache")))


def noise(count, side=28, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, channels)).astype(np.uint8)


def fill(folder, count, size=(40, 30), seed=0, mode="RGB"):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for at in range(count):
        pixels = rng.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
        Image.fromarray(pixels).convert(mode).save(folder / f"{at:03}.png")


def refused(place, **options):
    with pytest.raises(InputError) as caught:
        load_pictures(place, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestDrawn:
    def test_shapes(self):
        found = shapes(count=320)
        assert found.images.shape == (320, 32, 32, 3) and found.names == tuple(SHAPES)
        assert np.bincount(found.labels).tolist() == [40] * 8
        assert found.digest == shapes(count=320).digest != shapes(count=320, seed=1).digest
        # A shape and its ground: every picture has both.
        assert (found.images.reshape(320, -1).std(1) > 10).all()

    def test_shapes_at_another_side_are_the_same_shapes(self):
        small, large = shapes(32, count=40), shapes(64, count=40)
        halved = large.images.reshape(40, 32, 2, 32, 2, 3).mean((2, 4))
        assert np.abs(halved - small.images).mean() < 2

    def test_glyphs(self):
        found = glyphs(count=360)
        assert found.images.shape == (360, 28, 28, 1) and len(found.names) == 36
        ink = found.images.reshape(360, -1).astype(float)
        assert (ink.max(1) > 120).all() and (np.percentile(ink, 40, axis=1) == 0).all()
        rows, columns = found.images[..., 0].max((0, 2)), found.images[..., 0].max((0, 1))
        assert found.digest == glyphs(count=360).digest
        assert rows[14] > 0 and columns[14] > 0

    def test_digits(self):
        pytest.importorskip("sklearn")
        found = load_pictures("digits")
        assert found.images.shape == (1797, 28, 28, 1) and found.images.max() == 255


class TestSplit:
    def test_every_picture_once_whatever_the_order(self):
        images = noise(200, 8)
        split = split_by_content(images)
        assert np.bincount(split).tolist() == [140, 30, 30]
        assert np.array_equal(split_by_content(images[::-1])[::-1], split)

    def test_twins_stay_together(self):
        images = np.repeat(noise(30, 8), 4, axis=0)
        split = split_by_content(images).reshape(30, 4)
        assert (split == split[:, :1]).all()

    def test_the_parts_of_a_set(self):
        found = shapes(count=200)
        parts = [found.part(name) for name in SPLITS]
        assert sum(map(len, parts)) == 200 and parts[2].labels.shape == (len(parts[2]),)
        assert len({found.digest, *(part.digest for part in parts)}) == 4


class TestSizing:
    @pytest.mark.parametrize(
        "sides, side", [([28], 28), ([500, 300], 64), ([16], 32), ([8], 32), ([1], 28), ([30], 28)]
    )
    def test_the_side_that_is_chosen(self, sides, side):
        assert side_for(sides) == side

    def test_the_middle_is_kept(self):
        wide = np.zeros((4, 10, 1), np.uint8)
        wide[:, 3:7, 0] = np.arange(1, 5)
        assert squared(wide, 4)[0, :, 0].tolist() == [1, 2, 3, 4]
        assert squared(wide, 8)[0, :, 0].tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
        assert squared(np.full((9, 5, 3), 7, np.uint8), 3).tolist() == np.full((3, 3, 3), 7).tolist()

    @pytest.mark.parametrize("side", [0, 7, 129, 10**9, True])
    def test_a_side_that_is_none(self, side):
        assert "8..128" in refused("shapes", side=side)


class TestFolder:
    def test_a_folder_for_each_class(self, tmp_path):
        fill(tmp_path / "cats", 20)
        fill(tmp_path / "dogs", 12, seed=1)
        (tmp_path / "empty").mkdir()
        fill(tmp_path, 1, seed=2)
        found = load_pictures(tmp_path)
        assert found.images.shape == (32, 28, 28, 3) and found.names == ("cats", "dogs")
        assert np.bincount(found.labels).tolist() == [20, 12] and found.labelled
        assert [one.reason for one in found.skipped] == ["lies beside the classes' folders"]

    def test_a_flat_folder_of_grey_pictures_of_all_sizes(self, tmp_path):
        for at in range(5):
            fill(tmp_path / "x", 5, (20 + 30 * at, 40), at, "L")
            for path in list((tmp_path / "x").iterdir()):
                path.rename(tmp_path / f"{at}-{path.name}")
        (tmp_path / "x").rmdir()
        found = load_pictures(tmp_path)
        assert found.images.shape == (25, 40, 40, 1)
        assert not found.labelled and found.names == ()
        assert load_pictures(tmp_path, side=16).images.shape == (25, 16, 16, 1)

    def test_one_picture_in_colour_makes_all_so(self, tmp_path):
        fill(tmp_path / "a", 20, mode="L")
        fill(tmp_path / "b", 20)
        assert load_pictures(tmp_path).images.shape[-1] == 3

    def test_what_cannot_be_read_is_skipped_with_its_reason(self, tmp_path):
        fill(tmp_path, 24)
        (tmp_path / "empty.png").write_bytes(b"")
        (tmp_path / "cut.png").write_bytes((tmp_path / "000.png").read_bytes()[:200])
        (tmp_path / "notes.txt").write_text("hello")
        (tmp_path / ".DS_Store").write_bytes(b"x")
        os.mkfifo(tmp_path / "pipe.png")
        (tmp_path / "gone.png").symlink_to("nowhere")
        lines = []
        found = load_pictures(tmp_path, say=lines.append)
        assert len(found) == 24 and len(found.skipped) == 5
        reasons = {os.path.basename(one.place): one.reason for one in found.skipped}
        assert reasons["empty.png"] == "is empty." and "not a regular file" in reasons["pipe.png"]
        assert reasons["notes.txt"] == "is not a picture by its name"
        assert "skipped 5" in lines[0] and len(lines) == 6

    def test_the_second_time_it_comes_from_the_cache_the_same(self, tmp_path, monkeypatch):
        fill(tmp_path, 24)
        (tmp_path / "empty.png").write_bytes(b"")
        first = load_pictures(tmp_path)
        monkeypatch.setattr("plaudit.domains.image.folder.read_picture", lambda *_: pytest.fail("read again"))
        again = load_pictures(tmp_path)
        assert again.digest == first.digest and again.skipped == first.skipped
        monkeypatch.undo()

    def test_hostile_names(self, tmp_path):
        fill(tmp_path / "a\nb: <x>", 11)
        fill(tmp_path / "up..", 11, seed=1)
        with open(os.fsencode(tmp_path / "up..") + b"/\xff\xfe\n.png", "wb") as file:
            file.write(b"no picture")
        found = load_pictures(tmp_path)
        assert found.names == ("a_b_ _x_", "up")
        assert len(found.skipped) == 1 and found.skipped[0].place.isprintable()
        str(found.skipped[0]).encode()

    @pytest.mark.parametrize("count", [0, 3, 19])
    def test_too_few(self, tmp_path, count):
        fill(tmp_path / "f", count)
        assert "At least 20" in refused(tmp_path / "f")

    def test_twenty_twins_are_one_picture(self, tmp_path):
        for at in range(20):
            Image.new("L", (30, 30), 5).save(tmp_path / f"{at}.png")
        assert "1 of them different" in refused(tmp_path)

    def test_none_that_can_be_read(self, tmp_path):
        for at in range(30):
            (tmp_path / f"{at}.jpg").write_bytes(b"\xff\xd8\xff")
        assert "no picture could be read" in refused(tmp_path)

    @pytest.mark.parametrize("place", ["no/such/place", "shape", "a\0b", "x" * 5000])
    def test_no_place(self, place):
        message = refused(place)
        assert 'Did you mean "shapes"?' in message or place != "shape"


class TestArrays:
    def save(self, path, **arrays):
        np.savez_compressed(path, **arrays)
        return path

    def test_images_and_labels(self, tmp_path):
        images = noise(40, 28)
        path = self.save(
            tmp_path / "a.npz", images=images, labels=np.arange(40) % 2, names=["cat", "dog/../x"]
        )
        found = load_pictures(path)
        assert np.array_equal(found.images, images) and found.names == ("cat", "dog_.._x")

    @pytest.mark.parametrize(
        "change",
        [
            lambda x: x[..., 0],
            lambda x: x.transpose(0, 3, 1, 2),
            lambda x: (x / 255).astype(np.float32),
            lambda x: x.astype(np.int64),
            lambda x: np.concatenate([x, np.full_like(x[..., :1], 255)], -1),
        ],
    )
    def test_every_usual_layout(self, tmp_path, change):
        images = noise(40, 28)
        found = load_pictures(self.save(tmp_path / "a.npz", x=change(images)))
        assert np.array_equal(found.images, images[..., : found.images.shape[-1]]) and not found.labelled

    def test_the_parts_that_a_file_brings_stay(self, tmp_path):
        parts = {"x_train": noise(60), "y_train": np.zeros((60, 1), int), "x_test": noise(9, seed=1)}
        found = load_pictures(self.save(tmp_path / "a.npz", **parts, y_test=np.ones(9, np.uint8)))
        assert np.bincount(found.split).tolist() == [50, 10, 9]
        assert np.array_equal(found.part("test").images, parts["x_test"])

    @pytest.mark.parametrize(
        "arrays",
        [
            {"images": np.array([{"a": 1}], object)},
            {"images": np.zeros((30, 28, 28, 2), np.uint8)},
            {"images": np.full((30, 28, 28), np.nan)},
            {"images": np.full((30, 28, 28), 3.5)},
            {"images": np.full((30, 28, 28), "a")},
            {"images": np.zeros((0, 28, 28), np.uint8)},
            {"images": noise(30), "labels": np.arange(29)},
            {"images": noise(30), "labels": -np.arange(30)},
            {"images": noise(30), "labels": np.linspace(0, 1, 30)},
            {"pictures": noise(30)},
            {"images": noise(3)},
        ],
    )
    def test_what_are_no_pictures(self, tmp_path, arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        refused(tmp_path / "a.npz")

    def test_a_header_that_claims_too_much(self, tmp_path):
        stream = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 1000, 1000)}
        )
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as file:
            file.writestr("images.npy", stream.getvalue() + b"\0" * 100)
        assert "not what it says" in refused(tmp_path / "a.npz")

    def test_damage_anywhere(self, tmp_path):
        whole = self.save(tmp_path / "a.npz", images=noise(20, 8), labels=np.arange(20)).read_bytes()
        rng = np.random.default_rng(0)
        for _ in range(150):
            content = bytearray(whole)
            for at in rng.integers(0, len(content), 4):
                content[at] = rng.integers(0, 256)
            (tmp_path / "b.npz").write_bytes(bytes(content[: rng.integers(1, len(content) + 1)]))
            try:
                load_pictures(tmp_path / "b.npz")
            except InputError:
                pass


class TestIdx:
    def write(self, folder, name, array, packed=False):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
        content = head + array.astype(np.uint8).tobytes()
        path = folder / (name + (".gz" if packed else ""))
        path.write_bytes(gzip.compress(content) if packed else content)

    def fill(self, folder, packed=False):
        images, labels = noise(70, 28, 1)[..., 0], np.arange(70) % 10
        for prefix, at in (("train", slice(0, 60)), ("t10k", slice(60, 70))):
            self.write(folder, f"{prefix}-images-idx3-ubyte", images[at], packed)
            self.write(folder, f"{prefix}-labels-idx1-ubyte", labels[at], packed)
        return images, labels

    @pytest.mark.parametrize("packed", [False, True])
    def test_four_files(self, tmp_path, packed):
        images, labels = self.fill(tmp_path, packed)
        found = load_pictures(tmp_path)
        assert np.array_equal(found.images[..., 0], images) and np.array_equal(found.labels, labels)
        assert np.bincount(found.split).tolist() == [50, 10, 10]
        assert load_pictures(tmp_path, side=56).images.shape == (70, 56, 56, 1)

    def test_damage(self, tmp_path):
        self.fill(tmp_path)
        path = tmp_path / "train-images-idx3-ubyte"
        path.write_bytes(path.read_bytes()[:-1])
        assert "promises" in refused(tmp_path)
        path.unlink()
        (tmp_path / f"{path.name}.gz").write_bytes(b"\x1f\x8bnonsense")
        assert "gzip" in refused(tmp_path)


class TestParquet:
    @pytest.fixture
    def write(self, tmp_path):
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        def write(columns, metadata=None):
            table = pyarrow.table(columns).replace_schema_metadata(metadata)
            parquet.write_table(table, tmp_path / "a.parquet")
            return tmp_path / "a.parquet"

        return write

    def pictures(self, count):
        return [self.encoded(one) for one in noise(count, 20)]

    def encoded(self, pixels):
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        return stream.getvalue()

    def test_bytes_and_numbers(self, write):
        found = load_pictures(
            write({"img": [*self.pictures(30), b"none", None], "label": [0, 1] * 16}), side=20
        )
        assert np.array_equal(found.images, noise(30, 20)) and np.bincount(found.labels).tolist() == [15, 15]
        assert [one.place.rpartition(" (")[2] for one in found.skipped] == ["row 30)", "row 31)"]

    def test_as_datasets_are_published(self, write):
        about = {"info": {"features": {"label": {"names": ["cat", "dog"]}}}}
        cells = [{"bytes": one, "path": "../../x"} for one in self.pictures(30)]
        path = write({"image": cells, "label": [0, 1] * 15}, {"huggingface": json.dumps(about)})
        assert load_pictures(path).names == ("cat", "dog")

    def test_words_as_labels(self, write):
        found = load_pictures(write({"image": self.pictures(30), "label": ["b", "a"] * 15}))
        assert found.names == ("a", "b") and found.labels[:2].tolist() == [1, 0]

    def test_no_pictures(self, write, tmp_path):
        assert "columns" in refused(write({"text": ["a"]}))
        refused(write({"image": self.pictures(3)}))
        refused(write({"image": [b"x"] * 30}))
        (tmp_path / "a.parquet").write_bytes(b"PAR1nonsensePAR1")
        refused(tmp_path / "a.parquet")
