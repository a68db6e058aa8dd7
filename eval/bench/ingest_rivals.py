"""One framework's ingest, for eval/bench/ingest.py: runs in the rivals' environment, which lacks this project.

    RIVALS/bin/python eval/bench/ingest_rivals.py langchain|llama_index|haystack

Reads one JSON object a line from standard input (`Request`, the first a set-up) and answers each with one line. The
framework's own defaults stand wherever the request says nothing: batch sizes, separators, how rows are written.
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
Ingest = Callable[[list[Path]], list[str]]  # files → the texts of the chunks that were stored
Forget = Callable[[], None]


def langchain(model: str, request: dict[str, Any]) -> tuple[Ingest, Forget]:
    """RecursiveCharacterTextSplitter and langchain-postgres' PGVector."""
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_postgres import PGVector
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=request["chunk_chars"], chunk_overlap=request["overlap_chars"]
    )
    store = PGVector(
        HuggingFaceEmbeddings(model_name=model, model_kwargs={"device": "cpu"}),
        connection=request["url"].replace("postgresql://", "postgresql+psycopg://", 1),
        collection_name="bench",
        embedding_length=DIMENSION,
        create_extension=False,
    )

    def ingest(files: list[Path]) -> list[str]:
        read = [Document(file.read_text("utf-8"), metadata={"source": str(file)}) for file in files]
        chunks = splitter.split_documents(read)
        store.add_documents(chunks)
        return [chunk.page_content for chunk in chunks]

    def forget() -> None:
        store.delete_collection()
        store.create_collection()

    return ingest, forget


def llama_index(model: str, request: dict[str, Any]) -> tuple[Ingest, Forget]:
    """SentenceSplitter, counting by the model's tokenizer, and PGVectorStore."""
    from llama_index.core import Document
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.postgres import PGVectorStore

    tokenizer = fast_tokenizer(model)
    splitter = SentenceSplitter(
        chunk_size=request["chunk_tokens"],
        chunk_overlap=request["overlap_tokens"],
        tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
    )
    url = request["url"]
    store = PGVectorStore.from_params(
        connection_string=url.replace("postgresql://", "postgresql+psycopg2://", 1),
        async_connection_string=url.replace("postgresql://", "postgresql+asyncpg://", 1),
        table_name="bench",
        embed_dim=DIMENSION,
    )
    embedding = HuggingFaceEmbedding(model_name=model, device="cpu")

    def ingest(files: list[Path]) -> list[str]:
        pipeline = IngestionPipeline(
            transformations=[splitter, embedding], vector_store=store, disable_cache=True
        )
        read = [Document(text=file.read_text("utf-8"), metadata={"source": file.name}) for file in files]
        return [node.get_content() for node in pipeline.run(documents=read)]

    return ingest, store.clear


def haystack(model: str, request: dict[str, Any]) -> tuple[Ingest, Forget]:
    """DocumentSplitter by words and PgvectorDocumentStore."""
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.utils import ComponentDevice, Secret
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
    )
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    splitter = DocumentSplitter(
        split_by="word", split_length=request["chunk_words"], split_overlap=request["overlap_words"]
    )
    embedder = SentenceTransformersDocumentEmbedder(
        model=model, device=ComponentDevice.from_str("cpu"), progress_bar=False
    )
    store = PgvectorDocumentStore(
        connection_string=Secret.from_token(request["url"]),
        create_extension=False,
        table_name="bench",
        embedding_dimension=DIMENSION,
    )
    splitter.warm_up()
    embedder.warm_up()

    def ingest(files: list[Path]) -> list[str]:
        read = [Document(content=file.read_text("utf-8"), meta={"source": file.name}) for file in files]
        embedded = embedder.run(splitter.run(read)["documents"])["documents"]
        store.write_documents(embedded)
        return [chunk.content for chunk in embedded]

    return ingest, store.delete_all_documents


FRAMEWORKS = {"langchain": langchain, "llama_index": llama_index, "haystack": haystack}


class Model:
    """Times SentenceTransformer.encode, whoever calls it, or puts constant vectors in its place."""

    def __init__(self, *, stub: bool) -> None:
        import numpy as np
        from sentence_transformers import SentenceTransformer

        self.seconds = 0.0
        real: Any = SentenceTransformer.encode
        row = np.full(DIMENSION, DIMENSION**-0.5, dtype=np.float32)

        def encode(model: SentenceTransformer, texts: Any, *args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                if stub:
                    return row.copy() if isinstance(texts, str) else np.tile(row, (len(texts), 1))
                return real(model, texts, *args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - started

        setattr(SentenceTransformer, "encode", encode)  # noqa: B010 - a plain assignment is not the overloads' type


def fast_tokenizer(model: str) -> Any:
    """The model's tokenizer, neither truncating nor padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def main() -> None:
    """Answer requests until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the frameworks print is no reply
    setup = json.loads(sys.stdin.readline())
    model = str(setup["model"])
    tokenizer = fast_tokenizer(model)
    timer = Model(stub=setup["stub"])
    ingest, forget = FRAMEWORKS[sys.argv[1]](model, setup)
    print(json.dumps({"ready": True}), file=replies, flush=True)
    for line in sys.stdin:
        folder = Path(json.loads(line)["folder"])
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        timer.seconds = 0.0
        started, used = time.perf_counter(), time.process_time()
        texts = ingest(files)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
        forget()
        lengths = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
        reply = {
            "seconds": seconds,
            "model_seconds": timer.seconds,
            "cpu_seconds": cpu_seconds,
            "chunks": len(texts),
            "tokens": sum(min(length, 254) for length in lengths),
            "tokens_lost": sum(max(0, length - 254) for length in lengths),
        }
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
