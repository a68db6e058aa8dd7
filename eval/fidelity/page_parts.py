# ruff: noqa: E501 (lines of markup)
"""Parts of web pages as generators write them: headings with links to themselves, code with line numbers, remarks, tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def slug(text: str) -> str:
    return "-".join(text.lower().split())


def plain_heading(text: str) -> str:
    return f'<h2 id="{slug(text)}">{text}</h2>'


def signed_heading(sign: str, name: str, *, first: bool = False) -> Callable[[str], str]:
    """A heading with a link to itself, before or after its words."""

    def write(text: str) -> str:
        link = f'<a class="{name}" href="#{slug(text)}" title="Link to this heading" aria-label="Permalink">{sign}</a>'
        return f'<h2 id="{slug(text)}">{link + " " + text if first else text + link}</h2>'

    return write


def plain_code(language: str, code: str) -> str:
    return f'<pre><code class="language-{language}">{code}</code></pre>'


def _spans(code: str, sep: str, **kinds: str) -> str:
    name = kinds.get("name", "line")
    return sep.join(f'<span class="{name}">{line}</span>' for line in code.split("\n"))


def _count(code: str, pattern: str, sep: str) -> str:
    return sep.join(pattern.format(number) for number in range(1, code.count("\n") + 2))


def hexo_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="line">{}</span><br>', "")
    lines = "".join(f'<span class="line">{line}</span><br>' for line in code.split("\n"))
    return (
        f'<figure class="highlight {language}"><table><tr><td class="gutter"><pre>{numbers}</pre></td>'
        f'<td class="code"><pre>{lines}</pre></td></tr></table></figure>'
    )


def pygments_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="normal">{}</span>', "\n")
    return (
        f'<div class="highlight-{language} notranslate"><div class="highlight"><table class="highlighttable"><tbody><tr>'
        f'<td class="linenos"><div class="linenodiv"><pre>{numbers}</pre></div></td>'
        f'<td class="code"><div><pre><span></span><code>{code}\n</code></pre></div></td></tr></tbody></table></div></div>'
    )


def rouge_code(language: str, code: str) -> str:
    numbers = _count(code, "{}", "\n")
    return (
        f'<div class="language-{language} highlighter-rouge"><div class="highlight"><pre class="highlight"><code>'
        f'<table class="rouge-table"><tbody><tr><td class="rouge-gutter gl"><pre class="lineno">{numbers}\n</pre></td>'
        f'<td class="rouge-code"><pre>{code}\n</pre></td></tr></tbody></table></code></pre></div></div>'
    )


def chroma_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="lnt">{}\n</span>', "")
    return (
        '<div class="highlight"><div class="chroma"><table class="lntable"><tr>'
        f'<td class="lntd"><pre tabindex="0" class="chroma"><code>{numbers}</code></pre></td>'
        f'<td class="lntd"><pre tabindex="0" class="chroma"><code class="language-{language}" data-lang="{language}">'
        f"{_spans(code, chr(10))}</code></pre></td></tr></table></div></div>"
    )


def vitepress_code(language: str, code: str) -> str:
    numbers = _count(code, '<span class="line-number">{}</span><br>', "")
    return (
        f'<div class="language-{language} vp-adaptive-theme line-numbers-mode"><button title="Copy Code" class="copy">'
        f'</button><span class="lang">{language}</span><pre class="shiki"><code>{_spans(code, chr(10))}</code></pre>'
        f'<div class="line-numbers-wrapper" aria-hidden="true">{numbers}</div></div>'
    )


def docusaurus_code(language: str, code: str) -> str:
    lines = "".join(f'<span class="token-line">{line}<br></span>' for line in code.split("\n"))
    return (
        f'<div class="language-{language} codeBlockContainer_Ckt0"><div class="codeBlockContent_QJqH"><pre tabindex="0" '
        f'class="prism-code language-{language}"><code class="codeBlockLines_e6Vv">{lines}</code></pre><div '
        'class="buttonGroup_M5ko"><button type="button" aria-label="Copy code to clipboard">Copy</button></div></div></div>'
    )


def host_code(language: str, code: str) -> str:
    """A line a row, as code hosts and highlighters of browsers write it."""
    rows = "".join(
        f'<tr><td class="hljs-ln-line hljs-ln-numbers" data-line-number="{number}">{number}</td>'
        f'<td class="hljs-ln-line hljs-ln-code">{line}</td></tr>'
        for number, line in enumerate(code.split("\n"), start=1)
    )
    return f'<pre><code class="hljs language-{language}"><table class="hljs-ln"><tbody>{rows}</tbody></table></code></pre>'


def material_note(title: str, text: str) -> str:
    return f'<div class="admonition warning"><p class="admonition-title">{title}</p><p>{text}</p></div>'


def aside_note(title: str, text: str) -> str:
    return f'<aside class="admonition warning"><strong>{title}</strong><p>{text}</p></aside>'


def docusaurus_note(title: str, text: str) -> str:
    return (
        f'<div class="theme-admonition theme-admonition-warning alert alert--warning"><div class="admonitionHeading_G">'
        f'<span class="icon"><svg></svg></span>{title}</div><div class="admonitionContent_B"><p>{text}</p></div></div>'
    )


def alert_note(title: str, text: str) -> str:
    return f'<div class="alert alert-warning" role="alert"><h4 class="alert-heading">{title}</h4>{text}</div>'


def details_note(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary><div><p>{text}</p></div></details>"


def notion_note(title: str, text: str) -> str:
    return (
        '<figure class="block-color-gray_background callout" style="white-space:pre-wrap;display:flex"><div '
        f'style="font-size:1.5em"></div><div style="width:100%"><p>{title}</p><p>{text}</p></div></figure>'
    )


def mediawiki_heading(text: str) -> str:
    return (
        f'<h2><span class="mw-headline" id="{slug(text)}">{text}</span><span class="mw-editsection"><span '
        'class="mw-editsection-bracket">[</span><a href="/index.php?action=edit">edit</a><span '
        'class="mw-editsection-bracket">]</span></span></h2>'
    )


def hidden_panels(panels: Sequence[tuple[str, str]]) -> str:
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


def material_tabs(panels: Sequence[tuple[str, str]]) -> str:
    inputs = "".join(f'<input id="__t_{at}" name="__t" type="radio">' for at in range(len(panels)))
    labels = "".join(f'<label for="__t_{at}">{label}</label>' for at, (label, _) in enumerate(panels))
    bodies = "".join(f'<div class="tabbed-block"><p>{text}</p></div>' for _, text in panels)
    return (
        f'<div class="tabbed-set tabbed-alternate" data-tabs="1:2">{inputs}<div class="tabbed-labels">{labels}</div>'
        f'<div class="tabbed-content">{bodies}</div></div>'
    )


def sphinx_tabs(panels: Sequence[tuple[str, str]]) -> str:
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


def design_tabs(panels: Sequence[tuple[str, str]]) -> str:
    bodies = "".join(
        f'<input id="sd-{at}" name="sd" type="radio"><label class="sd-tab-label" for="sd-{at}">{label}</label>'
        f'<div class="sd-tab-content docutils"><p>{text}</p></div>'
        for at, (label, text) in enumerate(panels)
    )
    return f'<div class="sd-tab-set docutils">{bodies}</div>'


def bootstrap_tabs(panels: Sequence[tuple[str, str]]) -> str:
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


def group_tabs(panels: Sequence[tuple[str, str]]) -> str:
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


def onclick_tabs(panels: Sequence[tuple[str, str]]) -> str:
    labels = "".join(
        f"""<button class="tablinks" onclick="openTab(event, 'p{at}')">{label}</button>"""
        for at, (label, _) in enumerate(panels)
    )
    bodies = "".join(
        f'<div id="p{at}" class="tabcontent" style="display:none"><p>{text}</p></div>'
        for at, (_, text) in enumerate(panels)
    )
    return f'<div class="tab">{labels}</div>{bodies}'


def accordion(panels: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<div class="accordion-item"><h3 class="accordion-header"><button class="accordion-button collapsed" '
        f'data-bs-target="#c{at}" aria-expanded="false">{label}</button></h3><div id="c{at}" '
        f'class="accordion-collapse collapse" style="display: none"><div class="accordion-body">{text}</div></div></div>'
        for at, (label, text) in enumerate(panels)
    )


def details(panels: Sequence[tuple[str, str]]) -> str:
    return "".join(f"<details><summary>{label}</summary><p>{text}</p></details>" for label, text in panels)


def page(head: str, body: str, *, body_class: str = "", lang: str = "en") -> str:
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">{head}</head><body class="{body_class}">{body}'
        "</body></html>"
    )


def links(*words: str, tag: str = "li", name: str = "") -> str:
    return "".join(f'<{tag} class="{name}"><a href="/{slug(word)}/">{word}</a></{tag}>' for word in words)
