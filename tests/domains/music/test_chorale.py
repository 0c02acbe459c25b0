"""Chorales as arrays, the corpus, what is asked, what stands, and how four voices come about."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from plaudit.domains.music.asks import OPEN
from plaudit.domains.music.chorale import asks as asking
from plaudit.domains.music.chorale import baselines, data, env, fermatas, generation, grid, metrics
from plaudit.domains.music.chorale.conditions import FEATURES, SHAPE, prompts_of
from plaudit.domains.music.chorale.harmonise import harmonised
from plaudit.domains.music.chorale.recipes import CHORALE_REWARD
from plaudit.domains.music.chorale.request import (
    ChoraleRequest,
    check_chorale,
    chorale_asks,
    draw_chorales,
    finished,
    stood,
)
from plaudit.domains.music.chorale.reward import chorale_terms
from plaudit.domains.music.chorale.source import MOST_STEPS, BachCorpus
from plaudit.domains.music.chorale.strict import narrowed
from plaudit.domains.music.files.json_file import table
from plaudit.domains.music.files.musicxml import write_musicxml
from plaudit.domains.music.score import Note, Piece, Voice, problems
from plaudit.engine.random import RowRandom
from plaudit.engine.sequence.decode import sample
from plaudit.engine.sequence.model import GRUConfig, SequenceModel
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import Infeasible, InputError
from plaudit.media import cache
from plaudit.reward.compose import Composition
from plaudit.runs.recipe import RewardEntry


def piece_of(seed=0, bars=6, pickup=4, metre=(4, 4), tonic=2):
    """Four voices in quarters, halves and pairs of eighths, with some rests, from a pickup on."""
    rng = np.random.default_rng(seed)
    voices, steps = [], bars * 16
    for name, middle in zip(grid.VOICES, (70, 64, 57, 50), strict=True):
        notes, start = [], 0
        while start < steps:
            length = int(rng.choice((2, 4, 4, 8)))
            length = min(length, steps - start)
            if rng.random() > 0.05 or not start:
                notes.append(Note(start, length, middle + int(rng.integers(-4, 5))))
            start += length
        voices.append(Voice(name.capitalize(), tuple(notes)))
    return Piece(tuple(voices), steps, (), metre, tonic, "major", 84.0, pickup)


def plain(beats=16):
    """Four voices in quarters: no note is tied over a bar line."""
    voices = [
        Voice(name.capitalize(), tuple(Note(4 * t, 4, middle + t % 5) for t in range(beats)))
        for name, middle in zip(grid.VOICES, (70, 64, 57, 50), strict=True)
    ]
    return Piece(tuple(voices), 4 * beats, (), (4, 4), 0, "major", 84.0, 4)


def corpus(count=20):
    """A small corpus of such pieces, phrases of two bars."""
    pieces = [piece_of(seed, tonic=seed % 12) for seed in range(count)]
    ends = [[n.start for n in p.voices[0].notes if n.end % 32 == 0] for p in pieces]
    split = np.array([0, 0, 0, 1, 2] * (count // 5))
    return data.Bach(grid.chorales_of(pieces, ends, 1), split, [f"piece {i}" for i in range(count)])


def ask(piece, **fields):
    return draw_chorales(1, 0, ChoraleRequest(soprano=table(piece), **fields))[0]


@pytest.fixture(scope="module")
def policy():
    model = SequenceModel(SHAPE, GRUConfig(hidden=24, embed=8, encoder=8))
    model.initialise(torch.Generator().manual_seed(0))
    return SequencePolicy(model)


class TestGrid:
    def test_pieces_and_back(self):
        pieces = [piece_of(seed, tonic=seed) for seed in range(12)]
        made = grid.chorales_of(pieces, [[]] * 12)
        assert list(made) == pieces and made[2:4] == pieces[2:4] and made[-1] == pieces[-1]

    def test_tokens_and_back_in_the_order_of_writing(self):
        made = grid.chorales_of([piece_of(1)], [[]])
        tokens = grid.tokens_of(made.pitch, made.begins)
        line = grid.interleaved(tokens)
        assert line[0, :4].tolist() == [tokens[0, v, 0] for v in (0, 3, 1, 2)]
        assert (grid.by_voice(line) == tokens).all()
        pitch, begins = grid.sounds_of(tokens)
        assert (pitch == made.pitch).all() and (begins == made.begins).all()

    def test_a_note_that_goes_on_from_another_begins_anew(self):
        go, new = grid.GOES_ON + 30, grid.FIRST + 30
        pitch, begins = grid.sounds_of(np.array([new, go, go + 1, go + 1, 0, go]))
        assert pitch.tolist() == [60, 60, 61, 61, grid.SILENT, 60]
        assert begins.tolist() == [True, False, True, False, False, True]
        with pytest.raises(ValueError, match="do not fit"):
            grid.tokens_of(np.array([95]), np.array([True]))

    def test_a_sixteenth_between_two_eighths_is_lost_and_a_longer_note_moved(self):
        pitch, begins = grid.voice_of([Note(0, 3, 60), Note(3, 1, 62), Note(4, 1, 64), Note(5, 3, 65)], 4, 0)
        assert pitch.tolist() == [60, 60, 64, 65] and begins.tolist() == [True, False, True, True]

    def test_other_than_four_voices_are_refused(self):
        with pytest.raises(ValueError, match="four voices"):
            grid.chorales_of([replace(piece_of(), voices=piece_of().voices[:3])], [[]])


class TestCorpus:
    def test_the_cache_gives_back_what_was_read(self, tmp_path):
        bach = corpus()
        cache.keep(tmp_path / "sub" / "bach.npz", bach.name, data._arrays(bach))
        again = data._bach(cache.kept(tmp_path / "sub" / "bach.npz"))
        assert again.name == bach.name and (again.split == bach.split).all()
        assert list(again.chorales) == list(bach.chorales)
        assert [again.ends(i) for i in range(len(again))] == [bach.ends(i) for i in range(len(bach))]
        (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 no")
        assert data._bach(cache.kept(tmp_path / "bad.npz")) is None

    def test_settings_of_one_melody_share_a_split(self):
        pieces = [piece_of(seed) for seed in range(30)]
        other = [replace(p.transposed(5), voices=(p.voices[0], *piece_of(99).voices[1:])) for p in pieces]
        # The same melody in other keys, over other voices, under names that alone would part them.
        moved = [
            replace(o, voices=(p.transposed(3).voices[0], *o.voices[1:]))
            for o, p in zip(other, pieces, strict=True)
        ]
        split = data.splits_of([*pieces, *moved], [f"bwv{i}" for i in range(60)])
        assert (split[:30] == split[30:]).all() and len(set(split.tolist())) == 3
        alone = data.splits_of(moved, [f"bwv{i}" for i in range(30, 60)])
        assert (alone != split[30:]).any()

    def test_only_four_voices_are_taken(self):
        piece = piece_of()
        horn = replace(piece, voices=(*piece.voices, Voice("Horn", piece.voices[0].notes)))
        assert data.four_voices(horn).voices == piece.voices
        assert data.four_voices(replace(piece, voices=piece.voices[:3])) is None
        assert data.four_voices(piece_of(bars=60)) is None

    def test_fermatas_are_read_at_their_notes(self, tmp_path):
        path = tmp_path / "a.musicxml"
        piece = plain()
        write_musicxml(piece, path, {})
        text = path.read_text()
        assert fermatas.fermatas(path) == []
        part = text.index("<part id")
        wanted = [piece.voices[0].notes[k].start for k in (2, 5)]
        for k in (5, 2):
            place = part
            for _ in range(k + 1):
                place = _next_note(text, place)
            close = text.index("</note>", place)
            text = f"{text[:close]}<notations><fermata/></notations>{text[close:]}"
        path.write_text(text)
        assert fermatas.fermatas(path, "Soprano") == wanted
        path.write_text("<score-partwise>")
        with pytest.raises(InputError, match="MusicXML"):
            fermatas.fermatas(path)

    def test_phrase_ends_are_guessed_from_long_notes(self):
        rhythm = (4, 4, 4, 4, 4, 4, 8)
        notes, start = [], 0
        for length in rhythm * 3:
            notes.append(Note(start, length, 70))
            start += length
        piece = Piece((Voice("Soprano", tuple(notes)),), start, (), (4, 4), 0, "major", pickup=4)
        assert fermatas.guessed_ends(piece) == [24, 56, 88]
        assert fermatas.guessed_ends(replace(piece, voices=())) == []

    def test_what_is_learned_is_allowed(self):
        learned = BachCorpus(corpus(), "train")
        for seed in range(6):
            prompts, ids = learned.batch(24, np.random.default_rng(seed))
            taken = prompts.mask.gather(2, ids[..., None])[..., 0]
            assert bool(taken.all()) and prompts.cond.shape[2] == FEATURES
            assert int(prompts.length.max()) <= 4 * MOST_STEPS
            assert bool((prompts.mask[~prompts.valid].sum(1) == 1).all())

    def test_splits_do_not_meet(self):
        bach = corpus()
        own = [set(bach.of(split)) for split in data.SPLITS]
        assert not own[0] & own[1] and not own[0] & own[2] and sum(map(len, own)) == len(bach)
        with pytest.raises(InputError, match="no chorale"):
            BachCorpus(replace(bach, split=np.ones(len(bach), int)), "train")


def _next_note(text, place):
    """Where the next note begins that is no rest."""
    while True:
        place = text.index("<note", place + 1)
        if "<rest" not in text[place : text.index("</note>", place)]:
            return place


class TestRequests:
    def test_drawn_requests_are_complete_and_keep_what_is_given(self):
        drawn = draw_chorales(20, 3, ChoraleRequest(key="Dm", phrases=3))
        for request in drawn:
            check_chorale(request)
            (voice,) = (soprano := given_piece(request)).voices
            assert (soprano.tonic, soprano.mode, soprano.bars) == (2, "minor", 6)
            assert not list(problems(soprano)) and 62 <= min(n.pitch for n in voice.notes)
            assert max(n.pitch for n in voice.notes) <= 76 and voice.notes[-1].pitch % 12 == 2
            assert len(request.ends) == 3 and 1.0 <= request.target["movement"] <= 1.4
        assert len({str(request.soprano) for request in drawn}) == 20
        again = draw_chorales(1, 9, drawn[0])[0]
        assert again == drawn[0]

    @pytest.mark.parametrize(
        "fields, words",
        [({"keep": "soprano,horn"}, "horn"), ({"key": "H"}, "a key is"), ({"phrases": 1}, "greater")],
    )
    def test_what_cannot_be_is_refused(self, fields, words):
        with pytest.raises(ValueError, match=words):
            ChoraleRequest(**fields)

    def test_what_cannot_be_met_is_named(self):
        piece = piece_of()
        alone = table(replace(piece, voices=piece.voices[:1]))
        with pytest.raises(InputError, match="motion_speed"):
            check_chorale(ChoraleRequest(target={"motion_speed": 1}))
        with pytest.raises(Infeasible, match="nearest is movement=2"):
            check_chorale(ChoraleRequest(target={"movement": 5}))
        with pytest.raises(InputError, match="takes all four"):
            check_chorale(ChoraleRequest(soprano=alone, keep="soprano,bass"))
        with pytest.raises(InputError, match="no piece"):
            check_chorale(ChoraleRequest(free="1-2"))
        with pytest.raises(InputError, match="names no bars"):
            check_chorale(ChoraleRequest(soprano=table(piece), free="9"))
        with pytest.raises(InputError, match="by octaves"):
            check_chorale(ChoraleRequest(soprano=table(piece.transposed(-17))))
        with pytest.raises(InputError, match="at most 64"):
            check_chorale(ChoraleRequest(soprano=table(piece_of(bars=70))))

    def test_a_file_brings_soprano_and_fermatas(self, tmp_path):
        path = tmp_path / "mine.musicxml"
        write_musicxml(plain(), path, {})
        text = path.read_text()
        close = text.index("</note>", _next_note(text, _next_note(text, text.index("<part id"))))
        path.write_text(f"{text[:close]}<notations><fermata/></notations>{text[close:]}")
        request = draw_chorales(1, 0, ChoraleRequest(source=str(path)))[0]
        assert given_piece(request).voices == plain().voices
        assert request.ends == (4,)

    def test_features_tell_of_what_stands(self):
        request = draw_chorales(1, 0, ChoraleRequest())[0]
        with_line = prompts_of(chorale_asks([request]))
        without = prompts_of(chorale_asks([request.model_copy(update={"keep": ""})]))
        assert with_line.cond.shape[2] == FEATURES == SHAPE.features
        assert bool((with_line.mask.sum(2)[:, ::4] == 1).all()) and bool((without.mask.sum(2) > 1).all())
        assert not torch.equal(with_line.cond, without.cond)
        ends = [end // 2 for end in request.ends]
        assert (
            asking.chorales_from(
                chorale_asks([request]), grid.by_voice(with_line.mask.int().argmax(2).numpy())
            )
            .ends[0]
            .nonzero()[0]
            .tolist()
            == ends
        )


def given_piece(request):
    from plaudit.domains.music.chorale.request import piece_of as given

    return given(request)


class TestLocks:
    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"keep": "soprano,bass"},
            {"keep": ""},
            {"keep": "tenor"},
            {"free": "3-4"},
            {"keep": "", "free": "1,6"},
        ],
    )
    def test_what_stands_is_there_note_for_note(self, policy, fields):
        requests = [ask(piece_of(seed), **fields) for seed in range(3)]
        makers = {
            "policy": lambda r, s: generation.generate_chorales(policy, r, s),
            "random": baselines.random_chorales,
            "heuristic": baselines.built_chorales,
        }
        for name, make in makers.items():
            for item in make(requests, [5, 6, 7]):
                before, after = given_piece(item.request), item.content
                assert not list(problems(after)) and after.steps == before.steps, name
                assert stood(item.request, after), name
                kept = item.request.keep.split(",")
                for v, voice in enumerate(grid.VOICES):
                    if voice in kept:
                        assert after.voices[v].notes == before.voices[v].notes, (name, voice)
                    else:
                        assert after.voices[v].notes != before.voices[v].notes, (name, voice)

    def test_sixteenths_of_a_given_soprano_survive(self, policy):
        piece = piece_of()
        notes = (Note(0, 3, 70), Note(3, 1, 71), Note(4, 4, 72), Note(9, 3, 74), Note(13, 82, 71))
        given = replace(piece, voices=(Voice("Mine", notes),), steps=95)
        item = next(iter(generation.generate_chorales(policy, [ask(given)], [1])))
        assert item.content.voices[0].notes == notes and item.content.steps == 95
        assert not list(problems(item.content)) and len(item.content.voices) == 4

    def test_any_mask_of_voices_and_times(self, policy):
        found = chorale_asks([ask(piece_of(seed), keep="") for seed in range(4)])
        made = grid.chorales_of([piece_of(seed) for seed in range(4)], [[]] * 4)
        where = np.random.default_rng(0).random(made.pitch.shape) < 0.3
        asking.lock(found, made.pitch, made.begins, where)
        locked = found.locked != OPEN
        assert (locked >= where).all() and not locked.all()
        ids, _ = sample(policy.model, prompts_of(found), RowRandom(range(4)))
        written = asking.chorales_from(found, grid.by_voice(ids.numpy()))
        # What stands sounds and begins as it did, and no note that stands goes on beyond its end.
        assert (written.pitch[locked] == made.pitch[locked]).all()
        assert (written.begins[locked] == made.begins[locked]).all()
        row, voice, step = np.nonzero(locked[..., :-1] & ~locked[..., 1:])
        sounding = made.pitch[row, voice, step]
        at = 4 * (step + 1) + np.argsort(grid.ORDER)[voice]
        goes_on = prompts_of(found).mask.numpy()[row, at, sounding - grid.LOWEST + grid.GOES_ON]
        assert len(row) > 50 and not goes_on[sounding != grid.SILENT].any()

    def test_a_changed_note_is_noticed(self):
        request = ask(piece_of(), keep="soprano,alto")
        piece = piece_of()
        first, *rest = piece.voices[1].notes
        wrong = Voice("Alto", (replace(first, pitch=first.pitch + 1), *rest))
        changed = replace(piece, voices=(piece.voices[0], wrong, *piece.voices[2:]))
        assert stood(request, piece) and not stood(request, changed)
        assert finished(request, changed).voices[1].notes == piece.voices[1].notes


class TestGeneration:
    def test_an_item_depends_on_its_seed_alone(self, policy):
        requests = draw_chorales(40, 1, ChoraleRequest(phrases=2))
        requests += draw_chorales(3, 2, ChoraleRequest(phrases=3))
        seeds = list(range(43))
        makers = (lambda r, s: generation.generate_chorales(policy, r, s), baselines.random_chorales)
        for make in makers:
            together = list(make(requests, seeds))
            backwards = list(make(requests[::-1], seeds[::-1]))
            assert [item.content for item in together] == [item.content for item in backwards[::-1]]
            assert [item.seed for item in together] == seeds
            assert len({str(item.content.voices[1:]) for item in together}) == 43

    def test_ranges_hold(self, policy):
        requests = draw_chorales(12, 4, ChoraleRequest(phrases=2, keep=""))
        for item in generation.generate_chorales(policy, requests, range(12)):
            for voice, (low, high) in zip(item.content.voices, grid.RANGES, strict=True):
                assert low <= min(n.pitch for n in voice.notes) <= max(n.pitch for n in voice.notes) <= high

    def test_a_policy_of_another_kind_is_refused(self):
        model = SequenceModel(replace(SHAPE, features=3), GRUConfig(hidden=4, embed=4, encoder=4))
        with pytest.raises(InputError, match="does not write chorales"):
            next(iter(generation.generate_chorales(SequencePolicy(model), [ChoraleRequest()], [0])))

    def test_tuning_scores_what_was_written(self):
        entries = tuple(RewardEntry(term=name, weight=weight) for name, weight in CHORALE_REWARD.items())
        weighing = Composition(entries, chorale_terms(), 0.0)
        source = env.ChoraleSource(weighing, ChoraleRequest(), BachCorpus(corpus()))
        kinds = set()
        for seed in range(4):
            prompts = source.draw(3, np.random.default_rng(seed))
            kinds.add(source.requests[0].soprano is None)
            ids = prompts.mask.int().argmax(2).repeat_interleave(2, 0)
            columns = source.score(prompts, ids)
            assert columns.shape == (6, len(entries)) and np.isfinite(columns).all()
            assert bool((prompts.mask.sum(2)[:, ::4] == 1).all())
        assert kinds == {True, False}


class TestStrict:
    def test_no_parallel_and_no_crossing_is_written(self, policy):
        requests = draw_chorales(12, 5, ChoraleRequest(phrases=2))
        loose = [request.model_copy(update={"strict": False}) for request in requests]
        found, free = (
            metrics.judge_chorales(list(generation.generate_chorales(policy, asked, range(12))))
            for asked in (requests, loose)
        )
        assert found["parallels"].max() == 0 and found["kept"].all()
        assert found["crossed"].mean() < 0.02 and free["crossed"].mean() > 0.2
        assert free["parallels"].mean() > 0.5

    def test_voices_that_are_locked_ahead_count(self):
        def token(pitch):
            return grid.FIRST + pitch - grid.LOWEST

        # Soprano, bass, alto, tenor: the tenor goes from 55 to 57, a fifth over a bass from 48 to 50.
        ids = np.array([[token(71), token(48), token(64), token(55), token(69), 0, 0, 0]])
        known = np.full(ids.shape, -2)
        known[0, 4], known[0, 7] = token(69), token(57)
        mask = np.zeros((1, grid.TOKENS), bool)
        mask[0, [token(50), token(47), token(48), token(58)]] = True
        left = np.flatnonzero(narrowed(ids, known, mask, 5)[0]).tolist()
        # Neither the fifth with the tenor nor a bass above it.
        assert left == [token(47), token(48)]
        mask[0, [token(47), token(48)]] = False
        assert np.flatnonzero(narrowed(ids, known, mask, 5)[0]).tolist() == [token(58)]
        mask[0, token(58)] = False
        assert np.flatnonzero(narrowed(ids, known, mask, 5)[0]).tolist() == [token(50)]

    def test_parallels_cannot_be_asked_for(self):
        with pytest.raises(Infeasible, match="nearest is parallels=0"):
            check_chorale(ChoraleRequest(target={"parallels": 2}))
        check_chorale(ChoraleRequest(target={"parallels": 2}, strict=False))


class TestHeuristic:
    def test_it_is_sound(self):
        requests = draw_chorales(8, 7, ChoraleRequest())
        items = list(baselines.built_chorales(requests, range(8)))
        assert not [problem for item in items for problem in problems(item.content)]
        figures = metrics.judge_chorales(items)
        assert figures["quality"].mean() >= 0.9 and figures["kept"].all()
        assert figures["cadences"].mean() >= 0.9 and figures["chords_known"].mean() >= 0.9
        assert figures["out_of_range"].max() == 0 and np.abs(figures["movement"] - 1.2).max() < 0.4
        assert figures["diversity"].mean() > 0.8

    def test_seeds_give_different_harmonies(self):
        request = draw_chorales(1, 7, ChoraleRequest(phrases=2))[0]
        one, two = baselines.built_chorales([request] * 2, [1, 2])
        assert one.content.voices[0] == two.content.voices[0] and one.content != two.content

    def test_a_plain_cadence(self):
        notes = tuple(Note(4 * t, 4 if t < 3 else 8, pitch) for t, pitch in enumerate((76, 74, 74, 72)))
        soprano = Piece((Voice("Soprano", notes),), 20, (), (4, 4), 0, "major", pickup=4)
        found = chorale_asks([ask(soprano, ends=(12,))])
        for seed in range(5):
            pitch, begins = harmonised(found, 0, np.random.default_rng(seed))
            assert pitch[3, -1] % 12 == 0 and {p % 12 for p in pitch[:, -1].tolist()} <= {0, 4, 7}
            # The dominant stands before it, and one chord under the long note.
            assert {7, 2} <= {p % 12 for p in pitch[:, 4].tolist()} and not begins[:, 7:].any()
