"""deploy/ha's configurations as they are written: what listens where, who may read passwords, and what must agree."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.server.account import Account
from tests.unit.test_alerts import NAME, shown

HERE = Path(__file__).parents[2] / "deploy/ha"
ROLES = ("postgres", "replicator", "rewinder", "pgask_owner", "pgask_app")


@pytest.fixture(scope="module")
def modules() -> Iterator[tuple[Any, Any]]:
    sys.path.insert(0, str(HERE))
    yield importlib.import_module("cluster"), importlib.import_module("configurations")
    sys.path.remove(str(HERE))


@pytest.fixture
def cluster(modules: tuple[Any, Any], tmp_path: Path) -> Any:
    made = modules[0]
    passwords = {role: f"secret-of-{role}" for role in ROLES}
    return made.Cluster(tmp_path, made.Ports(8100), passwords, Account("me", 0, 0))


def test_everything_listens_on_a_port_of_its_own(cluster: Any) -> None:
    ports = cluster.ports
    used = [ports.front, ports.primary, ports.pooler, ports.prometheus]
    for node in (1, 2, 3):
        used += [ports.etcd(node), ports.peer(node), ports.patroni(node), ports.postgres(node)]
    used += [ports.service(number) for number in (1, 2)]
    assert len(set(used)) == len(used) == 18


def test_no_acknowledged_commit_is_lost_and_the_times_fit_each_other(
    cluster: Any, modules: tuple[Any, Any]
) -> None:
    conf = modules[1]
    told = json.loads(conf.patroni(cluster, 2, Path("/bin")))
    dcs = told["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert dcs["postgresql"]["use_pg_rewind"] is True
    assert "data-checksums" in told["bootstrap"]["initdb"]  # which pg_rewind needs
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]  # Patroni's own rule
    assert not [line for line in told["postgresql"]["pg_hba"] if "trust" in line]
    assert len(told["etcd3"]["hosts"]) == 3


def test_etcd_answers_patroni(cluster: Any, modules: tuple[Any, Any]) -> None:
    """etcd 3.4 turns the gateway that Patroni asks off where its file says nothing of it."""
    members = [json.loads(modules[1].etcd(cluster, node)) for node in (1, 2, 3)]
    assert all(member["enable-grpc-gateway"] is True for member in members)
    assert len({member["initial-cluster"] for member in members}) == 1


def test_sessions_go_past_the_pooler_and_every_server_is_named(cluster: Any) -> None:
    told = cluster.environment()
    for name, value in told.items():
        assert name.removeprefix("PGASK_").lower() in Settings.model_fields, (name, value)
    assert f":{cluster.ports.pooler}/" in told["PGASK_DATABASE_URL"]
    for name in ("PGASK_DIRECT_DATABASE_URL", "PGASK_OWNER_DATABASE_URL"):
        assert f":{cluster.ports.primary}/" in told[name]
    named = re.findall(r":(\d+)/", told["PGASK_READ_DATABASE_URL"])
    assert named == [str(cluster.ports.postgres(node)) for node in (1, 2, 3)]


@pytest.mark.parametrize(("shares", "mode"), [(True, "transaction"), (False, "session")])
def test_an_old_pgbouncer_keeps_sessions(
    cluster: Any, modules: tuple[Any, Any], mode: str, *, shares: bool
) -> None:
    told = modules[1].pgbouncer(cluster, shares=shares)
    assert f"pool_mode = {mode}\n" in told
    assert ("max_prepared_statements" in told) is shares
    assert "secret" not in told


def test_nothing_that_changes_something_is_sent_twice(cluster: Any, modules: tuple[Any, Any]) -> None:
    told = modules[1].nginx(cluster)
    assert told.index("location ~ ^/(ask|search|v1/|mcp)") < told.index("non_idempotent")
    assert told.count("non_idempotent") == 1
    assert (
        told.count("max_fails=0;") == 2
    )  # else a service that is back is left alone while the other restarts
    assert "on-marked-down shutdown-sessions" in modules[1].haproxy(cluster)


def test_prometheus_scrapes_both_services_and_is_asked_for_what_there_is(
    cluster: Any, modules: tuple[Any, Any]
) -> None:
    (job,) = json.loads(modules[1].prometheus(cluster))["scrape_configs"]
    ports = [cluster.ports.service(number) for number in (1, 2)]
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    asked = {name for panel in modules[0].PANELS for name in NAME.findall(panel)}
    assert len(asked) == 5
    assert asked <= shown()


def test_both_languages_draw_the_same_set_up() -> None:
    english, chinese = ((HERE / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
    drawn = [set(re.findall(r":8\d{3}", text)) for text in (english, chinese)]
    assert drawn[0] == drawn[1]
    assert english.count("\n## ") == chinese.count("\n## ")
