"""Which titles in a file's properties are titles: many are file names or a program's own words.

Pure.
"""

from __future__ import annotations

import re

from ingest.cleaning import clean_line

_MAX_TITLE_CHARS = 300
# Titles that programs write by themselves: file names, "Microsoft Word - x", numbers, "untitled".
_NOT_A_TITLE = re.compile(
    r"(?i)microsoft \w+ - |untitled|(?:powerpoint|microsoft word|word|pptx?) (?:presentation|document)$"
    r"|演示文稿\d*$|文档\d*$|.*\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|rtf|odt|html?)$"
)


def usable_title(title: str) -> str:
    """Return the title on one line if it reads like one, else "".

    >>> usable_title(" Annual\\n Report "), usable_title("report-final.docx"), usable_title("0000909832-23")
    ('Annual Report', '', '')
    """
    title = clean_line(title)[:_MAX_TITLE_CHARS]
    letters = sum(map(str.isalpha, title))
    is_title = letters >= 2 and letters * 2 >= len(title) and not _NOT_A_TITLE.match(title)
    return title if is_title else ""
