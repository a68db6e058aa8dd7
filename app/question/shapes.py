"""Whether a question wants a list, steps, a count, a comparison or a passage; pure. The forms are in shapes.txt.

"between 9 and 10" compares nothing, "who signs the list" asks for one name, and 多少个工作日内 asks how long.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal

from app.question.phrases import read_phrases

Shape = Literal["passage", "list", "steps", "count", "comparison"]

_IN_ORDER: Final[tuple[Shape, ...]] = ("comparison", "count", "steps", "list")


def read_shape(question: str) -> Shape:
    """The shape of the answer to a question in simplified characters, bare of courtesy.

    >>> read_shape("Which cities have an office?"), read_shape("有哪些步骤？"), read_shape("How many offices exist?")
    ('list', 'steps', 'count')
    >>> read_shape("LX-200和LX-300哪个便宜？"), read_shape("How long is the meeting between 9 and 10?")
    ('comparison', 'passage')
    """
    question = question.strip()
    return next((shape for shape in _IN_ORDER if _asks_for()[shape].search(question)), "passage")


@cache
def _asks_for() -> dict[str, re.Pattern[str]]:
    forms = read_phrases("shapes")
    return {
        shape: re.compile("|".join(form for heading, form in forms if heading == shape), re.IGNORECASE)
        for shape in _IN_ORDER
    }
