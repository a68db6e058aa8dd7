"""A collection whose terms an earlier lexicon made: refused until a run has made them anew from the stored text."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import EmbeddingMismatchError
from app.lexicon import LEXICON_VERSION
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import Database, connect
from app.store.connection_pool import open_pool
from tests.integration.ingesting import (
    FAKE,
    Silent,
    counted,
    counters,
    ingest,
    open_collection,
    open_run,
    orphans,
    plan,
    random_text,
    snapshot,
)

pytestmark = pytest.mark.integration


class Interrupting(Silent):
    """Ctrl-C after the first document."""

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:
        super().advance(source, chunks=chunks, tokens=tokens)
        raise KeyboardInterrupt


def make_old(database: Database) -> None:
    """As if another lexicon had made the terms."""
    with connect(database.app) as app:
        app.execute("UPDATE pgask.collections SET lexicon_version = 1")
        app.execute("UPDATE pgask.postings SET term = term || 'x'")
        app.execute("DELETE FROM pgask.signature_bands")
        app.execute("UPDATE pgask.documents SET pipeline = regexp_replace(pipeline, '-l[0-9]+-', '-l1-')")


async def test_terms_are_made_anew_from_the_stored_text(database: Database, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.md").write_text(f"# 姓　名 {number}\n\n{random_text(number, 12)}\n", "utf-8")
    (tmp_path / "copy.md").write_bytes((tmp_path / "0.md").read_bytes())
    ingest(database, tmp_path)
    before = snapshot(database)
    make_old(database)
    (tmp_path / "1.md").unlink()  # its text is stored: no file is needed
    async with open_pool(database.app, size=2, statement_timeout_s=10) as pool:
        retriever = Retriever(pool, FAKE, RetrievalSettings())
        with pytest.raises(EmbeddingMismatchError, match="Run `ingest` on any of its folders once"):
            await retriever.retrieve("姓名", "default", 2)
        shown = plan(database, tmp_path)
        assert (shown.new, shown.changed, len(shown.unchanged)) == ((), (), 3)
        with open_run(database) as run:
            run.renew_terms()
            report = run.execute(run.plan([tmp_path]))
        assert report.renewed_terms == 3
        assert (report.new, report.changed, report.unchanged, report.embedded_tokens) == (0, 0, 3, 0)
        assert snapshot(database) == before
        found = await retriever.retrieve("姓名", "default", 2)
    assert found.hits[0].scores.lexical is not None
    assert found.hits[0].scores.lexical > 0
    target = open_collection(database)
    assert target.lexicon_version == LEXICON_VERSION
    with connect(database.app) as app:
        assert orphans(app, target) == [0, 0, 0]
        assert counters(app, target) == counted(app, target)
    with open_run(database) as run:
        run.renew_terms()
        assert run.report.renewed_terms == 0


def test_what_an_interrupted_renewal_did_not_come_to_is_done_by_the_next(
    database: Database, tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.md").write_text(random_text(number, 5), "utf-8")
    ingest(database, tmp_path)
    before = snapshot(database)
    make_old(database)

    with open_run(database, progress=Interrupting()) as run, pytest.raises(KeyboardInterrupt):
        run.renew_terms()
    with open_run(database) as run:
        run.renew_terms()
        assert run.report.renewed_terms == 2
    assert snapshot(database) == before
