"""The checks of `pgask doctor`: each says what it found, and how to mend it. A check that needs another is left out
where that one failed."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import PgaskError

if TYPE_CHECKING:
    from app.config import Settings
    from app.embedding import EmbeddingSpace
    from app.generation.llm import LlmClient
    from app.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `fix` says what to do where it is not ok."""

    check: str
    ok: bool
    detail: str
    fix: str | None = None


def diagnose(settings: Settings) -> Iterator[Finding]:
    """All checks in the order that one needs the other, each as soon as it is done."""
    yield _python()
    yield _processor()
    if settings.database_url is None:
        yield _home(settings.home)
    model = _model(settings)
    yield model[0]
    if settings.rerank_model is not None:
        yield _reranker(settings)
    yield from _database(settings, model[1])
    yield _web()
    if settings.llm_base_url is not None:
        yield from asyncio.run(_llm(settings))


def _python() -> Finding:
    """An older one than 3.11 can't even read these files; `make setup` says so."""
    return Finding("Python", True, ".".join(map(str, sys.version_info[:3])))


def _processor() -> Finding:
    """What embedding on the CPU may gain here: told, since the time of an ingest differs by more than two."""
    from app.encoders.hardware import BFLOAT16_SETS, INT8_GAIN, instruction_set, processors

    known = instruction_set()
    detail = f"{processors()} to use, {known or 'unknown'}: embeds in "
    detail += "bfloat16" if known in BFLOAT16_SETS else "float32"
    if known in INT8_GAIN:
        gain = INT8_GAIN[known]
        detail += (
            f", with PGASK_EMBEDDING_DTYPE=int8 {gain:g} times as fast" if gain > 1 else ", int8 is slower"
        )
    return Finding("processor", True, detail)


def _home(home: Path) -> Finding:
    """Tries it: a mode says nothing about a read-only disk, nor to root."""
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing):
            pass
    except OSError as error:
        if existing == home and home.stat().st_uid != os.geteuid():
            return Finding("home", True, f"{home} (belongs to the account that runs PostgreSQL)")
        fix = "Make it writable for this user, or set PGASK_HOME to a folder that is."
        return Finding("home", False, f"{existing}: {error.strerror}", fix)
    return Finding("home", True, str(home))


def _model(settings: Settings) -> tuple[Finding, EmbeddingSpace | None]:
    from app.embedding import SentenceTransformerEmbedder

    try:
        embedder = SentenceTransformerEmbedder.from_settings(settings)
        embedder.load()
    except PgaskError as error:
        return Finding("embedding model", False, str(error), "Set PGASK_EMBEDDING_MODEL as said above."), None
    space = embedder.space
    size = f"{space.dimension} dimensions, {embedder.window_tokens} tokens a window"
    detail = f"{space.model}, {size}, run by {embedder.runtime}"
    return Finding("embedding model", True, detail), space


def _reranker(settings: Settings) -> Finding:
    from app.retrieval.rerank import CrossEncoderReranker

    try:
        reranker = CrossEncoderReranker.from_settings(settings)
        assert reranker is not None
        reranker.load()
    except PgaskError as error:
        return Finding("reranking model", False, str(error), "Set PGASK_RERANK_MODEL as said above.")
    detail = (
        f"{reranker.name}, reads {settings.rerank_candidates} candidates in {settings.rerank_timeout_s:g} s"
    )
    return Finding("reranking model", True, detail)


def _database(settings: Settings, space: EmbeddingSpace | None) -> Iterator[Finding]:
    from app.store.connection import connect, open_database

    where = "embedded" if settings.database_url is None else "PGASK_DATABASE_URL"
    try:
        with open_database(settings) as database, connect(database.app) as connection:
            yield Finding("database", True, f"reachable ({where})")
            yield from _contents(connection, settings, space)
    except PgaskError as error:
        yield Finding("database", False, str(error), "Do as said above, then run pgask doctor again.")


def _contents(connection: Connection, settings: Settings, space: EmbeddingSpace | None) -> Iterator[Finding]:
    from app.index.maintenance import versions
    from app.store.chosen_model import load_space
    from app.store.migrate import check_revision, current_revision
    from app.store.spaces import check_spaces
    from app.store.twins import read_chosen

    server, pgvector = versions(connection)
    yield Finding(
        "versions", True, f"PostgreSQL {server}, pgvector {pgvector}"
    )  # connect() refused what is too old
    yield _role(connection, embedded=settings.database_url is None)
    try:
        said = check_revision(connection)
    except PgaskError as error:
        yield Finding("migrations", False, str(error), "Run: pgask migrate")
        return
    yield Finding("migrations", True, said or f"at {current_revision(connection)}")
    chosen = read_chosen(connection)
    if chosen is not None and chosen != space:
        try:
            load_space(settings, chosen)
        except PgaskError as error:
            yield Finding("chosen model", False, str(error), "Put it back, or run: pgask spaces back")
            return
        yield Finding("chosen model", True, f"{chosen.model} answers, before any setting")
        space = chosen
    if space is None:
        return
    try:
        check_spaces(connection, space)
    except PgaskError as error:
        yield Finding("stored vectors", False, str(error), "Do as said above.")
        return
    yield Finding("stored vectors", True, f"agree with {space.model}")


def _role(connection: Connection, *, embedded: bool) -> Finding:
    """The service needs rows only: a role that may do more turns a mistake into a disaster."""
    from app.index.maintenance import role

    found = role(connection)
    powers = [
        name
        for name, has in (
            ("superuser", found.superuser),
            ("BYPASSRLS", found.bypasses_rls),
            ("owner of the schema", found.owns_schema),
        )
        if has
    ]
    if not powers:
        return Finding("role", True, f"{found.name} may read and write rows, nothing more")
    fix = (
        "Report this: the embedded server gives the service a plain role."
        if embedded
        else "Make a plain role for PGASK_DATABASE_URL, name the owner in PGASK_OWNER_DATABASE_URL, run: pgask migrate"
    )
    return Finding("role", False, f"{found.name} is {', '.join(powers)}", fix)


def _web() -> Finding:
    from app.main import STATIC

    if (STATIC / "index.html").is_file():
        return Finding("chat page", True, "built")
    return Finding("chat page", False, "not built; the API works without it", "Run: make web")


async def _llm(settings: Settings) -> list[Finding]:
    """One for each server."""
    from app.generation.servers import LlmServers

    servers = LlmServers.from_settings(settings)
    assert servers is not None
    try:
        return [await _llm_server(client, several=len(servers.clients) > 1) for client in servers.clients]
    finally:
        await servers.aclose()


async def _llm_server(client: LlmClient, *, several: bool) -> Finding:
    check = f"language model at {client.address}" if several else "language model"
    try:
        model = await client.served_model()
    except PgaskError as error:
        fix = "Start that server, or correct PGASK_LLM_BASE_URL; until then answers are extractive."
        if several:
            fix = "Start that server, or take it out of PGASK_LLM_BASE_URL; until then the others answer."
        return Finding(check, False, str(error), fix)
    return Finding(check, True, f"{model.name}, {model.context_tokens:,} tokens of context")
