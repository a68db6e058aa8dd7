"""Scans and pictures taken in by real OCR: found and cited at their page, in both languages, and no more than once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from pydantic import TypeAdapter

from app.answering import Answerer, AnswerSettings
from app.api.answers import WireCitation
from app.domain import Citation
from app.exchange import AskRequest
from app.retrieval.retriever import RetrievalSettings, Retriever
from app.store.connection import AsyncPool, Database, connect
from app.store.connection_pool import open_pool
from app.store.listing import list_documents
from app.store.texts import whole_text
from ingest.pipeline import Report
from ingest.sandbox import SandboxedParser
from tests.integration.ingesting import FAKE, SMALL, Silent, age, ingest, random_text
from tests.pages import LETTER_ZH, NEEDS_OCR, draw_page, picture_bytes, scan_pdf
from tests.pdfs import build_pdf

pytestmark = [pytest.mark.integration, NEEDS_OCR]

WITH_OCR = replace(SMALL, ocr=True)
PAGES = [
    ["Rules of the boiler house", "", "Visitors wear a helmet and sign the book at the gate."],
    [
        "Pump P-204",
        "",
        "The pump P-204 is stopped on 14 October for four days.",
        "Its spare parts are in store B.",
    ],
    ["Closing words", "", "Mrs Lindqvist answers questions on extension 6621."],
]


@pytest.fixture(scope="module")
def scans() -> Iterator[SandboxedParser]:
    with SandboxedParser.with_ocr() as parser:
        yield parser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manual.pdf").write_bytes(scan_pdf([draw_page(lines) for lines in PAGES]))
    (tmp_path / "通知.png").write_bytes(LETTER_ZH.read_bytes())
    (tmp_path / "photo.jpg").write_bytes(picture_bytes(Image.effect_noise((800, 600), 50), "JPEG"))
    (tmp_path / "notes.md").write_text(random_text(1, 12), "utf-8")
    return age(tmp_path)


@pytest_asyncio.fixture
async def pool(database: Database) -> AsyncIterator[AsyncPool]:
    async with open_pool(database.app, size=2, statement_timeout_s=30) as opened:
        yield opened


def take_in(
    database: Database, folder: Path, scans: SandboxedParser, progress: Silent | None = None
) -> Report:
    return ingest(database, folder, options=WITH_OCR, read_scan=scans.parse, progress=progress)


async def cite(pool: AsyncPool, question: str) -> Citation:
    """The first citation of an answer; its quote stands in the document."""
    retriever = Retriever(pool, FAKE, RetrievalSettings())
    answerer = Answerer(retriever, FAKE, None, AnswerSettings(abstain_threshold=0.0))
    citation = (await answerer.answer(AskRequest(question, top_k=2))).citations[0]
    async with pool.connection() as connection:
        cursor = await connection.execute(
            f"SELECT substring({whole_text('id')} FROM %s FOR %s) FROM pgask.documents WHERE id = %s",
            [citation.char_start + 1, citation.char_end - citation.char_start, citation.document_id],
        )
        assert await cursor.fetchone() == (citation.quote,)
    return citation


class Staged(Silent):
    """Notes stages and pages."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[tuple[str, int]] = []
        self.pages: list[tuple[str, int, int]] = []

    def stage(self, name: str, total: int) -> None:
        self.stages.append((name, total))

    def page(self, source: str, page: int, pages: int) -> None:
        self.pages.append((source, page, pages))


async def test_scans_are_found_and_cited_at_their_page_in_both_languages(
    database: Database, pool: AsyncPool, folder: Path, scans: SandboxedParser
) -> None:
    progress = Staged()
    report = take_in(database, folder, scans, progress)
    assert (report.new, report.failed, report.ocr_pages) == (3, [], 4)
    assert [(one.source, one.code) for one in report.skipped] == [("photo.jpg", "picture")]
    assert progress.stages == [("scan", 4), ("ingest", 4), ("ocr", 3)]
    assert [page for page in progress.pages if page[0] == "manual.pdf"] == [
        ("manual.pdf", number, 3) for number in (1, 2, 3)
    ]

    english = await cite(pool, "When is the pump P-204 stopped?")
    assert (english.source, english.page) == ("manual.pdf", 2)
    assert "14 October" in english.quote
    assert english.ocr_confidence is not None
    assert 0.95 < english.ocr_confidence <= 1
    wire = TypeAdapter[Citation](WireCitation)
    assert wire.dump_python(english)["ocr_confidence"] == english.ocr_confidence
    assert "ocr_confidence" not in wire.dump_python(replace(english, ocr_confidence=None))

    chinese = await cite(pool, "三号锅炉什么时候停炉检修？")
    assert (chinese.source, chinese.page) == ("通知.png", 1)
    assert "十月十二日" in chinese.quote

    with connect(database.app) as app:
        rows = app.execute(
            "SELECT d.source, l.page, l.width, cardinality(l.lines) FROM pgask.page_lines l"
            " JOIN pgask.documents d ON d.id = l.document_id ORDER BY d.source, l.page"
        ).fetchall()
    assert [row[:3] for row in rows] == [
        *(("manual.pdf", page, 480) for page in (1, 2, 3)),
        ("通知.png", 1, 900),
    ]
    assert all(count % 6 == 0 and count > 0 for *_, count in rows)

    async with pool.connection() as connection:
        listed = await list_documents(connection, "default", 10, None)
    assert [document.source for document in listed.documents] == ["manual.pdf", "notes.md", "通知.png"]


@pytest.mark.long
def test_a_second_run_reads_nothing_again_and_a_photo_is_forgotten_with_its_file(
    database: Database, folder: Path, scans: SandboxedParser
) -> None:
    take_in(database, folder, scans)
    progress = Staged()
    report = take_in(database, folder, scans, progress)
    assert (report.new, report.changed, report.unchanged, report.ocr_pages) == (0, 0, 3, 0)
    assert [one.source for one in report.skipped] == ["photo.jpg"]
    assert progress.pages == []
    (folder / "photo.jpg").unlink()
    report = take_in(database, folder, scans)
    assert (report.removed, report.skipped) == (0, [])
    with connect(database.app) as app:
        assert app.execute("SELECT count(*) FROM pgask.documents").fetchone() == (3,)


@pytest.mark.long
def test_a_run_without_ocr_leaves_what_was_read_and_refuses_what_was_not(
    database: Database, folder: Path, scans: SandboxedParser
) -> None:
    take_in(database, folder, scans)
    (folder / "new.pdf").write_bytes(scan_pdf([draw_page(["A new scan."])]))
    report = ingest(database, folder, options=SMALL)
    assert [(failure.source, failure.code) for failure in report.failed] == [("new.pdf", "no_text_layer")]
    assert (report.changed, report.unchanged) == (0, 2)
    assert report.excluded_documents == 1  # the picture, which is skipped now and stays
    report = take_in(database, folder, scans)
    assert (report.new, report.changed, report.failed) == (1, 0, [])


def test_a_scan_that_failed_is_read_once_there_is_ocr_and_not_twice_if_it_fails_with_it(
    database: Database, tmp_path: Path, scans: SandboxedParser
) -> None:
    (tmp_path / "good.pdf").write_bytes(scan_pdf([draw_page(PAGES[1])]))
    mirrored = draw_page(PAGES[1]).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (tmp_path / "bad.pdf").write_bytes(scan_pdf([mirrored]))
    age(tmp_path)
    assert {failure.code for failure in ingest(database, tmp_path, options=SMALL).failed} == {"no_text_layer"}
    report = take_in(database, tmp_path, scans)
    assert (report.new, [(one.source, one.code) for one in report.failed]) == (
        1,
        [("bad.pdf", "low_confidence")],
    )
    progress = Staged()
    report = take_in(database, tmp_path, scans, progress)
    assert (report.unchanged, report.not_retried, progress.pages) == (1, 1, [])


def test_a_mixed_pdf_keeps_its_text_and_tells_of_the_page_that_is_no_text(
    database: Database, tmp_path: Path, scans: SandboxedParser
) -> None:
    (tmp_path / "mixed.pdf").write_bytes(build_pdf([["The first page has text of its own."], None]))
    report = take_in(database, tmp_path, scans)
    assert (report.new, report.failed) == (1, [])
    with connect(database.app) as app:
        row = app.execute("SELECT jsonb_array_length(pages), char_count > 0 FROM pgask.documents").fetchone()
    assert row == (2, True)


@pytest.mark.long
def test_a_picture_that_loses_its_text_is_no_document_any_more(
    database: Database, tmp_path: Path, scans: SandboxedParser
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(LETTER_ZH.read_bytes())
    take_in(database, tmp_path, scans)
    file.write_bytes(picture_bytes(Image.new("L", (400, 400), 200)))
    report = take_in(database, tmp_path, scans)
    assert (report.failed, len(report.skipped)) == ([], 1)
    with connect(database.app) as app:
        assert app.execute("SELECT status, chunk_count FROM pgask.documents").fetchone() == ("skipped", 0)
        assert app.execute("SELECT count(*) FROM pgask.chunks").fetchone() == (0,)
