# ruff: noqa: E501 (lines of markup)
"""Word files for hard things: fields, changes, notes, boxes, symbols, merged and nested cells, numbered articles."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from eval.fidelity.sample import Sample
from eval.fidelity.word_parts import WORD_STYLES, docx, listed, para, run, table


def make_hard_word() -> Iterator[Sample]:
    """Yield one file for each."""
    head = para(run("Service contract 2026-114"), "Title")
    moved = '<w:rPr><w:moveFrom w:id="6" w:author="N"/></w:rPr>'
    changes = (
        para(
            run("The fee is ")
            + f'<w:del w:id="1" w:author="N"><w:r><w:delText>950</w:delText></w:r></w:del><w:ins w:id="2" w:author="N">{run("1,150")}</w:ins>'
            + run(" euros a month.")
        )
        + para(
            run("Payment is due in 14 days")
            + '<w:commentRangeStart w:id="0"/>'
            + run(" net")
            + '<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>'
            + run(".")
        )
        + para(f'<w:moveFrom w:id="7" w:author="N">{run("Moved away text")}</w:moveFrom>', properties=moved)
        + para(run("Signed in Bergen") + '<w:r><w:footnoteReference w:id="2"/></w:r>' + run(" in March."))
    )
    notes = (
        '<w:footnote w:type="separator" w:id="0"><w:p><w:r><w:separator/></w:r></w:p></w:footnote><w:footnote w:id="2"><w:p><w:r><w:footnoteRef/></w:r>'
        + run(" Before a notary.")
        + "</w:p></w:footnote>"
    )
    comments = (
        f'<w:comment w:id="0" w:author="Nils" w:initials="N">{para(run("Ask for 30 days?"))}</w:comment>'
    )
    furniture = '<w:headerReference w:type="default" r:id="rIdheader"/><w:footerReference w:type="default" r:id="rIdfooter"/>'
    yield Sample(
        "docx/word-contract.docx",
        docx(
            head + changes,
            WORD_STYLES,
            parts={
                "footnotes": notes,
                "comments": comments,
                "header": para(run("Document no. QM-204, revision F")),
                "footer": para(run("Page ") + _field("PAGE", "7") + run(" of ") + _field("NUMPAGES", "9")),
            },
            section=furniture,
        ),
        (
            "The fee is 1,150 euros a month.",
            "Payment is due in 14 days net",
            "Signed in Bergen",
            "Before a notary.",
        ),
        ("950", "Moved away text", "NUMPAGES"),
        "Service contract 2026-114",
    )
    toc = (
        '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr><w:sdtContent>'
        + para(run("Contents"), "TOCHeading")
        + para(_field('TOC \\o "1-3" \\h \\z \\u', "Scope\t1"), "TOC1")
        + "</w:sdtContent></w:sdt>"
    )
    links = (
        para(run("Scope"), "Heading1")
        + para(
            run("Write to ")
            + f'<w:hyperlink r:id="rIdmail" w:history="1">{run("the desk")}</w:hyperlink>'
            + run(" or see ")
            + _field("REF _Ref1 \\h", "Table 3")
            + run(".")
        )
        + para(_field("SEQ Table \\* ARABIC", "3") + run(" Limits of use"), "Caption")
        + para(
            run("Ends on ")
            + f"<w:sdt><w:sdtPr><w:date/></w:sdtPr><w:sdtContent>{run('31 May 2026')}</w:sdtContent></w:sdt>"
            + run(" at noon.")
        )
        + para(
            run("non")
            + "<w:r><w:noBreakHyphen/></w:r>"
            + run("stop and re")
            + "<w:r><w:softHyphen/></w:r>"
            + run("set")
        )
        + para(run("secret draft", "<w:vanish/>") + run("Open to all."))
    )
    yield Sample(
        "docx/word-fields.docx",
        docx(
            para(run("Terms of use"), "Title") + toc + links,
            WORD_STYLES,
            links={"rIdmail": "mailto:desk@kiln.example"},
        ),
        (
            "Terms of use",
            "Scope",
            "Write to the desk or see Table 3.",
            "Limits of use",
            "Ends on 31 May 2026 at noon.",
            "non-stop and reset",
            "Open to all.",
        ),
        ("TOC", "REF", "SEQ", "ARABIC", "secret draft"),
        "Terms of use",
        ("Scope",),
    )
    box = (
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><wp:docPr id="1" name="Text Box 2"/><a:graphic><a:graphicData uri="x"><wps:wsp><wps:txbx>'
        f"<w:txbxContent>{para(run('Call 112 in case of fire.'))}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape><v:textbox><w:txbxContent>{para(run('Call 112 in case of fire.'))}</w:txbxContent></v:textbox></v:shape></w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    symbols = (
        para(
            run("Tolerance ")
            + '<w:r><w:sym w:font="Symbol" w:char="F0B1"/></w:r>'
            + run("5 mm at 10")
            + run("-6", '<w:vertAlign w:val="superscript"/>')
            + run(" bar")
        )
        + para('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>' + run(" Pump tested"))
        + "<w:p><m:oMathPara><m:oMath><m:r><m:t>p=</m:t></m:r><m:f><m:num><m:r><m:t>F</m:t></m:r></m:num><m:den><m:r><m:t>A</m:t></m:r></m:den></m:f></m:oMath></m:oMathPara></w:p>"
        + para(box + run("Beside the box."))
        + para(
            f"<w:r><w:ruby><w:rt>{run('よ')}</w:rt><w:rubyBase>{run('読')}</w:rubyBase></w:ruby></w:r>{run('む')}"
        )
    )
    yield Sample(
        "docx/word-symbols.docx",
        docx(para(run("Test sheet P20"), "Heading1") + symbols, WORD_STYLES),
        ("Test sheet P20", "Tolerance ±5 mm at 10⁻⁶ bar", "Pump tested", "F/A", "Beside the box.", "読む"),
        ("10-6", "よ"),
        "Test sheet P20",
        ("Test sheet P20",),
    )
    start, on, wide = '<w:vMerge w:val="restart"/>', "<w:vMerge/>", '<w:gridSpan w:val="2"/>'
    rows = (
        _cell("Region") + _cell("Shop") + _cell("Turnover 2025"),
        _cell("North", start) + _cell("Kiel") + _cell("1,240"),
        _cell("", on) + _cell("Husum") + _cell("870"),
        _cell("Sum of both", wide) + _cell("2,110"),
    )
    merged = f"<w:tbl>{''.join(f'<w:tr>{cells}</w:tr>' for cells in rows)}</w:tbl>"
    inner = table([["inner a", "inner b"], ["1", "2"]])
    outer = _cell("Outer", more=inner + para("")) + _cell("Two", more=para(run("paragraphs")))
    yield Sample(
        "docx/word-tables.docx",
        docx(
            para(run("Turnover by shop"), "Heading1")
            + merged
            + para(run("Between the tables"))
            + f"<w:tbl><w:tr>{outer}</w:tr></w:tbl>",
            WORD_STYLES,
        ),
        (
            "Region Shop Turnover 2025",
            "North Kiel 1,240",
            "North Husum 870",
            "Sum of both",
            "2,110",
            "Between the tables",
            "Outer",
            "inner a",
            "Two",
            "paragraphs",
        ),
        (),
        "Turnover by shop",
    )
    articles = "".join(
        listed(run(text), 3)
        for text in ("甲方应于签约后五日内付款。", "乙方不得转包。", "争议由合同签订地法院管辖。")
    )
    spaced = para(run("甲　方：北方仪表有限公司")) + para(run("总　则"), "1")
    chinese = {"a": ("Normal", ""), "ae": ("Title", "a"), "1": ("heading 1", "a")}
    yield Sample(
        "docx/word-zh-contract.docx",
        docx(
            para(run("设备采购合同"), "ae")
            + spaced
            + articles
            + para(run("签订日期：二〇二六年三月一日\n地点：苏州")),
            chinese,
        ),
        (
            "设备采购合同",
            "北方仪表有限公司",
            "第一条",
            "甲方应于签约后五日内付款。",
            "第二条",
            "乙方不得转包。",
            "第三条",
            "争议由合同签订地法院管辖。",
            "签订日期：二〇二六年三月一日",
            "地点：苏州",
        ),
        (),
        "设备采购合同",
    )
    outline = para(run("Bold line that is a heading"), properties='<w:outlineLvl w:val="0"/>') + para(
        run("Text under it.")
    )
    yield Sample(
        "docx/word-outline.docx",
        docx(outline, WORD_STYLES),
        ("Bold line that is a heading", "Text under it."),
        (),
        "Bold line that is a heading",
        ("Bold line that is a heading",),
    )


def _field(code: str, shown: str) -> str:
    """A field with its code and what it last showed."""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> {escape(code)} </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(shown)}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def _cell(text: str, properties: str = "", more: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{para(run(text))}{more}</w:tc>"
