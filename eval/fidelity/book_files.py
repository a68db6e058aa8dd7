# ruff: noqa: E501 (lines of markup)
"""Books as Pandoc (EPUB 3), Calibre (EPUB 2) and Sigil pack them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from eval.fidelity.packing import pack
from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    BAKERY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    POLICY,
    Story,
    headings_of,
    parts_of,
    words_of,
)

_CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="{}" media-type="application/oebps-package+xml"/></rootfiles></container>'
)


def make_books() -> Iterator[Sample]:
    """Yield EPUB."""
    for story in (GUIDE, POLICY, BAKERY):
        yield _sample("pandoc", story, _pandoc(story))
    for story in (LIBRARY, MARKET):
        yield _sample("calibre", story, _calibre(story))
    yield _sample("sigil", FREEZER, _calibre(FREEZER, folder="OEBPS/Text/"))
    notes = (
        '<section epub:type="chapter"><h1>Kapitel 1<br/>Der Hafen</h1><p>Im Jahr 1872<a epub:type="noteref" href="#n1"><sup>1</sup></a> wurde die Mole gebaut.</p>'
        '<p>Die <ruby>港<rp>(</rp><rt>みなと</rt><rp>)</rp></ruby> war klein.</p><hr class="asterism"/><p>Später wuchs sie.</p>'
        "<table><caption>Schiffe</caption><tr><th>Jahr</th><th>Zahl</th></tr><tr><td>1880</td><td>31</td></tr></table>"
        '<aside epub:type="footnote" id="n1"><p>Nach anderen 1873.</p></aside></section>'
    )
    pages = {
        "OPS/c1.xhtml": _xhtml("c1", notes),
        "OPS/c2.xhtml": _xhtml("c2", "<h1>Kapitel 2</h1><p>Der Leuchtturm steht seit 1890.</p>"),
    }
    content = _book(
        pages, "OPS/book.opf", "Der alte Hafen", nav=(("c1.xhtml", "Der Hafen"), ("c2.xhtml", "Der Turm"))
    )
    yield Sample(
        "epub/hand-harbour.epub",
        content,
        (
            "Kapitel 1",
            "Der Hafen",
            "Im Jahr 1872",
            "wurde die Mole gebaut.",
            "港",
            "Später wuchs sie.",
            "Schiffe",
            "Jahr Zahl",
            "1880 31",
            "Nach anderen 1873.",
            "Kapitel 2",
            "Der Leuchtturm steht seit 1890.",
        ),
        ("みなと",),
        "Der alte Hafen",
    )


def _sample(tool: str, story: Story, content: bytes) -> Sample:
    return Sample(
        f"epub/{tool}-{story.name}.epub",
        content,
        words_of(story),
        ("stylesheet", "cover.jpg"),
        story.title,
        headings_of(story),
    )


def _xhtml(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="de"><head>'
        f'<meta charset="utf-8"/><title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="../styles/stylesheet1.css"/></head><body>{body}</body></html>'
    )


def _chapters(story: Story) -> list[tuple[str, str]]:
    """The story as chapters: heading → its XHTML, the first under the title."""
    chapters, title, blocks = [], story.title, list[str]()
    for kind, items in parts_of(story):
        first = [escape(text, quote=False) for text in items[0]]
        if kind == "h2":
            chapters.append((title, "".join(blocks)))
            title, blocks = items[0][0], []
        elif kind == "h3":
            blocks.append(f"<h2>{first[0]}</h2>")
        elif kind in {"li", "ol"}:
            lines = "".join(f"<li>{escape(text, quote=False)}</li>" for (text,) in items)
            blocks.append(f"<{'ul' if kind == 'li' else 'ol'}>{lines}</{'ul' if kind == 'li' else 'ol'}>")
        elif kind == "row":
            rows = "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in items
            )
            blocks.append(f"<table>{rows}</table>")
        elif kind == "code":
            blocks.append(f'<pre class="sourceCode"><code>{first[1]}</code></pre>')
        else:
            blocks += [f"<p>{text}</p>" for text in first]
    return [*chapters, (title, "".join(blocks))]


def _classed(body: str) -> str:
    return body.replace("<p>", '<p class="calibre2">')


def _pandoc(story: Story) -> bytes:
    pages = {
        "EPUB/text/title_page.xhtml": _xhtml(
            story.title,
            f'<section epub:type="titlepage"><h1 class="title">{story.title}</h1><p class="author">Ada Holm</p></section>',
        )
    }
    entries = []
    for number, (title, body) in enumerate(_chapters(story), start=1):
        name = f"ch{number:03d}.xhtml"
        pages[f"EPUB/text/{name}"] = _xhtml(
            name, f'<section id="s{number}" class="level1"><h1>{escape(title)}</h1>{body}</section>'
        )
        entries.append((f"text/{name}", title))
    return _book(pages, "EPUB/content.opf", story.title, nav=entries)


def _calibre(story: Story, folder: str = "") -> bytes:
    pages = {
        f"{folder}titlepage.xhtml": _xhtml(
            "Cover", '<div><svg xmlns="http://www.w3.org/2000/svg"><image href="cover.jpg"/></svg></div>'
        )
    }
    points = ""
    for number, (title, body) in enumerate(_chapters(story), start=1):
        name = f"{folder}index_split_{number:03d}.html"
        pages[name] = _xhtml(
            "Unknown",
            f'<h1 class="calibre1"><span class="bold">{escape(title)}</span></h1>{_classed(body)}<div class="mbp_pagebreak"></div>',
        )
        points += f'<navPoint playOrder="{number}"><navLabel><text>{escape(title)}</text></navLabel><content src="{name}"/></navPoint>'
    ncx = f'<?xml version="1.0"?><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><docTitle><text>x</text></docTitle><navMap>{points}</navMap></ncx>'
    return _book(pages, "content.opf", story.title, ncx=ncx)


def _book(
    pages: Mapping[str, str],
    opf: str,
    title: str,
    *,
    nav: list[tuple[str, str]] | tuple[tuple[str, str], ...] = (),
    ncx: str = "",
) -> bytes:
    base = opf.rpartition("/")[0]
    names = [name.removeprefix(f"{base}/") if base else name for name in pages]
    items = "".join(
        f'<item id="i{at}" href="{name}" media-type="application/xhtml+xml"/>'
        for at, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="i{at}"/>' for at in range(len(names)))
    more: dict[str, str | bytes] = {}
    if nav:
        entries = "".join(f'<li><a href="{target}">{escape(text)}</a></li>' for target, text in nav)
        more[f"{base}/nav.xhtml"] = _xhtml(
            "nav", f'<nav epub:type="toc" id="toc"><h1>{escape(title)}</h1><ol>{entries}</ol></nav>'
        )
        items += '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    if ncx:
        more["toc.ncx"] = ncx
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    told = ' toc="ncx"' if ncx else ""
    version = "2.0" if ncx else "3.0"
    package = (
        f'<?xml version="1.0"?><package version="{version}" xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>Ada Holm</dc:creator></metadata><manifest>{items}</manifest><spine{told}>{spine}</spine></package>"
    )
    return pack(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": _CONTAINER.format(opf),
            opf: package,
            **more,
            **pages,
        },
        stored=("mimetype",),
    )
