"""Why something asked of the service is not done. Whoever raises one has changed nothing; its text says what to do next."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from reservation.domain.period import Period

Fact = str | int | datetime


class Reason(StrEnum):
    """Why, for those who say it to people in a language of their own: everything that a guest or a till can meet."""

    PAST = "past"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    OUTSIDE_HOURS = "outside_hours"
    NO_WALK_IN = "no_walk_in"
    LENGTH = "length"
    START = "start"
    NIGHTS = "nights"
    PARTY = "party"
    NO_CAR = "no_car"
    SOC = "soc"
    BEGUN = "begun"
    NOT_BEGUN = "not_begun"
    OVER = "over"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    NOT_POSSIBLE = "not_possible"
    HOLD_OVER = "hold_over"
    OTHER_REQUEST = "other_request"
    TAKEN = "taken"
    NO_BAY = "no_bay"
    NO_FITTING_BAY = "no_fitting_bay"
    OWN_STAY = "own_stay"
    FREE_ALREADY = "free_already"
    NOTHING_TO_WAIT_FOR = "nothing_to_wait_for"
    NAME_TAKEN = "name_taken"
    TOKEN_TAKEN = "token_taken"
    STAYS_TO_COME = "stays_to_come"
    STAYS_BY_CAR = "stays_by_car"
    NOBODY_EXPECTED = "nobody_expected"
    NOTHING_TO_PAY = "nothing_to_pay"
    BENEFIT_SHORT = "benefit_short"
    BENEFITS_TOO_LARGE = "benefits_too_large"
    NO_RATE = "no_rate"
    RATE_TOO_SMALL = "rate_too_small"
    NO_ITEM = "no_item"
    OUT_OF_STOCK = "out_of_stock"
    WHOSE_BENEFITS = "whose_benefits"
    OTHER_STAY = "other_stay"
    NO_PAYMENT = "no_payment"
    REFUNDED = "refunded"
    REFUND_TOO_LARGE = "refund_too_large"
    DAY_TO_COME = "day_to_come"
    DAY_CLOSED = "day_closed"


class Refused(Exception):
    """The root of the service's refusals. `facts` are what the reason's text says of the case: a moment, a number."""

    def __init__(self, text: str, reason: Reason | None = None, **facts: Fact) -> None:
        super().__init__(text)
        self.reason = reason
        self.facts = facts

    def told(self, text: str) -> "Refused":
        """The same refusal, said otherwise."""
        return type(self)(text, self.reason, **self.facts)


class Unknown(Refused):
    """A facility, member or booking by that name does not exist."""


class Invalid(Refused):
    """The request breaks a rule and would be refused at any other moment too."""


class Conflict(Refused):
    """The request contradicts what is stored already."""


class NotFree(Refused):
    """The period is taken (S202). `alternatives` are the nearest free periods of the same length, if looked for (S208)."""

    alternatives: tuple[Period, ...] = ()

    def offering(self, alternatives: Sequence[Period]) -> "NotFree":
        """The same refusal with these alternatives."""
        offered = NotFree(str(self), self.reason, **self.facts)
        offered.alternatives = tuple(alternatives)
        return offered
