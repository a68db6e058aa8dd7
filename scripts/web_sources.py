"""Write what the page takes out of the service's code: the types of the wire, and why a file was not taken in.

    python scripts/web_sources.py [FOLDER]

FOLDER (web/src) gets wire/wire.ts, one declaration a schema of the OpenAPI document under its name there, and
i18n/reasons.ts, the words of ingest/reasons.py and app/file_limits.py. Run by scripts/build_web.py; not committed.
Types alone: what comes over the wire is checked in web/src/wire/decode.ts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI

from app.api import ask, collections, documents, search, session, status
from app.file_limits import LIMITS, LIMITS_OF_READING, WORDS_ZH
from ingest.reasons import REASONS, SKIPPED

ROOT: Final = Path(__file__).parents[1]
TARGET: Final = ROOT / "web" / "src"
HEAD: Final = "// Written by scripts/web_sources.py out of the service's code: don't edit.\n"
_PLAIN: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}

Schema = Mapping[str, Any]


def schemas() -> dict[str, Schema]:
    """Every schema of the routes that the page calls, by name."""
    app = FastAPI()
    for resource in (ask, search, documents, collections, session, status):
        app.include_router(resource.router)
    found: dict[str, Schema] = app.openapi()["components"]["schemas"]
    return found


def render(named: Mapping[str, Schema]) -> str:
    """The file's text."""
    declared = "\n\n".join(_declare(name, schema) for name, schema in sorted(named.items()))
    return f"{HEAD}\n{declared}\n"


def render_reasons() -> str:
    """Sentence and way out of each reason code, in both languages, and the sentences of limits side by side."""
    english = {code: f"{reason.sentence_en} {reason.way_out_en}" for code, reason in REASONS.items()}
    chinese = {code: f"{reason.sentence_zh}{reason.way_out_zh}" for code, reason in REASONS.items()}
    english |= {code: skip.sentence_en for code, skip in SKIPPED.items()}
    chinese |= {code: skip.sentence_zh for code, skip in SKIPPED.items()}
    declared = ""
    for name, words in (("reasonsEn", english), ("reasonsZh", chinese)):
        text = json.dumps(words, ensure_ascii=False, indent=2)
        declared += f"\nexport const {name}: Readonly<Record<string, string>> = {text};\n"
    sentences = [*LIMITS.values(), *LIMITS_OF_READING.values()]
    for name, pairs in (("limitsZh", sentences), ("limitWordsZh", [*WORDS_ZH.items()])):
        text = json.dumps(pairs, ensure_ascii=False, indent=2)
        declared += (
            f"\nexport const {name}: readonly (readonly [english: string, chinese: string])[] = {text};\n"
        )
    return HEAD + declared


def _declare(name: str, schema: Schema) -> str:
    about = _comment(schema, "")
    if "properties" in schema:
        return f"{about}export interface {name} {_object(schema, '')}"
    return f"{about}export type {name} = {_type(schema)};"


def _object(schema: Schema, indent: str) -> str:
    lines = "".join(f"{line}\n" for line in _properties(schema, f"{indent}  "))
    return f"{{\n{lines}{indent}}}"


def _properties(schema: Schema, indent: str) -> Iterator[str]:
    for name, one in schema["properties"].items():
        mark = "" if name in schema.get("required", ()) else "?"
        yield f"{_comment(one, indent)}{indent}{name}{mark}: {_type(one, indent)};"


def _type(schema: Schema, indent: str = "") -> str:
    """The type of a schema; `unknown` where it says nothing that TypeScript could hold."""
    match schema:
        case {"$ref": name}:
            found = str(name).rpartition("/")[2]
        case {"properties": _}:
            found = _object(schema, indent)
        case {"const": value}:
            found = json.dumps(value)
        case {"enum": values}:
            found = " | ".join(map(json.dumps, values))
        case {"anyOf": parts} | {"oneOf": parts}:
            found = " | ".join(dict.fromkeys(_type(part, indent) for part in parts))
        case {"type": [*kinds]}:
            found = " | ".join(_PLAIN[kind] for kind in kinds)
        case {"type": "array", "items": items}:
            item = _type(items, indent)
            found = f"({item})[]" if " | " in item else f"{item}[]"
        case {"type": "object"}:
            values = schema.get("additionalProperties")
            found = f"Record<string, {_type(values, indent) if isinstance(values, Mapping) else 'unknown'}>"
        case _:
            found = _PLAIN.get(schema.get("type", ""), "unknown")
    return found


def _comment(schema: Schema, indent: str) -> str:
    words = " ".join(str(schema.get("description", "")).split()).replace("*/", "* /")
    return f"{indent}/** {words} */\n" if words else ""


def main(arguments: list[str]) -> int:
    """Write the files whose text is another one."""
    folder = Path(arguments[0]) if arguments else TARGET
    for name, text in (("wire/wire.ts", render(schemas())), ("i18n/reasons.ts", render_reasons())):
        target = folder / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
