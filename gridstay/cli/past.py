"""`gridstay booking import`: a facility's past, from the book that another program has kept, over HTTP."""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay import books
from gridstay.books import Ways
from gridstay.cli import given, show
from gridstay.cli.client import CliError
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

_SENT_AT_ONCE = 20


def join(app: typer.Typer) -> None:
    """Add the command to those of bookings."""
    command(app, "import")(bring_in)


def bring_in(
    operator: Operator,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The book: CSV, or CSV in gzip.")],
    facility_id: Annotated[str, typer.Option("--facility", help="Whose past it is.")],
    named: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="THEIRS=OURS", help="A service or resource by another name; as often as wanted."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE", help="Only lines that say so; as often as wanted.")
    ] = None,
    begins: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day of a book without dates, which needs one."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many lines at most.")] = None,
) -> None:
    """Bring in bookings of the past with what became of them; what is refused is told line by line.

    Columns: start, end, became (came, no_show, cancelled), and service, party, member, resource, made_at as far as known;
    or a hotel's (arrival_date, stays_in_week_nights, stays_in_weekend_nights, party_size, reservation_status), or a
    salon's without dates (book_dow, book_tod, book_category, book_staff, noshow), whose lines are put week after week
    where there was room.
    """
    place = operator.client.get("facilities", facility_id)
    first = date.fromisoformat(day) if (day := given.day(begins)) else None
    ways = Ways(ZoneInfo(place["zone"]), {one["id"]: one for one in place["services"]}, _pairs(named), first)
    try:
        told = _brought_in(operator, facility_id, islice(books.read(file, ways, _pairs(only)), limit))
    except books.BadBook as error:
        raise CliError(str(error)) from error
    operator.show(told, lambda: _verdicts(told))


def _pairs(typed: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in typed or ()]
    if any(not equals for _, equals, _ in pairs):
        raise typer.BadParameter("write it as NAME=VALUE")
    return {name: value for name, _, value in pairs}


def _brought_in(operator: Operator, facility_id: str, rows: Iterator[books.Row]) -> list[Row]:
    """The verdict on each line, in the order of the book."""
    verdicts: list[Row] = []
    while part := list(islice(rows, _SENT_AT_ONCE)):
        verdicts += [{"line": row.line, "booking_id": None, "detail": row.fault} for row in part if row.body is None]
        if sent := [row.body for row in part if row.body is not None]:
            verdicts += operator.client.post("facilities", facility_id, "past", body={"rows": sent})
    return sorted(verdicts, key=lambda one: one["line"])


def _verdicts(verdicts: list[Row]) -> RenderableType:
    refused = [one for one in verdicts if one["booking_id"] is None]
    came_in = [one for one in verdicts if one["booking_id"] is not None]
    told = {
        "lines": len(verdicts),
        "came in": len(came_in),
        "of them before": sum(one["again"] for one in came_in),
        "no-shows": sum(one["state"] == "no_show" for one in came_in),
        "cancelled": sum(one["state"] == "cancelled" for one in came_in),
        "refused": len(refused),
    }
    lines = {"line": lambda one: one["line"], "refused because": lambda one: one["detail"]}
    return show.parts(show.facts(told), show.table(refused, lines, nothing="Nothing was refused."))
