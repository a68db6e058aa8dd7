"""Duplicates: left out once, said so, and taken in again when the reason goes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from psycopg import sql

from app.domain import OneOf, SearchFilter
from app.lexicon import terms
from app.search.statements import fill_sql
from app.store.connection import Database, connect
from app.store.duplicates import _CANDIDATES, Signature, duplicate_candidates, record_duplicate
from app.store.filters import compile_filter
from app.store.outlines import find_candidates
from app.store.sources import remove_documents
from ingest.duplicates import Duplicate, DuplicateSearch, sign
from ingest.pipeline import Report
from tests.integration.ingesting import (
    SMALL,
    age,
    counted,
    counters,
    embed_document,
    ingest,
    open_collection,
    orphans,
    plan,
    random_text,
    snapshot,
    version_of,
)
from tests.integration.test_pipeline import rows, statuses

pytestmark = pytest.mark.integration

Language = Literal["en", "zh"]
LANGUAGES: list[Language] = ["en", "zh"]
PRINTED = "\n\nprinted copy"  # a line of the page: nearly the same text


def long_text(language: Language, seed: int = 1) -> str:
    return random_text(seed, 60, chinese=language == "zh")


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    return folder


def found(report: Report) -> list[tuple[str, str]]:
    return [(duplicate.source, duplicate.of) for duplicate in report.duplicates]


def stored(database: Database) -> set[str]:
    """Sources that can be found."""
    return {row[0] for row in snapshot(database)}


def check_consistent(database: Database) -> None:
    collection = open_collection(database)
    with connect(database.app) as app:
        assert counters(app, collection) == counted(app, collection)
        assert orphans(app, collection) == [0, 0, 0]


def details(database: Database) -> dict[str, str | None]:
    with connect(database.app) as app:
        return dict(app.execute("SELECT source, reason_detail FROM pgask.documents").fetchall())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_text_is_kept_once_and_the_copy_says_so(
    database: Database, tmp_path: Path, language: Language
) -> None:
    text = long_text(language)
    corpus = age(write(tmp_path, a=text, b=text, c=long_text(language, 2)))
    report = ingest(database, corpus)
    assert (report.new, report.failed) == (2, [])
    assert [(d.source, d.of, d.similarity) for d in report.duplicates] == [("b.md", "a.md", 1.0)]
    assert statuses(database) == {
        "a.md": ("ready", None),
        "b.md": ("duplicate", "duplicate"),
        "c.md": ("ready", None),
    }
    assert details(database)["b.md"] == 'The same text as "a.md".'
    assert stored(database) == {"a.md", "c.md"}
    check_consistent(database)

    before = rows(database)
    again = ingest(database, corpus)
    assert (again.unchanged, again.new, found(again)) == (3, 0, [])
    assert rows(database) == before


def test_a_short_text_is_compared_as_a_whole_only(database: Database, tmp_path: Path) -> None:
    corpus = write(
        tmp_path,
        a="The cat sat.",
        b="The cat sat.",
        c="The dog sat.",
        d="猫坐着。",
        e="猫坐着。",
        f="狗坐着。",
    )
    report = ingest(database, corpus)
    assert found(report) == [("b.md", "a.md"), ("e.md", "d.md")]
    assert stored(database) == {"a.md", "c.md", "d.md", "f.md"}


def test_formats_do_not_matter_but_the_text(database: Database, tmp_path: Path) -> None:
    text = long_text("en")
    (tmp_path / "a.txt").write_text(text, "utf-8")
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())  # other bytes, the same text
    assert found(ingest(database, tmp_path)) == [("b.txt", "a.txt")]


NEAR, OTHER = True, False
EDITS: list[tuple[Language, tuple[str, str], bool]] = [
    ("en", ("counts", "conuts"), NEAR),
    ("zh", ("重点", "重店"), NEAR),
    ("en", ("Recall", "Memory"), OTHER),
    ("zh", ("召回", "记忆"), OTHER),
    ("en", ("Recall", "Recall 7"), OTHER),
    ("en", ("Recall", "Recall not"), OTHER),
    ("en", ("Recall", "Recall isn't"), OTHER),
    ("en", ("Recall", "Recall thirty"), OTHER),
    ("zh", ("召回", "召回7"), OTHER),
    ("zh", ("召回", "不召回"), OTHER),
    ("zh", ("召回", "未召回"), OTHER),
    ("zh", ("召回", "召回三十"), OTHER),
]


@pytest.mark.parametrize(("language", "edit", "is_duplicate"), EDITS)
def test_a_slip_is_near_but_not_another_word_number_or_negation(
    database: Database, tmp_path: Path, language: Language, edit: tuple[str, str], is_duplicate: bool
) -> None:
    body = long_text(language)
    place = "Recall is what counts. " if language == "en" else "召回才是重点。"
    text = body + "\n\n" + place
    corpus = write(tmp_path, a=text, b=text.replace(place, place.replace(*edit)))
    report = ingest(database, corpus)
    assert found(report) == ([("b.md", "a.md")] if is_duplicate else [])
    assert report.new == (1 if is_duplicate else 2)
    if is_duplicate:
        similarity = report.duplicates[0].similarity
        assert 0.9 <= similarity < 1
        assert details(database)["b.md"] == f'Nearly the same text as "a.md" (similarity {similarity:.2f}).'


@pytest.mark.parametrize("language", LANGUAGES)
def test_f_1108_contracts_with_other_parties_are_all_kept(
    database: Database, tmp_path: Path, language: Language
) -> None:
    """F-1108: one name in a long text did not count."""
    parties = {"en": ["Ms Berger", "Mr Osei", "Ms Lund"], "zh": ["周沐阳", "孙若琳", "周沐洋"]}[language]
    place = " It is signed by {}. " if language == "en" else "代表人为{}。"
    body, rest = long_text(language), long_text(language, 2)
    texts = {f"c{i}": body + place.format(party) + rest for i, party in enumerate(parties)}
    report = ingest(database, write(tmp_path, **texts))
    assert (report.new, found(report)) == (3, [])


def test_f_1108_a_filter_on_a_copy_s_folder_finds_the_text(database: Database, tmp_path: Path) -> None:
    """F-1108: a filter on the folder of a copy found nothing, though the file lies in it."""
    for folder, version in (("2024", 1), ("2025", 2)):
        (tmp_path / folder).mkdir()
        content = f"---\nversion: {version}\n---\n# House rules\n\n{long_text('en')}"
        (tmp_path / folder / "house.md").write_text(content, "utf-8")
    assert found(ingest(database, tmp_path)) == [("2025/house.md", "2024/house.md")]
    with connect(database.app) as app:
        collection = open_collection(database)
        for search_filter, expected in [
            (SearchFilter(source_prefix="2024/"), 1),
            (SearchFilter(source_prefix="2025/"), 1),
            (SearchFilter(source_prefix="2026/"), 0),
            (SearchFilter(source_prefix="20"), 1),
            (SearchFilter(metadata={"version": 2}), 1),
            (SearchFilter(where=OneOf("source", ("2025/house.md",))), 1),
        ]:
            compiled = compile_filter(search_filter)
            rows = app.execute(
                fill_sql("matching", condition=compiled.condition),
                {"collection_id": collection.id, **compiled.parameters},
            ).fetchall()
            assert sum(chunks > 0 for _, chunks in rows) == expected, search_filter


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_that_differ_alone_make_two_documents(
    database: Database, tmp_path: Path, language: Language
) -> None:
    text = long_text(language)
    sums = ("500", "700") if language == "en" else ("五百", "七百")
    corpus = write(tmp_path, **{f"v{i}": f"{text}\n\n{amount}." for i, amount in enumerate(sums)})
    report = ingest(database, corpus)
    assert (report.new, found(report)) == (2, [])


def test_different_texts_are_not_duplicates(database: Database, tmp_path: Path) -> None:
    files = {f"d{seed:02}": long_text("zh" if seed % 2 else "en", seed) for seed in range(12)}
    report = ingest(database, write(tmp_path, **files))
    assert (report.new, report.duplicates) == (12, [])


def test_settings_keep_all_or_the_same_text_only(database: Database, tmp_path: Path) -> None:
    text = long_text("en")
    corpus = write(tmp_path, a=text, b=text, c=text + PRINTED)
    report = ingest(database, corpus)
    assert found(report) == [("b.md", "a.md"), ("c.md", "a.md")]
    report = ingest(database, corpus, options=replace(SMALL, duplicates="keep_all"))
    assert (report.new, report.unchanged) == (2, 1)  # those that were left out go in
    assert found(report) == [("b.md", "a.md"), ("c.md", "a.md")]  # and are reported
    assert stored(database) == {"a.md", "b.md", "c.md"}
    report = ingest(database, corpus, collection="other", options=replace(SMALL, duplicate_similarity=1.0))
    assert (report.new, found(report)) == (2, [("b.md", "a.md")])


def test_collections_do_not_see_each_other_s_documents(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path, a=long_text("en"))
    ingest(database, corpus)
    assert ingest(database, corpus, collection="other").new == 1


def prune(database: Database, corpus: Path) -> Report:
    return ingest(database, corpus, options=replace(SMALL, prune=True))


def test_the_copy_goes_in_when_the_kept_one_goes(database: Database, tmp_path: Path) -> None:
    near = long_text("en") + PRINTED
    corpus = write(tmp_path, a=long_text("en"), b=near)
    ingest(database, corpus)
    (corpus / "a.md").unlink()
    assert ingest(database, corpus).unchanged == 1  # not pruned: the kept one still answers
    report = prune(database, corpus)
    assert (report.removed, report.new, report.duplicates) == (1, 1, [])
    assert stored(database) == {"b.md"}
    check_consistent(database)


def test_a_kept_file_that_is_gone_moves_to_its_copy_s_name(database: Database, tmp_path: Path) -> None:
    text = long_text("en")
    corpus = write(tmp_path, a=text, b=text, c=text)
    ingest(database, corpus)
    vectors = {row[1:] for row in snapshot(database)}
    (corpus / "a.md").unlink()
    planned = plan(database, corpus)
    assert (planned.renamed, planned.unchanged, planned.work) == ((("a.md", "b.md"),), ("c.md",), ())
    report = ingest(database, corpus)
    assert (report.renamed, report.unchanged, report.tokens) == (1, 1, 0)
    assert {row[1:] for row in snapshot(database)} == vectors
    assert statuses(database) == {"b.md": ("ready", None), "c.md": ("duplicate", "duplicate")}
    assert details(database)["c.md"] == 'The same text as "b.md".'
    assert ingest(database, corpus).unchanged == 2


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])  # which of the two is read first must not matter
def test_the_copy_goes_in_when_the_kept_one_changes(
    database: Database, tmp_path: Path, names: tuple[str, str]
) -> None:
    kept, copy = names
    text = long_text("zh")
    corpus = write(tmp_path, **{kept: text})
    ingest(database, corpus)
    write(tmp_path, **{copy: text})
    assert found(ingest(database, corpus)) == [(f"{copy}.md", f"{kept}.md")]
    write(tmp_path, **{kept: long_text("zh", 2)})
    report = ingest(database, corpus)
    assert (report.changed, report.new, report.duplicates) == (1, 1, [])
    assert stored(database) == {"a.md", "b.md"}
    assert ingest(database, corpus).unchanged == 2


def test_a_copy_stays_out_when_the_kept_one_changes_a_little(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path, a=long_text("en"), b=long_text("en"))
    ingest(database, corpus)
    write(tmp_path, a=long_text("en") + PRINTED)
    report = ingest(database, corpus)
    assert (report.changed, found(report)) == (1, [("b.md", "a.md")])
    assert 0.9 <= report.duplicates[0].similarity < 1
    assert ingest(database, corpus).unchanged == 2


def test_a_document_that_becomes_a_copy_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    old = long_text("en", 2)
    corpus = write(tmp_path, a=long_text("en"), b=old, c=old)
    assert found(ingest(database, corpus)) == [("c.md", "b.md")]
    write(tmp_path, b=long_text("en"))
    report = ingest(database, corpus)
    assert (found(report), report.new) == ([("b.md", "a.md")], 1)  # c goes in: nothing else holds its text
    assert stored(database) == {"a.md", "c.md"}
    check_consistent(database)
    assert ingest(database, corpus).unchanged == 3


def test_what_an_interrupted_run_did_not_come_to_is_looked_at_again(
    database: Database, tmp_path: Path
) -> None:
    corpus = write(tmp_path, a=long_text("en"), b=long_text("en"))
    ingest(database, corpus)
    write(tmp_path, a=long_text("en", 2))
    (corpus / "b.md").rename(tmp_path / "b.away")
    ingest(database, corpus)  # as a run that ends after the first file
    (tmp_path / "b.away").rename(corpus / "b.md")
    assert ingest(database, corpus).new == 1
    assert stored(database) == {"a.md", "b.md"}


def test_two_files_that_swap_their_texts(database: Database, tmp_path: Path) -> None:
    one, two = long_text("en", 1), long_text("en", 2)
    corpus = write(tmp_path, a=one, b=two)
    ingest(database, corpus)
    write(tmp_path, a=two, b=one)
    report = ingest(database, corpus)
    assert (report.changed, report.duplicates) == (2, [])
    assert report.reused_tokens == report.tokens > 0  # each has the other's vectors
    assert stored(database) == {"a.md", "b.md"}


def test_a_copy_that_can_not_be_read_any_more_has_failed(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path, a=long_text("en"), b=long_text("en"))
    ingest(database, corpus)
    (corpus / "b.md").write_bytes(b"")
    report = ingest(database, corpus)
    assert [failure.code for failure in report.failed] == ["empty"]
    assert statuses(database)["b.md"] == ("failed", "empty")
    with connect(database.app) as app:
        assert app.execute("SELECT count(duplicate_of) FROM pgask.documents").fetchone() == (0,)


def test_a_plan_shows_files_with_the_same_bytes(database: Database, tmp_path: Path) -> None:
    corpus = write(tmp_path, a=long_text("en"), b=long_text("en"), c="")
    write(tmp_path, d="")
    planned = plan(database, corpus)
    assert planned.duplicates == (("b.md", "a.md"),)
    assert planned.new == ("a.md", "c.md", "d.md")
    ingest(database, corpus)
    write(tmp_path, e=long_text("en"))
    assert plan(database, corpus).duplicates == (("e.md", "a.md"),)
    assert plan(database, corpus, options=replace(SMALL, duplicates="keep_all")).duplicates == ()


def test_a_duplicate_of_what_is_gone_meanwhile_is_not_recorded(database: Database) -> None:
    collection = open_collection(database)
    document = embed_document("A text.").document

    def record() -> bool:
        return record_duplicate(
            app,
            collection,
            version_of("b.txt", "A text."),
            document,
            kept="a.txt",
            text_sha256="0",
            detail="…",
        )

    with connect(database.app) as app:
        assert not record()
        assert app.execute("SELECT count(*) FROM pgask.documents").fetchone() == (0,)
        remove_documents(app, collection, ["a.txt"])
        assert not record()


def test_of_many_documents_only_those_with_a_band_in_common_are_read(database: Database) -> None:
    """Else each document costs a look at all, and a corpus the square of its size."""
    collection = open_collection(database)
    with connect(database.app) as app, connect(database.owner) as owner:
        app.execute(
            "WITH made AS (INSERT INTO pgask.documents (collection_id, source, status, chunk_count, text_sha256,"
            " signature) SELECT %(collection)s, i || '.md', 'ready', 1, lpad(i::text, 64, '0'), ''"
            " FROM generate_series(1, 5000) i RETURNING id, text_sha256::bigint AS i)"
            " INSERT INTO pgask.signature_bands SELECT %(collection)s, i * 100 + band, id"
            " FROM made, generate_series(1, 16) band",
            {"collection": collection.id},
        )
        owner.execute("VACUUM ANALYZE pgask.documents, pgask.signature_bands")
        signature = Signature("0" * 64, b"", [4200 + band for band in range(1, 17)])
        for _ in range(8):  # with the kept plan, too
            assert [one.source for one in duplicate_candidates(app, collection, "new.md", signature)] == [
                "42.md"
            ]
        read = app.execute(
            sql.SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {}").format(sql.SQL(_CANDIDATES)),
            {
                "collection": collection.id,
                "source": "new.md",
                "sha": "0" * 64,
                "bands": signature.bands,
                "most": 100,
            },
        ).fetchone()
    assert read is not None
    assert "pk_signature_bands" in str(read[0])
    assert not re.search(r"'Rows Removed by Filter': \d\d", str(read[0]))


def test_of_several_the_most_similar_is_named(database: Database, tmp_path: Path) -> None:
    text = long_text("en")
    corpus = write(tmp_path, a=text + "\n\nof the intranet page for printing", b=text)
    ingest(database, corpus, options=replace(SMALL, duplicates="keep_all"))
    signature, longer = (sign(made, terms(made)) for made in (text, text + PRINTED))
    with connect(database.app) as app:
        collection = open_collection(database)
        search = DuplicateSearch(app, collection, threshold=0.9, outdated=[])
        assert search.find("c.md", signature, text) == Duplicate("b.md", 1.0)
        near = search.find("c.md", longer, text + PRINTED)
        assert near is not None
        assert near.of == "b.md"
        assert 0.9 < near.similarity < 1


def test_what_the_run_replaces_counts_once_it_was_looked_at(database: Database, tmp_path: Path) -> None:
    text = long_text("en")
    ingest(database, write(tmp_path, a=text, b=text), options=replace(SMALL, duplicates="keep_all"))
    signature = sign(text, terms(text))
    with connect(database.app) as app:
        search = DuplicateSearch(app, open_collection(database), threshold=0.9, outdated=["a.md", "b.md"])
        assert search.find("c.md", signature, text) is None
        assert search.find("b.md", signature, text) is None
        assert search.find("a.md", signature, text) == Duplicate("b.md", 1.0)
        search.expect("b.md", sign("Another text.", ["anoth", "text"]), "Another text.")
        assert search.find("c.md", signature, text) == Duplicate(
            "a.md", 1.0
        )  # b's old text does not count any more
        search.expect("d.md", signature, text)
        search.settle(["b.md", "d.md"])
        assert search.find("e.md", signature, text) == Duplicate("a.md", 1.0)


async def test_f_1108_a_copy_is_found_by_its_own_name(database: Database, tmp_path: Path) -> None:
    """F-1108: "Summarise 2025/house.md" found nothing, since 2024/house.md holds the same."""
    for folder in ("2024", "2025"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "house.md").write_text(f"# House rules\n\n{long_text('en')}", "utf-8")
    ingest(database, tmp_path)
    async with await psycopg.AsyncConnection.connect(database.app) as connection:
        await connection.execute("SELECT set_config('pgask.tenant', '1', false)")
        (copy,) = await find_candidates(connection, "default", None, [["2025"], ["house"]])
        (kept,) = await find_candidates(connection, "default", None, [["2024"], ["house"]])
        (both,) = await find_candidates(connection, "default", None, [["house"]])
    assert (copy.source, kept.source, both.source) == ("2025/house.md", "2024/house.md", "2024/house.md")
    assert copy.document_id == kept.document_id
    assert copy.text.startswith("# House rules")
