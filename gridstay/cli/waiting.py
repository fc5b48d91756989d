"""`gridstay booking waiting`: who waits for a period that is taken, over HTTP."""

from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

waiting = typer.Typer(help="The waiting list: who is told when something becomes free.", no_args_is_help=True)

State = Literal["waiting", "told", "served", "withdrawn", "over"]


@command(waiting, "add")
def join(
    operator: Operator,
    facility_id: Annotated[str, typer.Option("--facility", help="Where.")],
    member_name: Annotated[str, typer.Option("--member", help="The member's id, number or phone.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="From then on.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="Until then.")],
    minutes: Annotated[int | None, typer.Option(min=1, help="How long; left out: as long as the service.")] = None,
    service: Annotated[str | None, typer.Option(help="For which service; needed where there are several.")] = None,
    party: Annotated[int | None, typer.Option(min=1, help="How many persons. [default: 1]")] = None,
    resource: Annotated[str | None, typer.Option(help="This chair, table or room alone.")] = None,
    by_car: Annotated[
        bool | None, typer.Option("--by-car/--no-car", help="Comes by car. [default: if there is one]")
    ] = None,
) -> None:
    """Wait for a stay within a period. Refused when something is free: then it can be booked."""
    zone = partial(operator.zone_of, facility_id)
    body = {
        "facility_id": facility_id,
        "member": member_name,
        "start": given.rfc3339(given.instant(start, zone)),
        "end": given.rfc3339(given.instant(end, zone)),
        "minutes": minutes,
        "service_id": service,
        "party": party,
        "resource_id": resource,
        "by_car": by_car,
    }
    answer = operator.client.post("waiting", body={name: value for name, value in body.items() if value is not None})
    operator.show(answer, lambda: _waiting([answer], zone()))


@command(waiting, "list")
def list_waiting(
    operator: Operator,
    facility_id: Annotated[str | None, typer.Option("--facility", help="At this facility only.")] = None,
    state: Annotated[State | None, typer.Option(help="Only those.")] = None,
) -> None:
    """Who waits, first come first."""
    answer = operator.client.get("waiting", query={"facility_id": facility_id, "state": state})
    operator.show(answer, lambda: _waiting(answer, operator.zone_of(facility_id)))


@command(waiting, "leave")
def leave(
    operator: Operator, wish_id: Annotated[str, typer.Argument(metavar="ID", help="As `booking waiting list` has it.")]
) -> None:
    """Wait no longer."""
    answer = operator.client.delete("waiting", wish_id)
    operator.show(answer, lambda: _waiting([answer], operator.zone_of(answer["facility_id"])))


def _waiting(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "id": lambda row: row["id"],
        "facility": lambda row: row["facility_id"],
        "member": lambda row: row["member_id"],
        "service": lambda row: row["service_id"],
        f"within ({zone.key})": lambda row: show.span(row["start"], row["end"], zone),
        "minutes": lambda row: row["minutes"],
        "state": lambda row: row["state"],
        "told of": lambda row: row["free"] and show.span(row["free"]["start"], row["free"]["end"], zone),
    }
    return show.table(rows, columns, nothing="Nobody waits.")
