"""`gridstay booking series`: the same stay week after week, over HTTP."""

from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show, stays
from gridstay.cli.client import Refused
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

series = typer.Typer(help="The same stay week after week.", no_args_is_help=True)


@command(series, "add")
def add(
    operator: Operator,
    facility_id: Annotated[str, typer.Option("--facility", help="Where.")],
    member_name: Annotated[str, typer.Option("--member", help="The member's id, number or phone.")],
    start: Annotated[str, typer.Option(metavar="TIME", help="The first: RFC 3339, or '2026-06-03 14:00' there.")],
    weeks: Annotated[int, typer.Option(min=2, max=104, help="How many, a week apart by the facility's clock.")],
    end: Annotated[str | None, typer.Option(metavar="TIME", help="The first one's end.")] = None,
    minutes: Annotated[int | None, typer.Option(min=1, help="How long, instead of --end.")] = None,
    service: Annotated[str | None, typer.Option(help="For which service; needed where there are several.")] = None,
    party: Annotated[int | None, typer.Option(min=1, help="How many persons. [default: 1]")] = None,
    resource: Annotated[str | None, typer.Option(help="The chair, table or room; else the first free one.")] = None,
    by_car: Annotated[
        bool | None, typer.Option("--by-car/--no-car", help="Comes by car. [default: if there is one]")
    ] = None,
    free: Annotated[bool, typer.Option("--free", help="Those that are free, instead of all or none.")] = False,
) -> None:
    """Book the same stay each week: all of them or none, or those that are free."""
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
        "by_car": by_car,
        "weeks": weeks,
        "take": "free" if free else None,
    }
    try:
        answer = operator.client.post("series", body={name: value for name, value in body.items() if value is not None})
    except Refused as refused:
        raise stays.with_alternatives(refused, zone()) from refused
    operator.show(answer, lambda: _series(answer, zone()))


@command(series, "cancel")
def cancel(
    operator: Operator,
    series_id: Annotated[str, typer.Argument(metavar="ID", help="The series, as `booking series add` has told it.")],
    staff: Annotated[bool, typer.Option("--staff", help="As staff, whom no latest moment binds.")] = False,
) -> None:
    """Cancel what is still to come of a series; what is too late for it is told and stays."""
    answer = operator.client.delete("series", series_id, query={"by": "staff"} if staff else {})
    facility_id = answer["bookings"][0]["facility_id"] if answer["bookings"] else None
    operator.show(answer, lambda: _series(answer, operator.zone_of(facility_id)))


def _series(answer: Row, zone: ZoneInfo) -> RenderableType:
    left = {
        f"left out ({zone.key})": lambda row: show.when(row["start"], zone),
        "because": lambda row: row["detail"],
    }
    return show.parts(
        show.facts({"series": answer["id"]}),
        stays.table(answer["bookings"], zone),
        show.table(answer["left"], left, nothing="None was left out."),
    )
