"""Bookings that change and stays that end, as the reservation service tells them."""

import msgspec
import pytest
from sqlalchemy import Connection, select

from contracts.csms import SessionChanged, SessionPhase, Token
from contracts.ids import StationId, session_id
from contracts.reservation import BookingChanged, StayEnded, StayOutcome
from dr_engine import handlers
from dr_engine.store import bookings, outcomes, sessions
from dr_engine.store.tables import sessions as table
from tests.dr_engine.bench import FACILITY, START, at, booking


def changed(guest: str, **given: object) -> BookingChanged:
    told = msgspec.structs.asdict(booking(guest)) | {"at": at(1)} | given
    return BookingChanged(**{name: value for name, value in told.items() if name not in ("id", "correlation")})


def ended(guest: str, outcome: StayOutcome) -> StayEnded:
    made = booking(guest)
    return StayEnded(
        at=made.end,
        booking_id=made.booking_id,
        facility_id=made.facility_id,
        member_id=made.member_id,
        start=made.start,
        end=made.end,
        made_at=at(-60),
        outcome=outcome,
    )


def plugged(connection: Connection, token: Token) -> None:
    sessions.put(
        connection,
        SessionChanged(
            at=START,
            session_id=session_id("CP1", "tx"),
            revision=1,
            station_id=StationId("CP1"),
            evse_id=1,
            transaction_id="tx",
            phase=SessionPhase.RUNNING,
            started_at=START,
            token=token,
        ),
    )


def whose(connection: Connection) -> list[str | None]:
    return list(connection.execute(select(table.c.booking_id)).scalars())


def test_C1_a_changed_booking_has_its_control_period_set_anew(connection: Connection) -> None:
    handlers.booking_made(connection, booking("ann", at(0), at(60)))
    handlers.booking_changed(connection, changed("ann", start=at(90), end=at(150)))
    (found,) = bookings.willing_between(connection, FACILITY, at(0), at(300))
    assert (found.control_start, found.control_end) == (at(90), at(150))
    assert found.made_at == booking("ann").at


@pytest.mark.parametrize(("start", "end", "whom"), [(0, 240, "b-ann"), (600, 660, None)])
def test_a_car_that_stands_there_is_the_changed_bookings_only_if_it_is_in_time(
    connection: Connection, start: int, end: int, whom: str | None
) -> None:
    made = booking("ann", at(0), at(60))
    handlers.booking_made(connection, made)
    plugged(connection, made.tokens[0])
    assert whose(connection) == ["b-ann"]
    handlers.booking_changed(connection, changed("ann", start=at(start), end=at(end)))
    assert whose(connection) == [whom]


def test_a_booking_that_was_given_up_stands_again_when_it_is_changed(connection: Connection) -> None:
    handlers.booking_made(connection, booking("ann"))
    handlers.stay_ended(connection, ended("ann", StayOutcome.NO_SHOW))
    assert bookings.willing_between(connection, FACILITY, START, at(60)) == []
    handlers.booking_changed(connection, changed("ann"))
    assert len(bookings.willing_between(connection, FACILITY, START, at(60))) == 1


def test_a_guest_by_car_who_does_not_come_is_not_waited_for_and_counts_as_one_who_did_not(connection: Connection) -> None:
    made = booking("ann")
    handlers.booking_made(connection, made)
    handlers.stay_ended(connection, ended("ann", StayOutcome.NO_SHOW))
    assert bookings.willing_between(connection, FACILITY, START, at(60)) == []
    outcomes.collect(connection, made.end + outcomes.SETTLES)
    assert [one.came for one in outcomes.of_facility(connection, FACILITY)] == [False]


@pytest.mark.parametrize(
    ("outcome", "came"), [(StayOutcome.CAME, True), (StayOutcome.LEFT_EARLY, True), (StayOutcome.NO_SHOW, False)]
)
def test_whether_guests_without_a_car_come_is_learned_too(connection: Connection, outcome: StayOutcome, came: bool) -> None:
    made = booking("walker")
    handlers.booking_made(connection, msgspec.structs.replace(made, charging=None))
    handlers.stay_ended(connection, ended("walker", outcome))
    [seen] = outcomes.of_facility(connection, FACILITY)
    assert (seen.came, seen.start, seen.end) == (came, made.start, made.end)
    assert seen.lead_s == (made.start - at(-60)).total_seconds()
