"""An answer with `[n]` markers and the sources of its prompt → citations with exact spans of evidence, and claims.

Pure and deterministic. For each marker the claim is found that it stands for, and in its source the one to three
sentences that hold most of the claim's terms. A citation is `supported` when they hold enough of them and contradict
none of it (app/generation/support.py). Sentences without a marker are claims that nothing was cited for.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain import Citation, Claim, ScoredChunk
from app.generation.markers import MarkerStream, PlacedMarker
from app.generation.support import contradiction
from app.lexicon import terms
from app.sentences import Span, split_sentences
from app.stored_markdown import read_fences

__all__ = ["MarkerStream", "ResolvedAnswer", "resolve_citations"]

# Least share of a claim's distinct terms that the text it cites must hold, for `supported`. Measured on 300
# questions each of SQuAD and CMRC, "question + answer" as the claim: at 0.5 the flag is set for 96 % and 95 %
# of claims on their own paragraph, for none on a paragraph of another article and for 3 % on another one of
# the same article (SQuAD); at 0.4 for 98 %, 98 %, none and 5 %; at 0.6 for 88 %, 90 %, none and 2 %.
SUPPORT_THRESHOLD = 0.5
MAX_QUOTE_SENTENCES = 3
# A further sentence is quoted only if it brings this much more of the claim.
LEAST_GAIN = 0.1
SENTENCES_BEFORE = 2  # as far as a pronoun is followed back

_ENUMERATOR = re.compile(r"\s*(?:[-*+•]\s+)?(?:\(?\d{1,3}[.)、）]\s*)?(?=\D|$)")
_LEADING = re.compile(r"[\s,;:，；：、。.]+")
# What states nothing for itself: a heading, a table's ruler, an image, a link's definition, a lead-in to a list.
_NO_STATEMENT = re.compile(r"#{1,6}\s|[|:\-\s=*_]+$|!\[[^\]]*\]\([^)]*\)\s*$|\[[^\]]*\]:")
_LEAD_IN = re.compile(r"[:：]\W*$")
_UNFINISHED = re.compile(
    r"(?:\b(?:is|are|was|were|be|the|an?|of|to|at|by|for|from|than|and|or)|[是为于在和与及或])[\s.,;:!?…。，；：！？]*$",
    re.I,
)
# A claim is read against its evidence no further than this: what people write in a sentence is shorter.
MAX_READ_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class ResolvedAnswer:
    """An answer whose markers all point at a citation, and its statements.

    `citations` are ordered by marker, then by their first place in the text: one for each claim that a marker stands
    for, where claims that are cited to the same stretch with the same support share one. `claims` are in the text's
    order, one for each place of a marker, whose `citations` is the index of its citation; and one, without marks, for
    each sentence that nothing was cited for. Headings, lead-ins to lists, code and sentences without terms are no
    claims of their own. `removed_markers` counts those that pointed nowhere.
    """

    text: str
    citations: tuple[Citation, ...]
    claims: tuple[Claim, ...] = ()
    removed_markers: int = 0


def resolve_citations(
    text: str, sources: Sequence[ScoredChunk], retrieved: Sequence[ScoredChunk] = ()
) -> ResolvedAnswer:
    """Renumber the markers of `text` and narrow each place of one to its evidence.

    `sources` are the prompt's, in marker order (`Prompt.used`). `retrieved` are the chunks that they were
    merged from, best first: a citation names the first of them that holds its quote, so that page and heading
    are those of the quote. The text equals what a `MarkerStream` over the same sources lets through.
    """
    stream = MarkerStream(len(sources))
    shown = stream.feed(text) + stream.finish()
    evidence = [_Evidence(sources[number - 1], retrieved) for number in stream.order]
    bare = _Bare(shown, stream.placed)
    sentences = split_sentences(bare.text)
    found: list[tuple[_Group, PlacedMarker, Citation]] = []
    cited_sentences: set[int] = set()
    for group in _groups(bare, sentences):
        cited_sentences.add(group.sentence_index)
        found.extend((group, marker, citation) for marker, citation in _cite(group, evidence))
    citations, index = _shared([citation for _, _, citation in found])
    claims = [
        Claim(group.start, group.end, marker.position, marker.end, (place,), citation.supported)
        for (group, marker, citation), place in zip(found, index, strict=True)
    ]
    claims += [
        Claim(*_without_lead(shown, *bare.after_markers(start, end)), None, None, (), None)
        for start, end in _uncited(bare.text, sentences, cited_sentences)
    ]
    claims.sort(key=lambda claim: (claim.start, claim.mark_start or 0))
    return ResolvedAnswer(shown, citations, tuple(claims), stream.removed)


def _cite(group: _Group, evidence: Sequence[_Evidence]) -> list[tuple[PlacedMarker, Citation]]:
    """The evidence for a claim in each of its sources, `supported` where they hold it together and this one a part."""
    claim = _checkable(group)
    claim_terms = frozenset(terms(claim))
    cited = [evidence[marker.number - 1] for marker in group.markers]
    found = [source.best_span(claim_terms) for source in cited]
    held_by_all = frozenset[str]().union(*(held for _, held in found))
    joint_support = _share(claim_terms, held_by_all) >= SUPPORT_THRESHOLD and not _is_unfinished(claim)
    if joint_support:
        quotes = "\n\n".join(source.text(span) for source, (span, _) in zip(cited, found, strict=True))
        around = "\n".join(source.around(span) for source, (span, _) in zip(cited, found, strict=True))
        before = "\n".join(source.before(span) for source, (span, _) in zip(cited, found, strict=True))
        joint_support = contradiction(claim[:MAX_READ_CHARS], quotes[:MAX_READ_CHARS], around, before) is None
    # Of several markers for one claim each may hold a part of it, but must hold some.
    least = SUPPORT_THRESHOLD / len(group.markers)
    return [
        (
            marker,
            source.citation(
                marker.number, span, supported=joint_support and _share(claim_terms, held) >= least
            ),
        )
        for marker, source, (span, held) in zip(group.markers, cited, found, strict=True)
    ]


def _shared(found: Sequence[Citation]) -> tuple[tuple[Citation, ...], list[int]]:
    """The citations by marker, each once, and for each of `found` its index among them."""
    distinct = sorted(dict.fromkeys(found), key=lambda citation: citation.marker)
    places = {citation: place for place, citation in enumerate(distinct)}
    return tuple(distinct), [places[citation] for citation in found]


def _uncited(bare: str, sentences: Sequence[Span], cited: set[int]) -> list[Span]:
    """The sentences of the answer that state something and have no marker."""
    fences = _code_borders(bare)
    return [
        (start, end)
        for index, (start, end) in enumerate(sentences)
        if index not in cited
        and not bisect_right(fences, start) % 2
        and not _NO_STATEMENT.match(bare, start, end)
        and not _LEAD_IN.search(bare, start, end)
        and terms(bare[start:end])
    ]


def _code_borders(text: str) -> list[int]:
    """Offsets where fenced code begins and ends, by turns; a fence closes with at least its own marks."""
    return [border for piece in read_fences(text, quotes=True) for border in piece]


def _without_lead(shown: str, start: int, end: int) -> Span:
    """A stretch without the punctuation and blanks that it starts with."""
    lead = _LEADING.match(shown, start, end)
    return (lead.end() if lead and lead.end() < end else start), end


@dataclass(frozen=True, slots=True)
class _Group:
    """Markers that stand together, and the stretch of the answer that they stand for."""

    start: int
    end: int
    markers: tuple[PlacedMarker, ...]
    claim: str  # the stretch without markers
    sentence: str  # the whole sentence without markers
    sentence_index: int  # -1 where the answer has no sentence


class _Bare:
    """The answer without its markers and the blanks before them, and where places of one lie in the other."""

    def __init__(self, shown: str, placed: Sequence[PlacedMarker]) -> None:
        self.placed = placed
        self.places: list[int] = []  # of each marker in `text`, ascending
        pieces: list[str] = []
        length = pos = 0
        for marker in placed:
            piece = shown[pos : marker.position].rstrip(" \t")
            pieces.append(piece)
            length += len(piece)
            self.places.append(length)
            pos = marker.end
        self.text = "".join(pieces) + shown[pos:]

    def shown_span(self, start: int, end: int) -> Span:
        """Where text[start:end] lies in the answer; markers at its start and at its end are not in it."""
        shown_start = self._shown(start, bisect_right(self.places, start))
        return shown_start, max(shown_start, self._shown(end, bisect_left(self.places, end)))

    def after_markers(self, start: int, end: int) -> Span:
        """Where text[start:end] lies in the answer, from behind the last marker in it: it is of what stands before."""
        shown_start, shown_end = self.shown_span(start, end)
        markers = bisect_left(self.placed, shown_end, key=lambda marker: marker.position)
        return (max(shown_start, self.placed[markers - 1].end) if markers else shown_start), shown_end

    def _shown(self, place: int, markers_before: int) -> int:
        if markers_before == 0:
            return place
        return self.placed[markers_before - 1].end + place - self.places[markers_before - 1]


def _groups(bare: _Bare, sentences: Sequence[Span]) -> list[_Group]:
    """Split the answer into claims: a claim is the part of a sentence up to its markers.

    So a sentence with one group of markers is one claim; what follows the last markers of a sentence belongs
    to them; markers after a full stop belong to the sentence before it.
    """
    text = bare.text
    by_sentence: dict[int, list[list[int]]] = {}
    last_place = -1
    for number, place in enumerate(bare.places):
        groups = by_sentence.setdefault(_sentence_at(text, sentences, place), [])
        if groups and not text[last_place:place].strip():
            groups[-1].append(number)
        else:
            groups.append([number])
        last_place = place
    found: list[_Group] = []
    for index, groups in by_sentence.items():
        first, end = sentences[index] if sentences else (0, len(text))
        cuts = [first, *(max(first, min(end, bare.places[group[-1]])) for group in groups[:-1]), end]
        for group, a, b in zip(groups, cuts, cuts[1:], strict=False):
            start = _LEADING.match(text, a, b)
            shown = bare.shown_span(start.end() if start and start.end() < b else a, b)
            markers = tuple(bare.placed[number] for number in group)
            found.append(_Group(*shown, markers, text[a:b], text[first:end], index if sentences else -1))
    return found


def _sentence_at(bare: str, sentences: Sequence[Span], place: int) -> int:
    """Index of the sentence that a marker at `place` closes, or, at the start of a text, opens.

    Decided by the last letter or digit before it: in 'He said "no." [1].' the closing quote may have become a
    sentence of its own.
    """
    last = next((i for i in range(place - 1, -1, -1) if bare[i].isalnum()), -1)
    return max(0, bisect_right(sentences, last, key=lambda span: span[0]) - 1)


def _checkable(group: _Group) -> str:
    """The claim without its list number; its whole sentence if the claim has no terms or says nothing yet where the
    marker stands ("the fee is [1] 300 EUR"), "" if neither has terms."""
    read = [stretch[_enumerator_end(stretch) :] for stretch in (group.claim, group.sentence)]
    with_terms = [claim for claim in read if terms(claim)]
    return next(
        (claim for claim in with_terms if not _is_unfinished(claim)), with_terms[0] if with_terms else ""
    )


def _is_unfinished(claim: str) -> bool:
    """Whether what would be said is missing: "The number is .", 电话是。"""
    return _UNFINISHED.search(claim) is not None


def _enumerator_end(stretch: str) -> int:
    """Length of the list number ("2. ") that a claim starts with: it is no number of the claim."""
    match = _ENUMERATOR.match(stretch)
    return match.end() if match else 0


def _share(claim_terms: frozenset[str], held: frozenset[str]) -> float:
    """Share of the claim's terms that are held; 0 for a claim without terms, which nothing can support."""
    return len(claim_terms & held) / len(claim_terms) if claim_terms else 0.0


class _Evidence:
    """One source, its sentences and their terms, computed once for all its claims."""

    def __init__(self, source: ScoredChunk, retrieved: Sequence[ScoredChunk]) -> None:
        self._source = source
        self._retrieved = retrieved
        self._sentences = split_sentences(source.text) or [(0, len(source.text))]
        self._terms = [frozenset(terms(source.text[start:end])) for start, end in self._sentences]

    def best_span(self, claim_terms: frozenset[str]) -> tuple[Span, frozenset[str]]:
        """The one to three neighbouring sentences that hold most of the claim, and the terms they hold.

        A window's worth is its share of the claim less LEAST_GAIN for each sentence after the first; ties go
        to the shorter window, then to the earlier one.
        """
        best_key: tuple[float, int, int] | None = None
        best: tuple[Span, frozenset[str]] = (self._sentences[0], frozenset())
        for size in range(1, min(MAX_QUOTE_SENTENCES, len(self._sentences)) + 1):
            for first in range(len(self._sentences) - size + 1):
                held = frozenset[str]().union(*self._terms[first : first + size]) & claim_terms
                key = (LEAST_GAIN * (size - 1) - _share(claim_terms, held), size, first)
                if best_key is None or key < best_key:
                    best_key = key
                    best = (self._sentences[first][0], self._sentences[first + size - 1][1]), held
        return best

    def text(self, span: Span) -> str:
        return self._source.text[span[0] : span[1]]

    def around(self, span: Span) -> str:
        """What names the subject of a stretch from outside: its document's title and its headings."""
        heading = self._source.place_at(self._source.char_start + span[0]).heading or ""
        return f"{self._source.title}\n{heading}"

    def before(self, span: Span) -> str:
        """The sentences before a stretch, which its pronouns stand for."""
        first = bisect_left(self._sentences, span[0], key=lambda sentence: sentence[0])
        return self._source.text[self._sentences[max(0, first - SENTENCES_BEFORE)][0] : span[0]]

    def citation(self, marker: int, span: Span, *, supported: bool) -> Citation:
        char_start, char_end = self._source.char_start + span[0], self._source.char_start + span[1]
        named = self._source
        for chunk in self._retrieved:
            inside = chunk.char_start <= char_start and char_end <= chunk.char_end
            quoted = chunk.text[char_start - chunk.char_start : char_end - chunk.char_start]
            if chunk.document_id == named.document_id and inside and quoted == self.text(span):
                named = chunk
                break
        return named.cite(marker, char_start, char_end, supported=supported)
