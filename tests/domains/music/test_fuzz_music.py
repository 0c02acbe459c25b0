"""Damaged and hostile music files: whatever the bytes are, only `InputError` may escape."""

import random
import struct
import zipfile

import pytest

from plaudit.domains.music.files.abc import read_abc, read_abc_tunes, write_abc
from plaudit.domains.music.files.json_file import read_json, write_json
from plaudit.domains.music.files.midi import read_midi, write_midi
from plaudit.domains.music.files.musicxml import read_musicxml, write_musicxml
from plaudit.domains.music.score import Chord, Note, Piece, Voice
from plaudit.errors import InputError

FORMATS = {
    "mid": (write_midi, read_midi, 300),
    "musicxml": (write_musicxml, read_musicxml, 60),
    "mxl": (write_musicxml, read_musicxml, 60),
    "abc": (write_abc, read_abc, 300),
    "json": (write_json, read_json, 300),
}
PIECE = Piece(
    voices=(
        Voice("Melody", tuple(Note(2 * at, 1 + at % 2, 60 + 5 * at % 17) for at in range(24))),
        Voice("Bass", tuple(Note(6 * at, 6, 40 + 7 * at % 12) for at in range(8))),
    ),
    steps=54,
    chords=(Chord(6, 12, 2, "min7"), Chord(24, 6, 9, "hdim7")),
    metre=(6, 8),
    tonic=2,
    mode="dorian",
    pickup=6,
    title="Fuzz",
)
XML = (
    '<?xml version="1.0"?>{doctype}<score-partwise><part-list><score-part id="P1"><part-name>{name}'
    '</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes><divisions>1'
    "</divisions><time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>{notes}"
    "</measure></part></score-partwise>"
)
XML_NOTE = (
    "<note><pitch><step>C</step><octave>4</octave></pitch><duration>4</duration><type>whole</type></note>"
)


def mutated(content: bytes, rng: random.Random) -> bytes:
    """One to three of: flipped bits, other digits, a cut, an inserted chunk, doubled or swapped lines."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(content) + 1)
        end = at + rng.choice([1, 4, 40, 400])
        kind = rng.randrange(7)
        if kind == 0 and at < len(content):
            content = content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
        elif kind == 1:
            digits = [index for index, byte in enumerate(content) if 48 <= byte < 58] or [0]
            place = rng.choice(digits)
            content = content[:place] + bytes([rng.randrange(48, 58)]) + content[place + 1 :]
        elif kind == 2:
            content = content[:at] + content[end:]
        elif kind == 3 and rng.random() < 0.2:
            content = content[:at]
        elif kind == 4:
            chunk = rng.choice([rng.randbytes(4), b"-", b"99999", b"<", b"\xff", b'"', b"[[", b"0"])
            content = content[:at] + chunk + content[at:]
        elif kind == 5:
            content = content[:at] + content[at:end] + content[at:]
        elif kind == 6:
            content = swapped(content, rng)
    return content or b"x"


def swapped(content: bytes, rng: random.Random) -> bytes:
    """Two lines, or elements of XML, change places."""
    separator = b"><" if b"><" in content else b"\n"
    lines = content.split(separator)
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]
    return separator.join(lines)


def attack(suffix, folder, count, seed):
    """Read `count` mutated files; returns how many could still be read."""
    write, read, _ = FORMATS[suffix]
    path = folder / f"piece.{suffix}"
    write(PIECE, path, {"seed": 1})
    good, rng, fine = path.read_bytes(), random.Random(seed), 0
    for _ in range(count):
        path.write_bytes(mutated(good, rng))
        try:
            read(path)
            fine += 1
        except InputError as error:
            assert str(path) in str(error)
    return fine


@pytest.mark.parametrize("suffix", FORMATS)
def test_only_input_errors_escape(suffix, tmp_path):
    fine = attack(suffix, tmp_path, FORMATS[suffix][2], seed=0)
    assert 0 < fine < FORMATS[suffix][2], "all or none were read, so the mutations tell nothing"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_only_input_errors_escape_in_the_long_run(suffix, tmp_path):
    attack(suffix, tmp_path, 1_000 if suffix in ("musicxml", "mxl") else 10_000, seed=1)


def test_of_a_collection_only_input_errors_escape(tmp_path):
    path, rng = tmp_path / "tunes.abc", random.Random(3)
    write_abc(PIECE, path, {})
    good = path.read_bytes() * 4
    for _ in range(50):
        path.write_bytes(mutated(good, rng))
        try:
            tunes, reasons = read_abc_tunes(path)
            assert tunes or reasons
        except InputError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\n", b"\xff\xfe", b"MThd", b"PK\3\4", b"<", b"{}", b"X:1\nK:C\n"]
)
def test_tiny_files_are_refused(suffix, content, tmp_path):
    path = tmp_path / f"tiny.{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="tiny"):
        FORMATS[suffix][1](path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_renamed_and_missing_files_are_refused(suffix, tmp_path):
    families = {"musicxml": "xml", "mxl": "xml"}
    for other, (write, _, _) in FORMATS.items():
        if families.get(other, other) != families.get(suffix, suffix):
            path = tmp_path / f"renamed.{suffix}"
            write(PIECE, path, {})
            with pytest.raises(InputError, match="renamed"):
                FORMATS[suffix][1](path)
    for path in (tmp_path / f"none.{suffix}", tmp_path):
        with pytest.raises(InputError):
            FORMATS[suffix][1](path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_without_notes_or_beyond_the_limit_are_refused(suffix, tmp_path):
    path = tmp_path / f"piece.{suffix}"
    write, read, _ = FORMATS[suffix]
    write(Piece((Voice("Silent", ()),), 16), path, {})
    with pytest.raises(InputError, match="notes"):
        read(path)
    path.write_bytes(path.read_bytes() + b" " * 2**23)
    with pytest.raises(InputError, match="at most 8,388,608"):
        read(path)


def test_an_empty_or_wrongly_named_file_is_called_that(tmp_path):
    path = tmp_path / "piece.mid"
    for content, match in ((b"", "is empty"), (b"X:1\nK:C\nC|", "does not begin with MThd")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=match):
            read_midi(path)


def test_a_midi_metre_of_zero_is_refused(tmp_path):
    path = tmp_path / "zero.mid"
    write_midi(PIECE, path, {})
    # The pickup's signature is 3/8; a unit of 2 ** 255 is 0 in the library's byte.
    raw = path.read_bytes()
    assert raw.count(b"\xff\x58\x04\x03\x03") == 1
    path.write_bytes(raw.replace(b"\xff\x58\x04\x03\x03", b"\xff\x58\x04\x03\xff"))
    with pytest.raises(InputError, match="its metre is 3/0"):
        read_midi(path)


def refused(path, text, match):
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    with pytest.raises(InputError, match=match):
        read_musicxml(path)


def test_xml_that_defines_entities_is_refused(tmp_path):
    path = tmp_path / "bomb.musicxml"
    bomb = '<!DOCTYPE score-partwise [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]>'
    whole = XML.format(doctype=bomb, name="&b;", beats=4, notes=XML_NOTE)
    refused(path, whole, "its document type")
    refused(path, whole.encode("utf-16"), "its document type")
    # Each of the two signs is enough: a ">" within the name hides the bracket, other declarations the word.
    refused(path, whole.replace("[", "SYSTEM 'a>b' ["), "its document type")
    refused(
        path,
        whole.replace("<!ENTITY a", "<!ATTLIST a").replace("<!ENTITY b", "<!ATTLIST b"),
        "its document type",
    )


def test_an_outer_document_type_is_no_harm(tmp_path):
    path = tmp_path / "plain.musicxml"
    doctype = (
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.0 Partwise//EN" "http://x/y.dtd">'
    )
    path.write_text(XML.format(doctype=doctype, name="Plain", beats=4, notes=XML_NOTE))
    piece, about = read_musicxml(path)
    assert piece.voices == (Voice("Plain", (Note(0, 16, 60),)),)
    assert about == {"skipped": ["The key is not told; it was guessed from the notes."]}


def test_numbers_that_would_be_counted_to_are_refused(tmp_path):
    path = tmp_path / "large.musicxml"
    refused(path, XML.format(doctype="", name="x", beats=1_000_000, notes=XML_NOTE), "1000000")
    refused(path, XML.format(doctype="", name="x", beats=4, notes=XML_NOTE * 50_001), "<note>")
    endless = XML_NOTE.replace("<duration>4", "<duration>9999999")
    refused(path, XML.format(doctype="", name="x", beats=4, notes=endless), "sixteenths|parsed")


def test_archives_that_unpack_to_too_much_are_refused(tmp_path):
    path = tmp_path / "bomb.mxl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("score.xml", b" " * (16 * 2**20 + 1))
    refused(path, path.read_bytes(), "unpacks to over")
    # The sizes in the headers now say 100 bytes; what is read must count.
    raw, size = path.read_bytes(), struct.pack("<I", 16 * 2**20 + 1)
    assert raw.count(size) == 2
    refused(path, raw.replace(size, struct.pack("<I", 100)), "archive|XML|unpacks")
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(65):
            archive.writestr(f"{number}.xml", b"<x/>")
    refused(path, path.read_bytes(), "65 files")


def test_deep_nesting_is_refused(tmp_path):
    refused(tmp_path / "deep.musicxml", "<score-partwise>" * 200_000, "parsed")
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000)
    with pytest.raises(InputError, match="not JSON"):
        read_json(path)


def test_endless_numbers_in_abc_are_refused(tmp_path):
    path = tmp_path / "long.abc"
    for music in ("C" + "9" * 5000, "C/0", "C0", "Z9999", "C9999 " * 20, "[" * 10_000 + "C"):
        path.write_text(f"X:1\nM:4/4\nL:1/8\nK:C\n{music}|\n")
        try:
            read_abc(path)
        except InputError as error:
            assert "long.abc" in str(error)
