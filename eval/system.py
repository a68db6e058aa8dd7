"""The real system under evaluation: the configured database, embedder and generator, as `eval.runner` wants them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.api.components import Components
from app.config import Settings, load_settings
from app.domain import ChatTurn
from app.embedding import Embedder, EmbeddingSpace, SentenceTransformerEmbedder
from app.errors import NotFoundError
from app.exchange import AskRequest
from app.index import maintenance
from app.index.background import renew_backgrounds
from app.index.manifest import IndexSettings
from app.main import open_components
from app.retrieval.retriever import Retrieved
from app.store.backgrounds import ensure_texts
from app.store.chosen_model import load_space
from app.store.connection import Database, connect, open_database, transaction
from app.store.migrate import migrate
from app.store.spaces import ensure_collection, ensure_space
from app.store.texts import whole_text
from app.store.twins import read_chosen
from eval.ablation import Ablation, RememberingEmbedder, VariedEmbedder, build_index, repool
from eval.replies import AskResult
from eval.runner import Ingested
from ingest.options import IngestOptions
from ingest.pipeline import IngestRun
from ingest.sandbox import SandboxedParser

_OF_THE_MODEL: Final = frozenset(("embedding_model", "query_prefix", "passage_prefix"))


class _Counter:
    """Passes an ingest's progress on as (done, total)."""

    def __init__(self, on_document: Callable[[int, int], None]) -> None:
        self._on_document = on_document
        self._stage, self._done, self._total = "", 0, 0

    def stage(self, name: str, total: int) -> None:
        self._stage, self._done, self._total = name, 0, total

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:  # noqa: ARG002 - the protocol's
        if self._stage == "ingest":
            self._done += 1
            self._on_document(self._done, self._total)

    def page(self, source: str, page: int, pages: int) -> None:
        """Files are counted."""


class EvaluatedSystem:
    """Ingests and asks as the service does, by its own parts, without HTTP between."""

    def __init__(self, parts: Components, database: Database, embedder: Embedder, ablation: Ablation) -> None:
        self._parts, self._database, self.embedder, self._ablation = parts, database, embedder, ablation

    async def ingest(
        self, corpus: Path, collection: str, on_document: Callable[[int, int], None]
    ) -> Ingested:
        started = time.monotonic()
        settings = self._parts.settings
        with connect(self._database.app) as connection, connect(self._database.owner) as owner:
            space_id = ensure_space(owner, self.embedder.space)
            target = ensure_collection(connection, collection, space_id)
            # questions name the document that answers them: none may be left out for another that says the same
            options = replace(IngestOptions.from_settings(settings, prune=True), duplicates="keep_all")
            with SandboxedParser() as parser, SandboxedParser.with_ocr() as scans:
                run = IngestRun(
                    connection,
                    target,
                    self.embedder,
                    options,
                    _Counter(on_document),
                    parse=parser.parse,
                    read_scan=scans.parse if options.ocr else None,
                )
                run.renew_terms()
                report = run.execute(run.plan([corpus]))
            repool(connection, target, self._ablation.pooling)
            index_settings = IndexSettings.from_settings(settings)
            index_recall = None
            ensure_texts(connection, space_id, self.embedder)
            if self._ablation.space is None:
                maintenance.maintain(owner, space_id, index_settings)
            else:
                index_recall = build_index(owner, space_id, index_settings, self._ablation).recall
                renew_backgrounds(owner, space_id)
            documents = {
                row[0]: str(row[1])
                for row in connection.execute(
                    "SELECT source, id FROM pgask.documents WHERE collection_id = %s AND status = 'ready'",
                    [target.id],
                )
            }
        failed = {failure.source: failure.code for failure in report.failed}
        return Ingested(documents, failed, seconds=time.monotonic() - started, index_recall=index_recall)

    async def ask(
        self, question: str, collection: str, top_k: int, history: Sequence[ChatTurn] = ()
    ) -> AskResult:
        started = time.perf_counter()
        if not self._ablation.answers:
            found = await self.retrieve(question, collection, top_k)
            return AskResult(None, found.hits, None, (time.perf_counter() - started) * 1000)
        request = AskRequest(question, collection, top_k, history=tuple(history))
        answer = await self._parts.answerer.answer(request)
        latency_ms = (time.perf_counter() - started) * 1000
        return AskResult(answer, answer.hits, answer.answerability, latency_ms)

    async def retrieve(self, question: str, collection: str, top_k: int) -> Retrieved:
        """The hits of a question, without an answer."""
        return await self._parts.retriever.retrieve(question, collection, top_k)

    async def stored_text(self, document_id: str) -> str:
        async with transaction(self._parts.pool) as connection:
            cursor = await connection.execute(
                f"SELECT {whole_text('id')} FROM pgask.documents WHERE id = %s",  # noqa: S608 - constants only
                [document_id],
            )
            row = await cursor.fetchone()
        if row is None:
            raise NotFoundError(f"There is no document {document_id}.")
        return str(row[0])


class SystemOpener:
    """Opens one system after the other, and keeps the encoder, with all that it has encoded, between them."""

    def __init__(self) -> None:
        self._embedders: dict[tuple[object, ...], Embedder] = {}

    @asynccontextmanager
    async def __call__(self, **overrides: object) -> AsyncIterator[EvaluatedSystem]:
        """The system that the settings describe, `overrides` in their place, its schema brought up to date; fields of
        `Ablation` among them make a variant of it. Its model is the one that `pgask spaces` chose, as the service's is,
        unless `overrides` name another."""
        ablation = Ablation.take(overrides)
        follows_choice = _OF_THE_MODEL.isdisjoint(overrides)
        settings = load_settings(**overrides)
        if ablation.space is not None:
            settings = settings.model_copy(update={"exact_max_rows": 0})
        async with AsyncExitStack() as stack:
            database = stack.enter_context(open_database(settings))
            migrate(database)
            embedder = self._embedder(settings, _read_choice(database) if follows_choice else None)
            if ablation.dimension is not None or ablation.space is not None:
                embedder = VariedEmbedder(embedder, dimension=ablation.dimension, name=ablation.space)
            parts = await stack.enter_async_context(open_components(settings, database, embedder))
            yield EvaluatedSystem(parts, database, embedder, ablation)

    def _embedder(self, settings: Settings, chosen: EmbeddingSpace | None) -> Embedder:
        """The encoder of the chosen space, else the configured one; the last one is kept."""
        names = sorted(
            name
            for name in type(settings).model_fields
            if name.startswith(("embedding_", "query_prefix", "passage_prefix"))
        )
        key = (chosen, *(getattr(settings, name) for name in names))
        if key not in self._embedders:
            made = (
                SentenceTransformerEmbedder.from_settings(settings)
                if chosen is None
                else load_space(settings, chosen)
            )
            self._embedders = {key: RememberingEmbedder(made)}
        return self._embedders[key]


def _read_choice(database: Database) -> EmbeddingSpace | None:
    with connect(database.owner) as connection:
        return read_chosen(connection)


def open_system(**overrides: object) -> AbstractAsyncContextManager[EvaluatedSystem]:
    """One system; see SystemOpener."""
    return SystemOpener()(**overrides)
