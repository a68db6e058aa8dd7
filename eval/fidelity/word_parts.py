# ruff: noqa: E501 (lines of markup)
"""Parts of a Word file: names of its parts, styles, lists, and how the words of a paragraph are cut into runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from eval.fidelity.packing import app, core, pack, relations, types, xml

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SPACES = (
    f'xmlns:w="{W}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" xmlns:v="urn:schemas-microsoft-com:vml" mc:Ignorable="w14"'
)
_KIND = "wordprocessingml."
WORD_STYLES = {
    "Normal": ("Normal", ""),
    "Title": ("Title", "Normal"),
    "Heading1": ("heading 1", "Normal"),
    "Heading2": ("heading 2", "Normal"),
    "ListParagraph": ("List Paragraph", "Normal"),
    "HTMLPreformatted": ("HTML Preformatted", "Normal"),
    "TOC1": ("toc 1", "Normal"),
    "TOCHeading": ("TOC Heading", "Heading1"),
    "IntenseQuote": ("Intense Quote", "Normal"),
    "Caption": ("caption", "Normal"),
}


def run(text: str, properties: str = "") -> str:
    """A run; a tab and a line break are elements of their own."""
    inside = escape(text, quote=False).replace("\t", '</w:t><w:tab/><w:t xml:space="preserve">')
    inside = inside.replace("\n", '</w:t><w:br/><w:t xml:space="preserve">')
    told = f"<w:rPr>{properties}</w:rPr>" if properties else ""
    return f'<w:r>{told}<w:t xml:space="preserve">{inside}</w:t></w:r>'


def cut_runs(text: str) -> str:
    """The words as Word leaves them after editing: runs that end anywhere, marks of the spelling checker between."""
    third = max(1, len(text) // 3)
    pieces = [text[:third], text[third : 2 * third], text[2 * third :]]
    marks = ('<w:proofErr w:type="spellStart"/>', '<w:proofErr w:type="spellEnd"/>', "")
    return "".join(
        f'<w:r w:rsidR="00A4512{at}" w:rsidRPr="00B1{at}"><w:rPr><w:lang w:val="en-GB"/></w:rPr><w:t xml:space="preserve">'
        f"{escape(piece, quote=False)}</w:t></w:r>{mark}"
        for at, (piece, mark) in enumerate(zip(pieces, marks, strict=True))
        if piece
    )


def para(inside: str, style: str = "", properties: str = "") -> str:
    """A paragraph of runs."""
    told = (f'<w:pStyle w:val="{style}"/>' if style else "") + properties
    return f"<w:p>{f'<w:pPr>{told}</w:pPr>' if told else ''}{inside}</w:p>"


def listed(inside: str, number: int, style: str = "", depth: int = 0) -> str:
    """A paragraph of a list."""
    return para(inside, style, f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>')


def table(rows: Sequence[Sequence[str]], style: str = "TableGrid") -> str:
    """A table of plain cells with a head that repeats on each page."""
    width = max(map(len, rows))
    grid = '<w:gridCol w:w="3000"/>' * width
    lines = []
    for at, row in enumerate(rows):
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="3000" w:type="dxa"/></w:tcPr>{para(run(cell))}</w:tc>' for cell in row
        )
        head = "<w:trPr><w:tblHeader/></w:trPr>" if at == 0 else ""
        lines.append(f"<w:tr>{head}{cells}</w:tr>")
    return f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="0" w:type="auto"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(lines)}</w:tbl>'


def styles(names: Mapping[str, tuple[str, str]]) -> str:
    """word/styles.xml: style id → (name, the id it is based on)."""
    inner = ""
    for key, (name, base) in names.items():
        based = f'<w:basedOn w:val="{base}"/>' if base else ""
        inner += f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{based}</w:style>'
    return xml(f'<w:styles xmlns:w="{W}"><w:docDefaults><w:rPrDefault/></w:docDefaults>{inner}</w:styles>')


def numbering() -> str:
    """word/numbering.xml: list 1 has points, list 2 numbers, list 3 "第%1条"."""
    kinds = (("bullet", "\uf0b7"), ("decimal", "%1."), ("chineseCountingThousand", "第%1条"))
    lists = "".join(
        f'<w:abstractNum w:abstractNumId="{at}"><w:multiLevelType w:val="hybridMultilevel"/><w:lvl w:ilvl="0"><w:start w:val="1"/>'
        f'<w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/></w:lvl></w:abstractNum>'
        for at, (kind, text) in enumerate(kinds)
    )
    numbers = "".join(f'<w:num w:numId="{at + 1}"><w:abstractNumId w:val="{at}"/></w:num>' for at in range(3))
    return xml(f'<w:numbering xmlns:w="{W}">{lists}{numbers}</w:numbering>')


def docx(
    body: str,
    styled: Mapping[str, tuple[str, str]],
    *,
    title: str = "",
    program: str = "Microsoft Office Word",
    parts: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    section: str = "",
) -> bytes:
    """A file. `parts`: kind ("header", "footnotes", "comments", …) → the inside of its root; `links`: id → address;
    `section`: the inside of its last section's properties."""
    roots = {"header": "hdr", "footer": "ftr"}
    more = {
        kind: xml(f"<w:{roots.get(kind, kind)} {SPACES}>{inside}</w:{roots.get(kind, kind)}>")
        for kind, inside in (parts or {}).items()
    }
    files = {"styles": styles(styled), "numbering": numbering(), **more}
    targets = {f"rId{kind}": (kind, f"{kind}.xml") for kind in files}
    targets |= {key: ("hyperlink", address) for key, address in (links or {}).items()}
    size = '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:left="1800"/>'
    document = (
        f"<w:document {SPACES}><w:body>{body}<w:sectPr>{section}{size}</w:sectPr></w:body></w:document>"
    )
    return pack(
        {
            "[Content_Types].xml": types(
                {"word/document.xml": f"{_KIND}document.main"}
                | {f"word/{kind}.xml": _KIND + kind for kind in files}
            ),
            "_rels/.rels": relations(
                {
                    "rId1": ("officeDocument", "word/document.xml"),
                    "rId2": (
                        "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                        "docProps/core.xml",
                    ),
                    "rId3": ("extended-properties", "docProps/app.xml"),
                }
            ),
            "word/document.xml": xml(document),
            "word/_rels/document.xml.rels": relations(targets),
            **{f"word/{kind}.xml": content for kind, content in files.items()},
            "docProps/core.xml": core(title),
            "docProps/app.xml": app(program),
        }
    )
