"""Questions that compare: the things in them, and one candidate for each; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from app.generation.candidates import Candidate, Material
from app.generation.evidence import holds
from app.lexicon import terms

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


def is_comparison(material: Material) -> bool:
    """Whether a question compares things."""
    return material.wanted.shape == "comparison" or bool(_COMPARATIVE.search(material.asked.text))


def compare(material: Material, candidates: Sequence[Candidate]) -> list[tuple[str, Candidate | None]]:
    """One candidate for each thing that is compared, None where the hits have none. Empty where fewer than two things
    are found in the question."""
    things = compared_things(material)
    if len(things) < 2:
        return []
    pairs: list[tuple[str, Candidate | None]] = []
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


def terms_of_thing(name: str, material: Material) -> frozenset[str]:
    return (
        frozenset((name,)) if name in material.weights else frozenset(terms(name)) & material.weights.keys()
    )
