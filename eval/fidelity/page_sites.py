# ruff: noqa: E501 (lines of markup)
"""Frames of blogs, wikis, shops and office programs around a text. Their structure, not their files."""

from __future__ import annotations

from eval.fidelity.page_parts import links, page


def hexo(title: str, body: str) -> str:
    return page(
        f"<title>{title} | 山间札记</title>",
        f"""<div class="headband"></div><main class="main"><header class="header" itemscope><div class="header-inner"><div
class="site-brand-container"><div class="site-meta"><a href="/" class="brand" rel="start"><i class="logo-line"></i><p
class="site-title">山间札记</p></a></div></div><nav class="site-nav"><ul class="main-menu
menu">{links("首页", "归档")}</ul>
</nav></div><div class="toggle sidebar-toggle" role="button"><span class="toggle-line"></span></div><aside
class="sidebar">
<div class="sidebar-inner"><ul class="sidebar-nav"><li class="sidebar-nav-toc">文章目录</li><li
class="sidebar-nav-overview">站点概览</li></ul><div class="sidebar-panel-container"><div class="post-toc-wrap"><div
class="post-toc"><ol class="nav">{links("安装", "限制", name="nav-item")}</ol></div></div><div class="site-overview"><p
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


def wordpress(title: str, body: str) -> str:
    return page(
        f"<title>{title} &#8211; Harbour Notes</title>",
        f"""<div id="page" class="site"><a class="skip-link screen-reader-text" href="#primary">Skip to content</a><header
id="masthead" class="site-header"><div class="site-branding"><p class="site-title"><a href="/" rel="home">Harbour
Notes</a></p>
<p class="site-description">Just another weblog</p></div><nav id="site-navigation" class="main-navigation"><button
class="menu-toggle" aria-controls="primary-menu" aria-expanded="false">Primary Menu</button><ul id="primary-menu"
class="menu">
{links("About us", "Archive", name="menu-item")}</ul></nav></header><main id="primary" class="site-main"><article
id="post-7"
class="post-7 post type-post hentry"><header class="entry-header"><h1 class="entry-title">{title}</h1></header><div
class="entry-content">{body}<div class="sharedaddy sd-sharing-enabled"><div class="robots-nocontent sd-block
sd-social"><h3
class="sd-title">Share this:</h3><ul>{links("Tweet", "Mail it")}</ul></div></div></div><footer
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
class="widget-title">Recent Posts</h2><ul>{links("Winter tide", "Old ropes")}</ul></section></aside><footer
id="colophon"
class="site-footer"><div class="site-info"><a href="https://w.example/">Proudly powered by
WordPress</a></div></footer></div>
<div id="cookie-notice" role="dialog" class="cookie-notice-hidden"><div class="cookie-notice-container"><span>We use
cookies to
ensure the best experience on our website.</span><a href="#" class="cn-button">Ok</a></div></div>""",
        body_class="single single-post has-sidebar",
    )


def confluence(title: str, body: str) -> str:
    return page(
        f"<title>Operations : {title}</title>",
        f"""<div id="page"><div id="main" class="aui-page-panel"><div id="main-header"><div id="breadcrumb-section"><ol
id="breadcrumbs">{links("Operations", "Runbooks", tag="li")}</ol></div><h1 id="title-heading" class="pagetitle"><span
id="title-text">{title}</span></h1></div><div id="content" class="view"><div id="main-content" class="wiki-content
group">
{body}</div></div></div><div id="footer" role="contentinfo"><section class="footer-body"><p>Document generated by
Confluence on
Sep 01, 2026 10:12</p><div id="footer-logo"><a href="http://a.example/">Atlassian</a></div></section></div></div>""",
        body_class="theme-default aui-theme-default",
    )


def mediawiki(title: str, body: str) -> str:
    heading = f'<h1 id="firstHeading" class="firstHeading mw-first-heading"><span>{title}</span></h1>'
    return page(
        f"<title>{title} - Plant wiki</title>",
        f"""<div id="mw-page-base" class="noprint"></div><div id="content" class="mw-body" role="main"><a id="top"></a><div
id="siteNotice"></div><div class="mw-indicators"></div>{heading}<div id="bodyContent" class="vector-body"><div
id="siteSub"
class="noprint">From the plant wiki</div><div id="contentSub"></div><div id="jump-to-nav"></div><a class="mw-jump-link"
href="#mw-head">Jump to navigation</a><a class="mw-jump-link" href="#searchInput">Jump to search</a><div
id="mw-content-text"
class="mw-body-content mw-content-ltr"><div class="mw-parser-output"><div id="toc" class="toc" role="navigation"><div
class="toctitle"><h2 id="mw-toc-heading">Contents</h2></div><ul>{links("1 Install", "2 Limits", name="toclevel-1")}</ul></div>
{body}</div><div class="printfooter">Retrieved from "<a
href="https://w.example/index.php?oldid=7">https://w.example</a>"</div>
</div></div></div><div id="mw-navigation"><h2>Navigation menu</h2><div id="mw-head"><nav id="p-personal"
class="mw-portlet
vector-menu" role="navigation"><h3 class="vector-menu-heading"><span>Personal
tools</span></h3><ul>{links("Log in")}</ul></nav>
<div id="p-search" role="search"><h3><label>Search</label></h3></div></div><div id="mw-panel"><nav
class="mw-portlet"><h3><span>
Tools</span></h3><ul>{links("What links here", "Special pages")}</ul></nav></div></div><footer id="footer"
class="mw-footer" role="contentinfo"><ul id="footer-info"><li>This page was last edited on 1 September
2026.</li></ul><ul
id="footer-places">{links("Privacy policy", "Disclaimers")}</ul></footer>""",
        body_class="mediawiki ltr sitedir-ltr ns-0",
    )


def notion(title: str, body: str) -> str:
    return page(
        f"<title>{title}</title><style>.callout{{display:flex}} .sans{{font-family:ui-sans-serif}}</style>",
        f"""<article id="1f3c" class="page sans"><header><h1 class="page-title">{title}</h1><p class="page-description"></p>
</header><div class="page-body">{body}</div></article><span class="sans"
style="font-size:14px;padding-top:2em"></span>""",
    )


def word(title: str, body: str) -> str:
    styles = "p.MsoNormal{margin:0cm;font-size:11.0pt;mso-style-parent:''} h1{mso-style-link:x;color:#2F5496}"
    return page(
        f"<title>{title}</title><style><!-- {styles} @page WordSection1 {{size:595.3pt 841.9pt}} --></style>",
        f"""<div class=WordSection1><h1 style='margin-top:12.0pt'><span lang=EN-US style='color:windowtext'>{title}<o:p></o:p>
</span></h1>{body}<p class=MsoNormal><span style='mso-hide:all;display:none'>hidden field
code</span><o:p>&nbsp;</o:p></p></div>""",
    )


def sharepoint(title: str, body: str) -> str:
    return page(
        f"<title>{title}</title>",
        f"""<div id="s4-workspace"><div id="s4-titlerow" class="ms-dialogHidden s4-titlerowhidetitle"><div id="suiteBarLeft"
role="navigation"><a href="/">Intranet of the works</a></div></div><div id="contentRow"><div id="sideNavBox"
class="ms-dialogHidden ms-forceWrap ms-noList"><div class="ms-core-sideNavBox-removeLeftMargin"><ul class="root
ms-core-listMenu">
{links("Libraries", "Site contents", name="static")}</ul></div></div><div id="contentBox" aria-live="polite"><div
id="DeltaPlaceHolderMain"><a name="mainContent"></a><div class="ms-rte-layoutszone-outer"><div class="ms-rtestate-field
content"><h1>{title}</h1>{body}</div></div></div></div></div></div><div id="footer" class="footer">Contact the service
desk on
4711.</div>""",
    )


def shop(title: str, body: str) -> str:
    cards = "".join(
        f'<li class="product type-product"><a href="/{name}"><h2 class="woocommerce-loop-product__title">{name}</h2></a>'
        f'<a class="button add_to_cart_button" href="?add={name}">Add to cart</a></li>'
        for name in ("Camp stove", "Tin mug", "Fire striker")
    )
    return page(
        f"<title>{title} – Outfitter</title>",
        f"""<div class="promo-bar">Free shipping on orders over 60 euros</div><header class="site-header"><div class="logo"><a
href="/">Outfitter</a></div><form role="search" class="woocommerce-product-search"><input
type="search"><button>Search</button>
</form><nav class="main-navigation"><ul class="menu">{links("Tents", "Stoves", "Sale")}</ul></nav><div
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
class="footer-widgets"><ul>{links("Returns", "Imprint")}</ul></div><p>© 2026 Outfitter</p></footer><div
class="cky-consent-container" role="region"><p>This shop uses cookies to remember your cart.</p><button>Accept
all</button>
<button>Reject</button></div>""",
    )


def headed(title: str, body: str) -> str:
    """Written by hand: the title in the header, the text in an element of no meaning."""
    return page(
        "",
        f"""<header class="page-header"><h1>{title}</h1></header><div class="content">{body}</div><footer><p>Questions:
extension
2290.</p></footer>""",
    )
