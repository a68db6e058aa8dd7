"""The real app over a real database with a few documents; only the embedding model is a fake."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from app.api.pages import PageViews
from app.api.plans import Refuses, refuses_nothing
from app.config import Settings
from app.embedding import Embedder
from app.main import STATIC, create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database
from tests.conftest import TEMPLATE
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest

BASE_URL = "http://127.0.0.1"
MakeClient = Callable[..., TestClient]

DOCUMENTS = {
    "guide/lists.md": (
        "---\nlang: en\nlevel: 2\n---\n# Lists\n\nChoose the number of"
        " ivfflat lists from the number of rows. The square root of the rows is a good start. 🦜 Parrots sit beside"
        " the lists.\n\n## Probes\n\nProbes say how many lists a query reads. More probes raise recall.\n"
    ),
    "guide/backup.md": "---\nlang: en\n---\n# Backup\n\nWrite a backup every night. Keep the backup on another disk.\n",
    "zh/chunking.md": "---\nlang: zh\n---\n# 分块\n\n分块大小默认为五百一十二个词元。重叠保持在六十四个词元。\n",
}


def settings_for(**overrides: Any) -> Settings:
    """Settings that no environment changes; any evidence is enough, since the fake's cosines mean little, and nobody
    looks after the indexes meanwhile."""
    given: dict[str, Any] = {
        "abstain_threshold": 0.0,
        "index_check_minutes": 0,
        "port": 8000,
        "host": "127.0.0.1",
    } | overrides
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def write_documents(folder: Path) -> Path:
    for source, text in DOCUMENTS.items():
        path = folder / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="package", autouse=True)
def plain_log() -> Iterator[None]:
    """As the service logs: without the variables of every frame, which take structlog's default 10 s to draw."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="package")
def filled(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with DOCUMENTS in its collection "default"; tests that use it only read."""
    name = f"api{os.getpid()}_test"
    urls = postgres.create_database(name, template=TEMPLATE)
    database = Database(owner=urls.owner, app=urls.app)
    assert ingest(database, write_documents(tmp_path_factory.mktemp("api"))).failed == []
    yield database
    postgres.drop_database(name)


@pytest.fixture(scope="package")
def client(filled: Database) -> Iterator[TestClient]:
    """The app over `filled`."""
    app = create_app(settings_for(), filled, FakeEmbedder())
    with TestClient(app, base_url=BASE_URL) as opened:
        yield opened


@pytest.fixture
def make_client(filled: Database) -> Iterator[MakeClient]:
    """Another app, over `filled` unless told otherwise, with its own settings."""
    with ExitStack() as stack:

        def make(
            database: Database = filled,
            embedder: Embedder | None = None,
            static: Path = STATIC,
            drawing: PageViews | None = None,
            refuses: Refuses = refuses_nothing,
            **settings: Any,
        ) -> TestClient:
            app = create_app(
                settings_for(**settings),
                database,
                embedder or FakeEmbedder(),
                static=static,
                drawing=drawing,
                refuses=refuses,
            )
            return stack.enter_context(TestClient(app, base_url=BASE_URL))

        yield make


@pytest.fixture
def own(database: Database, tmp_path: Path) -> Database:
    """A filled database of the test's own, to change."""
    ingest(database, write_documents(tmp_path / "own"))
    return database
