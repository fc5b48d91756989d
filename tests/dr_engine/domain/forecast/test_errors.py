"""Errors that were made as the distribution of those to come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dr_engine.domain.forecast.errors import Errors


def _errors(count: int = 2000) -> Errors:
    random = np.random.default_rng(3)
    expected = random.uniform(50, 100, count)
    return Errors.of(expected, expected + random.normal(0, expected / 20))


def test_a_band_is_wider_where_errors_were_larger_and_holds_its_share() -> None:
    errors = _errors()
    low, high = errors.band(np.array([55.0, 95.0]), 0.8)
    assert high[1] - low[1] > 1.4 * (high[0] - low[0])
    assert (low < [55, 95]).all()
    fresh = np.random.default_rng(4)
    expected = fresh.uniform(50, 100, 4000)
    seen = expected + fresh.normal(0, expected / 20)
    low, high = errors.band(expected, 0.8)
    assert 0.76 < np.mean((seen >= low) & (seen <= high)) < 0.84


@given(expected=st.floats(0, 200), lower=st.floats(0, 200), more=st.floats(0, 50))
def test_a_chance_is_one_and_falls_with_the_threshold(expected: float, lower: float, more: float) -> None:
    found = [_ERRORS.chance_at_least(np.array([expected]), threshold)[0] for threshold in (lower, lower + more)]
    assert 1 >= found[0] >= found[1] >= 0


_ERRORS = _errors(400)


def test_without_errors_nothing_is_known() -> None:
    none = Errors.of(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))
    assert none.count == 0
    assert np.isnan(none.chance_at_least(np.array([90.0]), 90)).all()
    assert np.isnan(none.band(np.array([90.0]), 0.8)).all()


def test_an_hour_without_forecast_has_no_chance() -> None:
    assert np.isnan(_ERRORS.chance_at_least(np.array([np.nan]), 90)).all()
