"""Which of several documents is the valid one: told by path, title and first lines, and by other documents of the same
name with a later date. Pure.

A document that says of itself that it is superseded, withdrawn or a draft is not in force; of documents whose names
differ in a date, a year or a version alone, the latest is in force; an amendment comes before what it changes, and a
document before those that it says it replaces. One whose name only may say that it is old ("Old price list") gives way
to a document of the same name without that word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from app.generation.version_marks import (
    DATE_ZH,
    SUFFIX,
    WHEN,
    first_lines,
    fold,
    read_folders,
    read_name,
    read_stated_marks,
)
from app.lexicon import terms, token_terms, tokens
from app.values import value_terms

Moment = tuple[int, ...]  # (0, y, m, d) for a date, as far as it is told, (1, …) for a version

_REPLACES: Final = re.compile(
    r"\b(?:replaces?|supersedes?|replacing|superseding|in place of|instead of) (?P<en>[^.;\n]{3,80})"
    r"|(?<!被)(?:取代|替代|代替|废止)(?P<zh>[^,。;、\n]{2,40})"
    r"|(?:^|[,。;、\n])(?P<same>[^,。;、\n]{2,40}?)(?:同时|即行|随之|自动)+(?:废止|作废|失效)",
    re.IGNORECASE,
)
_REPLACED_BY: Final = re.compile(
    r"\b(?:replaced|superseded) by (?P<en>[^.;\n]{3,80})|(?:被|由)(?P<zh>[^,。;\n]{2,40}?)(?:取代|替代|代替|替换)",
    re.IGNORECASE,
)
# What goes on behind the name of what replaces: "the rules of 1 March 2026".
_DATED: Final = re.compile(
    r" (?:of|from|dated|since|on|in|as of|effective) (?:\d|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)).*$",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile('["“「『《](?P<name>[^"”」』》]{2,60})["”」』》]')
_NAMED_AMENDMENT: Final = re.compile(
    r"\b(?:amendment|addendum|supplement(?:ary agreement)?|corrigend\w+|erratum|change order|notice of change)\b"
    r"|补充(?:协议|规定|合同|通知|说明)|修正案|变更协议|(?:修订|修改|调整|变更)通知|更正"
    r"|关于(?:修改|修订|调整|变更|更正).{1,40}的(?:通知|决定|公告)",
    re.IGNORECASE,
)
_IN_FORCE_FROM: Final = re.compile(
    r"\b(?:valid|effective|in force|applies|applicable|dated|as of|updated|issued)\b(?P<en>[^.;\n]{1,40})"
    rf"|自(?P<zh>{DATE_ZH})起(?:正式)?(?:施行|实施|执行|生效|适用)"
    rf"|(?:生效|施行|实施|发布|修订|更新)(?:日期|时间)[\W_]*(?P<day>{DATE_ZH})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a document stands by itself.

    `when`: (0, y, m, d) for a date, as far as it is told, (1, …) for a version; later ones are greater; () for none.
    `dated_by` says where that stands. `names` are what its file's name and its title come to without marks, dates and
    versions ("" for nothing), `wordings` the same in words, `subject` the terms of the title; `folder` is the same of
    where it lies. `may_be_old`: its name begins or ends in a word that may be a mark. `codes` are contract numbers and
    the like, `mentions` the terms of an amendment's beginning. `replaces`: the terms and years of each thing that it
    says it replaces; `replaced_by`: what it says it is replaced by, "" for nothing.
    """

    is_superseded: bool
    is_draft: bool
    is_amendment: bool
    may_be_old: bool
    folder: str
    names: tuple[str, str]
    when: Moment
    dated_by: Literal["file", "title", "folder", "text", ""]
    wordings: tuple[str, str]
    subject: frozenset[str]
    codes: frozenset[str]
    mentions: frozenset[str]
    replaces: tuple[tuple[frozenset[str], frozenset[Moment]], ...]
    replaced_by: str

    @property
    def is_in_force(self) -> bool:
        """Whether nothing that it says of itself speaks against it."""
        return not (self.is_superseded or self.is_draft)

    @property
    def is_record(self) -> bool:
        """Whether its name has a whole date, as minutes and reports have, or a version of three numbers, as releases
        have: what they say stays true, others follow."""
        return self.dated_by in ("file", "title") and len(self.when) == 4

    def is_of(self, moments: Collection[Moment]) -> bool:
        """Whether it is dated in one of these years or days, or is one of these versions."""
        return any(self.when[: len(moment)] == moment for moment in moments)


@lru_cache(maxsize=1_024)
def read_standing(title: str, source: str, head: str) -> Standing:
    """How the document of this title, file name and beginning stands by itself."""
    path, _, file = fold(source).rpartition("/")
    stem, title = SUFFIX.sub("", file), fold(title)
    title = stem if title == file else title
    marks, folder, year = read_folders(path)
    of_file, of_title = read_name(stem), read_name(title)
    lines = first_lines(fold(head))
    beginning = "\n".join(lines)
    marks |= of_file.marks | of_title.marks | read_stated_marks(lines)
    dated_by, when = _read_when(stem, title, year, beginning)
    is_amendment = bool(_NAMED_AMENDMENT.search(f"{title}\n{stem}"))
    return Standing(
        "old" in marks,
        "draft" in marks,
        is_amendment,
        of_file.may_be_old or of_title.may_be_old,
        folder,
        (of_file.key, of_title.key),
        when,
        dated_by,
        (of_file.rest, of_title.rest),
        frozenset(terms(of_title.rest)),
        _codes(f"{title}\n{stem}\n{beginning}"),
        frozenset(terms(f"{title}\n{beginning}")) if is_amendment else frozenset(),
        tuple(_read_replaced(beginning)),
        _read_replacing(beginning) if "old" in marks else "",
    )


def read_moments(question: str, years: Iterable[str] = ()) -> frozenset[Moment]:
    """The dates and versions that a question names, and its `years`.

    >>> sorted(read_moments("What was new in v2.3.0 of 4 March 2026?"))
    [(0, 2026, 3, 4), (1, 2, 3, 0)]
    """
    text = fold(question)
    found = {_moment(named) for named in WHEN.finditer(text) if not named["year"]}
    found |= {(0, *map(int, term[1:].split("-"))) for term in value_terms(text) if term.count("-") == 2}
    dated = {moment[1] for moment in found if moment[0] == 0}
    return frozenset(found | {(0, int(year)) for year in years if int(year) not in dated})


def order_standings(
    standings: Mapping[str, Standing], asked: Collection[Moment] = frozenset()
) -> dict[str, int]:
    """By document: 0 for one in force, more for one that others come before: 1 for what others say, 2 for what it says
    of itself. `asked` are the dates and versions that the question names: of documents of one name that one comes
    first, or the last one before a year."""
    return {
        document: _rank(own, [other for key, other in standings.items() if key != document], asked)
        for document, own in standings.items()
    }


def shown_moment(when: Moment) -> str:
    """A date or a version in words; "" for none.

    >>> shown_moment((0, 2026, 2)), shown_moment((1, 2, 10, 0)), shown_moment(())
    ('2026-02', 'v2.10.0', '')
    """
    if when[:1] == (1,):
        return "v" + ".".join(map(str, when[1:]))
    return "-".join(f"{number:02}" for number in when[1:])


def sought_names(own: Standing) -> list[str]:
    """The names by which the valid version of a document may be found, in words; the surest first."""
    return list(dict.fromkeys(name for name in (own.replaced_by, *reversed(own.wordings)) if name))


def are_versions(one: Standing, other: Standing) -> bool:
    """Whether two documents say what held at different times: of one name, or one changes or replaces the other."""
    shared = {name for name in one.names if len(name) > 1} & set(other.names)
    is_marked = not (one.is_in_force and other.is_in_force)
    return (
        _have_one_name(one, other)
        or (is_marked and bool(shared))
        or any(_replaces(*pair) or _amends(*pair) for pair in ((one, other), (other, one)))
    )


def is_asked_for(own: Standing, others: Iterable[Standing], asked: Collection[Moment]) -> bool:
    """Whether `asked`, the dates and versions that a question names, mean this one of its versions: it has one of them,
    or no version has and it is the last before one of the years."""
    if not own.when or own.is_draft:
        return False
    series = [other for other in others if not other.is_draft and _are_a_series(own, other)]
    if own.is_of(asked) or any(other.is_of(asked) for other in series):
        return own.is_of(asked)
    if own.when[0] != 0 or not any(other.when > own.when for other in series):
        return False
    known = {version.when[1] for version in (own, *series)}
    years = {moment[1] for moment in asked if moment[0] == 0}
    return own.when[1] in {max((y for y in known if y <= year), default=0) for year in years}


def _rank(own: Standing, others: Sequence[Standing], asked: Collection[Moment]) -> int:
    rank = 0 if own.is_in_force else 2
    series = [other for other in others if not other.is_draft and _are_a_series(own, other)]
    if asked and is_asked_for(own, series, asked):
        return 0
    if asked and any(is_asked_for(version, (own, *series), asked) for version in series):
        return max(rank, 1)
    years = {moment[1] for moment in asked if moment[0] == 0}
    if (
        own.dated_by == "text"
        and any(other.is_of(asked) for other in others)
        and years
        and own.when[1] > max(years)
    ):
        return max(rank, 1)  # it is in force since later
    valid = [other for other in others if other.is_in_force]
    is_later = any(other.is_in_force and other.when > own.when for other in series)
    is_named_old = own.may_be_old and any(
        not other.may_be_old and _have_one_name(own, other) for other in valid
    )
    is_changed = any(_replaces(other, own) or _amends(other, own) for other in valid)
    return max(rank, 1) if is_later or is_named_old or is_changed else rank


def _have_one_name(one: Standing, other: Standing) -> bool:
    """Whether two documents of one folder are of one name but for marks, dates and versions. Titles alone say so only
    where one of them has any: many contracts are called "Contract"."""
    if one.folder != other.folder:
        return False
    if one.dated_by == other.dated_by == "file":
        return one.names[0] == other.names[0]
    if one.names[0] == other.names[0] != "":
        return True
    told = {one.dated_by, other.dated_by} & {"file", "title"}
    is_marked = not (one.is_in_force and other.is_in_force) or one.may_be_old or other.may_be_old
    return bool(told or is_marked) and bool((set(one.names) & set(other.names)) - {""})


def _are_a_series(one: Standing, other: Standing) -> bool:
    return bool(one.when) and one.when[:1] == other.when[:1] and _have_one_name(one, other)


def _replaces(new: Standing, old: Standing) -> bool:
    """Whether one of them says that the first replaces the second."""
    if old.replaced_by and new.subject and new.subject <= frozenset(terms(old.replaced_by)):
        return True
    for named, years in new.replaces:
        is_dated = old.is_of(years)
        if years and old.when[:1] == (0,) and not is_dated:
            continue
        if is_dated and _have_one_name(new, old):
            return True
        if (
            old.subject <= named
            and len(old.subject) > (0 if is_dated else 1)
            and not _have_one_name(new, old)
        ):
            return True
    return False


def _amends(new: Standing, old: Standing) -> bool:
    if not new.is_amendment or old.is_amendment:
        return False
    return bool(new.codes & old.codes) or (len(old.subject) > 1 and old.subject <= new.mentions)


def _read_when(
    stem: str, title: str, year: str, beginning: str
) -> tuple[Literal["file", "title", "folder", "text", ""], Moment]:
    """Where a document is dated and how: in its file's name, title or folder, else from when on it is in force."""
    if found := list(WHEN.finditer(stem)):
        return "file", _moment(found[-1])
    if found := list(WHEN.finditer(title)):
        return "title", _moment(found[-1])
    if year:
        return "folder", (0, int(year[:4]))
    for said in _IN_FORCE_FROM.finditer(beginning):
        dates = [
            term for term in value_terms(said["en"] or said["zh"] or said["day"]) if term.count("-") == 2
        ]
        if dates:
            return "text", (0, *map(int, dates[0][1:].split("-")))
    return "", ()


def _read_replaced(beginning: str) -> Iterable[tuple[frozenset[str], frozenset[Moment]]]:
    for found in _REPLACES.finditer(beginning):
        what = found["en"] or found["zh"] or found["same"]
        years = frozenset((0, int(year)) for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", what))
        yield frozenset(terms(what)), years


def _read_replacing(beginning: str) -> str:
    found = _REPLACED_BY.search(beginning)
    if found is None:
        return ""
    what = found["en"] or found["zh"]
    quoted = _QUOTED.search(what)
    return read_name(quoted["name"] if quoted else _DATED.sub("", what)).rest


def _moment(found: re.Match[str]) -> Moment:
    numbers = tuple(int(number) for number in re.findall(r"\d+", found.group()))
    if found["version"]:
        return (1, *numbers)
    if found["date"] and len(numbers) == 1:
        text = str(numbers[0])
        numbers = (int(text[:4]), int(text[4:6]), int(text[6:8]))
    return (0, *numbers)


def _codes(text: str) -> frozenset[str]:
    """Contract numbers and the like: codes of at least six characters with digits and letters."""
    found = (token_terms(token) for token in tokens(text))
    return frozenset(
        names[0]
        for names in found
        if names
        and len(names[0]) >= 6
        and any(c.isdigit() for c in names[0])
        and names[0].isascii()
        and names[0].isalnum()
        and any(c.isalpha() for c in names[0])
    )
