"""What the dispatcher did, kept."""

from sqlalchemy import Connection

from dr_engine.domain.baseline import Baseline
from dr_engine.domain.controls import Command
from dr_engine.domain.settlement import RequestInterval
from dr_engine.store import bookings, dispatching, events
from dr_engine.store.dispatching import Joined, LogEntry, SentCommand
from dr_engine.store.events import DrEvent
from tests.dr_engine.bench import FACILITY, START, at, booking


def made(connection: Connection) -> None:
    bookings.put(connection, booking("ann"))
    intervals = (RequestInterval(at(1), at(2), -5), RequestInterval(at(2), at(3), -5))
    events.receive(connection, DrEvent("e1", FACILITY, None, intervals), START)


def test_a_baseline_is_frozen_once(connection: Connection) -> None:
    made(connection)
    first = Joined("e1", "s1", "b", "m", at(1), 50.0, Baseline(at(1), 11_000, 500, 0, 1))
    dispatching.join(connection, [first, Joined("e1", "s2", "b", "m", at(1), None, None)])
    dispatching.join(connection, [Joined("e1", "s1", "b", "m", at(2), 90.0, None)])
    assert dispatching.joined(connection, "e1") == {"s1": 50.0, "s2": None}
    assert dispatching.participants(connection, "e1")[0].needed_wh == 500


def test_who_was_asked_when(connection: Connection) -> None:
    made(connection)
    dispatching.ask(connection, "e1", 0, ["s1", "s2"])
    dispatching.ask(connection, "e1", 0, ["s1"])
    dispatching.ask(connection, "e1", 1, ["s1"])
    dispatching.ask(connection, "e1", 1, [])
    assert dispatching.asked_in(connection, "e1") == {"s1": {0, 1}, "s2": {0}}


def test_steps_and_verdicts(connection: Connection) -> None:
    made(connection)
    entry = LogEntry("e1", at(1), -5, -4, -5, 2, "")
    dispatching.log_step(connection, entry)
    dispatching.join(connection, [Joined("e1", "s1", "b", "m", at(1), None, None)])
    dispatching.set_verdicts(connection, "e1", {"s1": "offline", "stranger": "offline"})
    assert dispatching.steps(connection, "e1") == [entry]
    assert [row.verdict for row in dispatching.participants(connection, "e1")] == ["offline"]


def test_the_last_accepted_command_is_found_again_unless_it_was_released(connection: Connection) -> None:
    def sent(session: str, minute: int, power_w: int | None, status: str = "accepted") -> None:
        until = None if power_w is None else at(minute + 5)
        dispatching.sent(connection, SentCommand(session, None, at(minute), power_w, until, status, ""))

    sent("s1", 1, -5)
    sent("s1", 2, -6)
    sent("s1", 3, -7, "refused")
    sent("s2", 1, -5)
    sent("s2", 2, None)
    assert dispatching.last_commands(connection) == {"s1": Command(-6, at(2), at(7))}
