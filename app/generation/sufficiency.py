"""How far the passage that would be said answers: the evidence of the hits, judged on the choice made from them. Pure.

sufficiency = min(answerability ^ LENIENCE, 1 / (1 + exp(−(INTERCEPT + EVIDENCE · logit(answerability) − penalties))))

The hits may hold every word of a question and still not what it asks for: the probation period of drivers where that of
teachers is asked, a price list where a reason is. What tells: the heaviest term of the question that the passage and
what stands around it lack, the share of terms that the whole collection lacks, a name or a number of a thing that the
passage lacks, and no value of the kind that is asked for in it or beside it. Fitted by logistic regression on questions
of firm_dev, of companies kept apart, and of squad_dev, cmrc_dev and squad2_dev, each half against the other
(eval/LOG.md); the intercept is moved so that 0.5 refuses few that can be answered.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from app.generation.candidates import Material
from app.generation.evidence import by_standards, holds, terms_in, words_once
from app.generation.units import Unit
from app.lexicon import fold_script, is_chinese, terms
from app.question.answer_types import read_answer_type, told_by_row
from app.question.numbered import numbered_by_hao, numbered_things
from app.stored_markdown import Kind

LENIENCE: Final = (
    0.8  # a choice that lacks nothing may do with somewhat less evidence of the hits, not with any
)
INTERCEPT: Final = 1.3
EVIDENCE: Final = 0.39
MISSING: Final = 0.73  # by the heaviest missing term's share of the heaviest weight
UNKNOWN: Final = 2.0  # by the share of the question's weight that the collection lacks
NO_VALUE: Final = 1.76
NO_REASON: Final = 3.5
NO_CELL: Final = 3.5  # not fitted: an empty cell below the very column that is asked for says nothing
NO_NAME: Final = 0.84
NO_NUMBER: Final = 3.0
# Standard scores of a sentence, and half of its hit's, that suffice in a language whose words are not known.
EVEN_WITHOUT: Final = 5.9
_OPEN_TYPES: Final = frozenset(("name", "place"))  # whose values no pattern finds for certain
_LEAST: Final = 1e-4


def sufficiency(
    evidence: float,
    material: Material,
    said: Sequence[Unit],
    unknown: Collection[str] = frozenset(),
) -> float:
    """A score in [0, 1] for `said`, the units chosen as the answer; `evidence` is that of `answerability`, `unknown`
    the terms that the collection lacks. 0 where nothing was chosen, or what is said of another number alone."""
    if not said or all(map(material.is_of_another, said)):
        return 0.0
    weights, asked = (
        words_once(material.weights, frozenset(unknown) - terms_in(material.units)),
        material.asked,
    )
    held = {term for term in weights if any(holds(term, unit, 1.0) > 0 for unit in said)}
    missing = _missing(weights, held)
    highest = max(weights.values(), default=0.0)
    bounded = min(max(evidence, _LEAST), 1 - _LEAST)
    score = INTERCEPT + EVIDENCE * math.log(bounded / (1 - bounded))
    if highest > 0:
        score -= MISSING * max(missing.values(), default=0.0) / highest
        score -= UNKNOWN * sum(missing[term] for term in missing if term in unknown) / sum(weights.values())
    everything = frozenset[str]().union(*(unit.own | unit.around for unit in said))
    if any(name in weights and name not in held for name in asked.names):
        score -= NO_NAME
    near = frozenset[str]().union(*map(material.held_near, said))
    if not numbered_things(asked.text) <= everything or not numbered_by_hao(asked.text) <= near:
        score -= NO_NUMBER
    score -= _value_cost(material, said)
    return min(math.pow(evidence, LENIENCE), 1 / (1 + math.exp(-score)))


def answerability_by_meaning(said: Sequence[Unit], standard: float, material: Material) -> float:
    """The same for `said` in the question's own language where its words do not suffice: it may say the same in others.
    `standard` is the score of their cosine. What a text in other words has as well must be there: names, numbers of
    things, dates, and a value of the kind that is asked for. 0 for a question with a code, whose cosine tells the code
    and not what is asked of it."""
    if not said or material.asked.codes:
        return 0.0
    asked, chunk = material.asked, said[0].chunk
    held = frozenset[str]().union(*(u.own | u.around for u in material.units if u.chunk is chunk))
    dates = {term for term in asked.terms if term[:1] == "@"}
    if not dates | asked.names | numbered_things(asked.text) <= held:
        return 0.0
    if _value_cost(material, said) > 0:
        return 0.0
    return by_standards(standard, chunk.standard, EVEN_WITHOUT)


def _missing(weights: Mapping[str, float], held: Collection[str]) -> dict[str, float]:
    """The weight of each term that is not held. Of a Chinese word of which a part is held (加班 of 加班费) half, and
    none of its other parts, which are no words."""
    missing = {term: weight for term, weight in weights.items() if term not in held}
    compounds = {
        term for term in missing if is_chinese(term) and any(part in term and part != term for part in held)
    }
    for term in list(missing):
        if term in compounds:
            missing[term] /= 2
        elif any(term in compound for compound in compounds):
            del missing[term]
    return missing


def _value_cost(material: Material, said: Sequence[Unit]) -> float:
    """What it costs that no value of the kind that is asked for stands in what is said, in its heading, or right beside
    it. A reason says that it is one; other values may be put in words that no pattern knows."""
    if _lacks_cells(material, [unit for unit in said if unit.kind is Kind.ROW]):
        return NO_CELL
    kind = read_answer_type(fold_script(material.asked.text))
    if kind is None or kind.name in _OPEN_TYPES or material.wanted.shape != "passage":
        return 0.0
    place = next((at for at, unit in enumerate(material.units) if unit is said[0]), 0)
    beside = material.units[max(0, place - 1) : place + len(said) + 1]
    texts = [_told(unit) for unit in (*said, *beside) if unit.chunk is said[0].chunk]
    if kind.value.search(fold_script("\n".join(texts))):
        return 0.0
    return NO_REASON if kind.name == "reason" else NO_VALUE


def _lacks_cells(material: Material, rows: Sequence[Unit]) -> bool:
    """Whether the cell that is asked for is empty in all of those rows that hold most of the question."""

    def worth(row: Unit) -> float:
        return sum(weight for term, weight in material.weights.items() if holds(term, row, 0.0) > 0)

    most = max(map(worth, rows), default=0.0)
    return bool(rows) and all(_lacks_cell(material, row) for row in rows if worth(row) >= most)


def _lacks_cell(material: Material, row: Unit) -> bool:
    """Whether the question names a column of a row's table, by all of its name, that is empty in that row."""
    table = [unit for unit in material.units if unit.chunk is row.chunk and unit.block == row.block]
    filled = {name for name, cell in zip(row.names, row.cells, strict=False) if cell.strip(" -–—/")}
    names = {name for unit in table for name in unit.names if name}
    asked = {name for name in names if (found := frozenset(terms(name))) and found <= material.weights.keys()}
    return bool(asked) and asked.isdisjoint(filled)


def _told(unit: Unit) -> str:
    if unit.kind is Kind.ROW:
        return f"{told_by_row(unit.names, unit.cells)}\n{unit.text}"
    return f"{unit.heading}\n{unit.text}"
