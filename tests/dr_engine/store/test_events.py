"""DR events are taken in once, and refused clearly (S304)."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from dr_engine.domain.request import EventState
from dr_engine.domain.settlement import RequestInterval
from dr_engine.store import bookings, dispatching, events
from dr_engine.store.errors import BadRequest, Clash, Unknown
from dr_engine.store.events import DrEvent
from tests.dr_engine.bench import FACILITY, START, at, booking

EVENT = DrEvent("e1", FACILITY, "p", (RequestInterval(at(30), at(60), -5_000), RequestInterval(at(60), at(90), 5_000)))


def request(name: str, *parts: tuple[float, float, int]) -> DrEvent:
    return DrEvent(name, FACILITY, None, tuple(RequestInterval(at(start), at(end), power) for start, end, power in parts))


@pytest.fixture(autouse=True)
def facility(connection: Connection) -> None:
    bookings.put(connection, booking("ann"))


def test_S304_an_event_is_taken_in_and_known_again(connection: Connection) -> None:
    assert events.receive(connection, EVENT, START)
    assert not events.receive(connection, EVENT, START)
    assert not events.receive(connection, EVENT, at(40)), "a repeat is a repeat, also when the event has begun"
    assert events.get(connection, "e1") == EVENT
    assert [event.event_id for event in events.open_events(connection, at(89))] == ["e1"]
    assert events.open_events(connection, at(90)) == []


def test_S304_an_id_stands_for_one_request(connection: Connection) -> None:
    events.receive(connection, EVENT, START)
    with pytest.raises(Clash, match="another content"):
        events.receive(connection, replace(EVENT, program="other"), START)


def test_S304_events_of_a_facility_do_not_overlap_but_may_touch(connection: Connection) -> None:
    events.receive(connection, EVENT, START)
    later = DrEvent("e2", FACILITY, None, (RequestInterval(at(89), at(120), 1),))
    with pytest.raises(Clash, match="e1"):
        events.receive(connection, later, START)
    assert events.receive(connection, replace(later, intervals=(RequestInterval(at(90), at(120), 1),)), START)


def test_S304_a_cancelled_event_leaves_its_time_free(connection: Connection) -> None:
    events.receive(connection, EVENT, START)
    events.cancel(connection, "e1", at(10))
    events.cancel(connection, "e1", at(11))
    assert events.get(connection, "e1").state(at(40)) is EventState.CANCELLED
    assert events.receive(connection, replace(EVENT, event_id="e2"), START)


def test_S304_bad_requests_change_nothing(connection: Connection) -> None:
    with pytest.raises(BadRequest) as refused:
        events.receive(connection, replace(EVENT, intervals=(RequestInterval(at(5), at(5), 0),)), START)
    assert len(refused.value.faults) == 2
    with pytest.raises(Unknown):
        events.receive(connection, replace(EVENT, facility_id="nowhere"), START)
    assert events.all_events(connection) == []


def test_an_event_that_is_over_cannot_be_cancelled(connection: Connection) -> None:
    events.receive(connection, EVENT, START)
    with pytest.raises(Clash, match="ended"):
        events.cancel(connection, "e1", at(90))
    with pytest.raises(Unknown):
        events.cancel(connection, "e9", START)


def test_the_interval_that_runs() -> None:
    assert [EVENT.position(at(minute)) for minute in (29, 30, 60, 90)] == [None, 0, 1, None]


def test_X5_what_is_withdrawn_while_it_runs_ends_then_and_what_was_asked_stays(connection: Connection) -> None:
    events.receive(connection, request("e1", (60, 90, -5), (90, 120, -6), (120, 150, -7)), at(0))
    dispatching.ask(connection, "e1", 0, ["s1"])
    dispatching.ask(connection, "e1", 1, ["s1"])
    events.withdraw(connection, "e1", at(100))
    cut = events.get(connection, "e1")
    assert [(one.start, one.end, one.power_w) for one in cut.intervals] == [(at(60), at(90), -5), (at(90), at(100), -6)]
    assert (cut.state(at(100)), cut.cancelled) == (EventState.ENDED, False)
    dispatching.ask(connection, "e1", 2, ["s1"])  # a step that was under way
    assert dispatching.asked_in(connection, "e1") == {"s1": frozenset({0, 1})}
    events.withdraw(connection, "e1", at(110))
    assert events.get(connection, "e1") == cut, "again changes nothing"
    events.receive(connection, request("e2", (100, 130, -5)), at(100))


def test_X5_what_is_withdrawn_before_it_began_is_cancelled(connection: Connection) -> None:
    for name, now in (("e1", 30), ("e2", 60)):
        events.receive(connection, request(name, (60, 90, -5)), at(0))
        events.withdraw(connection, name, at(now))
        assert events.get(connection, name).cancelled
