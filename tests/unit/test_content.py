"""What a question is about, without the words that only ask."""

from __future__ import annotations

import pytest

from app.question.content import read_question


@pytest.mark.parametrize(
    "question",
    ["婚假几天？", "婚假多少天？", "婚假多长时间？", "请问婚假有几天", "婚假是多久？", "婚假幾天？"],
)
def test_chinese_question_words_are_no_content(question: str) -> None:
    """F-731."""
    assert read_question(question).terms == ("婚假",)


@pytest.mark.parametrize(
    ("question", "codes"),
    [
        ("What does error E-107 mean?", ("e107",)),
        ("E107是什么意思？", ("e107",)),
        ("What's new in v2.4.0?", ("2.4.0",)),
        ("What is DEFAULT_TIMEOUT_S?", ("default_timeout_s",)),
        ("Is it open at 10am on the 3rd, with 500GB?", ()),
        ("What is in lx-300-manual.md?", ()),
        ("How much is 3.5 times 4?", ()),
    ],
)
def test_codes_are_named_whole(question: str, codes: tuple[str, ...]) -> None:
    """F-773, F-774."""
    assert read_question(question).codes == codes


def test_parts_of_codes_and_chance_pairs_are_told_apart() -> None:
    asked = read_question("What is the price of the LX-200-A?")
    assert {"lx", "200", "lx200"} <= asked.parts
    assert read_question("手机丢了怎么办？").chance_pairs == {"机丢"}


def test_names_are_capitalised_words_inside_a_sentence() -> None:
    assert read_question("What is the hotel limit in France?").names == {"franc"}
    assert read_question("WHAT IS THE LIMIT IN FRANCE").names == frozenset()


def test_a_question_of_asking_words_alone_keeps_its_terms() -> None:
    assert read_question("What can I get?").terms
