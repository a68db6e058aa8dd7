"""Feed mutated files of all formats to the sandboxed parser and print, as JSON, what became of them.

    .venv/bin/python -m tests.chaos.fuzz_parsers --files 20000 --seed 1 [--corpus FOLDER …] [--out FOLDER]

Seeds are small files built here and, with --corpus, real ones. Members of zip archives are mutated inside and packed
again, else every mutation would only show that checksums work. Passes (exit 0) if every file ended in a document or a
reason code, none took longer than the limit, and the parent lived.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.errors import DocumentError
from eval.fidelity.outlook_files import make_outlook
from ingest.parsers import (
    adoc,
    csvfile,
    docx,
    epub,
    html,
    ipynb,
    jsonfile,
    latex,
    markdown,
    mdx,
    org,
    outlook,
    pdf,
    plaintext,
    pptx,
    rmarkdown,
    rst,
    subtitles,
    xlsx,
)
from ingest.reasons import REASONS
from ingest.roots import name_paths
from ingest.sandbox import SandboxedParser
from ingest.sources import find_sources
from tests.chaos.evidence import report
from tests.office import (
    build_book,
    build_docx,
    build_epub,
    build_pptx,
    build_xlsx,
    pack,
    paragraph,
    part,
    row,
    shape,
    word_table,
)
from tests.pdfs import build_pdf

WALL_S = 10.0
MAX_SEED_BYTES = 300_000
_ZIPPED = frozenset({docx.MEDIA_TYPE, pptx.MEDIA_TYPE, xlsx.MEDIA_TYPE, epub.MEDIA_TYPE})
_INTERESTING = (
    b"\0",
    b"\xff",
    b"<",
    b">",
    b"&",
    b'"',
    b"0",
    b"-1",
    b"99999999999",
    b"]]>",
    b"\xef\xbf\xbe",
    b"\n" * 50,
)


@dataclass(slots=True)
class Figures:
    """What a run found."""

    files: int
    seed: int
    ready: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    by_type: dict[str, int] = field(default_factory=dict)
    not_a_reason: list[str] = field(default_factory=list)  # what should be empty
    over_limit: int = 0  # what should be 0
    slowest_ms: float = 0.0
    children: int = 0
    seconds: float = 0.0

    def passed(self) -> bool:
        """Tell whether every file ended as it should."""
        return (
            not self.not_a_reason
            and not self.over_limit
            and self.ready + sum(self.failed.values()) == self.files
        )


def built_seeds() -> list[tuple[str, bytes]]:
    """Return (media type, content) of one small file a format."""
    word = build_docx(
        paragraph("Title", "1")
        + paragraph("item", list_id=2)
        + word_table(
            [["a", "b"], ["c", '<w:tcPr><w:vMerge/><w:gridSpan w:val="2"/></w:tcPr>' + paragraph("d")]]
        )
    )
    marked = build_docx(
        paragraph(
            '<w:r><w:sym w:font="Symbol" w:char="F0B1"/></w:r><w:r><w:commentReference w:id="1"/></w:r><w:r><w:fldChar '
            'w:fldCharType="begin"/></w:r><w:r><w:instrText>EQ \\f(1,2)</w:instrText></w:r><w:r><w:fldChar '
            'w:fldCharType="end"/></w:r><m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den/></m:f></m:oMath>'
        )
        + '<w:sectPr><w:headerReference w:type="default" r:id="h"/></w:sectPr>',
        comments=part(f'<w:comment w:id="1" w:author="A">{paragraph("b")}</w:comment>', "w:comments"),
        linked={"h": ("header", part(paragraph("<w:r><w:t>Page </w:t><w:pgNum/></w:r>")))},
    )
    chart = part(
        "<c:ser><c:val><c:formatCode>0%</c:formatCode><c:pt><c:v>1</c:v></c:pt></c:val></c:ser>", "c:c"
    )
    drawn = build_pptx(
        [
            '<p:pic><p:nvPicPr><p:cNvPr id="1" descr="x"/></p:nvPicPr></p:pic><p:graphicFrame><a:x/><a:graphic>'
            '<a:graphicData><c:chart r:id="k"/></a:graphicData></a:graphic></p:graphicFrame>'
        ],
        hidden=[1],
        linked={"k": ("chart", chart)},
    )
    book = build_xlsx(
        {"一": row("a", "b") + row(1, '<c r="B1" t="s" s="1"><v>0</v></c>')}, strings=["<t>s</t>"]
    )
    formatted = build_book(
        [["Works", 2023, None], [None, "Output", ("45717.25", 1)], ["Kiel", ("1067", 2), ("-0.5", 3)]],
        ['[$-804]yyyy"年"m h:mm AM/PM;@', "[>9]#,##0.0,;00000", "_($* # ?/?_);0.0E+0%"],
        merged=["B1:C1", "A1:A2"],
        hidden_rows=[3],
        columns='<col min="2" max="2" hidden="1"/>',
        notes={"A3": "x"},
        threads={"B3": "y"},
        boxes=["z"],
    )
    tabbed = (
        "<style>.a,#b{font-size:1px;color:#fff}</style><header><h1>t</h1></header><main><div role=tablist><b role=tab>"
        "A</b><b role=tab>B</b></div><div><p>a</p><p hidden>b</p></div><figure class='highlight c'><table><tr><td>"
        "<pre>1</pre><td><pre>x<br></pre></table></figure><p class=a style='color:rgb(1,1,1)'>c</p><aside class=toc>d"
    )
    notebook = {
        "cells": [{"cell_type": "markdown", "source": ["# x\n"]}, {"cell_type": "code", "source": "1"}]
    }
    page = "<html><meta charset=gbk><title>t</title><h1>x</h1><table><tr><td rowspan=2>a<td>b</table><ul><li>c<pre>d"
    return [
        (markdown.MEDIA_TYPE, "---\ntitle: x\n---\n# 标题\n\ntext | a |\n```\ncode\n```\n".encode()),
        (
            markdown.MEDIA_TYPE,
            b"<h1>x</h1>\n<!-- y -->\n<table><tr><td>a</table>\n`<b>` <b>c</b><br>\n    <i>d\n",
        ),
        *((outlook.MEDIA_TYPE, sample.content) for sample in make_outlook()),
        (plaintext.MEDIA_TYPE, "text 文字 plain\n".encode("gb18030")),
        (
            rst.MEDIA_TYPE,
            ".. _l:\n\n标题\n====\n\n.. note:: a |b|\n\n.. |b| replace:: c\n\n* :r:`x <y>`\n".encode(),
        ),
        (
            adoc.MEDIA_TYPE,
            "= 标题\n:a: b\n\n== T\n\n* x {a}\n+\n----\ny\n----\n\n[cols=2*]\n|===\n2+|a\n|b |c\n|===\n".encode(),
        ),
        (
            org.MEDIA_TYPE,
            "#+TITLE: 标题\n* A :t:\n:P:\n:END:\n- x\n  - y\n| a |\n#+begin_src c\n1\n#+end_src\n".encode(),
        ),
        (
            latex.MEDIA_TYPE,
            rb"\title{a}\begin{document}\section{b}$x^2$\begin{itemize}\item c\end{itemize}"
            rb"\begin{tabular}{l}d & \multirow{2}{*}{e}\\\end{tabular}\href{f}{g}\end{document}",
        ),
        (
            mdx.MEDIA_TYPE,
            "+++\ntitle = 'x'\n+++\nimport A from 'a'\n\n<A b={c}>标题 {d} `<e>`</A>\n:::tip\n".encode(),
        ),
        (rmarkdown.MEDIA_TYPE, b"# A {#b}\n\n```{r c}\n#| d\ne\n```\n::: {.f}\n{{< g >}}\n:::\n"),
        (subtitles.VTT_MEDIA_TYPE, "WEBVTT\n\n00:01.000 --> 00:02.000\n<v A>词 &amp;</v>\n".encode()),
        (subtitles.SRT_MEDIA_TYPE, b"1\n00:00:01,000 --> 00:00:02,000\n- a\n\n2\n00:09:01,0 --> 0\nb\n"),
        (html.MEDIA_TYPE, page.encode()),
        (html.MEDIA_TYPE, tabbed.encode()),
        (xlsx.MEDIA_TYPE, formatted),
        (pdf.MEDIA_TYPE, build_pdf([["one", "two"], ["three"]], title="t")),
        (pdf.MEDIA_TYPE, build_pdf([["closed"]], user_password="")),
        (docx.MEDIA_TYPE, word),
        (docx.MEDIA_TYPE, marked),
        (pptx.MEDIA_TYPE, drawn),
        (
            pptx.MEDIA_TYPE,
            build_pptx([shape("t", kind="title") + shape("a\nb", kind="body")], {1: shape("n")}),
        ),
        (xlsx.MEDIA_TYPE, book),
        (
            epub.MEDIA_TYPE,
            build_epub({"c.xhtml": "<h1>x</h1><p>y</p>"}, contents='<a href="../c.xhtml">C</a>'),
        ),
        (csvfile.CSV_MEDIA_TYPE, 'a,b\n1,"x\ny"\n城,3\n'.encode()),
        (jsonfile.JSON_MEDIA_TYPE, b'{"a": [1, {"b": null}], "c": "\\ud83d\\ude00"}'),
        (jsonfile.JSON_LINES_MEDIA_TYPE, b'{"a": 1}\n{"a": [2.5, true]}\n'),
        (ipynb.MEDIA_TYPE, json.dumps(notebook).encode()),
        ("text/x-python", b"@d\nclass A:\n    def f(self):\n        return '''x'''\n"),
    ]


def real_seeds(folders: Sequence[Path]) -> list[tuple[str, bytes]]:
    """Return the files in some folders that are not too large to mutate by the thousand."""
    found = find_sources(name_paths(folders)).files if folders else ()
    fit = [file for file in found if file.media_type and file.size_bytes <= MAX_SEED_BYTES]
    return [(file.media_type, file.path.read_bytes()) for file in fit]


def mutated(
    seeds: Sequence[tuple[str, bytes]], count: int, rng: random.Random
) -> Iterator[tuple[str, bytes]]:
    """Yield mutated files, every media type as often as every other."""
    by_type: dict[str, list[bytes]] = {}
    for media_type, content in seeds:
        by_type.setdefault(media_type, []).append(content)
    types = sorted(by_type)
    for number in range(count):
        media_type = types[number % len(types)]
        content = rng.choice(by_type[media_type])
        if media_type in _ZIPPED and rng.random() < 0.8:
            yield media_type, _mutate_inside(content, rng)
        else:
            yield media_type, _mutate(content, rng, [other for _, other in seeds])


def run(seeds: Sequence[tuple[str, bytes]], files: int, seed: int) -> Figures:
    """Parse mutated files one after the other in one sandbox."""
    figures = Figures(files, seed)
    failed: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    started = time.monotonic()
    with SandboxedParser(wall_s=WALL_S, cpu_s=int(WALL_S)) as parser:
        for media_type, content in mutated(seeds, files, random.Random(seed)):
            kinds[media_type] += 1
            at = time.monotonic()
            try:
                document = parser.parse(content, media_type, "fuzz/file")
                figures.ready += 1
                if not document.text.strip() or "\0" in document.text or not document.title:
                    figures.not_a_reason.append(f"{media_type}: a document without text or title")
            except DocumentError as error:
                failed[error.code] += 1
                if error.code not in REASONS:
                    figures.not_a_reason.append(f"{media_type}: {error.code}")
            took = time.monotonic() - at
            figures.slowest_ms = max(figures.slowest_ms, round(took * 1000, 1))
            figures.over_limit += took > WALL_S + 5
        figures.children = parser.starts
    figures.failed, figures.by_type = dict(sorted(failed.items())), dict(sorted(kinds.items()))
    figures.seconds = round(time.monotonic() - started, 1)
    return figures


def _mutate_inside(content: bytes, rng: random.Random) -> bytes:
    """Mutate one or two members of an archive, or drop, double or rename one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        return content
    for _ in range(rng.randint(1, 2)):
        name = rng.choice(sorted(members))
        act = rng.random()
        if act < 0.05:
            del members[name]
        elif act < 0.1:
            members[name + "x"] = members.pop(name)
        else:
            members[name] = _mutate(members[name], rng, list(members.values()))
        if not members:
            break
    return pack(members)


def _mutate(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    result = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randint(0, len(result))
        rng.choice(_MUTATIONS)(result, at, rng, others)
    return bytes(result)


def _flip(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    if at < len(content):
        content[at] ^= 1 << rng.randrange(8)


def _insert(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    content[at:at] = rng.choice(_INTERESTING)


def _noise(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    content[at : at + 8] = rng.randbytes(rng.randint(0, 8))


def _cut(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    del content[at : at + rng.randint(1, 64)]


def _truncate(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    if rng.random() < 0.2:
        del content[at:]


def _repeat(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    piece = content[at : at + rng.randint(1, 200)]
    content[at:at] = piece * rng.choice((1, 10, 300))


def _splice(content: bytearray, at: int, rng: random.Random, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    start = rng.randint(0, len(other))
    content[at : at + 32] = other[start : start + rng.randint(0, 400)]


def _number(content: bytearray, at: int, rng: random.Random, _: Sequence[bytes]) -> None:
    """Replace the next digits by a number at an edge."""
    while at < len(content) and not chr(content[at]).isdigit():
        at += 1
    end = at
    while end < len(content) and chr(content[end]).isdigit():
        end += 1
    content[at:end] = str(rng.choice((0, 1, 255, 65_536, 2**31 - 1, 2**32, 2**63, 10**30))).encode()


_MUTATIONS: tuple[Callable[[bytearray, int, random.Random, Sequence[bytes]], None], ...] = (
    *(_flip, _insert, _noise, _cut, _truncate, _repeat, _splice, _number),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--files", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--corpus", type=Path, nargs="*", default=[])
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    figures = run(built_seeds() + real_seeds(chosen.corpus), chosen.files, chosen.seed)
    told = {**asdict(figures), "passed": figures.passed()}
    return 0 if report("fuzz", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
