# ruff: noqa: E501 (lines of markup)
"""Markdown as sites and editors keep it: GitHub, Hexo, Hugo, Jekyll, MkDocs, Docusaurus, VuePress, Obsidian, Typora."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from eval.fidelity.sample import Sample
from eval.fidelity.stories import (
    ARCHIVE,
    BAKERY,
    FERRY,
    FREEZER,
    GUIDE,
    LIBRARY,
    MARKET,
    MUSEUM,
    POLICY,
    PRODUCT,
    Story,
    headings_of,
    parts_of,
    words_of,
)

Note = Callable[[str, str], str]


def make_markdown() -> Iterator[Sample]:
    """Yield the samples of Markdown and its kin."""
    yield _story("github", GUIDE, head="# {title}\n", note=_alert, more="[^1]\n\n[^1]: Measured in March.\n")
    yield _story("hexo", POLICY, head=_FRONT_ZH, note=_quote, setext=True)
    yield _story("hugo", PRODUCT, head=_TOML, note=_shortcode, never=("weight = 30", "draft"))
    yield _story("jekyll", FERRY, head=_FRONT, note=_kramdown, never=("layout", "permalink"))
    yield _story("mkdocs", BAKERY, head="# {title}\n", note=_admonition)
    yield _story(
        "docusaurus", GUIDE, head=_FRONT_ID, note=_colons, never=("sidebar_position", "Gone from here")
    )
    yield _story("vuepress", LIBRARY, head="# {title}\n", note=_container)
    yield _story("obsidian", ARCHIVE, head=_OBSIDIAN, note=_callout, never=("Entwurf",))
    yield _story("typora", FREEZER, head="# {title}\n\n[TOC]\n", note=_quote, crlf=True)
    yield _story("bom", MUSEUM, head="\ufeff# {title}\n", note=_quote)
    yield _story("setext", MARKET, head="{title}\n======\n", note=_quote, setext=True)
    yield from _single()


def make_kin() -> Iterator[Sample]:
    """Yield MDX, R Markdown and Quarto."""
    mdx = (
        "---\ntitle: {title}\n---\n\nimport Tabs from '@theme/Tabs';\nimport {{ Note }} from \"../parts\";\n\n"
        "export const limit = 40;\n"
    )
    for story in (GUIDE, POLICY, FERRY):
        yield _story(
            "docs",
            story,
            head=mdx,
            note=_component,
            folder="mdx",
            never=("@theme/Tabs", "export const limit"),
        )
    yield Sample(
        "mdx/nextra.mdx",
        b"---\ntitle: Rate limits\n---\n\nimport { Callout, Tab } from 'nextra/components'\n\n# Rate limits\n\n<Callout "
        b'type="warning" emoji="!">\n  Bursts above **40** calls are cut.\n</Callout>\n\n<Tabs items={["curl", "Python"]}>\n'
        b"  <Tab>\n  ```bash\n  curl -i https://kiln.example/v2\n  ```\n  </Tab>\n</Tabs>\n\n"
        b"The window is {props.window} seconds wide.\n\n{/* internal: raise in May */}\n",
        ("Rate limits", "Bursts above", "curl -i https://kiln.example/v2"),
        ("nextra/components", "raise in May"),
        "Rate limits",
        ("Rate limits",),
    )
    rmd = (
        '---\ntitle: "{title}"\nauthor: "Ada Holm"\ndate: "`r Sys.Date()`"\noutput: html_document\n---\n\n'
        "```{{r setup, include=FALSE}}\nknitr::opts_chunk$set(echo = TRUE)\n```\n"
    )
    for story in (BAKERY, LIBRARY):
        yield _story("knitr", story, head=rmd, note=_quote, folder="Rmd", never=("html_document",))
    quarto = '---\ntitle: "{title}"\nformat:\n  html:\n    toc: true\nexecute:\n  echo: false\n---\n'
    for story in (GUIDE, ARCHIVE):
        yield _story("quarto", story, head=quarto, note=_fenced_div, folder="qmd", never=("toc: true",))
    yield Sample(
        "qmd/figures.qmd",
        b"---\ntitle: Tide tables\nbibliography: refs.bib\n---\n\n## Neap tides {#sec-neap .unnumbered}\n\n"
        b"```{python}\n#| label: fig-tide\n#| fig-cap: Heights at the pier\n#| warning: false\nplot(heights)\n```\n\n"
        b"See @fig-tide and [@holm2021, p. 4]. The lowest neap of the year was 0.42 m.\n\n::: {.callout-tip}\n"
        b"## Reading the gauge\nRead at eye level.\n:::\n",
        (
            "Neap tides",
            "plot(heights)",
            "The lowest neap of the year was 0.42 m.",
            "Reading the gauge",
            "Read at eye level.",
        ),
        ("bibliography", "callout-tip", "sec-neap"),
        "Tide tables",
        ("Neap tides",),
    )


def _story(
    tool: str,
    story: Story,
    *,
    head: str,
    note: Note,
    folder: str = "md",
    setext: bool = False,
    crlf: bool = False,
    more: str = "",
    never: tuple[str, ...] = (),
) -> Sample:
    text = head.format(title=story.title) + "\n" + _body(story, note, setext=setext) + more
    if crlf:
        text = text.replace("\n", "\r\n")
    return Sample(
        f"{folder}/{tool}-{story.name}.{folder}",
        text.encode(),
        words_of(story),
        never,
        story.title,
        headings_of(story),
    )


def _body(story: Story, note: Note, *, setext: bool) -> str:
    blocks: list[str] = []
    for kind, items in parts_of(story):
        first = items[0]
        if kind == "h2":
            blocks.append(f"{first[0]}\n------" if setext else f"## {first[0]}")
        elif kind == "h3":
            blocks.append(f"### {first[0]}")
        elif kind == "p":
            blocks.append(first[0])
        elif kind == "li":
            blocks.append("\n".join(f"- {text}" for (text,) in items))
        elif kind == "ol":
            blocks.append("\n".join(f"{number}. {text}" for number, (text,) in enumerate(items, start=1)))
        elif kind == "row":
            rows = [f"| {' | '.join(row)} |" for row in items]
            blocks.append("\n".join([rows[0], f"|{' --- |' * len(first)}", *rows[1:]]))
        elif kind == "code":
            blocks.append(f"```{first[0]}\n{first[1]}\n```")
        elif kind == "note":
            blocks.append(note(first[0], first[1]))
        elif kind == "tabs":
            blocks += [f"**{label}**\n\n{text}" for label, text in zip(first[::2], first[1::2], strict=True)]
    return "\n\n".join(blocks) + "\n"


def _alert(title: str, text: str) -> str:
    return f"> [!WARNING]\n> {title}\n> {text}"


def _quote(title: str, text: str) -> str:
    return f"> **{title}**\n>\n> {text}"


def _shortcode(title: str, text: str) -> str:
    return f'{{{{< alert title="{title}" >}}}}\n{title}\n{text}\n{{{{< /alert >}}}}'


def _kramdown(title: str, text: str) -> str:
    return f"{title}\n\n{text}\n{{: .warning}}"


def _admonition(title: str, text: str) -> str:
    return f'!!! warning "{title}"\n\n    {text}'


def _colons(title: str, text: str) -> str:
    return f":::warning[{title}]\n\n{text}\n\n:::\n\n<!-- Gone from here -->"


def _container(title: str, text: str) -> str:
    return f"::: warning {title}\n{text}\n:::"


def _callout(title: str, text: str) -> str:
    return f"> [!warning]- {title}\n> {text}\n\n%% Entwurf %%"


def _component(title: str, text: str) -> str:
    return f'<Note kind="warning">\n\n**{title}**\n\n{text}\n\n</Note>'


def _fenced_div(title: str, text: str) -> str:
    return f"::: {{.callout-warning}}\n## {title}\n\n{text}\n:::"


_FRONT: Final = "---\nlayout: page\ntitle: {title}\npermalink: /x/\n---\n"
_FRONT_ZH: Final = (
    '---\ntitle: "{title}"\ndate: 2026-03-01 10:00:00\ntags:\n  - 制度\ncategories: 财务\n---\n'
)
_FRONT_ID: Final = "---\nid: relay\ntitle: {title}\nsidebar_position: 2\n---\n"
_TOML: Final = '+++\ntitle = "{title}"\nweight = 30\ndraft = false\n+++\n'
_OBSIDIAN: Final = "---\naliases: [Зал]\ntags: [архив]\n---\n\n# {title}\n"


def _single() -> Iterator[Sample]:
    """Files for one hard thing each."""
    yield Sample(
        "md/html-inside.md",
        b"# Fees\n\n<details>\n<summary>Older fees</summary>\n\nUntil 2024 the fee was 12 euros.\n\n</details>\n\n<table>\n"
        b"<tr><th>Kind</th><th>Fee</th></tr>\n<tr><td>Boat</td><td>18</td></tr>\n</table>\n\n"
        b'<p align="center"><img src="logo.png" alt="Logo of the port" width="80"></p>\n\nPress <kbd>Ctrl</kbd>+<kbd>S'
        b"</kbd> to save.<!-- TODO ask Nils -->\n",
        ("Older fees", "Until 2024 the fee was 12 euros.", "Kind Fee", "Boat 18", "Press Ctrl+S to save."),
        ("TODO ask Nils", "summary", "kbd", "logo.png"),
        "Fees",
        ("Fees",),
    )
    yield Sample(
        "md/nested-fence.md",
        b"# Writing fences\n\n````markdown\n```python\n# not a heading\nx = 1\n```\n````\n\n    # nor is this, indented\n\n"
        b"After the fence the text goes on.\n\n## Rules\n\nUse four marks around three.\n",
        (
            "# not a heading",
            "x = 1",
            "# nor is this, indented",
            "After the fence the text goes on.",
            "Use four marks around three.",
        ),
        (),
        "Writing fences",
        ("Writing fences", "Rules"),
    )
    yield Sample(
        "md/links.md",
        '# 参考\n\n见[使用手册](https://docs.example/a_(b).html "手册")第三章，或写信至 <help@kiln.example>。\n\n![流程图](img/flow.png)\n\n'
        "[手册]: https://docs.example/manual\n\n- [x] 已完成：校对\n- [ ] 未完成：排版\n\n~~旧价 20 元~~ 新价 18 元，公式 $E=mc^2$。\n".encode(),
        ("参考", "使用手册", "help@kiln.example", "已完成：校对", "未完成：排版", "新价 18 元", "E=mc^2"),
        (),
        "参考",
        ("参考",),
    )
    yield Sample(
        "md/table-hard.md",
        b"# Codes\n\n| Code | Meaning | Note |\n|:-----|:-------:|-----:|\n| `a\\|b` | either | |\n| 0042 | **urgent** | see "
        b"[list](x.md) |\n| 3.10 | version, not a number | 1&nbsp;000 |\n",
        ("Code Meaning Note", "either", "0042", "urgent", "see", "3.10", "version, not a number", "000"),
        (),
        "Codes",
    )
    rows = "".join(f"| W-{at:03d} | Plant {at} \\| north | {7 * at} |\n" for at in range(1, 61))
    yield Sample(
        "md/long-table.md",
        f"# Works\n\nAll works of the north:\n| Code | Plant | Tons a year |\n|---|:--|--:|\n{rows}\nClosed works are left out.\n".encode(),
        (
            "Works",
            "All works of the north:",
            "Code: W-001",
            "Plant: Plant 1",
            "Tons a year: 7",
            "Code: W-060",
            "Tons a year: 420",
            "Closed works are left out.",
        ),
        (),
        "Works",
        ("Works",),
    )
    yield Sample(
        "md/definitions.md",
        b"Glossary of the yard\n====================\n\nBollard\n:   A post that ropes are made fast to.\n\nFender\n"
        b":   What keeps hull and quay apart.[^f]\n\n[^f]: Old tyres will do.\n\nHeading with *stress* and `code` {#stress}\n"
        b"----------------------------------------\n\nThe last line has no newline at its end.",
        (
            "Glossary of the yard",
            "Bollard",
            "A post that ropes are made fast to.",
            "What keeps hull and quay apart.",
            "Old tyres will do.",
            "The last line has no newline at its end.",
        ),
        (),
        "Glossary of the yard",
        ("Glossary of the yard",),
    )
