"""Which units may answer a follow-up: those that tell of the thing it named, or give the reason it asks for. Pure.

"And in Spain?" keeps the words of the question before it, which every other country's row holds as well: without this
the value of another thing would be the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from app.generation.candidates import Material
from app.generation.evidence import coverage_of, holds
from app.generation.units import Unit
from app.lexicon import fold_script, terms
from app.question.answer_types import REASON
from app.question.content import content_terms
from app.question.standalone import Standalone

LEAST_SHARE: Final = 0.5  # of what the best unit holds of the question: a reason for something else is none
EARLIER: Final = 0.5  # what words of the question before a follow-up weigh


def narrow(material: Material, standalone: Standalone, unknown: Collection[str], *, mended: bool) -> Material:
    """The material with those units alone that may answer. `unknown` are the terms that the collection lacks; where
    words of the question were `mended`, documents may name the thing in others.

    Without a name for the thing, units that lack it stay where none has it: documents may call it by another word.
    """
    material = _weigh_own(material, standalone)
    units = material.units
    wanted = content_terms(standalone.about) if standalone.about else frozenset()
    if wanted:
        holding = [unit for unit in units if all(holds(term, unit, 1.0) > 0 for term in wanted)]
        is_missing = not mended and (standalone.is_name or wanted <= frozenset(unknown))
        units = holding if holding or is_missing else units
        if _is_put_behind(standalone):  # or the answer to the question before would fit best again
            itself = [unit for unit in units if all(_tells_of(term, unit) for term in wanted)]
            units = itself or units
    if standalone.wants_reason:
        units = _with_reason(material, units)
    elif not wanted and standalone.form != standalone.text and not content_terms(standalone.form):
        units = _with_value(material, units)
    return material if units is material.units else replace(material, units=units)


def _is_put_behind(standalone: Standalone) -> bool:
    """Whether a thing that a follow-up names stands behind the question before it, having no place within it."""
    return bool(standalone.about) and standalone.form != standalone.text


def _tells_of(term: str, unit: Unit) -> bool:
    return holds(term, unit, 0.0) > 0 or term in terms(unit.heading)


def _weigh_own(material: Material, standalone: Standalone) -> Material:
    """What a follow-up asks itself weighs more than what the question before it asked, which was answered already."""
    asked = standalone.about if _is_put_behind(standalone) else standalone.form
    own = content_terms(asked) if standalone.form in standalone.text else frozenset()
    if not own & material.weights.keys() or standalone.form == standalone.text:
        return material
    weights = {term: weight if term in own else EARLIER * weight for term, weight in material.weights.items()}
    return replace(material, weights=weights)


def _with_value(material: Material, units: Sequence[Unit]) -> Sequence[Unit]:
    """Of a follow-up that names nothing itself ("How long does that take?") the units with a value of its kind, where
    one of them is near what was asked before: else the old answer would fit best again."""
    value = material.wanted.value
    if value is None:
        return units
    worth = [coverage_of(unit, material.weights, material.total) for unit in units]
    least = LEAST_SHARE * max(worth, default=0.0)
    fitting = [
        unit
        for unit, share in zip(units, worth, strict=True)
        if share >= least and value.search(fold_script(unit.text))
    ]
    return fitting or units


def gives_reason(text: str) -> bool:
    """Whether a text says why something is so."""
    return bool(REASON.search(fold_script(text)))


def _with_reason(material: Material, units: Collection[Unit]) -> list[Unit]:
    worth = {id(unit): coverage_of(unit, material.weights, material.total) for unit in units}
    least = LEAST_SHARE * max(worth.values(), default=0.0)
    return [unit for unit in units if gives_reason(unit.text) and worth[id(unit)] >= least]
