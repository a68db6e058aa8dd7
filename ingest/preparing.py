"""Document → windows, terms and signature, and with its vectors what is stored; pure but for the tokenizer.

The same for a document that a file was just parsed into and for one whose text is stored already (ingest/renewing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

import numpy as np

from app.domain import Document
from app.embedding import Embedder, IntVector, Tokens
from app.errors import DocumentError
from app.file_limits import too_large
from app.store.documents import EmbeddedDocument, SourceVersion
from app.store.duplicates import Signature
from ingest.chunking import ChunkedDocument, chunk, split_long
from ingest.duplicates import sign
from ingest.language import chunk_languages, with_languages
from ingest.lead import lead_of
from ingest.options import IngestOptions
from ingest.pooling import pool, window_weights
from ingest.term_counts import Counted, terms_of
from ingest.windows import EncodedWindows, check_coverage

MAX_TOKENS: Final = 6_000_000  # of a text; taking one in needs about 90 bytes of memory a token


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document cut into windows, waiting for its vectors. `window_terms` are the terms of each window in order;
    `lead` the tokens of what is put before the first one."""

    version: SourceVersion
    document: Document
    tokens: Tokens
    cut: ChunkedDocument
    window_terms: Sequence[Sequence[str]]
    signature: Signature
    is_new: bool
    lead: IntVector

    @property
    def read_tokens(self) -> int:
        """How many tokens the encoder has to read or to have read."""
        return len(self.tokens) + len(self.lead)


def prepare(
    version: SourceVersion, document: Document, embedder: Embedder, options: IngestOptions, *, is_new: bool
) -> Prepared:
    """Tokenize and cut a document. Raises DocumentError: too long, or without a token."""
    document = with_languages(document)
    tokens = split_long(embedder.tokenize(document.text), document.text)
    if len(tokens) > MAX_TOKENS:
        raise too_large("tokens", len(tokens), MAX_TOKENS)
    cut = chunk(
        document,
        tokens,
        chunk_tokens=options.chunk_tokens,
        overlap=options.overlap,
        window_tokens=min(options.window_tokens, embedder.window_tokens),
    )
    cut = replace(cut, chunks=chunk_languages(document, cut.chunks))
    if not cut.chunks:
        raise DocumentError("The file holds no text that the embedding model has tokens for.", code="empty")
    check_coverage(cut.windows, len(tokens))
    window_terms = terms_of(document.text[window.char_start : window.char_end] for window in cut.windows)
    signature = sign(document.text, list(chain.from_iterable(window_terms)))
    first = cut.windows[0]
    lead = lead_of(document, document.text[first.char_start : first.char_end])
    window_terms[0] += terms_of([lead])[0]
    room = embedder.window_tokens - (first.token_end - first.token_start)
    lead_ids = embedder.tokenize(lead).ids[:room]
    return Prepared(version, document, tokens, cut, window_terms, signature, is_new, lead_ids)


def pooled(prepared: Prepared, encoded: EncodedWindows) -> EmbeddedDocument:
    """Pool the window vectors of a document into its chunks' vectors."""
    cut = prepared.cut
    keywords = [len(set(found)) for found in prepared.window_terms]
    sizes = [window.token_end - window.token_start for window in cut.windows]
    vectors = [
        pool(encoded.vectors[first:after], window_weights(keywords[first:after], sizes[first:after]))
        for first, after in cut.chunk_windows
    ]
    return EmbeddedDocument(
        document=prepared.document,
        chunks=cut.chunks,
        chunk_vectors=np.stack(vectors),
        chunk_windows=cut.chunk_windows,
        chunk_terms=Counted(prepared.window_terms, cut.chunk_windows),
        windows=[(window.char_start, window.char_end) for window in cut.windows],
        window_vectors=encoded.vectors,
        window_terms=Counted(prepared.window_terms, [(at, at + 1) for at in range(len(cut.windows))]),
        unknown_tokens=prepared.tokens.unknown,
        token_count=len(prepared.tokens),
        window_hashes=encoded.hashes,
        text_sha256=prepared.signature.text_sha256,
        signature=prepared.signature.minhash,
        signature_bands=prepared.signature.bands,
    )


def slices(prepared: Prepared) -> list[IntVector]:
    """The token ids of a document's windows, the lead before the first."""
    first, *others = (
        prepared.tokens.ids[window.token_start : window.token_end] for window in prepared.cut.windows
    )
    return [np.concatenate([prepared.lead, first]), *others]
