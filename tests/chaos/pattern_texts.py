"""Texts made to hurt one regular expression, of its own structure: what each of its repetitions repeats, in runs that
end in what does not fit. Read by tests/chaos/patterns.py.

A search is quadratic where it may begin at each place of a run and reads the run to its end each time, or where two
repetitions share out one run in every way. Both need a run of what a repetition takes, so that a text for each kind of
letter the repetitions tell apart, and for what comes before each, finds them without chance.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

# The parser of Python's own expressions has no public name
_PARSER: Final[Any] = importlib.import_module("re._parser")
_CODES: Final[Any] = importlib.import_module("re._constants")
ALPHABET: Final = "a1 \n\t-_.,:;()[]{}<>|*`#\"'/\\=+~!?$&%@^一的三。，、（）《》：！？“”zéß²½A…·"
_UNBOUNDED: Final = 64  # so many times and more count as without end
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
END: Final = "\0"

Node = tuple[Any, Any]


def pieces(pattern: re.Pattern[str], most: int = 60) -> list[tuple[str, str]]:
    """What a text begins with, and what is repeated in it: each pair once, at most so many."""
    tree = list(_PARSER.parse(pattern.pattern, pattern.flags & ~re.DEBUG))
    leaves, repeats = [], []
    for before, node in _walk(tree, ()):
        if str(node[0]) in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            if int(node[1][1]) >= _UNBOUNDED:
                repeats.append((before, list(node[1][2])))
        elif _is_leaf(node):
            leaves.append(node)
    if not repeats:
        return []
    inner = {repr(leaf): leaf for _, body in repeats for _, leaf in _walk(body, ()) if _is_leaf(leaf)}
    telling = list((inner | {repr(leaf): leaf for leaf in leaves if str(leaf[0]) != "LITERAL"}).values())
    letters = "".join(c for leaf in inner.values() for c in _own_letters(leaf)) + ALPHABET
    kinds: dict[tuple[bool, ...], str] = {}
    for letter in dict.fromkeys(letters):
        kind = tuple(_takes(leaf, letter, pattern.flags) for leaf in telling)
        if any(kind[: len(inner)]):
            kinds.setdefault(kind, letter)
    runs = list(kinds.values())
    made: list[tuple[str, str]] = []
    for before, body in repeats:
        begin = "".join(_sample(part, pattern.flags) for part in before)
        for repeated in dict.fromkeys(
            (_sample(body, pattern.flags), _sample(body, pattern.flags, rich=True))
        ):
            made += [(begin, repeated), ("", begin + repeated), ("", begin)]
    made += [("", run) for run in runs]
    made += [("", a + b) for a in runs[:4] for b in runs[:4] if a != b]
    return [piece for piece in dict.fromkeys(made) if piece[1]][:most]


def _walk(
    nodes: Sequence[Node], before: tuple[Sequence[Node], ...]
) -> Iterator[tuple[tuple[Sequence[Node], ...], Node]]:
    """Every node, with what is read before it."""
    for place, node in enumerate(nodes):
        led = (*before, list(nodes[:place]))
        yield led, node
        for inner in _inside(node):
            yield from _walk(inner, led)


def _inside(node: Node) -> list[list[Node]]:
    name, value = str(node[0]), node[1]
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [list(value[2])]
    if name == "SUBPATTERN":
        return [list(value[3])]
    if name in ("BRANCH", "GROUPREF_EXISTS"):
        return [list(one) for one in (value[1] if name == "BRANCH" else value[1:]) if one is not None]
    if name in ("ATOMIC_GROUP", "ASSERT", "ASSERT_NOT"):
        return [list(value if name == "ATOMIC_GROUP" else value[1])]
    return []


def _is_leaf(node: Node) -> bool:
    return str(node[0]) in ("LITERAL", "NOT_LITERAL", "ANY", "IN")


def _takes(leaf: Node, letter: str, flags: int) -> bool:
    return any(_takes_exactly(leaf, one, flags) for one in _cases(letter, flags))


def _cases(letter: str, flags: int) -> set[str]:
    if not flags & re.IGNORECASE:
        return {letter}
    return {one for one in (letter, letter.lower(), letter.upper()) if len(one) == 1}


def _takes_exactly(leaf: Node, letter: str, flags: int) -> bool:
    name, value = str(leaf[0]), leaf[1]
    if name == "LITERAL":
        return ord(letter) == int(value)
    if name == "NOT_LITERAL":
        return ord(letter) != int(value)
    if name == "ANY":
        return bool(flags & re.DOTALL) or letter != "\n"
    negated, found = False, False
    for kind, what in value:
        match str(kind):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found |= ord(letter) == int(what)
            case "RANGE":
                found |= int(what[0]) <= ord(letter) <= int(what[1])
            case "CATEGORY":
                found |= re.match(_CATEGORIES[str(what)], letter, flags & re.ASCII) is not None
    return found != negated


def _sample(nodes: Sequence[Node], flags: int, *, rich: bool = False) -> str:
    """A short text that the nodes take; `rich` has each optional part once and the last of each choice."""
    made = []
    for node in nodes:
        name, value = str(node[0]), node[1]
        if _is_leaf(node):
            own = _own_letters(node)
            made.append(next((c for c in (*own, *ALPHABET) if _takes_exactly(node, c, flags)), ""))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            times = max(int(value[0]), int(rich))
            made.append(_sample(list(value[2]), flags, rich=rich) * min(times, 20))
        elif name == "BRANCH":
            made.append(_sample(list(value[1][-1 if rich else 0]), flags, rich=rich))
        elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
            made.append(_sample(_inside(node)[0], flags, rich=rich))
    return "".join(made)


def _own_letters(leaf: Node) -> list[str]:
    """Letters that a leaf names."""
    if str(leaf[0]) == "LITERAL":
        return [chr(leaf[1])]
    if str(leaf[0]) == "IN":
        named = [
            what if str(kind) == "LITERAL" else what[0]
            for kind, what in leaf[1]
            if str(kind) in ("LITERAL", "RANGE")
        ]
        return [chr(one) for one in named]
    return []
