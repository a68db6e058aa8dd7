"""A corpus made from a seed: small files of every format, English and Chinese, in versions that follow each other.

From version to version about half of the files change, some go, some come back and some move to another name. The
sentences are those of the bundled corpus, so that words, lengths and punctuation are real ones. Files with the same
seed have the same text; archives are made once and kept, since a zip holds the time it was made.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Final

from tests.office import build_docx, build_epub, build_pptx, build_xlsx, paragraph, row, shape
from tests.pdfs import build_pdf

_BUNDLED: Final = Path(__file__).parents[2] / "corpus"
_CHANGED, _GONE, _MOVED = 0.5, 0.05, 0.05  # shares of the files, a version
BROKEN: Final = {
    "broken/cut.pdf": b"%PDF-1.7\nnot really",
    "broken/nothing.txt": b"",
    "broken/other.docx": b"PK\x03\x04 and no archive",
    "broken/unknown.xyz": b"who knows",
}


class Corpus:
    """`files` files and some that no parser reads. Equal arguments make equal texts."""

    def __init__(self, seed: int, files: int, *, sentences: tuple[int, int] = (4, 20)) -> None:
        self.seed, self.files, self._sentences = seed, files, sentences
        self._made: dict[tuple[int, int], bytes] = {}

    def write(self, folder: Path, version: int, *, broken: bool = True) -> Path:
        """Make `folder` hold exactly this version, with the files that no parser reads or without."""
        shutil.rmtree(folder, ignore_errors=True)
        for number in range(self.files):
            if version and self._rng("gone", number, version).random() < _GONE:
                continue
            path = folder / self._name(number, version)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._content(number, self._count("change", number, version, _CHANGED)))
        for name, content in BROKEN.items() if broken else ():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return folder

    def _rng(self, *key: object) -> random.Random:
        return random.Random("/".join(map(str, (self.seed, *key))))

    def _count(self, what: str, number: int, version: int, share: float) -> int:
        """How often it happened to a file up to this version."""
        return sum(self._rng(what, number, each).random() < share for each in range(1, version + 1))

    def _name(self, number: int, version: int) -> str:
        suffix = _FORMATS[number % len(_FORMATS)][0]
        moves = self._count("move", number, version, _MOVED)
        folder = ("", "notes/", "deep/er/", "手册/")[number % 4]
        return f"{folder}{'文件' if number % 2 else 'file'} {number:04}{'-' + str(moves) if moves else ''}{suffix}"

    def _content(self, number: int, revision: int) -> bytes:
        made = self._made.get((number, revision))
        if made is None:
            rng = self._rng("text", number, revision)
            chosen = rng.choices(
                _bundled_sentences("zh" if number % 2 else "en"), k=rng.randint(*self._sentences)
            )
            title = f"{'文件' if number % 2 else 'File'} {number}, revision {revision}"
            made = self._made[number, revision] = _FORMATS[number % len(_FORMATS)][1](title, chosen)
        return made


@lru_cache
def _bundled_sentences(language: str) -> Sequence[str]:
    """Lines of prose of the bundled corpus in one language."""
    lines = [
        line.strip()
        for path in sorted((_BUNDLED / language).glob("*.md"))
        for line in path.read_text("utf-8").splitlines()
    ]
    least = 12 if language == "zh" else 30
    return sorted({line[:400] for line in lines if len(line) >= least and line[0].isalpha()})


def _markdown(title: str, lines: Sequence[str]) -> bytes:
    return f"---\ntitle: {title}\n---\n# {title}\n\n{chr(10).join(line + chr(10) for line in lines)}".encode()


def _text(title: str, lines: Sequence[str]) -> bytes:
    return "\n".join((title, *lines)).encode()


def _older_text(title: str, lines: Sequence[str]) -> bytes:
    return "\n".join((title, *lines)).encode("gb18030" if not title.isascii() else "utf-16")


def _page(title: str, lines: Sequence[str]) -> bytes:
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title><h1>{escape(title)}</h1>{body}".encode()


def _word(title: str, lines: Sequence[str]) -> bytes:
    return build_docx(paragraph(title, "1") + "".join(paragraph(escape(line)) for line in lines))


def _slides(title: str, lines: Sequence[str]) -> bytes:
    groups = [lines[start : start + 4] for start in range(0, len(lines), 4)]
    return build_pptx([shape(title, kind="title") + shape("\n".join(map(escape, group))) for group in groups])


def _sheet(title: str, lines: Sequence[str]) -> bytes:
    rows = "".join(row(str(at), escape(line)) for at, line in enumerate(lines))
    return build_xlsx({title[:20]: row("number", "text") + rows})


def _printed(title: str, lines: Sequence[str]) -> bytes:
    pages = [lines[start : start + 12] for start in range(0, len(lines), 12)]
    return build_pdf([[line[:90] for line in page] for page in pages], title=title)


def _book(title: str, lines: Sequence[str]) -> bytes:
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return build_epub({"c.xhtml": f"<h1>{escape(title)}</h1>{body}"})


def _comma_separated(title: str, lines: Sequence[str]) -> bytes:
    cells = (line.replace('"', '""') for line in lines)
    return ("title,text\n" + "\n".join(f'"{title}","{cell}"' for cell in cells)).encode()


def _json(title: str, lines: Sequence[str]) -> bytes:
    return json.dumps({"title": title, "lines": list(lines)}, ensure_ascii=False).encode()


def _notebook(title: str, lines: Sequence[str]) -> bytes:
    cells = [{"cell_type": "markdown", "source": [line + "\n"]} for line in (f"# {title}", *lines)]
    return json.dumps({"cells": cells, "nbformat": 4}, ensure_ascii=False).encode()


def _code(title: str, lines: Sequence[str]) -> bytes:
    functions = (f"def function_{at}():\n    # {line}\n    return {at}\n" for at, line in enumerate(lines))
    return (f'"""{title}"""\n\n' + "\n\n".join(functions)).encode()


# Prose in most files, as in real folders; the order decides which number has which format and language.
_FORMATS: Final[Sequence[tuple[str, Callable[[str, Sequence[str]], bytes]]]] = (
    *((".md", _markdown), (".md", _markdown), (".html", _page), (".txt", _text), (".docx", _word)),
    *((".txt", _older_text), (".pdf", _printed), (".pptx", _slides), (".md", _markdown), (".xlsx", _sheet)),
    *((".csv", _comma_separated), (".json", _json), (".epub", _book), (".ipynb", _notebook), (".py", _code)),
)
