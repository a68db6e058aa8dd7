"""A run knows its folders: what it reads, what it forgets, and whose document a name is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain import Document
from app.errors import InvalidRequestError
from app.store.connection import Database, connect
from app.store.sources import KnownDocument, known_documents
from ingest.parsers import parse
from tests.integration.ingesting import (
    SMALL,
    age,
    ingest,
    open_collection,
    open_run,
    plan,
    snapshot,
    write_corpus,
)

pytestmark = pytest.mark.integration

PRUNE = replace(SMALL, prune=True)
Reading = Callable[[], AbstractContextManager[list[str]]]


def known(database: Database) -> dict[str, KnownDocument]:
    with connect(database.app) as app:
        return dict(known_documents(app, open_collection(database)))


def write(folder: Path, **files: str) -> Path:
    """Files of some seconds ago, so that their times of change say something."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, "utf-8")
    return age(folder)


@pytest.fixture
def reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Collects the names of the files below tmp_path that are opened."""

    @contextmanager
    def collect() -> Iterator[list[str]]:
        opened: list[str] = []
        really = os.open

        def counting(path: str | Path, *arguments: int, **named: int) -> int:
            if Path(path).is_relative_to(tmp_path):
                opened.append(Path(path).name)
            return really(path, *arguments, **named)

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", counting)
            yield opened

    return collect


def test_f_101_prune_takes_only_what_lay_below_the_given_folders(database: Database, tmp_path: Path) -> None:
    """F-101: --prune forgot whatever this run did not list, also where the file was there."""
    one, two = (
        write(tmp_path / "one", a="Of one.", b="And one."),
        write(tmp_path / "two", c="Of two.", d="Kept."),
    )
    ingest(database, one)
    assert ingest(database, two, options=PRUNE).removed == 0
    assert ingest(database, two / "c.md", options=PRUNE).removed == 0
    assert set(known(database)) == {"a.md", "b.md", "c.md", "d.md"}
    (one / "a.md").unlink()
    (two / "c.md").unlink()
    assert plan(database, two, options=PRUNE).removed == ("c.md",)
    assert ingest(database, two, options=PRUNE).removed == 1
    assert set(known(database)) == {"a.md", "b.md", "d.md"}
    assert (
        ingest(database, tmp_path, options=PRUNE).removed == 1
    )  # the folder around it, where b.md is one/b.md
    assert set(known(database)) == {"one/b.md", "two/d.md"}


@pytest.mark.parametrize("left", [None, ".DS_Store", "lost+found/"])
def test_prune_refuses_a_folder_that_is_empty(database: Database, tmp_path: Path, left: str | None) -> None:
    """An unmounted disk leaves an empty folder behind: all its documents were forgotten."""
    corpus = write(tmp_path / "corpus", a="A text.", b="Another one.")
    other = write(tmp_path / "other", c="A third.")
    ingest(database, corpus, other)
    corpus.rename(tmp_path / "away")
    corpus.mkdir()
    if left is not None:
        (corpus / left).mkdir() if left.endswith("/") else (corpus / left).touch()
    for look in (plan, ingest):
        with pytest.raises(InvalidRequestError, match="is empty, and 2 documents of it") as raised:
            look(database, corpus, other, options=PRUNE)
        assert raised.value.code == "files_away"
        assert "--prune-anyway" in str(raised.value)
    assert ingest(database, corpus).removed == 0  # without --prune nothing is forgotten anyway
    assert set(known(database)) == {"corpus/a.md", "corpus/b.md", "other/c.md"}
    assert ingest(database, corpus, options=replace(PRUNE, prune_anyway=True)).removed == 2
    assert set(known(database)) == {"other/c.md"}


def test_prune_forgets_the_last_document_of_a_folder_that_holds_others(
    database: Database, tmp_path: Path
) -> None:
    corpus = write(tmp_path / "corpus", a="A text.")
    ingest(database, corpus)
    (corpus / "a.md").unlink()
    (corpus / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    assert ingest(database, corpus, options=PRUNE).removed == 1


def test_prune_refuses_where_another_disk_lies_in_a_folder_s_place(
    database: Database, tmp_path: Path
) -> None:
    """Nothing was deleted there since the documents were read, and yet they are gone."""
    corpus = write(tmp_path / "corpus", a="A text.", b="Another one.", c="A third.")
    write(corpus / "deep", d="A fourth.", e="A fifth.")
    ingest(database, corpus)
    corpus.rename(tmp_path / "away")
    write(corpus, a="What the disk below holds.")
    _read_later(database)  # as if that disk had been written long before
    with pytest.raises(InvalidRequestError, match="nothing has been deleted there") as raised:
        ingest(database, corpus, options=PRUNE)
    assert raised.value.code == "files_away"
    assert len(known(database)) == 5
    assert ingest(database, corpus, options=replace(PRUNE, prune_anyway=True)).removed == 4


@pytest.mark.parametrize("deleted", ["file", "folder", "link"])
def test_prune_sees_that_a_file_was_deleted(database: Database, tmp_path: Path, deleted: str) -> None:
    """The folder that it lay in, the one above it or the link that leads there has changed since."""
    release = write(tmp_path / "release", a="A text.")
    write(release / "deep/er", d="A fourth.", e="A fifth.")
    older = write(tmp_path / "older", a="A text.")
    corpus = tmp_path / "corpus"
    corpus.symlink_to(release)
    ingest(database, corpus)
    _read_later(database, seconds=120)
    time.sleep(0.01)
    if deleted == "file":
        (release / "deep/er/d.md").unlink()
        (release / "deep/er/e.md").unlink()
    elif deleted == "folder":
        shutil.rmtree(release / "deep")
    else:
        corpus.unlink()
        corpus.symlink_to(older)
    with pytest.raises(InvalidRequestError):  # by the clock of two minutes ahead nothing has changed
        ingest(database, corpus, options=PRUNE)
    _read_later(database, seconds=-120)
    assert ingest(database, corpus, options=PRUNE).removed == 2


def _read_later(database: Database, seconds: int = 3_600) -> None:
    with connect(database.app) as app:
        app.execute("UPDATE pgask.documents SET updated_at = updated_at + %s * interval '1 s'", [seconds])


def test_f_101_what_a_run_does_not_look_into_is_not_gone(database: Database, tmp_path: Path) -> None:
    """F-101: a folder whose name begins with a dot is read when it is given, and not when the one around it is."""
    write(tmp_path / "docs", a="A text.")
    write(tmp_path / "docs/.notes", n="A note.")
    ingest(database, tmp_path / "docs")
    ingest(database, tmp_path / "docs/.notes")
    assert ingest(database, tmp_path / "docs", options=PRUNE).removed == 0
    assert set(known(database)) == {"a.md", ".notes/n.md"}


def test_f_102_the_same_name_from_another_folder_is_refused(database: Database, tmp_path: Path) -> None:
    """F-102: the second folder's readme silently replaced the first one's."""
    one, two = write(tmp_path / "one", readme="Of one."), write(tmp_path / "two", readme="Of two.", x="More.")
    ingest(database, one)
    before = snapshot(database)
    for attempt in (plan, ingest):
        with pytest.raises(InvalidRequestError) as raised:
            attempt(database, two)
        assert raised.value.code == "duplicate_source"
        for said in (f"from {one};", f"{two} has", "--as two"):
            assert said in str(raised.value)
    assert snapshot(database) == before

    report = ingest(database, two, options=replace(SMALL, names=("two",)))
    assert (report.new, report.changed) == (2, 0)
    assert set(known(database)) == {"readme.md", "two/readme.md", "two/x.md"}
    assert known(database)["two/readme.md"].root == str(two)
    assert ingest(database, two, options=PRUNE).unchanged == 2  # it keeps its name
    assert ingest(database, two, options=replace(SMALL, names=("other",))).renamed == 2
    assert set(known(database)) == {"readme.md", "other/readme.md", "other/x.md"}


def test_f_102_two_runs_at_once_do_not_replace_each_other_s_file(database: Database, tmp_path: Path) -> None:
    """F-102: both had planned before the other one's file was there; also where one is left out or fails."""
    one = write(tmp_path / "one", a="Of one.", b="The same text.", c="Of one.")
    two = write(tmp_path / "two", b="The same text.", c="")
    three = write(tmp_path / "three", a="Of three.", c="The same text.")
    with open_run(database) as first, open_run(database) as second, open_run(database) as third:
        plans = [first.plan([one]), second.plan([two]), third.plan([three])]
        first.execute(plans[0])
        before = snapshot(database)
        for run, planned in ((second, plans[1]), (third, plans[2])):
            with pytest.raises(InvalidRequestError, match="while this run went on"):
                run.execute(planned)
    assert snapshot(database) == before
    assert {document.root for document in known(database).values()} == {str(one)}


def test_f_102_a_folder_that_is_gone_gives_its_names_up(database: Database, tmp_path: Path) -> None:
    """F-102: a file that moved, and a new folder in place of one that was removed, are no other folder's."""
    old = write(tmp_path / "old", a="Alpha.", b="Beta.", c="Gamma.", d="Delta.", e="Epsilon.")
    ingest(database, old)
    before = {row[1:] for row in snapshot(database)}
    shutil.copytree(old, tmp_path / "copy")
    shutil.rmtree(old)
    new = (tmp_path / "copy").rename(tmp_path / "new")
    (new / "d.md").unlink()
    write(new, c="Gamma changed.")
    report = ingest(database, new)
    assert (report.new, report.changed, report.unchanged, report.renamed) == (0, 1, 3, 0)
    assert {document.root for document in known(database).values()} == {str(new)}
    assert len(before & {row[1:] for row in snapshot(database)}) == 4
    assert ingest(database, new, options=PRUNE).removed == 1  # d.md was lost on the way
    assert set(known(database)) == {"a.md", "b.md", "c.md", "e.md"}

    shutil.rmtree(new)
    other = write(tmp_path / "other", a="Another text.")
    assert ingest(database, other, options=PRUNE).changed == 1
    assert len(known(database)) == 4  # they may be wanted: they were in another folder


def test_folders_are_called_the_same_together_and_one_by_one(database: Database, tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", a="Of one."), write(tmp_path / "two", a="Of two.")
    ingest(database, one, two)
    names = {"one/a.md", "two/a.md"}
    assert set(known(database)) == names
    write(one, b="New in one.")
    assert ingest(database, one, options=PRUNE).new == 1
    assert ingest(database, two, one / "a.md", options=PRUNE).unchanged == 2
    assert set(known(database)) == names | {"one/b.md"}
    assert {document.root for document in known(database).values()} == {str(one), str(two)}
    write(one / "deep", d="Deep in one.")
    assert ingest(database, one / "deep", options=PRUNE).new == 1  # a part of a folder is called as in it
    assert plan(database, one, two, options=PRUNE).unchanged == (
        "one/a.md",
        "one/b.md",
        "one/deep/d.md",
        "two/a.md",
    )


def test_a_link_to_another_release_is_the_same_folder(database: Database, tmp_path: Path) -> None:
    """A release beside the one before, and a link that is moved on: nobody's name is taken."""
    write(tmp_path / "v1", a="A text.", b="Gone in the second.")
    write(tmp_path / "v2", a="Another text.")
    current = tmp_path / "current"
    current.symlink_to("v1")
    ingest(database, current)
    assert ingest(database, tmp_path / "v1", options=PRUNE).unchanged == 2
    current.unlink()
    current.symlink_to("v2")
    report = ingest(database, current, options=PRUNE)
    assert (report.changed, report.removed) == (1, 1)
    assert known(database)["a.md"].root == str(current)
    with pytest.raises(InvalidRequestError):
        ingest(database, tmp_path / "v1")


def test_f_103_unchanged_files_are_not_opened(database: Database, tmp_path: Path, reading: Reading) -> None:
    """F-103: every run read every file."""
    corpus = age(write_corpus(tmp_path / "corpus", 5))
    with reading() as opened:
        assert ingest(database, corpus).new == 5
    assert len(set(opened)) == 5
    with reading() as opened:
        assert ingest(database, corpus, options=PRUNE).unchanged == 5
    assert opened == []
    (corpus / "文件002.md").write_text("# Two\n\nAnother text.", "utf-8")
    with reading() as opened:
        assert ingest(database, corpus).changed == 1
    assert set(opened) == {"文件002.md"}
    with reading() as opened:
        assert ingest(database, corpus, options=replace(SMALL, rehash=True)).unchanged == 5
    assert len(set(opened)) == 5


def test_f_103_what_failed_is_tried_again_when_it_changed(
    database: Database, tmp_path: Path, reading: Reading
) -> None:
    """F-103: files that can't be read were sent to the parser again in every run."""
    tried: list[str] = []

    def counting(content: bytes, media_type: str, source: str) -> Document:
        tried.append(source)
        return parse(content, media_type, source)

    corpus = write(tmp_path / "corpus", a="A text.")
    (corpus / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    (corpus / "letter.doc").write_bytes(b"\xd0\xcf\x11\xe0rest")
    age(corpus)
    first = ingest(database, corpus, parse=counting)
    assert len(tried) == 3
    assert (len(first.failed), first.not_retried) == (2, 0)
    with reading() as opened:
        again = ingest(database, corpus, parse=counting)
    assert (len(tried), opened) == (3, [])
    assert (again.failed, again.not_retried) == (first.failed, 2)
    assert plan(database, corpus).still_failed == tuple(first.failed)

    assert len(ingest(database, corpus, parse=counting, options=replace(SMALL, rehash=True)).failed) == 2
    assert len(tried) == 5
    (corpus / "letter.doc").write_bytes(b"\xd0\xcf\x11\xe0other")
    assert ingest(database, corpus, parse=counting).not_retried == 1
    assert tried[5:] == ["letter.doc"]


def test_f_103_a_file_changed_in_the_step_of_time_in_which_it_was_read(
    database: Database, tmp_path: Path
) -> None:
    """F-103: a time of change tells nothing while another change may get the same."""
    corpus = write(tmp_path / "corpus", a="One text.")
    moment = time.time_ns() - 500_000_000
    os.utime(corpus / "a.md", ns=(moment, moment))
    ingest(database, corpus)
    assert known(database)["a.md"].mtime_ns is None
    (corpus / "a.md").write_text("Two text.", "utf-8")  # as long as before, in the same place
    os.utime(corpus / "a.md", ns=(moment, moment))
    assert ingest(database, corpus).changed == 1


def test_f_103_a_file_that_only_looks_changed_is_noted(
    database: Database, tmp_path: Path, reading: Reading
) -> None:
    """F-103: other inodes (a network share), or times (a checkout), cost one reading."""
    corpus = write(tmp_path / "corpus", a="A text.", b="Another one.")
    ingest(database, corpus)
    before = snapshot(database)
    shutil.copytree(corpus, tmp_path / "new")
    shutil.rmtree(corpus)
    (tmp_path / "new").rename(corpus)
    for opens in (2, 0):
        with reading() as opened:
            assert ingest(database, corpus).unchanged == 2
        assert len(set(opened)) == opens
    assert snapshot(database) == before


def test_f_103_databases_of_before_go_over_without_an_embedding(
    database: Database, tmp_path: Path, reading: Reading
) -> None:
    """F-103: documents without a root get it in the next run; until then a folder is told by their files' paths."""
    one, two = write(tmp_path / "one", a="Of one."), write(tmp_path / "two", b="Of two.")
    ingest(database, one, two)
    before = snapshot(database)
    with connect(database.app) as app:
        app.execute("UPDATE pgask.documents SET root = NULL, mtime_ns = NULL, inode = NULL")
    (two / "b.md").unlink()
    report = ingest(database, one, options=PRUNE)
    assert (report.unchanged, report.removed, report.chunks) == (1, 0, 0)
    assert snapshot(database) == before
    assert known(database)["one/a.md"].root == str(one)
    with reading() as opened:
        ingest(database, one)
    assert opened == []
    assert ingest(database, two, options=replace(PRUNE, prune_anyway=True)).removed == 1
