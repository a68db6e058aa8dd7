"""Which host names a request may use: a rebound name must not reach the documents."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from app.api.admission import Places
from app.api.metrics import Metrics
from app.api.middleware import install
from app.api.receiving import Closing
from app.config import Settings


def status(named: str, **settings: Any) -> int:
    """What a request that names `named` is answered."""

    async def answer(_: Request) -> Response:
        return PlainTextResponse("in")

    app = Starlette(routes=[Route("/", answer)])
    app.state.routes = app.routes  # as app.main does, for who may ask what
    made = Settings(_env_file=None, **settings)  # type: ignore[call-arg]
    install(app.add_middleware, made, metrics := Metrics(), Closing(), Places(1, metrics))
    return TestClient(app).get("http://127.0.0.1/", headers={"Host": named}).status_code


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_on_a_loopback_address_its_names_are_let_in(host: str) -> None:
    assert status(host) == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", ""])
@pytest.mark.parametrize("allowed", ["", "localhost,127.0.0.1"])
def test_other_names_are_refused(host: str, allowed: str) -> None:
    assert status(host, allowed_hosts=allowed) == 421


def test_on_another_address_any_name_is_let_in_unless_names_are_given() -> None:
    assert status("docs.example", host="0.0.0.0") == 200
    assert status("docs.example", host="0.0.0.0", allowed_hosts="localhost") == 421


@pytest.mark.parametrize("host", ["docs.example", "Docs.Example:443", "[fd00::1]:8000"])
def test_given_names_are_let_in_on_any_address(host: str) -> None:
    assert status(host, host="0.0.0.0", allowed_hosts=" Docs.example, fd00::1,") == 200
