"""`gridstay serve`: the whole system as a service, until it is told to stop."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from gridstay import compose
from gridstay.cli import loop
from gridstay.cli.client import CliError, reason
from gridstay.cli.command import told_plainly
from gridstay.upkeep.files import TOKEN_FILE
from runtime import settings
from runtime.clock import SystemClock
from runtime.folder import FolderInUse
from runtime.log import logger
from runtime.settings import BadSettings


def serve(
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings in TOML; the options below go before them.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(envvar="GRIDSTAY_DATA", help="Databases, token and address are kept here. [default: gridstay-data]"),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    ocpp_port: Annotated[int | None, typer.Option(min=0, max=65535, help="For chargers. [default: 9000]")] = None,
    ocpp_tls_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="For chargers of security profile 2 (wss). [default: off]")
    ] = None,
    ocpp_mtls_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="For chargers of profile 3 (wss with client certificates). [default: off]"),
    ] = None,
    http_port: Annotated[int | None, typer.Option(min=0, max=65535, help="For the API. [default: 8080]")] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log JSON lines to standard error.")] = False,
) -> None:
    """Run the central system, the demand-response engine and the reservation service. Ctrl-C stops them in order."""
    given = {"data": data, "host": host, "ocpp_port": ocpp_port, "http_port": http_port}
    tls = {"port": ocpp_tls_port, "mutual_port": ocpp_mtls_port}
    with told_plainly():
        wanted = _settings(config, _given(given), _given(tls))
        try:
            died = loop.run(_serve(wanted, log_json))
        except (BadSettings, FolderInUse) as error:
            raise CliError(str(error)) from error
        except OSError as error:
            raise CliError(f"cannot serve: {reason(error)}") from error
        if died:
            raise CliError("a part of the service died and the rest was stopped; the log above says why")


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _settings(config: Path | None, given: dict[str, Any], tls: dict[str, Any]) -> compose.Settings:
    try:
        loaded = settings.load(compose.Settings, config)
        return loaded.model_copy(update=given | {"tls": loaded.tls.model_copy(update=tls)})
    except BadSettings as error:
        raise CliError(str(error)) from error


async def _serve(wanted: compose.Settings, log_json: bool) -> bool:
    """Serve until a signal (False) or until a part of the service has died (True)."""
    clock = SystemClock()
    told = loop.until_told()
    async with compose.running(wanted, clock=clock, log=logger(clock, sys.stderr, as_json=log_json)) as system:
        loop.spare_the_collector()
        _introduce(system)
        died = asyncio.create_task(system.supervisor.failed.wait())
        asked = asyncio.create_task(told.wait())
        await asyncio.wait({died, asked}, return_when=asyncio.FIRST_COMPLETED)
        for task in (died, asked):
            task.cancel()
        if told.is_set():
            typer.echo("Stopping; once more ends at once.", err=True)
        return system.supervisor.failed.is_set()


def _introduce(system: compose.System) -> None:
    typer.echo(f"Chargers   {system.ocpp_url}/ocpp/<station id>")
    for door, url in system.tls_urls.items():
        typer.echo(f"           {url}/ocpp/<station id> ({door})")
    typer.echo(f"API        {system.http_url}/api (documentation: {system.http_url}/api/docs)")
    typer.echo(f"Pages      {system.http_url}/ (staff: {system.http_url}/staff)")
    typer.echo(f"Token      {system.settings.data / TOKEN_FILE}")
    typer.echo("Ctrl-C stops it.")
    sys.stdout.flush()
