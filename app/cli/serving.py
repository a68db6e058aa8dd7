"""`pgask serve`: the service in the foreground until Ctrl-C or SIGTERM."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from app.addresses import is_loopback
from app.cli.opening import bring_to_head, read_settings
from app.cli.output import AsJson, print_json
from app.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.config import Settings
    from app.store.connection import Database


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: pgask serve --port 8080")(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; PGASK_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; PGASK_PORT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the chat page and the API until Ctrl-C."""
    from app.logs import log_stray_errors

    settings = read_settings(host=host, port=port)
    _check_openness(settings)
    log_stray_errors()
    previous = signal.signal(
        signal.SIGTERM, _end
    )  # the server of the database must be left properly, as on Ctrl-C
    try:
        with closing(_bind(settings.host, settings.port)) as listener:
            _serve(settings, listener, as_json=as_json)
    except KeyboardInterrupt:
        pass  # the usual way to end
    finally:
        signal.signal(signal.SIGTERM, previous)


def _serve(settings: Settings, listener: socket.socket, *, as_json: bool) -> None:
    from app.store.chosen_model import ChosenModel
    from app.store.connection import connect, open_database
    from app.store.spaces import check_spaces, ensure_space
    from app.store.tenancy import open_scope, working_for
    from app.tracing import find_exporter, tracing

    with open_database(settings, keep=True) as database:
        _check_schema(settings, database)
        with connect(database.app) as connection:
            scope = open_scope(connection, settings.tenant, several=settings.auth != "off")
        with working_for(scope), connect(database.app) as connection:
            embedder = ChosenModel(settings).embedder(connection)
            check_spaces(connection, embedder.space)
        if settings.database_url is None:
            with connect(database.owner) as owner:
                ensure_space(owner, embedder.space)
        exporter = find_exporter(settings.tracing)
        embedder.load()
        from app.main import create_app  # slow, so after all that may refuse
        from app.workers import WorkerProcesses
        from ingest.file_kinds import refusal_of_name
        from ingest.page_views import SandboxedPages

        with (
            tracing(exporter, questions=settings.log_questions),
            WorkerProcesses(settings.workers),
            closing(SandboxedPages()) as drawing,
        ):
            _run(
                create_app(
                    settings,
                    database,
                    embedder,
                    scope,
                    drawing=drawing,
                    refuses=partial(refusal_of_name, ocr=settings.ocr != "off"),
                ),
                settings,
                listener,
                as_json=as_json,
            )


def _check_openness(settings: Settings) -> None:
    """Raise ConfigError where whoever reaches another machine's port could read and delete everything."""
    if settings.auth != "off" or settings.open or is_loopback(settings.host):
        return
    raise ConfigError(
        f"PGASK_HOST {settings.host!r} can be reached from other machines, and PGASK_AUTH=off asks nobody for a key: "
        "whoever reaches the port could read and delete every document. Set PGASK_AUTH=keys (and make keys: "
        "pgask keys create --name NAME --role reader), or PGASK_OPEN=true where something else guards the port.",
        code="open_to_all",
    )


def _check_schema(settings: Settings, database: Database) -> None:
    """An embedded database is brought up to date by itself; another one's owner decides when (`pgask migrate`)."""
    from app.store.connection import connect
    from app.store.migrate import check_revision, current_revision
    from app.store.revisions import known_revisions

    with connect(database.app) as connection:
        current = current_revision(connection)
        known = known_revisions()
        if settings.database_url is not None or (current is not None and current not in known):
            if said := check_revision(connection):
                print(said, file=sys.stderr)
            return
    if current != known[-1]:
        bring_to_head(database)


def _run(app: FastAPI, settings: Settings, listener: socket.socket, *, as_json: bool) -> None:
    from app.api.http_server import Server

    url = _url(settings.host, settings.port)

    class Announced(Server):
        """Says so when it is really ready: after the lifespan has opened everything and the port accepts."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and as_json:
                print_json({"url": url})
            elif self.started:
                print(f"pgask is ready: {url}  (Ctrl-C ends it)", flush=True)

    try:
        Announced(app, settings).run(sockets=[listener])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise _in_use(settings.port) from error
        raise


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything slow is done. Raises ConfigError with a way out."""
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        return listener
    except OSError as error:
        if listener is not None:
            listener.close()
        raise _refusal(error, host, port) from error


def _refusal(error: OSError, host: str, port: int) -> ConfigError:
    """Why an address can't be listened on, in one line with a way out."""
    if isinstance(error, socket.gaierror):
        return ConfigError(f"PGASK_HOST {host!r} is no address of this machine: {error.strerror}.")
    if isinstance(error, PermissionError):
        return ConfigError(
            f"Port {port} needs rights that this user does not have. Choose one above 1023: pgask serve --port 8000",
            code="port_refused",
        )
    if error.errno == errno.EADDRINUSE:
        return _in_use(port)
    return ConfigError(
        f"Can't listen on {host}, port {port}: {error.strerror}. Check PGASK_HOST and PGASK_PORT."
    )


def _in_use(port: int) -> ConfigError:
    other = port + 1 if port < 65_535 else port - 1
    return ConfigError(
        f"Port {port} is in use. Stop the program that has it, or choose another: pgask serve --port {other}",
        code="port_in_use",
    )


def _url(host: str, port: int) -> str:
    """Where a browser on this machine finds the service."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - a comparison
    return f"http://{f'[{shown}]' if ':' in shown and shown[0] != '[' else shown}:{port}"


def _end(*_: object) -> None:
    raise KeyboardInterrupt
