"""What a member has agreed to: which data for which purpose, and what the car may be used for. Each change is one more
record; the newest holds.

Who takes consent back is heard at once: stays to come, and those under way, are narrowed to what is left of it (X1).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from contracts.reservation import ChargingWish
from reservation.domain.member import Preferences
from reservation.domain.refusal import Invalid, Reason


class Purpose(StrEnum):
    """What a member's data is used for."""

    STAYS = "stays"
    """Name, ways to reach the member, and stays: to book them and to tell of them. Nobody is a member without."""
    CHARGING = "charging"
    """Car, number plates, tokens, SOC and meter values: to know the car, to charge it, to reckon what it gave."""
    OFFERS = "offers"
    """Visits and payments: to choose who is sent which offers."""


class Means(StrEnum):
    """How it was said."""

    PAGE = "page"
    """By the member, on our pages."""
    LINK = "link"
    """By the member, with the link in an offer."""
    STAFF = "staff"
    """To somebody of the facility's, in person."""
    PHONE = "phone"
    PAPER = "paper"
    """Signed on paper."""
    PROGRAM = "program"
    """By another program that did not say how it knows."""
    ERASURE = "erasure"
    """With the wish to be forgotten."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says about agreeing. `purposes` None: as it was. `text_version` is the text that was agreed to."""

    means: Means = Means.PROGRAM
    purposes: frozenset[Purpose] | None = None
    text_version: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """What held from `at` on. `purposes` None: nobody said, as for members from before consent was recorded."""

    at: datetime
    means: Means
    preferences: Preferences
    purposes: frozenset[Purpose] | None = None
    text_version: str | None = None


@dataclass(frozen=True, slots=True)
class ConsentText:
    """What members were shown, by language. It never changes under its version."""

    version: str
    made_at: datetime
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a member says about consent now; None: as it is."""

    told: Told
    dr: bool | None = None
    discharge: bool | None = None
    wanted_soc_pct: int | None = None
    floor_soc_pct: int | None = None

    def on(self, had: Preferences) -> Preferences:
        """The preferences with it. Who does not let the data of the car be used takes no part. Raises Invalid."""
        wish = {name: value for name in Preferences.__dataclass_fields__ if (value := getattr(self, name)) is not None}
        if self.told.purposes is not None and Purpose.CHARGING not in self.told.purposes:
            if self.dr or self.discharge:
                raise Invalid("a car takes no part in DR without its data: agree to `charging`, or to no dr and discharge")
            wish |= {"dr": False, "discharge": False}
        kept = {name: getattr(had, name) for name in Preferences.__dataclass_fields__}
        try:
            return Preferences(**kept | wish)
        except ValueError as error:
            raise Invalid(str(error), Reason.SOC) from error


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a member no longer agrees to: no DR, no discharge, nothing below a SOC that was allowed before."""

    dr: bool
    discharge: bool
    below_pct: int

    @classmethod
    def between(cls, old: Preferences, new: Preferences) -> "Withdrawn":
        """What the change takes back."""
        below_pct = new.floor_soc_pct if new.floor_soc_pct > old.floor_soc_pct else 0
        return cls(old.dr and not new.dr, old.discharge and not new.discharge, below_pct)

    def of(self, wish: ChargingWish) -> ChargingWish:
        """The wish of a stay without what is taken back; the same where nothing of it is."""
        dr = wish.dr and not self.dr
        floor = max(wish.floor_soc_pct, self.below_pct)
        wanted = max(wish.wanted_soc_pct, floor)
        return msgspec.structs.replace(
            wish,
            dr=dr,
            discharge=dr and wish.discharge and not self.discharge,
            floor_soc_pct=floor,
            wanted_soc_pct=wanted,
        )
