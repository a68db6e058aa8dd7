"""What each program of deploy/ha is told. YAML is written as JSON, which it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cluster import Cluster

LOCAL: Final = "127.0.0.1"
NAME: Final = "pgask-ha"
# A primary that is lost with its machine is replaced after at most TTL_S, one whose PostgreSQL alone has died at once.
TTL_S: Final = 20
LOOP_S: Final = 5
RETRY_S: Final = 5


def etcd(cluster: Cluster, node: int) -> str:
    """Three members: one may be lost."""
    ports = cluster.ports
    members = ",".join(f"etcd{one}=http://{LOCAL}:{ports.peer(one)}" for one in (1, 2, 3))
    return _json(
        {
            "name": f"etcd{node}",
            "data-dir": str(cluster.home / f"etcd{node}/data"),
            "listen-client-urls": f"http://{LOCAL}:{ports.etcd(node)}",
            "advertise-client-urls": f"http://{LOCAL}:{ports.etcd(node)}",
            "listen-peer-urls": f"http://{LOCAL}:{ports.peer(node)}",
            "initial-advertise-peer-urls": f"http://{LOCAL}:{ports.peer(node)}",
            "initial-cluster": members,
            "initial-cluster-token": NAME,
            "heartbeat-interval": 250,
            "election-timeout": 2500,
            "enable-grpc-gateway": True,  # 3.4 turns it off where a file says nothing of it
            "logger": "zap",
            "log-level": "warn",
        }
    )


def patroni(cluster: Cluster, node: int, binaries: Path) -> str:
    """A server that is the primary or a replica, as Patroni decides. Commits wait for one replica (synchronous_mode),
    so that a failover loses nothing that was acknowledged; they don't where there is none."""
    ports, passwords = cluster.ports, cluster.passwords
    role = {
        name: {"username": name, "password": passwords[name]}
        for name in ("postgres", "replicator", "rewinder")
    }
    return _json(
        {
            "scope": NAME,
            "name": f"node{node}",
            "restapi": {"listen": f"{LOCAL}:{ports.patroni(node)}"},
            "etcd3": {"hosts": [f"{LOCAL}:{ports.etcd(one)}" for one in (1, 2, 3)]},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL_S,
                    "loop_wait": LOOP_S,
                    "retry_timeout": RETRY_S,
                    "primary_start_timeout": 0,
                    "maximum_lag_on_failover": 16 << 20,
                    "synchronous_mode": True,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "use_slots": True,
                        "parameters": {
                            "max_connections": 100,
                            "wal_keep_size": "256MB",
                            "hot_standby_feedback": True,
                            "shared_buffers": "128MB",
                            "max_wal_size": "512MB",
                            "timezone": "UTC",
                        },
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, {"locale-provider": "builtin"},
                           {"builtin-locale": "C.UTF-8"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{LOCAL}:{ports.postgres(node)}",
                "connect_address": f"{LOCAL}:{ports.postgres(node)}",
                "data_dir": str(cluster.home / f"node{node}/data"),
                "bin_dir": str(binaries),
                "pgpass": str(cluster.home / f"node{node}/pgpass"),
                "authentication": {"superuser": role["postgres"], "replication": role["replicator"],
                                   "rewind": role["rewinder"]},
                "parameters": {"unix_socket_directories": str(cluster.home / f"node{node}")},
                "pg_hba": [
                    "local all all scram-sha-256",
                    f"host replication replicator {LOCAL}/32 scram-sha-256",
                    f"host all all {LOCAL}/32 scram-sha-256",
                ],
            },
        }
    )  # fmt: skip


def haproxy(cluster: Cluster) -> str:
    """To the primary alone; sessions of one that is none any more are ended, since they would wait for ever."""
    ports = cluster.ports
    servers = "".join(
        f"    server node{node} {LOCAL}:{ports.postgres(node)} check port {ports.patroni(node)}\n"
        for node in (1, 2, 3)
    )
    return f"""global
    maxconn 500
defaults
    mode tcp
    timeout connect 2s
    timeout client 30m
    timeout server 30m
    timeout check 2s
listen primary
    bind {LOCAL}:{ports.primary}
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 1s fastinter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}"""


def pgbouncer(cluster: Cluster, *, shares: bool) -> str:
    """In transaction mode where it `shares` sessions well (1.21 or newer), else in session mode."""
    mode = "pool_mode = transaction\nmax_prepared_statements = 200" if shares else "pool_mode = session"
    conf = cluster.home / "conf"
    return f"""[databases]
pgask = host={LOCAL} port={cluster.ports.primary} dbname=pgask
[pgbouncer]
listen_addr = {LOCAL}
listen_port = {cluster.ports.pooler}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {conf}/users.txt
{mode}
default_pool_size = 40
max_client_conn = 400
server_login_retry = 1
query_wait_timeout = 5
server_connect_timeout = 3
ignore_startup_parameters = extra_float_digits
"""


def nginx(cluster: Cluster) -> str:
    """Before both services. A question that one of them does not answer goes to the other, since it changes nothing;
    anything else does so only where it has not been sent yet. No service is left alone for having failed (max_fails):
    the first of two that are restarted would still be while the second one is."""
    ports, run = cluster.ports, cluster.home / "run"
    paths = "".join(
        f"    {name}_temp_path {run}/nginx-{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""worker_processes 1;
daemon off;
pid {run}/nginx.own.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
{paths}    client_max_body_size 0;
    proxy_read_timeout 300s;
    proxy_connect_timeout 1s;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    upstream services {{
        server {LOCAL}:{ports.service(1)} max_fails=0;
        server {LOCAL}:{ports.service(2)} max_fails=0;
    }}
    server {{
        listen {LOCAL}:{ports.front};
        location / {{
            proxy_pass http://services;
            proxy_request_buffering off;
        }}
        location ~ ^/(ask|search|v1/|mcp) {{
            proxy_pass http://services;
            proxy_next_upstream error timeout http_502 http_503 non_idempotent;
            proxy_next_upstream_tries 2;
        }}
    }}
}}
"""


def prometheus(cluster: Cluster) -> str:
    """Scrapes both services; an outage of seconds is counted by them. The rules lie beside it."""
    targets = [f"{LOCAL}:{cluster.ports.service(number)}" for number in (1, 2)]
    return _json(
        {
            "global": {"scrape_interval": "5s", "scrape_timeout": "5s", "evaluation_interval": "5s"},
            "rule_files": ["*.rules.yml"],
            "scrape_configs": [{"job_name": "pgask", "static_configs": [{"targets": targets}]}],
        }
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"
