"""Tables of car models that others publish, read line by line into what the service takes in (`PUT /api/car-models`).

Four shapes are known by their columns: our own (`make,model,battery_kwh,ac_kw`, and as far as known `year,discharge_kw`,
`bidirectional,wh_per_km,plugs`), Chargeprice's open-ev-data, the Open EV Data of 2025, and EV2Gym's. What a table does not
say stays unsaid.
"""

import csv
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from gridstay.books import opened

PLUGS = {"ccs": "", "tesla_ccs": "ccs2", "tesla_suc": ""}
"""Plugs of the tables that have another name here, or none: a `ccs` is one of two, which the AC plug tells."""
PLUGGED_WITH_AC = {"ccs2": "type2", "ccs1": "type1"}
"""The part of a combined inlet that takes AC."""


class BadTable(ValueError):
    """The file is no table of car models that can be read; the text says why, and in which line."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: the model as it is sent, or None for what is no car that can be charged with AC."""

    path: Path
    line: int
    body: dict[str, Any] | None


def read(path: Path) -> Iterator[Row]:
    """The rows of a table (CSV, or CSV in gzip). Raises BadTable."""
    try:
        with opened(path) as file:
            lines = csv.DictReader(file)
            reads = _shape(path, set(lines.fieldnames or ()))
            for columns in lines:
                cells = _Cells(f"{path} line {lines.line_num}", columns)
                yield Row(path, lines.line_num, reads(cells))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BadTable(f"cannot read {path}: {error}") from error


@dataclass(frozen=True)
class _Cells:
    """One line; a cell that cannot be read says where it stands."""

    where: str
    columns: Mapping[str, str | None]

    def text(self, column: str) -> str:
        return (self.columns.get(column) or "").strip()

    def number(self, column: str) -> float | None:
        if not (text := self.text(column)):
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1
        if not isfinite(value) or value < 0:
            raise BadTable(f"{self.where}: {column} is {text!r}, which is no number of zero or more")
        return value

    def thousand(self, column: str) -> int | None:
        """Kilo as whole units; None for nothing, or none."""
        value = self.number(column)
        return round(1000 * value) if value else None

    def year(self, column: str) -> int | None:
        return int(value) if (value := self.number(column)) else None

    def yes(self, *columns: str) -> bool | None:
        """True when one says so, False when one denies it, None when none says."""
        said = [self.text(column).lower() for column in columns if self.text(column)]
        if strange := set(said) - {"true", "false", "yes", "no", "1", "0"}:
            raise BadTable(f"{self.where}: {' or '.join(columns)} is {strange.pop()!r}, which is neither yes nor no")
        return any(word in ("true", "yes", "1") for word in said) if said else None

    def listed(self, *columns: str) -> list[str]:
        return [name for column in columns for name in re.split(r"[|;,\s]+", self.text(column).lower()) if name]


def _own(cells: _Cells) -> dict[str, Any] | None:
    discharge_w = cells.thousand("discharge_kw")
    return {
        "make": cells.text("make"),
        "model": cells.text("model"),
        "year": cells.year("year"),
        "battery_wh": cells.thousand("battery_kwh"),
        "max_charge_w": cells.thousand("ac_kw"),
        "max_discharge_w": discharge_w,
        "bidirectional": True if discharge_w else cells.yes("bidirectional"),
        "consumption_wh_per_km": _whole(cells.number("wh_per_km")),
        "plugs": cells.listed("plugs"),
    }


def _chargeprice(cells: _Cells) -> dict[str, Any] | None:
    if cells.text("vehicle_type") != "car":
        return None
    consumption = cells.number("consumption_kwh_100km")
    return _chargeable(
        {
            "make": cells.text("brand"),
            "model": _joined(cells, "model", "variant"),
            "year": cells.year("release_year"),
            "battery_wh": cells.thousand("usable_battery_kwh"),
            "max_charge_w": cells.thousand("ac_max_kw"),
            "consumption_wh_per_km": _whole(consumption and 10 * consumption),
            "plugs": _plugs(cells.listed("ac_ports", "dc_ports")),
        }
    )


def _open_ev_data(cells: _Cells) -> dict[str, Any] | None:
    battery_wh, range_km = cells.thousand("battery_net_kwh"), cells.number("range_wltp_km")
    return _chargeable(
        {
            "make": cells.text("make"),
            "model": _joined(cells, "model", "trim", "variant"),
            "year": cells.year("year"),
            "battery_wh": battery_wh,
            "max_charge_w": cells.thousand("ac_max_kw"),
            "bidirectional": cells.yes("v2h", "v2g"),
            "consumption_wh_per_km": round(battery_wh / range_km) if battery_wh and range_km else None,
            "plugs": _plugs(cells.listed("ports")),
        }
    )


def _ev2gym(cells: _Cells) -> dict[str, Any] | None:
    make, _, model = cells.text("model").partition(" ")
    discharge_w = cells.thousand("max_ac_discharge_power")
    return _chargeable(
        {
            "make": make,
            "model": model,
            "battery_wh": cells.thousand("battery_capacity"),
            "max_charge_w": cells.thousand("max_ac_charge_power"),
            "max_discharge_w": discharge_w,
            "bidirectional": True if discharge_w else None,
        }
    )


def _chargeable(model: dict[str, Any]) -> dict[str, Any] | None:
    return model if model["battery_wh"] and model["max_charge_w"] else None


def _joined(cells: _Cells, *columns: str) -> str:
    """Names that add something: a version called `Base` is none, nor one that is in the name already."""
    name = ""
    for text in filter(None, map(cells.text, columns)):
        if text != "Base" and text.lower() not in name.lower():
            name = f"{name} {text}".strip()
    return name


def _plugs(told: list[str]) -> list[str]:
    plugs = [PLUGS.get(name, name) for name in told]
    if "ccs" in told:
        plugs.append("ccs1" if "type1" in told and "type2" not in told else "ccs2")
    plugs += [PLUGGED_WITH_AC[name] for name in plugs if name in PLUGGED_WITH_AC]
    return sorted({name for name in plugs if name})


def _whole(value: float | None) -> int | None:
    return round(value) if value else None


Reads = Callable[[_Cells], dict[str, Any] | None]
_SHAPES: dict[frozenset[str], Reads] = {
    frozenset({"make", "model", "battery_kwh", "ac_kw"}): _own,
    frozenset({"brand", "model", "variant", "vehicle_type", "usable_battery_kwh", "ac_max_kw"}): _chargeprice,
    frozenset({"make", "model", "trim", "variant", "year", "battery_net_kwh", "ac_max_kw"}): _open_ev_data,
    frozenset({"model", "battery_capacity", "max_ac_charge_power", "max_ac_discharge_power"}): _ev2gym,
}


def _shape(path: Path, columns: set[str]) -> Reads:
    for needed, reads in _SHAPES.items():
        if needed <= columns:
            return reads
    raise BadTable(f"{path} line 1: no table of car models; give columns make, model, battery_kwh and ac_kw")
