"""Which elements of a page belong to the site around the text: menus, sidebars, footers, banners, buttons.

Pure: reads the tree, changes nothing. Told by tag and role (HTML Living Standard, WAI-ARIA), by how much of an element
is links, and by the words of its class and id, which site generators, wikis and shops have in common. An element that
holds the main content or the page's title is never furniture, and what a name says alone takes nothing long away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.parsers.contents import find_numbered_contents
from ingest.parsers.tabs import name_words


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


UNSEEN = _set(
    "script style template noscript svg head iframe object embed canvas video audio rt rp rtc annotation annotation-xml"
)

_CONTENT_NAMES = _set(
    """content main maincontent pagecontent postcontent entrycontent articlecontent articlebody postbody
    markdownbody wikicontent mwcontenttext bodycontent contentcontainer documentwrapper contentbody pagebody
    mdcontent vpdoc dokuwikicontent contents entry post article document primary"""
)
_LEAST_CONTENT = 0.3  # of the page's text is in an element that is taken for the content by its name
_LEAST_OF_OUTER = 0.85  # of an outer content's text, for an inner one to be taken instead
_MAX_CANDIDATES = 20

_ROLES: Mapping[str, str] = {
    **dict.fromkeys(("navigation", "menu", "menubar", "search", "toolbar"), "nav"),
    **{"banner": "header", "contentinfo": "footer", "complementary": "aside"},
    **dict.fromkeys(("dialog", "alertdialog"), "dialog"),
}
# Kept wherever they stand: a text's own remarks.
_REMARKS = _set(
    """admonition warning warn note notes notice tip hint caution danger important info information alert callout
    attention error infobox"""
)
# Lists of links, when they are lists of links.
_LINK_BOXES = _set(
    """nav navbar navheader navfooter navigation navi navs sidenav subnav topnav menu menus menubar breadcrumb
    breadcrumbs crumb crumbs toc tocs sidebar sidebars pagination paginator pager paging pagenavi topbar related
    recommend recommended recommendation recommendations footer footers tagcloud prev previous next header
    headers widget widgets tags categories category language languages crosssell upsell upsells neighbors
    siblings"""
)
_HEADS = frozenset({"header", "headers"})  # of a text, when there is a heading in it
_LEAST_LINKS = 0.5  # of an element's characters, for it to be a list of links
# Parts that are furniture whatever they say, as long as they are short.
_BOXES = _set(
    """cookie cookies consent gdpr skip skiplink skiplinks share sharing sharebar social socials sharedaddy
    newsletter subscribe subscription signup login signin searchbox searchform copyright cart minicart wishlist
    popup modal overlay advert advertisement advertisements advertising ads adsbygoogle sponsor sponsors
    sponsored promo editsection feedback colophon disqus giscus utterances gitalk valine respond
    siteinfo toolbar versions jumplink backtotop totop screenreader visuallyhidden sronly"""
)
_BOX_NAMES = re.compile(
    r"skip-?(?:to|link|nav)|back-?to-?top|scroll-?top|screen-?reader|visually-?hidden|sr-?only|jump-?(?:link|to)"
    r"|edit-?(?:this|page|link|section|on)|powered-?by|search-?(?:box|form|bar|input)"
    r"|site-?(?:footer|header|nav|title|logo|branding|notice)|on-?this-?page|table-?of-?contents|toc-?title|content-?meta"
    r"|d-print-none|hidden-print|print:hidden|ot-sdk|onetrust|cookiebot|add-?to-?cart|buy-?box|mini-?cart|page-?tools|copy-?(?:btn|button|code)",
    re.I,
)
_MAX_BOX_CHARS = 700
_OUTSIDE_CHARS = 200  # what stands outside the content and is shorter is a label of the site
_LETTERS = re.compile(r"[^a-z]")
_NOT_SO_NAMED = re.compile(r"(?:^|\s)\S*(?:has|with|no|not|without)-\S*", re.I)
_STARTS_A_WAY = re.compile(
    r"(?:previous|next|prev|edit (?:this|on)|view (?:source|page source|on)|show source|back to|skip to|jump to"
    r"|«|»|←|→|‹|›|上一[页頁篇章]|下一[页頁篇章]|编辑此页|編輯此頁|编辑本页|在 ?git\w+ ?上编辑"
    r"|回到顶部|返回顶部|回到頂部|跳到|跳转到|跳至|查看源)",
    re.I,
)
_ASKS_FOR_THANKS = re.compile(
    r"(?:was|is) this (?:page |article |section |answer )?(?:helpful|useful)|did (?:this|you find this)\b.{0,20}help"
    r"|(?:这|此|本)[篇个页文节章]{0,3}(?:文章|页面|文档|内容)?(?:对[您你])?(?:是否)?有(?:帮助|用)[吗？?]?",
    re.I,
)
_COOKIES = re.compile(r"\bcookies?\b", re.I)
_OF_THE_SITE = re.compile(
    r"©|\(c\) ?\d{4}|copyright|all rights reserved|powered by|版权所有|版權所有|ICP备", re.I
)
_STARTS_AS_OF_THE_SITE = re.compile(
    r"\s*(?:©|copyright (?:©|\(c\)|\d)|powered by |版权所有|版權所有|\w?ICP备)", re.I
)
# What opens a part of the page and says nothing of it.
_OPENS_ALONE = re.compile(
    r"\s*(?:(?:expand|collapse|show|hide|toggle|view) (?:the )?(?:description|details|more|less|all|answer|solution"
    r"|code|content|source)|(?:展开|收起|显示|隐藏|查看|展開|收合|顯示|隱藏)(?:全部|更多|详情|詳情|描述|答案|内容|內容|代码|程式碼)?)\s*$",
    re.I,
)
_COPIES = frozenset({"copy", "clipboard"})
_PERMALINK = re.compile(r"[\s#¶§🔗⚓\u200b\ufeff\u2060]*$")
_BACK_LINK = re.compile(r"[\s↩↑^\ufe0e\u21a9]*$")
_MAX_BUTTON_CHARS = 60
_MAX_LANGUAGE_CHARS = 20
_MAX_SIGN_CHARS = 30
_SIGNS = frozenset({"headerlink", "permalink"})
# Never furniture by name or place: they hold text, not boxes of a page.
_TEXT_TAGS = _set("html body main article p h1 h2 h3 h4 h5 h6 li dt dd td th tr tbody pre code table")
_PLAIN = _set("p h1 h2 h3 h4 h5 h6 blockquote table pre ul ol dl figure hr details")
_WAYS = frozenset({"a", "p", "h2", "h3"})
_ASIDES = frozenset({"toc", "related", "recommended"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CONTROLS = frozenset({"button", "option", "label"})
_QUESTIONS = frozenset({"question", "faq", "accordion", "collapsible", "expander", "summary"})
_TITLES = frozenset({"title", "headertitle", "pagetitle", "headline"})
_BUTTON_PARENTS = _set("h1 h2 h3 h4 h5 h6 summary dt li p td")


@dataclass(slots=True)
class _Frame:
    """What is known of an open element: characters without white space, of all and of links."""

    element: etree._Element
    is_inside: bool  # the content
    is_in_header: bool  # of the site or page
    chars: int = 0
    link_chars: int = 0
    heading_chars: int = 0
    has_furniture: bool = False
    has_content: bool = False
    has_title: bool = False
    has_heading: bool = False
    has_remark: bool = False
    has_button: bool = False
    has_way: bool = False  # a link to the page before or after


class Furniture:
    """Marks the furniture of a page in one walk; `marked` holds what is dropped and counted, `signs` what is dropped
    without: signs for the browser, such as "¶"."""

    def __init__(self, root: etree._Element, skipped: set[etree._Element]) -> None:
        """Walk the tree; `skipped` are elements that are no text at all."""
        self.marked: set[etree._Element] = set()
        self.signs: set[etree._Element] = set()
        self._roots = _find_roots(root)
        self._root, self._seen = root, 0
        self._total: int | None = None  # characters without white space, when they have been counted
        self._spine = {ancestor for found in self._roots for ancestor in found.iterancestors()}
        self._has_h1 = next(root.iter("h1"), None) is not None
        self._titles = [h for h in root.iter("h1") if not any(a.tag == "header" for a in h.iterancestors())]
        self._has_title_inside = any(not self._roots or _inside(title, self._roots) for title in self._titles)
        self._contents = find_numbered_contents(root)
        self._has_heading_inside = any(_inside(h, self._roots) for h in root.iter("h2", "h3"))
        self._walk(root, skipped)

    def _walk(self, root: etree._Element, skipped: set[etree._Element]) -> None:
        is_marked = any(found.tag in {"main", "article"} or found.get("role") for found in self._roots)
        frames = [_Frame(root, is_inside=not self._roots, is_in_header=False)]
        link_depth = 0
        walk = etree.iterwalk(root, events=("start", "end"))
        dropped: etree._Element | None = None
        for event, element in walk:
            if event == "start":
                if element.tag in UNSEEN or element in skipped:
                    dropped = element
                    walk.skip_subtree()
                    continue
                is_inside = frames[-1].is_inside or element in self._roots
                opens_header = element.tag == "header" and not (is_inside and is_marked)
                is_in_header = opens_header or frames[-1].is_in_header
                frames.append(_Frame(element, is_inside, is_in_header))
                link_depth += element.tag == "a"
                self._seen += _count(frames[-1], element.text, link_depth)
                continue
            if element is dropped:
                dropped = None
            else:
                frame = frames.pop()
                link_depth -= element.tag == "a"
                if self._is_sign(frame):
                    self.signs.add(element)
                elif self._is_furniture(frame):
                    self.marked.add(element)
                    frames[-1].has_furniture = True
                else:
                    self._add(frames[-1], frame)
            if element is not root:
                self._seen += _count(frames[-1], element.tail, link_depth)

    def _add(self, outer: _Frame, inner: _Frame) -> None:
        """Let an element that is text count for the one around it."""
        tag = inner.element.tag
        is_heading = tag in _HEADINGS
        is_title = tag == "h1" or (not self._has_h1 and bool(_names(inner.element) & _TITLES))
        outer.chars += inner.chars
        outer.link_chars += inner.chars if tag in _CONTROLS else 0 if is_heading else inner.link_chars
        outer.heading_chars += inner.chars if is_heading else inner.heading_chars
        outer.has_furniture = outer.has_furniture or inner.has_furniture
        outer.has_content = outer.has_content or inner.has_content or inner.element in self._roots
        outer.has_content = outer.has_content or inner.element in self._contents
        outer.has_content = outer.has_content or (tag in {"main", "article"} and inner.is_inside)
        outer.has_title = outer.has_title or inner.has_title or (is_title and inner.chars > 0)
        outer.has_heading = outer.has_heading or inner.has_heading or is_heading
        outer.has_remark = outer.has_remark or inner.has_remark
        outer.has_way = outer.has_way or inner.has_way or inner.element.get("rel") in {"prev", "next"}
        outer.has_button = outer.has_button or inner.has_button or tag in {"button", "input"}

    def _is_sign(self, frame: _Frame) -> bool:
        element = frame.element
        if element.tag == "a":
            text = "".join(element.itertext()) if frame.chars <= _MAX_SIGN_CHARS else "-"
            is_named = bool(_SIGNS & name_words(element.get("class"))) and frame.chars <= _MAX_SIGN_CHARS
            leads_within = (element.get("href") or "#").startswith("#")
            return leads_within and (is_named or bool(_PERMALINK.match(text) or _BACK_LINK.match(text)))
        if element.tag in {"span", "div"} and frame.chars <= _MAX_LANGUAGE_CHARS and _is_language(element):
            return True
        return 0 < frame.chars <= 2 and len(element) == 0 and (element.text or "").strip() in {"¶", "🔗"}

    def _is_furniture(self, frame: _Frame) -> bool:
        element = frame.element
        tag = element.tag
        if frame.chars == 0 or frame.has_content:
            return False
        is_dense = 0 < frame.link_chars >= _LEAST_LINKS * (frame.chars - frame.heading_chars)
        is_dense = is_dense or (
            frame.has_furniture and frame.chars == frame.heading_chars
        )  # a heading over nothing
        kind = _ROLES.get(element.get("role") or "", tag)
        if element in self._contents and kind != "button":
            return False
        if tag == "a" or (tag in _TEXT_TAGS and kind == tag):
            return (tag in _WAYS and self._is_way(frame, is_dense=is_dense)) or self._is_outside(frame)
        words = name_words(element.get("class"))
        is_named = self._is_named(frame, is_dense=is_dense)
        is_remark = bool(words & _REMARKS) or (element.get("role") in {"note", "alert"} and not is_named)
        if is_remark and not (frame.chars <= _MAX_BOX_CHARS and _COOKIES.search("".join(element.itertext()))):
            frame.has_remark = True
            return False
        found = self._is_of_kind(frame, kind, is_dense=is_dense)
        if found is not None:
            return found
        is_menu = is_dense and frame.is_in_header and tag in {"ul", "ol"}
        return is_named or is_menu or self._is_way(frame, is_dense=is_dense) or self._is_outside(frame)

    def _is_of_kind(self, frame: _Frame, kind: str, *, is_dense: bool) -> bool | None:
        """Whether an element is furniture by its tag or role; None where that does not tell."""
        found: bool | None = None
        words = name_words(frame.element.get("class"))
        is_outer = not frame.is_inside or not self._roots
        if kind == "nav" and (frame.element.tag == "nav" or not frame.is_inside):  # wikis' tables have it too
            found = is_dense or frame.chars < _MAX_BOX_CHARS
        elif kind == "dialog":
            found = True
        elif kind == "header" and is_outer:
            found = not self._is_title_header(frame)
        elif kind == "footer":
            found = is_outer or is_dense or bool(words) or frame.has_furniture
        elif kind == "aside" and is_outer:
            found = is_dense or bool(words & _LINK_BOXES) or not _is_among_text(frame.element)
        elif kind == "aside":
            found = is_dense or frame.has_furniture or bool(_names(frame.element) & _ASIDES)
        elif kind == "summary":
            found = (frame.chars <= _MAX_BUTTON_CHARS and _opens_alone(frame.element)) or None
        elif kind == "button":
            found = self._is_plain_button(frame) or None
        elif kind in {"select", "form"}:
            found = not frame.is_inside
        return found

    def _is_title_header(self, frame: _Frame) -> bool:
        """Whether a header outside the content holds the title of the text, or a remark on it."""
        if frame.has_title:
            return not self._has_title_inside
        return frame.has_remark or (frame.has_heading and not self._has_h1 and not self._has_heading_inside)

    def _is_plain_button(self, frame: _Frame) -> bool:
        element = frame.element
        parent = element.getparent()
        opens = element.get("aria-expanded") is not None or element.get("aria-controls") is not None
        opens = (
            opens
            or bool(_names(element) & _QUESTIONS)
            or "".join(element.itertext()).rstrip().endswith(("?", "？"))
        )
        is_short = frame.chars <= _MAX_BUTTON_CHARS
        if is_short and name_words(f"{element.get('class') or ''} {element.get('id') or ''}") & _COPIES:
            return True  # in a heading, too
        return is_short and not opens and element.get("role") != "tab" and parent.tag not in _BUTTON_PARENTS

    def _is_named(self, frame: _Frame, *, is_dense: bool) -> bool:
        element = frame.element
        name = _NOT_SO_NAMED.sub(" ", f"{element.get('class') or ''} {element.get('id') or ''}"[:500])
        if not name.strip() or frame.has_title:
            return False
        # The id of a section is made of its heading: "cookies" there is what the text is about.
        is_section = frame.is_inside and frame.has_heading
        if is_section:
            name = _NOT_SO_NAMED.sub(" ", (element.get("class") or "")[:500])
        words = name_words(name) | {_LETTERS.sub("", token) for token in name.lower().split()}
        if frame.chars > _MAX_BOX_CHARS and (frame.is_inside or not is_dense):
            return False
        if words & _LINK_BOXES and is_dense and not (is_section and words & _HEADS):
            return True
        return frame.chars <= _MAX_BOX_CHARS and bool(words & _BOXES or _BOX_NAMES.search(name))

    def _is_way(self, frame: _Frame, *, is_dense: bool) -> bool:
        """Whether an element leads to another page of the site or to the page's source, or asks what readers think."""
        element = frame.element
        if frame.chars > _MAX_BUTTON_CHARS * 2 or frame.has_heading:
            return False
        if _is_control(element) or (element.get("rel") in {"prev", "next"} and not _in_text(element)):
            return True
        text = " ".join("".join(element.itertext()).split())
        if _ASKS_FOR_THANKS.match(text):
            return True
        return (
            (is_dense or frame.has_way)
            and bool(_STARTS_A_WAY.match(text))
            and not (element.tag == "a" and _in_text(element))
        )

    def _is_outside(self, frame: _Frame) -> bool:
        """Whether an element stands beside the content and is no part of the text: short, or links."""
        element = frame.element
        if not self._roots and frame.chars < _OUTSIDE_CHARS and not frame.has_heading:
            return bool(_STARTS_AS_OF_THE_SITE.match("".join(element.itertext()))) and self._is_near_the_end()
        if frame.is_inside or element in self._spine or element.getparent() not in self._spine:
            return False
        if frame.has_remark or (frame.has_title and not self._has_title_inside):
            return False
        text = " ".join("".join(element.itertext()).split())
        if frame.link_chars >= _LEAST_LINKS * frame.chars or (frame.has_button and _COOKIES.search(text)):
            return True
        if element.tag in _PLAIN:
            return len(text) < _OUTSIDE_CHARS and bool(_OF_THE_SITE.search(text))
        return frame.chars - frame.link_chars < _OUTSIDE_CHARS

    def _is_near_the_end(self) -> bool:
        """Whether half of the page's text has been walked over: whose a text is stands at the beginning, too, and is no
        line of a site there."""
        if self._total is None:
            self._total = sum(
                _text_chars(element) for element in self._root.iter() if element.tag not in UNSEEN
            )
        return 2 * self._seen >= self._total


def _text_chars(element: etree._Element) -> int:
    return sum(len("".join(text.split())) for text in (element.text, element.tail) if text)


def _names(element: etree._Element) -> frozenset[str]:
    """Return the words of an element's class and id."""
    return name_words(f"{element.get('class') or ''} {element.get('id') or ''}")


def _opens_alone(element: etree._Element) -> bool:
    return bool(_OPENS_ALONE.match("".join(element.itertext())))


def _in_text(element: etree._Element) -> bool:
    """Whether a link stands in a line of text: the line is looked at then."""
    parent = element.getparent()
    return parent is not None and parent.tag in {"p", "td", "th", "dd"}


def _is_control(element: etree._Element) -> bool:
    """Whether a link leads nowhere and opens nothing in the text: it is for a script of the site, as "like" is."""
    href = element.get("href") or ""
    opens = any(name.startswith(("data-", "aria-", "on", "role")) for name in element.attrib)
    parent = element.getparent()
    is_apart = parent is not None and parent.tag in {"div", "section", "header", "footer"}
    return element.tag == "a" and (href == "#" or href.startswith("javascript:")) and is_apart and not opens


def _is_language(element: etree._Element) -> bool:
    """Whether an element names the language of the code that it stands beside, which the code block says itself."""
    parent = element.getparent()
    language = "".join(element.itertext()).strip().lower()
    name = (parent.get("class") or "").lower() if parent is not None else ""
    return bool(language) and f"language-{language}" in name[:500].split()


def _count(frame: _Frame, text: str | None, link_depth: int) -> int:
    """Count a text for its element; how many characters it has."""
    if not text:
        return 0
    chars = len("".join(text.split()))
    frame.chars += chars
    if link_depth:
        frame.link_chars += chars
    return chars


def _is_among_text(element: etree._Element) -> bool:
    """Whether an element stands beside a paragraph, heading, list or the like."""
    return any(
        other is not None and other.tag in _PLAIN for other in (element.getprevious(), element.getnext())
    )


def _inside(element: etree._Element, roots: set[etree._Element]) -> bool:
    return element in roots or any(ancestor in roots for ancestor in element.iterancestors())


def _find_roots(root: etree._Element) -> set[etree._Element]:
    """Return the outermost elements that hold the content: by tag or role, else one by its name; empty if none is."""
    for path in ("//main|//*[@role='main']", "//article|//*[@role='article' or @itemprop='articleBody']"):
        found = [element for element in root.xpath(path) if not _is_teaser(element)]
        outer = set(found)
        outer = {
            element for element in found if not any(ancestor in outer for ancestor in element.iterancestors())
        }
        if outer:
            return outer
    return _find_named_root(root)


def _find_named_root(root: etree._Element) -> set[etree._Element]:
    """Return the innermost element whose name says that it is the content and that holds about all of its text."""
    least = _LEAST_CONTENT * _text_size(root)
    found: etree._Element | None = None
    candidates = 0
    for element in root.xpath("//div[@id or @class]|//section[@id or @class]|//td[@id or @class]"):
        names = f"{element.get('id') or ''} {element.get('class') or ''}"[:500].lower().split()
        if _CONTENT_NAMES.isdisjoint(_LETTERS.sub("", name) for name in names):
            continue
        candidates += 1
        if candidates > _MAX_CANDIDATES:
            break
        is_within = found is None or found in element.iterancestors()
        if is_within and (size := _text_size(element)) >= least:
            found, least = element, _LEAST_OF_OUTER * size
    return set() if found is None else {found}


def _is_teaser(element: etree._Element) -> bool:
    """Whether an article is one of many that a page points to, and not what it says."""
    return any(ancestor.tag in {"aside", "nav", "footer"} for ancestor in element.iterancestors())


def _text_size(element: etree._Element) -> int:
    return int(element.xpath("string-length(normalize-space())"))
