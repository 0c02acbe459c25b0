"""Melodies as arrays, what is asked of them, what the rules say, and how they come about."""

import numpy as np
import pytest
import torch

from plaudit.domains import TASKS, get_task
from plaudit.domains.music import asks as asking
from plaudit.domains.music import (
    baselines,
    generation,
    likeness,
    melody_env,
    metrics,
    reward,
    rules,
    training,
)
from plaudit.domains.music.conditions import FEATURES, SHAPE, prompts_of
from plaudit.domains.music.data import Tunes, folder_files, load_tunes, split_of, tune_of
from plaudit.domains.music.harmony import KINDS, implied
from plaudit.domains.music.lines import (
    BARS,
    FIRST,
    HOLD,
    REST,
    TOKENS,
    Lines,
    lines_of,
    settled,
    shift_of,
    tokens_of,
)
from plaudit.domains.music.melody_judge import windows
from plaudit.domains.music.novelty import Known
from plaudit.domains.music.request import MelodyRequest, asks_of, check_melody, draw_requests, lines_from
from plaudit.domains.music.score import METRES, Note, Piece, Voice, problems
from plaudit.domains.music.source import TuneCorpus
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.decode import sample
from plaudit.engine.sequence.model import GRUConfig, SequenceModel
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Context
from plaudit.runs.checking import check
from plaudit.runs.recipe import RewardEntry
from plaudit.task import Item

C4 = FIRST + 12


def lines(rows, metre=2, mode=0, shift=0):
    """Lines of equal length from lists of tokens."""
    tokens = np.array(rows, np.int64)
    count = len(tokens)
    return Lines(
        tokens,
        np.full(count, tokens.shape[1]),
        np.full(count, metre),
        np.full(count, mode),
        np.full(count, shift),
    )


def random_lines(count=300, seed=0):
    """Lines of all metres and modes, with many holds and rests, in keys from -5 to 6."""
    rng = np.random.default_rng(seed)
    metre, mode = rng.integers(0, 4, count), rng.integers(0, 6, count)
    length = np.array(BARS)[metre] * 4
    tokens = rng.integers(FIRST + 5, FIRST + 30, (count, int(length.max())))
    kind = rng.random(tokens.shape)
    tokens[kind < 0.5], tokens[kind > 0.9] = HOLD, REST
    near = rng.random(count) < 0.5
    tokens[near] = np.where(tokens[near] >= FIRST, C4 + tokens[near] % 3, tokens[near])
    tokens[tokens[:, 0] == HOLD, 0] = REST
    tokens = settled(tokens)
    tokens[np.arange(tokens.shape[1]) >= length[:, None]] = 0
    return Lines(tokens, length, metre, mode, rng.integers(-5, 7, count))


def quarters(*pitches, metre=(4, 4), tonic=0, mode="major"):
    notes = tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate(pitches))
    return Piece((Voice("melody", notes),), 4 * len(pitches), (), metre, tonic, mode)


class TestLines:
    def test_pieces_and_back(self):
        made = random_lines()
        pieces = list(made)
        assert not [problem for piece in pieces for problem in problems(piece)]
        again = lines_of(pieces, made.shift.tolist())
        assert list(again) == pieces
        assert (again.length == made.length).all() and (again.mode == made.mode).all()

    def test_a_key_is_moved_to_c_by_the_octave_that_fits(self):
        assert shift_of(0, 60, 82) == 0 and shift_of(2, 60, 82) == 2
        assert shift_of(11, 60, 82) == -1 and shift_of(0, 36, 58) == -24

    def test_silence_that_begins_within_silence_goes_on(self):
        line = np.array(
            [[REST, REST, HOLD, REST, C4, HOLD, REST, REST], [C4, REST, C4, REST, HOLD, REST, C4, 0]]
        )
        assert settled(line).tolist() == [[1, 0, 0, 0, C4, 0, 1, 0], [C4, 1, C4, 1, 0, 0, C4, 0]]

    def test_notes_beyond_four_octaves_do_not_fit(self):
        assert tokens_of([Note(0, 4, 96)], 4, 0) is None
        assert tokens_of([Note(2, 1, 60)], 4, 0).tolist() == [REST, HOLD, C4, REST]
        with pytest.raises(ValueError, match="96"):
            lines_of([quarters(96)], [0])

    def test_it_is_a_sequence_of_pieces(self):
        made = random_lines(5)
        assert len(made) == 5 and made[1:3] == [made[1], made[2]] and made[-1] == made[4]


class TestRules:
    def test_the_judge_measures_the_same(self):
        made = random_lines(400)
        found = rules.measure(made)
        for row, piece in enumerate(made):
            judged = windows(piece)
            own = [
                sum(getattr(window, name) for window in judged)
                for name in (
                    "steps",
                    "repeated",
                    "out_of_key",
                    "motif",
                    "repeated_motif",
                    "resolved",
                    "doubled",
                    "unique_max",
                    "unique_min",
                )
            ]
            assert own == found[row, 1:10].tolist()
            for lag in range(3):
                rho = sum(window.rho[lag] for window in judged if window.rho)
                assert rho == pytest.approx(found[row, 10 + lag])

    def test_random_tokens_score_as_the_published_checker_has_them(self):
        rng = np.random.default_rng(1)
        # The paper's 38 actions: silence, going on, and three octaves.
        made = lines(rng.integers(0, 38, (20_000, 32)))
        total = dict(zip(rules.NAMES, rules.measure(made).sum(0), strict=True))
        shares = {
            "out_of_key": total["out_of_key"] / total["steps"],
            "resolved": total["resolved"] / (total["resolved"] + total["doubled"]),
            "motif": total["motif"] / total["steps"],
            "high": total["high"] / total["windows"],
            "low": total["low"] / total["windows"],
        }
        expected = {"out_of_key": 0.393, "resolved": 0.026, "motif": 0.781, "high": 0.641, "low": 0.645}
        assert shares == pytest.approx(expected, abs=0.012)
        assert total["rho1"] / total["windows"] == pytest.approx(-0.04, abs=0.01)

    @pytest.mark.parametrize(
        "line, name, expected",
        [
            ([C4] * 8 + [C4 + 2] * 8, "repeated", 6),
            ([C4] + [HOLD] * 15, "repeated", 10),
            ([REST] * 16, "repeated", 14),
            ([C4, C4 + 1, C4 + 3, C4 + 4] * 4, "out_of_key", 8),
            ([C4, C4 + 2, C4 + 4] + [HOLD] * 13, "motif", 1),
            ([C4, C4 + 2, C4 + 4, HOLD] * 4, "repeated_motif", 1),
            ([C4, HOLD, C4 + 7, HOLD, C4 + 5, HOLD, C4 + 2, HOLD, C4] + [HOLD] * 7, "resolved", 1),
            ([C4, HOLD, C4 + 7, HOLD, C4 + 15, HOLD] + [HOLD] * 10, "doubled", 1),
            ([C4, HOLD, C4 + 12, C4] + [HOLD] * 12, "high", 1),
        ],
    )
    def test_by_hand(self, line, name, expected):
        assert rules.measure(lines([line]))[0, rules.COLUMN[name]] == expected

    def test_a_window_is_two_bars_and_four_in_two_four(self):
        for metre, count in ((0, 2), (1, 4), (2, 4), (3, 4)):
            made = lines([[C4] * (BARS[metre] * 8)], metre)
            assert rules.measure(made)[0, 0] == count


class TestRequests:
    @pytest.mark.parametrize(
        "given, key",
        [("a minor", "A minor"), ("Am", "A minor"), ("Bb", "Bb major"), ("f# DORIAN", "F# dorian")],
    )
    def test_keys_are_read_as_people_write_them(self, given, key):
        assert MelodyRequest(key=given).key == key

    @pytest.mark.parametrize(
        "fields, words",
        [
            ({"key": "H major"}, "a key is"),
            ({"key": "C loud"}, "a key is"),
            ({"low": "X4"}, "a pitch is"),
            ({"bars": 0}, "greater than or equal to 2"),
            ({"bars": 1000}, "less than or equal to 32"),
            ({"metre": "5/4"}, "4/4"),
            ({"opening": 9}, "less than or equal to 7"),
        ],
    )
    def test_what_cannot_be_is_refused(self, fields, words):
        with pytest.raises(ValueError, match=words):
            MelodyRequest(**fields)

    def test_what_cannot_be_met_is_named(self):
        with pytest.raises(InputError, match="narrower"):
            check_melody(MelodyRequest(low=60, high=61))
        with pytest.raises(InputError, match='"Hm7" is no chord'):
            check_melody(MelodyRequest(chords="C Hm7"))
        with pytest.raises(Infeasible, match="nearest is density=16"):
            check_melody(MelodyRequest(metre="4/4", target={"density": 30}))
        with pytest.raises(InputError, match="densty"):
            check_melody(MelodyRequest(target={"densty": 3}))

    def test_drawn_requests_are_complete_and_keep_what_is_given(self):
        given = MelodyRequest(key="D dorian", bars=5, low="C3")
        drawn = draw_requests(50, 3, given)
        assert {request.key for request in drawn} == {"D dorian"}
        assert {request.bars for request in drawn} == {5} and {request.low for request in drawn} == {48}
        assert all(request.metre and request.high and request.high - request.low >= 15 for request in drawn)
        assert len({request.metre for request in drawn}) == 4
        assert draw_requests(1, 4, given) != draw_requests(1, 5, given)


class TestConditions:
    def requests(self, count=64):
        given = draw_requests(count, 9, MelodyRequest())
        return [
            request.model_copy(update={"strict": i % 3 == 0, "chords": "C G7" if i % 2 else None})
            for i, request in enumerate(given)
        ]

    def test_any_allowed_line_is_as_asked(self):
        items = list(baselines.random_melodies(self.requests(), range(64)))
        for item in items:
            assert metrics.met(item.content, item.request, exact=True), item.request
            if item.request.strict:
                assert sum(window.out_of_key for window in windows(item.content)) == 0

    def test_features_have_the_width_the_model_has(self):
        found, _ = asks_of(self.requests(3))
        prompts = prompts_of(found)
        assert prompts.cond.shape[2] == FEATURES == SHAPE.features
        assert bool(prompts.mask.any(2).all())
        assert bool((prompts.mask[~prompts.valid].sum(1) == 1).all())

    def test_chords_are_moved_with_the_key(self):
        request = draw_requests(1, 0, MelodyRequest(key="D major", metre="4/4", bars=4, chords="D A7"))[0]
        found, shift = asks_of([request])
        assert shift[0] % 12 == 2
        assert found.root[0, [0, 16, 32, 48]].tolist() == [0, 7, 0, 7]
        assert [KINDS[k] for k in found.kind[0, [0, 16]]] == ["maj", "7"]
        prompts = prompts_of(found)
        plain = prompts_of(asks_of([request.model_copy(update={"chords": None})])[0])
        assert not torch.equal(prompts.cond, plain.cond)

    def test_locked_notes_stand_whole(self):
        made = lines([[C4, HOLD, HOLD, HOLD, C4 + 2, HOLD, C4 + 4, HOLD] * 2])
        open_ones = np.full(made.tokens.shape, asking.OPEN)
        found = asking.read_off(
            made.tokens, made.length, made.metre, made.mode, (open_ones, open_ones.copy())
        )
        where = np.zeros(made.tokens.shape, bool)
        where[0, 2:5] = True
        asking.lock(found, made.tokens, where)
        assert found.locked[0, :7].tolist() == [C4, HOLD, HOLD, HOLD, C4 + 2, HOLD, asking.OPEN]
        mask = prompts_of(found).mask[0]
        assert mask[:6].sum(1).tolist() == [1] * 6
        # What is locked ends where its lock ends.
        assert not bool(mask[6, HOLD]) and bool(mask[7, HOLD])


def tunes(count=20, bars=8):
    """A corpus of scales, up and down, in 4/4 and 6/8, major and minor."""
    rows, metre = [], []
    for i in range(count):
        bar = BARS[2 if i % 2 else 3]
        scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
        order = np.tile(np.concatenate([scale, scale[::-1]]), 32)[i : i + bar * bars // 2]
        line = np.zeros(bar * bars, np.int64)
        line[::2] = C4 + order
        rows.append(line)
        metre.append(2 if i % 2 else 3)
    tokens = np.concatenate(rows)
    start = np.cumsum([0, *(len(row) for row in rows)])
    split = np.array([0, 0, 0, 1, 2] * (count // 5))
    nothing = np.full(len(tokens), -1, np.int8)
    names = [f"tune {i}" for i in range(count)]
    return Tunes(
        tokens.astype(np.uint8), nothing, nothing, start, np.array(metre), np.zeros(count, int), split, names
    )


class TestSource:
    def test_what_is_learned_is_allowed(self):
        corpus = TuneCorpus(tunes(), "train", 0.7)
        for seed in range(12):
            prompts, ids = corpus.batch(16, np.random.default_rng(seed))
            taken = prompts.mask.gather(2, ids[..., None])[..., 0]
            assert bool(taken[prompts.valid].all())
            assert bool((prompts.cond[..., -16] > 0).any() or seed > 0)

    def test_splits_do_not_meet(self):
        own = [set(TuneCorpus(tunes(), split).at.tolist()) for split in ("train", "judge", "test")]
        assert not own[0] & own[1] and not own[0] & own[2] and not own[1] & own[2]

    def test_versions_of_a_tune_stay_in_one_split(self):
        assert split_of("The Rakes of Kildare -- Jig") == split_of("Rakes of Kildare (a jig)")
        assert len({split_of(f"tune number {n}") for n in "abcdefghijklmnop"}) == 3

    def test_a_tune_begins_at_its_bar_line_and_fills_its_last_bar(self):
        notes = tuple(Note(2 + 4 * i, 4, 62 + i % 5) for i in range(11))
        piece = Piece((Voice("v", (Note(0, 2, 60), *notes)),), 46, (), (4, 4), 2, "major", pickup=2)
        tokens, root, kind = tune_of(piece)
        assert len(tokens) == 48 and tokens[0] % 12 == FIRST and (root == -1).all()
        assert tokens[-8:].tolist()[:1] != [REST] and (tokens[41:] == HOLD).all() and (kind == -1).all()

    def test_copies_are_found_at_any_offset_and_octave(self):
        corpus = tunes()
        learned = Known(corpus)
        train = np.flatnonzero((corpus.split == 0) & (corpus.metre == 2))[0]
        line = corpus.tune(train).astype(np.int64)
        part = line[6:70]
        part[0] = C4
        copied = learned.copied(lines([part, np.where(part >= FIRST, part + 12, part)]))
        assert (copied > 0.9).all()
        fresh = random_lines(1).tokens[:, :32]
        assert learned.copied(lines(fresh)).tolist() == [0.0]

    def test_a_corpus_is_kept_and_a_damaged_cache_made_anew(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PLAUDIT_CACHE", str(tmp_path / "cache"))
        (tmp_path / "music").mkdir()
        for seed in range(3):
            request = draw_requests(1, seed, MelodyRequest(bars=8))[0]
            item = next(iter(baselines.built_melodies([request], [seed])))
            get_task("music/melody").save(item, tmp_path / "music" / f"{seed}.abc")
        said: list[str] = []
        first = load_tunes(str(tmp_path / "music"), said.append)
        again = load_tunes(str(tmp_path / "music"), said.append)
        assert len(first) == 3 and (first.tokens == again.tokens).all() and first.name == again.name
        count = len(said)
        (held,) = (tmp_path / "cache").rglob("*.npz")
        held.write_bytes(held.read_bytes()[:200])
        assert (load_tunes(str(tmp_path / "music"), said.append).tokens == first.tokens).all()
        assert len(said) == 2 * count > 0

    def test_a_folder_without_music_is_named(self, tmp_path):
        with pytest.raises(InputError, match="holds no"):
            folder_files(tmp_path)
        with pytest.raises(InputError, match="no folder"):
            folder_files(tmp_path / "nowhere")

    def test_the_chords_that_a_tune_implies(self):
        bar = [C4, HOLD, C4 + 4, HOLD, C4 + 7, HOLD, C4 + 4, HOLD] * 2
        dominant = [C4 + 7, HOLD, C4 + 11, HOLD, C4 + 14, HOLD, C4 + 11, HOLD] * 2
        root, kind = implied(np.array([bar + dominant]), np.array([16]), np.array([0]))
        assert root[0, [0, 16]].tolist() == [0, 7] and [KINDS[k] for k in kind[0, [0, 16]]] == ["maj"] * 2


class TestTerms:
    def score(self, name, piece, **fields):
        request = MelodyRequest(**fields)
        term = {term.name: term for term in reward.melody_terms()}[name]
        bars = max(piece.bars, 2)
        asked = request.model_copy(update={"bars": bars, "metre": f"{piece.metre[0]}/{piece.metre[1]}"})
        return float(term.score([piece], Context(requests=[asked]))[0])

    def test_cadence(self):
        home = quarters(60, 62, 64, 65, 67, 65, 62, 60)
        away = quarters(60, 62, 64, 65, 67, 65, 64, 62)
        assert self.score("cadence", home, cadence="full") == 1.0
        assert self.score("cadence", away, cadence="full") == 0.0
        assert self.score("cadence", away, cadence="half") == 1.0

    def test_contour_and_density(self):
        rising = quarters(60, 62, 64, 65, 67, 69, 71, 72)
        assert self.score("contour", rising, contour="up") == 1.0
        assert self.score("contour", rising, contour="arch") == 0.0
        assert self.score("density_target", rising, target={"density": 6.0}) == -2.0

    def test_chord_tones_form_and_variety(self):
        twice = quarters(60, 64, 67, 64, 60, 64, 67, 64)
        assert self.score("chord_tones", twice, chords="C") == 1.0
        assert self.score("chord_tones", twice, chords="F", key="C major") == pytest.approx(0.25)
        assert self.score("form", twice) == 1.0
        assert self.score("form", quarters(60, 64, 67, 64, 62, 65, 69, 65)) == 0.5
        term = {term.name: term for term in reward.melody_terms()}["variety"]
        alike = term.score([twice, twice], Context(requests=[MelodyRequest()] * 2))
        assert alike.tolist() == [0.0, 0.0]

    def test_the_papers_reward_of_a_short_line(self):
        # One window of 32 steps: no repetition, one motif a step from the eighth on would pay 3 and more.
        line = [C4, HOLD, C4 + 2, HOLD, C4 + 4, HOLD, C4 + 5, HOLD] * 4
        made = lines([line])
        found = dict(zip(rules.NAMES, rules.measure(made)[0], strict=True))
        assert (found["motif"], found["tonic_start"], found["tonic_end"]) == (25, 1, 0)
        expected = (
            3.0 * 25
            + 0.3 * found["motif_notes"]
            + 4.0 * found["repeated_motif"]
            + found["repeated_motif_notes"]
            + 3.0
            + found["intervals"]
        ) / 32 - 3.0 * found["loud_rho"]
        term = {term.name: term for term in reward.melody_terms()}["rl_tuner"]
        assert term.score(made, Context(requests=[MelodyRequest()]))[0] == pytest.approx(expected)


class TestLikeness:
    def test_histograms_by_hand(self):
        line = np.array([C4, HOLD, C4 + 2, HOLD, C4 + 2, HOLD, HOLD, HOLD])
        assert likeness.intervals(line)[[12, 14]].tolist() == [0.5, 0.5]
        assert likeness.lengths(line)[[1, 3]] == pytest.approx([2 / 3, 1 / 3])

    def test_a_likely_line_is_likelier(self):
        model = SequenceModel(SHAPE, GRUConfig(hidden=16, embed=8, encoder=8))
        model.initialise(torch.Generator().manual_seed(0))
        with torch.no_grad():
            model.head.bias[HOLD] += 3.0
        held, moving = lines([[C4] + [HOLD] * 31]), lines([[C4, C4 + 2] * 16])
        assert likeness.log_likelihood(model, held)[0] > likeness.log_likelihood(model, moving)[0]
        both = lines([[C4] + [HOLD] * 31, [C4, C4 + 2] * 16])
        assert likeness.log_likelihood(model, both)[0] == pytest.approx(
            likeness.log_likelihood(model, held)[0], rel=1e-5
        )


class TestTokenByToken:
    @pytest.fixture
    def model(self, monkeypatch):
        model = SequenceModel(SHAPE, GRUConfig(hidden=16, embed=8, encoder=8))
        model.initialise(torch.Generator().manual_seed(0))
        for module in (melody_env, generation, training):
            if hasattr(module, "shipped_prior"):
                monkeypatch.setattr(module, "shipped_prior", lambda: model)
        return model

    def recipe(self, name):
        found = get_task("music/melody").recipes()[name]
        return found.model_copy(
            update={"reward": (RewardEntry(term="rl_tuner"), RewardEntry(term="cadence"))}
        )

    @pytest.mark.parametrize("name", ["dqn", "q"])
    def test_what_is_paid_is_what_the_line_is_worth(self, model, name):
        env = training.melody_environment(reward.melody_terms(), self.recipe(name), 3)
        env.reset(1)
        start, paid = env._score(), 0.0
        rng = np.random.default_rng(0)
        for step in range(32):
            mask = env.action_mask().numpy()
            token = np.array([rng.choice(np.flatnonzero(row)) for row in mask])
            asks, requests, shift, ids = env.asks, env.requests, env.shift, env.view.draft.ids
            terms, terminated = env.step(torch.from_numpy(token))[1:3]
            paid = paid + terms.numpy()
            assert bool(terminated.all()) == (step == 31)
        lines = lines_from(asks, ids.numpy(), shift)
        worth = env.weighing.score(lines, Context(requests=requests, cache={"asks": asks}))
        assert paid == pytest.approx(worth - start)

    def test_the_view_reads_the_prior(self, model):
        env = training.melody_environment(reward.melody_terms(), self.recipe("dqn"), 2)
        obs = env.reset(4)
        assert obs.shape == (2, *env.observation_space.shape)
        env.step(torch.full((2,), int(env.action_mask()[0].nonzero()[0])))
        whole = model.log_probs(env.view.prompts, env.view.draft.ids)[:, 1]
        assert torch.allclose(env.view.ahead, whole, atol=1e-5)

    def test_both_methods_learn_and_write(self, model):
        for name, settings in (("dqn", {"chunk": 64, "learning_starts": 64}), ("q", {})):
            recipe = self.recipe(name).model_copy(update={"learner": settings, "network": {}})
            recipe = recipe.model_copy(update={"env": {**recipe.env, "copies": 4}})
            task = get_task("music/melody")
            learner = task.build(recipe, {})
            learner.share = 0.5
            learner.step()
            given = MelodyRequest.model_validate(dict(recipe.request))
            items = list(task.generate(learner.policy(), task.requests(3, 1, given), [1, 2, 3]))
            assert all(metrics.met(item.content, item.request, exact=True) for item in items)
        with pytest.raises(InputError, match="its table is for lines of 32"):
            list(task.generate(learner.policy(), task.requests(1, 1, MelodyRequest(bars=4)), [1]))


class TestJudge:
    def test_good_and_as_asked(self):
        piece = quarters(60, 62, 64, 65, 67, 65, 64, 62, 64, 65, 67, 69, 67, 64, 62, 60)
        request = MelodyRequest(key="C major", metre="4/4", bars=4, cadence="full", target={"density": 4})
        other = request.model_copy(update={"key": "D major"})
        items = [Item(piece, asked, 0) for asked in (request, request, other)]
        figures = metrics.judge_melodies(items)
        assert figures["control"].tolist() == [1, 1, 0] and figures["density"].tolist() == [4, 4, 4]
        assert figures["diversity"].tolist() == [1, 0, 0]
        wrong = Item(quarters(60, 61, 64, 65, 67, 65, 64, 62), request, 0)
        assert metrics.judge_melodies([wrong])["quality"].tolist() == [0]


class TestGeneration:
    @pytest.fixture(scope="class")
    def policy(self):
        model = SequenceModel(SHAPE, GRUConfig(hidden=24, embed=8, encoder=8))
        model.initialise(torch.Generator().manual_seed(0))
        return SequencePolicy(model)

    def test_an_item_depends_on_its_seed_alone(self, policy):
        requests = draw_requests(70, 1, MelodyRequest())
        together = list(generation.generate_melodies(policy, requests, range(70)))
        backwards = list(generation.generate_melodies(policy, requests[::-1], range(69, -1, -1)))
        assert [item.content for item in together] == [item.content for item in backwards[::-1]]
        assert [item.seed for item in together] == list(range(70))
        assert len({item.content.bars for item in together}) == 3

    def test_locks_are_kept_by_the_policy(self, policy):
        found, _ = asks_of(draw_requests(8, 2, MelodyRequest(bars=4, metre="4/4")))
        random = np.random.default_rng(0)
        kept = random.random(found.locked.shape) < 0.3
        line = np.where(random.random(found.locked.shape) < 0.5, HOLD, C4 + 4)
        line[:, 0] = C4
        asking.lock(found, line, kept)
        ids, _ = sample(policy.model, prompts_of(found), RowRandom(range(8)))
        locked = found.locked != asking.OPEN
        assert locked.any() and (ids.numpy()[locked] == found.locked[locked]).all()

    def test_what_stands_beside_a_policy_is_sound(self):
        requests = draw_requests(40, 3, MelodyRequest())
        for make in (baselines.random_melodies, baselines.built_melodies):
            for item in make(requests, range(40)):
                assert not list(problems(item.content))
                assert metrics.met(item.content, item.request, exact=True)
        built = metrics.judge_melodies(list(baselines.built_melodies(requests, range(40))))
        assert built["quality"].mean() > 0.3


@pytest.mark.parametrize("name", [info.name for info in TASKS if info.name.startswith("music/")])
def test_every_recipe_can_be_trained_as_it_stands(name):
    task = get_task(name)
    for recipe in task.recipes().values():
        # What a recipe starts from may be yet to be trained.
        stages = tuple(stage.model_copy(update={"inputs": {}}) for stage in recipe.stages)
        check(recipe.model_copy(update={"inputs": {}, "stages": stages}), task)


def test_every_metre_fits_the_grid():
    assert [4 * beats * 4 // unit for beats, unit in METRES] == list(BARS)
    assert TOKENS == 50
