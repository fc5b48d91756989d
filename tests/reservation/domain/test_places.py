"""Where stays fit: nothing overlaps, no room is too full, the time around stays is kept (S202, S208)."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.reservation import Car
from reservation.domain import places
from reservation.domain.facility import Facility, Resource, Rules
from reservation.domain.occupied import Occupied, Taken, span
from reservation.domain.period import Period
from reservation.domain.places import Wanted
from reservation.domain.refusal import NotFree
from reservation.domain.service import ANY_STAY, Nights, Service
from tests.reservation.samples import CAR, at, facility, hours, taken, wish

MINUTE = timedelta(minutes=1)


def wanted(place: Facility | None = None, service: Service = ANY_STAY, *, by_car: bool = False, **given: object) -> Wanted:
    given_wish = wish() if by_car else None
    return Wanted(place or facility(), service, **{"wish": given_wish, **given})  # type: ignore[arg-type]


def test_S202_the_first_free_resource_and_bay_are_taken() -> None:
    there = [taken(hours(11, 12), "c1"), taken(hours(13, 14), "c2", "p1")]
    place = places.place(wanted(by_car=True), hours(11, 13), Occupied.by(there))
    assert (place.resource.id, place.bay and place.bay.id) == ("c2", "p1")


@pytest.mark.parametrize(
    ("resource_id", "by_car", "there", "reason"),
    [
        ("c1", False, [taken(hours(12, 14), "c1")], "c1 is booked"),
        (None, False, [taken(hours(12, 14), "c1"), taken(hours(10, 11.5), "c2")], "every resource is booked"),
        (None, True, [taken(hours(12, 14), "c1", "p1")], "every bay is booked"),
    ],
)
def test_S202_what_is_taken_is_refused(resource_id: str | None, by_car: bool, there: list[Taken], reason: str) -> None:
    with pytest.raises(NotFree, match=reason):
        places.place(wanted(by_car=by_car, resource_id=resource_id), hours(11, 13), Occupied.by(there))


def test_S202_a_guest_without_a_car_needs_no_bay() -> None:
    place = places.place(wanted(), hours(11, 13), Occupied.by([taken(hours(11, 13), "c1", "p1")]))
    assert (place.resource.id, place.bay) == ("c2", None)


def test_S202_a_car_cannot_come_where_there_are_no_bays_or_none_that_fits() -> None:
    with pytest.raises(NotFree, match="no bays"):
        places.place(wanted(facility(bays=0), by_car=True), hours(11, 13), Occupied.by([]))
    bays = tuple(replace(bay, plugs=("ccs2",)) for bay in facility().bays)
    leaf = wish(car=Car(battery_wh=40_000, max_charge_w=6_000, max_discharge_w=6_000, plugs=("chademo", "type1")))
    with pytest.raises(NotFree, match="no bay fits the car"):
        places.place(wanted(replace(facility(), bays=bays), wish=leaf), hours(11, 13), Occupied.by([]))


def test_S202_a_car_is_in_one_place() -> None:
    places.place(wanted(by_car=True, own=[hours(10, 11)]), hours(11, 13), Occupied.by([]))
    with pytest.raises(NotFree, match="another stay"):
        places.place(wanted(by_car=True, own=[hours(10, 11.5)]), hours(11, 13), Occupied.by([]))


def test_a_car_that_gives_stands_where_it_can_and_another_leaves_that_place_free() -> None:
    simple, both = facility(bays=2).bays
    place = replace(facility(), bays=(replace(simple, max_discharge_w=0), both))
    assert places.place(wanted(place, by_car=True), hours(11, 13), Occupied.by([])).bay == both
    taker = wanted(place, wish=wish(discharge=False))
    assert places.place(taker, hours(11, 13), Occupied.by([])).bay == place.bays[0]
    one_way = wanted(place, wish=wish(car=msgspec.structs.replace(CAR, max_discharge_w=0)))
    assert places.place(one_way, hours(11, 13), Occupied.by([])).bay == place.bays[0]
    there = [taken(hours(11, 12), "c9", place.bays[0].id)]
    assert places.place(taker, hours(11, 13), Occupied.by(there)).bay == both


def test_the_smallest_table_that_fits_is_taken() -> None:
    tables = (Resource("six", "Six", capacity=6), Resource("two", "Two", capacity=2), Resource("four", "Four", capacity=4))
    place = replace(facility(), resources=tables)
    assert places.place(wanted(place, party=1), hours(11, 12), Occupied.by([])).resource.id == "two"
    assert places.place(wanted(place, party=3), hours(11, 12), Occupied.by([])).resource.id == "four"
    assert (
        places.place(wanted(place, party=3), hours(11, 12), Occupied.by([taken(hours(11, 12), "four")])).resource.id == "six"
    )


def test_a_shared_room_is_full_only_while_it_is() -> None:
    bath = Resource("bath", "Bath", capacity=10, shared=True)
    there = [taken(hours(10, 12), "bath", party=6), taken(hours(11, 13), "bath", party=4)]
    full = {party: Occupied.by(there).full(bath, party) for party in (1, 5, 7)}
    assert full == {1: [span(hours(11, 12))], 5: [span(hours(10, 12))], 7: [span(hours(10, 13))]}


def test_time_is_kept_around_stays() -> None:
    place = replace(facility(resources=1), rules=Rules(plug_before_min=5, plug_after_min=10))
    service = Service("cut", "Cut", before_min=15, after_min=30)
    need = wanted(place, service, by_car=True)
    assert need.kept(hours(11, 12)) == hours(10.75, 12.5)
    assert need.bay_kept(hours(11, 12)) == Period(at(11) - 5 * MINUTE, at(12) + 10 * MINUTE)
    stay = Taken("c1", span(need.kept(hours(11, 12))), 1, "p1", span(need.bay_kept(hours(11, 12))))
    with pytest.raises(NotFree, match="every resource"):
        places.place(need, Period(at(12.5), at(13)), Occupied.by([stay]))
    assert places.place(need, Period(at(12.75), at(13)), Occupied.by([stay])).bay


def offers(need: Wanted, period: Period, there: list[Taken], days: int = 7) -> list[tuple[float, float]]:
    around = Period(max(period.start - timedelta(days=days), at(9)), period.end + timedelta(days=days))
    found = places.nearest(places.free_periods(need, period.length, Occupied.by(there), around), period)
    return [((one.start - at(0)).total_seconds() / 3600, (one.end - at(0)).total_seconds() / 3600) for one in found]


def test_S208_the_nearest_free_periods_on_either_side() -> None:
    there = [taken(hours(14, 16), "c1")]
    assert offers(wanted(facility(resources=1)), hours(15, 16), there) == [(12, 13), (13, 14), (16, 17), (17, 18)]


def test_S208_offers_stay_within_the_hours_and_out_of_the_past() -> None:
    there = [taken(hours(10, 21.5), "c1")]
    assert offers(wanted(facility(resources=1)), hours(15, 16), there) == [(34, 35), (35, 36)]


def test_S208_offers_have_a_free_bay_too() -> None:
    there = [taken(hours(10, 12), "c1", "p1"), taken(hours(13, 22), "c2", "p1")]
    assert offers(wanted(by_car=True), hours(11, 12), there)[0] == (12, 13)


def test_S208_nothing_is_offered_where_nothing_is_free() -> None:
    assert offers(wanted(facility(bays=0), by_car=True), hours(11, 12), []) == []


def test_S208_offers_begin_when_the_service_begins() -> None:
    cut = Service("cut", "Cut", minutes=(60,), every_min=30)
    assert offers(wanted(facility(resources=1), cut), hours(15, 16), [taken(hours(14, 15.2), "c1")]) == [
        (12, 13),
        (13, 14),
        (15.5, 16.5),
        (16.5, 17.5),
    ]
    night = Service("night", "Night", nights=Nights(time(15), time(11)))
    hotel = facility(opens=time(0), closes=time(0), resources=1)
    assert offers(wanted(hotel, night), hours(39, 59), [taken(hours(39, 59), "c1")], 4) == [
        (15, 35),
        (63, 83),
        (87, 107),
    ]


@pytest.mark.parametrize(("day", "starts"), [(28, 24), (29, 23)])
def test_no_stay_begins_in_an_hour_that_clocks_leave_out(day: int, starts: int) -> None:
    berlin = replace(facility(opens=time(0), closes=time(0)), zone=ZoneInfo("Europe/Berlin"))
    hourly = Service("cut", "Cut", minutes=(60,), every_min=60)
    begin = datetime(2026, 3, day, tzinfo=berlin.zone)
    found = list(places.starts(berlin, hourly, timedelta(hours=1), Period(begin, begin.replace(day=day + 1))))
    assert len(found) == starts
    assert all(one.start < other.start for one, other in pairwise(found))


@dataclass(frozen=True)
class Ask:
    quarter: int
    length: int
    by_car: bool
    party: int
    resource: str | None
    service: int


SERVICES = (
    Service("a", "A"),
    Service("b", "B", every_min=30, before_min=10, after_min=20),
    Service("c", "C", every_min=15, after_min=5),
)
ROOMS = (
    Resource("c1", "Chair", services=("a", "b")),
    Resource("t1", "Table", capacity=4),
    Resource("bath", "Bath", capacity=5, shared=True, services=("a", "c")),
)
HOUSE = replace(
    facility(),
    services=SERVICES,
    resources=ROOMS,
    bays=facility(bays=2).bays,
    rules=Rules(plug_before_min=5, plug_after_min=10),
)
asks = st.builds(
    Ask,
    quarter=st.integers(40, 84),
    length=st.integers(1, 12),
    by_car=st.booleans(),
    party=st.integers(1, 4),
    resource=st.sampled_from([None, "c1", "t1", "bath"]),
    service=st.integers(0, 2),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(asks, max_size=25))
def test_S202_S208_whatever_is_asked_nothing_overlaps_no_room_is_too_full_and_every_offer_can_be_booked(
    asked: list[Ask],
) -> None:
    stored = list[Taken]()
    for ask in asked:
        need = wanted(HOUSE, SERVICES[ask.service], by_car=ask.by_car, party=ask.party, resource_id=ask.resource)
        period = hours(ask.quarter / 4, (ask.quarter + ask.length) / 4)
        try:
            place = places.place(need, period, Occupied.by(stored))
        except NotFree:
            around = Period(at(9), period.end + timedelta(days=1))
            for offer in places.nearest(places.free_periods(need, period.length, Occupied.by(stored), around), period):
                assert offer.length == period.length
                places.place(need, offer, Occupied.by(stored))
            continue
        bay_kept = span(need.bay_kept(period)) if place.bay else None
        bay_id = place.bay.id if place.bay else None
        stored.append(Taken(place.resource.id, span(need.kept(period)), ask.party, bay_id, bay_kept))
    check(stored)


def check(stored: list[Taken]) -> None:
    for one, other in combinations(stored, 2):
        if one.resource_id == other.resource_id != "bath":
            assert not Period(*one.kept).overlaps(Period(*other.kept))
        if one.bay_id is not None and one.bay_id == other.bay_id:
            assert one.bay_kept
            assert other.bay_kept
            assert not Period(*one.bay_kept).overlaps(Period(*other.bay_kept))
    bathing = [one for one in stored if one.resource_id == "bath"]
    for moment in {one.kept[0] for one in bathing}:
        there = Counter(one.party for one in bathing if one.kept[0] <= moment < one.kept[1])
        assert sum(party * number for party, number in there.items()) <= 5


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(40, 80), st.integers(1, 8), st.sampled_from(["c1", "t1", "bath"]), st.integers(1, 4)),
        max_size=12,
    )
)
def test_S208_free_periods_are_exactly_those_that_can_be_booked(there: list[tuple[int, int, str, int]]) -> None:
    stored = [taken(hours(begin / 4, (begin + length) / 4), name, None, party) for begin, length, name, party in there]
    need, length = wanted(HOUSE, SERVICES[2], party=2), timedelta(minutes=45)
    offered = set(places.free_periods(need, length, Occupied.by(stored), hours(9, 23)))
    for quarter in range(40, 86):
        period = Period(at(quarter / 4), at(quarter / 4) + length)
        try:
            places.place(need, period, Occupied.by(stored))
            bookable = True
        except NotFree:
            bookable = False
        assert (period in offered) == bookable


def test_S208_bays_are_listed_with_the_resources_that_are_free() -> None:
    resources, bays = places.free_places(wanted(by_car=True), hours(11, 12), Occupied.by([taken(hours(11, 12), "c1", "p1")]))
    assert ([one.id for one in resources], bays) == (["c2"], [])
