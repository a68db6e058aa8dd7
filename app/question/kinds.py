"""What kind of answer a question wants: a passage, a list, steps, a count, a comparison; a number, a name. Pure.

Told by the words that ask, which are few; what is asked about tells nothing here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.lexicon import fold_script, terms
from app.question.answer_types import read_answer_type
from app.question.shapes import Shape, read_shape

# The most of several, not a limit: "at most", 最多可以, 最晚几点.
_SUPERLATIVE: Final = re.compile(
    r"\b(?:cheapest|(?<!at )most|(?<!at )least|fewest|highest|lowest|largest|biggest|smallest|longest|shortest|best"
    r"|worst|fastest|slowest|oldest|newest|heaviest|lightest|strongest|earliest|latest|dearest|maximum|minimum)\b"
    r"|最(?!近|后|新|终|初|好(?!的)|[多少].{0,6}(?:几|多少|多久|多长)|.{1,2}(?:可以|可(?=[^靠])|能(?!干|量|效)|要|需|得|几|多少|多久|什么时候|何时|不超过))"
    r"|哪个(?:更|比较)",
    re.IGNORECASE,
)
_PRICE_ASKED: Final = re.compile(
    r"\bhow much (?:is|are|does|do|did|for|to|would)\b|\bcosts?\b|\bprices?\b|\bexpensive\b|\bcheap\w*\b"
    r"|多少钱|价格|价钱|单价|售价|费用是|贵(?![公司方宾州阳重金])|便宜",
    re.IGNORECASE,
)
_MEANING_ASKED: Final = re.compile(
    r"^\s*+(?:what (?:is|are)|what's|什么是|何谓|何为)\s*+(?:an? |the )?(?P<first>[^?？]{1,40}?)\s*+(?:[?？]\s*+)?$"
    r"|^\s*+(?:what does )?(?P<last>[^?？]{1,40}?)\s*(?:mean|stand for|是什么|是什么意思|是指什么|指什么)"
    r"\s*+(?:[?？]\s*+)?$",
    re.IGNORECASE,
)
_CODE_ASKED: Final = re.compile(
    r"\b(?:example|snippet|code|command|curl|json|yaml|sql|script|syntax|look like|in python|in java|in bash"
    r"|function|method|class|constant"
    r"|parameter|default of)\b|示例|例子|代码|命令|脚本|语法|函数|写法",
    re.IGNORECASE,
)
# Neither 能不能 nor 有没有, which ask both ways, nor 不同, 不锈钢 and 未来.
_NEGATED: Final = re.compile(
    r"\b(?:not|no(?!\.)|never|without|cannot|\w+n['’]t|except)\b"
    r"|(?:^|(.))[不没](?!\1|[同锈仅断久论管良收])(?<!对不)|未(?![来婚成])|无法|禁止|除了",
    re.IGNORECASE,
)
_FEW: Final = (
    "one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty"
    r"|(?:half )?an?(?= (?:year|month|week|day|hour|minute)\b)"
)
# A number with a bound is no comparison of two things.
_BOUND: Final = re.compile(
    r"\b(?:(?:less|fewer|more|cheaper|longer|shorter|older|younger|heavier|lighter|higher|lower|larger|bigger|smaller"
    r"|greater|taller|later|earlier|faster|slower) than|under|over|above|below|exceed(?:s|ing)?|at least|at most|up to"
    r"|(?<!difference )between(?= \S+(?: \S+)? (?:and|to) \S*\d)) (?:[A-Z]{3} |[A-Z]{0,2}[€$£¥] ?)?"
    rf"(?:\d|(?:{_FEW})\b)"
    r"|(?:[低高少多大小短长]于|超过|不到|不足|至少|至多|不超过|等于)\s*[\d一二两三四五六七八九十百半]"
    r"|[\d一二两三四五六七八九十百千万半]\s*[^\W\d]{0,5}以[上下内]"
    r"|\d[^\W\d]{0,3}(?:到|至|-|~|～)\s?[\d一二三四五六七八九十百千万]+[^\W\d]{0,3}之间",
    re.IGNORECASE,
)
_YEAR: Final = re.compile(r"(?<![\d-])(?:19|20)\d\d(?![\d-])")


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
    bound: bool
    meaning: bool
    years: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether all of a list or table may be asked for."""
        return self.shape in ("list", "steps", "count") or self.superlative or self.bound


def read_wanted(question: str) -> Wanted:
    """What kind of answer a question, bare of courtesy, wants."""
    folded = fold_script(question)
    return Wanted(
        read_shape(_BOUND.sub(" ", folded)),
        _value(folded),
        bool(_CODE_ASKED.search(folded)),
        bool(_PRICE_ASKED.search(folded)),
        bool(_SUPERLATIVE.search(folded)),
        bool(_NEGATED.search(folded)),
        bool(_BOUND.search(folded)),
        bool(_MEANING_ASKED.match(folded)),
        tuple(_YEAR.findall(folded)),
    )


def operation_terms(question: str) -> frozenset[str]:
    """The terms of a question that say what is to be done with numbers ("cheapest", "less than"): no document needs to
    hold them.

    >>> sorted(operation_terms("Which route is the longest?"))
    ['longest']
    """
    folded = fold_script(question)
    found = (*_SUPERLATIVE.finditer(folded), *_BOUND.finditer(folded))
    return frozenset(term for match in found for term in terms(re.sub(r"\d.*", "", match[0])))


def _value(question: str) -> re.Pattern[str] | None:
    if meaning := _MEANING_ASKED.match(question):
        thing = re.escape(meaning["first"] or meaning["last"])
        return re.compile(
            rf"^\W*(?:an? |the )?{thing}\W*(?:（[^）]*）|\([^)]*\))?\s*(?:就是|是|指|is\b|are\b|means?\b)",
            re.IGNORECASE,
        )
    kind = read_answer_type(question)
    return kind.value if kind is not None else None
