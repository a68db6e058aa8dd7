"""Agents at /mcp and by `pgask mcp`: the SDK's own client in both revisions, and a client of raw JSON-RPC."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError

from app.api.admission import Places
from app.api.components import Components
from app.api.mcp_tools import RESOURCE, TOOLS, build_server
from app.api.metrics import Metrics
from app.domain import Role
from app.main import create_app
from app.store.connection import Database
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.api.conftest import MakeClient, settings_for
from tests.integration.api.serving import serve, served
from tests.integration.api.test_api_access import bearer, make_key, recorded, revoke
from tests.integration.processes import wait_until

MODES = ("legacy", "2026-07-28")
LAST, BEFORE = "2026-07-28", "2025-11-25"
JSON_ONLY = {"Accept": "application/json", "Content-Type": "application/json"}
QUESTIONS = (
    "How many lists should I choose?",
    "What do probes say?",
    "重叠保持多少词元？",
    "When should I write a backup?",
    "What is there in the collection?",
    "Hello!",
)
# `pgask mcp` but for the model, which is a fake as everywhere.
AGENT = """
import asyncio, sys
from app.cli.agents import serve_by_stdio
from app.store.connection import Database
from tests.fakes import FakeEmbedder, ScriptedLlm
from tests.integration.api.conftest import settings_for
asyncio.run(serve_by_stdio(settings_for(), Database(owner=sys.argv[1], app=sys.argv[1]), FakeEmbedder()))
"""


@pytest.fixture(scope="module")
def address(filled: Database) -> Iterator[str]:
    """A served app over `filled`."""
    with served(create_app(settings_for(), filled, FakeEmbedder())) as url:
        yield url


def same(reply: Mapping[str, Any]) -> dict[str, Any]:
    """A reply without what differs from one request to the next."""
    return {name: value for name, value in reply.items() if name not in ("timings_ms", "request_id")}


def send(client: httpx2.Client | TestClient, method: str, params: Any, **headers: str) -> Any:
    """The answer to raw JSON-RPC in the revision before the last one."""
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    named = JSON_ONLY | {"MCP-Protocol-Version": BEFORE} | headers
    return client.post("/mcp", headers=named, json=body)


def call(client: httpx2.Client | TestClient, tool: str, arguments: Any, **headers: str) -> Any:
    """A tool's result."""
    reply = send(client, "tools/call", {"name": tool, "arguments": arguments}, **headers)
    assert reply.status_code == 200, reply.text
    return reply.json()["result"]


@pytest.mark.parametrize("mode", MODES)
async def test_the_sdks_client_gets_what_rest_gives(address: str, mode: str) -> None:
    """It checks every result against the tool's schema itself."""
    async with httpx2.AsyncClient(base_url=address) as rest, Client(f"{address}/mcp", mode=mode) as agent:
        tools = (await agent.list_tools()).tools
        assert [tool.name for tool in tools] == list(TOOLS)
        for tool in tools:
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is True
            assert tool.output_schema is not None
            assert "explain" not in tool.input_schema["properties"]
        for question in QUESTIONS:
            for name in ("ask", "search"):
                asked = {"question": question, "top_k": 3}
                told = await agent.call_tool(name, asked)
                assert same(told.structured_content) == same((await rest.post(f"/{name}", json=asked)).json())
                assert json.loads(told.content[0].text) == told.structured_content  # type: ignore[union-attr]
        for name, path in (("list_collections", "/collections"), ("list_documents", "/documents")):
            told = await agent.call_tool(name, {})
            assert told.structured_content == (await rest.get(path)).json()


@pytest.mark.parametrize("mode", MODES)
async def test_an_agent_can_check_each_quote(address: str, mode: str) -> None:
    async with Client(f"{address}/mcp", mode=mode) as agent:
        answer = (await agent.call_tool("ask", {"question": QUESTIONS[0]})).structured_content
        assert answer["citations"]
        for citation in answer["citations"]:
            place = {
                "document_id": citation["document_id"],
                "start": citation["char_start"],
                "end": citation["char_end"],
            }
            read = (await agent.call_tool("read", place)).structured_content
            assert read["text"] == citation["quote"]
            uri = f"{RESOURCE}{place['document_id']}?start={place['start']}&end={place['end']}"
            assert (await agent.read_resource(uri)).contents[0].text == citation["quote"]  # type: ignore[union-attr]


async def test_resources_are_all_documents_of_all_collections(own: Database) -> None:
    with served(create_app(settings_for(), own, FakeEmbedder())) as url:
        for name in ("aaa", "zzz"):  # empty ones, before and behind
            assert httpx2.post(f"{url}/collections", json={"name": name}).status_code == 201
        async with Client(f"{url}/mcp") as agent:
            names, cursor = [], None
            while True:
                page = await agent.list_resources(cursor=cursor)
                names += [resource.name for resource in page.resources]
                if (cursor := page.next_cursor) is None:
                    break
            with pytest.raises(MCPError):
                await agent.list_resources(cursor="bad")
    assert names == ["guide/backup.md", "guide/lists.md", "zh/chunking.md"]


@pytest.mark.parametrize(
    "uri",
    [
        RESOURCE,
        RESOURCE + "x",
        "file:///etc/passwd",
        RESOURCE + "x?start=-1",
        RESOURCE + "x?start=a",
        "pgask://[/",
    ],
)
async def test_a_resource_that_is_not_there_is_an_error_of_the_protocol(address: str, uri: str) -> None:
    async with Client(f"{address}/mcp") as agent:
        with pytest.raises(MCPError) as raised:
            await agent.read_resource(uri)
    assert raised.value.error.data["code"] in ("not_found", "invalid_request")


def test_raw_json_rpc_in_both_revisions(address: str) -> None:
    with httpx2.Client(base_url=address, timeout=60) as client:
        hello = {
            "protocolVersion": BEFORE,
            "capabilities": {},
            "clientInfo": {"name": "raw", "version": "0"},
        }
        opened = client.post(
            "/mcp",
            headers=JSON_ONLY,
            json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        )
        assert opened.json()["result"]["protocolVersion"] == BEFORE
        assert "mcp-session-id" not in opened.headers
        assert opened.headers["content-type"] == "application/json"
        before = call(client, "search", {"question": QUESTIONS[0]})["structuredContent"]
        meta = {
            "io.modelcontextprotocol/protocolVersion": LAST,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        body = {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "search", "arguments": {"question": QUESTIONS[0]}, "_meta": meta},
        }
        named = {"MCP-Protocol-Version": LAST, "Mcp-Method": "tools/call", "Mcp-Name": "search"}
        last = client.post("/mcp", headers=JSON_ONLY | named, json=body).json()["result"]
        assert last["resultType"] == "complete"
        assert same(last["structuredContent"]) == same(before)
        assert client.get("/mcp").status_code == 405
        assert client.post("/mcp", headers=JSON_ONLY, content=b"{").status_code == 400


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("ask", {}, "invalid_request"),
        ("ask", {"question": " "}, "invalid_request"),
        ("search", {"question": "x", "topk": 3}, "invalid_request"),
        ("search", {"question": "x", "filter": {"all": 3}}, "invalid_request"),
        ("search", {"question": "a\0b"}, "invalid_request"),
        ("search", {"question": "x", "collection": "nowhere"}, "not_found"),
        ("read", {"document_id": "nothing"}, "not_found"),
        ("read", {"document_id": "nothing", "start": "3"}, "invalid_request"),
        ("list_documents", {"cursor": "bad"}, "bad_cursor"),
        ("list_collections", {"more": 1}, "invalid_request"),
    ],
)
def test_faults_are_tool_errors_with_the_codes_of_rest(
    client: TestClient, tool: str, arguments: Any, code: str
) -> None:
    result = call(client, tool, arguments)
    assert result["isError"] is True
    assert result["structuredContent"]["code"] == code
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    chinese = call(client, tool, arguments, **{"Accept-Language": "zh"})
    assert chinese["structuredContent"]["title"] != result["structuredContent"]["title"]


async def test_questions_beyond_the_limit_are_refused_as_on_rest(client: TestClient) -> None:
    parts: Components = client.app.state.components  # type: ignore[attr-defined]
    async with Client(build_server(parts, Metrics(), Places(0, Metrics()))) as agent:
        refused = await agent.call_tool("ask", {"question": QUESTIONS[0]})
    assert refused.is_error
    assert refused.structured_content["code"] == "too_many_requests"
    assert refused.structured_content["retry_after_s"] == 1


@pytest.mark.parametrize("revision", [BEFORE, LAST])
def test_an_agent_that_leaves_ends_the_work(filled: Database, revision: str) -> None:
    meta = {"io.modelcontextprotocol/protocolVersion": LAST, "io.modelcontextprotocol/clientCapabilities": {}}
    asked = {"name": "ask", "arguments": {"question": QUESTIONS[0]}}
    headers = {"MCP-Protocol-Version": revision}
    if revision == LAST:
        asked |= {"_meta": meta}
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": "ask"}
    with ScriptedLlm("Take ten [1].") as llm:
        llm.mode = "slow_first_token"
        given = settings_for(llm_base_url=llm.base_url)
        with (
            serve(create_app(given, filled, FakeEmbedder()), given) as running,
            httpx2.Client(base_url=running.url, timeout=httpx2.Timeout(20, read=1)) as client,
        ):
            with pytest.raises(httpx2.ReadTimeout):
                send(client, "tools/call", asked, **headers)
            assert llm.completions[0].disconnected.wait(10)
            wait_until(lambda: "pgask_questions_in_flight 0.0" in client.get("/metrics").text)


def test_keys_as_on_rest_and_the_record_names_the_tool(own: Database, make_client: MakeClient) -> None:
    guarded = make_client(own, auth="keys")
    roles: tuple[Role, ...] = ("reader", "admin")
    keys = [make_key(own, role) for role in roles]
    assert send(guarded, "tools/list", {}).json()["code"] == "unauthenticated"
    for key in keys:
        assert not call(guarded, "search", {"question": "Lists?"}, **bearer(key))["isError"]
    revoke(own, keys[0])
    assert send(guarded, "tools/list", {}, **bearer(keys[0])).status_code == 401
    wait_until(lambda: any(line[2] == "mcp search" for line in recorded(own)))


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1", 200),
        ("https://app.example", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_pages_of_other_sites_are_refused(make_client: MakeClient, origin: str, status: int) -> None:
    client = make_client(cors_origins="https://app.example")
    assert send(client, "tools/list", {}, Origin=origin).status_code == status
    assert send(client, "tools/list", {}, Host="rebound.example").status_code == 421


async def test_by_stdio(filled: Database) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-c", AGENT, filled.app],
        cwd=Path(__file__).parents[3],
    )
    for mode in MODES:
        async with Client(command, mode=mode) as agent:
            found = await agent.call_tool("search", {"question": QUESTIONS[0]})
            assert found.structured_content["hits"][0]["source"] == "guide/lists.md"
            assert (await agent.call_tool("read", {"document_id": "x"})).is_error


def test_the_sdk_is_imported_by_agents_alone() -> None:
    script = "import sys, app.main, app.cli; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
