"""Builds the service: the only place where its objects are made and wired. Run by `pgask serve`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.routing import Mount, Route

from app.about import About
from app.answering import Answerer, AnswerSettings
from app.api import (
    ask,
    chat_page,
    collections,
    documents,
    feedback,
    health,
    jobs,
    mcp,
    metrics,
    middleware,
    openai,
    pages,
    plans,
    problems,
    reingest,
    search,
    session,
    status,
    talks,
    uploads,
)
from app.api.admission import Places
from app.api.auditing import Record
from app.api.components import Components
from app.api.rateable import Replies
from app.api.receiving import Closing
from app.api.resumable import ResumableAnswers
from app.api.unknown_keys import UnknownKeys
from app.config import Settings
from app.embedding import Embedder
from app.embedding_switch import SwitchableEmbedder
from app.encoders.hardware import processors
from app.generation.concurrency import ConcurrencyLimiter
from app.generation.servers import LlmServers
from app.index.manifest import IndexSettings
from app.index.watch import IndexWatch
from app.lexicon import terms
from app.model_watch import LoadModel, ModelWatch
from app.retrieval.mending import Mender
from app.retrieval.rerank import CrossEncoderReranker
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.chosen_model import load_space
from app.store.completions import Completions
from app.store.connection import Database
from app.store.connection_pool import open_pool
from app.store.questions import QuestionVectors
from app.store.replicas import open_reads
from app.store.tenancy import DEFAULT, NOBODY, Scope
from app.threads import thread_of

STATIC: Final = Path(__file__).parent / "static"
BEARER: Final = HTTPBearer(
    scheme_name="key", description="With PGASK_AUTH=keys: a key of `pgask keys`", auto_error=False
)
POOL_SIZE: Final = 10  # a question holds a connection for its search alone, some milliseconds


def create_app(
    settings: Settings,
    database: Database,
    embedder: Embedder,
    scope: Scope = DEFAULT,
    *,
    static: Path = STATIC,
    drawing: pages.PageViews | None = None,
    refuses: plans.Refuses = plans.refuses_nothing,
    load_model: LoadModel | None = None,
) -> FastAPI:
    """The ASGI app over a migrated database. `scope` is PGASK_TENANT's; `static` the folder of the built chat
    page; `drawing` draws pages of PDFs, without it there are no pictures of them; `refuses` knows files that are no
    documents by their names; `load_model` loads the model that was switched to."""
    model = SwitchableEmbedder(embedder)
    load = load_model or partial(load_space, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_components(settings, database, model, scope, is_service=True) as components,
            ModelWatch(components.pool, model, load).watching(),
            watch_indexes(database, settings) as watch,
            mcp.Agents(components, app.state.metrics, places).open() as agents,
            app.state.resumable.open(),
        ):
            app.state.components = components
            app.state.agents = agents
            await thread_of(model).run(_warm_up, model)
            app.state.metrics.watch_pool(components.pool.get_stats)
            app.state.metrics.watch_reads(components.reads)
            app.state.metrics.watch_indexes(watch.reports, watch.last_look)
            if components.llm is not None:
                app.state.metrics.watch_llm(components.llm, components.completions)
            yield

    # FastAPI's own documentation pages load scripts from elsewhere, which the page's policy forbids.
    app = FastAPI(
        title="pgask",
        summary="Ask your documents, answered with evidence, from a PostgreSQL you own.",
        version=version("pgask"),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.metrics = metrics.Metrics()
    places = Places(settings.max_concurrent_asks, app.state.metrics)
    routers = [
        resource.router
        for resource in (
            ask,
            search,
            openai,
            uploads,
            plans,
            reingest,
            pages,
            documents,
            collections,
            jobs,
            session,
            feedback,
            talks,
            mcp,
            health,
            metrics,
            status,
        )
    ]
    for router in routers:  # the scheme is for whoever reads /openapi.json; middleware does the work
        wants_key = settings.auth == "keys" and router is not health.router
        app.include_router(router, dependencies=[Security(BEARER)] if wants_key else [])
    chat_page.install(app, static)
    problems.install(app)
    app.state.closing = Closing()
    app.state.resumable = ResumableAnswers(places)
    app.state.unknown_keys = UnknownKeys()
    app.state.views = pages.Views(drawing)
    app.state.refuses = refuses
    app.state.uploads = asyncio.Semaphore(uploads.MOST_AT_ONCE)
    # an app's own list has included routers as one route each
    app.state.routes = [
        *(route for router in routers for route in router.routes),
        *(route for route in app.routes if isinstance(route, Route | Mount)),
    ]
    middleware.install(app.add_middleware, settings, app.state.metrics, app.state.closing, places)
    return app


@asynccontextmanager
async def open_components(
    settings: Settings,
    database: Database,
    embedder: Embedder,
    scope: Scope = DEFAULT,
    *,
    is_service: bool = False,
) -> AsyncIterator[Components]:
    """The parts that answer questions, open until the block ends. Used by the service and by `pgask ask`.

    `is_service`: vectors of the newest questions are kept, as many as PGASK_KEEP_QUESTION_VECTORS says, and where
    callers are told apart, nobody in particular sees nothing.
    """
    async with AsyncExitStack() as stack:
        otherwise = NOBODY if is_service and settings.auth != "off" else scope
        pool = await stack.enter_async_context(
            open_pool(
                database.pooled or database.app,
                size=POOL_SIZE,
                statement_timeout_s=settings.statement_timeout_s,
                otherwise=otherwise,
                may_share=database.pooled is not None,
            )
        )
        reads = await stack.enter_async_context(
            open_reads(
                database.app,
                database.replicas,
                max_lag_s=settings.read_max_lag_s,
                size=POOL_SIZE,
                statement_timeout_s=settings.statement_timeout_s,
                otherwise=otherwise,
            )
        )
        llm = LlmServers.from_settings(settings)
        if llm is not None:
            stack.push_async_callback(llm.aclose)
        note = completions = None
        if is_service and llm is not None:
            kept = Completions(pool, settings.answer_cache_hours)
            completions = await stack.enter_async_context(kept.forgetting())
        if is_service:
            questions = QuestionVectors(pool, settings.keep_question_vectors)
            note = (await stack.enter_async_context(questions.writing())).note
        reranker = CrossEncoderReranker.from_settings(settings)
        if reranker is not None:  # now, since its deadline is for reading, not for loading
            await asyncio.to_thread(reranker.load)
        retriever = Retriever(pool, embedder, RetrievalSettings.from_settings(settings), note, reranker)
        turns = ConcurrencyLimiter.at_processors(
            processors(), queue=settings.max_concurrent_asks, wait_s=settings.queue_timeout_s
        )
        answerer = Answerer(
            retriever,
            embedder,
            llm,
            AnswerSettings.from_settings(settings),
            mender=Mender(pool),
            about=About(pool),
            turns=turns,
            reads=reads,
            completions=completions if settings.answer_cache_hours else None,
        )
        replies = None
        if is_service:
            keeps = settings.feedback_days > 0
            written = await stack.enter_async_context(Replies(pool, embedder, are_kept=keeps).writing())
            replies = written if keeps else None
        record = None
        if settings.auth != "off":
            record = await stack.enter_async_context(Record(pool, settings.audit_days).writing())
        yield Components(
            settings,
            pool,
            embedder,
            retriever,
            answerer,
            llm,
            reranker,
            turns,
            replies,
            record,
            scope=scope,
            reads=reads,
            completions=completions,
        )


@asynccontextmanager
async def watch_indexes(database: Database, settings: Settings) -> AsyncIterator[IndexWatch]:
    """Look after the vector indexes, in a thread, until the block ends."""
    watch = IndexWatch(
        database, IndexSettings.from_settings(settings), every_s=60 * settings.index_check_minutes
    )
    watch.start()
    try:
        yield watch
    finally:
        await asyncio.to_thread(watch.stop)


def _warm_up(embedder: Embedder) -> None:
    """The first question otherwise pays for it: some seconds of lazy loading in the model and the dictionaries."""
    question = "Which words? 哪些词？"
    embedder.embed_queries([question])
    terms(question)
