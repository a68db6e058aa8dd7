"""Write .env.example from app/config.py: `.venv/bin/python scripts/env_example.py` (tests/unit/test_config.py).

Each setting: what it is, its range, and its default on a line that is commented out.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from app.config import Settings

HEADER = """\
# Every setting of pgask, with its default. Copy to .env and uncomment what you change; the environment wins
# over .env, the command line over both. Empty means unset. `pgask config` shows what is in force.
"""
# the first setting of each group
HEADINGS = {
    "home": "Where things are",
    "embedding_model": "Embedding (a change makes the stored vectors useless: ingest again)",
    "chunk_tokens": "Ingest",
    "workers": "Uploads and what takes them in",
    "candidates": "Retrieval",
    "abstain_threshold": "Answers",
    "max_body_bytes": "Limits and logs of the service",
}


def render() -> str:
    """The whole file."""
    parts = [HEADER]
    for name, field in Settings.model_fields.items():
        if name in HEADINGS:
            parts.append(f"\n## {HEADINGS[name]}\n")
        sentence = " ".join(filter(None, (field.description, allowed(field))))
        default = "" if field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        parts.append(textwrap.fill(sentence, 108, initial_indent="# ", subsequent_indent="# ") + "\n")
        parts.append(f"#PGASK_{name.upper()}={default}\n")
    return "".join(parts)


def allowed(field: FieldInfo) -> str:
    """The values that a setting takes, in brackets; empty where the description says it all."""
    if get_origin(field.annotation) is Literal:
        return f"[{' | '.join(get_args(field.annotation))}]"
    if field.annotation is bool:
        return "[true | false]"
    words = {Ge: ("at least", "ge"), Gt: ("more than", "gt"), Le: ("at most", "le"), Lt: ("less than", "lt")}
    bounds = [
        f"{words[type(rule)][0]} {getattr(rule, words[type(rule)][1]):,}"
        for rule in field.metadata
        if type(rule) in words
    ]
    return f"[{', '.join(bounds)}]" if bounds else ""


if __name__ == "__main__":
    (Path(__file__).parents[1] / ".env.example").write_text(render(), encoding="utf-8")
