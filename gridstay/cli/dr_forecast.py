"""`gridstay dr forecast`: what an area will need and have, and the paid windows that follow from it. Over HTTP."""

import gzip
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType
from rich.text import Text

from contracts.units import money
from gridstay.cli import show
from gridstay.cli.client import CliError, reason
from gridstay.cli.command import Operator, command
from gridstay.cli.show import Cell, Row

forecast = typer.Typer(help="What an area will need and have, and when its cars are paid.", no_args_is_help=True)

Area = Annotated[str, typer.Option("--area", help="Its name in the settings, [dr.areas.NAME].")]
Day = Annotated[str | None, typer.Option("--day", metavar="YYYY-MM-DD", help="A day on the area's clock.")]
Svg = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also draw it into this file.")]
_BAR = 40
"""Columns of a bar."""


@command(forecast, "areas")
def areas(operator: Operator) -> None:
    """The areas of the settings, and what is known of each."""
    answer = operator.client.get("dr", "areas")
    operator.show(answer, lambda: _areas(answer))


@command(forecast, "load")
def load(
    operator: Operator,
    area: Area,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header; .gz is unpacked.")],
    column: Annotated[
        list[str], typer.Option(metavar="SERIES=COLUMN", help="Which column holds a series, as often as wanted.")
    ],
    time: Annotated[str, typer.Option(help="The column of the hour's start, or of the day.")] = "start",
    shift: Annotated[
        int, typer.Option(help="Added to each time: -1 for hours stamped by their end, 1 for figures told for the next day.")
    ] = 0,
) -> None:
    """Load what is known of an area. Hours: demand_mw, supply_mw, solar_mw, price, temperature_c, humidity_pct,
    radiation_mj_m2, sunshine_h; days: outlook_peak_mw, outlook_supply_mw, outlook_usage_pct."""
    body = {"csv": _text(file), "time": time, "columns": dict(_pair(text) for text in column), "shift": shift}
    answer = operator.client.post("dr", "areas", area, "data", body=body)
    operator.show(answer, lambda: _loaded(answer))


@command(forecast, "run")
def run(
    operator: Operator,
    area: Area,
    day: Day = None,
    anew: Annotated[bool, typer.Option("--learn", help="Learn anew first, whether or not that is due.")] = False,
) -> None:
    """Forecast a day now (the next, if none is said) and announce its windows. It learns first when that is due."""
    answer = operator.client.post("dr", "areas", area, "forecast", body={"day": _day(day), "anew": anew})
    operator.show(answer, lambda: _forecast(answer))


@command(forecast, "show")
def show_forecast(operator: Operator, area: Area, day: Day = None, svg: Svg = None) -> None:
    """The last forecast, or that of a day: hour by hour with its windows, what came, and how good the last ones were."""
    answer = operator.client.get("dr", "areas", area, "forecast", query={"day": _day(day)})
    if svg is not None:
        from gridstay import forecast_picture  # noqa: PLC0415 - a second of loading, for this option alone

        try:
            forecast_picture.draw(answer, svg)
        except OSError as error:
            raise CliError(f"cannot write {reason(error)}") from error
    operator.show(answer, lambda: _forecast(answer))


# Reading --------------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        if path.suffix == ".gz":
            return gzip.decompress(path.read_bytes()).decode("utf-8-sig")
        return path.read_text("utf-8-sig")
    except (OSError, EOFError) as error:
        why = reason(error) if isinstance(error, OSError) and error.strerror else f"{path}: {error}"
        raise CliError(f"cannot read {why}") from error
    except UnicodeDecodeError as error:
        raise CliError(f"cannot read {path}: it is not UTF-8 text") from error


def _pair(text: str) -> tuple[str, str]:
    series, equals, column = text.partition("=")
    if not (series and equals and column):
        raise typer.BadParameter(f"{text!r} is not SERIES=COLUMN, such as demand_mw=demand")
    return series, column


def _day(text: str | None) -> str | None:
    try:
        return None if text is None else date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; write 2026-06-03") from error


# Showing --------------------------------------------------------------------------------------------------------------


def _areas(rows: Sequence[Row]) -> RenderableType:
    if not rows:
        return Text("No area is set up; add [dr.areas.NAME] to the settings.", style="dim")
    columns: dict[str, Cell] = {
        "series": lambda row: row["series"],
        "values": lambda row: f"{row['count']:,}",
        "first": lambda row: row["first"],
        "last": lambda row: row["last"],
    }
    shown: list[RenderableType] = []
    for row in rows:
        settings = row["settings"]
        named = {name: settings[name] for name in ("zone", "country", "currency", "forecast_at")}
        named["facilities"] = ", ".join(settings["facilities"])
        data = show.table(row["data"], columns, nothing="Nothing is loaded.")
        shown += [show.heading(row["area"]), show.facts(named), data]
    return show.parts(*shown)


def _loaded(row: Row) -> RenderableType:
    told = {"rows": row["rows"], **{f"{name}, values": count for name, count in row["values"].items()}}
    faults = [Text(f"left out: {fault}", style="dark_orange") for fault in row["faults"]]
    return show.parts(show.facts(told), *faults)


def _forecast(row: Row) -> RenderableType:
    zone = ZoneInfo(row["zone"])
    told = {
        "area": row["area"],
        "day": f"{row['day']} ({row['zone']})",
        "made": show.when(row["made_at"], zone, seconds=True),
        "past known until": f"{row['lead_h']} h before the day",
        "weather of the day": "as forecast" if row["weather_of_day"] else None,
        "missing for the day": ", ".join(row["not_told"]),
        "last forecasts": _record(row["record"]),
    }
    shown = [show.facts(told), _hours(row, zone), show.heading("Paid windows"), _windows(row, zone)]
    return show.parts(*shown)


def _record(record: Row) -> str:
    if not record["hours"]:
        return "none that can be judged yet"
    parts = [f"demand {record['mape']:.2f} % off over {record['days']} days"]
    if record["week_before_mape"]:
        parts.append(f"a week before {record['week_before_mape']:.2f} %")
    if record["in_band"] is not None:
        parts.append(f"{record['in_band']:.0%} inside the band")
    if record["tight_came"] or record["tight_told"]:
        parts.append(f"{record['tight_hit']} of {record['tight_came']} tight hours told, {record['tight_told']} told in all")
    return "; ".join(parts)


def _hours(row: Row, zone: ZoneInfo) -> RenderableType:
    names = ("demand_high_mw", "supply_mw", "seen_demand_mw")
    most = max((hour[name] or 0.0 for hour in row["hours"] for name in names), default=0.0)
    columns: dict[str, Cell] = {
        f"from ({zone.key})": lambda hour: show.when(hour["start"], zone),
        "MW": lambda hour: _number(hour["demand_mw"]),
        "came MW": lambda hour: _number(hour["seen_demand_mw"]),
        "supply MW": lambda hour: _number(hour["supply_mw"]),
        "use %": lambda hour: _number(hour["use_pct"], 1),
        "came %": lambda hour: _number(hour["seen_use_pct"], 1),
        "sun %": lambda hour: _number(hour["solar_pct"], 1),
        "price": lambda hour: _number(hour["price"], 2),
        "tight": lambda hour: " ".join(f"{chance:.0%}" for chance in hour["tight"]) or None,
        "demand ▒ band, │ supply, ◆ came": partial(_bar, most=most),
    }
    return show.table(row["hours"], columns, nothing="No hour.")


def _bar(hour: Row, most: float) -> Text:
    demand, low, high = (_place(hour[name], most) for name in ("demand_mw", "demand_low_mw", "demand_high_mw"))
    cells = [" "] * (_BAR + 1)
    for place in range(demand or 0):
        cells[place] = "█"
    if low is not None and high is not None:
        cells[low : high + 1] = "▒" * (high + 1 - low)
    for name, mark in (("supply_mw", "│"), ("seen_demand_mw", "◆")):
        if (at := _place(hour[name], most)) is not None:
            cells[at] = mark
    return Text("".join(cells), style="dark_orange" if any(chance >= 0.25 for chance in hour["tight"]) else "green")


def _place(value: float | None, most: float) -> int | None:
    return None if value is None or not most else round(_BAR * value / most)


def _windows(row: Row, zone: ZoneInfo) -> RenderableType:
    columns: dict[str, Cell] = {
        f"window ({zone.key})": lambda window: show.span(window["start"], window["end"], zone),
        "direction": lambda window: window["direction"],
        "why": lambda window: window["cause"],
        "per kWh": lambda window: money(window["incentive_minor"], row["currency"]),
        "chance": lambda window: f"{window['chance']:.0%}",
    }
    return show.table(row["windows"], columns, nothing="None.")


def _number(value: Any, digits: int = 0) -> str | None:
    return None if value is None else f"{value:,.{digits}f}"
