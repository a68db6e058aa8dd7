"""Texts in seven languages beside English and Chinese: sentences, words and chunks are sensible (issue 13.5)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial

import pytest

from app.domain import Document
from app.generation.units import read_units
from app.graphemes import is_torn_at
from app.letters import detect_language, is_other
from app.lexicon import is_chinese, terms
from app.sentences import MAX_SENTENCE_CHARS, split_sentences
from ingest.chunking import CHARS_A_TOKEN, ChunkedDocument, chunk, split_long
from tests.fakes import FakeEmbedder
from tests.growth import assert_linear
from tests.hits import hits_of
from tests.scripts import SCRIPTS, Script

each = pytest.mark.parametrize("script", SCRIPTS, ids=[script.language for script in SCRIPTS])
EMBEDDER = FakeEmbedder()


@each
def test_sentences_end_where_the_language_ends_them(script: Script) -> None:
    assert tuple(script.text[a:b] for a, b in split_sentences(script.text)) == script.sentences
    assert tuple(unit.text for unit in read_units(hits_of(script.text))) == script.sentences


@each
def test_a_word_is_found_in_its_sentence_and_first_there(script: Script) -> None:
    held = [set(terms(sentence)) for sentence in script.sentences]
    for word, place in script.words:
        asked = set(terms(word))
        assert asked
        assert asked <= held[place], word
        assert max(range(len(held)), key=lambda at: len(asked & held[at])) == place, word


@each
@pytest.mark.parametrize("chunk_tokens", [16, 40])
def test_chunks_and_windows_tear_no_sign_and_lose_nothing(script: Script, chunk_tokens: int) -> None:
    text = "\n\n".join([script.text] * 4)
    tokens = split_long(EMBEDDER.tokenize(text), text)
    document = Document(text, "", "text/plain", detect_language(text))
    found = chunk(document, tokens, chunk_tokens=chunk_tokens, overlap=4, window_tokens=12)
    assert len(found.chunks) > 2
    spans = [(one.char_start, one.char_end) for one in found.chunks]
    spans += [(one.char_start, one.char_end) for one in found.windows]
    for start, end in spans:
        assert not is_torn_at(text, start)
        assert not is_torn_at(text, end)
        assert unicodedata.category(text[start])[0] != "M"
        assert end - start <= CHARS_A_TOKEN * chunk_tokens
    covered = {at for piece in found.chunks for at in range(piece.char_start, piece.char_end)}
    assert all(text[at].isspace() for at in set(range(len(text))) - covered)


def run_of(script: Script, length: int) -> str:
    """Its letters and marks alone, over and over."""
    run = "".join(one for one in script.text if one.isalpha() or unicodedata.category(one)[0] == "M")
    return run * (length // len(run) + 1)


def cut(text: str) -> ChunkedDocument:
    tokens = split_long(EMBEDDER.tokenize(text), text)
    document = Document(text, "", "text/plain", "und")
    return chunk(document, tokens, chunk_tokens=64, overlap=8, window_tokens=32)


@each
def test_thousands_of_characters_without_a_space_or_a_stop_are_cut(script: Script) -> None:
    text = run_of(script, 20_000)
    sentences = split_sentences(text)
    assert max(b - a for a, b in sentences) <= MAX_SENTENCE_CHARS
    assert not any(is_torn_at(text, at) for span in sentences for at in span)
    assert len(terms(text)) < 3 * len(text)
    assert max(one.char_end - one.char_start for one in cut(text).chunks) <= CHARS_A_TOKEN * 64


@pytest.mark.parametrize(
    "script", [one for one in SCRIPTS if one.language in ("ja", "th", "ar")], ids=["ja", "ar", "th"]
)
@pytest.mark.parametrize("work", [split_sentences, terms, cut])
def test_and_their_time_grows_with_their_number(script: Script, work: Callable[[str], object]) -> None:
    assert_linear(lambda size: partial(work, run_of(script, size)), 2_000)


@each
def test_the_language_is_other_than_the_two(script: Script) -> None:
    for text in (script.text, *(question for question, _ in script.questions)):
        assert is_other(text), text
        assert not is_chinese(text), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("优の良品专卖店在哪里？", True),
        ("入場料はいくらですか。", False),
        ("約翰・史密斯是誰？", True),
    ],
)
def test_kana_make_a_text_japanese(text: str, expected: bool) -> None:
    assert is_chinese(text) == expected
