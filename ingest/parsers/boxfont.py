"""A font in which every character is the same box, for PDFs that name a font and do not bring it.

pdfium leaves out a glyph that stands by itself and has no shape, and which have one depends on the fonts of the
machine; a parser that may read no files finds none. To read text no shapes are needed, only boxes that are not empty:
with this font the same bytes give the same text everywhere. Layout: OpenType 1.9, "TrueType outlines".
"""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import Any, Final

import pypdfium2.raw as pdfium_c

_UNITS_PER_EM: Final = 1000
_ASCENT, _DESCENT = 880, -120
# pdfium has fonts for these (ISO 32000-1, 9.6.2.2), whose widths no file needs to tell, and for what is like them.
_BUILT_IN: Final = (b"Courier", b"Helvetica", b"Times", b"Symbol", b"ZapfDingbats")
_GLYPHS: Final = 65_535  # a file may name a glyph by its number instead of its character


@functools.cache
def build_font() -> bytes:
    """Return a TrueType font whose glyphs, as many as there may be, are all the same box."""
    # as wide as most letters: where a font tells no widths, it is what words are taken to end with
    x0, y0, x1, y1 = 0, _DESCENT, 500, _ASCENT
    glyph = struct.pack(">hhhhh", 1, x0, y0, x1, y1)  # one contour and its bounds
    glyph += struct.pack(">HH", 3, 0)  # its last point; no instructions
    glyph += bytes([1] * 4)  # points on the curve, both coordinates in two bytes
    glyph += struct.pack(">hhhh", x0, x1 - x0, 0, x0 - x1) + struct.pack(">hhhh", y0, 0, y1 - y0, 0)
    glyph += bytes(-len(glyph) % 4)
    everything = struct.pack(">HHIIIIII", 13, 0, 28, 0, 1, 0x20, 0x10FFFF, 1)  # format 13: many to one
    tables = {
        b"cmap": struct.pack(">HHHHI", 0, 1, 3, 10, 12) + everything,
        b"glyf": glyph * 2,
        b"head": struct.pack(
            ">IIIIHHQQhhhhHHhhh",
            *(0x10000, 0x10000, 0, 0x5F0F3CF5, 0, _UNITS_PER_EM, 0, 0, x0, y0, x1, y1, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH",
            *(0x10000, _ASCENT, _DESCENT, 0, _UNITS_PER_EM, x0, x1, x1, 1, 0, 0, 0, 0, 0, 0, 0, 1),
        ),
        b"hmtx": struct.pack(">Hhh", _UNITS_PER_EM, x0, x0),
        # from the first box to the second, and from the second to the table's end, and so on, in words of 16 bits
        b"loca": struct.pack(">HH", 0, len(glyph) // 2) * (_GLYPHS // 2 + 1),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x10000, _GLYPHS, 4, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    start = 12 + 16 * len(tables)
    directory = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, 16 * len(tables) - 64)
    content = b""
    for tag, table in tables.items():
        directory += tag + struct.pack(">III", 0, start + len(content), len(table))
        content += table + bytes(-len(table) % 4)
    return directory + content


@functools.cache
def use_box_font() -> None:
    """Let pdfium take this font, and none of the machine's, where a file names one and does not bring it.

    For the whole process, and for good: pages that are to be seen must be drawn in another one.
    """
    pdfium_c.FPDF_SetSystemFontInfo(_font_info())


@functools.cache
def _font_info() -> Any:
    """Return the callbacks, which must live as long as pdfium does."""
    info = pdfium_c.FPDF_SYSFONTINFO()
    fields = dict(pdfium_c.FPDF_SYSFONTINFO._fields_)
    font = build_font()

    def map_font(
        _this: object, _weight: int, _italic: int, _charset: int, _pitch: int, face: Any, *_: object
    ) -> int:
        name = ctypes.cast(face, ctypes.c_char_p).value or b""
        return 0 if name.startswith(_BUILT_IN) else 1  # any handle but null

    def font_data(_this: object, _font: object, table: int, buffer: Any, size: int) -> int:
        if table:
            return 0
        if buffer and size >= len(font):
            ctypes.memmove(buffer, font, len(font))
        return len(font)

    info.version = 1
    info.MapFont = fields["MapFont"](map_font)
    info.GetFontData = fields["GetFontData"](font_data)
    info.DeleteFont = fields["DeleteFont"](lambda _this, _font: None)
    return info
