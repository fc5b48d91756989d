"""`gridstay facility`: the places that guests visit, over HTTP."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.client import CliError
from gridstay.cli.command import Operator, command, told_plainly
from gridstay.cli.show import Row

facility = typer.Typer(help="Places that guests visit.", no_args_is_help=True)

_SAMPLES = files("reservation") / "samples"
_HOW = "`gridstay facility sample` shows how one is written"


@command(facility, "load")
def load(operator: Operator, file: Annotated[Path, typer.Argument(metavar="FILE", help="The facility in TOML.")]) -> None:
    """Keep a facility as the file says, in place of what was kept of it: hours, services, resources, bays, rules."""
    body = given.toml_object(file)
    if not isinstance(body.get("id"), str):
        raise CliError(f'{file} says no id: give the facility one, such as id = "salon"')
    answer = operator.client.put("facilities", body["id"], body=body)
    operator.show(answer, lambda: _facility(answer))


@facility.command("sample")
def sample(
    name: Annotated[str, typer.Argument(metavar="NAME", help="salon, restaurant or hotel.")] = "salon",
) -> None:
    """Print a sample facility, to be changed and loaded: gridstay facility sample hotel > hotel.toml"""
    known = sorted(one.name.removesuffix(".toml") for one in _SAMPLES.iterdir() if one.name.endswith(".toml"))
    with told_plainly():
        if name not in known:
            raise CliError(f"no sample {name!r}; there are {', '.join(known)}")
        typer.echo((_SAMPLES / f"{name}.toml").read_text("utf-8"), nl=False)


@command(facility, "add")
def add(operator: Operator, content: Annotated[str, typer.Argument(metavar="@FILE", help="The facility as JSON.")]) -> None:
    """Add a facility from JSON; the same fields as in a TOML file."""
    answer = operator.client.post("facilities", body=given.json_object(content))
    operator.show(answer, lambda: _facility(answer))


@command(facility, "list")
def list_all(operator: Operator) -> None:
    """All facilities."""
    answer = operator.client.get("facilities")
    operator.show(answer, lambda: _facilities(answer))


@command(facility, "show")
def show_one(
    operator: Operator, facility_id: Annotated[str, typer.Argument(metavar="ID", help="The facility's id.")]
) -> None:
    """One facility: hours, services, resources, bays and rules."""
    answer = operator.client.get("facilities", facility_id)
    operator.show(answer, lambda: _facility(answer))


def _facilities(rows: list[Row]) -> RenderableType:
    columns = {
        "facility": lambda row: row["id"],
        "name": lambda row: row["name"],
        "hours": _week,
        "zone": lambda row: row["zone"],
        "services": lambda row: ", ".join(one["id"] for one in row["services"]),
        "resources": lambda row: len(row["resources"]),
        "bays": lambda row: len(row["bays"]),
    }
    return show.table(rows, columns, nothing=f"There are no facilities; {_HOW}.")


def _facility(row: Row) -> RenderableType:
    shown = {
        "facility": row["id"],
        "name": row["name"],
        "hours": f"{_week(row)} ({row['zone']})",
        "other days": "; ".join(map(_closure, row["closures"])),
        "rules": _rules(row["rules"]),
        "chargers": "kept for the guests' own tokens" if row["reserve_bays"] else None,
        "language": row["language"],
        "own messages": ", ".join(f"{kind} ({language})" for language, texts in row["messages"].items() for kind in texts),
        "a unit of money in points": f"{row['points_per_unit']} per {row['currency']}",
    }
    services = {
        "service": lambda one: one["id"],
        "name": lambda one: one["name"],
        "minutes": _lengths,
        "begins": _begins,
        "kept around it": lambda one: _around(one["before_min"], one["after_min"]),
        "at": lambda one: ", ".join(_where(row, one["id"])),
    }
    resources = {
        "resource": lambda one: one["id"],
        "name": lambda one: one["name"],
        "kind": lambda one: one["kind"],
        "persons": lambda one: f"{one['capacity']}{', shared' if one['shared'] else ''}",
    }
    bays = {
        "bay": lambda one: one["id"],
        "station": lambda one: one["station_id"],
        "EVSE": lambda one: one["evse_id"],
        "charge kW": lambda one: show.kilo(one["max_charge_w"]),
        "discharge kW": lambda one: show.kilo(one["max_discharge_w"]),
    }
    return show.parts(
        show.facts(shown),
        show.table(row["services"], services, nothing="It offers nothing."),
        show.table(row["resources"], resources, nothing="It has no resources."),
        show.table(row["bays"], bays, nothing="It has no bays."),
    )


def _week(row: Row) -> str:
    week: dict[str, list[str]] = row["hours"]
    if len({tuple(times) for times in week.values()}) == 1:
        return "each day " + (" and ".join(next(iter(week.values()))) or "closed")
    return ", ".join(f"{day} {' and '.join(times)}" for day, times in week.items() if times)


def _closure(one: Row) -> str:
    last = one["last"]
    days = one["first"] if last in (None, one["first"]) else f"{one['first']} to {last}"
    reason = f" ({one['reason']})" if one["reason"] else ""
    return f"{days} {' and '.join(one['hours']) or 'closed'}{reason}"


def _lengths(one: Row) -> str:
    if nights := one["nights"]:
        return f"1-{nights['longest']} nights"
    return " or ".join(map(str, one["minutes"])) or "any"


def _begins(one: Row) -> str:
    if nights := one["nights"]:
        return f"{nights['check_in']}, to {nights['check_out']}"
    return f"every {one['every_min']} min" if one["every_min"] else "at any time"


def _around(before_min: int, after_min: int) -> str | None:
    told = [f"{before_min} min before" if before_min else "", f"{after_min} min after" if after_min else ""]
    return ", ".join(filter(None, told)) or None


def _where(row: Row, service_id: str) -> list[str]:
    return [one["id"] for one in row["resources"] if not one["services"] or service_id in one["services"]]


def _rules(rules: Row) -> str:
    told = [
        f"booked {_time(rules['lead_min'])} ahead at the latest" if rules["lead_min"] else "",
        f"{rules['furthest_days']} days at the earliest",
        "" if rules["walk_in"] else "no walk-ins",
        f"cancelled until {_time(rules['cancel_min'])} before ({_late(rules)})",
        f"a no-show after {_time(rules['no_show_min'])}" if rules["no_show_min"] is not None else "",
        f"bays kept {around}" if (around := _around(rules["plug_before_min"], rules["plug_after_min"])) else "",
        f"sent on {_gathered(rules)}",
    ]
    return "; ".join(filter(None, told))


def _late(rules: Row) -> str:
    return "later refused" if rules["late_cancel"] == "refused" else "later noted"


def _gathered(rules: Row) -> str:
    told = [
        f"every {rules['send_every_min']} min" if rules["send_every_min"] else "",
        f"every {rules['send_every_bookings']} bookings" if rules["send_every_bookings"] else "",
    ]
    return " or ".join(filter(None, told)) or "at once"


def _time(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(filter(None, [f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else ""]))
