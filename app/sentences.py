"""Text → sentence spans: English and Chinese, and other languages by their stops or, without any, by their spaces.

Pure: knows nothing of documents, chunks or models of language beyond nupunkt's table of abbreviations, which
is loaded once at the first English sentence. A text is first cut into blocks at borders that no sentence
crosses (blank lines, headings, list items, table rows, lines of fenced code, rules, bold lines, lines of a form such as
"Owner: People team"); within a block, Chinese
punctuation cuts first and nupunkt cuts what is left and has Latin letters in it. What is longer than MAX_SENTENCE_CHARS
even so is cut at a comma, a space or anywhere. Time is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from nupunkt import PunktSentenceTokenizer, load_default_model

from app.graphemes import syllable_at_or_before
from app.han import HAN
from app.stored_markdown import LIST_MARKER, fence_at, is_heading, is_row, is_rule, read_fences

Span = tuple[int, int]

# A quotation longer than this many characters is cut inside like any other text: it is not one sentence,
# and an opening quote that was never closed must not swallow the rest of a document.
MAX_QUOTE_CHARS = 200
# nupunkt's word pattern is quadratic in the length of a run without spaces (6 s for 60,000 "!"), so longer
# runs (URLs, base64, ornaments) are shown to it as one plain word of the same length and the same end.
MAX_WORD_CHARS = 100
# A longer "sentence" is a list or a text in which no stop was recognised: nobody reads it as one. It is cut into parts
# that the smallest chunk holds.
MAX_SENTENCE_CHARS, PART_CHARS = 1_000, 500
# Thai, Lao, Khmer and Burmese have spaces between clauses and often no stops: a sentence is some of them together.
LEAST_CLAUSES_CHARS = 80

_HAN = f"\u3007{HAN}"
_CLOSERS = "」』”’）》〉】〕］｝)\\]}"

_BOLD_LINE = re.compile(r"[ \t]*(?:\*\*[^*\n]+\*\*|__[^_\n]+__)[ \t]*$")
# A line of a form. One alone may be prose with a colon in it, so it takes two in a row; none ends in a comma.
_FORM_LINE = re.compile(
    rf"[ \t\u3000]*(?:\*\*|__)?(?:[^\W\d_a-z{_HAN}][^\s:：|*]*(?: [^\s:：|*]+){{0,3}}"
    rf"|[{_HAN}](?:[ \u3000]{{0,4}}[^\s:：|*。！？，；]){{0,9}})"
    r"(?:\*\*|__)?(?::(?=[ \t*_])|：)[ \t*_]*\S"
)
# A run of marks that may end a sentence, with the closing quotes after it, unless what follows continues the
# sentence. Possessive, so that neither backtracking nor a second try within a run costs quadratic time.
_MARKS = "。！？；｡!?;…"
_EVENT = re.compile(
    rf"(?P<open>[「『“‘（《〈【])|(?:(?<![{_MARKS}])(?P<run>[{_MARKS}]++)|(?<=[{_HAN}])\.++(?=\s|$))"
    rf"[{_CLOSERS}]*+(?![，、：,:—～~])"
)
_CHINESE_MARK = re.compile("[。！？；｡]|……")
_AFTER_HAN = re.compile(rf"[{_HAN}」』）》〉】]")
_PARTNER = {"」": "「", "』": "『", "”": "“", "’": "‘", "）": "（", "》": "《", "〉": "〈", "】": "【"}
_BRACKET = re.compile("[「『“‘（《〈【」』”’）》〉】]")
_CONTINUES = frozenset("，、：,:—～~。！？；と" + "」』”’）》〉】")  # the sentence goes on after a quotation
_TITLE_MARKS = "《〈【"  # names of works: punctuation inside them belongs to the name

_LATIN_END = re.compile(r"[.!?…]")
_LATIN_LETTER = re.compile(r"[A-Za-z\u00c0-\u024f]")
_HAN_AFTER_LATIN_STOP = re.compile(
    rf"(?<=[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9])[.!?]\s+(?=[{_HAN}“「《（])"
)
# Letters that are neither Latin nor Han; a stop after two of them is no abbreviation's. Some scripts have stops of
# their own: Armenian, Arabic, Urdu, Devanagari, Tibetan, Ethiopic, Burmese, Khmer; the Greek question mark looks like
# a semicolon.
_OTHER_LETTER = r"\u0370-\u1cff\u1f00-\u1fff\u3040-\u30ff\ua000-\uabff\uac00-\ud7af"
_OTHER_STOP = re.compile(
    rf"(?:(?<=[{_OTHER_LETTER}][{_OTHER_LETTER}])[.!?…]++|(?<![։؟۔।॥།༎።။។៕])[։؟۔।॥།༎።။។៕]++|(?<=[\u0370-\u03ff\u1f00-\u1fff]);)[\"'”’»)\]]*+\s+"
)
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_SPACE_AMONG_UNSPACED = re.compile(rf"(?<=[{_UNSPACED}])\s+(?=[{_UNSPACED}\d])|(?<=\d)\s+(?=[{_UNSPACED}])")
_WEAK_BORDER = re.compile(r"[；;，,、：:\n]\s*|\s+")
_LONG_WORD = re.compile(rf"(?<!\S)\S{{{MAX_WORD_CHARS},}}")
# "[5]" after a full stop is a note to the sentence before it, and "**" ends what is bold in it.
_REFERENCES = re.compile(r"(?:\*{1,3}|_{1,3})(?=\s|$)|[ \t]*(?:\[\d{1,3}\][ \t]*)+(?=\s|$|[^\W\d_])")


def split_sentences(text: str) -> list[Span]:
    """Return the sentences of `text` as half-open spans in code points, in order.

    Spans do not overlap, start and end with a non-space character, and cover every non-space character. A
    heading, a table row, a rule and a line of fenced code are one span each; a list item starts a new span
    and its marker belongs to its first sentence.

    >>> text = "Dr. Smith paid $3.14. 他说：“好。走吧。”然后走了。"
    >>> [text[a:b] for a, b in split_sentences(text)]
    ['Dr. Smith paid $3.14.', '他说：“好。走吧。”', '然后走了。']
    """
    spans: list[Span] = []
    for start, body, end in _blocks(text):
        # `body` is where prose starts: before it stands a list marker; a block that is one unit has no body.
        cuts = _cuts(text, body, end) if body < end else []
        if body < end and end - start > MAX_SENTENCE_CHARS:
            cuts = list(_bounded(text, [start, *cuts, end]))
        for a, b in zip([start, *cuts], [*cuts, end], strict=True):
            span = _trim(text, a, b)
            if span[0] < span[1]:
                spans.append(span)
    return spans


def _blocks(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield (start, start of the prose, end) of the stretches that no sentence crosses, in order."""
    fences = read_fences(text, quotes=True)
    start, body = -1, -1  # the open block of prose
    pos = 0
    in_form = False  # whether the line before is one of a form
    while pos < len(text):
        newline = text.find("\n", pos)
        end = len(text) if newline < 0 else newline
        line = text[pos:end]
        is_unit = fence_at(fences, pos) is not None or _is_unit(line)
        item = None if is_unit else LIST_MARKER.match(line)
        was_in_form, in_form = in_form, not is_unit and not item and _is_of_form(line)
        after = text.find("\n", end + 1)
        begins = in_form and (was_in_form or _is_of_form(text[end + 1 : len(text) if after < 0 else after]))
        if start >= 0 and (is_unit or item or begins or not line.strip()):
            yield start, body, pos
            start = -1
        if is_unit:
            yield pos, end, end
        elif start < 0 and line.strip():
            start, body = pos, pos + (item.end() if item else 0)
        pos = end + 1
    if start >= 0:
        yield start, body, len(text)


def _is_unit(line: str) -> bool:
    return is_heading(line) or is_row(line) or is_rule(line) or bool(_BOLD_LINE.match(line))


def _is_of_form(line: str) -> bool:
    return bool(_FORM_LINE.match(line)) and not line.rstrip().endswith((",", "，", "、"))


def _cuts(text: str, start: int, end: int) -> list[int]:
    """Return the positions within (start, end) where a new sentence starts, ascending."""
    cuts: list[int] = []
    borders = [start, *_chinese_cuts(text, start, end), end]
    for a, b in pairwise(borders):
        if a > start:
            cuts.append(a)
        cuts.extend(_english_cuts(text, a, b))
    if not text.isascii():
        stops = [
            match.end()
            for match in _OTHER_STOP.finditer(text, start, end)
            if not (match[0].startswith(".") and _goes_on_small(text, match.end()))
        ]
        cuts.extend(stops)
        cuts.extend(_clause_cuts(text, start, end, stops))
    moved: set[int] = set()
    marks, last = 0, start
    for cut in sorted(cuts):
        marks, last = marks + text.count("**", last, cut), cut
        references = _REFERENCES.match(text, cut, end)
        # Before Chinese no space tells whether "**" ends what is bold or begins it.
        closes = marks % 2 == 1 and text.startswith("**", cut)
        moved.add(references.end() if references else cut + 2 if closes else cut)
    return sorted(cut for cut in moved if cut < end)


def _chinese_cuts(text: str, start: int, end: int) -> list[int]:
    """Cut after Chinese full stops and the closing quotes that follow them, not inside quotations."""
    closing = _quotations(text, start, end)
    cuts: list[int] = []
    sentence_start = pos = start
    while match := _EVENT.search(text, pos, end):
        pos = match.end()
        if match["open"]:
            close = closing.get(match.start())
            if close is None:
                continue
            pos = close + 1
            ends_inside = text[close - 1] in "。！？｡!?…" and match["open"] not in _TITLE_MARKS
            # A bracket within a sentence does not end it, one that stands for itself does.
            own = match["open"] != "（" or not text[sentence_start : match.start()].strip()
            follows = text[close + 1 : close + 2]
            if not (ends_inside and own) or follows in _CONTINUES:
                continue
        elif not _ends_chinese(text, match):
            continue
        if pos < end:
            cuts.append(pos)
            sentence_start = pos
    return cuts


def _ends_chinese(text: str, match: re.Match[str]) -> bool:
    """Tell whether marks end a Chinese sentence: Chinese ones do, ASCII ones and "…" after a Han character."""
    run = match["run"]
    if run is None or _CHINESE_MARK.search(run):
        return True
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    return bool(_AFTER_HAN.match(before))


def _quotations(text: str, start: int, end: int) -> dict[int, int]:
    """Map each opening quote or bracket to its closing one, for pairs of at most MAX_QUOTE_CHARS."""
    pairs: dict[int, int] = {}
    stack: list[tuple[str, int]] = []
    open_count = dict.fromkeys(_PARTNER.values(), 0)
    for match in _BRACKET.finditer(text, start, end):
        mark = match.group()
        if mark in open_count:
            stack.append((mark, match.start()))
            open_count[mark] += 1
        elif open_count[_PARTNER[mark]]:  # a stray closing quote (an apostrophe) closes nothing
            opener, at = "", 0
            while opener != _PARTNER[mark]:
                opener, at = stack.pop()
                open_count[opener] -= 1
            if match.start() - at <= MAX_QUOTE_CHARS:
                pairs[at] = match.start()
    return pairs


def _english_cuts(text: str, start: int, end: int) -> list[int]:
    """Cut a stretch that has Latin letters with nupunkt, and where a Latin sentence meets a Chinese one."""
    part = text[start:end]
    if not (_LATIN_END.search(part) and _LATIN_LETTER.search(part)):
        return []
    cuts = {match.end() for match in _HAN_AFTER_LATIN_STOP.finditer(part)}
    shown = _LONG_WORD.sub(lambda m: "x" * (len(m.group()) - 4) + m.group()[-4:], part)
    cuts.update(b for _, (_, b) in _punkt().tokenize_with_spans(shown))
    return [start + cut for cut in sorted(cuts) if 0 < cut < len(part)]


def _goes_on_small(text: str, at: int) -> bool:
    """Whether a small letter of Greek, Cyrillic or Armenian follows: what ended before it was an abbreviation."""
    following = text[at : at + 1]
    return "\u0370" <= following <= "\u058f" and following.islower()


def _clause_cuts(text: str, start: int, end: int, stops: Sequence[int]) -> Iterator[int]:
    """Cut at spaces between clauses, where LEAST_CLAUSES_CHARS have come together since the last of `stops`."""
    last = start
    for space in _SPACE_AMONG_UNSPACED.finditer(text, start, end):
        at = bisect_right(stops, space.start())
        last = max(last, stops[at - 1] if at else last)
        if space.start() - last >= LEAST_CLAUSES_CHARS:
            last = space.end()
            yield last


def _bounded(text: str, borders: list[int]) -> Iterator[int]:
    """The inner ones of some borders, with more between those that are further apart than MAX_SENTENCE_CHARS."""
    for a, b in pairwise(borders):
        at = a
        while b - a > MAX_SENTENCE_CHARS and b - at > PART_CHARS:
            weak = _WEAK_BORDER.finditer(text, at + PART_CHARS // 2, at + PART_CHARS)
            at = max(
                (match.end() for match in weak), default=syllable_at_or_before(text, at + PART_CHARS, at)
            )
            yield at
        if b != borders[-1]:
            yield b


@cache
def _punkt() -> PunktSentenceTokenizer:
    return load_default_model()


def _trim(text: str, start: int, end: int) -> Span:
    """Shrink a span by the whitespace at its ends."""
    part = text[start:end]
    lead = len(part) - len(part.lstrip())
    return start + lead, max(start + lead, end - (len(part) - len(part.rstrip())))
