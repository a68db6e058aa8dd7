# ruff: noqa: E501 (lines of text)
"""PDF pages for one hard thing each: an invoice, slides, numbered articles, columns drawn line by line, a long table."""

from __future__ import annotations

from collections.abc import Iterator

from eval.fidelity.pdf_files import broken_lines
from eval.fidelity.pdf_writer import Line, Paper, Rule, write
from eval.fidelity.sample import Sample


def make_hard_pdf() -> Iterator[Sample]:
    """Yield one file for each."""
    yield _invoice()
    yield _slides()
    yield _contract()
    yield _columns()
    yield _long_table()


def _invoice() -> Sample:
    paper = Paper("Invoice 2026-0042", "SAP")
    for label, value, y in (("Invoice no.", "2026-0042", 780), ("Date", "01.03.2026", 766)):
        paper.draw(Line(360, y, label, 9, "bold"))
        paper.draw(Line(460, y, value, 9))
    for text, y in (("Kiln GmbH", 780), ("Hafenstr. 7", 766), ("24103 Kiel", 752)):
        paper.draw(Line(60, y, text, 9))
    rows = (
        ("Pos", "Text", "Qty", "Price"),
        ("1", "Pump P20", "2", "1.250,50 €"),
        ("2", "Seal, set of four", "10", "8,90 €"),
        ("", "Total", "", "2.590,00 €"),
    )
    for at, row in enumerate(rows):
        for x, cell in zip((60, 110, 360, 440), row, strict=True):
            paper.draw(Line(x, 690 - 18 * at, cell, 10, "bold" if at == 0 else "sans"))
    paper.draw(Rule(60, 684, 520, 684))
    must = (
        "Kiln GmbH",
        "Hafenstr. 7",
        "24103 Kiel",
        "Pos Text Qty Price",
        "1 Pump P20 2 1.250,50 €",
        "2 Seal, set of four 10 8,90 €",
        "Total 2.590,00 €",
    )
    return Sample("pdf/sap-invoice.pdf", write(paper), must, (), "Invoice 2026-0042")


def _slides() -> Sample:
    paper = Paper("", "Microsoft PowerPoint")
    slides = (
        ("Why we move", ("The lease ends in June", "Rent rises by 12 %")),
        ("Where to", ("Moss: 40 minutes by train", "Horten: by ferry")),
        ("Costs", ("Moving: 14,000 euros",)),
    )
    must: list[str] = []
    for number, (title, lines) in enumerate(slides):
        if number:
            paper.pages.append([])
        paper.draw(Line(60, 760, title, 32, "subset"))
        for at, text in enumerate(lines):
            paper.draw(Line(80, 690 - 40 * at, f"• {text}", 20, "subset"))
        paper.draw(Line(540, 30, str(number + 1), 10, "subset"))
        must += [title, *lines]
    return Sample(
        "pdf/powerpoint-move.pdf",
        write(paper),
        tuple(must),
        (),
        "Why we move",
        tuple(title for title, _ in slides),
    )


def _contract() -> Sample:
    paper = Paper("", "Microsoft Word 2019")
    paper.draw(Line(220, 770, "房屋租赁合同", 22, "subset"))
    texts = (
        "第一条 租赁期自2026年5月1日起至2027年4月30日止。",
        "第二条 月租金为人民币三千六百元，每季度首月五日前支付。",
        "第三条 未经出租方书面同意，承租方不得转租。",
    )
    for at, text in enumerate(texts):
        paper.draw(Line(72, 720 - 26 * at, text, 12, "subset"))
    return Sample("pdf/word-lease.pdf", write(paper), ("房屋租赁合同", *texts), (), "房屋租赁合同")


def _columns() -> Sample:
    """Two columns, drawn line by line over all of them, as some programs do."""
    paper = Paper("", "QuarkXPress")
    columns = (
        "The ferry to Moss was late on Monday since thick ice had closed the sound in the night. Nobody was hurt, and the "
        "harbour master opened the old hall for all who had to wait until the morning came.",
        "Boats run again from Tuesday noon, as the company says in a letter to its guests. Whoever has a ticket for Monday "
        "may use it until the end of May, and gets four euros back at the counter by the gate.",
    )
    broken = [list(broken_lines(text, 225, 11, "sans", hyphens=False)) for text in columns]
    paper.draw(Line(60, 780, "Ice closes the sound", 26, "bold"))
    for row in range(max(map(len, broken))):
        for at, lines in enumerate(broken):
            if row < len(lines):
                paper.draw(Line(60 + 250 * at, 720 - 14 * row, lines[row], 11))
    must = ("Ice closes the sound", *columns)
    return Sample("pdf/press-columns.pdf", write(paper), must, (), "Ice closes the sound")


def _long_table() -> Sample:
    paper = Paper("", "LibreOffice 24.2")
    for page in range(2):
        if page:
            paper.pages.append([])
        names = [
            ("Berth", "Boat", "Length"),
            *((f"B{20 * page + at:02d}", f"Boat {20 * page + at}", f"{8 + at}.5 m") for at in range(1, 21)),
        ]
        for at, row in enumerate(names):
            for column, cell in enumerate(row):
                paper.draw(Line(72 + 140 * column, 760 - 18 * at, cell, 10, "subset"))
        for at in range(len(names) + 1):
            paper.draw(Rule(68, 772 - 18 * at, 490, 772 - 18 * at))
        for column in range(4):
            paper.draw(Rule(68 + 140.6 * column, 772, 68 + 140.6 * column, 772 - 18 * len(names)))
        paper.draw(Line(280, 30, f"Page {page + 1} of 2", 8, "subset"))
    must = (
        "Berth: B01",
        "Boat 1",
        "9.5 m",
        "Boat 20",
        "28.5 m",
        "Berth: B21",
        "Boat 21",
        "9.5 m",
        "Boat 40",
        "28.5 m",
    )
    return Sample("pdf/libreoffice-berths.pdf", write(paper), must)
