"""Numbers in a question that name one of several things ("HSK 2", "error 503", 第3条), not how many or how much; pure.

What documents say of another number answers nothing, as with a code.
"""

from __future__ import annotations

import re
from typing import Final

from app.lexicon import fold_script

_LABELS: Final = (
    "codes?|errors?|alarms?|rooms?|levels?|steps?|sections?|chapters?|weeks?|gates?|docks?|bays?|phases?|stages?|lines?"
    "|routes?|versions?|articles?|clauses?|grades?|class|zones?|aisles?|shelf|units?|modules?|lessons?|items?|number"
    r"|no\.|nr\.|pages?|tiers?|options?|chambers?|halls?|lanes?|buildings?|floors?|terminals?"
)
_UNITS: Final = (
    "years?|months?|weeks?|days?|hours?|minutes?|people|persons|times|eur|usd|gbp|kg|km|m|cm|mm|g|h|min|s|t"
)
_AFTER_A_DAY: Final = "前后起止至到晚早的是有在会要能可放休开举召，、和与或吗呢"
_NUMBERED: Final = re.compile(
    rf"(?<![\w-])(?:[A-Z]{{2,6}} #?|(?i:{_LABELS})[ #-]{{1,2}})"
    rf"(?P<n>\d{{1,5}})\b(?! ?(?:%|[.,:/]\d|(?i:{_UNITS})\b))"
    r"|第 ?(?P<z>\d{1,5}) ?[条章节周页级步号款批期轮类档层]"
    r"|(?:代码|错误|故障|房间|楼层|等级|级别|编号|教室|仓库|冷库) ?(?P<y>\d{1,5})(?![\d.]| ?[个天年月日元%])"
)

# 3号水泵, and not the third of a month
_BY_HAO: Final = re.compile(
    r"(?<![\d月.:-])(?P<n>\d{1,5}) ?号(?=[\u4e00-\u9fff])"
    rf"(?![{_AFTER_A_DAY}]|(?:之|以|开|星|凌|中|下|上)[前后内始到期晨午旬])"
)


def numbered_things(question: str) -> frozenset[str]:
    """The numbers that name a thing, as they are written.

    >>> sorted(numbered_things("When is the HSK 2 exam in room 14, at 3 pm?"))
    ['14', '2']
    >>> numbered_things("Does the GW-7 cost less than EUR 100?"), numbered_things("第3条说什么？")
    (frozenset(), frozenset({'3'}))
    """
    return frozenset(
        found[found.lastgroup or 0]
        for found in _NUMBERED.finditer(fold_script(question))
        if not re.match(r"(?:EUR|USD|GBP|CHF|CNY|RMB|HKD|TWD|JPY|AM|PM)\b", found[0])
    )


def numbered_by_hao(question: str) -> frozenset[str]:
    """The numbers before 号 that are part of a thing's name: what stands near that name goes on without it.

    >>> numbered_by_hao("3号水泵的容量是多少升？"), numbered_by_hao("5月3号放假吗？")
    (frozenset({'3'}), frozenset())
    """
    return frozenset(found["n"] for found in _BY_HAO.finditer(fold_script(question)))
