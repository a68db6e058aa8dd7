"""Crafted files for `pgask import`: each with a value that somebody changed, and every sum right again.

    .venv/bin/python -m tests.chaos.crafted [--files N] [--seed S] [--out FOLDER]

A file is refused with a code, and then nothing of it is left; or it is taken, and then no route, no upkeep, no other
import, export or deletion fails by it, and what another collection finds is what it found before.
"""

from __future__ import annotations

import argparse
import base64
import copy
import gzip
import hashlib
import io
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from fastapi.testclient import TestClient

from app.config import Settings
from app.errors import PgaskError
from app.index import maintenance
from app.index.manifest import IndexSettings
from app.logs import configure_logs
from app.main import create_app
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Database, connect
from app.store.export_lines import LineWriter
from app.store.exporting import export_collection
from app.store.migrate import migrate
from app.store.originals import store_original
from app.store.posting_blocks import merge_postings
from app.store.spaces import ensure_space
from ingest.importing import import_collection
from tests.chaos.evidence import report
from tests.fakes import FakeEmbedder
from tests.integration.ingesting import FAKE, SMALL, ingest, random_text
from tests.pdfs import build_pdf

Lines = list[dict[str, Any]]
KEPT: Final = "default"  # the collection that is there all the time
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2, 7, 255, 32_767, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**400, 0.5, -0.0, 1e308),
    *("", " ", "x", "\0", "\ud800", "\u202e\u2066", "\x1b[2J", "a\nb", "../../etc/passwd", "%s %(x)s", "字" * 70),
    *("infinity", "-infinity", "0001-01-01 BC", "294276-01-01", "9999-12-31T23:59:59Z", "epoch", "\\x00", "x" * 3_000),
    *([], [[]], [None], [0], [-1, 5], [[0, 0, 0]], [[5, 1, ["a"]]], {}, {"a": {"b": [1]}}, {"": None}, {"a" * 500: 1}),
)  # fmt: skip
QUESTIONS: Final = (
    "vector index list",
    "向量索引",
    "How many documents are there?",
    "compare memory and disk",
)


@dataclass(slots=True)
class Figures:
    """What became of the files."""

    files: int = 0
    refused: dict[str, int] = field(default_factory=dict)  # by code
    taken: int = 0
    requests: int = 0
    faults: list[str] = field(default_factory=list)

    def passed(self) -> bool:
        """Tell whether none did harm."""
        return not self.faults and self.taken > 0 and bool(self.refused)


def write_export(database: Database, name: str = KEPT) -> bytes:
    """The collection as a file."""
    stream = io.BytesIO()
    with connect(database.app) as connection:
        export_collection(connection, name, stream)
    return stream.getvalue()


def lines_of(file: bytes) -> Lines:
    """The lines of a file."""
    return [json.loads(line) for line in gzip.decompress(file).splitlines()]


def written(lines: Lines) -> bytes:
    """The lines as a file with every sum right."""
    stream = io.BytesIO()
    writer = LineWriter(stream)
    for line in lines:
        if line.get("kind") == "stored":
            writer.end_document()
        elif line.get("kind") == "end":
            writer.close()
        else:
            if line.get("kind") == "document":
                writer.begin_document()
            writer.write(json.dumps(line, separators=(",", ":")))
    return stream.getvalue()


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all that is below a value; of long lists only the first three."""
    below = (
        value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    )
    for key, one in below:
        yield (*path, key)
        yield from _places(one, (*path, key))


def _vectors(rng: random.Random, packed: str, dtype: str) -> str:
    numbers = np.frombuffer(base64.b64decode(packed), dtype=dtype).copy()
    scale = rng.choice((0.0, -1.0, 1e-30, 60_000.0, 3e38 if dtype == ">f4" else 65_504.0, 2.0))
    with np.errstate(all="ignore"):
        numbers = np.full_like(numbers, scale) if rng.random() < 0.5 else (numbers * scale).astype(dtype)
    if rng.random() < 0.3:
        numbers[: len(numbers) // 2] = rng.choice((np.nan, np.inf, 1.0))
    return base64.b64encode(numbers.tobytes()).decode()


def change(rng: random.Random, lines: Lines) -> str:
    """Change one thing; says what."""
    at = rng.choice([at for at, line in enumerate(lines) if line.get("kind") not in ("stored", "end")])
    line = lines[at]
    kind = line.get("kind", "header")
    if kind in ("windows", "chunks") and rng.random() < 0.3:
        line["vectors"] = _vectors(rng, line["vectors"], ">f2" if kind == "windows" else ">f4")
        return f"{kind}.vectors"
    if kind == "chunks" and rng.random() < 0.3:
        term = rng.choice(rng.choice([some for some in line["postings"] if some]))
        term[2] = rng.choice(("", "ff" * 4_000, "00", "ffffffff"))
        term[1] = rng.choice((1, 32_767, term[1]))
        return "chunks.postings.windows"
    if rng.random() < 0.1:
        line[rng.choice(("tenant_id", "collection_id", "evil"))] = rng.choice(_VALUES)
        return f"{kind}+"
    if kind == "document" and rng.random() < 0.15:
        name = rng.choice(
            ("copy_of", "copied_at", "tenant_id", "id", "collection_id", "duplicate_of", "languages")
        )
        line["row"][name] = rng.choice((*_VALUES, "00000000-0000-4000-8000-000000000000"))
        return f"document.row.{name}"
    path = rng.choice(list(_places(line)))
    holder: Any = line
    for key in path[:-1]:
        holder = holder[key]
    if rng.random() < 0.1:
        del holder[path[-1]]
        return f"{kind} without {path}"
    value = rng.choice(_VALUES)
    holder[path[-1]] = copy.deepcopy(value)
    return f"{kind}.{'.'.join(map(str, path))} = {str(value)[:40]!r}"


def crafted(rng: random.Random, lines: Lines) -> tuple[str, bytes]:
    """A file with something changed, and what."""
    changed = copy.deepcopy(lines)
    told = change(rng, changed)
    return told, written(changed)


def requests_to(client: TestClient, name: str) -> Iterator[Any]:
    """Every way in which a collection is read."""
    yield client.get("/collections")
    for sort in ("source", "title", "updated_at", "pages", "-chars"):
        yield client.get("/documents", params={"collection": name, "facets": True, "sort": sort})
    listed = client.get("/documents", params={"collection": name})
    found = listed.json()["documents"] if listed.status_code == 200 else []
    for document in found:
        where = f"/documents/{document['id']}"
        for path in ("", "/text?start=0&end=500", "/original", "/pages", "/pages/1.png", "/pages/1/lines"):
            yield client.get(f"{where}{path}")
        yield client.get(f"{where}/boxes", params={"start": 3, "end": 40})
        yield client.get(f"{where}/boxes", params={"start": 0, "end": max(1, document["chars"])})
    for question in QUESTIONS:
        for asked in ({"collection": name}, {"collections": ["*"]}):
            body = {"question": question, **asked}
            yield client.post("/search", json=body | {"explain": True, "neighbors": 1})
            yield client.post("/ask", json=body)
    for kept in (
        {"updated_at": {"gte": "2020-01-01"}},
        {"metadata": {"number": 1}},
        {"source_prefix": "a"},
        {"language": "zh"},
    ):
        yield client.post("/search", json={"question": QUESTIONS[0], "collection": name, "filter": kept})
    yield client.get("/status")
    yield client.get("/metrics")


class Target:
    """A database with a collection of its own, into which crafted files are imported beside it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with connect(database.owner) as owner:
            self._space_id = ensure_space(owner, FAKE.space)

    def import_(self, file: bytes, embedder: FakeEmbedder = FAKE, name: str = "crafted") -> None:
        """Import a file. Raises PgaskError."""
        with connect(self.database.owner) as owner:
            space_id = ensure_space(owner, embedder.space)
        with connect(self.database.app) as connection:
            import_collection(connection, io.BytesIO(file), name, space_id, embedder, options=SMALL)

    def count(self) -> tuple[Any, ...]:
        """Rows of all tables that an import writes."""
        tables = (
            "collections",
            "documents",
            "document_texts",
            "chunks",
            "originals",
            "original_parts",
            "postings",
        )
        with connect(self.database.owner) as owner:
            counts = [
                owner.execute(f"SELECT count(*) FROM pgask.{table}".encode()).fetchone() for table in tables
            ]
        return tuple(counts)

    def maintain(self) -> None:
        """What the service does by itself every few minutes."""
        with connect(self.database.owner) as owner:
            maintenance.maintain(owner, self._space_id, IndexSettings())
            merge_postings(owner, self._space_id, least=1)


def harm_of(target: Target, client: TestClient, file: bytes, figures: Figures, *, also: bool) -> list[str]:
    """Import a file and use what it made; what went wrong."""
    before = target.count()
    try:
        target.import_(file, FakeEmbedder(model="other", dimension=48) if also else FAKE)
    except PgaskError as error:
        figures.refused[error.code] = figures.refused.get(error.code, 0) + 1
        return [] if target.count() == before else [f"left something: {target.count()} after {before}"]
    except Exception as error:  # the fault that is looked for
        return [f"import: {type(error).__name__}: {str(error)[:200]}"]
    figures.taken += 1
    faults, step = [], "request"
    try:
        for reply in requests_to(client, "crafted"):
            figures.requests += 1
            if reply.status_code >= 500:
                faults.append(f"{reply.request.method} {reply.request.url.path}: {reply.text[:150]}")
        step = "upkeep"
        target.maintain()
        step = "export"
        write_export(target.database, "crafted")
    except Exception as error:  # the fault that is looked for
        faults.append(f"{step}: {type(error).__name__}: {str(error)[:200]}")
    reply = client.delete("/collections/crafted")
    if reply.status_code >= 400:
        faults.append(f"deletion: {reply.text[:150]}")
    return faults


def fill(database: Database, folder: Path) -> bytes:
    """Make the collection, and its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(3):
        text = random_text(number, 12, chinese=number == 2)
        (folder / f"a{number}.md").write_text(
            f"---\nnumber: {number}\n---\n# Title {number}\n\n{text}\n", "utf-8"
        )
    (folder / "twice.md").write_bytes((folder / "a1.md").read_bytes())
    pdf = build_pdf([[random_text(8, 3)[:90]], [random_text(9, 3)[:90]]])
    (folder / "b.pdf").write_bytes(pdf)
    ingest(database, folder)
    with connect(database.app) as connection:
        original = store_original(connection, "b.pdf", hashlib.sha256(pdf).hexdigest(), len(pdf), [pdf])
        connection.execute(
            "UPDATE pgask.originals SET document_id = (SELECT id FROM pgask.documents WHERE source = 'b.pdf')"
            " WHERE id = %s",
            [original],
        )
    return write_export(database)


def attack(database: Database, folder: Path, *, files: int, seed: int) -> Figures:
    """Import so many crafted files, each by its own seed."""
    figures, kinds = Figures(), Counter[str]()
    lines = lines_of(fill(database, folder))
    settings = Settings(_env_file=None, abstain_threshold=0.0, index_check_minutes=0)  # type: ignore[call-arg]
    target = Target(database)
    app = create_app(settings, database, FakeEmbedder())
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        target.maintain()
        expected = _found(client)
        for number in range(files):
            rng = random.Random(f"{seed} {number}")
            told, file = crafted(rng, lines)
            figures.files += 1
            for fault in harm_of(target, client, file, figures, also=rng.random() < 0.15):
                kinds[fault[:60]] += 1
                if kinds[fault[:60]] <= 3:
                    figures.faults.append(f"{number}: {told}: {fault}")
        if _found(client) != expected:
            figures.faults.append("the collection that was there finds something else")
    return figures


def _found(client: TestClient) -> list[Any]:
    return [
        [hit["text"] for hit in client.post("/search", json={"question": question}).json()["hits"]]
        for question in QUESTIONS
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if the run passed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--files", type=int, default=1_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("critical")
    with tempfile.TemporaryDirectory(prefix="pgask-crafted-") as made:
        folder = Path(made)
        with EmbeddedPostgres(folder / "home") as server:
            urls = server.start()
            database = Database(owner=urls.owner, app=urls.app, home=folder / "home")
            migrate(database)
            figures = attack(database, folder / "documents", files=chosen.files, seed=chosen.seed)
    told = asdict(figures) | {"passed": figures.passed()}
    return 0 if report("crafted", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
