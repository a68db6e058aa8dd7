"""`pgask migrate`, `pgask index`, `pgask config`, and `pgask doctor` (whose checks are in diagnosis.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.opening import bring_to_head, open_checked, read_settings
from app.cli.output import AsJson, print_json, printable
from app.errors import InvalidRequestError, NotFoundError

if TYPE_CHECKING:
    from app.config import Settings
    from app.index.maintenance import IndexReport, Space
    from app.index.recall import Point
    from app.store.connection import Connection

SpaceId = Annotated[int | None, typer.Option("--space", help="Number of one space; else all.")]

_index = typer.Typer(help="Show, build and tune the vector indexes.", invoke_without_command=True)
_config = typer.Typer(help="Show the settings in force.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: PGASK_OWNER_DATABASE_URL=postgresql://owner@db/pgask pgask migrate")(migrate)
    app.add_typer(_index, name="index", epilog="Example: pgask index status --json")
    app.command(epilog="Example: pgask doctor")(doctor)
    app.add_typer(_config, name="config", epilog="Example: pgask config show --json")


def migrate(
    pre: Annotated[
        bool,
        typer.Option("--pre", help="Only what services of the version before go on with; the rest later."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database's schema to this version, and make the tables for the model's vectors: the one that `pgask
    spaces` chose, else the configured one. Questions are answered meanwhile."""
    from app.store.chosen_model import space_in_use
    from app.store.connection import connect, open_database
    from app.store.revisions import head_revision
    from app.store.spaces import ensure_space

    settings = read_settings()
    with open_database(settings) as database:
        before, after = bring_to_head(database, ahead=pre)
        with connect(database.owner) as owner:
            space = space_in_use(settings, owner)
            space_id = ensure_space(owner, space)
    if as_json:
        print_json({"before": before, "after": after, "model": space.model, "space": space_id})
    elif before == after:
        print(f"The schema is at {after} already; vectors of {space.model} have their tables.")
    else:
        print(
            f"The schema went from {before or 'nothing'} to {after}; vectors of {space.model} have their tables."
        )
    if not as_json and after != head_revision():
        print("The rest waits: run `pgask migrate` again once no service of the version before runs.")


@_index.callback()
def _index_alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        index_status(as_json=as_json)


@_index.command("status", epilog="Example: pgask index status --plot recall.png")
def index_status(
    space: SpaceId = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", help="Write recall against latency of the index as PNG; takes a minute or two."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show each space's rows, its index, the recall measured, its latencies, size and age."""
    from app.index.maintenance import curve, report

    settings = read_settings()
    if plot is None:
        _each_space(settings, space, report, as_json=as_json)
        return
    from app.cli.plot import check_plotting, plot_curves

    check_plotting()
    curves: dict[int, tuple[IndexReport, list[Point]]] = {}

    def look(owner: Connection, space_id: int) -> IndexReport:
        found = report(owner, space_id)
        if found.method is not None or space is not None:
            curves[space_id] = found, curve(owner, space_id)
        return found

    _each_space(settings, space, look, as_json=as_json, curves=curves)
    if not curves:
        raise InvalidRequestError("No space has an index, so there is nothing to plot.", code="no_index")
    plot_curves(plot, curves)


@_index.command("rebuild", epilog="Example: pgask index rebuild --space 1")
def index_rebuild(
    space: SpaceId = None,
    force: Annotated[bool, typer.Option("--force", help="Also below PGASK_INDEX_MIN_ROWS.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the index anew beside the old one, measure it, swap. Questions go on meanwhile."""
    from app.index.maintenance import rebuild, report
    from app.index.manifest import IndexSettings, count_rows

    settings = read_settings()

    def build(owner: Connection, space_id: int) -> IndexReport:
        rows = count_rows(owner, space_id)
        if rows >= settings.index_min_rows or (force and rows):
            return rebuild(owner, space_id, IndexSettings.from_settings(settings))
        if space is not None:
            raise InvalidRequestError(
                f"Space {space_id} has {rows:,} chunks: exact search is quick up to PGASK_INDEX_MIN_ROWS "
                f"({settings.index_min_rows:,}), and lists learnt from few rows answer badly. --force builds anyway.",
                code="too_few_rows",
            )
        return report(owner, space_id)

    _each_space(settings, space, build, as_json=as_json)


@_index.command("tune", epilog="Example: pgask index tune")
def index_tune(space: SpaceId = None, as_json: AsJson = False) -> None:
    """Measure recall again; keep the fewest probes (ef_search) that miss at most four fifths of what is allowed."""
    from app.index.maintenance import report, tune

    settings = read_settings()

    def measure(owner: Connection, space_id: int) -> IndexReport:
        if space is None and report(owner, space_id).method is None:
            return report(owner, space_id)
        return tune(owner, space_id, target_recall=settings.index_target_recall)

    _each_space(settings, space, measure, as_json=as_json)


def doctor(as_json: AsJson = False) -> None:
    """Check everything that pgask needs, and say how to mend what is wrong. Exit code 1 if something is."""
    from app.cli.diagnosis import diagnose

    findings = []
    for finding in diagnose(read_settings(log_level="error")):
        findings.append(finding)
        if not as_json:
            print(printable(f"{'✓' if finding.ok else '✗'} {finding.check}: {finding.detail}"), flush=True)
            if finding.fix:
                print(printable(f"    → {finding.fix}"), flush=True)
    healthy = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": healthy, "checks": [asdict(finding) for finding in findings]})
    if not healthy:
        raise typer.Exit(1)


@_config.callback()
def _config_alone(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        config_show(as_json)


@_config.command("show", epilog="Example: pgask config show")
def config_show(as_json: AsJson = False) -> None:
    """Show every setting in force, passwords and keys left out."""
    settings = read_settings()
    shown = {
        f"PGASK_{name.upper()}": _shown(name, getattr(settings, name)) for name in type(settings).model_fields
    }
    if as_json:
        print_json(shown)
        return
    for name, value in shown.items():
        print(printable(f"{name}={'' if value is None else value}"))


def _each_space(
    settings: Settings,
    wanted: int | None,
    work: Callable[[Connection, int], IndexReport],
    *,
    as_json: bool,
    curves: Mapping[int, tuple[IndexReport, list[Point]]] | None = None,
) -> None:
    from app.index.maintenance import list_spaces
    from app.store.connection import connect

    found: list[tuple[Space, IndexReport]] = []
    with open_checked(settings) as database, connect(database.owner) as owner:
        spaces = [space for space in list_spaces(owner) if wanted in (None, space.id)]
        if wanted is not None and not spaces:
            raise NotFoundError(f"There is no space {wanted}. `pgask index status` lists them.")
        found = [(space, work(owner, space.id)) for space in spaces]
    if not as_json:
        from app.cli.index_table import print_reports

        print_reports(found)
        return
    shown = [asdict(space) | {"index": asdict(report)} for space, report in found]
    for one in shown:
        if curves and one["id"] in curves:
            one["curve"] = [asdict(point) for point in curves[one["id"]][1]]
    print_json({"spaces": shown})


def _shown(name: str, value: Any) -> Any:
    """A setting's value; of secrets nothing, and of addresses where they lead."""
    from pydantic import SecretStr

    from app.addresses import HIDDEN, show_database, show_servers, split_databases

    if isinstance(value, SecretStr):
        if not name.endswith("database_url"):
            return HIDDEN
        return ", ".join(map(show_database, split_databases(value.get_secret_value())))
    return show_servers(value) if name == "llm_base_url" and value is not None else value
