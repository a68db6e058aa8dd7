"""What a document is called, where its own first words do not say it: its title, or its file's name.

Pure. It is embedded and indexed with the first window, as if it stood before it, and is no part of the text: a page
whose title is in its front matter or its properties is found by it, as one with a heading is.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain import Document
from app.lexicon import terms
from ingest.parsers.titles import usable_title

_JOINERS: Final = re.compile(r"[-_]+")


def lead_of(document: Document, beginning: str) -> str:
    """What to put before the first window; "" where `beginning`, the first words of the text, holds all of it.

    >>> document = Document("Every ninety days.", "Rotating_the-secret", "text/markdown", "en")
    >>> lead_of(document, document.text), lead_of(document, "# Rotating the secret")
    ('Rotating the secret', '')
    """
    name = _JOINERS.sub(" ", usable_title(document.title))
    return "" if set(terms(beginning)).issuperset(terms(name)) else name
