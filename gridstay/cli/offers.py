"""`gridstay offer`: paid periods, and who is told of them, over HTTP."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Group, RenderableType

from contracts.units import money
from gridstay.cli import given, show
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

offer = typer.Typer(help="Paid periods, and the members who are told of them.", no_args_is_help=True)

Facility = Annotated[str, typer.Option("--facility", help="The facility's id.")]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", metavar="FILE", help="A policy in TOML instead of the kept one.")
]


@command(offer, "periods")
def periods(
    operator: Operator,
    facility_id: Facility,
    member: Annotated[str | None, typer.Option(help="Also what this member's car can earn.")] = None,
) -> None:
    """Periods in which cars are paid, as the engine last published them."""
    answer = operator.client.get("facilities", facility_id, "paid-periods", query={"member": member})
    operator.show(answer, lambda: _periods(answer, operator.zone_of(facility_id)))


@command(offer, "policy")
def policy(
    operator: Operator,
    facility_id: Facility,
    file: Annotated[Path | None, typer.Option("--set", metavar="FILE", help="Keep this policy, in TOML.")] = None,
) -> None:
    """To whom the facility offers, and when; with --set, another policy from now on."""
    path = ("facilities", facility_id, "offer-policy")
    answer = operator.client.put(*path, body=given.toml_object(file)) if file else operator.client.get(*path)
    operator.show(answer, lambda: _policy(answer))


@command(offer, "preview")
def preview(operator: Operator, facility_id: Facility, file: PolicyFile = None) -> None:
    """Who would be told what if all paid periods to come were offered now. Nothing is sent."""
    body = {"policy": given.toml_object(file)} if file else {}
    answer = operator.client.post("facilities", facility_id, "offers", "preview", body=body)
    operator.show(answer, lambda: _preview(answer, operator.zone_of(facility_id)))


@command(offer, "send")
def send(
    operator: Operator,
    facility_id: Facility,
    again: Annotated[bool, typer.Option("--again", help="Also when all of the periods were offered already.")] = False,
) -> None:
    """Offer all paid periods to come to whom the policy chooses."""
    answer = operator.client.post("facilities", facility_id, "offers", body={"again": again})
    operator.show(answer, lambda: _offers([answer], operator.zone_of(facility_id)))


@command(offer, "list")
def list_offers(operator: Operator, facility_id: Facility) -> None:
    """The facility's last offers, the newest first."""
    answer = operator.client.get("facilities", facility_id, "offers")
    operator.show(answer, lambda: _offers(answer, operator.zone_of(facility_id)))


@command(offer, "show")
def show_offer(operator: Operator, offer_id: Annotated[str, typer.Argument(metavar="ID", help="The offer's id.")]) -> None:
    """One offer: what each member was told, and what became of it."""
    answer = operator.client.get("offers", offer_id)
    operator.show(answer, lambda: _told(answer["told"], operator.zone_of(answer["facility_id"])))


def _periods(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        f"when ({zone.key})": lambda row: show.span(row["start"], row["end"], zone),
        "for": lambda row: {"up": "giving", "down": "taking"}[row["direction"]],
        "a kWh": lambda row: money(row["minor_per_kwh"], row["currency"]),
    }
    if any(row["most_minor"] is not None for row in rows):
        columns["the car, at most"] = lambda row: money(row["most_minor"] or 0, row["currency"])
    return show.table(rows, columns, nothing="No paid period is to come.")


def _policy(policy: Row) -> RenderableType:
    return show.facts(
        {
            "by itself": "yes" if policy["automatic"] else "no",
            "to": said(policy["audience"]),
            "at most": f"{policy['per_week']} in seven days",
            "quiet": f"{policy['quiet_from'][:5]} to {policy['quiet_until'][:5]}",
            "ahead": f"{policy['lead_h']} hours at least",
        }
    )


def said(condition: Row) -> str:
    """A condition in words."""
    match condition["kind"]:
        case "everyone":
            return "all members"
        case "spent":
            return f"who spent {condition['at_least_minor']:,} in {condition['days']} days"
        case "visited":
            times = "once" if condition["times"] == 1 else f"{condition['times']} times"
            return f"who came {times} in {condition['days']} days"
        case "has_car":
            return "who has an electric car"
        case "takes_part":
            return "who takes part in demand response"
        case "not":
            return f"not ({said(condition['of'])})"
        case kind:
            return f" {'and' if kind == 'all' else 'or'} ".join(f"({said(part)})" for part in condition["of"])


def _preview(answer: Row, zone: ZoneInfo) -> RenderableType:
    left_out = show.table(
        answer["left_out"],
        {"left out": lambda row: row["number"], "why": lambda row: row["why"]},
        nothing="Nobody is left out.",
    )
    return Group(_told(answer["told"], zone), left_out)


def _told(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "member": lambda row: row["number"],
        f"at ({zone.key})": lambda row: show.when(row["at"], zone),
        "text": lambda row: row["text"],
    }
    if any(row["state"] for row in rows):
        columns["state"] = lambda row: " ".join(filter(None, (row["state"], row["channel"], row["error"])))
    return show.table(rows, columns, nothing="Nobody is told.")


def _offers(rows: list[Row], zone: ZoneInfo) -> RenderableType:
    columns = {
        "offer": lambda row: row["id"],
        f"made ({zone.key})": lambda row: show.when(row["made_at"], zone),
        "by": lambda row: "itself" if row["automatic"] else "staff",
        "periods": lambda row: len(row["periods"]),
        "told": lambda row: row["chosen"],
        "left out": lambda row: row["left_out"],
        "became": lambda row: ", ".join(f"{count} {state}" for state, count in sorted(row["states"].items())),
    }
    return show.table(rows, columns, nothing="Nothing was offered yet.")
