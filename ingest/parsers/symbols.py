"""Characters of symbol fonts, which are numbers of pictures, → the Unicode characters that look like them.

Pure. Symbol: Adobe's Symbol Encoding; Wingdings, Wingdings 2 and 3, Webdings: the signs that Unicode took from them,
of several alike the one that most fonts have. Office keeps such characters at U+F000 and their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_PRIVATE: Final = 0xF000
_GREEK_CAPITALS: Final = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ"
_GREEK: Final = "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"


def _table(*runs: tuple[int, str]) -> dict[int, str]:
    """Characters from each start on; a space for a number without a sign."""
    return {start + at: char for start, chars in runs for at, char in enumerate(chars) if char != " "}


_SYMBOL: Final = _table(
    (0x21, "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅"),
    (0x41, f"{_GREEK_CAPITALS}[∴]⊥_‾{_GREEK}{{|}}∼"),
    (0xA0, "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…│─↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑"),
    (0xE6, "⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ ⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"),
)
_WINGDINGS: Final = _table(
    (0x21, "✎✂✁👓🔔📖🕯☎✆✉✉📪📫📬📭📁📂📄📃📑🗄⏳⌨🖱🖲💻💾💾💾✇✍✍✌👌👍👎☜☞☝☟✋☺😐☹💣☠⚐⚑✈☼💧❄✝✞✟✠✡☪☯ॐ☸"),
    (0x5E, "♈♉♊♋♌♍♎♏♐♑♒♓&&●❍■□❐❑❒⬧⧫◆❖⬥⌧⍓⌘❀✿❝❞ ⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿"),
    (0x9E, "·•▪○○○◉◎○▪☐▲✦★✶✴✹✵"),
    (0xB7, "🕐🕑🕒🕓🕔🕕🕖🕗🕘🕙🕚🕛"),
    (0xD5, "⌫⌦◄➢▲▼ ➲  ←→↑↓↖↗↙↘⬅➔⬆⬇↖↗↙↘⇦⇨⇧⇩⬄⇳⬀⬁⬃⬂▭▫✗✓☒☑"),
)
_WINGDINGS_2: Final = _table((0x4F, "✗✓☒☑☒☒"), (0x69, "⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿"), (0xA2, "■☐"))
_WINGDINGS_3: Final = _table((0x21, "←→↑↓↖↗↙↘"), (0x66, "←→↑↓↖↗↙↘"), (0x70, "▲▼△▽◄►◁▷"))
_WEBDINGS: Final = _table((0x33, "◀▶▲▼"), (0x61, "✓"), (0x63, "☐"), (0x67, "■"), (0x6E, "●"), (0x72, "✗"))
_FONTS: Final[Mapping[str, Mapping[int, str]]] = {
    "symbol": _SYMBOL,
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "wingdings 3": _WINGDINGS_3,
    "webdings": _WEBDINGS,
}


def symbols(text: str, font: str) -> str:
    """Text in a font as what it shows; as it is in a font of letters. "" for a sign that is not known.

    >>> symbols("\\uf0b1", "Symbol"), symbols("m", "Symbol"), symbols("\\uf0fe", "Wingdings"), symbols("a", "Arial")
    ('±', 'μ', '☑', 'a')
    """
    table = _FONTS.get(font.lower())
    if table is None:
        return text
    return "".join(table.get(_number(char), "") if _is_sign(char) else char for char in text)


def _number(char: str) -> int:
    return ord(char) - _PRIVATE if ord(char) > _PRIVATE else ord(char)


def _is_sign(char: str) -> bool:
    return char > " " and _number(char) < 0x100
