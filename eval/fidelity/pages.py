# ruff: noqa: E501 (lines of markup)
"""Web pages as 18 site generators, wikis, shops and office programs write them, around texts given: small, no network.

    for page in make_pages(): page.html, page.main (what must be found, in order)

Each template is made by hand after the structure of the real one: its elements, roles, classes and ids, and the kinds
of furniture around the text. Words of the furniture are not in `main`. Not a copy of any theme's files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

Block = tuple[str, ...]  # kind, then its texts


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `main`: the words of its text in order, a block a line, as a reader goes through it."""

    name: str
    html: str
    main: str


@dataclass(frozen=True, slots=True)
class Story:
    """A text: "h2", "p", "li", "row", "code" (language, code), "note" (title, text), "tabs" (label, text, …)."""

    name: str
    title: str
    blocks: tuple[Block, ...]


STORIES: Final = (
    Story(
        "guide",
        "Set up the relay agent",
        (
            (
                "p",
                "The relay agent forwards readings from the meters of a plant to the archive every five minutes.",
            ),
            ("p", "It needs 200 MB of memory, one open port and an account that may write to the archive."),
            ("h2", "Install the agent"),
            (
                "tabs",
                "Debian",
                "Run apt install relay as root.",
                "Windows",
                "Run winget install relay from a terminal.",
            ),
            ("p", "The service starts by itself once the package is in place."),
            ("code", "python", "def load(path):\n    with open(path) as file:\n        return file.read()"),
            ("note", "Warning", "Never run two agents against one archive, or readings are written twice."),
            ("h2", "Limits by plan"),
            ("row", "Plan", "Meters", "Days kept"),
            ("row", "Basic", "40", "90"),
            ("row", "Large", "2500", "730"),
            ("h2", "What to check afterwards"),
            ("li", "The green lamp is lit within a minute."),
            ("li", "The log names the archive and its version."),
            ("p", "If the lamp stays dark, read the last line of the log and restart the agent once."),
        ),
    ),
    Story(
        "policy",
        "差旅报销制度",
        (
            (
                "p",
                "本制度适用于公司全体员工因公出差所发生的交通、住宿和餐饮费用，自二〇二五年三月一日起施行。",
            ),
            ("h2", "标准与限额"),
            ("row", "级别", "住宿上限", "每日补贴"),
            ("row", "经理", "650 元", "120 元"),
            ("row", "员工", "450 元", "100 元"),
            ("p", "超出限额的部分由个人承担，确有特殊情况的须事先取得部门负责人的书面同意。"),
            ("note", "警告", "虚假票据一经查实，取消当年全部报销资格。"),
            ("h2", "如何提交"),
            (
                "tabs",
                "网页端",
                "在报销页面上传发票照片并填写行程。",
                "手机端",
                "打开应用后点击拍照，系统自动识别金额。",
            ),
            ("li", "发票抬头必须与公司全称一致。"),
            ("li", "出差结束后三十天内提交，逾期不予受理。"),
            ("code", "bash", "curl -F file=@invoice.pdf https://fees.example/upload"),
            ("p", "财务部在五个工作日内完成审核并付款。"),
        ),
    ),
    Story(
        "product",
        "Field kettle of enamelled steel",
        (
            (
                "p",
                "A kettle for open fires and stoves, with a lid that stays on while pouring and a handle of beech.",
            ),
            ("p", "It holds 1.4 litres, weighs 780 grams and costs 48.50 euros including tax."),
            ("h2", "Care"),
            ("li", "Rinse with warm water and dry at once."),
            ("li", "Do not scour the enamel with steel wool."),
            ("note", "Note", "The base grows hot enough to mark a wooden table."),
            ("h2", "Sizes"),
            ("row", "Size", "Volume", "Article"),
            ("row", "Small", "0.9 l", "FK-09"),
            ("row", "Tall", "1.4 l", "FK-14"),
            (
                "tabs",
                "Warranty",
                "Ten years against cracks.",
                "Delivery",
                "Three to five working days within Europe.",
            ),
            ("code", "json", '{"article": "FK-14", "stock": 12}'),
            ("p", "Spare lids and handles are sold separately and fit all years of make."),
        ),
    ),
)


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


def make_pages() -> Iterator[Page]:
    """Yield every text in every template."""
    for template in TEMPLATES:
        for story in STORIES:
            body = _body(template, story)
            page = template.frame(escape(story.title), body)
            yield Page(f"{template.name}-{story.name}", page, "\n".join([story.title, *_words(story)]))


def _words(story: Story) -> Iterator[str]:
    for kind, *texts in story.blocks:
        yield "\n".join(texts[1:] if kind == "code" else texts)


def _body(template: Template, story: Story) -> str:
    parts: list[str] = []
    kinds = [block[0] for block in story.blocks]
    for at, (kind, *raw) in enumerate(story.blocks):
        texts = [escape(text, quote=False) for text in raw]
        is_first = at == 0 or kinds[at - 1] != kind
        is_last = at + 1 == len(kinds) or kinds[at + 1] != kind
        if kind == "p":
            parts.append(f"<p>{texts[0]}</p>")
        elif kind == "h2":
            parts.append(template.heading(texts[0]))
        elif kind == "li":
            parts.append(f"{'<ul>' * is_first}<li>{texts[0]}</li>{'</ul>' * is_last}")
        elif kind == "row":
            cell = "th" if is_first else "td"
            cells = "".join(f"<{cell}>{text}</{cell}>" for text in texts)
            parts.append(f"{'<table>' * is_first}<tr>{cells}</tr>{'</table>' * is_last}")
        elif kind == "code":
            parts.append(template.code(texts[0], texts[1]))
        elif kind == "note":
            parts.append(template.note(texts[0], texts[1]))
        elif kind == "tabs":
            parts.append(template.tabs(list(zip(texts[::2], texts[1::2], strict=True))))
    return "\n".join(parts)


# Parts


def _slug(text: str) -> str:
    return "-".join(text.lower().split())


def _plain_heading(text: str) -> str:
    return f'<h2 id="{_slug(text)}">{text}</h2>'


def _signed_heading(sign: str, name: str, *, first: bool = False) -> Callable[[str], str]:
    """A heading with a link to itself, before or after its words."""

    def write(text: str) -> str:
        link = f'<a class="{name}" href="#{_slug(text)}" title="Link to this heading" aria-label="Permalink">{sign}</a>'
        return f'<h2 id="{_slug(text)}">{link + " " + text if first else text + link}</h2>'

    return write


def _plain_code(language: str, code: str) -> str:
    return f'<pre><code class="language-{language}">{code}</code></pre>'


def _spans(code: str, sep: str, **kinds: str) -> str:
    name = kinds.get("name", "line")
    return sep.join(f'<span class="{name}">{line}</span>' for line in code.split("\n"))


def _count(code: str, pattern: str, sep: str) -> str:
    return sep.join(pattern.format(number) for number in range(1, code.count("\n") + 2))


def _hexo_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="line">{}</span><br>', "")
    lines = "".join(f'<span class="line">{line}</span><br>' for line in code.split("\n"))
    return (
        f'<figure class="highlight {language}"><table><tr><td class="gutter"><pre>{numbers}</pre></td>'
        f'<td class="code"><pre>{lines}</pre></td></tr></table></figure>'
    )


def _pygments_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="normal">{}</span>', "\n")
    return (
        f'<div class="highlight-{language} notranslate"><div class="highlight"><table class="highlighttable"><tbody><tr>'
        f'<td class="linenos"><div class="linenodiv"><pre>{numbers}</pre></div></td>'
        f'<td class="code"><div><pre><span></span><code>{code}\n</code></pre></div></td></tr></tbody></table></div></div>'
    )


def _rouge_code(language: str, code: str) -> str:
    numbers = _count(code, "{}", "\n")
    return (
        f'<div class="language-{language} highlighter-rouge"><div class="highlight"><pre class="highlight"><code>'
        f'<table class="rouge-table"><tbody><tr><td class="rouge-gutter gl"><pre class="lineno">{numbers}\n</pre></td>'
        f'<td class="rouge-code"><pre>{code}\n</pre></td></tr></tbody></table></code></pre></div></div>'
    )


def _chroma_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="lnt">{}\n</span>', "")
    return (
        '<div class="highlight"><div class="chroma"><table class="lntable"><tr>'
        f'<td class="lntd"><pre tabindex="0" class="chroma"><code>{numbers}</code></pre></td>'
        f'<td class="lntd"><pre tabindex="0" class="chroma"><code class="language-{language}" data-lang="{language}">'
        f"{_spans(code, chr(10))}</code></pre></td></tr></table></div></div>"
    )


def _vitepress_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="line-number">{}</span><br>', "")
    return (
        f'<div class="language-{language} vp-adaptive-theme line-numbers-mode"><button title="Copy Code" class="copy">'
        f'</button><span class="lang">{language}</span><pre class="shiki"><code>{_spans(code, chr(10))}</code></pre>'
        f'<div class="line-numbers-wrapper" aria-hidden="true">{numbers}</div></div>'
    )


def _docusaurus_code(language: str, code: str) -> str:
    lines = "".join(f'<span class="token-line">{line}<br></span>' for line in code.split("\n"))
    return (
        f'<div class="language-{language} codeBlockContainer_Ckt0"><div class="codeBlockContent_QJqH"><pre tabindex="0" '
        f'class="prism-code language-{language}"><code class="codeBlockLines_e6Vv">{lines}</code></pre><div '
        'class="buttonGroup_M5ko"><button type="button" aria-label="Copy code to clipboard">Copy</button></div></div></div>'
    )


def _host_code(language: str, code: str) -> str:
    """A line a row, as code hosts and highlighters of browsers write it."""
    rows = "".join(
        f'<tr><td class="hljs-ln-line hljs-ln-numbers" data-line-number="{number}">{number}</td>'
        f'<td class="hljs-ln-line hljs-ln-code">{line}</td></tr>'
        for number, line in enumerate(code.split("\n"), start=1)
    )
    return f'<pre><code class="hljs language-{language}"><table class="hljs-ln"><tbody>{rows}</tbody></table></code></pre>'


def _material_note(title: str, text: str) -> str:
    return f'<div class="admonition warning"><p class="admonition-title">{title}</p><p>{text}</p></div>'


def _aside_note(title: str, text: str) -> str:
    return f'<aside class="admonition warning"><strong>{title}</strong><p>{text}</p></aside>'


def _docusaurus_note(title: str, text: str) -> str:
    return (
        f'<div class="theme-admonition theme-admonition-warning alert alert--warning"><div class="admonitionHeading_G">'
        f'<span class="icon"><svg></svg></span>{title}</div><div class="admonitionContent_B"><p>{text}</p></div></div>'
    )


def _alert_note(title: str, text: str) -> str:
    return f'<div class="alert alert-warning" role="alert"><h4 class="alert-heading">{title}</h4>{text}</div>'


def _details_note(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><div><p>{text}</p></div></details>"


def _hidden_panels(panels: Sequence[tuple[str, str]]) -> str:
    """Docusaurus: labels and panels in the same order, the inactive ones hidden."""
    labels = "".join(
        f'<li role="tab" tabindex="-1" class="tabs__item tabItem_L">{label}</li>' for label, _ in panels
    )
    bodies = "".join(
        f'<div role="tabpanel" class="tabItem_Y"{" hidden" * (at > 0)}><p>{text}</p></div>'
        for at, (_, text) in enumerate(panels)
    )
    return (
        f'<div class="theme-tabs-container tabs-container tabList_C"><ul role="tablist" class="tabs">{labels}</ul>'
        f'<div class="margin-top--md">{bodies}</div></div>'
    )


def _material_tabs(panels: Sequence[tuple[str, str]]) -> str:
    inputs = "".join(f'<input id="__t_{at}" name="__t" type="radio">' for at in range(len(panels)))
    labels = "".join(f'<label for="__t_{at}">{label}</label>' for at, (label, _) in enumerate(panels))
    bodies = "".join(f'<div class="tabbed-block"><p>{text}</p></div>' for _, text in panels)
    return (
        f'<div class="tabbed-set tabbed-alternate" data-tabs="1:2">{inputs}<div class="tabbed-labels">{labels}</div>'
        f'<div class="tabbed-content">{bodies}</div></div>'
    )


def _sphinx_tabs(panels: Sequence[tuple[str, str]]) -> str:
    labels = "".join(
        f'<button aria-controls="panel-0-{at}" class="sphinx-tabs-tab" id="tab-0-{at}" role="tab">{label}</button>'
        for at, (label, _) in enumerate(panels)
    )
    bodies = "".join(
        f'<div aria-labelledby="tab-0-{at}" class="sphinx-tabs-panel" {"hidden" if at else ""} id="panel-0-{at}" '
        f'role="tabpanel"><p>{text}</p></div>'
        for at, (_, text) in enumerate(panels)
    )
    return (
        f'<div class="sphinx-tabs docutils container"><div aria-label="Tabbed content" role="tablist">{labels}</div>'
        f"{bodies}</div>"
    )


def _design_tabs(panels: Sequence[tuple[str, str]]) -> str:
    bodies = "".join(
        f'<input id="sd-{at}" name="sd" type="radio"><label class="sd-tab-label" for="sd-{at}">{label}</label>'
        f'<div class="sd-tab-content docutils"><p>{text}</p></div>'
        for at, (label, text) in enumerate(panels)
    )
    return f'<div class="sd-tab-set docutils">{bodies}</div>'


def _bootstrap_tabs(panels: Sequence[tuple[str, str]]) -> str:
    labels = "".join(
        f'<li class="nav-item"><a class="nav-link" data-bs-toggle="tab" data-bs-target="#t{at}" href="#t{at}">{label}</a>'
        "</li>"
        for at, (label, _) in enumerate(panels)
    )
    bodies = "".join(
        f'<div class="tab-pane fade{" show active" * (at == 0)}" id="t{at}" style="{"display:none" if at else ""}">'
        f"<p>{text}</p></div>"
        for at, (_, text) in enumerate(panels)
    )
    return f'<ul class="nav nav-tabs">{labels}</ul><div class="tab-content">{bodies}</div>'


def _group_tabs(panels: Sequence[tuple[str, str]]) -> str:
    """VitePress code groups."""
    labels = "".join(f'<input type="radio" name="g" id="g{at}"><label for="g{at}">{label}</label>'
                     for at, (label, _) in enumerate(panels))  # fmt: skip
    bodies = "".join(
        f'<div class="language-sh vp-adaptive-theme{" active" * (at == 0)}"><span class="lang">sh</span><pre class="shiki"><code>{text}</code></pre></div>'
        for at, (_, text) in enumerate(panels)
    )
    return (
        f'<div class="vp-code-group"><div class="tabs">{labels}</div><div class="blocks">{bodies}</div></div>'
    )


def _onclick_tabs(panels: Sequence[tuple[str, str]]) -> str:
    labels = "".join(
        f"""<button class="tablinks" onclick="openTab(event, 'p{at}')">{label}</button>"""
        for at, (label, _) in enumerate(panels)
    )
    bodies = "".join(
        f'<div id="p{at}" class="tabcontent" style="display:none"><p>{text}</p></div>'
        for at, (_, text) in enumerate(panels)
    )
    return f'<div class="tab">{labels}</div>{bodies}'


def _accordion(panels: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<div class="accordion-item"><h3 class="accordion-header"><button class="accordion-button collapsed" '
        f'data-bs-target="#c{at}" aria-expanded="false">{label}</button></h3><div id="c{at}" '
        f'class="accordion-collapse collapse" style="display: none"><div class="accordion-body">{text}</div></div></div>'
        for at, (label, text) in enumerate(panels)
    )


def _details(panels: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<details><summary>{label}</summary><p>{text}</p></details>" for label, text in panels)


# Pages


def _page(head: str, body: str, *, body_class: str = "", lang: str = "en") -> str:
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">{head}</head><body class="{body_class}">{body}'
        "</body></html>"
    )


def _links(*words: str, tag: str = "li", name: str = "") -> str:
    return "".join(f'<{tag} class="{name}"><a href="/{_slug(word)}/">{word}</a></{tag}>' for word in words)


def _docusaurus(title: str, body: str) -> str:
    return _page(
        f"<title>{title} | Kiln Docs</title>",
        f"""<div id="__docusaurus"><div role="region" aria-label="Skip to main content"><a class="skipToContent_fXgn"
href="#__docusaurus_skipToContent_fallback">Skip to main content</a></div><div class="announcementBar_mb4j"
role="banner">
<div class="content_knG7">Star us on the code host!</div><button aria-label="Close"><svg></svg></button></div>
<nav aria-label="Main" class="navbar navbar--fixed-top"><div class="navbar__inner"><a class="navbar__brand" href="/"><b
class="navbar__title">Kiln</b></a><a class="navbar__item navbar__link" href="/docs">Docs</a></div></nav>
<div class="main-wrapper"><div class="docRoot_UBD9"><div class="docsWrapper_hBAB"><aside
class="theme-doc-sidebar-container
docSidebarContainer_YfHR"><nav class="menu thin-scrollbar"><ul class="theme-doc-sidebar-menu menu__list">
{_links("Getting started", "Reference", name="menu__list-item")}</ul></nav></aside><main class="docMainContainer_TBSr">
<div class="container"><div class="row"><div class="col docItemCol_VOVn"><div class="theme-doc-version-banner"></div>
<div class="docItemContainer_Djhp"><article><nav class="theme-doc-breadcrumbs" aria-label="Breadcrumbs"><ul
class="breadcrumbs">{_links("Home page", "Guides")}</ul></nav><div class="tocCollapsible_ETCw
theme-doc-toc-mobile"><button
type="button" class="clean-btn tocCollapsibleButton_TO0P">On this page</button></div><div class="theme-doc-markdown
markdown">
<header><h1>{title}</h1></header>{body}</div><footer class="theme-doc-footer docusaurus-mt-lg"><div class="row"><div
class="col"><a href="https://h.example/edit" class="theme-edit-this-page">Edit this
page</a></div></div></footer></article>
<nav class="pagination-nav docusaurus-mt-lg" aria-label="Docs pages"><a class="pagination-nav__link" href="/p"><div
class="pagination-nav__sublabel">Previous</div><div class="pagination-nav__label">Intro</div></a></nav></div></div>
<div class="col col--3"><div class="tableOfContents_bqdL thin-scrollbar theme-doc-toc-desktop"><ul
class="table-of-contents">
{_links("Install", "Limits")}</ul></div></div></div></div></main></div></div></div><footer class="theme-layout-footer
footer
footer--dark"><div class="footer__copyright">Copyright 2026 Kiln project. Built with Docusaurus.</div></footer></div>""",
    )


def _material(title: str, body: str) -> str:
    return _page(
        f"<title>{title} - Kiln</title>",
        f"""<input class="md-toggle" type="checkbox" id="__drawer"><div data-md-component="skip"><a href="#x"
class="md-skip">Skip to content</a></div><header class="md-header"><nav class="md-header__inner md-grid"
aria-label="Header"><div class="md-header__title"><span class="md-ellipsis">Kiln handbook</span></div><div
class="md-search"
role="dialog"><form class="md-search__form"><input placeholder="Search"><div class="md-search-result__meta">Initializing
search</div></form></div></nav></header><div class="md-container"><main class="md-main"><div class="md-main__inner
md-grid">
<div class="md-sidebar md-sidebar--primary"><nav class="md-nav md-nav--primary"><label
class="md-nav__title">Kiln</label>
<ul class="md-nav__list">{_links("Overview", "Operation", name="md-nav__item")}</ul></nav></div><div class="md-sidebar
md-sidebar--secondary"><nav class="md-nav md-nav--secondary" aria-label="Table of contents"><label
class="md-nav__title">
Table of contents</label><ul>{_links("Install", "Limits", name="md-nav__item")}</ul></nav></div><div class="md-content">
<article class="md-content__inner md-typeset"><a href="/edit" title="Edit this page" class="md-content__button md-icon">
<svg></svg></a><h1 id="t">{title}<a class="headerlink" href="#t" title="Permanent link">¶</a></h1>{body}
<form class="md-feedback" name="feedback"><fieldset><legend class="md-feedback__title">Was this page helpful?</legend>
</fieldset></form></article></div></div><button type="button" class="md-top md-icon">Back to top</button></main>
<footer class="md-footer"><nav class="md-footer__inner"><a href="../" class="md-footer__link
md-footer__link--prev">Previous
Overview</a></nav><div class="md-footer-meta"><div class="md-copyright">Made with Material for
MkDocs</div></div></footer>
</div><div class="md-dialog"><div class="md-dialog__inner"></div></div><div class="md-consent"><div
class="md-consent__inner">
<form class="md-consent__form"><h4>Cookie consent</h4><p>We use cookies to recognize your
visits.</p><button>Accept</button>
</form></div></div>""",
    )


def _sphinx_rtd(title: str, body: str) -> str:
    return _page(
        f"<title>{title} &mdash; kiln 2.4 documentation</title>",
        f"""<div class="wy-grid-for-nav"><nav data-toggle="wy-nav-shift" class="wy-nav-side"><div class="wy-side-scroll">
<div class="wy-side-nav-search"><a href="index.html" class="icon icon-home">kiln</a><div class="version">2.4</div><div
role="search"><form class="wy-form"><input name="q" placeholder="Search docs"></form></div></div><div class="wy-menu"
role="navigation"><p class="caption"><span
class="caption-text">Contents:</span></p><ul>{_links("Setup", "API")}</ul></div>
</div></nav><section class="wy-nav-content-wrap"><nav class="wy-nav-top"><a href="index.html">kiln</a></nav><div
class="wy-nav-content"><div class="rst-content"><div role="navigation" aria-label="Page navigation"><ul
class="wy-breadcrumbs"><li><a href="/" class="icon icon-home"></a></li><li class="breadcrumb-item
active">{title}</li><li
class="wy-breadcrumbs-aside"><a href="_sources/x.rst.txt">View page source</a></li></ul><hr></div><div role="main"
class="document" itemscope><div itemprop="articleBody"><section id="t"><h1>{title}<a class="headerlink" href="#t"
title="Link to this heading">¶</a></h1>{body}</section></div></div><footer><div class="rst-footer-buttons"
role="navigation"><a href="prev.html" class="btn" rel="prev">Previous</a><a href="next.html"
rel="next">Next</a></div><hr>
<div role="contentinfo"><p>© Copyright 2026, the kiln team.</p></div>Built with Sphinx using a theme provided by Read
the
Docs.</footer></div></div></section></div><div class="rst-versions" role="note"><span class="rst-current-version">Read
the
Docs v: latest</span><div class="rst-other-versions"><dl><dt>Versions</dt><dd><a href="/en/latest/">latest</a></dd></dl>
</div></div>""",
    )


def _furo(title: str, body: str) -> str:
    return _page(
        f"<title>{title} - kiln</title>",
        f"""<div class="sidebar-drawer"><div class="sidebar-container"><div class="sidebar-sticky"><a class="sidebar-brand"
href="index.html"><span class="sidebar-brand-text">kiln manual</span></a><form class="sidebar-search-container"
role="search"><input class="sidebar-search"></form><div
class="sidebar-tree"><ul>{_links("Start", "Concepts")}</ul></div>
</div></div></div><header class="mobile-header"><div class="header-center"><a href="index.html"><div class="brand">kiln
manual</div></a></div></header><div class="page"><div class="main"><div class="content"><div class="article-container">
<a href="#" class="back-to-top muted-link"><span>Back to top</span></a><div class="content-icon-container"><div
class="view-this-page"><a class="muted-link" href="_sources/x.md.txt">View this page</a></div></div><article role="main"
id="furo-main-content"><section id="t"><h1>{title}<a class="headerlink"
href="#t">¶</a></h1>{body}</section></article></div>
<footer><div class="related-pages"><a class="next-page" href="next.html"><div class="page-info"><div
class="context"><span>
Next</span></div><div class="title">Concepts</div></div></a></div><div class="bottom-of-page"><div
class="left-details"><div
class="copyright">Copyright © 2026, kiln</div>Made with Sphinx and Furo</div></div></footer></div><aside
class="toc-drawer">
<div class="toc-sticky"><div class="toc-title-container"><span class="toc-title">On this page</span></div><div
class="toc-tree-container"><div class="toc-tree"><ul>{_links("Install", "Limits")}</ul></div></div></div></aside></div></div>""",
    )


def _hexo(title: str, body: str) -> str:
    return _page(
        f"<title>{title} | 山间札记</title>",
        f"""<div class="headband"></div><main class="main"><header class="header" itemscope><div class="header-inner"><div
class="site-brand-container"><div class="site-meta"><a href="/" class="brand" rel="start"><i class="logo-line"></i><p
class="site-title">山间札记</p></a></div></div><nav class="site-nav"><ul class="main-menu
menu">{_links("首页", "归档")}</ul>
</nav></div><div class="toggle sidebar-toggle" role="button"><span class="toggle-line"></span></div><aside
class="sidebar">
<div class="sidebar-inner"><ul class="sidebar-nav"><li class="sidebar-nav-toc">文章目录</li><li
class="sidebar-nav-overview">站点概览</li></ul><div class="sidebar-panel-container"><div class="post-toc-wrap"><div
class="post-toc"><ol class="nav">{_links("安装", "限制", name="nav-item")}</ol></div></div><div class="site-overview"><p
class="site-author-name">林一</p></div></div></div></aside></header><div class="main-inner post posts-expand"><div
class="post-block"><article itemscope class="post-content" lang="zh-CN"><header class="post-header"><h1
class="post-title"
itemprop="name headline">{title}</h1></header><div class="post-body" itemprop="articleBody">{body}</div><footer
class="post-footer"><div class="post-tags"><a href="/tags/a/" rel="tag"># 札记</a></div><div class="post-nav"><div
class="post-nav-item"><a href="/p1/" rel="prev">上一篇 山路</a></div></div></footer></article></div><div
class="comments"
id="gitalk-container"></div></div></main><footer class="footer"><div class="footer-inner"><div class="copyright">©
2026 林一
</div><div class="powered-by">由 Hexo 强力驱动</div></div></footer><div class="back-to-top"
role="button"><span>0%</span></div>
<div class="reading-progress-bar"></div>""",
        lang="zh-CN",
    )


def _hugo(title: str, body: str) -> str:
    return _page(
        f"<title>{title} :: Kiln</title>",
        f"""<header><nav class="js-navbar-scroll navbar navbar-expand navbar-dark"><a class="navbar-brand" href="/"><span
class="navbar-brand__name">Kiln cloud</span></a><ul
class="navbar-nav">{_links("Documentation", "Blog", name="nav-item")}</ul>
</nav></header><div class="container-fluid td-outer"><div class="td-main"><div class="row flex-xl-nowrap"><aside
class="col-12 td-sidebar d-print-none"><div id="td-sidebar-menu" class="td-sidebar__inner"><form
class="td-sidebar__search">
<input type="search" placeholder="Search this site…"></form><nav
class="td-sidebar-nav"><ul>{_links("Overview", "Tasks")}</ul>
</nav></div></aside><aside class="d-none td-sidebar-toc d-print-none"><div class="td-page-meta ms-2 pb-1"><a
href="/raw" class="td-page-meta--view">View page source</a><a href="/edit" class="td-page-meta--edit">Edit this
page</a></div>
<div class="td-toc"><nav id="TableOfContents"><ul>{_links("Install", "Limits")}</ul></nav></div></aside><main
class="col-12
ps-md-5" role="main"><nav aria-label="breadcrumb" class="td-breadcrumbs"><ol class="breadcrumb">
{_links("Documentation", "Tasks", name="breadcrumb-item")}</ol></nav><div class="td-content"><h1>{title}</h1><header
class="article-meta"></header>{body}<div class="d-print-none"><h2 class="feedback--title">Feedback</h2><p
class="feedback--question">Was this page helpful?</p><button class="btn
feedback--answer-yes">Yes</button></div></div></main>
</div></div><footer class="td-footer row d-print-none"><div class="container-fluid"><span class="td-footer__copyright">©
2026 Kiln Authors All Rights Reserved</span></div></footer></div>""",
    )


def _vitepress(title: str, body: str) -> str:
    return _page(
        f"<title>{title} | Kiln</title>",
        f"""<div id="app"><div class="Layout"><span tabindex="-1"></span><a href="#VPContent" class="VPSkipLink
visually-hidden">Skip to content</a><header class="VPNav"><div class="VPNavBar has-sidebar"><div class="container"><div
class="title"><a class="title" href="/"><span>Kiln</span></a></div><div class="VPNavBarSearch search"><button
class="DocSearch
DocSearch-Button"><span>Search</span></button></div><nav class="VPNavBarMenu
menu">{_links("Guide", "API", tag="span")}</nav>
</div></div></header><div class="VPLocalNav has-sidebar"><button class="menu"><span
class="menu-text">Menu</span></button><div
class="VPLocalNavOutlineDropdown"><button>Return to top</button></div></div><aside class="VPSidebar"><nav class="nav"
id="VPSidebarNav"><span class="visually-hidden" id="sidebar-aria-label">Sidebar Navigation</span><div class="group">
{_links("Start here", "Config", tag="p")}</div></nav></aside><div class="VPContent has-sidebar" id="VPContent"><div
class="VPDoc has-sidebar has-aside"><div class="container"><div class="aside"><div class="aside-container"><div
class="aside-content"><div class="VPDocAside"><nav class="VPDocAsideOutline"><div class="content"><div
class="outline-title">
On this page</div><ul class="VPDocOutlineItem
root">{_links("Install", "Limits")}</ul></div></nav></div></div></div></div><div
class="content"><div class="content-container"><main class="main"><div class="vp-doc _guide_x"><div><h1 id="t"
tabindex="-1">
{title} <a class="header-anchor" href="#t" aria-label="Permalink">&#8203;</a></h1>{body}</div></div></main><footer
class="VPDocFooter"><div class="edit-info"><div class="edit-link"><a class="VPLink link edit-link-button"
href="/e">Edit this
page on the host</a></div><div class="last-updated"><p class="VPLastUpdated">Last updated:
<time>2026</time></p></div></div><nav
class="prev-next"><div class="pager"><a class="pager-link prev" href="/p"><span class="desc">Previous page</span><span
class="title">Intro</span></a></div></nav></footer></div></div></div></div></div><footer class="VPFooter
has-sidebar"><div
class="container"><p class="message">Released under the MIT License.</p></div></footer></div></div>""",
    )


def _vuepress(title: str, body: str) -> str:
    return _page(
        f"<title>{title} | Kiln</title>",
        f"""<div id="app"><div class="theme-container"><header class="navbar"><div class="sidebar-button"></div><a href="/"
class="home-link"><span class="site-name">Kiln</span></a><div class="links"><div class="search-box"><input></div><nav
class="nav-links can-hide">{_links("Guide", "Reference", tag="div", name="nav-item")}</nav></div></header><div
class="sidebar-mask"></div><aside class="sidebar"><ul
class="sidebar-links">{_links("Introduction", "Deploying")}</ul></aside>
<main class="page"><div class="theme-default-content content__default"><h1 id="t"><a href="#t"
class="header-anchor">#</a>
{title}</h1>{body}</div><footer class="page-edit"><div class="edit-link"><a href="/e">Help us improve this
page!</a></div><div
class="last-updated"><span class="prefix">Last Updated:</span><span class="time">9/1/2026</span></div></footer><div
class="page-nav"><p class="inner"><span class="prev">←<a href="/p" class="prev">Introduction</a></span><span
class="next"><a
href="/n">Deploying</a>→</span></p></div></main></div></div>""",
    )


def _wordpress(title: str, body: str) -> str:
    return _page(
        f"<title>{title} &#8211; Harbour Notes</title>",
        f"""<div id="page" class="site"><a class="skip-link screen-reader-text" href="#primary">Skip to content</a><header
id="masthead" class="site-header"><div class="site-branding"><p class="site-title"><a href="/" rel="home">Harbour
Notes</a></p>
<p class="site-description">Just another weblog</p></div><nav id="site-navigation" class="main-navigation"><button
class="menu-toggle" aria-controls="primary-menu" aria-expanded="false">Primary Menu</button><ul id="primary-menu"
class="menu">
{_links("About us", "Archive", name="menu-item")}</ul></nav></header><main id="primary" class="site-main"><article
id="post-7"
class="post-7 post type-post hentry"><header class="entry-header"><h1 class="entry-title">{title}</h1></header><div
class="entry-content">{body}<div class="sharedaddy sd-sharing-enabled"><div class="robots-nocontent sd-block
sd-social"><h3
class="sd-title">Share this:</h3><ul>{_links("Tweet", "Mail it")}</ul></div></div></div><footer
class="entry-footer"><span
class="cat-links">Posted in <a href="/c" rel="category tag">Kitchen</a></span></footer></article><nav class="navigation
post-navigation" aria-label="Posts"><h2 class="screen-reader-text">Post navigation</h2><div class="nav-links"><div
class="nav-previous"><a href="/p" rel="prev">Harbour lights</a></div></div></nav><div id="comments"
class="comments-area"><div
id="respond" class="comment-respond"><h3 id="reply-title" class="comment-reply-title">Leave a Reply</h3><form
class="comment-form"><p class="comment-notes">Your email address will not be
published.</p><label>Comment</label></form></div>
</div></main><aside id="secondary" class="widget-area"><section id="search-2" class="widget
widget_search"><form><label><span
class="screen-reader-text">Search for:</span></label></form></section><section class="widget widget_recent_entries"><h2
class="widget-title">Recent Posts</h2><ul>{_links("Winter tide", "Old ropes")}</ul></section></aside><footer
id="colophon"
class="site-footer"><div class="site-info"><a href="https://w.example/">Proudly powered by
WordPress</a></div></footer></div>
<div id="cookie-notice" role="dialog" class="cookie-notice-hidden"><div class="cookie-notice-container"><span>We use
cookies to
ensure the best experience on our website.</span><a href="#" class="cn-button">Ok</a></div></div>""",
        body_class="single single-post has-sidebar",
    )


def _confluence(title: str, body: str) -> str:
    return _page(
        f"<title>Operations : {title}</title>",
        f"""<div id="page"><div id="main" class="aui-page-panel"><div id="main-header"><div id="breadcrumb-section"><ol
id="breadcrumbs">{_links("Operations", "Runbooks", tag="li")}</ol></div><h1 id="title-heading" class="pagetitle"><span
id="title-text">{title}</span></h1></div><div id="content" class="view"><div id="main-content" class="wiki-content
group">
{body}</div></div></div><div id="footer" role="contentinfo"><section class="footer-body"><p>Document generated by
Confluence on
Sep 01, 2026 10:12</p><div id="footer-logo"><a href="http://a.example/">Atlassian</a></div></section></div></div>""",
        body_class="theme-default aui-theme-default",
    )


def _mediawiki(title: str, body: str) -> str:
    heading = f'<h1 id="firstHeading" class="firstHeading mw-first-heading"><span>{title}</span></h1>'
    return _page(
        f"<title>{title} - Plant wiki</title>",
        f"""<div id="mw-page-base" class="noprint"></div><div id="content" class="mw-body" role="main"><a id="top"></a><div
id="siteNotice"></div><div class="mw-indicators"></div>{heading}<div id="bodyContent" class="vector-body"><div
id="siteSub"
class="noprint">From the plant wiki</div><div id="contentSub"></div><div id="jump-to-nav"></div><a class="mw-jump-link"
href="#mw-head">Jump to navigation</a><a class="mw-jump-link" href="#searchInput">Jump to search</a><div
id="mw-content-text"
class="mw-body-content mw-content-ltr"><div class="mw-parser-output"><div id="toc" class="toc" role="navigation"><div
class="toctitle"><h2 id="mw-toc-heading">Contents</h2></div><ul>{_links("1 Install", "2 Limits", name="toclevel-1")}</ul></div>
{body}</div><div class="printfooter">Retrieved from "<a
href="https://w.example/index.php?oldid=7">https://w.example</a>"</div>
</div></div></div><div id="mw-navigation"><h2>Navigation menu</h2><div id="mw-head"><nav id="p-personal"
class="mw-portlet
vector-menu" role="navigation"><h3 class="vector-menu-heading"><span>Personal
tools</span></h3><ul>{_links("Log in")}</ul></nav>
<div id="p-search" role="search"><h3><label>Search</label></h3></div></div><div id="mw-panel"><nav
class="mw-portlet"><h3><span>
Tools</span></h3><ul>{_links("What links here", "Special pages")}</ul></nav></div></div><footer id="footer"
class="mw-footer" role="contentinfo"><ul id="footer-info"><li>This page was last edited on 1 September
2026.</li></ul><ul
id="footer-places">{_links("Privacy policy", "Disclaimers")}</ul></footer>""",
        body_class="mediawiki ltr sitedir-ltr ns-0",
    )


def _mediawiki_heading(text: str) -> str:
    return (
        f'<h2><span class="mw-headline" id="{_slug(text)}">{text}</span><span class="mw-editsection"><span '
        'class="mw-editsection-bracket">[</span><a href="/index.php?action=edit">edit</a><span '
        'class="mw-editsection-bracket">]</span></span></h2>'
    )


def _gitbook(title: str, body: str) -> str:
    return _page(
        f"<title>{title} | Kiln</title>",
        f"""<header class="flex flex-row sticky"><div class="scroll-nojump"><a class="group/headerlogo" href="/"><div
class="text-tint">Kiln handbook</div></a><button class="flex rounded">Ask or search…</button></div></header><div
class="flex flex-col"><aside class="group/table-of-contents relative"><ul class="flex
flex-col">{_links("Welcome", "Basics")}
</ul></aside><div class="flex flex-1"><aside class="group/page-aside"><div class="overflow-scroll"><ul>
{_links("Install", "Limits")}</ul></div></aside><main class="relative min-w-0 flex-1"><header class="max-w-3xl
mx-auto"><nav
aria-label="Breadcrumb"><ol class="flex">{_links("Basics")}</ol></nav><h1 class="text-4xl">{title}</h1></header><div
class="whitespace-pre-wrap">{body}</div><div class="flex flex-row mt-6 max-w-3xl"><a class="group text-sm"
href="/p"><span
class="flex"><span class="text-xs">Previous</span><span class="text-base">Welcome</span></span></a><a class="group
text-sm"
href="/n"><span><span class="text-xs">Next</span><span>Basics</span></span></a></div><div class="flex flex-row"><p
class="text-sm">Was this helpful?</p><button class="px-2" title="Yes"><svg></svg></button></div></main></div></div>""",
    )


def _jekyll(title: str, body: str) -> str:
    return _page(
        f"<title>{title} | Quarry log</title>",
        f"""<header class="site-header" role="banner"><div class="wrapper"><a class="site-title" rel="author" href="/">Quarry
log
</a><nav class="site-nav"><input type="checkbox" id="nav-trigger"><div class="trigger"><a class="page-link"
href="/about/">About
</a></div></nav></div></header><main class="page-content" aria-label="Content"><div class="wrapper"><article
class="post h-entry"
itemscope><header class="post-header"><h1 class="post-title p-name" itemprop="name headline">{title}</h1></header><div
class="post-content e-content" itemprop="articleBody">{body}</div><div id="disqus_thread" class="disqus">Please enable
JavaScript
to view comments.</div><a class="u-url" href="/x/" hidden></a></article></div></main><footer class="site-footer
h-card"><div
class="wrapper"><h2 class="footer-heading">Quarry log</h2><div class="footer-col-wrapper"><p>Stones and how they are
cut, told
every other week.</p></div></div></footer>""",
    )


def _javadoc(title: str, body: str) -> str:
    return _page(
        f"<title>{title} (Kiln 2.4 API)</title>",
        f"""<div class="flex-box"><header role="banner" class="flex-header"><nav role="navigation"><div class="top-nav"
id="navbar-top"><div class="skip-nav"><a href="#skip-navbar-top">Skip navigation links</a></div><ul class="nav-list"
id="navbar-top-firstrow">{_links("Overview", "Package", "Deprecated")}</ul></div><div class="sub-nav"><ul
class="sub-nav-list"><li>Summary:</li><li>Nested |</li></ul><div class="nav-list-search"><label
for="search-input">SEARCH:
</label></div></div></nav></header><div class="flex-content"><main role="main"><div class="header"><h1
class="title">{title}
</h1></div><section class="class-description" id="class-description"><div
class="block">{body}</div></section></main><footer
role="contentinfo"><hr><p class="legal-copy"><small>Copyright &#169; 2026. All rights
reserved.</small></p></footer></div></div>""",
        body_class="class-declaration-page",
    )


def _notion(title: str, body: str) -> str:
    return _page(
        f"<title>{title}</title><style>.callout{{display:flex}} .sans{{font-family:ui-sans-serif}}</style>",
        f"""<article id="1f3c" class="page sans"><header><h1 class="page-title">{title}</h1><p class="page-description"></p>
</header><div class="page-body">{body}</div></article><span class="sans"
style="font-size:14px;padding-top:2em"></span>""",
    )


def _notion_note(title: str, text: str) -> str:
    return (
        '<figure class="block-color-gray_background callout" style="white-space:pre-wrap;display:flex"><div '
        f'style="font-size:1.5em"></div><div style="width:100%"><p>{title}</p><p>{text}</p></div></figure>'
    )


def _word(title: str, body: str) -> str:
    styles = "p.MsoNormal{margin:0cm;font-size:11.0pt;mso-style-parent:''} h1{mso-style-link:x;color:#2F5496}"
    return _page(
        f"<title>{title}</title><style><!-- {styles} @page WordSection1 {{size:595.3pt 841.9pt}} --></style>",
        f"""<div class=WordSection1><h1 style='margin-top:12.0pt'><span lang=EN-US style='color:windowtext'>{title}<o:p></o:p>
</span></h1>{body}<p class=MsoNormal><span style='mso-hide:all;display:none'>hidden field
code</span><o:p>&nbsp;</o:p></p></div>""",
    )


def _sharepoint(title: str, body: str) -> str:
    return _page(
        f"<title>{title}</title>",
        f"""<div id="s4-workspace"><div id="s4-titlerow" class="ms-dialogHidden s4-titlerowhidetitle"><div id="suiteBarLeft"
role="navigation"><a href="/">Intranet of the works</a></div></div><div id="contentRow"><div id="sideNavBox"
class="ms-dialogHidden ms-forceWrap ms-noList"><div class="ms-core-sideNavBox-removeLeftMargin"><ul class="root
ms-core-listMenu">
{_links("Libraries", "Site contents", name="static")}</ul></div></div><div id="contentBox" aria-live="polite"><div
id="DeltaPlaceHolderMain"><a name="mainContent"></a><div class="ms-rte-layoutszone-outer"><div class="ms-rtestate-field
content"><h1>{title}</h1>{body}</div></div></div></div></div></div><div id="footer" class="footer">Contact the service
desk on
4711.</div>""",
    )


def _shop(title: str, body: str) -> str:
    cards = "".join(
        f'<li class="product type-product"><a href="/{name}"><h2 class="woocommerce-loop-product__title">{name}</h2></a>'
        f'<a class="button add_to_cart_button" href="?add={name}">Add to cart</a></li>'
        for name in ("Camp stove", "Tin mug", "Fire striker")
    )
    return _page(
        f"<title>{title} – Outfitter</title>",
        f"""<div class="promo-bar">Free shipping on orders over 60 euros</div><header class="site-header"><div class="logo"><a
href="/">Outfitter</a></div><form role="search" class="woocommerce-product-search"><input
type="search"><button>Search</button>
</form><nav class="main-navigation"><ul class="menu">{_links("Tents", "Stoves", "Sale")}</ul></nav><div
class="mini-cart">Your cart
is empty</div></header><nav class="woocommerce-breadcrumb" aria-label="Breadcrumb"><a href="/">Start</a> / <a
href="/s">Stoves</a>
</nav><div id="primary" class="content-area"><main id="main" class="site-main"><div id="product-31" class="product
type-product">
<div class="summary entry-summary"><h1 class="product_title entry-title">{title}</h1>{body}<form class="cart"><button
type="submit" class="single_add_to_cart_button button">Add to cart</button></form></div><section class="related
products"><h2>
You may also like</h2><ul class="products columns-4">{cards}</ul></section></div></main></div><div
class="newsletter-signup"><h3>
Join our newsletter</h3><form><input type="email"><button>Sign up</button></form></div><footer class="site-footer"><div
class="footer-widgets"><ul>{_links("Returns", "Imprint")}</ul></div><p>© 2026 Outfitter</p></footer><div
class="cky-consent-container" role="region"><p>This shop uses cookies to remember your cart.</p><button>Accept
all</button>
<button>Reject</button></div>""",
    )


def _headed(title: str, body: str) -> str:
    """Written by hand: the title in the header, the text in an element of no meaning."""
    return _page(
        "",
        f"""<header class="page-header"><h1>{title}</h1></header><div class="content">{body}</div><footer><p>Questions:
extension
2290.</p></footer>""",
    )


TEMPLATES: Final = (
    Template("docusaurus", _docusaurus, _signed_heading("&#8203;", "hash-link"), _docusaurus_code, _docusaurus_note,
             _hidden_panels),
    Template("mkdocs-material", _material, _signed_heading("¶", "headerlink"), _pygments_code, _material_note,
             _material_tabs),
    Template("sphinx-rtd", _sphinx_rtd, _signed_heading("¶", "headerlink"), _pygments_code, _material_note, _sphinx_tabs),
    Template("sphinx-furo", _furo, _signed_heading("¶", "headerlink"), _pygments_code, _material_note, _design_tabs),
    Template("hexo-next", _hexo, _signed_heading("", "headerlink", first=True), _hexo_code, _alert_note, _bootstrap_tabs),
    Template("hugo-docsy", _hugo, _signed_heading("", "td-heading-self-link"), _chroma_code, _alert_note, _bootstrap_tabs),
    Template("vitepress", _vitepress, _signed_heading("&#8203;", "header-anchor"), _vitepress_code, _details_note,
             _group_tabs),
    Template("vuepress", _vuepress, _signed_heading("#", "header-anchor", first=True), _vitepress_code, _material_note,
             _details),
    Template("wordpress", _wordpress, _plain_heading, _plain_code, _alert_note, _onclick_tabs),
    Template("confluence", _confluence, _plain_heading, _plain_code, _material_note, _accordion),
    Template("mediawiki", _mediawiki, _mediawiki_heading, _plain_code, _alert_note, _details),
    Template("gitbook", _gitbook, _plain_heading, _plain_code, _alert_note, _hidden_panels),
    Template("jekyll", _jekyll, _plain_heading, _rouge_code, _alert_note, _accordion),
    Template("javadoc", _javadoc, _signed_heading("", "anchor-link"), _plain_code, _material_note, _details),
    Template("notion", _notion, _plain_heading, _plain_code, _notion_note, _details),
    Template("word", _word, _plain_heading, _plain_code, _alert_note, _details),
    Template("sharepoint", _sharepoint, _plain_heading, _host_code, _alert_note, _accordion),
    Template("shop", _shop, _plain_heading, _plain_code, _alert_note, _bootstrap_tabs),
    Template("by-hand", _headed, _plain_heading, _host_code, _aside_note, _onclick_tabs),
)  # fmt: skip
