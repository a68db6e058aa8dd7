"""scripts/web_sources.py: the types of the page are those of the OpenAPI document, its reasons those of ingest."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

from ingest.reasons import REASONS, SKIPPED

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "web_sources.py"))
render, schemas = SCRIPT["render"], SCRIPT["schemas"]

SCHEMAS = {
    "Reply": {
        "description": "An answer */\n and more.",
        "required": ["kind", "spans", "limits"],
        "properties": {
            "kind": {"type": "string", "enum": ["list", "chat"]},
            "page": {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "From 1"},
            "spans": {"type": "array", "items": {"$ref": "#/components/schemas/Span"}},
            "limits": {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "null"}]}},
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
            "metadata": {"type": "object", "additionalProperties": True},
            "value": {"type": ["string", "number", "boolean"]},
            "rest": {},
        },
    },
    "Span": {"properties": {"op": {"const": "equal", "type": "string"}}},
    "Either": {"oneOf": [{"$ref": "#/components/schemas/Reply"}, {"$ref": "#/components/schemas/Span"}]},
}
WRITTEN = """
export type Either = Reply | Span;

/** An answer * / and more. */
export interface Reply {
  kind: "list" | "chat";
  /** From 1 */
  page?: number | null;
  spans: Span[];
  limits: (number | null)[];
  counts?: Record<string, number>;
  metadata?: Record<string, unknown>;
  value?: string | number | boolean;
  rest?: unknown;
}

export interface Span {
  op?: "equal";
}
"""


def test_each_schema_is_a_type_of_its_name() -> None:
    assert render(SCHEMAS).partition("\n")[2] == WRITTEN


@pytest.mark.parametrize(
    "name", ["Ask", "AskReply", "CollectionList", "DocumentList", "DocumentDetail", "TextSlice"]
)
def test_the_page_s_types_are_there_with_every_field(name: str) -> None:
    named = schemas()
    text = render(named)
    body = re.search(rf"^export interface {name} {{\n(.*?)^}}", text, re.MULTILINE | re.DOTALL)
    assert body is not None
    assert re.findall(r"^  (\w+)\??:", body[1], re.MULTILINE) == list(named[name]["properties"])
    assert name in (ROOT / "web/src/wire/decode.ts").read_text("utf-8")


def test_the_page_knows_every_reason_in_both_languages() -> None:
    text = SCRIPT["render_reasons"]()
    for code, reason in REASONS.items():
        assert (
            f'"{code}": {json.dumps(f"{reason.sentence_en} {reason.way_out_en}", ensure_ascii=False)}' in text
        )
        assert f'"{code}": {json.dumps(reason.sentence_zh + reason.way_out_zh, ensure_ascii=False)}' in text
    for code, skip in SKIPPED.items():
        for sentence in (skip.sentence_en, skip.sentence_zh):
            assert f'"{code}": {json.dumps(sentence, ensure_ascii=False)}' in text


def test_files_are_written_where_they_belong(tmp_path: Path) -> None:
    assert SCRIPT["main"]([str(tmp_path)]) == 0
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.ts")) == [
        "i18n/reasons.ts",
        "wire/wire.ts",
    ]
