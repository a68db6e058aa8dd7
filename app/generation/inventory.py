"""Replies about the collection itself: what is in it, what changed last, which document mentions something. Pure.

Each document that is named is cited with its title, each that mentions something with the sentence that does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from app.domain import Answer, Citation, Place, QuotedSpan
from app.generation.outline import show, show_row
from app.generation.reply import (
    MAX_SOURCE_CHARS,
    MAX_TITLE_CHARS,
    Reply,
    Voice,
    Wording,
    call_document,
    call_type,
    clip,
)
from app.lexicon import fold_script, terms
from app.question.collection_questions import Subject
from app.sentences import split_sentences
from app.store.outlines import MAX_CANDIDATES, Holder, Inventory, Lead
from app.stored_markdown import split_cells

MAX_FOLDERS: Final = 12  # counted by name
MAX_ASKED_BACK: Final = 8  # documents that a question back names
_LEAD_CHARS: Final = 300  # of a document's first sentence
_HEADINGS: Final = 6  # of a document, where topics are asked for
_EXAMPLES: Final = 3

_LANGUAGES: Final[Mapping[str, Wording]] = {
    "en": ("in English", "份英文"),
    "zh": ("in Chinese", "份中文"),
    "de": ("in German", "份德文"),
    "fr": ("in French", "份法文"),
    "es": ("in Spanish", "份西班牙文"),
    "it": ("in Italian", "份意大利文"),
    "pt": ("in Portuguese", "份葡萄牙文"),
    "nl": ("in Dutch", "份荷兰文"),
    "und": ("in no language that was made out", "份语言不明"),
}
_ONE: Final = ("There is one document", "共有 1 份文档")
_ALL: Final = ("There are {count} documents", "共有 {count} 份文档")
_ONE_KEPT: Final = ("The filter keeps one document", "符合筛选条件的文档有 1 份")
_ALL_KEPT: Final = ("The filter keeps {count} documents", "符合筛选条件的文档有 {count} 份")
_BELOW: Final = (" in {folder}", "，在 {folder} 中")
_FOLDERS: Final = ("\nFolders: {folders}.", "\n文件夹：{folders}。")
_MORE_FOLDERS: Final = ("{count} more", "另外 {count} 个")
_THESE: Final = ("\n\nThey are:\n", "\n\n包括：\n")
_SOME: Final = ("\n\nAmong them:\n", "\n\n其中有：\n")
_MORE: Final = ("… and {count} more.", "……另有 {count} 份。")
_CHANGED: Final = ("Changed last:\n", "最近更新的文档：\n")
_HELD_ONCE: Final = ("“{thing}” stands in one document:\n", "提到“{thing}”的文档有 1 份：\n")
_HELD: Final = ("“{thing}” stands in {count} documents:\n", "提到“{thing}”的文档有 {count} 份：\n")
_HELD_AT_LEAST: Final = (
    "“{thing}” stands in {count} documents or more:\n",
    "提到“{thing}”的文档至少有 {count} 份：\n",
)
_AND_MORE: Final = ("… and more.", "……等等。")
_WHICH: Final = (
    "Several documents fit that name. Which one:\n",
    "符合这个名称的文档不止一份，请问是哪一份：\n",
)
_WHICH_DOCUMENT: Final = ("Which document do you mean? For example:\n", "请问是哪一份文档？例如：\n")
_ASK_ONE: Final = (" There is one document to ask: ", "可以问的文档有 1 份：")
_ASK_ABOUT: Final = (" There are {count} documents to ask, such as ", "可以问的文档有 {count} 份，例如")
_EXAMPLE_LIST: Final = ("\nFor example:\n", "\n例如：\n")
_EXAMPLE_SECTION: Final = ("What does “{title}” say about “{heading}”?", "“{title}”中关于“{heading}”怎么说？")
_EXAMPLE_SUMMARY: Final = ("Summarise “{title}”", "总结“{title}”")
_EXAMPLE_DOCUMENTS: Final = ("- What documents do you have?", "- 你有哪些文档？")


def describe_inventory(
    inventory: Inventory,
    subject: Subject,
    question: str,
    *,
    filtered: bool,
    folder: str | None = None,
    voice: Voice | None = None,
) -> Answer:
    """How many documents there are by language, type and folder, and which: those that the inventory names.

    With `Subject.TOPICS` each comes with its headings. `folder` is the one that was asked for.
    """
    reply = Reply(voice or Voice.of(question))
    _count(reply, inventory, filtered=filtered, folder=folder)
    if subject is not Subject.COUNT:
        reply.put(_THESE if inventory.documents <= len(inventory.named) else _SOME)
        for marker, lead in enumerate(inventory.named, 1):
            _name(reply, lead, marker)
            if subject is Subject.TOPICS and (headings := _headings(lead)):
                reply.say(reply.voice.colon + reply.voice.comma.join(headings))
            reply.say("\n")
        _say_how_many_more(reply, inventory.documents - len(inventory.named))
    return reply.finish("meta", question)


def describe_contents(
    inventory: Inventory, folder: str | None, question: str, *, filtered: bool, voice: Voice | None = None
) -> Answer:
    """The overview of a folder, or of the collection where that is None: documents with their first sentences."""
    reply = Reply(voice or Voice.of(question))
    _count(reply, inventory, filtered=filtered, folder=folder)
    reply.say("\n\n")
    for marker, lead in enumerate(inventory.named, 1):
        reply.say(f"- {call_document(lead.title, lead.source)}")
        if (sentence := first_sentence(lead)) is not None:
            reply.say(reply.voice.colon)
            reply.cite(_show_lead(sentence.quote), _cite_lead(lead, marker, sentence))
        reply.say("\n")
    _say_how_many_more(reply, inventory.documents - len(inventory.named))
    return reply.finish("overview", question)


def describe_newest(newest: Sequence[Lead], question: str, voice: Voice | None = None) -> Answer:
    """The documents that changed last, each with its day (UTC)."""
    reply = Reply(voice or Voice.of(question))
    reply.put(_CHANGED)
    for marker, lead in enumerate(newest, 1):
        _name(reply, lead, marker)
        reply.say(f"{reply.voice.colon}{lead.updated_at:%Y-%m-%d}\n")
    return reply.finish("meta", question)


def describe_holders(
    holders: Sequence[Holder], thing: str, question: str, voice: Voice | None = None
) -> Answer:
    """Which documents hold what was asked for, each with a sentence that holds it."""
    reply = Reply(voice or Voice.of(question))
    count = holders[0].documents
    wording = _HELD_AT_LEAST if holders[0].capped else _HELD_ONCE if count == 1 else _HELD
    reply.put(wording, thing=clip(thing, MAX_TITLE_CHARS), count=f"{count:,}")
    for marker, holder in enumerate(holders, 1):
        start, end = sentence_of(holder, thing)
        quote = holder.text[start - holder.char_start : end - holder.char_start]
        reply.say(f"- {call_document(holder.title, holder.source)}{reply.voice.colon}")
        reply.cite(show_row((), quote), _cite_holder(holder, marker, start, quote))
        reply.say("\n")
    if holders[0].capped:
        reply.put(_AND_MORE)
    else:
        _say_how_many_more(reply, count - len(holders))
    return reply.finish("meta", question)


def ask_which(
    candidates: Sequence[Lead], question: str, *, named: bool, voice: Voice | None = None
) -> Answer:
    """A question back that names documents; `named`: all of them fit the name that was given."""
    reply = Reply(voice or Voice.of(question))
    reply.put(_WHICH if named else _WHICH_DOCUMENT)
    for marker, lead in enumerate(candidates[:MAX_ASKED_BACK], 1):
        _name(reply, lead, marker)
        reply.say("\n")
    if named and len(candidates) >= MAX_CANDIDATES:  # so many are looked at
        reply.put(_AND_MORE)
    elif named:
        _say_how_many_more(reply, len(candidates) - MAX_ASKED_BACK)
    return reply.finish("meta", question)


def add_examples(talk: Answer, inventory: Inventory, voice: Voice, *, as_questions: bool) -> Answer:
    """A reply to a greeting or a call for help, and behind it what can be asked: some documents, or whole questions.

    Documents in the language of the reply come first.
    """
    reply = Reply(voice, talk.text)
    named = sorted(inventory.named, key=lambda lead: lead.language != voice.language)[:_EXAMPLES]
    if as_questions:
        reply.put(_EXAMPLE_LIST)
        for marker, lead in enumerate(named, 1):
            reply.say("- ")
            reply.cite(_example(lead, voice), *_cite_title(lead, marker))
            reply.say("\n")
        reply.put(_EXAMPLE_DOCUMENTS)
    else:
        count = inventory.documents
        reply.put(_ASK_ONE if count == 1 else _ASK_ABOUT, count=f"{count:,}")
        for marker, lead in enumerate(named, 1):
            reply.say(voice.comma if marker > 1 else "")
            reply.cite(clip(lead.title or lead.source, MAX_TITLE_CHARS), *_cite_title(lead, marker))
        reply.say(voice.stop)
    return reply.finish("chat", talk.standalone_question)


def find_title(lead: Lead) -> QuotedSpan | None:
    """Where a document's title stands in its beginning; else its first sentence, None where it has no words."""
    at = lead.text.find(lead.title) if lead.title else -1
    if at >= 0:
        return QuotedSpan(at, at + len(lead.title), lead.title)
    return _first_words(lead, skip_title=False)


def first_sentence(lead: Lead) -> QuotedSpan | None:
    """The first sentence of a document below its title, at most _LEAD_CHARS of it."""
    return _first_words(lead, skip_title=True) or _first_words(lead, skip_title=False)


def sentence_of(holder: Holder, thing: str) -> tuple[int, int]:
    """The sentence of a chunk that holds what was asked for word for word, else the most of its terms; of several the
    first. In code points of the document."""
    wanted = set(terms(thing))
    written = fold_script(thing).casefold()

    def held(span: tuple[int, int]) -> tuple[bool, bool, int]:
        text = holder.text[span[0] - holder.char_start : span[1] - holder.char_start]
        is_heading = text.lstrip().startswith("#")
        is_written = written in fold_script(text).casefold()
        return is_written and not is_heading, is_written, len(wanted & set(terms(text)))

    whole = (holder.char_start, holder.char_start + len(holder.text))
    return max(holder.sentences, key=held, default=whole)


def _count(reply: Reply, inventory: Inventory, *, filtered: bool, folder: str | None) -> None:
    """Say how many documents there are, by language and type, and in which folders."""
    voice, count = reply.voice, inventory.documents
    wordings = (_ONE_KEPT, _ALL_KEPT) if filtered else (_ONE, _ALL)
    reply.put(wordings[count != 1], count=f"{count:,}")
    if folder is not None:
        reply.put(_BELOW, folder=clip(folder, MAX_SOURCE_CHARS))
    languages = [
        f"{number:,} {voice.word(_LANGUAGES.get(language, _LANGUAGES['und']))}"
        for language, number in _largest(inventory.languages)
    ]
    types = [
        f"{number:,} {call_type(media_type, voice)}" for media_type, number in _largest(inventory.media_types)
    ]
    reply.say(voice.colon + voice.semicolon.join(map(voice.comma.join, (languages, types))) + voice.stop)
    folders = [(name, number) for name, number in _largest(inventory.folders) if name]
    if folder is not None or not folders:
        return
    names = [f"{clip(name, MAX_SOURCE_CHARS)} ({number:,})" for name, number in folders[:MAX_FOLDERS]]
    left = inventory.folder_count - ("" in inventory.folders) - len(names)
    if left > 0:
        names.append(voice.word(_MORE_FOLDERS, count=f"{left:,}"))
    reply.put(_FOLDERS, folders=voice.comma.join(names))


def _say_how_many_more(reply: Reply, left: int) -> None:
    if left > 0:
        reply.put(_MORE, count=f"{left:,}")


def _first_words(lead: Lead, *, skip_title: bool) -> QuotedSpan | None:
    """The first sentence with words, a row of a table only where there is nothing else."""
    spans = []
    for start, end in split_sentences(lead.text):
        text = lead.text[start:end]
        is_title = text.lstrip().startswith("#") or text.strip() == lead.title
        if any(character.isalnum() for character in text) and not (skip_title and is_title):
            spans.append((start, end))
    prose = (span for span in spans if " | " not in lead.text[span[0] : span[1]])
    start, end = next(prose, spans[0] if spans else (0, 0))
    quote = lead.text[start : min(end, start + _LEAD_CHARS)].rstrip()
    return QuotedSpan(start, start + len(quote), quote) if quote else None


def _show_lead(quote: str) -> str:
    """A first sentence, or the names of the columns of a table."""
    return ", ".join(split_cells(quote)) if quote.startswith("|") else show(quote).removeprefix("- ")


def _name(reply: Reply, lead: Lead, marker: int) -> None:
    reply.say("- ")
    reply.cite(call_document(lead.title, lead.source), *_cite_title(lead, marker))


def _cite_title(lead: Lead, marker: int) -> list[Citation]:
    span = find_title(lead)
    return [] if span is None else [_cite_lead(lead, marker, span)]


def _cite_lead(lead: Lead, marker: int, span: QuotedSpan) -> Citation:
    return Citation(
        marker=marker,
        document_id=lead.document_id,
        chunk_id=lead.chunk_id,
        collection=lead.collection,
        source=lead.source,
        title=lead.title,
        page=lead.page,
        heading=None,
        char_start=span.char_start,
        char_end=span.char_end,
        quote=span.quote,
        score=1.0,
        supported=True,
        ocr_confidence=lead.ocr_confidence,
    )


def _cite_holder(holder: Holder, marker: int, start: int, quote: str) -> Citation:
    here = Place(holder.char_start, holder.page, holder.heading)
    place = next((place for place in reversed(holder.places) if place.char_start <= start), here)
    return Citation(
        marker=marker,
        document_id=holder.document_id,
        chunk_id=holder.chunk_id,
        collection=holder.collection,
        source=holder.source,
        title=holder.title,
        page=place.page,
        heading=place.heading,
        char_start=start,
        char_end=start + len(quote),
        quote=quote,
        score=1.0,
        supported=True,
        ocr_confidence=place.ocr_confidence,
    )


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))


def _headings(lead: Lead) -> list[str]:
    """The first headings of a document below its title, each once."""
    found = dict.fromkeys(
        clip(heading, MAX_TITLE_CHARS) for heading in lead.headings if heading != lead.title
    )
    return list(found)[:_HEADINGS]


def _example(lead: Lead, voice: Voice) -> str:
    """A question that this document answers: a heading that asks, else one made of a heading or the title."""
    headings = _headings(lead)
    title = clip(lead.title or lead.source, MAX_TITLE_CHARS)
    asked = next((heading for heading in headings if heading.endswith(("?", "？"))), None)
    if asked is not None or not headings:
        return asked or voice.word(_EXAMPLE_SUMMARY, title=title)
    return voice.word(_EXAMPLE_SECTION, title=title, heading=headings[0])
