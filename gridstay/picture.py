"""The picture of a day, for people who know nothing of grids: what was asked for, what the cars did, what the guests got.

An SVG that shows anywhere (letters are drawn as paths) and is the same byte for byte for the same report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from math import ceil, floor
from pathlib import Path
from textwrap import shorten, wrap
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpecFromSubplotSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from gridstay.report import CarTrack, DayReport, Minute

Numbers = NDArray[np.float64]

# Okabe and Ito's palette, which the colour-blind can tell apart.
TAKES = "#009E73"
GIVES = "#E07B00"
ASKED = "#1B2A41"
MISSED = "#B3005E"
INK = "#22282F"
FAINT = "#6B7480"
STAY = "#E4E8ED"
SHADE = "#FFF3C9"
_DIRECTION = {1: TAKES, 0: "#9AA3AE", -1: GIVES}

TOLERANCE = 0.1
"""Delivered within a tenth of what was asked for is as asked."""

WANTED_SLACK_PCT = 0.05
"""Stations tell the state of charge to a tenth of a percent."""

CLOSE_UPS = 3
"""More events than these are not shown close up."""

STYLE: dict[str, Any] = {
    "svg.hashsalt": "gridstay",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": "#AEB6C0",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "text.parse_math": False,
}
_MINUTE = timedelta(minutes=1)
_WIDTH_IN = 13.0
_HEAD_IN = 0.95
_LABEL_SIGNS = 22
_SIGN_WIDTH = 0.0072
"""Width of a letter of an event's label, in widths of a panel."""


def draw(report: DayReport, path: Path) -> None:
    """Write the picture of the day. Raises OSError when the file cannot be written."""
    with style.context(["default", STYLE]):
        picture(report).savefig(path, format="svg", metadata={"Date": None, "Creator": "gridstay", "Title": report.title})


def picture(report: DayReport) -> Figure:
    """The figure: the fleet, its events close up, each car's power, each car's charge."""
    close_ups = report.events if len(report.events) <= CLOSE_UPS else ()
    rows = _Rows.of(report)
    heights = [3.6, 2.5 if close_ups else 0.0, rows.height_in, 4.0]
    panels = [height for height in heights if height]
    height_in = sum(panels) + 0.95 * len(panels) + _HEAD_IN
    figure = Figure(figsize=(_WIDTH_IN, height_in))
    figure.set_layout_engine("constrained", h_pad=0.14, w_pad=0.12, rect=(0, 0, 1, 1 - _HEAD_IN / height_in))
    _headline(figure, report)
    grid = figure.add_gridspec(len(panels), 1, height_ratios=panels)
    time = _TimeAxis.of(report)
    _fleet(figure.add_subplot(grid[0]), report, time)
    if close_ups:
        _close_ups(figure, grid[1].subgridspec(1, len(close_ups)), report)
    _cars(figure.add_subplot(grid[-2]), report, rows, time)
    _charge(figure.add_subplot(grid[-1]), report, time)
    return figure


# What all panels share ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _TimeAxis:
    """The day's hours on the facility's own clocks."""

    zone: ZoneInfo
    start: datetime
    end: datetime

    @classmethod
    def of(cls, report: DayReport) -> "_TimeAxis":
        zone = ZoneInfo(report.zone)
        starts = [report.opens, *(car.arrived for car in report.cars), *(start for start, _, _ in report.events)]
        ends = [report.closes, *(car.left for car in report.cars), *(end for _, end, _ in report.events)]
        return cls(zone, min(starts) - timedelta(minutes=10), max(ends) + timedelta(minutes=10))

    def apply(self, axes: Axes, every: timedelta = timedelta(hours=1)) -> None:
        """The axis' ends, and a tick at every round time of the local clock."""
        ticks = self._ticks(every)
        axes.set_xlim(_x(self.start), _x(self.end))
        axes.set_xticks([_x(tick) for tick in ticks], [f"{tick:%H:%M}" for tick in ticks])
        axes.tick_params(axis="both", length=3, labelsize=9)

    def _ticks(self, every: timedelta) -> list[datetime]:
        local = self.start.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
        first = -((midnight - self.start) // every)
        count = (self.end - midnight) // every
        return [(midnight + number * every).astimezone(self.zone) for number in range(first, count + 1)]


def _x(when: datetime) -> float:
    """Where an instant stands: hours since 1970."""
    return when.timestamp() / 3600


def _xs(times: Sequence[datetime]) -> Numbers:
    return np.array([_x(when) for when in times], dtype=np.float64)


def _headline(figure: Figure, report: DayReport) -> None:
    failed = sum(not check.ok for check in report.checks.values())
    verdict = f"✗ {failed} of {len(report.checks)} checks failed" if failed else f"✓ all {len(report.checks)} checks hold"
    came = sum(bool(car.points) for car in report.cars)
    day = f"{report.day:%A} {report.day.day} {report.day:%B %Y}"
    height = figure.get_figheight()
    figure.text(0.012, 1 - 0.18 / height, report.title, va="top", fontsize=18, fontweight="bold")
    figure.text(
        0.012,
        1 - 0.56 / height,
        f"{day} · times of {report.zone} · {len(report.cars)} stays booked by car, {came} cars came",
        va="top",
        fontsize=11,
        color=FAINT,
    )
    figure.text(
        0.988,
        1 - 0.24 / height,
        verdict,
        ha="right",
        va="top",
        fontsize=12,
        fontweight="bold",
        color=MISSED if failed else TAKES,
    )


def _title(axes: Axes, title: str, explained: str) -> None:
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=26)
    axes.annotate(explained, (0, 1), (0, 8), "axes fraction", textcoords="offset points", fontsize=9.5, color=FAINT)


def _legend(axes: Axes, entries: Sequence[Patch | Line2D]) -> None:
    """On the line of the panel's title, at its other end."""
    axes.legend(
        handles=entries,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        bbox_transform=axes.transAxes + ScaledTranslation(0, 18 / 72, axes.figure.dpi_scale_trans),
        ncols=len(entries),
        frameon=False,
        fontsize=9,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.4,
    )


def _shade(axes: Axes, report: DayReport) -> None:
    for start, end, _ in report.events:
        axes.axvspan(_x(start), _x(end), color=SHADE, linewidth=0, zorder=0)


# The fleet ------------------------------------------------------------------------------------------------------------


def _fleet(axes: Axes, report: DayReport, time: _TimeAxis) -> None:
    _title(
        axes,
        "What the grid asked for, and what the cars delivered",
        "All cars that take part, together. Above the line they take power from the grid, below it they give power back.",
    )
    _shade(axes, report)
    _power(axes, report.minutes)
    time.apply(axes)
    _power_scale(axes, report.minutes)
    _name_events(axes, report, time)
    for place, words in ((0.97, "▲ cars charge"), (0.03, "▼ cars give back")):
        colour, align = (TAKES, "top") if place > 0.5 else (GIVES, "bottom")
        axes.text(0.008, place, words, transform=axes.transAxes, va=align, fontsize=10, fontweight="bold", color=colour)
    _legend(
        axes,
        [
            Line2D([], [], color=ASKED, linewidth=2, label="asked for"),
            Patch(facecolor=ASKED, alpha=0.22, label="asked for ±10 %"),
            Patch(facecolor=TAKES, alpha=0.75, label="taken by the cars"),
            Patch(facecolor=GIVES, alpha=0.85, label="given by the cars"),
        ],
    )


def _name_events(axes: Axes, report: DayReport, time: _TimeAxis) -> None:
    """Above each event its name, lower where it would cover its neighbour's."""
    reached, level = 0.0, 0
    for start, end, text in sorted(report.events):
        label = "\n".join(wrap(text, 4 + len(text) // ceil(len(text) / _LABEL_SIGNS))) if text else ""
        middle = (start + (end - start) / 2 - time.start) / (time.end - time.start)
        half = max(map(len, label.split("\n")), default=0) * _SIGN_WIDTH / 2
        level = level + 1 if middle - half < reached else 0
        reached = middle + half
        axes.annotate(
            label,
            (middle, 1),
            (0, -4 - 32 * (level % 3)),
            "axes fraction",
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9,
            zorder=6,
            bbox={"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": "#E3CF86", "linewidth": 0.8},
        )


def _close_ups(figure: Figure, grid: GridSpecFromSubplotSpec, report: DayReport) -> None:
    for number, (start, end, text) in enumerate(report.events):
        axes = figure.add_subplot(grid[0, number])
        around = [minute for minute in report.minutes if start - 5 * _MINUTE <= minute.at < end + 5 * _MINUTE]
        axes.axvspan(_x(start), _x(end), color=SHADE, linewidth=0, zorder=0)
        _power(axes, around)
        time = _TimeAxis(ZoneInfo(report.zone), start - 5 * _MINUTE, end + 5 * _MINUTE)
        every = next((step for step in (5, 10, 15, 30) if (end - start) / _MINUTE / step <= 7), 60)
        time.apply(axes, every * _MINUTE)
        _power_scale(axes, [minute for minute in around if start <= minute.at < end])
        title = shorten(text, 100 // len(report.events), placeholder=" …")
        axes.set_title(f"Close up: {title}", loc="left", fontsize=10.5, fontweight="bold")


def _power(axes: Axes, minutes: Sequence[Minute]) -> None:
    if not minutes:
        return
    x, delivered = _steps(minutes, [minute.delivered_w for minute in minutes])
    axes.fill_between(x, np.maximum(delivered, 0), step="post", color=TAKES, alpha=0.75, linewidth=0, zorder=2)
    axes.fill_between(x, np.minimum(delivered, 0), step="post", color=GIVES, alpha=0.85, linewidth=0, zorder=2)
    axes.axhline(0, color=INK, linewidth=0.9, zorder=3)
    for is_asked, run in groupby(minutes, key=lambda minute: minute.requested_w is not None):
        if is_asked:
            _asked(axes, list(run))


def _asked(axes: Axes, minutes: Sequence[Minute]) -> None:
    """What was asked for in minutes that follow each other, and a tenth on either side."""
    x, asked = _steps(minutes, [minute.requested_w or 0.0 for minute in minutes])
    band = np.abs(asked) * TOLERANCE
    axes.fill_between(x, asked - band, asked + band, step="post", color=ASKED, alpha=0.22, linewidth=0, zorder=3)
    axes.plot(x, asked, drawstyle="steps-post", color=ASKED, linewidth=2, solid_capstyle="butt", zorder=4)


def _steps(minutes: Sequence[Minute], watts: Sequence[float]) -> tuple[Numbers, Numbers]:
    """The minutes' edges, and kW from each on; the last stands twice, so that its minute is drawn whole."""
    x = _xs([*(minute.at for minute in minutes), minutes[-1].at + _MINUTE])
    return x, np.array([*watts, watts[-1]], dtype=np.float64) / 1000


def _power_scale(axes: Axes, minutes: Sequence[Minute]) -> None:
    """Zero is always in sight, and above everything there is room for a label."""
    powers = [minute.delivered_w for minute in minutes]
    asked = [minute.requested_w * (1 + TOLERANCE) for minute in minutes if minute.requested_w is not None]
    low, high = min([0.0, *powers, *asked]) / 1000, max([0.0, *powers, *asked]) / 1000
    span = max(high - low, 1.0)
    axes.set_ylim(low - 0.12 * span, high + 0.24 * span)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} kW".replace("-", "−")))
    axes.grid(axis="y", color="#E8EBEF", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


# Each car's power -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """How the rows of the cars' panel fit: their order, height, letters, and every how many-th has its name."""

    cars: tuple[CarTrack, ...]
    height_in: float
    letters_pt: float
    named_every: int

    @classmethod
    def of(cls, report: DayReport) -> "_Rows":
        cars = tuple(sorted(report.cars, key=lambda car: (car.arrived, car.guest)))
        count = max(len(cars), 4)
        row_in = max(0.06, min(0.24, 12.0 / count))
        letters = max(5.0, min(9.0, row_in * 72 * 0.72))
        return cls(cars, count * row_in, letters, max(1, round(letters / (row_in * 72))))


def _cars(axes: Axes, report: DayReport, rows: _Rows, time: _TimeAxis) -> None:
    _title(
        axes,
        "What each car did",
        "One row a stay. The higher the colour fills its row, the more power; grey is plugged in and waiting.",
    )
    _shade(axes, report)
    most_w = max((abs(point.power_w) for car in rows.cars for point in car.points), default=0.0) or 1.0
    for number, car in enumerate(rows.cars):
        _row(axes, car, number, most_w)
        _trouble(axes, car, number, time, rows.letters_pt)
    time.apply(axes)
    named = range(0, len(rows.cars), rows.named_every)
    axes.set_yticks(
        [number + 0.45 for number in named],
        [f"{rows.cars[number].guest} · {rows.cars[number].station_id}" for number in named],
        fontsize=rows.letters_pt,
    )
    axes.tick_params(axis="y", length=0, labelsize=rows.letters_pt, labelcolor=INK)
    axes.set_ylim(max(len(rows.cars), 4) + 0.2, -0.3)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color="#E8EBEF", linewidth=0.8, zorder=0)
    _legend(
        axes,
        [
            Patch(facecolor=TAKES, label=f"charging (full row: {most_w / 1000:.1f} kW)"),
            Patch(facecolor=GIVES, label="giving back"),
            Patch(facecolor=STAY, label="plugged in"),
            Patch(facecolor="white", edgecolor=MISSED, linestyle="--", label="did not come"),
            Line2D([], [], color=MISSED, marker="D", markersize=5, linewidth=0, label="something went wrong"),
        ],
    )


def _row(axes: Axes, car: CarTrack, number: int, most_w: float) -> None:
    """Rows count downwards; a row's ground is its lower edge, and colour grows up from there."""
    ground, roof = number + 0.9, number
    start, end = _x(car.arrived), _x(car.left)
    if not car.points:
        outline = [(start, ground), (end, ground), (end, roof), (start, roof), (start, ground)]
        axes.plot(*zip(*outline, strict=True), color=MISSED, linewidth=0.9, linestyle="--", zorder=3)
        return
    axes.fill_between([start, end], ground, roof, color=STAY, linewidth=0, zorder=2)
    x, power_w = _by_minute(car)
    for colour, part_w in ((TAKES, np.maximum(power_w, 0)), (GIVES, np.maximum(-power_w, 0))):
        if part_w.any():
            edges, height = _runs(x, np.round(part_w / most_w * 0.9, 2))
            axes.fill_between(edges, ground, ground - height, step="post", color=colour, linewidth=0, zorder=3)


def _by_minute(car: CarTrack) -> tuple[Numbers, Numbers]:
    """The edges of the stay's minutes, and the mean power in each: what was measured last holds until the next."""
    at = _xs([*(point.at for point in car.points), car.left])
    held_w = np.array([point.power_w for point in car.points])
    energy = np.concatenate([[0.0], np.cumsum(held_w * np.maximum(np.diff(at), 0))])
    minutes = max(1, round((car.left - car.arrived) / _MINUTE))
    edges = np.linspace(_x(car.arrived), _x(car.left), minutes + 1)
    power_w = np.diff(np.interp(edges, at, energy)) / np.maximum(np.diff(edges), 1e-9)
    return edges, np.where(np.abs(power_w) < 1.0, 0.0, power_w)


def _runs(edges: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
    """The same steps with equal neighbours joined; the last value stands twice, so that its step is drawn whole."""
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return np.append(edges[starts], edges[-1]), np.append(values[starts], values[-1])


def _trouble(axes: Axes, car: CarTrack, number: int, time: _TimeAxis, letters_pt: float) -> None:
    """The words stand behind the stay, or before it when it ends late in the day."""
    if not car.trouble:
        return
    late = (time.end - car.left) < (time.end - time.start) * 0.22
    sign, align = (-1, "right") if late else (1, "left")
    x, y = _x(car.arrived if late else car.left), number + 0.45
    axes.plot([x], [y], marker="D", markersize=min(5, letters_pt * 0.6), color=MISSED, zorder=5, clip_on=False)
    axes.annotate(
        shorten(car.trouble, 60, placeholder=" …"),
        (x, y),
        (sign * 6, 0),
        textcoords="offset points",
        ha=align,
        va="center",
        fontsize=letters_pt,
        color=MISSED,
        zorder=5,
    )


# Each car's charge ----------------------------------------------------------------------------------------------------


def _charge(axes: Axes, report: DayReport, time: _TimeAxis) -> None:
    came = [car for car in report.cars if car.points]
    met = sum(_met(car) for car in came)
    _title(
        axes,
        "Did every guest leave with enough charge?",
        f"How full each battery was. {met} of the {len(came)} guests who came left with at least what they had asked for.",
    )
    _shade(axes, report)
    crowd = len(came) > 40
    for car in came:
        _battery(axes, car, thin=crowd)
    _missed_labels(axes, [car for car in came if not _met(car)], time)
    time.apply(axes)
    lowest = min([50.0, *(point.soc_pct for car in came for point in car.points), *(car.wanted_soc_pct for car in came)])
    axes.set_ylim(max(0, 10 * floor(lowest / 10) - 5), 103)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    axes.grid(axis="y", color="#E8EBEF", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    _legend(
        axes,
        [
            Line2D([], [], color=TAKES, linewidth=1.6, label="charging"),
            Line2D([], [], color=GIVES, linewidth=1.6, label="giving back"),
            Line2D([], [], linewidth=0, color=INK, marker="_", markersize=10, markeredgewidth=1.6, label="asked for"),
            Line2D([], [], linewidth=0, color=TAKES, marker="o", markersize=6, label="left with enough"),
            Line2D([], [], linewidth=0, color=MISSED, marker="X", markersize=7, label="left with less"),
        ],
    )


def _battery(axes: Axes, car: CarTrack, *, thin: bool) -> None:
    """The battery's line, coloured by what the car does, and at its end what was wanted and what was there."""
    width, alpha = (0.9, 0.55) if thin else (1.5, 0.85)
    x, soc = _thinned(car)
    steady = np.sign(np.round(np.diff(soc), 4))
    first = 0
    for direction, run in groupby(steady):
        last = first + len(list(run))
        axes.plot(
            x[first : last + 1], soc[first : last + 1], color=_DIRECTION[int(direction)], lw=width, alpha=alpha, zorder=3
        )
        first = last
    wanted, left_with, met = car.wanted_soc_pct, car.points[-1].soc_pct, _met(car)
    end = _x(car.left)
    faint = 0.25 if thin and met else 0.5
    axes.plot([end, end], [wanted, left_with], color=TAKES if met else MISSED, linewidth=0.8, alpha=faint, zorder=4)
    axes.plot([end], [wanted], marker="_", markersize=6 if thin else 9, markeredgewidth=1.4, color=INK, zorder=5)
    marker, size = ("o", 3.2 if thin else 5) if met else ("X", 7)
    axes.plot(
        [end],
        [left_with],
        marker=marker,
        markersize=size,
        color=TAKES if met else MISSED,
        markeredgecolor="white",
        markeredgewidth=0.5,
        zorder=6,
    )


def _thinned(car: CarTrack) -> tuple[Numbers, Numbers]:
    """The battery's line at most every two minutes: finer cannot be seen."""
    x = _xs([*(point.at for point in car.points), car.left])
    soc = np.array([*(point.soc_pct for point in car.points), car.points[-1].soc_pct])
    if len(x) * 2 * _MINUTE <= car.left - car.arrived:
        return x, soc
    count = max(2, round((car.left - car.arrived) / (2 * _MINUTE)) + 1)
    every = np.linspace(x[0], x[-1], count)
    return every, np.interp(every, x, soc)


def _missed_labels(axes: Axes, missed: Sequence[CarTrack], time: _TimeAxis) -> None:
    if len(missed) > 12:
        return
    for car in missed:
        late = (time.end - car.left) < (time.end - time.start) * 0.2
        words = f"{car.guest}: {car.trouble}" if car.trouble else car.guest
        axes.annotate(
            shorten(words, 50, placeholder=" …"),
            (_x(car.left), car.points[-1].soc_pct),
            (-7 if late else 7, -3),
            textcoords="offset points",
            ha="right" if late else "left",
            va="top",
            fontsize=8.5,
            color=MISSED,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
            zorder=7,
        )


def _met(car: CarTrack) -> bool:
    return car.points[-1].soc_pct >= car.wanted_soc_pct - WANTED_SLACK_PCT
