"""Classifiers that learn, their files, the two judges of a set, and the report that they write."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from plaudit.domains.image import judges as judging
from plaudit.domains.image.augment import SHIFTED, WARPED, Augment, augmented
from plaudit.domains.image.classifier import Classifier, TrainConfig, train_classifier
from plaudit.domains.image.classifier_file import read_classifier, write_classifier
from plaudit.domains.image.features import NETS, NetConfig, as_input, build_net
from plaudit.domains.image.judges import JUDGE, REWARD, judges_of, turned
from plaudit.domains.image.metrics import Effort, quality_report, usefulness
from plaudit.domains.image.shapes import shapes
from plaudit.errors import InputError

torch.set_num_threads(1)


def two_shapes(count=2400, side=16):
    """Rings and squares: what a net learns within seconds."""
    found = shapes(side, count=count)
    at = np.isin(found.labels, [4, 5])
    return replace(
        found.take(at), labels=found.labels[at] - 4, names=("ring", "square"), source="rings and squares"
    )


@pytest.fixture(scope="module")
def pictures():
    return two_shapes()


@pytest.fixture(scope="module")
def cache_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def judges(pictures, cache_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAUDIT_CACHE", str(cache_folder))
        patch.setattr(judging, "REWARD", replace(REWARD, width=16, features=16, batch=64))
        patch.setattr(judging, "JUDGE", replace(JUDGE, width=16, features=16, batch=64))
        return judges_of(pictures, lambda _: None, steps=200)


class TestNets:
    @pytest.mark.parametrize("kind", NETS)
    @pytest.mark.parametrize("side, channels", [(28, 1), (32, 3), (64, 3), (8, 1)])
    def test_shapes(self, kind, side, channels):
        net = build_net(NetConfig(kind, side, channels, 5, features=12, width=8)).eval()
        pictures = torch.rand(3, channels, side, side, requires_grad=True)
        logits = net(pictures)
        assert logits.shape == (3, 5) and net.features(pictures).shape == (3, 12)
        logits.sum().backward()
        assert pictures.grad.abs().sum() > 0

    def test_the_seed_fixes_the_weights_and_nothing_else_is_seeded(self):
        config = NetConfig("strided", 16, 1, 2)
        before = torch.get_rng_state()
        one, same, other = (build_net(config, seed).out.weight for seed in (0, 0, 1))
        assert torch.equal(one, same) and not torch.equal(one, other)
        assert torch.equal(before, torch.get_rng_state())

    @pytest.mark.parametrize(
        "change", [{"kind": "x"}, {"side": 0}, {"channels": 2}, {"classes": 1}, {"width": 12}]
    )
    def test_what_is_no_net(self, change):
        with pytest.raises(InputError):
            NetConfig(**{"kind": "strided", "side": 28, "channels": 1, "classes": 10, **change})


class TestAugment:
    @pytest.mark.parametrize("how", [SHIFTED, WARPED])
    def test_the_seed_fixes_it_and_it_changes_every_picture(self, how):
        pictures = as_input(shapes(16, count=40).images)
        one, same = (augmented(pictures, how, torch.Generator().manual_seed(3)) for _ in range(2))
        assert torch.equal(one, same) and one.min() >= 0 and one.max() <= 1
        assert ((one - pictures).abs().amax((1, 2, 3)) > 0.01).all()

    def test_nothing_is_nothing(self):
        pictures = as_input(shapes(16, count=40).images)
        assert torch.allclose(augmented(pictures, Augment(), torch.Generator()), pictures, atol=1e-5)

    def test_a_shift_moves_by_as_much_as_it_says(self):
        dot = torch.zeros(200, 1, 21, 21)
        dot[:, 0, 10, 10] = 1
        moved = augmented(dot, Augment(shift=0.2), torch.Generator().manual_seed(0))[:, 0]
        column = (moved.sum(1) * torch.arange(21)).sum(1) / moved.sum((1, 2))
        assert (column - 10).abs().max() <= 0.2 * 21 + 0.1 and (column - 10).abs().max() > 3.5

    def test_a_hole_is_in_half_of_them(self):
        board = (torch.arange(20) % 2).float().expand(400, 1, 20, 20).contiguous()
        grey = (
            (augmented(board, Augment(hole=0.3), torch.Generator().manual_seed(0)) == 0.5).flatten(1).sum(1)
        )
        assert 0.4 < (grey > 0).float().mean() < 0.6 and grey.max() <= 49


class TestClassifier:
    def test_both_learn(self, pictures, judges):
        test = pictures.part("test")
        assert judges.reward.accuracy(test.images, test.labels) > 0.95
        assert judges.judge.accuracy(test.images, test.labels) > 0.9

    def test_training_is_repeatable(self, pictures):
        config = TrainConfig(steps=5, width=8, features=8, augment=WARPED)
        one, same = (train_classifier(pictures, config).tensors() for _ in range(2))
        assert all(torch.equal(one[name], same[name]) for name in one)

    def test_it_stops_early_and_keeps_the_best(self, pictures):
        noise = replace(pictures, labels=np.random.default_rng(0).integers(0, 2, len(pictures)))
        made = train_classifier(
            noise.take(slice(0, 200)), TrainConfig(steps=400, width=8, checks=40, patience=3)
        )
        assert 200 <= made.about["updates"] < 400

    def test_without_classes_there_is_nothing_to_learn(self, pictures):
        with pytest.raises(InputError):
            train_classifier(replace(pictures, names=("one",)), TrainConfig())

    def test_another_size_is_refused(self, judges):
        for images in (np.zeros((2, 8, 8, 3), np.uint8), np.zeros((0, 16, 16, 3), np.uint8)):
            with pytest.raises(InputError):
                judges.judge.features(images)

    def test_its_file(self, pictures, judges, tmp_path):
        write_classifier(judges.judge, tmp_path / "sub" / "j.safetensors")
        again = read_classifier(tmp_path / "sub" / "j.safetensors")
        assert np.array_equal(again.logits(pictures.images[:9]), judges.judge.logits(pictures.images[:9]))
        assert again.about == judges.judge.about and again.names == pictures.names

    def test_damaged_files(self, judges, tmp_path):
        path = tmp_path / "j.safetensors"
        write_classifier(judges.judge, path)
        whole, rng = path.read_bytes(), np.random.default_rng(0)
        for _ in range(60):
            content = bytearray(whole)
            for at in rng.integers(0, 1200, 3):
                content[at] = rng.integers(0, 256)
            path.write_bytes(bytes(content[: rng.integers(0, len(content) + 1)]))
            with pytest.raises(InputError):
                read_classifier(path)

    @pytest.mark.parametrize(
        "change", [{"kind": "q-table"}, {"net": {}}, {"net": None}, {"names": [1]}, {"about": 3}]
    )
    def test_damaged_descriptions(self, judges, change):
        description = json.loads(json.dumps(judges.judge.describe()))
        Classifier.from_description(description, judges.judge.tensors())
        with pytest.raises(InputError):
            Classifier.from_description({**description, **change}, judges.judge.tensors())


class TestJudges:
    def test_they_have_little_in_common(self, judges):
        assert judges.reward.about["split"] == "train" and judges.judge.about["split"] == "validation"
        assert judges.reward.net.config.kind != judges.judge.net.config.kind
        assert REWARD.augment != JUDGE.augment

    def test_the_judge_never_saw_what_the_reward_learned_from(self, pictures, cache_folder, monkeypatch):
        seen = []
        monkeypatch.setattr(
            judging, "train_classifier", lambda part, *_: seen.append(part) or pytest.skip.Exception
        )
        monkeypatch.setattr(judging, "write_classifier", lambda *_: None)
        monkeypatch.setattr(
            judging, "read_classifier", lambda path: (_ for _ in ()).throw(InputError("gone"))
        )
        judges_of(pictures, lambda _: None)
        assert [np.unique(part.split).tolist() for part in seen] == [[0], [1]]

    def test_the_second_time_they_come_from_the_cache(self, pictures, judges, cache_folder, monkeypatch):
        monkeypatch.setenv("PLAUDIT_CACHE", str(cache_folder))
        monkeypatch.setattr(judging, "REWARD", replace(REWARD, width=16, features=16, batch=64))
        monkeypatch.setattr(judging, "JUDGE", replace(JUDGE, width=16, features=16, batch=64))
        monkeypatch.setattr(judging, "train_classifier", lambda *_: pytest.fail("trained again"))
        again = judges_of(pictures, steps=200)
        assert np.array_equal(
            again.judge.features(pictures.images[:5]), judges.judge.features(pictures.images[:5])
        )
        with pytest.raises(pytest.fail.Exception):
            judges_of(pictures.take(slice(0, 300)), lambda _: None, steps=200)

    def test_without_classes_the_turns_are_them(self, pictures):
        found = turned(replace(pictures, names=(), labels=np.full(len(pictures), -1)))
        n = len(pictures)
        assert len(found) == 4 * n and found.labelled and found.names == ("0", "90", "180", "270")
        assert np.array_equal(found.images[n], np.rot90(pictures.images[0]))
        # A picture and its turns stay in one split.
        assert np.array_equal(found.split.reshape(4, n), np.tile(pictures.split, (4, 1)))


class TestReport:
    EFFORT = Effort(draws=2, neighbours=100, alike=60)

    @pytest.fixture(scope="class")
    def more(self):
        """Fresh pictures of the same kind: what an ideal generator makes."""
        fresh = shapes(16, count=800, seed=9)
        at = np.isin(fresh.labels, [4, 5])
        return fresh.images[at], fresh.labels[at] - 4

    def test_an_ideal_generator_scores_as_real_pictures_do(self, more, pictures, judges):
        report = quality_report(*more, pictures, judges, self.EFFORT)
        assert 0.4 < report["fd_ratio"] < 2.5
        assert report["kid_low"] < 0.02 and report["precision"] > 0.85 and report["coverage"] > 0.7
        assert (
            abs(report["judge_accuracy"] - report["judge_accuracy_real"]) < 0.08
            and report["memorised"] < 0.15
        )
        assert report["membership_auc"] == pytest.approx(0.5, abs=0.12)
        assert report["vendi"] == pytest.approx(report["vendi_real"], rel=0.3)
        assert all(value is None or np.isfinite(value) for value in report.values())

    def test_what_is_wrong_with_samples_shows(self, more, pictures, judges):
        good = quality_report(*more, pictures, judges, self.EFFORT)
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 256, more[0].shape).astype(np.uint8)
        noisy = quality_report(noise, more[1], pictures, judges, self.EFFORT)
        assert noisy["fd_ratio"] > 5 * good["fd_ratio"] and noisy["coverage"] < 0.5 * good["coverage"]
        assert noisy["kid_low"] > good["kid_high"] and noisy["sliced"] > good["sliced"]
        one = quality_report(np.repeat(more[0][:1], 200, 0), None, pictures, judges, self.EFFORT)
        assert one["vendi"] == pytest.approx(1) and one["coverage"] < 0.2 and "judge_accuracy" not in one
        train = pictures.part("train")
        copies = quality_report(train.images, train.labels, pictures, judges, self.EFFORT)
        assert copies["memorised"] > 0.9 and copies["membership_auc"] > 0.9
        swapped = quality_report(more[0], 1 - more[1], pictures, judges, self.EFFORT)
        assert swapped["judge_accuracy"] < 0.1

    def test_classes_are_looked_at_one_by_one(self, more, pictures, judges):
        report = quality_report(*more, pictures, judges, self.EFFORT)
        swapped = quality_report(more[0], 1 - more[1], pictures, judges, self.EFFORT)
        assert report["class_fd_classes"] == 2
        assert swapped["class_fd"] > 3 * report["class_fd"]
        assert swapped["fd_ratio"] == report["fd_ratio"]

    def test_a_handful_of_pictures_gives_none_where_nothing_can_be_said(self, more, pictures, judges):
        report = quality_report(more[0][:3], more[1][:3], pictures, judges, self.EFFORT)
        assert report["fd"] is None and report["precision"] is None and report["judge_accuracy"] is not None

    def test_it_is_repeatable(self, more, pictures, judges):
        one, same = (quality_report(*more, pictures, judges, self.EFFORT) for _ in range(2))
        assert one == same

    def test_what_does_not_fit_is_refused(self, more, pictures, judges):
        with pytest.raises(InputError):
            quality_report(more[0], more[1][:5], pictures, judges)
        with pytest.raises(InputError):
            quality_report(more[0][..., :1], None, pictures, judges)


def test_usefulness_tells_good_labels_from_bad_ones(pictures):
    fresh = two_shapes(1200)
    config = TrainConfig(steps=60, width=16, batch=64, augment=SHIFTED)
    found = usefulness(fresh.images, fresh.labels, pictures, config)
    assert found["useful"] > 0.85 and found["useful_real"] > 0.85 and found["useful_n"] == 300
    assert usefulness(fresh.images, 1 - fresh.labels, pictures, config)["useful"] < 0.2
