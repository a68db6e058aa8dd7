"""Answers what is no question to the documents, and questions about the collection itself, from what is stored of them.

Talk (greetings, thanks, help) needs no search; what is in the collection, which document mentions something and what
one document says are read from its names, sections, postings and texts, in at most three statements, and composed by
rule. Everything else is None: a question to the documents.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from app.domain import Answer, ChatTurn, CollectionNames, SearchFilter, names_of
from app.generation.inventory import (
    MAX_ASKED_BACK,
    add_examples,
    ask_which,
    describe_contents,
    describe_holders,
    describe_inventory,
    describe_newest,
)
from app.generation.outline import choose_sections
from app.generation.overview import describe_document
from app.generation.reply import Voice
from app.generation.small_talk import answer_talk
from app.generation.standing import read_standing
from app.lexicon import terms
from app.question.collection_questions import (
    AboutCollection,
    AboutDocument,
    Certainty,
    Subject,
    WhichDocument,
    is_file_name,
    read_collection_question,
)
from app.question.names import NameMatch, match_folder, match_name, name_needles, squeeze
from app.question.talk import Talk, earlier_questions, leans_on_history, read_talk
from app.store.catalog import require_collections
from app.store.connection import AsyncConnection, AsyncPool, transaction
from app.store.outlines import (
    HEAD_CHARS,
    Lead,
    find_candidates,
    find_holders,
    read_inventory,
    read_newest,
    read_outline,
    read_stretches,
)

MAX_HOLDERS: Final = 10
MAX_NEWEST: Final = 10
_SAMPLE: Final = 6  # documents from which the examples of a greeting are taken
_WITH_DOCUMENTS: Final = (Talk.GREETING, Talk.WELL_BEING, Talk.IDENTITY, Talk.HELP)


class About:
    """Answers about the collection and its documents; needs no model and no vectors."""

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool

    async def answer(
        self,
        question: str,
        collection: CollectionNames,
        search_filter: SearchFilter | None,
        history: Sequence[ChatTurn],
        voice: Voice | None = None,
    ) -> Answer | None:
        """The reply to talk, or to a question about the collection; None for a question to its documents.

        Also None where nothing is found to tell of: no collection of that name, none or no document that the filter
        keeps, none of the name, none that mentions the thing. It is in the question's language where `voice` names no
        other. Raises NotFoundError for talk in a collection that there is not, and StoreError.
        """
        if leans_on_history(question) and earlier_questions(history):
            return None
        voice = voice or Voice.of(question)
        talk = read_talk(question)
        if talk is not None:
            return await self._talk(talk, question, collection, search_filter, history, voice=voice)
        match read_collection_question(question):
            case AboutCollection(subject):
                return await self._list(subject, question, collection, search_filter, voice)
            case WhichDocument(thing):
                return await self._find_mentions(thing, question, collection, search_filter, voice)
            case AboutDocument() as asked:
                return await self._describe(asked, question, collection, search_filter, voice)
            case _:
                return None

    async def _talk(
        self,
        talk: Talk,
        question: str,
        collection: CollectionNames,
        search_filter: SearchFilter | None,
        history: Sequence[ChatTurn],
        *,
        voice: Voice,
    ) -> Answer | None:
        answer = answer_talk(question, history, voice)
        if answer is None:
            return None
        inventory = None
        async with transaction(self._pool) as connection:
            await require_collections(connection, collection)
            if talk in _WITH_DOCUMENTS:
                inventory = await read_inventory(
                    connection, collection, search_filter, language=voice.language, named=_SAMPLE
                )
        if inventory is None:
            return answer
        as_questions = talk is Talk.HELP
        return await asyncio.to_thread(add_examples, answer, inventory, voice, as_questions=as_questions)

    async def _list(
        self,
        subject: Subject,
        question: str,
        collection: CollectionNames,
        search_filter: SearchFilter | None,
        voice: Voice,
    ) -> Answer | None:
        if subject is Subject.NEWEST:
            async with transaction(self._pool) as connection:
                newest = await read_newest(connection, collection, search_filter, MAX_NEWEST)
            return await asyncio.to_thread(describe_newest, newest, question, voice) if newest else None
        async with transaction(self._pool) as connection:
            inventory = await read_inventory(connection, collection, search_filter, language=voice.language)
        if inventory is None:
            return None
        filtered = search_filter is not None
        return await asyncio.to_thread(
            describe_inventory, inventory, subject, question, filtered=filtered, voice=voice
        )

    async def _find_mentions(
        self,
        thing: str,
        question: str,
        collection: CollectionNames,
        search_filter: SearchFilter | None,
        voice: Voice,
    ) -> Answer | None:
        wanted = [term for term in terms(thing) if not term.startswith("@")]
        if not wanted:
            return None
        async with transaction(self._pool) as connection:
            holders = await find_holders(connection, collection, search_filter, wanted, MAX_HOLDERS)
        return await asyncio.to_thread(describe_holders, holders, thing, question, voice) if holders else None

    async def _describe(
        self,
        asked: AboutDocument,
        question: str,
        collection: CollectionNames,
        search_filter: SearchFilter | None,
        voice: Voice,
    ) -> Answer | None:
        async with transaction(self._pool) as connection:
            if asked.name is None:
                found = await _sample(connection, collection, search_filter, voice.language)
                if len(found) != 1:
                    return ask_which(found, question, named=False, voice=voice) if found else None
                return await _describe_document(connection, found[0], question, voice)
            leads = await find_candidates(connection, collection, search_filter, name_needles(asked.name))
            found = _choose(asked, leads, voice)
            exact = (
                bool(found) and match_name(asked.name, found[0].source, found[0].title) is not NameMatch.WORDS
            )
            if not exact:
                folder = _folder(asked, leads, collection)
                if folder is not None:
                    inventory = await read_inventory(
                        connection, collection, search_filter, folder=folder or None, language=voice.language
                    )
                    filtered = search_filter is not None
                    if inventory is None:
                        return None
                    return await asyncio.to_thread(
                        describe_contents, inventory, folder or None, question, filtered=filtered, voice=voice
                    )
            if len(found) == 1:
                return await _describe_document(connection, found[0], question, voice)
            return ask_which(found, question, named=True, voice=voice) if found else None


def _choose(asked: AboutDocument, leads: Sequence[Lead], voice: Voice) -> list[Lead]:
    """The documents that the name fits best: those in force before others, then those in the reply's language; of
    those in several folders all."""
    assert asked.name is not None
    worst = NameMatch.WORDS
    if asked.certainty is Certainty.NAME or is_file_name(asked.name):
        worst = NameMatch.WHOLE
    if asked.certainty is Certainty.FOLDER:
        return []
    matches = [(match_name(asked.name, lead.source, lead.title), lead) for lead in leads]
    fitting = [(match, lead) for match, lead in matches if match is not None and match <= worst]
    best = min((match for match, _ in fitting), default=None)
    found = [lead for match, lead in fitting if match is best]
    in_force = [lead for lead in found if read_standing(lead.title, lead.source, lead.text).is_in_force]
    found = in_force or found
    same = [lead for lead in found if lead.language == voice.language]
    return same or found


def _folder(asked: AboutDocument, leads: Sequence[Lead], collection: CollectionNames) -> str | None:
    """The folder that is named, "" for all that is asked where a collection's name is; None where neither is."""
    assert asked.name is not None
    if asked.certainty not in (Certainty.SUMMARY, Certainty.FOLDER):
        return None
    folder = match_folder(asked.name, (lead.source for lead in leads))
    is_whole = squeeze(asked.name) in map(squeeze, names_of(collection))
    return "" if folder is None and is_whole else folder


async def _sample(
    connection: AsyncConnection,
    collection: CollectionNames,
    search_filter: SearchFilter | None,
    language: str,
) -> Sequence[Lead]:
    inventory = await read_inventory(
        connection, collection, search_filter, language=language, named=MAX_ASKED_BACK
    )
    return () if inventory is None else inventory.named


async def _describe_document(
    connection: AsyncConnection, lead: Lead, question: str, voice: Voice
) -> Answer | None:
    outline = await read_outline(connection, lead.document_id)
    if outline is None:
        return None
    chosen, left = choose_sections(outline.sections, outline.char_count)
    left += outline.section_count - len(outline.sections)
    texts = {section.char_start: outline.head[section.char_start : section.char_end] for section in chosen}
    beyond = [section for section in chosen if section.char_start >= HEAD_CHARS]
    if beyond:
        starts = [section.char_start for section in beyond]
        read = await read_stretches(connection, lead.document_id, starts)
        for section in beyond:
            texts[section.char_start] = read[section.char_start][: section.char_end - section.char_start]
    return await asyncio.to_thread(describe_document, outline, chosen, left, texts, question, voice=voice)
