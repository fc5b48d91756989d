"""`gridstay station`, what an operator does with a charger beyond registering it: reads its device model, starts sessions,
brings its local list up to date, moves it to another central system."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.client import CliError
from gridstay.cli.command import Operator, command
from gridstay.cli.given import StationId
from gridstay.cli.show import Row

TokenType = Literal["Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", "NoAuthorization"]


def join(station: typer.Typer) -> None:
    """Add these commands to `gridstay station`."""
    for name, work in (
        ("variables", variables),
        ("reports", reports),
        ("availability", availability),
        ("local-list", local_list),
        ("start", start),
        ("migrate", migrate),
    ):
        command(station, name)(work)


def variables(
    operator: Operator,
    station_id: StationId,
    component: Annotated[str | None, typer.Option(help="Of this component only.")] = None,
    variable: Annotated[str | None, typer.Option(help="Of this variable only.")] = None,
) -> None:
    """The station's device model as far as it has told it."""
    query = {"component": component, "variable": variable}
    answer = operator.client.get("stations", station_id, "variables", query=query)
    operator.show(answer, lambda: _variables(answer))


def reports(operator: Operator, station_id: StationId) -> None:
    """The reports that the station was asked for, and what is missing of each."""
    answer = operator.client.get("stations", station_id, "reports")
    operator.show(answer, lambda: _reports(answer, operator.zone_of(None)))


def availability(operator: Operator, station_id: StationId) -> None:
    """What is wanted of each connector, what it reports, and how far each change has come."""
    answer = operator.client.get("stations", station_id, "availability")
    operator.show(answer, lambda: _availability(answer))


def local_list(
    operator: Operator,
    station_id: StationId,
    group: Annotated[str | None, typer.Option(help="Only tokens of this group; else all that may charge.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Send all of it anew, not only what has changed.")] = False,
    keep: Annotated[float | None, typer.Option(min=1, help="Seconds to wait for a station that is away.")] = None,
) -> None:
    """Bring the station's local list up to date with who may charge."""
    body = {"whole": whole} | ({"group": group} if group else {})
    query = {"keep_s": keep} if keep else {}
    answer = operator.client.put("stations", station_id, "local-list", body=body, query=query)
    operator.show(answer, lambda: show.facts(answer))
    if answer["status"] not in ("Accepted", "UpToDate", "Queued"):
        raise CliError(f"{station_id} answered the list with {answer['status']}")


def start(
    operator: Operator,
    station_id: StationId,
    id_token: Annotated[str, typer.Argument(metavar="TOKEN", help="Whose session it is.")],
    token_type: Annotated[TokenType, typer.Option("--type", help="The token's type.")] = "Central",
    evse: Annotated[int | None, typer.Option(min=1, help="At this EVSE; else where the station likes.")] = None,
) -> None:
    """Have the station start a session. Exit status 1 when it does not accept."""
    body = {"value": id_token, "type": token_type} | ({"evse_id": evse} if evse else {})
    answer = operator.client.post("stations", station_id, "remote-starts", body=body)
    operator.show(answer, lambda: show.facts(answer))
    if answer["status"] != "Accepted":
        raise CliError(f"{station_id} answered {answer.get('code') or answer['status']}")


def migrate(
    operator: Operator,
    station_id: StationId,
    profile: Annotated[str, typer.Argument(metavar="JSON|@FILE", help="The network profile (connectionData).")],
    slot: Annotated[int, typer.Option(min=0, help="The configuration slot that it comes into.")],
    immediately: Annotated[bool, typer.Option("--immediately", help="Reset at once, not when idle.")] = False,
) -> None:
    """Move the station to another central system. Exit status 1 when it does not go along; it is then back in use."""
    body = {"slot": slot, "profile": given.json_object(profile), "reset": "Immediate" if immediately else "OnIdle"}
    answer = operator.client.post("stations", station_id, "migrate", body=body)
    steps = {"step": lambda row: row["action"], "answer": lambda row: row["answer"]}
    operator.show(answer, lambda: show.table(answer["steps"], steps, nothing=""))
    if answer["stopped"]:
        raise CliError(f"{station_id} was not moved: {answer['stopped']}")


# Tables ---------------------------------------------------------------------------------------------------------------


def _place(row: Row) -> str | None:
    """EVSE and connector, as 1 or 1.2; nothing for the whole station."""
    return ".".join(str(row[name]) for name in ("evse_id", "connector_id") if row[name]) or None


def _named(name: str, instance: str) -> str:
    return f"{name}[{instance}]" if instance else name


def _variables(rows: list[Row]) -> RenderableType:
    columns = {
        "component": lambda row: _named(row["component"], row["component_instance"]),
        "at": _place,
        "variable": lambda row: _named(row["variable"], row["variable_instance"]),
        "attribute": lambda row: row["kind"],
        "value": lambda row: row["value"],
        "unit": lambda row: row["unit"],
        "may be": lambda row: row["mutability"],
        "after reboot": lambda row: "yes" if row["reboot_required"] else None,
    }
    return show.table(rows, columns, nothing="It has told nothing of its device model yet.")


def _reports(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "report": lambda row: row["request_id"],
        "asked": lambda row: row["asked"],
        "answer": lambda row: row["status"],
        "whole": lambda row: row["complete"],
        "missing parts": lambda row: ", ".join(map(str, row["missing"])) or None,
        f"at ({zone.key})": lambda row: show.when(row["at"], zone, seconds=True),
    }
    return show.table(rows, columns, nothing="It was asked for no report.")


def _availability(answer: dict[str, Any]) -> RenderableType:
    connectors = {
        "connector": _place,
        "wanted": lambda row: row["wanted"],
        "reports": lambda row: row["status"],
    }
    changes = {
        "of": lambda row: _place(row) or "the station",
        "asked": lambda row: row["asked"],
        "answer": lambda row: row["answer"],
        "standing": lambda row: row["standing"],
    }
    return show.parts(
        show.table(answer["connectors"], connectors, nothing="No connector has reported yet."),
        show.table(answer["changes"], changes, nothing="No change was asked for."),
    )
