"""Marks in Markdown that steer a site generator → what a reader of the page sees: Jekyll's tags, Hugo's shortcodes,
kramdown's attributes, comments of Obsidian.

Pure and linear. Tags stand only in files of such generators, which begin with a front matter; code stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.parsers.inline_html import code_end, stretches

_TAG: Final = re.compile(r"\{%-?\s*+(end)?(\w++)([^%\n]{0,500})%\}[ \t]*")
_SHORTCODE: Final = re.compile(r"\{\{([%<])\s*+(/?)\s*+([\w/.-]++)?([^{}\n]{0,1000}?)/?\s*[%>]\}\}")
_SEEN: Final = re.compile(r"\b(?:title|header|caption|name|label|summary)=[\"“]([^\"”\n]{1,300})[\"”]")
_ATTRIBUTES: Final = re.compile(r"(?<![ \t])[ \t]*+\{:[^{}\n]{0,300}\}[ \t]*+$", re.M)
_ENDED_HEADING: Final = re.compile(r"^ {0,3}#{1,6}[ \t][^\n]*\}[ \t]*+$", re.M)
_HEADING_ATTRIBUTES: Final = re.compile(r"\{[ \t]*[#.][^{}\n]{0,200}\}[ \t]*$")
_COMMENT: Final = re.compile(r"(?<!\S)%%(?!%)[^%]{1,2000}%%(?!\S)")
_MARK: Final = re.compile(r"`+|\{%-?|\{\{[%<]")
_LEFT_OUT: Final = frozenset({"comment"})


def without_steering(text: str, *, is_of_site: bool) -> tuple[str, dict[str, int]]:
    """Return the text without what steers a generator, and how many characters of comments and of marks it had.
    `is_of_site`: its front matter says that there is one.

    >>> without_steering('## Use {#use}\\n{% include a.html %}Mend `{% x %}`.\\n{: .note}\\n', is_of_site=True)
    ('## Use\\nMend `{% x %}`.\\n\\n', {'markup': 36})
    """
    if "{" not in text and "%%" not in text:
        return text, {}
    has_links = "[[" in text
    out: list[str] = []
    comments = 0
    for is_code, stretch in stretches(text):
        shown = stretch
        if not is_code:
            length = len(shown)
            shown = _COMMENT.sub("", shown) if has_links else shown
            comments += length - len(shown)
            if is_of_site and "{" in shown:
                shown = _ENDED_HEADING.sub(_without_attributes, shown)
                shown, hidden = _without_tags(_ATTRIBUTES.sub("", shown))
                comments += hidden
        out.append(shown)
    kept = "".join(out)
    counts = {"comment": comments, "markup": max(0, len(text) - len(kept) - comments)}
    return kept, {kind: count for kind, count in counts.items() if count}


def _without_attributes(heading: re.Match[str]) -> str:
    line = heading[0]
    start = line.rfind("{")
    return line[:start].rstrip() if start >= 0 and _HEADING_ATTRIBUTES.match(line, start) else line


def _without_tags(text: str) -> tuple[str, int]:
    """The text without tags, and how many characters stood in those that hide what is in them."""
    out: list[str] = []
    at = comments = 0
    hidden = ""  # the tag whose inside goes
    while mark := _MARK.search(text, at):
        before, end = text[at : mark.start()], mark.end()
        shown = mark[0]
        if mark[0][0] == "`":
            end = code_end(text, mark)
            shown = text[mark.start() : end]
        elif tag := _TAG.match(text, mark.start()):
            end, shown = tag.end(), _block(tag)
            if tag[2] in _LEFT_OUT:
                out.append("" if hidden else before)
                hidden, before, shown = "" if tag[1] else tag[2], "", ""
        elif shortcode := _SHORTCODE.match(text, mark.start()):
            end, shown = shortcode.end(), " · ".join(_SEEN.findall(shortcode[4])) if not shortcode[2] else ""
            shown += ": " if shown and text[end : end + 1].strip() else ""
        if hidden:
            comments += end - at
        else:
            out += [before, shown]
        at = end
    return ("".join(out), comments + len(text) - at) if hidden else ("".join(out) + text[at:], comments)


def _block(tag: re.Match[str]) -> str:
    """What stands for a tag: a fence for those around code."""
    if tag[2] != "highlight":
        return ""
    return "```" if tag[1] else f"```{tag[3].split()[0] if tag[3].split() else ''}"
