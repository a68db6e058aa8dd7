"""CSV, JSON, notebooks and source code give lines that can be read and cited by themselves."""

from __future__ import annotations

import json

import pytest

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import code, csvfile, ipynb, jsonfile, parse


def csv_text(text: str) -> str:
    return parse(text.encode(), csvfile.CSV_MEDIA_TYPE, "a.csv").text


def json_text(value: object) -> str:
    return parse(json.dumps(value).encode(), jsonfile.JSON_MEDIA_TYPE, "a.json").text


def failure(content: bytes, media_type: str) -> str:
    with pytest.raises(DocumentError) as raised:
        parse(content, media_type, "a")
    return raised.value.code


def notebook(*cells: dict[str, object], **more: object) -> Document:
    content = json.dumps({"cells": cells, "nbformat": 4, **more}).encode()
    return parse(content, ipynb.MEDIA_TYPE, "d/nb.ipynb")


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_agrees_with_itself(delimiter: str) -> None:
    lines = ["name|value".replace("|", delimiter), f'"a,b;c"{delimiter}1', f"d{delimiter}2"]
    assert csv_text("\n".join(lines)) == "| name | value |\n| --- | --- |\n| a,b;c | 1 |\n| d | 2 |"


def test_csv_charsets_quotes_and_titles() -> None:
    content = '城市,说明\n北京,"第一行\n第二行 ""引号"""\n'.encode("gb18030")
    document = parse(content, csvfile.CSV_MEDIA_TYPE, "d/城市.csv")
    assert document.text == '| 城市 | 说明 |\n| --- | --- |\n| 北京 | 第一行 第二行 "引号" |'
    assert (document.title, document.language) == ("城市", "zh")
    assert (
        parse(b"a\tb,c\n1\t2", csvfile.TSV_MEDIA_TYPE, "x.tsv").text
        == "| a | b,c |\n| --- | --- |\n| 1 | 2 |"
    )


def test_a_long_csv_names_its_columns_in_each_row() -> None:
    lines = csv_text("id,word\n" + "".join(f"{n},w{n}\n" for n in range(100))).split("\n")
    assert lines[:3] == ["id | word", "", "- id: 0 | word: w0"]
    assert lines[-1] == "- id: 99 | word: w99"


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    text = csv_text('a,b\n1,"2\n' + "3,4\n" * 50_000)
    assert '- a: 1 | b: "2' in text
    assert text.count("- a: 3 | b: 4") == 50_000


def test_csv_without_cells_is_empty() -> None:
    assert failure(b",,\n,,\n", csvfile.CSV_MEDIA_TYPE) == "empty"


# JSON


def test_json_becomes_lines_under_their_path() -> None:
    value = {
        "name": "X",
        "a": {"b": 1.50, "c": [1, "two", None, True]},
        "list": [{"k": "v"}, [3]],
        "none": {},
    }
    lines = "name: X\na.b: 1.5\na.c: 1, two, null, true\nlist[0].k: v\nlist[1]: 3\nnone: {}"
    assert json_text(value) == lines
    assert parse(json.dumps(value).encode(), jsonfile.JSON_MEDIA_TYPE, "a.json").title == "X"


def test_a_list_of_objects_is_a_block_each() -> None:
    assert json_text([{"q": "一"}, {"q": "二", "n": 2}, "x"]) == "q: 一\n\nq: 二\nn: 2\n\nx"


def test_json_lines_and_numbers_as_written() -> None:
    lines = '{"n": 10000000000000000000000.10}\n\n{"n": 1, "n": 2}\n'
    document = parse(lines.encode(), jsonfile.JSON_LINES_MEDIA_TYPE, "d/log.jsonl")
    assert document.text == "n: 10000000000000000000000.10\n\nn: 1\nn: 2"
    assert document.title == "log"


@pytest.mark.parametrize(
    "content", [b"{", b"[" * 100_000, b'{"a":' * 150 + b"1" + b"}" * 150, b'{"a": 1} x'], ids=len
)
def test_json_that_is_none_or_too_deep_is_refused(content: bytes) -> None:
    assert failure(content, jsonfile.JSON_MEDIA_TYPE) == "parse_failed"


def test_json_may_not_unfold() -> None:
    inner = '{"' + "k" * 200 + '":'
    content = inner * 90 + "[" + ",".join(['{"x":1}'] * 20_000) + "]" + "}" * 90
    assert failure(content.encode(), jsonfile.JSON_MEDIA_TYPE) == "too_large"


# notebooks


def test_notebook_cells_in_order_with_short_outputs() -> None:
    document = notebook(
        {"cell_type": "markdown", "source": ["# 标题\n", "text"]},
        {
            "cell_type": "code",
            "source": "# not a heading\nprint(1)\n",
            "outputs": [
                {"output_type": "stream", "text": ["1\n", "x" * 5000]},
                {"output_type": "display_data", "data": {"image/png": "AAAA", "text/html": "<b>"}},
                {"output_type": "error", "ename": "KeyError", "evalue": "'a'", "traceback": ["\x1b[0m"]},
            ],
        },
        {"cell_type": "markdown", "source": "## Part"},
        metadata={"language_info": {"name": "python"}},
    )
    shown = "1\n" + "x" * 1998
    assert document.text == (
        f"# 标题\ntext\n\n```python\n# not a heading\nprint(1)\n```\n\n```text\n{shown}\n```\n\n"
        "```text\nKeyError: 'a'\n```\n\n## Part"
    )
    assert [section.heading_path for section in document.sections] == [("标题",), ("标题", "Part")]
    assert document.title == "标题"


def test_old_notebooks_and_other_json() -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]}
    assert parse(json.dumps(old).encode(), ipynb.MEDIA_TYPE, "a.ipynb").text == "```\nx = 1\n```"
    assert failure(b'{"a": 1}', ipynb.MEDIA_TYPE) == "parse_failed"
    assert failure(b'{"cells": [1, {"cell_type": 3, "source": {}}]}', ipynb.MEDIA_TYPE) == "empty"


# source code


def test_python_classes_and_functions_are_sections() -> None:
    text = (
        '"""模块。"""\nx = 1\n\n@decorated\nclass A:\n    """Doc."""\n    def f(self):\n        def inner(): ...\n'
        "    y = 2\n    class B:\n        async def g(self): ...\n\n\ndef h(): return '''\n'''\nz = 3\n"
    )
    document = parse(text.encode(), code.PYTHON_MEDIA_TYPE, "d/m.py")
    assert document.text == text
    assert document.title == "m.py"
    found = [(text[s.char_start : s.char_end], s.heading_path) for s in document.sections]
    assert found == [
        ('@decorated\nclass A:\n    """Doc."""\n', ("A",)),
        ("    def f(self):\n        def inner(): ...\n", ("A", "f")),
        ("    y = 2\n", ("A",)),
        ("    class B:\n", ("A", "B")),
        ("        async def g(self): ...\n", ("A", "B", "g")),
        ("def h(): return '''\n'''\n", ("h",)),
    ]


@pytest.mark.parametrize(
    "text", ["def f(:", "x = " + "(" * 5000, "x = '\\d'\nprint 1", "if 1:\n\x0cdef f(): 1"]
)
def test_code_with_errors_is_kept_as_text(text: str) -> None:
    document = parse(text.encode(), code.PYTHON_MEDIA_TYPE, "m.py")
    assert document.text == text.replace("\x0c", "\n")


def test_other_languages_are_text() -> None:
    document = parse("func main() {}\n".encode("utf-16"), "text/x-go", "d/main.go")
    assert (document.text, document.title, document.sections) == ("func main() {}\n", "main.go", ())
    assert document.media_type == "text/x-go"
