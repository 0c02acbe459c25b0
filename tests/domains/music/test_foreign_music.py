"""Music from elsewhere: what each reader takes, what it passes over, and that it says so."""

import re
from pathlib import Path

import pytest

from plaudit.domains.music.files.abc import read_abc, read_abc_tunes
from plaudit.domains.music.files.abc_reader import sketch_of
from plaudit.domains.music.files.midi import read_midi
from plaudit.domains.music.files.musicxml import read_musicxml, write_musicxml
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.errors import InputError

OPENEWLD = Path(__file__).parents[3].parent / "shared/data/openewld"


def abc(tmp_path, music, head="M:4/4\nL:1/16\nK:C"):
    path = tmp_path / "tune.abc"
    path.write_text(f"X:1\nT:Tune\n{head}\n{music}\n")
    return read_abc(path)


def pitches(tmp_path, music, key="C"):
    return [n.pitch for n in abc(tmp_path, music, f"M:4/4\nL:1/4\nK:{key}")[0].notes]


def starts(tmp_path, music, head="M:4/4\nL:1/4\nK:C"):
    piece = abc(tmp_path, music, head)[0]
    return [(n.start, n.length) for n in piece.notes]


def test_abc_accidentals_last_to_the_bar_line_in_their_octave(tmp_path):
    assert pitches(tmp_path, "^F F f F|F =F _B, ^^C __D|") == [66, 66, 77, 66, 65, 65, 58, 62, 60]
    assert pitches(tmp_path, "^F2-F2|F F ^G2-|G G|") == [66, 65, 65, 68, 67]
    assert pitches(tmp_path, "c c' C, F|[K:D]F C|\nK:Gm\nB|", key="C") == [72, 84, 48, 65, 66, 61, 70]
    assert pitches(tmp_path, "C F|", key="D exp ^f =c _b") == [60, 66]


@pytest.mark.parametrize(
    ("key", "tonic", "mode"),
    [
        ("G", 7, "major"),
        ("F#m", 6, "minor"),
        ("Ddor", 2, "dorian"),
        ("E Phrygian", 4, "phrygian"),
        ("Bb lydian", 10, "lydian"),
        ("A MIX", 9, "mixolydian"),
        ("Aaeo", 9, "minor"),
        ("C ionian", 0, "major"),
        ("HP", 9, "mixolydian"),
    ],
)
def test_abc_keys(key, tonic, mode, tmp_path):
    piece, about = abc(tmp_path, "CDEF|", f"M:4/4\nL:1/4\nK:{key}")
    assert (piece.tonic, piece.mode, about) == (tonic, mode, {})


def test_abc_lengths_ties_broken_rhythm_and_tuplets(tmp_path):
    assert starts(tmp_path, "C/ C// C3/2 C//|") == [(0, 2), (2, 1), (3, 6), (9, 1)]
    assert starts(tmp_path, "C>D E<F|C>>D z2|") == [(0, 6), (6, 2), (8, 2), (10, 6), (16, 7), (23, 1)]
    assert starts(tmp_path, "C2-|C2-C z|C-D|") == [(0, 20), (24, 4), (28, 4)]
    assert starts(tmp_path, "(3CDE (2FG z|") == [(0, 3), (3, 2), (5, 3), (8, 6), (14, 6)]
    assert starts(tmp_path, "(3:2:2C2D z2|") == [(0, 5), (5, 3)]
    assert starts(tmp_path, "(5CDEFG", "M:6/8\nL:1/8\nK:C")[-1] == (5, 1)
    assert starts(tmp_path, "(5CDEFG", "M:2/4\nL:1/8\nK:C")[-1] == (3, 1)
    assert starts(tmp_path, "CDEF|Z2|C x y C|") == [(0, 4), (4, 4), (8, 4), (12, 4), (48, 4), (56, 4)]
    assert starts(tmp_path, "CD", "M:2/4\nK:C") == [(0, 1), (1, 1)]
    assert starts(tmp_path, "CD", "K:C") == [(0, 2), (2, 2)]


def test_abc_passes_over_what_does_not_sound(tmp_path):
    music = (
        '"Am7"!trill!~C4 {fg}(D4 "^above"E4 .F4)|[CEG]8 [L:1/8][C2E2]2 & G8|"x"C8:|\nw: la la\n%%midi c\n+5+C'
    )
    piece, about = abc(tmp_path, music)
    assert [n.pitch for n in piece.notes] == [60, 62, 64, 65, 67, 64, 60, 60]
    assert piece.chords == (Chord(0, 50, 9, "min7"),)
    assert about["skipped"] == [
        "Chord symbols that name no chord, dropped: 1.",
        "Second layers of a voice (&), dropped: 1.",
        "Notes that sound with another or within the same sixteenth, dropped: 3.",
    ]


def test_abc_bars_voices_and_pickups(tmp_path):
    piece, _ = abc(tmp_path, "G4|:C16|1 D16:|2 E12||\n")
    assert (piece.pickup, piece.steps, len(piece.notes)) == (4, 48, 4)
    both = "[V:1]c16|[V:2]C16|\n[V:1]d16|\n[V:2]D16|"
    piece, _ = abc(tmp_path, both, 'M:4/4\nL:1/16\nV:2 name="Low"\nV:1 nm="High"\nK:C')
    assert piece.voices == (
        Voice("High", (Note(0, 16, 72), Note(16, 16, 74))),
        Voice("Low", (Note(0, 16, 60), Note(16, 16, 62))),
    )


def test_abc_tempos_and_metres(tmp_path):
    for text, tempo in (("1/4=90", 90.0), ('"Slow" 3/8=40', 60.0), ("120", 60.0), ("fast", 120.0)):
        assert abc(tmp_path, "C", f"M:C|\nL:1/8\nQ:{text}\nK:C")[0].tempo == tempo
    piece, about = abc(tmp_path, "CDE|[M:3/4]C|[Q:1/4=99]C", "M:12/8\nQ:1/4=60\nK:C")
    assert (piece.metre, piece.tempo) == ((6, 8), 60.0)
    assert "Changes of metre, dropped for the first: 1." in about["skipped"]
    assert "Changes of tempo, dropped for the first: 1." in about["skipped"]
    with pytest.raises(InputError, match=r"tune.abc, line 3: its metre is 9/8"):
        abc(tmp_path, "C", "M:9/8\nK:C")


def test_abc_collections_give_reasons_for_what_they_leave_out(tmp_path):
    path = tmp_path / "tunes.abc"
    tune = "X:{}\nT:T{}\nM:{}\nK:D\nDEFG|\n\n"
    path.write_bytes("% é\n".encode("latin-1") + "".join(
        tune.format(n, n, metre) for n, metre in enumerate(("4/4", "5/4", "6/8"))
    ).encode())  # fmt: skip
    tunes, reasons = read_abc_tunes(path)
    assert [piece.title for piece, _ in tunes] == ["T0", "T2"]
    assert len(reasons) == 1
    assert "tune 2, line 3: its metre is 5/4" in reasons[0]
    assert read_abc(path)[0].title == "T0"


def music21_notes(text):
    """Start in sixteenths and pitch of every note, tied ones once, as music21 reads a tune."""
    from music21 import converter

    # Without these lines music21 lets no accidental last to the bar line.
    score = converter.parseData("%abc-2.1\n%%propagate-accidentals octave\n" + text, format="abc")
    found, going = [], {}
    for note in score.parts[0].flatten().notes:
        if "ChordSymbol" in note.classes or note.duration.isGrace:
            continue
        on = {}
        for pitch in note.pitches:
            if not (note.tie and note.tie.type != "start" and going.get(pitch.midi) == note.offset):
                found.append((round(float(note.offset) * 4, 3), pitch.midi))
            if note.tie and note.tie.type != "stop":
                on[pitch.midi] = note.offset + note.quarterLength
        going = on
    return sorted(found)


def corpus_tunes(count):
    """Tunes of Ryan's Mammoth Collection without what music21 misreads: broken rhythm beside a decoration,
    and the "=20" that some mail program left."""
    music21 = pytest.importorskip("music21")
    folder = Path(music21.__file__).parent / "corpus" / "ryansMammoth"
    if not folder.is_dir():
        pytest.skip("this music21 comes without its corpus")
    texts = (path.read_text("latin-1") for path in sorted(folder.glob("*.abc")))
    odd = re.compile(r"[<>][^A-Ga-gxz^_=<>]|\">|=20|M: *[39]/")
    return [text for text in texts if not odd.search(text)][:count]


def test_the_abc_reader_agrees_with_music21_on_corpus_tunes():
    tunes = corpus_tunes(40)
    assert len(tunes) == 40
    for text in tunes:
        ours = [(round(float(s.start), 3), s.pitch) for _, part in sketch_of(text, "x").parts for s in part]
        assert sorted(ours) == music21_notes(text), text


def midi(tmp_path, change):
    """A foreign file: a C major scale in quarters, changed by `change(symusic, score)`."""
    symusic = pytest.importorskip("symusic")
    score = symusic.Score(96)
    track = symusic.Track("Piano", 0, False)
    for at, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72)):
        track.notes.append(symusic.Note(96 * at, 96, pitch, 90))
    score.tracks.append(track)
    change(symusic, score)
    path = tmp_path / "foreign.mid"
    path.write_bytes(score.dumps_midi())
    return read_midi(path)


def test_midi_without_metre_and_key(tmp_path):
    piece, about = midi(tmp_path, lambda symusic, score: None)
    assert (piece.metre, piece.tonic, piece.mode, piece.steps, piece.tempo) == ((4, 4), 0, "major", 32, 120.0)
    assert about["skipped"] == [
        "The metre is not told; it was read as 4/4.",
        "The key is not told; it was guessed from the notes.",
    ]


def test_midi_percussion_is_skipped_and_alone_refused(tmp_path):
    def drums(symusic, score):
        track = symusic.Track("Drums", 0, True)
        track.notes.append(symusic.Note(0, 96, 36, 90))
        score.tracks.append(track)

    def alone(symusic, score):
        drums(symusic, score)
        score.tracks.pop(0)

    piece, about = midi(tmp_path, drums)
    assert len(piece.voices) == 1
    assert "Tracks of percussion, skipped: 1." in about["skipped"]
    with pytest.raises(InputError, match="no notes with a pitch"):
        midi(tmp_path, alone)


def test_midi_markers_are_chords_only_where_all_are(tmp_path):
    def marked(*texts):
        def change(symusic, score):
            for at, text in enumerate(texts):
                score.markers.append(symusic.TextMeta(96 * at, text))

        return midi(tmp_path, change)

    assert marked("C", "Am7")[0].chords == (Chord(0, 4, 0, "maj"), Chord(4, 28, 9, "min7"))
    for texts in (("A", "B"), ("Am7", "Chorus")):
        piece, about = marked(*texts)
        assert piece.chords == ()
        assert "Markers that are no chord symbols, dropped: 2." in about["skipped"]


def test_midi_metres(tmp_path):
    def metred(*metres):
        def change(symusic, score):
            for at, beats, unit in metres:
                score.time_signatures.append(symusic.TimeSignature(at, beats, unit))

        return midi(tmp_path, change)

    piece, about = metred((0, 1, 4), (96, 3, 4))
    assert (piece.metre, piece.pickup, piece.steps) == ((3, 4), 4, 40)
    assert len(about["skipped"]) == 1
    piece, about = metred((0, 4, 4), (384, 3, 4))
    assert (piece.metre, piece.pickup) == ((4, 4), 0)
    assert "Changes of metre, dropped for 4/4: 1." in about["skipped"]
    with pytest.raises(InputError, match=r"foreign.mid, sixteenth 0: its metre is 5/8"):
        metred((0, 5, 8))


def rewritten(tmp_path, *changes):
    """A MusicXML file of ours with its text changed, so that it is one of somebody else."""
    path = tmp_path / "foreign.musicxml"
    piece = Piece((Voice("Tune", (Note(0, 16, 60), Note(16, 16, 62))),), 32, (Chord(0, 32, 9, "min7"),))
    write_musicxml(piece, path, {})
    text = re.sub(r"<miscellaneous>.*?</miscellaneous>", "", path.read_text())
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text)
    return read_musicxml(path)


def test_musicxml_of_others(tmp_path):
    assert rewritten(tmp_path)[1] == {}
    piece, about = rewritten(tmp_path, ("<mode>major</mode>", ""))
    assert (piece.tonic, piece.mode, len(about["skipped"])) == (0, "major", 1)
    kind = "<kind>minor-seventh</kind>"
    degree = "<degree><degree-value>5</degree-value><degree-alter>-1</degree-alter>"
    lowered = f"{kind}{degree}<degree-type>alter</degree-type></degree>"
    assert rewritten(tmp_path, (kind, lowered))[0].chords == (Chord(0, 32, 9, "hdim7"),)
    assert rewritten(tmp_path, (kind, "<kind>dominant-13th</kind>"))[0].chords == (Chord(0, 32, 9, "7"),)
    with pytest.raises(InputError, match=r"foreign.musicxml, measure 1: its metre is 3/8"):
        rewritten(tmp_path, ("<beats>4", "<beats>3"), ("<beat-type>4", "<beat-type>8"))


def test_musicxml_voices_of_a_staff_chords_and_grace_notes(tmp_path):
    begin, lasts = "<note><pitch><step>C</step><octave>4</octave></pitch>", "<duration>40320</duration>"
    grace = "<note><grace/><pitch><step>B</step><octave>3</octave></pitch><type>eighth</type></note>"
    upper = f"<note><chord/><pitch><step>E</step><octave>4</octave></pitch>{lasts}<voice>1</voice></note>"
    low = f"<note><pitch><step>C</step><octave>3</octave></pitch>{lasts}<voice>2</voice></note>"
    end = "</measure><!--========================= Measure 2"
    piece, about = rewritten(
        tmp_path,
        (lasts, f"{lasts}<voice>1</voice>"),
        (begin, grace + begin),
        (end, f"{upper}<backup>{lasts}</backup>{low}{end}"),
    )
    assert [voice.name for voice in piece.voices] == ["Tune", "Tune 2"]
    assert piece.voices[0].notes == (Note(0, 16, 64), Note(16, 16, 62))
    assert piece.voices[1].notes == (Note(0, 16, 48),)
    assert about["skipped"] == [
        "Grace notes, skipped: 1.",
        "Notes that sound with another or within the same sixteenth, dropped: 1.",
    ]


def test_lead_sheets_can_be_read_with_their_chords():
    if not OPENEWLD.is_dir():
        pytest.skip(f"{OPENEWLD} is absent: the lead sheets are not part of the repository")
    pytest.importorskip("music21")
    read = 0
    for path in sorted(OPENEWLD.glob("*.mxl"))[:40]:
        piece, _ = read_musicxml(path)
        read += len(piece.chords) > 0 and len(piece.voices) == 1 and piece.bars >= 4
    assert read > 38
