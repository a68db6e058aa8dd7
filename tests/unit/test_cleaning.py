"""ingest.cleaning: invisible characters go, ordinary text stays as it is, page furniture is recognised."""

from __future__ import annotations

import unicodedata
from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.errors import DocumentError
from app.letters import detect_language
from ingest.cleaning import (
    _COMBINING,
    _DROPPED,
    _NEWLINES,
    _SPACES,
    _UNUSUAL,
    clean_line,
    clean_text,
    find_repeated_lines,
)
from tests.growth import assert_linear

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates and controls too


def test_ordinary_text_is_unchanged() -> None:
    text = "# Title\n\n\tcode  “quotes” ﬁ ① Ａ 中文，　全角空格。\n\n\n- a\n 😀 é\n"
    cleaned = clean_text(text)
    assert cleaned.text == text
    assert cleaned.dropped == {}


@given(ANY_TEXT)
def test_cleaning_is_idempotent_and_its_result_can_be_stored(text: str) -> None:
    assume(clean_line(text))
    cleaned = clean_text(text)
    assert clean_text(cleaned.text) == type(cleaned)(cleaned.text, {})
    assert unicodedata.is_normalized("NFC", cleaned.text)
    assert "\0" not in cleaned.text
    assert cleaned.text.encode("utf-8").decode("utf-8") == cleaned.text


def test_newlines_of_every_kind_become_one() -> None:
    assert clean_text("a\r\nb\rc\u2028d\u2029e\x85f\x0cg\x0bh").text == "a\nb\nc\nd\ne\nf\ng\nh"


def test_the_quick_look_sees_all_that_is_replaced_or_dropped() -> None:
    for code in range(0x110000):
        char = chr(code)
        is_touched = any(pattern.search(char) for pattern in (_NEWLINES, _SPACES, *_DROPPED.values()))
        assert not is_touched or _UNUSUAL.search(char), hex(code)
        assert not unicodedata.combining(char) or _COMBINING.search(char), hex(code)


def test_what_a_reader_does_not_see_is_dropped_and_counted() -> None:
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "obey")
    cleaned = clean_text(f"a\0\x1bb\ud800c\u200b\u200d\ufeffd\u202e\u2066e{hidden}f\u00a0g\u2009h")
    assert cleaned.text == "abcdef g h"
    assert cleaned.dropped == {"control": 2, "surrogate": 1, "zero_width": 3, "bidi": 2, "tag": 4}


def test_a_joiner_stays_between_emoji_only() -> None:
    assert clean_text("👩\u200d🔬 👁\ufe0f\u200d🗨").text == "👩\u200d🔬 👁\ufe0f\u200d🗨"
    assert clean_text("👩\u200d\u200d🔬 👩\u200dx y\u200d🔬 \u200d").text == "👩🔬 👩x y🔬 "


def test_composed_but_not_compatibility_normalised() -> None:
    assert clean_text("e\u0301 ﬁ ² Ａ").text == "é ﬁ ² Ａ"


def test_endless_combining_marks_are_cut_at_thirty() -> None:
    cleaned = clean_text("a" + "\u0315\u0301" * 500 + "b")
    assert cleaned.dropped == {"combining": 970}
    assert cleaned.text.endswith("b")


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0344" * 40,  # one mark that is two when normalised
        "\u0958" + "\u0301\u0315" * 20,  # a letter that is a letter and a mark when normalised
        "\u1f82" + "\u0345\u0344" * 16,
        "ế" + "\u0323" * 31,
        "(\u0344" * 3 + "\u0f73" * 16,
    ],
    ids=ascii,
)
def test_marks_are_counted_as_normalising_leaves_them(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned.text) == type(cleaned)(cleaned.text, {})


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff\u200b\0", "\u00a0\u2003"])
def test_nothing_visible_is_empty(text: str) -> None:
    with pytest.raises(DocumentError) as raised:
        clean_text(text)
    assert raised.value.code == "empty"


@pytest.mark.parametrize(
    "unit",
    ["\u0315\u0301", "a\u0315\u0301", "\0", "\u202e", "\r\n", "\ud800", " ", "가", "\u1100\u1161", "-"],
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    assert_linear(lambda size: partial(clean_line, "a" + unit * (size // len(unit))), 8_000)


def test_a_line_is_one_line() -> None:
    assert clean_line("  A \n\t long\u00a0title\u200b ") == "A long title"


def test_running_headers_and_page_numbers_go_and_content_stays() -> None:
    pages = [
        ["Annual report", f"Words {chr(64 + n)}", f"more of {n * n}", f"Page {n} of 9", f"{n}"]
        for n in range(4, 10)
    ]
    assert find_repeated_lines(pages) == [{3, 4}, *[{0, 3, 4}] * 5]


def test_left_and_right_pages_have_headers_of_their_own() -> None:
    pages = [[f"{'Left' if n % 2 else 'Right'} head", *(f"words {n}{c}" for c in "abcdef")] for n in range(8)]
    assert [0 in gone for gone in find_repeated_lines(pages)] == [False, False, *[True] * 6]


def test_lines_that_do_not_repeat_or_do_not_count_up_stay() -> None:
    pages = [["Total 10", "a"], ["Total 25", "b"], ["Total 17", "c"], ["Total 3", "d"]]
    assert find_repeated_lines(pages) == [set()] * 4
    assert find_repeated_lines([["Same", "x"], ["Same", "y"]]) == [set()] * 2
    assert find_repeated_lines([]) == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How large is a chunk?", "en"),
        ("如何选择分块大小？", "zh"),
        ("用 PostgreSQL 和 pgvector 搭建检索增强生成系统的经验", "zh"),
        ("The Chinese word 中文 means the language.", "en"),
        ("これは日本語の文です。", "und"),
        ("Это русский текст", "und"),
        ("12345 !!! 😀", "und"),
        ("", "und"),
    ],
)
def test_language_by_script(text: str, language: str) -> None:
    assert detect_language(text) == language
