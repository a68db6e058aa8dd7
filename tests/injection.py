"""500 strings that try to become SQL, JSON, a path, a pattern or a template where they should be data.

The first are written by hand, the rest are made by a small grammar with a fixed seed: the same ones everywhere.
"""

from __future__ import annotations

import random
from typing import Final

WRITTEN: Final = (
    "'", "''", '"', "\\", "\\'", "`", ";", "--", "/*", "*/", "#", "$$", "$1", "$0", ":x", "?", "%", "_", "%%", "%s",
    "%b", "%(question)s", "%(filter_0)s", "%()s", "%(", "{}", "{0}", "{condition}", "{{}}", "${x}", "#{x}", "{{7*7}}",
    "NULL", "null", "true", "false", "NaN", "Infinity", "-1", "0", "1e999", "0x27", "'; DROP TABLE pgask.documents; --",
    "' OR '1'='1", "' OR 1=1 --", "') OR ('1'='1", '" OR ""="', "1; DELETE FROM pgask.chunks", "' UNION SELECT NULL--",
    "'||(SELECT current_user)||'", "';SELECT pg_sleep(5);--", "'::int", "'::jsonb", "x'::text COLLATE \"C", "E'\\x27'",
    "U&'\\0027'", "$tag$ ' $tag$", "' AND 1=(SELECT 1/0)--", "]}'", "\"}'", '"}, {"a": "b', "{\"a\": 1}", "[]", "{",
    "$.datetime()", "$ ? (@ == 1)", "strict $.*", "lax $[*]", "a->>'b'", "#>> '{}'", "@> '{}'", "d.source", "d.text",
    "pgask.documents", "source; --", "metadata", "metadata.", "metadata..", "metadata.a.b.c.d.e.f", "metadata.'",
    "metadata.\\", "\\.", "..", "../../etc/passwd", "file:///etc/passwd", "COPY x FROM PROGRAM 'id'", "\r\nSET x", "\t",
    "\n", " ", "\0", "a\0b", "%00", "\x1a", "\x7f", "\u2018 OR \u20181\u2019=\u20181", "\uff07 OR 1=1 --", "\u02bc",
    "\u0000'", "\u202e'; --", "\u200b", "\ufeff'", "\ufffd", "\ufffe", "\U0010ffff", "\U000e0027", "e\u0301'", "ﬁ'",
    "İ'", "¿'", "文'; --", "𠀀", "'" * 1_000, "\\" * 1_001, "%s" * 512, "x" * 1_024, "x" * 1_025, "'" + "文" * 1_500,
    "(" * 900, "[" * 900, "a" * 7_999, "{" * 512 + "}" * 512, "0" * 1_024, "9" * 400, "-" * 1_024, ".*" * 300,
    "(a+)+$" * 20, "__proto__", "constructor", "__class__", "self",
    "⟨all⟩", "⟨short⟩", "⟨' OR 1=1⟩", "equal", "all", "not", "any",
)  # fmt: skip

_OPENINGS: Final = (
    "'",
    '"',
    "')",
    "'))",
    "\\'",
    "''",
    "",
    "%'",
    "{",
    "]",
    "*/",
    "\u2019",
    "\uff07",
    "`",
    "$$",
    "1",
    "e'",
)
_JOINS: Final = (
    " OR ",
    " AND ",
    ";",
    "; ",
    " UNION ALL ",
    "||",
    "/**/OR/**/",
    "\nOR\n",
    "\tor\t",
    " = ",
    ",",
    "::",
)
_BODIES: Final = (
    "1=1", "'a'='a", "DROP TABLE pgask.chunks", "DROP SCHEMA pgask CASCADE", "DELETE FROM pgask.documents",
    "TRUNCATE pgask.postings", "UPDATE pgask.documents SET text = ''", "SELECT pg_sleep(9)", "SELECT version()",
    "SELECT 1/0", "CAST('x' AS int)", "int4", "jsonb '{}'", "(SELECT text FROM pgask.documents LIMIT 1)",
    "set_config('ivfflat.probes', '1', false)", "ALTER TABLE pgask.chunks DISABLE TRIGGER ALL", "COMMIT", "ROLLBACK",
    "COPY pgask.documents TO STDOUT", "lo_import('/etc/passwd')", "%s", "%(filter_1)s", "{}", "$1", "文 LIKE '%'",
)  # fmt: skip
_ENDINGS: Final = (
    "--",
    "-- ",
    "#",
    ";--",
    "/*",
    "'",
    '"',
    "",
    ")",
    "'--",
    "\0",
    "\\",
    "%",
    "\u2028",
    ";%00",
    "$$",
)


def _made(count: int) -> list[str]:
    rng = random.Random(29)
    found: dict[str, None] = {}
    while len(found) < count:
        bodies = rng.sample(_BODIES, rng.randint(1, 3))
        text = rng.choice(_OPENINGS) + rng.choice(_JOINS).join(["", *bodies]) + rng.choice(_ENDINGS)
        if rng.random() < 0.2:
            text = "".join(rng.choice((c.upper(), c.lower())) for c in text)
        if text not in WRITTEN:
            found[text] = None
    return list(found)


STRINGS: Final = (*WRITTEN, *_made(500 - len(WRITTEN)))
