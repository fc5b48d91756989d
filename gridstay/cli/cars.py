"""`gridstay car`: the car models that members choose from, over HTTP."""

import re
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from gridstay import car_tables
from gridstay.cli import show
from gridstay.cli.client import CliError, Refused
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

car = typer.Typer(help="Car models that members choose from.", no_args_is_help=True)

_PLACE = re.compile(r"models\.(\d+)\.")


@command(car, "load")
def load(
    operator: Operator,
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Tables of cars: CSV, or CSV in gzip.")],
) -> None:
    """Load the list of car models; what was in it before goes, and members' cars keep their figures.

    Columns: make, model, battery_kwh (usable), ac_kw, and as far as known year, discharge_kw, bidirectional, wh_per_km,
    plugs (several with | between them); or the tables of Chargeprice's open-ev-data, Open EV Data and EV2Gym as they are. A
    line that cannot be read is told, and nothing is changed.
    """
    try:
        rows = [row for path in files for row in car_tables.read(path)]
    except car_tables.BadTable as error:
        raise CliError(str(error)) from error
    cars = [row for row in rows if row.body is not None]
    if not cars:
        raise CliError(f"no line of {', '.join(map(str, files))} has a car with a battery that charges with AC")
    try:
        answer = operator.client.put("car-models", body={"models": [row.body for row in cars]})
    except Refused as refusal:
        raise CliError(_PLACE.sub(lambda found: _where(cars[int(found[1])]), str(refusal))) from refusal
    told = {"models": answer["models"], "lines": len(rows), "left out": len(rows) - len(cars)}
    operator.show(told, lambda: show.facts(told))


@command(car, "search")
def search(
    operator: Operator,
    text: Annotated[list[str], typer.Argument(metavar="TEXT…", help="Words that begin words of make and model.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="So many at most.")] = 20,
) -> None:
    """Find car models, for `gridstay member add --car-model` and `member car --model`."""
    answer = operator.client.get("car-models", query={"q": " ".join(text), "limit": limit})
    operator.show(answer, lambda: _models(answer))


def _where(row: car_tables.Row) -> str:
    return f"{row.path} line {row.line}: "


def _models(rows: list[Row]) -> RenderableType:
    columns = {
        "id": lambda row: row["id"],
        "model": lambda row: row["name"],
        "battery kWh": lambda row: show.kilo(row["battery_wh"]),
        "AC kW": lambda row: show.kilo(row["max_charge_w"]),
        "gives kW": lambda row: show.kilo(row["max_discharge_w"]),
        "gives power": lambda row: row["bidirectional"],
        "Wh/km": lambda row: row["consumption_wh_per_km"],
        "plugs": lambda row: ", ".join(row["plugs"]) or None,
    }
    return show.table(rows, columns, nothing="No model has these words; `gridstay car load` loads the list.")
