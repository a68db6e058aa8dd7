"""The database of the tests: one embedded PostgreSQL a run, one migrated template, one clone a test.

The server lives in the run's temporary folder and is shared by pytest-xdist's workers; it never touches
PGASK_HOME or PGASK_DATABASE_URL. Clones are made and dropped by EmbeddedPostgres, which refuses every name that
does not end in `_test`.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:  # unit tests need no database, so they don't wait for its libraries either
    from app.server.embedded import EmbeddedPostgres
    from app.store.connection import Database

TEMPLATE = "template_test"
MEMORY = "/dev/shm"
PREFIX = "pg-test"
LEAST_FREE_BYTES = 4 << 30  # a run takes half a gigabyte
ROOT = Path(__file__).parents[1]

# No time limit for an example (machines are busy); in CI the same examples every time, so that a red run is a change's
# fault. What new examples find is found at home and then written down as a case of its own.
settings.register_profile("home", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")
_numbers = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each run a temporary folder of its own.

    pytest's own parent folder is shared by all runs of a user, and each run makes it 0700 again: for root, whose
    PostgreSQL runs as another account, that would lock the server of a run beside it out.
    """
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job ignores it; so would its children
    if config.option.basetemp is None:  # else the caller's choice, or we are a pytest-xdist worker
        config.option.basetemp = _make_folder()
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def _make_folder() -> str:
    """A new folder for a run: in memory where there is enough of it, since each clone is 500 files, which takes a disk
    ten times as long. Its name is short, for sockets lie deep in it. Those of killed runs go."""
    for owner in Path(MEMORY).glob(f"{PREFIX}*/owner"):
        if not Path(f"/proc/{owner.read_text()}").exists():
            shutil.rmtree(owner.parent, ignore_errors=True)
    try:
        enough = shutil.disk_usage(MEMORY).free > LEAST_FREE_BYTES
    except OSError:
        enough = False
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY if enough else None)
    Path(folder, "owner").write_text(str(os.getpid()))
    return folder


class _TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Keeps the tests of a module that has fixtures for all of it in one worker, each other test for itself.

    Such fixtures ingest a set of documents or convert a model: each worker would do it again. (Marks for groups are
    lost between pytest 9.2 and pytest-xdist 3.8.)
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if _is_together(module) else nodeid


@cache
def _is_together(module: str) -> bool:
    return 'scope="module"' in (ROOT / module).read_text("utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Ours for `--dist loadgroup`."""
    return _TogetherScheduling(config, log) if config.option.dist == "loadgroup" else None


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the whole run; a pytest-xdist worker's own one lies below it."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The run's server, with the migrated template in it; the last worker to leave stops it."""
    from app.server.embedded import EmbeddedPostgres
    from app.store.connection import Database
    from app.store.migrate import migrate

    home = run_folder / "pgask-home"
    with EmbeddedPostgres(home) as server:
        with (run_folder / "template.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.seek(0)
            if lock.read() != "made":
                _be_fast(server, home)
                urls = server.create_database(TEMPLATE)
                migrate(Database(owner=urls.owner, app=urls.app))
                lock.write("made")
        yield server


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database of the test's own with pgvector and no schema: for tests of the migrations."""
    yield from _own_database(postgres, None)


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """A database of the test's own, migrated to head and empty. Takes about 0.1 s."""
    yield from _own_database(postgres, TEMPLATE)


def _own_database(postgres: EmbeddedPostgres, template: str | None) -> Iterator[Database]:
    from app.store.connection import Database

    name = f"t{os.getpid()}_{next(_numbers)}_test"
    urls = postgres.create_database(name, template=template)
    yield Database(owner=urls.owner, app=urls.app)
    postgres.drop_database(name)


def _be_fast(server: EmbeddedPostgres, home: Path) -> None:
    """Durability off: this server's data is thrown away. tests/integration/test_embedded.py has servers with it."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    password = json.loads((home / "postgres/credentials.json").read_text())["postgres"]
    url = make_conninfo(server.start().owner, user="postgres", password=password, dbname="postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")
