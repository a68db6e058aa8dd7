"""Bytes of a text file → str, without being told the encoding.

Knows byte order marks, UTF-8, UTF-16, GB18030, Big5 and Windows-1252 (of which Latin-1 text is a part), which are what
English and Chinese files are written in, and encodings of other languages where the text reads as one of them
(languages.py). Knows nothing of formats.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from app.errors import DocumentError
from ingest.parsers.languages import (
    ENCODINGS,
    is_of_one_alphabet,
    is_of_words_of_one_alphabet,
    weigh_reading,
)

_BOMS = (  # UTF-32 first: its mark starts with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JAPANESE_SHIFT = b"\x1b$"  # of ISO-2022-JP (RFC 1468), in which mail in Japanese is written
_SAMPLE_CHARS = 200_000
_HEAD_BYTES = 100_000  # even, as UTF-16 needs
_UTF16_NUL_SHARE = 0.2  # Latin text in UTF-16 is half NULs; text in other encodings has none
_MAX_BROKEN_SHARE = 0.05  # broken to whole multi-byte sequences of a damaged UTF-8 file
_MIN_PLAUSIBILITY = 0.6
_MIN_LEAD = 0.1
_CLEAR_LEAD = 1.5  # a reading says at least so many times as much of a language as the next

_CAPITAL_IN_WORD = re.compile("[a-zß-öø-ÿ][À-ÖØ-Þ]")  # what one Chinese character looks like in Windows-1252
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_CJK_MARKS = frozenset("　、。〈〉《》「」『』【】〔〕…—·“”‘’～￥") | frozenset(
    map(chr, range(0xFF01, 0xFF5F))
)
_WESTERN = frozenset(
    "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒŠŽ“”‘’–—…€£°«»•·©®™§¿¡\u00a0"
)


# What is meant by names of charsets, many of which name a part of what is written (WHATWG Encoding Standard, 4.2).
_MEANT = {
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "csgb2312", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii"), "cp1252"),
    **{
        "ks_c_5601-1987": "cp949",
        "euc-kr": "cp949",
        "shift_jis": "cp932",
        "shift-jis": "cp932",
        "big5": "big5hkscs",
    },
}


def charset_meant(name: str) -> str:
    """Return the charset that a message means by a name.

    >>> charset_meant("GB2312"), charset_meant("koi8-r")
    ('gb18030', 'koi8-r')
    """
    return _MEANT.get(name.lower(), name)


def decode(content: bytes, declared: str | None = None) -> str:
    """Decode a text file: by its byte order mark, UTF-8, the `declared` charset, else the most plausible one.

    A UTF-8 file with a few damaged bytes keeps its text, each damage as U+FFFD. Raises DocumentError
    `bad_encoding` when nothing fits or two readings fit alike.
    """
    for bom, encoding in _BOMS:
        if content.startswith(bom):
            return content[len(bom) :].decode(encoding, "replace")
    if content.count(0) > _UTF16_NUL_SHARE * len(content):
        text = _decode_strict(content, _utf16_by_nuls(content))
        if text is not None:
            return text
    if 0 in content:  # Cyrillic in UTF-16 is ASCII byte by byte, control characters among it
        text = _decode_by_language(content)
        if text is not None:
            return text
    if _JAPANESE_SHIFT in content:  # ASCII byte by byte, so that it would be read as UTF-8
        text = _decode_strict(content, "iso2022_jp_ext")
        if text is not None:
            return text
    text = _decode_strict(content, "utf-8")  # before the declared one: what is UTF-8 is so by no accident
    if text is None and declared:
        text = _decode_strict(content, declared)
    if text is None:
        text = _decode_damaged_utf8(content)
    if text is None:
        text = _decode_by_language(content)
    return _decode_by_plausibility(content) if text is None else text


def _decode_strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError, ValueError):
        return None


def _decode_damaged_utf8(content: bytes) -> str | None:
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(map(len, _NON_ASCII.findall(text))) - broken
    return text if broken <= _MAX_BROKEN_SHARE * whole else None


def _utf16_by_nuls(content: bytes) -> str:
    """Name the byte order: ASCII characters have their NUL second in little-endian text."""
    return "utf-16-le" if content[1::2].count(0) >= content[0::2].count(0) else "utf-16-be"


def _decode_by_language(content: bytes) -> str | None:
    """The reading that is clearly the best text of a language; None where there is none. The beginning decides."""
    weights: dict[str, tuple[float, str]] = {}
    for encoding in ENCODINGS:
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(content[:_HEAD_BYTES])
        except UnicodeError:
            continue
        if text not in weights:
            weights[text] = (weigh_reading(text, encoding), encoding)
    (first, encoding), (second, _) = (*sorted(weights.values(), reverse=True), (0.0, ""), (0.0, ""))[:2]
    return _decode_strict(content, encoding) if first > 0 and first >= _CLEAR_LEAD * second else None


def _decode_by_plausibility(content: bytes) -> str:
    scored = _score(content, ("gb18030", "big5", "cp1252"))
    if not scored or 0 in content:  # without a mark, UTF-16 is rare and must not compete for short files
        scored += _score(content, ("utf-16-le", "utf-16-be"))
    scored.sort(reverse=True)
    lead = scored[0][0] - scored[1][0] if len(scored) > 1 else 1.0
    if (
        not scored
        or scored[0][0] < _MIN_PLAUSIBILITY
        or lead < _MIN_LEAD
        or not _is_western(content, scored[0])
    ):
        raise DocumentError(
            "The file's character encoding can't be told; save it as UTF-8.", code="bad_encoding"
        )
    return scored[0][2]


def _is_western(content: bytes, best: tuple[float, str, str]) -> bool:
    """Whether the best reading is no text of Eastern Europe, whose bytes are mostly letters in Windows-1252, too."""
    _, encoding, text = best
    if encoding != "cp1252" or is_of_one_alphabet(text, encoding):
        return True
    others = (_decode_strict(content, other) for other in ("cp1250", "iso8859_2"))
    return is_of_words_of_one_alphabet(text, encoding) and not any(
        other is not None and is_of_one_alphabet(other, "cp1250") for other in others
    )


def _score(content: bytes, encodings: Sequence[str]) -> list[tuple[float, str, str]]:
    """Return (plausibility, encoding, text) for each encoding that the bytes are valid in."""
    texts = [(encoding, _decode_strict(content, encoding)) for encoding in encodings]
    return [(_plausibility(text, encoding), encoding, text) for encoding, text in texts if text is not None]


def _plausibility(text: str, encoding: str) -> float:
    """Return the share, in [0, 1], of the non-ASCII characters that are usual in texts of this encoding."""
    runs = _NON_ASCII.findall(text[:_SAMPLE_CHARS])
    counts = Counter("".join(runs))
    usual = _usual_characters(encoding)
    share = sum(count for char, count in counts.items() if char in usual) / max(1, counts.total())
    # Chinese is written in runs, accents stand alone between ASCII letters: "naïve" is "na飗e" in GB18030.
    longest = max(map(len, runs), default=0)
    if encoding == "cp1252":
        usual_form = longest <= 4 and not _CAPITAL_IN_WORD.search(text, 0, _SAMPLE_CHARS)
    else:
        usual_form = longest >= 2
    return share if usual_form else share / 2


@cache
def _usual_characters(encoding: str) -> frozenset[str]:
    if encoding == "cp1252":
        return _WESTERN
    traditional = _decodable("big5", range(0xA4, 0xC7), range(0x40, 0xFF)) | _CJK_MARKS  # Big5 level 1
    if encoding == "big5":
        return traditional
    return traditional | _decodable("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))  # GB 2312 level 1


def _decodable(encoding: str, leads: range, trails: range) -> frozenset[str]:
    return frozenset(
        bytes([lead, trail]).decode(encoding, "ignore")[:1] for lead in leads for trail in trails
    )
