"""JSON and JSON Lines bytes → Document: one line a value, under the path of keys that leads to it.

Comments and commas too many, as configuration files have them, are passed over. Of JSON Lines a bad line is left out
and named, and the rest goes in.

`{"a": {"b": 1, "c": [2, 3]}}` becomes "a.b: 1" and "a.c: 2, 3"; each object of a list or line is a block of its own.
Numbers stay as they are written, HTML in strings is what it shows. Lines can be read, searched and cited by themselves;
brackets can't.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import PurePosixPath

from app.domain import Document
from app.errors import DocumentError
from app.letters import detect_language
from ingest.cleaning import clean_text
from ingest.parsers.blocks import escape_markup, split_lines
from ingest.parsers.budget import TextBudget
from ingest.parsers.decoding import decode
from ingest.parsers.html import html_to_markdown
from ingest.parsers.written import add_counts

JSON_MEDIA_TYPE = "application/json"
JSON_LINES_MEDIA_TYPE = "application/jsonl"

MAX_DEPTH = 100
MAX_NAMED_LINES = 20
_MAX_KEY_CHARS = 200
# Strings come first, so that nothing inside one is taken for a comment.
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*+"?)|//[^\n]*|/\*.*?\*/|(/\*.*)', re.DOTALL)
_LAST_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*+"?)|,(?=\s*+[}\]])')
_HTML = re.compile(
    r"</(?:p|div|span|b|i|a|[uo]l|li|h[1-6]|strong|em|t[dhr]|table|blockquote)>|<br */?>", re.IGNORECASE
)
_NAMES = {True: "true", False: "false", None: "null"}


class _Object(tuple[tuple[str, object], ...]):
    """The members of an object in order, keys that come twice included."""

    __slots__ = ()


_EMPTY: Mapping[type, str] = {str: '""', list: "[]", _Object: "{}"}


def parse_json(content: bytes, source: str) -> Document:
    """Parse a JSON file. Title: the member "title" or "name" at the top, else the file's stem.

    Raises DocumentError `bad_encoding`, `parse_failed` (no JSON, nested too deeply), `too_large` or `empty`.
    """
    return _document(decode(content), source, JSON_MEDIA_TYPE)


def parse_json_lines(content: bytes, source: str) -> Document:
    """Parse a file with a JSON value on each line. Title: the file's stem. Raises as parse_json does."""
    return _document(decode(content), source, JSON_LINES_MEDIA_TYPE)


def load_json(text: str) -> object:
    """Return the value with objects as tuples of members. Raises DocumentError `parse_failed`."""
    try:
        return _load(text)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DocumentError(f"The file is no valid JSON: {reason}.", code="parse_failed") from error


def _load(text: str) -> object:
    """Raises ValueError or RecursionError."""
    return json.loads(text, object_pairs_hook=_Object, parse_int=str, parse_float=str, parse_constant=str)


def _load_with_comments(text: str) -> tuple[object, int]:
    """Return the value, and how many characters of comments stand in the text."""
    try:
        return _load(text), 0
    except (ValueError, RecursionError):
        bare = _COMMENT.sub(r"\1\2", text)
        return load_json(_LAST_COMMA.sub(r"\1", bare)), len(text) - len(bare)


def members(value: object) -> dict[str, object]:
    """Return the members of an object by key, the last of each; empty for other values."""
    return dict(value) if isinstance(value, _Object) else {}


def _document(text: str, source: str, media_type: str) -> Document:
    text = text.removeprefix("\ufeff")
    title = ""
    budget, blocks = TextBudget(), list[str]()
    dropped: dict[str, int] = {}
    metadata: dict[str, str] = {}
    if media_type == JSON_MEDIA_TYPE:
        value, comment_chars = _load_with_comments(text)
        top = members(value)
        named = top.get("title", top.get("name"))
        title = " ".join(named.split())[:300] if isinstance(named, str) else ""
        blocks += _blocks(value, budget, dropped)
        if comment_chars:
            dropped["comment"] = dropped.get("comment", 0) + comment_chars
    else:
        bad: dict[int, int] = {}  # line → characters
        for number, line in enumerate(text.split("\n"), 1):
            try:
                blocks += _blocks(_load(line), budget, dropped) if line.strip() else ()
            except (ValueError, RecursionError):
                bad[number] = len(line)
        if bad:
            numbers = [*map(str, list(bad)[:MAX_NAMED_LINES]), *(["…"] if len(bad) > MAX_NAMED_LINES else [])]
            if not blocks:
                raise DocumentError(
                    f"Line {numbers[0]} is no valid JSON, nor is any other.", code="parse_failed"
                )
            dropped["bad_line"] = sum(bad.values())
            metadata["bad_lines"] = ", ".join(numbers)
    cleaned = clean_text("\n\n".join(blocks))
    return Document(
        text=cleaned.text,
        title=title or PurePosixPath(source).stem,
        media_type=media_type,
        language=detect_language(cleaned.text),
        metadata=metadata,
        dropped=add_counts(cleaned.dropped, dropped),
    )


def _blocks(value: object, budget: TextBudget, dropped: MutableMapping[str, int]) -> Iterator[str]:
    """Yield the blocks of a value: an object each, where it is a list of objects, else all of its lines."""
    if isinstance(value, list) and any(isinstance(item, list | _Object) for item in value):
        for item in value:
            yield from (_blocks if isinstance(item, list) else _block)(item, budget, dropped)
    else:
        yield from _block(value, budget, dropped)


def _block(value: object, budget: TextBudget, dropped: MutableMapping[str, int]) -> Iterator[str]:
    lines: list[str] = []
    for line in _lines(value, "", 0, dropped):
        budget.take(len(line) + 1)  # before the next one: long keys unfold with each value under them
        lines.append(line)
    if lines:
        yield "\n".join(lines)


def _lines(value: object, path: str, depth: int, dropped: MutableMapping[str, int]) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise DocumentError(f"The JSON is nested more than {MAX_DEPTH} deep.", code="parse_failed")
    if isinstance(value, _Object) and value:
        for key, inner in value:
            name = " ".join(key.split())
            if len(name) > _MAX_KEY_CHARS and isinstance(
                inner, list | _Object
            ):  # it would stand in each line below
                dropped["key"] = dropped.get("key", 0) + len(name) - _MAX_KEY_CHARS
                name = f"{name[:_MAX_KEY_CHARS]}…"
            yield from _lines(inner, f"{path}.{name}" if path else name, depth + 1, dropped)
    elif isinstance(value, list) and any(isinstance(item, list | _Object) for item in value):
        for index, item in enumerate(value):
            yield from _lines(item, f"{path}[{index}]", depth + 1, dropped)
    else:
        if path and value in ("", [], ()):  # what is empty is said, as null is
            yield escape_markup(f"{path}: {_EMPTY[type(value)]}")
            return
        items = value if isinstance(value, list) else [value]
        text = ", ".join(shown for shown in (_scalar(item, dropped) for item in items) if shown)
        if text:
            yield escape_markup(f"{path}: {text}" if path else text)


def _scalar(value: object, dropped: MutableMapping[str, int]) -> str:
    """Write a string on one line or several, without blank ones; true, false and null by their names."""
    if isinstance(value, str):
        value = _shown_html(value, dropped) if _HTML.search(value) else value
        return "\n".join(line for part in value.splitlines() for line in split_lines(part))
    return _NAMES[value] if value is None or isinstance(value, bool) else str(value)


def _shown_html(text: str, dropped: MutableMapping[str, int]) -> str:
    """What HTML shows; the text itself where it can't be read."""
    try:
        return html_to_markdown(text.encode("utf-8", "replace"), drop_furniture=False, left_out=dropped)
    except DocumentError:
        return text
