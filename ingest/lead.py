"""What a document is called, where its own first words do not say it: its title and description, or its file's name.

Pure. They are embedded and indexed with the first window, as if they stood before it, and are no part of the text: a
page whose title is in its front matter or its properties is found by it, as one with a heading is.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain import Document
from app.lexicon import terms
from ingest.parsers.titles import usable_title

MAX_CHARS: Final = 600  # a title and two or three sentences
_DESCRIPTIONS: Final = ("description", "summary", "subject")
_JOINERS: Final = re.compile(r"[-_]+")


def lead_of(document: Document, beginning: str) -> str:
    """What to put before the first window, one name or sentence a line; "" where `beginning`, the first words of the
    text, holds all of it.

    >>> document = Document("Every ninety days.", "Rotating_the-secret", "text/markdown", "en")
    >>> lead_of(document, document.text), lead_of(document, "# Rotating the secret")
    ('Rotating the secret', '')
    """
    names = [_JOINERS.sub(" ", usable_title(document.title))]
    names += [str(document.metadata.get(name, "")) for name in _DESCRIPTIONS]
    held = set(terms(beginning))
    lead: list[str] = []
    for name in names:
        if not held.issuperset(found := terms(name)):
            lead.append(" ".join(name.split()))
            held.update(found)
    return "\n".join(lead)[:MAX_CHARS]
