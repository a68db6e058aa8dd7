"""Hits read as units: what each is, and what stands around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.generation.units import Surroundings, blocks_of, items_of, read_units
from app.stored_markdown import (
    Kind,
    begins_in_block,
    begins_in_table,
    ends_in_block,
    find_header,
    split_record,
)
from tests.hits import hits_of

PAGE = """# Codes

Intro; it goes on: see below.

| Code | Meaning |
|---|---|
| E-1 | Broken |
| E-2 | Wet |

- one
- two

````md
```sh
lists = 100
```
````

After the code.
"""


def kinds(text: str) -> list[tuple[Kind, str]]:
    return [(unit.kind, unit.text) for unit in read_units(hits_of(text))]


def test_kinds_of_units() -> None:
    """F-603: what stands in the outer fence is code; F-605: a statement goes on after a semicolon."""
    assert kinds(PAGE) == [
        (Kind.HEADING, "# Codes"),
        (Kind.PROSE, "Intro; it goes on: see below."),
        (Kind.HEADER, "| Code | Meaning |"),
        (Kind.HEADER, "|---|---|"),
        (Kind.ROW, "| E-1 | Broken |"),
        (Kind.ROW, "| E-2 | Wet |"),
        (Kind.ITEM, "- one"),
        (Kind.ITEM, "- two"),
        (Kind.CODE, "```sh\nlists = 100\n```"),
        (Kind.PROSE, "After the code."),
    ]


def test_a_fence_that_is_never_closed_leaves_the_text_before_it_prose() -> None:
    """F-603: a document does not begin inside code; a later chunk may, where its fences leave one open."""
    text = "Set it so:\n\n```\nlists = 100\n```\n\nThen restart.\n\n```\nrestart\n"
    assert kinds(text)[0] == (Kind.PROSE, "Set it so:")
    assert (Kind.CODE, "lists = 100") in kinds(text)
    later = "lists = 100\n```\n\nThen restart.\n"
    hit = replace(hits_of(later)[0], char_start=50, char_end=50 + len(later))
    hit = replace(hit, sentences=tuple((at + 50, to + 50) for at, to in hits_of(later)[0].sentences))
    assert [(unit.kind, unit.text) for unit in read_units([hit])] == [
        (Kind.CODE, "lists = 100"),
        (Kind.PROSE, "Then restart."),
    ]


def test_chinese_semicolons_do_not_end_a_statement() -> None:
    """F-605."""
    assert kinds("密钥过期时返回401；权限不足时返回403。") == [
        (Kind.PROSE, "密钥过期时返回401；权限不足时返回403。")
    ]


def test_a_row_knows_its_header_title_and_heading() -> None:
    """F-701."""
    row = next(unit for unit in read_units(hits_of(PAGE)) if unit.kind is Kind.ROW)
    assert (row.names, row.cells) == (("Code", "Meaning"), ("E-1", "Broken"))
    assert row.header is not None
    assert row.header.span.quote == "| Code | Meaning |"
    assert {"code", "mean"} <= row.around
    assert {"e1", "broken"} <= row.own


def test_a_chunk_that_begins_inside_a_table_gets_its_header_from_before() -> None:
    """F-701."""
    before = "Text.\n\n| Name | Desk |\n|---|---|\n| Ada | 1 |\n"
    header = find_header(before, 100)
    assert header is not None
    assert (header.cells, header.span.char_start) == (("Name", "Desk"), 107)
    assert find_header("| a | b |\n\nText.\n", 0) is None
    assert begins_in_table("| Bob | 2 |\n| Cid | 3 |\n")
    assert not begins_in_table("| Name | Desk |\n|---|---|\n")
    hit = hits_of("| Bob | 2 |\n| Cid | 3 |\n")[0]
    rows = read_units([hit], {hit.chunk_id: Surroundings("", header)})
    assert [(row.names, row.cells) for row in rows] == [
        (("Name", "Desk"), ("Bob", "2")),
        (("Name", "Desk"), ("Cid", "3")),
    ]


def test_rows_that_are_written_as_items() -> None:
    assert split_record("- SKU: GW-7 | Price: 640.00") == (("SKU", "Price"), ("GW-7", "640.00"))
    assert split_record("- a sentence | with a bar") is None


def headings(text: str) -> list[tuple[str, str]]:
    """The text and the heading of what may answer."""
    return [(unit.text, unit.heading) for unit in read_units(hits_of(text)) if unit.is_answer]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (
            "# FAQ\n\n**Can I park?**\nYes. It costs 2 EUR.\n\n**How long?**\n\nTwo hours.\n",
            [("Yes.", "Can I park?"), ("It costs 2 EUR.", "Can I park?"), ("Two hours.", "How long?")],
        ),
        (
            "# FAQ\n\nQ: Can I park?\nA: Yes.\n\n## Rest\n\nText.\n",
            [("A: Yes.", "Can I park?"), ("Text.", "Rest")],
        ),
        ("# 常见问题\n\n问：可以停车吗？\n答：可以。\n", [("答：可以。", "可以停车吗？")]),
        (
            "# 常見問題\n\n1. 可以停車嗎？\n可以。\n\n2. 停多久？\n兩小時。\n",
            [("可以。", "可以停車嗎？"), ("兩小時。", "停多久？")],
        ),
        (
            "# Pump\n\n**Cause.**\n\n- dust\n\n**Remedy.**\n\n- clean\n",
            [("- dust", "Cause."), ("- clean", "Remedy.")],
        ),
        (
            "# Check\n\n- Is it dry?\n- Is it shut?\n\nStart.\n",
            [("- Is it dry?", "Check"), ("- Is it shut?", "Check"), ("Start.", "Check")],
        ),
        ("# Pump\n\n**It** is red. Look.\n", [("**It** is red.", "Pump"), ("Look.", "Pump")]),
    ],
)
def test_bold_lines_and_questions_are_headings_of_what_follows(
    page: str, expected: list[tuple[str, str]]
) -> None:
    """F-711: what stands below a question answers it; a list of questions alone is a list."""
    assert headings(page) == expected


STEPS = (
    "# Steps\n\n1. Stop it. Wait a minute.\n   Then look.\n"
    "2. Open it.\n\n   Check the seal.\n3. Close it.\n\nDone.\n"
)


def test_sentences_and_paragraphs_of_an_item_belong_to_it() -> None:
    """F-712: an indented paragraph does not end a list of steps."""
    (block,) = blocks_of(read_units(hits_of(STEPS)))
    assert [[unit.text for unit in item] for item in items_of(block)] == [
        ["1. Stop it.", "Wait a minute.", "Then look."],
        ["2. Open it.", "Check the seal."],
        ["3. Close it."],
    ]
    assert [unit.continues for unit in block] == [False, True, True, False, True, False]


@pytest.mark.parametrize("indent", ["   ", ""])
def test_code_between_numbered_steps_belongs_to_them(indent: str) -> None:
    """F-712: a list of steps goes on after what is to be typed."""
    fence = f"{indent}```sh\n{indent}agent up\n{indent}```\n"
    page = f"# Steps\n\n1. Start it:\n\n{fence}\n2. Look.\n\n   It is green.\n\n{fence}\n3. Go.\n\nDone.\n"
    (block,) = blocks_of(read_units(hits_of(page)))
    assert [[unit.text.strip() for unit in item] for item in items_of(block)] == [
        ["1. Start it:", "agent up"],
        ["2. Look.", "It is green.", "agent up"],
        ["3. Go."],
    ]


def test_code_after_a_list_without_numbers_is_its_own() -> None:
    units = read_units(hits_of("- one\n- two\n\n```sh\nagent up\n```\n\n- three\n"))
    assert [len(block) for block in blocks_of(units)] == [2, 1]
    assert not any(unit.continues for unit in units)


def test_blocks_are_the_rows_of_a_table_and_the_items_of_a_list() -> None:
    page = "- one\n- two\n\n- three\n\nText.\n\n- four\n\n| a |\n|---|\n| 1 |\n| 2 |\n\n| b |\n|---|\n| 3 |\n"
    assert [[unit.text for unit in block] for block in blocks_of(read_units(hits_of(page)))] == [
        ["- one", "- two", "- three"],
        ["- four"],
        ["| 1 |", "| 2 |"],
        ["| 3 |"],
    ]


def test_a_list_over_the_border_of_a_chunk_is_one_block() -> None:
    """F-711: so is a table whose rows have their header from before; not where a chunk between is missing."""
    for page in (
        "# L\n\n" + "".join(f"- item number {n} of the list\n" for n in range(30)),
        "# T\n\n| Name | Desk |\n|---|---|\n" + "".join(f"| Person {n} | {n} |\n" for n in range(30)),
    ):
        hits = hits_of(page, chunk_tokens=64)
        assert len(hits) > 2
        header = next((unit.header for unit in read_units(hits[:1]) if unit.header), None)
        known = {hit.chunk_id: Surroundings("", header) for hit in hits}
        assert [len(block) for block in blocks_of(read_units(hits, known))] == [30]
        assert len(blocks_of(read_units([hits[0], *hits[2:]], known))) == 2


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("| a | b |\n", True, True),
        ("- x\n- y\n", True, True),
        ("Text.\n\n- x\n", False, True),
        ("- x\n\nText.", True, False),
        ("1. x\n   more", True, True),
        ("# H\n\n一、甲", False, True),
        ("第一步 打开。", True, True),
        ("Text:\n- x\n- y", False, True),
        ("2. Open it.\n\n   Check the seal.\n\n   ```sh\n   x\n   ```\n", True, True),
        ("2. Run:\n\n```sh\nx\n```\n", True, True),
        ("Run:\n\n```sh\nx\n```\n", False, False),
        ("Text.", False, False),
        ("", False, False),
    ],
)
def test_chunks_that_begin_or_end_in_a_block(text: str, begins: bool, ends: bool) -> None:
    assert (begins_in_block(text), ends_in_block(text)) == (begins, ends)
