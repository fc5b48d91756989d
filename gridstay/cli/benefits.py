"""`gridstay benefit`: what a facility gives for its guests' help, and what a member has, over HTTP."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import given, show
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

benefit = typer.Typer(help="What members get, and what they have.", no_args_is_help=True)


@command(benefit, "policy")
def policy(
    operator: Operator,
    facility_id: Annotated[str, typer.Argument(help="Which one.")],
    change: Annotated[
        str | None, typer.Option("--set", metavar="JSON", help="The new policy, written out or in @file.json.")
    ] = None,
) -> None:
    """What a facility's members get for their cars' help; with --set, from now on."""
    if change is None:
        answer = operator.client.get("facilities", facility_id, "benefits")
    else:
        answer = operator.client.put("facilities", facility_id, "benefits", body=given.json_object(change))
    operator.show(answer, lambda: show.facts(answer))


@command(benefit, "wallet")
def wallet(
    operator: Operator,
    identity: Annotated[str, typer.Argument(help="The member's id, number or phone.")],
    facility_id: Annotated[str | None, typer.Option("--facility", help="At this facility only.")] = None,
) -> None:
    """What a member has: balances, each benefit, and the newest movements with where they came from."""
    answer = operator.client.get("members", identity, "wallet", query={"facility_id": facility_id})
    zone = operator.zone_of(facility_id)
    operator.show(answer, lambda: _wallet(answer, zone))


def _wallet(row: Row, zone: ZoneInfo) -> RenderableType:
    balances = {
        "facility": lambda one: one["facility_id"],
        "kind": lambda one: one["kind"],
        "to spend amount": lambda one: show.amount(one["available"], one["unit"]),
        "pending amount": lambda one: show.amount(one["pending"], one["unit"]),
        "owed amount": lambda one: show.amount(one["owed"], one["unit"]),
        "expires next": lambda one: _expiry(one, zone),
    }
    benefits = {
        "benefit": lambda one: one["id"],
        "facility": lambda one: one["facility_id"],
        "kind": lambda one: one["kind"],
        "amount": lambda one: show.amount(one["available"] + one["pending"], one["unit"]),
        f"expires ({zone.key})": lambda one: show.when(one["expires_at"], zone),
        "from": lambda one: _source(one["source"]),
    }
    history = {
        f"at ({zone.key})": lambda one: show.when(one["at"], zone),
        "what": lambda one: one["what"],
        "kind": lambda one: one["kind"],
        "to spend amount": lambda one: show.amount(one["available"], one["unit"]),
        "pending amount": lambda one: show.amount(one["pending"], one["unit"]),
        "owed amount": lambda one: show.amount(one["owed"], one["unit"]),
        "from": lambda one: _source(one["source"]),
    }
    return show.parts(
        show.table(row["balances"], balances, nothing="There is nothing in the wallet."),
        show.heading("Benefits"),
        show.table(row["benefits"], benefits, nothing="None."),
        show.heading("Newest first"),
        show.table(row["history"], history, nothing="Nothing has happened yet."),
    )


def _expiry(one: Row, zone: ZoneInfo) -> str | None:
    expiring = one["expiring_next"]
    return f"{show.amount(expiring['amount'], one['unit'])}, {show.when(expiring['at'], zone)}" if expiring else None


def _source(source: Row) -> str:
    named = {"event": "event_id", "statement": "statement_id", "receipt": "receipt_id", "booking": "booking_id"}
    return ", ".join(f"{name} {source[key]}" for name, key in named.items() if source[key])
