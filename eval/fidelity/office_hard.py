# ruff: noqa: E501 (lines of markup)
"""Office files that few think of: Strict Open XML, drop capitals, deep lists, deleted rows, endnotes, broken-off parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from eval.fidelity.packing import pack
from eval.fidelity.sample import Sample
from eval.fidelity.slide_files import Slide, box, holder, pptx
from eval.fidelity.stories import BAKERY, GUIDE, POLICY, headings_of, words_of
from eval.fidelity.word_files import make_word
from eval.fidelity.word_parts import WORD_STYLES, docx, listed, para, run
from eval.fidelity.workbook_parts import Book, Cell, Number, Sheet

_STRICT = (
    (
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    ),
    (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    ),
    (
        "http://schemas.openxmlformats.org/presentationml/2006/main",
        "http://purl.oclc.org/ooxml/presentationml/main",
    ),
    ("http://schemas.openxmlformats.org/drawingml/2006/main", "http://purl.oclc.org/ooxml/drawingml/main"),
    (
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    ),
)


def make_office() -> Iterator[Sample]:
    """Yield one file for each."""
    yield from _strict()
    yield from _word()
    yield from _sheets()
    boxes = box("Agenda", 1, 2) + box("Budget 2027", 4, 2) + holder("17", "sldNum")
    flow = "".join(box(text, 9, 2 + 6 * at) for at, text in enumerate(("Apply", "Check", "Sign")))
    yield Sample(
        "pptx/powerpoint-no-title.pptx",
        pptx([Slide(boxes), Slide(holder("Flow", "title") + flow)]),
        ("Agenda", "Budget 2027", "Flow", "Apply", "Check", "Sign"),
        ("17", "Click to edit Master title style"),
    )


def _strict() -> Iterator[Sample]:
    """Files saved as Strict Open XML, whose names of spaces are others."""
    for sample in make_word():
        if sample.name in {"docx/word-bakery.docx", "docx/word-zh-policy.docx"}:
            name = sample.name.replace("docx/", "docx/strict-")
            yield Sample(
                name, _with_strict_names(sample.content), sample.must, (), sample.title, sample.headings
            )
    rows: list[list[Cell]] = [
        ["Boat", "Launched"],
        ["Svala", Number("45352", "yyyy-mm-dd")],
        ["Tern", Number("0.5", "hh:mm")],
    ]
    content = _with_strict_names(Book("excel").pack([Sheet("Boats", rows)]))
    yield Sample(
        "xlsx/strict-boats.xlsx", content, ("Boats", "Boat Launched", "Svala 2024-03-01", "Tern 12:00")
    )
    deck = pptx(
        [Slide(holder("Plan", "ctrTitle")), Slide(holder("Steps", "title") + box("Sign by May", 4, 2))]
    )
    yield Sample(
        "pptx/strict-plan.pptx",
        _with_strict_names(deck),
        ("Plan", "Steps", "Sign by May"),
        (),
        "Plan",
        ("Steps",),
    )


def _with_strict_names(content: bytes) -> bytes:
    members: dict[str, str | bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            for loose, strict in _STRICT:
                text = text.replace(loose, strict)
            members[name] = text
    return pack(members)


def _word() -> Iterator[Sample]:
    drop = (
        '<w:p><w:pPr><w:keepNext/><w:framePr w:dropCap="drop" w:lines="3" w:wrap="around" w:vAnchor="text" w:hAnchor="text"/></w:pPr>'
        f"{run('O')}</w:p>" + para(run("nce the ice is gone, the ferry runs again."))
    )
    yield Sample(
        "docx/word-dropcap.docx",
        docx(para(run("Spring"), "Heading1") + drop, WORD_STYLES),
        ("Spring", "Once the ice is gone, the ferry runs again."),
        (),
        "Spring",
    )
    deep = "".join(
        listed(run(text), 1, depth=depth)
        for text, depth in (("Deck", 0), ("Ropes", 1), ("Bow rope", 2), ("Engine", 0))
    )
    rows = (
        f"<w:tbl><w:tr><w:tc>{para(run('Part'))}</w:tc><w:tc>{para(run('Price'))}</w:tc></w:tr>"
        f'<w:tr><w:trPr><w:del w:id="3" w:author="N"/></w:trPr><w:tc><w:p><w:del w:id="4"><w:r><w:delText>Old lid</w:delText></w:r></w:del></w:p></w:tc><w:tc><w:p><w:del w:id="5"><w:r><w:delText>9</w:delText></w:r></w:del></w:p></w:tc></w:tr>'
        f"<w:tr><w:tc>{para(run('Lid'))}</w:tc><w:tc>{para(run('12'))}</w:tc></w:tr></w:tbl>"
    )
    end = (
        '<w:endnote w:id="2"><w:p><w:r><w:endnoteRef/></w:r>'
        + run(" Harbour law, section 4.")
        + "</w:p></w:endnote>"
    )
    body = (
        para(run("Inspection"), "Heading1")
        + deep
        + rows
        + para(
            '<w:smartTag w:uri="x" w:element="date">'
            + run("3 May")
            + "</w:smartTag>"
            + run(" is the last day")
            + '<w:r><w:endnoteReference w:id="2"/></w:r>'
            + run(".")
        )
        + para(
            '<w:fldSimple w:instr=" AUTHOR ">'
            + run("Ada Holm")
            + "</w:fldSimple>"
            + "<w:r><w:cr/></w:r>"
            + run("Second line")
        )
        + para('<w:customXml w:element="x">' + run("In custom markup") + "</w:customXml>")
    )
    yield Sample(
        "docx/word-inspection.docx",
        docx(body, WORD_STYLES, parts={"endnotes": end}),
        (
            "Inspection",
            "Deck",
            "Ropes",
            "Bow rope",
            "Engine",
            "Part Price",
            "Lid 12",
            "3 May is the last day",
            "Harbour law, section 4.",
            "Ada Holm",
            "Second line",
            "In custom markup",
        ),
        ("Old lid", "AUTHOR"),
        "Inspection",
        ("Inspection",),
    )
    for story in (GUIDE, POLICY, BAKERY):  # headings by letters alone: bold, larger, no style
        blocks = [para(run(story.title, '<w:b/><w:sz w:val="36"/>'))]
        for kind, *texts in story.blocks:
            look = '<w:b/><w:sz w:val="28"/>' if kind in {"h2", "h3"} else ""
            blocks += [para(run(text, look)) for text in (texts[1:] if kind == "code" else texts)]
        yield Sample(
            f"docx/plain-{story.name}.docx",
            docx("".join(blocks), {"Normal": ("Normal", "")}),
            words_of(story, title=True),
            ("w:sz",),
            "",
            headings_of(story)[:0],
        )


def _sheets() -> Iterator[Sample]:
    side: list[list[Cell]] = [
        ["Ferries", None, None, "Staff"],
        ["Name", "Seats", None, "Name", "Role"],
        ["Svala", Number("120"), None, "Berg", "master"],
        ["Tern", Number("84"), None, "Holm", "cook"],
    ]
    yield Sample(
        "xlsx/excel-side-by-side.xlsx",
        Book("excel").pack([Sheet("Both", side)]),
        (
            "Ferries",
            "Staff",
            "Name",
            "Seats",
            "Role",
            "Svala",
            "120",
            "Berg",
            "master",
            "Tern",
            "84",
            "Holm",
            "cook",
        ),
    )
    report: list[list[Cell]] = [
        ["Kiln AS – Trial balance"],
        ["as of 31 March 2026"],
        [],
        ["Account", "Debit", "Credit"],
    ]
    for at in range(1, 25):
        report.append([f"{1000 + at} Cash {at}", Number(f"{at}.5", "#,##0.00"), None])
    report.append(["Total", Number("312.5", "#,##0.00"), Number("0", "#,##0.00;-#,##0.00;–")])
    must = (
        "Kiln AS – Trial balance",
        "as of 31 March 2026",
        "Account: 1001 Cash 1",
        "Debit: 1.50",
        "Account: 1024 Cash 24",
        "Debit: 24.50",
        "Account: Total",
        "Debit: 312.50",
    )
    yield Sample("xlsx/excel-report.xlsx", Book("excel").pack([Sheet("TB", report)]), must)
    single: list[list[Cell]] = [["Remarks"], ["The pump is loud."], ["泵的声音很大。"], ["Насос шумит."]]
    yield Sample(
        "xlsx/openpyxl-one-column.xlsx",
        Book("openpyxl").pack([Sheet("S", single)]),
        ("Remarks", "The pump is loud.", "泵的声音很大。", "Насос шумит."),
    )
    pivot: list[list[Cell]] = [
        ["Row Labels", "Sum of Tons"],
        ["North", Number("12")],
        ["South", Number("30")],
        ["Grand Total", Number("42")],
    ]
    yield Sample(
        "xlsx/excel-pivot.xlsx",
        Book("excel").pack([Sheet("Pivot", pivot), Sheet("Chart data", [["x"], [Number("1")]])]),
        ("Row Labels Sum of Tons", "North 12", "South 30", "Grand Total 42"),
    )
