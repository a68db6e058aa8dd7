"""Web pages as 19 site generators, wikis, shops and office programs write them, around texts given: small, no network.

    for page in make_pages(): page.html, page.main (what must be found, in order)

Each template is made by hand after the structure of the real one: its elements, roles, classes and ids, and the kinds
of furniture around the text. Words of the furniture are not in `main`. Not a copy of any theme's files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from typing import Final

from eval.fidelity import page_docs, page_sites
from eval.fidelity import page_parts as parts
from eval.fidelity.sample import Sample
from eval.fidelity.stories import STORIES, Story, headings_of, words_of

# Words that the frames have around the text, of which none is the text's.
FURNITURE: Final = (
    "Skip to content",
    "Skip to main content",
    "Was this page helpful?",
    "Was this helpful?",
    "Edit this page",
    "Cookie consent",
    "cookies",
    "Share this:",
    "Leave a Reply",
    "Jump to navigation",
    "Previous page",
    "Search docs",
    "On this page",
    "All rights reserved.",
    "Copyright",
    "Join our newsletter",
    "上一篇",
)


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `main`: the words of its text in order, a block a line, as a reader goes through it."""

    name: str
    html: str
    main: str


@dataclass(frozen=True, slots=True)
class Template:
    """How one generator writes the parts of a text, and the page around them. `title_in_body`: whether the page's
    frame writes the title itself."""

    name: str
    frame: Callable[[str, str], str]  # title, body → page
    heading: Callable[[str], str]
    code: Callable[[str, str], str]  # language, code
    note: Callable[[str, str], str]  # title, text
    tabs: Callable[[Sequence[tuple[str, str]]], str]
    source: tuple[str, str] = (
        "",
        "",
    )  # where the text is from, as the frame says under the title and at the end


def make_pages() -> Iterator[Page]:
    """Yield every text in every template."""
    for template in TEMPLATES:
        for story in STORIES:
            body = body_of(template, story)
            page = template.frame(escape(story.title), body)
            under, end = template.source
            main = "\n".join(part for part in (story.title, under, *_words(story), end) if part)
            yield Page(f"{template.name}-{story.name}", page, main)


def make_page_files() -> Iterator[Sample]:
    """Yield every text in every template as a file; its title is what the tab of a browser shows."""
    for page, story in zip(make_pages(), STORIES * len(TEMPLATES), strict=True):
        told = re.search("<title>(.*?)</title>", page.html)
        title = unescape(told[1]) if told else story.title
        content = page.html.encode()
        yield Sample(
            f"html/{page.name}.html",
            content,
            words_of(story, title=True),
            FURNITURE,
            title,
            headings_of(story),
        )


def _words(story: Story) -> Iterator[str]:
    for kind, *texts in story.blocks:
        yield "\n".join(texts[1:] if kind == "code" else texts)


def body_of(template: Template, story: Story) -> str:
    """The text in the parts of a template."""
    written: list[str] = []
    kinds = [block[0] for block in story.blocks]
    for at, (kind, *raw) in enumerate(story.blocks):
        texts = [escape(text, quote=False) for text in raw]
        is_first = at == 0 or kinds[at - 1] != kind
        is_last = at + 1 == len(kinds) or kinds[at + 1] != kind
        if kind == "p":
            written.append(f"<p>{texts[0]}</p>")
        elif kind == "h2":
            written.append(template.heading(texts[0]))
        elif kind == "li":
            written.append(f"{'<ul>' * is_first}<li>{texts[0]}</li>{'</ul>' * is_last}")
        elif kind == "row":
            cell = "th" if is_first else "td"
            cells = "".join(f"<{cell}>{text}</{cell}>" for text in texts)
            written.append(f"{'<table>' * is_first}<tr>{cells}</tr>{'</table>' * is_last}")
        elif kind == "code":
            written.append(template.code(texts[0], texts[1]))
        elif kind == "note":
            written.append(template.note(texts[0], texts[1]))
        elif kind == "tabs":
            written.append(template.tabs(list(zip(texts[::2], texts[1::2], strict=True))))
    return "\n".join(written)


TEMPLATES: Final = (
    Template(
        "docusaurus",
        page_docs.docusaurus,
        parts.signed_heading("&#8203;", "hash-link"),
        parts.docusaurus_code,
        parts.docusaurus_note,
        parts.hidden_panels,
    ),
    Template(
        "mkdocs-material",
        page_docs.material,
        parts.signed_heading("¶", "headerlink"),
        parts.pygments_code,
        parts.material_note,
        parts.material_tabs,
    ),
    Template(
        "sphinx-rtd",
        page_docs.sphinx_rtd,
        parts.signed_heading("¶", "headerlink"),
        parts.pygments_code,
        parts.material_note,
        parts.sphinx_tabs,
    ),
    Template(
        "sphinx-furo",
        page_docs.furo,
        parts.signed_heading("¶", "headerlink"),
        parts.pygments_code,
        parts.material_note,
        parts.design_tabs,
    ),
    Template(
        "hexo-next",
        page_sites.hexo,
        parts.signed_heading("", "headerlink", first=True),
        parts.hexo_code,
        parts.alert_note,
        parts.bootstrap_tabs,
    ),
    Template(
        "hugo-docsy",
        page_docs.hugo,
        parts.signed_heading("", "td-heading-self-link"),
        parts.chroma_code,
        parts.alert_note,
        parts.bootstrap_tabs,
    ),
    Template(
        "vitepress",
        page_docs.vitepress,
        parts.signed_heading("&#8203;", "header-anchor"),
        parts.vitepress_code,
        parts.details_note,
        parts.group_tabs,
    ),
    Template(
        "vuepress",
        page_docs.vuepress,
        parts.signed_heading("#", "header-anchor", first=True),
        parts.vitepress_code,
        parts.material_note,
        parts.details,
    ),
    Template(
        "wordpress",
        page_sites.wordpress,
        parts.plain_heading,
        parts.plain_code,
        parts.alert_note,
        parts.onclick_tabs,
    ),
    Template(
        "confluence",
        page_sites.confluence,
        parts.plain_heading,
        parts.plain_code,
        parts.material_note,
        parts.accordion,
    ),
    Template(
        "mediawiki",
        page_sites.mediawiki,
        parts.mediawiki_heading,
        parts.plain_code,
        parts.alert_note,
        parts.details,
        ("From the plant wiki", 'Retrieved from "https://w.example"'),
    ),
    Template(
        "gitbook",
        page_docs.gitbook,
        parts.plain_heading,
        parts.plain_code,
        parts.alert_note,
        parts.hidden_panels,
    ),
    Template(
        "jekyll", page_docs.jekyll, parts.plain_heading, parts.rouge_code, parts.alert_note, parts.accordion
    ),
    Template(
        "javadoc",
        page_docs.javadoc,
        parts.signed_heading("", "anchor-link"),
        parts.plain_code,
        parts.material_note,
        parts.details,
    ),
    Template(
        "notion", page_sites.notion, parts.plain_heading, parts.plain_code, parts.notion_note, parts.details
    ),
    Template("word", page_sites.word, parts.plain_heading, parts.plain_code, parts.alert_note, parts.details),
    Template(
        "sharepoint",
        page_sites.sharepoint,
        parts.plain_heading,
        parts.host_code,
        parts.alert_note,
        parts.accordion,
    ),
    Template(
        "shop", page_sites.shop, parts.plain_heading, parts.plain_code, parts.alert_note, parts.bootstrap_tabs
    ),
    Template(
        "by-hand",
        page_sites.headed,
        parts.plain_heading,
        parts.host_code,
        parts.aside_note,
        parts.onclick_tabs,
    ),
)
