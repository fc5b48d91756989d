"""`gridstay booking` and `gridstay member`: guests and their stays, over HTTP."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.client import CliError, Refused
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

booking = typer.Typer(help="Stays: book, look at, cancel.", no_args_is_help=True)
member = typer.Typer(help="Guests with an account.", no_args_is_help=True)

Time = Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339, or '2026-06-03 14:00' on the facility's clock.")]
TOKEN_TYPE = "ISO14443"

# Bookings -------------------------------------------------------------------------------------------------------------


@command(booking, "add")
def book(
    operator: Operator,
    facility_id: Annotated[str, typer.Option("--facility", help="Where.")],
    member_name: Annotated[str, typer.Option("--member", help="The member's id, number or phone.")],
    start: Annotated[str, typer.Option(metavar="TIME", help="RFC 3339, or '2026-06-03 14:00' on the facility's clock.")],
    end: Time = None,
    minutes: Annotated[int | None, typer.Option(min=1, help="How long, instead of --end.")] = None,
    resource: Annotated[str | None, typer.Option(help="The chair, table or room; else the first free one.")] = None,
    by_car: Annotated[
        bool | None, typer.Option("--by-car/--no-car", help="Comes by car. [default: if there is one]")
    ] = None,
    dr: Annotated[
        bool | None, typer.Option("--dr/--no-dr", help="The car may help. [default: as the member prefers]")
    ] = None,
    discharge: Annotated[
        bool | None, typer.Option("--discharge/--no-discharge", help="It may give power. [default: as the member prefers]")
    ] = None,
    soc: Annotated[int | None, typer.Option("--soc", min=0, max=100, help="Percent in the battery now.")] = None,
    distance: Annotated[float | None, typer.Option("--distance-km", min=0, help="The drive still to come.")] = None,
    wanted: Annotated[int | None, typer.Option("--wanted", min=0, max=100, help="Percent wanted at the end.")] = None,
    floor: Annotated[int | None, typer.Option("--floor", min=0, max=100, help="Percent never to go below.")] = None,
) -> None:
    """Book a stay. When it is not free, the nearest free periods are shown."""
    zone = partial(operator.zone_of, facility_id)
    begins = given.instant(start, zone)
    body = {
        "facility_id": facility_id,
        "member": member_name,
        "start": given.rfc3339(begins),
        "end": given.rfc3339(_end(begins, end, minutes, zone)),
        "resource_id": resource,
        "by_car": by_car,
        "dr": dr,
        "discharge": discharge,
        "soc_pct": soc,
        "distance_km": distance,
        "wanted_soc_pct": wanted,
        "floor_soc_pct": floor,
    }
    try:
        answer = operator.client.post("bookings", body={name: value for name, value in body.items() if value is not None})
    except Refused as refused:
        raise _with_alternatives(refused, zone()) from refused
    operator.show(answer, lambda: _booking(answer, operator.zone_of(facility_id)))


@command(booking, "list")
def list_bookings(
    operator: Operator,
    facility_id: Annotated[str | None, typer.Option("--facility", help="At this facility only.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Those that end after it.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Those that begin before it.")] = None,
    state: Annotated[Literal["booked", "cancelled"] | None, typer.Option(help="Only those.")] = None,
) -> None:
    """Bookings, by start."""
    zone = partial(operator.zone_of, facility_id)
    query = {
        "facility_id": facility_id,
        "from": start and given.rfc3339(given.instant(start, zone)),
        "to": end and given.rfc3339(given.instant(end, zone)),
        "state": state,
    }
    answer = operator.client.get("bookings", query=query)
    operator.show(answer, lambda: _bookings(answer, zone()))


@command(booking, "cancel")
def cancel(operator: Operator, booking_id: Annotated[str, typer.Argument(metavar="ID", help="The booking's id.")]) -> None:
    """Cancel a booking that has not begun."""
    answer = operator.client.delete("bookings", booking_id)
    operator.show(answer, lambda: _booking(answer, operator.zone_of(answer["facility_id"])))


def _end(begins: datetime, end: str | None, minutes: int | None, zone: given.ZoneOf) -> datetime:
    if (end is None) == (minutes is None):
        raise typer.BadParameter("say how long: --end TIME or --minutes N, one of them")
    return given.instant(end, zone) if end is not None else begins + timedelta(minutes=minutes or 0)


def _with_alternatives(refused: Refused, zone: ZoneInfo) -> CliError:
    if not refused.alternatives:
        return refused
    free = "\n".join(f"  free: {show.span(start, end, zone)} ({zone.key})" for start, end in refused.alternatives)
    return CliError(f"{refused}\n{free}")


# Members --------------------------------------------------------------------------------------------------------------


@command(member, "add")
def add_member(
    operator: Operator,
    number: Annotated[str, typer.Argument(metavar="NUMBER|@FILE", help="The member's number, or all of it as JSON.")],
    name: Annotated[str | None, typer.Option(help="The member's name.")] = None,
    phone: Annotated[str | None, typer.Option(help="With the country, such as +81 90 1234 5678.")] = None,
    email: Annotated[str | None, typer.Option(help="Address.")] = None,
    card: Annotated[list[str] | None, typer.Option(metavar="VALUE[/TYPE]", help="Card or tag, as often as wanted.")] = None,
    battery: Annotated[float | None, typer.Option("--battery-kwh", min=0.001, help="The car's usable battery.")] = None,
    charge: Annotated[float, typer.Option("--charge-kw", min=0.001, help="The car's greatest charging power.")] = 6.0,
    discharge: Annotated[float, typer.Option("--discharge-kw", min=0, help="Its greatest discharging power.")] = 0.0,
    dr: Annotated[bool, typer.Option("--dr/--no-dr", help="The car may help the grid.")] = False,
    may_discharge: Annotated[bool, typer.Option("--discharge/--no-discharge", help="It may give power.")] = False,
    wanted: Annotated[int, typer.Option("--wanted", min=0, max=100, help="Percent wanted at the end of a stay.")] = 80,
    floor: Annotated[int, typer.Option("--floor", min=0, max=100, help="Percent never to go below.")] = 20,
) -> None:
    """Add a member. Taking part and discharging need the member's yes: --dr, --discharge."""
    if given.is_file(number):
        body = given.json_object(number)
    else:
        if name is None:
            raise typer.BadParameter("a member has a name: give --name, or the whole member as @file.json")
        body = {
            "number": number,
            "name": name,
            "phone": phone,
            "email": email,
            "tokens": [_card(text) for text in card or ()],
            "car": battery and _car(battery, charge, discharge),
            "preferences": {"dr": dr, "discharge": may_discharge, "wanted_soc_pct": wanted, "floor_soc_pct": floor},
        }
    answer = operator.client.post("members", body={name: value for name, value in body.items() if value is not None})
    operator.show(answer, lambda: _member(answer, operator.zone_of(None)))


@command(member, "show")
def show_member(
    operator: Operator, identity: Annotated[str, typer.Argument(metavar="MEMBER", help="Id, number or phone.")]
) -> None:
    """One member with points, and all that the member was told."""
    answer = operator.client.get("members", identity)
    operator.show(answer, lambda: _member(answer, operator.zone_of(None)))


@command(member, "list")
def list_members(operator: Operator) -> None:
    """All members, by number."""
    answer = operator.client.get("members")
    operator.show(answer, lambda: _members(answer))


def _card(text: str) -> dict[str, str]:
    value, _, kind = text.partition("/")
    return {"value": value, "type": kind or TOKEN_TYPE}


def _car(battery_kwh: float, charge_kw: float, discharge_kw: float) -> dict[str, int]:
    return {
        "battery_wh": round(1000 * battery_kwh),
        "max_charge_w": round(1000 * charge_kw),
        "max_discharge_w": round(1000 * discharge_kw),
    }


# Tables ---------------------------------------------------------------------------------------------------------------


def _bookings(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "booking": lambda row: row["id"],
        "facility": lambda row: row["facility_id"],
        f"stay ({zone.key})": lambda row: show.span(row["start"], row["end"], zone),
        "member": lambda row: row["member_number"],
        "resource": lambda row: row["resource"]["name"],
        "station": lambda row: row["bay"] and row["bay"]["station_id"],
        "helps": lambda row: _helps(row["charging"]),
        "promise": lambda row: _promise(row["promise"]),
        "state": lambda row: row["state"],
    }
    return show.table(rows, columns, nothing="No such booking.")


def _booking(row: Row, zone: ZoneInfo) -> RenderableType:
    promise = row["promise"]
    return show.facts(
        {
            "booking": row["id"],
            "state": row["state"],
            "stay": f"{show.span(row['start'], row['end'], zone)} ({zone.key})",
            "facility": row["facility_id"],
            "member": row["member_number"],
            "resource": row["resource"]["name"],
            "bay": row["bay"] and f"{row['bay']['id']} (station {row['bay']['station_id']}, EVSE {row['bay']['evse_id']})",
            "helps the grid": row["charging"] and _helps(row["charging"]),
            "charge at the end": promise and _promise(promise),
            "why not": promise and promise["reason"],
        }
    )


def _helps(charging: Row | None) -> str | None:
    if charging is None:
        return None
    return "no" if not charging["dr"] else "takes and gives" if charging["discharge"] else "takes only"


def _promise(promise: Row | None) -> Any:
    if promise is None:
        return None
    expected = promise["expected_soc_pct"]
    reachable = "not known" if expected is None else f"{expected} %"
    text = f"{promise['wanted_soc_pct']} % promised" if promise["kept"] else f"{promise['wanted_soc_pct']} % cannot be kept"
    return show.good(f"{text}, reachable {reachable}", promise["kept"])


def _members(rows: list[Row]) -> RenderableType:
    columns = {
        "number": lambda row: row["number"],
        "name": lambda row: row["name"],
        "phone": lambda row: row["phone"],
        "cards": lambda row: ", ".join(token["value"] for token in row["tokens"]) or None,
        "battery kWh": lambda row: row["car"] and show.kilo(row["car"]["battery_wh"]),
        "helps": lambda row: _helps(row["preferences"]),
        "points": lambda row: f"{row['points']:,}",
    }
    return show.table(rows, columns, nothing="There are no members; `gridstay member add` makes one.")


def _member(row: Row, zone: ZoneInfo) -> RenderableType:
    car, prefers = row["car"], row["preferences"]
    told = {
        f"at ({zone.key})": lambda one: show.when(one["at"], zone),
        "told": lambda one: one["text"],
    }
    shown = show.facts(
        {
            "number": row["number"],
            "name": row["name"],
            "id": row["id"],
            "phone": row["phone"],
            "e-mail": row["email"],
            "cards": ", ".join(f"{token['value']} ({token['type']})" for token in row["tokens"]),
            "car": car
            and f"{show.kilo(car['battery_wh'])} kWh, charges {show.kilo(car['max_charge_w'])} kW, "
            f"discharges {show.kilo(car['max_discharge_w'])} kW",
            "helps the grid": _helps(prefers),
            "charge": f"{prefers['wanted_soc_pct']} % wanted, never below {prefers['floor_soc_pct']} %",
            "points": f"{row['points']:,}",
        }
    )
    return show.parts(shown, show.table(row["notices"], told, nothing="Nothing told yet.")) if "notices" in row else shown
