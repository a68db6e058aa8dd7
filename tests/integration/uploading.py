"""Uploads in tests: files sent to the app, and a worker that takes them in, in this process or one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from app.config import Settings
from app.store.connection import Database, connect
from ingest.upload_run import UploadRunner
from tests.fakes import FakeEmbedder

Files = Mapping[str, bytes]


def send(client: TestClient, files: Files, **fields: Any) -> dict[str, Any]:
    """Upload files; the job."""
    reply = client.post(
        "/documents",
        params={"collection": fields.pop("collection", "default")},
        files=[("files", (name, content)) for name, content in files.items()],
        data=fields,
    )
    assert reply.status_code == 202, reply.text
    job: dict[str, Any] = reply.json()["job"]
    return job


def run_jobs(database: Database, settings: Settings) -> None:
    """Do all jobs that wait, as a worker would."""
    runner = UploadRunner(database, settings, FakeEmbedder)
    with connect(database.app, vectors=False) as connection:
        waiting = connection.execute(
            "SELECT id FROM pgask.jobs WHERE state IN ('queued', 'running') ORDER BY created_at"
        ).fetchall()
    for (job,) in waiting:
        runner.run(UUID(str(job)))


def ends(job: Mapping[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Source → state and code of a job's files."""
    return {file["source"]: (file["state"], file["code"]) for file in job["files"]}
