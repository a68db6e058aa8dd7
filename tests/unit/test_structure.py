"""What the sentences of a chunk are, also where a chunk begins in the middle of something."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.generation.structure import Kind, letters, sentence_roles
from app.sentences import split_sentences
from tests.hits import hits_of

PAGE = """# Backups

Intro of the page.

## How do I back up?

Use `pg_dump`. It is safe.

```sh
pg_dump --format=custom db
```

Then copy the file.

| option | meaning |
|---|---|
| --jobs | how many |

- one item

***
"""


def kinds(text: str) -> list[tuple[str, Kind]]:
    hit = hits_of(text)[0]
    roles = sentence_roles(hit)
    quotes = [hit.text[a - hit.char_start : b - hit.char_start] for a, b in hit.sentences]
    return [(quote, role.kind) for quote, role in zip(quotes, roles, strict=True)]


def test_tells_prose_from_headings_tables_and_code() -> None:
    found = kinds(PAGE)
    assert [quote for quote, kind in found if kind is Kind.PROSE] == [
        "Intro of the page.",
        "Use `pg_dump`.",
        "It is safe.",
        "Then copy the file.",
        "- one item",
    ]
    assert [quote for quote, kind in found if kind is Kind.HEADING] == ["# Backups", "## How do I back up?"]
    assert [quote for quote, kind in found if kind is Kind.TABLE][:1] == ["| option | meaning |"]
    code = [quote for quote, kind in found if kind is Kind.CODE]
    assert "pg_dump --format=custom db" in code
    assert any(quote.startswith("```") for quote in code)


def test_the_first_prose_below_a_heading_is_the_lead() -> None:
    hit = hits_of(PAGE)[0]
    leads = [
        (hit.text[a - hit.char_start : b - hit.char_start], role.heading)
        for (a, b), role in zip(hit.sentences, sentence_roles(hit), strict=True)
        if role.is_lead
    ]
    assert leads == [("Intro of the page.", "Backups"), ("Use `pg_dump`.", "How do I back up?")]


def test_prose_after_code_right_below_the_heading_is_still_the_lead() -> None:
    hit = hits_of("## Run it\n\n```\nmake demo\n```\n\nThat is all. Really.\n")[0]
    leads = [a for (a, _), role in zip(hit.sentences, sentence_roles(hit), strict=True) if role.is_lead]
    assert [hit.text[a:].startswith("That is all.") for a in leads] == [True]


def test_a_chunk_that_starts_after_its_heading_has_no_lead() -> None:
    whole = hits_of("## A heading\n\nFirst one. Second one.\n")[0]
    start = whole.text.index("Second")
    cut = replace(
        whole, char_start=start, text=whole.text[start:], sentences=((start, start + len("Second one.")),)
    )
    assert [(role.heading, role.is_lead) for role in sentence_roles(cut)] == [("A heading", False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("make test\n```\nProse.", [Kind.CODE, Kind.CODE, Kind.PROSE]),  # cut inside code
        ("Prose.\n```sh\nmake test", [Kind.PROSE, Kind.CODE, Kind.CODE]),  # code goes on in the next chunk
        ("```\na\n```\nProse.\n~~~\nb\n~~~", [Kind.CODE] * 3 + [Kind.PROSE] + [Kind.CODE] * 3),
        ("![logo](a.png)\n\n[1]: http://a.b", [Kind.CODE, Kind.CODE]),
    ],
)
def test_code_is_known_by_its_fences(text: str, expected: list[Kind]) -> None:
    hit = replace(
        hits_of("x")[0],
        text=text,
        char_end=len(text),
        places=(),
        sentences=tuple(
            (start, start + len(line))
            for line, start in zip(text.split("\n"), _line_starts(text), strict=True)
            if line
        ),
    )
    assert [role.kind for role in sentence_roles(hit)] == expected


def _line_starts(text: str) -> list[int]:
    return [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]


def test_a_line_that_is_its_heading_is_a_heading_without_marks() -> None:
    """PDFs and plain text have headings without "#"."""
    document = hits_of("# Safety first\n\nWear gloves.\n")[0]
    plain = document.text.replace("# ", "")
    hit = replace(document, text=plain, char_end=len(plain), sentences=tuple(split_sentences(plain)))
    assert [role.kind for role in sentence_roles(hit)] == [Kind.HEADING, Kind.PROSE]


@given(st.text(alphabet=st.sampled_from("`~#|-*_ \na。字"), max_size=80))
def test_every_sentence_has_a_role(text: str) -> None:
    spans = tuple(split_sentences(text))
    hit = replace(hits_of("x")[0], text=text, char_end=len(text), places=(), sentences=spans)
    assert len(sentence_roles(hit)) == len(spans)


@given(st.text())
def test_letters_ignore_case_blanks_and_marks(text: str) -> None:
    assert letters(f" {text} … ") == letters(text)
    assert letters("How, _many_?") == letters("HOW MANY")
