"""Chunks and windows of any text: exact offsets, nothing lost, no limit exceeded, cut where a reader would cut."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain import Document, Page, Section
from app.embedding import Tokens
from app.graphemes import begins_syllable, is_torn_at
from app.sentences import split_sentences
from ingest.chunking import CHARS_A_TOKEN, ChunkedDocument, chunk, place_of, places_in, split_long
from tests.fakes import FakeEmbedder

PIECES = st.sampled_from(
    [
        "word ",
        "Sentence one. ",
        "Is it? ",
        "\n",
        "\n\n",
        " ",
        "\t",
        "　",
        "# Heading\n\n",
        "## 标题\n\n",
        "```py\nx = 1\n\ny = 2\n```\n",
        "```",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "- item\n",
        "1. item\n",
        "你好，世界。",
        "列表数约为行数的千分之一",
        "これは文です。",
        "e\u0301\u0302",
        "👩\u200d👩\u200d👧",
        "🇩🇪",
        "\u200b",
        "\ufeff",
        "\x00",
        "x" * 300,
        "字" * 300,
        "a.b" * 100,
        "!" * 150,
        "---\n",
        "“quote” ",
        "word word word word word word word word word word word word word. " * 20,
        "短句。" * 60,
        "\u2028",
        "\x0c",
        "\ud800",
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def document(text: str, sections: tuple[Section, ...] = (), pages: tuple[Page, ...] = ()) -> Document:
    return Document(text, "T", "text/markdown", "und", sections, pages)


def cut(text: str, chunk_tokens: int = 128, overlap: int = 0, window_tokens: int = 128) -> ChunkedDocument:
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    return chunk(
        document(text), tokens, chunk_tokens=chunk_tokens, overlap=overlap, window_tokens=window_tokens
    )


def check(text: str, tokens: Tokens, found: ChunkedDocument, *, size: int, overlap: int, window: int) -> None:
    """Everything that must hold of any text."""
    chunks, windows = found.chunks, found.windows
    if len(tokens) == 0:
        assert found == ChunkedDocument((), (), ())
        return
    # windows: each token in exactly one, in order, none longer than the encoder reads
    assert [w.token_start for w in windows] == [0, *(w.token_end for w in windows[:-1])]
    assert windows[-1].token_end == len(tokens)
    assert all(0 < w.token_end - w.token_start <= window for w in windows)
    # chunks are ranges of windows
    assert len(chunks) == len(found.chunk_windows)
    spans = []
    for piece, (first, after) in zip(chunks, found.chunk_windows, strict=True):
        assert first < after
        start, end = windows[first].token_start, windows[after - 1].token_end
        spans.append((start, end))
        assert piece.token_count == end - start <= size
        assert piece.char_start == windows[first].char_start
        assert piece.char_end == windows[after - 1].char_end
        assert 0 <= piece.char_start < piece.char_end <= len(text)
        held = text[piece.char_start : piece.char_end]
        assert held == held.strip()
        assert len(held) <= CHARS_A_TOKEN * size or end - start == 1
        assert piece.char_start <= int(tokens.starts[start])
        assert piece.char_end >= int(tokens.ends[end - 1])
    assert [piece.chunk_index for piece in chunks] == list(range(len(chunks)))
    # in order, each further than the one before, overlapping by no more than was asked for
    assert spans[0][0] == 0
    assert spans[-1][1] == len(tokens)
    is_sparse = bool(
        np.any(np.diff(tokens.starts) > CHARS_A_TOKEN)
    )  # then characters bound chunks, not tokens
    for (start, end), (next_start, next_end) in pairwise(spans):
        assert start < next_start <= end < next_end
        assert end - next_start <= overlap
        begins = [int(tokens.starts[at]) for at in range(max(start + 1, end - overlap), end)]
        is_one_sign = all(is_torn_at(text, at) for at in begins)  # no overlap can begin within one
        assert overlap == 0 or end - next_start > 0 or end - start == 1 or is_sparse or is_one_sign
    # nothing that can be seen is lost
    seen = [False] * len(text)
    for piece in chunks:
        seen[piece.char_start : piece.char_end] = [True] * (piece.char_end - piece.char_start)
    assert all(seen[i] or character.isspace() for i, character in enumerate(text))
    # sentences are whole and inside, but for those that are too long for any chunk
    whole = set(split_sentences(text))
    for piece in chunks:
        assert list(piece.sentences) == sorted(piece.sentences)
        for start, end in piece.sentences:
            assert piece.char_start <= start < end <= piece.char_end
            assert (start, end) in whole or any(b - a > 1_000 and a <= start < end <= b for a, b in whole)
        inside = {(a, b) for a, b in whole if piece.char_start <= a and b <= piece.char_end}
        assert inside <= set(piece.sentences)


@settings(max_examples=120, deadline=None)
@given(TEXTS, st.integers(128, 1024), st.integers(0, 256), st.integers(16, 254))
def test_any_text_is_cut_whole_and_exactly(text: str, size: int, overlap: int, window: int) -> None:
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    found = chunk(document(text), tokens, chunk_tokens=size, overlap=overlap, window_tokens=window)
    check(text, tokens, found, size=size, overlap=min(overlap, size // 2), window=window)


@example("👩\u200d👩\u200d👧", 4, 1, 1)  # an overlap that would begin inside a family
@example("字字字字abcdefgh字字字字字字字字", 6, 2, 3)  # an overlap that would begin inside a word
@settings(max_examples=120, deadline=None)
@given(TEXTS, st.integers(4, 40), st.integers(0, 20), st.integers(1, 12))
def test_small_limits_hold_too(text: str, size: int, overlap: int, window: int) -> None:
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    found = chunk(document(text), tokens, chunk_tokens=size, overlap=overlap, window_tokens=window)
    check(text, tokens, found, size=size, overlap=min(overlap, size // 2), window=window)


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n" * 5_000, "\u3000\u2028\t", "\u200b" * 10],
    ids=["empty", "blank", "lines", "odd", "invisible"],
)
def test_texts_with_hardly_a_token(text: str) -> None:
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    found = chunk(document(text), tokens, chunk_tokens=128, overlap=64, window_tokens=128)
    check(text, tokens, found, size=128, overlap=64, window=128)


@pytest.mark.parametrize(
    "text",
    ["x-" * 5_000, "字" * 10_000, "a" * 100_000, "👩\u200d👧" * 3_000, "e\u0301" * 5_000, "word " * 10_000],
    ids=["hyphens", "han", "one word", "emoji", "marks", "no stop"],
)
@pytest.mark.parametrize(("size", "overlap"), [(128, 0), (512, 64), (1024, 256)])
def test_long_texts_without_borders(text: str, size: int, overlap: int) -> None:
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    found = chunk(document(text), tokens, chunk_tokens=size, overlap=overlap, window_tokens=128)
    check(text, tokens, found, size=size, overlap=overlap, window=128)


@pytest.mark.parametrize("overlap", [64, 127, 128, 129, 1_000])
def test_an_overlap_of_more_than_half_a_chunk_is_cut_to_half(overlap: int) -> None:
    """Else a chunk could start where the one before did, without end."""
    text = "word " * 1_000
    assert cut(text, chunk_tokens=128, overlap=overlap) == cut(text, chunk_tokens=128, overlap=64)


def test_a_short_text_is_one_chunk_and_one_window() -> None:
    found = cut("  One sentence. And two.\n")
    assert [(c.char_start, c.char_end, c.token_count) for c in found.chunks] == [(2, 24, 6)]
    assert len(found.windows) == 1
    assert found.chunk_windows == ((0, 1),)


def test_a_chunk_ends_at_a_heading_rather_than_later() -> None:
    part = "Some words of a sentence. " * 15
    text = f"# One\n\n{part}\n\n# Two\n\n{part}"
    at = text.index("# Two")
    sections = (Section(0, at, ("One",)), Section(at, len(text), ("Two",)))
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    found = chunk(document(text, sections), tokens, chunk_tokens=128, overlap=32, window_tokens=128)
    assert found.chunks[0].char_end <= at
    starts = [c.char_start for c in found.chunks]
    assert any(start <= at for start in starts[1:])
    assert [c.heading for c in found.chunks][:2] == ["One", "Two"]


def test_a_chunk_ends_at_a_paragraph_rather_than_in_it() -> None:
    text = "Words of one. " * 27 + "\n\n" + "Words of two. " * 27
    found = cut(text, chunk_tokens=128)
    assert text[found.chunks[0].char_start : found.chunks[0].char_end] == ("Words of one. " * 27).strip()


def test_a_chunk_ends_at_a_sentence_where_a_paragraph_is_too_long() -> None:
    found = cut("This is a sentence of ten words as you see. " * 60, chunk_tokens=128, overlap=16)
    for piece in found.chunks[:-1]:
        assert piece.sentences[-1][1] == piece.char_end
    for piece in found.chunks:
        assert piece.sentences[0][0] == piece.char_start


def test_chinese_is_cut_at_sentences_too() -> None:
    text = "分块大小影响检索质量，块太大会稀释答案。" * 40
    found = cut(text, chunk_tokens=128, overlap=32)
    assert len(found.chunks) > 3
    for piece in found.chunks:
        held = text[piece.char_start : piece.char_end]
        assert held.startswith("分块")
        assert held.endswith("。")


def test_a_word_is_not_cut_while_there_is_a_border() -> None:
    text = " ".join(f"w{n}" for n in range(1_000))
    for piece in cut(text, chunk_tokens=128, overlap=32).chunks:
        assert re.fullmatch(r"w\d+( w\d+)*", text[piece.char_start : piece.char_end])


def test_overlap_starts_with_a_sentence() -> None:
    text = "".join(f"This is the sentence number {n} of many. " for n in range(100))
    found = cut(text, chunk_tokens=128, overlap=32)
    for before, after in pairwise(found.chunks):
        assert before.char_start < after.char_start < before.char_end
        assert text[after.char_start :].startswith("This is")


def test_an_over_long_sentence_is_quoted_in_parts() -> None:
    text = "Short one. " + ("many words without a stop " * 200).strip() + "."
    found = cut(text, chunk_tokens=128)
    assert len(found.chunks) > 3
    assert all(piece.sentences for piece in found.chunks)


def test_a_sentence_cut_by_a_border_is_left_out() -> None:
    sentence = ("many words without a stop " * 30).strip() + "."
    assert len(sentence) < 1_000
    found = cut(f"{sentence} {sentence}", chunk_tokens=128)
    for piece in found.chunks:
        assert all(piece.char_start <= a < b <= piece.char_end for a, b in piece.sentences)
    assert all(b - a == len(sentence) for piece in found.chunks for a, b in piece.sentences)


def test_overlapping_chunks_share_their_windows() -> None:
    found = cut("This is a sentence of ten words as you see. " * 100, chunk_tokens=256, overlap=64)
    shared = sum(before[1] - after[0] for before, after in pairwise(found.chunk_windows))
    assert shared >= len(found.chunks) - 1


PAGED = "# A\n\nFirst page of A.\n\n## B\n\nSecond page.\n\nMore of it.\n"
SECOND, B = PAGED.index("## B"), PAGED.index("## B")
DOCUMENT = document(
    PAGED,
    (Section(0, B, ("A",)), Section(B, len(PAGED), ("A", "B"))),
    (Page(1, 0, PAGED.index("Second")), Page(2, PAGED.index("Second"), len(PAGED))),
)


@pytest.mark.parametrize(
    ("at", "page", "heading"),
    [
        (0, 1, "A"),
        (B - 1, 1, "A"),
        (B, 1, "A › B"),
        (PAGED.index("Second"), 2, "A › B"),
        (len(PAGED), 2, "A › B"),
    ],
)
def test_the_place_of_an_offset(at: int, page: int, heading: str) -> None:
    place = place_of(DOCUMENT, at)
    assert (place.char_start, place.page, place.heading) == (at, page, heading)


def test_places_of_a_text_without_structure() -> None:
    place = place_of(document("Words."), 3)
    assert (place.page, place.heading) == (None, None)


def test_places_change_where_page_or_heading_does() -> None:
    found = places_in(DOCUMENT, 3, len(PAGED))
    assert [(p.char_start, p.page, p.heading) for p in found] == [
        (3, 1, "A"),
        (B, 1, "A › B"),
        (PAGED.index("Second"), 2, "A › B"),
    ]


class CountedSections(tuple[Section, ...]):
    """Sections that count how many of them are looked at."""

    looked_at = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.looked_at += len(found) if isinstance(key, slice) else 1
        return found

    def __iter__(self) -> Iterator[Section]:
        for section in super().__iter__():
            self.looked_at += 1
            yield section


def test_f_1303_a_chunk_looks_at_few_sections() -> None:
    """All were looked at for each chunk: at the limit of tokens, two minutes."""
    body = "## Heading\n\n" + "word " * 30 + "\n\n"
    starts = range(0, 600 * len(body), len(body))
    sections = CountedSections(Section(start, start + len(body), ("Heading",)) for start in starts)
    tokens = FakeEmbedder().tokenize(body * 600)
    found = chunk(
        document(body * 600, sections), tokens, chunk_tokens=128, overlap=16, window_tokens=128
    ).chunks
    assert len(found) > 150
    held = sum(len(piece.places) for piece in found)
    assert sections.looked_at < 2 * len(sections) + 12 * (2 * len(found) + 2 * held)  # 2 ** 10 > 600
    assert [place.heading for place in found[100].places] == ["Heading"] * len(found[100].places)


def test_text_before_the_first_section_has_no_heading() -> None:
    text = "Preface.\n\n# A\n\nText."
    sections = (Section(10, len(text), ("A",)),)
    assert place_of(document(text, sections), 0).heading is None
    assert place_of(document(text, sections), 10).heading == "A"


def test_a_chunk_s_heading_is_that_of_its_own_text_not_of_the_overlap() -> None:
    part = "Some words of a sentence. " * 18
    text = f"# One\n\n{part}\n\n# Two\n\n{part}"
    at = text.index("# Two")
    sections = (Section(0, at, ("One",)), Section(at, len(text), ("Two",)))
    tokens = split_long(FakeEmbedder().tokenize(text), text)
    found = chunk(document(text, sections), tokens, chunk_tokens=128, overlap=32, window_tokens=128)
    second = found.chunks[1]
    assert second.char_start < at
    assert second.heading == "Two"
    assert [(p.heading) for p in second.places] == ["One", "Two"]
    assert second.places[0].char_start == second.char_start


def test_a_word_of_any_length_is_cut() -> None:
    """F-1120: a word of 160,041 characters was one chunk."""
    text = f"The key is {'x' * 160_041}."
    found = cut(text, 512, 64)
    assert len(found.chunks) > 160_041 // 4_096
    assert max(piece.char_end - piece.char_start for piece in found.chunks) <= 4_096


def test_spaces_and_unknown_signs_count_too() -> None:
    """F-1120: chunks had a bound in tokens alone."""
    text = "\n".join(f"{'name':<200}{number:>200}" for number in range(200))
    found = cut(text, 128, 16)
    assert max(piece.char_end - piece.char_start for piece in found.chunks) <= CHARS_A_TOKEN * 128
    assert len(found.chunks) < 3 * len(text) // (CHARS_A_TOKEN * 128)


@pytest.mark.parametrize(
    "text",
    [
        "ประเทศไทยมีภูมิอากาศแบบร้อนชื้นฤดูฝนเริ่มตั้งแต่เดือนพฤษภาคมถึงเดือนตุลาคม" * 40,
        "संग्रहालय रोज़ नौ बजे खुलता है और प्रवेश शुल्क पाँच सौ रुपये " * 60,
        "박물관은 매일 아홉 시에 문을 열고 입장료는 오천 원이며 월요일에는 쉬고 " * 60,
        "ប្រទេសកម្ពុជាស្ថិតនៅអាស៊ីអាគ្នេយ៍រាជធានីគឺភ្នំពេញ" * 40,
    ],
    ids=["Thai", "Hindi", "Korean", "Khmer"],
)
def test_no_chunk_begins_inside_a_sign_or_a_word(text: str) -> None:
    """F-1133: chunks began with a vowel sign of the letter before, and inside words of Korean and Hindi."""
    found = cut(text, 128, 16)
    assert len(found.chunks) > 1
    for start in {*(one.char_start for one in found.chunks), *(one.char_start for one in found.windows)} - {
        0
    }:
        assert unicodedata.category(text[start])[0] != "M"
        assert " " not in text or text[start - 1] == " "


def test_thai_without_a_space_is_cut_between_syllables() -> None:
    """F-1120: a model that does not know Thai has one token for all of it."""
    text = "ประเทศไทยมีภูมิอากาศแบบร้อนชื้นฤดูฝนเริ่มตั้งแต่เดือนพฤษภาคมถึงเดือนตุลาคม" * 40
    tokens = split_long(Tokens(np.array([1]), np.array([0]), np.array([len(text)]), 1), text)
    found = chunk(document(text), tokens, chunk_tokens=16, overlap=2, window_tokens=16)
    starts = [one.char_start for one in found.chunks][1:]
    assert len(starts) > 10
    assert all(begins_syllable(text, start) for start in starts)


def test_long_tokens_are_split_evenly() -> None:
    tokens = Tokens(np.array([7, 1, 8]), np.array([0, 5, 60]), np.array([4, 55, 62]), 1)
    split = split_long(tokens, "x" * 62)
    assert split.ids.tolist() == [7, 1, 1, 1, 1, 8]
    assert split.starts.tolist() == [0, 5, 21, 37, 53, 60]
    assert split.ends.tolist() == [4, 21, 37, 53, 55, 62]
    assert split.unknown == 4
