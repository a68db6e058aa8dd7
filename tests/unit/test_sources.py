"""ingest.sources: every file is found once under a stable name, and nothing in a folder stops the rest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.errors import DocumentError, InvalidRequestError
from ingest.ignoring import Selection
from ingest.parsers.media_types import media_type_of
from ingest.roots import name_paths
from ingest.sources import FoundSources, content_sha256, find_sources, read_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "docs"
    for name in [
        "b.md",
        "a.txt",
        "sub/c.html",
        "sub/deep/d.pdf",
        ".hidden.md",
        ".git/e.md",
        "data.bin",
        "中文.md",
    ]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"text")
    return root


def sources(found: FoundSources) -> list[str]:
    return [file.source for file in found.files]


def failures(found: FoundSources) -> list[tuple[str, str]]:
    return [(failure.source, failure.code) for failure in found.failures]


def test_one_folder_gives_relative_sources_in_order_without_hidden_files(folder: Path) -> None:
    found = find_sources(name_paths([folder]))
    assert sources(found) == ["a.txt", "b.md", "data.bin", "sub/c.html", "sub/deep/d.pdf", "中文.md"]
    assert [file.media_type for file in found.files] == [
        "text/plain",
        "text/markdown",
        "",
        "text/html",
        "application/pdf",
        "text/markdown",
    ]
    assert {file.size_bytes for file in found.files} == {4}
    assert found.failures == ()


def skipped(found: FoundSources) -> dict[str, str]:
    return {one.source: one.code for one in found.skipped}


def write(folder: Path, names: Mapping[str, bytes]) -> None:
    for name, content in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_f_1123_what_is_no_document_is_skipped_by_kind(folder: Path) -> None:
    """F-1123: pictures and what programs leave beside documents failed on every run."""
    kinds = {
        "img/plan.PNG": "picture",
        "img/logo.svg": "picture",
        "~$report.docx": "temporary",
        ".~lock.report.odt#": "temporary",
        "Thumbs.db": "temporary",
        ".DS_Store": "temporary",
        ".notes.md.swp": "temporary",
        "sub/big.pdf.part": "temporary",
        "old.md.bak": "temporary",
        "notes.md~": "temporary",
        "all.zip": "archive",
        "all.tar.gz": "archive",
        "setup.exe": "program",
        "sub/talk.mp4": "media",
        "sans.woff2": "font",
        "weights.dat": "binary",
    }
    write(folder, dict.fromkeys(kinds, b"\0\1"))
    (folder / "gone.png").symlink_to("nowhere.png")
    found = find_sources(name_paths([folder]))
    assert skipped(found) == kinds | {"gone.png": "picture"}
    assert found.failures == ()
    assert len(found.files) == 6


def test_f_1123_documents_that_are_not_read_still_fail(folder: Path) -> None:
    """F-1123: a failure stays a failure, of a document in an old format as of text of an unknown type."""
    write(
        folder,
        {"letter.doc": b"\xd0\xcf\x11\xe0\0", "notes.xyz": b"text", "notes.uni": "text".encode("utf-16")},
    )
    found = find_sources(name_paths([folder]))
    assert {file.source for file in found.files if not file.media_type} == {
        "data.bin",
        "letter.doc",
        "notes.uni",
        "notes.xyz",
    }
    assert found.skipped == ()


def test_f_1123_ignore_files_leave_out_what_they_name(folder: Path) -> None:
    """F-1123: .gitignore was not looked at; a deeper file and .pgaskignore have the last word."""
    write(
        folder,
        {
            ".gitignore": "\ufeff*.html\nnode_modules/\n中*\n".encode(),
            ".pgaskignore": b"/b.md\n",
            "sub/.gitignore": b"!c.html\n",
            "e.html": b"text",
            "node_modules/deep/f.md": b"text",
        },
    )
    found = find_sources(name_paths([folder]))
    assert sources(found) == ["a.txt", "data.bin", "sub/c.html", "sub/deep/d.pdf"]
    assert skipped(found) == dict.fromkeys(["b.md", "e.html", "node_modules/", "中文.md"], "excluded")
    assert sources(find_sources(name_paths([folder / "b.md"]))) == ["b.md"]  # asked for by name
    assert sources(find_sources(name_paths([folder, folder / "sub"])))[0] == "docs/a.txt"


def test_f_1123_an_ignore_file_that_cannot_be_read_closes_its_folder(folder: Path) -> None:
    """F-1123: what it keeps out must not go in since it could not be read."""
    (folder / "sub/.gitignore").mkdir()
    found = find_sources(name_paths([folder]))
    assert failures(found) == [("sub/", "unreadable")]
    assert not any(file.source.startswith("sub/") for file in found.files)


def test_f_1123_globs_include_and_exclude(folder: Path) -> None:
    """F-1123: there was no --exclude."""
    found = find_sources(name_paths([folder]), Selection.from_globs(["*.md", "sub/"], ["/b.md", "deep"]))
    assert sources(found) == ["sub/c.html", "中文.md"]
    assert set(skipped(found)) == {"a.txt", "b.md", "data.bin", "sub/deep/"}
    assert find_sources(name_paths([folder / "b.md"]), Selection.from_globs([], ["*.md"])).files == ()


def test_several_paths_put_the_folder_name_first(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/b.md").write_text("x")
    (tmp_path / "single.md").write_text("x")
    found = find_sources(name_paths([folder / "sub", tmp_path / "other", tmp_path / "single.md"]))
    assert sources(found) == ["other/b.md", "single.md", "sub/c.html", "sub/deep/d.pdf"]


def test_a_single_file_has_its_name_even_when_hidden(folder: Path) -> None:
    assert sources(find_sources(name_paths([folder / "sub/deep/d.pdf"]))) == ["d.pdf"]
    assert sources(find_sources(name_paths([folder / ".hidden.md"]))) == [".hidden.md"]


def test_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "sub")
    assert sources(find_sources(name_paths([Path()]))) == ["c.html", "deep/d.pdf"]


def test_two_inputs_with_one_source_are_refused_by_name(folder: Path, tmp_path: Path) -> None:
    twin = tmp_path / "copy/docs"
    twin.mkdir(parents=True)
    (twin / "a.txt").write_text("other")
    with pytest.raises(InvalidRequestError) as raised:
        find_sources(name_paths([folder, twin]))
    assert raised.value.code == "duplicate_source"
    assert str(folder / "a.txt") in str(raised.value)
    assert str(twin / "a.txt") in str(raised.value)


def test_the_same_path_twice_counts_once(folder: Path) -> None:
    assert sources(find_sources(name_paths([folder, folder / "sub" / ".."]))) == sources(
        find_sources(name_paths([folder]))
    )


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="does not exist"):
        find_sources(name_paths([tmp_path / "missing"]))


def test_links_inside_are_read_links_out_and_broken_ones_are_reported(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "latest.md").symlink_to("b.md")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "outdir").symlink_to(tmp_path, target_is_directory=True)
    (folder / "broken.md").symlink_to("nowhere.md")
    (folder / "self.md").symlink_to("self.md")
    (folder / "sub/loop").symlink_to("..", target_is_directory=True)
    found = find_sources(name_paths([folder]))
    assert sources(found) == [
        "a.txt",
        "b.md",
        "data.bin",
        "latest.md",
        "sub/c.html",
        "sub/deep/d.pdf",
        "中文.md",
    ]
    assert failures(found) == [
        ("broken.md", "unreadable"),
        ("out.txt", "outside_root"),
        ("outdir", "outside_root"),
        ("self.md", "unreadable"),
    ]


def test_a_name_that_is_not_utf8_is_reported_and_printable(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md")).write_text("x")
    Path(os.fsdecode(os.fsencode(folder) + b"/dir\xff")).mkdir()
    found = find_sources(name_paths([folder]))
    assert failures(found) == [("caf\\xe9.md", "bad_name"), ("dir\\xff", "bad_name")]
    assert "b.md" in sources(found)


def test_a_pipe_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    assert failures(find_sources(name_paths([folder]))) == [("pipe.txt", "unreadable")]


def test_a_folder_that_cannot_be_listed_is_reported(folder: Path) -> None:
    # Deeper than a path may be long: unreadable for root as well, which permissions are not.
    at = os.open(folder, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=at)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = deeper
    os.close(at)
    found = find_sources(name_paths([folder]))
    assert [failure.code for failure in found.failures] == ["unreadable"]
    assert "b.md" in sources(found)


def test_reading_has_a_limit(folder: Path) -> None:
    file = find_sources(name_paths([folder / "b.md"])).files[0]
    assert read_source(file, 4).content == b"text"
    with pytest.raises(DocumentError) as raised:
        read_source(file, 3)
    assert raised.value.code == "too_large"


@pytest.mark.parametrize("swap", ["gone", "link", "folder"])
def test_a_file_that_changed_after_listing_is_unreadable(folder: Path, swap: str) -> None:
    file = find_sources(name_paths([folder / "b.md"])).files[0]
    file.path.unlink()
    if swap == "link":
        file.path.symlink_to(folder / "a.txt")
    elif swap == "folder":
        file.path.mkdir()
    with pytest.raises(DocumentError) as raised:
        read_source(file, 100)
    assert raised.value.code == "unreadable"


def test_a_folder_that_became_a_link_out_after_listing_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/c.html").write_text("secret")
    file = next(file for file in find_sources(name_paths([folder])).files if file.source == "sub/c.html")
    (folder / "sub").rename(folder / "moved")
    (folder / "sub").symlink_to(tmp_path / "outside", target_is_directory=True)
    with pytest.raises(DocumentError) as raised:
        read_source(file, 100)
    assert raised.value.code == "unreadable"


def test_sha256() -> None:
    assert content_sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.txt", b"%PDF-1.4", "application/pdf"),
        ("a.md", b"\xef\xbb\xbf\n <!DOCTYPE HTML>", "text/html"),
        ("a.txt", b"<html lang=en>", "text/html"),
        ("a.md", b"<div>inline</div>", "text/markdown"),
        ("a.HTM", b"", "text/html"),
        ("README", b"text", "text/plain"),
        ("a.docx", b"PK", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.doc", b"\xd0\xcf", ""),
        ("a.CSV", b"%PDF-1.4", "text/csv"),
        ("a.py", b"<html>", "text/x-python"),
    ],
)
def test_media_type(name: str, head: bytes, expected: str) -> None:
    assert media_type_of(name, head) == expected
