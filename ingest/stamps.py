"""What a file looks like from outside: size, time of change and inode. By these it is known again without being read.

A time of change that was less than YOUNG_S old when the file was read says nothing: file systems count time in steps
of up to two seconds (FAT; HFS+ and old ext3 one), so a later change may have the very same. Such a file is read
again in the next run, and so is one whose inode is another one on every mount: too much is read then, never too
little.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Final

YOUNG_S: Final = 2
_SIGNED: Final = 2**63  # from here on, an unsigned number of 64 bits is a negative one in the database


@dataclass(frozen=True, slots=True)
class Stamp:
    """Size in bytes, time of change in nanoseconds since 1970, inode as a signed number of 64 bits."""

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """The stamp of what os.stat or os.fstat found."""
        inode = found.st_ino % (2 * _SIGNED)
        return cls(found.st_size, found.st_mtime_ns, inode - 2 * _SIGNED if inode >= _SIGNED else inode)

    def is_telling(self) -> bool:
        """Whether a change from now on would show in it."""
        return -_SIGNED < self.mtime_ns < time.time_ns() - YOUNG_S * 1_000_000_000
