"""Long runs of signs and blanks in a message: nobody asks anything by them, and patterns take their time over them."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 128  # signs in a row that are read: a line under a heading is shorter
_RUN: Final = re.compile(rf"\W{{{MOST}}}\W++")


def cut_runs(text: str) -> str:
    """The text with no more than MOST signs or blanks in a row.

    >>> cut_runs("Why" + "?" * 1_000) == "Why" + "?" * 128
    True
    """
    return _RUN.sub(lambda run: run[0][:MOST], text)
