"""ingest.watch: bursts below a folder, by notices and by looking."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from watchfiles import Change

from ingest.watch import watch_paths

TELLS = 40  # of half a second: far more than any burst takes


def is_told(watched: Iterator[bool]) -> bool:
    return any(next(watched) for _ in range(TELLS))


@pytest.fixture(params=[False, True], ids=["notices", "looking"])
def poll(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_burst_is_told_once_and_what_comes_in_between_is_kept(tmp_path: Path, *, poll: bool) -> None:
    watched = watch_paths([tmp_path], poll=poll)
    assert next(watched) is False
    (tmp_path / "deep").mkdir()
    for number in range(30):
        (tmp_path / "deep" / f"{number}.md").write_text("text", "utf-8")
    assert is_told(watched)
    assert [next(watched) for _ in range(4)] == [False] * 4
    (tmp_path / "deep" / "3.md").write_text("longer text", "utf-8")
    (tmp_path / "deep" / "4.md").unlink()
    assert is_told(watched)


def test_hidden_files_are_not_told(tmp_path: Path) -> None:
    (tmp_path / ".hidden").mkdir()
    watched = watch_paths([tmp_path], poll=False)
    next(watched)
    (tmp_path / ".hidden" / "a.md").write_text("text", "utf-8")
    (tmp_path / ".a.md.swp").write_text("text", "utf-8")
    assert [next(watched) for _ in range(5)] == [False] * 5


def test_f_1123_a_changed_ignore_file_is_told(tmp_path: Path) -> None:
    """F-1123: --watch follows .gitignore and .pgaskignore, whose names begin with a dot."""
    (tmp_path / ".git").mkdir()
    watched = watch_paths([tmp_path], poll=False)
    next(watched)
    (tmp_path / ".pgaskignore").write_text("private/", "utf-8")
    assert is_told(watched)


def test_a_folder_that_goes_and_comes_back_is_followed_on(tmp_path: Path, *, poll: bool) -> None:
    root = tmp_path / "root"
    root.mkdir()
    watched = watch_paths([root], poll=poll)
    next(watched)
    shutil.rmtree(root)
    assert is_told(watched)
    root.mkdir()
    (root / "a.md").write_text("text", "utf-8")
    assert is_told(watched)
    while next(watched):
        pass
    (root / "b.md").write_text("text", "utf-8")
    assert is_told(watched)


def test_a_file_that_is_replaced_is_followed_on(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("text", "utf-8")
    watched = watch_paths([file], poll=False)
    next(watched)
    for text in ("longer text", "a still longer text"):
        (tmp_path / "new").write_text(text, "utf-8")
        (tmp_path / "new").replace(file)  # as editors save
        assert is_told(watched)
        while next(watched):
            pass


def test_ctrl_c_while_a_folder_is_watched_anew_is_not_lost(
    tmp_path: Path,
) -> None:
    """It came when the old watching was closed, where Python can raise nothing, and the following never ended."""

    def watch(*_: Path, **__: object) -> Generator[set[tuple[Change, str]]]:
        try:
            while True:
                yield set()
        finally:
            signal.raise_signal(signal.SIGINT)

    link = tmp_path / "link"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    link.symlink_to(tmp_path / "one")
    watched = watch_paths([link], poll=False, watch=watch)
    assert next(watched) is False
    link.unlink()
    link.symlink_to(tmp_path / "two")
    assert next(watched) is True
    with pytest.raises(KeyboardInterrupt):
        next(watched)
