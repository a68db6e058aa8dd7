"""Document → chunks and windows; pure. Offsets always point into the stored text.

A chunk is the stored unit (by default at most 512 tokens and 4,096 characters, 64 tokens shared with the chunk before);
a window is what the encoder sees at once. Both end at the strongest border at hand: heading, block (paragraph, list,
table, code), sentence, word. Windows are laid on one grid a document, cut at every chunk border, so that overlapping
chunks share window vectors and the encoder sees each token once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from app.domain import Chunk, Document, Page, Place, Section
from app.embedding import Tokens
from app.graphemes import begins_syllable, is_mark, is_torn_at, syllable_at_or_before
from app.sentences import split_sentences

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

CHUNKER_VERSION: Final = 6

HEADING, BLOCK, SENTENCE, WORD = 3, 2, 1, 0
# A stronger border is taken although the chunk could still grow once it is filled to this share.
_MIN_FILL: Final = {HEADING: 0.5, BLOCK: 0.7, SENTENCE: 0.3}

CHARS_A_TOKEN: Final = 8  # of a chunk at most; English has some 5, with its spaces
# A tokenizer makes one unknown token of a "word" of a hundred letters and more: a line of Thai, a key, an ornament.
_LONG_TOKEN_CHARS, _PIECE_CHARS = 32, 16

_LONGEST_SENTENCE: Final = 1_000  # characters; a longer "sentence" is a row of a table or a line of code


@cache
def _block_splitter() -> RecursiveCharacterTextSplitter:
    # Imported here: it takes 0.2 s, and a run without new files needs none.
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        separators=[r"\n(?=#{1,6} )", r"\n(?=```)", r"\n[ \t]*\n"],
        is_separator_regex=True,
        keep_separator="start",
        strip_whitespace=False,  # so that the pieces add up to the text and offsets are running sums
        chunk_size=1,  # cut at every separator; packing by tokens happens here
        chunk_overlap=0,
    )


@dataclass(frozen=True, slots=True)
class Window:
    """What the encoder sees at once: tokens [token_start, token_end), characters [char_start, char_end)."""

    token_start: int
    token_end: int
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class ChunkedDocument:
    """Chunks in order, windows in order, and for each chunk the half-open range of windows that make it up."""

    chunks: tuple[Chunk, ...]
    windows: tuple[Window, ...]
    chunk_windows: tuple[tuple[int, int], ...]


def chunk(
    document: Document, tokens: Tokens, *, chunk_tokens: int, overlap: int, window_tokens: int
) -> ChunkedDocument:
    """Cut a document. `tokens` is the whole text tokenized by the embedding model.

    Every chunk has at most `chunk_tokens` tokens and CHARS_A_TOKEN times as many characters (a single token may have
    more: see split_long), every window at most `window_tokens`; chunks are in order, each but the first starts at most
    `overlap` tokens (never more than half a chunk) before the end of the last one, and together they hold every
    character that is not white space. A text without a token gives no chunk.
    """
    if len(tokens) == 0:
        return ChunkedDocument((), (), ())
    overlap = min(overlap, chunk_tokens // 2)  # so that each chunk gets further than the one before
    sentences = split_sentences(document.text)
    borders = _Borders(document, tokens, sentences)
    spans = _pack(borders, chunk_tokens, overlap)
    grid = _grid(borders, spans, window_tokens)
    starts = [start for start, _ in grid]
    chunks, ranges = [], []
    core = 0  # first token that the chunk before does not hold: where this chunk's page and heading are read
    for index, (start, end) in enumerate(spans):
        char_start, char_end = _characters(document.text, tokens, start, end)
        core_char = int(tokens.starts[core]) if core < len(tokens) else char_start
        place = place_of(document, max(core_char, char_start))
        chunks.append(
            Chunk(
                chunk_index=index,
                char_start=char_start,
                char_end=char_end,
                token_count=end - start,
                page=place.page,
                heading=place.heading,
                places=places_in(document, char_start, char_end),
                sentences=_sentences_in(sentences, char_start, char_end),
            )
        )
        ranges.append((bisect_left(starts, start), bisect_left(starts, end)))
        core = end
    windows = [Window(a, b, *_characters(document.text, tokens, a, b)) for a, b in grid]
    return ChunkedDocument(tuple(chunks), tuple(windows), tuple(ranges))


def split_long(tokens: Tokens, text: str) -> Tokens:
    """Cut tokens of very many characters of `text` into pieces with the same id, so that nothing is too long for a
    chunk. No letter is cut from its marks, and where a syllable's begin can be told, none is cut."""
    counts = np.where(
        tokens.ends - tokens.starts > _LONG_TOKEN_CHARS, -(-(tokens.ends - tokens.starts) // _PIECE_CHARS), 1
    )
    if len(tokens) == counts.sum():
        return tokens
    which = np.repeat(np.arange(len(tokens)), counts)
    piece = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = (tokens.starts[which] + _PIECE_CHARS * piece).astype(np.int32)
    for at in np.flatnonzero(piece):
        starts[at] = syllable_at_or_before(text, int(starts[at]), int(starts[at - 1]))
    is_last = piece == counts[which] - 1
    ends = np.where(is_last, tokens.ends[which], np.append(starts[1:], 0)).astype(np.int32)
    return Tokens(tokens.ids[which], starts, ends, tokens.unknown + len(which) - len(tokens))


def place_of(document: Document, char_start: int) -> Place:
    """Page and heading at an offset."""
    at = bisect_right(document.pages, char_start, key=_char_start)
    page = document.pages[at - 1] if at else None
    at = bisect_right(document.sections, char_start, key=_char_start)
    heading = document.sections[at - 1].heading_path if at else ()
    ocr_confidence = page.ocr_confidence if page else None
    return Place(char_start, page.number if page else None, " › ".join(heading) or None, ocr_confidence)


def places_in(document: Document, char_start: int, char_end: int) -> tuple[Place, ...]:
    """Where page or heading changes inside [char_start, char_end), the place at char_start first."""
    changes = {char_start}
    for parts in (document.pages, document.sections):
        first = bisect_right(parts, char_start, key=_char_start)
        changes.update(
            part.char_start for part in parts[first : bisect_left(parts, char_end, key=_char_start)]
        )
    return tuple(place_of(document, offset) for offset in sorted(changes))


def _char_start(part: Page | Section) -> int:
    return part.char_start


class _Borders:
    """Token indices at which a text may be cut, by strength."""

    def __init__(self, document: Document, tokens: Tokens, sentences: Sequence[tuple[int, int]]) -> None:
        text = document.text
        blocks, offset = [], 0
        for block in _block_splitter().split_text(text):
            blocks.append(offset + len(block) - len(block.lstrip()))
            offset += len(block)
        blocks.extend(page.char_start for page in document.pages)
        headings = [section.char_start for section in document.sections]
        # each holds the stronger ones too
        self._by_strength = {
            HEADING: _token_indices(tokens, text, headings),
            BLOCK: _token_indices(tokens, text, headings + blocks),
            SENTENCE: _token_indices(tokens, text, headings + blocks + [start for start, _ in sentences]),
        }
        self._text, self._tokens = text, tokens

    @property
    def count(self) -> int:
        """How many tokens there are."""
        return len(self._tokens)

    def within(self, start: int, chars: int) -> int:
        """The furthest border, past `start`, up to which at most so many characters stand."""
        begin = int(self._tokens.starts[start])
        if len(self._text) - begin <= chars:
            return self.count
        # of the array's own type: else the whole array is converted, for each chunk
        after = self._tokens.starts.searchsorted(np.int32(begin + chars), side="right")
        return max(start + 1, int(after) - 1)

    def last(self, strength: int, low: int, high: int) -> int | None:
        """The last border of at least this strength in (low, high]."""
        tokens = self._by_strength[strength]
        at = bisect_right(tokens, high) - 1
        return tokens[at] if at >= 0 and tokens[at] > low else None

    def first(self, strength: int, low: int, high: int) -> int | None:
        """The first border of at least this strength in [low, high)."""
        tokens = self._by_strength[strength]
        at = bisect_left(tokens, low)
        return tokens[at] if at < len(tokens) and tokens[at] < high else None

    def word_at_or_before(self, token: int, low: int) -> int:
        """The last start of a word in (low, token]; where a word fills all of it, as in Thai, the last start of a
        syllable or else the last place that tears no sign, or `token` itself."""
        return self._best(range(token, low, -1), token)

    def word_at_or_after(self, token: int, high: int) -> int:
        """The first start of a word in [token, high); where a word fills all of it, as for word_at_or_before."""
        return self._best(range(token, high), token)

    def _best(self, places: range, token: int) -> int:
        """The first of `places` that is the best border: a word, a syllable, a sign; `token` where none is any."""
        for is_border in (self._begins_word, self._begins_syllable, self._begins_sign):
            at = next((at for at in places if is_border(at)), None)
            if at:
                return at
        return token

    def _begins_word(self, token: int) -> bool:
        return not self._inside_word(token)

    def _begins_syllable(self, token: int) -> bool:
        return token < self.count and begins_syllable(self._text, int(self._tokens.starts[token]))

    def _begins_sign(self, token: int) -> bool:
        return not self.tears(token)

    def tears(self, token: int) -> bool:
        """Whether a token begins within a sign."""
        return token < len(self._tokens) and is_torn_at(self._text, int(self._tokens.starts[token]))

    def _inside_word(self, token: int) -> bool:
        at = int(self._tokens.starts[token]) if 0 < token < len(self._tokens) else 0
        if at == 0:
            return False
        if self.tears(token):
            return True
        before, first = self._text[at - 1], self._text[at]
        # a character of Chinese or Japanese is as good as a word
        return first.isalnum() and (before.isalnum() or is_mark(before)) and not _is_ideographic(first)


def _is_ideographic(character: str) -> bool:
    """Whether it is written without spaces between words, and each character is one of several thousand, or kana."""
    return "⺀" <= character <= "鿿" or "豈" <= character <= "\ufaff" or character >= "\U00020000"


def _token_indices(tokens: Tokens, text: str, offsets: Sequence[int]) -> list[int]:
    """The first tokens at or after character offsets, ascending, each once; none that begins within a sign."""
    found: list[int] = np.unique(np.searchsorted(tokens.starts, offsets, side="left")).tolist()
    if text.isascii():
        return found
    return [at for at in found if at >= len(tokens) or not is_torn_at(text, int(tokens.starts[at]))]


def _pack(borders: _Borders, chunk_tokens: int, overlap: int) -> list[tuple[int, int]]:
    """Token spans of the chunks."""
    spans: list[tuple[int, int]] = []
    max_chars = CHARS_A_TOKEN * chunk_tokens
    start = end = 0
    while True:
        limit = borders.within(start, max_chars)
        if limit <= end:  # the characters that would be shared leave no room to get further
            start, limit = end, borders.within(end, max_chars)
        limit = min(limit, start + chunk_tokens)
        end = limit if limit == borders.count else _cut(borders, start, limit, max(overlap, end - start))
        spans.append((start, end))
        if end >= borders.count:
            return spans
        start = _overlap_start(borders, start, end, min(overlap, (end - start) // 2))


def _cut(borders: _Borders, start: int, limit: int, overlap: int) -> int:
    """Where a chunk from `start` ends, at most at `limit`: past the overlap, so that the next one gets further."""
    size = limit - start
    for strength, fill in _MIN_FILL.items():
        found = borders.last(strength, start + max(int(size * fill), overlap), limit)
        if found is not None:
            return found
    return borders.word_at_or_before(limit, start + max(size // 2, overlap))


def _overlap_start(borders: _Borders, start: int, end: int, overlap: int) -> int:
    """Where the chunk after [start, end) begins: the first sentence within the overlap, else the first word."""
    if overlap == 0:
        return end
    low = max(end - overlap, start + 1)
    found = borders.first(SENTENCE, low, end)
    if found is None:
        found = borders.word_at_or_after(low, end)
    return end if borders.tears(found) else found  # a few tokens that are marks alone


def _grid(borders: _Borders, spans: Sequence[tuple[int, int]], window_tokens: int) -> list[tuple[int, int]]:
    """Token spans of the windows: the text cut at every chunk border, long stretches evenly at sentences."""
    cuts = sorted({token for span in spans for token in span})
    grid: list[tuple[int, int]] = []
    for start, end in pairwise(cuts):
        at = start
        while end - at > window_tokens:
            parts = -(-(end - at) // window_tokens)
            target = at + -(-(end - at) // parts)
            cut = borders.last(SENTENCE, at + (target - at) // 2, min(at + window_tokens, target + 16))
            cut = cut or borders.word_at_or_before(target, at)
            grid.append((at, cut))
            at = cut
        grid.append((at, end))
    return grid


def _sentences_in(sentences: Sequence[tuple[int, int]], low: int, high: int) -> tuple[tuple[int, int], ...]:
    """The sentences that lie in [low, high) whole; of one that is too long for any chunk, the part inside."""
    first = max(0, bisect_right(sentences, low, key=itemgetter(0)) - 1)
    after = bisect_left(sentences, high, key=itemgetter(0))
    return tuple(
        (max(start, low), min(end, high))
        for start, end in sentences[first:after]
        if end > low and ((low <= start and end <= high) or end - start > _LONGEST_SENTENCE)
    )


def _characters(text: str, tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """The characters of a token span, up to the next token (the tokenizer drops some), white space trimmed."""
    char_start = int(tokens.starts[start]) if start else 0
    char_end = int(tokens.starts[end]) if end < len(tokens) else len(text)
    while char_start < char_end and text[char_start].isspace():
        char_start += 1
    while char_end > char_start and text[char_end - 1].isspace():
        char_end -= 1
    return char_start, char_end
