"""Numbers that name one of several things, and numbers that count."""

from __future__ import annotations

import pytest

from app.question.numbered import numbered_by_hao, numbered_things


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("What does error 503 mean?", {"503"}),
        ("When is the HSK 2 exam?", {"2"}),
        ("Who sits in room 14 on floor 3?", {"14", "3"}),
        ("What does ISO 9001 ask for?", {"9001"}),
        ("What is in section #4?", {"4"}),
        ("第3条说什么？", {"3"}),
        ("第 12 步怎麼做？", {"12"}),
        ("错误 503 是什么？", {"503"}),
        ("房間205在哪裡？", {"205"}),
    ],
)
def test_numbers_that_name_a_thing(question: str, numbers: set[str]) -> None:
    assert numbered_things(question) == numbers


@pytest.mark.parametrize(
    "question",
    [
        *("Does the GW-7 cost less than EUR 100?", "What is 5% of 20?", "How many pages in 30 minutes?"),
        *("Who was hired in 2025?", "What happens after 6 years?", "Is version 2.4.1 supported?"),
        *(
            "Do I get level 3 days?",
            "What costs USD 50?",
            "Who needs a class 24 hours a day?",
            "AM 9 or PM 5?",
        ),
        *(
            "工龄6年有几天假？",
            "100元以下的有哪些？",
            "等级3天内会变吗？",
            "2025年第一季度",
            "错误率5%是多少？",
            "",
        ),
    ],
)
def test_numbers_that_count(question: str) -> None:
    assert numbered_things(question) == frozenset()


def test_numbers_before_hao_that_are_part_of_a_name() -> None:
    for question, number in (
        ("3号水泵的容量是多少升？", "3"),
        ("12號線幾點開？", "12"),
        ("5号楼在哪里？", "5"),
    ):
        assert numbered_by_hao(question) == {number}
    for day in ("5月3号放假吗？", "3号放假吗？", "3号之前交吗？", "12号上午有会吗？", "3号是星期几？"):
        assert numbered_by_hao(day) == frozenset()
