"""The command line. Operators' commands speak only HTTP; `serve`, `demo` and `simulate` run the system itself.

A command's module is loaded when the command is called: an operator's command need not wait for what the system is made of.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "demo": "simulate:demo",
    "simulate": "simulate:simulate",
    "serve": "serve:serve",
    "simulate-fleet": "simulate_fleet:simulate_fleet",
    "simulate-station": "simulate_station:simulate_station",
    "simulate-vtn": "simulate_vtn:simulate_vtn",
    "station": "stations:station",
    "session": "stations:session",
    "certs": "certs:certs",
    "db": "db:db",
    "offer": "offers:offer",
    "token": "tokens:token",
    "tariff": "tokens:tariff",
    "booking": "bookings:booking",
    "car": "cars:car",
    "member": "members:member",
    "facility": "facilities:facility",
    "dr": "dr:dr",
    "benefit": "benefits:benefit",
    "register": "register:register",
    "ledger": "ledger:ledger",
}
"""Where in this folder each command stands: `module:name` of a function, or of a Typer application with its own commands."""
ALSO = {"bookings": "booking", "cars": "car"}
"""Other names, which the help does not list."""


class Commands(TyperGroup):
    """The commands, loaded when they are asked for."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.commands = dict.fromkeys(COMMANDS, TyperCommand("not loaded"))  # a mistyped name is compared with these

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """The command of that name, if there is one."""
        name = ALSO.get(cmd_name, cmd_name)
        return _loaded(name) if name in COMMANDS else None


def _loaded(name: str) -> TyperCommand | TyperGroup:
    module, attribute = COMMANDS[name].split(":")
    found = getattr(import_module(f"gridstay.cli.{module}"), attribute)
    parent = typer.Typer(add_completion=False)
    parent.callback()(lambda: None)  # makes it a group, however little is in it
    if isinstance(found, typer.Typer):
        parent.add_typer(found, name=name)
    else:
        parent.command(name)(found)
    group = typer.main.get_command(parent)
    assert isinstance(group, TyperGroup)
    found = group.commands[name]
    assert isinstance(found, TyperCommand | TyperGroup)
    return found


app = typer.Typer(
    name="gridstay",
    cls=Commands,
    help="Booked guests' cars help the grid, and the guests are thanked.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gridstay {version('gridstay')}")
        raise typer.Exit


@app.callback()
def root(
    _version_asked: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Booked guests' cars help the grid, and the guests are thanked."""


if __name__ == "__main__":
    app()
