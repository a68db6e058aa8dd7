"""Source code and configuration → Document. The stored text is the file's own.

Python's classes and functions are sections; other languages have none. Nothing is run.
"""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

from app.domain import Document, Section
from app.letters import detect_language
from ingest.cleaning import clean_text
from ingest.parsers.decoding import decode

PYTHON_MEDIA_TYPE = "text/x-python"

MEDIA_TYPES: Mapping[str, str] = {
    ".py": PYTHON_MEDIA_TYPE,
    ".pyi": PYTHON_MEDIA_TYPE,
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".cjs": "text/javascript",
    ".jsx": "text/javascript",
    ".ts": "text/x-typescript",
    ".tsx": "text/x-typescript",
    ".java": "text/x-java",
    ".kt": "text/x-kotlin",
    ".scala": "text/x-scala",
    ".go": "text/x-go",
    ".rs": "text/x-rust",
    ".c": "text/x-c",
    ".h": "text/x-c",
    ".cc": "text/x-c++",
    ".cpp": "text/x-c++",
    ".cxx": "text/x-c++",
    ".hpp": "text/x-c++",
    ".cs": "text/x-csharp",
    ".swift": "text/x-swift",
    ".rb": "text/x-ruby",
    ".php": "text/x-php",
    ".pl": "text/x-perl",
    ".lua": "text/x-lua",
    ".r": "text/x-r",
    ".jl": "text/x-julia",
    ".sh": "text/x-sh",
    ".bash": "text/x-sh",
    ".ps1": "text/x-powershell",
    ".sql": "text/x-sql",
    ".css": "text/css",
    ".scss": "text/x-scss",
    ".vue": "text/x-vue",
    ".proto": "text/x-protobuf",
    ".graphql": "text/x-graphql",
    ".tf": "text/x-terraform",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
    ".ini": "text/x-ini",
    ".cfg": "text/x-ini",
    ".conf": "text/x-ini",
    ".properties": "text/x-ini",
    ".xml": "application/xml",
}

_MAX_AST_CHARS = 2_000_000  # a syntax tree takes some hundred times its text in memory
_MAX_CLASS_DEPTH = 20

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def parse_code(content: bytes, source: str, *, media_type: str) -> Document:
    """Parse a file of source code; its title is the file's name. Raises DocumentError `bad_encoding` or `empty`."""
    cleaned = clean_text(decode(content))
    sections = python_sections(cleaned.text) if media_type == PYTHON_MEDIA_TYPE else ()
    return Document(
        text=cleaned.text,
        title=PurePosixPath(source).name,
        media_type=media_type,
        language=detect_language(cleaned.text),
        sections=sections,
        dropped=cleaned.dropped,
    )


PARSERS: Mapping[str, Callable[[bytes, str], Document]] = {
    media_type: functools.partial(parse_code, media_type=media_type) for media_type in MEDIA_TYPES.values()
}


def python_sections(text: str) -> tuple[Section, ...]:
    """Return the classes and functions of a Python file as sections, methods under their class; none if it has errors.

    >>> [section.heading_path for section in python_sections("class A:\\n    x = 1\\n    def f(self): ...\\n")]
    [('A',), ('A', 'f')]
    """
    if len(text) > _MAX_AST_CHARS:
        return ()
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] = len(text)
    return tuple(_sections(tree.body, starts, ()))


def _sections(body: list[ast.stmt], starts: list[int], path: tuple[str, ...]) -> Iterator[Section]:
    for node in body:
        if isinstance(node, Definition):
            start, end = _span(node, starts)
            inner_path = (*path, node.name)
            if isinstance(node, ast.ClassDef) and len(path) < _MAX_CLASS_DEPTH:
                yield from _around(list(_sections(node.body, starts, inner_path)), start, end, inner_path)
            else:
                yield Section(start, end, inner_path)


def _around(inner: list[Section], start: int, end: int, path: tuple[str, ...]) -> Iterator[Section]:
    """Yield the sections inside a class and, between them, what belongs to the class alone."""
    for section in inner:
        if section.char_start > start:
            yield Section(start, section.char_start, path)
        yield section
        start = section.char_end
    if start < end:
        yield Section(start, end, path)


def _span(node: Definition, starts: list[int]) -> tuple[int, int]:
    """Return the characters of whole lines from the first decorator to the last line."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return starts[first - 1], starts[min(node.end_lineno or first, len(starts) - 1)]
