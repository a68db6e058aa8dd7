"""ingest.parsers: each format gives the text a reader sees, its title, sections and pages, and fails by code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import Document
from app.errors import DocumentError
from app.generation.reply import MEDIA_TYPE_NAMES
from ingest.parsers import PARSERS, code, parse
from ingest.parsers.media_types import MEDIA_TYPES
from ingest.reasons import REASONS
from tests.growth import assert_linear
from tests.pdfs import build_pdf

MARKDOWN, TEXT, HTML, PDF = "text/markdown", "text/plain", "text/html", "application/pdf"


def headings(document: Document) -> list[tuple[str, tuple[str, ...]]]:
    """Each section's first line and path."""
    return [
        (document.text[s.char_start : s.char_end].split("\n")[0], s.heading_path) for s in document.sections
    ]


def html_text(body: str) -> str:
    return parse(f"<html><body>{body}</body></html>".encode(), HTML, "a.html").text


def failure(content: bytes, media_type: str) -> str:
    with pytest.raises(DocumentError) as raised:
        parse(content, media_type, "a")
    return raised.value.code


# Markdown


def test_markdown_keeps_the_file_as_it_is() -> None:
    code = "```\n# not a heading\n```\n"
    text = f"Intro “quoted”  \n\n# One `code`\ntext\n\n{code}## Two {{#two}}\n- a\n\nThree *x*\n---\nend\n"
    document = parse(text.encode(), MARKDOWN, "docs/a.md")
    assert document.text == text
    assert document.title == "One code"
    assert headings(document) == [
        ("# One `code`", ("One code",)),
        ("## Two {#two}", ("One code", "Two")),
        ("Three *x*", ("One code", "Three x")),
    ]
    assert document.sections[0].char_end == document.sections[1].char_start
    assert document.sections[-1].char_end == len(text)
    assert document.language == "en"


def test_front_matter_becomes_metadata() -> None:
    values = "title: 指南\ndate: 2026-11-24\nlang: zh\ndraft: false\nweight: 3\nscore: .inf\ntags: [a, b]\n"
    text = f"---\n{values}---\n\n# 标题\n正文。\n"
    document = parse(text.encode(), MARKDOWN, "a.md")
    assert document.title == "指南"
    assert document.metadata == {
        "title": "指南",
        "date": "2026-11-24",
        "lang": "zh",
        "draft": False,
        "weight": 3,
        "score": "inf",
    }
    assert document.text == "# 标题\n正文。\n"
    assert document.language == "zh"


@pytest.mark.parametrize(
    "text",
    [
        "---\na: [\n---\ntext",
        "---\njust words\n---\ntext",
        "---\nno end",
        "---\n" + "[" * 5000 + "\n---\ntext",
        "----\na: 1\n---\n",
    ],
)
def test_what_is_no_front_matter_stays_in_the_text(text: str) -> None:
    document = parse(text.encode(), MARKDOWN, "docs/name.md")
    assert document.text == text
    assert document.metadata == {}


def test_a_title_falls_back_to_the_file_stem() -> None:
    assert parse(b"Words first.\n\n## Only level two", MARKDOWN, "docs/my.notes.md").title == "my.notes"


def test_only_front_matter_is_empty() -> None:
    assert failure(b"---\ntitle: x\n---\n", MARKDOWN) == "empty"


# plain text


def test_plain_text() -> None:
    document = parse("\n标题一行\r\n\r\n正文。".encode("gb18030"), TEXT, "a.txt")
    assert document.text == "\n标题一行\n\n正文。"
    assert document.title == "标题一行"
    assert parse(b"x" * 121, TEXT, "d/long.txt").title == "long"


# HTML


def test_html_page() -> None:
    page = """<!doctype html><html lang="en"><head><title> The
    title </title><meta name="Author" content="A. Writer"><style>p {}</style></head><body>
    <header>Site</header><nav>Menu</nav><script>x()</script><noscript>on</noscript><!-- no -->
    <main><header><h1>Main <em>head</em>ing</h1></header>
    <p>First <b>bold</b> part, <a href="https://x.example">link</a><img alt="picture" src="x.png">.<br>Second line</p>
    <p hidden>secret</p><p style="color: red; DISPLAY : none">secret</p><span style="font-size:0px">secret</span>
    <h2>Lists</h2>
    <ul><li>one<li>two <ol start=3><li>inner</ol></ul>
    <blockquote><p>Quoted.</p></blockquote>
    <pre class="highlight"><code class="language-python">if x:
    y = "```"
</code></pre>
    <table><tr><th>A<th>B|C</tr><tr><td rowspan=2>1<td>2</tr><tr><td>3</tr></table>
    </main><aside>Ads</aside><footer>Foot</footer></body></html>"""
    document = parse(page.encode(), HTML, "a.html")
    assert document.text == (
        "# Main heading\n\nFirst bold part, link.\nSecond line\n\n## Lists\n\n- one\n- two\n  3. inner\n\n> Quoted.\n\n"
        '````python\nif x:\n    y = "```"\n````\n\n| A | B\\|C |\n| --- | --- |\n| 1 | 2 |\n| 1 | 3 |'
    )
    assert document.title == "The title"
    assert document.metadata == {"lang": "en", "author": "A. Writer"}
    assert headings(document) == [
        ("# Main heading", ("Main heading",)),
        ("## Lists", ("Main heading", "Lists")),
    ]


def test_html_text_that_looks_like_markup_makes_no_headings() -> None:
    document = parse(b"<p># no</p><p>title<br>===</p><p>```</p><h2>Yes</h2>", HTML, "a.html")
    assert headings(document) == [("## Yes", ("Yes",))]
    assert "# no" in document.text


def test_html_spaces() -> None:
    assert html_text("<p>a\n b<i>c</i>d&nbsp;e</p>text<div>f</div>g") == "a bcd e\n\ntext\n\nf\n\ng"
    assert html_text("<p>中文\n  换行，<b>粗</b>\n体</p>") == "中文换行，粗体"
    assert html_text("<pre>a\n\n  b</pre>") == "```\na\n\n  b\n```"


def test_html_layout_tables_are_paragraphs() -> None:
    layout = "<table><tr><td><p>left</p><td><table><tr><td>a<td>b</tr></table></tr></table>"
    assert html_text(layout) == "left\n\n| a | b |\n| --- | --- |"
    assert html_text("<table><tr><td>only</tr><tr><td>column</tr></table>") == "only\n\ncolumn"


def test_html_counts_what_a_reader_could_have_seen_and_was_left_out() -> None:
    page = """<header>Site  name</header><nav><a>One</a> <a>Two</a><script>x()</script></nav><main><p>Text.</p>
    <p hidden>Secret</p><p style="display:none"></p></main><footer></footer>"""
    document = parse(page.encode(), "text/html", "page.html")
    assert document.text.strip() == "Text."
    assert document.dropped == {"boilerplate": len("Site name") + len("One Two"), "hidden": len("Secret")}
    kept = parse(b"<header>All there is</header>", "text/html", "page.html")
    assert kept.dropped == {}


def test_html_that_is_only_furniture_is_kept() -> None:
    assert html_text("<header>All <b>there</b> is</header>") == "All there is"


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="gb2312">', "gb18030"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=GBK">', "gb18030"),
        ("<meta charset=iso-8859-1>", "utf-8"),  # says one thing and is another
        ("<meta charset=unicode_escape>", "utf-8"),
        ("", "big5"),
        ('<?xml version="1.0" encoding="big5"?>', "big5"),
    ],
)
def test_html_charsets(head: str, encoding: str) -> None:
    content = f"{head}<title>文件</title><p>今天天氣很好，我們去公園散步吧。</p>".encode(encoding)
    document = parse(content, HTML, "a.html")
    assert (document.title, document.text) == ("文件", "今天天氣很好，我們去公園散步吧。")


def test_html_nested_beyond_measure_is_refused_not_cut() -> None:
    assert "deep" in html_text("<div>" * 1000 + "deep")
    assert failure(b"<div>" * 100_000 + b"deep", HTML) == "parse_failed"


@pytest.mark.parametrize(
    "content", [b"", b"<!doctype html>", b"<p hidden>x</p>", b"<script>x</script>", b"<!-- x"]
)
def test_html_without_text_is_empty(content: bytes) -> None:
    assert failure(content, HTML) == "empty"


@pytest.mark.parametrize(
    "page",
    [
        lambda n: "<table><tr>" + "<td rowspan=65534>x" * (2 * n) + "</tr>" + "<tr>" * (5 * n),
        lambda n: "<table><tr>" + "<td colspan=1000>x" * (4 * n),
        lambda n: "<ul><li>x" * (n // 5) + "<p>y" * (5 * n),
        lambda n: "<ol>" + "<li>x" * (15 * n),
        lambda n: "<p>x<br>" * (10 * n),
        lambda n: "<table>" * (n // 20) + "<tr><td>x" * (5 * n),
        lambda n: "<h1>x</h1>" * (10 * n),
        lambda n: "<p style='display" + " " * (90 * n) + "'>x",
    ],
    ids=["rowspan", "colspan", "nested", "list", "breaks", "tables", "headings", "style"],
)
def test_hostile_html_takes_linear_time(page: Callable[[int], str]) -> None:
    def read(size: int) -> Callable[[], object]:
        markup = page(size)

        def run() -> None:
            text = ""
            with suppress(DocumentError):
                text = html_text(markup)
            assert len(text) < 4 * len(markup) + 1_000_000

        return run

    assert_linear(read, 100)


# PDF


def test_pdf_pages_are_exact() -> None:
    document = parse(build_pdf([["First page."], [], ["第三页，𠀀。", "次行"]]), PDF, "a.pdf")
    texts = [document.text[page.char_start : page.char_end] for page in document.pages]
    assert texts == ["First page.", "", "第三页，𠀀。\n\n次行"]
    assert document.text == "\n\n".join(texts)
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.title == "First page."


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Annual Report", "Annual Report"),
        ("年度报告", "年度报告"),
        ("Microsoft Word - x", "Line one"),
        ("report.docx", "Line one"),
        ("0000909832-23-000036", "Line one"),
    ],
)
def test_pdf_titles(title: str, expected: str) -> None:
    assert parse(build_pdf([["Line one"]], title=title), PDF, "a.pdf").title == expected


def test_pdf_passwords() -> None:
    assert parse(build_pdf([["Open"]], user_password=""), PDF, "a.pdf").text == "Open"
    assert failure(build_pdf([["Closed"]], user_password="secret"), PDF) == "encrypted"


def test_pdf_without_text_or_sense() -> None:
    assert failure(build_pdf([[], []]), PDF) == "no_text_layer"
    assert failure(b"not a PDF", PDF) == "parse_failed"
    assert failure(b"", PDF) == "parse_failed"
    with pytest.raises(DocumentError, match=r"[^.]\.$"):  # F-1004: one full stop
        parse(b"not a PDF", PDF, "a.pdf")
    assert failure(build_pdf([["x"]])[:100], PDF) == "parse_failed"


def test_pdf_running_headers_go() -> None:
    pages = [
        ["Annual report", f"Words {name}", "more words", "again", f"Page {n} of 4"]
        for n, name in enumerate("abcd", 1)
    ]
    document = parse(build_pdf(pages), PDF, "a.pdf")
    assert document.text.count("Annual report") == 1
    assert "Page" not in document.text
    assert all(f"Words {name}" in document.text for name in "abcd")
    assert document.dropped["page_furniture"] > 0


# all formats


def test_an_unknown_type_is_refused() -> None:
    assert failure(b"PK", "") == "unsupported_type"
    assert failure(b"PK", "application/zip") == "unsupported_type"


SEEDS = {
    MARKDOWN: "---\ntitle: x\n---\n# 标题\n\ntext | a |\n".encode(),
    TEXT: "text 文字\n".encode("gb18030"),
    HTML: b"<html><meta charset=gbk><title>t</title><h1>x<table><tr><td rowspan=2>a<pre>b</table><ul><li>c&#0;",
    PDF: build_pdf([["one", "two"], ["three"]], title="t"),
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SEEDS)), st.data())
def test_mutated_files_are_parsed_or_refused_by_code(media_type: str, data: st.DataObject) -> None:
    content = bytearray(SEEDS[media_type])
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
    try:
        document = parse(bytes(content), media_type, "a")
    except DocumentError as error:
        if error.code not in REASONS:
            raise
        return
    assert document.text.strip()
    assert document.title
    assert "\0" not in document.text
    assert all(0 <= s.char_start < s.char_end <= len(document.text) for s in document.sections)
    assert all(page.char_end <= len(document.text) for page in document.pages)


def test_every_format_has_a_name_in_both_languages() -> None:
    """What "Which documents are there?" is answered with."""
    described = MEDIA_TYPE_NAMES.keys()
    assert PARSERS.keys() - code.PARSERS.keys() <= described
    assert described <= set(MEDIA_TYPES.values())
