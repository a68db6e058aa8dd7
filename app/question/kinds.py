"""What kind of answer a question wants: a passage, a list, steps, a count, a comparison; a number, a name. Pure.

Told by the words that ask, which are few; what is asked about tells nothing here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.lexicon import fold_script
from app.question.shapes import Shape, read_shape

_SUPERLATIVE: Final = re.compile(
    r"\b(?:cheapest|most|least|highest|lowest|largest|biggest|smallest|longest|shortest|best|worst|fastest|slowest|oldest|newest"
    r"|heaviest|lightest|strongest|earliest|latest|dearest|maximum|minimum)\b|最(?!近|后|新|多可|少要|终)|哪个(?:更|比较)",
    re.IGNORECASE,
)
_NUMBER_ASKED: Final = re.compile(
    r"\b(how (many|much|old|long|far|often|big|large|high|tall|heavy|wide|deep|fast)|when|by when"
    r"|what (year|date|time|percent\w*|price|amount)|which year)\b"
    r"|多少|几[个年月天位次人种条点号日岁]|哪一?[年天日]|何时|什么时候|时间|多[大长高久远重]|日期|年份|百分|几",
    re.IGNORECASE,
)
_PRICE_ASKED: Final = re.compile(
    r"\bhow much (?:is|are|does|do|did|for|to|would)\b|\bcosts?\b|\bprices?\b|\bexpensive\b|\bcheap\w*\b"
    r"|多少钱|价格|价钱|单价|售价|费用是|贵|便宜",
    re.IGNORECASE,
)
_MEANING_ASKED: Final = re.compile(
    r"^\s*(?:what (?:is|are)|what's|什么是|何谓|何为)\s*(?:an? |the )?(?P<first>[^?？]{1,40}?)\s*[?？]?\s*$"
    r"|^\s*(?:what does )?(?P<last>[^?？]{1,40}?)\s*(?:mean|stand for|是什么|是什么意思|是指什么|指什么)\s*[?？]?\s*$",
    re.IGNORECASE,
)
_NAME_ASKED: Final = re.compile(r"\b(who|whom|whose)\b|谁|哪[位个]?(?:人|负责)", re.IGNORECASE)
_CODE_ASKED: Final = re.compile(
    r"\b(?:example|snippet|code|command|curl|json|yaml|sql|script|syntax|look like|in python|in java|in bash"
    r"|function|method|class|constant"
    r"|parameter|default of)\b|示例|例子|代码|命令|脚本|语法|函数|写法",
    re.IGNORECASE,
)
_NEGATED: Final = re.compile(
    r"\b(?:not|no|never|without|cannot|\w+n['’]t|except)\b|不|没|未|无法|禁止|除了", re.IGNORECASE
)
_YEAR: Final = re.compile(r"(?<![\d-])(?:19|20)\d\d(?![\d-])")
_NUMBER: Final = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|billion|first"
    r"|second|third|half)\b|[一二三四五六七八九十百千万亿两]+[个年月天日位次人种条元倍]",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question wants. `value`: what a sentence has that answers it, None where the question does not tell.
    `years`: those that it names, as text."""

    shape: Shape
    value: re.Pattern[str] | None
    code: bool
    price: bool
    superlative: bool
    negated: bool
    meaning: bool
    years: tuple[str, ...]


def read_wanted(question: str) -> Wanted:
    """What kind of answer a question, bare of courtesy, wants."""
    folded = fold_script(question)
    return Wanted(
        read_shape(folded),
        _value(folded),
        bool(_CODE_ASKED.search(folded)),
        bool(_PRICE_ASKED.search(folded)),
        bool(_SUPERLATIVE.search(folded)),
        bool(_NEGATED.search(folded)),
        bool(_MEANING_ASKED.match(folded)),
        tuple(_YEAR.findall(folded)),
    )


def _value(question: str) -> re.Pattern[str] | None:
    if meaning := _MEANING_ASKED.match(question):
        thing = re.escape(meaning["first"] or meaning["last"])
        return re.compile(
            rf"^\W*(?:an? |the )?{thing}\W*(?:（[^）]*）|\([^)]*\))?\s*(?:就是|是|指|is\b|are\b|means?\b)",
            re.IGNORECASE,
        )
    return _NUMBER if _NUMBER_ASKED.search(question) else _NAME if _NAME_ASKED.search(question) else None
