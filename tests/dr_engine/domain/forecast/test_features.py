"""What a learner is shown; above all, nothing that was not known."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from dr_engine.domain.forecast.features import HOLIDAY, SATURDAY, WORKDAY, View, kinds, lagged, level, table
from dr_engine.domain.forecast.history import DAILY, WEATHER, Calendar, History
from tests.dr_engine.domain.forecast.made_up import TOKYO, area

DAYS = 40


def test_public_holidays_come_from_the_area_s_country() -> None:
    assert kinds(TOKYO, date(2024, 5, 2), 5).tolist() == [WORKDAY, HOLIDAY, HOLIDAY, HOLIDAY, HOLIDAY]
    without = Calendar(TOKYO.zone)
    assert kinds(without, date(2024, 5, 2), 5).tolist() == [WORKDAY, WORKDAY, SATURDAY, HOLIDAY, WORKDAY]


@pytest.mark.parametrize("lead_h", [0, 6, 24, 30])
@pytest.mark.parametrize("name", ["demand_mw", "use_pct", "solar_pct"])
@pytest.mark.parametrize("weather_of_day", [False, True])
def test_F7A_nothing_is_shown_that_is_not_known_when_the_forecast_is_made(
    name: str, lead_h: int, weather_of_day: bool
) -> None:
    known, view = area(DAYS), View(lead_h, weather_of_day=weather_of_day)
    day = DAYS - 2
    ahead = {"price", *DAILY, *(WEATHER if weather_of_day else ())}
    other = _changed_after(known, 24 * day - lead_h, ahead, 24 * (day + 1))
    hours = slice(24 * day, 24 * (day + 1))
    for shown in (table, lambda *given: level(*given).reshape(-1)):
        np.testing.assert_array_equal(shown(known, name, view)[hours], shown(other, name, view)[hours])
    assert not np.array_equal(known.of(name)[day], other.of(name)[day])


def _changed_after(known: History, hour: int, ahead: set[str], ahead_hour: int) -> History:
    series = {}
    for name, values in known.series.items():
        flat = values.copy().reshape(-1)
        flat[ahead_hour if name in ahead else hour :] += 7.0
        series[name] = flat.reshape(values.shape)
    return replace(known, series=series)


def test_what_the_market_and_the_utility_tell_ahead_is_shown_only_where_it_may_be() -> None:
    known = area(DAYS)
    day = slice(24 * (DAYS - 1), 24 * DAYS)
    dearer = replace(known, series=dict(known.series) | {"price": known.of("price") + 5.0})
    assert not np.array_equal(table(known, "demand_mw", View())[day], table(dearer, "demand_mw", View())[day])
    without = View(outlook=False)
    np.testing.assert_array_equal(table(known, "demand_mw", without)[day], table(dearer, "demand_mw", without)[day])


def test_the_columns_hang_on_the_view_alone() -> None:
    known = area(DAYS)
    less = replace(known, series={"demand_mw": known.of("demand_mw")})
    assert table(known, "demand_mw", View()).shape == table(less, "demand_mw", View()).shape


def test_a_level_is_the_mean_of_the_last_days_of_its_kind() -> None:
    known = area(DAYS)
    kind = kinds(TOKYO, known.first, DAYS)
    day = max(np.flatnonzero(kind == WORKDAY))
    before = [row for row in np.flatnonzero(kind == WORKDAY) if row < day][-3:]
    found = level(known, "demand_mw", View())
    np.testing.assert_allclose(found[day], known.of("demand_mw")[before].mean(axis=0))
    assert np.isnan(found[0]).all()


def test_a_lag_ends_where_the_past_ends() -> None:
    values = np.arange(48.0).reshape(2, 24)
    found = lagged(values, 1, 6)
    assert found[1, :18].tolist() == list(range(18))
    assert np.isnan(found[1, 18:]).all()
    assert np.isnan(found[0]).all()
