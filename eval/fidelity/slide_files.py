# ruff: noqa: E501 (lines of markup)
"""Presentations as PowerPoint, Keynote, Google Slides and WPS write them: placeholders, boxes, tables, notes, charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from eval.fidelity.packing import app, core, pack, relations, types, xml
from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    BAKERY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    POLICY,
    PRODUCT,
    Story,
    parts_of,
    words_of,
)

_SPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
)
_KIND = "presentationml."
_CM = 360_000  # EMU


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide: its shapes, its notes, and parts that it refers to: id → (kind, content)."""

    shapes: str
    notes: str = ""
    linked: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    hidden: bool = False


def make_slides() -> Iterator[Sample]:
    """Yield presentations."""
    for story in (GUIDE, POLICY, BAKERY):
        yield _sample("powerpoint", story, _deck(story, holders=True))
    for story in (PRODUCT, FREEZER):
        yield _sample("keynote", story, _deck(story, holders=False))
    for story in (GUIDE, MARKET):
        yield _sample("google", story, _deck(story, holders=True))
    yield _sample("wps", LIBRARY, _deck(LIBRARY, holders=True))
    yield from _hard()


def _sample(tool: str, story: Story, slides: Sequence[Slide]) -> Sample:
    program = {
        "powerpoint": "Microsoft Office PowerPoint",
        "keynote": "Keynote",
        "google": "Google Slides",
        "wps": "WPS Presentation",
    }
    heads = {"powerpoint": "PowerPoint Presentation", "wps": "PowerPoint 演示文稿"}
    content = pptx(slides, title=heads.get(tool, ""), program=program[tool])
    headings = tuple(block[1] for block in story.blocks if block[0] == "h2") if tool != "keynote" else ()
    title = story.title if tool != "keynote" else ""
    return Sample(
        f"pptx/{tool}-{story.name}.pptx",
        content,
        words_of(story, title=True),
        ("Click to edit Master title style", "‹#›"),
        title,
        headings,
    )


def _deck(story: Story, *, holders: bool) -> list[Slide]:
    """A title slide, and a slide for each heading; notes stand under the first."""
    slides: list[Slide] = []
    title, shapes = story.title, [holder(story.title, "ctrTitle") if holders else box(story.title, 3, 3)]
    at = 5
    for kind, items in parts_of(story):
        first = items[0]
        if kind == "h2":
            slides.append(Slide("".join(shapes)))
            title, at = first[0], 4
            shapes = [holder(title, "title") if holders else box(title, 1, 2)]
        elif kind == "row":
            shapes.append(graphic(grid(items), at, 2))
        elif kind in {"li", "ol"}:
            shapes.append(box("\n".join(line for (line,) in items), at, 2, bullets=True))
        elif kind == "code":
            shapes.append(box(first[1], at, 2))
        else:
            shapes.append(box("\n".join(first), at, 2))
        at += 2
    return [*slides, Slide("".join(shapes))]


def paragraphs(text: str, *, bullets: bool = False, level: int = 0) -> str:
    """The paragraphs of a shape, a line each; words in two runs, as an edited slide has them."""
    mark = (
        f'<a:pPr marL="342900" lvl="{level}"><a:buFont typeface="Arial"/><a:buChar char="•"/></a:pPr>'
        if bullets
        else ""
    )
    lines = []
    for line in text.split("\n"):
        half = len(line) // 2
        runs = "".join(
            f'<a:r><a:rPr lang="en-GB" dirty="0"/><a:t>{escape(piece, quote=False)}</a:t></a:r>'
            for piece in (line[:half], line[half:])
            if piece
        )
        lines.append(f'<a:p>{mark}{runs}<a:endParaRPr lang="en-GB"/></a:p>')
    return "".join(lines)


def holder(text: str, kind: str, *, index: int = 0) -> str:
    """A placeholder, whose place is the layout's."""
    told = f'<p:ph type="{kind}"/>' if kind else f'<p:ph idx="{index}"/>'
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="Title 1"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr><p:nvPr>{told}</p:nvPr></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/><a:lstStyle/>{paragraphs(text)}</p:txBody></p:sp>"
    )


def box(text: str, top: int, left: int, *, bullets: bool = False) -> str:
    """A text box, its place in centimetres."""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="5" name="TextBox 4"/><p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr>{_frame("a", top, left)}</p:spPr>'
        f'<p:txBody><a:bodyPr wrap="square"/><a:lstStyle/>{paragraphs(text, bullets=bullets)}</p:txBody></p:sp>'
    )


def _frame(space: str, top: int, left: int) -> str:
    return f'<{space}:xfrm><a:off x="{left * _CM}" y="{top * _CM}"/><a:ext cx="4000000" cy="900000"/></{space}:xfrm>'


def graphic(inside: str, top: int, left: int, kind: str = "table") -> str:
    """A frame with a table, a chart or a diagram."""
    uri = f"http://schemas.openxmlformats.org/drawingml/2006/{kind}"
    return (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="7" name="Content 6"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>'
        f'{_frame("p", top, left)}<a:graphic><a:graphicData uri="{uri}">{inside}</a:graphicData></a:graphic></p:graphicFrame>'
    )


def grid(rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    lines = "".join(
        "<a:tr h='370840'>"
        + "".join(
            f"<a:tc><a:txBody><a:bodyPr/><a:lstStyle/>{paragraphs(cell)}</a:txBody><a:tcPr/></a:tc>"
            for cell in row
        )
        + "</a:tr>"
        for row in rows
    )
    columns = '<a:gridCol w="2000000"/>' * len(rows[0])
    return f'<a:tbl><a:tblPr firstRow="1" bandRow="1"/><a:tblGrid>{columns}</a:tblGrid>{lines}</a:tbl>'


def pptx(slides: Sequence[Slide], *, title: str = "", program: str = "Microsoft Office PowerPoint") -> bytes:
    """A file of these slides; the names of their parts are not in their order."""
    numbers = [(7 * at) % 101 + 1 for at in range(len(slides))]
    members: dict[str, str | bytes] = {}
    for slide, number in zip(slides, numbers, strict=True):
        links = {"rId1": ("slideLayout", "../slideLayouts/slideLayout1.xml")}
        if slide.notes:
            links["rId2"] = ("notesSlide", f"../notesSlides/notesSlide{number}.xml")
            members[f"ppt/notesSlides/notesSlide{number}.xml"] = _tree(
                "notes", holder("‹#›", "sldNum") + holder(slide.notes, "body")
            )
        for key, (kind, content) in slide.linked.items():
            links[key] = (kind, f"../more/{key}{number}.xml")
            members[f"ppt/more/{key}{number}.xml"] = xml(content)
        members[f"ppt/slides/slide{number}.xml"] = _tree(
            "sld", slide.shapes, ' show="0"' if slide.hidden else ""
        )
        members[f"ppt/slides/_rels/slide{number}.xml.rels"] = relations(links)
    listed = "".join(f'<p:sldId id="{256 + at}" r:id="rIdS{number}"/>' for at, number in enumerate(numbers))
    layout = holder("Click to edit Master title style", "title") + holder("‹#›", "sldNum")
    return pack(
        {
            "[Content_Types].xml": types(
                {"ppt/presentation.xml": f"{_KIND}presentation.main"}
                | {f"ppt/slides/slide{number}.xml": f"{_KIND}slide" for number in numbers}
            ),
            "_rels/.rels": relations(
                {
                    "rId1": ("officeDocument", "ppt/presentation.xml"),
                    "rId2": (
                        "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
                        "docProps/core.xml",
                    ),
                }
            ),
            "docProps/core.xml": core(title),
            "docProps/app.xml": app(program),
            "ppt/presentation.xml": xml(
                f"<p:presentation {_SPACES}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
            ),
            "ppt/_rels/presentation.xml.rels": relations(
                {f"rIdS{number}": ("slide", f"slides/slide{number}.xml") for number in numbers}
            ),
            "ppt/slideLayouts/slideLayout1.xml": _tree(
                "sldLayout", layout.replace("<p:spPr/>", f"<p:spPr>{_frame('a', 1, 2)}</p:spPr>")
            ),
            **members,
        }
    )


def _tree(name: str, shapes: str, more: str = "") -> str:
    group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    return xml(f"<p:{name} {_SPACES}{more}><p:cSld><p:spTree>{group}{shapes}</p:spTree></p:cSld></p:{name}>")


def _hard() -> Iterator[Sample]:
    """Notes, groups, two columns, a chart, a diagram, a hidden slide, footers."""
    group = f'<p:grpSp><p:nvGrpSpPr><p:cNvPr id="9" name="Group"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr>{_frame("a", 9, 2)}</p:grpSpPr>{box("Boxed remark one", 9, 2)}{box("Boxed remark two", 10, 2)}</p:grpSp>'
    foot = holder("Internal use only", "ftr") + holder("3", "sldNum") + holder("2026-03-01", "dt")
    columns = (
        box("Left: buy locally", 4, 2)
        + box("Right: buy abroad", 4, 16)
        + box("Under both: decide in May", 7, 2)
    )
    slides = (
        Slide(
            holder("Project Heron", "ctrTitle") + holder("Status in March", "subTitle") + foot,
            notes="Greet the guests first.",
        ),
        Slide(holder("Two ways", "title") + columns + group + foot, notes="Mention the supplier in Lyon."),
        Slide(holder("Back-up figures", "title") + box("Spare capacity is 14 %.", 4, 2), hidden=True),
    )
    yield Sample(
        "pptx/powerpoint-heron.pptx",
        pptx(slides, title="Project Heron"),
        (
            "Project Heron",
            "Status in March",
            "Greet the guests first.",
            "Two ways",
            "Left: buy locally",
            "Right: buy abroad",
            "Under both: decide in May",
            "Boxed remark one",
            "Boxed remark two",
            "Mention the supplier in Lyon.",
            "Back-up figures",
            "Spare capacity is 14 %.",
        ),
        ("Click to edit Master title style",),
        "Project Heron",
        ("Two ways", "Back-up figures"),
    )
    chart = (
        f"<c:chartSpace {_SPACES}><c:chart><c:title><c:tx><c:rich>{paragraphs('Orders by month')}</c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser>"
        "<c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>Orders</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        "<c:cat><c:strRef><c:strCache><c:pt idx='0'><c:v>April</c:v></c:pt><c:pt idx='1'><c:v>May</c:v></c:pt></c:strCache></c:strRef></c:cat>"
        "<c:val><c:numRef><c:numCache><c:pt idx='0'><c:v>31</c:v></c:pt><c:pt idx='1'><c:v>47</c:v></c:pt></c:numCache></c:numRef></c:val></c:ser></c:barChart></c:plotArea></c:chart></c:chartSpace>"
    )
    points = "".join(
        f'<dgm:pt modelId="{at}"><dgm:t><a:bodyPr/>{paragraphs(text)}</dgm:t></dgm:pt>'
        for at, text in enumerate(("Sign", "Deliver", "Accept"), start=1)
    )
    diagram = f"<dgm:dataModel {_SPACES}><dgm:ptLst>{points}</dgm:ptLst></dgm:dataModel>"
    shapes = (
        holder("Figures", "title")
        + graphic('<c:chart r:id="rIdC"/>', 4, 2, "chart")
        + graphic('<dgm:relIds r:dm="rIdD"/>', 9, 2, "diagram")
    )
    yield Sample(
        "pptx/powerpoint-figures.pptx",
        pptx([Slide(shapes, linked={"rIdC": ("chart", chart), "rIdD": ("diagramData", diagram)})]),
        ("Figures", "Orders by month", "April", "31", "May", "47", "Sign", "Deliver", "Accept"),
        (),
        "Figures",
        ("Figures",),
    )
