"""Stored texts, in parts: what is read of a text costs its own length, wherever it stands in the document.

A text as one value is unpacked from its beginning to the place that is wanted: 468 pages for a hit near the end of 8
million characters. Parts of PART_CHARS code points are found by their number, and never leave their page: 2,000 code
points have at most 8,000 bytes. Every statement that reads a text does it by an expression of this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

PART_CHARS: Final = (
    2_000  # code points; migration 0007 has the same number, and another one needs a migration
)

# Of a WITH, after `stored` (id) of `collection`: its text becomes `parts`, cut_text's list. Parts that are the same are
# not written.
WRITE_TEXT: Final = """
written AS (
    INSERT INTO pgask.document_texts AS part (collection_id, document_id, part, text)
    SELECT %(collection)s, stored.id, new.number - 1, new.text
      FROM stored CROSS JOIN unnest(%(parts)b::text[]) WITH ORDINALITY new (text, number)
        ON CONFLICT (document_id, part) DO UPDATE SET text = excluded.text WHERE part.text <> excluded.text
), gone AS (
    DELETE FROM pgask.document_texts part USING stored
     WHERE part.document_id = stored.id AND part.part >= cardinality(%(parts)b::text[])
)"""


def cut_text(text: str) -> Iterator[str]:
    """The parts of a text in order: each but the last has PART_CHARS code points.

    >>> [len(part) for part in cut_text("x" * 4_001)], list(cut_text(""))
    ([2000, 2000, 1], [])
    """
    return (text[start : start + PART_CHARS] for start in range(0, len(text), PART_CHARS))


def text_between(document: str, start: str, end: str) -> str:
    """SQL of text[start:end] of a document, in code points: '' where nothing stands there. All three are SQL of ours
    (columns, named parameters): an id, and offsets with 0 <= start <= end."""
    return (
        f"coalesce((SELECT substring(string_agg(part.text, '' ORDER BY part.part)"  # noqa: S608 - constants only
        f" FROM mod({start}, {PART_CHARS}) + 1 FOR ({end}) - ({start})) FROM pgask.document_texts part"
        f" WHERE part.document_id = {document} AND part.part >= ({start}) / {PART_CHARS}"
        f" AND part.part <= (({end}) - 1) / {PART_CHARS}), '')"
    )


def whole_text(document: str) -> str:
    """SQL of a document's whole text; `document` is SQL of its id."""
    return (
        "coalesce((SELECT string_agg(part.text, '' ORDER BY part.part)"  # noqa: S608 - constants only
        f" FROM pgask.document_texts part WHERE part.document_id = {document}), '')"
    )
