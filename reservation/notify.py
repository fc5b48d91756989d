"""What a member is told. Plain text, English, the facility's own time."""

from dataclasses import dataclass
from datetime import date

from contracts.units import money
from reservation.domain.benefit import Kind
from reservation.domain.booking import Booking, Place
from reservation.domain.facility import Facility
from reservation.domain.period import Period
from reservation.domain.promise import Promise


def booked(facility: Facility, booking: Booking, place: Place) -> str:
    """The booking is complete (M3): when, where, and what the car can have at departure (X1)."""
    bay = f", parking bay {place.bay.id}" if place.bay else ""
    stay = f"Your stay at {facility.name} is booked: {when(facility, booking.period)}, {place.resource.name}{bay}."
    return " ".join(filter(None, [stay, _of_dr(booking), _of_promise(booking.promise)]))


def cancelled(facility: Facility, booking: Booking) -> str:
    """The stay will not happen."""
    return f"Your stay at {facility.name} is cancelled: {when(facility, booking.period)}."


@dataclass(frozen=True, slots=True)
class Worth:
    """A kind of benefit and its unit, for saying amounts of it."""

    kind: Kind
    unit: str

    def of(self, amount: int) -> str:
        """An amount for people, such as `1,312 points`."""
        if self.kind is Kind.POINTS:
            return "1 point" if amount == 1 else f"{amount:,} points"
        if self.kind is Kind.RATE_OFF:
            return f"{amount / 100:g} % off your next payment"
        words = {Kind.AMOUNT_OFF: "off your next payment", Kind.CASH: "in cash", Kind.ITEM: "towards a gift"}
        return f"{money(amount, self.unit)} {words[self.kind]}"


PENDING = "It can be spent once the figures are final."


def thanks(facility: Facility, stay: date, delivered_wh: int, worth: Worth, amount: int) -> str:
    """What the member earned, and for what (S504)."""
    delivered = f" with {delivered_wh / 1000:.1f} kWh" if delivered_wh > 0 else ""
    helped = f"You helped the grid{delivered} during your stay at {facility.name} on {_day(stay)}."
    return f"{helped} You receive {worth.of(amount)}."


def corrected(facility: Facility, stay: date, worth: Worth, amount: int) -> str:
    """The compensation was settled anew, and the member's benefit with it."""
    change = f"You receive {worth.of(amount)} more." if amount > 0 else f"{worth.of(-amount)} were taken back."
    return f"The figures of your stay at {facility.name} on {_day(stay)} were corrected. {change}"


def freed(facility: Facility, stay: date, worth: Worth, amount: int) -> str:
    """The figures are final: what was pending can be spent."""
    return f"The figures of {_day(stay)} are final: you can spend {worth.of(amount)} at {facility.name} from now on."


def when(facility: Facility, period: Period) -> str:
    """A period for people, as the facility's clocks show it."""
    start, end = facility.local(period.start), facility.local(period.end)
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{_day(end.date())}, {end:%H:%M}"
    return f"{start:%A} {_day(start.date())}, {start:%H:%M} to {until}"


def _of_dr(booking: Booking) -> str:
    return "Your car helps the grid while it is parked." if booking.charging and booking.charging.dr else ""


def _of_promise(promise: Promise | None) -> str:
    if promise is None:
        return ""
    return f"It leaves with at least {promise.wanted_soc_pct} %." if promise.kept else promise.reason


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
