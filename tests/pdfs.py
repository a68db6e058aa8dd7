"""Small PDF files, written by hand, for the tests of the PDF parser."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_PAD = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
_ID = bytes(16)
_PERMISSIONS = (-4).to_bytes(4, "little", signed=True)

# Codes are UTF-16 code units and mean themselves: text of any script can be extracted without a font file.
_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
100 beginbfrange
%s
endbfrange endcmap end end""" % b"\n".join(
    b"<%02X00> <%02XFF> <%02X00>" % (high, high, high) for high in range(256)
)


_TURNED = {0: "1 0 0 1 0 0", 90: "0 1 -1 0 1500 0", 180: "-1 0 0 -1 1200 1600", 270: "0 -1 1 0 -300 1600"}

# Text with the left end of its baseline, or a line from one point to another; in points from the page's lower left.
Drawn = tuple[float, float, str] | tuple[float, float, float, float]


_SCAN = b"q 1200 0 0 1600 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q"  # a picture over the whole page


def build_pdf(
    pages: Sequence[Sequence[str] | None], *, title: str = "", user_password: str | None = None
) -> bytes:
    """Return a PDF with these lines on its pages, None for a scanned one; encrypted (RC4, 40 bit) if there is a
    password, even ""."""
    contents = []
    for lines in pages:
        if lines is None:
            contents.append(_SCAN)
            continue
        drawn = [f"<{line.encode('utf-16-be').hex()}> Tj 0 -20 Td" for line in lines]
        contents.append(("BT /F 12 Tf 50 1500 Td " + " ".join(drawn) + " ET").encode())
    return _pack(contents, title=title, user_password=user_password)


def draw_pdf(
    pages: Sequence[Sequence[Drawn]],
    *,
    rotate: int = 0,
    font: bytes = b"",
    fields: Sequence[bytes] = (),
    outline: Sequence[tuple[str, int, float]] = (),
) -> bytes:
    """Return a PDF with text of 12 points (each letter takes 6) and lines in places, drawn in this order.

    `font`: another one, whose codes are UTF-16 too. `fields`: entries of form fields on the first page. `outline`:
    titles with the index of their page and their height on it, two by two: the second is below the first. `rotate`: the
    pages are turned clockwise and what is on them counterclockwise, so that it looks the same.
    """
    contents = []
    for items in pages:
        steps = [f"{_TURNED[rotate]} cm"]
        for item in items:
            if len(item) == 3:
                steps.append(
                    f"BT /F 12 Tf {item[0]} {item[1]} Td <{item[2].encode('utf-16-be').hex()}> Tj ET"
                )
            else:
                steps.append(f"{item[0]} {item[1]} m {item[2]} {item[3]} l S")
        contents.append("\n".join(steps).encode())
    return _pack(contents, rotate=rotate, font=font, fields=fields, outline=outline)


def _pack(
    contents: Sequence[bytes],
    *,
    title: str = "",
    user_password: str | None = None,
    rotate: int = 0,
    font: bytes = b"",
    fields: Sequence[bytes] = (),
    outline: Sequence[tuple[str, int, float]] = (),
) -> bytes:
    page_count = len(contents)
    page_ids = [6 + 2 * index for index in range(page_count)]
    kids = " ".join(f"{page_id} 0 R" for page_id in page_ids)
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {page_count} >>".encode(),
        3: font
        or b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [4 0 R]"
        b" /ToUnicode 5 0 R >>",
        4: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 500"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
    }
    streams = {5: _TO_UNICODE}
    for page_id, content in zip(page_ids, contents, strict=True):
        objects[page_id] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 1200 1600] /Rotate {rotate} /Contents {page_id + 1} 0 R"
            " /Resources << /Font << /F 3 0 R >> >> >>"
        ).encode()
        streams[page_id + 1] = content
    if fields:
        first = 100_000
        references = b" ".join(b"%d 0 R" % (first + index) for index in range(len(fields)))
        objects[1] = objects[1].replace(b">>", b"/AcroForm << /Fields [%s] >> >>" % references)
        objects[6] = objects[6].replace(b"/Resources", b"/Annots [%s] /Resources" % references)
        objects |= {
            first + index: b"<< /Type /Annot /Subtype /Widget /T (%d) %s >>" % (index, entries)
            for index, entries in enumerate(fields)
        }
    if outline:
        objects |= _outline(outline, page_ids)
        objects[1] = objects[1].replace(b">>", b"/Outlines 200000 0 R >>", 1)
    trailer = "/Root 1 0 R"
    key = b""
    if user_password is not None:
        key, objects[3 + 2 * page_count + 3] = _encryption(user_password)
        trailer += f" /Encrypt {3 + 2 * page_count + 3} 0 R /ID [<{_ID.hex()}> <{_ID.hex()}>]"
    elif title:
        objects[3 + 2 * page_count + 3] = f"<< /Title <feff{title.encode('utf-16-be').hex()}> >>".encode()
        trailer += f" /Info {3 + 2 * page_count + 3} 0 R"
    for number, stream in streams.items():
        body = _encrypt(key, number, stream) if key else stream
        objects[number] = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)
    return _write(objects, trailer)


def _outline(outline: Sequence[tuple[str, int, float]], page_ids: Sequence[int]) -> dict[int, bytes]:
    root, first = 200_000, 200_001
    last = first + len(outline) - 1
    top = [first + index for index in range(0, len(outline), 2)]
    objects = {root: f"<< /Type /Outlines /First {first} 0 R /Last {top[-1]} 0 R >>".encode()}
    for index, (title, page, height) in enumerate(outline):
        number = first + index
        links = f"/Parent {root if index % 2 == 0 else number - 1} 0 R"
        if index % 2 == 0 and number < last:
            links += f" /First {number + 1} 0 R /Last {number + 1} 0 R"
        if index % 2 == 0 and number + 2 <= last:
            links += f" /Next {number + 2} 0 R"
        name = f"<feff{title.encode('utf-16-be').hex()}>"
        objects[number] = (
            f"<< /Title {name} {links} /Dest [{page_ids[page]} 0 R /XYZ 0 {height} 0] >>".encode()
        )
    return objects


def _write(objects: dict[int, bytes], trailer: str) -> bytes:
    out = b"%PDF-1.4\n"
    offsets = {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%d 1\n%010d 00000 n \n" % (number, offsets[number]) for number in sorted(offsets))
    size = max(objects) + 1
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n%s" % table
    return out + f"trailer << /Size {size} {trailer} >>\nstartxref\n{start}\n%%EOF".encode()


def _encryption(user_password: str) -> tuple[bytes, bytes]:
    """Return the file key and the dictionary of the standard handler, revision 2 (ISO 32000-1, 7.6.3)."""
    user = (user_password.encode() + _PAD)[:32]
    owner_key = hashlib.md5((b"owner" + _PAD)[:32]).digest()[:5]
    owner = _rc4(owner_key, user)
    key = hashlib.md5(user + owner + _PERMISSIONS + _ID).digest()[:5]
    entries = f"/O <{owner.hex()}> /U <{_rc4(key, _PAD).hex()}>"
    return key, f"<< /Filter /Standard /V 1 /R 2 /P -4 {entries} >>".encode()


def _encrypt(key: bytes, number: int, content: bytes) -> bytes:
    return _rc4(hashlib.md5(key + number.to_bytes(3, "little") + bytes(2)).digest()[: len(key) + 5], content)


def _rc4(key: bytes, content: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in content:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
