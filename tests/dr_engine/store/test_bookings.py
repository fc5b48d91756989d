"""Bookings, with their control period and the SOC expected at arrival."""

import msgspec
import pytest
from sqlalchemy import Connection

from dr_engine.store import bookings
from tests.dr_engine.bench import FACILITY, START, at, booking, willing


def test_C1_the_control_period_is_set_as_soon_as_the_booking_is_made(connection: Connection) -> None:
    bookings.put(connection, booking("ann", at(60), at(120)))
    (found,) = bookings.willing_between(connection, FACILITY, at(0), at(180))
    assert (found.control_start, found.control_end) == (at(60), at(120))


def test_M1_the_soc_at_arrival_is_lowered_by_the_drive(connection: Connection) -> None:
    bookings.put(connection, booking("ann", wish=willing(soc=80, km=30)))
    (found,) = bookings.willing_between(connection, FACILITY, START, at(60))
    assert found.arrival_soc_pct == pytest.approx(72)


def test_a_booking_told_again_takes_the_place_of_the_first(connection: Connection) -> None:
    bookings.put(connection, booking("ann", at(60), at(120)))
    bookings.put(connection, booking("ann", at(90), at(150)))
    (found,) = bookings.willing_between(connection, FACILITY, at(0), at(180))
    assert found.control_start == at(90)


def test_only_standing_bookings_of_willing_guests_count(connection: Connection) -> None:
    bookings.put(connection, booking("ann"))
    bookings.put(connection, booking("unwilling", wish=willing(dr=False)))
    bookings.put(connection, msgspec.structs.replace(booking("walker"), charging=None))
    gone = booking("gone")
    bookings.put(connection, gone)
    bookings.cancel(connection, gone.booking_id, START)
    assert [one.member_id for one in bookings.willing_between(connection, FACILITY, START, at(60))] == ["m-ann"]
    assert {stay.booking_id for stay in bookings.stays_around(connection, START)} == {"b-ann", "b-unwilling"}


def test_a_facility_is_known_by_its_bookings(connection: Connection) -> None:
    assert not bookings.known_facility(connection, FACILITY)
    bookings.put(connection, booking("ann"))
    assert bookings.known_facility(connection, FACILITY)
