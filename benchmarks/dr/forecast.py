"""Day-ahead forecasts and incentive windows against what came, over a held-out year by rolling origin.

    python -m benchmarks.dr.forecast [--area tokyo]… [--observed-weather] [--lead-h 6] [--tight-days]

Errors are mean absolute percentages of the hour's demand. "own" sees calendar, past demand and past weather; "told" also the
market's prices and the utility's figures for the day, both told the day before; "weather" also the day's own weather as it
was observed, which stands in for a forecast and makes errors too small. `--tight-days` looks at June 2022 in Tokyo.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from benchmarks.dr.areas import AREAS, DATA, STATIONS, history
from dr_engine.domain.forecast.backtest import backtest
from dr_engine.domain.forecast.features import View, lagged
from dr_engine.domain.forecast.history import FloatArray, History
from dr_engine.domain.forecast.learner import Shown, rolled
from dr_engine.domain.forecast.score import Told, Truths, covered, mape

BAND = 0.8
TIGHT = (90.0, 92.0, 95.0)
SUNNY = 60.0
COSTS = (1.0, 3.0, 9.0)
TIGHT_DAYS = [date(2022, 6, day) for day in (27, 28, 29, 30)]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dr.forecast", description=__doc__.splitlines()[0])
    parser.add_argument("--area", action="append", choices=AREAS, help="as often as wanted [default: all]")
    parser.add_argument(
        "--observed-weather", action="store_true", help="also with the day's own weather, where there is a record"
    )
    parser.add_argument("--lead-h", type=int, default=0, help="forecasts made so long before midnight [default: 0]")
    parser.add_argument("--year-from", type=date.fromisoformat, default=date(2023, 8, 1), help="first held-out day")
    parser.add_argument("--every", type=int, default=61, metavar="DAYS", help="learned anew so often [default: 61]")
    parser.add_argument("--tight-days", action="store_true", help="only 27 to 30 June 2022 in Tokyo")
    parser.add_argument("--data", type=Path, default=DATA, help="where the recorded tables are")
    given = parser.parse_args()
    warnings.filterwarnings("ignore", message="All-NaN slice")
    if given.tight_days:
        _print(tight_days(history(given.data, "tokyo"), given.lead_h))
        return
    for area in given.area or AREAS:
        known = history(given.data, area)
        _print([f"\n{area}: {given.year_from} to {given.year_from + timedelta(days=365)}, {given.lead_h} h before midnight"])
        _print(demand(known, given.year_from, given.every, given.lead_h, given.observed_weather and area in STATIONS))
        _print(alarms(known, given.year_from, given.every, given.lead_h))


def demand(known: History, start: date, every: int, lead_h: int, observed: bool) -> Iterator[str]:
    """Errors of demand by what may be seen."""
    origins = _origins(known.row(start), known.row(start + timedelta(days=366)), every)
    year, seen = slice(origins[0], origins[-1]), known.of("demand_mw")
    naive = mape(seen[year], _week_before(known, "demand_mw")[year])
    yield f"  demand, same hour a week before: MAPE {naive:.2f} %"
    views = {"own": View(lead_h, outlook=False), "told": View(lead_h)}
    if observed:
        views |= {"own + weather": View(lead_h, outlook=False, weather_of_day=True)}
        views |= {"told + weather": View(lead_h, weather_of_day=True)}
    for name, view in views.items():
        found = rolled(Shown.of(known, "demand_mw", view), origins)
        error = mape(seen[year], found[year])
        peak = mape(_peak(seen)[year], _peak(found)[year])
        yield f"  demand, {name}: MAPE {error:.2f} %, {error / naive:.3f} of naive; of the day's peak {peak:.2f} %"
    told = known.of("outlook_peak_mw")[:, 0]
    yield (
        f"  day's peak: utility {mape(_peak(seen)[year], told[year]):.2f} %, "
        f"a week before {mape(_peak(seen)[year], _peak(_week_before(known, 'demand_mw'))[year]):.2f} %"
    )


def alarms(known: History, start: date, every: int, lead_h: int) -> Iterator[str]:
    """Hours and days told as tight, and hours told as sunny, against what came."""
    first = known.row(start)
    origins = _origins(first - 6 * every, known.row(start + timedelta(days=366)), every)
    year = slice(first, origins[-1])
    demand_found = backtest(known, "demand_mw", View(lead_h), origins, BAND)
    use = backtest(known, "use_pct", View(lead_h), origins, BAND, TIGHT)
    for name, found in (("demand_mw", demand_found), ("use_pct", use)):
        share = covered(known.of(name)[year], found.low[year], found.high[year])
        wide = np.nanmean((found.high - found.low)[year])
        yield f"  band of {BAND:.0%}: {share:.1%} of {name} inside, {wide:,.1f} wide on average"
    supply = 100 * demand_found.expected / use.expected
    yield (
        f"  supply: MAPE {mape(known.of('supply_mw')[year], supply[year]):.2f} %, "
        f"a week before {mape(known.of('supply_mw')[year], _week_before(known, 'supply_mw')[year]):.2f} %"
    )
    for threshold, chance in zip(TIGHT, use.chances, strict=True):
        yield from _told_tight(known, year, threshold, chance)
    if np.nanmax(known.of("solar_pct")[year]) >= SUNNY:
        sun = backtest(known, "solar_pct", View(lead_h), origins, BAND, (SUNNY,))
        yield from _compared(known, "solar_pct", year, SUNNY, sun.chances[0])


def _told_tight(known: History, year: slice, threshold: float, chance: FloatArray) -> Iterator[str]:
    yield from _compared(known, "use_pct", year, threshold, chance)
    came = _any_hour(known.of("use_pct")[year] >= threshold)
    for cost in COSTS:
        yield f"    days, miss {cost:.0f} times: {_words(Told.of(came, _any_hour(chance[year] >= 1 / (1 + cost))))}"
    before = _any_hour(_week_before(known, "use_pct")[year] >= threshold)
    yield f"    days, a week before: {_words(Told.of(came, before))}"
    told = known.of("outlook_usage_pct")[:, 0]
    told = np.where(np.isfinite(told), told, 100 * known.of("outlook_peak_mw")[:, 0] / known.of("outlook_supply_mw")[:, 0])
    yield f"    days, utility: {_words(Told.of(came, told[year] >= threshold))}"


def _compared(known: History, name: str, year: slice, threshold: float, chance: FloatArray) -> Iterator[str]:
    came = known.of(name)[year] >= threshold
    sure = chance[year] >= 0.1
    told = "never" if not sure.any() else f"mean {chance[year][sure].mean():.0%}, seen {came[sure].mean():.0%}"
    yield f"  {name} of {threshold:.0f} or more: {came.sum()} hours; where the chance is 10 % or more: {told}"
    for cost in COSTS:
        yield f"    hours, miss {cost:.0f} times: {_words(Told.of(came, chance[year] >= 1 / (1 + cost)))}"
    yield f"    hours, a week before: {_words(Told.of(came, _week_before(known, name)[year] >= threshold))}"


def tight_days(known: History, lead_h: int) -> Iterator[str]:
    """What was told of the days around 27 June 2022, each the day before, by a forecaster that learns anew every week."""
    first, last = known.row(date(2022, 5, 20)), known.row(date(2022, 7, 2))
    found = backtest(known, "use_pct", View(lead_h), _origins(first, last, 7), BAND, TIGHT)
    least = 1 / (1 + COSTS[1])
    for row in range(known.row(date(2022, 6, 20)), last):
        came = known.of("use_pct")[row]
        mark = "*" if known.day(row) in TIGHT_DAYS else " "
        told = ", ".join(
            f"{threshold:.0f} %: {int((chance[row] >= least).sum()):2d} told {int((came >= threshold).sum()):2d} came"
            f" {int(((chance[row] >= least) & (came >= threshold)).sum()):2d} both"
            for threshold, chance in zip(TIGHT, found.chances, strict=True)
        )
        peaks = f"peak use {np.nanmax(came):.1f}, expected {np.nanmax(found.expected[row]):.1f}"
        yield f"{mark} {known.day(row)} {peaks}; hours of {told}"


def _words(told: Told) -> str:
    share = f" ({told.false_alarms:.0%} of those told)" if told.hits + told.false else ""
    return f"{told.hits} of {told.came} told ({told.hit_rate:.0%}), {told.false} in vain{share}"


def _origins(first: int, last: int, every: int) -> list[int]:
    return [*range(first, last, every), last]


def _week_before(known: History, name: str) -> FloatArray:
    return lagged(known.of(name), 7, 0)


def _any_hour(hours: Truths) -> Truths:
    return np.asarray(np.logical_or.reduce(hours, axis=1))


def _peak(values: FloatArray) -> FloatArray:
    return np.asarray(np.fmax.reduce(values, axis=1))


def _print(lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
