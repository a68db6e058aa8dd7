"""F-504: what a model thinks is told from what it answers."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.generation.markers import MarkerStream
from app.generation.prompt import Language, has_words, is_refusal, refusal
from app.generation.reasoning import ReasoningFilter


def answered(*pieces: str, opened: bool = False, cut_off: bool = False) -> str:
    thoughts = ReasoningFilter(opened=opened)
    return "".join(map(thoughts.feed, pieces)) + thoughts.finish(cut_off=cut_off)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>secret plan</think>\n\nIt is 5 [1].", "It is 5 [1]."),
        ("\n <THINK >a</Think >b", "b"),
        ("<think>a<think>b</think>c</think>d", "d"),
        ("<think>I must close <think> tags.</think>It is 5.", "It is 5."),
        ("<think>never closed [1]", ""),
        ("<think></think>It is 5.", "It is 5."),
        ("It is <think>hm</think>5.", "It is 5."),
        ("<thinking>a</thinking>b", "b"),
        ("<seed:think>a</seed:think>b", "b"),
        ("[THINK]a[/THINK]b", "b"),
        ("◁think▷a◁/think▷b", "b"),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>It is 5.",
            "It is 5.",
        ),
        ("R1 writes `<think>` and `</think>` [1].", "R1 writes `<think>` and `</think>` [1]."),
        ("So:\n```xml\n<think>\n</think>\n```\n", "So:\n```xml\n<think>\n</think>\n```\n"),
        ("a < b, <thin>k", "a < b, <thin>k"),
    ],
)
def test_reasoning_is_no_part_of_the_answer(text: str, expected: str) -> None:
    assert answered(text) == answered(*text) == expected


def test_an_end_without_a_beginning_takes_back_what_came_before() -> None:
    """Some templates put the beginning into the prompt. What has been returned by then is told to be none of it."""
    assert answered("So they ask [1]. Hm.</think>\n\nIt is 5.") == "It is 5."
    thoughts = ReasoningFilter()
    pieces = [thoughts.feed(piece) for piece in ("So they ", "ask.</thi", "nk>\n\nIt is", " 5.")]
    assert (pieces, thoughts.restarts) == (["So they ", "ask.", "It is", " 5."], 1)


@pytest.mark.parametrize(
    ("text", "cut_off", "expected"),
    [
        ("So they ask.</think>\n\nIt is 5.", False, "It is 5."),
        ("It is 5.", False, "It is 5."),  # it did not think this time
        ("So they ask and ask", True, ""),  # the tokens were gone in it
        ("<think>again</think>It", False, "It"),
    ],
)
def test_where_the_template_begins_the_reasoning(text: str, cut_off: bool, expected: str) -> None:
    for pieces in ([text], list(text)):
        assert answered(*pieces, opened=True, cut_off=cut_off) == expected


@given(
    st.lists(
        st.sampled_from(
            ["<think>", "</think>", "a", " ", "\n", "`", "<", "think", ">", "[THINK]", "x", "```\n"]
        )
    ),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_the_cuts_of_a_stream_do_not_change_the_answer(fragments: list[str], cuts: list[int]) -> None:
    text = "<think>" + "".join(fragments)
    if (whole := ReasoningFilter()).feed(text) or whole.restarts:
        whole.finish()
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    thoughts = ReasoningFilter()
    shown = "".join(thoughts.feed(text[a:b]) for a, b in pairwise(places)) + thoughts.finish()
    if not thoughts.restarts:
        assert shown == answered(text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_f_504_a_refusal_behind_reasoning_is_one(language: Language) -> None:
    raw = f"<think>The user asks about [1]. I should say no.</think>\n\n{refusal(language)}"
    stream = MarkerStream(1)
    assert is_refusal(raw)
    assert stream.feed(raw) + stream.finish() == refusal(language)
    assert (stream.placed, stream.order) == ([], [])


@pytest.mark.parametrize(
    "text", ["", " \n", "  \u200b \n ", "\u3164", "<think>It is 5", "[1] [9]", "…?!", "<br>\u202e"]
)
def test_f_1210_an_answer_without_words_is_none(text: str) -> None:
    assert not has_words(text)
