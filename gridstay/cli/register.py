"""`gridstay register`: what a till does, its closing and its journal, over HTTP."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from contracts.ids import new_id
from contracts.units import money
from gridstay.cli import given, show
from gridstay.cli.client import CliError, reason
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

register = typer.Typer(help="The register: payments, refunds, closings, the journal.", no_args_is_help=True)

Facility = Annotated[str, typer.Option("--facility", help="Where.")]
Day = Annotated[str | None, typer.Option(metavar="DAY", help="Such as 2026-06-03. [default: the register's present day]")]
Key = Annotated[
    str | None, typer.Option(help="Idempotency-Key: the same one again does nothing anew. [default: a fresh one]")
]
Minor = Annotated[int, typer.Option("--amount", min=0, help="Whole minor units: yen, cents.")]


class Method(StrEnum):
    """How it is paid."""

    CASH = "cash"
    CARD = "card"
    EMONEY = "emoney"
    QR = "qr"
    OTHER = "other"


@command(register, "pay")
def pay(
    operator: Operator,
    facility_id: Facility,
    amount: Minor,
    method: Annotated[Method, typer.Option(help="How it is paid.")] = Method.CASH,
    member: Annotated[str | None, typer.Option(help="The member's id, number or phone.")] = None,
    booking: Annotated[str | None, typer.Option(help="The stay that is paid; it names its member.")] = None,
    points: Annotated[int, typer.Option(min=0, help="Points spent.")] = 0,
    amount_off: Annotated[int, typer.Option(min=0, help="Spent of amounts off, minor units.")] = 0,
    cash_benefit: Annotated[int, typer.Option(min=0, help="Spent of cash benefits, minor units.")] = 0,
    rate_off: Annotated[str | None, typer.Option(metavar="ID", help="The rate off to spend, from the wallet.")] = None,
    item: Annotated[list[str] | None, typer.Option(help="An item to hand over; can be given several times.")] = None,
    quote: Annotated[bool, typer.Option("--quote", help="Only say what it comes to.")] = False,
    key: Key = None,
) -> None:
    """Take a payment, with the benefits that the member spends on it."""
    redeem = {
        "points": points,
        "amount_off_minor": amount_off,
        "cash_minor": cash_benefit,
        "rate_off": rate_off,
        "items": item or [],
    }
    body: dict[str, Any] = {"facility_id": facility_id, "amount_minor": amount, "method": method.value, "redeem": redeem}
    body |= {"member": member, "booking_id": booking}
    if quote:
        answer = operator.client.post("register", "quotes", body=body)
        answer = answer | {"currency": operator.client.get("facilities", facility_id)["currency"]}
    else:
        answer = operator.client.post("register", "payments", body=body, key=key or new_id())
    operator.show(answer, lambda: _receipt(answer))


@command(register, "refund")
def refund(
    operator: Operator,
    receipt: Annotated[str, typer.Argument(help="The payment's receipt id.")],
    amount: Annotated[int | None, typer.Option(min=1, help="Of the whole, minor units. [default: all that is left]")] = None,
    method: Annotated[Method | None, typer.Option(help="How the money goes back. [default: as it came]")] = None,
    key: Key = None,
) -> None:
    """Refund a payment: money and benefits come back, points that it earned are taken back."""
    body = {"receipt_id": receipt, "amount_minor": amount, "method": method.value if method else None}
    answer = operator.client.post("register", "refunds", body=body, key=key or new_id())
    operator.show(answer, lambda: _receipt(answer))


@command(register, "day")
def show_day(operator: Operator, facility_id: Facility, day: Day = None) -> None:
    """A day of the register: what came in, what is not closed yet, its closings."""
    answer = operator.client.get("register", "days", facility_id, given.day(day) or "today")
    operator.show(answer, lambda: _day(answer))


@command(register, "close")
def close(
    operator: Operator,
    facility_id: Facility,
    day: Day = None,
    counted: Annotated[int | None, typer.Option(help="Cash in the drawer, less what it began with, minor units.")] = None,
    key: Key = None,
) -> None:
    """Close a day: what was not closed yet is summed and taken out of the till."""
    body = {"facility_id": facility_id, "day": given.day(day), "counted_cash_minor": counted}
    answer = operator.client.post("register", "closings", body=body, key=key or new_id())
    operator.show(answer, lambda: _closing(answer))


@command(register, "journal")
def journal(
    operator: Operator,
    facility_id: Facility,
    day: Day = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there. [default: standard output]")] = None,
) -> None:
    """The journal of a day for bookkeeping, as CSV: a row for each receipt."""
    wanted = given.day(day) or operator.client.get("register", "days", facility_id, "today")["day"]
    text = operator.client.text("register", "journal", query={"facility_id": facility_id, "day": wanted})
    if to is None:
        typer.echo(text.replace("\r\n", "\n"), nl=False)
        return
    try:
        to.write_text(text, "utf-8", newline="")
    except OSError as error:
        raise CliError(f"cannot write {reason(error)}") from error


@command(register, "receipts")
def receipts(
    operator: Operator,
    facility_id: Annotated[str | None, typer.Option("--facility", help="Of this facility only.")] = None,
    member: Annotated[str | None, typer.Option(help="Of this member only (usage history).")] = None,
    day: Day = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
) -> None:
    """Receipts in the order in which they were made."""
    query = {"facility_id": facility_id, "member": member, "day": given.day(day), "limit": limit}
    found = operator.client.get("register", "receipts", query=query)
    zone = operator.zone_of(facility_id)
    columns = {
        "number": lambda row: row["number"],
        f"at ({zone.key})": lambda row: show.when(row["at"], zone),
        "what": lambda row: row["deed"],
        "amount": lambda row: money(row["gross_minor"], row["currency"]),
        "paid amount": lambda row: money(row["due_minor"], row["currency"]),
        "by": lambda row: row["method"],
        "earned points": lambda row: f"{row['earned']:,}",
        "receipt": lambda row: row["id"],
    }
    operator.show(found, lambda: show.table(found, columns, nothing="There are no receipts."))


def _receipt(row: Row) -> RenderableType:
    currency = row["currency"]
    off = [f"{money(-one['value_minor'], currency)} ({_spent(one, currency)})" for one in row["discounts"]]
    return show.facts(
        {
            "receipt": row.get("id"),
            "number": row.get("number"),
            "what": row.get("deed", "quote"),
            "amount": money(row["gross_minor"], currency),
            "benefits": ", ".join(off),
            "paid": f"{money(row['due_minor'], currency)} {row.get('method', '')}".strip(),
            "points earned": row["earned"] or None,
            "member": row.get("member_id"),
            "booking": row.get("booking_id"),
        }
    )


def _spent(one: Row, currency: str) -> str:
    unit = {"points": "points", "rate_off": "bp"}.get(one["kind"], currency)
    return f"{one['kind']} {show.amount(one['amount'], unit)} {one['item']}".strip()


def _day(row: Row) -> RenderableType:
    told = {"facility": row["facility_id"], "day": row["day"]} | _totals(row["totals"], row["currency"])
    left = _totals(row["unclosed"], row["currency"]) if row["unclosed"]["receipts"] else {"receipts": "all are closed"}
    closings = [part for one in row["closings"] for part in (show.heading(f"Closing {one['number']}"), _closing(one))]
    return show.parts(show.facts(told), show.heading("Not closed"), show.facts(left), *closings)


def _closing(row: Row) -> RenderableType:
    at = datetime.fromisoformat(row["at"]).astimezone(UTC)
    counted, difference = row["counted_cash_minor"], row["difference_minor"]
    return show.facts(
        {"closing": row["number"], "day": row["day"], "at (UTC)": f"{at:%Y-%m-%d %H:%M}"}
        | _totals(row["totals"], row["currency"])
        | {
            "cash counted": None if counted is None else money(counted, row["currency"]),
            "difference": None if difference is None else money(difference, row["currency"]),
        }
    )


def _totals(row: Row, currency: str) -> dict[str, Any]:
    methods = {f"by {name}": money(amount, currency) for name, amount in row["by_method"].items()}
    off = {f"off by {name}": money(amount, currency) for name, amount in row["off_by_kind"].items()}
    amounts = {"amount": money(row["gross_minor"], currency), "paid": money(row["due_minor"], currency)}
    return {"receipts": str(row["receipts"])} | amounts | methods | off | {"points earned": row["earned"] or None}
