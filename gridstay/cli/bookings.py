"""`gridstay booking`: stays, over HTTP."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, past, series, show, stays, waiting
from gridstay.cli.client import CliError, Refused, reason
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

booking = typer.Typer(help="Stays: book, look at, cancel.", no_args_is_help=True)
past.join(booking)
booking.add_typer(series.series, name="series")
booking.add_typer(waiting.waiting, name="waiting")

Time = Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339, or '2026-06-03 14:00' on the facility's clock.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The booking's id.")]
Staff = Annotated[bool, typer.Option("--staff", help="As staff, whom no latest moment binds.")]
State = Literal["held", "booked", "checked_in", "checked_out", "cancelled", "no_show", "expired"]


@command(booking, "add")
def book(
    operator: Operator,
    facility_id: Annotated[str, typer.Option("--facility", help="Where.")],
    member_name: Annotated[str, typer.Option("--member", help="The member's id, number or phone.")],
    start: Annotated[str, typer.Option(metavar="TIME", help="RFC 3339, or '2026-06-03 14:00' on the facility's clock.")],
    end: Time = None,
    minutes: Annotated[int | None, typer.Option(min=1, help="How long, instead of --end.")] = None,
    service: Annotated[str | None, typer.Option(help="For which service; needed where there are several.")] = None,
    party: Annotated[int | None, typer.Option(min=1, help="How many persons. [default: 1]")] = None,
    resource: Annotated[str | None, typer.Option(help="The chair, table or room; else the first free one.")] = None,
    hold: Annotated[bool, typer.Option("--hold", help="Keep it for some minutes; `booking confirm` books it.")] = False,
    walk_in: Annotated[bool, typer.Option("--walk-in", help="The guest is here already.")] = False,
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
    position: Annotated[
        str | None, typer.Option("--position", metavar="LAT,LON", help="Where the car is, instead of --distance-km.")
    ] = None,
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
        "end": stays.end_of(begins, end, minutes, zone),
        "service_id": service,
        "party": party,
        "resource_id": resource,
        "hold": hold or None,
        "walk_in": walk_in or None,
        "by_car": by_car,
        "dr": dr,
        "discharge": discharge,
        "soc_pct": soc,
        "distance_km": distance,
        "wanted_soc_pct": wanted,
        "floor_soc_pct": floor,
        **(given.position(position) if position else {}),
    }
    try:
        answer = operator.client.post("bookings", body={name: value for name, value in body.items() if value is not None})
    except Refused as refused:
        raise stays.with_alternatives(refused, zone()) from refused
    operator.show(answer, lambda: _booking(answer, operator.zone_of(facility_id)))


@command(booking, "list")
def list_bookings(
    operator: Operator,
    facility_id: Annotated[str | None, typer.Option("--facility", help="At this facility only.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Those that end after it.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Those that begin before it.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those.")] = None,
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
    operator.show(answer, lambda: stays.table(answer, zone()))


@command(booking, "cancel")
def cancel(operator: Operator, booking_id: Id, staff: Staff = False) -> None:
    """Cancel a booking that has not begun."""
    answer = operator.client.delete("bookings", booking_id, query={"by": "staff"} if staff else {})
    _show(operator, answer)


@command(booking, "change")
def change(
    operator: Operator,
    booking_id: Id,
    start: Time = None,
    end: Time = None,
    minutes: Annotated[int | None, typer.Option(min=1, help="How long, instead of --end; needs --start.")] = None,
    service: Annotated[str | None, typer.Option(help="For another service.")] = None,
    party: Annotated[int | None, typer.Option(min=1, help="For so many persons.")] = None,
    resource: Annotated[str | None, typer.Option(help="At this chair, table or room.")] = None,
    wanted: Annotated[int | None, typer.Option("--wanted", min=0, max=100, help="Percent wanted at the end.")] = None,
    staff: Staff = False,
) -> None:
    """Change a booking, which keeps its id. When the new period is not free, the nearest free periods are shown."""
    zone = operator.zone_of(operator.client.get("bookings", booking_id)["facility_id"])
    begins = given.instant(start, lambda: zone) if start else None
    if minutes is not None and not begins:
        raise typer.BadParameter("--minutes needs --start; without it say --end")
    body = {
        "start": begins and given.rfc3339(begins),
        "end": stays.end_of(begins, end, minutes, lambda: zone)
        if begins
        else end and given.rfc3339(given.instant(end, lambda: zone)),
        "service_id": service,
        "party": party,
        "resource_id": resource,
        "wanted_soc_pct": wanted,
    }
    query = {"by": "staff"} if staff else {}
    asked = {name: value for name, value in body.items() if value is not None}
    try:
        answer = operator.client.patch("bookings", booking_id, body=asked, query=query)
    except Refused as refused:
        raise stays.with_alternatives(refused, zone) from refused
    _show(operator, answer)


@command(booking, "free")
def free(
    operator: Operator,
    facility_id: Annotated[str, typer.Option("--facility", help="Where.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="From then on.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Until then.")],
    service: Annotated[str | None, typer.Option(help="For which service; needed where there are several.")] = None,
    minutes: Annotated[int | None, typer.Option(min=1, help="How long; left out: as long as the service.")] = None,
    nights: Annotated[int | None, typer.Option(min=1, help="How many nights.")] = None,
    party: Annotated[int, typer.Option(min=1, help="How many persons.")] = 1,
    member_name: Annotated[str | None, typer.Option("--member", help="Who comes, if by car.")] = None,
    soc: Annotated[int | None, typer.Option("--soc", min=0, max=100, help="Percent in the battery now.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="So many at most.")] = 20,
) -> None:
    """What can be booked, and for a guest by car what it can have at the end."""
    zone = partial(operator.zone_of, facility_id)
    query = {
        "from": given.rfc3339(given.instant(start, zone)),
        "to": given.rfc3339(given.instant(end, zone)),
        "service_id": service,
        "minutes": minutes,
        "nights": nights,
        "party": party,
        "member": member_name,
        "soc_pct": soc,
        "limit": limit,
    }
    answer = operator.client.get("facilities", facility_id, "free", query=query)
    operator.show(answer, lambda: _free(answer, zone()))


@command(booking, "calendar")
def calendar(
    operator: Operator, booking_id: Id, file: Annotated[Path, typer.Argument(metavar="FILE", help="Such as stay.ics.")]
) -> None:
    """Write a booking into a calendar file."""
    try:
        file.write_bytes(operator.client.download("bookings", booking_id, "calendar"))
    except OSError as error:
        raise CliError(f"cannot write {reason(error)}") from error


@command(booking, "confirm")
def confirm(operator: Operator, booking_id: Id) -> None:
    """Book what is held."""
    _show(operator, operator.client.post("bookings", booking_id, "confirm"))


@command(booking, "check-in")
def check_in(operator: Operator, booking_id: Id) -> None:
    """The guest is here."""
    _show(operator, operator.client.post("bookings", booking_id, "check-in"))


@command(booking, "check-out")
def check_out(operator: Operator, booking_id: Id) -> None:
    """The guest has left."""
    _show(operator, operator.client.post("bookings", booking_id, "check-out"))


@command(booking, "charge-now")
def charge_now(operator: Operator, booking_id: Id) -> None:
    """The driver's word: from now on the car charges as fast as it can, and the grid asks nothing of it."""
    _show(operator, operator.client.post("bookings", booking_id, "charge-now"))


@command(booking, "no-show")
def no_show(operator: Operator, booking_id: Id) -> None:
    """The guest did not come."""
    _show(operator, operator.client.post("bookings", booking_id, "no-show"))


def _show(operator: Operator, answer: Row) -> None:
    operator.show(answer, lambda: _booking(answer, operator.zone_of(answer["facility_id"])))


def _free(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        f"stay ({zone.key})": lambda row: show.span(row["start"], row["end"], zone),
        "resources": lambda row: ", ".join(row["resources"]),
        "bays": lambda row: ", ".join(row["bays"]) or None,
        "promise": lambda row: stays.promised(row["promise"]),
    }
    return show.table(rows, columns, nothing="Nothing is free.")


def _booking(row: Row, zone: ZoneInfo) -> RenderableType:
    promise = row["promise"]
    return show.facts(
        {
            "booking": row["id"],
            "state": row["state"],
            "stay": f"{show.span(row['start'], row['end'], zone)} ({zone.key})",
            "facility": row["facility_id"],
            "member": row["member_number"],
            "service": row.get("service_id"),
            "resource": row["resource"]["name"],
            "check-in code": row.get("code"),
            "bay": row["bay"] and f"{row['bay']['id']} (station {row['bay']['station_id']}, EVSE {row['bay']['evse_id']})",
            "helps the grid": row["charging"] and stays.helps(row["charging"]),
            "charge at the end": promise and stays.promised(promise),
            "why not": promise and promise["reason"],
        }
    )
