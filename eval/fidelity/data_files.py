# ruff: noqa: E501 (lines of data)
"""Tables as text, JSON and notebooks, as Excel, databases, programs and Jupyter write them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence

from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    MUSEUM,
    POLICY,
    Story,
    headings_of,
    parts_of,
    words_of,
)

Rows = Sequence[Sequence[str]]

_STOCK: Rows = (
    ("Artikel", "Menge", "Preis", "Bemerkung"),
    ("Öldichtung", "007", "1.250,50", "„dicht“; nicht knicken"),
    ("Düse", "12", "89,90", 'Zoll 3/4"'),
)
_STAFF: Rows = (
    ("姓名", "部门", "入职日期", "备注"),
    ("王芳", "仓库", "2024-03-01", "主管，\n兼任安全员"),
    ("李雷", "财务", "2023-11-15", ""),
)
_FLEET: Rows = (
    ("id", "name", "launched", "home port"),
    ("0042", "Svala", "2019-05-17", "Bergen, Norway"),
    ("0043", 'The "Old" Tern', "1987-01-02", "Moss"),
)


def make_tables() -> Iterator[Sample]:
    """Yield CSV and TSV."""
    yield _table("excel-de", _STOCK, ";", "cp1252", crlf=True)
    yield _table("excel-utf8", _STOCK, ";", "utf-8-sig", crlf=True)
    yield _table("excel-zh", _STAFF, ",", "gb18030", crlf=True)
    yield _table("excel-sep", _FLEET, ";", "utf-8", first="sep=;\r\n", crlf=True, never=("sep=;",))
    yield _table("excel-unicode", _STAFF, "\t", "utf-16", suffix="txt-tab", crlf=True)
    yield _table("pandas", (("", *_FLEET[0]), ("0", *_FLEET[1]), ("1", *_FLEET[2])), ",", "utf-8")
    yield _table("postgres", _FLEET, ",", "utf-8", quote_all=True)
    yield _table("mysql", (_STAFF[0], _STAFF[2]), "\t", "utf-8")
    yield _table("pipes", _FLEET, "|", "utf-8")
    for story in (LIBRARY, FREEZER, ARCHIVE, MUSEUM, MARKET):
        codec = {
            "library": "big5",
            "freezer": "cp932",
            "archive": "cp1251",
            "museum": "cp949",
            "market": "utf-8-sig",
        }[story.name]
        rows = [block[1:] for block in story.blocks if block[0] == "row"]
        yield _table(story.name, rows, ",", codec, crlf=True)
    long = [("station", "2022", "2023"), *((f"St. {at:03d}", str(40 + at), f"{at}.5") for at in range(1, 61))]
    must = ("St. 001", "2022: 41", "2023: 1.5", "St. 060", "2022: 100", "2023: 60.5")
    yield Sample("csv/long.csv", _written(long, ",").encode(), must, (), "long")
    note = "Report of 1 March;;\r\n;;\r\nBoat;Days;Crew\r\nSvala;12;4\r\nTern;9;3\r\n"
    yield Sample(
        "csv/captioned.csv",
        note.encode(),
        ("Report of 1 March", "Boat Days Crew", "Svala 12 4", "Tern 9 3"),
        (),
        "captioned",
    )


def _table(
    name: str,
    rows: Rows,
    delimiter: str,
    codec: str,
    *,
    first: str = "",
    suffix: str = "",
    crlf: bool = False,
    quote_all: bool = False,
    never: tuple[str, ...] = (),
) -> Sample:
    text = first + _written(rows, delimiter, crlf=crlf, quote_all=quote_all)
    kind = "tsv" if delimiter == "\t" else "csv"
    must = tuple(cell for row in rows for cell in row if cell)
    # Words without a sentence, in an encoding that others could be: refused, not guessed.
    reason = "bad_encoding" if codec == "cp932" else ""
    return Sample(
        f"{kind}/{name}.{suffix.rpartition('-')[2] or kind}",
        text.encode(codec),
        () if reason else must,
        never,
        "" if reason else name,
        reason=reason,
    )


def _written(rows: Rows, delimiter: str, *, crlf: bool = False, quote_all: bool = False) -> str:
    stream = io.StringIO()
    csv.writer(
        stream,
        delimiter=delimiter,
        quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        lineterminator="\r\n" if crlf else "\n",
    ).writerows(rows)
    return stream.getvalue()


def make_json() -> Iterator[Sample]:
    """Yield JSON and JSON Lines."""
    api = {
        "title": "Harbours of the sound",
        "count": 2,
        "next": None,
        "results": [
            {"name": "Moss", "depth_m": 7.50, "open": True},
            {"name": "Ålesund", "depth_m": 12, "tags": ["ice-free", "ferry"]},
        ],
    }
    yield Sample(
        "json/api.json",
        json.dumps(api, ensure_ascii=False).encode(),
        ("Harbours of the sound", "Moss", "7.5", "true", "Ålesund", "12", "ice-free, ferry"),
        ("\\u00c5",),
        "Harbours of the sound",
    )
    yield Sample(
        "json/escaped.json",
        json.dumps(api, indent="\t").encode(),
        ("Moss", "Ålesund"),
        ("\\u00c5",),
        "Harbours of the sound",
    )
    package = {
        "name": "tide-table",
        "version": "2.10.0",
        "description": "Prints tides.",
        "scripts": {"test": "vitest run"},
        "dependencies": {"dayjs": "^1.11.10"},
    }
    yield Sample(
        "json/package.json",
        json.dumps(package, indent=2).encode(),
        ("tide-table", "2.10.0", "Prints tides.", "vitest run", "^1.11.10"),
        (),
        "tide-table",
    )
    config = b'{\n  // where tides come from\n  "source": "https://tides.example/v1", /* ours */\n  "ports": ["Moss", "Horten",],\n}\n'
    yield Sample("json/settings.jsonc", config, ("https://tides.example/v1", "Moss, Horten"), (), "settings")
    geo = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [10.6551, 59.4340]},
                "properties": {"名称": "灯塔一号", "建成": 1890},
            }
        ],
    }
    yield Sample(
        "json/map.json",
        json.dumps(geo, ensure_ascii=False).encode("utf-8-sig"),
        ("10.6551, 59.434", "灯塔一号", "1890"),
        (),
        "map",
    )
    rich = {
        "name": "faq",
        "items": [{"q": "When is the gate shut?", "a": "<p>At <b>22:00</b>.<br>Ring &amp; wait.</p>"}],
    }
    yield Sample(
        "json/faq.json",
        json.dumps(rich).encode(),
        ("When is the gate shut?", "At 22:00.", "Ring & wait."),
        ("<b>", "&amp;"),
        "faq",
    )
    big = b'{"id": 12345678901234567890, "rate": 0.10, "when": "2026-03-01T06:00:00Z", "small": 1e-7}'
    yield Sample(
        "json/numbers.json",
        big,
        ("12345678901234567890", "0.10", "2026-03-01T06:00:00Z", "1e-7"),
        (),
        "numbers",
    )
    wide = json.dumps([{"word": "潮", "reading": "しお"}], ensure_ascii=False).encode("utf-16")
    yield Sample("json/utf16.json", wide, ("潮", "しお"), (), "utf16")
    log = "\n".join(
        json.dumps(
            {
                "ts": f"2026-03-01T0{at}:00:00Z",
                "level": "WARN",
                "msg": f"pump {at} is warm",
                "ctx": {"temp": 70 + at},
            }
        )
        for at in range(1, 6)
    )
    yield Sample("jsonl/log.jsonl", log.encode(), ("pump 1 is warm", "71", "pump 5 is warm", "75"), (), "log")
    turns = "\n".join(
        json.dumps(
            {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]},
            ensure_ascii=False,
        )
        for q, a in (("几点闭馆？", "下午六点。"), ("周一开吗？", "不开。"))
    )
    yield Sample(
        "jsonl/chat.jsonl", turns.encode(), ("几点闭馆？", "下午六点。", "周一开吗？", "不开。"), (), "chat"
    )
    broken = '{"a": "good line"}\n{"a": "cut of\n{"a": "last line"}\n'
    yield Sample("jsonl/broken.jsonl", broken.encode(), ("good line", "last line"), (), "broken")
    yield Sample(
        "jsonl/crlf.ndjson",
        b'\xef\xbb\xbf{"port": "Moss"}\r\n\r\n{"port": "Horten"}\r\n',
        ("Moss", "Horten"),
        (),
        "crlf",
    )


def make_notebooks() -> Iterator[Sample]:
    """Yield notebooks."""
    for story, tool in (
        (GUIDE, "jupyter"),
        (POLICY, "colab"),
        (BAKERY, "vscode"),
        (FREEZER, "jupyter"),
        (ARCHIVE, "vscode"),
    ):
        cells = _cells(story, lines=tool != "colab")
        extra: dict[str, object] = {"colab": {"provenance": []}} if tool == "colab" else {}
        content = _notebook(cells, extra)
        yield Sample(
            f"ipynb/{tool}-{story.name}.ipynb",
            content,
            words_of(story),
            ("nbformat", "execution_count"),
            story.title,
            headings_of(story),
        )
    frame = {
        "text/html": [
            "<div><style scoped>.dataframe tbody tr th {}</style><table class='dataframe'><tr><th></th><th>port</th></tr></table></div>"
        ],
        "text/plain": ["     port  boats\n", "0    Moss     31\n", "1  Horten      8"],
    }
    error = {
        "output_type": "error",
        "ename": "KeyError",
        "evalue": "'depth'",
        "traceback": ["\x1b[0;31m---\x1b[0m"],
    }
    cells = [
        _cell("raw", "---\ntitle: Ports\n---"),
        _cell("markdown", "# Counting boats\n\nBoats were counted at dawn.<br>Twice."),
        _cell("code", "df.head(2)", [{"output_type": "execute_result", "data": frame}]),
        _cell(
            "code",
            "print('done')",
            [{"output_type": "stream", "name": "stdout", "text": ["\x1b[32mdone\x1b[0m\n"]}],
        ),
        _cell("code", "df['depth']", [error]),
        _cell(
            "code",
            "plot()",
            [
                {
                    "output_type": "display_data",
                    "data": {"image/png": "iVBORw0KGgo=" * 20, "text/plain": ["<Figure size 640x480>"]},
                }
            ],
        ),
        _cell(
            "code",
            "show()",
            [{"output_type": "display_data", "data": {"text/markdown": ["The **mean** is 19.5."]}}],
        ),
    ]
    yield Sample(
        "ipynb/jupyter-outputs.ipynb",
        _notebook(cells, {}),
        (
            "Counting boats",
            "Boats were counted at dawn.",
            "df.head(2)",
            "Moss",
            "31",
            "Horten",
            "8",
            "print('done')",
            "done",
            "KeyError",
            "'depth'",
            "19.5",
        ),
        ("iVBORw0KGgo", "[32m", "dataframe", "title: Ports", "<br>", "Figure size"),
        "Ports",
        ("Counting boats",),
    )
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 1, "source": ["Old notebook"]},
                    {
                        "cell_type": "code",
                        "language": "python",
                        "input": ["x = 2"],
                        "outputs": [{"output_type": "pyout", "text": ["2"]}],
                    },
                ]
            }
        ],
    }
    yield Sample(
        "ipynb/ipython-old.ipynb",
        json.dumps(old).encode(),
        ("Old notebook", "x = 2"),
        ("pyout",),
        "Old notebook",
        ("Old notebook",),
    )
    r_kernel = _notebook(
        [_cell("markdown", "## Modelle in R"), _cell("code", "summary(lm(y ~ x))")],
        {"kernelspec": {"name": "ir", "language": "R"}},
    )
    yield Sample(
        "ipynb/r-kernel.ipynb", r_kernel, ("Modelle in R", "summary(lm(y ~ x))"), (), "", ("Modelle in R",)
    )


def _cell(kind: str, source: str, outputs: Sequence[object] | None = None) -> dict[str, object]:
    cell: dict[str, object] = {
        "cell_type": kind,
        "id": "a1",
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }
    return cell | ({"outputs": outputs or [], "execution_count": 1} if kind == "code" else {})


def _cells(story: Story, *, lines: bool) -> list[dict[str, object]]:
    cells = [_cell("markdown", f"# {story.title}")]
    for kind, items in parts_of(story):
        first = items[0]
        if kind in {"h2", "h3"}:
            cells.append(_cell("markdown", f"{'##' if kind == 'h2' else '###'} {first[0]}"))
        elif kind == "code":
            cells.append(_cell("code", first[1]))
        elif kind == "row":
            rows = [f"|{'|'.join(row)}|" for row in items]
            cells.append(_cell("markdown", "\n".join([rows[0], f"|{'--|' * len(first)}", *rows[1:]])))
        elif kind in {"li", "ol"}:
            cells.append(_cell("markdown", "\n".join(f"* {text}" for (text,) in items)))
        else:
            cells.append(_cell("markdown", "\n\n".join(first)))
    if not lines:
        cells = [cell | {"source": "".join(cell["source"])} for cell in cells]  # type: ignore[arg-type]
    return cells


def _notebook(cells: Sequence[object], extra: Mapping[str, object]) -> bytes:
    metadata: dict[str, object] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **extra,
    }
    return json.dumps(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5},
        indent=1,
        ensure_ascii=False,
    ).encode()
