"""A collection as a file: the same in another database, whole or not at all, and no trust in what a file says."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import random
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app.cli import app as cli
from app.domain import ScoredChunk
from app.embedding import Embedder
from app.errors import PgaskError, StoreBusyError
from app.lexicon import LEXICON_VERSION
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.server.embedded import EmbeddedPostgres
from app.store import catalog, export_lines, imported
from app.store.connection import Database, connect, transaction, write
from app.store.connection_pool import open_pool
from app.store.export_lines import Line, LineReader, LineWriter
from app.store.exporting import export_collection
from app.store.originals import count_bytes, store_original
from app.store.spaces import ensure_space
from app.store.tenancy import DEFAULT, Scope, open_scope, working_for
from app.store.tenant_list import create_tenant
from ingest.importing import Imported, import_collection
from tests.conftest import TEMPLATE
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, SMALL, ingest, random_text, snapshot, write_corpus
from tests.integration.processes import spawn, wait_until

pytestmark = pytest.mark.integration
Change = Callable[[list[dict[str, Any]]], None]

# An import that waits after some documents, to be killed there.
KILLED = """
import sys, time
from pathlib import Path
from app.store.connection import Database
from tests.integration.test_export import read_file
def wait(done, of):
    if done == 7:
        print("waits", flush=True)
        time.sleep(600)
read_file(Database(owner=sys.argv[1], app=sys.argv[1]), Path(sys.argv[2]).read_bytes(), progress=wait)
"""


def write_file(database: Database, name: str = "default") -> bytes:
    stream = io.BytesIO()
    with connect(database.app) as connection:
        export_collection(connection, name, stream)
    return stream.getvalue()


def read_file(
    database: Database, file: bytes, name: str | None = None, embedder: Embedder = FAKE, **more: Any
) -> Imported:
    with connect(database.owner) as owner:
        space_id = ensure_space(owner, embedder.space)
    with connect(database.app) as connection:
        return import_collection(
            connection, io.BytesIO(file), name, space_id, embedder, options=SMALL, **more
        )


async def lists(database: Database, questions: list[str], name: str = "default") -> str:
    """What each question finds, as text. Ids of chunks are each database's own, and so is the order in which PostgreSQL
    adds up, which the last digits of sums depend on."""

    def rounded(hit: ScoredChunk) -> dict[str, Any]:
        scores = {leg: round(score or 0, 9) for leg, score in asdict(hit.scores).items()}
        return {"score": round(hit.score, 9), "standard": round(hit.standard, 9), "scores": scores}

    found = []
    async with open_pool(database.app, size=1, statement_timeout_s=60) as pool:
        retriever = Retriever(pool, FAKE, RetrievalSettings(), None, None)
        for question in questions:
            hits = (await retriever.retrieve(question, name, 10)).hits
            found.append([asdict(hit) | {"chunk_id": "", **rounded(hit)} for hit in hits])
    return json.dumps(found, ensure_ascii=False)


async def names(database: Database) -> list[str]:
    async with (
        open_pool(database.app, size=1, statement_timeout_s=60) as pool,
        transaction(pool) as connection,
    ):
        return [one.name for one in await catalog.list_collections(connection)]


def rewritten(file: bytes, change: Change) -> bytes:
    """The file with its lines changed, and every sum right again: as somebody who means harm would send it."""
    lines = [json.loads(line) for line in gzip.decompress(file).splitlines()]
    change(lines)
    stream = io.BytesIO()
    writer = LineWriter(stream)
    for line in lines:
        if line.get("kind") == "stored":
            writer.end_document()
        elif line.get("kind") == "end":
            writer.close()
        else:
            if line.get("kind") == "document":
                writer.begin_document()
            writer.write(json.dumps(line))  # ASCII alone, so that half a letter can be written
    return stream.getvalue()


@pytest.fixture(scope="module")
def source(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a collection of everything there is: texts in both languages, a duplicate, a broken file."""
    name = f"export{os.getpid()}_test"
    urls = postgres.create_database(name, template=TEMPLATE)
    database = Database(owner=urls.owner, app=urls.app)
    folder = write_corpus(tmp_path_factory.mktemp("export"), 20)
    (folder / "copy.md").write_bytes((folder / "文件000.md").read_bytes())
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (folder / "long.txt").write_text(random_text(7, 2_500), "utf-8")
    ingest(database, folder)
    content = (folder / "文件000.md").read_bytes()
    with connect(database.app) as connection:
        sha256 = hashlib.sha256(content).hexdigest()
        original = store_original(
            connection, "文件000.md", sha256, len(content), [content[:99], content[99:]]
        )
        connection.execute(
            "UPDATE pgask.originals SET document_id = (SELECT id FROM pgask.documents WHERE source = '文件000.md')"
            " WHERE id = %s",
            [original],
        )
    yield database
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def file(source: Database) -> bytes:
    return write_file(source)


async def test_lists_of_hits_are_the_same_there_and_back(
    source: Database, file: bytes, database: Database
) -> None:
    questions = [random_text(seed, 1, chinese=seed % 3 == 0) for seed in range(30)]
    before = await lists(source, questions)
    done = read_file(database, file)
    assert (done.documents, done.resumed, done.made_anew) == (23, 0, 0)
    assert await lists(database, questions) == before
    assert snapshot(database) == snapshot(source)
    done = read_file(source, write_file(database), "back")
    assert done.chunks == len(snapshot(source))
    returned = json.loads(await lists(source, questions, "back"))
    expected = json.loads(before)
    for hit in (hit for found in (*returned, *expected) for hit in found):
        hit["document_id"] = hit["collection"] = ""  # these are taken there
    assert returned == expected
    async with open_pool(source.app, size=1, statement_timeout_s=60) as pool:
        await write(pool, lambda connection: catalog.delete_collection(connection, "back"))


def test_all_that_is_known_of_documents_goes_along(source: Database, file: bytes, database: Database) -> None:
    read_file(database, file)
    columns = (
        "d.id, d.source, d.status, d.reason, d.title, d.metadata, d.sections, d.signature,"
        " (SELECT array_agg(s.band ORDER BY s.band) FROM pgask.signature_bands s WHERE s.document_id = d.id),"
        " d.window_hashes, d.created_at, d.updated_at, k.source"
    )
    found = []
    for one in (source, database):
        with connect(one.app) as connection:
            found.append(
                connection.execute(
                    f"SELECT {columns} FROM pgask.documents d LEFT JOIN pgask.documents k ON k.id = d.duplicate_of"
                    " ORDER BY d.source"
                ).fetchall()
            )
            found[-1] += connection.execute(
                "SELECT d.source, b.window_index FROM pgask.background_windows b JOIN pgask.documents d"
                " ON d.id = b.document_id ORDER BY 1, 2"
            ).fetchall()
            found[-1] += connection.execute(
                "SELECT o.name, o.sha256, o.document_id, p.part, p.bytes FROM pgask.originals o"
                " JOIN pgask.original_parts p ON p.original_id = o.id ORDER BY p.part"
            ).fetchall()
    assert found[0] == found[1]
    assert found[0][-1][0] == "文件000.md"
    assert {row[2] for row in found[0] if len(row) == 13} == {"ready", "duplicate", "failed"}
    with connect(database.app) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pgask.documents WHERE coalesce(root, origin) IS NOT NULL"
        ).fetchone() == (0,)


async def test_imported_originals_count_for_the_quota_of_their_tenant_alone(
    source: Database, file: bytes, database: Database
) -> None:
    with connect(database.owner) as owner:
        create_tenant(owner, "other")
    with connect(database.app) as app:
        other = open_scope(app, "other")
    with working_for(other):
        read_file(database, file)

    async def count(of: Database, scope: Scope) -> int:
        async with (
            open_pool(of.app, size=1, statement_timeout_s=60, otherwise=scope) as pool,
            transaction(pool) as connection,
        ):
            return await count_bytes(connection)

    assert await count(database, other) == await count(source, DEFAULT) > 0
    assert await count(database, DEFAULT) == 0


def test_a_file_holds_no_path_of_this_machine(file: bytes) -> None:
    assert b"pg-test" not in gzip.decompress(file)


def test_a_killed_import_shows_nothing_and_goes_on(
    source: Database, file: bytes, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "export.pgask"
    path.write_bytes(file)
    process = spawn(KILLED, database.owner, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    with pytest.raises(PgaskError) as raised:  # beside one that runs
        read_file(database, file)
    assert raised.value.code == "database_busy"
    process.kill()
    process.communicate()
    assert asyncio.run(names(database)) == []
    done: list[Imported] = []

    def goes_on() -> bool:  # once PostgreSQL has noticed that the other one is gone
        with contextlib.suppress(StoreBusyError):
            done.append(read_file(database, file))
        return bool(done)

    wait_until(goes_on)
    assert done[0].resumed == 7
    assert asyncio.run(names(database)) == ["default"]
    assert snapshot(database) == snapshot(source)


class Killed(BaseException):
    """Ends an import as a kill does: what it stored stays."""


def killed_after(documents: int) -> Callable[[int, int], None]:
    def progress(done: int, _of: int) -> None:
        if done == documents:
            raise Killed

    return progress


def without_documents(lines: list[dict[str, Any]], kept: int) -> None:
    starts = [at for at, line in enumerate(lines) if line.get("kind") == "document"]
    del lines[starts[kept] : -1]
    lines[0]["documents"] = kept


def importing(database: Database) -> int:
    with connect(database.app) as connection:
        row = connection.execute("SELECT count(*) FROM pgask.collections WHERE importing").fetchone()
    assert row is not None
    return int(row[0])


def other_title(lines: list[dict[str, Any]]) -> None:
    first(lines, "document")["row"]["title"] = "Another one"


@pytest.mark.parametrize("change", [other_title, lambda lines: without_documents(lines, 5)])
async def test_a_killed_import_is_not_gone_on_with_by_another_file_that_calls_itself_the_same(
    file: bytes, database: Database, change: Change
) -> None:
    """The documents of both were one collection's."""
    with pytest.raises(Killed):
        read_file(database, file, progress=killed_after(7))
    assert importing(database) > 0
    other = rewritten(file, change)
    with pytest.raises(PgaskError) as raised:
        read_file(database, other)
    assert raised.value.code == "import_other_file"
    assert (importing(database), await names(database)) == (0, [])
    done = read_file(database, other)  # as the message says
    assert done.resumed == 0
    assert await names(database) == ["default"]


def test_what_a_version_without_sums_left_is_begun_anew(
    source: Database, file: bytes, database: Database
) -> None:
    with pytest.raises(Killed):
        read_file(database, file, progress=killed_after(7))
    with connect(database.app) as connection:
        connection.execute("UPDATE pgask.collections SET description = ''")
    assert read_file(database, file).resumed == 0
    assert snapshot(database) == snapshot(source)


def test_a_collection_that_was_imported_has_no_description(file: bytes, database: Database) -> None:
    read_file(database, file)
    with connect(database.app) as connection:
        assert connection.execute("SELECT DISTINCT description FROM pgask.collections").fetchall() == [("",)]


async def test_of_two_files_under_one_name_at_once_one_is_the_collection_and_the_other_is_refused(
    source: Database, file: bytes, database: Database
) -> None:
    def other_id(lines: list[dict[str, Any]]) -> None:
        lines[0]["export_id"] = "00000000-0000-4000-8000-000000000000"
        without_documents(lines, 5)

    other = rewritten(file, other_id)
    done: list[Imported] = []

    def meanwhile(at: int, _of: int) -> None:
        if at == 7 and not done:
            done.append(read_file(database, other))

    with pytest.raises(PgaskError) as raised:
        read_file(database, file, progress=meanwhile)
    assert raised.value.code == "collection_exists"
    assert (done[0].documents, importing(database), await names(database)) == (5, 0, ["default"])
    with connect(database.app) as connection:
        assert connection.execute("SELECT count(*) FROM pgask.documents").fetchone() == (5,)


async def test_another_model_reads_the_texts_anew(source: Database, file: bytes, database: Database) -> None:
    other = FakeEmbedder(model="other", dimension=48)
    done = read_file(database, file, embedder=other)
    assert done.made_anew == done.documents - 2  # all but the duplicate and the broken one
    with connect(source.app) as there, connect(database.app) as here:
        statement = (
            "SELECT d.source, d.title, d.status, d.created_at, d.metadata, string_agg(t.text, '' ORDER BY t.part)"
            " FROM pgask.documents d LEFT JOIN pgask.document_texts t ON t.document_id = d.id GROUP BY d.id ORDER BY 1"
        )
        assert here.execute(statement).fetchall() == there.execute(statement).fetchall()
        assert here.execute("SELECT count(*) FROM pgask.original_parts").fetchone() == (2,)
    assert len(snapshot(database, embedder=other)) == done.chunks


def test_terms_of_an_earlier_lexicon_are_made_anew_with_the_vectors_that_are_there(
    source: Database, file: bytes, database: Database
) -> None:
    def older(lines: list[dict[str, Any]]) -> None:
        lines[0]["lexicon_version"] = LEXICON_VERSION - 1
        for line in lines:
            if line.get("kind") == "chunks":
                line["postings"] = [[["nonsense", 1, ""]] for _ in line["postings"]]

    embedder = FakeEmbedder()
    done = read_file(database, rewritten(file, older), embedder=embedder)
    assert done.made_anew == 21
    assert snapshot(database) == snapshot(source)


def test_a_name_that_is_there_is_refused(source: Database, file: bytes) -> None:
    for name, code in ((None, "collection_exists"), ("a/b", "invalid_request"), ("", "collection_exists")):
        with pytest.raises(PgaskError) as raised:
            read_file(source, file, name)
        assert raised.value.code == code


async def test_a_file_that_is_not_whole_leaves_nothing(file: bytes, database: Database) -> None:
    rng = random.Random(5)
    lines = gzip.decompress(file).splitlines(keepends=True)
    bad = {
        "import_truncated": [
            file[: len(file) * 2 // 3],
            gzip.compress(b"".join(lines[:-1])),
            gzip.compress(b"".join(lines)[:-9]),
        ],
        "import_corrupt": [
            gzip.compress(b"".join(lines).replace(b"Title 3", b"Title 4", 1)),
            gzip.compress(b"".join([*lines[:9], *lines[10:]])),
            gzip.compress(b"".join([*lines, lines[-1]])),
            *(
                bytes(b ^ 0x55 if at == place else b for at, b in enumerate(file))
                for place in (rng.randrange(len(file) // 2, len(file) - 8) for _ in range(2))
            ),
        ],
        "import_not_ours": [b"", b"hello", gzip.compress(b"[1]\n"), gzip.compress(b'{"format": "x"}\n')],
        "import_newer": [gzip.compress(b'{"format": "pgask-collection", "version": 3}\n')],
    }
    for code, files in bad.items():
        for number, content in enumerate(files):
            with pytest.raises(PgaskError) as raised:
                read_file(database, content)
            expected = {code, "import_truncated"} if code == "import_corrupt" else {code}
            assert raised.value.code in expected, (code, number)
    assert await names(database) == []
    with connect(database.app) as connection:
        assert connection.execute("SELECT count(*) FROM pgask.documents").fetchone() == (0,)


def first(lines: list[dict[str, Any]], kind: str) -> Any:
    return next(line for line in lines if line.get("kind") == kind)


def scaled(line: dict[str, Any], dtype: str, by: float) -> None:
    vectors = np.frombuffer(base64.b64decode(line["vectors"]), dtype=dtype) * by
    line["vectors"] = base64.b64encode(vectors.astype(dtype).tobytes()).decode()


LONG = random.Random(3).randbytes(9_000).hex()  # what no index takes, however it is packed

HOSTILE: dict[str, Change] = {
    "windows of no length": lambda lines: scaled(first(lines, "windows"), ">f2", 0),
    "chunks of no length": lambda lines: scaled(first(lines, "chunks"), ">f4", 0),
    "a huge length": lambda lines: scaled(first(lines, "chunks"), ">f4", 1e30),
    "a background of words": lambda lines: lines[0].update(background={"chunks": "many"}),
    "a background beyond": lambda lines: lines[0].update(
        background={"chunks": 10**30, "windows": 1, "measured_at": "", "cosines": []}
    ),
    "the last version": lambda lines: lines[0].update(background_version=2**31 - 1),
    "no end of time": lambda lines: first(lines, "document")["row"].update(updated_at="infinity"),
    "a late time": lambda lines: first(lines, "document")["row"].update(created_at="294276-01-01T00:00:00Z"),
    "an early time": lambda lines: first(lines, "document")["row"].update(updated_at="0044-03-15 BC"),
    "windows shared beyond": lambda lines: first(lines, "chunks")["rows"][0].update(windows_shared=2**31 - 1),
    "pages out of order": lambda lines: first(lines, "document")["row"].update(pages=[[2, 0, 1], [1, 1, 2]]),
    "a page outside": lambda lines: first(lines, "document")["row"].update(pages=[[1, 0, 10**8]]),
    "a section outside": lambda lines: first(lines, "document")["row"].update(sections=[[5, 1, ["a"]]]),
    "a share of two": lambda lines: first(lines, "chunks")["rows"][0].update(places=[[0, 1, None, 2.0]]),
    "more unknown than there is": lambda lines: first(lines, "document")["row"].update(unknown_tokens=10**6),
    "languages of nothing": lambda lines: first(lines, "document")["row"].update(languages=[None]),
    "a copy of another": lambda lines: first(lines, "document")["row"].update(copy_of=lines[1]["id"]),
    "terms beyond a block": lambda lines: first(lines, "chunks")["rows"][0].update(term_count=2**17),
    "a long term": lambda lines: first(lines, "chunks")["postings"][0].append([LONG, 1, "01"]),
    "a long sum": lambda lines: first(lines, "document")["row"].update(text_sha256=LONG),
    "a long name": lambda lines: first(lines, "document")["row"].update(source=LONG[:2_001]),
    "lines of a page that are none": lambda lines: lines.insert(
        2, {"kind": "page_lines", "rows": [{"page": 1, "width": 9, "height": 9, "lines": [5, 1, 0, 0, 9, 9]}]}
    ),
    "half a letter": lambda lines: first(lines, "document")["row"].update(title="\ud800"),
    "no numbers": lambda lines: first(lines, "windows").update(vectors="////" * 10),
    "vectors that are not": lambda lines: first(lines, "chunks").update(vectors="%%"),
    "a chunk outside": lambda lines: first(lines, "chunks")["rows"][0].update(char_end=10**9),
    "a chunk backwards": lambda lines: first(lines, "chunks")["rows"][0].update(char_start=90, char_end=3),
    "a sentence outside": lambda lines: first(lines, "chunks")["rows"][0].update(sentences=[0, 10**8]),
    "windows that are not there": lambda lines: first(lines, "chunks")["rows"][0].update(window_end=9_999),
    "a huge number": lambda lines: first(lines, "chunks")["rows"][0].update(token_count=2**40),
    "another text": lambda lines: first(lines, "texts")["texts"].append("more"),
    "NUL": lambda lines: first(lines, "texts")["texts"].__setitem__(0, "a\0b"),
    "another state": lambda lines: first(lines, "document")["row"].update(status="hacked"),
    "an unknown column": lambda lines: first(lines, "document")["row"].update(evil=1),
    "another tenant": lambda lines: first(lines, "document")["row"].update(tenant_id=2),
    "a path": lambda lines: first(lines, "document")["row"].update(root="/etc"),
    "a sender": lambda lines: first(lines, "document")["row"].update(sender="ann"),
    "a name of a number": lambda lines: first(lines, "document")["row"].update(source=3),
    "a name twice": lambda lines: lines[1]["row"].update(
        source=[line for line in lines if line.get("kind") == "document"][1]["row"]["source"]
    ),
    "terms of a number": lambda lines: first(lines, "chunks").update(postings=[[[3, 1, ""]]]),
    "an unknown line": lambda lines: lines.insert(2, {"kind": "shell", "command": "id"}),
    "a document within one": lambda lines: lines.insert(2, lines[1]),
    "a background outside": lambda lines: first(lines, "document").update(background=[10**6]),
    "fewer documents": lambda lines: lines[0].update(documents=3),
    "no space": lambda lines: lines[0].pop("space"),
    "no id": lambda lines: lines[0].update(export_id="x'; DROP TABLE pgask.documents; --"),
    "another original": lambda lines: first(lines, "original_part").update(bytes="aGVsbG8="),
    "an original twice": lambda lines: lines.insert(
        lines.index(first(lines, "original_part")), dict(first(lines, "original"))
    ),
    "a part alone": lambda lines: lines.remove(first(lines, "original")),
    "depth": lambda lines: first(lines, "document")["row"].update(metadata=[]),
}  # fmt: skip


def test_values_of_a_file_are_not_believed(file: bytes, database: Database) -> None:
    believed = []
    for kind, change in HOSTILE.items():
        try:
            read_file(database, rewritten(file, change), "crafted")
            told = "taken"
        except PgaskError as error:
            told = error.code + ("" if str(error).isprintable() else " unprintable")
        if told != "import_corrupt":
            believed.append((kind, told))
    assert not believed
    with connect(database.owner) as owner:
        for table in ("collections", "documents", "chunks", "originals"):
            assert owner.execute(f"SELECT count(*) FROM pgask.{table}".encode()).fetchone() == (0,), table


def test_a_files_columns_of_before_are_taken_where_they_say_nothing(file: bytes, database: Database) -> None:
    def older(lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line.get("kind") == "document":
                line["row"] |= {"copy_of": None, "copied_at": None}

    assert read_file(database, rewritten(file, older)).documents == 23


def test_a_value_that_does_not_fit_is_told_once(file: bytes) -> None:
    """Not once for each of millions, which a file of some kilobytes can hold."""
    many: tuple[dict[str, Any], ...] = (
        {"kind": "texts", "first": 0, "texts": [0] * 1_000},
        {"kind": "windows", "first": 0, "spans": [[1, 0]] * 1_000, "vectors": ""},
        {"kind": "chunks", "rows": [], "postings": [[[0, 0, 0]] * 1_000] * 2, "vectors": ""},
        {"kind": "document", "id": "x", "row": {}, "duplicate_of": None, "background": [None] * 1_000},
    )
    for line in many:
        with pytest.raises(PgaskError) as raised:
            imported.read_line(Line(line, b""))
        cause = raised.value.__context__
        assert isinstance(cause, ValidationError)
        assert cause.error_count() < 20


def test_lines_have_a_longest_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_lines, "MAX_LINE_BYTES", 1_000)
    bomb = gzip.compress(b'{"format": "pgask-collection", "version": 1}\n{"a": "' + b"x" * 10**7)
    reader = LineReader(io.BytesIO(bomb))
    reader.header()
    with pytest.raises(PgaskError) as raised:
        list(reader.lines())
    assert "longer than" in str(raised.value)


def test_the_commands_file_appears_whole_and_for_its_owner_alone(
    source: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGASK_DATABASE_URL", source.app)
    path = tmp_path / "default.pgask"

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, ["export", *arguments])
        return result.exit_code, result.exception.code if isinstance(result.exception, PgaskError) else ""

    assert run("default", str(path), "--json") == (0, "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    assert run("default", str(path)) == (1, "invalid_request")  # it is there already
    assert run("nowhere", str(path), "--overwrite") == (1, "not_found")
    assert run("default", str(tmp_path / "no/folder")) == (1, "file_refused")
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == ["default.pgask"]
    assert LineReader(io.BytesIO(content)).header()["documents"] == 23
