"""Periods in which cars that help the grid are paid, as the engine publishes them for a facility (patent S100, M6)."""

from dataclasses import dataclass
from datetime import timedelta

from contracts.dr import Direction, IncentiveWindowsPublished
from contracts.reservation import Car
from reservation.domain.facility import Facility
from reservation.domain.period import Period
from reservation.domain.refusal import Invalid


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """So many minor units of the facility's currency are expected for a kWh that a car gives (UP) or takes (DOWN)."""

    period: Period
    direction: Direction
    minor_per_kwh: int


def published(event: IncentiveWindowsPublished, facility: Facility) -> list[PaidPeriod]:
    """What the event says. Raises Invalid for windows outside its span or in another currency than the facility's."""
    if event.currency != facility.currency:
        raise Invalid(f"incentives in {event.currency} for {facility.id}, which reckons in {facility.currency}")
    span = Period(event.start, event.end)
    found = [PaidPeriod(Period(one.start, one.end), one.direction, one.minor_per_kwh) for one in event.windows]
    if any(not span.holds(one.period) or one.minor_per_kwh < 0 for one in found):
        raise Invalid(f"incentives for {facility.id} outside of what they are published for, or below zero")
    return found


def most_earned_minor(paid: PaidPeriod, car: Car, bay_w: int) -> int:
    """What a car can earn at most in the period, in minor units rounded down: with the power that car and bay both have, for
    as long as the period lasts, and with no more than the battery holds. `bay_w` is the bay's power in that direction."""
    car_w = car.max_discharge_w if paid.direction is Direction.UP else car.max_charge_w
    energy_wh = min(min(car_w, bay_w) * (paid.period.length / timedelta(hours=1)), car.battery_wh)
    return int(energy_wh * paid.minor_per_kwh / 1000)


def bay_power_w(facility: Facility, direction: Direction) -> int:
    """The most that a bay of the facility gives in that direction, in W."""
    powers = (bay.max_discharge_w if direction is Direction.UP else bay.max_charge_w for bay in facility.bays)
    return max(powers, default=0)
