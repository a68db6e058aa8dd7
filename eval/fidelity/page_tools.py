# ruff: noqa: E501 (lines of markup)
"""Web pages that converters and platforms write: Pandoc, Asciidoctor, nbconvert, LaTeXML, help desks, Chinese platforms."""

from __future__ import annotations

from collections.abc import Iterator

from eval.fidelity.sample import Sample

_Case = tuple[str, tuple[str, ...], tuple[str, ...], str, tuple[str, ...]]


def make_tool_pages() -> Iterator[Sample]:
    """Yield one file for each."""
    for name, (html, must, never, title, headings) in _PAGES.items():
        yield Sample(f"html/{name}.html", html.encode(), must, never, title, headings)


_PAGES: dict[str, _Case] = {
    "wechat": (
        '<!DOCTYPE html><html class=""><head><meta charset="utf-8"><meta property="og:title" content="停航通知" /><title></title></head><body id="activity-detail" class="zh_CN mm_appmsg"><div id="js_article" class="rich_media"><div class="rich_media_inner"><div id="page-content" class="rich_media_area_primary"><div class="rich_media_area_primary_inner"><div id="img-content" class="rich_media_wrp">'
        '<h1 class="rich_media_title" id="activity-name">停航通知</h1><div id="meta_content" class="rich_media_meta_list"><span class="rich_media_meta rich_media_meta_text">海港管理处</span><em id="publish_time" class="rich_media_meta rich_media_meta_text"></em></div>'
        '<div class="rich_media_content js_underline_content" id="js_content" style="visibility: hidden; opacity: 0; "><section style="font-size: 15px;"><p><span style="color: rgb(51,51,51);">受台风影响，三月五日至七日所有航班停航。</span></p><p>已购船票可在三十日内全额退款。</p></section></div>'
        '</div><div class="rich_media_tool"><div class="rich_media_info">阅读 <span>1023</span></div></div></div></div></div></div><script>var msg_title = "secret";</script></body></html>',
        ("停航通知", "受台风影响，三月五日至七日所有航班停航。", "已购船票可在三十日内全额退款。"),
        ("msg_title",),
        "停航通知",
        ("停航通知",),
    ),
    "csdn": (
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>用 cron 定时备份_数据库-博客</title></head><body class="nodata"><div id="toolbarBox"><ul><li><a href="/">首页</a></li><li><a href="/down">下载</a></li></ul></div><div class="main_father"><div class="container clearfix" id="mainBox"><main><div class="blog-content-box"><div class="article-header-box"><div class="article-header"><div class="article-title-box"><h1 class="title-article" id="articleContentId">用 cron 定时备份</h1></div><div class="article-info-box"><span class="time">于 2026-03-01 10:00:00 发布</span></div></div></div>'
        '<article class="baidu_pl"><div id="article_content" class="article_content clearfix"><div id="content_views" class="markdown_views prism-atom-one-dark"><p>先写一个备份脚本，再交给 cron。</p><h2><a name="t0"></a>脚本</h2><pre data-index="0" class="prettyprint"><code class="prism language-bash has-numbering">pg_dump kiln <span class="token operator">&gt;</span> kiln.sql\ngzip kiln.sql\n</code><ul class="pre-numbering"><li>1</li><li>2</li></ul></pre><h2>注意</h2><blockquote><p>磁盘满时备份会失败。</p></blockquote></div></div></article></div>'
        '<div class="recommend-box"><div class="recommend-item-box"><a href="/x"><div class="content-box">MySQL 备份大全</div></a></div></div></main><aside class="blog_container_aside"><div class="aside-box"><h3>热门文章</h3><ul><li><a href="/1">十分钟学会 vim</a></li></ul></div></aside></div></div></body></html>',
        (
            "用 cron 定时备份",
            "先写一个备份脚本，再交给 cron。",
            "脚本",
            "pg_dump kiln > kiln.sql",
            "gzip kiln.sql",
            "注意",
            "磁盘满时备份会失败。",
        ),
        ("十分钟学会 vim", "MySQL 备份大全"),
        "用 cron 定时备份_数据库-博客",
        ("用 cron 定时备份", "脚本", "注意"),
    ),
    "pandoc": (
        '<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en"><head><meta charset="utf-8" /><meta name="generator" content="pandoc" /><title>Care of ropes</title><style>code{white-space: pre-wrap;} div.columns{display: flex;}</style></head><body><header id="title-block-header"><h1 class="title">Care of ropes</h1><p class="author">Ada Holm</p><p class="date">1 March 2026</p></header>'
        '<nav id="TOC" role="doc-toc"><ul><li><a href="#drying" id="toc-drying">Drying</a></li><li><a href="#storing" id="toc-storing">Storing</a></li></ul></nav><h2 id="drying">Drying</h2><p>Hang ropes in the shade.<a href="#fn1" class="footnote-ref" id="fnref1" role="doc-noteref"><sup>1</sup></a></p><div class="sourceCode" id="cb1"><pre class="sourceCode python"><code class="sourceCode python"><span id="cb1-1"><a href="#cb1-1" aria-hidden="true" tabindex="-1"></a>rope.dry(hours<span class="op">=</span><span class="dv">48</span>)</span></code></pre></div>'
        '<h2 id="storing">Storing</h2><p>Energy is <span class="math inline"><em>E</em> = <em>m</em><em>c</em><sup>2</sup></span>.</p><section id="footnotes" class="footnotes footnotes-end-of-document" role="doc-endnotes"><hr /><ol><li id="fn1"><p>Sun makes nylon brittle.<a href="#fnref1" class="footnote-back" role="doc-backlink">↩︎</a></p></li></ol></section></body></html>',
        (
            "Care of ropes",
            "Ada Holm",
            "Drying",
            "Hang ropes in the shade.",
            "rope.dry(hours=48)",
            "Storing",
            "Energy is E = mc",
            "Sun makes nylon brittle.",
        ),
        ("white-space", "↩︎"),
        "Care of ropes",
        ("Care of ropes", "Drying", "Storing"),
    ),
    "asciidoctor": (
        '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><meta name="generator" content="Asciidoctor 2.0.20"><title>Lock handbook</title><style>/*! Asciidoctor */ body{margin:0}</style></head><body class="article toc2 toc-left"><div id="header"><h1>Lock handbook</h1><div class="details"><span id="author" class="author">Ada Holm</span></div><div id="toc" class="toc2"><div id="toctitle">Table of Contents</div><ul class="sectlevel1"><li><a href="#_filling">Filling</a></li></ul></div></div>'
        '<div id="content"><div id="preamble"><div class="sectionbody"><div class="paragraph"><p>A lock lifts boats.</p></div></div></div><div class="sect1"><h2 id="_filling">Filling</h2><div class="sectionbody"><div class="admonitionblock warning"><table><tr><td class="icon"><div class="title">Warning</div></td><td class="content">Never open both gates.</td></tr></table></div>'
        '<div class="listingblock"><div class="title">Open the paddles</div><div class="content"><pre class="highlight"><code class="language-bash" data-lang="bash">paddle --open 2 <i class="conum" data-value="1"></i><b>(1)</b></code></pre></div></div><div class="colist arabic"><table><tr><td><i class="conum" data-value="1"></i><b>1</b></td><td>Slowly.</td></tr></table></div>'
        '<div class="dlist"><dl><dt class="hdlist1">Paddle</dt><dd><p>A sliding door.</p></dd></dl></div><table class="tableblock frame-all grid-all stretch"><caption class="title">Table 1. Levels</caption><thead><tr><th class="tableblock">Lock</th><th class="tableblock">Lift</th></tr></thead><tbody><tr><td class="tableblock"><p class="tableblock">Moss</p></td><td class="tableblock"><p class="tableblock">3.2 m</p></td></tr></tbody></table></div></div></div><div id="footer"><div id="footer-text">Last updated 2026-03-01 09:00:00 UTC</div></div></body></html>',
        (
            "Lock handbook",
            "A lock lifts boats.",
            "Filling",
            "Warning",
            "Never open both gates.",
            "Open the paddles",
            "paddle --open 2",
            "Slowly.",
            "Paddle",
            "A sliding door.",
            "Table 1. Levels",
            "Lock Lift",
            "Moss 3.2 m",
        ),
        ("Table of Contents", "Last updated"),
        "Lock handbook",
        ("Lock handbook", "Filling"),
    ),
    "nbconvert": (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/><title>tides</title><script src="require.js"></script></head><body class="jp-Notebook" data-jp-theme-light="true"><main><div class="jp-Cell jp-MarkdownCell jp-Notebook-cell"><div class="jp-Cell-inputWrapper" tabindex="0"><div class="jp-Collapser jp-InputCollapser"></div><div class="jp-InputArea"><div class="jp-InputPrompt jp-InputArea-prompt"></div><div class="jp-RenderedHTMLCommon jp-RenderedMarkdown" data-mime-type="text/markdown"><h1 id="Tides">Tides<a class="anchor-link" href="#Tides">¶</a></h1><p>Heights of the year 2025.</p></div></div></div></div>'
        '<div class="jp-Cell jp-CodeCell jp-Notebook-cell"><div class="jp-Cell-inputWrapper"><div class="jp-InputArea"><div class="jp-InputPrompt jp-InputArea-prompt">In [1]:</div><div class="jp-CodeMirrorEditor jp-Editor"><div class="CodeMirror cm-s-jupyter"><div class="highlight hl-ipython3"><pre><span></span><span class="n">high</span> <span class="o">=</span> <span class="n">read</span><span class="p">(</span><span class="s2">"moss"</span><span class="p">)</span>\n<span class="n">high</span><span class="o">.</span><span class="n">max</span><span class="p">()</span>\n</pre></div></div></div></div></div>'
        '<div class="jp-Cell-outputWrapper"><div class="jp-OutputArea jp-Cell-outputArea"><div class="jp-OutputArea-child"><div class="jp-OutputPrompt jp-OutputArea-prompt">Out[1]:</div><div class="jp-RenderedText jp-OutputArea-output" data-mime-type="text/plain"><pre>3.42</pre></div></div></div></div></div></main></body></html>',
        ("Tides", "Heights of the year 2025.", 'high = read("moss")', "high.max()", "3.42"),
        ("¶",),
        "tides",
        ("Tides",),
    ),
    "latexml": (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Drift in sounds</title><!--Generated by LaTeXML--></head><body><div class="ltx_page_main"><div class="ltx_page_content"><article class="ltx_document ltx_authors_1line"><h1 class="ltx_title ltx_title_document">Drift in sounds</h1><div class="ltx_authors"><span class="ltx_creator ltx_role_author"><span class="ltx_personname">A. Holm</span></span></div><div class="ltx_abstract"><h6 class="ltx_title ltx_title_abstract">Abstract</h6><p class="ltx_p">We followed 31 buoys.</p></div>'
        '<section id="S1" class="ltx_section"><h2 class="ltx_title ltx_title_section"><span class="ltx_tag ltx_tag_section">1 </span>Results</h2><div class="ltx_para"><p class="ltx_p">The speed is <math class="ltx_Math" alttext="v=s/t" display="inline"><semantics><mrow><mi>v</mi><mo>=</mo><mrow><mi>s</mi><mo>/</mo><mi>t</mi></mrow></mrow><annotation encoding="application/x-tex">v=s/t</annotation></semantics></math> on calm days.</p></div><figure class="ltx_figure"><figcaption class="ltx_caption"><span class="ltx_tag ltx_tag_figure">Figure 1: </span>Map of the sound.</figcaption></figure></section></article></div><footer class="ltx_page_footer"><div class="ltx_page_logo">Generated on Sun Mar 1 by <a href="#">LaTeXML</a></div></footer></div></body></html>',
        (
            "Drift in sounds",
            "A. Holm",
            "Abstract",
            "We followed 31 buoys.",
            "Results",
            "The speed is v=s/t",
            "on calm days.",
            "Figure 1:",
            "Map of the sound.",
        ),
        ("Generated on Sun",),
        "Drift in sounds",
        ("Drift in sounds", "1 Results"),
    ),
    "ms-learn": (
        '<!DOCTYPE html><html class="hasSidebar" lang="en-us" dir="ltr"><head><meta charset="utf-8"><title>Set a quota - Kiln | Learn</title></head><body lang="en-us"><div class="header-holder"><a href="#main" class="skip-to-main-link">Skip to main content</a><div class="uhf-container"><nav><a href="/">Learn</a></nav></div></div><div class="mainContainer"><div class="columns has-large-gaps"><div id="left-container" class="left-container"><nav id="affixed-left-container"><ul class="tree"><li><a href="/a">Overview</a></li></ul></nav></div>'
        '<section class="primary-holder column"><div class="columns"><div id="main-column" class="column"><main id="main" role="main" class="content" data-bi-name="content" lang="en-us"><div id="article-header"><ul class="breadcrumbs"><li><a href="/">Docs</a></li></ul></div><h1 id="set-a-quota">Set a quota</h1><ul class="metadata page-metadata"><li><time datetime="2026-03-01">03/01/2026</time></li><li>2 contributors</li></ul><nav id="center-doc-outline" class="doc-outline" aria-label="In this article"><h2 class="title is-6">In this article</h2><ol><li><a href="#by-portal">By portal</a></li></ol></nav>'
        '<div class="alert is-info" id="n"><p class="alert-title"><span class="docon"></span> Note</p><p>Quotas count per region.</p></div><h2 id="by-portal">By portal</h2><ol><li><p>Open the quota page.</p></li><li><p>Select <strong>New</strong>.</p></li></ol><div class="code-header"><span class="language">Azure CLI</span><button class="action">Copy</button></div><pre tabindex="0"><code class="lang-azurecli">kiln quota set --max 40</code></pre><div class="tabGroup" id="tabgroup_1"><ul role="tablist"><li role="presentation"><a href="#t_linux" role="tab" aria-controls="t_linux" aria-selected="true">Linux</a></li><li role="presentation"><a href="#t_win" role="tab" aria-controls="t_win">Windows</a></li></ul><section id="t_linux" role="tabpanel"><p>Use the shell.</p></section><section id="t_win" role="tabpanel" aria-hidden="true" hidden="hidden"><p>Use the prompt.</p></section></div></main></div></div></section></div></div><footer id="footer"><ul><li>© Kiln 2026</li></ul></footer></body></html>',
        (
            "Set a quota",
            "Note",
            "Quotas count per region.",
            "By portal",
            "Open the quota page.",
            "Select New.",
            "kiln quota set --max 40",
            "Linux",
            "Use the shell.",
            "Windows",
            "Use the prompt.",
        ),
        ("Skip to main content", "In this article", "© Kiln 2026", "Copy"),
        "Set a quota - Kiln | Learn",
        ("Set a quota", "By portal"),
    ),
    "help-center": (
        '<!DOCTYPE html><html dir="ltr" lang="en-US"><head><meta charset="utf-8"/><title>Why was my booking refused? – Ferry Help Center</title></head><body><a class="skip-navigation" href="#main-content">Skip to main content</a><header class="header"><div class="logo"><a href="/hc">Ferry Help Center</a></div><nav class="user-nav"><a href="/requests/new">Submit a request</a></nav></header><main role="main"><div class="container-divider"></div><div class="container"><nav class="sub-nav"><ol class="breadcrumbs"><li><a href="/hc">Ferry</a></li></ol><form role="search" class="search"><input type="search"></form></nav>'
        '<div class="article-container" id="article-container"><aside class="article-sidebar"><div class="collapsible-sidebar"><h3 class="collapsible-sidebar-title sidenav-title">Articles in this section</h3><ul><li><a href="/1">How to pay</a></li><li><a href="/2">Refunds</a></li></ul></div></aside><article id="main-content" class="article"><header class="article-header"><h1 title="t" class="article-title">Why was my booking refused?</h1><div class="article-author"><ul class="meta-group"><li class="meta-data"><time datetime="2026">2 months ago</time></li></ul></div><button class="article-subscribe">Follow</button></header>'
        '<section class="article-info"><div class="article-content"><div class="article-body"><p>Bookings are refused when the card is declined or the <span class="wysiwyg-color-red">deck is full</span>.</p><table border="1"><tbody><tr><td><strong>Code</strong></td><td><strong>Reason</strong></td></tr><tr><td>D7</td><td>Deck full</td></tr></tbody></table></div></div></section><footer><div class="article-votes"><span class="article-votes-question">Was this article helpful?</span><button>Yes</button><span>12 out of 40 found this helpful</span></div><div class="article-more-questions">Have more questions? <a href="/new">Submit a request</a></div></footer><div class="article-relatives"><section class="related-articles"><h2 class="related-articles-title">Related articles</h2><ul><li><a href="/3">Lost tickets</a></li></ul></section></div><section class="comments"><p>Article is closed for comments.</p></section></article></div></div></main></body></html>',
        (
            "Why was my booking refused?",
            "Bookings are refused when the card is declined or the deck is full.",
            "Code Reason",
            "D7 Deck full",
        ),
        ("Submit a request", "Was this article helpful?", "Lost tickets", "How to pay", "Follow"),
        "Why was my booking refused? – Ferry Help Center",
        ("Why was my booking refused?",),
    ),
    "questions": (
        '<!DOCTYPE html><html class="html__responsive"><head><title>sql - Why is my index unused? - Q&amp;A</title></head><body class="question-page unified-theme"><header class="s-topbar"><nav><ol class="s-navigation"><li><a href="/about">About</a></li></ol></nav></header><div class="container"><div id="left-sidebar" class="left-sidebar"><nav role="navigation"><ol class="nav-links"><li><a href="/questions">Questions</a></li></ol></nav></div><div id="content" class="snippet-hidden"><div itemprop="mainEntity" itemscope><div id="question-header"><h1 itemprop="name"><a href="/q/1" class="question-hyperlink">Why is my index unused?</a></h1></div>'
        '<div id="mainbar" role="main" aria-label="question and answers"><div class="question js-question" id="question"><div class="post-layout"><div class="votecell"><div class="js-vote-count">42</div></div><div class="postcell"><div class="s-prose js-post-body" itemprop="text"><p>The planner scans all rows.</p><pre class="lang-sql s-code-block"><code>SELECT * FROM boat WHERE lower(name) = \'tern\';</code></pre></div><div class="mt24 mb12"><div class="post-taglist"><ul><li><a href="/t/sql" class="post-tag">sql</a></li></ul></div></div></div></div></div><div id="answers"><div class="answer accepted-answer" itemprop="suggestedAnswer"><div class="answercell"><div class="s-prose js-post-body" itemprop="text"><p>Build the index on <code>lower(name)</code>.</p></div></div></div></div></div><div id="sidebar" class="show-votes" role="complementary"><div class="module sidebar-related"><h4>Related</h4><div class="related"><a href="/q/2">How to drop an index</a></div></div></div></div></div></div></body></html>',
        (
            "Why is my index unused?",
            "The planner scans all rows.",
            "SELECT * FROM boat WHERE lower(name) = 'tern';",
            "Build the index on lower(name).",
        ),
        ("How to drop an index", "About"),
        "sql - Why is my index unused? - Q&A",
        ("Why is my index unused?",),
    ),
    "katex": (
        '<!DOCTYPE html><html><head><title>Speed</title></head><body><main><h1>Speed</h1><p>It is <span class="katex"><span class="katex-mathml"><math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>v</mi><mo>=</mo><mi>k</mi></mrow><annotation encoding="application/x-tex">v=\\kappa</annotation></semantics></math></span><span class="katex-html" aria-hidden="true"><span class="base"><span class="mord mathnormal">v</span><span class="mrel">=</span><span class="mord">k</span></span></span></span> here.</p>'
        '<p>The area is <span class="mwe-math-element"><span class="mwe-math-mathml-inline mwe-math-mathml-a11y" style="display: none;"><math><mrow><mi>A</mi><mo>=</mo><mi>b</mi></mrow></math></span><img src="a.svg" class="mwe-math-fallback-image-inline" aria-hidden="true" alt="x"></span> there.</p></main></body></html>',
        ("Speed", "It is v=k here.", "The area is A=b there."),
        ("kappa", "v=kv=k"),
        "Speed",
        ("Speed",),
    ),
    "redmine": (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8" /><title>Crane - Works - Tracker</title></head><body class="project-works has-main-menu controller-wiki action-show"><div id="wrapper"><div id="top-menu"><div id="account"><ul><li><a class="login" href="/login">Sign in</a></li></ul></div><ul><li><a href="/">Home</a></li></ul></div><div id="header"><div id="quick-search"><form><input type="text" class="small"></form></div><h1><span class="current-project">Works</span></h1><div id="main-menu" class="tabs"><ul><li><a href="/wiki" class="wiki selected">Wiki</a></li></ul></div></div>'
        '<div id="main" class="nosidebar"><div id="content"><div class="contextual"><a class="icon icon-edit" href="/e">Edit</a><a class="icon icon-history" href="/h">History</a></div><div class="wiki wiki-page"><a name="Crane"></a><h1>Crane<a href="#Crane" class="wiki-anchor">&para;</a></h1><p>The crane lifts 12 t.</p><ul class="toc right"><li><a href="#Checks">Checks</a></li></ul><h2>Checks<a href="#Checks" class="wiki-anchor">&para;</a></h2><table><tbody><tr><th>Part</th><th>Every</th></tr><tr><td>Hook</td><td>month</td></tr></tbody></table></div><p class="other-formats">Also available in: <span><a href="/pdf" class="pdf">PDF</a></span></p></div></div><div id="footer">Powered by <a href="#">Redmine</a></div></div></body></html>',
        ("Crane", "The crane lifts 12 t.", "Checks", "Part Every", "Hook month"),
        ("Sign in", "History", "Powered by", "¶"),
        "Crane - Works - Tracker",
        ("Crane", "Checks"),
    ),
}
