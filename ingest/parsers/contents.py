"""The list of contents of a page, where it says more than its headings.

Pure. Most lists of contents repeat the headings and are furniture; those of wikis number them.
"""

from __future__ import annotations

import re

from lxml import etree  # type: ignore[import-untyped]  # ships no types

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SECTION_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,5}\.?\s")
_LEAST_SECTIONS = 3


def find_numbered_contents(root: etree._Element) -> set[etree._Element]:
    """Return the elements of a list of contents that numbers the page's sections where their headings do not: the
    numbers, by which sections are cited, stand nowhere else."""
    for box in root.xpath("//nav|//*[contains(@class, 'toc') or contains(@id, 'toc')]"):
        links = list(box.iter("a"))
        targets = [link for link in links if (link.get("href") or "").startswith("#")]
        if len(targets) < _LEAST_SECTIONS:
            continue
        numbered = sum(bool(_SECTION_NUMBER.match("".join(link.itertext()).strip())) for link in targets)
        if numbered >= _LEAST_SECTIONS and 2 * numbered > len(links):
            return set() if _are_numbered(root) else {box, *box.iterdescendants()}
    return set()


def _are_numbered(root: etree._Element) -> bool:
    """Whether most headings say their number themselves."""
    headings = [" ".join("".join(heading.itertext()).split()) for heading in root.iter(*_HEADINGS)]
    return sum(bool(_SECTION_NUMBER.match(heading)) for heading in headings) * 2 > len(headings)
