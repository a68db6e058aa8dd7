"""Who meets a limit is told it, what there was, and the setting that changes it, in English and Chinese."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Final

import pytest

from app.config import Settings
from app.file_limits import LIMITS, LIMITS_OF_READING, over, over_reading, too_large
from ingest.reasons import REASONS

ROOT: Final = Path(__file__).parents[2]
# Codes of what is too large or too many; those of one file are the table's.
CODES: Final = {
    "body_too_large",
    "file_too_large",
    "headers_too_large",
    "limit_exceeded",
    "llm_busy",
    "prompt_too_large",
    "quota_exceeded",
    "rate_limited",
    "too_many_requests",
    "too_many_shelves",
}
CLASSES: Final = {
    "LimitExceededError": "limit_exceeded",
    "BusyError": "too_many_requests",
    "LlmBusyError": "llm_busy",
}
# Limits of an address or of what is worked on at once, which no setting changes; their sentences have the figure.
WITHOUT_SETTING: Final = {"app/api/pages.py", "app/api/rates.py", "app/api/uploads.py"}


def calls() -> Iterator[tuple[str, str, ast.Call, str]]:
    """File, code, call and source text of every such fault and error that app/ makes."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            if node.func.id == "Fault":
                given = node.args[:1]
            code = CLASSES.get(node.func.id)
            if given and isinstance(given[0], ast.Constant):
                code = str(given[0].value)
            if code in CODES and node.func.id.endswith(("Fault", "Error")) and node.args:
                yield path.relative_to(ROOT).as_posix(), code, node, ast.get_source_segment(text, node) or ""


def test_every_refusal_of_too_much_names_what_changes_the_limit_in_both_languages() -> None:
    found = [call for call in calls() if call[2].func.id != "DocumentError"]  # type: ignore[attr-defined]
    assert {code for _, code, _, _ in found} == CODES
    for file, code, call, text in found:
        chinese = [keyword.value for keyword in call.keywords if keyword.arg in ("detail_zh", "chinese")]
        assert chinese, (file, code)
        assert re.search(r"PGASK_[A-Z_]+|fixed", text) or file in WITHOUT_SETTING, (file, code)
        assert re.search(r"\{|\d", ast.unparse(chinese[0])), (file, code)  # a figure
        for setting in re.findall(r"PGASK_([A-Z_]+)", text):
            assert setting.lower() in Settings.model_fields, setting


def test_every_file_that_is_too_large_is_told_by_the_table() -> None:
    for path in (ROOT / "ingest").rglob("*.py"):
        assert 'code="too_large"' not in path.read_text("utf-8"), path


@pytest.mark.parametrize("what", [*LIMITS, *LIMITS_OF_READING])
def test_both_sentences_have_the_same_figures(what: str) -> None:
    english, chinese = {**LIMITS, **LIMITS_OF_READING}[what]

    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert names(english) == names(chinese) >= {"most", "setting"}
    assert not re.search("[a-z]{3}", re.sub(r"\{\w+\}", "", chinese).replace("MiB", ""))


def test_the_sentences_say_what_there_is_and_what_may_be() -> None:
    assert over("bytes", 251_000_000, 200_000_000, "PGASK_MAX_FILE_BYTES") == (
        "The file has 251,000,000 bytes; the limit is 200,000,000 (PGASK_MAX_FILE_BYTES). Split it, or raise the limit."
    )
    assert over("chars", 20_000_417, 20_000_000, is_all=False) == (
        "The file has at least 20,000,417 characters of text; the limit is 20,000,000 (fixed). Split it."
    )
    assert over_reading("memory", 512) == (
        "Reading the file takes more than 512 MiB of memory (fixed). Split it."
    )
    assert too_large("pixels", 2, 1).code == "too_large" in REASONS
