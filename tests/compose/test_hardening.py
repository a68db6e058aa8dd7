"""What the running containers may do, asked of the engine and of the containers themselves."""

from __future__ import annotations

import json

import httpx2
import pytest

from tests.compose.stack import Stack, run

pytestmark = pytest.mark.compose

RUNNING = ("app", "db")
EVER_RUN = ("passwords", "migrate", *RUNNING)


def status_of(stack: Stack, service: str, process: str) -> dict[str, str]:
    """/proc/PROCESS/status by field, as the container sees it; `process` may be a shell expression."""
    said = stack.execute(service, "sh", "-c", f"cat /proc/{process}/status")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in said.splitlines())}


@pytest.mark.parametrize("service", EVER_RUN)
def test_the_engine_holds_the_container_back(stack: Stack, service: str) -> None:
    found = stack.inspect(service)
    host = found["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert set(host["CapAdd"] or []) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
    assert service == "db" or not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Privileged"]
    assert host["PidsLimit"] > 0
    assert host["Memory"] > 0
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert host["RestartPolicy"]["Name"] == ("unless-stopped" if service in RUNNING else "no")
    assert found["Config"]["User"] == ("" if service == "db" else "10001:10001")


@pytest.mark.parametrize(
    ("service", "process"), [("app", "self"), ("app", "1"), ("db", "$(head -n 1 $PGDATA/postmaster.pid)")]
)
def test_no_process_that_serves_is_root_or_has_a_capability(stack: Stack, service: str, process: str) -> None:
    status = status_of(stack, service, process)
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(stack: Stack, host: str) -> None:
    assert httpx2.get(f"{stack.url}/documents", headers={"Host": host}, timeout=30).status_code == 421


@pytest.mark.parametrize("place", ["/opt/pgask/x", "/documents/x", "/etc/x", "/passwords/app/pgpass"])
def test_the_app_can_write_nowhere_but_in_tmp(stack: Stack, place: str) -> None:
    with pytest.raises(AssertionError, match=r"Read-only file system|Permission denied"):
        stack.execute("app", "sh", "-c", f"echo x >>{place}")
    stack.execute("app", "sh", "-c", "echo x >/tmp/x && rm /tmp/x")


def test_only_the_app_is_published_and_only_on_this_machine(stack: Stack) -> None:
    assert stack.inspect("db")["HostConfig"]["PortBindings"] == {}
    port = stack.variables["PGASK_PORT"]
    assert stack.inspect("app")["HostConfig"]["PortBindings"] == {
        "8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]
    }


def test_the_app_s_role_can_change_rows_and_nothing_else(stack: Stack) -> None:
    code = """
import os, psycopg
with psycopg.connect(os.environ["PGASK_DATABASE_URL"], autocommit=True) as connection:
    for statement in ("CREATE TABLE public.x ()", "CREATE TABLE pgask.x ()", "CREATE TEMP TABLE x ()",
                      "CREATE SCHEMA x", "DROP TABLE pgask.documents", "ALTER TABLE pgask.documents ADD COLUMN x int",
                      "UPDATE pgask.alembic_version SET version_num = 'x'", "SET ROLE pgask_owner"):
        try:
            connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            continue
        print("allowed:", statement)
    print(connection.execute("SELECT current_user, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
                             " FROM pg_roles WHERE rolname = current_user").fetchone())
"""
    assert stack.execute("app", "python", "-c", code).strip() == "('pgask_app', False, False, False, False)"


def test_nobody_logs_in_over_the_network_but_the_two_roles(stack: Stack) -> None:
    code = """
import psycopg
for user, password in (("postgres", ""), ("postgres", "postgres"), ("pgask_owner", "pgask_owner"), ("pgask_app", "")):
    try:
        psycopg.connect(host="db", dbname="pgask", user=user, password=password or None, passfile="/dev/null")
        print("logged in:", user)
    except psycopg.OperationalError:
        pass
"""
    assert stack.execute("app", "python", "-c", code).strip() == ""


def test_the_app_has_no_other_password_than_its_own(stack: Stack) -> None:
    assert stack.execute("app", "sh", "-c", "ls -A /passwords/owner /passwords/db").split() == [
        "/passwords/db:",
        "/passwords/owner:",
    ]


def test_no_password_is_in_a_variable_a_command_or_a_log(stack: Stack) -> None:
    passwords = [
        stack.execute("db", "cat", f"/passwords/{role}").strip() for role in ("pgask_owner", "pgask_app")
    ]
    assert len(set(passwords)) == 2
    assert all(len(password) == 32 for password in passwords)
    said = json.dumps([stack.inspect(service) for service in EVER_RUN])
    logs = stack.compose("logs", "--no-color")
    assert [password for password in passwords if password in said or password in logs] == []


def test_the_database_is_on_a_closed_network_alone(stack: Stack) -> None:
    network = f"{stack.project}_data"
    assert set(stack.inspect("db")["NetworkSettings"]["Networks"]) == {network}
    assert json.loads(run("docker", "network", "inspect", network))[0]["Internal"]
