"""`gridstay ledger`: where every yen and every point is. Over HTTP."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType

from gridstay.cli import show
from gridstay.cli.client import CliError
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Row

ledger = typer.Typer(help="The ledger of money and points.", no_args_is_help=True)


@command(ledger, "show")
def show_ledger(
    operator: Operator,
    accounts: Annotated[bool, typer.Option("--accounts", help="What every account holds, instead of entries.")] = False,
    after: Annotated[int, typer.Option(min=0, help="Entries after this position.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
) -> None:
    """Entries in the order of posting; with --accounts, balances."""
    if accounts:
        balances = operator.client.get("ledger", "accounts")
        operator.show(balances, lambda: _balances(balances))
        return
    page = operator.client.get("ledger", query={"after": after, "limit": limit})
    operator.show(page, lambda: _entries(page, operator.zone_of(None)))


@command(ledger, "verify")
def verify(operator: Operator) -> None:
    """Check the whole ledger: every entry balances, nothing is posted twice, every benefit can be traced to its source. Exit
    status 1 when it is not sound."""
    answer = operator.client.get("ledger", "verify")
    verdict = show.good("sound" if answer["ok"] else "not sound", answer["ok"])
    operator.show(answer, lambda: show.facts({"ledger": verdict, "entries": answer["entries"]}))
    if not answer["ok"]:
        raise CliError("; ".join(answer["faults"]))


def _balances(rows: list[Row]) -> RenderableType:
    columns = {
        "account": lambda row: row["account"],
        "amount": lambda row: show.amount(row["amount"], row["unit"]),
    }
    return show.table(rows, columns, nothing="Nothing was posted yet.")


def _entries(page: Row, zone: ZoneInfo) -> RenderableType:
    lines = [
        {**line, "entry": entry if first else {}, "unit": entry["unit"]}
        for entry in page["entries"]
        for first, line in zip([True, *[False] * len(entry["lines"])], entry["lines"], strict=False)
    ]
    columns = {
        "": lambda line: line["entry"].get("position", ""),
        f"at ({zone.key})": lambda line: show.when(line["entry"]["at"], zone) if line["entry"] else "",
        "what": lambda line: line["entry"].get("memo", ""),
        "account": lambda line: line["account"],
        "amount": lambda line: show.amount(line["amount"], line["unit"]),
    }
    shown = show.table(lines, columns, nothing="Nothing was posted yet.")
    if page["next_after"] is None:
        return shown
    return show.parts(shown, show.heading(f"There is more: --after {page['next_after']}"))
