"""The text of a MusicXML file, plain or zipped, refused before a parser sees what would harm it.

Refused are entities and whatever a document type may define, archives that unpack to too much, and numbers
that make the library behind count to them (a bar of a million beats).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from plaudit.domains.music.files.about import MOST_NOTES, MOST_PARTS
from plaudit.errors import InputError

_MOST_ENTRIES = 64
_MOST_UNPACKED = 16 * 2**20
_MOST_BARS = 20_000
"""Over all parts."""
_COUNTED = (
    "beats|beat-type|fifths|staves|staff|octave|alter|chromatic|diatonic|octave-change|actual-notes"
    "|normal-notes|root-alter|bass-alter|degree-alter|degree-value"
)
_BIG = re.compile(
    rf"<({_COUNTED})(\s[^>]*)?>(\s*[-+]?\d{{3,}}|[^<]{{20,}})|<[\w-]+(\s[^>]*)?>\s*[-+]?\d{{8,}}\s*<"
)
"""Numbers that no score has."""


def text_of(content: bytes, place: str) -> str:
    """The XML of a file's bytes; raises only `InputError`."""
    if content[:4] == b"PK\3\4":
        content = _unzipped(content, place)
    text = _decoded(content, place)
    if not re.match(r"\s*<", text):
        raise InputError("is no XML.", place=place)
    if "<!ENTITY" in text or re.search(r"<!DOCTYPE[^>]*\[", text):
        raise InputError("its document type defines entities, which no score needs.", place=place)
    if "<score-timewise" in text:
        raise InputError("is a timewise score.", place=place, hint="Export it as score-partwise.")
    if "<score-partwise" not in text:
        raise InputError("holds no MusicXML score.", place=place)
    _refuse_large(text, place)
    # The declaration names the encoding of the bytes, which are text by now.
    return re.sub(r"^\s*<\?xml.*?\?>", "", text, count=1, flags=re.DOTALL)


def _refuse_large(text: str, place: str) -> None:
    for tag, most in (("note", MOST_NOTES), ("measure", _MOST_BARS), ("score-part", MOST_PARTS)):
        count = len(re.findall(rf"<{tag}[\s>]", text))
        if count > most:
            raise InputError(f"has {count:,} elements <{tag}>; at most {most:,} are read.", place=place)
    found = _BIG.search(text)
    if found:
        raise InputError(f"holds the number {found[0][:40]!r}, which no score needs.", place=place)


def _decoded(content: bytes, place: str) -> str:
    """Text by its byte order mark, as UTF-8, or as the Latin-1 that it declares."""
    declared = re.match(rb"\s*<\?xml[^>]*encoding=[\"']([\w-]+)", content[:200])
    latin = declared is not None and declared[1].lower() in (b"iso-8859-1", b"latin-1", b"windows-1252")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1" if latin else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"is no {encoding} text (byte {error.start}).", place=place) from error


def _unzipped(content: bytes, place: str) -> bytes:
    """The score of an archive: the one that its container names, or else the first XML file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) > _MOST_ENTRIES:
                raise InputError(f"holds {len(names)} files; at most {_MOST_ENTRIES} are read.", place=place)
            name = _score_name(archive, names, place)
            return _entry(archive, name, place)
    # What zipfile raises for a damaged archive depends on where the damage is.
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, LookupError, RuntimeError) as error:
        raise InputError(f"is no sound archive: {str(error)[:100]}.", place=place) from error
    except (NotImplementedError, EOFError, OverflowError, MemoryError) as error:
        raise InputError(f"is no sound archive: {str(error)[:100]}.", place=place) from error


def _score_name(archive: zipfile.ZipFile, names: list[str], place: str) -> str:
    container = "META-INF/container.xml"
    if container in names:
        text = _entry(archive, container, place).decode("utf-8", "replace")
        found = re.search(r"<rootfile\b[^>]*\bfull-path\s*=\s*[\"']([^\"']+)", text)
        if found and found[1] in names:
            return found[1]
    others = [n for n in names if n.endswith((".xml", ".musicxml")) and not n.startswith("META-INF/")]
    if not others:
        raise InputError("its archive holds no score.", place=place)
    return others[0]


def _entry(archive: zipfile.ZipFile, name: str, place: str) -> bytes:
    """One file of an archive. Its header may lie about the size, so what is read counts."""
    with archive.open(name) as file:
        content = file.read(_MOST_UNPACKED + 1)
    if len(content) > _MOST_UNPACKED:
        raise InputError(f"unpacks to over {_MOST_UNPACKED:,} bytes.", place=f"{place}, {name[:80]}")
    return content
