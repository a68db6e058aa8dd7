"""The vocabulary: frozen values that pass between parsing, storing, searching and answering.

Knows nothing of files, SQL, HTTP or models. All `char_start`/`char_end` are half-open offsets in Unicode
code points into the document's stored text (`Document.text`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, get_args

Role = Literal["reader", "writer", "admin"]  # each may do what those before it may


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch under one heading; sections are in order, do not overlap, and need not cover the text. `language` is
    one of app/letters.py, None where nobody looked."""

    char_start: int
    char_end: int
    heading_path: tuple[str, ...]  # from the outermost heading to the innermost, without markup
    language: str | None = None

    @classmethod
    def of(cls, start: int, end: int, path: Sequence[str], language: str | None = None) -> Section:
        """A section as it is stored and sent: its heading path as a list."""
        return cls(start, end, tuple(path), language)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a paged format; `number` starts at 1. `ocr_confidence` in [0, 1] is that of its characters, None where
    they were not read by OCR."""

    number: int
    char_start: int
    char_end: int
    ocr_confidence: float | None = None


class TextLine(NamedTuple):
    """A line of text and the box around it, in points from the upper left of its page as it is seen."""

    char_start: int
    char_end: int
    x0: int
    y0: int
    x1: int
    y1: int


@dataclass(frozen=True, slots=True)
class PageLines:
    """Where the lines of a page stand that OCR read; `width` and `height` in points, of a picture in its pixels."""

    number: int
    width: int
    height: int
    lines: tuple[TextLine, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed and cleaned document: the text that is stored, and where its structure lies in it."""

    text: str
    title: str
    media_type: str
    language: str  # "en", "zh", another of app/letters.py, or "und": of most of its letters
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)  # what cleaning removed: kind → characters
    page_lines: tuple[PageLines, ...] = ()  # of the pages that OCR read
    unread_pages: int = 0  # pages that OCR might read, where it was not asked
    languages: tuple[str, ...] = ()  # all that it has text in, `language` first; empty where nobody looked


@dataclass(frozen=True, slots=True)
class Place:
    """From `char_start` on, up to the next place, text stands on this page and under this heading."""

    char_start: int
    page: int | None
    heading: str | None  # heading path joined by " › "
    ocr_confidence: float | None = None  # of the page's characters, see Page


@dataclass(frozen=True, slots=True)
class Chunk:
    """The stored unit of retrieval: a span of a document, at most chunk_tokens of the model's tokens."""

    chunk_index: int
    char_start: int
    char_end: int
    token_count: int
    page: int | None = None
    heading: str | None = None
    places: tuple[Place, ...] = ()  # where page or heading changes inside the chunk, the first at char_start
    sentences: tuple[tuple[int, int], ...] = ()  # spans in the document, none cut by the chunk's border
    language: str | None = None  # one of app/letters.py


# Which collections are asked: one, or several. ALL stands for every one that whoever asks may read, until
# `ContextReader.find_collections` has their names.
CollectionNames = str | tuple[str, ...]
ALL: Final = "*"
MAX_COLLECTIONS: Final = 50  # in one question


def names_of(collections: CollectionNames) -> list[str]:
    """The names one by one."""
    return [collections] if isinstance(collections, str) else list(collections)


Scalar = str | int | float | bool
TextColumn = Literal["source", "title", "language", "media_type"]
TimeColumn = Literal["created_at", "updated_at"]
Column = TextColumn | TimeColumn
TEXT_COLUMNS: Final[tuple[TextColumn, ...]] = get_args(TextColumn)
TIME_COLUMNS: Final[tuple[TimeColumn, ...]] = get_args(TimeColumn)


@dataclass(frozen=True, slots=True)
class MetadataKey:
    """A value in a document's metadata: the keys to it, from the outermost object in. Lists are not walked into."""

    path: tuple[str, ...]


Field = Column | MetadataKey


@dataclass(frozen=True, slots=True)
class OneOf:
    """The field equals one of these values. Of a list in the metadata, any element may."""

    field: Field
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """low ≤ field ≤ high, either may be None: numbers as numbers, ISO 8601 dates and times as moments, other text
    by code points. A day as `high` goes to its end."""

    field: Field
    low: Scalar | None
    high: Scalar | None


@dataclass(frozen=True, slots=True)
class StartsWith:
    """The field's text starts with this."""

    field: Field
    prefix: str


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether the field has a value: text that is not empty, metadata that is there and not null."""

    field: Field
    expected: bool = True


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every condition holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """The condition does not hold; a field that is missing meets no condition, and so every negation of one."""

    condition: Condition


Condition = OneOf | Within | StartsWith | Exists | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Restricts a search to some documents of a collection: those that meet all that is given."""

    source_prefix: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)  # containment: every pair must be present
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Scores of one chunk, higher is better. `dense` is the cosine of the best window, in [-1, 1]; `lexical`
    is BM25 ≥ 0; `rerank` is the cross-encoder's, if one ran; `standard` says by how many standard deviations that
    cosine lies above those of texts that don't answer, the same measure for every model. None: that leg did not score
    the chunk."""

    dense: float | None
    lexical: float | None
    rerank: float | None
    standard: float | None = None


NOT_SEARCHED = RetrievalScores(None, None, None)


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved chunk; `text` equals the document's text[char_start:char_end].

    `score` is the fused score in [0, 1]; `rank` starts at 1 and follows the score, or that of the cross-encoder where
    one ran. Goes over the wire as it is.
    """

    chunk_id: str
    document_id: str
    collection: str
    source: str
    title: str
    page: int | None
    heading: str | None
    char_start: int
    char_end: int
    text: str
    score: float
    scores: RetrievalScores
    rank: int


@dataclass(frozen=True, slots=True)
class ScoredChunk(Hit):
    """A hit with what answering needs beside: where page and heading change in it, its sentences, by how many standard
    deviations its cosine lies above those of texts that don't answer (app/search/standard.py), and which account sent
    its document, None: the operator."""

    places: tuple[Place, ...] = ()
    sentences: tuple[tuple[int, int], ...] = ()
    standard: float = 0.0
    sender: str | None = None

    def place_at(self, char_start: int) -> Place:
        """Page and heading at an offset inside the chunk."""
        for place in reversed(self.places):
            if place.char_start <= char_start:
                return place
        return Place(self.char_start, self.page, self.heading)

    def cite(self, marker: int, char_start: int, char_end: int, *, supported: bool = True) -> Citation:
        """A span of this chunk as evidence, under the page and heading where it stands."""
        place = self.place_at(char_start)
        return Citation(
            marker=marker,
            document_id=self.document_id,
            chunk_id=self.chunk_id,
            collection=self.collection,
            source=self.source,
            title=self.title,
            page=place.page,
            heading=place.heading,
            char_start=char_start,
            char_end=char_end,
            quote=self.text[char_start - self.char_start : char_end - self.char_start],
            score=self.score,
            supported=supported,
            ocr_confidence=place.ocr_confidence,
        )


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """A term of the question and how rare it is in the collection."""

    term: str
    idf: float


DropReason = Literal["top_k", "near_identical", "document_cap", "sender_cap", "deleted"]


@dataclass(frozen=True, slots=True)
class ExplainedCandidate:
    """What each stage of a search thought of a chunk. Ranks start at 1; scores are higher for better.

    `dense_rank`/`lexical_rank` null: that search did not have it among its first. `dense` and `window_lexical` are the
    cosine and BM25 of its best window, `lexical` the BM25 of the whole chunk. `standard` says how many standard
    deviations the cosine lies above what the question has with texts that don't answer it, in the chunk's language;
    `readability` in [0, 1] is what that was multiplied by. `score` and `fused_rank` are those of fusion, `rerank` the
    cross-encoder's score. `rank` is the hit's; where it is null, `dropped` says why: top_k, near_identical (to the
    chunk `near_identical_to`), document_cap, sender_cap (so many are one sender's uploads), deleted.
    """

    chunk_id: str
    document_id: str
    source: str
    dense_rank: int | None
    dense: float
    standard: float
    lexical_rank: int | None
    lexical: float
    window_lexical: float
    readability: float
    score: float
    fused_rank: int
    rerank: float | None
    rank: int | None
    dropped: DropReason | None
    near_identical_to: str | None


@dataclass(frozen=True, slots=True)
class ExplainedStandard:
    """What the question's cosines with texts of one language (en, zh, und: any other) are measured by: their mean and
    deviation with texts that don't answer it."""

    language: str
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class ExplainedStages:
    """Milliseconds by stage. `plan` and `fuse` are part of `search`."""

    embed: float = 0.0
    plan: float = 0.0
    search: float = 0.0
    fuse: float = 0.0
    rerank: float = 0.0
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a search went, without any document's text. Goes over the wire as it is.

    `terms` are the question's, the rarest first; `unknown_share` in [0, 1] is that of its tokens which the embedding
    model can't read; `standards` are what turned cosines into standard scores. `search`: every row that the filter
    keeps was compared (exact), or an index asked; `probes` are ivfflat's lists. `rows`: chunks that the filter keeps.
    `candidates_per_search`: how many each of dense and lexical search may propose. `reranked`: how many the
    cross-encoder read. `candidates` are in the order of fusion. `answerability` in [0, 1] is of /ask alone: below
    `abstain_threshold` (PGASK_ABSTAIN_THRESHOLD) it refuses.
    """

    terms: tuple[ExplainedTerm, ...]
    unknown_share: float
    dense_weight: float
    window_share: float
    search: Literal["exact", "ivfflat", "hnsw"]
    probes: int | None
    rows: int
    candidates_per_search: int
    reranked: int
    candidates: tuple[ExplainedCandidate, ...]
    stages_ms: ExplainedStages
    standards: tuple[ExplainedStandard, ...] = ()
    answerability: float | None = None
    abstain_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class QuotedSpan:
    """A stretch of a document: `quote` equals the stored text[char_start:char_end] exactly."""

    char_start: int
    char_end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Citation:
    """Evidence for a part of an answer. `quote` equals the stored text[char_start:char_end] exactly.

    `spans` is empty where that stretch is all of it; else it has all stretches, that one first: a row of a table needs
    its header.
    """

    marker: int  # the n of "[n]" in the answer, from 1
    document_id: str
    chunk_id: str
    collection: str
    source: str
    title: str
    page: int | None
    heading: str | None
    char_start: int
    char_end: int
    quote: str
    score: float
    supported: bool
    spans: tuple[QuotedSpan, ...] = ()
    ocr_confidence: float | None = None  # of the page's characters where OCR read it, in [0, 1]


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of an answer and what stands behind it: half-open code points in the answer's text.

    `mark_start`, `mark_end` are those of its mark ("[1]"), None where it has none. `citations` are indexes into the
    answer's. `supported` is None where nothing was cited.
    """

    start: int
    end: int
    mark_start: int | None
    mark_end: int | None
    citations: tuple[int, ...]
    supported: bool | None


AnswerKind = Literal["passage", "table", "list", "steps", "count", "comparison", "overview", "meta", "chat"]
AbstentionReason = Literal[
    "no_evidence", "no_document_matches_filter", "empty_collection", "not_readable_language"
]


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A hit that does not answer: `code` says why not for programs, `why` in a sentence in the question's language."""

    hit: ScoredChunk
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One earlier turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """Sampling settings passed on to the language model."""

    temperature: float = 0.2
    top_p: float = 0.9
    top_k: int = 40
    max_tokens: int = 512
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that the language model counted; zero for extractive answers."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and the evidence for it.

    Several claims on one source are several `citations` with the same marker. `searched_for` has the words that were
    asked where those of the question were mended. `reason` and `nearest` belong to an abstention. `hits` are what was
    searched for it, best first; none where nothing was.
    """

    text: str
    abstained: bool
    generator: str  # "extractive" or the model's name
    citations: tuple[Citation, ...]
    standalone_question: str
    degraded: bool = False
    degraded_reason: str | None = None
    usage: Usage = Usage(0, 0)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    truncated: bool = False  # the model reached max_tokens before its end
    answerability: float = (
        0.0  # in [0, 1]: how far the evidence reaches; below the threshold the answer abstains
    )
    rerank_failure: str | None = None  # why the configured reranker had no say
    explanation: Explanation | None = None  # of the search, where it was asked for
    claims: tuple[Claim, ...] = ()
    kind: AnswerKind = "passage"
    searched_for: str | None = None
    reason: AbstentionReason | None = None
    nearest: tuple[NearMiss, ...] = ()
    hits: tuple[ScoredChunk, ...] = ()
