"""LangChain, LlamaIndex and Haystack on the vectors of eval/bench/search.py. Runs in their own environment.

Imports nothing of pgask. Started by eval/bench/search.py with a file of settings; reads one JSON command a line and
answers with one: `load` fills each store by its own API and builds the ivfflat index that none of them builds, with the
lists that pgask chose; `measure` asks with so many clients for so many seconds. Clients are threads, as the sync
endpoints of a usual service are; Haystack's store has one connection, so each client gets a store of its own.
`"index": false` is their default: none of them makes an index, so the whole table is read.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import psycopg

TOP_K = 10
BATCH = 1_000
TABLES = {
    "langchain": ("langchain_pg_embedding", "bench_langchain"),
    "llama_index": ("data_llama_bench", "bench_llama"),
    "haystack": ("haystack_bench", "haystack_hnsw_index"),  # found by name, so that it makes none of its own
}


def session_url(settings: dict[str, Any], driver: str, *, index: bool) -> str:
    """A SQLAlchemy or libpq URL whose sessions probe as many lists as pgask does, or read the whole table."""
    parts = psycopg.conninfo.conninfo_to_dict(settings["database"])
    options = f"-c ivfflat.probes={settings['probes']}" if index else "-c enable_indexscan=off"
    query = urlencode({"host": parts["host"], "port": parts["port"], "options": options}, quote_via=quote)
    user, password, name = (quote(str(parts[key])) for key in ("user", "password", "dbname"))
    return f"{driver}://{user}:{password}@/{name}?{query}"


class Rivals:
    """The three stores over one database."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        with np.load(settings["corpus"]) as kept:
            self.vectors = kept["vectors"]
            self.questions = [row.tolist() for row in kept["question_vectors"]]
            self.texts = str(kept["texts"]).split("\n")
        self.marked = set(settings["marked"])
        self.opened: list[Any] = []  # functions that close what a measurement opened

    def open(self, who: str, *, index: bool) -> Any:
        """A function (vector, filtered) → numbers of the rows found."""
        return {"langchain": self.langchain, "llama_index": self.llama_index, "haystack": self.haystack}[who](
            index=index
        )

    def langchain_store(self, *, index: bool) -> Any:
        """The store, made where it is missing."""
        from langchain_core.embeddings import DeterministicFakeEmbedding
        from langchain_postgres import PGVector

        return PGVector(
            DeterministicFakeEmbedding(size=384),
            connection=session_url(self.settings, "postgresql+psycopg", index=index),
            embedding_length=384,
            collection_name="bench",
            create_extension=False,
        )

    def langchain(self, *, index: bool) -> Any:
        store = self.langchain_store(index=index)
        self.opened.append(store._engine.dispose)

        def ask(vector: list[float], filtered: bool) -> list[int]:
            where = {"kind": "marked"} if filtered else None
            found = store.similarity_search_with_score_by_vector(vector, k=TOP_K, filter=where)
            return [document.metadata["row"] for document, _ in found]

        return ask

    def llama_store(self, *, index: bool) -> Any:
        from llama_index.vector_stores.postgres import PGVectorStore

        return PGVectorStore.from_params(
            connection_string=session_url(self.settings, "postgresql+psycopg2", index=index),
            async_connection_string=session_url(self.settings, "postgresql+asyncpg", index=index),
            table_name="llama_bench",
            embed_dim=384,
            use_jsonb=True,
        )

    def llama_index(self, *, index: bool) -> Any:
        from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery

        store = self.llama_store(index=index)
        self.opened.append(lambda: store._engine is not None and store._engine.dispose())
        marked = MetadataFilters(filters=[MetadataFilter(key="kind", value="marked")])

        def ask(vector: list[float], filtered: bool) -> list[int]:
            query = VectorStoreQuery(
                query_embedding=vector, similarity_top_k=TOP_K, filters=marked if filtered else None
            )
            return [node.metadata["row"] for node in store.query(query).nodes]

        return ask

    def haystack_store(self, *, index: bool) -> Any:
        from haystack.utils import Secret
        from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

        return PgvectorDocumentStore(
            connection_string=Secret.from_token(session_url(self.settings, "postgresql", index=index)),
            table_name="haystack_bench",
            embedding_dimension=384,
            create_extension=False,
            search_strategy="exact_nearest_neighbor",
        )

    def haystack(self, *, index: bool) -> Any:
        from haystack_integrations.components.retrievers.pgvector import PgvectorEmbeddingRetriever

        own = threading.local()

        def ask(vector: list[float], filtered: bool) -> list[int]:
            if not hasattr(own, "retriever"):
                store = self.haystack_store(index=index)
                own.retriever = PgvectorEmbeddingRetriever(document_store=store, top_k=TOP_K)
                self.opened.append(lambda: store._connection is not None and store._connection.close())
            where = {"field": "meta.kind", "operator": "==", "value": "marked"} if filtered else None
            found = own.retriever.run(query_embedding=vector, filters=where)["documents"]
            return [document.meta["row"] for document in found]

        return ask

    def load(self) -> dict[str, float]:
        """Seconds that each store took to take the rows in; 0 where it has them."""
        spent = {}
        for who, (table, index) in TABLES.items():
            started = time.perf_counter()
            with psycopg.connect(self.settings["database"], autocommit=True) as connection:
                count = _count(connection, table)
                if count != len(self.texts):
                    connection.execute(f"DROP TABLE IF EXISTS {table} CASCADE")
                    self.fill(who)
                connection.execute("SET maintenance_work_mem = '512MB'")
                connection.execute(
                    f"CREATE INDEX IF NOT EXISTS {index} ON {table} USING ivfflat (embedding vector_cosine_ops)"
                    f" WITH (lists = {int(self.settings['lists'])})"
                )
                connection.execute(f"ANALYZE {table}")
            spent[who] = round(time.perf_counter() - started, 1)
        return spent

    def fill(self, who: str) -> None:
        """Add all rows by the store's own call."""
        store = {
            "langchain": self.langchain_store,
            "llama_index": self.llama_store,
            "haystack": self.haystack_store,
        }[who](index=True)
        for start in range(0, len(self.texts), BATCH):
            rows = range(start, min(start + BATCH, len(self.texts)))
            texts = [self.texts[row] for row in rows]
            vectors = [self.vectors[row].tolist() for row in rows]
            meta = [{"row": row, "kind": "marked" if row in self.marked else "plain"} for row in rows]
            if who == "langchain":
                store.add_embeddings(texts, vectors, meta, ids=[str(row) for row in rows])
            elif who == "llama_index":
                from llama_index.core.schema import TextNode

                nodes = zip(rows, texts, vectors, meta, strict=True)
                store.add([TextNode(id_=str(r), text=t, embedding=v, metadata=m) for r, t, v, m in nodes])
            else:
                from haystack import Document

                found = zip(rows, texts, vectors, meta, strict=True)
                store.write_documents(
                    [Document(id=str(r), content=t, embedding=v, meta=m) for r, t, v, m in found]
                )

    def measure(self, command: dict[str, Any]) -> dict[str, Any]:
        """Latencies of every question that was answered in the time, and what the first ones found."""
        ask = self.open(command["who"], index=command["index"])
        filtered = command["filtered"]
        found = [ask(vector, filtered) for vector in self.questions[: command["recall"]]]
        latencies: list[list[float]] = [[] for _ in range(command["clients"])]
        ready = threading.Barrier(command["clients"] + 1)
        end = 0.0

        def client(number: int) -> None:
            ask(self.questions[number], filtered)  # opens the connection
            ready.wait(120)
            place = number
            while (started := time.perf_counter()) < end:
                ask(self.questions[place % len(self.questions)], filtered)
                latencies[number].append(1_000 * (time.perf_counter() - started))
                place += command["clients"]

        threads = [threading.Thread(target=client, args=[n]) for n in range(command["clients"])]
        for thread in threads:
            thread.start()
        end = time.perf_counter() + 3_600
        ready.wait(120)
        started = time.perf_counter()
        end = started + command["seconds"]
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - started
        for close in self.opened:
            close()
        self.opened.clear()
        return {"latencies_ms": [ms for own in latencies for ms in own], "seconds": spent, "found": found}


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    """Rows of a table, 0 where there is none."""
    if connection.execute("SELECT to_regclass(%s)", [table]).fetchall()[0][0] is None:
        return 0
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])  # noqa: S608 - a name of ours


def main() -> None:
    """Answer commands until the input ends."""
    rivals = Rivals(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    out = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        command = json.loads(line)
        reply: Any = rivals.load() if command["do"] == "load" else rivals.measure(command)
        print(json.dumps(reply), file=out, flush=True)


if __name__ == "__main__":
    main()
