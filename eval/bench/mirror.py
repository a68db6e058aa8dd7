"""What keeping a folder in step costs: edits, duplicates, a folder that has not changed.

    python -m eval.bench.mirror edits FOLDER…          share of tokens embedded again after an edit, by kind
    python -m eval.bench.mirror duplicates             milliseconds to look for a duplicate, by collection size
    python -m eval.bench.mirror unchanged [--files N]  second run over N small files, and removing them all
    python -m eval.bench.mirror reading [--files N] [--size BYTES]  bytes read of N files: unchanged, one changed

Each prints one JSON object a line. `edits` joins the files of a folder and cuts documents of --chars characters, and
applies one edit to each: all seeded. `duplicates` fills a collection with generated word lists (Zipf's law, 400 words)
and asks for new, near and equal ones. `unchanged` writes files of 40 words and runs the real pipeline, encoder
included. `reading` writes HTML of one sentence and a comment up to the size, a minute old; bytes are those that the
process and the parser's read from files and pipes (/proc/self/io), the program itself included, so Linux alone.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer

from app.config import load_settings
from app.domain import Document
from app.embedding import Embedder, SentenceTransformerEmbedder
from app.errors import DocumentError
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect
from app.store.migrate import migrate
from app.store.spaces import Collection, ensure_collection, ensure_space
from app.store.texts import cut_text
from eval.bench.filtered_recall import bench_space
from ingest.chunking import chunk
from ingest.duplicates import DuplicateSearch, sign
from ingest.pipeline import IngestOptions, IngestRun, Report
from ingest.roots import name_paths
from ingest.sandbox import SandboxedParser
from ingest.sources import find_sources, read_source
from ingest.windows import window_hash

app = typer.Typer(add_completion=False)

SENTENCES: Final = {"en": "Somebody has put this sentence in here. ", "zh": "这是后来加进去的一句话。"}
WORD: Final = re.compile(r"[一-鿿]{2}|[A-Za-z]{4,}")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")
_PARAGRAPH: Final = re.compile(r"\n\s*\n")

Edit = Callable[[str, str], str]  # text, a new sentence → the edited text


def _at(text: str, share: float) -> int:
    """The sentence start nearest after this share of the text."""
    starts = [match.end() for match in _SENTENCE_END.finditer(text)] or [len(text)]
    return min((start for start in starts if start >= share * len(text)), default=starts[-1])


def _replace_word(text: str, new: str) -> str:
    found = WORD.search(text, _at(text, 0.5)) or WORD.search(text)
    return text if found is None else text[: found.start()] + new[:2] + text[found.end() :]


def _delete_paragraphs(text: str, _: str) -> str:
    starts = [match.end() for match in _PARAGRAPH.finditer(text)] or [_at(text, 0.3), _at(text, 0.4)]
    first = len(starts) // 3
    return text[: starts[first]] + text[starts[min(first + 3, len(starts) - 1)] :]


EDITS: Final[dict[str, Edit]] = {
    "append a sentence": lambda text, new: text + new,
    "insert a sentence in the middle": lambda text, new: (
        text[: _at(text, 0.5)] + new + text[_at(text, 0.5) :]
    ),
    "insert a sentence at a tenth": lambda text, new: text[: _at(text, 0.1)] + new + text[_at(text, 0.1) :],
    "change a word": _replace_word,
    "delete three paragraphs": _delete_paragraphs,
}


@app.command()
def edits(
    folders: Annotated[list[Path], typer.Argument(help="Folders of documents, each reported by itself.")],
    chars: Annotated[int, typer.Option(help="Characters of a document.")] = 20_000,
    most: Annotated[int, typer.Option(help="Most documents of a folder.")] = 8,
    seed: int = 1,
) -> None:
    """Share of a document's tokens that are embedded again after an edit, in default settings."""
    embedder = SentenceTransformerEmbedder.from_settings(load_settings())
    for folder in folders:
        documents = list(_documents(folder, chars))
        random.Random(seed).shuffle(documents)  # noqa: S311 - to be had again
        shares: dict[str, Any] = {}
        tokens = 0
        for name, edit in EDITS.items():
            again = total = 0
            for document in documents[:most]:
                known = {key for key, _ in _windows(embedder, document)}
                edited = edit(document.text, SENTENCES["zh" if document.language == "zh" else "en"])
                new = _windows(embedder, Document(edited, "", document.media_type, document.language))
                again += sum(count for key, count in new if key not in known)
                total += sum(count for _, count in new)
            shares[name] = {
                "share": round(again / max(total, 1), 4),
                "tokens": round(again / max(1, min(most, len(documents)))),
            }
            tokens = total
        shown = {"folder": folder.name, "documents": len(documents[:most]), "tokens": tokens}
        print(json.dumps(shown | {"again": shares}, ensure_ascii=False))


def _documents(folder: Path, chars: int) -> Iterator[Document]:
    """The files' texts one after the other, cut into documents of this length; sections are left out."""
    held, language, media_type = "", "en", "text/plain"
    with SandboxedParser() as parser:
        for file in find_sources(name_paths([folder])).files:
            try:
                found = parser.parse(read_source(file, 50_000_000).content, file.media_type, file.source)
            except DocumentError:
                continue
            held += found.text + "\n\n"
            language, media_type = found.language, found.media_type
            while len(held) >= chars:
                yield Document(held[:chars], "", media_type, language)
                held = held[chars:]


def _windows(embedder: Embedder, document: Document) -> list[tuple[bytes, int]]:
    """Hash and tokens of each window."""
    options = IngestOptions()
    tokens = embedder.tokenize(document.text)
    cut = chunk(
        document,
        tokens,
        chunk_tokens=options.chunk_tokens,
        overlap=options.overlap,
        window_tokens=options.window_tokens,
    )
    spans = ((window.token_start, window.token_end) for window in cut.windows)
    return [(window_hash(tokens.ids[start:end]), end - start) for start, end in spans]


@app.command()
def duplicates(
    sizes: Annotated[str, typer.Option(help="Documents in the collection, ascending.")] = "1000,10000,20000",
    asked: Annotated[int, typer.Option(help="Documents asked for, of each kind.")] = 300,
    seed: int = 1,
) -> None:
    """Milliseconds to look for a duplicate."""
    rng = random.Random(seed)  # noqa: S311 - to be had again
    letters = "abcdefghijklmnopqrstuvwxyz"  # no figures in them: those are compared by themselves
    vocabulary = [a + b + c for a in letters for b in letters for c in letters][:5_000]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    stored: list[list[str]] = []
    with _database() as database, connect(database.owner) as owner, connect(database.app) as connection:
        collection = ensure_collection(connection, "bench", ensure_space(owner, bench_space(8)))
        for size in map(int, sizes.split(",")):
            with connection.transaction():
                while len(stored) < size:
                    stored.append(rng.choices(vocabulary, weights, k=400))
                    _insert(connection, collection, f"{len(stored):06}", stored[-1])
            owner.execute("ANALYZE pgask.documents")
            search = DuplicateSearch(connection, collection, threshold=0.9, outdated=[])
            for kind in ("new", "near", "same"):
                times, found = [], 0
                for _ in range(asked):
                    words = (
                        rng.choices(vocabulary, weights, k=400) if kind == "new" else [*rng.choice(stored)]
                    )
                    text = " ".join(words) + ("\n\nprinted" if kind == "near" else "")
                    signature = sign(text, text.split())
                    started = time.perf_counter()
                    found += search.find("asked.md", signature, text) is not None
                    times.append((time.perf_counter() - started) * 1000)
                p50, p90 = np.percentile(times, [50, 90]).round(3).tolist()
                print(
                    json.dumps(
                        {"documents": size, "kind": kind, "found": found, "p50_ms": p50, "p90_ms": p90}
                    )
                )


def _insert(connection: Connection, collection: Collection, source: str, words: list[str]) -> None:
    text = " ".join(words)
    signature = sign(text, words)
    connection.execute(
        "WITH made AS (INSERT INTO pgask.documents (collection_id, source, status, text_sha256, signature,"
        " signature_bands, chunk_count) VALUES (%s, %s, 'ready', %s, %s, %s, 1) RETURNING id)"
        " INSERT INTO pgask.document_texts (document_id, part, text)"
        " SELECT id, number - 1, part FROM made, unnest(%s::text[]) WITH ORDINALITY p (part, number)",
        [
            collection.id,
            source,
            signature.text_sha256,
            signature.minhash,
            list(signature.bands),
            list(cut_text(text)),
        ],
    )


class _Silent:
    def stage(self, name: str, total: int) -> None: ...

    def advance(self, source: str, *, chunks: int = 0, tokens: int = 0) -> None: ...


@app.command()
def unchanged(
    files: Annotated[int, typer.Option(help="Files of 40 words.")] = 1_000,
    seed: int = 1,
) -> None:
    """Seconds of a first run, of a second over the same files, and of removing them."""
    rng = random.Random(seed)  # noqa: S311 - to be had again
    words = [
        f"{a}{b}" for a in ("vector", "index", "recall", "query", "chunk") for b in ("", "s", "ing", "er")
    ]
    embedder = SentenceTransformerEmbedder.from_settings(load_settings())
    embedder.load()
    with tempfile.TemporaryDirectory() as folder, _database() as database:
        corpus = Path(folder)
        for number in range(files):
            (corpus / f"{number:05}.md").write_text(f"# {number}\n\n{' '.join(rng.choices(words, k=40))}.\n")
        results = {}
        for name, prune in (("first", False), ("second", False), ("removed", True)):
            if prune:
                for file in corpus.iterdir():
                    file.unlink()
            started = time.perf_counter()
            report = _run(database, embedder, corpus, IngestOptions(prune=prune))
            results[name] = {
                "seconds": round(time.perf_counter() - started, 2),
                "new": report.new,
                "unchanged": report.unchanged,
                "removed": report.removed,
                "embedded_tokens": report.embedded_tokens,
            }
    share = results["second"]["seconds"] / results["first"]["seconds"]
    print(json.dumps({"files": files, "share_of_first": round(share, 4)} | results))


@app.command()
def reading(
    files: Annotated[int, typer.Option(help="Files in the folder.")] = 1_000,
    size: Annotated[int, typer.Option(help="Bytes of each.")] = 200_000,
) -> None:
    """What the second run over an unchanged folder reads, and one after a change of 50 bytes."""
    embedder = SentenceTransformerEmbedder.from_settings(load_settings())
    embedder.load()
    with tempfile.TemporaryDirectory() as folder, _database() as database:
        corpus, moment = Path(folder), time.time() - 60
        for number in range(files):
            text = f"<p>Page {number} tells of the number {number * 7919}.</p><!--"
            path = corpus / f"{number:05}.html"
            path.write_text(text.ljust(size - 3, "x") + "-->", "utf-8")
            os.utime(path, (moment, moment))
        opened: set[str] = set()
        sys.addaudithook(
            lambda event, found: (
                opened.add(str(found[0])) if event == "open" and str(found[0]).startswith(folder) else None
            )
        )
        results = {}
        for name in ("first", "unchanged", "changed", "after"):
            opened.clear()
            if name == "changed":
                with (corpus / "00000.html").open("r+b") as file:
                    file.seek(-53, os.SEEK_END)
                    file.write(b"y" * 50)
                os.utime(corpus / "00000.html", (moment + 1, moment + 1))
            started, before = time.perf_counter(), _bytes_read()
            report = _run(database, embedder, corpus, IngestOptions(duplicates="keep_all"))
            read = _bytes_read() - before
            results[name] = {
                "seconds": round(time.perf_counter() - started, 2),
                "bytes_read": read,
                "share": round(read / (files * size), 6),
                "files_opened": len(opened - {folder}),
                "new": report.new,
                "changed": report.changed,
                "unchanged": report.unchanged,
            }
    print(json.dumps({"files": files, "size": size} | results))


def _bytes_read() -> int:
    """What this process has read so far, from files and pipes."""
    return int(Path("/proc/self/io").read_text("ascii").split()[1])


def _run(database: Database, embedder: Embedder, corpus: Path, options: IngestOptions) -> Report:
    """A run, the search for files and the start of the parser included."""
    with connect(database.owner) as owner, connect(database.app) as connection, SandboxedParser() as parser:
        collection = ensure_collection(connection, "bench", ensure_space(owner, embedder.space))
        run = IngestRun(connection, collection, embedder, options, _Silent(), parse=parser.parse)
        return run.execute(run.plan([corpus]))


@contextmanager
def _database() -> Iterator[Database]:
    """A server of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pgask-bench-") as home, EmbeddedPostgres(Path(home)) as server:
        urls = server.create_database("mirror_test")
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        yield database


if __name__ == "__main__":
    app()
