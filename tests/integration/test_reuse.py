"""What has not changed is neither embedded nor written again, and the result is as if it had been."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.store.connection import Database, connect
from app.store.documents import stored_windows
from app.store.spaces import chunk_table, window_table
from ingest.windows import window_hash
from tests.integration.ingesting import (
    FAKE,
    SMALL,
    age,
    ingest,
    open_collection,
    orphans,
    random_text,
    snapshot,
    write_corpus,
)
from tests.integration.processes import wait_until

pytestmark = pytest.mark.integration

Edit = Callable[[str, str], str]  # text, a new sentence → edited text
EDITS: dict[str, tuple[Edit, float]] = {  # and the most of it that may be embedded again
    "append": (lambda text, new: text + new, 0.1),
    "insert in the middle": (lambda text, new: text[: len(text) // 2] + new + text[len(text) // 2 :], 0.6),
    "change a word": (lambda text, _: text[:600] + "Qwerty" + text[606:], 0.1),
    "delete": (lambda text, _: text[: len(text) // 2] + text[len(text) // 2 + 300 :], 0.6),
}


@pytest.mark.parametrize("chinese", [False, True], ids=["en", "zh"])
@pytest.mark.parametrize("name", EDITS)
def test_an_edited_document_is_as_if_made_anew(
    database: Database, tmp_path: Path, name: str, chinese: bool
) -> None:
    edit, most = EDITS[name]
    file = tmp_path / "a.md"
    text = "\n\n".join(random_text(seed, 12, chinese=chinese) for seed in range(20))
    file.write_text(text, "utf-8")
    first = ingest(database, tmp_path)
    assert first.embedded_tokens + first.reused_tokens == first.tokens
    file.write_text(edit(text, random_text(99, 1, chinese=chinese)), "utf-8")
    report = ingest(database, tmp_path)
    assert report.changed == 1
    assert report.embedded_tokens + report.reused_tokens == report.tokens
    assert report.dropped_tokens == 0
    assert 0 < report.embedded_tokens < most * report.tokens
    ingest(database, tmp_path, collection="anew")
    assert snapshot(database) == snapshot(database, "anew")
    with connect(database.app) as app:
        assert orphans(app, open_collection(database)) == [0, 0, 0]


def test_other_settings_keep_the_vectors_of_equal_windows(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(random_text(1, 30), "utf-8")
    ingest(database, tmp_path)
    options = replace(SMALL, max_file_bytes=1_000_000, overlap=0)
    report = ingest(database, tmp_path, options=options)
    assert report.changed == 1
    assert report.reused_tokens > 0
    ingest(database, tmp_path, options=options, collection="anew")
    assert snapshot(database) == snapshot(database, "anew")


def test_stored_windows_are_found_by_their_tokens(database: Database, tmp_path: Path) -> None:
    text = random_text(5, 8)
    (tmp_path / "a.md").write_text(text, "utf-8")
    ingest(database, tmp_path)
    collection = open_collection(database)
    with connect(database.app) as app:
        found = stored_windows(app, collection, "a.md")
        spans = app.execute(
            sql.SQL("SELECT char_start, char_end, embedding FROM {} ORDER BY window_index").format(
                window_table(collection.space_id)
            )
        ).fetchall()
        assert len(found) == len(spans) > 2
        for start, end, embedding in spans:
            vector = found[window_hash(FAKE.tokenize(text[start:end]).ids)]
            assert vector.tolist() == embedding.to_list()
        assert stored_windows(app, collection, "none.md") == {}
        app.execute("UPDATE pgask.documents SET window_hashes = NULL")
        assert stored_windows(app, collection, "a.md") == {}
    (tmp_path / "a.md").write_text(text + " More.", "utf-8")
    report = ingest(database, tmp_path)  # stored before hashes were kept: embedded whole
    assert report.embedded_tokens == report.tokens


_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    " AND pid <> pg_backend_pid()"
)


def writes(database: Database) -> tuple[int, ...]:
    """Rows inserted, updated and deleted in all of pgask's tables, ever."""
    with psycopg.connect(database.owner, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        # A session that has just ended tells of its rows while it goes
        wait_until(lambda: connection.execute(_OTHERS).fetchone() == (0,))
        row = connection.execute(
            "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_user_tables"
            " WHERE schemaname IN ('pgask', 'pgask_vectors')"
        ).fetchone()
    assert row is not None
    return tuple(int(count) for count in row)


def test_unchanged_files_write_no_row(database: Database, tmp_path: Path) -> None:
    """R5; with a duplicate and a file that failed among them."""
    corpus = write_corpus(tmp_path, 300, sentences=2)
    (corpus / "copy.md").write_bytes((corpus / "文件000.md").read_bytes())
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    age(corpus)
    first = ingest(database, corpus)
    assert (first.new, len(first.duplicates), len(first.failed)) == (300, 1, 1)
    before = writes(database)
    assert before > (300, 0, 0)
    second = ingest(database, corpus)
    assert (second.unchanged, second.new, second.changed) == (301, 0, 0)
    assert writes(database) == before


def test_what_is_removed_leaves_nothing(database: Database, tmp_path: Path) -> None:
    """R15: of pruned documents nothing is stored that a search could find."""
    corpus = write_corpus(tmp_path, 40, sentences=4)
    ingest(database, corpus)
    kept = sorted(corpus.rglob("*.md"))[:3]
    for file in set(corpus.rglob("*.md")) - set(kept):
        file.unlink()
    report = ingest(database, corpus, options=replace(SMALL, prune=True))
    assert (report.removed, report.unchanged) == (37, 3)
    collection = open_collection(database)
    with connect(database.app) as app:
        assert orphans(app, collection) == [0, 0, 0]
        for table in (
            sql.Identifier("pgask", "chunks"),
            chunk_table(collection.space_id),
            window_table(collection.space_id),
        ):
            left = app.execute(sql.SQL("SELECT count(DISTINCT document_id) FROM {}").format(table)).fetchone()
            assert left == (3,)
        terms = app.execute(
            "SELECT count(*) FROM pgask.postings p WHERE NOT EXISTS"
            " (SELECT FROM pgask.chunks k WHERE k.id = p.chunk_id)"
        ).fetchone()
        assert terms == (0,)
    assert {row[0] for row in snapshot(database)} == {file.relative_to(corpus).as_posix() for file in kept}
