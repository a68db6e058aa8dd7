# ruff: noqa: E501 (lines of markup)
"""OpenDocument files as LibreOffice and Pandoc write them: text, sheets and slides."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from eval.fidelity.packing import pack
from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MUSEUM,
    POLICY,
    PRODUCT,
    Story,
    headings_of,
    parts_of,
    words_of,
)

_URN = "urn:oasis:names:tc:opendocument:xmlns:"
_NAMES = "office style text table draw presentation number form chart meta manifest"
_SPACES = (
    " ".join(
        f'xmlns:{name}="{_URN}{"datastyle" if name == "number" else "drawing" if name == "draw" else name}:1.0"'
        for name in _NAMES.split()
    )
    + f' xmlns:fo="{_URN}xsl-fo-compatible:1.0" xmlns:svg="{_URN}svg-compatible:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xlink="http://www.w3.org/1999/xlink" office:version="1.3"'
)


def odf(
    kind: str,
    body: str,
    *,
    title: str = "",
    generator: str = "LibreOffice/24.2.7.2$Linux_X86_64",
    automatic: str = "",
) -> bytes:
    """A file. `kind`: "text", "spreadsheet" or "presentation"; `body`: the inside of office:KIND."""
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    told = f"<dc:title>{escape(title)}</dc:title>" if title else ""
    declared = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return pack(
        {
            "mimetype": media_type,
            "Thumbnails/thumbnail.png": b"\x89PNG\r\n\x1a\n",
            "content.xml": f"{declared}<office:document-content {_SPACES}><office:scripts/><office:font-face-decls/><office:automatic-styles>{automatic}</office:automatic-styles>"
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
            "meta.xml": f"{declared}<office:document-meta {_SPACES}><office:meta><meta:generator>{generator}</meta:generator>{told}</office:meta></office:document-meta>",
            "styles.xml": f"{declared}<office:document-styles {_SPACES}><office:styles/></office:document-styles>",
            "META-INF/manifest.xml": f'{declared}<manifest:manifest {_SPACES}><manifest:file-entry manifest:full-path="/" manifest:media-type="{media_type}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        },
        stored=("mimetype",),
    )


def make_text() -> Iterator[Sample]:
    """Yield ODT."""
    for story, tool in (
        (GUIDE, "pandoc"),
        (POLICY, "libreoffice"),
        (BAKERY, "libreoffice"),
        (ARCHIVE, "pandoc"),
        (LIBRARY, "libreoffice"),
    ):
        is_pandoc = tool == "pandoc"
        content = odf(
            "text",
            _text(story, is_pandoc=is_pandoc),
            title=story.title if is_pandoc else "",
            generator="Pandoc/3.1" if is_pandoc else "LibreOffice/24.2",
        )
        yield Sample(
            f"odt/{tool}-{story.name}.odt",
            content,
            words_of(story, title=True),
            (),
            story.title,
            headings_of(story),
        )
    changes = (
        '<text:tracked-changes><text:changed-region text:id="c1"><text:deletion><text:p>struck out words</text:p></text:deletion></text:changed-region></text:tracked-changes>'
        '<text:table-of-content text:name="T"><text:table-of-content-source/><text:index-body><text:p>Rent<text:tab/>1</text:p></text:index-body></text:table-of-content>'
        '<text:p text:style-name="Title">Lease of a boathouse</text:p><text:h text:outline-level="1">Rent</text:h>'
        '<text:p>The rent is <text:change text:change-id="c1"/>410<text:s/>euros<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
        '<text:p>Heating included.</text:p></text:note-body></text:note>, due<text:s text:c="2"/>on the <text:span>third</text:span>.<office:annotation><dc:creator>N</dc:creator>'
        "<text:p>too low?</text:p></office:annotation></text:p>"
        '<text:p>Draft<text:line-break/>of <text:date text:date-value="2026-03-01">1 March 2026</text:date>, page <text:page-number text:select-page="current">3</text:page-number></text:p>'
        "<text:p><draw:frame><draw:text-box><text:p>Keys are with the harbour master.</text:p></draw:text-box></draw:frame></text:p>"
        "<text:p><text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とうきょう</text:ruby-text></text:ruby>まで</text:p>"
        '<table:table table:name="T1"><table:table-column table:number-columns-repeated="2"/><table:table-header-rows><table:table-row><table:table-cell><text:p>Month</text:p></table:table-cell>'
        "<table:table-cell><text:p>Paid</text:p></table:table-cell></table:table-row></table:table-header-rows><table:table-row><table:table-cell><text:p>May</text:p></table:table-cell>"
        "<table:table-cell><text:p>yes</text:p></table:table-cell></table:table-row></table:table>"
    )
    yield Sample(
        "odt/libreoffice-lease.odt",
        odf("text", changes),
        (
            "Lease of a boathouse",
            "Rent",
            "The rent is 410 euros",
            "Heating included.",
            "on the third.",
            "Draft",
            "1 March 2026",
            "Keys are with the harbour master.",
            "東京まで",
            "Month Paid",
            "May yes",
        ),
        ("struck out words", "とうきょう"),
        "Lease of a boathouse",
        ("Rent",),
    )


def make_sheets() -> Iterator[Sample]:
    """Yield ODS."""
    for story in (PRODUCT, FERRY, POLICY, LIBRARY, FREEZER, MUSEUM):
        rows = "".join(_row(*row[1:]) for row in story.blocks if row[0] == "row")
        body = f'<table:table table:name="{story.name}"><table:table-column/>{rows}{_GAP}</table:table>'
        must = (story.name, *(text for row in story.blocks if row[0] == "row" for text in row[1:]))
        yield Sample(
            f"ods/libreoffice-{story.name}.ods",
            odf("spreadsheet", body),
            must,
            (),
            f"libreoffice-{story.name}",
            (story.name,),
        )
    values = (
        _row("Kind", "Shown")
        + f'<table:table-row><table:table-cell office:value-type="string"><text:p>Begin</text:p></table:table-cell>{_value("time", "PT06H05M00S", "06:05", "time-value")}</table:table-row>'
        + f'<table:table-row><table:table-cell office:value-type="string"><text:p>Day</text:p></table:table-cell>{_value("date", "2026-03-01", "01.03.26", "date-value")}</table:table-row>'
        + f'<table:table-row><table:table-cell office:value-type="string"><text:p>Price</text:p></table:table-cell>{_value("currency", "1250.5", "1.250,50 €")}</table:table-row>'
        + f'<table:table-row><table:table-cell office:value-type="string"><text:p>Code</text:p></table:table-cell>{_value("float", "1067", "01067")}</table:table-row>'
        + f'<table:table-row><table:table-cell office:value-type="string"><text:p>Share</text:p></table:table-cell>{_value("percentage", "0.125", "12,5 %")}</table:table-row>'
        + '<table:table-row><table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>Port</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>Moss</text:p>'
        + "<text:p>inner quay</text:p><office:annotation><dc:creator>A</dc:creator><text:p>closed in May</text:p></office:annotation></table:table-cell></table:table-row>"
        + '<table:table-row><table:covered-table-cell/><table:table-cell office:value-type="string"><text:p>Halden</text:p></table:table-cell></table:table-row>'
    )
    yield Sample(
        "ods/libreoffice-values.ods",
        odf(
            "spreadsheet",
            f'<table:table table:name="Values">{values}{_GAP}</table:table><table:named-expressions/>',
        ),
        (
            "Kind Shown",
            "Begin 06:05",
            "Day",
            "01.03.26",
            "Price",
            "1.250,50 €",
            "Code 01067",
            "Share",
            "12,5 %",
            "Port Moss inner quay",
            "closed in May",
            "Port Halden",
        ),
        ("PT06H05M00S", "1067", "0.125"),
        "libreoffice-values",
    )


def make_decks() -> Iterator[Sample]:
    """Yield ODP."""
    for story in (GUIDE, BAKERY, POLICY):
        pages, texts, title = [], list[str](), story.title
        for kind, items in parts_of(story):
            if kind == "h2":
                pages.append(_page(title, texts))
                title, texts = items[0][0], []
            elif kind == "code":
                texts += items[0][1].split("\n")
            else:
                texts += [text for item in items for text in item]
        pages.append(_page(title, texts))
        content = odf("presentation", "".join(pages))
        headings = tuple(block[1] for block in story.blocks if block[0] == "h2")
        yield Sample(
            f"odp/impress-{story.name}.odp",
            content,
            words_of(story, title=True),
            ("Footer of the master",),
            story.title,
            headings,
        )
    notes = '<presentation:notes><draw:page-thumbnail/><draw:frame presentation:class="notes"><draw:text-box><text:p>Thank the crew.</text:p></draw:text-box></draw:frame></presentation:notes>'
    yield Sample(
        "odp/impress-notes.odp",
        odf(
            "presentation",
            _page("Harvest", ["Cod: 12 t", "Haddock: 4 t"], more=notes)
            + _page("Outlook", ["Nets are mended in July."]),
        ),
        ("Harvest", "Cod: 12 t", "Haddock: 4 t", "Thank the crew.", "Outlook", "Nets are mended in July."),
        (),
        "Harvest",
        ("Harvest", "Outlook"),
    )


_GAP = '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'


def _row(*texts: str) -> str:
    cells = "".join(
        f'<table:table-cell office:value-type="string" calcext:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'
        for text in texts
    )
    return f'<table:table-row table:style-name="ro1">{cells}<table:table-cell table:number-columns-repeated="16380"/></table:table-row>'.replace(
        ' calcext:value-type="string"', ""
    )


def _value(kind: str, value: str, shown: str, name: str = "value") -> str:
    return f'<table:table-cell office:value-type="{kind}" office:{name}="{value}"><text:p>{shown}</text:p></table:table-cell>'


def _page(title: str, texts: list[str], *, more: str = "") -> str:
    lines = "".join(
        f"<text:list><text:list-item><text:p>{escape(text, quote=False)}</text:p></text:list-item></text:list>"
        for text in texts
    )
    return (
        f'<draw:page draw:name="page1" draw:master-page-name="Default"><draw:frame presentation:class="title" svg:x="2cm" svg:y="1cm"><draw:text-box><text:p>{escape(title)}</text:p></draw:text-box></draw:frame>'
        f'<draw:frame presentation:class="outline" svg:x="2cm" svg:y="5cm"><draw:text-box>{lines}</draw:text-box></draw:frame>{more}</draw:page>'
    )


def _text(story: Story, *, is_pandoc: bool) -> str:
    title = f'<text:p text:style-name="Title">{escape(story.title)}</text:p>'
    blocks = ['<text:sequence-decls><text:sequence-decl text:name="Table"/></text:sequence-decls>', title]
    for kind, items in parts_of(story):
        first = [escape(text, quote=False) for text in items[0]]
        if kind in {"h2", "h3"}:
            level = 1 if kind == "h2" else 2
            mark = (
                '<text:bookmark-start text:name="b"/><text:bookmark-end text:name="b"/>'
                if is_pandoc
                else "<text:soft-page-break/>"
            )
            blocks.append(
                f'<text:h text:style-name="Heading_20_{level}" text:outline-level="{level}">{mark}{first[0]}</text:h>'
            )
        elif kind in {"li", "ol"}:
            lines = "".join(
                f'<text:list-item><text:p text:style-name="P1">{escape(text, quote=False)}</text:p></text:list-item>'
                for (text,) in items
            )
            blocks.append(f'<text:list text:style-name="L1">{lines}</text:list>')
        elif kind == "row":
            rows = "".join(
                "<table:table-row>"
                + "".join(
                    f"<table:table-cell><text:p>{escape(cell)}</text:p></table:table-cell>" for cell in row
                )
                + "</table:table-row>"
                for row in items
            )
            blocks.append(
                f'<table:table table:name="T"><table:table-column table:number-columns-repeated="3"/>{rows}</table:table>'
            )
        elif kind == "code":
            blocks += [
                f'<text:p text:style-name="Preformatted_20_Text">{_spaced(line)}</text:p>'
                for line in first[1].split("\n")
            ]
        else:
            blocks += [f'<text:p text:style-name="Text_20_body">{text}</text:p>' for text in first]
    return "".join(blocks)


def _spaced(line: str) -> str:
    """Spaces after the first are elements."""
    bare = line.lstrip(" ")
    return f'<text:s text:c="{len(line) - len(bare)}"/>{bare}' if len(bare) < len(line) else line
