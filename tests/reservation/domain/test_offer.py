"""When an offer goes out, to whom, and what a car could earn."""

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.dr import Direction, IncentiveWindow, IncentiveWindowsPublished
from contracts.ids import FacilityId, MemberId
from contracts.reservation import Car
from reservation.domain import offer, paid
from reservation.domain.audience import HasCar, Record
from reservation.domain.offer import Candidate, OfferPolicy
from reservation.domain.paid import PaidPeriod
from reservation.domain.refusal import Invalid
from tests.reservation.samples import TOKYO, at, facility, hours

PAID = PaidPeriod(hours(38, 41), Direction.UP, 40)
"""From 14 to 17 o'clock on the next day, in Tokyo."""


def candidate(*, has_car: bool = True, wants: bool = True, had: int = 0) -> Candidate:
    return Candidate(MemberId("m1"), Record(has_car=has_car), wants, had)


@pytest.mark.parametrize(
    ("now", "sent"),
    [(10, 10), (20.9, 20.9), (21, 33), (23.5, 33), (32.9, 33), (33, 33), (26, 33)],
)
def test_S106_quiet_hours_are_waited_out(now: float, sent: float) -> None:
    assert offer.after_quiet(OfferPolicy(), at(now), TOKYO) == at(sent)


@pytest.mark.parametrize(("now", "sent"), [(11.9, 11.9), (12, 14), (13.5, 14), (14, 14), (2, 2)])
def test_S106_quiet_hours_may_lie_within_a_day(now: float, sent: float) -> None:
    assert offer.after_quiet(OfferPolicy(quiet_from=time(12), quiet_until=time(14)), at(now), TOKYO) == at(sent)


def test_S106_the_same_time_twice_is_never_quiet() -> None:
    policy = OfferPolicy(quiet_from=time(9), quiet_until=time(9))
    assert offer.after_quiet(policy, at(9), TOKYO) == at(9)


@given(st.times(), st.times(), st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))  # noqa: DTZ001
@settings(max_examples=60)
def test_S106_nothing_is_sent_in_quiet_hours_and_nothing_waits_a_day(begin: time, end: time, local: datetime) -> None:
    policy, now = OfferPolicy(quiet_from=begin, quiet_until=end), local.replace(tzinfo=TOKYO)
    sent = offer.after_quiet(policy, now, TOKYO)
    assert timedelta(0) <= sent - now < timedelta(days=1)
    assert offer.after_quiet(policy, sent, TOKYO) == sent


def test_S102_what_would_come_too_late_is_not_offered() -> None:
    policy = OfferPolicy(lead_h=3)
    found = offer.schedule(policy, [PAID], at(34), TOKYO)
    assert found == offer.Schedule(at(34), at(35))
    assert offer.schedule(policy, [PAID], at(35), TOKYO) is None
    early = PaidPeriod(hours(33.5, 34), Direction.UP, 40)
    assert offer.schedule(OfferPolicy(lead_h=1), [early], at(22), TOKYO) is None


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (candidate(), None),
        (candidate(wants=False), "wants no offers"),
        (candidate(has_car=False), "has no electric car"),
        (candidate(had=1), None),
        (candidate(had=2), "had 2 in seven days, 2 at most"),
    ],
)
def test_S104_who_is_left_out_and_why(who: Candidate, why: str | None) -> None:
    assert offer.left_out(OfferPolicy(audience=HasCar()), who) == why


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"per_week": -1}, "greater than or equal"),
        ({"lead_h": 169}, "less than or equal"),
        ({"audience": {"kind": "nobody"}}, "nobody"),
        ({"quiet_from": "25:00"}, "hour"),
        ({"weekly": 3}, "Extra inputs"),
    ],
)
def test_S104_a_policy_that_cannot_be_meant_is_refused(given: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        OfferPolicy.model_validate(given)


@pytest.mark.parametrize(
    ("direction", "car", "bay_w", "most"),
    [
        (Direction.UP, Car(battery_wh=60_000, max_charge_w=11_000, max_discharge_w=10_000), 11_000, 1_200),
        (Direction.UP, Car(battery_wh=60_000, max_charge_w=11_000, max_discharge_w=10_000), 6_000, 720),
        (Direction.UP, Car(battery_wh=20_000, max_charge_w=11_000, max_discharge_w=10_000), 11_000, 800),
        (Direction.UP, Car(battery_wh=60_000, max_charge_w=11_000, max_discharge_w=0), 11_000, 0),
        (Direction.DOWN, Car(battery_wh=60_000, max_charge_w=11_000, max_discharge_w=0), 11_000, 1_320),
        (Direction.DOWN, Car(battery_wh=60_000, max_charge_w=11_000, max_discharge_w=0), 0, 0),
    ],
)
def test_M6_what_a_car_can_earn_at_most(direction: Direction, car: Car, bay_w: int, most: int) -> None:
    assert paid.most_earned_minor(PaidPeriod(PAID.period, direction, 40), car, bay_w) == most


def published(**more: object) -> IncentiveWindowsPublished:
    window = IncentiveWindow(start=at(38), end=at(41), direction=Direction.UP, minor_per_kwh=40)
    base = {"facility_id": FacilityId("salon"), "currency": "JPY", "start": at(24), "end": at(48), "windows": (window,)}
    return IncentiveWindowsPublished(at=at(10), **{**base, **more})  # type: ignore[arg-type]


def test_S100_what_is_published_is_taken_as_it_is() -> None:
    assert paid.published(published(), facility()) == [PAID]


@pytest.mark.parametrize("more", [{"currency": "EUR"}, {"end": at(40)}, {"start": at(39)}])
def test_S100_what_does_not_fit_the_facility_or_its_own_span_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="incentives"):
        paid.published(published(**more), facility())
