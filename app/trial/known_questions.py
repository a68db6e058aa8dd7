"""Questions that somebody has judged, on a collection as it is stored now: readers' thumbs, and sets of `rag-eval`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.errors import NotFoundError
from app.store.catalog import find_document
from app.store.connection import AsyncConnection
from app.store.ratings import MAX_PAGE, case_of, list_ratings
from app.store.texts import whole_text
from app.trial.gold import Case, Gold, place_gold
from app.trial.question_file import Question, parse_question

KEPT: Final = "kept"
MOST_KEPT: Final = 5 * MAX_PAGE  # the newest ratings that are looked through


async def read_kept(connection: AsyncConnection, collection: str) -> list[Question]:
    """The questions that readers asked this collection alone and whose answers they found good: the passage that was
    cited is to be found again. A question that was rated several times counts once, as it was rated last."""
    kept: dict[str, Question] = {}
    before: int | None = None
    for _ in range(MOST_KEPT // MAX_PAGE):
        rated = await list_ratings(connection, before=before)
        for one in rated:
            case = case_of(one) if one.scope.get("collections") == [collection] else None
            if case is not None and case.get("doc"):
                kept.setdefault(one.question, parse_question(case, one.id))
        if len(rated) < MAX_PAGE:
            break
        before = rated[-1].id
    return list(kept.values())


async def place_questions(
    connection: AsyncConnection, collection: str, group: str, questions: Sequence[Question]
) -> list[Case]:
    """The questions whose gold passages, or else documents, the collection holds; the others are left out, as are those
    that are to be refused or name nothing that should be found."""
    texts: dict[str, str | None] = {}
    cases = []
    for question in questions:
        if not question.answerable or not question.docs:
            continue
        for source in question.docs:
            if source not in texts:
                texts[source] = await _read_text(connection, collection, source)
        if question.context is None and question.context_start is None:
            gold = Gold(question.docs, None, missing=all(texts[source] is None for source in question.docs))
        else:
            source = question.doc or question.docs[0]
            gold = place_gold(question, source, texts[source])
        if not gold.missing:
            cases.append(Case(group, question.question, gold))
    return cases


async def _read_text(connection: AsyncConnection, collection: str, source: str) -> str | None:
    try:
        document_id = await find_document(connection, collection, source)
    except NotFoundError:
        return None
    row = await (
        await connection.execute(
            f"SELECT {whole_text('d.id')} FROM pgask.documents d WHERE d.id = %s",  # noqa: S608 - constants only
            [document_id],
        )
    ).fetchone()
    return None if row is None else str(row[0])
