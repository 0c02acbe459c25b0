"""Open bars of a given piece, and chords for a given melody."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_melody import SHAPE, tunes

from plaudit.domains import get_task
from plaudit.domains.music import baselines, metrics
from plaudit.domains.music.build import built
from plaudit.domains.music.files.json_file import from_table, table
from plaudit.domains.music.files.midi import write_midi
from plaudit.domains.music.generation import INFILL, generate_infills
from plaudit.domains.music.infill import InfillRequest, bars_of, check_infill, draw_infills, free_bars, stood
from plaudit.domains.music.leadsheet import judge, reward
from plaudit.domains.music.leadsheet.conditions import SHAPE as LEAD_SHAPE
from plaudit.domains.music.leadsheet.generation import generate_leads
from plaudit.domains.music.leadsheet.grid import GOES_ON, melodies_of, spread, symbols, tokens_at
from plaudit.domains.music.leadsheet.request import LeadRequest, check_lead, draw_leads
from plaudit.domains.music.leadsheet.source import LeadCorpus
from plaudit.domains.music.lines import lines_of
from plaudit.domains.music.request import MelodyRequest, draw_requests
from plaudit.domains.music.score import Chord, Note, Piece, Voice, problems
from plaudit.engine.sequence.model import GRUConfig, SequenceModel
from plaudit.engine.sequence.policy import SequencePolicy
from plaudit.errors import Infeasible, InputError
from plaudit.reward.term import Context


def policy(shape):
    model = SequenceModel(shape, GRUConfig(hidden=24, embed=8, encoder=8))
    model.initialise(torch.Generator().manual_seed(0))
    return SequencePolicy(model)


def tune(bars=8, seed=0, **fields):
    return built(draw_requests(1, seed, MelodyRequest(bars=bars, **fields))[0], seed)


def with_pickup(piece, pickup=4):
    """The piece begun with a pickup of one note."""
    note = piece.voices[0].notes[0]
    notes = [Note(0, pickup, note.pitch)]
    notes += [replace(n, start=n.start + pickup) for n in piece.voices[0].notes]
    return replace(piece, voices=(Voice("v", tuple(notes)),), steps=piece.steps + pickup, pickup=pickup)


class TestInfill:
    @pytest.mark.parametrize("text, bars", [("1", [0]), ("2-4", [1, 2, 3]), ("5, 1-2", [0, 1, 4])])
    def test_bars_are_counted_from_one(self, text, bars):
        assert free_bars(text, 8) == bars

    @pytest.mark.parametrize("text", ["0", "9", "3-2", "x", "1-", "1;2"])
    def test_bars_that_are_not_there(self, text):
        with pytest.raises(InputError, match="names no bars"):
            free_bars(text, 8)

    def test_what_stands_stays_note_for_note(self):
        piece = replace(tune(8, 3, metre="4/4"), title="mine")
        request = InfillRequest(piece=table(piece), free="3-4,7")
        for number, item in enumerate(generate_infills(policy(SHAPE), [request] * 6, range(6))):
            assert item.content.title == "mine" and not list(problems(item.content))
            assert stood(item.request, item.content) and item.seed == number
            open_notes = [n for n in item.content.voices[0].notes if n.start // 16 in (2, 3, 6)]
            before = [n for n in piece.voices[0].notes if n.start // 16 in (2, 3, 6)]
            assert open_notes != before
        figures = metrics.judge_infills([item])
        assert figures["asked_met"].tolist() == [1.0]

    def test_the_judge_sees_a_note_that_moved(self):
        piece = tune(4, 1, metre="4/4")
        request = InfillRequest(piece=table(piece), free="2")
        notes = list(piece.voices[0].notes)
        notes[0] = replace(notes[0], pitch=notes[0].pitch + 1)
        moved = replace(piece, voices=(Voice("melody", tuple(notes)),))
        assert stood(request, piece) and not stood(request, moved)

    def test_a_piece_goes_on(self):
        piece = tune(4, 5, metre="3/4")
        request = InfillRequest(piece=table(piece), more=3)
        item = next(iter(generate_infills(policy(SHAPE), [request], [1])))
        assert item.content.bars == 7 and stood(item.request, item.content)
        kept = [n for n in item.content.voices[0].notes if n.start < piece.steps]
        assert kept == list(piece.voices[0].notes)

    def test_a_pickup_and_other_voices_are_kept(self):
        piece = with_pickup(tune(4, 2, metre="4/4"))
        piece = replace(piece, voices=(piece.voices[0], Voice("bass", (Note(4, 16, 43),))))
        request = InfillRequest(piece=table(piece), free="3")
        item = next(iter(generate_infills(policy(SHAPE), [request], [1])))
        assert item.content.pickup == 4 and item.content.steps == piece.steps and bars_of(piece) == 5
        assert item.content.voices[1] == piece.voices[1] and stood(item.request, item.content)

    def test_a_file_is_read(self, tmp_path):
        piece = tune(4, 8, metre="4/4", low=60, high=79)
        write_midi(piece, tmp_path / "mine.mid", {})
        request = draw_infills(1, 0, InfillRequest(source=str(tmp_path / "mine.mid"), free="2-3"))[0]
        assert request.piece is not None and request.bars == 4 and request.key.endswith(piece.mode)
        with pytest.raises(InputError, match="cannot be read"):
            check_infill(InfillRequest(source=str(tmp_path / "other.mid")))

    def test_what_cannot_be_filled_in(self):
        wide = Piece((Voice("v", (Note(0, 8, 30), Note(8, 8, 100))),), 32)
        with pytest.raises(InputError, match="four octaves"):
            check_infill(InfillRequest(piece=table(wide), free="1"))
        with pytest.raises(InputError, match="names no bars"):
            check_infill(InfillRequest(piece=table(tune(4)), free="9"))
        with pytest.raises(InputError, match="can be written"):
            check_infill(InfillRequest(piece=table(tune(4)), more=32))
        with pytest.raises(InputError, match="format"):
            check_infill(InfillRequest(piece={"voices": []}))

    def test_what_stands_beside(self):
        requests = draw_infills(20, 1, InfillRequest())
        for make in baselines.infill_baselines().values():
            items = list(make(requests, range(20)))
            assert all(stood(item.request, item.content) for item in items)
        copied = metrics.judge_infills(items)["quality"].mean()
        random = metrics.judge_infills(list(baselines.random_infills(requests, range(20))))["quality"].mean()
        assert copied > random
        assert INFILL.draw is draw_infills


def sheet(chords, pitches=(60, 64, 67, 64, 62, 65, 69, 65)):
    notes = tuple(Note(4 * i, 4, pitch) for i, pitch in enumerate(pitches))
    return Piece((Voice("melody", notes),), 4 * len(pitches), tuple(chords))


class TestLeadsheet:
    def test_chords_to_tokens_and_back(self):
        chords = (Chord(0, 8, 9, "min7"), Chord(8, 4, 2, "7"), Chord(16, 16, 0, "maj"))
        tokens, melodies = reward.sheets_of([sheet(chords)])
        assert (tokens[0] != GOES_ON).tolist() == [True, False, True, True, True, False, False, False]
        assert symbols(tokens[0], 4, 0) == chords
        assert symbols(tokens[0], 4, 2)[0].root == 11
        assert spread(tokens)[0, 1] == tokens[0, 0] and melodies.length.tolist() == [8]

    def test_tokens_say_only_what_changes(self):
        root, kind = np.array([0, 0, 7, -1, -1]), np.array([0, 0, 4, -1, -1])
        assert (tokens_at(root, kind) == GOES_ON).tolist() == [False, True, False, False, True]

    def test_what_sounds_in_a_beat(self):
        lines = lines_of([sheet(())], [0])
        melodies = melodies_of(lines.tokens, lines.length, lines.metre, lines.mode)
        assert melodies.dwelt[0, 0].tolist() == [1.0] + [0.0] * 11 and melodies.onset[0, 1] == 4

    def score(self, name, *pieces):
        term = {term.name: term for term in reward.lead_terms()}[name]
        return term.score(list(pieces), Context(requests=[LeadRequest()] * len(pieces))).tolist()

    def test_terms_by_hand(self):
        good = sheet((Chord(0, 16, 0, "maj"), Chord(16, 16, 2, "min")))
        half = sheet((Chord(0, 16, 0, "maj"),))
        assert self.score("note_in_chord", good, half) == [1.0, 0.5]
        assert self.score("covered", good, half) == [1.0, 0.5]
        assert self.score("strong_beats", good) == [1.0] and self.score("close", good) == [0.0]
        assert self.score("chord_rhythm", good) == [1.0]
        falling = sheet((Chord(0, 16, 7, "7"), Chord(16, 16, 0, "maj")))
        assert self.score("falling_fifths", falling, good) == [1.0, 0.0]
        assert self.score("close", falling) == [1.0]
        assert self.score("chord_variety", good, good, falling) == pytest.approx([1 / 3, 1 / 3, 2 / 3])
        assert self.score("chords_apart", good, good, falling) == pytest.approx([0.25, 0.25, 0.5])
        assert self.score("chords_apart", good) == [0.0]

    def test_the_judge_agrees_with_the_term(self):
        requests = draw_leads(30, 2, LeadRequest())
        items = list(get_task("music/leadsheet").baselines()["heuristic"](requests, range(30)))
        batch, context = get_task("music/leadsheet").batch(items)
        term = {term.name: term for term in reward.lead_terms()}["note_in_chord"]
        assert term.score(batch, context) == pytest.approx(judge.judge_leads(items)["note_in_chord"])
        assert judge.judge_leads(items)["quality"].mean() > 0.5

    def test_an_item_depends_on_its_seed_alone_and_keeps_its_melody(self):
        requests = draw_leads(10, 1, LeadRequest())
        together = list(generate_leads(policy(LEAD_SHAPE), requests, range(10)))
        alone = list(generate_leads(policy(LEAD_SHAPE), requests[4:5], [4]))
        assert together[4].content == alone[0].content
        assert all(judge.untouched(item.content, item.request) for item in together)
        assert not [p for item in together for p in problems(item.content)]

    def test_a_melody_for_chords(self):
        chords = tuple(Chord(16 * bar, 16, root, "maj") for bar, root in enumerate((0, 5, 7, 0)))
        bass = Voice("bass", (Note(0, 64, 48),))
        given = Piece((Voice("melody", ()), bass), 64, chords)
        asked = [LeadRequest(piece=table(given), write="melody"), *draw_leads(2, 3, LeadRequest())]
        items = list(generate_leads(policy(LEAD_SHAPE), asked, range(3)))
        assert items[0].content.chords == chords and items[0].content.voices[1] == bass
        assert len(items[0].content.voices[0].notes) > 4
        assert judge.judge_leads(items)["note_in_chord"][0] > 0.5
        assert judge.untouched(items[0].content, items[0].request)
        assert not judge.untouched(replace(items[0].content, chords=()), items[0].request)
        assert items[1].content.voices == from_table(asked[1].piece, "").voices
        drawn = next(iter(generate_leads(policy(LEAD_SHAPE), [LeadRequest(write="melody")], [5])))
        assert drawn.content.chords and drawn.content.voices[0].notes
        with pytest.raises(InputError, match="no chord symbols"):
            check_lead(LeadRequest(piece=table(replace(given, chords=())), write="melody"))

    def test_a_pickup_keeps_its_place(self):
        piece = with_pickup(tune(4, 2, metre="4/4"))
        item = next(iter(generate_leads(policy(LEAD_SHAPE), [LeadRequest(piece=table(piece))], [3])))
        assert item.content.voices == piece.voices and not list(problems(item.content))
        starts = {(chord.start - 4) % 16 for chord in item.content.chords if chord.start}
        assert starts <= {0, 4, 8, 12}

    def test_what_cannot_be_harmonised(self):
        with pytest.raises(InputError, match="0 notes"):
            check_lead(LeadRequest(piece=table(Piece((Voice("v", ()),), 16))))
        with pytest.raises(Infeasible, match="nearest is 4"):
            check_lead(LeadRequest(target={"chords_per_bar": 9}))

    def test_a_book_without_symbols_teaches_what_it_implies(self):
        corpus = LeadCorpus(tunes(), "train")
        prompts, tokens = corpus.batch(8, np.random.default_rng(0))
        assert corpus.implied and bool((tokens[:, 0] != GOES_ON).all())
        taken = prompts.mask.gather(2, tokens[..., None])[..., 0]
        assert bool(taken[prompts.valid].all())
