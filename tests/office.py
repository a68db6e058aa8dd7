"""Small Office and EPUB files, written by hand, for the tests of their parsers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from html import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_NAMES = (
    f'xmlns:w="{W}" xmlns:a="{A}" xmlns:p="{P}" xmlns:r="{R}" xmlns:mc="{MC}" xmlns:m="{M}" xmlns:c="{C}"'
)

Cell = str | int | float | tuple[str, int]  # text, number, or a number as the file writes it and its style
Row = Sequence[Cell | None]

STYLES = f"""<w:styles xmlns:w="{W}">
<w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/></w:style>
<w:style w:type="paragraph" w:styleId="T"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="2"><w:name w:val="heading 2"/></w:style>
<w:style w:type="paragraph" w:styleId="2x"><w:name w:val="Chapter"/><w:basedOn w:val="2"/></w:style>
<w:style w:type="paragraph" w:styleId="L1"><w:name w:val="L1"/><w:basedOn w:val="L1"/></w:style>
<w:style w:type="paragraph" w:styleId="num"><w:name w:val="Numbered"/>
<w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style></w:styles>"""

NUMBERING = f"""<w:numbering xmlns:w="{W}">
<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl>
<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/></w:lvl></w:abstractNum>
<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/>
<w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/>
<w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>
</w:num></w:numbering>"""


def pack(
    members: Mapping[str, str] | Mapping[str, bytes] | Mapping[str, str | bytes],
    compression: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Return a zip archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def relationships(targets: Mapping[str, tuple[str, str]]) -> str:
    """Return a relationships part: id → (kind, target)."""
    links = "".join(
        f'<Relationship Id="{key}" Type="{R}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>'


def core(**values: str) -> str:
    """Return the core properties part."""
    inner = "".join(f"<x:{name}>{value}</x:{name}>" for name, value in values.items())
    return f'<x:coreProperties xmlns:x="urn:x">{inner}</x:coreProperties>'


def paragraph(text: str, style: str = "", list_id: int = 0, depth: int = 0) -> str:
    """Return a Word paragraph; `text` may hold runs of its own."""
    runs = text if text.startswith("<") else f"<w:r><w:t>{text}</w:t></w:r>"
    numbered = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>' if list_id else ""
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{styled}{numbered}</w:pPr>{runs}</w:p>"


def word_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Word table; a cell that starts with "<" holds its own properties and blocks."""
    cells = [[cell if cell.startswith("<") else paragraph(cell) for cell in row] for row in rows]
    written = ["".join(f"<w:tc>{cell}</w:tc>" for cell in row) for row in cells]
    return f"<w:tbl>{''.join(f'<w:tr>{cells}</w:tr>' for cells in written)}</w:tbl>"


def part(inside: str, name: str = "w:hdr") -> str:
    """Return a part of an Office file: an element of this name with all namespaces declared."""
    return f"<{name} {_NAMES}>{inside}</{name}>"


def build_docx(
    body: str, *, properties: str = "", linked: Mapping[str, tuple[str, str]] | None = None, **parts: str
) -> bytes:
    """Return a Word file with this body; `footnotes`, `comments`, … are further parts, each the one of its kind;
    `linked`: id → (kind, part) of those that the body refers to by an id."""
    kinds = {"styles": STYLES, "numbering": NUMBERING, **parts}
    more = linked or {}
    return pack(
        {
            "_rels/.rels": relationships(
                {"a": ("officeDocument", "word/document.xml"), "b": ("core-properties", "docProps/core.xml")}
            ),
            "word/document.xml": f"<w:document {_NAMES}><w:body>{body}</w:body></w:document>",
            "word/_rels/document.xml.rels": relationships(
                {kind: (kind, f"{kind}.xml") for kind in kinds}
                | {key: (kind, f"{key}.xml") for key, (kind, _) in more.items()}
            ),
            "docProps/core.xml": properties or core(),
            **{f"word/{key}.xml": part for key, (_, part) in more.items()},
            **{f"word/{kind}.xml": part for kind, part in kinds.items()},
        }
    )


def shape(text: str, *, kind: str = "", at: tuple[int, int] | None = None, hidden: bool = False) -> str:
    """Return a shape with a paragraph for each line; a line that starts with "<" is a paragraph's inside."""
    lines = [line if line.startswith("<") else f"<a:r><a:t>{line}</a:t></a:r>" for line in text.split("\n")]
    placed = f'<a:xfrm><a:off x="{at[1]}" y="{at[0]}"/></a:xfrm>' if at else ""
    filled = f'<p:ph type="{kind}"/>' if kind else ""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x" hidden="{int(hidden)}"/><p:nvPr>{filled}</p:nvPr></p:nvSpPr>'
        f"<p:spPr>{placed}</p:spPr><p:txBody>{''.join(f'<a:p>{line}</a:p>' for line in lines)}</p:txBody></p:sp>"
    )


def slide(shapes: str, *, hidden: bool = False) -> str:
    """Return a slide, layout or notes part."""
    return f'<p:sld {_NAMES} show="{int(not hidden)}"><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>'


def build_pptx(
    slides: Sequence[str],
    notes: Mapping[int, str] | None = None,
    *,
    layout: str = "",
    hidden: Sequence[int] = (),
    linked: Mapping[str, tuple[str, str]] | None = None,
    authors: str = "",
) -> bytes:
    """Return a presentation of these slides' shapes; `notes`: slide number → shapes of its notes; `linked`: id →
    (kind, part) of those that the first slide refers to; `authors` of its comments."""
    numbers = range(1, len(slides) + 1)
    # The order of the parts' names is not that of the slides.
    names = {number: f"slide{len(slides) - number + 1}.xml" for number in numbers}
    members: dict[str, str] = {
        "_rels/.rels": relationships({"a": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation {_NAMES}><p:sldIdLst>"
        + "".join(f'<p:sldId id="{255 + n}" r:id="r{n}"/>' for n in numbers)
        + "</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relationships(
            {f"r{n}": ("slide", f"slides/{names[n]}") for n in numbers}
            | {"au": ("commentAuthors", "authors.xml")}
        ),
        "ppt/authors.xml": part(authors, "p:cmAuthorLst"),
        "ppt/slideLayouts/layout.xml": slide(layout),
    }
    for number, shapes in zip(numbers, slides, strict=True):
        links = {"l": ("slideLayout", "../slideLayouts/layout.xml")}
        if notes and number in notes:
            links["n"] = ("notesSlide", f"../notesSlides/notes{number}.xml")
            members[f"ppt/notesSlides/notes{number}.xml"] = slide(notes[number])
        for key, (kind, content) in (linked or {}).items() if number == 1 else ():
            links[key] = (kind, f"../linked/{key}.xml")
            members[f"ppt/linked/{key}.xml"] = content
        members[f"ppt/slides/{names[number]}"] = slide(shapes, hidden=number in hidden)
        members[f"ppt/slides/_rels/{names[number]}.rels"] = relationships(links)
    return pack(members)


def build_xlsx(
    sheets: Mapping[str, str],
    *,
    strings: Sequence[str] = (),
    states: Mapping[str, str] | None = None,
    after: str = "",
) -> bytes:
    """Return a workbook: sheet name → rows in XML, `after` what follows them.

    Cell styles: 1 date, 2 per cent, 3 date and time, 4 time."""
    numbers = {name: number for number, name in enumerate(sheets, start=1)}
    state = states or {}
    members = {
        "_rels/.rels": relationships({"a": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'<workbook xmlns="{S}" xmlns:r="{R}"><sheets>'
        + "".join(
            f'<sheet name="{name}" state="{state.get(name, "visible")}" r:id="r{number}"/>'
            for name, number in numbers.items()
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relationships(
            {f"r{number}": ("worksheet", f"/xl/worksheets/sheet{number}.xml") for number in numbers.values()}
            | {"s": ("sharedStrings", "sharedStrings.xml"), "t": ("styles", "styles.xml")}
        ),
        "xl/sharedStrings.xml": f'<sst xmlns="{S}">' + "".join(f"<si>{s}</si>" for s in strings) + "</sst>",
        "xl/styles.xml": f'<styleSheet xmlns="{S}"><numFmts><numFmt numFmtId="170" '
        'formatCode="[$-804]yyyy&quot;年&quot;m&quot;月&quot;d"/>'
        '<numFmt numFmtId="171" formatCode="0.0%;[Red]-0.0%"/></numFmts><cellXfs>'
        '<xf numFmtId="0"/>'
        '<xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="22"/><xf numFmtId="21"/></cellXfs></styleSheet>',
    }
    for name, number in numbers.items():
        members[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{S}"><dimension ref="A1:XFD1048576"/><sheetData>{sheets[name]}</sheetData>'
            f"{after}</worksheet>"
        )
    return pack(members)


def row(*cells: object, number: int | None = None) -> str:
    """Return a row: numbers as numbers, text inline, XML that starts with "<" as it is, None as no cell."""
    written = [
        ""
        if cell is None
        else str(cell)
        if str(cell).startswith("<")
        else f'<c r="{chr(65 + at)}1"><v>{cell}</v></c>'
        if isinstance(cell, int | float)
        else f'<c r="{chr(65 + at)}1" t="inlineStr"><is><t>{cell}</t></is></c>'
        for at, cell in enumerate(cells)
    ]
    numbered = f' r="{number}"' if number else ""
    return f"<row{numbered}>{''.join(written)}</row>"


def build_book(
    rows: Sequence[Row],
    formats: Sequence[str] = (),
    *,
    merged: Sequence[str] = (),
    hidden_rows: Sequence[int] = (),
    columns: str = "",
    notes: Mapping[str, str] | None = None,
    threads: Mapping[str, str] | None = None,
    boxes: Sequence[str] = (),
) -> bytes:
    """A workbook of one sheet; style n is the n-th format, 0 none."""
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = "".join(
            _cell(f"{chr(65 + at)}{number}", cell) for at, cell in enumerate(row) if cell is not None
        )
        hidden = ' hidden="1"' if number in hidden_rows else ""
        lines.append(f'<row r="{number}"{hidden}>{cells}</row>')
    merges = "".join(f'<mergeCell ref="{area}"/>' for area in merged)
    codes = "".join(
        f'<numFmt numFmtId="{200 + at}" formatCode="{escape(code)}"/>'
        for at, code in enumerate(formats, start=1)
    )
    styles = "".join(f'<xf numFmtId="{200 + at}"/>' for at in range(1, len(formats) + 1))
    links = {
        "c": ("comments", "../comments1.xml"),
        "t": ("threadedComment", "../threads1.xml"),
        "d": ("drawing", "../drawing1.xml"),
    }
    comments = "".join(
        f'<comment ref="{ref}"><text><r><t>{note}</t></r></text></comment>'
        for ref, note in (notes or {}).items()
    )
    remarks = "".join(
        f'<threadedComment ref="{ref}"><text>{text}</text></threadedComment>'
        for ref, text in (threads or {}).items()
    )
    drawn = "".join(
        f"<xdr:sp><xdr:txBody>{''.join(f'<a:p><a:r><a:t>{line}</a:t></a:r></a:p>' for line in box.split(chr(10)))}"
        "</xdr:txBody></xdr:sp>"
        for box in boxes
    )
    return pack(
        {
            "_rels/.rels": relationships({"a": ("officeDocument", "xl/workbook.xml")}),
            "xl/workbook.xml": f'<workbook xmlns="{S}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
            'relationships"><sheets><sheet name="S" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relationships(
                {"r1": ("worksheet", "worksheets/sheet1.xml"), "t": ("styles", "styles.xml")}
            ),
            "xl/styles.xml": f'<styleSheet xmlns="{S}"><numFmts>{codes}</numFmts><cellXfs><xf numFmtId="0"/>{styles}'
            "</cellXfs></styleSheet>",
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{S}"><cols>{columns}</cols><sheetData>{"".join(lines)}'
            f"</sheetData><mergeCells>{merges}</mergeCells></worksheet>",
            "xl/worksheets/_rels/sheet1.xml.rels": relationships(links),
            "xl/comments1.xml": f'<comments xmlns="{S}"><commentList>{comments}</commentList></comments>',
            "xl/threads1.xml": f"<ThreadedComments>{remarks}</ThreadedComments>",
            "xl/drawing1.xml": f'<xdr:wsDr xmlns:xdr="urn:x" xmlns:a="urn:a">{drawn}</xdr:wsDr>',
        }
    )


def _cell(reference: str, cell: Cell) -> str:
    if isinstance(cell, tuple):
        return f'<c r="{reference}" s="{cell[1]}"><v>{cell[0]}</v></c>'
    if isinstance(cell, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<c r="{reference}"><v>{cell}</v></c>'


def build_epub(chapters: Mapping[str, str], *, contents: str = "", metadata: str = "", **extra: str) -> bytes:
    """Return a book: name → XHTML body; `contents` is the inside of the navigation document."""
    items = "".join(
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    members: dict[str, str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": f'<package xmlns:dc="urn:dc"><metadata>{metadata}</metadata><manifest>{items}'
        '<item id="nav" href="nav%2Fnav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>'
        f"<spine>{spine}</spine></package>",
        "OPS/nav/nav.xhtml": f"<html><body><nav>{contents}</nav></body></html>",
    }
    for name, body in chapters.items():
        members[f"OPS/{name}"] = (
            '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head>'
            f"<body>{body}</body></html>"
        )
    return pack({**members, **{name.replace("__", "/"): text for name, text in extra.items()}})
