"""Questions about the collection itself: what is in it, which file mentions something, what one document says; pure.

Knows the forms of such questions, not the documents: whether there is a document of the name that is asked for, the
caller has to look up, and where there is none the question goes to the documents after all. As in talk.py a form is
that of the whole question.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final

from app.lexicon import fold_script
from app.question.names import squeeze
from app.question.phrases import read_phrases
from app.question.talk import fold_message

MAX_CHARS: Final = 300
MAX_NAME_CHARS: Final = 160
_FORMS: Final = "collection_questions"


class Subject(Enum):
    """What of the collection is asked for."""

    DOCUMENTS = "documents"  # which there are
    COUNT = "count"  # how many there are
    TOPICS = "topics"  # what they are about
    NEWEST = "newest"  # which changed last


@dataclass(frozen=True, slots=True)
class AboutCollection:
    """Asks about all documents."""

    subject: Subject


@dataclass(frozen=True, slots=True)
class WhichDocument:
    """Asks which document mentions this."""

    mentioned: str


class Certainty(Enum):
    """How sure it is that a document is meant, and so how its name may be looked for."""

    SUMMARY = "summary"  # "Summarise X": its words in a title or a path will do
    NAME = "name"  # "What is X about?": X must be the whole name or the whole title
    FILE = "file"  # backup.md, "What is in the file X?": as for a summary
    FOLDER = "folder"  # "What is in the folder X?"


@dataclass(frozen=True, slots=True)
class AboutDocument:
    """Asks what a document says. `name` is None where it names none ("Summarise this document")."""

    name: str | None
    certainty: Certainty


CollectionQuestion = AboutCollection | WhichDocument | AboutDocument

_FILES: Final = "documents?|docs?|files?|pages?|pdfs?|spreadsheets?|sheets?"
_POINTED: Final = (
    f"{_FILES}|reports?|texts?|articles?|papers?|contracts?|policy|policies|manuals?|tables?|books?|one"
)
_HAN_FILES: Final = "(?:文档|文件|档案|资料|文章|文本|材料|表格|报告|合同|内容|东西|书)"
_SUFFIX: Final = (
    r"(?:md|markdown|txt|text|html?|pdf|docx?|docm|pptx?|ppsx|xlsx?|xlsm|csv|tsv|tab|json|jsonl|ndjson|ipynb|epub|rst"
    r"|adoc|org|tex|log|py|pyi|js|jsx|ts|tsx|java|c|h|cc|cpp|hpp|cs|go|rs|rb|php|swift|kt|scala|sh|bash|sql|r|lua|pl"
    r"|ya?ml|toml|ini|cfg|xml|css)"
)
_FILE_NAME: Final = re.compile(
    rf"[\w(（《「\[][^\n?？!！:：*\"<>|]{{0,{MAX_NAME_CHARS}}}?\.{_SUFFIX}", re.IGNORECASE
)
_POINTED_AT: Final = re.compile(
    rf"(?:(?:this|that|the|my|your|our|these|those|current|above|whole|entire|attached|uploaded|following) )+"
    rf"(?:{_POINTED})|{_FILES}|it|this|that|them|these"
    rf"|(?:这|那|该|本|此|上面|上述|当前|以上|我的|整)(?:个|份|篇|些|张|本)?(?:上传的)?(?:{_HAN_FILES}|文)(?:的)?"
    r"|文档|文件|这个?|那个?|它",
    re.IGNORECASE,
)
_ASKS_ON: Final = re.compile(
    r"(?:how|why|what|when|where|who|whom|whose|which|whether|if)\b|怎么|怎样|如何|为什么|为何|什么|哪|谁|是否|多少|几",
    re.IGNORECASE,
)
_ARTICLES: Final = re.compile(
    r"^(?:(?:the|our|your|my|this|that|a|an|all of|whole|entire|full) )+", re.IGNORECASE
)
_FILE_BEFORE: Final = re.compile(
    rf"^(?:(?:{_FILES})(?: (?:called|named|titled))?[:\s]+|(?:文档|文件|档案)[:：]?(?=[《「“\"\w]))",
    re.IGNORECASE,
)
_FILE_AFTER: Final = re.compile(
    rf"(?:(?<!\s)\s+(?:{_FILES})|(?<=\S)\s?(?:这|那)?(?:个|份|篇)?(?:文档|文件|档案|文檔|檔案))$",
    re.IGNORECASE,
)
_FOLDER: Final = re.compile(
    r"(?:folder|directory)(?: (?:called|named))?[:\s]+(.+)|(.+?) (?:folder|directory)|(.+)/"
    r"|(?:文件夹|目录|資料夾|目錄)[:：]?(.+)|(.+?)(?:这个)?的?(?:文件夹|目录|資料夾|目錄)",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"^[《「『“\"'‘`〈【]++(?P<x>.*[^》」』”\"'’`〉】\n])[》」』”\"'’`〉】]++$")
_BEFORE: Final = re.compile(
    r"^(?:(?:please|pls|kindly|can you|could you|would you|will you|i want you to|i'd like you to|and|then|so|now)"
    r"[,\s]+)+|^[请請，, ]+",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(
    r"(?<![\s,])[\s,]+(?:please|pls|for me|briefly|shortly|quickly|in brief|in short|in detail|thanks|thank you"
    r"|in (?:a few|one|two|three|four|five|\d+|bullet|short|simple|a couple of)"
    r" (?:words|sentences?|points|lines|paragraphs?|terms|bullets))$|[，,]?(?:谢谢|謝謝)$",
    re.IGNORECASE,
)


def read_collection_question(question: str) -> CollectionQuestion | None:
    """What a question asks about the collection or a document as a whole; None where it asks what documents say.

    An AboutDocument and a WhichDocument are guesses by form: where no document is found, the question is as any other.

    >>> read_collection_question("Which document mentions Potsdam?")
    WhichDocument(mentioned='Potsdam')
    >>> read_collection_question("总结一下考勤制度")
    AboutDocument(name='考勤制度', certainty=<Certainty.SUMMARY: 'summary'>)
    """
    if len(question) > MAX_CHARS or "\n" in question.strip():
        return None
    folded = fold_message(question)
    for subject, form in _collection_forms():
        if form.fullmatch(folded):
            return AboutCollection(subject)
    plain = _plain(question)
    if mentioned := _named("mention", plain):
        thing = _unquoted(_ARTICLES.sub("", mentioned))
        return WhichDocument(thing) if _is_thing(thing) else None
    for certainty in Certainty:
        if (named := _named(certainty.value, plain)) and (asked := _about(named, certainty)):
            return asked
    if _FILE_NAME.fullmatch(plain):
        return AboutDocument(plain, Certainty.FILE)
    is_title = plain.startswith("《") and _QUOTED.match(plain)
    return AboutDocument(_unquoted(plain), Certainty.NAME) if is_title else None


def is_file_name(name: str) -> bool:
    """Whether a name ends as files of the kinds do that are taken in."""
    return _FILE_NAME.fullmatch(name) is not None


def _plain(question: str) -> str:
    """The question without marks and courtesy around it; inside, spaces are single."""
    text = " ".join(unicodedata.normalize("NFC", question).split())
    text = text.replace("’", "'").strip(" ?？!！。…~～")
    text = (
        text.rstrip(".")
        if not re.search(rf"\.{_SUFFIX}\.?$", text, re.IGNORECASE)
        else text.removesuffix(".")
    )
    text = _BEFORE.sub("", text)
    return _AFTER.sub("", text).strip()


def _named(heading: str, plain: str) -> str | None:
    """What stands at x where one of the forms below a heading fits all of the question."""
    simple = fold_script(plain)
    for form in _document_forms(heading):
        if (found := form.fullmatch(simple)) is not None:
            # The forms are in simplified characters, the name stays as it was written
            return plain[found.start("x") : found.end("x")].strip(" ,，:：")
    return None


def _about(named: str, certainty: Certainty) -> AboutDocument | None:
    simple = fold_script(named)
    if _POINTED_AT.fullmatch(simple):
        is_file = re.search(rf"\b(?:{_FILES})$|文档|文件|档案", simple, re.IGNORECASE) is not None
        return AboutDocument(None, certainty) if certainty is Certainty.SUMMARY or is_file else None
    bare = _ARTICLES.sub("", named)
    if folder := _FOLDER.fullmatch(bare):
        name = _unquoted(next(group for group in folder.groups() if group))
        return (
            AboutDocument(name, Certainty.FOLDER) if squeeze(name) and len(name) <= MAX_NAME_CHARS else None
        )
    told = _FILE_AFTER.sub("", _FILE_BEFORE.sub("", bare)).strip()  # without the word that says it is a file
    name = _ARTICLES.sub("", _unquoted(told))
    if not squeeze(name) or len(name) > MAX_NAME_CHARS:
        return None
    if _FILE_NAME.fullmatch(name) or told != bare:
        return AboutDocument(name, Certainty.FILE)
    if certainty is Certainty.FILE:  # the form alone says nothing of a file
        is_title = told.startswith("《") and told.endswith("》")
        return AboutDocument(name, Certainty.NAME) if is_title else None
    return None if _ASKS_ON.match(fold_script(name)) else AboutDocument(name, certainty)


def _is_thing(thing: str) -> bool:
    return (
        0 < len(thing) <= MAX_NAME_CHARS and bool(squeeze(thing)) and not _ASKS_ON.match(fold_script(thing))
    )


def _unquoted(text: str) -> str:
    found = _QUOTED.match(text)
    return found["x"].strip() if found else text.strip()


@cache
def _collection_forms() -> tuple[tuple[Subject, re.Pattern[str]], ...]:
    subjects = {subject.value: subject for subject in Subject}
    forms = read_phrases(_FORMS)
    return tuple((subjects[heading], re.compile(form)) for heading, form in forms if heading in subjects)


@cache
def _document_forms(asked: str) -> tuple[re.Pattern[str], ...]:
    forms = read_phrases(_FORMS)
    return tuple(re.compile(form, re.IGNORECASE) for heading, form in forms if heading == asked)
