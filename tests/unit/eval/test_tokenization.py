from __future__ import annotations

import pytest
import rjieba
from hypothesis import given
from hypothesis import strategies as st

from eval.tokenization import answer_tokens, count_words, normalise, normalise_answer, phrase_tokens, words


@given(st.text())
def test_punctuation_and_blanks_do_not_count(text: str) -> None:
    assert normalise(f"  “{text}!。”\t") == normalise(text)
    assert "  " not in normalise(text)


def test_what_can_not_be_seen_does_not_count() -> None:
    assert normalise("zero\u200bwidth") == "zerowidth"
    assert phrase_tokens("zero\u200bwidth") == ["zerowidth"]


def test_full_width_forms_equal_ascii() -> None:
    assert normalise("ＡＢＣ１２３") == "abc123"


def test_articles_go_only_as_whole_words() -> None:
    assert normalise_answer("An answer to the theory: a") == "answer to theory"


@pytest.mark.parametrize("text", ["陆羽写了茶经", "如何选择分块大小"])
def test_han_words_are_rjiebas(text: str) -> None:
    assert words(text) == rjieba.cut(text)
    assert answer_tokens(text) == list(text)


def test_mixed_text_keeps_latin_words_whole() -> None:
    assert words("在PostgreSQL里使用Ogród") == ["在", "postgresql", "里", "使用", "ogród"]
    assert answer_tokens("GPT4模型") == ["gpt4", "模", "型"]


def test_count_words_of_plain_english_is_the_number_of_blank_separated_words() -> None:
    text = "Bigger chunks hit more easily, so report the mean words per chunk."
    assert count_words(text) == len(text.split()) == 12


def test_rare_han_characters_count() -> None:
    assert count_words("\U00020000\U00030000㐀") == 3
