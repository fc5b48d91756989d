"""The rules of a facility: time, lengths, parties, latest moments."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reservation.domain import rules
from reservation.domain.booking import BookingState
from reservation.domain.facility import Facility, LateCancel, Resource, Rules
from reservation.domain.period import Period
from reservation.domain.refusal import Conflict, Invalid
from reservation.domain.service import ANY_STAY, Nights, Service
from tests.reservation.samples import NOW, at, booking, facility, hours

BAR = facility(opens=time(17), closes=time(2))
HOTEL = facility(opens=time(0), closes=time(0))
CUT = Service("cut", "Cut", minutes=(45, 60), every_min=30)
NIGHT = Service("night", "Night", nights=Nights(time(15), time(11), longest=3))


@pytest.mark.parametrize(
    ("place", "period"),
    [(facility(), (10, 22)), (facility(), (10, 11)), (facility(), (34, 35)), (BAR, (25, 26)), (HOTEL, (20, 100))],
)
def test_S202_stays_within_the_hours_are_fine(place: Facility, period: tuple[float, float]) -> None:
    rules.check_period(place, ANY_STAY, hours(*period), NOW)


@pytest.mark.parametrize(
    ("place", "period", "reason"),
    [
        (facility(), (8, 12), "in the past"),
        (facility(), (9, 11), "outside the hours"),
        (facility(), (21, 22.5), "outside the hours"),
        (facility(), (23, 24), "outside the hours"),
        (facility(), (10, 23), "outside the hours"),
        (facility(), (10, 35), "outside the hours"),
        (facility(), (10, 1_000_000), "at most 31 days"),
        (BAR, (16, 20), "outside the hours"),
        (BAR, (25, 27), "outside the hours"),
        (HOTEL, (10, 10 + 24 * 31 + 1), "at most 31 days"),
        (HOTEL, (24 * 400, 24 * 401), "days ahead"),
    ],
)
def test_S202_stays_in_the_past_or_outside_the_hours_are_refused(
    place: Facility, period: tuple[float, float], reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        rules.check_period(place, ANY_STAY, hours(*period), NOW)


def ruled(**given: object) -> Facility:
    return replace(facility(), rules=Rules(**given))  # type: ignore[arg-type]


def test_a_guest_books_ahead_and_who_walks_in_does_not() -> None:
    salon = ruled(lead_min=150, furthest_days=2)
    with pytest.raises(Invalid, match="150 minutes ahead"):
        rules.check_period(salon, ANY_STAY, hours(11, 12), NOW)
    rules.check_period(salon, ANY_STAY, hours(11.5, 12), NOW)
    rules.check_period(salon, ANY_STAY, hours(10, 12), at(10) + timedelta(minutes=4), walk_in=True)
    with pytest.raises(Invalid, match="in the past"):
        rules.check_period(salon, ANY_STAY, hours(10, 12), at(10) + timedelta(minutes=6), walk_in=True)
    with pytest.raises(Invalid, match="2 days ahead"):
        rules.check_period(salon, ANY_STAY, hours(58, 59), NOW)
    with pytest.raises(Invalid, match="without a booking"):
        rules.check_period(ruled(walk_in=False), ANY_STAY, hours(11, 12), NOW, walk_in=True)


@pytest.mark.parametrize(
    ("service", "period", "reason"),
    [
        (CUT, (11, 12), ""),
        (CUT, (11.5, 12.25), ""),
        (CUT, (11, 11.5), "45 or 60 minutes"),
        (CUT, (11.25, 12.25), "every 30 minutes"),
        (NIGHT, (15, 35), ""),
        (NIGHT, (15, 24 * 3 + 11), ""),
        (NIGHT, (15, 24 * 4 + 11), "1 to 3 nights"),
        (NIGHT, (14, 35), "from 15:00 to 11:00"),
        (NIGHT, (15, 34), "from 15:00 to 11:00"),
        (NIGHT, (15, 16), "from 15:00 to 11:00"),
    ],
)
def test_a_service_has_its_lengths_and_starts(service: Service, period: tuple[float, float], reason: str) -> None:
    if not reason:
        rules.check_service(HOTEL, service, hours(*period))
        return
    with pytest.raises(Invalid, match=reason):
        rules.check_service(HOTEL, service, hours(*period))


def test_nights_follow_the_clocks_when_they_are_set() -> None:
    berlin = replace(HOTEL, zone=ZoneInfo("Europe/Berlin"))
    zone = berlin.zone
    night = Period(datetime(2026, 3, 28, 15, tzinfo=zone), datetime(2026, 3, 29, 11, tzinfo=zone))
    assert night.length == timedelta(hours=19)
    rules.check_service(berlin, NIGHT, night)


def test_the_service_is_named_where_there_is_a_choice_and_its_length_where_there_is_one() -> None:
    salon = replace(facility(), services=(ANY_STAY, replace(CUT, minutes=(60,))))
    assert rules.service_of(facility(), None) is ANY_STAY
    assert rules.service_of(salon, "cut").id == "cut"
    with pytest.raises(Invalid, match="it offers stay, cut"):
        rules.service_of(salon, None)
    with pytest.raises(Invalid, match="no service 'spa'"):
        rules.service_of(salon, "spa")
    assert rules.period_of(salon.services[1], at(11), None) == hours(11, 12)
    with pytest.raises(Invalid, match=r"say when the stay ends.*45 or 60"):
        rules.period_of(CUT, at(11), None)
    with pytest.raises(Invalid, match="ends after it starts"):
        rules.period_of(CUT, at(11), at(11))


def test_a_party_needs_room_and_a_resource_that_serves() -> None:
    tables = (Resource("t1", "Two", capacity=2, services=("stay",)), Resource("t2", "Four", capacity=4))
    place = replace(facility(), resources=tables, services=(ANY_STAY, CUT))
    rules.check_party(place, ANY_STAY, None, 4)
    with pytest.raises(Invalid, match="for 4 at most"):
        rules.check_party(place, ANY_STAY, None, 5)
    with pytest.raises(Invalid, match="for 2 at most"):
        rules.check_party(place, ANY_STAY, "t1", 3)
    with pytest.raises(Invalid, match="t1 does not serve Cut"):
        rules.check_party(place, CUT, "t1", 1)
    with pytest.raises(Invalid, match="no resource 'c9'"):
        rules.check_party(place, CUT, "c9", 1)


def test_a_stay_is_cancelled_before_it_begins_and_late_by_the_rule() -> None:
    made, cancelled = booking(hours(15, 16)), BookingState.CANCELLED
    strict = ruled(cancel_min=180)
    assert rules.cancelled(strict, made, at(12), by_staff=False) == (cancelled, False)
    with pytest.raises(Conflict, match="until 2026-06-03 03:00 UTC; ask the staff"):
        rules.cancelled(strict, made, at(12.5), by_staff=False)
    assert rules.cancelled(strict, made, at(12.5), by_staff=True) == (cancelled, True)
    noting = ruled(cancel_min=180, late_cancel=LateCancel.NOTED)
    assert rules.cancelled(noting, made, at(12.5), by_staff=False) == (cancelled, True)
    with pytest.raises(Conflict, match="begun"):
        rules.cancelled(noting, made, at(15), by_staff=True)
    held = replace(made, state=BookingState.HELD)
    assert rules.cancelled(strict, held, at(12.5), by_staff=False) == (cancelled, False)


def test_a_stay_is_changed_until_the_latest_moment_and_one_that_has_begun_keeps_its_start() -> None:
    strict, made = ruled(cancel_min=180), booking(hours(15, 16))

    def check(period: Period, now: datetime, *, by_staff: bool = False) -> None:
        rules.check_change(strict, ANY_STAY, made, period, now, by_staff=by_staff)

    check(hours(16, 17), at(12))
    with pytest.raises(Conflict, match="could be changed until"):
        check(hours(16, 17), at(13))
    check(hours(16, 17), at(13), by_staff=True)
    check(hours(15, 18), at(15.5), by_staff=True)
    with pytest.raises(Conflict, match="its end can be changed"):
        check(hours(16, 18), at(15.5), by_staff=True)
    with pytest.raises(Conflict, match="over already"):
        check(hours(15, 15.25), at(15.5), by_staff=True)
    with pytest.raises(Invalid, match="outside the hours"):
        check(hours(15, 23), at(15.5), by_staff=True)


def test_a_guest_checks_in_around_the_start() -> None:
    made, salon = booking(hours(15, 16)), ruled(check_in_min=30)
    assert rules.check_arrival(salon, made, at(14.5)) is BookingState.CHECKED_IN
    with pytest.raises(Conflict, match="check in from 2026-06-03 05:30"):
        rules.check_arrival(salon, made, at(14))
    with pytest.raises(Conflict, match="ended"):
        rules.check_arrival(salon, made, at(16))


def test_a_no_show_is_one_by_the_rule_or_the_end() -> None:
    made = booking(hours(15, 16))
    assert rules.not_there_by(facility(), made) is None
    assert rules.not_there_by(ruled(no_show_min=20), made) == at(15) + timedelta(minutes=20)
    assert rules.not_there_by(ruled(no_show_min=600), made) == at(16)
    assert rules.left_early(made, at(15.5))
    assert not rules.left_early(made, at(16) - timedelta(minutes=5))
