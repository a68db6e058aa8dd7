"""Which characters are Han: the one answer for all that set Chinese apart by its characters. Knows nothing of words.

Both are the inside of a character class of a regular expression.
"""

from __future__ import annotations

from typing import Final

# The unified ideographs, extension A, the compatibility ideographs, and planes 2 and 3, which are kept for more.
HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# With the punctuation and full-width forms between them: lines that end and begin so are joined without a space.
HAN_OR_WIDE: Final = f"\u3000-\u303f{HAN}\uff01-\uff5e"
