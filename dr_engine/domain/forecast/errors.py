"""How wrong forecasts were, and what follows for the next: bands and chances from errors that were really made.

The errors of comparable hours, those whose forecasts lie nearest to this one, are taken as the distribution of its own error
(conformal prediction, with the forecast itself as what makes hours comparable). No shape is assumed.
"""

from dataclasses import dataclass

import numpy as np

from dr_engine.domain.forecast.history import FloatArray

COMPARABLE = 400
"""So many errors stand for an hour's own, or a quarter of them all where there are fewer than four times as many."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Forecasts in rising order, and what was seen less what was forecast, in the same order."""

    expected: FloatArray
    missed_by: FloatArray

    @classmethod
    def of(cls, expected: FloatArray, seen: FloatArray) -> "Errors":
        """Of forecasts that were made without knowing what was then seen; hours that lack either are left out."""
        expected, seen = expected.reshape(-1), seen.reshape(-1)
        known = np.isfinite(expected) & np.isfinite(seen)
        order = np.argsort(expected[known], kind="stable")
        return cls(expected[known][order], (seen - expected)[known][order])

    @property
    def count(self) -> int:
        """How many there are."""
        return self.expected.size

    def band(self, expected: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
        """Low and high, between which that share of what is seen shall lie, as much below as above. NaN without errors."""
        if not self.count:
            return np.full_like(expected, np.nan), np.full_like(expected, np.nan)
        low, high = np.quantile(self._near(expected), [(1 - share) / 2, (1 + share) / 2], axis=-1)
        return expected + low, expected + high

    def chance_at_least(self, expected: FloatArray, threshold: float) -> FloatArray:
        """The chance that what is seen reaches the threshold. NaN without errors."""
        if not self.count:
            return np.full_like(expected, np.nan)
        reached = expected[..., None] + self._near(expected) >= threshold
        return np.where(np.isfinite(expected), reached.mean(axis=-1), np.nan)

    def _near(self, expected: FloatArray) -> FloatArray:
        """(..., count): the errors of comparable hours."""
        many = min(COMPARABLE, max(1, self.count // 4))
        middle = np.searchsorted(self.expected, np.nan_to_num(expected))
        begin = np.clip(middle - many // 2, 0, self.count - many)
        return np.asarray(self.missed_by[begin[..., None] + np.arange(many)])
