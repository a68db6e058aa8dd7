"""Acronyms and their long forms: a list of those that companies use, and those that a text itself explains. Pure.

The list (acronyms.tsv) is of common knowledge, in English and Chinese, and made for no firm. What a text explains is
read by the rule of Schwartz & Hearst 2003, "A simple algorithm for identifying abbreviation definitions in biomedical
text", for "recovery time objective (RTO)" and "RTO (recovery time objective)"; Chinese has no letters to compare, so
there the words before the bracket are taken, back to the last verb or function word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import rjieba

from app.han import HAN
from app.lexicon import CHINESE_STOP_WORDS, ENGLISH_STOP_WORDS, fold_script, terms

MAX_LETTERS: Final = 6
_IS_HAN: Final = re.compile(rf"[{HAN}]")
_PIECE: Final = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:['’][a-z]+)?")
_MAX_TEXT_CHARS: Final = 20_000

# "RTO", "2FA", "M&A", "KPIs", "r&d"; not the parts of GW-7, X-Lark-Signature or setup.md
_TOKEN: Final = re.compile(
    r"(?<![A-Za-z0-9_.&/@-])[A-Za-z0-9]+(?:&[A-Za-z]+)?(?![A-Za-z0-9_&/@]|[-.][A-Za-z0-9])"
)
_SHORT: Final = r"[A-Za-z0-9][A-Za-z0-9&.\-]{1,9}"
_QUOTE: Final = "\"'“”‘’「」『』"
# What stands in brackets: an acronym, perhaps in quotes and after "hereinafter" or 简称
_CALLED: Final = (
    r"(?:(?:hereinafter|hereafter)(?:\s+(?:referred\s+to\s+as|called))?|the|or|abbreviated(?:\s+as)?|short(?:\s+for)?"
    r"|以下简称|以下簡稱|下称|下稱|简称|簡稱|英文缩写|缩写为?)"
)
_BRACKETS: Final = re.compile(r"[(（]([^()（）\n]{2,80})[)）]")
_IN_BRACKETS: Final = re.compile(
    rf"\s*(?P<called>{_CALLED}[\s:：,，]*)*(?P<names>[{_QUOTE}]?[^{_QUOTE},;，；。]{{2,30}}[{_QUOTE}]?"
    rf"(?:\s*(?:或|、|or)\s*[{_QUOTE}][^{_QUOTE}]{{1,30}}[{_QUOTE}])*)\s*(?:[,;，；].*)?$",
    re.IGNORECASE,
)
_CALLED_AFTER_COMMA: Final = re.compile(
    rf"(?P<long>[^\n,，。；;()（）]{{2,40}})[,，]\s*+(?:以下)?(?:简称|簡稱)(?:为|為)?\s*+(?:[:：]\s*+)?[{_QUOTE}]?"
    rf"(?P<short>[A-Za-z0-9&{HAN}]{{2,10}}?)[{_QUOTE}]?(?=[\s,，。；;)）]|$)"
)
_BOOK_TITLE: Final = re.compile(r"《([^《》]{2,60})》\s*$")
_MAX_HAN: Final = 14


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the list says of an acronym; `in_capitals`: in small letters it is a word."""

    long_forms: tuple[str, ...]
    in_capitals: bool


def find_acronyms(question: str) -> list[str]:
    """The acronyms of a question, as they are written, in order: up to five letters in capitals, and those of the list
    in any case. Where all of the question is in capitals, those of the list alone.

    >>> find_acronyms("What is our RTO, and the sso of GW7? Are KPIs it?")
    ['RTO', 'sso', 'KPI']
    """
    shouted = question.isupper() and len(question.split()) > 2
    found: list[str] = []
    for match in _TOKEN.finditer(question):
        token = match[0]
        if len(token) > 3 and token[-1] == "s" and token[:-1].isupper():
            token = token[:-1]
        listed = _list().get(token.upper())
        in_capitals = token == token.upper()
        if listed is None:
            is_one = token.isalpha() and token.isupper() and 2 <= len(token) <= 5 and not shouted
        else:
            is_one = (in_capitals and not shouted) or (
                not listed.in_capitals and token.lower() not in ENGLISH_STOP_WORDS
            )
        if is_one and token not in found:
            found.append(token)
    return found


def listed_forms(acronym: str) -> tuple[str, ...]:
    """The long forms that the list has for an acronym in any case, the usual ones first.

    >>> listed_forms("Nda")
    ('non-disclosure agreement', 'confidentiality agreement', '保密协议')
    """
    listed = _list().get(acronym.upper())
    return listed.long_forms if listed else ()


def find_listed_forms(question: str) -> list[tuple[str, str]]:
    """(acronym, long form) for each long form of the list that stands in the question, in the list's order.

    >>> find_listed_forms("What is the recovery time objective?")
    [('RTO', 'recovery time objective')]
    """
    asked, folded = phrase_terms(question), fold_script(question)
    held = set(asked)
    found = []
    for first, acronym, form in _by_first_term():
        if _IS_HAN.match(form):
            if form in folded:
                found.append((acronym, form))
        elif first in held and _stands_in(form, asked, question):
            found.append((acronym, form))
    return found


def phrase_terms(text: str) -> list[str]:
    """The terms of `text` word by word: hyphens, dots and slashes are gaps, so that "sign-on" is like "sign on"."""
    return [term for piece in _PIECE.findall(text) for term in terms(piece)]


def holds_phrase(text: str, phrase: str) -> bool:
    """Whether the terms of `phrase` stand in `text` side by side, stop words aside; Chinese: the characters do.

    >>> holds_phrase("Single sign on is for all.", "single sign-on")
    True
    >>> holds_phrase("A sign for a single.", "single sign-on")
    False
    """
    if _IS_HAN.search(phrase):
        return fold_script(phrase) in fold_script(text)
    return _stands_in(phrase, phrase_terms(text), text)


def initials(words: Sequence[str]) -> str:
    """The first letters of `words` in capitals.

    >>> initials(["Recovery", "time", "objective"])
    'RTO'
    """
    return "".join(word[0] for word in words if word).upper()


def find_by_initials(acronym: str, line: str) -> str | None:
    """The words of a title or heading that `acronym` abbreviates: words that all begin with a capital, or all of the
    line; words such as "of" and "and" may count or not. An acronym of two letters must be all of the line.

    >>> find_by_initials("TOM", "Chapter 3: Target Operating Model (draft)")
    'Target Operating Model'
    >>> find_by_initials("RMA", "How returns may arrive")
    """
    wanted = acronym.upper()
    for part in re.split(r"[:：()（）\[\]|>/]|\s[-–—]\s", line):
        words = re.findall(r"[^\W\d_][\w'’-]*", part)
        small = [word.lower() in ENGLISH_STOP_WORDS for word in words]
        for start in range(len(words)):
            if small[start]:
                continue
            for end in range(start + 2, min(len(words), start + 2 * len(wanted)) + 1):
                some = words[start:end]
                content = [
                    word for word, is_small in zip(some, small[start:end], strict=True) if not is_small
                ]
                if small[end - 1] or wanted not in (initials(some), initials(content)):
                    continue
                whole = end - start == len(words)
                if whole or (len(wanted) > 2 and all(word[0].isupper() for word in content)):
                    return " ".join(some)
    return None


def initials_pattern(acronym: str) -> str:
    """A regular expression of PostgreSQL for lines that may have words with these initials; for letters only."""
    gap = r"[^[:alpha:]]+(?:[[:alpha:]]{1,4}[^[:alpha:]]+)*"
    return r"\m" + gap.join(rf"{letter}[[:alpha:]'-]*" for letter in acronym if letter.isalpha())


def long_forms(text: str) -> dict[str, str]:
    """Short form → long form, for all that `text` itself explains: "recovery time objective (RTO)", "RTO (recovery time
    objective)", 双因素认证（2FA）, 《…》（以下简称“…”）, Northwind Corp. (hereinafter "Northwind").

    The first explanation of each counts. Of a text of more than 20,000 characters the beginning is read.
    """
    text = text[:_MAX_TEXT_CHARS]
    found: dict[str, str] = {}
    for short, explanation in _explained(text):
        long = " ".join(explanation.split()).strip(_QUOTE)
        if long and long.casefold() != short.casefold():
            found.setdefault(short, long)
    return found


def _explained(text: str) -> Iterator[tuple[str, str]]:
    for match in _BRACKETS.finditer(text):
        before, inside = text[max(0, match.start() - 160) : match.start()].rstrip(), match[1]
        before = before.rpartition("\n")[2]
        parts = _IN_BRACKETS.match(inside)
        if parts is not None and before:
            yield from _names_in_brackets(parts, before)
        word = re.search(rf"({_SHORT})$", before)
        if word and any(c.isupper() for c in word[1]) and len(word[1]) <= MAX_LETTERS:
            long = inside.strip()
            is_chinese_name = (
                word[1].isupper() and re.fullmatch(rf"[{HAN}]{{3,{_MAX_HAN}}}", long) is not None
            )
            if is_chinese_name or (" " in long and _match_letters(word[1], long) == long):
                yield word[1], long
    for match in _CALLED_AFTER_COMMA.finditer(text):
        if name := _han_before(match["long"]):
            yield match["short"], name


def _names_in_brackets(parts: re.Match[str], before: str) -> Iterator[tuple[str, str]]:
    names = re.findall(rf"[{_QUOTE}]([^{_QUOTE}]+)[{_QUOTE}]", parts["names"])
    quoted, called = bool(names), bool(parts["called"])
    for short in names or [parts["names"].strip()]:
        long = None
        if re.fullmatch(_SHORT, short) and any(c.isupper() for c in short):
            long = _long_form_before(short, before, named=called and quoted)
        elif called and _IS_HAN.match(short):
            long = _han_before(before)
        if long:
            yield short, long


def _long_form_before(short: str, before: str, *, named: bool) -> str | None:
    """The long form of `short` at the end of `before`; `named`: `short` is said to be a name, so letters may differ."""
    if _IS_HAN.match(before[-1]) or before[-1] == "》":
        return _han_before(before)
    words = before.split()[-min(len(short) + 5, 2 * len(short)) :]
    if long := _match_letters(short, " ".join(words)):
        return long
    if not named:
        return None
    capitals = re.search(r"(?:[A-Z][\w.&'’-]*(?:,?\s+(?=[A-Z])|\s+(?:of|and|for|the|&)\s+)?)+$", before)
    return capitals[0].strip() if capitals else None


def _match_letters(short: str, text: str) -> str | None:
    """Schwartz & Hearst: the shortest end of `text` that has the letters of `short` in order, the first at the start
    of a word. Stricter: it has two words or more, each of which gives a letter or is a stop word, and no bracket."""
    place = len(text)
    for number, letter in enumerate(reversed([c for c in short.lower() if c.isalnum()])):
        first = number == sum(c.isalnum() for c in short) - 1
        place -= 1
        while place >= 0 and (
            text[place].lower() != letter or (first and place > 0 and text[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return None
    long = text[place:].strip()
    words = [word for word in re.split(r"[\s\-/]+", long) if word]
    content = [word for word in words if word.lower() not in ENGLISH_STOP_WORDS]
    letters = short.lower()
    if len(words) < 2 or len(content) > len(letters) or not all(w[0].lower() in letters for w in content):
        return None
    return None if re.search(r"[.;:!?(){}\[\]]\s", long) else long


def _han_before(before: str) -> str | None:
    """The Chinese name at the end of `before`: a title in 《》, a form of the list, else the words back to a verb."""
    if title := _BOOK_TITLE.search(before):
        return title[1]
    run = re.search(rf"[{HAN}]+$", before)
    if run is None:
        return None
    folded = fold_script(run[0])
    known = [form for _, _, form in _by_first_term() if _IS_HAN.match(form) and folded.endswith(form)]
    if known:
        return run[0][-max(map(len, known)) :]
    name = ""
    tagged = rjieba.tag(folded)
    for number, (word, kind) in enumerate(reversed(tagged)):
        if word in CHINESE_STOP_WORDS or (number and kind in ("v", "d", "p", "c", "u", "ul", "uj", "r")):
            break
        name = word + name
    # a single word of two characters is the head of a longer name (…频道) rather than the name
    return run[0][-len(name) :] if 3 <= len(name) <= 2 * _MAX_HAN else None


def _stands_in(phrase: str, words: list[str], text: str) -> bool:
    """Whether `phrase` stands in `text`, whose `phrase_terms` are `words`. One that has a single term ("just in time")
    must stand there as it is."""
    some = phrase_terms(phrase)
    if len(some) < 2:
        return re.search(rf"\b{re.escape(phrase)}\b", text, re.IGNORECASE) is not None
    return any(words[place : place + len(some)] == some for place in range(len(words) - len(some) + 1))


@cache
def _list() -> dict[str, _Listed]:
    listed = {}
    for line in (files("app.question") / "acronyms.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            acronym, forms = line.split("\t")
            listed[acronym.lstrip("!")] = _Listed(tuple(forms.split("|")), acronym.startswith("!"))
    return listed


@cache
def _by_first_term() -> list[tuple[str, str, str]]:
    """(first term, acronym, long form) of all in the list."""
    return [
        (phrase_terms(form)[0], acronym, form)
        for acronym, listed in _list().items()
        for form in listed.long_forms
        if phrase_terms(form)
    ]
