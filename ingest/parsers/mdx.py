"""MDX bytes → Document: Markdown with JSX. The stored text is the file's own, less what is code.

Imports, exports, tags, expressions and comments go and are counted; text between tags and texts in attributes that a
reader sees (a tab's label, a card's title) stay. Code stays as it is. One pass over the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.domain import Document
from app.errors import DocumentError
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.decoding import decode
from ingest.parsers.inline_html import code_end, without_html
from ingest.parsers.markdown import Scalar, split_front_matter
from ingest.parsers.pipe_tables import with_records
from ingest.parsers.written import markdown_document

MEDIA_TYPE = "text/mdx"

_MAX_CODE_CHARS: Final = 20_000  # of a tag or an expression; a longer one is text

_PATIENCE: Final = 2_000_000  # characters looked through in vain; what follows is text

_FENCE: Final = re.compile(r"[ \t]*(`{3,}|~{3,})(.*)")
_MODULE: Final = re.compile(
    r"import\s+(?:[\w*{].*\bfrom\b|[\"'])|import\s*\{|export\s+(?:const|let|var|default|function|class|async|\{|\*)"
)
_EXPORTED: Final = re.compile(r"\b(title|description)\s*:\s*([\"'`])((?:(?!\2)[^\n]){1,500})\2")
_MARK: Final = re.compile(r"`+|\\.|<(?=[A-Za-z/>])|\{")
_TAG_NAME: Final = re.compile(r"</?([A-Za-z][\w.:-]*)?")
_SEEN: Final = re.compile(
    r"\b(?:title|label|alt|caption|heading|summary|description)=(?:\{\s*)?([\"'`])((?:(?!\1)[^\n]){1,500})\1"
)
_STRING: Final = re.compile(r"\{\s*([\"'`])((?:(?!\1)[^{}]){0,1000})\1\s*\}")
_ANCHOR: Final = re.compile(r"\{#[\w:.-]{1,200}\}")
_ADMONITION: Final = re.compile(r"[ \t]*:{3,}[ \t]*(\w*)(?:\[([^\]\n]*)\])?[ \t]*(.*)$")
_BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")


def parse_mdx(content: bytes, source: str) -> Document:
    """Parse an MDX file. Title: the front matter's, else an exported one, else the first level-1 heading, else the
    file's stem.

    Raises DocumentError `bad_encoding` or `empty`.
    """
    cleaned = clean_text(decode(content))
    metadata, text = split_front_matter(cleaned.text)
    exported: dict[str, Scalar] = {}
    kept = with_records("".join(_prose(text, exported)))
    kept = _BLANK_LINES.sub("\n\n", kept).strip("\n") + "\n"
    if not kept.strip():
        raise DocumentError("The file has code alone; there is nothing to search.", code="empty")
    left_out = max(0, len("".join(text.split())) - len("".join(kept.split())))
    dropped = {**cleaned.dropped, **({"markup": left_out} if left_out else {})}
    metadata = {**exported, **metadata}
    title = str(metadata.get("title", ""))
    return markdown_document(kept, source, MEDIA_TYPE, title=title, metadata=metadata, dropped=dropped)


def _prose(text: str, exported: dict[str, Scalar]) -> Iterator[str]:
    """Yield the text without its code, fenced code as it is; adds the title and description that it exports."""
    fence = ""
    stretch: list[str] = []
    lines = iter(text.split("\n"))
    was_blank = True
    for line in lines:
        marker = _FENCE.match(line)
        if fence:
            yield line + "\n"
            if marker and marker[1].startswith(fence) and not marker[2].strip():
                fence = ""
        elif marker and not (marker[1][0] == "`" and "`" in marker[2]):
            yield from (_without_jsx("\n".join(stretch)), "\n" if stretch else "", line + "\n")
            fence, stretch = marker[1], []
        elif was_blank and _MODULE.match(line):
            for name, _, words in _EXPORTED.findall(_rest_of_module(line, lines)):
                exported.setdefault(name, clean_line(words))
        elif admonition := _ADMONITION.match(line):
            stretch.append(admonition[2] or admonition[3] if admonition[1] else "")
        else:
            stretch.append(line)
        was_blank = not line.strip() or bool(_MODULE.match(line))
    yield _without_jsx("\n".join(stretch))


def _rest_of_module(line: str, lines: Iterator[str]) -> str:
    """A statement from its first line on: up to a blank line outside its brackets."""
    statement = [line]
    depth = _depth(line)
    for after in lines:
        if not after.strip() and depth <= 0:
            break
        statement.append(after)
        depth += _depth(after)
    return "\n".join(statement)


def _depth(line: str) -> int:
    return sum(map(line.count, "({[")) - sum(map(line.count, ")}]"))


def _without_jsx(text: str) -> str:
    """Prose without tags and expressions.

    >>> _without_jsx('<TabItem label="macOS">\\n\\nUse `<b>` {props.x} {"now"}.\\n\\n</TabItem>')
    'macOS\\n\\nUse `<b>`  now.\\n\\n'
    """
    text = without_html(text, {})  # counted with the tags; tables above all, whose cells would run together
    out: list[str] = []
    at, patience = 0, _PATIENCE
    while patience > 0 and (mark := _MARK.search(text, at)):
        start = mark.start()
        out.append(text[at:start])
        end = start
        if mark[0][0] == "`":
            end = code_end(text, mark)
            out.append(text[start:end])
        elif mark[0][0] == "\\":
            end = mark.end()
            out.append(mark[0][1] if mark[0][1] in "{}<" else mark[0])
        elif (end := _balanced_end(text, start)) > start:
            words = _seen(text[start:end])
            is_followed = bool(words) and text[start] == "<" and text[end : end + 1].strip() not in {"", "<"}
            out.append(f"{words}: " if is_followed else words or (" " if text.startswith("<", end) else ""))
        else:
            patience -= min(_MAX_CODE_CHARS, len(text) - start)
            end = mark.end()
            out.append(mark[0])
        at = end
    return "".join(out) + text[at:]


def _balanced_end(text: str, start: int) -> int:
    """Where a tag or an expression ends; `start` where it does not."""
    if re.compile(r"<(?:https?|mailto):").match(text, start):
        return start
    braces, quote = 0, ""
    is_tag = text[start] == "<"
    for at in range(start, min(len(text), start + _MAX_CODE_CHARS)):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'`" and (is_tag or braces):
            quote = char if char != "'" or text[at - 1] in "={(,[ :" else ""
        elif char == "{":
            braces += 1
        elif char == "}":
            braces -= 1
            if braces == 0 and not is_tag:
                return at + 1
        elif char == ">" and is_tag and braces == 0 and text[at - 1] != "=":
            return at + 1
    return start


def _seen(code: str) -> str:
    """What a reader sees of a tag or an expression."""
    if code[0] == "{":
        string = _STRING.fullmatch(code)
        return string[2] if string else code if _ANCHOR.fullmatch(code) else ""
    name = _TAG_NAME.match(code)
    if name is not None and name[1] == "br":
        return "\n"
    return " · ".join(words for _, words in _SEEN.findall(code))
