"""How much text one document may unfold to: a file of a few kilobytes can name gigabytes.

Pure. PDF counts its own pages' text against the same limit.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.file_limits import too_large

# Some 8,000 pages; taking an English text in needs about 25 bytes of memory a character.
MAX_TEXT_CHARS = 20_000_000


@dataclass(slots=True)
class TextBudget:
    """The characters that a document may still write."""

    left: int = MAX_TEXT_CHARS

    def take(self, chars: int) -> None:
        """Count `chars` characters. Raises DocumentError `too_large` when the limit is passed."""
        self.left -= chars
        if self.left < 0:
            raise too_large("chars", MAX_TEXT_CHARS - self.left, MAX_TEXT_CHARS, is_all=False)
