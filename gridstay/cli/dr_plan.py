"""`gridstay dr plan`: what a facility's cars shall do in the next hours. Over HTTP."""

from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType
from rich.text import Text

from gridstay.cli import show
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Cell, Row

plan = typer.Typer(help="What the cars shall do in the next hours.", no_args_is_help=True)

_HALF = 14
"""Columns of a bar on either side of zero."""


@plan.callback()
def _plans() -> None:
    """A group of its own, also while it has one command."""


@command(plan, "show")
def show_plan(
    operator: Operator,
    facility_id: Annotated[str, typer.Option("--facility", help="Whose cars.")],
    cars: Annotated[bool, typer.Option("--cars", help="Also what each car shall do.")] = False,
) -> None:
    """The plan as it was made last: planned and asked power, what is missed, and what more would be worth, slot by slot."""
    answer = operator.client.get("dr", "plan", query={"facility_id": facility_id})
    operator.show(answer, lambda: _plan(answer, operator.zone_of(facility_id), cars=cars))


def _plan(row: Row, zone: ZoneInfo, *, cars: bool) -> RenderableType:
    most = max((abs(power) for slot in row["slots"] for power in (slot["planned_w"], slot["target_w"] or 0)), default=0)
    columns: dict[str, Cell] = {
        f"from ({zone.key})": lambda slot: show.when(slot["start"], zone),
        "cars": lambda slot: slot["cars"],
        "planned kW": lambda slot: show.kilo(slot["planned_w"]),
        "asked kW": lambda slot: show.kilo(slot["target_w"]),
        "band kW": lambda slot: show.kilo(slot["band_w"]) if slot["target_w"] is not None else None,
        "sold": lambda slot: "if called" if slot["sold"] else None,
        "missed kWh": lambda slot: show.kilo(slot["missed_wh"], 2) if slot["missed_wh"] else None,
        "worth per kWh": lambda slot: f"{slot['value']:.2f}" if slot["value"] else None,
        "gives | takes": partial(_bar, most=most),
    }
    told = {
        "facility": row["facility_id"],
        "made": f"{show.when(row['made_at'], zone, seconds=True)} ({zone.key})",
        "how": row["method"],
        "why not by the solver": row["reason"],
        "cost": _cost(row),
        "beyond the site's limits": f"{sum(slot['over_wh'] for slot in row['slots']) / 1000:.2f} kWh"
        if any(slot["over_wh"] for slot in row["slots"])
        else None,
    }
    shown = [show.facts(told), show.table(row["slots"], columns, nothing="Nothing is planned.")]
    if cars:
        shown += [show.heading("Cars"), _cars(row, zone)]
    return show.parts(*shown)


def _cost(row: Row) -> str:
    """The plan's cost, and how far from the least it can be at most."""
    if row["bound"] is None:
        return f"{row['cost']:.2f}"
    return f"{row['cost']:.2f}, no plan below {row['bound']:.2f}"


def _bar(slot: Row, most: float) -> Text:
    """A bar from the middle: what is planned, with a mark at what is asked."""
    cells = [" "] * (2 * _HALF + 1)
    planned, asked = _place(slot["planned_w"], most), _place(slot["target_w"], most)
    for place in range(min(_HALF, planned), max(_HALF, planned) + 1):
        cells[place] = "█" if planned != _HALF else " "
    cells[_HALF] = "│"
    if slot["target_w"] is not None:
        cells[asked] = "◆"
    return Text("".join(cells), style="dark_orange" if slot["planned_w"] < 0 else "green")


def _place(power: float | None, most: float) -> int:
    return _HALF + (round(_HALF * (power or 0) / most) if most else 0)


def _cars(row: Row, zone: ZoneInfo) -> RenderableType:
    slots = row["slots"]
    columns = {
        "booking": lambda car: car["booking_id"],
        "session": lambda car: car["session_id"],
        "standing": lambda car: car["standing"].replace("_", " "),
        f"from ({zone.key})": lambda car: show.when(slots[car["first"]]["start"], zone) if car["power_w"] else None,
        "kW slot by slot": lambda car: " ".join(f"{power / 1000:.1f}" for power in car["power_w"]),
        "leaves with kWh": lambda car: show.kilo(car["energy_wh"][-1]) if car["energy_wh"] else None,
    }
    return show.table(row["cars"], columns, nothing="No car is planned.")
