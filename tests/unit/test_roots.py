"""ingest.roots: what given folders are called, and whose a name is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.errors import InvalidRequestError
from app.store.sources import FileState, KnownDocument
from ingest.roots import Claim, claim_names, is_gone, is_removed, name_paths
from ingest.sources import GivenPath


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    for name in ("docs/a.md", "docs/sub/b.md", "other/a.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text", "utf-8")
    return tmp_path / "docs"


def stored(source: str, root: Path | None, origin: Path | None, sha256: str = "s") -> KnownDocument:
    return KnownDocument(
        source,
        "ready",
        sha256,
        "p",
        "text/markdown",
        root=None if root is None else str(root),
        origin=None if origin is None else str(origin),
    )


def named(given: tuple[GivenPath, ...]) -> list[tuple[str, str]]:
    return [(one.source, str(one.root)) for one in given]


def test_new_folders_are_called_by_the_contract(docs: Path) -> None:
    other = docs.parent / "other"
    assert named(name_paths([docs])) == [("", str(docs))]
    assert named(name_paths([docs, other])) == [("docs/", str(docs)), ("other/", str(other))]
    assert named(name_paths([docs, docs / "sub" / ".."])) == [("", str(docs))]
    assert named(name_paths([docs / "a.md"])) == [("a.md", str(docs / "a.md"))]


def test_names_of_the_user_go_before(docs: Path) -> None:
    other = docs.parent / "other"
    assert [one.source for one in name_paths([docs], names=["x/y/"])] == ["x/y/"]
    assert [one.source for one in name_paths([docs, docs / "a.md"], names=["x"])] == ["x/docs/", "x/a.md"]
    assert [one.source for one in name_paths([docs, other], names=["x", "."])] == ["x/", ""]
    for names in (["x", "y"], [""], ["/x"], ["../x"], ["x//y"], ["x\n"]):
        with pytest.raises(InvalidRequestError, match="--as"):
            name_paths([docs], names=names)


def test_a_known_folder_and_its_parts_are_called_as_before(docs: Path) -> None:
    known = [stored("handbook/a.md", docs, docs / "a.md")]
    assert named(name_paths([docs], known)) == [("handbook/", str(docs))]
    assert named(name_paths([docs / "sub"], known)) == [("handbook/sub/", str(docs))]
    assert named(name_paths([docs / "sub/b.md"], known)) == [("handbook/sub/b.md", str(docs))]
    assert named(name_paths([docs.parent], known)) == [("", str(docs.parent))]
    assert [one.source for one in name_paths([docs], known, ["x"])] == ["x/"]


def test_a_file_given_by_itself_makes_no_root_of_its_folder(docs: Path) -> None:
    file = docs / "a.md"
    known = [stored("a.md", file, file)]
    assert named(name_paths([docs / "sub"], known)) == [("", str(docs / "sub"))]
    assert named(name_paths([file], known)) == [("a.md", str(file))]


def test_a_link_is_the_folder_whatever_it_leads_to(docs: Path) -> None:
    link = docs.parent / "current"
    link.symlink_to(docs)
    assert named(name_paths([link])) == [("", str(link))]
    known = [stored("x/a.md", link, link / "a.md")]
    assert named(name_paths([docs / "sub"], known)) == [("x/sub/", str(link))]
    assert name_paths([docs / "sub"], known)[0].place == link / "sub"


def test_documents_of_before_name_their_folder(docs: Path) -> None:
    known = [stored("docs/a.md", None, docs / "a.md"), stored("docs/sub/b.md", None, docs / "sub/b.md")]
    assert named(name_paths([docs], known)) == [("docs/", str(docs))]
    assert named(name_paths([docs / "sub"], known)) == [("docs/sub/", str(docs / "sub"))]


def claims(root: Path, **sha256: str) -> list[Claim]:
    return [
        Claim(f"{name}.md", FileState(str(root), str(root / f"{name}.md")), found)
        for name, found in sha256.items()
    ]


def test_f_102_a_name_is_taken_over_from_what_is_gone_alone(docs: Path) -> None:
    """F-102: never from a folder that is there, and not from one that is only out of reach."""
    other = docs.parent / "other"
    known = {f"{name}.md": stored(f"{name}.md", docs, docs / f"{name}.md") for name in "abc"}
    taking = claims(other, a="s")
    with pytest.raises(InvalidRequestError, match="--as other"):
        claim_names(taking, known, name_paths([other]))
    (docs / "a.md").unlink()
    assert list(claim_names(taking, known, name_paths([other]))) == taking  # the file moved with its bytes
    with pytest.raises(InvalidRequestError):
        claim_names(claims(other, a="t"), known, name_paths([other]))
    shutil.rmtree(docs)
    assert is_removed(str(docs))
    assert claim_names(claims(other, a="t"), known, name_paths([other]))

    away = docs.parent / "drive" / "docs"  # as when a drive is not there
    known = {f"{name}.md": stored(f"{name}.md", away, away / f"{name}.md") for name in "abc"}
    assert not is_removed(str(away))
    with pytest.raises(InvalidRequestError, match="can't be reached now"):
        claim_names(claims(other, a="s", b="t", c="t"), known, name_paths([other]))
    moved = claims(other, a="s", b="s", c="t")
    assert list(claim_names(moved, known, name_paths([other]))) == moved


def test_what_can_not_be_told_is_not_gone(docs: Path) -> None:
    assert is_gone(str(docs / "none.md"))
    assert is_gone(str(docs / "a.md" / "none.md"))
    assert is_gone(str(docs))  # a folder in the file's place
    assert not is_gone(str(docs / "a.md"))
    assert not is_gone(str(docs / "caf\\xe9.md"))
    assert not is_gone(None)
    assert not is_gone(str(docs / ("d" * 300)))
