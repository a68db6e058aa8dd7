# ruff: noqa: E501 (lines of markup)
r"""Rich Text as Word, WordPad and LibreOffice write it: code pages, \u escapes, tables by rows, fields, lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    POLICY,
    PRODUCT,
    Story,
    headings_of,
    parts_of,
    words_of,
)


@dataclass(frozen=True, slots=True)
class _Program:
    """How a program writes letters: in a code page (its number in RTF, its codec), or as \\u escapes with `fallback`
    after each."""

    name: str
    page: int
    codec: str = ""
    fallback: str = "?"
    uc: int = 1
    has_styles: bool = True

    def text(self, text: str) -> str:
        written = ""
        for char in text:
            if char in "\\{}":
                written += f"\\{char}"
            elif char == "\n":
                written += "\\line "
            elif char == "\t":
                written += "\\tab "
            elif char.isascii():
                written += char
            else:
                written += self._beyond(char)
        return written

    def _beyond(self, char: str) -> str:
        try:
            encoded = char.encode(self.codec) if self.codec else b""
        except UnicodeEncodeError:
            encoded = b""
        if encoded:
            return "".join(f"\\'{byte:02x}" for byte in encoded)
        units = char.encode("utf-16-le")
        numbers = [
            int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2)
        ]
        return "".join(f"\\u{number}{self.fallback}" for number in numbers)


WORD = _Program("word", 1252, "cp1252")
WORD_ZH = _Program("word-zh", 936, fallback="\\'5f\\'5f", uc=2)
WORDPAD_ZH = _Program("wordpad-zh", 936, "gbk", has_styles=False)
WORDPAD_TW = _Program("wordpad-tw", 950, "big5", has_styles=False)
WORDPAD_RU = _Program("wordpad-ru", 1251, "cp1251", has_styles=False)
LIBREOFFICE = _Program("libreoffice", 1252, fallback="\\'3f")


def make_rich() -> Iterator[Sample]:
    """Yield RTF."""
    pairs = (
        (WORD, GUIDE),
        (WORD, BAKERY),
        (WORD_ZH, POLICY),
        (WORDPAD_ZH, POLICY),
        (WORDPAD_TW, LIBRARY),
        (WORDPAD_RU, ARCHIVE),
        (LIBREOFFICE, FERRY),
        (LIBREOFFICE, FREEZER),
        (LIBREOFFICE, PRODUCT),
        (WORD, MARKET),
    )
    for program, story in pairs:
        has_title = program.name in {"word", "libreoffice"}
        content = _file(program, _body(program, story), title=story.title if has_title else "").encode(
            "ascii"
        )
        never = ("Times New Roman", "listtext", "Normal")
        title = story.title if program.has_styles else f"{program.name}-{story.name}"
        yield Sample(
            f"rtf/{program.name}-{story.name}.rtf",
            content,
            words_of(story, title=True),
            never,
            title,
            headings_of(story) if program.has_styles else (),
        )
    yield Sample(
        "rtf/word-hard.rtf",
        _file(WORD, _HARD).encode("ascii"),
        (
            "Rules of the yard",
            "See the map for the way.",
            "The gate is shut at 22:00",
            "Only the side door.",
            "Smart “quotes” – and 5 €",
            "Left Right",
            "a{b}c\\d",
        ),
        ("HYPERLINK", "deep secret", "0105000002", "Ada Holm", "heading 1", "Page", "bkmkstart"),
        "Rules of the yard",
        ("Rules of the yard",),
    )


_HARD = (
    r"{\header\pard Yard rules\par}{\footer\pard\qc Page {\field{\*\fldinst PAGE}{\fldrslt 3}}\par}"
    r"\pard\s1\outlinelevel0\b Rules of the yard\b0\par"
    r'\pard See {\field{\*\fldinst{HYPERLINK "https://yard.example/map"}}{\fldrslt{\ul the map}}} for the way.\par'
    r"\pard The gate is shut at 22:00{\super\chftn{\footnote\pard\chftn  Only the side door.}}.{\v deep secret}\par"
    r"\pard Smart \ldblquote quotes\rdblquote  \endash  and 5\~\'80\par"
    r"{\pict\wmetafile8\picw100\pich100 0105000002000000}{\*\bkmkstart _Toc1}{\*\bkmkend _Toc1}"
    r"\trowd\cellx3000\cellx6000\pard\intbl Left\cell Right\cell\row\pard a\{b\}c\\d\par"
    r"\pard \u-10180?\u-8438? and \u-10174?\u-8265?{\*\atnid NB}{\*\atnauthor Nils}\chatn{\*\annotation\pard Is it?}\par"
    r"{\shp{\*\shpinst\shpleft0{\sp{\sn shapeType}{\sv 202}}{\shptxt\pard In the box.\par}}}"
)


def _file(program: _Program, body: str, *, title: str = "") -> str:
    info = (
        f"{{\\info{{\\title {program.text(title)}}}{{\\author Ada Holm}}}}"
        if title
        else r"{\info{\author Ada Holm}{\operator Ada Holm}}"
    )
    charset = {936: 134, 950: 136, 1251: 204}.get(program.page, 0)
    fonts = rf"{{\fonttbl{{\f0\froman\fcharset{charset}\fprq2{{\*\panose 02020603050405020304}}Times New Roman;}}}}"
    sheets = r"{\stylesheet{\ql \li0 \f0\fs24 \snext0 Normal;}{\s1\ql\b\fs32 \sbasedon0 heading 1;}{\s2\ql\b\fs28 \sbasedon0 heading 2;}{\s15\qc\fs36 \sbasedon0 Title;}}"
    return (
        f"{{\\rtf1\\ansi\\ansicpg{program.page}\\deff0\\uc{program.uc}{fonts}{{\\colortbl;\\red0\\green0\\blue0;}}{sheets}{info}"
        f"{{\\*\\generator Riched20 10.0.19041}}\\viewkind4\n\\pard\\plain\\f0\\fs24 {body}}}"
    )


def _body(program: _Program, story: Story) -> str:
    write = program.text
    styles = ("\\s15", "\\s1\\outlinelevel0", "\\s2\\outlinelevel1") if program.has_styles else ("", "", "")
    blocks = [f"\\pard{styles[0]}\\qc\\b\\fs36 {write(story.title)}\\b0\\fs24\\par\n"]
    for kind, items in parts_of(story):
        first = items[0]
        if kind in {"h2", "h3"}:
            blocks.append(f"\\pard{styles[1 if kind == 'h2' else 2]}\\b {write(first[0])}\\b0\\par\n")
        elif kind in {"li", "ol"}:
            for number, (text,) in enumerate(items, start=1):
                mark = r"\u8226\'95" if kind == "li" else f"{number}."
                blocks.append(f"\\pard{{\\listtext {mark}\\tab}}\\ls1\\fi-360\\li720 {write(text)}\\par\n")
        elif kind == "row":
            for row in items:
                cells = "".join(f"\\cellx{2500 * at}" for at in range(1, len(row) + 1))
                blocks.append(
                    f"\\trowd\\trgaph108{cells}\\pard\\intbl "
                    + "".join(f"{write(cell)}\\cell " for cell in row)
                    + "\\row\n"
                )
            blocks.append("\\pard\\par\n")
        elif kind == "code":
            blocks.append(f"\\pard\\f0 {write(first[1])}\\par\n")
        else:
            blocks += [f"\\pard {write(text)}\\par\n" for text in first]
    return "".join(blocks)
