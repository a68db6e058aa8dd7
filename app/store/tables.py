"""The schema as SQLAlchemy metadata; alembic compares migrations against it. Hot statements are SQL elsewhere.

Three schemas: `pgask` holds the fixed tables below, `pgask_queue` procrastinate's own (app/store/queue.py),
`pgask_vectors` two tables for each embedding space,
made when the space is first used (app/store/spaces.py), since their dimension is the model's, and two for each
collection that has outgrown these (app/store/partitions.py).
Triggers (migration 0001) keep `collections.chunk_count` and `term_count` right and delete postings with their
chunk, whoever deletes and however.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.store.schema_names import SCHEMA

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)

_now = text("now()")
_empty_object = text("'{}'::jsonb")
_empty_array = text("'[]'::jsonb")

# Whose the rows are. Everything belongs to `default` (id 1) as long as nobody makes another one. The service reads it,
# and its owner alone writes it.
tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(always=False), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)


def _tenant(**options: Any) -> Column[Any]:
    """Whose the row is; policies look at it (app/store/tenancy.py, migration 0017)."""
    return Column(
        "tenant_id",
        Integer,
        ForeignKey(tenants.c.id, ondelete="CASCADE"),
        nullable=False,
        server_default=text("pgask.current_tenant()"),
        **options,
    )


# What makes vectors comparable (the first block must be equal), and the state of the space's vector index.
embedding_spaces = Table(
    "embedding_spaces",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("model", Text, nullable=False),
    Column("weights_sha256", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("pooling", Text, nullable=False),
    Column("query_prefix", Text, nullable=False),
    Column("passage_prefix", Text, nullable=False),
    Column("normalized", Boolean, nullable=False),
    Column("index_method", Text),  # ivfflat or hnsw; null: there is no index, search is exact
    Column("index_precision", Text),  # full or half
    Column("index_build", Integer, nullable=False, server_default=text("0")),  # number of the build in use
    Column("index_lists", Integer),  # of ivfflat
    Column("index_probes", Integer),  # of ivfflat
    Column("index_ef_search", Integer),  # of hnsw
    # Chunks of all tenants, as upkeep counted them last: a search sees those of its own alone
    Column("row_count", BigInteger, nullable=False, server_default=text("0")),
    Column("index_report", JSONB),  # what was measured, and when; see app/index/manifest.py
    # When `pgask spaces` chose it; the one chosen last is the model that answers, before any setting
    Column("chosen_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    # Of a collection's own partition (app/store/partitions.py): the space whose vectors lie there, too
    Column("partition_of", Integer, ForeignKey("pgask.embedding_spaces.id")),
    Index(
        "uq_embedding_spaces_fields",
        *("model", "weights_sha256", "dimension", "pooling", "query_prefix", "passage_prefix", "normalized"),
        unique=True,
        postgresql_where=text("partition_of IS NULL"),
    ),
)

# The newest questions of each space, distinct: what the recall of its index is measured with. Vectors, no words.
question_vectors = Table(
    "question_vectors",
    metadata,
    _tenant(primary_key=True),
    Column("space_id", Integer, ForeignKey(embedding_spaces.c.id, ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of the vector, so that a repeated question is one row
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("embedding", ARRAY(REAL), nullable=False),
    Index("ix_question_vectors_space_id_asked_at", "space_id", "asked_at"),
)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    _tenant(),
    Column("name", Text, nullable=False),
    Column("space_id", Integer, ForeignKey(embedding_spaces.c.id), nullable=False, index=True),
    Column("lexicon_version", Integer, nullable=False),
    Column("chunk_count", BigInteger, nullable=False, server_default=text("0")),  # kept by triggers
    Column("term_count", BigInteger, nullable=False, server_default=text("0")),  # sum of chunks.term_count
    Column(
        "merged_count", BigInteger, nullable=False, server_default=text("0")
    ),  # chunks whose postings are blocks
    Column(
        "importing", Boolean, nullable=False, server_default=text("false")
    ),  # `pgask import` is at it: in no list
    Column(
        "background_version", Integer, nullable=False, server_default=text("0")
    ),  # raised with each sample
    Column(
        "background", JSONB
    ),  # what cosines are like, and when that was measured; see app/index/background.py
    # The collection whose text this one holds for another model, where nobody sees it (app/store/twins.py)
    Column(
        "twin_of",
        Integer,
        ForeignKey("pgask.collections.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
    ),
    Column("description", Text, nullable=False, server_default=text("''")),  # for people who choose one
    Column("filled_at", DateTime(timezone=True)),  # when a twin last held all; null: it never did
    # What `pgask spaces evaluate` found of a twin against the collection, and when (app/store/evaluations.py)
    Column("evaluated_at", DateTime(timezone=True)),
    Column("evaluation", JSONB),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    # Who may read what lies here, by groups; null: whoever may read the collection. Rows of one name are one collection
    # (app/store/shelves.py)
    Column("readers", ARRAY(Text)),
    # Where its vectors are written, null: in the partition that all of its space share; and where some still lie, until
    # all are moved
    Column("partition_id", Integer, ForeignKey(embedding_spaces.c.id)),
    Column("leaving_id", Integer, ForeignKey(embedding_spaces.c.id)),
    UniqueConstraint("tenant_id", "name", "readers", postgresql_nulls_not_distinct=True),
    Index("ix_collections_twin_of_space_id", "twin_of", "space_id", unique=True),
)

# What cosines are measured against (app/store/backgrounds.py): passages that come with pgask, in each space, and some
# windows of each collection.
background_texts = Table(
    "background_texts",
    metadata,
    Column("space_id", Integer, ForeignKey(embedding_spaces.c.id, ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),  # of the text
    Column("embedding", ARRAY(REAL), nullable=False),
)

background_windows = Table(
    "background_windows",
    metadata,
    Column(
        "collection_id", Integer, ForeignKey(collections.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("document_id", Uuid, ForeignKey("pgask.documents.id", ondelete="CASCADE"), primary_key=True),
    Column("window_index", Integer, primary_key=True),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    # No cascade: documents go first, since the trigger that forgets postings sees no collection that is gone
    Column("collection_id", Integer, ForeignKey(collections.c.id), nullable=False),
    Column("source", Text(collation="C"), nullable=False),
    # ready: searchable · failed: nothing stored · stale: the file changed but can't be read, the old text answers ·
    # duplicate: left out, since `duplicate_of` holds the same (null: that is gone, the next run takes this one in) ·
    # skipped: a picture without text, so no document, and in no list; noted so that it is not looked at again
    Column("status", Text, nullable=False),
    Column("reason", Text),  # reason code of failed, stale and duplicate
    Column("reason_detail", Text),
    Column("title", Text, nullable=False, server_default=""),
    Column("media_type", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default="und"),
    Column("languages", ARRAY(Text)),  # all that it has text in, `language` first; null: nobody looked
    Column("content_sha256", Text),  # of the file's bytes
    Column("pipeline", Text),  # parser, chunker and lexicon versions and settings that made the chunks
    # The given folder, or the file given by itself, and the file's own absolute path below it, as they were last seen
    Column("root", Text),
    Column("origin", Text),
    # What tells without reading whether the file is still the same, with size_bytes; null: it has to be read
    Column("mtime_ns", BigInteger),
    Column("inode", BigInteger),  # the unsigned number's 64 bits
    # The account whose upload this is, by its name; null: the operator's, by `ingest`, or nobody was told apart
    Column("sender", Text),
    Column(
        "pages", JSONB, nullable=False, server_default=_empty_array
    ),  # [[number, char_start, char_end], …], and a fourth where OCR read the page: its confidence in [0, 1]
    Column(
        "sections", JSONB, nullable=False, server_default=_empty_array
    ),  # [[char_start, char_end, [heading, …], language], …], by earlier versions without the language
    Column("metadata", JSONB, nullable=False, server_default=_empty_object),
    Column(
        "dropped", JSONB, nullable=False, server_default=_empty_object
    ),  # what cleaning removed, characters
    Column("size_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("char_count", Integer, nullable=False, server_default=text("0")),
    Column("chunk_count", Integer, nullable=False, server_default=text("0")),
    Column("token_count", Integer, nullable=False, server_default=text("0")),
    Column("unknown_tokens", Integer, nullable=False, server_default=text("0")),
    Column("text_sha256", Text),  # of the stored text; a duplicate's is that of the text it would have
    Column(
        "signature", LargeBinary
    ),  # MinHash of the text, see ingest/duplicates.py; null: too short to compare
    Column("duplicate_of", Uuid, ForeignKey("pgask.documents.id", ondelete="SET NULL")),
    # Of a twin's: the document that it is a copy of, and what that one's `updated_at` was
    Column("copy_of", Uuid, ForeignKey("pgask.documents.id", ondelete="CASCADE")),
    Column("copied_at", DateTime(timezone=True)),
    Column(
        "window_hashes", LargeBinary
    ),  # 16 bytes a window in order: its tokens, so that its vector can be kept
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now),
    UniqueConstraint("collection_id", "source"),
    Index("ix_documents_collection_id_text_sha256", "collection_id", "text_sha256"),
    Index("ix_documents_collection_id_updated_at", "collection_id", "updated_at"),
    Index("ix_documents_copy_of", "copy_of", postgresql_where=text("copy_of IS NOT NULL")),
    Index("ix_documents_duplicate_of", "duplicate_of", postgresql_where=text("duplicate_of IS NOT NULL")),
    CheckConstraint("status IN ('ready', 'failed', 'stale', 'duplicate', 'skipped')", name="status"),
)


def _by_number(table: str, number: str) -> Table:
    """Documents by a number that many may have. No array or object with an index of its own: an index whose operators
    could tell of hidden rows is not asked before a policy, that of whole numbers is."""
    return Table(
        table,
        metadata,
        Column("collection_id", Integer, primary_key=True),
        Column(number, BigInteger, primary_key=True),
        Column(
            "document_id", Uuid, ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True, index=True
        ),
    )


signature_bands = _by_number("signature_bands", "band")  # near duplicates share one
document_facts = _by_number("document_facts", "fact")  # of pgask.facts(metadata), kept by a trigger
# The numbers that documents had in a space that was dropped: citations of old answers have them.
former_documents = Table(
    "former_documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("collection_id", Integer, nullable=False),
    Column("document_id", Uuid, ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False, index=True),
)

# Texts, in parts of texts.PART_CHARS code points, the last one shorter: part n begins at n * PART_CHARS.
document_texts = Table(
    "document_texts",
    metadata,
    Column("document_id", Uuid, ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("text", Text, nullable=False),  # STORAGE MAIN: packed, and never outside its row
    Column("collection_id", Integer, nullable=False),
)

# Where the lines of pages stand that OCR read, in points of the page as it is seen; of a picture in its pixels.
page_lines = Table(
    "page_lines",
    metadata,
    Column("document_id", Uuid, ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True),
    Column("page", Integer, primary_key=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("lines", ARRAY(Integer), nullable=False),  # char_start, char_end, x0, y0, x1, y1 of each, flat
    Column("collection_id", Integer, nullable=False),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("document_id", Uuid, ForeignKey(documents.c.id, ondelete="CASCADE"), nullable=False),
    Column("collection_id", Integer, nullable=False),
    Column("chunk_index", Integer, nullable=False),
    Column("char_start", Integer, nullable=False),
    Column("char_end", Integer, nullable=False),
    Column("token_count", Integer, nullable=False),
    Column("term_count", Integer, nullable=False),
    Column("page", Integer),
    Column("heading", Text),
    Column("places", JSONB, nullable=False),  # [[char_start, page, heading], …], as pages with a confidence
    Column("sentences", ARRAY(Integer), nullable=False),  # char_start, char_end of each sentence, flat
    Column("window_start", Integer, nullable=False),  # windows [window_start, window_end) of the document
    Column("window_end", Integer, nullable=False),
    # So many of its first windows are the last of the chunk before, and count for that one
    Column("windows_shared", Integer, nullable=False, server_default=text("0")),
    Column("language", Text),  # null: its document's
    UniqueConstraint("document_id", "chunk_index"),
    CheckConstraint("char_start < char_end", name="span"),
)

# The inverted index of BM25 as it is written: one row a chunk and term. No foreign key (a check for every row would
# cost more than the row); the trigger on chunks removes rows.
postings = Table(
    "postings",
    metadata,
    Column("chunk_id", BigInteger, nullable=False),
    Column("collection_id", Integer, nullable=False),
    Column("term_frequency", SmallInteger, nullable=False),
    Column(
        "chunk_terms", Integer, nullable=False
    ),  # = chunks.term_count, so that scoring reads this index alone
    Column("term", Text(collation="C"), nullable=False),
    # One byte a window of the chunk, in order, up to the last that holds the term: how often, at most 255
    Column("window_frequencies", LargeBinary, nullable=False, server_default=text("''")),
    Index(  # by term first: of hundreds of shelves a term's postings are one range, and not hundreds
        "ix_postings_term_collection",
        "term",
        "collection_id",
        "chunk_id",
        postgresql_include=["term_frequency", "chunk_terms"],
    ),
    Index("ix_postings_chunk_id", "chunk_id"),
)

# The same once it is merged (app/store/posting_blocks.py): of a term in a collection up to 128 chunks a row. Both are
# kept in their row, not compressed, since a search looks into them at single places.
posting_blocks = Table(
    "posting_blocks",
    metadata,
    Column("first_chunk", BigInteger, nullable=False),
    Column("collection_id", Integer, nullable=False),
    Column("df", Integer, nullable=False),  # how many chunks
    Column("term", Text(collation="C"), nullable=False),
    Column("packed", ARRAY(BigInteger), nullable=False),  # a number a chunk, see migration 0024
    Column("windows", LargeBinary, nullable=False),  # as postings.window_frequencies, as many bytes a chunk
    Index(
        "ix_posting_blocks_term",
        "collection_id",
        "term",
        "first_chunk",
        unique=True,
        postgresql_include=["df"],
    ),
)

# The chunks whose postings are in blocks, and their terms, by which these are found to be deleted, moved or exported.
merged_chunks = Table(
    "merged_chunks",
    metadata,
    Column("chunk_id", BigInteger, primary_key=True, autoincrement=False),
    Column("collection_id", Integer, nullable=False),
    Column("terms", ARRAY(Text(collation="C")), nullable=False),
)

# A key itself is kept nowhere: `digest` is its SHA-256, `prefix` its first characters, for people.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    _tenant(),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("collections", ARRAY(Text)),  # names of those that it may see; null: all of its tenant's
    Column("groups", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),  # to the hour
    CheckConstraint("role IN ('reader', 'writer', 'admin')", name="role"),
)

# The page's sessions: `digest` is the SHA-256 of what the cookie holds.
sessions = Table(
    "sessions",
    metadata,
    _tenant(),
    Column("digest", LargeBinary, primary_key=True),
    Column("key_id", Uuid, ForeignKey(api_keys.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
)

# Who did what, when, from where, and how it ended (an HTTP status). No words of questions, answers or documents.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    _tenant(),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("actor", Text, nullable=False),  # a key's name, a proxy's user, or "cli"
    Column("role", Text),
    Column("key_id", Uuid),  # no foreign key: the record outlives the key
    Column("action", Text, nullable=False),  # method and route, or the command
    Column("target", Text, nullable=False),
    Column("address", Text),
    Column("status", Integer, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=_empty_object),
    Index("ix_audit_tenant_id_at", "tenant_id", "at"),
)

# Work that is done outside of requests: files that were sent to the service, taken in by a worker. What the queue
# itself keeps (who works on what, and lives) is in the schema QUEUE_SCHEMA, see app/store/queue.py.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    _tenant(),
    Column(
        "collection_id", Integer, ForeignKey(collections.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("stage", Text),  # of a running one: what it does now
    Column("code", Text),  # of a failed one, where that is no file's fault: why
    Column("detail", Text),
    Column("options", JSONB, nullable=False, server_default=_empty_object),  # what came with the files
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("eta_s", REAL),
    Column("created_by", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=_now),
    Index("ix_jobs_tenant_id_created_at", "tenant_id", "created_at"),
    CheckConstraint("kind IN ('upload', 'reingest')", name="kind"),
    CheckConstraint("state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="state"),
)

# A file's bytes as they came, of a document or of a file that is still to be taken in. In parts, see
# app/store/originals.py; one that no document and no file of a job refers to is removed.
originals = Table(
    "originals",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    _tenant(index=True),
    Column("document_id", Uuid, ForeignKey(documents.c.id, ondelete="CASCADE"), unique=True),
    Column("name", Text, nullable=False),  # of the file, without a folder
    Column("sha256", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)

original_parts = Table(
    "original_parts",
    metadata,
    Column("original_id", Uuid, ForeignKey(originals.c.id, ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    _tenant(),
    Column("bytes", LargeBinary, nullable=False),  # STORAGE EXTERNAL: most formats are packed already
)

job_files = Table(
    "job_files",
    metadata,
    Column("job_id", Uuid, ForeignKey(jobs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    _tenant(),
    Column("source", Text, nullable=False),
    # skipped: left out, `code` says why; all others as of a job
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("code", Text),
    Column("detail", Text),
    Column("size_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("document_id", Uuid),  # no foreign key: what was done stays done when the document goes
    Column("original_id", Uuid, ForeignKey(originals.c.id, ondelete="SET NULL"), index=True),
    Column("collection_id", Integer),  # where its document lies by now, once that was moved; null: its job's
    CheckConstraint(
        "state IN ('queued', 'running', 'succeeded', 'skipped', 'failed', 'cancelled')", name="state"
    ),
)

# What readers thought of answers, with what was asked, answered and cited. No foreign key to the key: a rating
# outlives it.
feedback = Table(
    "feedback",
    metadata,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    _tenant(index=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_now, index=True),
    Column("actor", Text, nullable=False),
    Column("key_id", Uuid),
    Column("request_id", Text, nullable=False),
    Column("rating", Text, nullable=False),
    Column("reason", Text),
    Column("comment", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("abstained", Boolean, nullable=False),
    Column("scope", JSONB, nullable=False),
    Column("citations", JSONB, nullable=False),
    Column("state", JSONB, nullable=False),
    CheckConstraint("rating IN ('up', 'down')", name="rating"),
)

# Replies that their askers may still rate (app/store/kept_replies.py). `asker`: the key's id, or the name without one.
replies = Table(
    "replies",
    metadata,
    _tenant(primary_key=True),
    Column("asker", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_now),
    Column("reply", JSONB, nullable=False),  # what a rating is stored with
    Index("ix_replies_tenant_id_at", "tenant_id", "at"),
)

# What a language model said to a prompt (app/store/completions.py), by a digest of all that it depends on. Not logged.
completions = Table(
    "completions",
    metadata,
    _tenant(primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("text", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=_now),
    prefixes=["UNLOGGED"],
)

# Of those who log in: what their page keeps of a conversation, as it is. `owner`: "key" and its id, or "user" and the
# name that a proxy gives.
conversations = Table(
    "conversations",
    metadata,
    _tenant(primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("id", Text(collation="C"), primary_key=True),
    Column("name", Text),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("content", JSONB, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=_now, index=True),
)
