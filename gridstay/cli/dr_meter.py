"""`gridstay dr meter`: a site's own meter, whose readings come as a file. Over HTTP."""

import csv
import sys
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.command import Operator, command
from gridstay.cli.given import ZoneOf
from gridstay.cli.show import Row
from runtime.clock import SystemClock

meter = typer.Typer(help="A site's own meter, beside its chargers.", no_args_is_help=True)
COLUMNS = ("start", "end", "import_kwh", "export_kwh")
Facility = Annotated[str, typer.Option("--facility", help="Whose site.")]
_DAY = timedelta(days=1)


@command(meter, "load")
def load(
    operator: Operator,
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV with a head: start, end, import_kwh, export_kwh; or -.")],
    facility_id: Facility,
    replace: Annotated[bool, typer.Option("--replace", help="In place of other figures for the same time.")] = False,
) -> None:
    """Load readings of a site's meter; the same again counts once. Times are RFC 3339, or on the facility's clock."""
    readings = _readings(file, partial(operator.zone_of, facility_id))
    body = {"facility_id": facility_id, "readings": readings, "replace": replace}
    answer = operator.client.post("dr", "site-meter", body=body)
    operator.show(answer, lambda: show.facts({"new readings": answer["new"], "known already": answer["known"]}))


@command(meter, "show")
def show_meter(
    operator: Operator,
    facility_id: Facility,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="[default: a day before]")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="[default: now]")] = None,
) -> None:
    """A site's meter beside the sum of its chargers, period by period."""
    zone = partial(operator.zone_of, facility_id)
    until = given.instant(end, zone) if end else SystemClock().now()
    since = given.instant(start, zone) if start else until - _DAY
    query = {"facility_id": facility_id, "from": given.rfc3339(since), "to": given.rfc3339(until)}
    answer = operator.client.get("dr", "site-meter", query=query)
    operator.show(answer, lambda: _periods(answer, zone))


def _readings(file: str, zone: ZoneOf) -> list[dict[str, Any]]:
    rows = csv.DictReader(_lines(file))
    if missing := [name for name in COLUMNS[:3] if name not in (rows.fieldnames or ())]:
        raise typer.BadParameter(f"{file} has no column {', '.join(missing)}; its first line names {', '.join(COLUMNS)}")
    return [_reading(file, rows.line_num, row, zone) for row in rows]


def _lines(file: str) -> Iterable[str]:
    if file == "-":
        return sys.stdin
    try:
        return Path(file).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"cannot read {file}: {error}") from error


def _reading(file: str, line: int, row: dict[str, Any], zone: ZoneOf) -> dict[str, Any]:
    try:
        energies = [round(1000 * float(row.get(name) or 0), 3) for name in COLUMNS[2:]]
        times = [given.rfc3339(given.instant(row[name] or "", zone)) for name in COLUMNS[:2]]
    except (ValueError, OverflowError, typer.BadParameter) as error:
        raise typer.BadParameter(f"{file}, line {line}: {error}") from error
    return dict(zip(("start", "end", "import_wh", "export_wh"), [*times, *energies], strict=True))


def _periods(rows: list[Row], zone: ZoneOf) -> RenderableType:
    where = zone()
    columns = {
        f"period ({where.key})": lambda row: show.span(row["start"], row["end"], where),
        "import kWh": lambda row: show.kilo(row["import_wh"], 3),
        "export kWh": lambda row: show.kilo(row["export_wh"], 3),
        "chargers kWh": lambda row: show.kilo(row["chargers_wh"], 3),
        "building kWh": lambda row: show.kilo(_building(row), 3),
    }
    return show.table(rows, columns, nothing="No readings of the site's meter are known for this time.")


def _building(row: Row) -> float | None:
    return None if row["chargers_wh"] is None else row["import_wh"] - row["export_wh"] - row["chargers_wh"]
