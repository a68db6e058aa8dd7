"""Reads the packaged lists of set phrases, such as talk.en.txt; pure but for that.

A list has one regular expression a line below its heading ("[thanks]"); lines that begin with # are remarks, and one
that begins with $ names a part: `$new = (?:new|latest)` stands for itself where a later line says $new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files


def read_phrases(name: str) -> list[tuple[str, str]]:
    """The heading and the expression of each line of app/question/NAME.txt, in their order."""
    parts: dict[str, str] = {}
    heading = ""
    phrases = []
    for line in (files("app") / "question" / f"{name}.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if found := re.fullmatch(r"\[([a-z_]+)\]", line):
            heading = found[1]
        elif part := re.fullmatch(r"\$([a-z]+) = (.+)", line):
            parts[part[1]] = _put_in(parts, part[2])
        else:
            phrases.append((heading, _put_in(parts, line)))
    return phrases


def _put_in(parts: Mapping[str, str], expression: str) -> str:
    return re.sub(r"\$([a-z]+)", lambda named: parts[named[1]], expression)
