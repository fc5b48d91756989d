"""Learning, and rolling origin."""

from dataclasses import replace

import numpy as np

from dr_engine.domain.forecast.backtest import backtest
from dr_engine.domain.forecast.features import View, lagged
from dr_engine.domain.forecast.learner import Shown, rolled
from dr_engine.domain.forecast.score import covered, mape
from tests.dr_engine.domain.forecast.made_up import area


def test_F7A_a_day_is_forecast_better_than_by_the_week_before() -> None:
    known, origins = area(120), [90, 120]
    seen = known.of("demand_mw")
    found = rolled(Shown.of(known, "demand_mw", View(outlook=False)), origins)
    assert np.isnan(found[:90]).all()
    assert mape(seen, found) < 0.65 * mape(seen[90:], lagged(seen, 7, 0)[90:])


def test_F7A_what_comes_after_an_origin_does_not_change_what_is_said_from_it() -> None:
    known = area(100)
    later = {name: np.vstack([values[:91], values[91:] * 3]) for name, values in known.series.items()}
    view = View()
    ours = rolled(Shown.of(known, "demand_mw", view), [90, 91, 100])
    theirs = rolled(Shown.of(replace(known, series=later), "demand_mw", view), [90, 91, 100])
    np.testing.assert_array_equal(ours[90], theirs[90])
    assert not np.array_equal(ours[95], theirs[95])


def test_too_little_to_learn_from_gives_no_forecast() -> None:
    assert np.isnan(rolled(Shown.of(area(50), "demand_mw", View()), [45, 50])).all()


def test_F7A_bands_and_chances_rest_on_the_errors_before() -> None:
    known = area(150)
    found = backtest(known, "use_pct", View(), [70, 100, 120, 150], 0.8, (95.0,))
    assert np.isnan(found.low[70:100]).all()
    assert 0.65 < covered(known.of("use_pct")[100:], found.low[100:], found.high[100:]) < 0.95
    chance = found.chances[0][100:]
    came = known.of("use_pct")[100:] >= 95
    assert abs(chance.mean() - came.mean()) < 0.05
    assert chance[came].mean() > 2 * chance[~came].mean()
