"""What kind of value answers a question ("How long …?": a duration), told by the words that ask; pure.

The types are those of factoid question answering (Li and Roth 2002, "Learning Question Classifiers"), as far as a
pattern can find their values in text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

AnswerTypeName = Literal[
    "contact",
    "money",
    "percent",
    "frequency",
    "time",
    "duration",
    "extent",
    "date",
    "reason",
    "amount",
    "name",
    "place",
]

_NUMBER: Final = (
    r"(?:\d[\d,.]*|\b(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty"
    r"|forty|fifty|sixty|ninety|hundred|half|several)\b|[一二三四五六七八九十百千万两半几零〇]+)"
)
_MONTH: Final = (
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|march|april|may|june|july|aug(?:ust)?|sept(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b"
)
_WEEKDAY: Final = (
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\bweekends?\b|(?:周|星期)[一二三四五六日末天]"
)
_CLOCK: Final = (
    r"\d{1,2}[:：]\d\d|\b\d{1,2} ?[ap]\.?m\b|\b(?:noon|midnight|o'clock)\b|[\d一二三四五六七八九十]点"
)
_SPAN: Final = (
    rf"{_NUMBER}[ -]?(?:\w+ )?(?:years?|months?|weeks?|(?:\w+ )?days?|hours?|minutes?|seconds?|h|min|ms)\b"
    rf"|{_NUMBER} ?个?(?:工作|自然|日历)?(?:年|月|周|星期|天|日|小时|分钟|秒|毫秒|学期)"
    r"|\b(?:permanently|indefinitely|for ever|forever|for life|unlimited)\b|永久|无限期|终身|长期"
)
_CURRENCY: Final = r"[$€£¥￥]|\b(?:EUR|USD|GBP|CHF|CNY|RMB|HKD|TWD|NTD|JPY)\b"
# What asks for a type, the first that does decides: question words, then what a question is about, then any number.
_ASKED: Final[tuple[tuple[AnswerTypeName, tuple[str, ...]], ...]] = (
    (
        "contact",
        (
            r"\b(?:what|which)\b.*\b(?:phone|telephone|mobile|extension|fax|e-?mail|contact)"
            r" (?:number|address|details)\b",
            r"\bnumber (?:do|should|can) i (?:call|ring|dial)\b|\bhow (?:do|can|could) (?:i|we) contact\b",
            r"\bhow (?:do|can|could) (?:i|we) reach\b(?!.*\b(?:page|menu|settings?|screen|mode|station|airport|by)\b)",
            r"(?:电话|手机号|分机|邮箱|邮件地址|传真)号?码?(?:是|为)?(?:多少|什么|几)|联系方式|怎么联系|如何联系",
        ),
    ),
    (
        "percent",
        (
            r"\b(?:what|which) (?:percent\w*|share of|proportion|rate)\b|\bhow many percent\b",
            r"百分之[几多]|(?:比例|百分比|税率|利率)(?:是|为)?多少",
        ),
    ),
    (
        "reason",
        (
            r"^\W*(?:why|how come|what(?:'s| is| was| were| are)? the (?:reasons?|causes?))\b|\bfor what reason\b",
            r"(?<![称作译分叫成名改视定封选评列誉命认设变])为什么(?!样)|为何|为啥|怎么会"
            r"|(?:什么|哪些|何种)(?:原因|缘由)|(?:原因|缘由)(?:是|为|有|在于)?(?:什么|哪些|何|\W*$)",
        ),
    ),
    (
        "frequency",
        (
            r"\bhow (?:often|frequently|regularly)\b|\bhow many times\b",
            r"多久.{0,8}一次|几次|多少次|频率|多长时间.{0,8}一次",
        ),
    ),
    ("time", (r"\b(?:what|which) time\b|\bhow (?:late|early)\b", r"几点|几时")),
    (
        "date",
        (
            r"^\W*+when\b(?![^,\n]*+,.*\b(?:what|how|who|where|which|can|do|does|is|are|should|must)\b)",
            r"\b(?:until|since|by) when\b|\b(?:know|tell)(?: me| us)? when\b",
            r"\bwhen (?:is|are|was|were|do|does|did|will|can|may|must|should|has|have)\b",
            r"\b(?:what|which) (?:\w+ )?(?:date|day|year|month|week|quarter)\b|\bhow old\b|\b(?:what|which) age\b",
            r"什么时候|何时|哪一?[年天日月]|几[月号日](?!个)|啥时候|什么时间|多大(?:年龄|岁数)|几岁",
        ),
    ),
    ("extent", (r"\bhow long (?:is|are|was|were|may|can)\b|多长(?!时间)",)),
    (
        "duration",
        (
            r"\bhow (?:long|soon|quickly)\b|\bhow much time\b",
            r"\bhow many (?:\w+ )?(?:years|months|weeks|days|hours|minutes|seconds)\b",
            r"多久|多长|多少(?:个|工作|自然)*(?:年|月|周|天|日|小时|分钟|秒|时间)",
            r"几个?(?:年|周|星期|天|工作日|小时|分钟)|几个月",
        ),
    ),
    (
        "money",
        (
            r"\bhow much (?:money\b|(?:is|are|was|were|does|do|did|for|to|would|will|can|may|should)\b)",
            r"\bhow many (?:euros?|dollars?|pounds?|francs?|yuan)\b",
            r"多少[钱元]|[费价款金钱](?:用|格)?(?:是|要|为)?多少|几[元块]|费(?:用)?怎么算",
        ),
    ),
    ("place", (r"\bwhere\b|\b(?:what|which) (?:room|floor|building|address|place|city|office|street)\b",)),
    ("place", (r"哪里|在哪|何处|什么地方|哪[个间座]?(?:房|楼|室|城|层)",)),
)
# Things that have a value of a type: one is asked for unless the question asks how, or whether.
_ABOUT: Final[tuple[tuple[AnswerTypeName, tuple[str, ...]], ...]] = (
    (
        "contact",
        (r"\b(?:phone|telephone|extension|e-?mail)\b(?! \w+ing\b)", r"电话|手机号|分机|邮箱|邮件地址|传真"),
    ),
    ("percent", (r"比例|百分比|税率|利率",)),
    ("time", (r"\b(?:opening|business|office|core|working) hours\b", r"营业时间|开放时间|上班时间|下班时间")),
    (
        "money",
        (
            r"\b(?:costs?|prices?|fees?|salary|allowance|budget|deposit)\b|\b(?:the|an?|what)"
            r" (?:\w+ )?fine\b|\bfines\b",
            r"价格|价钱|单价|售价|工资|薪资|津贴|补贴|罚款|预算",
        ),
    ),
    ("duration", (r"期限|有效期|保质期|质保期|保修期|保固期|时长",)),
    ("date", (r"\bdeadline\b", r"日期|截止|时间\W*$")),
    ("place", (r"地址|地点",)),
)
_NO_TOPIC: Final = re.compile(
    r"^\W*(?:how|why|who|can|could|may|must|should|shall|is|are|was|were|do|does|did|has|have|will|would)\b"
    r"|吗|是否|能否|可否|(.)不\1|有没有|怎么|怎样|如何|可以",
    re.IGNORECASE,
)
_NUMBER_ASKED: Final = (
    r"\bhow (?:many|much|far|fast|big|large|high|tall|heavy|wide|deep|thick|loud|hot|cold|warm|strong)\b",
    r"\b(?:what|which) (?:\w+ )?(?:number|amount|size|weight|height|width|length|temperature|distance|limit"
    r"|capacity)\b",
    r"多少|几[个位名台条项种次人家份]|多[大高远重宽深厚]|百分|数量|重量|尺寸|高度|宽度|温度|距离|上限|下限|容量",
)
# What the values of each type look like.
_VALUES: Final[dict[AnswerTypeName, tuple[str, ...]]] = {
    "contact": (
        r"[\w.+-]+@[\w-]+\.\w|\+?\d[\d ()/.-]{5,}\d|\bext(?:ension)?\.? ?\d+|分机\D{0,3}\d+",
        r"(?<![\d.,])\d{3,5}(?![\d%]|[.,]\d)",
    ),
    "percent": (r"\d ?%|\bper ?cent\b|百分之|[万千]分之|成",),
    "frequency": (
        r"\b(?:every|each|per|once|twice|times?|daily|weekly|monthly|quarterly|yearly|annually|hourly)\b",
        r"[每次]",
    ),
    "time": (_CLOCK,),
    "money": (
        rf"(?:{_CURRENCY}) ?\d|\d[\d,.]* ?(?:{_CURRENCY}|(?:euros?|dollars?|pounds?|cents?|yuan|francs?)\b)",
        r"[\d一二三四五六七八九十百千万两] ?万?[元块倍]|\d ?%|免费|免收",
        r"\b(?:free of charge|no charge|at no cost|is free|for free)\b",
    ),
    "duration": (_SPAN,),
    # "How long is it" may be a length.
    "extent": (
        _SPAN,
        rf"{_NUMBER}[ -]?(?:metres?|meters?|feet|inches|characters?|pages?|words?|[ckm]?m)\b",
        rf"{_NUMBER} ?(?:米|公里|厘米|毫米|字|页)",
    ),
    "date": (
        r"(?<![A-Za-z0-9_-])[12]\d{3}(?:-\d\d){0,2}(?![A-Za-z0-9_-])",
        rf"\d ?(?:st|nd|rd|th)\b|{_MONTH}|{_WEEKDAY}|{_CLOCK}|\d ?[年月日号]",
        r"[一二三四五六七八九十]月|季度|世纪|\bcentury\b|[月年季周][初中末底]",
        rf"\b(?:end|start|beginning|middle|age) of\b|{_SPAN}|岁",
    ),
    "reason": (
        r"\b(?:because|due to|owing to|thanks to|on account of|as a result|therefore|reasons?|cause[sd]?|so that",
        r"in order to|since(?! \d)|to (?:avoid|prevent|ensure|protect|save|allow|make sure))\b",
        r", (?:as|so|for) (?!(?:example|instance|short|now|each|every|all|one|well|far|\d)\b)",
        r"因为|由于|原因|因(?!此|素|特|子|果)|所以|因此|为了|以便|以免|鉴于|导致|避免|防止|考虑到|旨在|从而",
    ),
    "amount": (_NUMBER,),
    "place": (
        r"\b(?:in|at|on|to|from|near|under|behind|beside|inside|outside) (?:the )?\w",
        r"\b(?:room|floor|building|street|road)\b|[楼层室号路街市区县厅处仓库柜门旁]",
    ),
}
# Names are told by their capitals, so this type alone minds case in its values.
_NAME_ASKED: Final = re.compile(
    r"\b(?:who|whom|whose)\b|谁|哪位|哪个?(?:人|负责)|负责人|联系人", re.IGNORECASE
)
_NAME: Final = re.compile(
    r"(?<=[a-z,;:|] )[A-Z][a-z]+|^\W*[A-Z][a-z]+ [A-Z][a-z]+"
    r"|[\u4e00-\u9fff]{2,4}(?:负责|先生|女士|经理|主任|总监|医生|老师|担任)|由.{2,6}负责|负责人|联系人"
)


@dataclass(frozen=True, slots=True)
class AnswerType:
    """What kind of value is asked for, and what finds one in a text of folded script."""

    name: AnswerTypeName
    value: re.Pattern[str]


_TYPES: Final = {
    name: AnswerType(name, re.compile("|".join(value), re.IGNORECASE)) for name, value in _VALUES.items()
}
_ASKING: Final = tuple((re.compile("|".join(asked), re.IGNORECASE), _TYPES[name]) for name, asked in _ASKED)
_TOPICS: Final = tuple((re.compile("|".join(asked), re.IGNORECASE), _TYPES[name]) for name, asked in _ABOUT)
_NUMBERS: Final = re.compile("|".join(_NUMBER_ASKED), re.IGNORECASE)

REASON: Final = _TYPES["reason"].value  # what says why something is so


def read_answer_type(question: str) -> AnswerType | None:
    """The kind of value that a question, bare of courtesy and in folded script, asks for; None where it does not tell.

    >>> [read_answer_type(q).name for q in ("How long do keys last?", "谁负责备份？", "How much is a desk?")]
    ['duration', 'name', 'money']
    """
    kind = next((kind for asked, kind in _ASKING if asked.search(question)), None)
    if kind is None and not _NO_TOPIC.search(question):
        kind = next((kind for asked, kind in _TOPICS if asked.search(question)), None)
    if kind is None and _NUMBERS.search(question):
        kind = _TYPES["amount"]
    if _NAME_ASKED.search(question) and (kind is None or kind.name != "contact"):
        return AnswerType("name", _NAME)
    return kind


_UNIT: Final = re.compile(
    r"[(（\[](?P<inside>[^)）\]]{1,80})[)）\]]\s*$|(?<![^\W\d_])(?P<last>[^\W\d_]++)\W*$"
)


def told_by_row(names: tuple[str, ...], cells: tuple[str, ...]) -> str:
    """What a row says beside its first cell, each value with the unit that its column is named in.

    >>> told_by_row(("SKU", "Price EUR", "质保（月）"), ("A-1", "349.00", "24"))
    '349.00 EUR; 24 月'
    """
    said = []
    for place, cell in enumerate(cells[1:], 1):
        unit = _UNIT.search(names[place]) if place < len(names) else None
        said.append(f"{cell} {unit['inside'] or unit['last']}" if unit and cell else cell)
    return "; ".join(said)
