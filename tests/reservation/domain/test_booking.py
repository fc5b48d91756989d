"""The rules of booking."""

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservation.domain import booking as rules
from reservation.domain.booking import Asked, Booking, BookingState
from reservation.domain.facility import Facility
from reservation.domain.member import Preferences
from reservation.domain.period import Period
from reservation.domain.refusal import Conflict, Invalid, NotFree
from tests.reservation.samples import NOW, booking, facility, hours, member

BAR = facility(opens=time(17), closes=time(2))
HOTEL = facility(opens=time(0), closes=time(0))


@pytest.mark.parametrize(
    ("place", "period"),
    [(facility(), (10, 22)), (facility(), (10, 11)), (facility(), (34, 35)), (BAR, (25, 26)), (HOTEL, (20, 100))],
)
def test_S202_stays_within_the_hours_are_fine(place: Facility, period: tuple[float, float]) -> None:
    rules.check_period(hours(*period), place, NOW)


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
        rules.check_period(hours(*period), place, NOW)


def test_S202_the_first_free_resource_and_bay_are_taken() -> None:
    taken = [booking(hours(11, 12), "c1"), booking(hours(13, 14), "c2", "p1")]
    place = rules.place(facility(), hours(11, 13), None, by_car=True, taken=taken)
    assert (place.resource.id, place.bay and place.bay.id) == ("c2", "p1")


@pytest.mark.parametrize(
    ("resource_id", "by_car", "taken", "reason"),
    [
        ("c1", False, [booking(hours(12, 14), "c1")], "c1 is booked"),
        (None, False, [booking(hours(12, 14), "c1"), booking(hours(10, 11.5), "c2")], "every resource is booked"),
        (None, True, [booking(hours(12, 14), "c1", "p1")], "every bay is booked"),
    ],
)
def test_S202_what_is_taken_is_refused(resource_id: str | None, by_car: bool, taken: list[Booking], reason: str) -> None:
    with pytest.raises(NotFree, match=reason):
        rules.place(facility(), hours(11, 13), resource_id, by_car=by_car, taken=taken)


def test_S202_a_guest_without_a_car_needs_no_bay() -> None:
    place = rules.place(facility(), hours(11, 13), None, by_car=False, taken=[booking(hours(11, 13), "c1", "p1")])
    assert (place.resource.id, place.bay) == ("c2", None)


def test_S202_a_car_cannot_come_where_there_are_no_bays() -> None:
    with pytest.raises(NotFree, match="no bays"):
        rules.place(facility(bays=0), hours(11, 13), None, by_car=True, taken=[])


def test_S202_a_car_is_in_one_place() -> None:
    rules.check_own_car([hours(10, 11)], hours(11, 13))
    with pytest.raises(NotFree, match="another stay"):
        rules.check_own_car([hours(10, 11.5)], hours(11, 13))


def offers(place: Facility, period: Period, taken: list[Booking], **given: object) -> list[tuple[float, float]]:
    found = rules.alternatives(
        place,
        period,
        None if "resource_id" not in given else str(given["resource_id"]),
        by_car=bool(given.get("by_car", False)),
        taken=taken,
        own=[],
        now=NOW,
    )
    zero = hours(0, 1).start
    return [((one.start - zero).total_seconds() / 3600, (one.end - zero).total_seconds() / 3600) for one in found]


def test_S208_the_nearest_free_periods_on_either_side() -> None:
    taken = [booking(hours(14, 16), "c1")]
    assert offers(facility(resources=1), hours(15, 16), taken) == [(12, 13), (13, 14), (16, 17), (17, 18)]


def test_S208_offers_stay_within_the_hours_and_out_of_the_past() -> None:
    taken = [booking(hours(10, 21.5), "c1")]
    assert offers(facility(resources=1), hours(15, 16), taken) == [(34, 35), (35, 36)]


def test_S208_offers_have_a_free_bay_too() -> None:
    taken = [booking(hours(10, 12), "c1", "p1"), booking(hours(13, 22), "c2", "p1")]
    assert offers(facility(), hours(11, 12), taken, by_car=True)[0] == (12, 13)


def test_S208_nothing_is_offered_where_nothing_is_free() -> None:
    assert offers(facility(bays=0), hours(11, 12), [], by_car=True) == []


requests = st.lists(
    st.tuples(st.integers(40, 84), st.integers(1, 12), st.booleans(), st.sampled_from([None, "c1", "c2"])), max_size=40
)


@settings(deadline=None)
@given(requests)
def test_S202_S208_whatever_is_asked_nothing_overlaps_and_every_offer_can_be_booked(
    asked: list[tuple[int, int, bool, str | None]],
) -> None:
    salon, stored = facility(resources=2, bays=1), list[Booking]()
    for number, (quarter, length, by_car, resource_id) in enumerate(asked):
        period = hours(quarter / 4, (quarter + length) / 4)
        try:
            rules.check_period(period, salon, NOW)
            place = rules.place(salon, period, resource_id, by_car=by_car, taken=stored)
        except Invalid:
            continue
        except NotFree:
            for offer in rules.alternatives(salon, period, resource_id, by_car=by_car, taken=stored, own=[], now=NOW):
                assert offer.length == period.length
                rules.check_period(offer, salon, NOW)
                rules.place(salon, offer, resource_id, by_car=by_car, taken=stored)
            continue
        stored.append(booking(period, place.resource.id, place.bay.id if place.bay else None, f"m{number}"))
    for index, one in enumerate(stored):
        for other in stored[index + 1 :]:
            if one.period.overlaps(other.period):
                assert one.resource_id != other.resource_id
                assert one.bay_id is None or one.bay_id != other.bay_id


def test_S200_the_wish_is_the_request_on_top_of_the_preferences() -> None:
    guest = member(preferences=Preferences(dr=True, discharge=True, wanted_soc_pct=70, floor_soc_pct=30))
    found = rules.charging_wish(guest, Asked(wanted_soc_pct=90, soc_pct=50, distance_km=3))
    assert found is not None
    assert (found.dr, found.discharge, found.wanted_soc_pct, found.floor_soc_pct) == (True, True, 90, 30)
    assert (found.soc_pct, found.distance_km) == (50, 3)


def test_X1_who_takes_no_part_is_not_discharged() -> None:
    guest = member(preferences=Preferences(dr=True, discharge=True))
    found = rules.charging_wish(guest, Asked(dr=False))
    assert found is not None
    assert not found.discharge


@pytest.mark.parametrize("asked", [Asked(wanted_soc_pct=10), Asked(floor_soc_pct=90)])
def test_X1_the_floor_is_at_most_what_is_wanted(asked: Asked) -> None:
    with pytest.raises(Invalid, match="floor"):
        rules.charging_wish(member(), asked)


def test_S200_a_guest_comes_by_car_when_there_is_one() -> None:
    assert rules.charging_wish(member(), Asked()) is not None
    assert rules.charging_wish(member(), Asked(by_car=False)) is None
    assert rules.charging_wish(member(car=None), Asked()) is None
    with pytest.raises(Invalid, match="has no car"):
        rules.charging_wish(member(car=None), Asked(by_car=True))


def test_a_stay_is_cancelled_once_and_before_it_begins() -> None:
    made = booking(hours(11, 12))
    rules.check_cancellable(made, NOW)
    with pytest.raises(Conflict, match="begun"):
        rules.check_cancellable(made, hours(11, 12).start)
    with pytest.raises(Conflict, match="cancelled"):
        rules.check_cancellable(replace(made, state=BookingState.CANCELLED), NOW)
