"""What the names and first lines of documents say of them: superseded, withdrawn, a draft. Pure.

A word such as "draft" or 作废 says so only where it stands as a mark: in brackets, parted from the name, behind it, as
a folder, as a status, or of "this document". "Draft beer menu" and 作废发票处理办法 are about such things.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from app.han import HAN
from app.lexicon import fold_script

HEAD_LINES: Final = 6  # that are not blank: where a document says what it is
_NAME_LINE: Final = 80  # characters: a first line that is longer is a sentence

_OLD_EN: Final = (
    r"superseded|obsolete|outdated|out of date|withdrawn|repealed|rescinded|revoked|voided|void|archived|deprecated"
    r"|expired|retired|replaced|rejected|cancell?ed|do not use"
    r"|no longer (?:valid|in force|in use|current|applicable|applies|apply|maintained)"
    r"|not (?:valid|in force)(?: any ?more| any longer)?|ceased to (?:apply|be valid)"
)
_DRAFT_EN: Final = (
    r"(?:(?:first|second|final|working|rough|early|initial|preliminary|discussion|internal|public) )?draft"
    r"|not (?:yet )?(?:been )?approved|unapproved|(?:pending|awaiting) approval|proposed|proposal only|work in progress"
)
_GONE_ZH: Final = "废止|作废|失效|停用|过期|过时|撤销|停止(?:执行|使用|适用|施行)|不再(?:使用|适用|有效|执行)"
_REPLACED_ZH: Final = "(?:取代|替代|代替|替换)"
_OLD_ZH: Final = (
    rf"已?经?被?(?:{_GONE_ZH})|已(?:归档|取消|取代|替换)|[旧老]版本?|历史(?:版本|文件|资料)|(?:请勿|不要)使用|勿用"
    rf"|已?被.{{0,30}}?{_REPLACED_ZH}"
)
_UNAPPROVED_ZH: Final = (
    "(?:尚未|还未|未|待)(?:经|获)?(?:批准|审批|审核|审定|通过|生效|定稿|发布|公布)|未定稿|编制中|起草中"
)
_DRAFT_ZH: Final = f"草案|草稿|初稿|征求意见稿?|讨论稿|送审稿|审议稿|{_UNAPPROVED_ZH}"
# What may go on behind a mark: "superseded by …", "draft for discussion", 作废版, 草案，仅供讨论.
_ON_EN: Final = (
    r"(?: (?:version|copy|edition|document|policy|file))?(?: (?:since|by|on|as of|as from|from|in (?:\w+ )?\d"
    r"|with effect|until"
    r"|effective|see|do not|not|pending|for (?:discussion|comments?|review|approval|consultation|reference)|v?\d"
    r"|version)\b.*)?"
)
_ON_ZH: Final = "(?:版本?|稿|文件)?(?: ?(?:请勿|仅供|自|于|从|参?见|由|不得|勿|供|v?\\d).*)?"


def _marks(english: str, chinese: str) -> re.Pattern[str]:
    """What a part of a name is when all of it is a mark."""
    return re.compile(rf" *+(?:(?:{english}){_ON_EN}|[自于从起 ]*(?:{chinese}){_ON_ZH}) *", re.IGNORECASE)


_MARKS: Final = {
    "old": _marks(rf"{_OLD_EN}|old|previous version|former version", f"{_OLD_ZH}|旧"),
    "draft": _marks(_DRAFT_EN, _DRAFT_ZH),
    "valid": _marks(
        "current|latest|final|approved|valid|in force|new|new version|revised|copy",
        "现行|有效|现行有效|最新|新版本?|正式|终稿|定稿|修订|副本|第.{1,3}[版次]",
    ),
}
_BRACKETED: Final = re.compile(r"[(\[【〔{]([^()\[\]【】〔〕{}]{1,60})[)\]】〕}]")
_INNER: Final = re.compile(r"[,;、|。]|\s[-–—]+\s")  # parts what stands in brackets
_PARTED: Final = re.compile(
    rf"(?<!\s)\s+[-–—]+\s+|[–—:|·]+|(?<=[{HAN}])[-_ ]+|[-_ ]{{1,20}}(?=[{HAN}])|,(?=[^,]*$)"
)
_BLANKS: Final = re.compile(r"[\s_.\-]+")
# The first or last words of a name. In front, in lower case, only words for versions: expired goods and 作废发票 are
# things.
_OF_VERSIONS: Final = frozenset(("old", "former", "previous", "outdated", "superseded"))
_FIRST_WORD: Final = re.compile(
    rf"(?:(?P<old>old|former|previous|{_OLD_EN})|(?P<draft>{_DRAFT_EN})) (?=\S)", re.IGNORECASE
)
_LAST_WORD: Final = re.compile(
    rf"(?<!\S)(?P<before>\S++) (?:(?P<old>old(?: version| copy)?|{_OLD_EN})|(?P<draft>{_DRAFT_EN}))(?: \d{{1,2}})?$",
    re.IGNORECASE,
)
# Behind a name these can hardly belong to it, but where it goes on: "How to save a draft", "Ten years old".
_SURE_LAST: Final = re.compile(
    r"old|old version|obsolete|superseded|outdated|deprecated|archived|.*draft", re.IGNORECASE
)
_GOES_ON: Final = frozenset(
    "a an the is are was be how very years months weeks days not and or of to in as no what your my save".split()  # noqa: SIM905
)
_NOUN_ZH: Final = (
    "制度|文件|办法|规定|版本?|文档|合同|手册|标准|通知|协议|价目表|价格表|报价单|规范|指南|规程|规则|规章|要点|章程|细则|条例"
    "|政策|方案|流程|说明书?|清单|表格?|页面?|文章?|公告|预案|意见|计划|须知|守则|准则|指引|决定|报告|模板|资料|内容|稿"
)
_SURE_LAST_ZH: Final = re.compile(
    rf"(?:{_NOUN_ZH})(?:已(?:{_GONE_ZH})|旧版本?|废止版|作废版)$"
    rf"|(?P<draft>草案|征求意见稿|讨论稿|送审稿|未定稿|(?:{_NOUN_ZH})(?:草稿|初稿))$"
)
_GLUED_ZH: Final = re.compile(
    rf"^(?:旧版?本?|历史版本|{_DRAFT_ZH})的?(?=[{HAN}])|(?<=[{HAN}])(?:{_OLD_ZH}|{_DRAFT_ZH})$"
)
_OLD_FOLDER: Final = re.compile(
    r"(?:old|archives?|archived|obsolete|superseded|outdated|deprecated|expired|withdrawn|retired"
    r"|(?:old|previous|former|superseded|obsolete|archived|outdated|withdrawn)"
    r" (?:versions?|policies|documents?|docs|files?|copies|editions|rules)"
    r"|归档|存档|旧版本?|历史版本|旧(?:文件|制度|文档|资料)|历史(?:文件|制度|文档)"
    r"|已?(?:废止|作废|失效|过期|停用)(?:文件|制度|版本?|文档)?)",
    re.IGNORECASE,
)
_DRAFT_FOLDER: Final = re.compile(
    r"drafts?|wip|work in progress|草稿箱?|草案|征求意见稿?|讨论稿", re.IGNORECASE
)
_YEAR_FOLDER: Final = re.compile(r"(?:19|20)\d\d年?版?")

_NOUN_EN: Final = (
    r"(?:polic(?:y|ies)|documents?|versions?|rules?|pages?|guides?|guidelines?|lists?|procedures?|agreement|contract"
    r"|manual|handbook|memo|notice|edition|revision|files?|sheet|form|template|standard|specification|plan|regulations?|terms"
    r"|tariff|schedule|article|text|instructions?|process|directive|circular|statement|brochure|catalogu?e?|offer"
    r"|quotation|notes?|information|content|report|proposal)"
)
_STATED: Final = (
    r"(?=\s*(?:$|[.;:,!)\]–—-]|(?:by|since|on|as|from|and|with|in (?:\w+ )?\d|now|effective|see|because)\b))"
)
# What a document says of itself: "This policy is superseded by …", "This is an old version".
_SAYS_EN: Final = {
    "old": re.compile(
        r"(?<!\bof )(?<!\bby )(?<!\bin )(?<!\bto )(?<!\bfor )(?<!\bfrom )\b(?:this|these|the (?:present|following)) "
        rf"(?:(?!former|previous|old|earlier|the |an? |of )\w+ ){{0,3}}?{_NOUN_EN}"
        r"(?: (?:of|from|dated) [^.,;]{1,30}?)? (?:and )?(?:(?:is|are|was|were|has|have|had) (?:(?:been|now|since|fully"
        r"|officially|formally|already|hereby|currently|completely|therefore|also) )*)?"
        rf"(?:(?:{_OLD_EN}){_STATED}|(?:(?<=was )|(?<=were ))(?:valid|in force) until\b)"
        r"|\bthis (?:is|was) (?:an?|the) (?:old|outdated|obsolete|superseded|archived|previous|former|expired"
        rf"|withdrawn) (?:{_NOUN_EN}|copy)\b",
        re.IGNORECASE,
    ),
    "draft": re.compile(
        r"\bthis (?:\w+ ){0,3}?is (?:(?:only|still|just) )?an? (?:\w+ )?draft\b"
        rf"|\bthis (?:\w+ ){{0,2}}?{_NOUN_EN} (?:is|has) (?:still )?(?:not (?:yet )?(?:been )?approved|unapproved)"
        rf"{_STATED}",
        re.IGNORECASE,
    ),
}
# What goes on behind a mark in a line of its own.
_END: Final = (
    r"(?=[*_ ]*(?:$|[.;:,!)\](–—。]|- |(?:by|since|on|as of|from|in (?:\w+ )?\d|for discussion|version|v?\d)\b"
    r"|请勿|仅供|[自于从](?:\d|即)|\|\s*$))"
)
_STATUS: Final = {
    kind: re.compile(
        rf"^[\W_]*(?:(?:document|policy|current|approval) )?(?:status|state|validity)[\W_]+(?:{english}){_END}"
        rf"|^[\W_]*(?:文件|文档|版本|当前|制度|审批)?(?:状态|时效性?|效力|有效性)[\W_]+(?:{chinese}){_END}",
        re.IGNORECASE,
    )
    for kind, english, chinese in (("old", _OLD_EN, _OLD_ZH), ("draft", _DRAFT_EN, _DRAFT_ZH))
}
_LINE_START: Final = {
    "old": re.compile(
        rf"^[\W_]*(?:(?:{_OLD_EN}|(?:old|former|previous) version){_END}(?!,)|(?:{_OLD_ZH}){_END})",
        re.IGNORECASE,
    ),
    "draft": re.compile(
        rf"^[\W_]*(?:(?:{_DRAFT_EN}){_END}|(?!{_UNAPPROVED_ZH})(?:{_DRAFT_ZH}){_END}|(?:{_UNAPPROVED_ZH})\W*$)",
        re.IGNORECASE,
    ),
}
_LISTED: Final = re.compile(r"\s*(?:[-*+•]\s|\d+[.)、]|\|)")  # rows and items name things, not their document
_HEADING: Final = re.compile(r"\s{0,40}#{1,6}\s")
_STATUS_HEADING: Final = re.compile(r"\s*#+\s*(?:status|state|状态|版本状态|文件状态)\W*$", re.IGNORECASE)

DATE_ZH: Final = (
    r"(?:\d{4}[年\-/.]\d{1,2}(?:[月\-/.]\d{1,2})?[日号月]?|(?:民国)?\d{2,4}年[底末初]?|\d{1,2}月\d{1,2}日"
    r"|即日)"
)
_SELF_ZH: Final = re.compile(
    rf"^\W*(?:\w{{0,4}}(?:注意?|说明|提示|提醒|声明|重要):)?(?:自{DATE_ZH}起)?(?:本|该|此|这[份个项]?)(?:(?![原旧前老由被])\D){{0,12}}?(?:{_NOUN_ZH})(?:\([^)]*\))?"
)
_GONE_CLAUSE: Final = re.compile(
    rf"(?:现|已经?|并|自|于|从|在|正式|全面|全文|{DATE_ZH}|以?起|之?后|予以?|宣布|\s)*+"
    rf"(?:{_GONE_ZH}|(?:被|改?由).{{1,40}}?(?:{_REPLACED_ZH}|废止)|被(?:{_REPLACED_ZH}|废止))(?:\(.*|[\])】*_]+)?$"
)
_OLD_CLAUSE: Final = re.compile(
    r"仅?[为是属]于?(?:[旧老]|历史|过期|已?作废|已?失效|已?废止)(?:的?版本?|的?文件|稿)$"
)
_DONE: Final = re.compile(r"已|现|自|于|从|被|由|不再|停止|即日|\d")
_DRAFT_CLAUSE: Final = re.compile(
    rf"(?:仅?[为是]?.{{0,6}}(?:草案|草稿|征求意见稿|讨论稿|初稿)|目前?(?:{_UNAPPROVED_ZH})|(?:{_UNAPPROVED_ZH}))$"
)

# Dates, years and versions in names; a number alone is a name (LX-200).
WHEN: Final = re.compile(
    r"(?P<date>(?:19|20)\d\d[-_.年/]?(?:0[1-9]|1[0-2])[-_.月/]?(?:0[1-9]|[12]\d|3[01])日?)"
    r"|(?P<month>(?<!\d)(?:19|20)\d\d[-_.年/](?:0?[1-9]|1[0-2])(?!\d)月?)"
    r"|(?P<year>(?<!\d)(?:19|20)\d\d(?!\d)年?(?:版)?)"
    r"|(?P<version>(?<![A-Za-z])(?:version|ver|rev|revision)[ .]?\d+(?:\.\d+)*|第 ?\d+ ?版"
    r"|(?<![\dA-Za-z])v?\d+(?:\.\d+)+(?![\dA-Za-z])|(?<![A-Za-z])v\d+(?![\dA-Za-z]))",
    re.IGNORECASE,
)
_NAME_MARKS: Final = re.compile(r"[\W_]+")
_TAIL: Final = re.compile(r"(?: {1,9}(?:version|ver|rev|revision|edition|v)){1,4}$|版$", re.IGNORECASE)
SUFFIX: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")


@dataclass(frozen=True, slots=True)
class Name:
    """A name: the kinds of its marks, whether a word of it may be one, and what is left without them and dates."""

    marks: frozenset[str]
    may_be_old: bool
    rest: str

    @property
    def key(self) -> str:
        """What it is compared by: letters and digits alone."""
        return _NAME_MARKS.sub("", self.rest).casefold()


def fold(text: str) -> str:
    """Text without script and width."""
    return fold_script(unicodedata.normalize("NFKC", text))


def read_folders(path: str) -> tuple[frozenset[str], str, str]:
    """The kinds of marks among folders, the path without them and without years, and the last year."""
    marks, kept, year = set(), [], ""
    for part in path.split("/"):
        words = re.sub(r"[\W\d_]+", " ", part).strip()
        if _OLD_FOLDER.fullmatch(words):
            marks.add("old")
        elif _DRAFT_FOLDER.fullmatch(words):
            marks.add("draft")
        elif _YEAR_FOLDER.fullmatch(part):
            year = part
        else:
            kept.append(part)
    return frozenset(marks), "/".join(kept).casefold(), year


def read_name(name: str) -> Name:
    marks: set[str] = set()
    rest = WHEN.sub(" ", name)

    def without_marks(found: re.Match[str]) -> str:
        kinds = {kind for part in _INNER.split(found[1]) if (kind := _kind(part))}
        marks.update(kinds)
        return " " if kinds or not re.search(r"\w", found[1]) else found[0]

    rest = _BRACKETED.sub(without_marks, rest)
    parts = [part for part in _PARTED.split(rest) if re.search(r"\w", part)]
    named = [part for part in parts if _kind(part) is None]
    if named:
        marks.update(kind for part in parts if (kind := _kind(part)))
        rest = " ".join(named)
    rest = _TAIL.sub("", _BLANKS.sub(" ", rest).strip())
    may_be_old = False
    if found := _LAST_WORD.search(rest):
        kind, word = ("old", found["old"]) if found["old"] else ("draft", found["draft"])
        without = rest[: found.end("before")]
        is_sure = bool(_SURE_LAST.fullmatch(word)) and found["before"].casefold() not in _GOES_ON
        if is_sure or _stands_out(word, without):
            marks.add(kind)
        may_be_old, rest = True, without
    elif found := _FIRST_WORD.match(rest):
        without = rest[found.end() :]
        is_sure = _stands_out(found.group(), without)
        if is_sure:
            marks.add("old" if found["old"] else "draft")
        if is_sure or found["draft"] or found["old"].casefold() in _OF_VERSIONS:
            may_be_old, rest = True, without
    elif found := _SURE_LAST_ZH.search(rest):
        marks.add("draft" if found["draft"] else "old")
    if without := _GLUED_ZH.sub("", rest):
        may_be_old, rest = may_be_old or without != rest, without
    return Name(frozenset(marks - {"valid"}), may_be_old, _TAIL.sub("", rest).strip())


def _kind(part: str) -> str | None:
    """The kind of mark that a part of a name is as a whole."""
    words = _BLANKS.sub(" ", part).strip()
    return next((kind for kind, pattern in _MARKS.items() if pattern.fullmatch(words)), None)


def _stands_out(word: str, rest: str) -> bool:
    """Whether a word is in capitals and the rest of the name is not."""
    return word.isupper() and not rest.isupper()


def first_lines(text: str) -> list[str]:
    """The first lines that are not blank, up to the second heading; one that announces a status is passed over."""
    lines: list[str] = []
    below = False
    for line in text.splitlines():
        if not line.strip() or _STATUS_HEADING.match(line):
            continue
        if _HEADING.match(line):
            if below:
                break
            below = True
        lines.append(line)
        if len(lines) == HEAD_LINES:
            break
    return lines


def read_stated_marks(lines: list[str]) -> frozenset[str]:
    """The kinds of marks in a document's first lines."""
    marks: set[str] = set()
    for place, line in enumerate(lines):
        text = _HEADING.sub("", line).strip()
        is_name = len(text) <= _NAME_LINE and not text.endswith((".", "。", "!", "?", ":", ";"))
        if place == 0 and is_name and not _LISTED.match(line):
            marks |= read_name(text).marks
        for kind in ("old", "draft"):
            if (
                _SAYS_EN[kind].search(line)
                or _STATUS[kind].search(line)
                or (not _LISTED.match(line) and not _HEADING.match(line) and _LINE_START[kind].search(line))
                or _says_of_itself(line, kind)
            ):
                marks.add(kind)
    return frozenset(marks)


def _says_of_itself(line: str, kind: str) -> bool:
    """Whether a Chinese sentence says so of "this document": 本制度已于…废止, not 本制度…施行，原制度废止."""
    for sentence in re.split(r"[。;!]", line):
        is_self = False
        for clause in re.split(r"[,、]", sentence):
            subject = _SELF_ZH.match(clause)
            is_self = is_self or subject is not None
            said = clause[subject.end() :] if subject else clause
            if not is_self:
                continue
            if kind == "old" and _GONE_CLAUSE.match(said.strip()) and _DONE.search(clause):
                return True
            if kind == "old" and subject is not None and _OLD_CLAUSE.match(said.strip()):
                return True
            if kind == "draft" and subject is not None and _DRAFT_CLAUSE.match(said.strip()):
                return True
    return False
