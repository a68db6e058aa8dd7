"""The `ingest` command as a process of its own: exit codes, the JSON object, and what it prints."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.store.connection import Database, connect
from tests.integration.ingesting import FAKE, open_collection, random_text
from tests.integration.processes import ROOT, rows, wait_until

KEYS = [
    "new",
    "changed",
    "renamed",
    "unchanged",
    "removed",
    "failed",
    "skipped",
    "chunks",
    "tokens",
    "seconds",
]
MORE_KEYS = ["duplicates", "embedded_tokens", "reused_tokens", "dropped_tokens", "unreadable_documents"]
MORE_KEYS += ["excluded_documents", "dropped_chars", "lossy_documents", "renewed_terms", "not_retried"]
MORE_KEYS += ["ocr_pages", "ocr_seconds", "readers_changed"]
COMMAND = [sys.executable, "-c", "from ingest.cli import main; main()"]

pytestmark = pytest.mark.integration


def environment(database: Database, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PGASK_")}
    urls = {"PGASK_DATABASE_URL": database.app, "PGASK_OWNER_DATABASE_URL": database.owner}
    return kept | urls | {"HF_HUB_OFFLINE": "1"} | more


def ingest(database: Database, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env=environment(database, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def last_object(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def is_safe(text: str) -> bool:
    """Nothing in it acts on a terminal."""
    return all(character.isprintable() or character == "\n" for character in text)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    return folder


@pytest.mark.model
def test_a_folder_goes_in_by_the_bundled_model(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", english=random_text(1, 60), chinese=random_text(2, 60, chinese=True))
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (corpus / "evil\x1b[2J\x9b\u202e\n.doc").write_bytes(b"PK")
    done = ingest(database, corpus, "--json")
    assert done.returncode == 1, done.stderr
    report = last_object(done)
    assert list(report) == KEYS + MORE_KEYS
    assert (report["new"], report["changed"], report["unchanged"]) == (2, 0, 0)
    assert report["embedded_tokens"] + report["reused_tokens"] == report["tokens"]
    assert report["dropped_tokens"] == 0
    assert report["unreadable_documents"] == 1  # the Chinese one, by this English model
    assert "can't read 1 document of collection 'default'" in done.stderr
    assert "PGASK_EMBEDDING_MODEL" in done.stderr
    assert {failure["code"] for failure in report["failed"]} == {"parse_failed", "unsupported_type"}
    assert all(list(failure) == ["source", "code", "detail"] for failure in report["failed"])
    assert any("evil\x1b[2J" in failure["source"] for failure in report["failed"])
    assert report["chunks"] > 2
    assert rows(database.app, "SELECT sum(chunk_count) FROM pgask.documents") == [(report["chunks"],)]
    assert report["tokens"] > 500
    assert is_safe(done.stdout)
    assert is_safe(done.stderr)
    assert "2 new, 0 changed, 0 renamed, 0 unchanged, 0 removed, 2 failed, 0 duplicates; " in done.stderr
    assert f"coverage: {report['tokens']:,} tokens read" in done.stderr
    planned = ingest(database, corpus, "--dry-run")
    assert "! broken.pdf (parse_failed before; not changed)\n" in planned.stdout
    told = "2 failed files not changed since, so not tried again; --rehash tries"
    assert planned.stdout.endswith(f"= 2 unchanged\nnothing to do; {told}\n")
    assert f"{told}\n" in ingest(database, corpus).stderr

    for bad in corpus.iterdir():
        if bad.suffix != ".md":
            bad.unlink()
    again = ingest(database, corpus, "--prune", "--quiet", "--json")
    assert again.returncode == 0
    assert last_object(again)["unchanged"] == 2
    assert last_object(again)["removed"] == 2
    assert again.stderr == ""
    lengths = rows(
        database.owner, "SELECT DISTINCT vector_dims(embedding) FROM pgask_vectors.chunk_vectors_1"
    )
    assert lengths == [(384,)]


@pytest.mark.long
@pytest.mark.model
def test_f_1123_pictures_and_what_is_excluded_leave_the_exit_code_at_0(
    database: Database, tmp_path: Path
) -> None:
    """F-1123: a folder with pictures failed on every run, so that a scheduled job couldn't use the exit code."""
    corpus = write(
        tmp_path / "corpus", kept=random_text(1, 20), draft=random_text(2, 20), other=random_text(3, 20)
    )
    (corpus / "plan.png").write_bytes(b"\x89PNG")
    (corpus / ".gitignore").write_text("other.*\n", "utf-8")
    planned = ingest(database, corpus, "--exclude", "draft*", "--dry-run", "--json", PGASK_OCR="off")
    assert planned.returncode == 0, planned.stderr
    assert last_object(planned)["plan"]["new"] == ["kept.md"]
    done = ingest(database, corpus, "--exclude", "draft*", "--include", "*.md", "--json")
    assert done.returncode == 0, done.stderr
    report = last_object(done)
    assert (report["new"], report["failed"]) == (1, [])
    assert {one["source"]: one["code"] for one in report["skipped"]} == {
        "draft.md": "excluded",
        "other.md": "excluded",
        "plan.png": "excluded",
    }
    assert "skipped: 3 excluded\n" in done.stderr
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    failed = ingest(database, corpus, "--json")
    assert failed.returncode == 1
    assert [one["source"] for one in last_object(failed)["failed"]] == ["broken.pdf"]
    assert "skipped: 1 picture, 1 excluded\n" in failed.stderr


@pytest.mark.model
def test_ctrl_c_keeps_what_is_in_and_the_next_run_finishes(database: Database, tmp_path: Path) -> None:
    files = {f"file{number:02}": random_text(number, 250) for number in range(40)}
    corpus = write(tmp_path / "corpus", **files)
    process = subprocess.Popen(
        [*COMMAND, str(corpus), "--json"],
        cwd=ROOT,
        env=environment(database),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: rows(database.app, "SELECT count(*) FROM pgask.documents")[0] >= (2,), timeout_s=90)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr[-2000:]
    assert "Traceback" not in stderr
    assert "run the same command again" in stderr
    report = json.loads(stdout.splitlines()[-1])
    stored = rows(database.app, "SELECT count(*) FROM pgask.documents WHERE status = 'ready'")
    assert stored == [(report["new"],)]
    assert 2 <= report["new"] < 40


def test_a_dry_run_shows_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", a="A text.", b="Another text.")
    (corpus / "evil\x1b[2J.md").write_text("Text.", "utf-8")
    done = ingest(database, corpus, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "+ a.md\n+ b.md\n" in done.stdout
    assert is_safe(done.stdout)
    as_json = last_object(ingest(database, corpus, "--dry-run", "--json"))
    assert list(as_json) == [*KEYS, *MORE_KEYS, "dry_run", "plan"]
    assert as_json["new"] == 3
    assert as_json["plan"]["new"][:2] == ["a.md", "b.md"]
    for table in ("collections", "documents", "embedding_spaces"):
        assert rows(database.app, f"SELECT count(*) FROM pgask.{table}") == [(0,)]
    assert rows(database.app, "SELECT count(*) FROM pg_tables WHERE schemaname = 'pgask_vectors'") == [(0,)]


def test_what_can_not_start_exits_with_2_and_one_line(
    database: Database, empty_database: Database, tmp_path: Path
) -> None:
    corpus = write(tmp_path / "corpus", a="A text.")
    nowhere = "postgresql://nobody:secret@127.0.0.1:1/none"
    cases: list[tuple[Database, tuple[str | Path, ...], dict[str, str], str]] = [
        (database, (tmp_path / "none\x1b[2J",), {}, "path_not_found"),
        (database, (corpus, "--collection", "a/b"), {}, "invalid_request"),
        (database, (corpus, "--chunk-tokens", "5"), {}, "config_error"),
        (database, (corpus,), {"PGASK_EMBEDDING_MODEL": str(corpus)}, "config_error"),
        (empty_database, (corpus,), {}, "schema_mismatch"),
        (Database(owner=nowhere, app=nowhere), (corpus,), {}, "store_unavailable"),
    ]
    for target, arguments, more, code in cases:
        done = ingest(target, *arguments, "--json", **more)
        assert done.returncode == 2, (code, done.stdout, done.stderr)
        assert last_object(done)["error"]["code"] == code
        assert done.stderr.startswith("ingest: ")
        assert done.stderr.count("\n") == 1
        assert is_safe(done.stderr)
        assert "secret" not in done.stdout + done.stderr


def test_another_model_s_collection_is_refused_dry_or_not(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", a="A text.")
    collection = open_collection(database, FAKE)
    with connect(database.app) as connection:
        connection.execute("UPDATE pgask.collections SET chunk_count = 1 WHERE id = %s", [collection.id])
    for more in ((), ("--dry-run",)):
        done = ingest(database, corpus, *more)
        assert done.returncode == 2
        assert "model: stored 'fake', configured 'all-MiniLM-L6-v2'" in done.stderr
        assert "pgask collections delete default" in done.stderr


def test_wrong_arguments_exit_with_2(database: Database) -> None:
    assert ingest(database, "--no-such-option").returncode == 2
    shown = ingest(database, "--help")
    assert shown.returncode == 0
    assert "ingest ./corpus --collection handbook --prune" in shown.stdout


def test_readers_are_given_and_shown(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", a="A text.", b="Another text.")
    kept = write(corpus / "people", c="A third text.")
    (kept / ".pgask.toml").write_text('readers = ["hr"]', "utf-8")
    assert last_object(ingest(database, corpus, "--json", "--readers", "board , hr"))["new"] == 3
    shelves = "SELECT c.readers FROM pgask.documents d JOIN pgask.collections c ON c.id = d.collection_id"
    assert sorted(rows(database.app, shelves)) == [(["board", "hr"],), (["board", "hr"],), (["hr"],)]
    (corpus / ".pgask.toml").write_text("readers = [", "utf-8")
    planned = ingest(database, corpus, "--dry-run")
    assert planned.returncode == 1  # as the file says nothing that holds
    assert "@ a.md (board, hr → pgask-admins)\n" in planned.stdout
    assert "(bad_readers)" in planned.stdout
    assert "2 with other readers" in planned.stdout
