"""What a forecaster would have said, day after day, and how wrong it was: rolling origin, nothing from the future."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dr_engine.domain.forecast.errors import Errors
from dr_engine.domain.forecast.features import View
from dr_engine.domain.forecast.history import FloatArray, History
from dr_engine.domain.forecast.learner import Shown, rolled

CALIBRATED_DAYS = 365
"""Errors of so many days before an origin calibrate the bands and chances after it."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """Of a series, (days, 24): what was expected, its band, the chance to reach each threshold; NaN where there is none."""

    expected: FloatArray
    low: FloatArray
    high: FloatArray
    chances: list[FloatArray]


def backtest(
    history: History, name: str, view: View, origins: Sequence[int], share: float, thresholds: Sequence[float] = ()
) -> Backtest:
    """A series forecast from origin to origin (rows). Bands and chances after an origin rest on the errors before it: give
    some origins more than you look at."""
    expected, seen = rolled(Shown.of(history, name, view), origins), history.of(name)
    low, high, *chances = (np.full_like(expected, np.nan) for _ in range(2 + len(thresholds)))
    for begin, end in pairwise(origins):
        known = slice(max(0, begin - CALIBRATED_DAYS), begin)
        errors = Errors.of(expected[known], seen[known])
        low[begin:end], high[begin:end] = errors.band(expected[begin:end], share)
        for chance, threshold in zip(chances, thresholds, strict=True):
            chance[begin:end] = errors.chance_at_least(expected[begin:end], threshold)
    return Backtest(expected, low, high, chances)
