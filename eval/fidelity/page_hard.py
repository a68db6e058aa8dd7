# ruff: noqa: E501 (lines of markup)
"""Web pages for one hard thing each: no body, old tables, office exports, wikis with numbers, forums, code pages."""

from __future__ import annotations

from collections.abc import Iterator

from eval.fidelity.page_parts import links
from eval.fidelity.sample import Sample


def make_hard_pages() -> Iterator[Sample]:
    """Yield one file for each."""
    for name, (html, charset, must, never, title, headings) in _PAGES.items():
        yield Sample(
            f"html/{name}.{'xhtml' if html.startswith('<?xml') else 'html'}",
            html.encode(charset),
            must,
            never,
            title,
            headings,
        )
    yield _vector()
    yield _nineties()


def _vector() -> Sample:
    """MediaWiki's skin of today: numbered contents beside the text, an infobox, links to edit, sources."""
    names = ("Etymology", "Habitat", "Feeding")
    contents = "".join(
        f'<li id="toc-{name}" class="vector-toc-list-item"><a class="vector-toc-link" href="#{name}"><div class="vector-toc-text"><span class="vector-toc-numb">{number}</span><span>{name}</span></div></a></li>'
        for number, name in enumerate(names, start=1)
    )
    texts = (
        "The name comes from an old word for diver.",
        "It lives on lakes and slow rivers of the north.",
        "It eats water plants, snails and small fish.",
    )
    body = "".join(
        f'<div class="mw-heading mw-heading2"><h2 id="{name}">{name}</h2><span class="mw-editsection"><span class="mw-editsection-bracket">[</span><a href="/e">edit</a><span class="mw-editsection-bracket">]</span></span></div>'
        f'<p>{text}<sup id="c{name}" class="reference"><a href="#n1"><span class="cite-bracket">[</span>1<span class="cite-bracket">]</span></a></sup></p>'
        for name, text in zip(names, texts, strict=True)
    )
    box = '<table class="infobox biota"><tbody><tr><th colspan="2">Lake diver</th></tr><tr><td>Kingdom:</td><td><a href="/A">Animalia</a></td></tr><tr><td>Weight:</td><td>1.2 kg</td></tr></tbody></table>'
    html = (
        '<!DOCTYPE html><html class="client-nojs vector-feature-toc-pinned-clientpref-1" lang="en"><head><meta charset="UTF-8"><title>Lake diver - Field wiki</title></head><body class="skin-vector">'
        f'<a class="mw-jump-link" href="#bodyContent">Jump to content</a><div class="vector-header-container"><header class="vector-header"><nav class="vector-main-menu-landmark"><ul>{links("Main page", "Random article")}</ul></nav></header></div>'
        f'<div class="mw-page-container"><div class="vector-column-start"><nav id="mw-panel-toc" aria-label="Contents" class="mw-table-of-contents-container"><div class="vector-toc"><div class="vector-pinnable-header"><h2>Contents</h2><button>move to sidebar</button><button>hide</button></div><ul>'
        f'<li class="vector-toc-list-item"><a href="#" class="vector-toc-link"><div class="vector-toc-text">(Top)</div></a></li>{contents}</ul></div></nav></div>'
        '<div class="mw-content-container"><main id="content" class="mw-body"><header class="mw-body-header"><h1 id="firstHeading">Lake diver</h1><nav class="vector-page-toolbar"><a href="/talk">Talk</a><a href="/history">View history</a></nav></header>'
        f'<div id="bodyContent" class="vector-body"><div id="siteSub" class="noprint">From the field wiki</div><div id="mw-content-text"><div class="mw-parser-output">{box}{body}'
        '<ol class="references"><li id="n1"><span class="mw-cite-backlink"><b><a href="#cEtymology">^</a></b></span> <span class="reference-text">Berg: Birds of lakes, 1998.</span></li></ol></div></div>'
        f'<div id="catlinks" class="catlinks"><a href="/c">Categories</a>: <ul>{links("Birds")}</ul></div></div></main><footer class="mw-footer"><ul>{links("Privacy policy", "About")}</ul></footer></div></div></body></html>'
    )
    must = (
        "Lake diver",
        "Kingdom: Animalia",
        "Weight: 1.2 kg",
        *(text for pair in zip(names, texts, strict=True) for text in pair),
        "Berg: Birds of lakes, 1998.",
    )
    return Sample(
        "html/mediawiki-vector.html",
        html.encode(),
        must,
        ("Jump to content", "Random article", "View history", "move to sidebar", "edit"),
        "Lake diver - Field wiki",
        names,
    )


def _nineties() -> Sample:
    """Tables for layout, fonts, no closing tags, a code page that is only declared."""
    html = (
        '<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=windows-1252"><TITLE>Bootsverleih Jäger</TITLE></HEAD><BODY BGCOLOR="#FFFFFF"><TABLE WIDTH=100%><TR><TD WIDTH=120><FONT SIZE=2><A HREF="i.htm">Start</A><BR><A HREF="p.htm">Preise</A><BR><A HREF="l.htm">Lage</A></FONT>'
        "<TD><FONT FACE=Arial SIZE=5><B>Bootsverleih Jäger</B></FONT><P>Wir verleihen Ruderboote von Mai bis September.<P><TABLE BORDER=1><TR><TH>Boot<TH>Stunde<TR><TD>Zweier<TD>8,50 €<TR><TD>Vierer<TD>12 €</TABLE><P>Anruf genügt: 0815<HR><FONT SIZE=1>Letzte Änderung: 3. 5. 1999</FONT></TABLE></BODY></HTML>"
    )
    must = (
        "Bootsverleih Jäger",
        "Wir verleihen Ruderboote von Mai bis September.",
        "Boot",
        "Stunde",
        "Zweier",
        "8,50 €",
        "Vierer",
        "12 €",
        "Anruf genügt: 0815",
    )
    return Sample("html/nineties.html", html.encode("cp1252"), must, ("FONT",), "Bootsverleih Jäger")


_GUARD = "The gate is locked at ten in the evening and opened at six."
_Page = tuple[str, str, tuple[str, ...], tuple[str, ...], str, tuple[str, ...]]
_PAGES: dict[str, _Page] = {
    "no-body": (
        f"<title>Yard rules</title><main><h1>Gate</h1><p>{_GUARD}</p></main>",
        "utf-8",
        ("Gate", _GUARD),
        (),
        "Yard rules",
        ("Gate",),
    ),
    "no-body-meta": (
        f"<!doctype html>\n<meta charset=utf-8>\n<title>Yard rules</title>\n<link rel=stylesheet href=a.css>\n<article><h1>Gate</h1><p>{_GUARD}<p>Ring for the guard.</article>",
        "utf-8",
        ("Gate", _GUARD, "Ring for the guard."),
        (),
        "Yard rules",
        ("Gate",),
    ),
    "fragment": (
        f"<h1>Gate</h1>\n<p>{_GUARD}</p>\n<ul><li>Ring once.<li>Wait.</ul>",
        "utf-8",
        ("Gate", _GUARD, "Ring once.", "Wait."),
        (),
        "Gate",
        ("Gate",),
    ),
    "section-first": (
        f"<title>Tor</title><section><h2>Öffnung</h2><p>{_GUARD}</p></section>",
        "utf-8",
        ("Öffnung", _GUARD),
        (),
        "Tor",
        ("Öffnung",),
    ),
    "gb2312": (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>值班表</title></head><body><h1>值班安排</h1><table border=1><tr><th>日期</th><th>值班人</th></tr><tr><td>三月一日</td><td>王芳</td></tr></table><p>如有变动，请提前一天告知办公室。</p></body></html>',
        "gb18030",
        ("值班安排", "日期 值班人", "三月一日 王芳", "如有变动，请提前一天告知办公室。"),
        (),
        "值班表",
        ("值班安排",),
    ),
    "big5": (
        '<html><head><meta charset="big5"><title>公告</title></head><body><div id="content"><h2>停水通知</h2><p>本週三上午九時至十二時停水，請預先儲水備用。</p></div></body></html>',
        "big5",
        ("停水通知", "本週三上午九時至十二時停水，請預先儲水備用。"),
        (),
        "公告",
        ("停水通知",),
    ),
    "shift-jis": (
        '<html lang="ja"><head><meta charset="Shift_JIS"><title>お知らせ</title></head><body><h1>休業日</h1><p>五月三日から五日まで休業いたします。</p><p><ruby>港<rp>（</rp><rt>みなと</rt><rp>）</rp></ruby>の売店は開いています。</p></body></html>',
        "cp932",
        ("休業日", "五月三日から五日まで休業いたします。", "港の売店は開いています。"),
        ("みなと",),
        "お知らせ",
        ("休業日",),
    ),
    "xhtml-strict": (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en"><head><title>Knots</title><style type="text/css"><![CDATA[ p { color: navy } ]]></style></head>'
        "<body><h1>Knots</h1><dl><dt>Bowline</dt><dd>Holds and never slips.</dd><dt>Reef knot</dt><dd>Ties two ends.</dd></dl><p>Cross left over right,<br/>then right over left.</p></body></html>",
        "utf-8",
        (
            "Knots",
            "Bowline",
            "Holds and never slips.",
            "Reef knot",
            "Ties two ends.",
            "Cross left over right,",
            "then right over left.",
        ),
        ("navy", "CDATA"),
        "Knots",
        ("Knots",),
    ),
    "google-docs": (
        '<html><head><meta content="text/html; charset=UTF-8" http-equiv="content-type"><style type="text/css">ol{margin:0}.c3{color:#000000;font-weight:700}.c5{max-width:451pt}</style></head><body class="c5 doc-content"><p class="c1 title" id="h.a"><span class="c3">Moving plan</span></p><h1 class="c2" id="h.b"><span class="c3">Week </span><span class="c3">one</span></h1>'
        '<ul class="c7 lst-kix_1-0 start"><li class="c2 li-bullet-0"><span class="c4">Pack the archive</span></li></ul><p class="c2"><span class="c4">Boxes are in room 4</span><sup><a href="#cmnt1">[a]</a></sup><span>.</span></p><hr><div><p class="c2"><a href="#cmnt_ref1">[a]</a><span class="c4">How many?</span></p></div></body></html>',
        "utf-8",
        ("Moving plan", "Week one", "Pack the archive", "Boxes are in room 4", "How many?"),
        ("max-width",),
        "",
        ("Week one",),
    ),
    "outlook-saved": (
        '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv=Content-Type content="text/html; charset=utf-8"><!--[if gte mso 9]><xml><o:OfficeDocumentSettings/></xml><![endif]--><style><!-- p.MsoNormal {margin:0cm} --></style></head><body lang=EN-GB><div class=WordSection1>'
        "<p class=MsoNormal><b>From:</b> Ada Holm<br><b>Subject:</b> Keys</p><p class=MsoNormal>The spare keys are in the <span style='mso-fareast-language:EN-US'>blue</span> tin.<o:p></o:p></p><p class=MsoNormal><![if !supportLists]><span style='mso-list:Ignore'>1.<span>&nbsp;&nbsp; </span></span><![endif]>Return them by noon.</p></div></body></html>",
        "utf-8",
        ("Ada Holm", "Keys", "The spare keys are in the blue tin.", "Return them by noon."),
        ("OfficeDocumentSettings", "MsoNormal"),
        "",
        (),
    ),
    "forum": (
        '<!DOCTYPE html><html><head><title>Pump will not start - Boat forum</title></head><body><div id="page-header"><ul class="linklist"><li><a href="/faq">FAQ</a></li><li><a href="/login">Login</a></li></ul></div><div id="page-body"><h2 class="topic-title">Pump will not start</h2>'
        '<div class="post"><dl class="postprofile"><dt>nils</dt><dd>Posts: 12</dd></dl><div class="postbody"><div class="content">My pump hums but does not turn.</div></div></div><div class="post"><dl class="postprofile"><dt>ada</dt></dl><div class="postbody"><div class="content"><blockquote><cite>nils wrote:</cite>hums but does not turn</blockquote>'
        'Replace the capacitor, 8 microfarads.</div></div></div></div><div id="page-footer">Powered by a board</div></body></html>',
        "utf-8",
        ("Pump will not start", "My pump hums but does not turn.", "Replace the capacitor, 8 microfarads."),
        ("FAQ", "Powered by"),
        "Pump will not start - Boat forum",
        ("Pump will not start",),
    ),
    "spec": (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Tide message format</title></head><body class="h-entry"><div class="head"><h1 id="title">Tide message format</h1><p id="w3c-state">Draft of 1 March 2026</p></div><nav id="toc"><h2>Table of Contents</h2><ol class="toc"><li><a href="#i"><bdi class="secno">1. </bdi>Introduction</a></li><li><a href="#f"><bdi class="secno">2. </bdi>Fields</a></li></ol></nav>'
        '<section id="i"><div class="header-wrapper"><h2 id="x1"><bdi class="secno">1. </bdi>Introduction</h2><a class="self-link" href="#i" aria-label="Permalink for Section 1."></a></div><p>A message holds one height. Senders <em class="rfc2119">MUST</em> sign it.</p></section><section id="f"><h2><bdi class="secno">2. </bdi>Fields</h2><pre class="idl"><code>interface Tide {\n  attribute double height;\n};</code></pre><table class="simple"><thead><tr><th>Field</th><th>Unit</th></tr></thead><tbody><tr><td><code>height</code></td><td>m</td></tr></tbody></table></section></body></html>',
        "utf-8",
        (
            "Tide message format",
            "Draft of 1 March 2026",
            "Introduction",
            "A message holds one height. Senders MUST sign it.",
            "Fields",
            "interface Tide {",
            "attribute double height;",
            "Field Unit",
            "height",
            "m",
        ),
        (),
        "Tide message format",
        ("1. Introduction", "2. Fields"),
    ),
    "news": (
        '<!DOCTYPE html><html><head><title>Ice closes the sound | Morning Post</title><script type="application/ld+json">{"@type":"NewsArticle","headline":"secret headline"}</script><noscript><img src="p.gif"></noscript></head><body><header role="banner"><a href="/">Morning Post</a><button>Subscribe</button></header><main><article><header><h1>Ice closes the sound</h1><p class="byline">By Ada Holm</p><time datetime="2026-03-01">1 March 2026</time></header>'
        '<p class="lead">The ferry to Moss was late on Monday.</p><figure><img src="a.jpg" alt="ferry"><figcaption>The Svala at the pier.</figcaption></figure><div class="ad-slot advertisement">Buy a boat today</div><p>Nobody was hurt.</p><aside class="related"><h3>More on this</h3><ul><li><a href="/1">Storm of 2019</a></li><li><a href="/2">New ferry</a></li></ul></aside><p>Boats run again on Tuesday.</p></article></main><footer><p>© 2026 Morning Post</p></footer></body></html>',
        "utf-8",
        (
            "Ice closes the sound",
            "The ferry to Moss was late on Monday.",
            "The Svala at the pier.",
            "Nobody was hurt.",
            "Boats run again on Tuesday.",
        ),
        ("secret headline", "Subscribe", "Buy a boat today", "Storm of 2019", "© 2026"),
        "Ice closes the sound | Morning Post",
        ("Ice closes the sound",),
    ),
    "positioned": (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="generator" content="pdf2htmlEX"><title></title><style>.t{position:absolute;white-space:pre}.fs0{font-size:48px}</style></head><body><div id="page-container"><div id="pf1" class="pf w0 h0"><div class="pc"><div class="t m0 fs0" style="left:40px;top:60px">Harbour dues<span class="_ _0"> </span>2026</div><div class="t m0" style="left:40px;top:90px">Boats up to 8 m pay 120 euros.</div><div class="t m0" style="left:40px;top:110px">Larger boats pay 15 euros a metre.</div></div></div></div></body></html>',
        "utf-8",
        ("Harbour dues 2026", "Boats up to 8 m pay 120 euros.", "Larger boats pay 15 euros a metre."),
        (),
        "",
        (),
    ),
}
