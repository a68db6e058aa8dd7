"""Ways to ask the same question: courtesy around it, all in capitals, no question mark.

A template file is JSON Lines with `id`, `lang` ("en" or "zh"), `template` with `{question}`, and `transform`, what is
done to the question before: one or several of `TRANSFORMS`, with commas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.trial.question_file import LineError, read_rows

PLACE: Final = "{question}"


def lower_first_letter(question: str) -> str:
    """The first letter in lower case, unless the second is a capital, as in "VPN".

    >>> lower_first_letter("What is a VPN?"), lower_first_letter("VPN?"), lower_first_letter("")
    ('what is a VPN?', 'VPN?', '')
    """
    return question if question[1:2].isupper() else question[:1].lower() + question[1:]


def drop_question_mark(question: str) -> str:
    """Without the question marks at its end.

    >>> drop_question_mark("Where? Here?! "), drop_question_mark("哪里？")
    ('Where? Here?!', '哪里')
    """
    return question.rstrip().rstrip("?？").rstrip()


TRANSFORMS: Final[Mapping[str, Callable[[str], str]]] = {
    "first letter of the question in lower case, unless its second letter is a capital": lower_first_letter,
    "no question mark at the end": drop_question_mark,
    "all in lower case": str.lower,
    "all in capitals": str.upper,
}


@dataclass(frozen=True, slots=True)
class Template:
    """One way to ask."""

    id: str
    language: str  # of the questions that it is for: "en" or "zh"
    text: str  # holds PLACE once
    transforms: tuple[str, ...] = ()  # keys of TRANSFORMS, in their order

    def word(self, question: str) -> str:
        """The question as this template asks it.

        >>> Template("t", "en", "Please: {question}", ("all in capitals",)).word("Who?")
        'Please: WHO?'
        """
        for name in self.transforms:
            question = TRANSFORMS[name](question)
        return self.text.replace(PLACE, question)


def load_templates(path: Path) -> list[Template]:
    """Read a template file. Raises InvalidRequestError with the file and the line."""
    return read_rows(path, _parse, lambda template: template.id, "templates")


def _parse(row: Any, number: int) -> Template:
    if not isinstance(row, dict):
        raise LineError("a template must be a JSON object")
    text, language = row.get("template"), row.get("lang")
    if not isinstance(text, str) or text.count(PLACE) != 1:
        raise LineError(f'"template" must be a text that holds {PLACE} once')
    if language not in ("en", "zh"):
        raise LineError('"lang" must be "en" or "zh"')
    name = row.get("id")
    if name is not None and not isinstance(name, str):
        raise LineError('"id" must be a string')
    return Template(name or str(number), language, text, _split_transform(row.get("transform")))


def _split_transform(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    rest = value.strip() if isinstance(value, str) else ""
    found: list[str] = []
    while not found or rest:
        name = next((name for name in TRANSFORMS if f"{rest}, ".startswith(f"{name}, ")), None)
        if name is None:
            raise LineError(f'"transform" must be made of: {"; ".join(TRANSFORMS)}')
        found.append(name)
        rest = rest[len(name) :].removeprefix(",").strip()
    return tuple(found)
