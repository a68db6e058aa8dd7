"""Answers without a language model: the sentences, rows, lists or steps of the hits that best answer a question; pure.

`candidates.py` finds and scores what may be said. The best one is joined by another only where that holds a part of the
question that is not held yet, or by what an earlier version says where versions differ; `comparing.py` has one for each
thing that is compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain import AnswerKind, Citation, Claim
from app.generation.candidates import LEAST_VALID, MAX_ITEMS, Candidate, Material, find_candidates
from app.generation.comparing import compare, is_comparison, terms_of_thing
from app.generation.draft import Draft
from app.generation.evidence import holds
from app.generation.instructions import TO_ASSISTANT
from app.generation.reply import Voice, Wording
from app.generation.rows import tied_rows
from app.generation.standing import (
    are_versions,
    is_asked_for,
    shown_moment,
)
from app.generation.units import Unit, items_of
from app.generation.wording import shown_item, shown_row, shown_sentence, shown_unit
from app.lexicon import is_chinese
from app.stored_markdown import Kind

MAX_SENTENCES: Final = 3
MAX_WORDS: Final = 75  # of all sentences together; the best one may be longer
MAX_HAN: Final = 120  # the same for Chinese, in characters
REPEAT_COST: Final = 0.9  # for what of the question a further sentence holds that is held already (MMR)
LEAST_GAIN: Final = 0.15  # of the question's weight that a further sentence must add
SAME_SHARE: Final = 0.6  # or of what the best one holds of the question, that it holds too
LEAST_SHARE: Final = 0.65  # of the best one's score that it needs
LEAST_STANDARD: Final = 0.7  # of its standard score, where no words tell
SAME_WORDS: Final = 0.3  # of two versions' sentences: they say the same but for a value

# A sentence that begins so is not understood alone, and goes on with what the one before it says.
_GOES_ON: Final = re.compile(
    r"\W*(?:(?:it|they|this|these|those|he|she|otherwise|however|but|then|if not|if so|in (?:that|this|such) case"
    r"|instead|both|neither|such|until then|else|after that|the same|the latter|the others?)\b"
    r"|[它他她其该此这](?!他)|否则|但|不过|然后|另外|此外|其中|届时|如需|如不|若不|之后)",
    re.IGNORECASE,
)
# What is to be done takes more than one sentence to tell; words say which, but for another language's.
_ASKS_HOW: Final = re.compile(
    r"\bhow (?:do|can|should|to)\b|\bwhat (?:should|must|to do)\b|怎么|怎样|如何", re.IGNORECASE
)
_NOT_IN_FORCE: Final[Wording] = (
    "Nothing on this was found in the version in force, {title}.",
    "现行的《{title}》中未找到相关内容。",
)
_NONE_IN_FORCE: Final[Wording] = (
    "No document in force was found that says this.",
    "未找到载有此内容的现行文件。",
)
_AND_MORE: Final[Wording] = ("… and {count} more in {place}.", "……还有 {count} 项，见 {place}。")
_NOTHING_OF: Final[Wording] = ("The documents say nothing of {name} here.", "文档中没有关于 {name} 的内容。")


@dataclass(frozen=True, slots=True)
class Extraction:
    """An extractive answer: its text, the claims in it and the citations behind them."""

    text: str
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    kind: AnswerKind
    said: tuple[Unit, ...]  # what the answer begins with
    standard: float = 0.0  # score of its cosine with the question


def extract(
    material: Material, standards: Callable[[Sequence[str]], Sequence[float]] | None
) -> Extraction | None:
    """Choose and write the answer. None where no unit has anything of the question, and it is not in another language.

    `standards` gives the standard score of the question and each text, None where the model can't read the question.
    Deterministic; ties go to the better hit, then to the earlier unit.
    """
    candidates = find_candidates(material, standards)
    if not candidates:
        return None
    draft = Draft()
    kind: AnswerKind
    if not material.across and is_comparison(material) and (pairs := compare(material, candidates)):
        said = tuple(unit for _, one in pairs if one is not None for unit in one.units)
        kind = _write_comparison(draft, material, pairs)
    else:
        said = candidates[0].units
        kind = _write(draft, material, candidates, material.order)
    standard = candidates[0].standard
    return Extraction(draft.text, draft.citations, draft.claims, kind, said, standard)


def _write(
    draft: Draft, material: Material, candidates: Sequence[Candidate], order: Mapping[str, int]
) -> AnswerKind:
    """The best candidate, what it leaves open, and what an earlier version says."""
    best = candidates[0]
    chinese = material.voice.chinese
    other = _other_version(material, best, candidates, order)
    is_asked_for = _is_asked_for(material, best)
    alone = None if is_asked_for or other is not None else _alone(material, best, order)
    label = _label(best, material, always=other is not None or is_asked_for or alone is not None)
    best = _with_continuation(material, _with_ties(material, best), chinese=chinese)
    _write_candidate(draft, best, label, voice=material.voice, is_whole=material.is_whole)
    code = _code_beside(material, best)
    if code is not None:
        draft.claim(shown_unit(code), (code,), before="\n\n")
    elif best.kind == "passage":
        more = (
            _further_across(best, candidates)
            if material.across
            else _further(material, best, candidates, chinese=chinese)
        )
        for further in more:
            _write_candidate(draft, further, "", voice=material.voice)
    if other is not None:
        _write_candidate(
            draft, other, _label(other, material, always=True), voice=material.voice, before="\n\n"
        )
    if alone:
        draft.say(alone)
    return best.kind


def _code_beside(material: Material, best: Candidate) -> Unit | None:
    """Where code is asked for and words tell of it: the first code below the same heading."""
    last = best.units[-1]
    if not material.wanted.code or any(unit.kind is Kind.CODE for unit in best.units):
        return None
    return next(
        (
            unit
            for unit in material.units
            if unit.kind is Kind.CODE
            and unit.chunk is last.chunk
            and unit.heading == last.heading
            and unit.char_start >= last.char_end
        ),
        None,
    )


def _is_asked_for(material: Material, candidate: Candidate) -> bool:
    """Whether its document is the version of a year, a day or a number that is asked for."""
    own = material.standings.get(candidate.document_id)
    others = [other for key, other in material.standings.items() if key != candidate.document_id]
    return own is not None and is_asked_for(own, others, material.moments)


def _alone(material: Material, candidate: Candidate, order: Mapping[str, int]) -> str | None:
    """What is said where nothing but a document that is not in force answers, or one that a later one stands in place
    of; "" for the record of a day or of a release, which stays true; None for a document in force, and for one that
    another only changes."""
    own = material.standings.get(candidate.document_id)
    if own is None or order.get(candidate.document_id, 0) == 0:
        return None
    valid = {
        key
        for key, other in material.standings.items()
        if order.get(key, 0) == 0 and not other.is_amendment and are_versions(own, other)
    }
    title = next((unit.chunk.title for unit in material.units if unit.chunk.document_id in valid), "")
    if own.is_in_force and own.is_record:
        return ""
    if title:
        return material.voice.word(_NOT_IN_FORCE, title=title)
    return None if own.is_in_force else material.voice.word(_NONE_IN_FORCE)


def _with_ties(material: Material, best: Candidate) -> Candidate:
    """A row with the others of its table that hold the same of the question: each answers it as well."""
    is_chosen = material.across and not best.held  # by its cosine
    if best.kind != "table" or len(best.units) > 1 or best.among or is_chosen:  # among the others already
        return best
    tied = tied_rows(best.units[0], material.weights, material.units)
    return replace(best, units=tuple(tied[:MAX_ITEMS]), of=len(tied), among=len(tied))


def _with_continuation(material: Material, best: Candidate, *, chinese: bool) -> Candidate:
    """A sentence with the one after it, where that goes on with what it says, or has the value that is asked for and
    the first has not; they are one quote."""
    unit = best.units[0]
    if len(best.units) > 1 or unit.kind not in (Kind.PROSE, Kind.ITEM):
        return best
    place = next(at for at, other in enumerate(material.units) if other is unit)
    after = material.units[place + 1] if place + 1 < len(material.units) else None
    if (
        after is None
        or after.kind is not unit.kind
        or (after.kind is Kind.ITEM and not after.continues)
        or after.chunk is not unit.chunk
        or after.block != unit.block
    ):
        return best
    value = material.wanted.value
    has_value = value is not None and not value.search(unit.text) and bool(value.search(after.text))
    goes_on = _GOES_ON.match(after.text) or (material.across and _ASKS_HOW.search(material.asked.text))
    length = len(after.text) if chinese else len(after.text.split())
    if not (has_value or goes_on) or length > (MAX_HAN if chinese else MAX_WORDS) / 2.5:
        return best
    if after.is_instruction:
        return best
    return replace(
        best, units=(unit, after), held=best.held | {t for t in material.weights if t in after.own}
    )


def _further(
    material: Material, best: Candidate, candidates: Sequence[Candidate], *, chinese: bool
) -> list[Candidate]:
    """Up to two more sentences of the best one's document and language that come near its score and keep the answer
    short, in the order of their text: each holds a part of the question that is not held yet, or as much of it as the
    best one."""
    limit = MAX_HAN if chinese else MAX_WORDS
    chosen, said = [best], set(best.held)
    length = _length(best, chinese=chinese)
    near = [
        candidate
        for candidate in candidates[1:]
        if candidate.score >= LEAST_SHARE * best.score
        and candidate.kind == "passage"
        and candidate.document_id == best.document_id
        and candidate.units[0].kind in (Kind.PROSE, Kind.ITEM)
        and is_chinese(candidate.units[0].text) == is_chinese(best.units[0].text)
    ]

    def gain(candidate: Candidate) -> float:
        return sum(material.weights[term] for term in candidate.held - said) / (material.total or 1)

    def worth(candidate: Candidate) -> float:
        return sum(material.weights[term] for term in candidate.held) / (material.total or 1)

    while len(chosen) < MAX_SENTENCES:
        near = [
            one
            for one in near
            if one not in chosen
            and one.units[0] not in best.units
            and length + _length(one, chinese=chinese) <= limit
            and (gain(one) >= LEAST_GAIN or worth(one) >= SAME_SHARE * worth(best))
        ]
        if not near:
            break
        added = max(near, key=lambda one: one.score - REPEAT_COST * (worth(one) - gain(one)))
        chosen.append(added)
        said |= added.held
        length += _length(added, chinese=chinese)
    return sorted(chosen[1:], key=lambda one: one.units[0].char_start)


def _further_across(best: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same of a text in another language, by the standard score alone: which of two sentences of a hit answers is
    less sure there."""
    chinese = is_chinese(best.units[0].text)
    chosen, length = [best], _length(best, chinese=chinese)
    for one in sorted(candidates[1:], key=lambda one: -one.standard):
        more = _length(one, chinese=chinese)
        if (
            len(chosen) < MAX_SENTENCES
            and one.standard >= LEAST_STANDARD * best.standard
            and one.kind == "passage"
            and one.document_id == best.document_id
            and one.units[0].kind in (Kind.PROSE, Kind.ITEM)
            and one.units[0] not in best.units
            and length + more <= (MAX_HAN if chinese else MAX_WORDS)
        ):
            chosen.append(one)
            length += more
    return sorted(chosen[1:], key=lambda one: one.units[0].char_start)


def _length(candidate: Candidate, *, chinese: bool) -> int:
    texts = [shown_unit(unit) for unit in candidate.units]
    return sum(len(text) if chinese else len(text.split()) for text in texts)


def _write_candidate(
    draft: Draft,
    candidate: Candidate,
    label: str,
    *,
    voice: Voice,
    before: str = " ",
    is_whole: bool = True,
) -> None:
    units = candidate.units
    if candidate.lead_in is not None:
        units = tuple(unit for unit in units if unit is not candidate.lead_in)
    if candidate.kind == "passage" or (
        len(units) == 1 and candidate.lead_in is None and candidate.kind != "count"
    ):
        shown = (" " if not is_chinese(units[-1].text[:1]) else "").join(shown_unit(unit) for unit in units)
        if units[0].is_instruction:
            shown = voice.word(TO_ASSISTANT) + shown
        draft.claim(f"{label}{shown}", units, before=before)
        return
    if candidate.kind == "count":
        draft.say(_counted(candidate, voice=voice, is_whole=is_whole))
    lines = []
    if candidate.lead_in is not None:
        lines.append(shown_sentence(candidate.lead_in.text))
    elif label:
        lines.append(label.strip())
    is_marked = candidate.lead_in is not None and candidate.lead_in.is_instruction
    if is_marked:
        lines.insert(0, voice.word(TO_ASSISTANT).rstrip())
    for unit in units:
        if unit.is_instruction and not is_marked:
            lines.append(voice.word(TO_ASSISTANT).rstrip())
        is_marked = unit.is_instruction
        if unit.continues and unit.kind is Kind.ITEM and lines:
            lines[-1] += ("" if is_chinese(unit.text[:1]) else " ") + shown_sentence(unit.text)
        else:
            lines.append(_line(unit))
    more = candidate.of - len(items_of(units))
    cited = (candidate.lead_in, *units) if candidate.lead_in is not None else units
    draft.claim("\n".join(lines), cited, before="\n\n" if draft.text else "")
    if more > 0:
        draft.say(voice.word(_AND_MORE, count=more, place=units[0].chunk.source), before="\n")


def _counted(candidate: Candidate, *, voice: Voice, is_whole: bool) -> str:
    """How many there are of what is asked for, and of what they were counted."""
    first, number, among = candidate.units[0], candidate.of, candidate.among
    name = first.heading or first.chunk.title
    if voice.chinese:
        what, least = "行" if first.kind is Kind.ROW else "项", "" if is_whole else "至少"
        if number < among:
            return f"“{name}”" + voice.write(f"的 {among} {what}中{least or '有'} {number} {what}：")
        return f"“{name}”" + voice.write(f"{least or '共有'} {number} {what}：")
    what, least = "row" if first.kind is Kind.ROW else "item", "" if is_whole else "At least "
    if number < among:
        return f"{least}{number} of the {among} {what}s of “{name}”:"
    return f"{least}{number} {what}{'' if number == 1 else 's'} in “{name}”:"


def _line(unit: Unit) -> str:
    if unit.kind is Kind.ROW:
        return f"- {shown_row(unit.names, unit.cells)}"
    return shown_unit(unit) if unit.kind is Kind.CODE else shown_item(unit.text)


def _other_version(
    material: Material, best: Candidate, candidates: Sequence[Candidate], order: Mapping[str, int]
) -> Candidate | None:
    """What an earlier version of the best candidate's document says to the same, where it says something else: the
    latest one, a draft last. None where the year of the best one's document is asked for."""
    own = material.standings.get(best.document_id)
    if own is None or not _is_statement(best) or _is_asked_for(material, best):
        return None
    rank = order.get(best.document_id, 0)
    says_much = sum(material.weights[term] for term in best.held) >= LEAST_VALID * material.total
    fitting: list[tuple[bool, tuple[int, ...], Candidate]] = []
    for candidate in candidates[1:]:
        other = material.standings.get(candidate.document_id)
        if other is None or candidate.document_id == best.document_id or not _is_statement(candidate):
            continue
        others = order.get(candidate.document_id, 0)
        is_older = others > rank or (others == rank > 0 and other.when < own.when)
        if not (is_older and are_versions(own, other)):
            continue
        if candidate.held >= best.held and _differ(candidate, best, says_much=says_much):
            fitting.append((not other.is_draft, other.when, candidate))
    return max(fitting, key=lambda one: one[:2])[2] if fitting else None


def _is_statement(candidate: Candidate) -> bool:
    """Whether it is a sentence, with what belongs to it, or one row."""
    return candidate.kind == "passage" or len(candidate.units) == 1


def _differ(one: Candidate, other: Candidate, *, says_much: bool) -> bool:
    """Whether two versions say different things to the same: most words are the same, or what both say of the question
    is much, and the numbers are not the same."""
    a, b = (frozenset[str]().union(*(unit.own for unit in said.units)) for said in (one, other))
    shared = len(a & b) / (len(a | b) or 1)
    return SAME_WORDS <= shared < 1 or (says_much and _numbers(one) != _numbers(other))


def _numbers(candidate: Candidate) -> frozenset[str]:
    return frozenset(re.findall(r"\d+(?:[.,]\d+)*", " ".join(shown_unit(unit) for unit in candidate.units)))


def _label(candidate: Candidate, material: Material, *, always: bool) -> str:
    """The document's name before what it says, where that matters: versions differ, or it is not in force."""
    standing = material.standings.get(candidate.document_id)
    if standing is None:
        return ""
    chunk = candidate.units[0].chunk
    chinese = material.voice.chinese
    if not standing.is_in_force:
        what = (
            material.voice.write("草案" if standing.is_draft else "已废止")
            if chinese
            else ("draft" if standing.is_draft else "superseded")
        )
        return f"{chunk.title}（{what}）：" if chinese else f"{chunk.title} ({what}): "
    is_topic = len(material.weights) == 1 and candidate.kind == "passage"
    if not always and not (is_topic and material.weights.keys() <= candidate.units[0].around):
        return ""
    when = shown_moment(standing.when)
    if not when or (when[1:] if when.startswith("v") else when[:4]) in chunk.title:
        return f"{chunk.title}：" if chinese else f"{chunk.title}: "
    return f"{chunk.title}（{when}）：" if chinese else f"{chunk.title}, {when}: "


def _write_comparison(
    draft: Draft, material: Material, pairs: Sequence[tuple[str, Candidate | None]]
) -> AnswerKind:
    chinese = material.voice.chinese
    written: set[tuple[int, str]] = set()
    for name, candidate in pairs:
        if candidate is None:
            draft.say(material.voice.word(_NOTHING_OF, name=name))
            continue
        unit = candidate.units[0]
        if (unit.char_start, unit.chunk.document_id) in written:
            continue
        written.add((unit.char_start, unit.chunk.document_id))
        label = ""
        if not all(holds(term, unit, 0.0) > 0 for term in terms_of_thing(name, material)):
            label = f"{unit.chunk.title}：" if chinese else f"{unit.chunk.title}: "
        _write_candidate(draft, candidate, label, voice=material.voice, before="\n\n")
    return "comparison"
