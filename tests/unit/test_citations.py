"""Markers in streamed answers, and the evidence that each of them narrows to."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.domain import NOT_SEARCHED, Place, ScoredChunk
from app.generation.citations import MarkerStream, resolve_citations
from tests.growth import assert_linear

TUNING = (
    "An ivfflat index divides vectors into lists. Use rows / 1000 lists for up to 1,000,000 rows. "
    "Above that, take the square root of the rows. More probes raise recall and cost time."
)
CHUNKING = (
    "分块大小影响检索质量。建议从 512 个词元开始，相邻块重叠 64 个词元。块太大时，答案会被无关文字稀释。"
)


def chunk(text: str, start: int = 0, rank: int = 1, **fields: object) -> ScoredChunk:
    base = {
        "chunk_id": f"c{rank}",
        "document_id": "d1",
        "collection": "default",
        "source": "a.md",
        "title": "A",
        "page": None,
        "heading": None,
        "score": 0.5,
        "scores": NOT_SEARCHED,
        "rank": rank,
    }
    return ScoredChunk(**{**base, **fields}, text=text, char_start=start, char_end=start + len(text))  # type: ignore[arg-type]


def rewritten(text: str, sources: int = 3) -> str:
    stream = MarkerStream(sources)
    return stream.feed(text) + stream.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A [3]. B [1]. C [3].", "A [1]. B [2]. C [1]."),
        ("A [1, 2] B [2][1]", "A [1][2] B [2][1]"),
        ("甲【2】。乙［3］、丙【２，３】", "甲[1]。乙[2]、丙[1][2]"),
        ("A [1-3] B [2–3]", "A [1][2][3] B [2][3]"),
        ("A [9]. B [0] C [1, 7].", "A. B C [1]."),
        ("A[4]", "A"),
        ("[ ] task [x] [1] call[i](u) [1a] [", "[ ] task [x] [1] call[i] (u) [1a] ["),
        ("[1】 [2]", "[1】 [1]"),  # brackets that do not belong together
        ("use `a[0]` and ``b`[1]`` [2]", "use `a[0]` and ``b`[1]`` [1]"),
        ("```py\nx[0] = y[1]\n```\nDone [2].", "```py\nx[0] = y[1]\n```\nDone [1]."),
        ("a ` lone [2]\nnext [9]", "a \\` lone [1]\nnext"),
        ("see [1](http://evil) [2][x]", "see [1] [2] [x]"),
        ("see [1](the first) (b)", "see [1] (the first) (b)"),
        ("[1]: http://evil\nso [2]: yes", "[1] : `http://evil`\nso [2]: yes"),
        ("[" + "1" * 40 + "]", "[" + "1" * 40 + "]"),
        ("[1", "[1"),
        ("[[9]1] ``[9]`x", "[…1] \\`\\` \\`x"),  # a removed marker leaves no marker and no code behind
        ("trailing  ", "trailing  "),
    ],
)
def test_markers_are_normalised(text: str, expected: str) -> None:
    assert rewritten(text) == expected


def test_markers_that_point_nowhere_are_counted() -> None:
    stream = MarkerStream(2)
    stream.feed("A [3] B [1, 5] C [0].")
    stream.finish()
    assert (stream.removed, stream.order) == (3, [1])


def test_text_passes_at_once_and_a_partial_marker_is_held_back() -> None:
    stream = MarkerStream(2)
    assert stream.feed("Lists are") == "Lists are"
    assert stream.feed(" made [") == " made"
    assert stream.feed("2") == ""
    assert stream.feed("].") == " [1]."


_pieces = st.text(st.sampled_from("ab .\n:([]【】［］0129,- `x"), max_size=60)


@settings(max_examples=500, deadline=None)
@given(_pieces, st.lists(st.integers(0, 60), max_size=12))
def test_the_cuts_of_a_stream_do_not_change_the_text(text: str, cuts: list[int]) -> None:
    stream = MarkerStream(2)
    places = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    shown = "".join(stream.feed(text[a:b]) for a, b in pairwise(places)) + stream.finish()
    assert shown == rewritten(text, 2)
    whole = MarkerStream(2)
    whole.feed(text)
    whole.finish()
    assert (stream.removed, stream.order, stream.placed) == (whole.removed, whole.order, whole.placed)
    for marker in stream.placed:
        assert shown[marker.position :].startswith(f"[{marker.number}]")


@settings(max_examples=500, deadline=None)
@example("[0] ")
@given(st.text(st.sampled_from("ab .[]【】0129,`\n"), max_size=60))
def test_no_marker_comes_out_but_those_that_were_placed(text: str) -> None:
    first = MarkerStream(2)
    once = first.feed(text) + first.finish()
    second = MarkerStream(len(first.order))
    again = second.feed(once) + second.finish()
    assert (again, second.placed, second.removed) == (once, first.placed, 0)


@pytest.mark.parametrize("pattern", ["[1", " ", "`", "[1,", "【", "` `` ", "[1]", "```\n"])
def test_long_hostile_text_takes_linear_time(pattern: str) -> None:
    assert_linear(lambda size: partial(rewritten, pattern * (size // len(pattern))), 2_000)


def test_each_citation_is_the_sentence_that_holds_the_claim() -> None:
    answer = "Up to 1000000 rows, use rows / 1000 lists [2]. 相邻块应重叠 64 个词元【1】。"
    resolved = resolve_citations(answer, [chunk(CHUNKING, 30, document_id="d2"), chunk(TUNING, 100, 2)])
    first, second = resolved.citations
    assert resolved.text == "Up to 1000000 rows, use rows / 1000 lists [1]. 相邻块应重叠 64 个词元[2]。"
    assert first.quote == "Use rows / 1000 lists for up to 1,000,000 rows."
    assert second.quote == "建议从 512 个词元开始，相邻块重叠 64 个词元。"
    assert (first.marker, first.chunk_id, second.marker) == (1, "c2", 2)
    assert first.supported
    assert second.supported
    for citation, text, offset in ((first, TUNING, 100), (second, CHUNKING, 30)):
        assert citation.quote == text[citation.char_start - offset : citation.char_end - offset]


def test_evidence_in_two_sentences_is_quoted_whole() -> None:
    answer = "An ivfflat index has lists of vectors, rows / 1000 of them up to 1,000,000 rows [1]."
    (citation,) = resolve_citations(answer, [chunk(TUNING)]).citations
    assert citation.quote == TUNING[: TUNING.index(" Above that")]


@pytest.mark.parametrize(
    ("answer", "supported"),
    [
        ("More probes raise recall [1].", True),
        ("Probes raise recall. [1]", True),
        ('The book says "more probes raise recall." [1].', True),  # the quote mark is no sentence
        ("1. More probes raise recall [1].", True),  # a list number is no number of the claim
        ("Use rows / 500 lists for up to 1,000,000 rows [1].", False),  # another number
        ("The capital of France is Paris [1].", False),
        ("[1]", False),
        ("More probes raise recall and the moon is made of green cheese from Denmark [1].", False),
    ],
)
def test_supported_needs_the_terms_and_the_numbers(answer: str, supported: bool) -> None:
    (citation,) = resolve_citations(answer, [chunk(TUNING)]).citations
    assert citation.supported is supported


def test_parts_of_a_sentence_are_checked_against_their_own_markers() -> None:
    answer = "More probes raise recall [1], while 块太大时答案会被稀释 [2]."
    resolved = resolve_citations(answer, [chunk(TUNING), chunk(CHUNKING, document_id="d2", rank=2)])
    assert [c.supported for c in resolved.citations] == [True, True]
    assert resolved.citations[1].quote == "块太大时，答案会被无关文字稀释。"
    spans = [resolved.text[c.start : c.end] for c in resolved.claims]
    assert spans == ["More probes raise recall", "while 块太大时答案会被稀释 [2]."]


def test_a_marker_used_twice_is_two_citations_with_their_own_spans() -> None:
    """F-602: each place of a marker opens its own sentence, and only the false claim is marked."""
    answer = (
        "Use rows / 1000 lists up to 1,000,000 rows [1]. More probes raise recall [1]. "
        "A thousand unicorns voted for purple probes on Tuesday [1]. Nobody has said this."
    )
    resolved = resolve_citations(answer, [chunk(TUNING)])
    assert [citation.marker for citation in resolved.citations] == [1, 1, 1]
    first, second, unicorns, uncited = resolved.claims
    quotes = [resolved.citations[claim.citations[0]].quote for claim in (first, second)]
    assert quotes == [
        "Use rows / 1000 lists for up to 1,000,000 rows.",
        "More probes raise recall and cost time.",
    ]
    assert [first.supported, second.supported, unicorns.supported] == [True, True, False]
    assert (uncited.citations, uncited.mark_start, uncited.supported) == ((), None, None)
    assert resolved.text[uncited.start : uncited.end] == "Nobody has said this."


def test_claims_on_the_same_sentence_share_a_citation() -> None:
    resolved = resolve_citations("More probes raise recall [1]. Probes cost time [1].", [chunk(TUNING)])
    (citation,) = resolved.citations
    assert citation.quote == "More probes raise recall and cost time."
    assert [claim.citations for claim in resolved.claims] == [(0,), (0,)]


def test_several_markers_of_a_claim_are_one_claim_each() -> None:
    answer = "Probes raise recall and 相邻块重叠 [1][2]."
    resolved = resolve_citations(answer, [chunk(TUNING), chunk(CHUNKING, document_id="d2", rank=2)])
    one, two = resolved.claims
    assert (one.start, one.end) == (two.start, two.end)
    assert [resolved.text[c.mark_start : c.mark_end] for c in (one, two)] == ["[1]", "[2]"]
    assert (one.citations, two.citations) == ((0,), (1,))


@pytest.mark.parametrize(
    "text",
    [
        "# Choosing lists",
        "Do the following:",
        "请按以下步骤操作：",
        "```sh\nprobes = 10 lists\n```",
        "````md\n```sh\nlists = 100\n```\nprobes\n````",
        "---",
        "This is it.",  # no word with content
    ],
)
def test_what_states_nothing_is_no_claim(text: str) -> None:
    assert resolve_citations(f"{text}\n\nMore probes raise recall [1].", [chunk(TUNING)]).claims[0].mark_start


def test_a_claim_that_contradicts_its_sentence_is_not_supported() -> None:
    """F-607: a negation, a number, a date and a subject that are not the source's."""
    source = chunk("The LX-200 was not released on 4 March 2026. It weighs 3 kg.", title="LX-200")
    claims = {
        "The LX-200 was released on 4 March 2026 [1].": False,
        "The LX-200 was not released on 5 March 2026 [1].": False,
        "The FM-40 was not released on 4 March 2026 [1].": False,
        "The LX-200 weighs 4 kg [1].": False,
        "The LX-200 weighs 3 g [1].": False,
        "The LX-200 weighs 3000 g [1].": True,
        "The LX-200 wasn't released on 2026-03-04 [1].": True,
    }
    got = {claim: resolve_citations(claim, [source]).citations[0].supported for claim in claims}
    assert got == claims


def test_two_sources_may_support_a_claim_together() -> None:
    answer = "Probes raise recall and 相邻块重叠 [1][2]."
    resolved = resolve_citations(answer, [chunk(TUNING), chunk(CHUNKING, document_id="d2", rank=2)])
    assert [c.supported for c in resolved.citations] == [True, True]


def test_a_quote_of_a_merged_source_names_the_chunk_that_holds_it() -> None:
    border = TUNING.index("Above")
    parts = [chunk(TUNING[border:], border, 1, page=8), chunk(TUNING[:border], 0, 2, page=7)]
    merged = chunk(TUNING, 0, 1, page=8)
    (citation,) = resolve_citations("Use rows / 1000 lists [1].", [merged], parts).citations
    assert (citation.chunk_id, citation.page) == ("c2", 7)


def test_an_answer_without_markers_has_no_citations() -> None:
    resolved = resolve_citations("Nothing here [5].", [chunk(TUNING)])
    assert (resolved.text, resolved.citations, resolved.removed_markers) == ("Nothing here.", (), 1)


_words = st.sampled_from(
    ["lists ", "rows", ". ", "。", "块", "词元", "\n\n", "1000", "`", " ", "🙂", "\u202e"]
)
_markers = st.sampled_from(["[1]", "[2]", "[7]", "【1，2】"])
_answers = st.lists(_words | _markers, max_size=25).map("".join)
_sources = st.lists(_words, min_size=1, max_size=30).map("".join)


@settings(max_examples=200, deadline=None)
@given(_answers, _sources, _sources, st.integers(0, 1000))
def test_quotes_are_exact_whatever_the_answer(answer: str, one: str, two: str, start: int) -> None:
    sources = [chunk(one, start), chunk(two, 5, 2, document_id="d2")]
    resolved = resolve_citations(answer, sources, sources)
    markers = [c.marker for c in resolved.citations]
    assert markers == sorted(markers)
    assert set(markers) == set(range(1, max(markers, default=0) + 1))
    for evidence in resolved.citations:
        source = next(s for s in sources if s.document_id == evidence.document_id)
        a, b = evidence.char_start - source.char_start, evidence.char_end - source.char_start
        assert source.text[a:b] == evidence.quote


@settings(max_examples=300, deadline=None)
@given(_answers, _sources)
def test_claims_lie_where_they_say_whatever_the_answer(answer: str, one: str) -> None:
    sources = [chunk(one), chunk("lists", 5, 2, document_id="d2")]
    resolved = resolve_citations(answer, sources)
    stream = MarkerStream(2)
    assert resolved.text == stream.feed(answer) + stream.finish()
    marks = [(claim.mark_start, claim.mark_end) for claim in resolved.claims if claim.mark_start is not None]
    assert sorted(marks) == [(marker.position, marker.end) for marker in stream.placed]
    for claim in resolved.claims:
        assert 0 <= claim.start <= claim.end <= len(resolved.text)
        if claim.mark_start is None:
            assert (claim.citations, claim.supported, claim.start < claim.end) == ((), None, True)
            inside = [m for m in stream.placed if claim.start <= m.position < claim.end]
            assert not inside
        else:
            (index,) = claim.citations
            citation = resolved.citations[index]
            assert resolved.text[claim.mark_start : claim.mark_end] == f"[{citation.marker}]"
            assert claim.supported is citation.supported
    assert {i for claim in resolved.claims for i in claim.citations} == set(range(len(resolved.citations)))
    assert [claim.start for claim in resolved.claims] == sorted(claim.start for claim in resolved.claims)


def test_page_and_heading_are_those_of_the_quote_and_not_of_the_chunk() -> None:
    second = TUNING.index("Above")
    places = (Place(0, 7, "Lists"), Place(second, 8, "Many rows"))
    source = chunk(TUNING, page=7, heading="Lists", places=places)
    above, below = (
        resolve_citations(f"{text} [1]", [source]).citations[0]
        for text in (
            "Above that, take the square root of the rows.",
            "Use rows / 1000 lists up to 1,000,000 rows.",
        )
    )
    assert (above.page, above.heading) == (8, "Many rows")
    assert (below.page, below.heading) == (7, "Lists")


@pytest.mark.parametrize(
    ("said", "source", "supported"),
    [
        # as a real model of 135 million parameters wrote it
        ("Priya Natarajan's phone number is [1].", "Priya Natarajan: Phone number: +49 30 5550 18", False),
        ("王芳的电话是[1]。", "王芳：电话：5550 18", False),
        ("The hotel limit is [1] 120 EUR.", "The hotel limit is 120 EUR a night.", True),
        ("The hotel limit is [1] 170 EUR.", "The hotel limit is 120 EUR a night.", False),
        ("住宿标准是[1]500元。", "住宿标准是500元一晚。", True),
        ("The hotel limit is 120 EUR [1].", "The hotel limit is 120 EUR a night.", True),
    ],
)
def test_a_claim_without_what_it_would_say_is_not_supported(said: str, source: str, supported: bool) -> None:
    resolved = resolve_citations(said, [chunk(source)])
    assert [claim.supported for claim in resolved.claims if claim.citations] == [supported]
