"""How good forecasts and windows were, in the figures that forecasters use."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dr_engine.domain.forecast.history import FloatArray

Truths = npt.NDArray[np.bool_]


def mape(seen: FloatArray, forecast: FloatArray) -> float:
    """Mean absolute percentage error over the hours that have both; NaN where none has."""
    known = np.isfinite(seen) & np.isfinite(forecast) & (seen > 0)
    return float(100 * np.mean(np.abs(forecast - seen)[known] / seen[known])) if known.any() else float("nan")


def covered(seen: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """The share of hours that lie inside their band; NaN where there is none."""
    known = np.isfinite(seen) & np.isfinite(low) & np.isfinite(high)
    return float(np.mean((seen >= low)[known] & (seen <= high)[known])) if known.any() else float("nan")


@dataclass(frozen=True, slots=True)
class Told:
    """Alarms against what came: `came` times in all, `hits` of them told, `false` told and not come."""

    came: int
    hits: int
    false: int

    @classmethod
    def of(cls, came: Truths, told: Truths) -> "Told":
        """Counted."""
        return cls(int(came.sum()), int((came & told).sum()), int((told & ~came).sum()))

    @property
    def hit_rate(self) -> float:
        """The share of what came that was told."""
        return self.hits / self.came if self.came else float("nan")

    @property
    def false_alarms(self) -> float:
        """The share of what was told that did not come (false-alarm ratio)."""
        told = self.hits + self.false
        return self.false / told if told else float("nan")
