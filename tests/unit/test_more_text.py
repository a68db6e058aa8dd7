"""ingest.parsers: MDX, R Markdown, subtitles, front matter in TOML, JSON with comments, bare names."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest

from app.domain import Document
from app.errors import DocumentError
from ingest.parsers import parse
from ingest.parsers.jsonfile import parse_json
from ingest.parsers.markdown import parse_markdown
from ingest.parsers.media_types import media_type_of
from tests.growth import assert_linear


def mdx(text: str) -> Document:
    return parse(text.encode(), "text/mdx", "docs/page.mdx")


def test_types_that_were_refused() -> None:
    """F-1122: .mdx, .qmd, .Rmd, .asciidoc, .srt, .vtt and README without suffix were refused."""
    names = [
        "a.mdx",
        "a.qmd",
        "a.Rmd",
        "a.asciidoc",
        "a.srt",
        "a.vtt",
        "a.jsonc",
        "x/README",
        "LICENSE",
        "Changelog",
    ]
    assert all(media_type_of(name, b"words") for name in names)
    assert media_type_of("README", b"\x7fELF\0\0") == ""


def test_mdx_without_its_code() -> None:
    """F-1122: MDX was refused; imports, exports, tags and expressions are no text of a page."""
    document = mdx(
        "---\ntitle: 安装\n---\nimport Tabs from '@theme/Tabs';\nimport {\n  A,\n} from 'x';\n\n"
        "export const meta = {\n  title: 'Other',\n\n  description: \"How to\",\n};\n\n# Install {#in}\n"
        "\n"
        "Use <b>apt</b>{props.x} {'now'}, `<Tag a={1}>`; a < b. {/* hidden */}\n\n"
        '<Tabs>\n<TabItem value="m" label="macOS">\n\n'
        "Run brew.\n\n```jsx\nimport React from 'react'\n<Keep me={1} />\n```\n\n</TabItem>\n</Tabs>\n\n"
        ":::tip[Mind]\n\nInside.\n\n:::\n\n"
        '<Card title="More" onClick={() => go()} />\n\nimport duties are paid here.\n'
    )
    assert document.title == "安装"
    assert document.metadata == {"title": "安装", "description": "How to"}
    assert document.text == (
        "How to\n\n# Install {#in}\n\nUse apt now, `<Tag a={1}>`; a < b. \n\nmacOS\n\nRun brew.\n\n"
        "```jsx\nimport React from 'react'\n<Keep me={1} />\n```\n\nMind\n\nInside.\n\nMore\n\n"
        "import duties are paid here.\n"
    )
    assert document.sections[0].heading_path == ("Install",)
    assert document.dropped["markup"] > 150


def test_tables_and_cards_of_mdx_do_not_run_together() -> None:
    table = (
        "<table style={{width: 1}}><tr><th>Model</th><th>Max</th></tr><tr><td>A1</td><td>40</td></tr></table>"
    )
    text = f"# T\n\n{table}\n\n<Card>One</Card><Card>Two</Card>\n"
    assert mdx(text).text == "# T\n\n| Model | Max |\n| --- | --- |\n| A1 | 40 |\n\nOne Two\n"


def test_an_exported_title_is_one() -> None:
    assert mdx("export const metadata = { title: 'Kilns' }\n\nText.\n").title == "Kilns"


@pytest.mark.parametrize(
    "text",
    ["<a" * 100_000, "{" * 200_000, "`" * 100_000 + "x", "<a b={" * 30_000, "export const x = {\n" * 20_000],
)
def test_hostile_mdx_is_read(text: str) -> None:
    assert mdx(f"x\n\n{text}").text.startswith("x")


def test_r_markdown_keeps_code_without_its_options() -> None:
    """F-1122: R and Quarto Markdown were refused."""
    text = (
        "---\ntitle: Report\n---\n\n## Setup {#sec .x}\n\n```{r setup, include=FALSE}\n#| label: a\n"
        "x <- 1\n```\n\n"
        '::: {.callout-note title="Mind"}\nText [small]{.sc} {{< include a.qmd >}}.\n<!-- no -->\n'
        ":::\n\n```{python}\ny = 2\n```\n\n"
        "```\n{r}\n```\n"
    )
    document = parse(text.encode(), "text/x-rmarkdown", "a.qmd")
    assert document.title == "Report"
    assert document.text == (
        "## Setup\n\n```r\nx <- 1\n```\n\nMind\nText small .\n\n```python\ny = 2\n```\n\n```\n{r}\n```\n"
    )
    assert document.sections[0].heading_path == ("Setup",)
    assert document.dropped["markup"] > 50


def test_toml_front_matter() -> None:
    text = (
        '+++\ntitle = "Hugo 页"\ndate = 2026-01-02\ndraft = false\n[extra]\na = 1\n+++\n\n# Other\n\nText.\n'
    )
    document = parse(text.encode(), "text/markdown", "a.md")
    assert document.title == "Hugo 页"
    assert document.metadata == {"title": "Hugo 页", "date": "2026-01-02", "draft": False}
    assert document.text == "# Other\n\nText.\n"
    assert parse(b"+++\nno toml\n+++\ntext", "text/markdown", "a.md").text == "+++\nno toml\n+++\ntext"


SRT = (
    "1\n00:00:01,000 --> 00:00:04,000\n<i>Welcome to the</i> kiln\n\n2\n"
    "00:00:04,500 --> 00:00:07,000\nroom. Today\n\n"
    "3\n00:00:08,000 --> 00:00:09,000\n- Who signs?\n- The chief.\n\n4\n"
    "00:01:30,000 --> 00:01:31,000\n你好，{\\an8}今天\n我们开始。\n"
)


def test_subtitles_are_what_is_spoken() -> None:
    """F-1122: subtitles were refused."""
    document = parse(SRT.encode(), "application/x-subrip", "talks/kiln.srt")
    assert document.title == "kiln"
    assert document.text == (
        "## 0:00:01\n\nWelcome to the kiln room. Today\n\nWho signs?\n\nThe chief.\n\n## 0:01:30\n\n"
        "你好，今天我们开始。"
    )
    text = (
        "WEBVTT\n\nNOTE hidden\n\nSTYLE\n::cue {}\n\nintro\n00:01.000 --> 00:02.000 align:start\n"
        "<v Ann>Fire &amp; heat\n\n"
        "00:02.000 --> 00:03.000\nFire & heat\n\n00:03.000 --> 00:04.000\n<00:03.500><c>rise</c>\n"
    )
    assert parse(text.encode(), "text/vtt", "a.vtt").text == "## 0:00:01\n\nAnn: Fire & heat Fire & heat rise"
    with pytest.raises(DocumentError) as raised:
        parse(b"no times", "text/vtt", "a.vtt")
    assert raised.value.code == "parse_failed"


def test_a_rolling_line_is_written_once() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\none two\n\n00:02.000 --> 00:03.000\none two\nthree\n"
    assert parse(text.encode(), "text/vtt", "a.vtt").text == "## 0:00:01\n\none two three"


def test_a_bad_line_of_json_lines_is_named() -> None:
    """F-1134: one bad line refused the whole file, and the message named another line."""
    document = parse(b'{"a": 1}\n{"a": cut\n\n{"a": 3}\n', "application/jsonl", "a.jsonl")
    assert document.text == "a: 1\n\na: 3"
    assert document.metadata == {"bad_lines": "2"}
    assert document.dropped == {"bad_line": len('{"a": cut')}
    with pytest.raises(DocumentError, match="Line 1 "):
        parse(b"no\nno\n", "application/jsonl", "a.jsonl")


def test_json_with_comments() -> None:
    """F-1134: JSON with comments, as tsconfig.json, was refused."""
    text = '{\n  // one "a"\n  "url": "http://x//y", /* two */\n  "list": [1, 2,],\n}\n'
    document = parse(text.encode(), "application/json", "tsconfig.json")
    assert document.text == "url: http://x//y\nlist: 1, 2"
    assert document.dropped == {"comment": len('// one "a"/* two */')}
    with pytest.raises(DocumentError):
        parse(b'{"a": /* }', "application/json", "a.json")


def test_anonymous_is_no_title() -> None:
    """F-1134: the title "(anonymous)" passed."""
    from ingest.parsers.titles import usable_title

    assert usable_title("(anonymous)") == ""


def test_html_in_json_is_what_it_shows() -> None:
    """F-1134: HTML in JSON strings stayed raw."""
    text = '{"body": "<h2>Kiln</h2><p>Fire &amp; <b>heat</b><br>slowly.</p>", "code": "List<String> a < b"}'
    document = parse(text.encode(), "application/json", "a.json")
    assert document.text == "body: ## Kiln\nFire & heat\nslowly.\ncode: List<String> a < b"


def test_colours_of_a_terminal_go() -> None:
    """F-1132: of ANSI colours only the escape character went."""
    text = "\x1b[31mepoch 1\x1b[0m \x1b[1;32mdone\x1b[K [31m stays\n"
    assert parse(text.encode(), "text/plain", "a.log").text == "epoch 1 done [31m stays\n"


# Long tables of Markdown


ROWS = "".join(f"| W-{number} | {number} t |\n" for number in range(30))


@pytest.mark.parametrize("media_type", ["text/markdown", "text/mdx", "text/x-rmarkdown"])
def test_rows_of_a_long_table_name_their_columns(media_type: str) -> None:
    """F-1132: later chunks of a long table had no header."""
    text = f"# Works\n\nAll works:\n| Code | Output |\n|:-----|---:|\n{ROWS}\nEnd.\n"
    stored = parse(text.encode(), media_type, "x").text
    assert "All works:\n\nCode | Output\n\n- Code: W-0 | Output: 0 t\n- Code: W-1 | Output: 1 t\n" in stored
    assert stored.endswith("- Code: W-29 | Output: 29 t\n\nEnd.\n")


@pytest.mark.parametrize(
    "text",
    [
        f"```\n| Code | Output |\n|---|---|\n{ROWS}```\n",
        f"    | Code | Output |\n    |---|---|\n{ROWS}",
        f"| Code | Output |\n|---|\n{ROWS}",
        "| Code | Output |\n|---|---|\n| W-1 | 1 t |\n",
        "a | b\n\n" * 40,
    ],
)
def test_other_text_with_bars_stays_as_it_is(text: str) -> None:
    assert parse(text.encode(), "text/markdown", "x.md").text == text


def test_what_steers_a_site_generator_is_left_out_and_counted() -> None:
    text = (
        "---\ntitle: Nets\n---\n## Knots {#k}\n\n{% include toc.html %}\nMend.\n{: .note}\n"
        "{% comment %}no{% endcomment %}\n"
        '{{< tab header="Linux" >}}knot{{< /tab >}} and `{% raw %}`\n\n'
        "{% highlight sh %}\nknot -v\n{% endhighlight %}\n"
    )
    document = parse(text.encode(), "text/markdown", "x.md")
    assert "## Knots\n" in document.text
    assert "Linux: knot and `{% raw %}`" in document.text
    assert "```sh\nknot -v\n```" in document.text
    assert not {"include", "comment", "note"} & set(document.text.replace("`", " ").split())
    assert set(document.dropped) == {"comment", "markup"}
    plain = text.partition("---\n")[2].partition("---\n")[2]
    assert parse(plain.encode(), "text/markdown", "x.md").text == plain


def test_comments_of_notes_with_links_are_left_out() -> None:
    rates = "See [[A]]: 5%%, then 7%%.\n"
    assert parse(rates.encode(), "text/markdown", "x.md").text == rates
    document = parse(b"See [[A]].\n\n%%\nnot for print\n%%\n\nEnd.\n", "text/markdown", "x.md")
    assert document.text.split() == ["See", "[[A]].", "End."]
    assert document.dropped == {"comment": 19}


@pytest.mark.parametrize(
    "text",
    [
        lambda n: "a" + " " * (3 * n) + "b {",
        lambda n: "# a" + " " * (3 * n) + "b {",
        lambda n: "`{% " * n,
        lambda n: "{% " * (2 * n),
        lambda n: "# {#\n" * n,
    ],
    ids=["spaces", "heading", "ticks", "tags", "headings"],
)
def test_marks_without_end_take_linear_time(text: Callable[[int], str]) -> None:
    def read(size: int) -> Callable[[], object]:
        return partial(parse, f"---\ntitle: x\n---\n{text(size)}".encode(), "text/markdown", "x.md")

    assert_linear(read, 1_000)


def test_a_long_key_is_text_and_where_it_would_be_repeated_it_is_cut_and_counted() -> None:
    """Files of translations have the text itself as key."""
    key = "All readings of a day are kept " * 10
    document = parse_json(
        json.dumps({key: "Alle Werte", "other": {key: {"a": 1, "b": 2}}}).encode(), "de.json"
    )
    assert f"{key.strip()}: Alle Werte" in document.text
    assert document.text.count("…") == 2
    assert document.dropped["key"] == len(key.strip()) - 200


def test_what_html_in_json_and_tables_of_markdown_hides_is_counted() -> None:
    page = "<p>Seen</p><!-- note --><p style='display:none'>unseen</p>"
    assert parse_json(json.dumps({"body": page}).encode(), "a.json").dropped == {"comment": 13, "hidden": 6}
    text = "# T\n\n<table><tr><td>Seen<!-- note --><b hidden>unseen</b></td></tr></table>\n"
    assert parse_markdown(text.encode(), "a.md").dropped == {"comment": 13, "hidden": 6}


def test_what_is_empty_in_json_is_said() -> None:
    document = parse_json(b'{"owner": "", "keywords": [], "scripts": {}, "n": 0, "x": null}', "a.json")
    assert document.text == 'owner: ""\nkeywords: []\nscripts: {}\nn: 0\nx: null'


def test_a_star_within_a_title_is_no_mark_of_a_heading() -> None:
    document = parse(b"*os_beos.txt*\tFor version 9.0\n\ntext\n", "text/plain", "a.txt")
    assert document.title == "*os_beos.txt* For version 9.0"


def test_the_heading_that_a_text_begins_with_is_its_title() -> None:
    assert parse_markdown(b"\n### Quick setup\n\ntext\n", "README.md").title == "Quick setup"
    assert parse_markdown(b"text\n\n### Quick setup\n", "README.md").title == "README"
    assert parse_markdown(b"## Part\n\n# Whole\n", "README.md").title == "Whole"
