"""How stays are typed and shown, whichever command does it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.client import CliError, Refused
from gridstay.cli.show import Row


def end_of(begins: datetime | None, end: str | None, minutes: int | None, zone: given.ZoneOf) -> str | None:
    """The end as the API reads it; None: as long as the service."""
    if end is not None and minutes is not None:
        raise typer.BadParameter("say how long with --end TIME or with --minutes N, not with both")
    if minutes is not None and begins is not None:
        return given.rfc3339(begins + timedelta(minutes=minutes))
    return None if end is None else given.rfc3339(given.instant(end, zone))


def with_alternatives(refused: Refused, zone: ZoneInfo) -> CliError:
    """The refusal, with the nearest free periods."""
    if not refused.alternatives:
        return refused
    free = "\n".join(f"  free: {show.span(start, end, zone)} ({zone.key})" for start, end in refused.alternatives)
    return CliError(f"{refused}\n{free}")


def table(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    """Bookings, one a line."""
    columns = {
        "booking": lambda row: row["id"],
        "facility": lambda row: row["facility_id"],
        f"stay ({zone.key})": lambda row: show.span(row["start"], row["end"], zone),
        "member": lambda row: row["member_number"],
        "resource": lambda row: row["resource"]["name"],
        "station": lambda row: row["bay"] and row["bay"]["station_id"],
        "helps": lambda row: helps(row["charging"]),
        "promise": lambda row: promised(row["promise"]),
        "state": lambda row: row["state"],
    }
    return show.table(rows, columns, nothing="No such booking.")


def helps(charging: Row | None) -> str | None:
    """What a car is let do for the grid, in words."""
    if charging is None:
        return None
    return "no" if not charging["dr"] else "takes and gives" if charging["discharge"] else "takes only"


def promised(promise: Row | None) -> Any:
    """What the car can have at the end, in words."""
    if promise is None:
        return None
    expected = promise["expected_soc_pct"]
    reachable = "not known" if expected is None else f"{expected} %"
    text = f"{promise['wanted_soc_pct']} % promised" if promise["kept"] else f"{promise['wanted_soc_pct']} % cannot be kept"
    return show.good(f"{text}, reachable {reachable}", promise["kept"])
