"""Tokenizing by words gives what the tokenizer gives, for every text; and remembers no more than it should."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from app.encoders import word_tokenizer
from app.encoders.model_folder import find_model
from app.encoders.word_tokenizer import WordTokenizer, splits_into_words

CORPUS = Path(__file__).parents[2] / "corpus"


@cache
def tokenizer() -> Tokenizer:
    """The bundled model's, without truncation and padding."""
    made = Tokenizer.from_file(str(find_model(None) / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


def check(by_words: WordTokenizer, text: str) -> None:
    """The same ids and offsets as the tokenizer's, as int32."""
    expected = tokenizer().encode(text, add_special_tokens=False)
    ids, offsets = by_words.encode(text)
    assert ids.dtype == offsets.dtype == np.int32
    assert ids.tolist() == expected.ids
    assert list(map(tuple, offsets.tolist())) == expected.offsets


# what BERT removes, splits off or folds, beside plain words and any character at all
ODD = (
    "\x00\x0b\x1c\x1f\x7f\x85\u00a0\u00ad\u0301\u200b\u200d\u2028\u3000\ufeff\ufffdéÉẞıİﬁ㍿"
    "字列，。𠀀豈か한ก้ि👩🏽‍💻_-'’…[]#"
)
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["lists", "Lists", "1,000", " ", "\n", "\t", "\r\n", "[MASK]", "[unk]", "字", "[SEP]x"]
        ),
        st.text(st.sampled_from(ODD), max_size=4),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    ),
    max_size=30,
).map("".join)


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_words_have_the_tokens_of_the_text(texts: list[str]) -> None:
    by_words = WordTokenizer(tokenizer())
    for text in texts:  # the later ones hold words that are known by then
        check(by_words, text)


def test_the_handbook_has_the_same_tokens() -> None:
    by_words = WordTokenizer(tokenizer())
    for file in sorted(CORPUS.rglob("*.md"))[::5]:
        check(by_words, file.read_text("utf-8"))


@pytest.mark.parametrize("text", ["", " \n", "x" * 300, "\u200b", "字" * 300])
def test_texts_without_words_or_with_long_ones(text: str) -> None:
    check(WordTokenizer(tokenizer()), text)


def test_words_are_forgotten_once_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_tokenizer, "MOST_WORDS", 20)
    by_words = WordTokenizer(tokenizer())
    for start in range(0, 100, 7):
        check(by_words, " ".join(f"word{number}" for number in range(start, start + 14)))
        assert len(by_words._places) <= 20


def changed(**parts: Any) -> Tokenizer:
    """The bundled model's tokenizer with other parts."""
    return Tokenizer.from_str(json.dumps(json.loads(tokenizer().to_str()) | parts))


def test_tokenizers_that_split_otherwise_are_left_alone() -> None:
    assert splits_into_words(tokenizer())
    bert = json.loads(tokenizer().to_str())
    assert not splits_into_words(changed(pre_tokenizer={"type": "WhitespaceSplit"}))
    assert not splits_into_words(changed(normalizer=None))
    assert not splits_into_words(changed(normalizer=bert["normalizer"] | {"handle_chinese_chars": False}))
    greedy = [*bert["added_tokens"][:-1], bert["added_tokens"][-1] | {"lstrip": True}]
    assert not splits_into_words(changed(added_tokens=greedy))
    spaced = [*bert["added_tokens"], bert["added_tokens"][-1] | {"id": 30_522, "content": "two words"}]
    assert not splits_into_words(changed(added_tokens=spaced))
