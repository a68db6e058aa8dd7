"""Question files: JSON Lines with gold answers and gold passages, and where a gold passage lies in a text.

Knows nothing of how questions are asked. All offsets are half-open, in Unicode code points.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.errors import InvalidRequestError


class LanguageField(StrEnum):
    """Which wording of the questions is asked."""

    QUESTION = "question"
    QUESTION_EN = "question_en"


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a question file. A question without gold answers is answerable unless its line says
    otherwise: some sets only name the documents that should be found."""

    id: str
    question: str
    answers: tuple[str, ...] = ()
    doc: str | None = None  # source of the gold document
    docs: tuple[str, ...] = ()  # every source that counts as found; holds `doc` where there is one
    context: str | None = None  # gold passage, as the document's file has it
    context_start: int | None = None
    context_end: int | None = None
    answerable: bool = True
    question_en: str | None = None  # the English original of a translated question


class _LineError(Exception):
    """What is wrong with one line, without a final period; becomes an InvalidRequestError."""


def load_questions(
    path: Path, limit: int | None = None, language_field: LanguageField = LanguageField.QUESTION
) -> list[Question]:
    """Read the first `limit` questions (None: all), in the file's order.

    Tolerant: a byte-order mark, blank lines, unknown keys, a missing id (the line's number is taken), numbers
    as ids, one answer without a list, null for an absent value. Raises InvalidRequestError with the file and
    the line for anything else, for a repeated id, for a file without questions, and for a question that lacks the
    wording asked for.
    """
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        if limit is not None and len(questions) >= limit:
            break
        try:
            question = _parse(json.loads(line), number)
        except (_LineError, json.JSONDecodeError, RecursionError) as error:
            raise _error(path, number, str(error)) from error
        if question.id in seen:
            raise _error(path, number, f"id {question.id!r} is already on line {seen[question.id]}")
        if language_field is LanguageField.QUESTION_EN and question.question_en is None:
            raise _error(path, number, 'it has no "question_en"; leave out --language-field')
        seen[question.id] = number
        questions.append(question)
    if not questions:
        raise InvalidRequestError(f"{path} holds no questions.", code="invalid_question_file")
    return questions


def locate_context(text: str, context: str, near: int) -> tuple[int, int] | None:
    """Find a gold passage in a stored text that may differ from the file that it was cut from.

    The verbatim occurrence nearest to `near` (the earlier one of two equally near); else the nearest that
    differs in white space or invisible characters only; else None.

    >>> locate_context("aa bb aa", "aa", near=5)
    (6, 8)
    >>> locate_context("one  two", "one two", near=0)
    (0, 8)
    >>> locate_context("one\\ufefftwo", "onetwo", near=0)
    (0, 7)
    >>> locate_context("one two", "three", near=0) is None
    True
    """
    if not context.strip():
        return None
    if text.startswith(context, near):
        return near, near + len(context)
    starts = list(_occurrences(text, context))
    if starts:
        start = min(starts, key=lambda at: abs(at - near))
        return start, start + len(context)
    return _locate_ignoring_unseen(text, context, near)


def _is_seen(character: str) -> bool:
    """Whether a character leaves a mark: white space, controls and format characters (zero-width, BOM) do not."""
    return not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf")


def _locate_ignoring_unseen(text: str, context: str, near: int) -> tuple[int, int] | None:
    positions = [at for at, character in enumerate(text) if _is_seen(character)]
    dense_text = "".join(text[at] for at in positions)
    dense_context = "".join(filter(_is_seen, context))
    starts = list(_occurrences(dense_text, dense_context))
    if not starts:
        return None
    dense_near = bisect_left(positions, near)
    start = min(starts, key=lambda at: abs(at - dense_near))
    return positions[start], positions[start + len(dense_context) - 1] + 1


def _occurrences(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise InvalidRequestError(
            f"The question file {path} can't be read: {error.strerror}.", code="invalid_question_file"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidRequestError(
            f"The question file {path} is not UTF-8: {error.reason}.", code="invalid_question_file"
        ) from error


def _error(path: Path, number: int, reason: str) -> InvalidRequestError:
    return InvalidRequestError(f"{path}, line {number}: {reason}.", code="invalid_question_file")


def _parse(row: Any, number: int) -> Question:
    """One parsed line → Question. Raises _LineError."""
    if not isinstance(row, dict):
        raise _LineError("a question must be a JSON object")
    question = _text(row, "question")
    if question is None or not question.strip():
        raise _LineError('"question" is missing or empty')
    answers = _texts(row, "answers")
    doc = _text(row, "doc")
    docs = _texts(row, "docs")
    start, end = _span(row)
    return Question(
        id=_identifier(row, number),
        question=question,
        answers=answers,
        doc=doc,
        docs=docs if doc is None or doc in docs else (doc, *docs),
        context=_text(row, "context"),
        context_start=start,
        context_end=end,
        answerable=_answerable(row, answers),
        question_en=_text(row, "question_en"),
    )


def _identifier(row: Mapping[str, Any], number: int) -> str:
    value = row.get("id")
    if value is None:
        return str(number)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _LineError('"id" must be a string or a whole number')
    return str(value)


def _answerable(row: Mapping[str, Any], answers: tuple[str, ...]) -> bool:
    said = {
        key: row[key] is positive
        for key, positive in (("answerable", True), ("unanswerable", False))
        if isinstance(row.get(key), bool)
    }
    for key in ("answerable", "unanswerable"):
        if row.get(key) is not None and key not in said:
            raise _LineError(f'"{key}" must be true or false')
    if len(set(said.values())) > 1:
        raise _LineError('"answerable" and "unanswerable" contradict each other')
    answerable = all(said.values())
    if answers and not answerable:
        raise _LineError("an unanswerable question can't have answers")
    return answerable


def _span(row: Mapping[str, Any]) -> tuple[int | None, int | None]:
    start, end, context = _offset(row, "context_start"), _offset(row, "context_end"), _text(row, "context")
    if start is None:
        return None, None
    if end is None:
        if context is None:
            raise _LineError('"context_start" needs "context_end" or "context"')
        end = start + len(context)
    if end <= start:
        raise _LineError('"context_end" must be greater than "context_start"')
    return start, end


def _offset(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _LineError(f'"{key}" must be a whole number from 0')
    return value


def _text(row: Mapping[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise _LineError(f'"{key}" must be a string')
    return value


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _LineError(f'"{key}" must be a list of strings')
    return tuple(value)
