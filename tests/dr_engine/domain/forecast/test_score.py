"""Figures of forecasts and alarms."""

from math import isnan

import numpy as np
import pytest

from dr_engine.domain.forecast.score import Told, covered, mape


def test_mape_is_of_the_hours_that_have_both() -> None:
    assert mape(np.array([100, 200, np.nan, 0.0]), np.array([110, 190, 5, 5])) == pytest.approx(7.5)
    assert isnan(mape(np.array([np.nan]), np.array([1.0])))


def test_covered_is_the_share_inside() -> None:
    seen, low, high = np.array([1.0, 2, 3, np.nan]), np.array([0.0, 3, 3, 0]), np.array([2.0, 4, 3, 1])
    assert covered(seen, low, high) == pytest.approx(2 / 3)


def test_hits_and_false_alarms() -> None:
    told = Told.of(np.array([True, True, False, False]), np.array([True, False, True, True]))
    assert (told.came, told.hits, told.false) == (2, 1, 2)
    assert told.hit_rate == 0.5
    assert told.false_alarms == pytest.approx(2 / 3)
    nothing = Told.of(np.array([False]), np.array([False]))
    assert isnan(nothing.hit_rate)
    assert isnan(nothing.false_alarms)
