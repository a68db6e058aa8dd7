"""app.sentences: spans are exact and complete, and ordinary English and Chinese is cut where a reader would."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sentences import MAX_QUOTE_CHARS, split_sentences
from tests.growth import assert_linear

FRAGMENTS = st.sampled_from(
    [
        "Dr. Smith",
        " went home.",
        "\n",
        "\n\n",
        " ",
        "\u3000",
        "\t",
        "e.g.",
        "?",
        "!",
        "...",
        "…",
        "……",
        "3.14",
        "U.S.",
        "。",
        "！",
        "？",
        "；",
        "，",
        "「",
        "」",
        "“",
        "”",
        "’",
        "（",
        "）",
        "《",
        "》",
        "你好",
        "他说",
        '"',
        "'",
        "# ",
        "- ",
        "1. ",
        "| a | b |",
        "```",
        "~~~",
        "---",
        "https://a.b/c?d=1.",
        "x" * 150,
        "\x1c",
        "\u2028",
        "\x85",
        "😀",
    ]
)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(FRAGMENTS, max_size=40).map("".join)))
def test_spans_are_ordered_disjoint_trimmed_and_cover_every_character(text: str) -> None:
    covered = 0
    for start, end in split_sentences(text):
        assert covered <= start < end <= len(text)
        assert not text[covered:start].strip()
        assert text[start:end] == text[start:end].strip()
        covered = end
    assert not text[covered:].strip()


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith met Mrs. Jones in the U.S. Army.", "They left."],
        ["Use a small value, e.g. 3.14, or more.", "Then measure."],
        ["See https://example.com/a.html?q=1.", "Then go on."],
        ['"Really?" he said.', '"I did."', "Then he left."],
        ["Wait... what?", "The end."],
        ["It was late (very late).", "(Nobody came.)", "Fine."],
        ["Version 1.2.3 is out.", "Is it good?", "Yes!"],
    ],
)
def test_english(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["今天下雨。", "你带伞了吗？", "带了！"],
        ["他说：“你好。我走了。”", "然后他走了。"],
        ["「真的吗？」", "她问。"],
        ["他（真的吗？）去了北京，《怎么办？》是一部小说。", "（见下文。）", "完了！！"],
        ["我等了很久……", "没有人来。"],
        ["他说：“走吧。”，又停下了。"],
        ["第一点；", "第二点。"],
        ["好吗?", "不好!", "圆周率是3.14，版本是 v1.2。"],
        ["参见 https://example.com/a?b=1。", "完。"],
    ],
)
def test_chinese(expected: list[str]) -> None:
    assert sentences("".join(expected)) == expected


def test_mixed_text() -> None:
    text = "使用 pgvector。It works well. 很好！OK? 是的。See Dr. Wang. Bye."
    assert sentences(text) == [
        "使用 pgvector。",
        "It works well.",
        "很好！",
        "OK?",
        "是的。",
        "See Dr. Wang.",
        "Bye.",
    ]


def test_a_long_quotation_is_cut_inside() -> None:
    sentence = "这是很长的一句话。"
    text = "他说：“" + sentence * (MAX_QUOTE_CHARS // len(sentence) + 1) + "”"
    assert len(sentences(text)) > 10
    assert len(sentences("他说：“" + sentence * 3 + "”完。")) == 2


def test_an_opening_quote_that_is_never_closed_cuts_as_usual() -> None:
    assert sentences("他说：“你好。我走了。然后") == ["他说：“你好。", "我走了。", "然后"]


def test_lines_that_no_sentence_crosses() -> None:
    text = """# A title. With a stop
First sentence wraps
over a line. Second one

No stop here

- item one has. Two sentences.
- item two
  continues here
1. numbered
| a. B | c |
|------|---|
Setext
======
```python
x = 1. Y

# y
```
After the code.
"""
    assert sentences(text) == [
        "# A title. With a stop", "First sentence wraps\nover a line.", "Second one", "No stop here",
        "- item one has.", "Two sentences.", "- item two\n  continues here", "1. numbered",
        "| a. B | c |", "|------|---|", "Setext", "======", "```python", "x = 1. Y", "# y", "```", "After the code.",
    ]  # fmt: skip


def test_chinese_list_items_start_a_sentence_and_keep_their_marker() -> None:
    assert sentences("一、概述\n（一）背景。目的\n1、范围") == ["一、概述", "（一）背景。", "目的", "1、范围"]


def test_a_shorter_fence_does_not_close_a_longer_one() -> None:
    assert sentences("````\n```\na. B\n````\nOut. In.") == ["````", "```", "a. B", "````", "Out.", "In."]


@pytest.mark.parametrize(
    "unit", ["a", "!", "'.", "A! ", "“", "“。", "。a", "……，", "\n", "```\n", "- ", "|", "你好。", "a. "]
)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    assert_linear(lambda size: partial(split_sentences, unit * (size // len(unit))), 8_000)


def test_reference_marks_belong_to_the_sentence_before() -> None:
    text = "Ducks live everywhere.[4] [5] Several species dive.[6]\n他们会飞。[7]它们也潜水。"
    assert [text[a:b] for a, b in split_sentences(text)] == [
        "Ducks live everywhere.[4] [5]",
        "Several species dive.[6]",
        "他们会飞。[7]",
        "它们也潜水。",
    ]


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in split_sentences(text)]


@pytest.mark.parametrize(
    "lines",
    [
        ["Owner: People team", "Version: 2.1", "Applies to: All staff"],
        ["**Owner:** People team", "**Valid from:** 2025-01-01", "__Place__: Hall 3"],
        ["负责人：张三", "版本：2.1", "適用範圍：全體員工"],
        ["**联系电话：** 021-64330000", "**地址**：南京路5号"],
        ["Address: Main Street 5", "Open: Monday, Tuesday"],
    ],
)
def test_lines_of_a_form_are_sentences(lines: list[str]) -> None:
    """F-712: a value is quoted with its own name, not with the whole form."""
    assert split("\n".join(lines) + "\n") == lines


@pytest.mark.parametrize(
    "text",
    [
        "He said: this is good and\nit goes on: all is well\nand more.",
        "The rule is this: all staff must wear\nshoes: red ones in winter and\nblue ones in summer.",
        "We have three parts: A,\nB: the second one, and\nC.",
        "Berlin: the capital of Germany\nis a big city.",
        "Delivery: within\n5 days: see below\nand the terms.",
        "本规则适用于以下人员：员工，\n须遵守：冬天穿红色，夏天穿黑色。",
    ],
)
def test_prose_with_colons_that_is_wrapped_is_not_cut(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("**Stop the pump.** Then wait.", ["**Stop the pump.**", "Then wait."]),
        ("__Stop the pump.__\nThen wait.", ["__Stop the pump.__", "Then wait."]),
        ("Use *gloves.* They are here.", ["Use *gloves.*", "They are here."]),
        ("**Safety first**\nUse gloves.", ["**Safety first**", "Use gloves."]),
        ("**请立即停机。**然后断电。", ["**请立即停机。**", "然后断电。"]),
        ("请**停机。再断电。**然后等待。", ["请**停机。", "再断电。**", "然后等待。"]),
        ("停机。**断电**：拔插头。等待。", ["停机。", "**断电**：拔插头。", "等待。"]),
    ],
)
def test_closing_marks_stay_with_what_is_bold(text: str, sentences: list[str]) -> None:
    """Before Chinese no space tells whether marks close or open."""
    assert split(text) == sentences
