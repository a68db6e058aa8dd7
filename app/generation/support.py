"""Whether a claim says something else than its evidence: another number, unit or date, the opposite, another subject.

Pure, by rule, English and Chinese. Both texts are read for what can be compared by value: amounts and dates
(`amounts.py`), which words stand under a negation, and names. What the claim leaves out contradicts nothing, and
neither does what cannot be read. That the evidence speaks of the claim's matter at all is settled before, by the share
of its terms (`citations.py`).

It doesn't see: two names of the evidence that changed places, a wrong relation between right names, antonyms (rose,
fell), what follows from the evidence by counting or reasoning, and names that were translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Final
from unicodedata import normalize

import rjieba

from app.generation.amounts import Amount, Date, read_amounts
from app.han import HAN
from app.lexicon import CHINESE_STOP_WORDS, fold_script, terms, token_terms

MAX_WORDS: Final = 300  # of each text that are set side by side: the time grows with their product
LEAST_BESIDE: Final = 2  # words that stayed behind a name that became another
MAX_NAME_WORDS: Final = 3
LEAST_OF_HAN_NAME: Final = (
    0.6  # share of the terms of a Chinese name that must be known, its border is a guess
)
SCOPE_WORDS: Final = 4  # content words behind a negation that it denies, at most, within its clause
SAME_AMOUNT: Final = Fraction(
    1, 100
)  # amounts in different units are the same within this share: 5 km, 3.1 miles
ABOUT: Final = Fraction(1, 20)  # … and those that are said to be rough

_HAN_RUN: Final = re.compile(f"[{HAN}]+")
_WORD: Final = re.compile(rf"[{HAN}]+|[^\W{HAN}_]+(?:[-.'’/_][^\W{HAN}_]+)*")
_CLAUSE_END: Final = re.compile(r"[,;:!?()\[\]，。；：！？、（）\n—]|\.(?=\s|$)")
_ROUGH: Final = re.compile(
    r"(?:\b(?:about|approximately|approx|around|roughly|nearly|almost|over|some|more than|less than|under)"
    r"|约|近|超过|大概|将近|不到|逾)"
    r"\W*(?:US\$|[$€£¥])?$",
    re.IGNORECASE,
)


def _words_of(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


_EN_NEGATIONS: Final = _words_of("not never no neither nor none nobody nothing nowhere cannot without")
# Behind these it can't be told by rule whether something is so.
_EN_HALF: Final = _words_of(
    "fail fails failed failing lack lacks lacked lacking refuse refuses refused deny denies denied reject rejects",
    "rejected prevent prevents prevented forbid forbids forbidden prohibit prohibits prohibited ban bans banned avoid",
    "avoids avoided unable hardly barely rarely seldom scarcely unless except until only few little less stop stops",
    "stopped cease ceased unlike instead rather absence",
)
_EN_NO_CONTENT: Final = _words_of(
    "any anything anyone ever longer yet at all do does did done be been being is are was were am has have had having",
    "can could will would shall should may might must need needs the a an",
)
_ZH_NEGATIONS: Final = _words_of(
    "不 不是 不能 不会 不可 不可以 不得 不准 不许 不要 不必 不用 不宜 不应 不再 不曾 不予 不可能 没 没有 未 未能 未曾",
    "未经 从未 从不 并非 并不 并没有 并未 绝不 决不 毫不 毫无 无 无法 无需 无须 勿 莫 别 请勿 切勿 禁止 严禁 不足以 非",
    "尚未 均不 概不 永不 不在 不算 不属于 不适用 不支持 不包括 不包含 不需要 不允许 不位于 不存在",
)
_ZH_NEGATED_VERB: Final = re.compile(
    "^(?:不|没有|未)(?=(?:属于|适用|支持|包括|包含|需要|允许|位于|存在|在|足以|算)$)"
)
_ZH_HALF: Final = _words_of(
    "拒绝 避免 防止 缺乏 缺少 失败 除非 除了 除 只有 仅 只 很少 罕见 停止 取消 反对 否认 才 直到 难以 几乎"
)
_ZH_EMPTY: Final = CHINESE_STOP_WORDS | _words_of(
    "是 有 被 曾 曾经 任何 再 予 过 应该 必须 须 得以 予以 进行 可 所"
)
_POINTS_BACK: Final = re.compile(
    r"\b(?:he|she|it|they|his|her|their|its|him|them|this|these|that|those|such|there|then|both|the same)\b"
    r"|[他她它其该此这那本]",
    re.IGNORECASE,
)
_ENUMERATOR: Final = re.compile(r"^[ \t]*(?:[-*+] )?\(?\d{1,3}[.)、] ", re.MULTILINE)
_ITEM_BORDER: Final = re.compile(r"、|, (?:and |or )?|,| and | or |以及|[和与及或]")
_NAME_TAGS: Final = frozenset({"nr", "nrt", "nrfg", "ns", "nt", "nz"})
_CALENDAR: Final = _words_of(
    "january february march april may june july august september october november december monday tuesday wednesday",
    "thursday friday saturday sunday bc bce ad ce",
)


class Contradiction(StrEnum):
    """What a claim has otherwise than its evidence."""

    NUMBER = "number"
    UNIT = "unit"
    DATE = "date"
    NEGATION = "negation"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with content, whether a negation denies it, and whether that can be told at all.

    `cue` is the number of the negation in the text, -1 for none. `is_name`: it is written as a name.
    """

    term: str
    text: str
    denied: bool
    uncertain: bool
    cue: int
    is_name: bool


@dataclass(frozen=True, slots=True)
class _Name:
    """A word that names something, its terms, and how many of them must be known for it to be."""

    text: str
    terms: tuple[str, ...]
    least: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """All of a text that can be compared."""

    text: str
    terms: frozenset[str]
    amounts: tuple[Amount, ...]
    dates: tuple[tuple[Date, ...], ...]
    words: tuple[_Word, ...]


def contradiction(claim: str, evidence: str, around: str = "", before: str = "") -> Contradiction | None:
    """What the claim says otherwise than the evidence, None where nothing is found.

    `around` names what the evidence is about: titles and headings. `before` are the sentences before it: what its
    pronouns stand for. Numbers must stand in the evidence itself; years and names may stand in the others.

    >>> contradiction("The warranty is two years.", "Warranty: 24 months from delivery.") is None
    True
    >>> contradiction("保修期为三年。", "保修期为两年，自交货之日起。").value
    'number'
    >>> contradiction("Quolls do not migrate in spring.", "Quolls migrate in spring.").value
    'negation'
    """
    said, shown = _read(claim), _read(evidence)
    beside = _read(around)
    points_back = _POINTS_BACK.search(shown.text) is not None
    earlier = _read(before) if points_back else _read("")
    alignment = _align(said.words, shown.words)
    return (
        _compare_dates(said, shown, beside, earlier)
        or _compare_amounts(said, shown, beside)
        or _compare_negations(said, shown, alignment)
        or _compare_names(said, shown, beside, earlier)
        or _find_exchanged(said, shown, alignment)
    )


@lru_cache(maxsize=2048)
def _read(text: str) -> _Reading:
    folded = _ENUMERATOR.sub("", fold_script(normalize("NFKC", text)))
    amounts, dates = read_amounts(folded)
    words = tuple(_words(folded))
    return _Reading(folded, frozenset(terms(folded)), tuple(amounts), tuple(tuple(d) for d in dates), words)


# Amounts and dates


def _compare_amounts(said: _Reading, shown: _Reading, beside: _Reading) -> Contradiction | None:
    years = {date.year for readings in (*shown.dates, *beside.dates) for date in readings}
    for amount in said.amounts:
        if amount.spoken or (
            not amount.scales and (amount.value in years or _counts_list(said.text, amount))
        ):
            continue
        if any(_same_amount(amount, other, said.text) for other in shown.amounts):
            continue
        if not amount.scales and any(amount.value == other.value for other in beside.amounts):
            continue
        if not amount.scales and _is_year(amount):
            return Contradiction.DATE
        return (
            Contradiction.UNIT
            if any(amount.value == other.value for other in shown.amounts)
            else Contradiction.NUMBER
        )
    return None


def _same_amount(said: Amount, shown: Amount, text: str) -> bool:
    rough = _ROUGH.search(text, 0, said.start) is not None
    if not said.scales or not shown.scales:
        both = not said.scales and not shown.scales
        special = {"ordinal", "ratio", "weekday", "clock"} & (said.dimensions | shown.dimensions)
        return (both or not special) and _near(said.value, shown.value, ABOUT if rough else Fraction(0))
    for dimension, factor in said.scales:
        for other, other_factor in shown.scales:
            if dimension == other:
                apart = ABOUT if rough else Fraction(0) if factor == other_factor else SAME_AMOUNT
                if _near(said.value * factor, shown.value * other_factor, apart):
                    return True
    return False


def _counts_list(text: str, amount: Amount) -> bool:
    """Whether a number is how many things the same claim names behind a colon: three kinds: a, b and c."""
    _, colon, items = text[amount.end :].rpartition(":")
    return bool(colon) and amount.value > 1 and len(_ITEM_BORDER.split(items.strip(" 。.;"))) == amount.value


def _near(a: Fraction, b: Fraction, share: Fraction) -> bool:
    return abs(a - b) <= share * max(abs(a), abs(b))


def _is_year(amount: Amount) -> bool:
    return amount.value.denominator == 1 and 1000 <= amount.value < 2100


def _compare_dates(
    said: _Reading, shown: _Reading, beside: _Reading, earlier: _Reading
) -> Contradiction | None:
    shown_dates = [date for readings in shown.dates for date in readings]
    years = _years(shown) | _years(beside)
    if not years:
        years = _years(earlier)
    for readings in said.dates:
        if not any(_same_date(date, other, years) for date in readings for other in shown_dates) and not any(
            date.month is None and date.day is None and date.year in years for date in readings
        ):
            return Contradiction.DATE
    return None


def _years(reading: _Reading) -> frozenset[int]:
    dated = {date.year for readings in reading.dates for date in readings if date.year is not None}
    return frozenset(
        dated | {int(amount.value) for amount in reading.amounts if not amount.scales and _is_year(amount)}
    )


def _same_date(said: Date, shown: Date, years: frozenset[int]) -> bool:
    """Whether two dates can be the same: the year may be missing on either side."""
    if said.year is not None and shown.year is not None and said.year != shown.year:
        return False
    if said.year is not None and shown.year is None and years and said.year not in years:
        return False
    if said.month is not None and said.month != shown.month:
        return False
    return said.day is None or said.day == shown.day


# Words side by side

Block = tuple[int, int, int]  # where equal words start in the one and in the other, and how many


def _align(said: Sequence[_Word], shown: Sequence[_Word]) -> list[Block]:
    """The runs of words that both have in the same order, ascending, with an empty one at the end."""
    one = [word.term for word in said[:MAX_WORDS]]
    other = [word.term for word in shown[:MAX_WORDS]]
    return [
        (block.a, block.b, block.size)
        for block in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    ]


def _compare_negations(said: _Reading, shown: _Reading, alignment: Sequence[Block]) -> Contradiction | None:
    """Whether a word is denied on one side and only stated on the other."""
    forth = {a + i: b + i for a, b, size in alignment for i in range(size)}
    back = {b: a for a, b in forth.items()}
    if _denies(said.words, shown.words, forth) or _denies(shown.words, said.words, back):
        return Contradiction.NEGATION
    return None


def _denies(one: Sequence[_Word], other: Sequence[_Word], partners: Mapping[int, int]) -> bool:
    """Whether a negation of `one` denies what `other` only states.

    Compared is the word's partner in the alignment; where it has none, every place of the word. The first word behind
    a negation is what is denied: where the other side lacks it, it speaks of something else.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(other):
        places.setdefault(word.term, []).append(place)
    stated = {word.term for word in one if not word.denied}
    scopes: dict[int, list[bool]] = {}  # of each word behind a negation that is known, whether it is opposed
    lost: set[int] = set()  # negations whose first word is not known
    for place, word in enumerate(one):
        if not word.denied or word.cue in lost:
            continue
        found = (
            [other[partners[place]]] if place in partners else [other[p] for p in places.get(word.term, ())]
        )
        if word.cue not in scopes and (not found or (place not in partners and word.term in stated)):
            lost.add(word.cue)
        elif found:
            opposed = all(not rival.denied and rival.uncertain == word.uncertain for rival in found)
            scopes.setdefault(word.cue, []).append(opposed)
    return any(found[0] and 2 * sum(found) > len(found) for found in scopes.values())


def _find_exchanged(said: _Reading, shown: _Reading, alignment: Sequence[Block]) -> Contradiction | None:
    """Whether a name of the evidence has become another one, between words that stayed.

    The other name may be one that the evidence has elsewhere. A short form of the same name is no other.
    """
    a = b = 0
    for start, other_start, size in alignment:
        ours, theirs = said.words[a:start], shown.words[b:other_start]
        if a == 0:  # the evidence may begin with what the claim leaves out
            theirs = theirs[-max(1, len(ours)) :]
        if (
            1 <= len(ours) <= MAX_NAME_WORDS
            and 1 <= len(theirs) <= MAX_NAME_WORDS
            and size >= LEAST_BESIDE
            and _end_in_name(ours)
            and _end_in_name(theirs)
            and not any(_is_alike(x, y) for x in ours for y in theirs)
            and not {word.term for word in theirs} & {word.term for word in said.words}
        ):
            return Contradiction.SUBJECT
        a, b = start + size, other_start + size
    return None


def _end_in_name(words: Sequence[_Word]) -> bool:
    """Whether words name something: the last one, or any where what is Chinese may end in 人 or 市."""
    return words[-1].is_name or (
        _HAN_RUN.match(words[-1].text) is not None and any(word.is_name for word in words)
    )


def _is_alike(one: _Word, other: _Word) -> bool:
    """Whether two names may be one: their beginnings are the same, or one has the other's initial."""
    x, y = one.text.lower(), other.text.lower()
    least = 2 if _HAN_RUN.match(x) else 4
    return x[:least] == y[:least] or x in y or y in x or one.text.isupper() or other.text.isupper()


def _words(text: str) -> Iterator[_Word]:
    """The words with content, in order."""
    cue = -1
    denied, denied_left, uncertain_left = (
        False,
        0,
        0,
    )  # of the open scopes, and how many words they still take
    for piece, is_end, is_name in _pieces(text):
        if is_end:
            denied, denied_left, uncertain_left = False, 0, 0
            continue
        kind = _negation(piece)
        if kind == -1:
            cue += 1
            denied, denied_left = not (denied and denied_left == SCOPE_WORDS), SCOPE_WORDS
            continue
        if kind == 0:
            uncertain_left = SCOPE_WORDS + 1
        for term in _content(piece):
            is_denied = denied and denied_left > 0
            yield _Word(term, piece, is_denied, uncertain_left > 0, cue if is_denied else -1, is_name)
            denied_left, uncertain_left = max(0, denied_left - 1), max(0, uncertain_left - 1)


def _pieces(text: str) -> Iterator[tuple[str, bool, bool]]:
    """The words of a text with whether they are written as names, and with each end of a clause ("", True, False)."""
    at = 0
    for end in [*_CLAUSE_END.finditer(text), None]:
        stop = len(text) if end is None else end.start()
        for word in _WORD.finditer(text, at, stop):
            if not _HAN_RUN.match(word.group()):
                yield word.group(), False, word.group()[0].isupper()
                continue
            for piece, tag in rjieba.tag(word.group()):
                if split := _ZH_NEGATED_VERB.match(piece):
                    yield split.group(), False, False
                    yield piece[split.end() :], False, False
                else:
                    yield piece, False, tag in _NAME_TAGS and len(piece) > 1
        yield "", True, False
        at = stop


def _negation(piece: str) -> int:
    """-1 for a word that denies what follows, 0 for one after which that can't be told, 1 for any other."""
    lowered = piece.lower().replace("’", "'")
    if lowered in _EN_NEGATIONS or lowered.endswith("n't") or piece in _ZH_NEGATIONS:
        return -1
    return 0 if lowered in _EN_HALF or piece in _ZH_HALF else 1


def _content(piece: str) -> Sequence[str]:
    if _HAN_RUN.match(piece):
        return () if piece in _ZH_EMPTY else (piece,)
    return () if piece.lower() in _EN_NO_CONTENT else token_terms(piece)[:1]


# Names


def _compare_names(
    said: _Reading, shown: _Reading, beside: _Reading, earlier: _Reading
) -> Contradiction | None:
    places = (shown, beside, earlier)
    known = shown.terms | beside.terms | earlier.terms
    text = "\n".join(place.text for place in places)
    for name in _names(said):
        held = sum(term in known for term in name.terms)
        if held >= name.least:
            continue
        if name.text not in text and not _is_short_for(name.text, text):
            return Contradiction.SUBJECT
    return None


def _names(reading: _Reading) -> Iterator[_Name]:
    """Capitalised words inside a sentence, codes, and what the Chinese tagger takes for names; no parts of amounts."""
    text = reading.text
    taken = {at for amount in reading.amounts for at in range(amount.start, amount.end)}
    for word in _WORD.finditer(text):
        piece = word.group()
        if _HAN_RUN.match(piece):
            at = word.start()
            for name, tag in rjieba.tag(piece):
                if tag in _NAME_TAGS and len(name) > 1 and taken.isdisjoint(range(at, at + len(name))):
                    found = tuple(dict.fromkeys(terms(name)))
                    yield _Name(name, found, LEAST_OF_HAN_NAME * len(found))
                at += len(name)
            continue
        is_code = piece[0].isalpha() and any(character.isdigit() for character in piece)
        if not is_code and (
            not piece[0].isupper() or piece.lower() in _CALENDAR or _opens(text, word.start())
        ):
            continue
        if found := token_terms(piece):  # of a code the whole comes first
            yield _Name(piece, found[:1] if is_code else found, 1)


def _opens(text: str, at: int) -> bool:
    """Whether a sentence begins here, where a capital letter says nothing."""
    before = text[:at].rstrip(" \"'“‘(*_")
    return not before or before[-1] in ".!?:;。！？：；\n|"


def _is_short_for(name: str, text: str) -> bool:
    """Whether a name of capitals has the initials of words that follow each other."""
    letters = re.sub(r"\W", "", name)
    if not (letters.isupper() and 2 <= len(letters) <= 6):
        return False
    initials = "".join(word.group()[0] for word in re.finditer(r"\b[A-Z][\w-]*", text))
    return letters in initials
