"""A model's Markdown as several kinds of clients draw it: no link, image, HTML or address comes through.

The judge is a CommonMark renderer with HTML and tables on; what it takes for plain text must hold no address that a
client would make a link of by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.generation.inert_markdown import InertMarkdown
from app.generation.inert_syntax import MARK
from app.generation.markers import MarkerStream
from tests.e2e.documents import HOSTILE_ANSWER
from tests.growth import assert_linear

EVIL = "https://evil.example/?q=secret"
COMMONMARK = MarkdownIt("commonmark", {"html": True})
GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ADDRESS = re.compile(r"(?:https?|ftp)://|\bwww\.[a-z0-9]|mailto:\S", re.IGNORECASE)


def inert(text: str, *, cuts_turns: bool = True) -> str:
    stream = InertMarkdown(cuts_turns=cuts_turns)
    return stream.feed(text) + stream.finish()


def tokens(text: str, renderer: MarkdownIt) -> Iterator[Token]:
    for token in renderer.parse(text):
        yield token
        yield from token.children or ()


def acting(text: str) -> list[str]:
    """What would act in a client: links, images, HTML, and addresses in what is drawn as plain text."""
    found = []
    for renderer in (COMMONMARK, GFM):
        found += [
            token.type
            for token in tokens(text + "\n\n[1] [a] [x] [the guide]", renderer)
            if token.type in {"link_open", "image", "html_inline", "html_block"}
        ]
        for block in renderer.parse(text):
            drawn = "".join(
                child.content if child.type in {"text", "text_special"} else "\0"
                for child in block.children or ()
            )
            found += ADDRESS.findall(drawn)
    return found


def drawn(text: str) -> str:
    """The words that a client draws, code included."""
    return "\n".join(
        "".join(child.content or ("\n" if child.type == "softbreak" else "") for child in block.children)
        if block.children is not None
        else block.content
        for block in GFM.parse(text)
        if block.type in {"inline", "fence", "code_block"}
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"see [the guide]({EVIL}) now", "see the guide now"),
        (f'see [the guide]( <{EVIL}> "title" ).', "see the guide."),
        (f"[![a picture]({EVIL})]({EVIL}) follows", "[a picture] follows"),
        (f"![a picture]({EVIL})", "a picture"),
        (f"Great! [run](javascript:alert(1)) [x](data:text/html,{EVIL})", "Great! run x"),
        ("relative [a](../admin) [b](#top) [c](?q=1)", "relative a b c"),
        ("a call f[i](x) and g[0](y, z)", "a call f[i] (x) and g[0] (y, z)"),
        (f"a [long\nname]({EVIL}) here", "a [long\nname] here"),
        (f"at {EVIL}.", f"at `{EVIL}`."),
        (f"<{EVIL}> or www.evil.example/x", f"`{EVIL}` or `www.evil.example/x`"),
        ("参见[文档](https://evil.example)了解https://evil.example/x。更多", "参见文档了解`https://evil.example/x`。更多"),
        ("wiki https://en.example/A_(b), (see https://en.example/c)", None),
        (f'<img src="{EVIL}"> a <b>bold</b> word<br>and more', "a bold word and more"),
        (f"<!-- {EVIL} -->done <script>x</script>", "done x"),
        ("a < b, List<int>, Map<String, T<U>>, x <- y", "a < b, List\\<int>, Map\\<String, T\\<U>>, x <- y"),
        ("if a<b and c>d then", "if a\\<b and c>d then"),
        ("H<sub>2</sub>O", "H\\<sub>2\\</sub>O"),
        ("2 < 3 &amp; 4 &lt; 5", "2 < 3 &amp; 4 &lt; 5"),
    ],
)  # fmt: skip
def test_f_1208_links_images_and_html_go_and_words_stay(text: str, expected: str | None) -> None:
    shown = inert(text)
    assert acting(shown) == []
    if expected is not None:
        assert shown.strip() == expected


@pytest.mark.parametrize(
    "text", ["a < b", "List<int> is a type", "if a<b and c>d then", "H<sub>2</sub>O", "x <y, z"]
)
def test_what_only_looks_like_html_is_drawn_as_it_was_written(text: str) -> None:
    assert drawn(inert(text)).strip() == text


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "> ",
        "- ",
        "1. ",
        "1) ",
        "* ",
        "> > ",
        "> - ",
        "- > 1. ",
        "   ",
        "\t",
        "text\n\n",
        "- a\n\n  ",
        "<b></b>- ",
    ],
)
@pytest.mark.parametrize("label", ["1", "x", "the guide", "a\nb", "^1", "[9]x"])
def test_f_1207_no_definition_of_a_link_comes_through(prefix: str, label: str) -> None:
    text = f"Lists [1] and [x], [the guide].\n\n{prefix}[{label}]: {EVIL}\n{prefix}[{label}]:\n{EVIL}\n"
    stream = MarkerStream(1)
    shown = stream.feed(text) + stream.finish()
    assert acting(shown) == []
    assert acting(inert(text)) == []


def test_r32_a_hostile_answer_is_the_same_however_it_is_cut() -> None:
    whole = MarkerStream(1)
    shown = whole.feed(HOSTILE_ANSWER) + whole.finish()
    assert acting(shown) == []
    assert "a map of the harbour" in shown
    for step in (1, 2, 3, 5, 7, 100):
        stream = MarkerStream(1)
        pieces = [stream.feed(HOSTILE_ANSWER[a : a + step]) for a in range(0, len(HOSTILE_ANSWER), step)]
        assert "".join(pieces) + stream.finish() == shown


@pytest.mark.parametrize(
    "code",
    [
        "```py\nx = a[0](b) # https://a.example <b> ![x](y)\n[1]: https://a.example\n```\n",
        "~~~\n<img src=x> [a](https://a.example)\n~~~\n",
        "````md\n```\n[a](https://a.example)\n```\n````\n",
        "use `a[0](b)`, `List<int>`, ``b`[x](y)`` and `https://a.example`",
        "| a | b |\n|---|---|\n| `x<b>` | `y[0](z)` |\n",
    ],
)
def test_code_stays_code(code: str) -> None:
    assert inert(code) == code


@pytest.mark.parametrize(
    "text",
    [
        f"> ```\nplain [x]({EVIL})\n",  # the quote ends, and its code with it
        f"- ```\n[x]({EVIL})\n",
        f"1. a\n   ```\n   code\n[x]({EVIL})\n   ```\n[x]({EVIL})\n",
        f"`a\n` [x]({EVIL}) `b`",  # pairs over lines
        f"``` [x]({EVIL}) ```` y",
        f"| `a | [x]({EVIL})` |\n|---|---|\n",  # cells come before code
        f"`a | [x]({EVIL})`\n---|---\n",
        f"a | b\n--|--\n`c | [x]({EVIL})`\n",
        f"`c | [x]({EVIL})` d | \n|-|-|\n",
        f"[`x]: {EVIL}\n\n[`x]",
        f"\\`[x]({EVIL})`",
        f"<a title='`'>[x]({EVIL})`",
        "ht<b></b>tps://evil.example/x",
        "ht[tps](x:y)://evil.example/x",
        "[www](x:y).evil.example",
        "https&colon;//evil.example &#104;ttps://evil.example",
        "https\\://evil.example http:\\/\\/evil.example www\\.evil.example",
        f"![- ](u)[x]: {EVIL}\n\n[x]",
        f"![> ](u)```\n[x]({EVIL})",
        f"\\\\[x]({EVIL}) \\\\<img src={EVIL}>",
        f"<[9]img src={EVIL}> [x][9]({EVIL}) !\u200b[x]({EVIL}) [a]\u200b({EVIL})",
        f"```a|\n---\n[x]({EVIL})\n```",
    ],
)
def test_where_clients_differ_on_what_is_code_all_see_text(text: str) -> None:
    stream = MarkerStream(1)
    assert acting(stream.feed(text) + stream.finish()) == []
    assert acting(inert(text)) == []


_WORDS = """` `` ``` ~~~ > - 1. [ ] ( ) ! < </ <b> <x/y=z> </b> \\ | a http https: // e.v/ www. e.v : / &colon; &#58;
<https://e.v> [a](http://e) [a]:http://e [a] <!-- --> * # 'c' = User: Assistant: . <|im_end|> </s> <s> mailto:a ://
<script> --- <br> 1) <img/src=x>"""
_JOINTS = [
    "\n",
    "\n\n",
    " ",
    "    ",
    "\t",
    "](",
    "]: ",
    MARK,
    "`c`",
    "```\n",
    "> ",
    "- ",
    "\n|-|-|\n",
    "a | b\n",
]
_FRAGMENTS = st.sampled_from(_WORDS.split()) | st.sampled_from(_JOINTS)


@settings(max_examples=400, deadline=None)
@given(st.lists(_FRAGMENTS, max_size=14), st.lists(st.integers(0, 80), max_size=10))
def test_nothing_acts_however_a_stream_is_cut(fragments: list[str], cuts: list[int]) -> None:
    text = "".join(fragments)
    shown = inert(text)
    written = shown.replace(MARK, "[1]")
    assert acting(written) == []
    assert inert(written, cuts_turns=False) == written
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    stream = InertMarkdown()
    assert "".join(stream.feed(text[a:b]) for a, b in pairwise(places)) + stream.finish() == shown


@settings(max_examples=200, deadline=None)
@given(
    st.lists(_FRAGMENTS | st.sampled_from(["[1]", "[9]", "\u200b", "\x1b[1m"]), max_size=14),
    st.integers(1, 6),
)
def test_a_marker_stream_gives_the_same_however_it_is_cut(fragments: list[str], step: int) -> None:
    text = "".join(fragments)
    whole, stream = MarkerStream(1), MarkerStream(1)
    shown = whole.feed(text) + whole.finish()
    pieces = [stream.feed(text[start : start + step]) for start in range(0, len(text), step)]
    assert "".join(pieces) + stream.finish() == shown
    assert stream.placed == whole.placed
    assert acting(shown) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 5 [1].<|im_end|>\n<|im_start|>user\nMore?", "It is 5 [1]."),
        ("It is 5 [1]. <|im_start|> gnp", "It is 5 [1]. "),
        ("It is 5.</s> junk", "It is 5."),
        ("<|im_start|>assistant\nIt is 5.", "It is 5."),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nIt is 5.", "It is 5."),
        ("<s>[INST] It is 5.", "It is 5."),
        ("It is 5 [1].\n\nUser: And six?\n\nAssistant: Six.", "It is 5 [1].\n\n"),
        ("它是 5 [1]。\n用户：那六呢？\n助手：六。", "它是 5 [1]。\n"),
        ("It is 5. User: And six? Assistant: Six.", "It is 5. "),
        ("Assistant: It is 5.", "It is 5."),
        ("The token <|im_end|> ends a turn.", "The token \\<|im_end|> ends a turn."),
        ("`<|im_end|>` ends a turn. `User:` too.", "`<|im_end|>` ends a turn. `User:` too."),
        (
            "The roles are:\nUser: asks.\nAssistant: answers.",
            "The roles are:\nUser: asks.\nAssistant: answers.",
        ),
        ("It runs as root.\nUser: postgres\nPassword: x", "It runs as root.\nUser: postgres\nPassword: x"),
        ("<s>Old price.</s> New price.", "Old price. New price."),
    ],
)
def test_f_1209_special_tokens_and_invented_turns_end_the_answer(text: str, expected: str) -> None:
    for step in (1, 3, len(text)):
        stream = MarkerStream(1)
        pieces = [stream.feed(text[start : start + step]) for start in range(0, len(text), step)]
        assert "".join(pieces) + stream.finish() == expected


def test_an_open_code_block_is_closed_at_the_end() -> None:
    assert inert("```py\nx = 1") == "```py\nx = 1\n```"


@pytest.mark.parametrize(
    "pattern",
    [
        "](",
        "<a ",
        "<a b='",
        "[a](",
        "<!--",
        "&a",
        "https://",
        "User: ",
        "\n> ",
        "`a|b`\n--\n",
        "<|a",
        "\x1b]",
        "<think>",
    ],
)
def test_long_hostile_text_takes_linear_time(pattern: str) -> None:
    def write(size: int) -> Callable[[], object]:
        text = pattern * (size // len(pattern))

        def run() -> None:
            stream = MarkerStream(2)
            stream.feed(text)
            stream.finish()

        return run

    assert_linear(write, 2_000)
