from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.errors import InvalidRequestError
from eval.templates import Template, load_templates


def load(tmp_path: Path, *rows: object) -> list[Template]:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return load_templates(path)


@pytest.mark.parametrize(
    ("template", "transform", "question", "asked"),
    [
        ("Hi: {question} Thanks!", "first letter of the question in lower case, unless its second letter is a capital",
         "What is a VPN?", "Hi: what is a VPN? Thanks!"),
        ("Hi: {question}", "first letter of the question in lower case, unless its second letter is a capital",
         "VPN?", "Hi: VPN?"),
        ("{question}", "no question mark at the end, all in lower case", "Who is Ines? ", "who is ines"),
        ("{question}", "all in lower case, no question mark at the end", "谁？", "谁"),
        ("{question}", "all in capitals", "Who? {question} %s", "WHO? {QUESTION} %S"),
        ("请问{question}谢谢！", None, "婚假多少天？", "请问婚假多少天？谢谢！"),
    ],
)  # fmt: skip
def test_wording(tmp_path: Path, template: str, transform: str | None, question: str, asked: str) -> None:
    row = {"id": "t", "lang": "en", "template": template, "transform": transform, "expected": "the same"}
    assert load(tmp_path, row)[0].word(question) == asked


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([], "JSON object"),
        ({"id": "b", "lang": "en"}, '"template"'),
        ({"id": "b", "lang": "en", "template": "no place"}, "{question} once"),
        ({"id": "b", "lang": "en", "template": "{question} {question}"}, "{question} once"),
        ({"id": "b", "lang": "fr", "template": "{question}"}, '"lang"'),
        ({"id": 3, "lang": "en", "template": "{question}"}, '"id"'),
        ({"id": "b", "lang": "en", "template": "{question}", "transform": "backwards"}, '"transform"'),
        ({"id": "b", "lang": "en", "template": "{question}", "transform": "all in capitals?"}, '"transform"'),
        ({"id": "b", "lang": "en", "template": "{question}", "transform": ""}, '"transform"'),
        ({"id": "a", "lang": "en", "template": "{question}"}, "already on line 1"),
    ],
)
def test_errors_name_the_line_and_the_reason(tmp_path: Path, row: object, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match="line 2") as caught:
        load(tmp_path, {"id": "a", "lang": "en", "template": "{question}"}, row)
    assert reason in str(caught.value)
