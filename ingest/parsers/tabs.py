"""Tabs and other parts of a page that open on a click: which label belongs to which panel, and what can be opened.

Pure. Labels stand apart from their panels in all site generators, and say what the panel is about ("Windows"): the
parser writes each before its panel. A label names its panel by id (WAI-ARIA `aria-controls`, Bootstrap, Hexo), or both
are in the same order (Docusaurus, MkDocs, VitePress).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from lxml import etree  # type: ignore[import-untyped]  # ships no types

from ingest.cleaning import clean_line

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_MAX_NAME_CHARS = 500
_MAX_LABEL_CHARS = 80
_MAX_TABS = 50
_LEVELS_UP = 3  # how far above the labels their panels may stand
_ID_IN_CALL = re.compile(r"""["']#?([\w-]{1,100})["']""")
_TABS = frozenset({"tabs", "tablist", "tabnav", "tabbar", "pills"})
_LABELS = ("li", "button", "label", "a", "span", "div")
_NOT_PANELS = frozenset({"script", "style", "input", "template"})
# What says that an element is opened by a click. The words are those of the common themes and frameworks.
_OPENING_WORDS = """
    tab tabs tabbed tabpane tabpanel tabcontent pane panel accordion collapse collapsed collapsible collapsable
    details spoiler expand expanded expandable expander toggle toggled toggleable togglable fold folded foldable faq
    answer more hiddencontent slide"""
_OPENS = frozenset(_OPENING_WORDS.split())
_OPENERS = frozenset({"button", "summary", "dt"})
_HEADINGS = frozenset({"h2", "h3", "h4", "h5", "h6"})
_SUBSTANCE = frozenset({"ul", "ol", "table", "pre", "h2", "h3", "h4", "h5", "h6", "dl"})
_READ_ELEMENTS = 50  # of a closed element, to tell what it is
_MAX_HOLDERS = 500
_MAX_INSIDE = 500  # elements: labels are few and small
_BLOCKS = frozenset({"p", "pre", "table", "h1", "h2", "h3"})


@dataclass(frozen=True, slots=True)
class Tabs:
    """`labels`: panel → words of its tab. `lists`: elements that hold nothing but those words."""

    labels: dict[etree._Element, str] = field(default_factory=dict)
    lists: set[etree._Element] = field(default_factory=set)


def name_words(name: str | None) -> frozenset[str]:
    """Return the words of a class or id, in lower case.

    >>> sorted(name_words("tabItem_Ymn6 nav-tabs"))
    ['6', 'item', 'nav', 'tab', 'tabs', 'ymn']
    """
    return _name_words(name[:_MAX_NAME_CHARS]) if name else frozenset()


@lru_cache(maxsize=1_024)  # the elements of a page have few names
def _name_words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(name))


def find_opened_ids(root: etree._Element) -> set[str]:
    """Return the ids that something in the page opens or leads to."""
    found = {
        str(value).strip().lstrip("#")
        for value in root.xpath("//@aria-controls|//@data-target|//@data-bs-target")
    }
    found |= {str(value)[1:] for value in root.xpath("//a/@href[starts-with(., '#')]")}
    for call in root.xpath("//@onclick"):
        found.update(_ID_IN_CALL.findall(call[:_MAX_NAME_CHARS]))
    return found


def can_be_opened(element: etree._Element, opened_ids: set[str]) -> bool:
    """Tell whether a closed element is a part of the text that a reader opens, and not something left over.

    It is when its role or name says so, when something refers to it, when it stands below a question or button, when
    it is all that stands below a heading, beside others of its kind that take turns, or when it is more than a remark:
    a section with a list, a table, code or headings.
    """
    words = name_words(element.get("class"))
    if element.get("role") == "tabpanel" or element.get("hidden") == "until-found" or words & _OPENS:
        return True
    if element.get("id") and element.get("id") in opened_ids:
        return True
    before, after = element.getprevious(), element.getnext()
    if before is not None and (before.tag in _OPENERS or before.get("aria-expanded") is not None):
        return True
    if before is not None and before.tag in _HEADINGS and (after is None or after.tag in _HEADINGS):
        return True
    if words and any(
        other is not None and other.tag == element.tag and other.get("class") == element.get("class")
        for other in (before, after)
    ):
        return True
    return any(inner.tag in _SUBSTANCE for inner in islice(element.iterdescendants(), _READ_ELEMENTS))


def pair_tabs(root: etree._Element) -> Tabs:
    """Find the tabs of a page. Panels that hold their own labels are not paired."""
    tabs = Tabs()
    holders = list(islice(_label_holders(root), _MAX_HOLDERS))
    by_id: dict[str, etree._Element] = {}
    if holders or root.xpath("boolean(//*[@role='tabpanel'])"):
        by_id = {element.get("id"): element for element in root.iterfind(".//*[@id]")}
    for panel in root.xpath("//*[@role='tabpanel'][@aria-labelledby]"):
        label = by_id.get(panel.get("aria-labelledby"))
        if label is not None and (words := _label_text(label)):
            tabs.labels[panel] = words
    for holder in holders:
        labels = _labels_in(holder)
        if not 2 <= len(labels) <= _MAX_TABS:
            continue
        panels = [_named_panel(label, by_id) for label in labels]
        around = set(holder.iterancestors())
        if not all(panel is not None and panel not in around for panel in panels):
            panels = list(_panels_after(holder, len(labels)))
        if len(panels) != len(labels):
            continue
        for label, panel in zip(labels, panels, strict=True):
            if words := _label_text(label):
                tabs.labels.setdefault(panel, words)
        tabs.lists.add(holder)
    for label in root.iter("label"):  # a label right before its panel, as sphinx-design has them
        panel = label.getnext()
        is_pair = panel is not None and panel.tag == "div" and "tab" in name_words(label.get("class"))
        if is_pair and (words := _label_text(label)):
            tabs.labels.setdefault(panel, words)
            tabs.lists.add(label)
    return tabs


def _label_text(label: etree._Element) -> str:
    words = clean_line("".join(label.itertext()))
    return words if len(words) <= _MAX_LABEL_CHARS else ""


def _label_holders(root: etree._Element) -> Iterator[etree._Element]:
    """Yield elements that hold nothing but labels of tabs."""
    for element in root.xpath("//*[@role='tablist' or contains(@class, 'tab') or contains(@class, '__nav')]"):
        words = name_words(element.get("class"))
        is_named = (
            bool(words & _TABS) or ("tabbed" in words and "labels" in words) or {"group", "nav"} <= words
        )
        is_buttons = "tab" in words and len(element) > 1 and all(child.tag == "button" for child in element)
        if element.get("role") != "tablist" and not is_named and not is_buttons:
            continue
        inside = list(islice(element.iterdescendants(), _MAX_INSIDE + 1))
        if len(inside) <= _MAX_INSIDE and not any(
            inner.tag in _BLOCKS or inner.get("role") == "tabpanel" or _leads_away(inner) for inner in inside
        ):
            yield element


def _leads_away(element: etree._Element) -> bool:
    """Whether a link leads to another page: menus of sites are called tabs as well."""
    return element.tag == "a" and not (element.get("href") or "#").startswith(("#", "javascript:"))


def _labels_in(holder: etree._Element) -> list[etree._Element]:
    """Return the labels: elements with the role, else the first level below that has more than one."""
    if labels := holder.xpath(".//*[@role='tab']"):
        return list(labels)
    level = list(holder)
    for _ in range(_LEVELS_UP):
        labels = [element for element in level if element.tag in _LABELS and _label_text(element)]
        if len(labels) != 1:
            return labels
        level = list(labels[0])
    return []


def _named_panel(label: etree._Element, by_id: dict[str, etree._Element]) -> etree._Element | None:
    for element in label.iter():
        for name in ("aria-controls", "data-bs-target", "data-target", "href"):
            value = element.get(name) or ""
            if (value.startswith("#") or name == "aria-controls") and value.lstrip("#") in by_id:
                return by_id[value.lstrip("#")]
        for called in _ID_IN_CALL.findall((element.get("onclick") or "")[:_MAX_NAME_CHARS]):
            if called in by_id:
                return by_id[called]
    return None


def _panels_after(holder: etree._Element, count: int) -> Iterator[etree._Element]:
    """Yield as many panels as there are labels: the children of an element after them, or what comes after them."""
    level = holder
    for _ in range(_LEVELS_UP):
        following = level.getnext()
        if following is not None:
            inner = [child for child in following if child.tag not in _NOT_PANELS]
            if len(inner) == count:
                yield from inner
                return
            beside: list[etree._Element] = []
            while following is not None and len(beside) < count:
                if following.tag not in _NOT_PANELS:
                    beside.append(following)
                following = following.getnext()
            if len(beside) == count and all(
                e.get("role") == "tabpanel" or "tab" in " ".join(name_words(e.get("class"))) for e in beside
            ):
                yield from beside
                return
            return
        parent = level.getparent()
        if parent is None:
            return
        level = parent
