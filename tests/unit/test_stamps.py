"""ingest.stamps: which times of change say something, and numbers that the database can hold."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ingest.stamps import YOUNG_S, Stamp


@pytest.mark.parametrize(
    ("age_s", "is_telling"),
    [(YOUNG_S + 1, True), (0, False), (-3_600, False), (-(2**60), False), (2**60, False), (1e9, True)],
)
def test_f_103_a_young_time_tells_nothing(age_s: float, *, is_telling: bool) -> None:
    """F-103: a change in the same step of time has the same time. A clock may be ahead, and a number without sense."""
    assert Stamp(1, time.time_ns() - int(age_s * 1e9), 1).is_telling() == is_telling


def test_inodes_of_64_bits_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"12345")
    found = file.stat()
    assert Stamp.of(found) == Stamp(5, found.st_mtime_ns, found.st_ino)
    inodes = {Stamp.of(os.stat_result((0, inode, *[0] * 8))).inode for inode in (0, 1, 2**63, 2**64 - 1)}
    assert len(inodes) == 4
    assert all(-(2**63) <= inode < 2**63 for inode in inodes)
