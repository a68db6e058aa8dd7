"""scripts/wire_types.py: the page's types of the wire are those of the OpenAPI document."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "wire_types.py"))
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
    assert name in (ROOT / "web/src/decode.ts").read_text("utf-8")
