"""Builds the text of a reply from words of our own and quotes, with its claims, marks and citations. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from opencc import OpenCC

from app.domain import Answer, AnswerKind, Citation, Claim
from app.lexicon import is_chinese
from app.question.talk import is_traditional

Wording = tuple[str, str]  # in English and in simplified Chinese

MAX_TITLE_CHARS: Final = 120
MAX_SOURCE_CHARS: Final = 160
OOXML: Final = "application/vnd.openxmlformats-officedocument."
OPEN_DOCUMENT: Final = "application/vnd.oasis.opendocument."
MEDIA_TYPE_NAMES: Final[Mapping[str, Wording]] = {
    "text/markdown": ("Markdown", "Markdown"),
    "text/plain": ("plain text", "纯文本"),
    "text/html": ("HTML", "HTML"),
    "text/x-rst": ("reStructuredText", "reStructuredText"),
    "text/asciidoc": ("AsciiDoc", "AsciiDoc"),
    "text/org": ("Org", "Org"),
    "text/x-tex": ("LaTeX", "LaTeX"),
    "text/mdx": ("MDX", "MDX"),
    "text/x-rmarkdown": ("R Markdown", "R Markdown"),
    "text/vtt": ("subtitles", "字幕"),
    "application/x-subrip": ("subtitles", "字幕"),
    "text/csv": ("CSV", "CSV"),
    "text/tab-separated-values": ("TSV", "TSV"),
    "application/pdf": ("PDF", "PDF"),
    f"{OOXML}wordprocessingml.document": ("Word", "Word"),
    f"{OOXML}presentationml.presentation": ("PowerPoint", "PowerPoint"),
    f"{OOXML}spreadsheetml.sheet": ("Excel", "Excel"),
    "application/json": ("JSON", "JSON"),
    "application/jsonl": ("JSON Lines", "JSON Lines"),
    "application/x-ipynb+json": ("notebook", "笔记本"),
    "application/epub+zip": ("EPUB", "EPUB"),
    "application/rtf": ("Rich Text", "RTF"),
    f"{OPEN_DOCUMENT}text": ("OpenDocument text", "OpenDocument 文本"),
    f"{OPEN_DOCUMENT}spreadsheet": ("OpenDocument spreadsheet", "OpenDocument 电子表格"),
    f"{OPEN_DOCUMENT}presentation": ("OpenDocument slides", "OpenDocument 演示文稿"),
    "message/rfc822": ("mail", "邮件"),
    "application/vnd.ms-outlook": ("Outlook mail", "Outlook 邮件"),
    "application/x-mimearchive": ("saved web page", "保存的网页"),
}
TABLE_TYPES: Final = frozenset({"text/csv", "text/tab-separated-values", f"{OOXML}spreadsheetml.sheet"})


@dataclass(frozen=True, slots=True)
class Voice:
    """The language that a reply is in."""

    chinese: bool
    traditional: bool = False

    @classmethod
    def of(cls, text: str) -> Voice:
        """The language and script of this text."""
        return cls(is_chinese(text), is_traditional(text))

    @property
    def language(self) -> str:
        """As documents have it: en or zh."""
        return "zh" if self.chinese else "en"

    @property
    def colon(self) -> str:
        """A colon with its space; likewise the other marks."""
        return "：" if self.chinese else ": "

    @property
    def comma(self) -> str:
        """The mark between the members of a list."""
        return "、" if self.chinese else ", "

    @property
    def semicolon(self) -> str:
        """The mark between lists."""
        return "；" if self.chinese else "; "

    @property
    def stop(self) -> str:
        """The mark at the end of a sentence."""
        return "。" if self.chinese else "."

    def word(self, wording: Wording, **values: object) -> str:
        """The wording with its values put in, which are not changed."""
        return self.write(wording[self.chinese]).format(**values)

    def write(self, words: str) -> str:
        """Words of our own in the script of the reply."""
        return str(_to_traditional().convert(words)) if self.traditional else words


@dataclass(slots=True)
class Reply:
    """A reply in the making: what is cited gets its mark right behind it."""

    voice: Voice
    text: str = ""
    claims: list[Claim] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def put(self, wording: Wording, **values: object) -> None:
        """Add a wording of our own in the language of the reply."""
        self.text += self.voice.word(wording, **values)

    def say(self, words: str) -> None:
        """Add text as it is, which nothing is cited for."""
        self.text += words

    def cite(self, statement: str, *citations: Citation) -> None:
        """Add a statement and its mark. All its citations have the same marker; without any it has no mark."""
        start = len(self.text)
        self.text += statement
        if not citations:
            return
        mark = f"[{citations[0].marker}]"
        first = len(self.citations)
        self.citations.extend(citations)
        at = len(self.text) + 1
        self.text += f" {mark}"
        indexes = tuple(range(first, len(self.citations)))
        self.claims.append(Claim(start, start + len(statement), at, at + len(mark), indexes, True))

    def finish(self, kind: AnswerKind, question: str) -> Answer:
        """The reply as an answer, without blanks at its end."""
        return Answer(
            self.text.rstrip(),
            False,
            "extractive",
            tuple(self.citations),
            question,
            claims=tuple(self.claims),
            kind=kind,
        )


def clip(text: str, most: int) -> str:
    """A name of a document on one line, shortened in its middle to at most so many characters."""
    line = " ".join(text.split())
    half = (most - 1) // 2
    return line if len(line) <= most else f"{line[:half]}…{line[-half:]}"


def call_document(title: str, source: str) -> str:
    """A document by its title and its place."""
    title, source = clip(title, MAX_TITLE_CHARS), clip(source, MAX_SOURCE_CHARS)
    return source if not title or title == source else f"{title} ({source})"


def call_type(media_type: str, voice: Voice) -> str:
    """A format as people call it."""
    known = MEDIA_TYPE_NAMES.get(media_type)
    if known is not None:
        return voice.word(known)
    return media_type.rpartition("/")[2].removeprefix("x-").capitalize() or "?"


@cache
def _to_traditional() -> OpenCC:
    return OpenCC("s2tw")
