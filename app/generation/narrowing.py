"""Which units may answer a follow-up: those that tell of the thing it named, or give the reason it asks for. Pure.

"And in Spain?" keeps the words of the question before it, which every other country's row holds as well: without this
the value of another thing would be the answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from app.generation.evidence import coverage_of, holds
from app.generation.extractive import Material
from app.generation.units import Unit
from app.lexicon import fold_script
from app.question.content import content_terms
from app.question.standalone import Standalone

LEAST_SHARE: Final = 0.5  # of what the best unit holds of the question: a reason for something else is none
EARLIER: Final = 0.5  # what words of the question before a follow-up weigh
_REASON: Final = re.compile(
    r"\b(?:because|due to|owing to|thanks to|on account of|as a result|therefore|reasons?|caused?|so that|in order to"
    r"|since(?! \d| (?:january|february|march|april|may|june|july|august|september|october|november|december))"
    r"|to (?:avoid|prevent|ensure|protect|save|allow|make sure))\b|, (?:as|so|for) "
    r"|因为|由于|原因|因(?!此|素|特|子|果)|所以|因此|为了|以便|以免|鉴于|导致|避免|防止|考虑到|旨在",
    re.IGNORECASE,
)


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
    if standalone.wants_reason:
        units = _with_reason(material, units)
    return material if units is material.units else replace(material, units=units)


def _weigh_own(material: Material, standalone: Standalone) -> Material:
    """What a follow-up asks itself weighs more than what the question before it asked, which was answered already."""
    own = content_terms(standalone.form) if standalone.form in standalone.text else frozenset()
    if not own & material.weights.keys() or standalone.form == standalone.text:
        return material
    weights = {term: weight if term in own else EARLIER * weight for term, weight in material.weights.items()}
    return replace(material, weights=weights)


def gives_reason(text: str) -> bool:
    """Whether a text says why something is so."""
    return bool(_REASON.search(fold_script(text)))


def _with_reason(material: Material, units: Collection[Unit]) -> list[Unit]:
    worth = {id(unit): coverage_of(unit, material.weights, material.total) for unit in units}
    least = LEAST_SHARE * max(worth.values(), default=0.0)
    return [unit for unit in units if gives_reason(unit.text) and worth[id(unit)] >= least]
