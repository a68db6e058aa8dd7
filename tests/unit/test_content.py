"""What a question is about, without the words that only ask."""

from __future__ import annotations

import pytest
from opencc import OpenCC

from app.lexicon import terms
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


TO_TRADITIONAL = OpenCC("s2t")
TOPICS = [
    "年会", "周会", "例会", "工会", "机会", "董事会", "功能", "性能", "产能", "摘要", "纪要", "库存", "公共", "国有",
    "行为", "心得",
    "归还", "茶几", "几何", "网吧", "喇嘛", "说明书", "介绍信", "感谢信", "麻烦事", "年终总结", "自我评价",
]  # fmt: skip


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    "asked",
    [
        "{}什么时候开始？",
        "{}有哪些？",
        "{}多少钱？",
        "{}是什么？",
        "请问{}在哪里",
        "公司有几个{}？",
        "{}由谁负责",
    ],
)
def test_a_chinese_word_is_not_cut_by_one_that_asks(topic: str, asked: str) -> None:
    """F-731: the 会 of 年会 stood before 什么时候 and was taken for "will"."""
    wanted = set(terms(topic))
    assert wanted <= set(read_question(asked.format(topic)).terms)
    traditional = str(TO_TRADITIONAL.convert(asked.format(topic)))
    assert wanted <= set(read_question(traditional).terms)


@pytest.mark.parametrize(
    "topic", ["样品", "用户", "算法", "办理", "天气", "人工", "时区", "点心", "年金", "处理器", "回执"]
)
@pytest.mark.parametrize("asked", ["哪些{}可以用", "什么{}", "如何申请{}", "是否有{}", "为什么{}"])
def test_a_chinese_word_behind_one_that_asks_is_not_cut(topic: str, asked: str) -> None:
    """F-731."""
    assert topic in read_question(asked.format(topic)).terms


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("会议室在第几层", ("会议室", "会议", "议室")),
        ("打印机在哪栋楼？", ("打印机", "打印", "印机", "楼")),
        ("合同由谁来审批", ("合同", "审批")),
        ("仓库共有几台叉车", ("仓库", "叉车")),
        ("总结考勤", ("考勤",)),
        ("請把考勤總結一下", ("考勤",)),
    ],
)
def test_what_counts_and_tells_a_task_in_chinese_is_no_content(question: str, found: tuple[str, ...]) -> None:
    """F-722, F-731."""
    assert read_question(question).terms == found


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("Which US states are covered?", "us"),
        ("How do I travel to the us?", "us"),
        ("Are we closed in May?", "may"),
        ("are we closed in may", "may"),
        ("What is the mean delivery time?", "mean"),
        ("Hello Kitty prices?", "hello"),
        ("Where are the thank you letters?", "thank"),
        ("Is the handbook available in German?", "german"),
        ("Which rooms come with a table?", "tabl"),
    ],
)
def test_a_word_that_may_ask_stays_where_it_is_a_thing(question: str, term: str) -> None:
    """F-722."""
    assert term in read_question(question).terms


def test_a_day_in_may_keeps_its_date() -> None:
    assert "@2026-05-04" in read_question("What closes on 4 May 2026?").terms


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("May I smoke on the roof?", "may"),
        ("What does the red light mean?", "mean"),
        ("Explain shifts with a table and in German", "german"),
        ("Can you tell us whether it is locked?", "whether"),
    ],
)
def test_a_word_that_asks_is_no_content(question: str, term: str) -> None:
    """F-722."""
    assert term not in read_question(question).terms


def test_capitals_change_nothing() -> None:
    """F-721."""
    question = "What is Priya Natarajan's phone number?"
    assert read_question(question.upper()).terms == read_question(question).terms
