"""Opening hours and what no facility can be."""

from dataclasses import replace
from datetime import time

import pytest

from reservation.domain.facility import Resource
from reservation.domain.service import ANY_STAY, Nights, Service
from tests.reservation.samples import facility, hours


def test_opening_hours_are_local() -> None:
    assert facility().openings(hours(11, 12)) == [hours(10, 22)]


def test_openings_that_touch_the_period_are_found_and_no_others() -> None:
    bar = facility(opens=time(17), closes=time(2))
    assert bar.openings(hours(25, 25.5)) == [hours(17, 26)]
    assert bar.openings(hours(25, 42)) == [hours(17, 26), hours(41, 50)]
    assert bar.openings(hours(26, 41)) == []


def test_who_opens_round_the_clock_has_one_opening() -> None:
    hotel = facility(opens=time(9), closes=time(9))
    [opening] = hotel.openings(hours(5, 80))
    assert opening.holds(hours(5, 80))


def test_a_service_and_those_who_serve_it_fit() -> None:
    salon = facility()
    with pytest.raises(ValueError, match="does not offer: colour"):
        replace(salon, resources=(replace(salon.resources[0], services=("colour",)),))
    with pytest.raises(ValueError, match="no resource serves cut"):
        replace(salon, services=(ANY_STAY, Service("cut", "Cut")), resources=(Resource("c1", "Chair", services=("stay",)),))
    with pytest.raises(ValueError, match="service id is given once"):
        replace(salon, services=(ANY_STAY, ANY_STAY))
    with pytest.raises(ValueError, match="a service at least"):
        replace(salon, services=())


def test_a_service_begins_at_times_that_divide_the_day_or_over_nights() -> None:
    with pytest.raises(ValueError, match="divides the day"):
        Service("cut", "Cut", every_min=7)
    with pytest.raises(ValueError, match="nights have their own"):
        Service("night", "Night", minutes=(60,), nights=Nights(time(15), time(11)))


@pytest.mark.parametrize(
    ("messages", "what"),
    [
        ({"fr": {"booked": "oui"}}, "no messages in 'fr'"),
        ({"en": {"birthday": "hi"}}, "no message 'birthday'"),
        ({"en": {"booked": "{when} {phone}"}}, "cannot name {phone}; it can name {bay}"),
        ({"en": {"booked": "{when.year}"}}, "cannot name"),
        ({"en": {"booked": "{when!r}"}}, "cannot name"),
        ({"en": {"booked": "{when"}}, "messages.en.booked"),
        ({"en": {"booked": "{}"}}, "cannot name"),
    ],
)
def test_messages_name_only_what_is_known(messages: dict[str, dict[str, str]], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        replace(facility(), messages=messages)
    assert replace(facility(), messages={"ja": {"booked": "{when}、{facility} {{様}}"}})


def test_ids_and_evses_are_given_once() -> None:
    salon = facility()
    with pytest.raises(ValueError, match="resource id is given once"):
        replace(salon, resources=salon.resources * 2)
    with pytest.raises(ValueError, match="bay id is given once"):
        replace(salon, bays=salon.bays * 2)
    with pytest.raises(ValueError, match="EVSE is given once"):
        replace(salon, bays=(*salon.bays, replace(salon.bays[0], id="p9")))


def test_the_currency_is_one_that_is_kept() -> None:
    with pytest.raises(ValueError, match="EUR"):
        facility(currency="XXX")
