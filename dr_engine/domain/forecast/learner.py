"""Learning a series and forecasting it: gradient-boosted trees (LightGBM) on what it lies above its level.

Trees cannot go beyond what they have seen; the level can. So the trees learn the distance from it: as a share where the
series has a size (megawatts), in its own unit where it is a percentage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import lightgbm
import numpy as np

from dr_engine.domain.forecast.features import View, level, table
from dr_engine.domain.forecast.history import SHARES, FloatArray, History

LEARNED = ("demand_mw", *SHARES)
LEAST_DAYS = 42
"""With fewer known days a series cannot be learned."""
_WARM_UP = 14
"""The first days have no past to be shown."""
TREES = 250
_PARAMETERS = {
    "objective": "l2",
    "learning_rate": 0.07,
    "num_leaves": 31,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
    "verbose": -1,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A series laid out for learning: features (hours, n), level and seen value of each hour."""

    name: str
    features: FloatArray
    level: FloatArray
    seen: FloatArray

    @classmethod
    def of(cls, history: History, name: str, view: View) -> "Shown":
        """All hours of a history."""
        flat = history.of(name).reshape(-1)
        return cls(name, table(history, name, view), level(history, name, view).reshape(-1), flat)

    def learned(self, rows: slice) -> lightgbm.Booster | None:
        """The trees that the hours of those days teach; None where too few are known."""
        hours = slice(24 * rows.start, 24 * rows.stop)
        target = (self.seen - self.level)[hours] / self._unit()[hours]
        known = np.isfinite(target)
        if np.count_nonzero(known) < 24 * LEAST_DAYS:
            return None
        lessons = lightgbm.Dataset(self.features[hours][known], target[known])
        return lightgbm.train(_PARAMETERS, lessons, TREES)

    def forecast(self, trees: lightgbm.Booster, rows: slice) -> FloatArray:
        """(days, 24): what they say of those days; NaN for an hour whose level is not known."""
        hours = slice(24 * rows.start, 24 * rows.stop)
        above = np.asarray(trees.predict(self.features[hours], num_threads=1))
        found = self.level[hours] + above * self._unit()[hours]
        return np.maximum(found, 0.0).reshape(-1, 24)

    def _unit(self) -> FloatArray:
        return np.ones_like(self.level) if self.name in SHARES else self.level


def rolled(shown: Shown, origins: Sequence[int]) -> FloatArray:
    """(days, 24): forecasts by rolling origin. From each origin (a row) to the next the days are forecast by what the days
    before that origin taught; the last origin is where it ends. NaN where there was too little to learn from."""
    found = np.full((shown.seen.size // 24, 24), np.nan)
    for begin, end in pairwise(origins):
        if (trees := shown.learned(slice(_WARM_UP, begin))) is not None:
            found[begin:end] = shown.forecast(trees, slice(begin, end))
    return found
