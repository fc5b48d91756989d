"""`gridstay simulate-vtn`: an OpenADR 3.1 (or 3.0.1) VTN to try us, or a VEN of your own, against."""

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from gridstay.cli import loop
from gridstay.cli.client import CliError, reason
from gridstay.cli.command import told_plainly
from protocols.openadr.versions import Version
from runtime.activity import Activity
from runtime.clock import SystemClock
from runtime.log import logger
from simulators.vtn import server
from simulators.vtn.access import Client, Role
from simulators.vtn.api import Trouble
from simulators.vtn.mqtt import NoAddress

_NAMES = {Role.BL: "bl", Role.VEN: "ven"}


def simulate_vtn(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0 takes a free one.")] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    client: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID:SECRET:ROLE",
            help="Who may come in, as business logic (bl) or as a VEN (ven); as often as there are. [default: one of each]",
        ),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the objects in this file. [default: in memory]")
    ] = None,
    token_s: Annotated[float, typer.Option(min=1, help="How long a token lives, seconds.")] = 3600,
    trouble: Annotated[
        float, typer.Option(min=0, max=1, help="Share of requests answered with 429 or 503, to try a VEN's patience.")
    ] = 0.0,
    mqtt: Annotated[
        str | None, typer.Option(metavar="mqtt://…", help="A broker of yours that is told of changes beside the webhooks.")
    ] = None,
    version: Annotated[
        Version,
        typer.Option("--openadr", help="What it speaks. In 3.0.1 all clients see all objects, and no broker is told."),
    ] = Version.V3_1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same troubles.")] = 1,
) -> None:
    """Run an OpenADR 3 VTN: programs, events, reports, subscriptions with webhooks, vens, resources, tokens."""
    if mqtt is not None and version is not Version.V3_1:
        raise typer.BadParameter(f"OpenADR {version} has no broker", param_hint="--mqtt")
    clients = [_client(text) for text in client] if client else [_made_up(role) for role in Role]
    with told_plainly():
        try:
            loop.run(_serve(clients, host, port, state, token_s, Trouble(trouble, seed), mqtt, version))
        except OSError as error:
            raise CliError(f"cannot run a VTN: {reason(error)}") from error
        except NoAddress as error:
            raise CliError(str(error)) from error
        except ValueError as error:
            raise CliError(f"{state} holds no objects of a VTN: {error}") from error


def _client(text: str) -> Client:
    client_id, _, rest = text.partition(":")
    secret, _, role = rest.rpartition(":")
    if not client_id or not secret or role not in list(Role):
        raise typer.BadParameter(f"{text!r} is not ID:SECRET:ROLE with a role of bl or ven", param_hint="--client")
    return Client(client_id, secret, Role(role))


def _made_up(role: Role) -> Client:
    return Client(_NAMES[role], secrets.token_urlsafe(12), role)


async def _serve(
    clients: list[Client],
    host: str,
    port: int,
    state: Path | None,
    token_s: float,
    trouble: Trouble,
    mqtt: str | None,
    version: Version,
) -> None:
    clock, told = SystemClock(), loop.until_told()
    running = server.running(
        clients,
        clock=clock,
        activity=Activity(),
        log=logger(clock, sys.stderr),
        host=host,
        port=port,
        file=state,
        token_s=token_s,
        trouble=trouble,
        broker=mqtt,
        version=version,
    )
    async with running as vtn:
        typer.echo(f"VTN        {vtn.url}")
        for one in clients:
            typer.echo(f"{one.role.value.upper():<10} client id {one.client_id}, secret {one.secret}")
        typer.echo("Ctrl-C stops it.")
        sys.stdout.flush()
        await told.wait()
