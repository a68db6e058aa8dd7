"""Claims made from sentences by rule: restated ones, which stay true, and altered ones, which become false; pure.

Knows nothing of how claims are checked, and is not to be fitted to it: the rules were written before the check. A rule
gives None where it does not apply. What is drawn is drawn from the generator that is handed in, so that the same
question gives the same claim.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Final

import rjieba

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_NUMBER_WORDS: Final = (
    *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("fifteen", "twenty", "thirty", "forty", "fifty"),
)
_WORD_VALUES: Final = dict(
    zip(_NUMBER_WORDS, (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 20, 30, 40, 50), strict=True)
)
_HAN_DIGITS: Final = "零一二三四五六七八九"
_UNIT_GROUPS: Final = (
    ("seconds", "minutes", "hours", "days", "weeks", "months", "years"),
    ("metres", "kilometres", "feet", "miles", "inches"),
    ("meters", "kilometers", "yards", "feet"),
    ("square miles", "square kilometres", "acres", "hectares"),
    ("grams", "kilograms", "tonnes", "pounds"),
    ("thousand", "million", "billion", "trillion"),
    ("dollars", "pounds", "euros"),
    ("EUR", "USD", "GBP", "CHF"),
    ("bar", "kPa", "psi"),
    ("MB", "GB", "TB"),
    ("mm", "cm", "km"),
    ("秒", "分钟", "小时", "天", "周", "个月", "年"),
    ("厘米", "米", "公里", "英里", "英尺"),
    ("平方米", "平方公里", "公顷", "亩"),
    ("克", "公斤", "吨"),
    ("万", "亿"),
    ("元", "美元", "英镑", "欧元", "日元"),
    ("摄氏度", "华氏度"),
)
_MONTH: Final = "|".join(MONTHS)
_EN_NUMBER: Final = re.compile(
    rf"(?<![\w.,$£€:/-])(?P<digits>\d{{1,3}}(?:,\d{{3}})+|\d+(?:\.\d+)?)(?![\w:/-]|[.,]\d|\s(?:{_MONTH}))"
    rf"|\b(?P<word>{'|'.join(_NUMBER_WORDS)})\b"
)
_ZH_NUMBER: Final = re.compile(
    r"(?<![\w.,:/-])(?P<digits>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?=[^\W\d年月日号A-Za-z]|[%％])"
    r"|(?P<word>[二两三四五六七八九])(?=[个名位座种次条家人岁部只所间层场])"
)
_YEAR: Final = re.compile(r"(?<![\w.,:/-])(?:1\d{3}|20[0-2]\d)(?![\w/:-]|[.,]\d)")
_EN_DATE: Final = re.compile(
    rf"\b(?:(?P<d1>\d{{1,2}}) )?(?P<month>{_MONTH})(?: (?P<d2>\d{{1,2}})(?!\d))?(?:,? (?P<year>\d{{4}}))?\b"
)
_ZH_DATE: Final = re.compile(
    r"(?P<year>\d{4})年(?:(?P<m1>\d{1,2})月(?:(?P<d1>\d{1,2})[日号])?)?"
    r"|(?P<m2>\d{1,2})月(?P<d2>\d{1,2})[日号]"
)
_EN_AUXILIARY: Final = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|may|must|should|does|did)\b(?! not\b)"
)
_EN_NEGATION: Final = re.compile(
    r"\b(?P<does>do|does|did)(?: not|n't) | not(?! only)\b|(?<=\w)n't\b|\bnever |\bno (?=\w)"
)
_ZH_AFFIRMED: Final = {
    **{
        "是": "不是",
        "有": "没有",
        "可以": "不可以",
        "可": "不可",
        "会": "不会",
        "能": "不能",
        "能够": "不能够",
    },
    **{"位于": "不位于", "属于": "不属于", "包括": "不包括", "成为": "没有成为", "获得": "没有获得"},
    **{
        "被": "没有被",
        "曾": "未曾",
        "必须": "不必",
        "需要": "不需要",
        "参加": "没有参加",
        "担任": "没有担任",
    },
    **{"应": "不应", "适用": "不适用", "支持": "不支持", "允许": "不允许"},
}
_ZH_NEGATED: Final = {
    **{"不是": "是", "并非": "是", "没有": "有", "不能": "能", "不会": "会", "不可": "可", "不得": "可以"},
    **{"无法": "可以", "未能": "能", "从未": "曾", "未曾": "曾", "不再": "再", "不": "", "未": ""},
}
_EN_CAPITAL: Final = r"[A-Z][\w’'-]*\w"
_EN_ENTITY: Final = re.compile(rf"{_EN_CAPITAL}(?:(?: of| de| von| the)? {_EN_CAPITAL})*")
_PREPOSITION: Final = re.compile(
    r"\b(?:in|on|at|by|of|from|to|for|with|during|after|before|under|as)\b(?: the)?\s*$", re.I
)
_NAME_TAGS: Final = frozenset({"nr", "nrt", "ns", "nt", "nz"})
_QUESTION_PHRASE: Final = re.compile(
    r"什么时候|什么时间|什么地方|哪一年|哪年|哪里|哪儿|几年|几月几日|多少[年个人名]?|谁"
    r"|哪[一]?[个位座种支部]\w{0,2}|什么名字|什么"
)


def drop_clause(sentence: str) -> str | None:
    """The sentence without a bracket or its last clause.

    >>> drop_clause("Tesla (born 1856) was an inventor.")
    'Tesla was an inventor.'
    >>> drop_clause("他出生在上海，毕业于北大，后来去了英国。")
    '他出生在上海，毕业于北大。'
    """
    shorter = re.sub(r"\s*\([^()]*\)|（[^（）]*）", "", sentence)
    if shorter != sentence:
        return shorter
    relative = re.search(
        r", (?:which|who|where|while|although|including|such as|and|with)\b[^,]*\.$", sentence
    )
    if relative and relative.start() > len(sentence) / 3:
        return sentence[: relative.start()] + "."
    clauses = sentence.split("，")
    return "，".join(clauses[:-1]) + "。" if len(clauses) > 2 else None


def join_answer(question: str, answer: str) -> str:
    """Question and answer as one statement: the answer where a question word stands, or else after the question.

    >>> join_answer("Who founded Rome?", "Romulus")
    'Romulus founded Rome.'
    >>> join_answer("When was Rome founded?", "753 BC")
    'When was Rome founded: 753 BC.'
    >>> join_answer("许申是什么地方的人？", "广东海阳")
    '许申是广东海阳的人。'
    """
    asked = question.strip().rstrip("?？ ")
    if re.search("[\u4e00-\u9fff]", question):
        phrases = list(_QUESTION_PHRASE.finditer(asked))
        if len(phrases) == 1:
            return f"{asked[: phrases[0].start()]}{answer}{asked[phrases[0].end() :]}。"
        return f"{asked}：{answer}。"
    who = re.match(
        r"(?:Who|What) (?!is\b|are\b|was\b|were\b|did\b|does\b|do\b|has\b|had\b|can\b)(?=\w+(?:ed|s)\b)",
        asked,
    )
    return f"{answer} {asked[who.end() :]}." if who else f"{asked}: {answer}."


def restate_number(sentence: str) -> str | None:
    """A number in another form of the same value.

    >>> restate_number("It has twelve lists and 1,000 rows."), restate_number("共有3万人，三个村。")
    ('It has 12 lists and 1000 rows.', '共有30000人，3个村。')
    """
    restated = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", sentence)
    restated = re.sub(r"(?<![\d.])(\d{1,4})万(?=[^\d亿])", r"\g<1>0000", restated)
    restated = re.sub(r"(?<=\d)%", " percent" if sentence.isascii() else "％", restated)
    restated = re.sub(
        rf"(?<![\w-])({'|'.join(_NUMBER_WORDS)})\b(?!-)", lambda match: str(_WORD_VALUES[match[1]]), restated
    )
    restated = re.sub(
        r"(?<![\d一二三四五六七八九十百千万亿零])([三四五六七八九])(?=[个名位座种次])",
        lambda match: str(_HAN_DIGITS.index(match[1])),
        restated,
    )
    return restated if restated != sentence else None


def restate_date(sentence: str) -> str | None:
    """The first full date in another usual form.

    >>> restate_date("He died on 7 January 1943."), restate_date("1919年9月10日签署。")
    ('He died on January 7, 1943.', '1919-09-10签署。')
    """
    if match := re.search(rf"\b(\d{{1,2}}) ({_MONTH}) (\d{{4}})\b", sentence):
        form = f"{match[2]} {match[1]}, {match[3]}"
    elif match := re.search(rf"\b({_MONTH}) (\d{{1,2}}),? (\d{{4}})\b", sentence):
        form = f"{match[3]}-{MONTHS.index(match[1]) + 1:02}-{int(match[2]):02}"
    elif match := re.search(r"(\d{4})年(\d{1,2})月(\d{1,2})日", sentence):
        form = f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}"
    else:
        return None
    return sentence[: match.start()] + form + sentence[match.end() :]


def alter_number(sentence: str, document: str, draw: random.Random) -> str | None:
    """One number, no year and no part of a date, becomes another: one of the document's, or one made up."""
    pattern = _ZH_NUMBER if _is_han(sentence) else _EN_NUMBER
    found = [match for match in pattern.finditer(sentence) if not _YEAR.fullmatch(match.group())]
    if not found:
        return None
    match = draw.choice(found)
    if word := match["word"]:
        words = "二三四五六七八九" if _is_han(sentence) else _NUMBER_WORDS
        other = draw.choice(
            [other for other in words if other != word and not (word == "两" and other == "二")]
        )
    else:
        others = {other["digits"] for other in pattern.finditer(document) if other["digits"]}
        others -= {match["digits"] for match in found}
        rivals = sorted(
            other
            for other in others
            if not _YEAR.fullmatch(other) and _value(other) != _value(match["digits"])
        )
        made_up = _other_digits(match["digits"], draw)
        other = draw.choice(rivals) if rivals and draw.random() < 0.5 else made_up
    return sentence[: match.start()] + other + sentence[match.end() :]


def alter_unit(sentence: str, document: str, draw: random.Random) -> str | None:
    """The unit after a number becomes another unit of its kind."""
    del document
    places: list[tuple[int, int, str]] = []
    for group in _UNIT_GROUPS:
        for unit in group:
            latin = unit.isascii()
            number = r"(?<=\d)\s?-?" if latin else r"(?<=[\d万亿十百千两三四五六七八九])"
            words = rf"|\b(?:{'|'.join(_NUMBER_WORDS)}|hundred) " if latin else ""
            after = r"\b" if latin else r"(?![轮制底间安份方])"
            for match in re.finditer(rf"(?:{number}{words})(?P<unit>{unit}){after}", sentence):
                if unit == "年" and re.search(r"\d{4}$", sentence[: match.start("unit")]):
                    continue
                if unit == "米" and sentence[: match.start("unit")].endswith("平方"):
                    continue
                other = draw.choice([other for other in group if other != unit])
                places.append((match.start("unit"), match.end("unit"), other))
    if not places:
        return None
    start, end, other = draw.choice(places)
    return sentence[:start] + other + sentence[end:]


def alter_date(sentence: str, document: str, draw: random.Random) -> str | None:
    """The year, the month or the day of a date becomes another."""
    del document
    parts: list[tuple[int, int, str]] = []
    for match in (_ZH_DATE if _is_han(sentence) else _EN_DATE).finditer(sentence):
        for name, part in match.groupdict().items():
            if part is None or (name == "month" and not (match["d1"] or match["d2"] or match["year"])):
                continue
            if name == "year":
                other = str(int(part) + draw.choice([-11, -5, -2, -1, 1, 2, 4, 10]))
            elif name == "month":
                other = draw.choice([month for month in MONTHS if month != part])
            else:
                highest = 12 if name.startswith("m") else 28
                other = str(draw.choice([day for day in range(1, highest + 1) if day != int(part)]))
            parts.append((match.start(name), match.end(name), other))
    covered = [(start, end) for start, end, _ in parts]
    if not _is_han(sentence):
        for match in _YEAR.finditer(sentence):
            if (match.start(), match.end()) not in covered:
                other = str(int(match.group()) + draw.choice([-11, -5, -2, -1, 1, 2, 4, 10]))
                parts.append((match.start(), match.end(), other))
    if not parts:
        return None
    start, end, other = draw.choice(parts)
    return sentence[:start] + other + sentence[end:]


def insert_negation(sentence: str, document: str, draw: random.Random) -> str | None:
    """The first auxiliary verb, or a usual Chinese verb, is negated; None where the sentence is negated already."""
    del document, draw
    if _is_han(sentence):
        words = list(rjieba.cut(sentence))
        if any(word in _ZH_NEGATED for word in words):
            return None
        place = next((i for i, word in enumerate(words) if word in _ZH_AFFIRMED), None)
        return (
            None
            if place is None
            else "".join([*words[:place], _ZH_AFFIRMED[words[place]], *words[place + 1 :]])
        )
    match = _EN_AUXILIARY.search(sentence)
    if match is None or _EN_NEGATION.search(sentence):
        return None
    return f"{sentence[: match.end()]} not{sentence[match.end() :]}"


def remove_negation(sentence: str, document: str, draw: random.Random) -> str | None:
    """The first negation goes."""
    del document, draw
    if _is_han(sentence):
        words = list(rjieba.cut(sentence))
        place = next((i for i, word in enumerate(words) if word in _ZH_NEGATED), None)
        return (
            None
            if place is None
            else "".join([*words[:place], _ZH_NEGATED[words[place]], *words[place + 1 :]])
        )
    match = _EN_NEGATION.search(sentence)
    if match is None:
        return None
    return sentence[: match.start()] + sentence[match.end() :]


def swap_subject(sentence: str, document: str, draw: random.Random) -> str | None:
    """The name that the sentence begins with becomes another name of the same document."""
    if _is_han(sentence):
        names = _han_names(sentence[:20])
        if not names or names[0][0] > 6:
            return None
        start, name = names[0]
        others = sorted(
            {other for _, other in _han_names(document) if other not in sentence and other not in name}
        )
    else:
        found = _entity(sentence, document)
        if found is None:
            return None
        start, name = found
        taken = set(sentence.split()) | set(name.split())
        others = sorted(
            {
                match.group()
                for match in _EN_ENTITY.finditer(document)
                if _is_name(match.group(), document) and not taken & set(match.group().split())
            }
        )
    if not others:
        return None
    return sentence[:start] + draw.choice(others) + sentence[start + len(name) :]


def _entity(sentence: str, document: str) -> tuple[int, str] | None:
    for match in _EN_ENTITY.finditer(sentence):
        before = sentence[: match.start()]
        if len(before.split()) > 5 or _EN_AUXILIARY.search(before.partition(" ")[2]):
            return None
        name = match.group()
        start = match.start()
        if name.startswith("The "):
            start, name = start + 4, name[4:]
        if _is_name(name, document) and not _PREPOSITION.search(before):
            return start, name
    return None


def _is_name(entity: str, document: str) -> bool:
    """Whether capitals mean a name: the document has it inside a sentence, and its first word not in small letters."""
    words = entity.split()
    if any(word in MONTHS for word in words) or not re.search(rf"[a-z,] {re.escape(entity)}\b", document):
        return False
    return not re.search(rf"\b{re.escape(words[0].lower())}\b", document)


def _han_names(text: str) -> list[tuple[int, str]]:
    """Names by the tagger, neighbours joined, with their offsets."""
    names: list[tuple[int, str]] = []
    at = 0
    joined = False
    for word, tag in rjieba.tag(text):
        is_name = tag in _NAME_TAGS and bool(re.fullmatch(r"[\u4e00-\u9fff]+", word))
        if is_name and joined:
            start, name = names.pop()
            names.append((start, name + word))
        elif is_name:
            names.append((at, word))
        elif word == "·" and joined:
            start, name = names.pop()
            names.append((start, name + word))
        joined = is_name or (word == "·" and joined)
        at += len(word)
    return [(start, name.strip("·")) for start, name in names if len(name.strip("·")) > 1]


def _is_han(text: str) -> bool:
    return re.search("[\u4e00-\u9fff]", text) is not None


def _value(digits: str) -> float:
    return float(digits.replace(",", ""))


def _other_digits(digits: str, draw: random.Random) -> str:
    """The number with one digit another."""
    places = [place for place, digit in enumerate(digits) if digit.isdigit()]
    place = draw.choice(places)
    low: Sequence[str] = "123456789" if place == 0 else "0123456789"
    return (
        digits[:place] + draw.choice([digit for digit in low if digit != digits[place]]) + digits[place + 1 :]
    )
