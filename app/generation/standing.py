"""Which of several documents is the valid one: told by title, file name and first lines, and by other documents of the
same name with a later date. Pure.

A document that says of itself that it is superseded, withdrawn or a draft is not in force; of documents whose names
differ in a date, a year or a version alone, the latest is in force; an amendment is in force before what it changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.lexicon import fold_script, token_terms, tokens

HEAD_LINES: Final = 6  # that are not blank: where a document says what it is

_OLD: Final = (
    r"superseded|obsolete|outdated|withdrawn|no longer (?:valid|in force|applies|applicable)|repealed"
    r"|rescinded|void"
)
# What a document says of itself, in its first lines: "This policy is superseded by …", "Status: obsolete".
_SAYS_OLD: Final = re.compile(
    rf"\b(?:this|these|the (?:present|following)) (?:\w+ ){{0,3}}?(?:is|are|was|were|has been"
    rf"|have been) (?:\w+ )?(?:{_OLD}|replaced by)"
    rf"|^\W*(?:status|state)\W+(?:{_OLD})\b|^\W*(?:{_OLD})\b(?! (?:documents?|versions?|files?|by) (?:are|is))"
    r"|(?:本|该|此)(?:制度|文件|办法|规定|版本|文档|合同|手册|标准|通知|协议|价目表|规范|指南)?.{0,10}?(?:已|被|于|自).{0,16}?(?:废止|作废|失效|停止执行|停用|取代|替代)"
    r"|^\W*(?:状态|版本状态)\W+(?:已?废止|已?作废|失效|停用)|^\W*(?:已废止|已作废|已失效|作废)",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED_OLD: Final = re.compile(
    rf"\b(?:{_OLD}|archived?|deprecated|old version)\b|废止|作废|失效|旧版|停用|过期", re.IGNORECASE
)
_NAMED_DRAFT: Final = re.compile(r"\bdraft\b|草案|草稿|征求意见|讨论稿|未定稿", re.IGNORECASE)
_SAYS_DRAFT: Final = re.compile(
    r"^\W*(?:status\W+)?(?:draft|not (?:yet )?approved|proposal only)\b"
    r"|\bthis (?:\w+ ){0,2}is (?:only )?a draft\b|\bnot (?:yet )?approved\b"
    r"|(?:尚未|未经|还未)(?:批准|审批|通过|生效)|本.{0,6}(?:为|是)?(?:草案|草稿|征求意见稿)|^\W*(?:状态\W+)?(?:草案|草稿)",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED_AMENDMENT: Final = re.compile(
    r"\b(?:amendment|addendum|supplement(?:ary agreement)?|corrigend\w+|erratum|change order)\b|补充协议"
    r"|补充规定|补充合同|修正案|变更协议|修订通知|更正",
    re.IGNORECASE,
)
# Dates, years and versions in names; a number alone is a name (LX-200).
_WHEN: Final = re.compile(
    r"(?P<date>(?:19|20)\d\d[-_.年/]?(?:0[1-9]|1[0-2])[-_.月/]?(?:0[1-9]|[12]\d|3[01])日?)"
    r"|(?P<month>(?<!\d)(?:19|20)\d\d[-_.年/](?:0?[1-9]|1[0-2])(?!\d)月?)"
    r"|(?P<year>(?<!\d)(?:19|20)\d\d(?!\d)年?(?:版)?)"
    r"|(?P<version>(?<![\dA-Za-z])v?\d+(?:\.\d+)+(?![\dA-Za-z])|(?<![A-Za-z])v\d+(?![\dA-Za-z]))",
    re.IGNORECASE,
)
_NAME_MARKS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a document stands. `family` is the same for those whose names differ in `when` alone ("" where the
    name has no date): (0, y, m, d) for dates, (1, …) for versions; later ones are greater. `codes`
    are contract numbers and the like: an amendment shares those of what it changes.
    """

    is_superseded: bool
    is_draft: bool
    is_amendment: bool
    family: str
    when: tuple[int, ...]
    codes: frozenset[str]

    @property
    def is_in_force(self) -> bool:
        """Whether nothing that it says of itself speaks against it."""
        return not (self.is_superseded or self.is_draft)


def read_standing(title: str, source: str, head: str) -> Standing:
    """How the document of this title, file name and beginning stands by itself."""
    name = fold_script(f"{title}\n{source.rpartition('/')[2]}")
    lines = [line for line in fold_script(head).splitlines() if line.strip()][:HEAD_LINES]
    beginning = "\n".join(lines)
    when = list(_WHEN.finditer(source.rpartition("/")[2])) or list(_WHEN.finditer(title))
    stem = source if _WHEN.search(source.rpartition("/")[2]) else f"{source.rpartition('/')[0]}/{title}"
    family = (
        _NAME_MARKS.sub("", _WHEN.sub("", fold_script(stem.rpartition(".")[0] or stem))).casefold()
        if when
        else ""
    )
    return Standing(
        bool(_NAMED_OLD.search(name) or _SAYS_OLD.search(beginning)),
        bool(_NAMED_DRAFT.search(name) or _SAYS_DRAFT.search(beginning)),
        bool(_NAMED_AMENDMENT.search(name)),
        family,
        _moment(when[-1]) if when else (),
        _codes(f"{name}\n{beginning}"),
    )


def order_standings(standings: Mapping[str, Standing], years: Iterable[str] = ()) -> dict[str, int]:
    """By document: 0 for one in force, more for one that others come before. `years` are those that the question names:
    of a family the document of that year comes first."""
    wanted = {int(year) for year in years}
    order: dict[str, int] = {}
    for document, own in standings.items():
        rank = 0 if own.is_in_force else 2
        others = [other for key, other in standings.items() if key != document and other.is_in_force]
        asked_for = len(own.when) > 1 and own.when[0] == 0 and own.when[1] in wanted
        same = [
            other
            for other in others
            if own.family and other.family == own.family and other.when[:1] == own.when[:1]
        ]
        if any(other.when > own.when for other in same) and not asked_for:
            rank = max(rank, 1)
        if (
            wanted
            and not asked_for
            and any(len(o.when) > 1 and o.when[0] == 0 and o.when[1] in wanted for o in same)
        ):
            rank = max(rank, 1)
        if asked_for and own.is_in_force:
            rank = 0
        if not own.is_amendment and any(other.is_amendment and other.codes & own.codes for other in others):
            rank = max(rank, 1)
        order[document] = rank
    return order


def _moment(found: re.Match[str]) -> tuple[int, ...]:
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
