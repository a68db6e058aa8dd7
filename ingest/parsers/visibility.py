"""What a page's author set so that readers can't see a text: tiny letters, a colour like its background, a place off
the screen. And what is merely closed until somebody opens it, as tabs and answers to questions are.

Pure. Reads style attributes and the simple rules of style sheets in the page (one tag, class or id); linked sheets are
not there to read. Text that is against readers is how instructions to a language model are hidden in a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree  # type: ignore[import-untyped]  # ships no types

Rgb = tuple[int, int, int]

_WHITE: Rgb = (255, 255, 255)
_NAMED: Mapping[str, Rgb] = {
    **{"white": _WHITE, "snow": (255, 250, 250), "ghostwhite": (248, 248, 255), "ivory": (255, 255, 240)},
    **{"floralwhite": (255, 250, 240), "azure": (240, 255, 255), "whitesmoke": (245, 245, 245)},
    **{
        "black": (0, 0, 0),
        "red": (255, 0, 0),
        "blue": (0, 0, 255),
        "green": (0, 128, 0),
        "yellow": (255, 255, 0),
    },
    **{"gray": (128, 128, 128), "grey": (128, 128, 128), "navy": (0, 0, 128), "orange": (255, 165, 0)},
}
_HEX = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})(?:[0-9a-f]{2}|[0-9a-f])?(?![0-9a-f])")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+([\d.]+)(%?))?\s*\)")
_MOST_ALIKE = 24  # of 255 in each of red, green and blue: nobody reads #e8e8e8 on white
_LENGTH = re.compile(r"(-?\d{0,9}(?:\.\d{0,9})?)\s*(px|pt|em|rem|%|vw|vh|in|cm|)(?![\w.])")
_PIXELS = {"": 1, "px": 1, "pt": 1.33, "em": 16, "rem": 16, "vw": 10, "vh": 10, "in": 96, "cm": 38, "%": 10}
_TINY_PX = 2.5
_OFF_SCREEN_PX = 900
_FAR_MOVED_PX = 9000  # a strip of pictures is moved by its width, what is put out of sight by far more
_SIDES = ("left", "right", "top", "bottom")
_INDENTS = ("text-indent", "margin-left", "margin-top")
_MOVES = ("transition", "animation", "transform", "will-change")
_ZERO = re.compile(r"0+(?:\.0*)?%?$|\.0+$|0*\.0\d+$")
_NOTHING_SHOWN = re.compile(r"rect\(\s*(?:0|1px)[\w,\s]*\)|inset\(\s*(?:50|100)%")
_MAX_STYLE_CHARS = 2_000
_MAX_SHEET_CHARS = 200_000
_RULE = re.compile(r"([^{}]{1,300})\{([^{}]{0,2000})\}")
_SIMPLE = re.compile(r"(?:[a-z][a-z0-9]*)?(?:[.#][\w-]+)?$", re.I)
# Rules that hold only on paper, narrow screens or at night; they may hold rules of their own.
_AT_RULE = re.compile(r"@[^{};]{0,300}\{(?:[^{}]{0,2000}\{[^{}]{0,2000}\})*[^{}]{0,2000}\}")
_COLOURED = re.compile(
    r"cover|hero|banner|dark|btn|button|badge|label|bg|background|jumbotron|invert|primary", re.I
)
_OFTEN_COLOURED = frozenset({"th", "a", "button", "h1", "h2", "h3", "thead"})

Declared = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Look:
    """How text looks where it stands, as far as the page says. `background` None: not known, so readable."""

    color: Rgb | None = None
    background: Rgb | None = _WHITE
    is_tiny: bool = False

    @property
    def is_readable(self) -> bool:
        """Whether a reader can see the text."""
        if self.is_tiny:
            return False
        if self.color is None or self.background is None:
            return True
        return any(abs(a - b) > _MOST_ALIKE for a, b in zip(self.color, self.background, strict=True))


class Styles:
    """The styles of a page's elements, by attribute and by the page's own sheets."""

    def __init__(self, root: etree._Element) -> None:
        self._rules: dict[str, dict[str, str]] = {}
        self._is_partly_known = False
        for sheet in root.iter("style"):
            self._read_sheet("".join(sheet.itertext())[:_MAX_SHEET_CHARS])
        # Sheets whose rules are not here, or not read, may colour a background.
        self._is_partly_known = self._is_partly_known or bool(
            root.xpath("boolean(//link[contains(@rel, 'stylesheet')])")
        )

    def _read_sheet(self, sheet: str) -> None:
        for rule in _RULE.finditer(_AT_RULE.sub("", sheet)):
            for selector in rule[1].split(","):
                name = selector.strip()
                if name and _SIMPLE.match(name):
                    self._rules.setdefault(name.lower(), {}).update(_declarations(rule[2]))
                elif "background" in rule[2]:
                    self._is_partly_known = True

    def of(self, element: etree._Element) -> dict[str, str]:
        """Return what is declared for an element, name → value in lower case."""
        style = element.get("style")
        found: dict[str, str] = {}
        if self._rules:
            for name in _selectors(element):
                found.update(self._rules.get(name, ()))
        if style:
            found.update(_declarations(style))
        return found

    def look(self, element: etree._Element, declared: Declared, around: Look) -> Look:
        """Return how text in an element looks that stands in text that looks like `around`."""
        look = around
        if not declared and not self._is_partly_known and not element.attrib:
            return look
        if size := declared.get("font-size"):
            look = replace(look, is_tiny=_is_tiny(size, around.is_tiny))
        back = declared.get("background-color") or declared.get("background") or element.get("bgcolor")
        if declared.get("background-image", "none") != "none":
            look = replace(look, background=None)
        elif back:
            look = replace(look, background=_background(back.lower(), around.background))
        elif self._is_partly_known and (
            element.tag in _OFTEN_COLOURED or _COLOURED.search((element.get("class") or "")[:500])
        ):
            look = replace(look, background=None)  # by a sheet that is not here
        color = declared.get("color") or (element.get("color") if element.tag == "font" else None)
        if color:
            look = replace(look, color=_color(color.lower(), look.background))
        return look


def is_against_readers(declared: Declared) -> bool:
    """Tell whether an element is put where nobody sees it: off the screen, cut to nothing, without any opacity."""
    if not declared:
        return False
    moves = any(name.startswith(_MOVES) for name in declared)  # what moves comes into sight later
    is_clear = bool(_ZERO.match(declared.get("opacity", "1"))) and not moves
    is_nothing = bool(_NOTHING_SHOWN.search(declared.get("clip", "") + declared.get("clip-path", "")))
    is_dot = _is_cut(declared) and "1px" in {declared.get("width"), declared.get("height")}
    return (
        is_clear or is_nothing or is_dot or "all" in declared.get("mso-hide", "") or _is_off_screen(declared)
    )


def is_only_veiled(declared: Declared) -> bool:
    """Tell whether an element has its place and size, and is hidden by visibility alone, or opacity with it."""
    shown = {name: value for name, value in declared.items() if name not in {"opacity", "visibility"}}
    hides = declared.get("visibility", "").startswith("hidden")
    return hides and not is_against_readers(shown) and not shown.get("display", "").startswith("none")


def _is_off_screen(declared: Declared) -> bool:
    is_placed = declared.get("position") in {"absolute", "fixed"}
    moved = declared.get("transform", "")
    return (
        (is_placed and any(abs(_pixels(declared.get(name, ""))) >= _OFF_SCREEN_PX for name in _SIDES))
        or any(_pixels(declared.get(name, "")) <= -_OFF_SCREEN_PX for name in _INDENTS)
        or ("translate" in moved and abs(_pixels(moved.partition("(")[2])) >= _FAR_MOVED_PX)
    )


def is_closed(element: etree._Element, declared: Declared) -> bool:
    """Tell whether an element is not shown as the page opens, though it has its place and size when it is."""
    if not declared:
        return element.get("hidden") is not None or (element.tag == "dialog" and element.get("open") is None)
    return (
        element.get("hidden") is not None
        or declared.get("display", "").startswith("none")
        or declared.get("visibility", "").startswith(("hidden", "collapse"))
        or (element.tag == "dialog" and element.get("open") is None)
        or (
            _is_cut(declared)
            and any(re.match(r"0(?:px)?$", declared.get(n, "")) for n in ("height", "max-height"))
        )
    )


def _is_cut(declared: Declared) -> bool:
    return declared.get("overflow", "").startswith(("hidden", "clip"))


def _declarations(style: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for declaration in style[:_MAX_STYLE_CHARS].lower().split(";"):
        name, _, value = declaration.partition(":")
        if value := value.replace("!important", "").strip():
            found[name.strip()] = value
    return found


def _selectors(element: etree._Element) -> Iterator[str]:
    yield element.tag
    for name in (element.get("class") or "")[:500].lower().split():
        yield f".{name}"
        yield f"{element.tag}.{name}"
    if name := (element.get("id") or "").lower():
        yield f"#{name}"
        yield f"{element.tag}#{name}"


def _is_tiny(size: str, is_in_tiny: bool) -> bool:
    length = _LENGTH.match(size)
    if length is None or not length[1].strip("-."):
        return False  # a word such as "small", or something to calculate
    if length[2] in {"em", "%"}:
        share = float(length[1]) / (100 if length[2] == "%" else 1)
        return share * 16 <= _TINY_PX or (is_in_tiny and share < 8)
    return float(length[1]) * _PIXELS[length[2]] <= _TINY_PX


def _pixels(value: str) -> float:
    length = _LENGTH.match(value)
    return float(length[1]) * _PIXELS[length[2]] if length and length[1].strip("-.") else 0.0


def _background(value: str, around: Rgb | None) -> Rgb | None:
    if "url(" in value or "gradient" in value or "var(" in value:
        return None
    if found := _find_color(value):
        return found[0] if found[1] > 0.5 else None if found[1] > 0.05 else around
    word = value.partition(" ")[0]
    return around if word in {"none", "transparent", "inherit", "initial", "unset"} else None


def _color(value: str, background: Rgb | None) -> Rgb | None:
    if value.startswith("transparent"):
        return background
    found = _find_color(value)
    if found is None:
        return None
    return found[0] if found[1] > 0.05 else background


def _find_color(value: str) -> tuple[Rgb, float] | None:
    """Return the first colour in a value, and how dense it is from 0 to 1."""
    if match := _RGB.search(value):
        density = float(match[4].rstrip(".") or 0) / (100 if match[5] else 1) if match[4] else 1.0
        red, green, blue = (min(255, int(match[at])) for at in (1, 2, 3))
        return (red, green, blue), density
    if match := _HEX.search(value):
        digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
        return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)), 1.0
    named = next((_NAMED[word] for word in value.split() if word in _NAMED), None)
    return (named, 1.0) if named else None
