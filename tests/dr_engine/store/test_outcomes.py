"""What became of bookings, kept to learn from."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from dr_engine.domain.board import Verdict
from dr_engine.domain.settlement import RequestInterval
from dr_engine.store import bookings, dispatching, events, outcomes
from dr_engine.store.dispatching import Joined
from dr_engine.store.events import DrEvent
from tests.dr_engine.bench import FACILITY, START, at, booking


@pytest.mark.parametrize(
    ("verdicts", "followed"),
    [
        ((), None),
        ((Verdict.OFFLINE,), None),
        ((Verdict.FOLLOWING,), True),
        ((Verdict.LIMITED, Verdict.SILENT), True),
        ((Verdict.FOLLOWING, Verdict.NOT_FOLLOWING), False),
        ((Verdict.TRIAL,), False),
    ],
)
def test_S300_whether_a_car_followed_is_kept_with_what_became_of_its_booking(
    connection: Connection, verdicts: tuple[Verdict, ...], followed: bool | None
) -> None:
    booked = booking("ann")
    bookings.put(connection, booked)
    for number, verdict in enumerate(verdicts):
        minute = 1 + 2 * number
        interval = RequestInterval(at(minute), at(minute + 1), -5)
        events.receive(connection, DrEvent(f"e{number}", FACILITY, None, (interval,)), START)
        dispatching.join(connection, [Joined(f"e{number}", "s1", booked.booking_id, "m", at(minute), None, None)])
        dispatching.set_verdicts(connection, f"e{number}", {"s1": verdict.value})
    assert outcomes.collect(connection, booked.end + timedelta(hours=1)) == 1
    assert [one.followed for one in outcomes.of_facility(connection, FACILITY)] == [followed]
    assert outcomes.collect(connection, booked.end + timedelta(hours=2)) == 0, "nothing new, so nothing is written"
