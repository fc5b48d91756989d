"""A day's forecast as an SVG: demand with its band against supply, and the paid windows."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

from gridstay.picture import GIVES, INK, STYLE, TAKES

_SUPPLY = "#0072B2"


def draw(row: Mapping[str, Any], path: Path) -> None:
    """Draw an answer of `GET /api/dr/areas/{area}/forecast` into that file. Raises OSError."""
    zone = ZoneInfo(row["zone"])
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(10, 5), layout="constrained")
        axes = figure.subplots()
        hours = [_local_hour(hour["start"], zone) for hour in row["hours"]]
        series = {name: _values(row, name) for name in ("demand_mw", "demand_low_mw", "demand_high_mw", "supply_mw")}
        axes.fill_between(
            hours, series["demand_low_mw"], series["demand_high_mw"], step="post", color="#D5DBE3", label="band"
        )
        axes.step(hours, series["demand_mw"], where="post", color=INK, label="demand, expected")
        axes.step(hours, series["supply_mw"], where="post", color=_SUPPLY, label="supply, expected")
        if np.isfinite(came := _values(row, "seen_demand_mw")).any():
            axes.step(hours, came, where="post", color="#B3005E", linestyle=":", label="demand, as it came")
        for window in row["windows"]:
            begin, end = _local_hour(window["start"], zone), _local_hour(window["end"], zone)
            color = GIVES if window["direction"] == "up" else TAKES
            axes.axvspan(begin, end if end > begin else 24, color=color, alpha=0.18, linewidth=0)
        axes.set(xlim=(0, 24), xticks=range(0, 25, 3), xlabel=f"hour ({zone.key})", ylabel="MW")
        axes.set_title(f"{row['area']}, {row['day']}: shaded where a kWh is paid (orange: given, green: taken)", loc="left")
        axes.legend(loc="lower right", frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _values(row: Mapping[str, Any], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([hour[name] for hour in row["hours"]], dtype=float)


def _local_hour(text: str, zone: ZoneInfo) -> float:
    local = datetime.fromisoformat(text).astimezone(zone)
    return local.hour + local.minute / 60
