"""ingest.lead: a document's title and description go into the search where its first words do not say them."""

from __future__ import annotations

import pytest

from app.domain import Document
from ingest.lead import lead_of
from ingest.parsers import parse


def lead(title: str, text: str) -> str:
    return lead_of(Document(text, title, "text/markdown", "en"), text)


def test_a_title_that_the_text_does_not_begin_with() -> None:
    """F-1109: the title of a front matter was in no search."""
    text = (
        b"---\ntitle: Rotating the webhook secret\ndescription: Nightly dumps are kept for thirty days.\n---\n\n"
        b"This happens.\n"
    )
    document = parse(text, "text/markdown", "docs/page.md")
    assert lead_of(document, document.text) == "Rotating the webhook secret"
    assert document.text == "Nightly dumps are kept for thirty days.\n\nThis happens.\n"


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("Rotating secrets", "# Rotating secrets\n\nText.", ""),
        ("Rotating secrets", "How secrets are rotated.", ""),  # the same terms
        ("报销制度", "员工应在三十天内提交。", "报销制度"),
        ("expense_policy-2026", "Text.", "expense policy 2026"),  # a file's name
        ("Microsoft Word - x", "Text.", ""),
        ("0000909832-23", "Text.", ""),
        ("page", "Text.", "page"),
    ],
)
def test_what_is_put_before_the_text(title: str, text: str, expected: str) -> None:
    assert lead(title, text) == expected


def test_a_description_is_the_first_paragraph() -> None:
    """F-1109: a description of the front matter was lost to search, and could not be quoted."""
    for name in ("description", "summary"):
        document = parse(
            f"---\n{name}: '# Kept for thirty days.'\n---\n\n# Dumps\n\nText.\n".encode(),
            "text/markdown",
            "a.md",
        )
        assert document.text == "\\# Kept for thirty days.\n\n# Dumps\n\nText.\n"
        assert document.title == "Dumps"
    known = b"---\ndescription: Kept for thirty days.\n---\n\nDumps. Kept for\nthirty days.\n"
    assert parse(known, "text/markdown", "a.md").text == "Dumps. Kept for\nthirty days.\n"


def test_data_is_replaced_and_counted() -> None:
    """F-1120: a picture in base64 was the text of a page, and nothing counted it."""
    data = "iVBORw0KGgoAAAANSUhEUgAAi" * 100
    document = parse(
        f"# Page\n\n![img](data:image/png;base64,{data})\n\nEnd.\n".encode(), "text/markdown", "a.md"
    )
    assert document.text == "# Page\n\n![img](data:image/png…)\n\nEnd.\n"
    assert document.dropped == {"data": len(f";base64,{data}") - 1}
    key = parse(f"Key {data}.".encode(), "text/plain", "a.txt")
    assert key.text == f"Key {data[:16]}…."
    long_words = f"{'x' * 1_000} {'12345' * 100} {'-' * 400}"
    assert parse(long_words.encode(), "text/plain", "a.txt").text == long_words
