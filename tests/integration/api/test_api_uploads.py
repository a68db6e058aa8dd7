"""POST /documents and what follows: jobs, originals, limits, names, archives, other sites."""

from __future__ import annotations

import io
import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from app.errors import InvalidRequestError
from app.store.connection import Database, connect
from ingest.file_kinds import refusal_of_name
from ingest.page_views import SandboxedPages
from tests.chaos.hostile import hostile_paths
from tests.integration.api.conftest import MakeClient, settings_for
from tests.integration.ingesting import ingest
from tests.integration.uploading import ends, run_jobs, send
from tests.pdfs import draw_pdf

pytestmark = pytest.mark.integration

LEAVE = b"# Leave\n\nEvery employee has thirty days of leave.\n"
TRAVEL = "# 差旅\n\n出差须提前三天申请。\n".encode()


@pytest.fixture
def client(own: Database, make_client: MakeClient) -> TestClient:
    return make_client(own)


def documents(client: TestClient, **query: Any) -> dict[str, dict[str, Any]]:
    found = client.get("/documents", params=query).json()["documents"]
    return {one["source"]: one for one in found}


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_files_go_in_by_a_job_and_come_back_as_they_were(client: TestClient, own: Database) -> None:
    metadata = {"team": "hr", "level": 3}
    job = send(
        client,
        {"leave.md": LEAVE, "差旅.md": TRAVEL, "broken.pdf": b"%PDF-1.7 nothing", "logo.mp3": b"ID3"},
        folder="handbook/2026",
        metadata=json.dumps(metadata),
        collection="staff",
    )
    assert (job["state"], job["done"], job["total"], job["collection"]) == ("queued", 0, 4, "staff")
    run_jobs(own, settings_for())
    job = client.get(f"/jobs/{job['id']}").json()
    assert (job["state"], job["done"], job["attempts"], job["stage"]) == ("succeeded", 4, 1, None)
    assert ends(job) == {
        "handbook/2026/leave.md": ("succeeded", None),
        "handbook/2026/差旅.md": ("succeeded", None),
        "handbook/2026/broken.pdf": ("failed", "parse_failed"),
        "handbook/2026/logo.mp3": ("skipped", "media"),
    }
    found = documents(client, collection="staff")
    assert {source: one["status"] for source, one in found.items()} == {
        "handbook/2026/leave.md": "ready",
        "handbook/2026/差旅.md": "ready",
        "handbook/2026/broken.pdf": "failed",
    }
    for file in job["files"][:3]:
        assert file["document_id"] == found[file["source"]]["id"]
    leave = client.get(f"/documents/{job['files'][0]['document_id']}").json()
    assert {key: leave["metadata"][key] for key in metadata} == metadata
    hits = client.post("/search", json={"question": "thirty days of leave", "collection": "staff"}).json()[
        "hits"
    ]
    assert hits[0]["source"] == "handbook/2026/leave.md"

    reply = client.get(f"/documents/{job['files'][1]['document_id']}/original")
    assert reply.content == TRAVEL
    assert reply.headers["content-disposition"] == "attachment; filename*=UTF-8''%E5%B7%AE%E6%97%85.md"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert "no-store" in reply.headers["cache-control"]

    # deleting takes all of it, and what belonged to no document went by itself
    for one in found.values():
        assert client.delete(f"/documents/{one['id']}").status_code == 204
    with connect(own.app) as connection:
        assert connection.execute("SELECT count(*) FROM pgask.original_parts").fetchone() == (0,)
    assert client.get(f"/documents/{leave['id']}/original").status_code == 404
    assert client.get(f"/jobs/{job['id']}").json()["files"][0]["document_id"] is None


def test_the_same_again_changes_nothing_and_another_version_replaces(
    client: TestClient, own: Database
) -> None:
    def upload(content: bytes) -> dict[str, Any]:
        job = send(client, {"leave.md": content})
        run_jobs(own, settings_for())
        found: dict[str, Any] = client.get(f"/jobs/{job['id']}").json()
        return found

    first = upload(LEAVE)
    before = documents(client)["leave.md"]
    again = upload(LEAVE)
    assert ends(again) == {"leave.md": ("succeeded", None)}
    assert documents(client)["leave.md"] == before
    newer = LEAVE.replace(b"thirty", b"forty")
    changed = upload(newer)
    after = documents(client)["leave.md"]
    assert {job["files"][0]["document_id"] for job in (first, again, changed)} == {before["id"], after["id"]}
    assert client.get(f"/documents/{after['id']}/original").content == newer
    with connect(own.app) as connection:
        assert connection.execute("SELECT count(*) FROM pgask.originals").fetchone() == (1,)
    broken = upload(b"\0\0\0\0")  # a version that can't be read: the old text and its file stay
    assert ends(broken)["leave.md"][0] == "failed"
    assert documents(client)["leave.md"]["status"] == "stale"
    assert client.get(f"/documents/{after['id']}/original").content == newer


def test_a_plan_tells_what_becomes_of_files_before_they_come(own: Database, make_client: MakeClient) -> None:
    client = make_client(own, refuses=refusal_of_name, max_upload_bytes=1_000)
    send(
        client,
        {"leave.md": LEAVE, "travel.md": TRAVEL, "broken.pdf": b"%PDF-1.7"},
        folder="hr",
        collection="staff",
    )
    run_jobs(own, settings_for())
    files: dict[str, tuple[bytes, bool]] = {
        "leave.md": (LEAVE, True),
        "travel.md": (b"# Another\n", True),
        "broken.pdf": (b"%PDF-1.7", True),  # it failed: it is tried again
        "holidays.md": (LEAVE, True),
        "first.md": (b"# First\n", True),
        "second.md": (b"# First\n", True),
        "third.md": (b"# First\n", False),  # nobody has told its sum
        "setup.exe": (b"MZ", True),
        "letter.doc": (b"x", True),
        "all.zip": (b"PK", True),
        "large.md": (b"x" * 1_001, True),
        "\u202e": (b"x", True),
    }
    body = {
        "folder": "hr",
        "files": [
            {
                "name": name,
                "size_bytes": len(content),
                "sha256": sha256(content).hexdigest() if told else None,
            }
            for name, (content, told) in files.items()
        ],
    }
    reply = client.post("/documents/plan", params={"collection": "staff"}, json=body)
    assert reply.status_code == 200
    plan = [(one["outcome"], one["code"], one["duplicate_of"]) for one in reply.json()["files"]]
    assert plan == [
        ("unchanged", None, None),
        ("changed", None, None),
        ("changed", None, None),
        ("duplicate", None, "hr/leave.md"),
        ("new", None, None),
        ("duplicate", None, "hr/first.md"),
        ("new", None, None),
        ("refused", "program", None),
        ("refused", "unsupported_type", None),
        ("new", None, None),
        ("refused", "too_large", None),
        ("refused", "bad_name", None),
    ]
    elsewhere = client.post("/documents/plan", params={"collection": "nowhere"}, json=body).json()["files"]
    assert [one["outcome"] for one in elsewhere[:4]] == ["new", "new", "new", "duplicate"]
    assert elsewhere[0]["source"] == "hr/leave.md"
    assert "nowhere" not in str(client.get("/collections").json())  # nothing is made by it
    # What came from a folder is never replaced by an upload.
    name, *_ = documents(client)
    taken = client.post("/documents/plan", json={"files": [{"name": name, "size_bytes": 1}]}).json()["files"]
    assert (taken[0]["outcome"], taken[0]["code"]) == ("refused", "name_taken")
    # An upload never changes who reads a document.
    of_some = {"files": [{"name": "hr/leave.md", "size_bytes": 1}], "readers": ["board"]}
    kept = client.post("/documents/plan", params={"collection": "staff"}, json=of_some).json()["files"]
    assert (kept[0]["outcome"], kept[0]["code"]) == ("refused", "other_readers")


def test_uploads_and_folders_never_take_each_others_names(
    client: TestClient, own: Database, tmp_path: Path
) -> None:
    mine = client.get("/documents").json()["documents"][0]
    job = send(client, {mine["source"]: LEAVE})
    run_jobs(own, settings_for())
    assert ends(client.get(f"/jobs/{job['id']}").json()) == {mine["source"]: ("failed", "name_taken")}
    assert documents(client)[mine["source"]] == mine
    send(client, {"up/leave.md": LEAVE})
    run_jobs(own, settings_for())
    folder = tmp_path / "other"
    (folder / "up").mkdir(parents=True)
    (folder / "up/leave.md").write_text("# Leave\n\nNone at all.\n", "utf-8")
    with pytest.raises(InvalidRequestError, match="it was uploaded"):
        ingest(own, folder)
    (folder / "up/leave.md").unlink()
    (folder / "moved.md").write_bytes(LEAVE)  # the same bytes: no move, for the upload is where it was
    report = ingest(own, folder)
    assert (report.renamed, len(report.duplicates)) == (0, 1)
    assert "up/leave.md" in documents(client)


def test_a_zip_is_unpacked_within_limits(client: TestClient, own: Database) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/leave.md", LEAVE)
        archive.writestr("../../etc/travel.md", TRAVEL)
        archive.writestr("__MACOSX/._leave.md", b"x")
        archive.writestr("inner.zip", packed({"deep.md": LEAVE}))
        archive.writestr("empty.md", b"")
        link = zipfile.ZipInfo("link.md")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    zeros = packed({"big.txt": b"0" * 30_000_000})
    job = send(client, {"all.zip": stream.getvalue(), "bomb.zip": zeros, "cut.zip": stream.getvalue()[:200]})
    run_jobs(own, settings_for())
    found = ends(client.get(f"/jobs/{job['id']}").json())
    assert found == {
        "all.zip": ("succeeded", None),
        "bomb.zip": ("failed", "archive_bomb"),
        "cut.zip": ("failed", "parse_failed"),
        "all/a/leave.md": ("succeeded", None),
        "all/etc/travel.md": ("succeeded", None),
        "all/inner.zip": ("skipped", "archive"),
        "all/empty.md": ("failed", "empty"),
    }
    # names as programs on Chinese systems write them, in GB 18030 and without saying so
    named = packed({"xxxx.md": b"# Rules\n\nNobody smokes in the archive.\n"})
    job = send(client, {"gb.zip": named.replace(b"xxxx", "规章".encode("gb18030"))})
    run_jobs(own, settings_for())
    assert "gb/规章.md" in ends(client.get(f"/jobs/{job['id']}").json())
    small = settings_for(max_upload_files=2)
    job = send(client, {"many.zip": packed({f"{number}.md": LEAVE for number in range(3)})})
    run_jobs(own, small)
    assert ends(client.get(f"/jobs/{job['id']}").json()) == {"many.zip": ("failed", "too_large")}


def test_limits_each_with_one_beyond(own: Database, make_client: MakeClient) -> None:
    client = make_client(
        own,
        max_upload_bytes=1_000,
        max_upload_files=3,
        max_upload_request_bytes=2_500,
        originals_quota_bytes=4_000,
    )

    def status(files: dict[str, bytes]) -> tuple[int, str]:
        sent = [("files", one) for one in files.items()]
        reply = client.post("/documents", files=sent)
        if reply.status_code != 202:  # the limit, what there is, and the setting
            chinese = client.post("/documents", files=sent, headers={"Accept-Language": "zh"}).json()[
                "detail"
            ]
            for told in (reply.json()["detail"], chinese):
                assert re.search(r"\d.*\d.*PGASK_[A-Z_]+", told.partition(".md")[2] or told), told
            assert re.search("[\u4e00-\u9fff]", chinese)
        return reply.status_code, reply.json().get("code", "")

    assert status({"a.md": b"x" * 1_000}) == (202, "")
    assert status({"a.md": b"x" * 1_001}) == (413, "file_too_large")
    assert status({f"{n}.md": b"x" for n in range(3)}) == (202, "")
    assert status({f"{n}.md": b"x" for n in range(4)}) == (422, "limit_exceeded")
    assert status({f"{n}.md": b"x" * 900 for n in range(3)}) == (413, "body_too_large")
    assert status({f"{n}.md": b"x" * 800 for n in range(3)}) == (202, "")
    assert status({f"{n}.md": b"x" * 800 for n in range(3)}) == (413, "quota_exceeded")
    assert client.get("/jobs").json()["jobs"][0]["total"] == 3
    bodies: list[dict[str, Any]] = [
        {"data": {"folder": "x"}},
        {"files": [("other", ("a.md", b"x"))]},
        {"json": {}},
        {},
    ]
    for body in bodies:
        reply = client.post("/documents", **body)
        assert reply.status_code in (415, 422), body
    for field, value in (
        ("metadata", "[1]"), ("metadata", "{"), ("metadata", '{"a": "\\u0000"}'), ("metadata", '{"a": NaN}'),
        ("metadata", json.dumps({"a": "x" * 20_001})), ("colour", "red"),
    ):  # fmt: skip
        reply = client.post("/documents", files=[("files", ("a.md", b"x"))], data={field: value})
        assert (reply.status_code, reply.json()["code"]) == (422, "invalid_request"), value
    for readers in (["a\tb"], ["x" * 101], [f"g{n}" for n in range(21)]):
        reply = client.post("/documents", files=[("files", ("a.md", b"x"))], data={"readers": readers})
        assert (reply.status_code, reply.json()["code"]) == (422, "bad_readers"), readers
    whole = {"content": b"--b\r\nContent-Disposition: form-data; name=files; filename=a.md\r\n\r\nx"}
    reply = client.post(
        "/documents",
        headers={"content-type": "multipart/form-data; boundary=b"},
        **whole,  # type: ignore[arg-type]
    )
    assert (reply.status_code, reply.json()["code"]) == (400, "bad_request")


def test_pages_of_other_sites_can_send_nothing(client: TestClient) -> None:
    """With PGASK_AUTH=off nobody asks for a key: a form of any page must not be enough."""
    made = 0
    for headers, allowed in (
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://["}, False),
        ({"Origin": "http://me@127.0.0.1"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://127.0.0.1"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}, True),
        ({}, True),
    ):
        reply = client.post("/documents", files=[("files", ("a.md", LEAVE))], headers=headers)
        assert reply.status_code == (202 if allowed else 403), headers
        assert len(client.get("/jobs").json()["jobs"]) == (made := made + allowed)
    job_id = client.get("/jobs").json()["jobs"][0]["id"]
    evil = {"Origin": "https://evil.example"}
    assert client.post(f"/jobs/{job_id}/cancel", headers=evil).status_code == 403
    assert client.post(f"/jobs/{job_id}/cancel").status_code == 200


def test_cancel_and_retry(client: TestClient, own: Database) -> None:
    job = send(client, {"leave.md": LEAVE, "broken.pdf": b"%PDF-1.7"})
    cancelled = client.post(f"/jobs/{job['id']}/cancel").json()
    assert (cancelled["state"], set(ends(cancelled).values())) == ("cancelled", {("cancelled", None)})
    assert client.post(f"/jobs/{job['id']}/cancel").status_code == 409
    run_jobs(own, settings_for())
    assert "leave.md" not in documents(client)
    again = client.post(f"/jobs/{job['id']}/retry").json()
    assert (again["state"], again["attempts"], again["done"]) == ("queued", 0, 0)
    assert client.post(f"/jobs/{job['id']}/retry").json()["code"] == "job_state"
    run_jobs(own, settings_for())
    done = client.get(f"/jobs/{job['id']}").json()
    assert ends(done) == {"leave.md": ("succeeded", None), "broken.pdf": ("failed", "parse_failed")}
    assert client.post(f"/jobs/{job['id']}/retry").status_code == 200  # only the failed one
    waiting = client.get(f"/jobs/{job['id']}").json()
    assert [file["state"] for file in waiting["files"]] == ["succeeded", "queued"]
    with client.stream("GET", f"/jobs/{job['id']}/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "event: job"
        assert json.loads(next(lines).removeprefix("data: ")) == waiting
        run_jobs(own, settings_for())
        rest = [line for line in lines if line]
    assert rest[-2] == "event: done"
    assert json.loads(rest[-1].removeprefix("data: "))["state"] == "succeeded"
    nobody = "/jobs/00000000-0000-4000-8000-000000000000"
    assert {client.get(nobody).status_code, client.get(f"{nobody}/events").status_code} == {404}
    assert {client.post(f"{nobody}/{what}").status_code for what in ("retry", "cancel")} == {404}


def test_jobs_are_listed_in_pages_by_state_and_collection(client: TestClient) -> None:
    made = [send(client, {f"{n}.md": LEAVE}, collection=f"c{n % 2}")["id"] for n in range(5)]
    client.post(f"/jobs/{made[0]}/cancel")
    seen, cursor = [], None
    while True:
        page = client.get("/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    assert [job["id"] for job in client.get("/jobs?state=cancelled").json()["jobs"]] == made[:1]
    assert [job["id"] for job in client.get("/jobs?collection=c1").json()["jobs"]] == [made[3], made[1]]
    refused = client.get("/jobs?cursor=nonsense", headers={"Accept-Language": "zh-CN"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_cursor")
    assert "不带 cursor" in refused.json()["detail"]
    assert client.get("/jobs?collection=nowhere").status_code == 404


def test_title_and_metadata_are_changed(client: TestClient) -> None:
    mine = client.get("/documents").json()["documents"][0]
    changed = client.patch(
        f"/documents/{mine['id']}", json={"title": "Copies", "metadata": {"tag": ["x"]}}
    ).json()
    assert (changed["title"], changed["metadata"]) == ("Copies", {"tag": ["x"]})
    assert client.patch(f"/documents/{mine['id']}", json={}).json()["title"] == "Copies"
    filtered = {"question": "backup", "filter": {"metadata": {"tag": ["x"]}}}
    hits = client.post("/search", json=filtered).json()["hits"]
    assert {hit["source"] for hit in hits} == {mine["source"]}
    for body in ({"title": ""}, {"title": "x\0"}, {"metadata": {"a": "\0"}}, {"colour": 1}):
        assert client.patch(f"/documents/{mine['id']}", json=body).status_code == 422, body
    assert client.patch("/documents/00000000-0000-4000-8000-000000000000", json={}).status_code == 404


def test_documents_are_taken_in_again_of_their_files(client: TestClient, own: Database) -> None:
    """Though nothing has changed; what was said of them stays, and so does the file where originals go otherwise."""
    job = send(
        client,
        {"leave.md": LEAVE, "b.md": b"# Backups\n\nThey are made at night.\n"},
        metadata='{"team": "hr"}',
    )
    run_jobs(own, settings_for())
    ids = [file["document_id"] for file in client.get(f"/jobs/{job['id']}").json()["files"]]
    before = client.get(f"/documents/{ids[0]}").json()
    with connect(own.app) as connection:  # as an earlier version of the parser left it
        connection.execute("UPDATE pgask.documents SET title = 'Old' WHERE id = %s", [ids[0]])
    reply = client.post(f"/documents/{ids[0]}/reingest")
    assert (reply.status_code, reply.json()["job"]["kind"]) == (202, "reingest")
    run_jobs(own, settings_for(keep_originals="off"))
    after = client.get(f"/documents/{ids[0]}").json()
    assert (after["title"], after["metadata"]["team"]) == (before["title"], "hr")
    assert after["updated_at"] > before["updated_at"]
    assert client.get(f"/documents/{ids[0]}/original").content == LEAVE
    ended = client.get(f"/jobs/{reply.json()['job']['id']}").json()
    assert [(file["state"], file["document_id"]) for file in ended["files"]] == [("succeeded", ids[0])]

    with connect(own.app) as connection:
        connection.execute("DELETE FROM pgask.originals WHERE document_id = %s", [ids[1]])
    several = client.post("/documents/reingest", json={"documents": [*ids, ids[0].upper(), ids[1]]}).json()
    assert [len(job["files"]) for job in several["jobs"]] == [1]
    assert several["without_original"] == [ids[1]]
    assert client.post(f"/documents/{ids[1]}/reingest").status_code == 404
    for picked in ([], ["x"] * 101, ["nothing"], [ids[0], "00000000-0000-4000-8000-000000000000"]):
        status = client.post("/documents/reingest", json={"documents": picked}).status_code
        assert status == (422 if len(picked) in (0, 101) else 404), picked


def test_a_job_whose_worker_died_after_its_last_file_still_looks_after_the_collection(
    own: Database, make_client: MakeClient
) -> None:
    """The attempt after it found nothing to do, and cosines had no background until the service's next look."""
    send(
        make_client(own), {f"{number}.md": f"# Tea {number}\n\nTea is black.".encode() for number in range(3)}
    )
    run_jobs(own, settings_for())
    with connect(own.owner) as owner:
        owner.execute("UPDATE pgask.collections SET background = NULL")
        owner.execute("UPDATE pgask.jobs SET state = 'queued', attempts = 1, finished_at = NULL")
    run_jobs(own, settings_for())
    with connect(own.owner) as owner:
        assert owner.execute(
            "SELECT count(*) FROM pgask.collections WHERE background IS NULL"
        ).fetchone() == (0,)


def test_pages_are_drawn_and_quotes_have_boxes(own: Database, make_client: MakeClient) -> None:
    drawing = SandboxedPages()
    client = make_client(own, drawing=drawing)
    content = draw_pdf(
        [[(100, 1400, "The valve opens at seven bar.")], [(100, 1400, "Pumps are tested twice a year.")]]
    )
    job = send(client, {"plant.pdf": content, "notes.md": LEAVE})
    run_jobs(own, settings_for())
    plant, notes = (file["document_id"] for file in client.get(f"/jobs/{job['id']}").json()["files"])
    reply = client.get(f"/documents/{plant}/pages")
    assert reply.status_code == 200, reply.text
    pages = reply.json()["pages"]
    assert [(page["number"], page["width"], page["height"]) for page in pages] == [
        (1, 1200, 1600),
        (2, 1200, 1600),
    ]
    text = client.get(f"/documents/{plant}/text").json()["text"]
    assert "tested twice" in text[pages[1]["char_start"] : pages[1]["char_end"]]
    picture = client.get(pages[1]["image"], params={"scale": 0.5})
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert "private" in picture.headers["cache-control"]
    assert client.get(pages[1]["image"], params={"scale": 0.5}).content == picture.content
    start = text.index("tested twice")
    (box,) = client.get(f"/documents/{plant}/boxes", params={"start": start, "end": start + 12}).json()[
        "boxes"
    ]
    assert (box["page"], box["x"], box["width"]) == (2, 100 + 10 * 6, 12 * 6)
    (line,) = client.get(f"/documents/{plant}/pages/2/lines").json()["lines"]
    assert line["text"] == text[line["char_start"] : line["char_end"]] == "Pumps are tested twice a year."
    assert (line["x"], line["width"]) == (100, 30 * 6)
    assert client.get(f"/documents/{plant}/pages/3/lines").status_code == 404
    assert client.get(f"/documents/{plant}/pages/3.png").status_code == 404
    assert client.get(f"/documents/{plant}/pages/1.png?scale=9").status_code == 422
    assert client.get(f"/documents/{plant}/boxes?start=5&end=5").status_code == 422
    # no pages, no file, another text than the file's: nothing is drawn, and no box is guessed
    assert client.get(f"/documents/{notes}/pages").json() == {"pages": []}
    assert client.get(f"/documents/{notes}/boxes?start=0&end=5").json() == {"boxes": []}
    with connect(own.app) as connection:
        connection.execute("UPDATE pgask.documents SET content_sha256 = 'other' WHERE id = %s", [plant])
    assert client.get(f"/documents/{plant}/boxes", params={"start": start, "end": start + 12}).json() == {
        "boxes": []
    }
    assert client.get(f"/documents/{plant}/pages/2/lines").json() == {"lines": []}
    assert [page["image"] for page in client.get(f"/documents/{plant}/pages").json()["pages"]] == [None, None]
    drawing.close()


def test_r24_hostile_names_in_uploads_and_zips_do_no_harm(client: TestClient, own: Database) -> None:
    """R24: every name ends as a document or with a reason, clean; nothing is read or written by it."""
    names = [
        "../../etc/passwd.md", "..\\..\\boot.md", "/etc/cron.d/x.md", "C:\\Windows\\x.md",
        "\\\\server\\share\\x.md",
        "con.md", "NUL", "a/../../b.md", "....//x.md", "．．／x.md", "x\u202etxt.md", "x\u200b\u2066.md",
        "tab\there.md",
        "nul\0byte.md", "x" * 4_000 + ".md", "d/" * 1_500 + "x.md", "名" * 300 + ".md", "~", ".", "..", " ", "a:b?.md",
        "%2e%2e%2fx.md", "e\u0301.md",
        *(f"{odd}{number}.md" for number, odd in enumerate("\x01\x1b\x7f\x85\u2028\ufeff\ue000$`;&|'\"<>*")),
    ]  # fmt: skip
    names = list(dict.fromkeys([*names, *hostile_paths(7, 110)]))
    content = {
        name: f"# Note {number}\n\nWord{number} alone.\n".encode() for number, name in enumerate(names)
    }
    shown = {
        name.encode("utf-8", "replace").decode().replace("\0", "%00"): text for name, text in content.items()
    }
    zipped = packed({name.split("\0")[0] or "x": text for name, text in shown.items()})
    job = send(client, shown | {"all.zip": zipped})
    before = sorted(Path.cwd().iterdir())
    run_jobs(own, settings_for())
    assert sorted(Path.cwd().iterdir()) == before
    files = client.get(f"/jobs/{job['id']}").json()["files"]
    assert len(files) > 240
    assert "worker_lost" not in {file["code"] for file in files}
    assert {file["state"] for file in files} <= {"succeeded", "skipped", "failed"}
    assert all(file["code"] for file in files if file["state"] != "succeeded")
    assert {file["code"] for file in files if file["state"] == "failed"} <= {
        "bad_name",
        "unsupported_type",
        "empty",
    }
    for file in files:
        parts = file["source"].split("/")
        assert file["source"].isprintable(), ascii(file["source"])
        assert not {"", ".", ".."} & set(parts), ascii(file["source"])
        assert len(file["source"].encode()) <= 2_000
    assert client.get("/jobs").status_code == 200


def test_a_request_is_known_by_its_id_in_the_worker_and_the_queue_by_its_age(
    client: TestClient, own: Database
) -> None:
    """/metrics tells how many jobs wait and since when; what the worker logs names the request that sent the files."""

    def queue() -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("pgask_queue_")}

    waiting, running, age = (
        *(f'pgask_queue_jobs{{state="{state}"}}' for state in ("waiting", "running")),
        "pgask_queue_age_seconds",
    )
    assert queue() == {waiting: 0, running: 0, age: 0}
    reply = client.post(
        "/documents", files=[("files", ("leave.md", LEAVE))], headers={"X-Request-ID": "upload-of-today"}
    )
    assert reply.status_code == 202
    with connect(own.owner) as owner:  # an hour passes
        owner.execute("UPDATE pgask_queue.procrastinate_events SET at = at - interval '1 hour'")
    told = queue()
    assert (told[waiting], told[running]) == (1, 0)
    assert 3600 <= told[age] < 3700
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        run_jobs(own, settings_for())
    job = reply.json()["job"]["id"]
    assert [(line["event"], line["job_id"], line["request_id"]) for line in lines if "job_id" in line] == [
        ("job", job, "upload-of-today")
    ]
    with connect(own.owner) as owner:  # a worker has it in hand
        owner.execute("UPDATE pgask_queue.procrastinate_jobs SET status = 'doing'")
    assert queue() == {waiting: 0, running: 1, age: 0}
