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
    r"|powerpoint[ -](?:演示文稿|簡報|プレゼンテーション|프레젠테이션|präsentation|presentatie|presentasjon)$"
    r"|(?:présentation|presentación de|apresentação do|presentazione (?:standard )?di|презентация|prezentacja programu"
    r"|prezentace aplikace) powerpoint$"
    r"|(?:新建 ?)?(?:microsoft (?:word|excel|powerpoint) ?)?(?:文档|文件|文書|演示文稿|簡報|工作簿|活頁簿)\d*$"
    r"|(?:do[ck]ument(?:o|en)?|book|mappe|classeur|libro|cartel) ?\d+$"
    r"|无标题|無標題|無題|제목 없음|sans titre|ohne titel|unbenannt|sin título|без имени"
    r"|\(?(?:anonymous|unspecified|no title)\)?$"
    r"|.*\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|rtf|odt|html?)$"
)


def usable_title(title: str) -> str:
    """Return the title on one line if it reads like one, else "".

    >>> usable_title(" Annual\\n Report "), usable_title("report-final.docx"), usable_title("0000909832-23")
    ('Annual Report', '', '')
    """
    title = clean_line(title)[:_MAX_TITLE_CHARS]
    letters = sum(map(str.isalpha, title))
    # "Invoice 2026-0042" is one for its word, "0000909832-23-001" and "scan 20240301 112233" are not
    has_word = letters * 3 >= len(title) and any(len(word) > 3 and word.isalpha() for word in title.split())
    is_title = letters >= 2 and (letters * 2 >= len(title) or has_word) and not _NOT_A_TITLE.match(title)
    return title if is_title else ""


# Lines that steer a program: directives, labels, comments, fields and file variables of text formats.
_STEERING_LINE = re.compile(r"\s*(?:\.\. |:[\w-]+:|#\+|%|\\[a-zA-Z]|//|<!--|#!|-\*-)")
_MARKS_BEFORE = re.compile(r"\A\s*(?:#{1,6}|={1,6}|\*{1,6})\s+")


def first_line_title(text: str) -> str:
    """Return the first line that has words and steers no program, without a heading's marks; "" if it is too long.

    >>> first_line_title(":orphan:\\n\\n.. _label:\\n\\n=====\\nGuide\\n=====\\n")
    'Guide'
    """
    for line in text.split("\n"):
        if any(map(str.isalnum, line)) and not _STEERING_LINE.match(line):
            return clean_line(_MARKS_BEFORE.sub("", line)) if len(line) <= MAX_LINE_CHARS else ""
    return ""
