"""Health, readiness, metrics, headers, hosts, unknown addresses, unexpected errors, the page and /openapi.json."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from psycopg.conninfo import make_conninfo

from app.api.middleware import CONTENT_SECURITY_POLICY
from app.embedding import FloatMatrix
from app.store.connection import Database
from app.store.migrate import downgrade
from tests.fakes import FakeEmbedder
from tests.integration.api.conftest import MakeClient

pytestmark = pytest.mark.integration


class FailingEmbedder(FakeEmbedder):
    """Fails on a question with the word "fail" in it, as no code of ours expects."""

    def embed_queries(self, texts: Sequence[str]) -> FloatMatrix:
        if any("fail" in text for text in texts):
            raise RuntimeError("a secret: hunter2")
        return super().embed_queries(texts)


class TestReadiness:
    def test_ready(self, client: TestClient) -> None:
        reply = client.get("/readyz")
        assert reply.status_code == 200
        assert {name: check["ok"] for name, check in reply.json()["checks"].items()} == {
            "database": True,
            "migrations": True,
            "embedding": True,
        }

    def test_migrations_behind(self, own: Database, make_client: MakeClient) -> None:
        downgrade(own, "base")
        client = make_client(own)
        reply = client.get("/readyz")
        assert (reply.status_code, reply.json()["code"]) == (503, "not_ready")
        assert reply.json()["checks"]["database"]["ok"]
        assert "pgask migrate" in reply.json()["checks"]["migrations"]["detail"]
        assert reply.headers["retry-after"].isdecimal()
        assert client.get("/healthz").status_code == 200

    def test_without_a_schema(self, empty_database: Database, make_client: MakeClient) -> None:
        assert not make_client(empty_database).get("/readyz").json()["checks"]["migrations"]["ok"]

    def test_another_model(self, make_client: MakeClient) -> None:
        client = make_client(embedder=FakeEmbedder("other-model"))
        reply = client.get("/readyz")
        assert reply.status_code == 503
        detail = reply.json()["checks"]["embedding"]["detail"]
        assert "'fake'" in detail
        assert "'other-model'" in detail
        for path in ("/ask", "/search"):
            refused = client.post(path, json={"question": "What are lists?"})
            assert (refused.status_code, refused.json()["code"]) == (409, "embedding_mismatch")

    def test_no_database(self, make_client: MakeClient, tmp_path: Path) -> None:
        nowhere = make_conninfo(host=str(tmp_path), user="u", password="hunter2", dbname="d")
        client = make_client(Database(owner=nowhere, app=nowhere))
        reply = client.get("/readyz")
        assert (reply.status_code, reply.json()["checks"]["database"]["ok"]) == (503, False)
        assert str(tmp_path) not in reply.text
        assert client.get("/healthz").json()["status"] == "ok"


class TestMetrics:
    def test_counts_by_route_and_outcome(self, make_client: MakeClient) -> None:
        client = make_client()
        client.post("/ask", json={"question": "What are lists, confidentially?"})
        client.post("/ask", json={"question": "x", "collection": "nowhere", "stream": True})
        client.post("/search", json={"question": "What are lists, confidentially?"})
        client.get("/documents/fadefade-fade-4ade-8ade-fadefadefade")
        client.get("/no/such/fadefade")
        client.request("BREW", "/ask")
        text = client.get("/metrics").text
        for line in (
            'pgask_requests_total{method="POST",route="/ask",status="200"} 1.0',
            'pgask_requests_total{method="POST",route="/ask",status="404"} 1.0',
            'pgask_requests_total{method="GET",route="/documents/{document_id}",status="404"} 1.0',
            'pgask_requests_total{method="GET",route="unmatched",status="404"} 1.0',
            'pgask_answers_total{outcome="answered"} 1.0',
            'pgask_answers_total{outcome="failed"} 1.0',
            'pgask_stage_seconds_count{stage="embed"} 2.0',
            'pgask_pool_connections{state="waiting"} 0.0',
            "pgask_questions_in_flight 0.0",
        ):
            assert line in text.splitlines()
        assert 'method="OTHER"' in text
        for secret in ("confidentially", "nowhere", "guide/", "fade"):
            assert secret not in text


class TestStatus:
    def test_each_part_says_how_it_is(self, client: TestClient) -> None:
        found = client.get("/status").json()
        assert found["database"]["ok"]
        assert found["database"]["server"].split(".")[0].isdigit()
        assert found["database"]["size_bytes"] > 1_000_000
        assert found["encoder"]["ok"]
        assert found["encoder"]["documents"] > 0
        assert found["encoder"]["unreadable_documents"] == 0
        assert found["llm"] is None
        assert 0 < found["disk"]["free_bytes"] <= found["disk"]["total_bytes"]

    def test_a_database_that_lacks_migrations_is_told_of(
        self, own: Database, make_client: MakeClient
    ) -> None:
        downgrade(own, "base")
        found = make_client(own).get("/status").json()
        assert not found["database"]["ok"]
        assert "pgask migrate" in found["database"]["detail"]
        assert found["database"]["server"] is None

    def test_a_model_that_does_not_answer_is_told_of(self, make_client: MakeClient, own: Database) -> None:
        client = make_client(own, llm_base_url="http://127.0.0.1:9/v1", llm_model="gone")
        llm = client.get("/status").json()["llm"]
        assert (llm["ok"], llm["model"], llm["waiting"]) == (False, "gone", 0)
        assert llm["detail"]


class TestHeaders:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/healthz", 200),
            ("GET", "/documents", 200),
            ("GET", "/nowhere", 404),
            ("GET", "/ask", 405),
            ("POST", "/ask", 415),
            ("GET", "/openapi.json", 200),
        ],
    )
    def test_every_reply_keeps_to_itself(
        self, client: TestClient, method: str, path: str, status: int
    ) -> None:
        reply = client.request(method, path)
        assert reply.status_code == status
        assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in reply.headers["permissions-policy"]
        assert "access-control-allow-origin" not in reply.headers

    def test_a_refusal_before_the_routes_has_them_too(self, client: TestClient) -> None:
        reply = client.get("/healthz", headers={"host": "evil.example"})
        assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert reply.headers["x-request-id"] == reply.json()["request_id"]

    @pytest.mark.parametrize("given", ["0123456789abcdef", "trace-1.2_3"])
    def test_a_request_id_comes_back(self, client: TestClient, given: str) -> None:
        reply = client.get("/nowhere", headers={"x-request-id": given})
        assert reply.headers["x-request-id"] == reply.json()["request_id"] == given

    @pytest.mark.parametrize("given", ["", "short", "x" * 65, "<script>alert(1)</script>", "a b c d e f"])
    def test_a_request_id_that_is_none_is_replaced(self, client: TestClient, given: str) -> None:
        reply = client.get("/nowhere", headers={"x-request-id": given})
        assert reply.json()["request_id"] != given
        assert len(reply.json()["request_id"]) == 32


class TestHost:
    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost.evil.example:80"]
    )  # fmt: skip
    def test_other_names_are_refused_on_loopback(self, client: TestClient, host: str) -> None:
        for path in ("/healthz", "/documents", "/"):
            reply = client.get(path, headers={"host": host})
            assert (reply.status_code, reply.json()["code"]) == (421, "bad_host")

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
    def test_loopback_names_pass(self, client: TestClient, host: str) -> None:
        assert client.get("/healthz", headers={"host": host}).status_code == 200

    def test_the_configured_name_passes(self, make_client: MakeClient) -> None:
        client = make_client(host="127.0.0.2")
        assert client.get("/healthz", headers={"host": "127.0.0.2:8000"}).status_code == 200
        assert client.get("/healthz", headers={"host": "127.0.0.3:8000"}).status_code == 421

    def test_on_a_public_address_any_name_passes(self, make_client: MakeClient) -> None:
        client = make_client(host="0.0.0.0")
        assert client.get("/healthz", headers={"host": "docs.example"}).status_code == 200


class TestProblems:
    @pytest.mark.parametrize(
        ("method", "path", "status", "code"),
        [
            ("GET", "/nowhere", 404, "not_found"),
            ("POST", "/nowhere", 404, "not_found"),
            ("GET", "/docs", 404, "not_found"),
            ("GET", "/redoc", 404, "not_found"),
            ("GET", "/ask", 405, "method_not_allowed"),
            ("PUT", "/documents", 405, "method_not_allowed"),
        ],
    )
    def test_addresses_and_methods(
        self, client: TestClient, method: str, path: str, status: int, code: str
    ) -> None:
        reply = client.request(method, path)
        assert (reply.status_code, reply.json()["code"]) == (status, code)
        assert reply.headers["content-type"] == "application/problem+json"
        assert set(reply.json()) == {"type", "code", "title", "detail", "status", "request_id"}
        assert reply.json()["status"] == status
        assert ("allow" in reply.headers) == (status == 405)

    def test_in_chinese(self, client: TestClient) -> None:
        headers = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"}
        missing = client.get("/nowhere", headers=headers).json()
        assert (missing["title"], missing["code"]) == ("未找到", "not_found")
        wrong = client.post("/ask", json={"question": "x", "top_k": 51}, headers=headers).json()
        assert (wrong["title"], wrong["detail"]) == ("请求无效", "top_k：不得大于 50。")

    @pytest.mark.parametrize("path", ["/ask", "/search"])
    def test_the_unexpected_tells_nothing(
        self, make_client: MakeClient, path: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        client = make_client(embedder=FailingEmbedder())
        reply = client.post(path, json={"question": "Please fail"})
        problem = reply.json()
        assert (reply.status_code, problem["code"]) == (500, "internal_error")
        assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        for secret in ("hunter2", "RuntimeError", "Traceback", ".py"):
            assert secret not in reply.text
        logged = capsys.readouterr()
        assert "hunter2" in logged.out + logged.err
        assert problem["request_id"] in logged.out + logged.err
        assert client.post(path, json={"question": "Lists?"}).status_code == 200

    def test_the_unexpected_in_a_stream_before_its_first_event(self, make_client: MakeClient) -> None:
        client = make_client(embedder=FailingEmbedder())
        reply = client.post("/ask", json={"question": "Please fail", "stream": True})
        assert (reply.status_code, reply.json()["code"]) == (500, "internal_error")


class TestLog:
    @pytest.mark.parametrize("log_questions", [False, True])
    def test_questions_are_logged_only_on_demand(
        self, make_client: MakeClient, capsys: pytest.CaptureFixture[str], log_questions: bool
    ) -> None:
        client = make_client(log_questions=log_questions)
        for path in ("/ask", "/search"):
            client.post(path, json={"question": "What are lists, confidentially?"})
        logged = capsys.readouterr()
        assert ("confidentially" in logged.out + logged.err) == log_questions


class TestPage:
    @pytest.fixture
    def built(self, tmp_path: Path) -> Path:
        (tmp_path / "web/assets").mkdir(parents=True)
        (tmp_path / "web/index.html").write_text("<!doctype html><title>pgask</title>")
        (tmp_path / "web/favicon.svg").write_text("<svg/>")
        (tmp_path / "web/.sources.sha256").write_text("secret")
        (tmp_path / "web/assets/index-1a2b.js").write_text("export {}")
        (tmp_path / "secret.txt").write_text("secret")
        return tmp_path / "web"

    def test_the_page_is_asked_for_anew_and_its_assets_are_kept(
        self, make_client: MakeClient, built: Path
    ) -> None:
        client = make_client(static=built)
        page = client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["cache-control"] == "no-cache"
        assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        unchanged = client.get("/", headers={"if-none-match": page.headers["etag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert client.get("/favicon.svg").headers["content-type"] == "image/svg+xml"
        asset = client.get("/assets/index-1a2b.js")
        assert "javascript" in asset.headers["content-type"]
        assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"

    @pytest.mark.parametrize(
        ("accepted", "encoding", "sent"),
        [
            ("gzip, deflate, br", "br", b"small"),
            ("gzip", "gzip", b"larger"),
            ("br;q=0", None, b"export {}"),
            ("", None, b"export {}"),
        ],
    )
    def test_f_1061_files_go_packed_to_who_takes_them_so(
        self, make_client: MakeClient, built: Path, accepted: str, encoding: str | None, sent: bytes
    ) -> None:
        (built / "assets/index-1a2b.js.br").write_bytes(b"small")
        (built / "assets/index-1a2b.js.gz").write_bytes(b"larger")
        (built / "index.html.gz").write_bytes(b"larger")
        client = make_client(static=built)
        with client.stream("GET", "/assets/index-1a2b.js", headers={"accept-encoding": accepted}) as asset:
            raw = b"".join(asset.iter_raw())
        assert (raw, asset.headers.get("content-encoding")) == (sent, encoding)
        assert "javascript" in asset.headers["content-type"]
        assert asset.headers["vary"] == "Accept-Encoding"
        assert "immutable" in asset.headers["cache-control"]
        packed = client.get("/assets/index-1a2b.js", headers={"accept-encoding": "br", "range": "bytes=0-2"})
        assert (packed.status_code, packed.content) == (206, b"exp")
        assert client.get("/index.html.gz").status_code == 404

    @pytest.mark.parametrize(
        "path", ["/assets/../../secret.txt", "/assets/%2e%2e/%2e%2e/secret.txt", "/assets/no.js", "/.sources.sha256",
                 "/assets/", "/assets/..%2findex.html", "/index.htm"]
    )  # fmt: skip
    def test_nothing_else_is_served(self, make_client: MakeClient, built: Path, path: str) -> None:
        reply = make_client(static=built).get(path)
        assert reply.status_code == 404
        assert reply.json()["code"] == "not_found"

    @pytest.mark.parametrize("path", ["/", "/assets/index-1a2b.js"])
    @pytest.mark.parametrize(
        ("wanted", "status"), [("lines=1-2", 400), ("bytes=2-1", 400), ("bytes=999-", 416)]
    )
    def test_f_1214_a_range_that_can_not_be_is_a_problem(
        self, make_client: MakeClient, built: Path, path: str, wanted: str, status: int
    ) -> None:
        """F-1214: it was plain text, or nothing."""
        client = make_client(static=built)
        reply = client.get(path, headers={"range": wanted})
        assert (reply.status_code, reply.json()["code"], reply.json()["status"]) == (
            status,
            "bad_range",
            status,
        )
        assert reply.headers["content-type"] == "application/problem+json"
        assert ("content-range" in reply.headers) == (status == 416)
        assert client.get(path, headers={"range": "bytes=0-2"}).status_code == 206

    def test_not_built(self, make_client: MakeClient, tmp_path: Path) -> None:
        reply = make_client(static=tmp_path).get("/")
        assert (reply.status_code, reply.json()["code"]) == (503, "web_not_built")
        assert "make web" in reply.json()["detail"]


def test_openapi_has_an_example_for_each_operation(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operations = {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == {
        ("post", "/ask"), ("get", "/ask/{stream_id}"), ("delete", "/ask/{stream_id}"),
        ("post", "/search"), ("get", "/documents"), ("get", "/documents/{document_id}"),
        ("post", "/documents"), ("post", "/documents/plan"), ("post", "/documents/reingest"),
        ("post", "/documents/{document_id}/reingest"),
        ("patch", "/documents/{document_id}"), ("get", "/documents/{document_id}/original"),
        ("get", "/documents/{document_id}/pages"), ("get", "/documents/{document_id}/pages/{number}.png"),
        ("get", "/documents/{document_id}/pages/{number}/lines"), ("get", "/documents/{document_id}/boxes"),
        ("get", "/jobs"), ("get", "/jobs/{job_id}"),
        ("get", "/jobs/{job_id}/events"),
        ("post", "/jobs/{job_id}/retry"), ("post", "/jobs/{job_id}/cancel"),
        ("get", "/documents/{document_id}/text"), ("delete", "/documents/{document_id}"), ("get", "/collections"),
        ("post", "/collections"), ("patch", "/collections/{name}"), ("delete", "/collections/{name}"),
        ("post", "/session"), ("get", "/session"), ("delete", "/session"),
        ("post", "/feedback"), ("get", "/feedback"), ("get", "/conversations"), ("delete", "/conversations"),
        ("get", "/conversations/{conversation_id}"), ("put", "/conversations/{conversation_id}"),
        ("delete", "/conversations/{conversation_id}"),
        ("get", "/healthz"), ("get", "/readyz"), ("get", "/metrics"), ("get", "/status"),
        ("post", "/v1/chat/completions"), ("get", "/v1/models"), ("get", "/v1/models/{model}"),
    }  # fmt: skip
    for (method, path), operation in operations.items():
        assert operation["summary"], path
        if method == "post" and "requestBody" in operation:
            assert all(content["examples"] for content in operation["requestBody"]["content"].values())
        if method == "delete":
            if "{" not in path:
                continue
            assert operation["parameters"][0]["schema"]["examples"]
            continue
        success = next(reply for status, reply in operation["responses"].items() if status[0] == "2")
        assert all("example" in content for content in success.get("content", {}).values()), path
        assert "application/json" not in operation["responses"].get("422", {"content": {}})["content"]


def test_f_1213_what_may_be_refused_is_told(client: TestClient) -> None:
    """F-1213: /openapi.json left out what every operation may answer, and allowed what is refused."""
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            told = set(operation["responses"])
            assert {"400", "408", "413", "421", "503"} <= told or "4XX" in told, (method, path)
    schemas = document["components"]["schemas"]
    assert schemas["Equal"]["anyOf"][1]["properties"]["field"]["enum"] == ["created_at", "updated_at"]
    assert {"format": "date"} in schemas["Equal"]["anyOf"][1]["properties"]["value"]["anyOf"]
    assert schemas["Prefix"]["not"]["properties"]["field"]["enum"] == ["created_at", "updated_at"]
    name = schemas["Equal"]["properties"]["field"]["anyOf"]
    assert re.search(name[1]["pattern"], r"metadata.a.dc\.title")
    assert not re.search(name[1]["pattern"], "metadata.a..b")
    bounds, null = schemas["Ask"]["properties"]["top_k"]["anyOf"]
    assert null == {"type": "null"}
    assert (bounds["type"], bounds["minimum"], bounds["maximum"]) == ("integer", 1, 50)
    parameters = {one["name"]: one for one in document["paths"]["/documents"]["get"]["parameters"]}
    pattern = parameters["cursor"]["schema"]["anyOf"][0]["pattern"]
    following = client.get("/documents?limit=1").json()["next_cursor"]
    assert (bool(re.search(pattern, following)), bool(re.search(pattern, "nonsense"))) == (True, False)
    assert re.search(schemas["NewCollection"]["properties"]["name"]["pattern"], "handbook 2")


def test_null_is_told_of_each_field_that_it_stands_for_the_default_of(client: TestClient) -> None:
    """/openapi.json allowed no null, which every field with a default takes."""
    document = client.get("/openapi.json").json()
    sent: dict[str, tuple[str, dict[str, Any]]] = {
        "Ask": ("/ask", {"question": "What are lists?"}),
        "Search": ("/search", {"question": "What are lists?"}),
        "Completion": (
            "/v1/chat/completions",
            {"model": "pgask", "messages": [{"role": "user", "content": "hi"}]},
        ),
    }
    for name, (path, body) in sent.items():
        schema = document["components"]["schemas"][name]
        for field in schema["properties"]:
            told, is_optional = schema["properties"][field], field not in schema["required"]
            says_nothing = not {"anyOf", "type", "$ref"} & told.keys()
            assert (says_nothing or {"type": "null"} in told.get("anyOf", [])) is is_optional, (name, field)
            status = client.post(path, json={**body, field: None}).status_code
            assert status == (200 if is_optional else 422 if name != "Completion" else 400), (name, field)
    generation = document["components"]["schemas"]["Generation"]["properties"]
    assert all({"type": "null"} in told["anyOf"] for told in generation.values())
    assert generation["top_k"]["default"] == 40


def test_keys_are_told_of_where_they_are_asked_for_alone(client: TestClient, make_client: MakeClient) -> None:
    """/openapi.json wanted a key for everything, with PGASK_AUTH=off too."""
    document = client.get("/openapi.json").json()
    operations = [one for methods in document["paths"].values() for one in methods.values()]
    assert not any("security" in one for one in operations)
    guarded = make_client(auth="keys").app
    assert isinstance(guarded, FastAPI)
    paths = guarded.openapi()["paths"]
    assert paths["/ask"]["post"]["security"] == [{"key": []}]
    assert "security" not in paths["/healthz"]["get"]


def test_an_event_stream_has_no_schema_of_one_text(client: TestClient) -> None:
    """A schema there is one of each event to some readers, and to others one of all."""
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/ask", "/v1/chat/completions"):
        stream = paths[path]["post"]["responses"]["200"]["content"]["text/event-stream"]
        assert "schema" not in stream
        assert stream["example"].count("data: ") > 1


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/collections", {"GET", "HEAD", "POST"}),
        ("/documents/11111111-1111-4111-8111-111111111111", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("/ask", {"POST"}),
        ("/v1/models", {"GET", "HEAD"}),
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "TRACE"])
def test_f_1213_allow_names_every_method(
    client: TestClient, path: str, allowed: set[str], method: str
) -> None:
    """F-1213: Allow of /collections left out POST."""
    reply = client.request(method, path)
    assert (reply.status_code, set(reply.headers["allow"].split(", "))) == (405, allowed)


def test_examples_are_true(client: TestClient) -> None:
    """The examples of replies have the fields of real ones."""
    paths: dict[str, Any] = client.get("/openapi.json").json()["paths"]

    def shown(path: str, method: str = "get", status: str = "200") -> Any:
        return paths[path][method]["responses"][status]["content"]["application/json"]["example"]

    document = client.get("/documents").json()["documents"][0]["id"]
    question = {"question": "What are lists?"}
    explained = {**question, "explain": True}
    chat = {"model": "pgask", "messages": [{"role": "user", "content": "What are lists?"}]}
    for real, example in (
        (client.post("/ask", json=question).json(), shown("/ask", "post")),
        (client.post("/search", json=explained).json(), shown("/search", "post")),
        (client.get("/documents").json(), shown("/documents")),
        (client.get(f"/documents/{document}").json(), shown("/documents/{document_id}")),
        (client.get(f"/documents/{document}/text").json(), shown("/documents/{document_id}/text")),
        (client.get("/collections").json(), shown("/collections")),
        (client.post("/v1/chat/completions", json=chat).json(), shown("/v1/chat/completions", "post")),
        (client.get("/v1/models").json(), shown("/v1/models")),
        (client.get("/v1/models/pgask").json(), shown("/v1/models/{model}")),
        (client.get("/healthz").json(), shown("/healthz")),
        (client.get("/readyz").json(), shown("/readyz")),
    ):
        assert _fields(example) <= _fields(real)
        assert _fields(real, empty=False) <= _fields(example)


def _fields(value: Any, path: str = "", *, empty: bool = True) -> set[str]:
    """Paths of the fields, of a list those of its first item; without `empty` only those that hold something (FastAPI
    leaves nulls out of examples). What documents are free to hold is not looked into."""
    if isinstance(value, dict) and not path.endswith(("metadata", "dropped")):
        inside = (
            _fields(item, f"{path}.{name}", empty=empty)
            for name, item in value.items()
            if empty or item is not None
        )
        return set().union(*inside)
    if isinstance(value, list) and value:
        return _fields(value[0], path, empty=empty)
    return {path}
