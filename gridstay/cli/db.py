"""`gridstay db`: the data folder looked after. It works on the files, and `prune` through the service while that runs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from gridstay import compose
from gridstay.cli import loop, show
from gridstay.cli.client import Client, CliError, Where, reason
from gridstay.cli.command import client_of, told_plainly
from gridstay.upkeep.backup import Manifest, Told, back_up
from gridstay.upkeep.folder import TABLES, UpkeepError, check_databases
from gridstay.upkeep.pruning import Keep, give_back, prune_stopped
from gridstay.upkeep.restoring import restore
from gridstay.upkeep.stats import stats
from runtime import settings
from runtime.clock import SystemClock
from runtime.folder import FolderInUse, alone_in
from runtime.settings import BadSettings

db = typer.Typer(help="The databases: what they hold, what can go, a backup, and back.", no_args_is_help=True)
Data = Annotated[Path, typer.Option(envvar="GRIDSTAY_DATA", help="The data directory of the service.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
HERE = Path("gridstay-data")
Gone = dict[str, dict[str, int]]


@contextmanager
def _plainly() -> Iterator[None]:
    """What goes wrong with files and databases is told in a line."""
    with told_plainly():
        try:
            yield
        except (UpkeepError, BadSettings) as error:
            raise CliError(str(error)) from error
        except OSError as error:
            raise CliError(f"that did not work: {reason(error)}") from error
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise CliError(f"the database cannot be used: {getattr(error, 'orig', None) or error}") from error


@contextmanager
def _progress() -> Iterator[Told]:
    """A bar on the terminal; nothing where there is none."""
    console = show.console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total or None)


@db.command("stats")
def stats_(data: Data = HERE, as_json: Json = False) -> None:
    """How big each database is, what is in it, and of when. The service may run."""
    with _plainly():
        found = stats(data)
    if as_json:
        show.as_json(found)
    else:
        show.console().print(show.parts(*(part for name, one in found.items() for part in _database(name, one))))


def _database(name: str, told: dict[str, Any]) -> Iterator[RenderableType]:
    free = told["free_pages"] * told["page_bytes"]
    yield show.heading(
        f"{name}  {decimal(told['bytes'])} on disk, {decimal(told['wal_bytes'])} log, {decimal(free)} free in it, "
        f"step {told['revision']}"
    )
    rows = [{"table": table, **one} for table, one in told["tables"].items() if one["rows"]]
    columns: dict[str, show.Cell] = {
        "table": lambda row: row["table"],
        "rows": lambda row: f"{row['rows']:,}" if row["counted"] else f"at most {row['rows']:,}",
        "oldest": lambda row: row.get("oldest"),
        "newest": lambda row: row.get("newest"),
    }
    yield show.table(rows, columns, nothing="No rows.")


# Prune ----------------------------------------------------------------------------------------------------------------


@db.command("prune")
def prune(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settings in TOML. [default: those of the running service, else the usual ones]"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(envvar="GRIDSTAY_DATA", help="The data directory of the service. [default: gridstay-data]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take away what is older than the settings keep it, and say what went. The service may run.

    While it runs, it takes the rows away itself, and freed space stays in its files, to be used again. While it is stopped,
    files of which much is free are written anew and become smaller.
    """
    with _plainly():
        loaded = settings.load(compose.Settings, config)
        keep = Keep(csms=loaded.csms.retention, dr=loaded.dr.retention, mailboxes_days=loaded.mailboxes_days)
        folder = data or loaded.data
        check_databases(folder)
        try:
            with alone_in(folder):
                gone, space = _in_files(folder, keep)
        except FolderInUse:
            with client_of(Where(None, None, folder), ctx.obj) as client:
                gone = _through_the_service(client, keep if config else None)
            space = dict.fromkeys(TABLES, "the service runs: free pages stay in the file and are used again")
        if as_json:
            show.as_json({"gone": gone, "space": space})
        else:
            show.console().print(show.parts(_gone(gone), show.facts(space)))


def _in_files(folder: Path, keep: Keep) -> tuple[Gone, dict[str, str]]:
    gone: Gone = {name: {} for name in TABLES}

    async def work(tell: Callable[[], None]) -> None:
        async with aclosing(prune_stopped(folder, SystemClock(), keep)) as steps:
            async for name, what, rows in steps:
                gone[name][what] = gone[name].get(what, 0) + rows
                tell()

    with _counting(gone) as tell:
        loop.run(work(tell))
    space = {}
    with _progress() as told:
        for number, name in enumerate(TABLES):
            told(f"giving back what is free in {name}", number, len(TABLES))
            smaller, why_not = give_back(folder, name)
            space[name] = why_not or f"written anew, {decimal(smaller)} smaller"
    return gone, space


def _through_the_service(client: Client, keep: Keep | None) -> Gone:
    gone: Gone = {name: {} for name in TABLES}
    with _counting(gone) as tell:
        done = False
        while not done:
            answer = client.post("prune", body=keep.model_dump() if keep else None)
            done = answer["done"]
            for name, kinds in answer["gone"].items():
                for what, rows in kinds.items():
                    gone[name][what] = gone[name].get(what, 0) + rows
            tell()
    return gone


@contextmanager
def _counting(gone: Gone) -> Iterator[Callable[[], None]]:
    """A bar that shows that it goes on; how many rows there will be is not known before they are found."""
    console = show.console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rows taken away", total=None)
        yield lambda: bar.update(task, completed=sum(sum(kinds.values()) for kinds in gone.values()))


def _gone(gone: Gone) -> RenderableType:
    rows = [
        {"database": name, "what": what, "rows": rows}
        for name, kinds in gone.items()
        for what, rows in kinds.items()
        if rows
    ]
    columns: dict[str, show.Cell] = {
        "database": lambda row: row["database"],
        "what went": lambda row: row["what"],
        "rows": lambda row: f"{row['rows']:,}",
    }
    return show.table(rows, columns, nothing="Nothing was old enough to go.")


# Backup ---------------------------------------------------------------------------------------------------------------


@db.command("backup")
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="One file if it ends in .tar, .tar.gz or .tgz.")],
    data: Data = HERE,
    force: Annotated[bool, typer.Option("--force", help="Replace a backup of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Copy databases, token, keys and certificates, as they stand at one instant. The service may run.

    Logs that stations have uploaded are not in it. It holds secrets: keep it as you keep them.
    """
    with _plainly(), _progress() as told:
        manifest = back_up(data, target, force=force, now=SystemClock().now(), told=told)
    _tell(manifest, as_json, f"{target} holds everything up to {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")


@db.command("restore")
def restore_(
    source: Annotated[Path, typer.Argument(metavar="FILE|FOLDER", help="A backup.")],
    data: Data = HERE,
    force: Annotated[bool, typer.Option("--force", help="Replace the databases that are there.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup in place, after every check of it. The service must be stopped."""
    with _plainly(), _progress() as told:
        manifest = restore(source, data, force=force, told=told)
    _tell(manifest, as_json, f"{data} is as it was at {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC")


def _tell(manifest: Manifest, as_json: bool, words: str) -> None:
    if as_json:
        show.as_json(manifest.model_dump(mode="json"))
    else:
        files = manifest.files
        size = decimal(sum(file.size for file in files.values()))
        typer.echo(f"{words}: {len(files)} files, {size}, made by gridstay {manifest.gridstay}")
