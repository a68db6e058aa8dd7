"""Answers without a language model: the sentences, rows, lists or steps of the hits that best answer a question; pure.

Each unit gets

    score = coverage + COSINE_WEIGHT · cosine + CHUNK_WEIGHT · its chunk's score
            + (SECTION_WEIGHT + LEAD_WEIGHT where it opens its section) · match of its heading
            + TYPE_BONUS where it has what is asked − costs

coverage: the share of the question's weight that the unit holds, what stands around it counting less; cosine: of
question and unit, 0 where the model can't read the question. A list or a table is a candidate as a whole where a list,
steps or a count is asked for, or where the chosen sentence announces it. The best candidate is joined by another only
where that holds a part of the question that is not held yet; by what an earlier version says where versions differ; and
by one for each thing that is compared. The constants were chosen on squad_dev, cmrc_dev, the handbook and the odd
questions of firm_dev (eval/LOG.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from app.domain import AnswerKind, Citation, Claim
from app.generation.draft import Draft
from app.generation.evidence import coverage, coverage_of, holds
from app.generation.instructions import TO_ASSISTANT
from app.generation.reply import Voice, Wording
from app.generation.rows import MONEY_NAME, ChosenRows, choose_rows, tied_rows
from app.generation.standing import (
    Moment,
    Standing,
    are_versions,
    is_asked_for,
    order_standings,
    read_moments,
    shown_moment,
)
from app.generation.units import LEAD_IN, Kind, Unit, blocks_of, is_numbered, items_of, letters
from app.generation.wording import shown_item, shown_row, shown_sentence, shown_unit
from app.lexicon import fold_script, is_chinese, terms
from app.question.answer_types import told_by_row
from app.question.content import Asked, content_terms
from app.question.kinds import Wanted

COSINE_WEIGHT: Final = 1.0
CHUNK_WEIGHT: Final = 1.0
TYPE_BONUS: Final = 0.3
MEANING_BONUS: Final = 0.45  # where it says what the thing is that is asked about
SECTION_WEIGHT: Final = 0.5
LEAD_WEIGHT: Final = 0.5  # the first sentence below a heading answers what the heading asks
AROUND_PROSE: Final = 0.3  # what the title holds says less of a sentence than of a row
CODE_COST: Final = 0.4  # code answers who asks for code
LIST_BONUS: Final = 0.6  # a whole list where one is asked for
LIST_COST: Final = 0.4  # and where none is
SMALL_TABLE: Final = 6  # rows: such a table under the heading that is asked for answers as a whole
MAX_SENTENCES: Final = 3
MAX_WORDS: Final = 75  # of all sentences together; the best one may be longer
MAX_HAN: Final = 120  # the same for Chinese, in characters
MAX_ITEMS: Final = 15
MAX_ANNOUNCED: Final = 400  # units after a colon that are looked at for its list
NAMED_SHARE: Final = 0.4  # of the question that what stands around a list must hold, for all of it to answer
COMPLETE: Final = 0.9  # of the question, with other words for the same
REPEAT_COST: Final = 0.9  # for what of the question a further sentence holds that is held already (MMR)
LEAST_GAIN: Final = 0.15  # of the question's weight that a further sentence must add
SAME_SHARE: Final = 0.6  # or of what the best one holds of the question, that it holds too
LEAST_SHARE: Final = 0.65  # of the best one's score that it needs
LEAD_IN_COST: Final = 0.4  # "The steps are:" promises an answer that stands in the lines after it
LANGUAGE_COST: Final = 0.3  # of two units that say the same, the one in the question's language
AGE_COST: Final = 1.0  # what a superseded document or an earlier version says
LEAST_VALID: Final = 0.5  # of what that holds of the question, so much must be held by what comes before it,
LEAST_NEAR: Final = 0.75  # or so near to it must that be, as a share of the cosine
SAME_WORDS: Final = 0.3  # of two versions' sentences: they say the same but for a value
INSTRUCTION_COST: Final = 2.0  # a sentence that speaks to an assistant
PICTURE_COST: Final = 0.5
NO_CODE_COST: Final = 0.5  # a hit without any code that is asked for
RESCORED: Final = 32  # units that are embedded, the best by the other parts of the score

# A sentence that begins so is not understood alone, and goes on with what the one before it says.
_GOES_ON: Final = re.compile(
    r"\W*(?:(?:it|they|this|these|those|he|she|otherwise|however|but|then|if not|if so|in (?:that|this|such) case"
    r"|instead|both|neither|such|until then|else|after that|the same|the latter|the others?)\b"
    r"|[它他她其该此这](?!他)|否则|但|不过|然后|另外|此外|其中|届时|如需|如不|若不|之后)",
    re.IGNORECASE,
)
_SAYS_NOT: Final = re.compile(
    r"\b(?:not|no|never|nobody|none|neither|nor|without|cannot|except|forbidden|prohibited|excluded|unsupported"
    r"|\w+n['’]t)\b|不|没|未|无|非|禁|严禁|除外|勿",
    re.IGNORECASE,
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
_STEP_TERMS: Final = frozenset(terms("steps 步骤"))  # what a numbered list is, whatever stands above it
_PICTURE: Final = re.compile(r"!\[[^\]]*\]\([^)]*\)|!\s*\[")


@dataclass(frozen=True, slots=True)
class Extraction:
    """An extractive answer: its text, the claims in it and the citations behind them."""

    text: str
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...]
    kind: AnswerKind
    said: tuple[Unit, ...]  # what the answer begins with


@dataclass(frozen=True)  # without slots: it keeps what it has found
class Material:
    """What an answer is made from: the question, what it wants, the units of the hits, the weight of each term, and the
    standing of each document by its id."""

    asked: Asked
    wanted: Wanted
    units: Sequence[Unit]
    weights: Mapping[str, float]
    standings: Mapping[str, Standing]
    is_whole: bool = True  # whether all of each list and table is there

    spoken: Voice | None = None  # the reply's, where it is not in the question's language

    @property
    def voice(self) -> Voice:
        """The language and script of words of our own."""
        return self.spoken or Voice.of(self.asked.text)

    @property
    def moments(self) -> frozenset[Moment]:
        """The dates and versions that the question names."""
        return read_moments(self.asked.text, self.wanted.years)

    @cached_property
    def _held(self) -> Mapping[str, frozenset[str]]:
        held: dict[str, frozenset[str]] = {}
        for unit in self.units:
            held[unit.chunk.chunk_id] = held.get(unit.chunk.chunk_id, frozenset()) | unit.own | unit.around
        return held

    def codes_in(self, chunk_id: str) -> frozenset[str]:
        """The codes of the question that stand in a hit or around it."""
        return self._held.get(chunk_id, frozenset()) & frozenset(self.asked.codes)

    @property
    def total(self) -> float:
        """The weight of the whole question."""
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Units that answer together: one sentence or row, or those of a list or table."""

    units: tuple[Unit, ...]
    kind: AnswerKind
    held: frozenset[str]  # terms of the question
    score: float
    lead_in: Unit | None = None
    of: int = 0  # how many items are asked for, where not all are in `units`
    among: int = 0  # how many the list or table has
    cosine: float = 0.0  # of it and the question
    decides: bool = False  # by a bound or a superlative: no other row of its table answers

    @property
    def document_id(self) -> str:
        return self.units[0].chunk.document_id


def extract(
    material: Material, cosines: Callable[[Sequence[str]], Sequence[float]] | None
) -> Extraction | None:
    """Choose and write the answer. None where no unit has anything of the question.

    `cosines` gives the cosine of the question and each text, None where the model can't read the question.
    Deterministic; ties go to the better hit, then to the earlier unit.
    """
    order = order_standings(material.standings, material.moments)
    candidates = _candidates(material, order, blind=cosines is None)
    if cosines is not None:
        candidates = _with_cosines(candidates, cosines)
    if not candidates:
        return None
    candidates = _in_force_first(material, candidates, order)
    draft = Draft()
    kind: AnswerKind
    is_comparison = material.wanted.shape == "comparison" or _COMPARATIVE.search(material.asked.text)
    if is_comparison and (pairs := _compared(material, candidates)):
        said = tuple(unit for _, one in pairs if one is not None for unit in one.units)
        kind = _write_comparison(draft, material, pairs)
    else:
        said = candidates[0].units
        kind = _write(draft, material, candidates, order)
    return Extraction(draft.text, draft.citations, draft.claims, kind, said)


def heading_match(heading: str, weights: Mapping[str, float], total: float) -> float:
    """How well a heading names what is asked, in [0, 1]: the harmonic mean of its coverage of the question and the
    share of its own terms that are asked for, so that "What is a collection?" beats "Filter or collection?"."""
    found = content_terms(heading) or frozenset(terms(heading))
    covered = coverage(found, weights, total)
    if covered == 0:
        return 0.0
    asked = len(found & weights.keys()) / len(found)
    return 2 * covered * asked / (covered + asked) if asked else 0.0


def _candidates(material: Material, order: Mapping[str, int], *, blind: bool) -> list[_Candidate]:
    """All candidates with all of their score but the cosine, each text once, best first."""
    asked_letters = letters(material.asked.text)
    seen: set[str] = set()
    found: list[_Candidate] = []
    headings: dict[str, float] = {}
    for place, unit in enumerate(material.units):
        if unit.heading not in headings:
            headings[unit.heading] = heading_match(unit.heading, material.weights, material.total)
        same = letters(unit.text)
        # A heading that repeats the question is no answer.
        if not unit.is_answer or not same or same in seen or same == asked_letters:
            continue
        seen.add(same)
        candidate = _single(material, place, headings[unit.heading], order, blind=blind)
        if candidate is not None:
            found.append(candidate)
    wholes = _wholes(material, headings, order)
    decided = {(unit.chunk.chunk_id, unit.block) for one in wholes if one.decides for unit in one.units}
    found = [
        one
        for one in found
        if one.kind != "table" or (one.units[0].chunk.chunk_id, one.units[0].block) not in decided
    ]
    return sorted([*found, *wholes], key=lambda candidate: -candidate.score)


def _single(
    material: Material, place: int, section: float, order: Mapping[str, int], *, blind: bool
) -> _Candidate | None:
    unit, weights, wanted = material.units[place], material.weights, material.wanted
    is_row = unit.kind is Kind.ROW
    held = frozenset(term for term in weights if holds(term, unit, 1.0 if is_row else 0.0) > 0)
    own = [term for term in weights if holds(term, unit, 0.0) > 0]
    if is_row and not own:
        return None  # its table is a candidate, it is not
    if blind and section == 0 and not own:
        return None  # nothing speaks for it but its neighbours
    score = coverage_of(unit, weights, material.total, 0.8 if is_row else AROUND_PROSE)
    score += CHUNK_WEIGHT * unit.chunk.score
    if not is_row:
        score += section * (SECTION_WEIGHT + (LEAD_WEIGHT if unit.is_lead else 0.0))
    if wanted.value is not None:
        told = fold_script(told_by_row(unit.names, unit.cells) if is_row else unit.text)
        bonus = MEANING_BONUS if wanted.meaning else TYPE_BONUS
        score += bonus if wanted.value.search(told) else 0.0
    score += TYPE_BONUS if wanted.negated and not is_row and _SAYS_NOT.search(unit.text) else 0.0
    if wanted.price and is_row and any(MONEY_NAME.search(name) for name in unit.names):
        score += TYPE_BONUS
    lead_in, items = _announced(material.units, place)
    score -= LEAD_IN_COST if lead_in and not items else 0.0
    score -= _costs(unit, material, order)
    if lead_in and items:
        kind: AnswerKind = "steps" if is_numbered(items[0].text) else "list"
        every = items_of(items)
        shown = [part for item in every[:MAX_ITEMS] for part in item]
        return _Candidate((unit, *shown), kind, held, score, unit, len(every))
    return _Candidate((unit,), "table" if is_row else "passage", held, score)


def _costs(unit: Unit, material: Material, order: Mapping[str, int]) -> float:
    cost = _age_cost(unit, order)
    cost += LANGUAGE_COST if is_chinese(unit.text) != material.voice.chinese else 0.0
    cost += INSTRUCTION_COST if unit.is_instruction else 0.0
    if material.asked.codes and not material.codes_in(unit.chunk.chunk_id):
        cost += NO_CODE_COST
    cost += PICTURE_COST if _PICTURE.search(unit.text) else 0.0
    if unit.kind is Kind.CODE:
        cost += -TYPE_BONUS if material.wanted.code else CODE_COST
    return cost


def _age_cost(unit: Unit, order: Mapping[str, int]) -> float:
    rank = min(order.get(unit.chunk.document_id, 0), 2)
    return AGE_COST * (1 + rank) / 2 if rank else 0.0


def _in_force_first(
    material: Material, candidates: list[_Candidate], order: Mapping[str, int]
) -> list[_Candidate]:
    """Candidates with the one first that answers: where a document that others come before says it best, the best of
    those others that hold as much of the question, amendments in their own words, or are as near to it; itself where
    none is."""
    best = max(candidates, key=lambda one: one.score + _age_cost(one.units[0], order))
    rank = order.get(best.document_id, 0)
    if rank == 0:
        return candidates

    def worth(candidate: _Candidate, around: float) -> float:
        return max(coverage_of(unit, material.weights, material.total, around) for unit in candidate.units)

    def holds_as_much(one: _Candidate) -> bool:
        standing = material.standings.get(one.document_id)
        around = 0.0 if standing is not None and standing.is_amendment else 0.8
        is_near = 0 < LEAST_NEAR * best.cosine <= one.cosine and around > 0
        return is_near or 0 < LEAST_VALID * worth(best, around) <= worth(one, around)

    def comes_before(one: _Candidate) -> bool:
        other = order.get(one.document_id, 0)
        if other < rank:
            return one.score >= best.score
        own, its = material.standings[best.document_id], material.standings[one.document_id]
        is_later = other == rank and own.when[:1] == its.when[:1] and own.when < its.when
        return is_later and are_versions(own, its) and one.score + AGE_COST >= best.score

    fitting = [one for one in candidates if comes_before(one) and holds_as_much(one)]
    first = min(fitting, key=lambda one: order.get(one.document_id, 0), default=best)
    return [first, *(one for one in candidates if one is not first)]


def _announced(units: Sequence[Unit], place: int) -> tuple[bool, list[Unit]]:
    """Whether a unit ends in a colon, and the items, rows or code right after it."""
    unit = units[place]
    if not unit.text.rstrip().endswith(LEAD_IN) or unit.kind not in (Kind.PROSE, Kind.ITEM):
        return False, []
    following = units[place + 1 : place + 1 + MAX_ANNOUNCED]
    code = next(iter(following), None)
    if code is not None and code.kind is Kind.CODE and code.chunk is unit.chunk:
        return True, [code]
    first = next((other for other in following if other.kind is not Kind.HEADER), None)
    if first is None or first.chunk.document_id != unit.chunk.document_id or first.char_start < unit.char_end:
        return True, []
    block = next(iter(blocks_of(following)), [])
    return True, block if block and block[0] is first else []


def _wholes(material: Material, headings: Mapping[str, float], order: Mapping[str, int]) -> list[_Candidate]:
    """Lists and tables as candidates, with those of their items that are asked for."""
    found = []
    for items in blocks_of(material.units):
        if len(items) > 1:
            found.append(_whole(material, items, headings[items[0].heading], order))
    return [candidate for candidate in found if candidate is not None]


def _whole(
    material: Material, items: list[Unit], section: float, order: Mapping[str, int]
) -> _Candidate | None:
    weights, wanted = material.weights, material.wanted
    first = items[0]
    lead_in = _lead_in_of(material.units, first)
    around = first.around | (lead_in.own if lead_in is not None else frozenset())
    around |= _STEP_TERMS if is_numbered(first.text) else frozenset()
    everything = frozenset[str]().union(around, *(item.own for item in items))
    named = coverage(around, weights, material.total)
    rows = choose_rows(material.asked, wanted, weights, items, around)
    every = items_of(items)
    if rows.how == "held" and first.kind is Kind.ITEM and named >= NAMED_SHARE and wanted.shape != "count":
        # An item of a list that is asked for may hold a word of the question by chance, hardly all that is left of it.
        held_most = max(coverage(around | item[0].own, weights, material.total) for item in rows.items)
        rows = rows if held_most >= COMPLETE else ChosenRows(every, "all")
    score = 0.8 * named + 0.2 * coverage(everything, weights, material.total)
    if rows.how != "all":  # they are what is asked for as far as each says so itself
        score = max(score, min(coverage_of(item[0], weights, material.total, 0.8) for item in rows.items))
    score += CHUNK_WEIGHT * first.chunk.score + section * (SECTION_WEIGHT + LEAD_WEIGHT)
    is_asked = wanted.shape in ("list", "steps", "count") or rows.how in ("bound", "extreme")
    if wanted.shape == "steps" and not is_numbered(first.text):
        is_asked = False
    is_small = first.kind is Kind.ROW and len(every) <= SMALL_TABLE
    score += LIST_BONUS if is_asked else -(LIST_COST / 4 if is_small and section > 0.5 else LIST_COST)
    score -= _costs(first, material, order)
    if named == 0 and len(rows.items) == len(every):
        return None
    if named < NAMED_SHARE and len(rows.items) == len(every):
        score -= LIST_COST
    held = frozenset(term for term in weights if term in everything)
    kind: AnswerKind = "table" if first.kind is Kind.ROW else "steps" if is_numbered(first.text) else "list"
    if wanted.shape == "count":
        kind = "count"
    shown = tuple(unit for item in rows.items[:MAX_ITEMS] for unit in item)
    if (
        len(rows.items) < len(every)
        and not first.is_instruction
        and any(unit.is_instruction for unit in shown)
    ):
        score -= INSTRUCTION_COST
    decides = first.kind is Kind.ROW and rows.how in ("bound", "extreme")
    if len(rows.items) < len(every):
        lead_in = None  # "Our sites are:" is untrue of some of them
    return _Candidate(shown, kind, held, score, lead_in, len(rows.items), len(every), decides=decides)


def _lead_in_of(units: Sequence[Unit], first: Unit) -> Unit | None:
    """The sentence ending in a colon right before a list."""
    place = next((at for at, unit in enumerate(units) if unit is first), 0)
    before = units[place - 1] if place else None
    while before is not None and before.kind is Kind.HEADER and place > 1:
        place -= 1
        before = units[place - 1]
    if before is None or before.chunk.chunk_id != first.chunk.chunk_id:
        return None
    return before if before.kind is Kind.PROSE and before.text.rstrip().endswith(LEAD_IN) else None


def _with_cosines(
    candidates: Sequence[_Candidate], cosines: Callable[[Sequence[str]], Sequence[float]]
) -> list[_Candidate]:
    """The best RESCORED candidates with the cosine added, best first."""
    best = candidates[:RESCORED]
    texts = [_embedded(candidate) for candidate in best]
    rescored = [
        replace(candidate, score=candidate.score + COSINE_WEIGHT * cosine, cosine=cosine)
        for candidate, cosine in zip(best, cosines(texts), strict=True)
    ]
    return sorted(rescored, key=lambda candidate: -candidate.score)


def _embedded(candidate: _Candidate) -> str:
    """The text of a candidate that is compared with the question: of a list its heading and first items."""
    first = candidate.units[0]
    if len(candidate.units) > 1:
        shown = "; ".join(shown_unit(unit) for unit in candidate.units[:3])
        return f"{first.heading}: {shown}"[:400]
    if first.kind is Kind.ROW:
        return f"{first.heading or first.chunk.title}: {shown_unit(first)}"[:400]
    return first.text[:2_000]


def _write(
    draft: Draft, material: Material, candidates: Sequence[_Candidate], order: Mapping[str, int]
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
        for further in _further(material, best, candidates, chinese=chinese):
            _write_candidate(draft, further, "", voice=material.voice)
    if other is not None:
        _write_candidate(
            draft, other, _label(other, material, always=True), voice=material.voice, before="\n\n"
        )
    if alone:
        draft.say(alone)
    return best.kind


def _code_beside(material: Material, best: _Candidate) -> Unit | None:
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


def _is_asked_for(material: Material, candidate: _Candidate) -> bool:
    """Whether its document is the version of a year, a day or a number that is asked for."""
    own = material.standings.get(candidate.document_id)
    others = [other for key, other in material.standings.items() if key != candidate.document_id]
    return own is not None and is_asked_for(own, others, material.moments)


def _alone(material: Material, candidate: _Candidate, order: Mapping[str, int]) -> str | None:
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


def _with_ties(material: Material, best: _Candidate) -> _Candidate:
    """A row with the others of its table that hold the same of the question: each answers it as well."""
    if best.kind != "table" or len(best.units) > 1 or best.among:  # chosen among the others already
        return best
    tied = tied_rows(best.units[0], material.weights, material.units)
    return replace(best, units=tuple(tied[:MAX_ITEMS]), of=len(tied), among=len(tied))


def _with_continuation(material: Material, best: _Candidate, *, chinese: bool) -> _Candidate:
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
    length = len(after.text) if chinese else len(after.text.split())
    if not (has_value or _GOES_ON.match(after.text)) or length > (MAX_HAN if chinese else MAX_WORDS) / 2.5:
        return best
    if after.is_instruction:
        return best
    return replace(
        best, units=(unit, after), held=best.held | {t for t in material.weights if t in after.own}
    )


def _further(
    material: Material, best: _Candidate, candidates: Sequence[_Candidate], *, chinese: bool
) -> list[_Candidate]:
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

    def gain(candidate: _Candidate) -> float:
        return sum(material.weights[term] for term in candidate.held - said) / (material.total or 1)

    def worth(candidate: _Candidate) -> float:
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


def _length(candidate: _Candidate, *, chinese: bool) -> int:
    texts = [shown_unit(unit) for unit in candidate.units]
    return sum(len(text) if chinese else len(text.split()) for text in texts)


def _write_candidate(
    draft: Draft,
    candidate: _Candidate,
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


def _counted(candidate: _Candidate, *, voice: Voice, is_whole: bool) -> str:
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
    material: Material, best: _Candidate, candidates: Sequence[_Candidate], order: Mapping[str, int]
) -> _Candidate | None:
    """What an earlier version of the best candidate's document says to the same, where it says something else: the
    latest one, a draft last. None where the year of the best one's document is asked for."""
    own = material.standings.get(best.document_id)
    if own is None or not _is_statement(best) or _is_asked_for(material, best):
        return None
    rank = order.get(best.document_id, 0)
    says_much = sum(material.weights[term] for term in best.held) >= LEAST_VALID * material.total
    fitting: list[tuple[bool, tuple[int, ...], _Candidate]] = []
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


def _is_statement(candidate: _Candidate) -> bool:
    """Whether it is a sentence, with what belongs to it, or one row."""
    return candidate.kind == "passage" or len(candidate.units) == 1


def _differ(one: _Candidate, other: _Candidate, *, says_much: bool) -> bool:
    """Whether two versions say different things to the same: most words are the same, or what both say of the question
    is much, and the numbers are not the same."""
    a, b = (frozenset[str]().union(*(unit.own for unit in said.units)) for said in (one, other))
    shared = len(a & b) / (len(a | b) or 1)
    return SAME_WORDS <= shared < 1 or (says_much and _numbers(one) != _numbers(other))


def _numbers(candidate: _Candidate) -> frozenset[str]:
    return frozenset(re.findall(r"\d+(?:[.,]\d+)*", " ".join(shown_unit(unit) for unit in candidate.units)))


def _label(candidate: _Candidate, material: Material, *, always: bool) -> str:
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


def _compared(material: Material, candidates: Sequence[_Candidate]) -> list[tuple[str, _Candidate | None]]:
    """One candidate for each thing that is compared, None where the hits have none. Empty where fewer than two things
    are found in the question."""
    things = compared_things(material)
    if len(things) < 2:
        return []
    pairs: list[tuple[str, _Candidate | None]] = []
    for name, of_thing in things:
        others = frozenset().union(*(found for other, found in things if other != name)) - of_thing
        fitting = []
        for candidate in candidates:
            first = candidate.units[-1]
            own = sum(holds(term, first, 0.9) for term in of_thing)
            if own < len(of_thing) * 0.8:
                continue
            held_others = sum(holds(term, first, 0.0) > 0 for term in others)
            fitting.append((own / len(of_thing) - 0.3 * held_others + candidate.score, candidate))
        fitting.sort(key=lambda pair: -pair[0])
        pairs.append((name, fitting[0][1] if fitting else None))
    return pairs if any(candidate is not None for _, candidate in pairs) else []


_COMPARATIVE: Final = re.compile(
    r"\b(?:or|than|vs\.?|versus)\b.{0,80}\b(?:\w{2,}er|more|less|better|worse|fewer)\b|还是|哪(?:个|家|边|种|款|里|座)?更",
    re.IGNORECASE,
)
# A thing that is compared, in words without a verb of the question between them.
_THING: Final = (
    r"(?:the |an? )?(?P<{0}>(?:(?!\b(?:is|are|does|do|has|have|and|or|who|which|what)\b)[^,?!]){{2,40}}?)"
)
_HAN_THING: Final = r"(?P<{0}>[^，,？?的是]{{1,12}}?)"
_BETWEEN: Final = re.compile(
    "|".join(
        (
            rf"\b(?:between|compar\w*) {_THING.format('a')} (?:and|with|to|against) {_THING.format('b')}[?.!]*$",
            rf"[,:] {_THING.format('c')},? or {_THING.format('d')}[?.!]*$",
            rf"^\W*{_THING.format('e')} (?:or|vs\.?|versus) {_THING.format('f')}\s*(?:[:,?!]|[-–—] |$)",
            rf"^\W*(?:is|are|does|do|has|have) {_THING.format('g')} or {_THING.format('h')}(?: \w+er)?\b"
            r"(?: in | for |[?.!]*$)",
            rf"^\W*(?:is|are|does|do|has|have) {_THING.format('i')} \w+(?: \w+)? than {_THING.format('j')}[?.!]*$",
            rf"^{_HAN_THING.format('k')}(?:和|与|跟|同|还是|或者?|比起?){_HAN_THING.format('l')}"
            r"(?:哪|谁|相比|相差|差|的?(?:区别|差别|不同|差异)|有(?:什么|何|啥)|比较|更|[贵好快大小高低长短多少便])",
        )
    ),
    re.IGNORECASE,
)


def compared_things(material: Material) -> list[tuple[str, frozenset[str]]]:
    """The things that a question compares: its codes, its years, or what stands beside and, or, than."""
    asked = material.asked
    if len(asked.codes) >= 2:
        return [(code, frozenset((code,))) for code in asked.codes]
    if len(material.wanted.years) >= 2:
        return [(year, frozenset((year,))) for year in material.wanted.years]
    found = _BETWEEN.search(asked.text)
    if found is None:
        return []
    names = [name for name in found.groupdict().values() if name]
    things = [(name, frozenset(terms(name)) & material.weights.keys()) for name in names]
    return [(name, of_thing) for name, of_thing in things if of_thing]


def _write_comparison(
    draft: Draft, material: Material, pairs: Sequence[tuple[str, _Candidate | None]]
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
        if not all(holds(term, unit, 0.0) > 0 for term in _terms_of(name, material)):
            label = f"{unit.chunk.title}：" if chinese else f"{unit.chunk.title}: "
        _write_candidate(draft, candidate, label, voice=material.voice, before="\n\n")
    return "comparison"


def _terms_of(name: str, material: Material) -> frozenset[str]:
    return (
        frozenset((name,)) if name in material.weights else frozenset(terms(name)) & material.weights.keys()
    )
