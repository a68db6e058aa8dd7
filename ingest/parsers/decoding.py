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
_CHINESE = frozenset({"gb18030", "big5"})
_CHINESE_WORDS = (
    0.25  # of the Han characters of a Chinese text stand in words of the dictionary, at the least
)
_CLEAR_WORD = 0.5
_MOST_CHANCE_WORDS = 0.12  # of those of another reading
_LEAST_KANJI = 6
_LEVEL_1 = 0.9  # of the kanji of a Japanese text are of level 1 of JIS X 0208, at the least
_LEVEL_1_LEAD, _LEVEL_2_LEAD, _PAST_HANGUL_LEAD = (
    0xB0,
    0xD0,
    0xCA,
)  # first bytes in EUC-JP; EUC-KR has no Hangul from there on
_HAN_SAMPLE_CHARS = 5_000
_HAN = re.compile("[㐀-鿿]+")
_JAPANESE = re.compile("[ぁ-ヿ㐀-鿿]")
_KANA = re.compile("[ぁ-ヿ]")
_LEAST_KANA = 0.25  # as in languages.py, for texts too short for it
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
    if first == 0 or first < _CLEAR_LEAD * second:
        return None
    if encoding in _CHINESE and _decode_strict(content, "euc_jp") and not _has_chinese_words(content):
        return None
    return _decode_strict(content, encoding)


def _decode_by_plausibility(content: bytes) -> str:
    kanji = _decode_strict(content, "euc_jp")
    is_chinese = kanji is None or not _JAPANESE.search(kanji) or _has_chinese_words(content)
    if kanji is not None and not is_chinese and _is_japanese(content, kanji):
        return kanji
    scored = _score(content, ("gb18030", "big5", "cp1252"))
    if not scored or 0 in content:  # without a mark, UTF-16 is rare and must not compete for short files
        scored += _score(content, ("utf-16-le", "utf-16-be"))
    scored.sort(reverse=True)
    lead = scored[0][0] - scored[1][0] if len(scored) > 1 else 1.0
    if (
        not scored
        or scored[0][0] < _MIN_PLAUSIBILITY
        or lead < _MIN_LEAD
        or (scored[0][1] in _CHINESE and not is_chinese)
        or not _is_western(content, scored[0])
    ):
        raise DocumentError(
            "The file's character encoding can't be told; save it as UTF-8.", code="bad_encoding"
        )
    return scored[0][2]


def _has_chinese_words(content: bytes) -> bool:
    """Whether a Chinese reading is made of words: kanji in EUC-JP are Chinese characters in GB18030, too."""
    return max(map(_share_in_words, _chinese_readings(content)), default=0.0) >= _CHINESE_WORDS


def _is_japanese(content: bytes, text: str) -> bool:
    """Whether a reading in EUC-JP is Japanese: it has kana, or it is of kanji alone, as titles and lists of names are,
    and neither Chinese nor Korean."""
    sample = text[:_SAMPLE_CHARS]
    if any(map(_share_in_words_above_chance, _chinese_readings(content))):
        return False
    if len(_KANA.findall(sample)) >= _LEAST_KANA * len("".join(_NON_ASCII.findall(sample))):
        return True
    leads = [char.encode("euc_jp", "replace")[0] for run in _HAN.findall(sample) for char in run]
    level_1 = sum(_LEVEL_1_LEAD <= lead < _LEVEL_2_LEAD for lead in leads)
    is_no_hangul = any(_PAST_HANGUL_LEAD <= lead < _LEVEL_2_LEAD for lead in leads)
    return len(leads) >= _LEAST_KANJI and level_1 >= _LEVEL_1 * len(leads) and is_no_hangul


def _chinese_readings(content: bytes) -> list[str]:
    readings = (_decode_strict(content, encoding) for encoding in _CHINESE)
    return [text for text in readings if text is not None]


def _share_in_words_above_chance(text: str) -> bool:
    return _share_in_words(text) > _MOST_CHANCE_WORDS


def _share_in_words(text: str) -> float:
    """The share of the Han characters that stand in words of the dictionary, of two characters or more; one word among
    others is chance."""
    import rjieba  # here: dictionaries that few files need

    from app.lexicon import fold_script

    sample = "\n".join(_HAN.findall(text[:_SAMPLE_CHARS]))[:_HAN_SAMPLE_CHARS]
    words = [word for word in rjieba.cut(fold_script(sample), False) if _HAN.match(word)]
    share = sum(len(word) for word in words if len(word) > 1) / max(1, sum(map(len, words)))
    is_one_word = sum(len(word) > 1 for word in words) == 1
    return share if share >= _CLEAR_WORD or not is_one_word else min(share, _MOST_CHANCE_WORDS)


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
