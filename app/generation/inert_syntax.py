"""The pieces of Markdown and HTML that could act: links' destinations, tags, addresses, entities, special tokens. Pure.

Each reader looks at one place of a text and says where the piece ends, or that more text is needed to tell.
"""

from __future__ import annotations

import html
import re
from typing import Final

MARK: Final = "\ufdd0"  # a citation marker
SEAM: Final = "\ufdd1"  # where something was taken out: what stands around it must not join
MORE: Final = -1  # more text may decide it
NOT: Final = -2  # it is something else

MAX_DESTINATION_CHARS: Final = 2_000
MAX_TAG_CHARS: Final = 2_000
MAX_ADDRESS_CHARS: Final = 2_000

# "(", blanks, a destination in < > or with balanced brackets, a title, blanks, ")": CommonMark 0.31, 6.3.
_TITLE: Final = r"(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\))"
_DESTINATION: Final = re.compile(
    r"\([ \t]*+(?:\n[ \t]*+)?(?:(?:<[^<>\n]*+>|(?!<)(?:\\[()\\]|[^\s()]|\([^\s()]*\))*+)"
    rf"(?:(?:[ \t]++(?:\n[ \t]*+)?|\n[ \t]*+){_TITLE})?|(?<=[ \t\n]){_TITLE})[ \t]*+(?:\n[ \t]*+)?\)",
    re.DOTALL,
)
_DESTINATION_ENDS: Final = (")", "))", ">)", '")', "')", '"")', "'')", ")))")
_LEADS_SOMEWHERE: Final = re.compile(r"[:/.#?@%\\&]|\A\s*\Z")
_BLANK_LINE: Final = re.compile(r"\n[ \t]*\n")

_TAG: Final = re.compile(
    r"<(?P<closing>/?)(?P<name>[A-Za-z][A-Za-z0-9-]*+)"
    r"(?P<attributes>(?:\s++[A-Za-z_:][A-Za-z0-9_.:-]*+(?:\s*+=\s*+(?:[^\s\"'=<>`]++|'[^']*+'|\"[^\"]*+\"))?)*)\s*/?>"
)
_TAG_ENDS: Final = (">", "a>", '">', "'>")
_OPENED: Final = ("<!--", "<![CDATA[", "<?", "<!")
_CLOSED: Final = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>", "<!": ">"}
_AUTOLINK: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*>")
_AUTOLINK_SO_FAR: Final = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]{1,31}(?::[^\s<>]*)?\Z")


def _words(text: str) -> list[str]:
    return text.split()


ELEMENTS: Final = frozenset(
    _words(
        """
    a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body
    br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em
    embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i
    iframe image img input ins isindex kbd keygen label legend li link listing main map mark marquee math menu
    menuitem meta meter nav nobr noembed noframes noscript object ol optgroup option output p param picture
    plaintext portal pre progress q rb rp rt rtc ruby s samp script search section select slot small source spacer
    span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track
    tt u ul var video wbr xmp
        """
    )
)
# Elements that fetch, run or swallow what follows, whatever stands around them.
ACTIVE_ELEMENTS: Final = frozenset(
    _words(
        """
    applet audio base body embed form frame frameset html iframe image img input link math meta noembed noframes
    noscript object picture plaintext portal script source style svg template textarea title track video xmp
        """
    )
)
# Elements that end a line or a cell: a blank stands for them.
BREAKING_ELEMENTS: Final = frozenset(
    _words(
        """
    blockquote br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p table tbody td tfoot th thead tr ul
        """
    )
)

ENTITY: Final = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
ENTITY_SO_FAR: Final = re.compile(r"&(?:#(?:[xX][0-9a-fA-F]{0,6}|[0-9]{0,7})|[A-Za-z][A-Za-z0-9]{0,31})?\Z")
_FORMS_ADDRESSES: Final = re.compile(r"[A-Za-z0-9:/.@]")

_SCHEME: Final = r"(?:https?|ftps?|wss?)\\?:\\?/\\?/|www\\?\.(?=[A-Za-z0-9])|(?:mailto|xmpp)\\?:(?=[^\s])"
_IN_ADDRESS: Final = (
    r"[!#-;=?-Z\\^_a-z{}~]"  # ASCII but for blanks, quotes, angle and square brackets, ` and |
)
ADDRESS: Final = re.compile(
    rf"(?:{_SCHEME}|//(?=[A-Za-z0-9-]+\.[A-Za-z]))(?P<rest>{_IN_ADDRESS}{{0,{MAX_ADDRESS_CHARS}}})",
    re.IGNORECASE,
)
ADDRESS_STARTS: Final = (
    "https://",
    "http://",
    "ftps://",
    "ftp://",
    "wss://",
    "ws://",
    "www.",
    "mailto:",
    "xmpp:",
)
_SLASHES: Final = re.compile(r"//?[A-Za-z0-9-]*\.?")
_AFTER_ADDRESS: Final = ".,;:!?*_~\\"

TOKEN: Final = re.compile(
    r"<[|｜][^<>|｜\n]{1,40}[|｜]>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|</s>"
)
_TOKEN_SO_FAR: Final = re.compile(r"<[|｜][^<>|｜\n]{0,40}[|｜]?\Z")
_NAMED_TOKENS: Final = (
    *("<<SYS>>", "<</SYS>>", "<bos>", "<eos>", "<pad>", "<unk>", "</s>"),
    *("<start_of_turn>", "</start_of_turn>", "<end_of_turn>", "</end_of_turn>"),
)
ROLE: Final = re.compile(r"\s{0,20}(?:(?:assistant|model|final)\b[:：]?\s{0,20})?", re.IGNORECASE)


def read_destination(text: str, start: int, *, final: bool) -> int:
    """Where the "(address "title")" behind a link's text ends; NOT where none begins at `start`; MORE."""
    bounded = text[start : start + MAX_DESTINATION_CHARS]
    match = _DESTINATION.match(bounded)
    if match and not _BLANK_LINE.search(match.group()):
        return start + match.end()
    if final or len(bounded) == MAX_DESTINATION_CHARS or _BLANK_LINE.search(bounded):
        return NOT
    return MORE if any(_DESTINATION.match(bounded + end) for end in _DESTINATION_ENDS) else NOT


def leads_somewhere(destination: str) -> bool:
    """Whether "(…)" behind brackets is an address rather than the arguments of a call, as in `f[i](x)`."""
    return _LEADS_SOMEWHERE.search(destination.strip("()")) is not None


def read_tag(text: str, start: int, *, final: bool) -> re.Match[str] | int:
    """The tag at `start`, with the groups `closing`, `name` and `attributes`; NOT or MORE."""
    bounded = text[start : start + MAX_TAG_CHARS]
    match = _TAG.match(bounded)
    if match is not None:
        return NOT if _BLANK_LINE.search(match.group()) else match
    undecided = not final and len(bounded) < MAX_TAG_CHARS and not _BLANK_LINE.search(bounded)
    return MORE if undecided and any(_TAG.match(bounded + end) for end in _TAG_ENDS) else NOT


def read_hidden(text: str, start: int, *, final: bool) -> int:
    """Where the comment, declaration or instruction (<!…>, <?…>) at `start` ends; NOT or MORE."""
    bounded = text[start : start + MAX_TAG_CHARS]
    for opening in _OPENED:
        if bounded.startswith(opening):
            end = bounded.find(_CLOSED[opening], len(opening))
            if end >= 0:
                return start + end + len(_CLOSED[opening])
            return NOT if final or len(bounded) == MAX_TAG_CHARS else MORE
        if opening.startswith(bounded) and not final:
            return MORE
    return NOT


def read_autolink(text: str, start: int, *, final: bool) -> int:
    """Where the "<scheme:address>" at `start` ends; NOT or MORE."""
    bounded = text[start : start + MAX_TAG_CHARS]
    match = _AUTOLINK.match(bounded)
    if match is not None:
        return start + match.end()
    undecided = not final and len(bounded) < MAX_TAG_CHARS and _AUTOLINK_SO_FAR.match(bounded)
    return MORE if undecided else NOT


def read_address(text: str, start: int, *, final: bool) -> int:
    """Where the address that programs make a link of by itself ends, without the punctuation behind it; NOT or MORE."""
    match = ADDRESS.match(text, start)
    if match is None:
        rest = text[start : start + 12].replace("\\", "").lower()
        undecided = (
            not final and start + 12 > len(text) and any(known.startswith(rest) for known in ADDRESS_STARTS)
        )
        slashes = (
            not final
            and text.startswith("/", start)
            and _SLASHES.fullmatch(text[start : start + MAX_ADDRESS_CHARS])
        )
        return MORE if undecided or (slashes and len(slashes.group()) < MAX_ADDRESS_CHARS) else NOT
    if match.end() == len(text) and not final and len(match["rest"]) < MAX_ADDRESS_CHARS:
        return MORE
    end = match.end()
    while end > match.start("rest"):
        last = text[end - 1]
        unbalanced = last == ")" and text.count("(", start, end) < text.count(")", start, end)
        if last not in _AFTER_ADDRESS and not unbalanced:
            break
        end -= 1
    return end


def forms_addresses(entity: str) -> bool:
    """Whether an entity stands for characters of which a program may make an address once they are joined."""
    return _FORMS_ADDRESSES.search(html.unescape(entity)) is not None


def may_be_token(text: str, start: int) -> bool:
    """Whether more text may make a special token of what stands at `start`."""
    rest = text[start : start + 50]
    return _TOKEN_SO_FAR.match(rest) is not None or any(token.startswith(rest) for token in _NAMED_TOKENS)
