"""Which titles in a file's properties are titles: many are file names or a program's own words; and which first line of
a text is one.

Pure.
"""

from __future__ import annotations

import re

from ingest.cleaning import clean_line

MAX_LINE_CHARS = 120  # of a text's first line that is a title
_MAX_TITLE_CHARS = 300
# Titles that programs write by themselves: file names, "Microsoft Word - x", numbers, "untitled".
_NOT_A_TITLE = re.compile(
    r"(?i)microsoft \w+ - |untitled|(?:powerpoint|microsoft word|word|pptx?) (?:presentation|document)$"
    r"|演示文稿\d*$|文档\d*$|\(?(?:anonymous|unspecified|no title)\)?$"
    r"|.*\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|rtf|odt|html?)$"
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


# Lines that steer a program: directives, labels, comments, fields and file variables of text formats.
_STEERING_LINE = re.compile(r"\s*(?:\.\. |:[\w-]+:|#\+|%|\\[a-zA-Z]|//|<!--|#!|-\*-)")
_MARKS_BEFORE = re.compile(r"\s*(?:#{1,6}|={1,6}|\*{1,6})\s+")


def first_line_title(text: str) -> str:
    """Return the first line that has words and steers no program, without a heading's marks; "" if it is too long.

    >>> first_line_title(":orphan:\\n\\n.. _label:\\n\\n=====\\nGuide\\n=====\\n")
    'Guide'
    """
    for line in text.split("\n"):
        if any(map(str.isalnum, line)) and not _STEERING_LINE.match(line):
            return clean_line(_MARKS_BEFORE.sub("", line)) if len(line) <= MAX_LINE_CHARS else ""
    return ""
