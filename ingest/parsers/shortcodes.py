"""Marks in Markdown that steer a site generator → what a reader of the page sees: Jekyll's tags, Hugo's shortcodes,
kramdown's attributes, comments of Obsidian.

Pure and linear. Tags stand only in files of such generators, which begin with a front matter; code stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.parsers.inline_html import code_end, stretches

_TAG: Final = re.compile(r"\{%-?\s*(end)?(\w+)([^%\n]{0,500})%\}[ \t]*")
_SHORTCODE: Final = re.compile(r"\{\{([%<])\s*(/?)\s*([\w/.-]+)?([^{}\n]{0,1000}?)/?\s*[%>]\}\}")
_SEEN: Final = re.compile(r"\b(?:title|header|caption|name|label|summary)=[\"“]([^\"”\n]{1,300})[\"”]")
_ATTRIBUTES: Final = re.compile(r"[ \t]*\{:[^{}\n]{0,300}\}[ \t]*$", re.M)
_HEADING_ATTRIBUTES: Final = re.compile(
    r"^( {0,3}#{1,6}[ \t][^\n]*?)[ \t]*\{[ \t]*[#.][^{}\n]{0,200}\}[ \t]*$", re.M
)
_COMMENT: Final = re.compile(r"(?<!\S)%%(?!%)[^%]{1,2000}%%(?!\S)")
_MARK: Final = re.compile(r"`+|\{%-?|\{\{[%<]")
_LEFT_OUT: Final = frozenset({"comment"})


def without_steering(text: str, *, is_of_site: bool) -> str:
    """Return the text without what steers a generator. `is_of_site`: its front matter says that there is one.

    >>> without_steering('## Use {#use}\\n{% include a.html %}Mend `{% x %}`.\\n{: .note}\\n', is_of_site=True)
    '## Use\\nMend `{% x %}`.\\n\\n'
    """
    if "{" not in text and "%%" not in text:
        return text
    has_links = "[[" in text
    out: list[str] = []
    for is_code, stretch in stretches(text):
        shown = stretch
        if not is_code:
            shown = _HEADING_ATTRIBUTES.sub(r"\1", shown) if "#" in shown else shown
            shown = _COMMENT.sub("", shown) if has_links else shown
            shown = _without_tags(_ATTRIBUTES.sub("", shown)) if is_of_site and "{" in shown else shown
        out.append(shown)
    return "".join(out)


def _without_tags(text: str) -> str:
    out: list[str] = []
    at = 0
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
        if not hidden:
            out += [before, shown]
        at = end
    return "".join(out) + ("" if hidden else text[at:])


def _block(tag: re.Match[str]) -> str:
    """What stands for a tag: a fence for those around code."""
    if tag[2] != "highlight":
        return ""
    return "```" if tag[1] else f"```{tag[3].split()[0] if tag[3].split() else ''}"
