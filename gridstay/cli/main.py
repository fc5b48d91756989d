"""The command line. Operators' commands speak only HTTP; `serve`, `demo` and `simulate` run the system itself."""

from importlib.metadata import version
from typing import Annotated

import typer

from gridstay.cli import (
    benefits,
    bookings,
    certs,
    db,
    dr,
    facilities,
    ledger,
    members,
    meter_keys,
    offers,
    past,
    register,
    serve,
    simulate,
    simulate_fleet,
    simulate_station,
    simulate_vtn,
    station_control,
    stations,
    tokens,
)

app = typer.Typer(
    name="gridstay",
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


app.command()(simulate.demo)
app.command()(simulate.simulate)
app.command()(serve.serve)
app.command("simulate-fleet")(simulate_fleet.simulate_fleet)
app.command("simulate-station")(simulate_station.simulate_station)
app.command("simulate-vtn")(simulate_vtn.simulate_vtn)
app.add_typer(stations.station, name="station")
station_control.join(stations.station)
stations.station.add_typer(meter_keys.meter_key, name="meter-key")
app.add_typer(stations.session, name="session")
app.add_typer(certs.certs, name="certs")
app.add_typer(db.db, name="db")
app.add_typer(offers.offer, name="offer")
app.add_typer(tokens.token, name="token")
app.add_typer(tokens.tariff, name="tariff")
app.add_typer(bookings.booking, name="booking")
past.join(bookings.booking)
app.add_typer(bookings.booking, name="bookings", hidden=True)
app.add_typer(members.member, name="member")
app.add_typer(facilities.facility, name="facility")
app.add_typer(dr.dr, name="dr")
app.add_typer(benefits.benefit, name="benefit")
app.add_typer(register.register, name="register")
app.add_typer(ledger.ledger, name="ledger")

if __name__ == "__main__":
    app()
