"""The chat page at /: what web/ was built into. Names of assets hold a hash, so they may be kept forever."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from app.api.authentication import PAGE
from app.api.problems import Fault, problem_response, refuse

_NO_RANGE: Final = Fault(
    "bad_range",
    416,
    "The file has no such part. Ask for bytes=FIRST-LAST within it, or leave Range out.",
    detail_zh="文件没有这一部分。请用 bytes=起点-终点 指定文件内的范围，或去掉 Range。",
)


_PACKED: Final = {"br": ".br", "gzip": ".gz"}  # the smallest first


class _Files(StaticFiles):
    """Files that were packed when the page was built, for whoever takes them so. Theirs alone is the answer to a Range
    that can't be: a problem document, too.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, follow_symlink=False)
        self._names = frozenset(path.relative_to(directory).as_posix() for path in directory.rglob("*"))

    async def get_response(self, path: str, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        encoding = next((name for name in _PACKED if self._is_packed(path, name, headers)), None)
        response = await super().get_response(path + _PACKED.get(encoding or "", ""), scope)
        response.headers["Vary"] = "Accept-Encoding"
        if encoding is not None:  # the type is that of the name before .br
            response.headers["Content-Encoding"] = encoding
        return response

    def _is_packed(self, path: str, encoding: str, headers: Headers) -> bool:
        # A Range counts the bytes of the file as it is.
        return (
            path + _PACKED[encoding] in self._names and "range" not in headers and _takes(headers, encoding)
        )

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        return _Ranged(super().file_response(*arguments, **named))


def _takes(headers: Headers, encoding: str) -> bool:
    """Whether Accept-Encoding names an encoding and does not rule it out (RFC 9110, 12.5.3).

    >>> [_takes(Headers({"accept-encoding": said}), "br") for said in ("gzip, br", "br;q=0.5", "br;q=0", "gzip")]
    [True, True, False, False]
    """
    for said in headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = said.partition(";")
        if name.strip() == encoding:
            return re.fullmatch(r"\s*q=0(\.0*)?\s*", weight) is None
    return False


class _Ranged(Response):
    """Sends `inner`, and a problem of ours instead of a refusal of its own."""

    def __init__(self, inner: Response) -> None:
        self._inner = inner
        self.status_code = inner.status_code
        self.raw_headers = inner.raw_headers
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] >= 400:
                refused = True
                size = Headers(raw=message["headers"]).get("content-range")
                status = message["status"]
                fault = replace(_NO_RANGE, status=status, headers={"Content-Range": size} if size else None)
                await refuse(fault, scope, receive, send)
            elif not refused:
                await send(message)

        await self._inner(scope, receive, send_unless_refused)


class _Assets(_Files):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def install(app: FastAPI, folder: Path) -> None:
    """Serve the built page in `folder`; where there is none, / says how to build it.

    Only files that are there get a route: a catch-all would turn "no such address" and "wrong method" of the API into
    misses of the page.
    """
    if not (folder / "index.html").is_file():
        app.add_api_route("/", _not_built, include_in_schema=False, name=PAGE)
        return
    files = _Files(folder)

    async def page(request: Request) -> Response:
        name = request.url.path.strip("/") or "index.html"
        response = await files.get_response(name, request.scope)
        response.headers["Cache-Control"] = "no-cache"
        return response

    names = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.name[0] != "." and path.suffix not in _PACKED.values()
    )
    for name in ("", *names):
        app.add_api_route(f"/{name}", page, include_in_schema=False, name=PAGE)
    if (folder / "assets").is_dir():
        app.mount("/assets", _Assets(folder / "assets"), name=PAGE)


async def _not_built(request: Request) -> Response:
    fault = Fault(
        "web_not_built",
        503,
        "The chat page is not built. Run: make web. The API works without it: /openapi.json",
    )
    return problem_response(fault, request.state.request_id, request.headers)
