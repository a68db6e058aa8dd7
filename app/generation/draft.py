"""An answer as it is put together: words, claims with their marks, and citations, whose places agree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain import Citation, Claim, QuotedSpan
from app.generation.units import Unit
from app.stored_markdown import Header


class Draft:
    """Grows by words of the service's own and by claims. One marker a document, in the order of first use.

    >>> draft = Draft()
    >>> draft.say("Two things:")
    >>> draft.text
    'Two things:'
    """

    def __init__(self) -> None:
        self.text = ""
        self._citations: list[Citation] = []
        self._claims: list[Claim] = []
        self._markers: dict[str, int] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """One for each claim, in their order."""
        return tuple(self._citations)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """In the text's order."""
        return tuple(self._claims)

    def say(self, words: str, *, before: str = "\n\n") -> None:
        """Add words that claim nothing; `before` parts them from what stands there already."""
        self.text += (before if self.text else "") + words

    def claim(self, shown: str, units: Sequence[Unit], *, before: str = " ") -> None:
        """Add what `units`, in order and of one document, say, written as `shown`, with a mark behind it."""
        self.cite(shown, cite_units(units), before=before)

    def cite(self, shown: str, citation: Citation, *, before: str = " ") -> None:
        """Add what a citation says, written as `shown`, with a mark behind it."""
        marker = self._markers.setdefault(citation.document_id, len(self._markers) + 1)
        self.text += before if self.text else ""
        start = len(self.text)
        self.text += shown
        end = len(self.text)
        # A mark inside a fence would be code: it stands on a line of its own then.
        self.text += "\n" if shown.endswith("```") else " "
        mark_start = len(self.text)
        self.text += f"[{marker}]"
        self._citations.append(replace(citation, marker=marker))
        place = len(self._citations) - 1
        self._claims.append(Claim(start, end, mark_start, len(self.text), (place,), True))


def cite_units(units: Sequence[Unit]) -> Citation:
    """The citation of units of one document: neighbours as one stretch, others as stretches of their own, after them
    the header of rows that need it. The first stretch is the citation's own."""
    spans: list[QuotedSpan] = []
    headers: list[QuotedSpan] = []
    for unit in units:
        span = QuotedSpan(unit.char_start, unit.char_end, unit.text)
        if spans and (joined := _join(spans[-1], span, unit)) is not None:
            spans[-1] = joined
        else:
            spans.append(span)
        if isinstance(unit.header, Header) and unit.header.span not in headers:
            headers.append(unit.header.span)
    headers = [header for header in headers if not any(_inside(header, span) for span in spans)]
    first = units[0]
    citation = first.chunk.cite(1, first.char_start, first.char_end)
    citation = replace(
        citation, char_start=spans[0].char_start, char_end=spans[0].char_end, quote=spans[0].quote
    )
    stretches = (*spans, *headers)
    return replace(citation, spans=stretches if len(stretches) > 1 else ())


def _join(last: QuotedSpan, span: QuotedSpan, unit: Unit) -> QuotedSpan | None:
    """Two stretches as one where nothing but blanks stands between them in the unit's chunk."""
    chunk = unit.chunk
    if not (chunk.char_start <= last.char_start and last.char_end <= span.char_start):
        return None
    text = chunk.text[last.char_start - chunk.char_start : span.char_end - chunk.char_start]
    between = text[last.char_end - last.char_start : len(text) - len(span.quote)]
    if between.strip() or not text.startswith(last.quote):
        return None
    return QuotedSpan(last.char_start, span.char_end, text)


def _inside(inner: QuotedSpan, outer: QuotedSpan) -> bool:
    return outer.char_start <= inner.char_start and inner.char_end <= outer.char_end
