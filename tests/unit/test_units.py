"""Hits read as units: what each is, and what stands around it."""

from __future__ import annotations

from dataclasses import replace

from app.generation.units import Kind, Surroundings, begins_in_table, find_header, read_units, split_record
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
