"""`pgask mcp`: an agent on this machine, which starts this command and speaks with it by its standard streams."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from app.cli.opening import open_checked, read_settings
from app.errors import ConfigError

if TYPE_CHECKING:
    from app.config import Settings
    from app.embedding import Embedder
    from app.store.connection import Database


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mcp", epilog="Example: claude mcp add pgask -- pgask mcp")(serve_agent)


def serve_agent() -> None:
    """Answer an agent by the Model Context Protocol on standard input and output, until the input ends."""
    from importlib.util import find_spec

    if find_spec("mcp") is None:
        raise ConfigError(
            "This needs the extra `mcp`. Install it: pip install 'pgask[mcp]'", code="mcp_not_installed"
        )
    from app.logs import log_stray_errors
    from app.store.chosen_model import ChosenModel
    from app.store.connection import connect

    settings = read_settings()
    log_stray_errors()
    with open_checked(settings) as database:
        with connect(database.app) as connection:
            embedder = ChosenModel(settings).embedder(connection)
        asyncio.run(serve_by_stdio(settings, database, embedder))


async def serve_by_stdio(settings: Settings, database: Database, embedder: Embedder) -> None:
    """Answer until standard input ends."""
    from mcp.server.stdio import stdio_server

    from app.api.admission import Places
    from app.api.mcp_tools import build_server
    from app.api.metrics import Metrics
    from app.main import open_components

    metrics = Metrics()
    async with open_components(settings, database, embedder) as parts, stdio_server() as (reading, writing):
        server = build_server(parts, metrics, Places(settings.max_concurrent_asks, metrics))
        await server.run(reading, writing, server.create_initialization_options())
