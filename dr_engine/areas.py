"""The areas whose demand and supply are forecast, as the settings name them."""

from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo

import holidays
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from contracts.ids import FacilityId
from contracts.units import MINOR_DIGITS
from dr_engine.domain.forecast.history import Calendar
from dr_engine.domain.forecast.windows import IncentiveRules, Level

_Minor = Annotated[int, Field(ge=0, le=10**9)]


class IncentiveLevel(BaseModel):
    """From the value `at` on (down to it, for a price) a kWh pays so much, in whole minor units of the area's currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: float
    incentive_minor: _Minor


class AreaSettings(BaseModel):
    """An area. `tight`: demand in percent of supply; `sunny`: solar power in percent of demand; `cheap`: the day-ahead price
    per kWh, in units of the currency. Without levels of a kind there are no windows of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str
    currency: str
    country: str | None = None
    """Whose public holidays count (ISO 3166-1, two letters); None: every week is like the others."""
    subdivision: str | None = None
    facilities: tuple[FacilityId, ...] = ()
    """Who is told of its windows."""
    tight: tuple[IncentiveLevel, ...] = ()
    sunny: tuple[IncentiveLevel, ...] = ()
    cheap: tuple[IncentiveLevel, ...] = ()
    miss_cost: Annotated[float, Field(gt=0, le=1000)] = 3.0
    """A window that should have been announced and was not costs so many times one that was announced in vain."""
    forecast_at: time = time(18)
    """The next day is forecast from this local time on, every day."""
    band: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """The share of hours that bands shall hold."""
    history_days: Annotated[int, Field(ge=60, le=4000)] = 1500
    """The learner looks so far back."""
    learn_every_days: Annotated[int, Field(ge=1, le=366)] = 7

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:  # what zoneinfo raises for unknown names, odd names and folders
            raise ValueError(f"no time zone {name!r}; take an IANA name such as Asia/Tokyo") from error
        return name

    @field_validator("currency")
    @classmethod
    def _kept_currency(cls, name: str) -> str:
        if name not in MINOR_DIGITS:
            raise ValueError(f"currency {name!r} is not kept; take one of {', '.join(sorted(MINOR_DIGITS))}")
        return name

    @model_validator(mode="after")
    def _known_country(self) -> "AreaSettings":
        if self.country is not None:
            try:
                holidays.country_holidays(self.country, subdiv=self.subdivision)
            except NotImplementedError as error:
                raise ValueError(f"no holidays are known of {self.country!r}, {self.subdivision!r}") from error
        elif self.subdivision is not None:
            raise ValueError("a subdivision needs its country")
        return self

    @property
    def calendar(self) -> Calendar:
        """Its clock and holidays."""
        return Calendar(ZoneInfo(self.zone), self.country, self.subdivision)

    @property
    def rules(self) -> IncentiveRules:
        """When windows are announced."""
        kinds = (self.tight, self.sunny, self.cheap)
        tight, sunny, cheap = (tuple(Level(one.at, one.incentive_minor) for one in levels) for levels in kinds)
        return IncentiveRules(tight, sunny, cheap, self.miss_cost)
