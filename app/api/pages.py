"""The chat page at /: what web/ was built into. Names of assets hold a hash, so they may be kept forever."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.api.problems import Fault, problem_response


class _Assets(StaticFiles):
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
        app.add_api_route("/", _not_built, include_in_schema=False)
        return
    files = StaticFiles(directory=folder, follow_symlink=False)

    async def page(request: Request) -> Response:
        name = request.url.path.strip("/") or "index.html"
        response = await files.get_response(name, request.scope)
        response.headers["Cache-Control"] = "no-cache"
        return response

    names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    for name in ("", *names):
        app.add_api_route(f"/{name}", page, include_in_schema=False)
    if (folder / "assets").is_dir():
        app.mount("/assets", _Assets(directory=folder / "assets"), name="assets")


async def _not_built(request: Request) -> Response:
    fault = Fault(
        "web_not_built",
        503,
        "The chat page is not built. Run: make web. The API works without it: /openapi.json",
    )
    return problem_response(fault, request.state.request_id, request.headers)
