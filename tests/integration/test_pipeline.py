"""A run over a folder: what goes in, what is skipped, and what is left when it is cut short."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from subprocess import Popen, run
from typing import Any

import pytest

from app.embedding import FloatMatrix, IntVector
from app.errors import EmbeddingMismatchError, InvalidRequestError
from app.store.connection import Database, connect
from app.store.documents import SourceVersion, record_failure
from app.store.texts import text_between
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import (
    SMALL,
    Silent,
    age,
    counted,
    counters,
    ingest,
    open_collection,
    open_run,
    orphans,
    plan,
    random_text,
    snapshot,
    write_corpus,
)
from tests.integration.processes import ROOT, wait_until

pytestmark = pytest.mark.integration


def rows(database: Database) -> set[tuple[Any, ...]]:
    """Every row's version: equal only if nothing was written in between."""
    with connect(database.app) as app:
        return set(
            app.execute(
                "SELECT 'c', id::text, xmin::text, ctid::text FROM pgask.collections UNION ALL"
                " SELECT 'd', id::text, xmin::text, ctid::text FROM pgask.documents UNION ALL"
                " SELECT 'k', id::text, xmin::text, ctid::text FROM pgask.chunks UNION ALL"
                " SELECT 'p', chunk_id::text || term, xmin::text, ctid::text FROM pgask.postings"
            ).fetchall()
        )


def statuses(database: Database) -> dict[str, tuple[str, str | None]]:
    with connect(database.app) as app:
        return {
            row[0]: (row[1], row[2])
            for row in app.execute("SELECT source, status, reason FROM pgask.documents").fetchall()
        }


def test_new_unchanged_and_changed(database: Database, tmp_path: Path) -> None:
    corpus = age(write_corpus(tmp_path, 8))
    first = ingest(database, corpus)
    assert (first.new, first.changed, first.unchanged, first.failed) == (8, 0, 0, [])
    with connect(database.app) as app:
        chunks = counters(app, open_collection(database))[0]
        assert app.execute("SELECT sum(token_count), sum(chunk_count) FROM pgask.documents").fetchone() == (
            first.tokens,
            chunks,
        )
    assert first.chunks == chunks > 8

    before = rows(database)
    second = ingest(database, corpus)
    assert (second.new, second.changed, second.unchanged, second.chunks, second.tokens) == (0, 0, 8, 0, 0)
    assert rows(database) == before

    stored = snapshot(database)
    changed = corpus / "文件002.md"
    changed.write_text(random_text(77, 12), "utf-8")
    third = ingest(database, corpus)
    assert (third.new, third.changed, third.unchanged) == (0, 1, 7)
    assert {row for row in snapshot(database) if row[0] != changed.name} == {
        row for row in stored if row[0] != changed.name
    }
    with connect(database.app) as app:
        collection = open_collection(database)
        assert counters(app, collection) == counted(app, collection)
        assert orphans(app, collection) == [0, 0, 0]


def test_a_file_touched_but_equal_is_unchanged(database: Database, tmp_path: Path) -> None:
    """While its time of change tells nothing yet, there is nothing to note either."""
    corpus = age(write_corpus(tmp_path, 2))
    ingest(database, corpus)
    before = rows(database)
    for file in corpus.rglob("*.md"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content)
        age(corpus, seconds=-60)
    assert ingest(database, corpus).unchanged == 2
    assert rows(database) == before


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "letter.doc": (b"\xd0\xcf\x11\xe0rest", "unsupported_type"),
    "broken.pdf": (b"%PDF-1.7\nnot really", "parse_failed"),
    "empty.txt": (b"", "empty"),
    "invisible.md": ("\u200b\u200d \n".encode(), "empty"),
    "large.txt": (b"word " * 30_000, "too_large"),
}


def test_bad_files_are_reported_and_the_rest_goes_in(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus", 3)
    for name, (content, _) in BAD_FILES.items():
        (corpus / name).write_bytes(content)
    (corpus / "out.md").symlink_to("/etc/hostname")
    options = replace(SMALL, max_file_bytes=100_000)
    report = ingest(database, corpus, options=options)
    expected = {name: code for name, (_, code) in BAD_FILES.items()} | {"out.md": "outside_root"}
    assert {failure.source: failure.code for failure in report.failed} == expected
    assert all(failure.detail for failure in report.failed)
    assert report.new == 3
    found = statuses(database)
    assert {source: reason for source, (status, reason) in found.items() if status == "failed"} == expected
    assert sum(status == "ready" for status, _ in found.values()) == 3

    again = ingest(database, corpus, options=options)  # reported as long as they are there
    assert {failure.source for failure in again.failed} == set(expected)
    assert again.unchanged == 3

    (corpus / "empty.txt").write_text("Now there is text.", "utf-8")
    mended = ingest(database, corpus, options=options)
    assert (mended.new, mended.changed) == (1, 0)
    assert statuses(database)["empty.txt"] == ("ready", None)


def test_f_1123_pictures_are_skipped_and_failed_ones_of_earlier_runs_forgotten(
    database: Database, tmp_path: Path
) -> None:
    """F-1123: every picture was a failed document, in every run."""
    corpus = write_corpus(tmp_path / "corpus", 3)
    (corpus / "plan.png").write_bytes(b"\x89PNG")
    with connect(database.app) as app:
        collection = open_collection(database)
        version = SourceVersion("plan.png", "", 4, SMALL.fingerprint(""))
        record_failure(app, collection, version, "unsupported_type", "as earlier versions did")
    report = ingest(database, corpus)
    assert (report.new, report.failed, report.removed) == (3, [], 0)
    assert [(one.source, one.code) for one in report.skipped] == [("plan.png", "picture")]
    assert {status for status, _ in statuses(database).values()} == {"ready"}


def test_what_is_left_out_is_counted_by_kind(database: Database, tmp_path: Path) -> None:
    """A document that lost more than a tenth of what was to be read is named; what nobody reads is only counted."""
    (tmp_path / "bad.jsonl").write_text('{"text": "one"}\n' + "not JSON at all " * 5 + "\n", "utf-8")
    (tmp_path / "page.html").write_text(
        "<p>Read me.</p><!-- x --><p style='display:none'>Hidden text.</p>", "utf-8"
    )
    report = ingest(database, tmp_path)
    assert report.new == 2
    assert report.dropped_chars["bad_line"] >= 70
    assert report.dropped_chars["hidden"] == 12
    assert [lossy.source for lossy in report.lossy_documents] == ["bad.jsonl"]
    assert report.lossy_documents[0].share > 0.5


def test_f_1123_what_becomes_excluded_stays_even_with_prune(database: Database, tmp_path: Path) -> None:
    """F-1123: prune forgets documents whose file is gone, and no others."""
    corpus = age(write_corpus(tmp_path / "corpus", 4))
    ingest(database, corpus)
    before = rows(database)
    (corpus / ".pgaskignore").write_text("deep/\n*000.md\n", "utf-8")
    options = replace(SMALL, prune=True)
    report = ingest(database, corpus, options=options)
    assert (report.unchanged, report.removed, report.excluded_documents) == (2, 0, 2)
    assert {one.source for one in report.skipped} == {"deep/", "文件000.md"}
    assert rows(database) == before
    (corpus / "deep/er/文件001.md").unlink()
    report = ingest(database, corpus, options=options)
    assert (report.unchanged, report.removed, report.excluded_documents) == (2, 1, 1)


def test_a_text_of_too_many_tokens_is_too_large(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "long.md").write_text("word " * 101, "utf-8")
    (tmp_path / "short.md").write_text("word " * 100, "utf-8")
    monkeypatch.setattr("ingest.preparing.MAX_TOKENS", 100)
    report = ingest(database, tmp_path)
    assert [(failure.source, failure.code) for failure in report.failed] == [("long.md", "too_large")]
    assert report.new == 1
    assert statuses(database)["long.md"] == ("failed", "too_large")


def test_a_file_that_turns_bad_stays_searchable_as_it_was(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 2)
    ingest(database, corpus)
    before = {row[3] for row in snapshot(database)}
    good = (corpus / "文件000.md").read_bytes()
    (corpus / "文件000.md").write_bytes(b"")
    assert [failure.code for failure in ingest(database, corpus).failed] == ["empty"]
    assert statuses(database)["文件000.md"] == ("stale", "empty")
    assert {row[3] for row in snapshot(database)} == before
    (corpus / "文件000.md").write_bytes(good)
    assert ingest(database, corpus).changed == 1
    assert statuses(database)["文件000.md"] == ("ready", None)


def test_what_postgresql_can_not_hold_stops_nothing_else(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 1)
    (corpus / "nul.md").write_bytes(
        b'---\na: "x\\0y"\nb: "\\uD800"\n"c\\0": 1\n---\n# A\0 title\n\nText\0 here.'
    )
    (corpus / "wide.md").write_bytes(b"---\nbig: 123456789012345678901234567890\nn: .nan\n---\nText.")
    folder = corpus
    for _ in range(12):  # 12 × 200 bytes: more than a row of an index holds
        folder = folder / ("d" * 200)
    folder.mkdir(parents=True)
    (folder / "far.md").write_text("Text.", "utf-8")
    report = ingest(database, corpus)
    assert [failure.code for failure in report.failed if failure.source.startswith("d")] == ["bad_name"]
    assert {failure.code for failure in report.failed} <= {"bad_name", "bad_encoding", "parse_failed"}
    assert report.new + len(report.failed) == 4
    assert statuses(database)["wide.md"] == ("ready", None)


def test_prune_forgets_what_is_gone_and_a_rename_keeps_its_vectors(
    database: Database, tmp_path: Path
) -> None:
    corpus = write_corpus(tmp_path, 6)
    ingest(database, corpus)
    with connect(database.app) as app:
        ids = dict(app.execute("SELECT source, id FROM pgask.documents").fetchall())
    (corpus / "文件000.md").unlink()
    (corpus / "文件002.md").rename(corpus / "deep" / "renamed.md")
    kept = ingest(database, corpus)  # without --prune nothing is forgotten, but a move is seen
    assert (kept.new, kept.renamed, kept.removed, kept.unchanged) == (0, 1, 0, 4)
    assert len(statuses(database)) == 6

    (corpus / "文件003.md").rename(corpus / "again.md")
    pruned = ingest(database, corpus, options=replace(SMALL, prune=True))
    assert (pruned.new, pruned.renamed, pruned.removed, pruned.unchanged) == (0, 1, 1, 4)
    assert pruned.chunks == pruned.tokens == 0  # nothing was embedded again
    sources = {file.relative_to(corpus).as_posix() for file in corpus.rglob("*.md")}
    assert set(statuses(database)) == sources
    with connect(database.app) as app:
        row = app.execute("SELECT id FROM pgask.documents WHERE source = 'again.md'").fetchone()
        assert row == (ids["文件003.md"],)
        assert orphans(app, open_collection(database)) == [0, 0, 0]


def test_a_copy_in_another_folder_is_no_move(database: Database, tmp_path: Path) -> None:
    """A collection may hold several folders, taken in one by one."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "one" / "a.md").write_text("A text.", "utf-8")
    (tmp_path / "two" / "b.md").write_text("A text.", "utf-8")
    keep_all = replace(SMALL, duplicates="keep_all")
    ingest(database, tmp_path / "one", options=keep_all)
    report = ingest(database, tmp_path / "two", options=keep_all)
    assert (report.new, report.renamed) == (1, 0)
    assert ingest(database, tmp_path / "one", options=keep_all).unchanged == 1

    (tmp_path / "one" / "a.md").unlink()
    (tmp_path / "two" / "b.md").rename(tmp_path / "two" / "c.md")
    (tmp_path / "two" / "d.md").write_text("Another text.", "utf-8")
    report = ingest(database, tmp_path / "two", options=keep_all)
    assert (report.new, report.renamed) == (1, 1)
    assert set(statuses(database)) in ({"a.md", "c.md", "d.md"}, {"b.md", "c.md", "d.md"})


def test_a_title_that_was_the_files_name_follows_it(database: Database, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("def f():\n    return 1\n", "utf-8")
    (tmp_path / "old.txt").write_text("A text without a heading, whose title is its name.", "utf-8")
    ingest(database, tmp_path)
    for file in (tmp_path / "old.py", tmp_path / "old.txt"):
        file.rename(file.with_stem("new"))
    assert ingest(database, tmp_path, options=replace(SMALL, prune=True)).renamed == 2
    moved = snapshot_titles(database)
    ingest(database, tmp_path, collection="undisturbed")
    assert moved == snapshot_titles(database, "undisturbed")


def snapshot_titles(database: Database, collection: str = "default") -> set[tuple[object, ...]]:
    with connect(database.app) as app:
        return set(
            app.execute(
                "SELECT d.source, d.title FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
                " WHERE c.name = %s",
                [collection],
            ).fetchall()
        )


def test_another_format_is_no_rename(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Heading\n\nText under it.", "utf-8")
    ingest(database, tmp_path)
    (tmp_path / "a.md").rename(tmp_path / "a.txt")
    report = ingest(database, tmp_path, options=replace(SMALL, prune=True))
    assert (report.new, report.renamed, report.removed) == (1, 0, 1)


# Nothing is unreadable for root, so the process becomes nobody once it is connected.
PLANNER = """
import os, sys
from dataclasses import replace
from pathlib import Path
from app.store.connection import Database
from tests.integration.ingesting import SMALL, open_run
with open_run(Database(owner=sys.argv[1], app=sys.argv[2]), options=replace(SMALL, prune=True)) as run:
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    planned = run.plan([Path(sys.argv[3])])
    print(planned.removed, [failure.source for failure in planned.failed])
"""


def test_prune_keeps_what_lies_in_a_folder_that_can_not_be_read(
    database: Database, tmp_path: Path, run_folder: Path
) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(run_folder):
            folder.chmod(0o755)
    corpus = write_corpus(tmp_path / "corpus", 6)
    ingest(database, corpus)
    (corpus / "文件000.md").unlink()
    for folder, expected in (
        (corpus / "deep", "('文件000.md',) ['deep/']"),
        (corpus, "() ['corpus/']"),  # nothing can be told of anything
    ):
        folder.chmod(0)
        command = [sys.executable, "-c", PLANNER, database.owner, database.app, str(corpus)]
        done = run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        folder.chmod(0o755)
        assert done.stdout.strip() == expected, done.stderr


def test_a_dry_run_writes_nothing(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 4)
    ingest(database, corpus)
    (corpus / "文件000.md").unlink()
    (corpus / "文件002.md").write_text("Another text.", "utf-8")
    (corpus / "new.md").write_text("A new text.", "utf-8")
    (corpus / "文件003.md").rename(corpus / "moved.md")
    before = rows(database)
    planned = plan(database, corpus, options=replace(SMALL, prune=True))
    assert planned.new == ("new.md",)
    assert planned.changed == ("文件002.md",)
    assert planned.renamed == (("文件003.md", "moved.md"),)
    assert planned.removed == ("文件000.md",)
    assert planned.unchanged == ("deep/er/文件001.md",)
    assert rows(database) == before


def test_other_settings_cut_every_document_anew(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 3, sentences=60)
    ingest(database, corpus)
    for changed in (
        replace(SMALL, chunk_tokens=256),
        replace(SMALL, chunk_tokens=256, overlap=0),
        replace(SMALL, chunk_tokens=256, overlap=0, window_tokens=64),
    ):
        before = snapshot(database)
        report = ingest(database, corpus, options=changed)
        assert (report.changed, report.unchanged) == (3, 0)
        assert snapshot(database) != before
        assert ingest(database, corpus, options=changed).unchanged == 3


def test_paths_that_do_not_exist_write_nothing(database: Database, tmp_path: Path) -> None:
    before = rows(database)
    with pytest.raises(InvalidRequestError, match="does not exist"):
        ingest(database, tmp_path / "none", collection="default")
    assert {row for row in rows(database) if row[0] != "c"} == before


def test_another_model_is_refused_before_anything_is_written(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 2)
    ingest(database, corpus)
    before = rows(database)
    with pytest.raises(EmbeddingMismatchError):
        ingest(database, corpus, embedder=FakeEmbedder("other"))
    assert rows(database) == before


def test_a_long_document(database: Database, tmp_path: Path) -> None:
    text = random_text(1, 18_000)
    assert len(text) > 1_000_000
    (tmp_path / "long.txt").write_text(text, "utf-8")
    report = ingest(database, tmp_path)
    assert (report.new, report.failed) == (1, [])
    with connect(database.app) as app:
        row = app.execute(
            f"SELECT bool_and({text_between('d.id', 'k.char_start', 'k.char_end')} ="
            " substring(%s::text FROM k.char_start + 1 FOR k.char_end - k.char_start)) FROM pgask.chunks k"
            " JOIN pgask.documents d ON d.id = k.document_id WHERE k.chunk_index %% 50 = 0",
            [text],
        ).fetchone()
    assert row == (True,)


class Interrupted(FakeEmbedder):
    """Ctrl-C in the middle of embedding, the nth time."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def embed_windows(self, windows: Sequence[IntVector]) -> FloatMatrix:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return super().embed_windows(windows)


class InterruptedProgress(Silent):
    """Ctrl-C right after the nth file of a run, the scan included."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None:
        super().advance(source)
        if len(self.advanced) == self._after:
            raise KeyboardInterrupt


def test_the_run_after_an_interrupted_one_finishes(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 12, sentences=120)
    ingest(database, corpus, collection="undisturbed")
    expected = snapshot(database, "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        ingest(database, corpus, embedder=Interrupted(1))
    with open_run(database, progress=InterruptedProgress(12 + 2)) as run:
        planned = run.plan([corpus])
        with pytest.raises(KeyboardInterrupt):
            run.execute(planned)
        assert 0 < run.report.new < 12  # the report of an interrupted run is right too
        assert run.report.new + run.report.unchanged < 12
    partial = snapshot(database)
    assert partial
    assert partial < expected
    report = ingest(database, corpus)
    assert report.unchanged > 0
    assert report.new + report.unchanged == 12
    assert snapshot(database) == expected


def test_two_runs_at_once_take_each_file_in_once(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 16)
    ingest(database, corpus, collection="undisturbed")
    open_collection(database)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: ingest(database, corpus), range(2)))
    assert sum(report.new for report in reports) == 16
    assert all(report.new + report.unchanged == 16 and not report.failed for report in reports)
    assert snapshot(database) == snapshot(database, "undisturbed")


# A process of its own that takes a folder in and can be killed; slow enough to be hit in the middle.
INGESTER = """
import sys, time
from pathlib import Path
from app.logs import configure_logs
from app.store.connection import Database
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import ingest
configure_logs("error")
class Slow(FakeEmbedder):
    def embed_windows(self, windows):
        time.sleep(0.3)
        return super().embed_windows(windows)
ingest(Database(owner=sys.argv[1], app=sys.argv[2]), Path(sys.argv[3]), embedder=Slow())
"""


@pytest.mark.long
def test_three_kills_lose_and_double_nothing(database: Database, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path, 24, sentences=250)
    ingest(database, corpus, collection="undisturbed")
    expected = snapshot(database, "undisturbed")
    collection = open_collection(database)

    def stored() -> int:
        return sum(status == "ready" for status, _ in statuses_of(database, collection.id))

    for kill_at in (3, 9, 16):
        command = [sys.executable, "-c", INGESTER, database.owner, database.app, str(corpus)]
        with Popen(command, cwd=ROOT) as process:
            wait_until(lambda at=kill_at: stored() >= at, timeout_s=60)  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"
        assert stored() < 24
    report = ingest(database, corpus)
    assert report.unchanged >= 16
    assert report.failed == []
    assert snapshot(database) == expected
    with connect(database.app) as app:
        assert counters(app, collection) == counted(app, collection)
        assert orphans(app, collection) == [0, 0, 0]


def statuses_of(database: Database, collection_id: int) -> list[tuple[str, str]]:
    with connect(database.app) as app:
        return app.execute(
            "SELECT status, source FROM pgask.documents WHERE collection_id = %s", [collection_id]
        ).fetchall()
