# ruff: noqa: E501 (lines of markup)
"""Frames of documentation sites around a text: menus, contents, ways on, footers. Their structure, not their files."""

from __future__ import annotations

from eval.fidelity.page_parts import links, page


def docusaurus(title: str, body: str) -> str:
    return page(
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
{links("Getting started", "Reference", name="menu__list-item")}</ul></nav></aside><main class="docMainContainer_TBSr">
<div class="container"><div class="row"><div class="col docItemCol_VOVn"><div class="theme-doc-version-banner"></div>
<div class="docItemContainer_Djhp"><article><nav class="theme-doc-breadcrumbs" aria-label="Breadcrumbs"><ul
class="breadcrumbs">{links("Home page", "Guides")}</ul></nav><div class="tocCollapsible_ETCw
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
{links("Install", "Limits")}</ul></div></div></div></div></main></div></div></div><footer class="theme-layout-footer
footer
footer--dark"><div class="footer__copyright">Copyright 2026 Kiln project. Built with Docusaurus.</div></footer></div>""",
    )


def material(title: str, body: str) -> str:
    return page(
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
<ul class="md-nav__list">{links("Overview", "Operation", name="md-nav__item")}</ul></nav></div><div class="md-sidebar
md-sidebar--secondary"><nav class="md-nav md-nav--secondary" aria-label="Table of contents"><label
class="md-nav__title">
Table of contents</label><ul>{links("Install", "Limits", name="md-nav__item")}</ul></nav></div><div class="md-content">
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


def sphinx_rtd(title: str, body: str) -> str:
    return page(
        f"<title>{title} &mdash; kiln 2.4 documentation</title>",
        f"""<div class="wy-grid-for-nav"><nav data-toggle="wy-nav-shift" class="wy-nav-side"><div class="wy-side-scroll">
<div class="wy-side-nav-search"><a href="index.html" class="icon icon-home">kiln</a><div class="version">2.4</div><div
role="search"><form class="wy-form"><input name="q" placeholder="Search docs"></form></div></div><div class="wy-menu"
role="navigation"><p class="caption"><span
class="caption-text">Contents:</span></p><ul>{links("Setup", "API")}</ul></div>
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


def furo(title: str, body: str) -> str:
    return page(
        f"<title>{title} - kiln</title>",
        f"""<div class="sidebar-drawer"><div class="sidebar-container"><div class="sidebar-sticky"><a class="sidebar-brand"
href="index.html"><span class="sidebar-brand-text">kiln manual</span></a><form class="sidebar-search-container"
role="search"><input class="sidebar-search"></form><div
class="sidebar-tree"><ul>{links("Start", "Concepts")}</ul></div>
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
class="toc-tree-container"><div class="toc-tree"><ul>{links("Install", "Limits")}</ul></div></div></div></aside></div></div>""",
    )


def hugo(title: str, body: str) -> str:
    return page(
        f"<title>{title} :: Kiln</title>",
        f"""<header><nav class="js-navbar-scroll navbar navbar-expand navbar-dark"><a class="navbar-brand" href="/"><span
class="navbar-brand__name">Kiln cloud</span></a><ul
class="navbar-nav">{links("Documentation", "Blog", name="nav-item")}</ul>
</nav></header><div class="container-fluid td-outer"><div class="td-main"><div class="row flex-xl-nowrap"><aside
class="col-12 td-sidebar d-print-none"><div id="td-sidebar-menu" class="td-sidebar__inner"><form
class="td-sidebar__search">
<input type="search" placeholder="Search this site…"></form><nav
class="td-sidebar-nav"><ul>{links("Overview", "Tasks")}</ul>
</nav></div></aside><aside class="d-none td-sidebar-toc d-print-none"><div class="td-page-meta ms-2 pb-1"><a
href="/raw" class="td-page-meta--view">View page source</a><a href="/edit" class="td-page-meta--edit">Edit this
page</a></div>
<div class="td-toc"><nav id="TableOfContents"><ul>{links("Install", "Limits")}</ul></nav></div></aside><main
class="col-12
ps-md-5" role="main"><nav aria-label="breadcrumb" class="td-breadcrumbs"><ol class="breadcrumb">
{links("Documentation", "Tasks", name="breadcrumb-item")}</ol></nav><div class="td-content"><h1>{title}</h1><header
class="article-meta"></header>{body}<div class="d-print-none"><h2 class="feedback--title">Feedback</h2><p
class="feedback--question">Was this page helpful?</p><button class="btn
feedback--answer-yes">Yes</button></div></div></main>
</div></div><footer class="td-footer row d-print-none"><div class="container-fluid"><span class="td-footer__copyright">©
2026 Kiln Authors All Rights Reserved</span></div></footer></div>""",
    )


def vitepress(title: str, body: str) -> str:
    return page(
        f"<title>{title} | Kiln</title>",
        f"""<div id="app"><div class="Layout"><span tabindex="-1"></span><a href="#VPContent" class="VPSkipLink
visually-hidden">Skip to content</a><header class="VPNav"><div class="VPNavBar has-sidebar"><div class="container"><div
class="title"><a class="title" href="/"><span>Kiln</span></a></div><div class="VPNavBarSearch search"><button
class="DocSearch
DocSearch-Button"><span>Search</span></button></div><nav class="VPNavBarMenu
menu">{links("Guide", "API", tag="span")}</nav>
</div></div></header><div class="VPLocalNav has-sidebar"><button class="menu"><span
class="menu-text">Menu</span></button><div
class="VPLocalNavOutlineDropdown"><button>Return to top</button></div></div><aside class="VPSidebar"><nav class="nav"
id="VPSidebarNav"><span class="visually-hidden" id="sidebar-aria-label">Sidebar Navigation</span><div class="group">
{links("Start here", "Config", tag="p")}</div></nav></aside><div class="VPContent has-sidebar" id="VPContent"><div
class="VPDoc has-sidebar has-aside"><div class="container"><div class="aside"><div class="aside-container"><div
class="aside-content"><div class="VPDocAside"><nav class="VPDocAsideOutline"><div class="content"><div
class="outline-title">
On this page</div><ul class="VPDocOutlineItem
root">{links("Install", "Limits")}</ul></div></nav></div></div></div></div><div
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


def vuepress(title: str, body: str) -> str:
    return page(
        f"<title>{title} | Kiln</title>",
        f"""<div id="app"><div class="theme-container"><header class="navbar"><div class="sidebar-button"></div><a href="/"
class="home-link"><span class="site-name">Kiln</span></a><div class="links"><div class="search-box"><input></div><nav
class="nav-links can-hide">{links("Guide", "Reference", tag="div", name="nav-item")}</nav></div></header><div
class="sidebar-mask"></div><aside class="sidebar"><ul
class="sidebar-links">{links("Introduction", "Deploying")}</ul></aside>
<main class="page"><div class="theme-default-content content__default"><h1 id="t"><a href="#t"
class="header-anchor">#</a>
{title}</h1>{body}</div><footer class="page-edit"><div class="edit-link"><a href="/e">Help us improve this
page!</a></div><div
class="last-updated"><span class="prefix">Last Updated:</span><span class="time">9/1/2026</span></div></footer><div
class="page-nav"><p class="inner"><span class="prev">←<a href="/p" class="prev">Introduction</a></span><span
class="next"><a
href="/n">Deploying</a>→</span></p></div></main></div></div>""",
    )


def gitbook(title: str, body: str) -> str:
    return page(
        f"<title>{title} | Kiln</title>",
        f"""<header class="flex flex-row sticky"><div class="scroll-nojump"><a class="group/headerlogo" href="/"><div
class="text-tint">Kiln handbook</div></a><button class="flex rounded">Ask or search…</button></div></header><div
class="flex flex-col"><aside class="group/table-of-contents relative"><ul class="flex
flex-col">{links("Welcome", "Basics")}
</ul></aside><div class="flex flex-1"><aside class="group/page-aside"><div class="overflow-scroll"><ul>
{links("Install", "Limits")}</ul></div></aside><main class="relative min-w-0 flex-1"><header class="max-w-3xl
mx-auto"><nav
aria-label="Breadcrumb"><ol class="flex">{links("Basics")}</ol></nav><h1 class="text-4xl">{title}</h1></header><div
class="whitespace-pre-wrap">{body}</div><div class="flex flex-row mt-6 max-w-3xl"><a class="group text-sm"
href="/p"><span
class="flex"><span class="text-xs">Previous</span><span class="text-base">Welcome</span></span></a><a class="group
text-sm"
href="/n"><span><span class="text-xs">Next</span><span>Basics</span></span></a></div><div class="flex flex-row"><p
class="text-sm">Was this helpful?</p><button class="px-2" title="Yes"><svg></svg></button></div></main></div></div>""",
    )


def jekyll(title: str, body: str) -> str:
    return page(
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


def javadoc(title: str, body: str) -> str:
    return page(
        f"<title>{title} (Kiln 2.4 API)</title>",
        f"""<div class="flex-box"><header role="banner" class="flex-header"><nav role="navigation"><div class="top-nav"
id="navbar-top"><div class="skip-nav"><a href="#skip-navbar-top">Skip navigation links</a></div><ul class="nav-list"
id="navbar-top-firstrow">{links("Overview", "Package", "Deprecated")}</ul></div><div class="sub-nav"><ul
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
