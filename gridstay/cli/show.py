"""What the commands print: rich tables for people, the API's own JSON for programs. The one place for either."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from contracts.units import MINOR_DIGITS, money

Row = Mapping[str, Any]
Cell = Callable[[Row], Any]

_WIDE = 160
"""Columns where there is no terminal to say how wide it is."""
_NUMBERS = ("kW", "kWh", "%", "Wh", "amount", "points")


def console() -> Console:
    """Standard output; what goes to a file or a pipe is not squeezed into 80 columns."""
    found = Console()
    return found if found.is_terminal else Console(width=max(_WIDE, found.width), highlight=False)


def as_json(answer: Any) -> None:
    """The API's answer and nothing else."""
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def table(rows: Iterable[Row], columns: Mapping[str, Cell], *, nothing: str) -> RenderableType:
    """Rows under their column names; a sentence when there are none."""
    found = list(rows)
    if not found:
        return Text(nothing, style="dim")
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        is_number = any(name == unit or name.endswith(f" {unit}") for unit in _NUMBERS)
        drawn.add_column(escape(name), justify="right" if is_number else "left", overflow="fold")
    for row in found:
        drawn.add_row(*(cell(of(row)) for of in columns.values()))
    return drawn


def facts(row: Mapping[str, Any]) -> Table:
    """One thing: what, and what it is. Empty ones are left out."""
    drawn = Table(box=box.SIMPLE, show_header=False, pad_edge=False)
    drawn.add_column(style="dim")
    drawn.add_column(overflow="fold")
    for name, value in row.items():
        if value not in (None, "", [], {}):
            drawn.add_row(escape(name), cell(value))
    return drawn


def parts(*found: RenderableType) -> Group:
    """One below the other."""
    return Group(*found)


def heading(text: str) -> Text:
    """A line above a table."""
    return Text(text, style="bold")


def cell(value: Any) -> Text:
    """A value for people, never read as markup."""
    if isinstance(value, Text):
        return value
    if isinstance(value, bool):
        return Text("yes" if value else "no", style="green" if value else "dim")
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, (dict, list)):
        return Text(json.dumps(value, ensure_ascii=False))
    return Text(str(value))


def good(text: str, so: bool) -> Text:
    """Green when it is so, else red."""
    return Text(text, style="green" if so else "bold red")


# Values ---------------------------------------------------------------------------------------------------------------


def when(text: str | None, zone: ZoneInfo, *, seconds: bool = False) -> str | None:
    """An instant on that zone's clocks."""
    if text is None:
        return None
    local = datetime.fromisoformat(text).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if seconds else f"{local:%Y-%m-%d %H:%M}"


def span(start: str, end: str, zone: ZoneInfo) -> str:
    """From one instant to another; the day is said once when it is the same."""
    first, last = (datetime.fromisoformat(text).astimezone(zone) for text in (start, end))
    return (
        f"{first:%Y-%m-%d %H:%M} - {last:%H:%M}"
        if first.date() == last.date()
        else f"{first:%Y-%m-%d %H:%M} - {last:%Y-%m-%d %H:%M}"
    )


def kilo(value: float | None, digits: int = 1) -> str | None:
    """Watts in kW, watt-hours in kWh."""
    return None if value is None else f"{value / 1000:.{digits}f}"


def percent(value: float | None) -> str | None:
    """A state of charge."""
    return None if value is None else f"{value:.0f}"


def amount(amount: int, unit: str) -> str:
    """An amount of the ledger: money, points, or a rate."""
    if unit in MINOR_DIGITS:
        return money(amount, unit)
    return f"{amount / 100:g} %" if unit == "bp" else f"{amount:,} {unit}"
