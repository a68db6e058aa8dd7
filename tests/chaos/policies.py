"""Every policy broken once (R30): what holds tenants apart is told from what does not, table by table.

    .venv/bin/python -m tests.chaos.policies [--operations N] [--seed S] [--out FOLDER]

Two tenants have rows in every table that has policies. A mutant is one policy that lets everything through, or is gone,
or one table without row-level security; `seen_amiss` has to notice each, and none on the schema as it is. A table that
a second, restrictive policy holds as well stays closed: there both are broken, and that has to be noticed. With
`--operations`, tests/chaos/tenants.py tries so many hostile requests against some of the mutants, too: how many of them
the routes alone would show is told, for a policy that no route leans on is still the last thing that holds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from psycopg import sql

from app.logs import configure_logs
from app.server.embedded import EmbeddedPostgres
from app.store.connection import Connection, Database, connect, see
from app.store.migrate import migrate
from app.store.posting_blocks import merge_postings
from app.store.shelves import ensure_shelf
from app.store.spaces import find_collection
from app.store.tenancy import NOBODY, Scope, open_scope, working_for
from app.store.tenant_list import create_tenant
from tests.chaos import tenants
from tests.chaos.evidence import report
from tests.integration.ingesting import ingest, random_text

# What is nobody's, and has no policies: tests/integration/test_tenants.py says why.
_TABLES: Final = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('pgask', 'pgask_vectors') AND c.relkind IN ('r', 'p') AND c.relrowsecurity ORDER BY 1, 2"""
_POLICIES: Final = """
SELECT n.nspname, c.relname, p.polname, pg_get_expr(p.polqual, p.polrelid)
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 ORDER BY 1, 2, 3"""
# Rows that taking in a file does not make. By the service's role: its policies say whose they are.
_ROWS: Final[Mapping[str, str]] = {
    "api_keys": "INSERT INTO pgask.api_keys (name, role, prefix, digest)"
    " VALUES ('k', 'reader', 'pgask_', sha256(current_setting('pgask.tenant')::bytea))",
    "sessions": "INSERT INTO pgask.sessions (digest, key_id, expires_at)"
    " SELECT sha256(digest), id, now() + interval '1 day' FROM pgask.api_keys",
    "audit": "INSERT INTO pgask.audit (actor, action, target, status) VALUES ('a', 'ask', '', 200)",
    "jobs": "INSERT INTO pgask.jobs (collection_id, kind) SELECT id, 'upload' FROM pgask.collections",
    "originals": "INSERT INTO pgask.originals (name, sha256, size_bytes, document_id)"
    " SELECT 'o', '', 1, id FROM pgask.documents WHERE source = 'heron.md'",
    "original_parts": "INSERT INTO pgask.original_parts (original_id, part, bytes)"
    " SELECT id, 0, 'x' FROM pgask.originals",
    "job_files": "INSERT INTO pgask.job_files (job_id, position, source) SELECT id, 0, 's' FROM pgask.jobs",
    "feedback": "INSERT INTO pgask.feedback (actor, request_id, rating, comment, question, answer, abstained, scope,"
    " citations, state) SELECT 'a', 'r', 'up', '', 'q', 'a', false, jsonb_build_object('collections',"
    " jsonb_build_array(name)), '[]', '{}' FROM pgask.collections",
    "replies": "INSERT INTO pgask.replies (asker, request_id, reply) VALUES ('a', 'r', '{}')",
    "completions": "INSERT INTO pgask.completions (digest, text) VALUES ('d', 't')",
    "conversations": "INSERT INTO pgask.conversations (owner, id, content, size_bytes) VALUES ('o', 'i', '{}', 2)",
    "question_vectors": "INSERT INTO pgask.question_vectors (space_id, digest, embedding, asked_at)"
    " SELECT id, 'd', '{1}', now() FROM pgask.embedding_spaces",
    "background_windows": "INSERT INTO pgask.background_windows (collection_id, document_id, window_index)"
    " SELECT collection_id, id, 0 FROM pgask.documents ON CONFLICT DO NOTHING",
    "former_documents": "INSERT INTO pgask.former_documents (id, collection_id, document_id)"
    " SELECT gen_random_uuid(), collection_id, id FROM pgask.documents",
    "postings": "INSERT INTO pgask.postings (chunk_id, collection_id, term_frequency, chunk_terms, term)"
    " SELECT chunk_id, collection_id, 1, 1, 'late' FROM pgask.merged_chunks",
    "page_lines": "INSERT INTO pgask.page_lines (document_id, page, width, height, lines, collection_id)"
    " SELECT id, 1, 1, 1, '{}', collection_id FROM pgask.documents",
}
# A file of a job that is seen, whose document was moved to where only a group sees it
_KEPT_FILE: Final = """
INSERT INTO pgask.job_files (job_id, position, source, collection_id)
SELECT j.id, 1, 's', shelf.id FROM pgask.jobs j JOIN pgask.collections c ON c.id = j.collection_id
 CROSS JOIN pgask.collections shelf WHERE c.name = 'default' AND shelf.readers IS NOT NULL"""
# Rows of a tenant that who is in no group sees
_OPEN: Final[Mapping[str, int]] = {"collections": 2, "jobs": 2, "job_files": 2}
_TEXT: Final = random_text(1, 120)  # long enough to be compared with others
_LENT: Final = "lent"  # a collection that a narrowed scope does not see
# Tables of which half the rows belong to a collection that a narrowed scope does not see
NARROWED: Final = frozenset(
    {
        "collections",
        "jobs",
        "job_files",
        "originals",
        "original_parts",
        "feedback",
        "documents",
        "chunks",
        "postings",
        "posting_blocks",
        "merged_chunks",
    }
)
# Tables whose rows a route shows, so that requests alone tell of a mutant
SHOWN: Final = (
    *(
        "documents",
        "chunks",
        "collections",
        "document_texts",
        "chunk_vectors_1",
        "postings",
        "jobs",
        "originals",
    ),
    *("original_parts", "job_files", "api_keys", "document_facts"),
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One thing broken, and how it is mended."""

    name: str
    table: str
    breaks: sql.Composed
    mends: sql.Composed


@dataclass(slots=True)
class Figures:
    """What was broken, and what noticed."""

    tables: int = 0
    mutants: int = 0
    whole: list[str] = field(default_factory=list)  # what was seen amiss in the schema as it is
    unnoticed: list[str] = field(default_factory=list)
    held_twice: list[str] = field(default_factory=list)  # noticed once the second policy was broken as well
    by_requests: dict[str, int] = field(default_factory=dict)  # mutant → leaks among the hostile requests

    def passed(self) -> bool:
        """Tell whether each mutant was noticed, and nothing else."""
        return not self.whole and not self.unnoticed and self.mutants > 0 < self.tables


def fill(database: Database, folder: Path) -> tuple[Scope, Scope]:
    """Two tenants with rows in every table that has policies, in two collections each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "heron.md").write_text(f"---\nkind: bird\n---\n# Heron\n\n{_TEXT}\n", "utf-8")
    scopes = []
    for name in ("first", "second"):
        with connect(database.owner) as owner:
            create_tenant(owner, name)
        with connect(database.app) as app:
            scope = open_scope(app, name)
        with working_for(scope):
            for collection in ("default", _LENT):
                assert ingest(database, folder, collection=collection).failed == []
            with connect(database.owner) as owner:
                assert merge_postings(owner, space_id=1, least=1) > 1
            with connect(database.app) as app:
                ensure_shelf(app, _LENT, find_collection(app, _LENT).space_id, ("hr",))
                for statement in (*_ROWS.values(), _KEPT_FILE):
                    app.execute(statement.encode())
        scopes.append(scope)
    return scopes[0], scopes[1]


def seen_amiss(app: Connection, owner: Connection, scopes: Sequence[Scope]) -> list[str]:
    """What is wrong with who sees which rows: nobody sees any, each row is seen by its tenant and by no other, who is
    narrowed to a collection sees no row of the other one, and who is in no group none that is kept for one. `scopes`
    are all tenants that have rows."""
    amiss = []
    for schema, table in owner.execute(_TABLES).fetchall():
        every, nobodys, *theirs = (
            _count(connection, schema, table, scope)
            for connection, scope in [(owner, NOBODY), (app, NOBODY), *((app, scope) for scope in scopes)]
        )
        if nobodys:
            amiss.append(f"{table}: nobody sees {nobodys} rows")
        if sum(theirs) != every:
            amiss.append(f"{table}: {every} rows, and tenants see {theirs}")
        if not all(theirs):
            amiss.append(f"{table}: tenants see {theirs}")
        opened = _count(app, schema, table, Scope(scopes[0].tenant))
        if table in _OPEN and opened != _OPEN[table]:
            amiss.append(f"{table}: who is in no group sees {opened} of {theirs[0]} rows")
        narrowed = _count(app, schema, table, Scope(scopes[0].tenant, ("default",)))
        if table in NARROWED and not 0 < 2 * narrowed <= theirs[0]:
            amiss.append(
                f"{table}: narrowed to one of two collections {narrowed} of {theirs[0]} rows are seen"
            )
    return amiss


def _count(connection: Connection, schema: str, table: str, scope: Scope) -> int:
    see(connection, scope)
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
    return int(connection.execute(query).fetchall()[0][0])


_NARROWED: Final = "narrowed lets all through"
_AS_IT_WAS: Final = "ALTER POLICY {policy} ON {table} USING ({condition})"
_THE_OWNERS: Final = "ALTER POLICY {policy} ON {table} TO CURRENT_USER"


def mutants(owner: Connection) -> list[Mutant]:
    """One a policy that would let everything through, one a tenant's policy that is gone, and one a table without
    row-level security."""
    found = []
    for schema, table, policy, condition in owner.execute(_POLICIES).fetchall():
        names = {
            "policy": sql.Identifier(policy),
            "table": sql.Identifier(schema, table),
            "condition": sql.SQL(condition),
        }
        tried = {"lets all through": ("ALTER POLICY {policy} ON {table} USING (true)", _AS_IT_WAS)}
        if policy == "owner":
            tried = {"is everybody's": ("ALTER POLICY {policy} ON {table} TO PUBLIC", _THE_OWNERS)}
        elif policy == "tenant":
            tried["is gone"] = (
                "DROP POLICY {policy} ON {table}",
                "CREATE POLICY {policy} ON {table} USING ({condition})",
            )
        for how, (breaks, mends) in tried.items():
            found.append(
                Mutant(
                    f"{table}: {policy} {how}",
                    table,
                    sql.SQL(breaks).format(**names),
                    sql.SQL(mends).format(**names),
                )
            )
    for schema, table in owner.execute(_TABLES).fetchall():
        name = sql.Identifier(schema, table)
        found.append(
            Mutant(
                f"{table}: no row-level security",
                table,
                sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(name),
                sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name),
            )
        )
    return found


@contextmanager
def broken(owner: Connection, mutant: Mutant) -> Iterator[None]:
    """The schema with one thing broken until the block ends."""
    owner.execute(mutant.breaks)
    try:
        yield
    finally:
        owner.execute(mutant.mends)


def run(database: Database, folder: Path, *, every: int = 1) -> Figures:
    """Break each policy of a migrated database once, or one of so many."""
    figures = Figures()
    scopes = fill(database, folder)
    with connect(database.owner) as owner, connect(database.app) as app:
        tables = [table for _, table in owner.execute(_TABLES).fetchall()]
        figures.tables = len(tables)
        figures.whole = seen_amiss(app, owner, scopes)

        def notice() -> bool:
            left = [table for _, table in owner.execute(_TABLES).fetchall()]
            return left != tables or bool(seen_amiss(app, owner, scopes))

        tried = mutants(owner)
        narrowed = {mutant.table: mutant for mutant in tried if mutant.name.endswith(_NARROWED)}
        for mutant in tried[::every]:
            figures.mutants += 1
            with broken(owner, mutant):
                if notice():
                    continue
                second = narrowed.get(mutant.table)
                with nullcontext() if second is None else broken(owner, second):
                    (figures.held_twice if notice() else figures.unnoticed).append(mutant.name)
        figures.whole += seen_amiss(app, owner, scopes)
    return figures


def try_requests(server: EmbeddedPostgres, folder: Path, operations: int, seed: int) -> dict[str, int]:
    """How many leaks hostile requests show where the policy of a table lets all through, by table."""
    found = {}
    for number, table in enumerate(SHOWN):
        name = f"mutant{number}_test"
        urls = server.create_database(name)
        database = Database(owner=urls.owner, app=urls.app)
        migrate(database)
        schema = "pgask_vectors" if table.endswith("_1") else "pgask"
        breaks = sql.SQL("ALTER POLICY tenant ON {} USING (true)").format(sql.Identifier(schema, table))
        files = folder / str(number)
        files.mkdir()
        figures = tenants.run(database, files, count=operations, timed=0, seed=seed, breaks=breaks)
        found[table] = len(figures.leaks)
        server.drop_database(name)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; exit status 0 if each mutant was noticed."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--operations", type=int, default=0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args(arguments)
    configure_logs("ERROR")
    with tempfile.TemporaryDirectory(prefix="pgask-policies-") as made:
        folder = Path(made)
        with EmbeddedPostgres(folder / "home") as server:
            urls = server.start()
            database = Database(owner=urls.owner, app=urls.app)
            migrate(database)
            figures = run(database, folder / "files")
            if chosen.operations:
                figures.by_requests = try_requests(server, folder, chosen.operations, chosen.seed)
    told: dict[str, Any] = asdict(figures) | {"passed": figures.passed()}
    return 0 if report("policies", chosen.seed, told, out=chosen.out) else 1


if __name__ == "__main__":
    sys.exit(main())
