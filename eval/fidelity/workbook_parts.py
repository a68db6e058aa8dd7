# ruff: noqa: E501 (lines of markup)
"""Workbooks as three programs pack them: Excel (shared strings, themes, tables), openpyxl and LibreOffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from eval.fidelity.packing import app, core, pack, relations, types, xml

S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_NAMES = f'xmlns="{S}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_KIND = "spreadsheetml."
Writer = Literal["excel", "openpyxl", "libreoffice"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as the file holds it, and the code of its format."""

    value: str
    code: str = "General"


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula with what it last showed: a number in its format, else text."""

    code: str
    shown: Number | str


@dataclass(frozen=True, slots=True)
class Raw:
    """A cell's own markup: `kind` is its type, `inside` its children."""

    kind: str
    inside: str


Cell = Number | Formula | Raw | str | bool | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet. `notes`: reference → text; `hidden`: numbers of rows; `boxes`: texts of shapes."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: tuple[str, ...] = ()
    hidden: tuple[int, ...] = ()
    columns: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    threads: Mapping[str, str] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()
    table: str = ""  # the area of a table in the sense of Excel
    state: str = "visible"


_BUILT_IN = {
    "General": 0,
    "0": 1,
    "0.00": 2,
    "#,##0": 3,
    "#,##0.00": 4,
    "0%": 9,
    "0.00%": 10,
    "0.00E+00": 11,
    "# ?/?": 12,
    "h:mm": 20,
    "@": 49,
}


class Book:
    """Collects the strings and styles of a workbook while its sheets are written."""

    def __init__(self, writer: Writer, *, from_1904: bool = False) -> None:
        self._writer = writer
        self._from_1904 = from_1904
        self._strings: dict[str, int] = {}
        self._codes: dict[str, int] = {"General": 0}  # → index of its style

    def pack(self, sheets: Sequence[Sheet], *, title: str = "") -> bytes:
        """Return the file."""
        members: dict[str, str | bytes] = {}
        kinds = {"xl/workbook.xml": f"{_KIND}sheet.main", "xl/styles.xml": f"{_KIND}styles"}
        for number, sheet in enumerate(sheets, start=1):
            members |= self._sheet(sheet, number)
            kinds[f"xl/worksheets/sheet{number}.xml"] = f"{_KIND}worksheet"
        links = {
            f"rId{number}": ("worksheet", f"worksheets/sheet{number}.xml")
            for number in range(1, len(sheets) + 1)
        }
        links["rId90"] = ("styles", "styles.xml")
        if self._strings:
            links["rId91"] = ("sharedStrings", "sharedStrings.xml")
            items = "".join(f"<si>{string}</si>" for string in self._strings)
            members["xl/sharedStrings.xml"] = xml(
                f'<sst xmlns="{S}" count="{len(self._strings)}" uniqueCount="{len(self._strings)}">{items}</sst>'
            )
            kinds["xl/sharedStrings.xml"] = f"{_KIND}sharedStrings"
        listed = "".join(
            f'<sheet name="{escape(sheet.name)}" sheetId="{number}" state="{sheet.state}" r:id="rId{number}"/>'
            for number, sheet in enumerate(sheets, start=1)
        )
        dates = '<workbookPr date1904="1"/>' if self._from_1904 else "<workbookPr/>"
        program = {
            "excel": "Microsoft Excel",
            "openpyxl": "Microsoft Excel Compatible / Openpyxl 3.1.5",
            "libreoffice": "LibreOffice/24.2",
        }
        return pack(
            {
                "[Content_Types].xml": types(kinds),
                "_rels/.rels": relations(
                    {
                        "rId1": ("officeDocument", "xl/workbook.xml"),
                        "rId2": (
                            "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                            "docProps/core.xml",
                        ),
                    }
                ),
                "docProps/core.xml": core(title),
                "docProps/app.xml": app(program[self._writer]),
                "xl/workbook.xml": xml(
                    f'<workbook {_NAMES}>{dates}<bookViews><workbookView/></bookViews><sheets>{listed}</sheets><calcPr calcId="191029"/></workbook>'
                ),
                "xl/_rels/workbook.xml.rels": relations(links),
                "xl/styles.xml": self._styles(),
                **members,
            }
        )

    def _styles(self) -> str:
        own = {
            code: 164 + at for at, code in enumerate(code for code in self._codes if code not in _BUILT_IN)
        }
        formats = "".join(
            f'<numFmt numFmtId="{number}" formatCode="{escape(code)}"/>' for code, number in own.items()
        )
        cells = "".join(
            f'<xf numFmtId="{_BUILT_IN.get(code, own.get(code, 0))}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
            for code in self._codes
        )
        return xml(
            f'<styleSheet xmlns="{S}"><numFmts count="{len(own)}">{formats}</numFmts><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
            f'<cellStyleXfs count="1"><xf numFmtId="0"/></cellStyleXfs><cellXfs count="{len(self._codes)}">{cells}</cellXfs></styleSheet>'
        )

    def _sheet(self, sheet: Sheet, number: int) -> dict[str, str]:
        lines = []
        for at, row in enumerate(sheet.rows, start=1):
            cells = "".join(
                self._cell(f"{chr(65 + column)}{at}", cell)
                for column, cell in enumerate(row)
                if cell is not None
            )
            hidden = ' hidden="1"' if at in sheet.hidden else ""
            spans = f' spans="1:{len(row)}"' if self._writer == "excel" else ""
            lines.append(f'<row r="{at}"{spans}{hidden}>{cells}</row>')
        merged = "".join(f'<mergeCell ref="{area}"/>' for area in sheet.merged)
        merged = f'<mergeCells count="{len(sheet.merged)}">{merged}</mergeCells>' if merged else ""
        columns = f"<cols>{sheet.columns}</cols>" if sheet.columns else ""
        more, links = _attached(sheet, number)
        width = max((len(row) for row in sheet.rows), default=1)
        part = (
            f'<worksheet {_NAMES}><sheetPr/><dimension ref="A1:{chr(64 + width)}{len(sheet.rows)}"/><sheetViews><sheetView workbookViewId="0"/></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/>{columns}<sheetData>{"".join(lines)}</sheetData>{merged}<pageMargins left="0.7"/></worksheet>'
        )
        members = {f"xl/worksheets/sheet{number}.xml": xml(part), **more}
        if links:
            members[f"xl/worksheets/_rels/sheet{number}.xml.rels"] = relations(links)
        return members

    def _cell(self, reference: str, cell: Cell) -> str:
        if isinstance(cell, bool):
            return f'<c r="{reference}" t="b"><v>{int(cell)}</v></c>'
        if isinstance(cell, str):
            return self._text(reference, cell)
        if isinstance(cell, Number):
            return f'<c r="{reference}" s="{self._style(cell.code)}"><v>{cell.value}</v></c>'
        if isinstance(cell, Formula):
            code = escape(cell.code)
            if isinstance(cell.shown, str):
                return f'<c r="{reference}" t="str"><f>{code}</f><v>{escape(cell.shown)}</v></c>'
            return f'<c r="{reference}" s="{self._style(cell.shown.code)}"><f aca="false">{code}</f><v>{cell.shown.value}</v></c>'
        return f'<c r="{reference}" t="{cell.kind}">{cell.inside}</c>' if cell else ""

    def _style(self, code: str) -> int:
        return self._codes.setdefault(code, len(self._codes))

    def _text(self, reference: str, text: str) -> str:
        string = text if text.startswith("<") else f'<t xml:space="preserve">{escape(text, quote=False)}</t>'
        if self._writer == "openpyxl" and not text.startswith("<"):
            return f'<c r="{reference}" t="inlineStr"><is>{string}</is></c>'
        index = self._strings.setdefault(string, len(self._strings))
        return f'<c r="{reference}" t="s"><v>{index}</v></c>'


def _attached(sheet: Sheet, number: int) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Parts that a sheet refers to: notes, threads, shapes, a table."""
    members: dict[str, str] = {}
    links: dict[str, tuple[str, str]] = {}
    if sheet.notes or sheet.threads:
        told = "[Threaded comment]\n\nYour version of Excel allows you to read this threaded comment; however, any edits to it will get removed.\n\nComment:\n    "
        notes = dict(sheet.notes) | {ref: told + text for ref, text in sheet.threads.items()}
        inner = "".join(
            f'<comment ref="{ref}" authorId="0"><text><r><rPr><b/></rPr><t xml:space="preserve">{escape(text, quote=False)}</t></r></text></comment>'
            for ref, text in notes.items()
        )
        members[f"xl/comments{number}.xml"] = xml(
            f'<comments xmlns="{S}"><authors><author>Ada</author></authors><commentList>{inner}</commentList></comments>'
        )
        links["rId1"] = ("comments", f"../comments{number}.xml")
    if sheet.threads:
        inner = "".join(
            f'<threadedComment ref="{ref}" id="{{1}}"><text>{escape(text, quote=False)}</text></threadedComment>'
            for ref, text in sheet.threads.items()
        )
        space = "http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments"
        members[f"xl/threadedComments/threadedComment{number}.xml"] = xml(
            f'<ThreadedComments xmlns="{space}">{inner}</ThreadedComments>'
        )
        links["rId2"] = (
            "http://schemas.microsoft.com/office/2017/10/relationships/threadedComment",
            f"../threadedComments/threadedComment{number}.xml",
        )
    if sheet.boxes:
        shapes = "".join(
            f'<xdr:twoCellAnchor><xdr:sp><xdr:nvSpPr><xdr:cNvPr id="2" name="TextBox 1"/></xdr:nvSpPr><xdr:txBody><a:bodyPr/><a:p><a:r><a:t>{escape(box)}</a:t></a:r></a:p></xdr:txBody>'
            "</xdr:sp></xdr:twoCellAnchor>"
            for box in sheet.boxes
        )
        members[f"xl/drawings/drawing{number}.xml"] = xml(
            '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
            f"{shapes}</xdr:wsDr>"
        )
        links["rId3"] = ("drawing", f"../drawings/drawing{number}.xml")
    if sheet.table:
        members[f"xl/tables/table{number}.xml"] = xml(
            f'<table xmlns="{S}" id="1" name="Table1" displayName="Table1" ref="{sheet.table}"/>'
        )
        links["rId4"] = ("table", f"../tables/table{number}.xml")
    return members, links
