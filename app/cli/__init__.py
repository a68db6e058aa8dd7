"""`pgask`: the command line around the service. One file a group of commands.

Everything that takes time to import (the model, the web framework, the database driver) is imported by the command that
uses it, so that `pgask --help` answers at once. Exit codes: 0 done, 1 not found or a check failed, 2 could not start,
130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

import typer

from app.cli import (
    agents,
    asking,
    backups,
    catalog,
    export,
    jobs,
    keys,
    operation,
    serving,
    space_commands,
    tenants,
    thumbs,
    upgrading,
)
from app.errors import NotFoundError, PgaskError

app = typer.Typer(
    help="Ask your documents, answered with evidence, from a PostgreSQL you own.",
    epilog="Example: pgask migrate && ingest ./docs && pgask ask 'How do I start?'",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
serving.register(app)
agents.register(app)
asking.register(app)
catalog.register(app)
thumbs.register(app)
jobs.register(app)
export.register(app)
operation.register(app)
backups.register(app)
keys.register(app)
space_commands.register(app)
tenants.register(app)
upgrading.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `pgask` command. Ends by SystemExit."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        app(given)
    except PgaskError as error:
        print(f"pgask: {error}", file=sys.stderr)
        if "--json" in given:
            print(json.dumps({"error": {"code": error.code, "detail": str(error)}}, ensure_ascii=False))
        sys.exit(1 if isinstance(error, NotFoundError) else 2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `pgask documents | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
