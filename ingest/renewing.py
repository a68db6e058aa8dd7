"""Terms of an earlier lexicon → those of this one, from the stored text: no file is read and hardly a token embedded.

A collection is searched with terms of one version alone, so this comes first in a run, before any file is looked at.
Interrupted, it goes on with the documents that are left. Knows nothing of files.
"""

from __future__ import annotations

from app.embedding import Embedder
from app.lexicon import LEXICON_VERSION
from app.store.connection import Connection
from app.store.documents import SourceVersion, stored_windows
from app.store.renewal import finish_renewal, read_document, store_again
from app.store.sources import KnownDocument, known_documents
from app.store.spaces import Collection
from ingest.file_changes import Progress
from ingest.options import IngestOptions, options_of, renewed_pipeline
from ingest.preparing import pooled, prepare, slices
from ingest.windows import encode_windows


def renew_terms(
    connection: Connection,
    collection: Collection,
    embedder: Embedder,
    options: IngestOptions,
    progress: Progress,
) -> tuple[Collection, int]:
    """Make the terms of all documents of a collection anew where an earlier lexicon made them. Returns the collection
    as it is then, and of how many documents that was."""
    if collection.lexicon_version == LEXICON_VERSION:
        return collection, 0
    known = known_documents(connection, collection)
    searchable = [one for one in known.values() if one.status in {"ready", "stale"}]
    progress.stage("terms", len(searchable))
    count = 0
    for one in searchable:
        # the pipeline of a stale document is that of the version that could not be read
        if one.status == "stale" or renewed_pipeline(one.pipeline or "") != one.pipeline:
            count += _renew(connection, collection, embedder, options, one)
        progress.advance(one.source)
    left_out = {
        source: renewed_pipeline(one.pipeline or "")
        for source, one in known.items()
        if one.status == "duplicate"
    }
    return finish_renewal(connection, collection, left_out), count


def _renew(
    connection: Connection,
    collection: Collection,
    embedder: Embedder,
    options: IngestOptions,
    known: KnownDocument,
) -> bool:
    document = read_document(connection, collection, known.source)
    if document is None:
        return False
    pipeline = known.pipeline or ""
    version = SourceVersion(known.source, "", 0, pipeline)
    prepared = prepare(version, document, embedder, options_of(pipeline, options), is_new=False)
    older = stored_windows(connection, collection, known.source)
    (windows,) = encode_windows(embedder, [slices(prepared)], [older])
    renewed = renewed_pipeline(pipeline) or None
    return store_again(connection, collection, known.source, pooled(prepared, windows), renewed)
