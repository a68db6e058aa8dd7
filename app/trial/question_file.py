"""Question files: JSON Lines with gold answers and gold passages, and where a gold passage lies in a text.

Knows nothing of how questions are asked. All offsets are half-open, in Unicode code points. The patterns of a question
file are run as they are: such a file is trusted like a program, since a pattern can be made to search for ever.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from app.errors import InvalidRequestError
from app.lexicon import is_chinese

PATTERN_SEPARATOR: Final = " && "  # between the patterns of "gold_regex", all of which must be found
MAX_PATTERN_CHARS: Final = 2000  # of one field; longer is a slip, and takes long to compile

_Row = TypeVar("_Row")


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
    kind: str | None = None  # what sort of question it is: figures are told by kind
    lang: str | None = None  # "en" or "zh" where the line says it; else see `language`
    collection: str | None = None  # which of several corpora it asks
    expected: str | None = None  # the right reply, for a reader
    gold_patterns: tuple[re.Pattern[str], ...] = ()  # each is found in a right answer
    must_not: re.Pattern[str] | None = None  # what may not stand in a right answer; see eval/verdicts.py
    about_collection: bool = False  # a greeting, or asks about the collection itself, not for a fact

    @property
    def language(self) -> str:
        """What the line says, else "zh" for a question that is mostly Chinese and "en" for any other."""
        return self.lang or ("zh" if is_chinese(self.question) else "en")

    @property
    def has_gold(self) -> bool:
        """Whether a right answer can be told from a wrong one."""
        return bool(self.gold_patterns or self.answers)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Questions that are asked in order, each with those before it and their answers as history."""

    id: str
    turns: tuple[Question, ...]  # their ids are the dialogue's with "/0", "/1", …

    @property
    def collection(self) -> str | None:
        """Which of several corpora it asks."""
        return self.turns[0].collection


class LineError(Exception):
    """What is wrong with one line, without a final period; `read_rows` makes an InvalidRequestError of it."""


def load_questions(
    path: Path, limit: int | None = None, language_field: LanguageField = LanguageField.QUESTION
) -> list[Question]:
    """Read the first `limit` questions (None: all), in the file's order.

    Tolerant: a byte-order mark, blank lines, unknown keys, a missing id (the line's number is taken), numbers
    as ids, one answer without a list, null for an absent value. Raises InvalidRequestError with the file and
    the line for anything else, for a repeated id, for a file without questions, and for a question that lacks the
    wording asked for. So does a pattern that can't be compiled.
    """

    def read(row: Any, number: int) -> Question:
        question = parse_question(row, number)
        if language_field is LanguageField.QUESTION_EN and question.question_en is None:
            raise LineError('it has no "question_en"; leave out --language-field')
        return question

    return read_rows(path, read, lambda question: question.id, "questions", limit)


def load_dialogues(path: Path) -> list[Dialogue]:
    """Read dialogues: lines with "turns", a list of questions, and "kind", "lang" and "collection" for all of them.
    Raises InvalidRequestError as `load_questions` does."""
    return read_rows(path, _parse_dialogue, lambda dialogue: dialogue.id, "dialogues")


def read_rows(
    path: Path,
    read: Callable[[Any, int], _Row],
    identify: Callable[[_Row], str],
    what: str,
    limit: int | None = None,
) -> list[_Row]:
    """Read the first `limit` lines by `read(parsed JSON, line number)`, which raises LineError. Raises
    InvalidRequestError with the file and the line, also for a repeated id and for a file without any of `what`."""
    rows: list[_Row] = []
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        if limit is not None and len(rows) >= limit:
            break
        try:
            row = read(json.loads(line), number)
        except (LineError, json.JSONDecodeError, RecursionError) as error:
            raise _error(path, number, str(error)) from error
        name = identify(row)
        if name in seen:
            raise _error(path, number, f"id {name!r} is already on line {seen[name]}")
        seen[name] = number
        rows.append(row)
    if not rows:
        raise InvalidRequestError(f"{path} holds no {what}.", code="invalid_question_file")
    return rows


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


def parse_question(row: Any, number: int) -> Question:
    """One parsed line → Question; `number` names it where it has no id. Raises LineError."""
    if not isinstance(row, dict):
        raise LineError("a question must be a JSON object")
    question = _text(row, "question")
    if question is None or not question.strip():
        raise LineError('"question" is missing or empty')
    answers = _texts(row, "answers")
    patterns = _patterns(row, "gold_regex")
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
        answerable=_answerable(row, has_gold=bool(answers or patterns)),
        question_en=_text(row, "question_en"),
        kind=_text(row, "kind") or None,
        lang=_text(row, "lang") or None,
        collection=_text(row, "collection") or None,
        expected=_text(row, "expected"),
        gold_patterns=patterns,
        must_not=_pattern(row, "must_not_regex"),
        about_collection=_flag(row, "about_collection"),
    )


def _parse_dialogue(row: Any, number: int) -> Dialogue:
    """One parsed line → Dialogue. Raises LineError."""
    if not isinstance(row, dict):
        raise LineError("a dialogue must be a JSON object")
    turns = row.get("turns")
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
        raise LineError('"turns" must be a list of questions')
    name = _identifier(row, number)
    shared = {key: row[key] for key in ("kind", "lang", "collection") if key in row}
    return Dialogue(
        name,
        tuple(
            parse_question({**turn, **shared, "id": f"{name}/{at}"}, number) for at, turn in enumerate(turns)
        ),
    )


def _patterns(row: Mapping[str, Any], key: str) -> tuple[re.Pattern[str], ...]:
    text = _text(row, key)
    return () if text is None else tuple(_compile(part, key) for part in text.split(PATTERN_SEPARATOR))


def _pattern(row: Mapping[str, Any], key: str) -> re.Pattern[str] | None:
    text = _text(row, key)
    return None if text is None else _compile(text, key)


def _compile(pattern: str, key: str) -> re.Pattern[str]:
    if not pattern:
        raise LineError(f'"{key}" has an empty pattern; write null where there is none')
    if len(pattern) > MAX_PATTERN_CHARS:
        raise LineError(f'"{key}" is longer than {MAX_PATTERN_CHARS} characters')
    try:
        return re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise LineError(f'"{key}" is no regular expression ({error})') from error


def _flag(row: Mapping[str, Any], key: str) -> bool:
    value = row.get(key)
    if value is not None and not isinstance(value, bool):
        raise LineError(f'"{key}" must be true or false')
    return bool(value)


def _identifier(row: Mapping[str, Any], number: int) -> str:
    value = row.get("id")
    if value is None:
        return str(number)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise LineError('"id" must be a string or a whole number')
    return str(value)


def _answerable(row: Mapping[str, Any], *, has_gold: bool) -> bool:
    said = {
        key: row[key] is positive
        for key, positive in (("answerable", True), ("unanswerable", False))
        if isinstance(row.get(key), bool)
    }
    for key in ("answerable", "unanswerable"):
        if row.get(key) is not None and key not in said:
            raise LineError(f'"{key}" must be true or false')
    if len(set(said.values())) > 1:
        raise LineError('"answerable" and "unanswerable" contradict each other')
    answerable = all(said.values())
    if has_gold and not answerable:
        raise LineError("an unanswerable question can't have answers")
    return answerable


def _span(row: Mapping[str, Any]) -> tuple[int | None, int | None]:
    start, end, context = _offset(row, "context_start"), _offset(row, "context_end"), _text(row, "context")
    if start is None:
        return None, None
    if end is None:
        if context is None:
            raise LineError('"context_start" needs "context_end" or "context"')
        end = start + len(context)
    if end <= start:
        raise LineError('"context_end" must be greater than "context_start"')
    return start, end


def _offset(row: Mapping[str, Any], key: str) -> int | None:
    value = row.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise LineError(f'"{key}" must be a whole number from 0')
    return value


def _text(row: Mapping[str, Any], key: str) -> str | None:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise LineError(f'"{key}" must be a string')
    return value


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LineError(f'"{key}" must be a list of strings')
    return tuple(value)
