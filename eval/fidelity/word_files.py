"""Word files as Word (English and Chinese), WPS, LibreOffice, Google Docs and Pandoc write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    MUSEUM,
    POLICY,
    PRODUCT,
    Story,
    headings_of,
    parts_of,
    words_of,
)
from eval.fidelity.word_parts import WORD_STYLES, cut_runs, docx, listed, para, run, table


@dataclass(frozen=True, slots=True)
class Program:
    """How a program writes: the ids of its styles (title, two depths of headings, text, list item, code), and how."""

    name: str
    styles: Mapping[str, tuple[str, str]]
    ids: tuple[str, str, str, str, str, str]
    cuts: bool = False  # words into many runs
    tells_title: bool = False  # in the properties
    application: str = "Microsoft Office Word"


PROGRAMS: Final = (
    Program(
        "word",
        WORD_STYLES,
        ("Title", "Heading1", "Heading2", "", "ListParagraph", "HTMLPreformatted"),
        cuts=True,
    ),
    Program(
        "word-zh",
        {
            "a": ("Normal", ""),
            "ae": ("Title", "a"),
            "1": ("heading 1", "a"),
            "2": ("heading 2", "a"),
            "af": ("List Paragraph", "a"),
            "HTML": ("HTML Preformatted", "a"),
        },
        ("ae", "1", "2", "", "af", "HTML"),
        cuts=True,
    ),
    Program(
        "wps",
        {
            "1": ("Normal", ""),
            "2": ("heading 1", "1"),
            "3": ("heading 2", "1"),
            "8": ("Title", "1"),
            "12": ("HTML Preformatted", "1"),
        },
        ("8", "2", "3", "", "", "12"),
        application="WPS Office_12.1.0.16929_F1E327BC",
    ),
    Program(
        "libreoffice",
        {
            "Normal": ("Normal", ""),
            "Heading": ("Heading", "Normal"),
            "Heading1": ("heading 1", "Heading"),
            "Heading2": ("heading 2", "Heading"),
            "Title": ("Title", "Heading"),
            "TextBody": ("Body Text", "Normal"),
            "PreformattedText": ("Preformatted Text", "Normal"),
        },
        ("Title", "Heading1", "Heading2", "TextBody", "TextBody", "PreformattedText"),
        application="LibreOffice/24.2.7.2$Linux_X86_64",
    ),
    Program(
        "google",
        {
            "Normal": ("normal", ""),
            "Heading1": ("heading 1", "Normal"),
            "Heading2": ("heading 2", "Normal"),
            "Title": ("Title", "Normal"),
        },
        ("Title", "Heading1", "Heading2", "", "", ""),
        application="Google Docs",
    ),
    Program(
        "pandoc",
        {
            "Normal": ("Normal", ""),
            "BodyText": ("Body Text", "Normal"),
            "Compact": ("Compact", "BodyText"),
            "Title": ("Title", "Normal"),
            "Heading1": ("heading 1", "Normal"),
            "Heading2": ("heading 2", "Normal"),
            "SourceCode": ("Source Code", "Normal"),
        },
        ("Title", "Heading1", "Heading2", "BodyText", "Compact", "SourceCode"),
        tells_title=True,
        application="Microsoft Word 12.0.0",
    ),
)
_STORIES: Final = {
    "word": (GUIDE, PRODUCT, BAKERY, ARCHIVE),
    "word-zh": (POLICY, LIBRARY),
    "wps": (POLICY, LIBRARY),
    "libreoffice": (FERRY, BAKERY, MARKET),
    "google": (GUIDE, FREEZER, MUSEUM),
    "pandoc": (PRODUCT, POLICY, ARCHIVE),
}


def make_word() -> Iterator[Sample]:
    """Yield Word files."""
    for program in PROGRAMS:
        for story in _STORIES[program.name]:
            content = docx(
                _body(program, story),
                program.styles,
                title=story.title if program.tells_title else "",
                program=program.application,
            )
            name = f"docx/{program.name}-{story.name}.docx"
            yield Sample(
                name, content, words_of(story, title=True), ("proofErr",), story.title, headings_of(story)
            )


def _body(program: Program, story: Story) -> str:
    title, head1, head2, text, item, code = program.ids
    write = cut_runs if program.cuts else run
    blocks = [para(write(story.title), title)]
    for number, (kind, items) in enumerate(parts_of(story)):
        first = items[0]
        if kind in {"h2", "h3"}:
            mark = f'<w:bookmarkStart w:id="{number}" w:name="_Toc{17000 + number}"/>'
            blocks.append(
                para(
                    f'{mark}{write(first[0])}<w:bookmarkEnd w:id="{number}"/>',
                    head1 if kind == "h2" else head2,
                )
            )
        elif kind == "p":
            blocks.append(para(write(first[0]), text))
        elif kind in {"li", "ol"}:
            blocks += [listed(write(line), 1 if kind == "li" else 2, item) for (line,) in items]
        elif kind == "row":
            blocks += [table(items), para("")]
        elif kind == "code":
            blocks.append(para(run(first[1]), code))
        else:  # notes and tabs are pairs of paragraphs
            blocks += [para(run(line, "<w:b/>" if at % 2 == 0 else "")) for at, line in enumerate(first)]
    return "".join(blocks)
