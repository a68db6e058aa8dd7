"""What a page of Word shows beside its paragraphs: headers, comments, symbols, formulas, fields, forms, numbers."""

from __future__ import annotations

import pytest

from app.domain import Document
from ingest.parsers import docx, parse
from ingest.parsers.formulas import formula_text
from tests.office import C, M, W, build_docx, core, paragraph, part, word_table

SYM = '<w:r><w:sym w:font="{}" w:char="{}"/></w:r>'


def word(body: str, **more: object) -> Document:
    return parse(build_docx(body, **more), docx.MEDIA_TYPE, "d/a.docx")  # type: ignore[arg-type]


def run(text: str, look: str = "") -> str:
    return f'<w:r><w:rPr>{look}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def align(text: str, how: str) -> str:
    return run(text, f'<w:vertAlign w:val="{how}"/>')


def field(instruction: str, result: str) -> str:
    shown = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(result)}' if result else ""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> {instruction} </w:instrText></w:r>{shown}'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def section(*references: str, first: bool = False) -> str:
    return f"<w:sectPr>{''.join(references)}{'<w:titlePg/>' if first else ''}</w:sectPr>"


def header(key: str, kind: str = "default", *, name: str = "header") -> str:
    return f'<w:{name}Reference w:type="{kind}" r:id="{key}"/>'


# Headers and footers


def test_headers_and_footers_stand_once_before_the_body() -> None:
    """F-1116: the number, the revision and who approved it were lost and not counted."""
    page = run("Page ") + field("PAGE", "1") + run(" of ") + field("NUMPAGES", "9")
    control = word_table([["QM-204", "Revision F", paragraph(page)]])
    body = (
        f"<w:p><w:pPr>{section(header('h1'), header('f1', name='footer'))}</w:pPr>{run('First.')}</w:p>"
        + paragraph("Second.")
        + section(header("h2"), header("h3", "first"), header("h4", "even"), header("f1", name="footer"))
    )
    linked = {
        "f1": ("footer", part(paragraph("Approved by: Martha Lindqvist") + paragraph(page))),
        "h1": ("header", part(control + paragraph("Heading style", "1"))),
        "h2": ("header", part(control + paragraph("批准人：王芳"))),
        "h3": ("header", part(paragraph("not shown"))),
        "h4": ("header", part(paragraph("nor this"))),
    }
    document = word(body, linked=linked)
    assert document.text == (
        "| QM-204 | Revision F |\n| --- | --- |\n\nHeading style\n\n批准人：王芳\n\n"
        "Approved by: Martha Lindqvist\n\nFirst.\n\nSecond."
    )
    assert document.title == "a"
    assert document.sections == ()
    assert document.dropped["hidden"] == len("not shown" + "nor this")
    assert document.dropped["page_furniture"] > 0


def test_headers_of_first_and_even_pages_count_where_there_are_such() -> None:
    """F-1116."""
    body = paragraph("x") + section(header("h1", "first"), header("h2", "even"), first=True)
    linked = {key: ("header", part(paragraph(key))) for key in ("h1", "h2")}
    settings = part("<w:evenAndOddHeaders/>", "w:settings")
    assert word(body, linked=linked, settings=settings).text == "h1\n\nh2\n\nx"
    # A section without a header of its own has that of the section before.
    before = f"<w:p><w:pPr>{section(header('h1', 'first'))}</w:pPr></w:p>"
    assert word(before + paragraph("x") + section(first=True), linked=linked).text == "h1\n\nx"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Page {} of {}", ""),
        ("- {} -", ""),
        ("第{}页 共{}页", ""),
        ("质量手册 第 {} 页，共 {} 页", "质量手册"),
        ("QM-204\tRev. F, page {}/{}", "QM-204 Rev. F,"),
        ("Seite {} von {}", ""),
        ("Step {}", "Step"),
    ],
)
def test_page_numbers_go_with_their_words(line: str, kept: str) -> None:
    """F-1116: a text without pages has no page numbers, but all that stands beside them."""
    pieces = line.split("{}")
    runs = run(pieces[0]) + "".join(
        field(("PAGE", "NUMPAGES")[at], "7") + run(rest) for at, rest in enumerate(pieces[1:])
    )
    text = word(paragraph("x") + section(header("h")), linked={"h": ("header", part(paragraph(runs)))}).text
    assert text == f"{kept}\n\nx".lstrip()


def test_a_word_across_the_page_is_read() -> None:
    """F-1116: a watermark says that it is a draft."""
    drawn = '<w:r><w:pict><v:shape xmlns:v="urn:v"><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'
    assert word(
        paragraph("x") + section(header("h")), linked={"h": ("header", part(paragraph(drawn)))}
    ).text == ("DRAFT\n\nx")


# Comments, notes, changes


def comments(*texts: tuple[str, str]) -> str:
    return "".join(
        f'<w:comment w:id="{at}" w:author="{author}">{paragraph(text)}</w:comment>'
        for at, (author, text) in enumerate(texts)
    )


def refer(at: int) -> str:
    return f'<w:r><w:commentReference w:id="{at}"/></w:r>'


def test_comments_follow_what_they_are_about() -> None:
    """F-1116: comments were lost and not counted."""
    body = paragraph(run("The deposit.") + refer(0)) + word_table(
        [["a", paragraph(run("b") + refer(1))], ["c", "d"]]
    )
    remarks = comments(("Counsel", "A cap of 4,000."), ("王芳", "待确认"), ("", "refers to nothing"))
    document = word(body, comments=part(remarks, "w:comments"))
    assert document.text == (
        "The deposit.\n\n> Comment by Counsel: A cap of 4,000.\n\n| a | b |\n| --- | --- |\n| c | d |\n\n"
        "> 批注（王芳）：“b”：待确认"
    )
    assert document.dropped == {"comment": len("refers to nothing")}


def test_deleted_text_is_counted_and_moved_text_stands_once() -> None:
    """F-1116: what is deleted goes, and says so."""
    row = word_table([["x", "gone"]]).replace("<w:tr>", "<w:tr><w:trPr><w:del/></w:trPr>", 1)
    body = (
        paragraph(
            f"{run('Rent ')}<w:del><w:r><w:delText>900</w:delText></w:r></w:del><w:ins>{run('1,150')}</w:ins>"
        )
        + paragraph(f"<w:moveFrom>{run('Pets.')}</w:moveFrom>")
        + paragraph(f"<w:moveTo>{run('Pets.')}</w:moveTo>")
        + row
    )
    document = word(body)
    assert document.text == "Rent 1,150\n\nPets."
    assert document.dropped == {"hidden": len("900" + "x" + "gone")}


def test_text_hidden_by_a_style_is_hidden() -> None:
    """F-1116: hidden text is no text, whatever hides it."""
    styles = (
        f'<w:styles xmlns:w="{W}"><w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="U"><w:rPr><w:vertAlign w:val="superscript"/></w:rPr></w:style></w:styles>'
    )
    body = paragraph(
        run("a") + run("b", '<w:rStyle w:val="H"/>') + run("2", '<w:rStyle w:val="U"/>')
    ) + paragraph("c", "H")
    document = word(body, styles=styles)
    assert document.text == "a²"
    assert document.dropped == {"hidden": 2}


def test_notes_in_notes_end() -> None:
    """F-1116: notes that nothing refers to are on no page."""
    notes = "".join(
        f'<w:footnote w:id="{at}">{paragraph(f"""{run(str(at))}<w:r><w:footnoteReference w:id="{at + 1}"/></w:r>""")}'
        "</w:footnote>"
        for at in range(3000)
    )
    document = word(
        paragraph('<w:r><w:t>x</w:t><w:footnoteReference w:id="2000"/></w:r>'),
        footnotes=part(notes, "w:footnotes"),
    )
    assert document.text.startswith("x[^1]\n\n[^1]: 2000[^2]\n\n[^2]: 2001[^3]")
    assert document.text.endswith("[^1000]: 2999")
    assert document.dropped == {"hidden": sum(len(str(at)) for at in range(2000))}


# Symbols, raised numbers, formulas


def test_symbols_are_the_signs_that_they_show() -> None:
    """F-1117: "±5 mm" was stored as "5 mm", a checked box vanished."""
    body = paragraph(
        SYM.format("Wingdings", "F0FE")
        + run(" by rail, ")
        + SYM.format("Symbol", "F0B1")
        + run("5 ")
        + run("\uf06dm", '<w:rFonts w:ascii="Symbol"/>')
        + SYM.format("Wingdings", "F0E0")
        + SYM.format("Segoe UI Symbol", "2612")
        + SYM.format("Wingdings", "00A8")
        + SYM.format("Nobody's Font", "F041")
        + SYM.format("Symbol", "zz")
    )
    document = word(body)
    assert document.text == "☑ by rail, ±5 μμ→☒☐"
    assert document.dropped == {"drawing": 1}


def test_raised_and_lowered_numbers_are_not_digits_of_the_line() -> None:
    """F-1117: 10⁻⁶ was "10-6"."""
    body = paragraph(
        run("10") + align("-", "superscript") + align("6", "superscript") + run(" m") + align("2", "superscript")
        + run(", H") + align("2", "subscript") + run("O at 25") + align("o", "superscript") + run("C, the 1")
        + align("st", "superscript") + run(" I") + align("max", "subscript")
    )  # fmt: skip
    assert word(body).text == "10⁻⁶ m², H₂O at 25°C, the 1st Imax"


def math(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def script(kind: str, base: str, **parts: str) -> str:
    inside = "".join(f"<m:{name}>{found}</m:{name}>" for name, found in parts.items())
    return f"<m:{kind}><m:e>{base}</m:e>{inside}</m:{kind}>"


def fraction(upper: str, lower: str) -> str:
    return f"<m:f><m:num>{upper}</m:num><m:den>{lower}</m:den></m:f>"


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (fraction(math("F"), math("2A")) + script("sSup", math("x"), sup=math("2")), "F/(2A)·x²"),
        (fraction(math("a+b"), math("c")), "(a+b)/c"),
        (math("1") + fraction(math("1"), math("2")), "1 1/2"),
        (math("y=") + fraction(math("1"), math("2")) + math("x"), "y=1/2·x"),
        (script("sSup", math("e"), sup=math("-x")), "e^(-x)"),
        (script("sSup", math("a+b"), sup=math("n")), "(a+b)ⁿ"),
        (script("sSub", math("v"), sub=math("max")), "v_max"),
        (script("sSubSup", math("x"), sub=math("1"), sup=math("2")), "x₁²"),
        (f"<m:rad><m:radPr><m:degHide/></m:radPr><m:deg/><m:e>{math('x+1')}</m:e></m:rad>", "√(x+1)"),
        (f"<m:rad><m:deg>{math('3')}</m:deg><m:e>{math('x')}</m:e></m:rad>", "∛x"),
        (
            '<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>' + math("i=1") + f"</m:sub><m:sup>{math('n')}"
            f"</m:sup><m:e>{script('sSub', math('x'), sub=math('i'))}</m:e></m:nary>",
            "∑_(i=1)^n x_i",
        ),
        (f"<m:func><m:fName>{math('sin')}</m:fName><m:e>{math('x')}</m:e></m:func>", "sin x"),
        (f"<m:d><m:e>{math('a')}</m:e><m:e>{math('b')}</m:e></m:d>", "(a|b)"),
        (f"<m:acc><m:e>{math('x')}</m:e></m:acc>", "x\u0302"),
        (
            f"<m:m><m:mr><m:e>{math('1')}</m:e><m:e>{math('0')}</m:e></m:mr><m:mr><m:e>{math('2')}</m:e></m:mr></m:m>",
            "1, 0; 2",
        ),
        (math("𝑚𝑐"), "mc"),
        ("<m:e>" * 150 + math("deep") + "</m:e>" * 150, "deep"),
    ],
)  # fmt: skip
def test_formulas_can_be_read(formula: str, shown: str) -> None:
    """F-1117: F/(2A)·x² was "F2Ax2"."""
    assert word(paragraph(run("f: ") + f"<m:oMath>{formula}</m:oMath>")).text == f"f: {shown}"


def test_formulas_of_a_group_have_a_line_each() -> None:
    """F-1117."""
    from lxml import etree  # type: ignore[import-untyped]

    group = f'<m:oMathPara xmlns:m="{M}"><m:oMath>{math("a")}</m:oMath><m:oMath>{math("b")}</m:oMath></m:oMathPara>'
    assert formula_text(etree.fromstring(group)) == "a\vb"


# Fields, forms, pictures


def test_fields_show_their_results_and_forms_their_values() -> None:
    """F-1117: the values of a form are text; numbers of pages are not."""
    box = (
        '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:default w:val="1"/>{}</w:checkBox></w:ffData>'
        "</w:fldChar></w:r><w:r><w:instrText>FORMCHECKBOX</w:instrText></w:r>"
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    choice = (
        '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="sea"/>'
        '<w:listEntry w:val="rail"/></w:ddList></w:ffData></w:fldChar></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    control = (
        '<w:sdt><w:sdtPr><w14:checkbox xmlns:w14="urn:w14"><w14:checked w14:val="0"/></w14:checkbox></w:sdtPr>'
        f"<w:sdtContent>{run('☒')}</w:sdtContent></w:sdt>"
    )
    lines = [
        run("See ") + field("REF _Ref1 \\h", "Table 3") + run(" on page ") + field("PAGEREF _Ref1", "7"),
        run("Scope") + "<w:r><w:tab/></w:r>" + field("PAGEREF _Toc1", "12"),
        run("Printed on ") + f'<w:fldSimple w:instr=" DATE ">{run("12 May 2025")}</w:fldSimple>',
        box.format("") + box.format('<w:checked w:val="0"/>') + control + choice,
        field('IF "x" = "y" "secret"', "shown")
        + field("EQ \\f(1,2)", "")
        + field('SYMBOL 176 \\f "Symbol"', ""),
        field("EQ \\o\\ac(○,12)", "") + field("NUMPAGES", "30") + run(" pages"),
    ]
    document = word("".join(map(paragraph, lines)))
    assert document.text.split("\n\n") == [
        "See Table 3 on page 7",
        "Scope",
        "Printed on 12 May 2025",
        "☑☐☐rail",
        "shown1/2°",
        "⑫30 pages",
    ]


def picture(descr: str, more: str = "") -> str:
    return f'<w:r><w:drawing><wp:docPr xmlns:wp="urn:wp" id="1" name="x" descr="{descr}"/>{more}</w:drawing></w:r>'


def test_pictures_have_their_alternative_text() -> None:
    """Issue 10: alternative texts are text, and say what they are; names of files are none."""
    again = '<pic:cNvPr xmlns:pic="urn:pic" id="0" name="x" descr="Section of the pump"/>'
    body = paragraph(picture("Section of the pump", again)) + paragraph(
        picture("C:\\a\\photo.png") + picture("泵的剖面图")
    )
    body += paragraph(picture("A cat. Description automatically generated"))
    assert word(body).text == "[Picture: Section of the pump]\n\n[图片：泵的剖面图]\n\n[Picture: A cat]"


def test_charts_are_read_with_their_numbers_as_shown() -> None:
    """Issue 10: what a chart says is text."""
    points = '<c:pt idx="0"><c:v>0.25</c:v></c:pt><c:pt idx="1"><c:v>0.5</c:v></c:pt>'
    chart = part(
        "<c:chart><c:title><a:p><a:r><a:t>Scrap</a:t></a:r></a:p></c:title><c:plotArea><c:ser><c:tx><c:v/>"
        "<c:pt idx='0'><c:v>Kiel</c:v></c:pt></c:tx><c:cat><c:pt idx='0'><c:v>2023</c:v></c:pt>"
        "<c:pt idx='1'><c:v>2024</c:v></c:pt>"
        f"</c:cat><c:val><c:formatCode>0%</c:formatCode>{points}</c:val></c:ser><c:valAx><c:title><a:p><a:r><a:t>Share"
        "</a:t></a:r></a:p></c:title></c:valAx></c:plotArea></c:chart>",
        "c:chartSpace",
    )
    drawing = f'<w:r><w:drawing><c:chart xmlns:c="{C}" r:id="k"/></w:drawing></w:r>'
    document = word(paragraph(run("See:") + drawing), linked={"k": ("chart", chart)})
    assert document.text == "See:\n\n- Scrap\n- Share\n- Kiel: 2023 25%, 2024 50%"


def test_what_is_referred_to_often_is_read_once() -> None:
    """F-1116: a small file that refers to a part a thousand times does not unfold; nor do long EQ fields take long."""
    chart = part(f"<c:ser><c:tx><c:pt><c:v>{'x' * 1000}</c:v></c:pt></c:tx></c:ser>", "c:chartSpace")
    drawing = '<w:r><w:drawing><c:chart r:id="k"/></w:drawing></w:r>'
    again = f"<w:p><w:pPr>{section(header('h'))}</w:pPr>{drawing}{refer(0)}</w:p>"
    document = word(
        again * 1000 + paragraph(run("e") + field("EQ " + "\\s\\up1" * 50_000 + "(", "")),
        linked={"k": ("chart", chart), "h": ("header", part(paragraph("line")))},
        comments=part(comments(("A", "once")), "w:comments"),
    )
    assert document.text == f"line\n\n> Comment by A: once\n\n- {'x' * 1000}\n\ne"


# Numbers and headings


def level(at: int, number_format: str, text: str, more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{number_format}"/>{more}<w:lvlText w:val="{text}"/>'
        "</w:lvl>"
    )


def numbered(*levels: str, override: str = "") -> str:
    return part(
        f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum><w:num w:numId="1"><w:abstractNumId '
        f'w:val="0"/>{override}</w:num>',
        "w:numbering",
    )


def items(numbering: str, *depths: int) -> list[str]:
    body = "".join(paragraph("x", list_id=1, depth=depth) for depth in depths)
    return [line.strip() for line in word(body, numbering=numbering).text.split("\n")]


def test_numbers_of_lists_are_those_that_are_seen() -> None:
    """Issue 10: a list's numbers as the page shows them."""
    chapters = numbered(
        level(0, "chineseCountingThousand", "第%1章"),
        level(1, "decimal", "%1.%2", "<w:isLgl/>"),
        level(2, "decimalEnclosedCircle", "%3"),
    )
    assert items(chapters, 0, 1, 2, 2, 0, 1) == ["第一章 x", "1.1 x", "① x", "② x", "第二章 x", "2.1 x"]
    articles = numbered(
        level(0, "upperRoman", "%1."), level(1, "decimal", "Article %2", '<w:lvlRestart w:val="0"/>')
    )
    assert items(articles, 0, 1, 1, 0, 1) == ["I. x", "Article 1 x", "Article 2 x", "II. x", "Article 3 x"]
    changed = numbered(
        level(0, "decimal", "%1."),
        override=f'<w:lvlOverride w:ilvl="0">{level(0, "lowerRoman", "(%1)")}</w:lvlOverride>',
    )
    assert items(changed, 0, 0) == ["(i) x", "(ii) x"]
    custom = '<w:numFmt w:val="custom" w:format="001, 002, 003, ..."/>'
    custom = f"<mc:AlternateContent><mc:Choice>{custom}</mc:Choice></mc:AlternateContent>"
    padded = numbered(f'<w:lvl w:ilvl="0"><w:start w:val="9"/>{custom}<w:lvlText w:val="REQ-%1"/></w:lvl>')
    assert items(padded, 0, 0) == ["REQ-009 x", "REQ-010 x"]


def test_deleted_items_have_no_number() -> None:
    """F-1116: what follows a deleted item has the number that the page shows without it."""
    item = paragraph("x", list_id=1)
    gone = paragraph("<w:del><w:r><w:delText>y</w:delText></w:r></w:del>", list_id=1)
    gone = gone.replace("</w:pPr>", "<w:rPr><w:del/></w:rPr></w:pPr>")
    assert word(item + gone + item, numbering=numbered(level(0, "decimal", "%1."))).text == "1. x\n2. x"


def test_numbers_of_rows_are_in_their_cells() -> None:
    """Issue 10: a column that Word numbers is empty in the file."""
    number = paragraph("", list_id=1)
    table = word_table([["No.", "Part"], [number, "Shaft"], [number, "Seal"]])
    assert word(table, numbering=numbered(level(0, "decimal", "%1"))).text == (
        "| No. | Part |\n| --- | --- |\n| 1 | Shaft |\n| 2 | Seal |"
    )


def test_headings_of_other_languages_and_programs() -> None:
    """Issue 10: headings by style in any language, and where the styles are missing."""
    styles = part(
        '<w:style w:styleId="b1"><w:name w:val="Überschrift 2"/></w:style>'
        '<w:style w:styleId="b2"><w:name w:val="标题 3"/></w:style>'
        '<w:style w:styleId="b3"><w:name w:val="Titel"/></w:style>',
        "w:styles",
    )
    body = (
        paragraph("Bericht", "b3")
        + paragraph("Zwei", "b1")
        + paragraph("三", "b2")
        + paragraph("One", "Heading1")
    )
    document = word(body, styles=styles, properties=core(subject="Pumps", keywords="P20, seals"))
    assert document.text == "# Bericht\n\n## Zwei\n\n### 三\n\n# One"
    assert document.title == "Bericht"
    assert document.metadata == {"subject": "Pumps", "keywords": "P20, seals"}


def test_a_cell_over_all_columns_is_a_title_over_the_table() -> None:
    """F-1107: cells that span are repeated as in sheets and pages, a title over all columns is one."""
    wide = '<w:tcPr><w:gridSpan w:val="3"/></w:tcPr>' + paragraph("Torque 2024")
    tall = '<w:tcPr><w:vMerge w:val="restart"/><w:gridSpan w:val="2"/></w:tcPr>' + paragraph("Cover")
    below = '<w:tcPr><w:vMerge/><w:gridSpan w:val="2"/></w:tcPr>' + paragraph("")
    document = word(word_table([[wide], ["Bolt", "Size", "Nm"], [tall, "12"], [below, "25"]]))
    assert document.text == (
        "Torque 2024\n\n| Bolt | Size | Nm |\n| --- | --- | --- |\n| Cover | Cover | 12 |\n| Cover | Cover | 25 |"
    )
