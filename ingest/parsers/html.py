"""HTML bytes → Document. The stored text is Markdown made from what a reader of the page sees.

Headings, lists, pipe tables and code keep their form; links keep their words, images go. Tabs and what opens on a
click are text, each panel under its label. Site furniture, scripts and what is hidden from readers go. The walks over
the tree are iterative and linear: nesting and table spans are the usual weapons of a hostile page. Emphasis is not
marked, so that a quote reads like the page.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, MutableMapping
from itertools import islice
from pathlib import PurePosixPath

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from app.domain import Document
from app.errors import DocumentError
from app.letters import detect_language
from ingest.cleaning import clean_line, clean_text
from ingest.parsers.blocks import BlockWriter
from ingest.parsers.codetables import join_code_tables
from ingest.parsers.decoding import decode
from ingest.parsers.furniture import UNSEEN, Furniture
from ingest.parsers.headings import build_sections, find_headings
from ingest.parsers.tabs import can_be_opened, find_opened_ids, pair_tabs
from ingest.parsers.visibility import Look, Styles, is_against_readers, is_closed, is_only_veiled
from ingest.parsers.written import first_title

MEDIA_TYPE = "text/html"

_DECLARED_CHARSET = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.I
)
_COMMENT_OR_RAW = re.compile(r"<!--|<(script|style|textarea|title)(?=[\s/>])", re.IGNORECASE)
_TEXT_CODEC = re.compile(r"gb|big5|cp\d|iso8859|koi8|shift|euc|mac|utf-(?:8|16|32)$|tis|johab")
# What pages mean by these names (WHATWG Encoding Standard, section 4.2).
_CHARSET_MEANING = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}

_SPACED = frozenset(
    {"button", "option", "label", "select", "textarea"}
)  # stand apart without a line of their own
_BLOCK_NAMES = """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure
    footer form header hgroup hr html legend li main menu nav ol optgroup p pre search section summary table
    tbody td tfoot th thead tr ul"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_IN_HEAD = frozenset(
    ("base", "basefont", "link", "meta", "noframes", "noscript", "script", "style", "template", "title")
)
_HEADING = re.compile(r"h([1-6])$")
_LANGUAGE_CLASS = re.compile(r"(?:^|\s)(?:language|lang|highlight)-([\w+#-]{1,20})")
_FIGURE_LANGUAGE = re.compile(r"highlight ([\w+#-]{1,20})$")  # as Hexo names it
_NO_LANGUAGE = frozenset({"default", "none", "text", "plain", "plaintext", "notranslate", "source"})
_SILENT = "silent"
_SUPERSCRIPTS = str.maketrans("0123456789+-\u2212", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_EXPONENT = re.compile(r"[+\-\u2212]?\d{1,4}$")
_HOLDERS = frozenset({"body", "main", "article", "section", "div"})
_LEAST_OF_PAGE = 0.5  # of the text is in an element that a script shows
_MAX_UNVEILED = 3
_MAX_SPAN = 1000  # HTML Living Standard, section 4.9.11, for columns


def parse_html(content: bytes, source: str) -> Document:
    """Parse an HTML page. Title: <title>, else the first level-1 heading, else the file's stem.

    Raises DocumentError `bad_encoding`, `empty`, or `parse_failed` for pages nested too deeply to read.
    """
    text = decode(content, _declared_charset(content))
    root = _parse_tree(text)
    left_out: dict[str, int] = {}
    markdown = _to_markdown(root, drop_furniture=True, left_out=left_out)
    if not markdown.strip():
        left_out.clear()
        # a page that is nothing but a header
        markdown = _to_markdown(root, drop_furniture=False, left_out=left_out)
    _count_comments(text, left_out)
    cleaned = clean_text(markdown)
    headings = find_headings(cleaned.text)
    title = clean_line("".join(root.xpath("string(//title)")))
    first = first_title(headings, cleaned.text)
    return Document(
        text=cleaned.text,
        title=title or first or PurePosixPath(source).stem,
        media_type=MEDIA_TYPE,
        language=detect_language(cleaned.text),
        sections=build_sections(headings, len(cleaned.text)),
        metadata=_metadata(root),
        dropped={**cleaned.dropped, **left_out},
    )


def html_to_markdown(
    content: bytes, *, drop_furniture: bool, left_out: MutableMapping[str, int] | None = None
) -> str:
    """Return the Markdown of a page without cleaning it; "" for an empty one. Adds to `left_out` the characters that
    are left out, by kind. Raises as parse_html does."""
    if not content.strip():
        return ""
    left_out = {} if left_out is None else left_out
    text = decode(content, _declared_charset(content))
    markdown = _to_markdown(_parse_tree(text), drop_furniture=drop_furniture, left_out=left_out)
    _count_comments(text, left_out)
    return markdown


def _count_comments(text: str, left_out: MutableMapping[str, int]) -> None:
    """Add the characters of comments, marks and all, to `left_out`; within scripts and the like there are none."""
    at = count = 0
    while mark := _COMMENT_OR_RAW.search(text, at):
        if mark[1]:
            raw_end = re.compile(f"</{mark[1]}", re.IGNORECASE).search(text, mark.end())
            at = raw_end.end() if raw_end else len(text)
        else:
            end = text.find("-->", mark.end())
            at = end + 3 if end >= 0 else len(text)
            count += at - mark.start()
    if count:
        left_out["comment"] = left_out.get("comment", 0) + count


def _declared_charset(content: bytes) -> str | None:
    match = _DECLARED_CHARSET.search(content, 0, 4096)
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii", "replace")).name
    except LookupError:
        return None
    # Python has codecs that are no character sets, and slow ones (idna, punycode): only real ones are tried.
    return _CHARSET_MEANING.get(name, name if _TEXT_CODEC.match(name) else None)


def _parse_tree(text: str) -> etree._Element:
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True
    )
    root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    if root is None:
        raise DocumentError("The page has no text in it; there is nothing to search.", code="empty")
    if any("depth" in entry.message for entry in parser.error_log):
        raise DocumentError("The page is nested too deeply to be read in full.", code="parse_failed")
    _end_heads(root)
    return root


def _end_heads(root: etree._Element) -> None:
    """Move what is shown out of heads. A page need not write `<body>`: the first element that can't be in a head ends
    it (HTML Living Standard, section 13.2.6.4.4), but libxml2 knows only the elements of HTML 4 as such."""
    for head in root.findall("head"):
        at = next((index for index, part in enumerate(head) if part.tag not in _IN_HEAD), None)
        if at is None:
            continue
        body = root.find("body")
        if body is None:
            body = etree.SubElement(root, "body")
        moved = head[at:]
        moved[-1].tail = (moved[-1].tail or "") + (body.text or "")
        body.text = None
        body[:0] = moved


def _metadata(root: etree._Element) -> dict[str, str]:
    """Return the page's language, author, description and keywords, where it names them."""
    found = {"lang": "".join(root.xpath("string(/html/@lang)"))}
    for meta in root.iterfind(".//meta"):
        name = (meta.get("name") or "").lower()
        if name in {"author", "description", "keywords"}:
            found.setdefault(name, meta.get("content") or "")
    return {name: clean_line(value)[:2000] for name, value in found.items() if value.strip()}


class _Page:
    """What is known of a page before it is written: what is furniture, closed or a tab."""

    def __init__(self, root: etree._Element, *, drop_furniture: bool) -> None:
        self._numbers = join_code_tables(root)
        self.tabs = pair_tabs(root)
        self.styles = Styles(root)
        self._opened_ids = find_opened_ids(root)
        self._furniture = Furniture(root, self._numbers | self.tabs.lists)
        self._drops_furniture = drop_furniture
        self._root = root
        self._chars: int | None = None  # of the page's text, when they have been counted
        self._unveiled = 0

    def reason(self, element: etree._Element, declared: Mapping[str, str]) -> str:
        """Return why an element is left out, as a kind of `Document.dropped`; "" for one that is text.

        `_SILENT` are scripts, line numbers, signs of the site, and what is written elsewhere or in another way.
        """
        if (
            element.tag in UNSEEN
            or element in self._numbers
            or element in self.tabs.lists
            or element in self._furniture.signs
            or _exponent(element)
        ):
            return _SILENT
        if self._is_second_writing(element):
            return _SILENT
        if is_against_readers(declared) or (is_closed(element, declared) and not self._is_opened(element)):
            return "" if self._is_unveiled(element, declared) else "hidden"
        return "boilerplate" if self._drops_furniture and element in self._furniture.marked else ""

    def _is_opened(self, element: etree._Element) -> bool:
        is_formula = len(element) == 1 and element[0].tag == "math"  # beside its picture, for readers aloud
        return is_formula or element in self.tabs.labels or can_be_opened(element, self._opened_ids)

    def _is_unveiled(self, element: etree._Element, declared: Mapping[str, str]) -> bool:
        """Tell whether a script shows an element as the page opens: it is hidden by nothing but its opacity or
        visibility, and is about all of the text, without which the page would be empty."""
        if element.tag not in _HOLDERS or self._unveiled >= _MAX_UNVEILED or not is_only_veiled(declared):
            return False
        if self._chars is None:
            self._chars = _text_length(self._root)
        is_text = _text_length(element) >= _LEAST_OF_PAGE * self._chars
        self._unveiled += is_text
        return is_text

    def _is_second_writing(self, element: etree._Element) -> bool:
        """Tell whether an element shows a formula again that stands beside it in MathML, as KaTeX and MathJax write."""
        before = element.getprevious()
        return (
            element.get("aria-hidden") == "true"
            and before is not None
            and len(before) == 1
            and before[0].tag == "math"
        )


def _to_markdown(root: etree._Element, *, drop_furniture: bool, left_out: MutableMapping[str, int]) -> str:
    """The page as Markdown; adds to `left_out` the characters of what a reader could have seen: kind → characters."""
    writer = BlockWriter()
    page = _Page(root, drop_furniture=drop_furniture)
    looks: list[tuple[etree._Element, Look]] = [(root, Look())]  # innermost last, where it changes
    walk = etree.iterwalk(root, events=("start", "end"))
    dropped: etree._Element | None = None

    def write(text: str | None) -> None:
        if text and looks[-1][1].is_readable:
            writer.write(text)
        elif text and text.strip():
            left_out["hidden"] = left_out.get("hidden", 0) + len(" ".join(text.split()))

    for event, element in walk:
        if event == "start":
            declared = page.styles.of(element)
            kind = page.reason(element, declared)
            if kind:
                dropped = element
                write(_exponent(element))
                if kind != _SILENT and (length := _text_length(element)):
                    left_out[kind] = left_out.get(kind, 0) + length
                walk.skip_subtree()
                continue
            look = page.styles.look(element, declared, looks[-1][1])
            if look is not looks[-1][1] and look != looks[-1][1]:
                looks.append((element, look))
            _start(writer, element)
            if label := page.tabs.labels.get(element):
                writer.open_label(label)
            write(element.text)
        else:
            if element is dropped:
                dropped = None
            else:
                _end(writer, element)
                if element in page.tabs.labels:
                    writer.close_label()
                if looks[-1][0] is element and element is not root:
                    looks.pop()
            if element is not root:
                write(element.tail)
    return writer.text()


def _exponent(element: etree._Element) -> str:
    """Return a raised number so that it is not read as a part of the one before it, "" for other elements: 10⁻⁶, and
    the number of a note in brackets."""
    if element.tag != "sup":
        return ""
    text = "".join(element.itertext()).strip() if len(element) < 2 else ""
    if not _EXPONENT.match(text):
        return ""
    return f"[{text}]" if element.find("a") is not None else text.translate(_SUPERSCRIPTS)


def _text_length(element: etree._Element) -> int:
    """Characters of an element's text, white space collapsed, scripts and the like left out."""
    pieces = [element.text or ""] if element.tag not in UNSEEN else []
    for inner in element.iterdescendants():
        pieces += [inner.text or "" if inner.tag not in UNSEEN else "", inner.tail or ""]
    return len(" ".join(" ".join(pieces).split()))


def _start(writer: BlockWriter, element: etree._Element) -> None:
    tag = element.tag
    if tag == "br":
        writer.break_line()
    elif tag in _SPACED:
        writer.write(" ")
    elif heading := _HEADING.match(tag):
        writer.open_heading(int(heading[1]))
    elif tag in _BLOCKS:
        writer.end_block()
        if tag == "pre":
            writer.open_code(_code_language(element))
        elif tag in {"ul", "ol", "menu"}:
            writer.open_list(_list_start(element) if tag == "ol" else None)
        elif tag == "li":
            writer.open_item()
        elif tag == "blockquote":
            writer.open_quote()
        elif tag == "table":
            writer.open_table(is_layout=element.find(".//table") is not None)
        elif tag == "tr":
            writer.open_row()
        elif tag in {"td", "th"}:
            writer.open_cell(_span(element, "colspan"), _span(element, "rowspan"), is_head=tag == "th")


def _end(writer: BlockWriter, element: etree._Element) -> None:
    tag = element.tag
    if tag in _SPACED:
        writer.write(" ")
    elif _HEADING.match(tag):
        writer.close_heading()
    elif tag in _BLOCKS:
        writer.end_block()
        if tag == "pre":
            writer.close_code()
        elif tag in {"ul", "ol", "menu"}:
            writer.close_list()
        elif tag == "li":
            writer.close_item()
        elif tag == "blockquote":
            writer.close_quote()
        elif tag in {"td", "th"}:
            writer.close_cell()
        elif tag == "table":
            writer.close_table()


def _code_language(pre: etree._Element) -> str:
    """Return the language that a highlighter's class names, on the code, its block or up to three elements around."""
    code = pre.find("code")
    for element in (code, pre, *islice(pre.iterancestors(), 3)):
        name = (element.get("class") or "") if element is not None else ""
        match = _LANGUAGE_CLASS.search(name)
        if match is None and element is not None and element.tag == "figure":
            match = _FIGURE_LANGUAGE.match(name)
        if match is not None:
            return "" if match[1] in _NO_LANGUAGE else match[1]
    return ""


def _list_start(element: etree._Element) -> int:
    start = element.get("start") or ""
    return int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1


def _span(element: etree._Element, name: str) -> int:
    value = element.get(name) or ""
    return max(1, min(_MAX_SPAN, int(value))) if value.isascii() and value.isdigit() and len(value) < 7 else 1
