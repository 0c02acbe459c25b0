"""The judge of pictures, the terms beside a set, the reference and the baselines."""

import numpy as np
import pytest
import torch
from PIL import Image

from plaudit.domains.image import picture_reward
from plaudit.domains.image.picture_baselines import picture_baselines
from plaudit.domains.image.picture_figures import set_figures
from plaudit.domains.image.picture_judge import judge_pictures, statistics_of
from plaudit.domains.image.picture_likeness import likeness_terms
from plaudit.domains.image.picture_reference import make_reference, reference_of
from plaudit.domains.image.picture_reference_file import read_reference, write_reference
from plaudit.domains.image.picture_request import PictureRequest
from plaudit.domains.image.pictures import as_tensor
from plaudit.domains.image.shapes import SHAPES, shapes
from plaudit.errors import InputError
from plaudit.reward.term import Context
from plaudit.task import Item

NAMES = tuple(SHAPES)
TERMS = {term.name: term for term in likeness_terms()}


@pytest.fixture(scope="module")
def reference():
    return reference_of("shapes", None)


@pytest.fixture(scope="module")
def real():
    """Shapes that neither classifier has seen."""
    return shapes(None, 160, 99)


def items_of(pictures, **asked):
    return [
        Item(image, PictureRequest(**{"label": NAMES[label], **asked}), at)
        for at, (image, label) in enumerate(zip(pictures.images, pictures.labels, strict=True))
    ]


def scored(name, images, reference, labels=None, groups=None, example=""):
    asked = [-1] * len(images) if labels is None else labels
    requests = [PictureRequest(label=NAMES[k] if k >= 0 else "any", example=example) for k in asked]
    context = Context(requests, groups=groups, cache={"reference": reference})
    return TERMS[name].score(images, context).detach().numpy()


class TestTheJudge:
    def test_finds_real_pictures_good_and_noise_bad(self, reference, real):
        figures = judge_pictures(items_of(real), reference)
        assert figures["quality"].mean() > 0.85 and figures["control"].mean() > 0.9
        assert figures["diversity"].mean() > 0.9
        noise = np.random.default_rng(0).integers(0, 256, real.images.shape, np.uint8)
        bad = [Item(image, item.request, 0) for image, item in zip(noise, items_of(real), strict=True)]
        assert judge_pictures(bad, reference)["quality"].mean() < 0.05

    def test_another_class_is_neither_good_nor_as_asked(self, reference, real):
        wrong = items_of(real)
        for at, item in enumerate(wrong):
            item.request = PictureRequest(label=NAMES[(real.labels[at] + 3) % 8])
        figures = judge_pictures(wrong, reference)
        assert figures["quality"].mean() < 0.1 and figures["control"].mean() < 0.1

    def test_no_class_in_particular_is_met_by_any(self, reference, real):
        figures = judge_pictures(items_of(real, label="any"), reference)
        assert figures["control"].all() and np.isnan(figures["class_seen"]).all()

    def test_a_target_is_met_within_its_tolerance(self, reference, real):
        ink = statistics_of(real.images)["ink"][0]
        for off, slack, met in ((0.02, 0.03, 1), (0.02, 0.01, 0)):
            asked = {"label": "any", "target": {"ink": ink + off}, "tolerance": {"ink": slack}}
            item = Item(real.images[0], PictureRequest(**asked), 0)
            assert judge_pictures([item], reference)["control"][0] == met

    def test_what_was_to_stay_is_compared(self, reference, real, tmp_path):
        Image.fromarray(real.images[0]).save(tmp_path / "start.png")
        asked = {"label": "any", "start": str(tmp_path / "start.png"), "keep": (0, 0, 16, 32)}
        changed = real.images[0].copy()
        changed[3, 3] ^= 1
        pair = [Item(picture, PictureRequest(**asked), 0) for picture in (real.images[0], changed)]
        assert judge_pictures(pair, reference)["control"].tolist() == [1, 0]

    def test_a_repeated_picture_is_not_diverse(self, reference, real):
        items = items_of(real)[:5]
        assert judge_pictures([*items, *items], reference)["diversity"][5:].sum() == 0

    @pytest.mark.parametrize("name", ["ink", "contrast", "symmetry", "colourfulness", "sharpness"])
    def test_statistics_agree_with_the_terms_they_share_no_code_with(self, real, name):
        term = getattr(picture_reward, name)(as_tensor(real.images), Context()).numpy()
        np.testing.assert_allclose(statistics_of(real.images)[name], term, atol=2e-3)

    def test_sizes_agree_too(self, real):
        np.testing.assert_allclose(statistics_of(real.images)["jpeg_kb"], picture_reward.jpeg_kb(real.images))


class TestTermsBesideASet:
    def test_fidelity_is_usual_for_real_pictures_and_low_for_noise(self, reference, real):
        noise = np.random.default_rng(0).integers(0, 256, real.images.shape, np.uint8)
        ours = scored("fidelity", real.images, reference)
        assert 0.5 < -np.median(ours) < 2.0
        assert scored("fidelity", noise, reference).mean() < 1.5 * ours.mean()

    def test_a_training_picture_is_not_novel(self, reference):
        train = shapes().part("train").images
        at = np.random.default_rng(0).permutation(len(train))[:40]  # those that the reference keeps
        assert scored("novelty", train[at], reference).max() < 0.05
        assert scored("novelty", shapes(None, 100, 99).images, reference).mean() > 0.3

    def test_variety_counts_different_pictures(self, reference, real):
        same = np.repeat(real.images[:1], 8, 0)
        both = np.concatenate([real.images[:8], same])
        groups = np.repeat([0, 1], 8)
        vendi = scored("diversity", both, reference, groups=groups)
        far = scored("distinctness", both, reference, groups=groups)
        assert 3 < vendi[0] <= 8 and vendi[8] == pytest.approx(1, abs=0.01)
        assert len(set(vendi.tolist())) == 2 and far[:8].min() > 1 and far[8:].max() < 0.05

    def test_similarity_is_highest_for_the_example_itself(self, reference, real, tmp_path):
        Image.fromarray(real.images[3]).save(tmp_path / "example.png")
        found = scored("similarity", real.images, reference, example=str(tmp_path / "example.png"))
        assert found.argmax() == 3 and found[3] > -0.05

    def test_without_a_label_the_likeliest_class_counts(self, reference, real):
        labelled = scored("class_probability", real.images, reference, real.labels)
        free = scored("class_probability", real.images, reference)
        assert (free >= labelled - 1e-6).all() and free.mean() > labelled.mean() - 0.5

    @pytest.mark.parametrize("name", [name for name, term in TERMS.items() if term.grad == "pathwise"])
    def test_gradients_are_finite_where_pictures_are_equal(self, reference, real, name):
        images = as_tensor(np.repeat(real.images[:2], 2, 0)).requires_grad_()
        context = Context([PictureRequest()] * 4, groups=np.zeros(4, int), cache={"reference": reference})
        slope = torch.autograd.grad(TERMS[name].score(images, context).sum(), images)[0]
        assert slope.isfinite().all()

    def test_the_judge_is_asked_by_a_twin_alone(self, reference, real):
        assert [name for name, term in TERMS.items() if term.eval_only] == ["judged"]
        for name, net in (("judged", reference.judge), ("class_probability", reference.reward)):
            logits = net.logits(real.images).astype(np.float64)
            wanted = logits[np.arange(len(logits)), real.labels] - np.log(np.exp(logits).sum(1))
            np.testing.assert_allclose(scored(name, real.images, reference, real.labels), wanted, atol=1e-4)


class TestTheReference:
    def test_is_made_written_and_read(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PLAUDIT_CACHE", str(tmp_path))
        made = make_reference(shapes(16, 200, 1), steps=5)
        write_reference(made, tmp_path / "one.safetensors")
        read = read_reference(tmp_path / "one.safetensors")
        assert read.facts == made.facts and read.reward.about["split"] == "train"
        assert read.judge.about["split"] == "validation"
        np.testing.assert_allclose(read.real[0], made.real[0], rtol=1e-3, atol=1e-3)
        assert (read.real[1] == made.real[1]).all()

    def test_damaged_files_are_one_clear_error(self, tmp_path):
        path = tmp_path / "one.safetensors"
        for content in (b"", b"abc", b"\x08" + b"\0" * 7 + b"{}      "):
            path.write_bytes(content)
            with pytest.raises(InputError):
                read_reference(path)

    def test_a_set_that_is_not_there_is_named_with_what_to_do(self, monkeypatch):
        monkeypatch.delenv("PLAUDIT_DATA", raising=False)
        with pytest.raises(InputError) as caught:
            reference_of("no-such-set", None)
        assert "PLAUDIT_DATA" in caught.value.hint

    def test_judges_are_apart(self, reference):
        assert reference.reward.net.config.kind != reference.judge.net.config.kind


class TestBaselines:
    def test_the_heuristic_draws_the_class_and_copies_nothing(self, reference):
        make = picture_baselines(lambda: reference)
        requests = [PictureRequest(label=NAMES[at % 8]) for at in range(320)]
        seen = {
            name: judge_pictures(list(f(requests, range(320))), reference)["class_seen"].mean()
            for name, f in make.items()
        }
        assert seen["heuristic"] > seen["random"] + 0.05
        again = [item.content for item in make["heuristic"](requests[3:4], [3])]
        assert (again[0] == list(make["heuristic"](requests[:8], range(8)))[3].content).all()

    def test_figures_of_a_set_put_real_pictures_before_noise(self, reference, real):
        ours = set_figures(items_of(real), reference)
        noise = set_figures(
            list(picture_baselines(lambda: reference)["random"]([PictureRequest()] * 160, range(160))),
            reference,
        )
        assert ours["fd"] < 3 * ours["fd_floor"] < noise["fd"] and ours["accuracy"] > 0.9
        assert ours["precision"] > 0.6 > noise["precision"]
