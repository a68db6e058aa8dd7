"""docker-compose.yml and Dockerfile as files, without an engine: nothing published, privileged or started too early."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from app.config import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
FILE: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
OURS = {"passwords", "migrate", "app", "worker", "ingest"}
LONG_RUNNING = {"db", "app", "worker", "nginx", "llm", "llm-cpu"}

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def filled(text: str) -> str:
    """A value with the defaults of its variables."""
    while (inner := re.sub(r"\$\{\w+(?::-([^${}]*)|:\+[^${}]*)\}", r"\1", text)) != text:
        text = inner
    return text


def test_the_services_and_their_profiles() -> None:
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert profiles == {
        "passwords": [],
        "db": [],
        "migrate": [],
        "app": [],
        "worker": ["scaled"],
        "nginx": ["scaled"],
        "ingest": ["ingest"],
        "llm": ["gpu"],
        "llm-cpu": ["cpu"],
    }


@each_service
def test_every_service_is_held_back(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["pids_limit"] > 0
    assert re.fullmatch(r"\d+[mg]", filled(service["mem_limit"]))
    assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
    assert service["restart"] == ("unless-stopped" if name in LONG_RUNNING else "no")
    assert any(mount.startswith("/tmp:") and "size=" in mount for mount in service["tmpfs"])
    assert not {"privileged", "pid", "ipc", "devices", "userns_mode"} & set(service)
    assert "cap_add" not in service or name == "db"


def test_the_database_gets_no_capability_but_those_of_its_image_s_start() -> None:
    assert set(SERVICES["db"]["cap_add"]) == {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


@each_service
def test_nothing_of_the_host_is_mounted_but_what_is_read(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = filled(volume).split(":")[0]
        assert source in FILE["volumes"] or (source.startswith("./") and volume.endswith(":ro"))
        assert "docker.sock" not in volume


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_own_services_run_as_the_image_s_user(name: str) -> None:
    assert SERVICES[name]["user"] == "10001:10001"
    assert "--uid 10001" in (ROOT / "Dockerfile").read_text("utf-8")


def test_only_the_app_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "app": ["${APP_PORTS:-127.0.0.1:${PGASK_PORT:-8000}}:8000"],
        "nginx": ["127.0.0.1:${FRONT_PORT:-8080}:8080"],
    }
    assert "network_mode" not in {key for name in SERVICES.keys() - {"passwords"} for key in SERVICES[name]}
    assert SERVICES["passwords"]["network_mode"] == "none"


def test_the_database_s_network_is_closed_and_the_models_are_not_on_it() -> None:
    assert FILE["networks"]["data"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if "data" in service.get("networks", [])} == {
        "db",
        "migrate",
        "app",
        "worker",
        "ingest",
    }
    for name in ("llm", "llm-cpu"):
        assert SERVICES[name]["networks"] == {"llm": {"aliases": ["llm"]}}


@each_service
def test_images_are_named_with_a_tag(name: str) -> None:
    image = filled(SERVICES[name]["image"])
    assert re.fullmatch(r"[a-z0-9./-]+:[A-Za-z0-9._-]+", image)
    if name in OURS:
        assert image == f"pgask:{version()}"
        assert SERVICES[name]["pull_policy"] == "never"
    assert image.endswith(":latest") is (name == "llm")


def test_one_service_builds_and_all_others_of_ours_wait_for_it() -> None:
    assert [name for name in SERVICES if "build" in SERVICES[name]] == ["passwords"]
    waits = {
        name: {other: rule["condition"] for other, rule in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    assert waits["db"] == {"passwords": "service_completed_successfully"}
    assert waits["migrate"] == {"db": "service_healthy"}
    assert waits["app"] == {
        "migrate": "service_completed_successfully",
        "llm": "service_started",
        "llm-cpu": "service_started",
    }
    assert waits["worker"] == {"migrate": "service_completed_successfully"}
    assert waits["nginx"] == {"app": "service_healthy"}
    assert waits["ingest"] == {"migrate": "service_completed_successfully"}
    assert all(SERVICES["app"]["depends_on"][name]["required"] is False for name in ("llm", "llm-cpu"))


@pytest.mark.parametrize("name", sorted(LONG_RUNNING))
def test_what_runs_long_has_a_health_check_with_every_limit(name: str) -> None:
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(SERVICES[name]["healthcheck"])


def test_only_who_changes_the_schema_gets_the_owner_s_password() -> None:
    owners = {
        name
        for name, service in SERVICES.items()
        if any(volume.startswith("owner-password:") for volume in service.get("volumes", []))
    }
    assert owners == {"passwords", "migrate", "ingest"}
    assert SERVICES["app"]["environment"]["PGASK_OWNER_DATABASE_URL"] == ""


@each_service
def test_no_password_stands_in_the_file(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search(r"PASSWORD|KEY|TOKEN|URL", variable):
            assert not re.search(r"://[^/@]*:[^/@]*@", value)
            if not variable.endswith(("_FILE", "_URL")):
                assert filled(value) == ""


def test_settings_in_the_environment_exist() -> None:
    known = {f"PGASK_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"PGASK_[A-Z0-9_]*[A-Z0-9]", COMPOSE.read_text("utf-8"))) <= known


def test_the_model_server_gets_shared_memory_and_a_gpu() -> None:
    llm = SERVICES["llm"]
    assert llm["shm_size"] == "1gb"
    (device,) = llm["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert filled(llm["command"]).split()[0] == "meta-llama/Llama-3.1-8B-Instruct"
    assert "--max-model-len 8192" in filled(llm["command"])


def test_the_app_asks_a_model_only_where_one_is_meant() -> None:
    url = SERVICES["app"]["environment"]["PGASK_LLM_BASE_URL"]
    assert filled(url) == ""
    assert url == "${PGASK_LLM_BASE_URL:-${COMPOSE_PROFILES:+http://llm:8000/v1}}"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, None), ({"PGASK_LLM_BASE_URL": "http://gpu.internal:8000/v1"}, "http://gpu.internal:8000/v1")],
)
def test_serving_without_a_model_server_beside_it_leaves_the_setting_alone(
    given: dict[str, str], expected: str | None, tmp_path: Path
) -> None:
    told = serve(tmp_path, given, knows_llm=False)
    assert told == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "http://llm:8000/v1"),
        ({"PGASK_LLM_BASE_URL": "http://gpu.internal:8000/v1"}, "http://gpu.internal:8000/v1"),
    ],
)
def test_serving_finds_the_model_server_beside_it(
    given: dict[str, str], expected: str, tmp_path: Path
) -> None:
    assert serve(tmp_path, given, knows_llm=True) == expected


def serve(folder: Path, given: dict[str, str], *, knows_llm: bool) -> str | None:
    """The base URL that docker/serve.sh hands to `pgask serve`, in a machine of which only the names are made up."""
    programs = {
        "getent": f'[ "$1 $2" = "hosts llm" ] && exit {0 if knows_llm else 2}',
        "pgask": 'echo "$* ${PGASK_LLM_BASE_URL-unset}"',
    }
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", **given}
    done = subprocess.run(
        [ROOT / "docker/serve.sh"], env=environment, capture_output=True, text=True, check=True
    )
    command, _, url = done.stdout.strip().rpartition(" ")
    assert command == "serve"
    return None if url == "unset" else url


def test_the_image_has_no_compiler_no_pip_cache_and_no_root() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER pgask$", final, re.MULTILINE)
    assert "HF_HUB_OFFLINE=1" in final
    assert "apt-get" not in text
    stages: dict[str, str] = {}  # by name, each with what it builds on
    for stage in text.split("\nFROM ")[1:]:
        base, _, name = stage.partition("\n")[0].partition(" AS ")
        assert base == "${PYTHON_IMAGE}" or base in stages
        stages[name] = stages.get(base, "") + stage
    assert all("PIP_NO_CACHE_DIR=1" in stage for stage in stages.values() if "pip install" in stage)
    assert "PIP_NO_CACHE_DIR" not in stages[""]
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.11-slim-bookworm$", text, re.MULTILINE)


def test_the_build_sees_no_secret_and_no_rubbish() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    assert not any(line.startswith(("!.env", "!.git", "!.venv", "!tests", "!corpus")) for line in ignored)
    assert {"web/node_modules", "app/static"} <= set(ignored)


@pytest.mark.parametrize("name", ["app", "worker"])
def test_uploads_are_spooled_to_a_disk_and_not_into_memory(name: str) -> None:
    """Issue 16, 4: four uploads of 500 MB were spooled into a /tmp of 256 MB in memory."""
    assert SERVICES[name]["environment"]["TMPDIR"] == "/scratch"
    assert "scratch:/scratch" in SERVICES[name]["volumes"]
    assert re.search(r"install -d -o pgask -g pgask .*/scratch", (ROOT / "Dockerfile").read_text("utf-8"))


def test_nginx_looks_the_apps_up_again_and_sends_nothing_twice_that_changes_something() -> None:
    told = (ROOT / "docker/nginx.conf").read_text("utf-8")
    assert "resolver 127.0.0.11" in told
    assert "proxy_pass http" not in told  # a name that is looked up once
    again = told.index("non_idempotent")
    assert told.index("location ~ ^/(ask|search|v1/|mcp)") < again
    assert told.count("non_idempotent") == 1


def test_the_image_is_built_without_what_it_has_no_extra_of() -> None:
    """Issue 16, 4: the build imports every module, and ended at the first that needs an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    spec = importlib.util.spec_from_file_location("compile_used", ROOT / "scripts/compile_used.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    brought = " ".join(project["dependencies"] + project["optional-dependencies"]["ocr"])
    for name in module.EXTRAS:
        assert name not in brought
        others = [line for extra in project["optional-dependencies"].values() for line in extra]
        assert any(line.startswith(name) for line in others), name
    module._import("json")
    with pytest.raises(ModuleNotFoundError):
        module._import("nothing_of_this_name")
