"""What may be said in answer to a question: sentences, rows, lists and steps of the hits, with their scores; pure.

Each unit gets

    score = coverage + STANDARD_WEIGHT · standard score + CHUNK_WEIGHT · its chunk's score
            + (SECTION_WEIGHT + LEAD_WEIGHT where it opens its section) · match of its heading
            + TYPE_BONUS where it has what is asked − costs

coverage: the share of the question's weight that the unit holds, what stands around it counting less; standard score:
of the cosine of question and unit (app/search/standard.py), 0 where the model can't read the question. A list or a
table is a candidate as a whole where a list, steps or a count is asked for, or where the chosen sentence announces it.
The constants were chosen on squad_dev, cmrc_dev, the handbook and the odd questions of firm_dev (eval/LOG.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from app.domain import AnswerKind
from app.generation.evidence import coverage, coverage_of, holds, without_alike
from app.generation.reply import Voice
from app.generation.rows import MONEY_NAME, ChosenRows, choose_rows
from app.generation.standing import (
    Moment,
    Standing,
    are_versions,
    order_standings,
    read_moments,
)
from app.generation.units import LEAD_IN, Unit, blocks_of, items_of, letters
from app.generation.wording import shown_unit
from app.lexicon import fold_script, is_chinese, terms
from app.question.answer_types import told_by_row
from app.question.content import Asked, content_terms
from app.question.kinds import Wanted
from app.question.numbered import numbered_by_hao, numbered_things
from app.stored_markdown import Kind, is_numbered

STANDARD_WEIGHT: Final = 0.1  # a standard deviation
CHUNK_WEIGHT: Final = 1.0
TYPE_BONUS: Final = 0.3
TYPE_BONUS_ACROSS: Final = 0.15  # where the rest of the score is less, too: no words tell
MEANING_BONUS: Final = 0.45  # where it says what the thing is that is asked about
SECTION_WEIGHT: Final = 0.5
LEAD_WEIGHT: Final = 0.5  # the first sentence below a heading answers what the heading asks
AROUND_PROSE: Final = 0.3  # what the title holds says less of a sentence than of a row
CODE_COST: Final = 0.4  # code answers who asks for code
LIST_BONUS: Final = 0.6  # a whole list where one is asked for
LIST_COST: Final = 0.4  # and where none is
SMALL_TABLE: Final = 6  # rows: such a table under the heading that is asked for answers as a whole
COLUMN_SHARE: Final = 0.5  # of the question that a column's own name must hold, for its table to answer
MAX_ITEMS: Final = 15
MAX_ANNOUNCED: Final = 400  # units after a colon that are looked at for its list
NAMED_SHARE: Final = 0.4  # of the question that what stands around a list must hold, for all of it to answer
COMPLETE: Final = 0.9  # of the question, with other words for the same
LEAD_IN_COST: Final = 0.4  # "The steps are:" promises an answer that stands in the lines after it
LANGUAGE_COST: Final = 0.3  # of two units that say the same, the one in the question's language
AGE_COST: Final = 1.0  # what a superseded document or an earlier version says
LEAST_VALID: Final = 0.5  # of what that holds of the question, so much must be held by what comes before it,
LEAST_NEAR: Final = 0.75  # or so near to it must that be, as a share of the standard score
INSTRUCTION_COST: Final = 2.0  # a sentence that speaks to an assistant
PICTURE_COST: Final = 0.5
NO_CODE_COST: Final = 0.5  # a hit without any code that is asked for
RESCORED: Final = 32  # units that are embedded, the best by the other parts of the score
HIT_SHARE: Final = 0.5  # of its hit's standard score that counts for a sentence, where no words tell
RESCORED_ACROSS: Final = 64  # the same where no words tell which are better
LEAST_LEAD: Final = (
    0.5  # standard deviations before the next row of its table, where no words tell which is meant
)

_SAYS_NOT: Final = re.compile(
    r"\b(?:not|no|never|nobody|none|neither|nor|without|cannot|except|forbidden|prohibited|excluded|unsupported"
    r"|\w+n['’]t)\b|不|没|未|无|非|禁|严禁|除外|勿",
    re.IGNORECASE,
)
_STEP_TERMS: Final = frozenset(terms("steps 步骤"))  # what a numbered list is, whatever stands above it
_PICTURE: Final = re.compile(r"!\s*\[")


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
    across: bool = False  # the hits are in another language than the question, so that no words tell

    @property
    def voice(self) -> Voice:
        """The language and script of words of our own."""
        return self.spoken or Voice.of(self.asked.text)

    @property
    def moments(self) -> frozenset[Moment]:
        """The dates and versions that the question names."""
        return read_moments(self.asked.text, self.wanted.years)

    @cached_property
    def order(self) -> Mapping[str, int]:
        """By document id: 0 for one in force, more for one that others come before (`order_standings`)."""
        return order_standings(self.standings, self.moments)

    @cached_property
    def _held(self) -> Mapping[str, frozenset[str]]:
        held: dict[str, frozenset[str]] = {}
        for unit in self.units:
            held[unit.chunk.chunk_id] = held.get(unit.chunk.chunk_id, frozenset()) | unit.own | unit.around
        return held

    def codes_in(self, chunk_id: str) -> frozenset[str]:
        """The codes of the question that stand in a hit or around it."""
        return self._held.get(chunk_id, frozenset()) & frozenset(self.asked.codes)

    @cached_property
    def _numbers(self) -> frozenset[str]:
        found = numbered_things(self.asked.text) | numbered_by_hao(self.asked.text)
        return found if any(found <= held for held in self._held.values()) else frozenset()

    def held_near(self, unit: Unit) -> frozenset[str]:
        """The terms of the unit's hit and of what stands around it."""
        return self._held.get(unit.chunk.chunk_id, frozenset())

    def is_of_another(self, unit: Unit) -> bool:
        """Whether the question names a thing by its number, which stands in another hit and not in the unit's: what is
        said of pump 1, however alike, answers nothing about pump 3."""
        return not self._numbers <= self.held_near(unit)

    @property
    def total(self) -> float:
        """The weight of the whole question."""
        return sum(self.weights.values())


@dataclass(frozen=True, slots=True)
class Candidate:
    """Units that answer together: one sentence or row, or those of a list or table."""

    units: tuple[Unit, ...]
    kind: AnswerKind
    held: frozenset[str]  # terms of the question
    score: float
    lead_in: Unit | None = None
    of: int = 0  # how many items are asked for, where not all are in `units`
    among: int = 0  # how many the list or table has
    standard: float = 0.0  # score of its cosine with the question
    decides: bool = False  # by a bound or a superlative: no other row of its table answers

    @property
    def document_id(self) -> str:
        return self.units[0].chunk.document_id


def find_candidates(
    material: Material, standards: Callable[[Sequence[str]], Sequence[float]] | None
) -> list[Candidate]:
    """What may be said, the best first; what is in force before what is not where it answers as well.

    `standards` gives the standard score of the question and each text, None where the model can't read the question.
    Deterministic; ties go to the better hit, then to the earlier unit.
    """
    candidates = _candidates(material, material.order, blind=standards is None)
    if standards is not None:
        candidates = _with_standards(
            _nearest_hits(candidates) if material.across else candidates[:RESCORED], standards
        )
    if material.across:
        candidates = _told_apart(candidates)
    return _in_force_first(material, candidates, material.order) if candidates else []


def heading_match(heading: str, weights: Mapping[str, float], total: float) -> float:
    """How well a heading names what is asked, in [0, 1]: the harmonic mean of its coverage of the question and the
    share of its own terms that are asked for, so that "What is a collection?" beats "Filter or collection?"."""
    found = content_terms(heading) or frozenset(terms(heading))
    covered = coverage(found, weights, total)
    if covered == 0:
        return 0.0
    asked = len(found & weights.keys()) / len(found)
    return 2 * covered * asked / (covered + asked) if asked else 0.0


def _candidates(material: Material, order: Mapping[str, int], *, blind: bool) -> list[Candidate]:
    """All candidates with all of their score but the standard one, each text once, best first."""
    asked_letters = letters(material.asked.text)
    seen: set[str] = set()
    found: list[Candidate] = []
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
) -> Candidate | None:
    unit, weights, wanted = material.units[place], material.weights, material.wanted
    is_row = unit.kind is Kind.ROW
    held = frozenset(term for term in weights if holds(term, unit, 1.0 if is_row else 0.0) > 0)
    own = [term for term in weights if holds(term, unit, 0.0) > 0]
    if is_row and not own and not material.across:
        return None  # its table is a candidate, it is not
    if blind and section == 0 and not own:
        return None  # nothing speaks for it but its neighbours
    if material.across:
        score = STANDARD_WEIGHT * HIT_SHARE * unit.chunk.standard
    else:
        score = coverage_of(unit, weights, material.total, 0.8 if is_row else AROUND_PROSE)
        score += CHUNK_WEIGHT * unit.chunk.score
    says_not = wanted.negated and bool(_SAYS_NOT.search(unit.text))
    if not is_row and not material.across:
        leads = unit.is_lead and (says_not or not wanted.negated)  # who gets it is not who does not
        score += section * (SECTION_WEIGHT + (LEAD_WEIGHT if leads else 0.0))
    if wanted.value is not None:
        told = fold_script(told_by_row(unit.names, unit.cells) if is_row else unit.text)
        if material.across:
            told = without_alike(told, material.asked)  # the digit of P1 is no amount
        bonus = MEANING_BONUS if wanted.meaning else TYPE_BONUS_ACROSS if material.across else TYPE_BONUS
        score += bonus if wanted.value.search(told) else 0.0
    score += TYPE_BONUS if says_not and not is_row else 0.0
    if wanted.price and is_row and any(MONEY_NAME.search(name) for name in unit.names):
        score += TYPE_BONUS
    lead_in, items = _announced(material.units, place)
    score -= LEAD_IN_COST if lead_in and not items else 0.0
    score -= _costs(unit, material, order)
    if lead_in and items:
        kind: AnswerKind = "steps" if is_numbered(items[0].text) else "list"
        every = items_of(items)
        shown = [part for item in every[:MAX_ITEMS] for part in item]
        return Candidate((unit, *shown), kind, held, score, unit, len(every))
    return Candidate((unit,), "table" if is_row else "passage", held, score)


def _costs(unit: Unit, material: Material, order: Mapping[str, int]) -> float:
    cost = _age_cost(unit, order)
    cost += LANGUAGE_COST if is_chinese(unit.text) != material.voice.chinese else 0.0
    cost += INSTRUCTION_COST if unit.is_instruction else 0.0
    if material.asked.codes and not material.codes_in(unit.chunk.chunk_id):
        cost += NO_CODE_COST
    if material.is_of_another(unit):
        cost += SECTION_WEIGHT + LEAD_WEIGHT
    cost += PICTURE_COST if _PICTURE.search(unit.text) else 0.0
    if unit.kind is Kind.CODE:
        cost += -TYPE_BONUS if material.wanted.code else CODE_COST
    return cost


def _age_cost(unit: Unit, order: Mapping[str, int]) -> float:
    rank = min(order.get(unit.chunk.document_id, 0), 2)
    return AGE_COST * (1 + rank) / 2 if rank else 0.0


def _in_force_first(
    material: Material, candidates: list[Candidate], order: Mapping[str, int]
) -> list[Candidate]:
    """Candidates with the one first that answers: where a document that others come before says it best, the best of
    those others that hold as much of the question, amendments in their own words, or are as near to it; itself where
    none is."""
    best = max(candidates, key=lambda one: one.score + _age_cost(one.units[0], order))
    rank = order.get(best.document_id, 0)
    if rank == 0:
        return candidates

    def worth(candidate: Candidate, around: float) -> float:
        return max(coverage_of(unit, material.weights, material.total, around) for unit in candidate.units)

    def holds_as_much(one: Candidate) -> bool:
        standing = material.standings.get(one.document_id)
        around = 0.0 if standing is not None and standing.is_amendment else 0.8
        is_near = 0 < LEAST_NEAR * best.standard <= one.standard and around > 0
        return is_near or 0 < LEAST_VALID * worth(best, around) <= worth(one, around)

    def comes_before(one: Candidate) -> bool:
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


def _wholes(material: Material, headings: Mapping[str, float], order: Mapping[str, int]) -> list[Candidate]:
    """Lists and tables as candidates, with those of their items that are asked for."""
    found = []
    for items in blocks_of(material.units):
        if len(items) > 1:
            found.append(_whole(material, items, headings[items[0].heading], order))
    return [candidate for candidate in found if candidate is not None]


def _whole(
    material: Material, items: list[Unit], section: float, order: Mapping[str, int]
) -> Candidate | None:
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
    is_asked = is_asked or (is_small and rows.how == "all" and _has_column_of(material, items))
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
    return Candidate(shown, kind, held, score, lead_in, len(rows.items), len(every), decides=decides)


def _has_column_of(material: Material, rows: Sequence[Unit]) -> bool:
    """Whether a table has a column for what is asked: its name says most of the question, with what stands around the
    table all of it, and each row has a value of the kind that is asked for. It depends on the row then, and a sentence
    with such a value says something else of the same thing."""
    weights, value = material.weights, material.wanted.value
    first = rows[0]
    if value is None or not weights:
        return False
    for place, name in list(enumerate(first.names))[1:]:
        own = frozenset(terms(name))
        told = [told_by_row(("", name), ("", row.cells[place])) for row in rows if len(row.cells) > place]
        if (
            coverage(own, weights, material.total) >= COLUMN_SHARE
            and coverage(own | first.around, weights, material.total) >= COMPLETE
            and len(told) == len(rows)
            and all(value.search(fold_script(cell)) for cell in told)
        ):
            return True
    return False


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


def _with_standards(
    candidates: Sequence[Candidate], standards: Callable[[Sequence[str]], Sequence[float]]
) -> list[Candidate]:
    """Candidates with the standard score added, best first."""
    texts = [_embedded(candidate) for candidate in candidates]
    rescored = [
        replace(candidate, score=candidate.score + STANDARD_WEIGHT * standard, standard=standard)
        for candidate, standard in zip(candidates, standards(texts), strict=True)
    ]
    return sorted(rescored, key=lambda candidate: -candidate.score)


def _nearest_hits(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those of the nearest hits, RESCORED_ACROSS in all: nothing but a cosine tells the sentences of a hit apart."""
    return sorted(candidates, key=lambda one: -one.units[0].chunk.standard)[:RESCORED_ACROSS]


def _told_apart(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates without the rows that hold nothing of the question and are hardly nearer to it than others of their
    table: what all rows of a price list are near to asks for a price, and not for which."""
    rows: dict[tuple[str, int], list[float]] = {}
    for one in candidates:
        if one.kind == "table" and len(one.units) == 1:
            rows.setdefault((one.units[0].chunk.chunk_id, one.units[0].block), []).append(one.standard)

    def stands_out(one: Candidate) -> bool:
        if one.held or one.kind != "table" or len(one.units) > 1:
            return True
        others = sorted(rows[one.units[0].chunk.chunk_id, one.units[0].block])
        return len(others) == 1 or one.standard >= others[-1] >= others[-2] + LEAST_LEAD

    return [one for one in candidates if stands_out(one)]


def _embedded(candidate: Candidate) -> str:
    """The text of a candidate that is compared with the question: of a list its heading and first items."""
    first = candidate.units[0]
    if len(candidate.units) > 1:
        shown = "; ".join(shown_unit(unit) for unit in candidate.units[:3])
        return f"{first.heading}: {shown}"[:400]
    if first.kind is Kind.ROW:
        return f"{first.heading or first.chunk.title}: {shown_unit(first)}"[:400]
    return first.text[:2_000]
