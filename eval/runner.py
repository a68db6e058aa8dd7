"""One evaluation: each corpus goes into a collection, every question is asked, every reply is scored.

Knows the system only by two protocols, `Ingest` and `Ask`; eval/system.py makes them from the real app.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from app.domain import ChatTurn, Citation
from app.errors import InvalidRequestError, NotFoundError, PgaskError
from app.trial.gold import Gold, place_gold
from app.trial.question_file import Dialogue, Question
from eval.corpora import Corpora
from eval.metrics import rank_scores
from eval.probes import Probes, ask_after_others, ask_dialogues, ask_politely
from eval.replies import AskResult, Reply, score_reply
from eval.summary import QuestionScores, bootstrap_intervals, summarise
from eval.templates import Template
from eval.wordnet import Synonyms

Wording = Literal["question", "question_en"]
OnProgress = Callable[[str, int, int], None]  # stage (one of eval/progress.py), done, total


@dataclass(frozen=True, slots=True)
class Ingested:
    """A collection after ingestion."""

    documents: Mapping[str, str]  # source → document id, every document of the collection
    failed: Mapping[str, str]  # source → reason code
    seconds: float
    index_recall: float | None = None  # of a variant's own vector index: recall@10 against exact search


class Ingest(Protocol):
    """Makes a collection hold exactly the documents of a folder."""

    async def ingest(
        self, corpus: Path, collection: str, on_document: Callable[[int, int], None]
    ) -> Ingested:
        """Ingest `corpus`, calling `on_document(done, total)`. A document that can't be taken in is only
        reported; raises PgaskError if ingestion can't start."""
        ...


class Ask(Protocol):
    """Answers questions from a collection, and shows its stored texts."""

    async def ask(
        self, question: str, collection: str, top_k: int, history: Sequence[ChatTurn] = ()
    ) -> AskResult:
        """Ask one question, with at most `top_k` hits. Raises PgaskError if it can't be answered."""
        ...

    async def stored_text(self, document_id: str) -> str:
        """The whole stored text of a document. Raises NotFoundError."""
        ...


@dataclass(frozen=True, slots=True)
class AlsoAsked:
    """What is asked beside the bare questions; see eval/probes.py."""

    templates: Sequence[Template] = ()
    dialogues: Sequence[Dialogue] = ()
    switch: bool = False  # every question once more, after an unrelated one


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that a run found; `scores[i]` belong to `replies[i]`, in the order of the question file."""

    figures: Mapping[str, float | int | None]
    intervals: Mapping[str, tuple[float, float]]  # 95 %, bootstrap over questions
    replies: Sequence[Reply]
    scores: Sequence[QuestionScores]
    ingested: Ingested  # of several corpora together, each source after its corpus's name
    collection: str  # of the first corpus
    top_k: int
    wording: Wording
    meteor_matching: str
    corpora: Corpora
    skipped: Mapping[str, int] = field(default_factory=dict)  # collection that was not given → questions
    probes: Probes = field(default_factory=Probes)


async def run(
    ingest: Ingest,
    ask: Ask,
    *,
    corpora: Corpora,
    questions: Sequence[Question],
    synonyms: Synonyms,
    on_progress: OnProgress,
    top_k: int = 10,
    wording: Wording = "question",
    also: AlsoAsked = AlsoAsked(),
) -> Evaluation:
    """Ingest, ask the questions one after the other (so that latencies are those of an idle system), score.

    A question that fails with a PgaskError counts as answered wrongly and keeps its error; one on a collection that was
    not given is not asked. Raises PgaskError if ingestion can't start, or no question is left.
    """
    kept = corpora.keep(questions)
    if not kept:
        names = sorted({question.collection or "" for question in questions})
        raise InvalidRequestError(
            f"No question asks a corpus that was given; the questions name {', '.join(names)}: "
            "add --corpus NAME=DIR."
        )
    ingested = {
        corpus.collection: await ingest.ingest(
            corpus.folder, corpus.collection, lambda done, total: on_progress("ingest", done, total)
        )
        for corpus in corpora.all
    }
    texts = _StoredTexts(ask)
    replies = []
    for done, question in enumerate(kept):
        on_progress("ask", done, len(kept))
        collection = corpora.place(question).collection
        gold = await _find_gold(question, ingested[collection].documents, texts)
        asked = (question.question_en or question.question) if wording == "question_en" else question.question
        try:
            result = await ask.ask(asked, collection, top_k)
        except PgaskError as error:
            replies.append(Reply(question, asked, gold, None, error=f"{error.code}: {error}"))
            continue
        citations = result.answer.citations if result.answer else ()
        exact = [await _is_exact(citation, texts) for citation in citations]
        replies.append(Reply(question, asked, gold, result, exact=tuple(exact)))
    on_progress("ask", len(kept), len(kept))
    probes = await _probe(ask, corpora, replies, also, on_progress=on_progress, top_k=top_k)
    scores = _score(replies, top_k, synonyms, on_progress)
    return Evaluation(
        figures={**summarise(scores), **probes.figures()},
        intervals=bootstrap_intervals(scores),
        replies=replies,
        scores=scores,
        ingested=_merge(corpora, ingested),
        collection=corpora.all[0].collection,
        top_k=top_k,
        wording=wording,
        meteor_matching=synonyms.name,
        corpora=corpora,
        skipped=Counter(question.collection or "" for question in questions if not corpora.find(question)),
        probes=probes,
    )


async def _probe(
    ask: Ask,
    corpora: Corpora,
    replies: Sequence[Reply],
    also: AlsoAsked,
    *,
    on_progress: OnProgress,
    top_k: int,
) -> Probes:
    polite = dialogues = switch = None
    if also.templates:
        polite = await ask_politely(
            ask, corpora, replies, also.templates, on_asked=partial(on_progress, "polite"), top_k=top_k
        )
    if also.dialogues:
        dialogues = await ask_dialogues(
            ask, corpora, also.dialogues, on_asked=partial(on_progress, "dialogues"), top_k=top_k
        )
    if also.switch:
        switch = await ask_after_others(
            ask, corpora, replies, on_asked=partial(on_progress, "switch"), top_k=top_k
        )
    return Probes(polite, dialogues, switch)


def _merge(corpora: Corpora, ingested: Mapping[str, Ingested]) -> Ingested:
    """All corpora as one; a single one as it is."""
    if len(corpora.all) == 1:
        return ingested[corpora.all[0].collection]
    documents: dict[str, str] = {}
    failed: dict[str, str] = {}
    for corpus in corpora.all:
        one = ingested[corpus.collection]
        documents |= {f"{corpus.name}/{source}": name for source, name in one.documents.items()}
        failed |= {f"{corpus.name}/{source}": code for source, code in one.failed.items()}
    return Ingested(documents, failed, sum(one.seconds for one in ingested.values()))


class _StoredTexts:
    """Stored texts by document id, each asked for once. None: there is no such document."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._texts: dict[str, str | None] = {}

    async def get(self, document_id: str) -> str | None:
        if document_id not in self._texts:
            try:
                self._texts[document_id] = await self._ask.stored_text(document_id)
            except NotFoundError:
                self._texts[document_id] = None
        return self._texts[document_id]


async def _find_gold(question: Question, documents: Mapping[str, str], texts: _StoredTexts) -> Gold | None:
    if not question.docs:
        return None
    if question.context is None and question.context_start is None:
        return Gold(question.docs, None, missing=documents.keys().isdisjoint(question.docs))
    source = question.doc or question.docs[0]
    document_id = documents.get(source)
    return place_gold(question, source, None if document_id is None else await texts.get(document_id))


async def _is_exact(citation: Citation, texts: _StoredTexts) -> bool:
    text = await texts.get(citation.document_id)
    quote = citation.quote  # an empty one would be exact anywhere
    return text is not None and quote != "" and text[citation.char_start : citation.char_end] == quote


def _score(
    replies: Sequence[Reply], top_k: int, synonyms: Synonyms, on_progress: OnProgress
) -> list[QuestionScores]:
    ranks = rank_scores({reply.question.id: reply.hits for reply in replies if reply.ranking_counts})
    scores = []
    for done, reply in enumerate(replies, start=1):
        scores.append(score_reply(reply, ranks.get(reply.question.id), top_k, synonyms))
        on_progress("score", done, len(replies))
    return scores
