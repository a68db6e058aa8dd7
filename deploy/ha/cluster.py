"""One primary, two replicas, and two of everything before them, on one machine: see README.md.

    python deploy/ha/cluster.py up | down | status | start NAME … | stop NAME … | kill NAME …

`up` may be called again: it starts what does not run. `kill` ends a process as a power cut does (SIGKILL), with its
children. State is below PGASK_HA_HOME, with a log for each process. Run with pgask's own Python.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
from configurations import LOCAL, etcd, haproxy, nginx, patroni, pgbouncer, prometheus
from psycopg import sql

from app.server.account import Account, open_way, server_account
from app.server.cluster import Layout, locate_binaries

HERE: Final = Path(__file__).resolve().parent
PGASK: Final = Path(sys.executable).with_name("pgask")
NODES: Final = (1, 2, 3)
PATRONI: Final = "patroni[etcd3,psycopg3]==4.1.5"
NEEDED: Final = ("etcd", "haproxy", "nginx", "pgbouncer")
RULES: Final = HERE.parent / "prometheus"
# What the dashboard shows: how long nothing could be written, who is there, and what questions came to.
PANELS: Final = (
    "max(max_over_time(pgask_primary_away_seconds_total[15m]) - min_over_time(pgask_primary_away_seconds_total[15m]))",
    "min(pgask_primary_ready) or min by (replica) (pgask_replica_ready)",
    'sum by (status) (rate(pgask_requests_total{route=~"/ask|/search|/documents"}[20s]))',
    "max(pgask_queue_age_seconds)",
)
_ROLES: Final = ("postgres", "replicator", "rewinder", "pgask_owner", "pgask_app")
_PREPARED_SINCE: Final = (1, 21)
_PATIENCE_S: Final = 180.0


class ClusterError(Exception):
    """Why it does not go on, with a way out."""


@dataclass(frozen=True)
class Ports:
    """Where everything listens, on 127.0.0.1."""

    first: int

    def etcd(self, node: int) -> int:
        return self.first + 10 + node

    def peer(self, node: int) -> int:
        return self.first + 20 + node

    def patroni(self, node: int) -> int:
        return self.first + 30 + node

    def postgres(self, node: int) -> int:
        return self.first + 40 + node

    def service(self, number: int) -> int:
        return self.first + number

    @property
    def primary(self) -> int:
        """HAProxy's, which leads to the primary."""
        return self.first + 50

    @property
    def pooler(self) -> int:
        return self.first + 51

    @property
    def prometheus(self) -> int:
        return self.first + 52

    @property
    def front(self) -> int:
        """nginx's: the service's address."""
        return self.first


@dataclass
class Cluster:
    """All of it."""

    home: Path
    ports: Ports
    passwords: Mapping[str, str]
    account: Account
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, home: Path, first_port: int, **settings: str) -> Cluster:
        """The cluster below a folder, which is made where there is none. `settings`: more of pgask's."""
        home.mkdir(parents=True, exist_ok=True)
        account = server_account(home / "node1/data")
        for name in ("run", "log", "conf"):
            (home / name).mkdir(exist_ok=True)
            account.own(home / name)
        account.own(home)
        open_way(home / "run", account)
        open_way(Path(sys.executable).resolve(), account)
        file = home / "passwords.json"
        if not file.exists():
            file.touch(0o600)
            file.write_text(json.dumps({role: secrets.token_urlsafe(24) for role in _ROLES}))
        return cls(home, Ports(first_port), json.loads(file.read_text()), account, settings)

    # what there is

    def commands(self) -> dict[str, tuple[list[str], dict[str, str], bool]]:
        """By name, in the order in which they start: the command, its environment, and whether it is pgask's own, which
        runs as this user."""
        found: dict[str, tuple[list[str], dict[str, str], bool]] = {}
        conf, program = self.home / "conf", self.home / "patroni/bin/patroni"
        for node in NODES:
            found[f"etcd{node}"] = (["etcd", "--config-file", str(conf / f"etcd{node}.yml")], {}, False)
        for node in NODES:
            found[f"node{node}"] = ([str(program), str(conf / f"node{node}.yml")], {}, False)
        found["haproxy"] = (["haproxy", "-db", "-f", str(conf / "haproxy.cfg")], {}, False)
        found["pgbouncer"] = (["pgbouncer", str(conf / "pgbouncer.ini")], {}, False)
        pgask = [str(PGASK)]
        for number in (1, 2):
            own = {"PGASK_PORT": str(self.ports.service(number)), "PGASK_WORKERS": "0"}
            found[f"service{number}"] = ([*pgask, "serve"], self.environment() | own, True)
        for number in (1, 2):
            found[f"worker{number}"] = ([*pgask, "worker"], self.environment(), True)
        found["nginx"] = (["nginx", "-c", str(conf / "nginx.conf"), "-p", str(self.home)], {}, False)
        if _which("prometheus") is not None:
            found["prometheus"] = (
                [
                    *("prometheus", "--config.file", str(conf / "prometheus.yml"), "--storage.tsdb.path"),
                    *(str(self.home / "prometheus"), "--storage.tsdb.retention.time=2d"),
                    f"--web.listen-address={LOCAL}:{self.ports.prometheus}",
                ],
                {},
                False,
            )
        return found

    def dashboard(self) -> str | None:
        """Where Prometheus shows what happens; None where it is not installed."""
        if "prometheus" not in self.commands():
            return None
        shown = {
            f"g{number}.{name}": value
            for number, expression in enumerate(PANELS)
            for name, value in (("expr", expression), ("tab", "0"), ("range_input", "15m"))
        }
        return f"http://{LOCAL}:{self.ports.prometheus}/graph?{urllib.parse.urlencode(shown)}"

    def url(self, role: str, port: int, database: str = "pgask") -> str:
        """An address of the database."""
        return f"postgresql://{role}:{self.passwords[role]}@{LOCAL}:{port}/{database}"

    def environment(self) -> dict[str, str]:
        """pgask's settings: requests by the pooler, sessions by HAProxy to the primary, questions at each server
        that is a replica at the time."""
        direct = self.url("pgask_app", self.ports.primary)
        return {
            "PGASK_DATABASE_URL": self.url("pgask_app", self.ports.pooler),
            "PGASK_DIRECT_DATABASE_URL": direct,
            "PGASK_OWNER_DATABASE_URL": self.url("pgask_owner", self.ports.primary),
            "PGASK_READ_DATABASE_URL": ",".join(
                self.url("pgask_app", self.ports.postgres(node)) for node in NODES
            ),
            "PGASK_HOST": LOCAL,
            **self.settings,
        }

    # up and down

    def up(self) -> str:
        """Start what does not run, make what is not there, and return the service's address."""
        missing = [name for name in NEEDED if _which(name) is None]
        if missing:
            raise ClusterError(
                f"These programs are missing: apt-get install {' '.join(map(_package, missing))}"
            )
        self._install_patroni()
        self._configure()
        names = list(self.commands())
        first = [name for name in names if name.startswith(("etcd", "node", "haproxy", "pgbouncer"))]
        for name in first:
            self.start(name)
        self._wait("primary", self._reaches_primary)
        self._make_database()
        self._run_pgask("migrate")
        for name in names[len(first) :]:
            self.start(name)
        for number in (1, 2):
            self._wait(f"service{number}", partial(_answers, self.ports.service(number), "/readyz"))
        self._wait("nginx", lambda: _answers(self.ports.front, "/readyz"))
        return f"http://{LOCAL}:{self.ports.front}"

    def down(self) -> None:
        """Stop all, the last that was started first."""
        names = list(self.commands())[::-1]
        servers = [name for name in names if name.startswith("node")]
        for name in names:
            if name not in servers:
                if name.startswith("etcd") and servers:  # the servers leave while they can still say so
                    self._stop_all(servers)
                    servers = []
                self.stop(name)

    def _stop_all(self, names: Sequence[str]) -> None:
        for name in names:
            if self.is_running(name):
                os.kill(self.pid(name), signal.SIGTERM)
        for name in names:
            self.stop(name)

    def start(self, name: str) -> None:
        """Start a process that does not run."""
        if self.is_running(name):
            return
        command, environment, is_own = self.commands()[name]
        program = _which(command[0]) or command[0]
        as_user: dict[str, Any] = {}
        if self.account.is_other and not is_own:
            as_user = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        kept = {  # libpq's variables, and Patroni's, would lead elsewhere
            name: value
            for name, value in os.environ.items()
            if name.startswith("PGASK_") or not name.startswith(("PG", "PATRONI"))
        }
        with (self.home / "log" / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [program, *command[1:]],
                cwd=self.home if not is_own else HERE.parents[1],
                env=kept | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user,
            )
        self._pid_file(name).write_text(str(process.pid))

    def stop(self, name: str, *, patience_s: float = 60.0) -> None:
        """End a process in its own way."""
        if self.is_running(name):
            os.kill(self.pid(name), signal.SIGTERM)
            deadline = time.monotonic() + patience_s
            while self.is_running(name) and time.monotonic() < deadline:
                time.sleep(0.1)
            if self.is_running(name):
                self.kill(name)
        self._pid_file(name).unlink(missing_ok=True)

    def kill(self, name: str) -> None:
        """End a process and all of its children at once, PostgreSQL's too."""
        pids = [self.pid(name), *_children(self.pid(name))]
        if name.startswith("node"):
            with suppress(OSError, ValueError, IndexError):
                postmaster = int((self.home / name / "data/postmaster.pid").read_text().split()[0])
                pids += [postmaster, *_children(postmaster)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while self.is_running(name):
            time.sleep(0.05)

    def pid(self, name: str) -> int:
        """Of a process that was started; 0 where it was not."""
        with suppress(FileNotFoundError, ValueError):
            return int(self._pid_file(name).read_text())
        return 0

    def is_running(self, name: str) -> bool:
        """Whether it does."""
        pid = self.pid(name)
        if not pid:
            return False
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        with suppress(OSError):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] != "Z"
        return False

    def leader(self) -> int | None:
        """The node that is the primary, as Patroni says it."""
        return next((node for node in NODES if _answers(self.ports.patroni(node), "/primary")), None)

    def replicas(self) -> list[int]:
        """The nodes that are replicas."""
        return [node for node in NODES if _answers(self.ports.patroni(node), "/replica")]

    def _reaches_primary(self) -> bool:
        url = self.url("postgres", self.ports.primary, "postgres")
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=3):
            return True
        return False

    def _pid_file(self, name: str) -> Path:
        return self.home / "run" / f"{name}.pid"

    # what is made once

    def _install_patroni(self) -> None:
        if not (self.home / "patroni/bin/patroni").exists():
            fresh = self.home / "patroni"
            subprocess.run([sys.executable, "-m", "venv", fresh], check=True)
            subprocess.run([fresh / "bin/pip", "install", "--quiet", PATRONI, "psycopg[binary]"], check=True)

    def _configure(self) -> None:
        """Write all configurations anew; passwords are in them, so their readers are few."""
        written = {f"etcd{node}.yml": etcd(self, node) for node in NODES}
        binaries = locate_binaries(Layout(self.home), self.account)
        written |= {f"node{node}.yml": patroni(self, node, binaries) for node in NODES}
        shares = pgbouncer_version() >= _PREPARED_SINCE
        written |= {"haproxy.cfg": haproxy(self), "pgbouncer.ini": pgbouncer(self, shares=shares)}
        written |= {"users.txt": "".join(f'"{role}" "{word}"\n' for role, word in self.passwords.items())}
        written |= {"nginx.conf": nginx(self), "prometheus.yml": prometheus(self)}
        written |= {rules.name: rules.read_text("utf-8") for rules in RULES.glob("*.rules.yml")}
        for name, text in written.items():
            path = self.home / "conf" / name
            path.touch(0o600)
            path.write_text(text, "utf-8")
            self.account.own(path)
        for name in ("prometheus", *(f"{kind}{node}" for node in NODES for kind in ("node", "etcd"))):
            folder = self.home / name
            folder.mkdir(mode=0o700, exist_ok=True)
            self.account.own(folder)

    def _make_database(self) -> None:
        with psycopg.connect(self.url("postgres", self.ports.primary, "postgres"), autocommit=True) as owner:
            for role in ("pgask_owner", "pgask_app"):
                if owner.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                    made = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {}")
                    owner.execute(made.format(sql.Identifier(role), sql.Literal(self.passwords[role])))
            if owner.execute("SELECT FROM pg_database WHERE datname = 'pgask'").fetchone() is None:
                owner.execute("CREATE DATABASE pgask OWNER pgask_owner")
        with psycopg.connect(self.url("postgres", self.ports.primary), autocommit=True) as owner:
            owner.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _run_pgask(self, *arguments: str) -> None:
        subprocess.run(
            [str(PGASK), *arguments],
            cwd=HERE.parents[1],
            env=os.environ | self.environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def _wait(self, what: str, holds: Any) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"No {what} after {_PATIENCE_S:.0f} s: the logs are in {self.home / 'log'}"
                )
            time.sleep(0.3)


def pgbouncer_version() -> tuple[int, ...]:
    """Of the one that is installed."""
    said = subprocess.run([str(_which("pgbouncer")), "--version"], capture_output=True, text=True, check=True)
    number = said.stdout.split()[1].split(".")
    return int(number[0]), int(number[1])


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _package(program: str) -> str:
    return {"etcd": "etcd-server"}.get(program, program)


def _children(pid: int) -> Iterator[int]:
    """All that descend from a process."""
    with suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            yield child
            yield from _children(child)


def _answers(port: int, path: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://{LOCAL}:{port}{path}", timeout=3) as reply:
        return bool(reply.status == 200)
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """From the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("what", choices=["up", "down", "status", "start", "stop", "kill"])
    options.add_argument("names", nargs="*")
    chosen = options.parse_args(arguments)
    home = Path(os.environ.get("PGASK_HA_HOME", "~/.local/share/pgask-ha")).expanduser().absolute()
    cluster = Cluster.at(home, int(os.environ.get("PGASK_HA_PORT", "8100")))
    unknown = set(chosen.names) - set(cluster.commands())
    if unknown:
        options.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(cluster.commands())}")
    try:
        if chosen.what == "up":
            print(f"pgask is ready: {cluster.up()}  (the primary is node{cluster.leader()})")
            print(f"dashboard: {cluster.dashboard() or 'none, since prometheus is not installed'}")
        elif chosen.what == "down":
            cluster.down()
        else:
            act = {"start": cluster.start, "stop": cluster.stop, "kill": cluster.kill}.get(chosen.what)
            for name in chosen.names or (cluster.commands() if act is None else ()):
                if act is not None:
                    act(name)
                print(f"{name:10} {'runs' if cluster.is_running(name) else 'does not run'}")
            print(f"primary: node{cluster.leader()}")
    except (ClusterError, subprocess.CalledProcessError, psycopg.Error) as error:
        print(f"pgask-ha: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
