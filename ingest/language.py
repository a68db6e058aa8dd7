"""Which languages the sections and chunks of a document are in, by their letters. Pure.

A document is called by the language that most of its letters are in; a file may hold a second one, in sections of its
own or paragraph by paragraph. Code is left out: its letters say nothing of the language around it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Final

from app.domain import Chunk, Document
from app.letters import count_letters, detect_language
from app.stored_markdown import read_fences

LEAST_LETTERS: Final = 40  # that tell a language, a Han character as four: shorter ones are names and numbers
LEAST_SHARE: Final = (
    0.1  # of a document's letters: paragraphs in one language count as much as a section then
)

_PARAGRAPHS: Final = re.compile(r"\n[ \t]*\n")


def with_languages(document: Document) -> Document:
    """The document with its language and that of each section, and all that it has text in: its own, then those of a
    section or of LEAST_SHARE of its letters, the most frequent first."""
    text = _without_code(document.text)
    document = replace(document, language=_language_of(text, document))
    sections = tuple(
        replace(section, language=_language_of(text[section.char_start : section.char_end], document))
        for section in document.sections
    )
    letters: Counter[str] = Counter()
    whole = set()
    for section in sections:
        stretch = text[section.char_start : section.char_end]
        if section.language is not None and count_letters(stretch) >= LEAST_LETTERS:
            whole.add(section.language)
    for paragraph in _PARAGRAPHS.split(text):
        if found := count_letters(paragraph):
            letters[detect_language(paragraph)] += found
    least = max(LEAST_LETTERS, LEAST_SHARE * letters.total())
    frequent = [one for one, count in letters.items() if count >= least]
    others = [one for one, _ in letters.most_common() if one in whole or one in frequent]
    languages = tuple(dict.fromkeys((document.language, *others)))
    return replace(document, sections=sections, languages=languages)


def chunk_languages(document: Document, chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    """The chunks with the language that each is in; all have the document's own where that is its only one."""
    if len(document.languages) == 1:
        return tuple(replace(chunk, language=document.language) for chunk in chunks)
    text = _without_code(document.text)
    return tuple(
        replace(chunk, language=_language_of(text[chunk.char_start : chunk.char_end], document))
        for chunk in chunks
    )


def _language_of(stretch: str, document: Document) -> str:
    return detect_language(stretch) if count_letters(stretch) >= LEAST_LETTERS else document.language


def _without_code(text: str) -> str:
    """The text with blanks in place of fenced code: offsets stay."""
    if "```" not in text and "~~~" not in text:
        return text
    parts, at = [], 0
    for start, end in read_fences(text, quotes=True):
        parts += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*parts, text[at:]])
