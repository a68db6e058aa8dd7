"""ingest.parsers.archives: bombs, broken and protected archives end in a reason code, in little memory."""

from __future__ import annotations

import io
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest

from app.errors import DocumentError
from ingest.parsers import docx, epub, parse, pptx, xlsx
from tests.office import S, build_docx, build_epub, build_pptx, build_xlsx, pack, paragraph

ZIPPED = [docx.MEDIA_TYPE, pptx.MEDIA_TYPE, xlsx.MEDIA_TYPE, epub.MEDIA_TYPE]
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


def failure(content: bytes, media_type: str) -> str:
    """The code with which a file fails, within the memory that is promised; the sandbox sees to the time."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DocumentError) as raised:
        parse(content, media_type, "a")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB
    return raised.value.code


def overlapping(copies: int) -> bytes:
    """A zip whose members all have the same bytes as their content (after D. Fifield's "A better zip bomb")."""
    data = zlib.compress(bytes(1_000_000), 9)[2:-4]
    local = struct.pack(
        "<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(bytes(1_000_000)), len(data), 1_000_000, 1, 0
    )
    names = [b"%c" % (65 + number) for number in range(copies)]
    directory = b"".join(
        struct.pack(
            "<4s6H3I5H2I",
            *(
                b"PK\1\2",
                20,
                20,
                0,
                8,
                0,
                0,
                zlib.crc32(bytes(1_000_000)),
                len(data),
                1_000_000,
                1,
                0,
                0,
                0,
                0,
                0,
                0,
            ),
        )
        + name
        for name in names
    )
    body = (
        local + b"A" + data + bytes(200_000)
    )  # padding keeps the ratio within bounds: the overlap is what is wrong
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, copies, copies, len(directory), len(body), 0)
    return body + directory + end


def bomb() -> bytes:
    return pack({"word/document.xml": bytes(150_000_000)})


def many() -> bytes:
    return pack({f"{number}": "" for number in range(10_001)}, zipfile.ZIP_STORED)


def nested() -> bytes:
    """Archives in archives in archives, as 42.zip has them: what a parser does not read, it does not open."""
    inner = pack({f"{number}.txt": bytes(4_000_000) for number in range(4)})
    for _ in range(4):
        inner = pack({f"lib {number}.zip": inner for number in range(16)})
    return inner


def encrypted() -> bytes:
    content = bytearray(pack({"word/document.xml": "x"}, zipfile.ZIP_STORED))
    for mark, flag_at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + flag_at] |= 1
    return bytes(content)


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("media_type", ZIPPED)
@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: overlapping(20), "archive_bomb"),
        (bomb, "archive_bomb"),
        (many, "archive_bomb"),
        (nested, "parse_failed"),
        (encrypted, "encrypted"),
        (lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (lambda: OLE, "parse_failed"),
        (lambda: pack({"a": "x"}, zipfile.ZIP_LZMA), "parse_failed"),
        (lambda: pack({"a": "x"}), "parse_failed"),
        (lambda: pack({"a": "x"})[:-30], "parse_failed"),
        (lambda: b"", "parse_failed"),
        (lambda: b"PK\3\4 and nothing", "parse_failed"),
    ],
    ids=[
        "overlap",
        "ratio",
        "members",
        "nested",
        "flag",
        "ole",
        "doc",
        "lzma",
        "other",
        "cut",
        "empty",
        "head",
    ],
)
def test_hostile_archives(media_type: str, build: Callable[[], bytes], code: str) -> None:
    assert failure(build(), media_type) == code


def test_what_members_really_hold_is_bounded_by_what_they_declare() -> None:
    content = bytearray(pack({"word/document.xml": bytes(1000)}))
    at = content.index(b"PK\1\2") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        assert archive.infolist()[0].file_size == 10
    assert failure(bytes(content), docx.MEDIA_TYPE) == "parse_failed"


LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha"}">' for n in range(12))
DOCTYPE = f"<!DOCTYPE x [{LAUGHS}]>"
LEAK = '<!DOCTYPE x [<!ENTITY leak SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("doctype", "entity", "code"),
    [(DOCTYPE, "&a11;", "parse_failed"), (LEAK, "&leak;", "archive_bomb"), (DOCTYPE, "", "archive_bomb")],
    ids=["laughs", "file", "unused"],
)
def test_entities_are_refused(doctype: str, entity: str, code: str) -> None:
    def with_part(name: str, part: str) -> bytes:
        return pack({**members_of(build_docx(paragraph("x"))), name: part})

    body = f'{doctype}<w:document xmlns:w="urn:w"><w:body>{paragraph(entity)}</w:body></w:document>'
    # Text that unfolds without end is an error to libxml2 already, before we look.
    assert failure(with_part("word/document.xml", body), docx.MEDIA_TYPE) == code
    styles = f'{doctype}<w:styles xmlns:w="urn:w">{entity}</w:styles>'
    assert failure(with_part("word/styles.xml", styles), docx.MEDIA_TYPE) == code
    # Values of attributes are expanded whatever the parser is told: libxml2 stops that by itself.
    styles = f'{doctype}<w:styles xmlns:w="urn:w" w:a="{entity}"/>'
    expected = "parse_failed" if entity else "archive_bomb"
    assert failure(with_part("word/styles.xml", styles), docx.MEDIA_TYPE) == expected


@pytest.mark.long
def test_a_million_rows_that_hold_nothing() -> None:
    rows = "".join(f'<row r="{number}"/>' for number in range(1, 1_000_001))
    assert failure(build_xlsx({"S": rows}), xlsx.MEDIA_TYPE) == "empty"
    assert failure(build_xlsx({"S": "<row/>" * 1_000_000}), xlsx.MEDIA_TYPE) == "archive_bomb"


def test_a_shared_string_that_many_cells_repeat() -> None:
    rows = '<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' * 100_000
    book = build_xlsx({"S": rows}, strings=[f"<t>{'long text ' * 1000}</t>"])
    stored = pack(members_of(book), zipfile.ZIP_STORED)  # packed, its ratio alone would give it away
    assert failure(stored, xlsx.MEDIA_TYPE) == "too_large"


def test_deep_and_many_parts() -> None:
    deep = "<w:sdt><w:sdtContent>" * 300 + paragraph("x") + "</w:sdtContent></w:sdt>" * 300
    assert failure(build_docx(deep), docx.MEDIA_TYPE) == "parse_failed"
    tables = "<w:tbl><w:tr><w:tc>" * 80 + paragraph("x") + "</w:tc></w:tr></w:tbl>" * 80
    assert parse(build_docx(tables), docx.MEDIA_TYPE, "a").text == "x"
    assert failure(build_pptx([""] * 10_001), pptx.MEDIA_TYPE) == "archive_bomb"


def test_a_part_that_is_named_twice_is_read_once() -> None:
    book = members_of(build_epub({"c.xhtml": "<p>once</p>"}))
    opf = book["OPS/book.opf"].decode().replace("<spine>", "<spine>" + '<itemref idref="c.xhtml"/>' * 1000)
    assert parse(pack({**book, "OPS/book.opf": opf}), epub.MEDIA_TYPE, "b").text == "once"


def test_spans_do_not_unfold() -> None:
    wide = '<w:tcPr><w:gridSpan w:val="200"/></w:tcPr>' + paragraph("x" * 200)
    table = "<w:tbl>" + f"<w:tr><w:tc>{wide}</w:tc></w:tr>" * 2_000 + "</w:tbl>"
    assert len(parse(build_docx(table), docx.MEDIA_TYPE, "a").text) < 2_500_000


def test_names_of_members_lead_nowhere() -> None:
    sheet = f'<worksheet xmlns="{S}"><sheetData/></worksheet>'
    content = pack({"../../etc/cron.d/x": "x", "/abs": "x", "C:\\x": "x", "a\0b": sheet, "．．/x": "x"})
    for media_type in ZIPPED:
        assert failure(content, media_type) == "parse_failed"
