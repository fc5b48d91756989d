"""A site's meter, and the site of an event."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection

from contracts.csms import RegisterReading, SessionChanged, SessionPhase, Token
from contracts.ids import SessionId, StationId
from dr_engine import explained
from dr_engine.domain.baseline import Baseline, BaselineKind
from dr_engine.domain.settlement import RequestInterval
from dr_engine.domain.site import SiteReading
from dr_engine.domain.terms import MeasuredAt, Terms
from dr_engine.store import bookings, dispatching, events, sessions, site, statements
from dr_engine.store.dispatching import Joined, SentCommand
from dr_engine.store.errors import Clash
from dr_engine.store.events import DrEvent
from dr_engine.store.statements import Compensation
from tests.dr_engine.bench import FACILITY, START, at, booking

DAY = timedelta(days=1)
MONEY = Compensation("st1", 0, "e1", 1_000, "JPY")
AT_SITE = Terms(measured_at=MeasuredAt.SITE)
HIGH_4_OF_5 = Terms(baseline=BaselineKind.HIGH_4_OF_5)


def metered(start: datetime, kilowatts: float) -> SiteReading:
    """A half hour of the site's meter."""
    return SiteReading(start, start + timedelta(minutes=30), max(0.0, 500 * kilowatts), max(0.0, -500 * kilowatts))


def stay(connection: Connection, name: str, start: datetime, power_w: float, idle_minutes: int = 0) -> None:
    """A guest of the facility whose car waits, and charges (or gives) evenly for the rest of an hour."""
    bookings.put(connection, booking(name, start, start + timedelta(hours=3)))
    changed = SessionChanged(
        at=START,
        session_id=SessionId(name),
        revision=1,
        station_id=StationId("CP1"),
        evse_id=1,
        transaction_id=name,
        phase=SessionPhase.ENDED,
        started_at=start,
        ended_at=start + timedelta(hours=1),
        token=Token(value=name, type="Central"),
    )
    sessions.put(connection, changed)
    for minute in range(61):
        energy = power_w * max(0, minute - idle_minutes) / 60
        when, taken, given = start + timedelta(minutes=minute), max(0.0, energy), max(0.0, -energy)
        reading = RegisterReading(session_id=SessionId(name), at=when, import_wh=taken, export_wh=given)
        sessions.add_readings(connection, [reading])


@pytest.fixture
def event(connection: Connection) -> None:
    """A car that would have done nothing gives 4 kW for half an hour, as it was told."""
    stay(connection, "ann", START, -4_000, idle_minutes=30)
    events.receive(connection, DrEvent("e1", FACILITY, None, (RequestInterval(at(30), at(60), -4_000),)), START)
    dispatching.join(connection, [Joined("e1", "ann", "b-ann", "m-ann", at(30), 80, Baseline(at(30), 1, 0, 0, 1))])
    dispatching.ask(connection, "e1", 0, ["ann"])
    dispatching.sent(connection, SentCommand("ann", "e1", at(30), -4_000, at(60), "accepted", ""))


def test_S402_the_meters_readings_count_once(connection: Connection) -> None:
    first = [metered(at(0), 3), metered(at(30), 5)]
    assert site.load(connection, FACILITY, first, START, replace=False) == (2, 0)
    assert site.load(connection, FACILITY, [*first, metered(at(60), 1)], START, replace=False) == (1, 2)
    other = [metered(at(30), 6)]
    with pytest.raises(Clash, match="2026-06-03T00:30:00"):
        site.load(connection, FACILITY, other, START, replace=False)
    with pytest.raises(Clash, match="replaced"):
        site.load(connection, FACILITY, [metered(at(15), 1)], START, replace=False)
    assert site.load(connection, FACILITY, other, START, replace=True) == (1, 0)
    assert site.metered_wh(connection, FACILITY, at(0), at(90)) == 1_500 + 3_000 + 500
    assert site.metered_wh(connection, "elsewhere", at(0), at(90)) is None
    assert site.last_before(connection, FACILITY, at(59)) == first[0]


@pytest.mark.usefixtures("event")
def test_S402_the_sum_of_a_sites_chargers(connection: Connection) -> None:
    stay(connection, "ben", START + DAY, 6_000)
    assert site.chargers_wh(connection, FACILITY, at(30), at(60)) == pytest.approx(-2_000)
    assert site.chargers_wh(connection, FACILITY, at(30) + DAY, at(90) + DAY) == pytest.approx(3_000)
    assert site.chargers_wh(connection, FACILITY, at(0) - DAY, at(30)) is None


@pytest.mark.usefixtures("event")
def test_S402_at_the_site_nothing_is_settled_without_its_meter(connection: Connection) -> None:
    with pytest.raises(Clash, match="site's meter of hall is not known before 2026-06-03T00:30:00"):
        statements.settle(connection, MONEY, AT_SITE, at(61))
    site.load(connection, FACILITY, [metered(at(0), 10)], START, replace=False)
    with pytest.raises(Clash, match="site's meter of hall is not known from 2026-06-03T00:30:00"):
        statements.settle(connection, MONEY, AT_SITE, at(61))
    assert statements.count(connection) == 0
    site.load(connection, FACILITY, [metered(at(30), 6)], START, replace=False)
    told = statements.settle(connection, MONEY, AT_SITE, at(61))
    assert told is not None
    assert told.undistributed_minor == 0


@pytest.mark.usefixtures("event")
@pytest.mark.parametrize("kind", [BaselineKind.REGISTERED, BaselineKind.JUST_BEFORE])
@pytest.mark.parametrize(("building_kw", "credit"), [(10, 2_000), (9, 2_000), (12, 1_000), (20, 0)])
def test_S402_the_credit_is_what_the_sites_meter_bears_out(
    connection: Connection, kind: BaselineKind, building_kw: float, credit: int
) -> None:
    """The building takes 10 kW before the event, and that much in it; beside it the car gives 4 kW."""
    site.load(connection, FACILITY, [metered(at(0), 10), metered(at(30), building_kw - 4)], START, replace=False)
    found = explained.settlement(connection, "e1", "m-ann", replace(AT_SITE, baseline=kind))
    assert found.site is not None
    (interval,) = found.site.intervals
    assert interval.baseline_wh == 5_000
    assert interval.chargers_wh == pytest.approx(-2_000)
    assert interval.actual_wh == (building_kw - 4) * 500
    assert found.delivered_wh == pytest.approx(credit, abs=1)


@pytest.mark.usefixtures("event")
@pytest.mark.parametrize("kilowatts", [3, -4])
def test_S402_high_4_of_5_of_the_chargers_themselves(connection: Connection, kilowatts: float) -> None:
    """A Wednesday; on each weekday before, of which Tuesday had an event, cars took so much at that time."""
    for back in (1, 2, 5, 6, 7, 8, 9):
        stay(connection, f"guest{back}", START - back * DAY, 1_000 * kilowatts)
    day_before = DrEvent("e0", FACILITY, None, (RequestInterval(at(90) - DAY, at(120) - DAY, -4_000),))
    events.receive(connection, day_before, START - 2 * DAY)
    found = explained.settlement(connection, "e1", "m-ann", HIGH_4_OF_5)
    assert found.site is not None
    monday, friday, thursday, wednesday = (date(2026, *day) for day in ((6, 1), (5, 29), (5, 28), (5, 27)))
    assert (found.site.days, found.site.short) == ([wednesday, thursday, friday, monday], False)
    assert found.site.adjustment_w is None
    assert found.site.intervals[0].baseline_wh == pytest.approx(max(0.0, 500 * kilowatts))
    assert found.delivered_wh == pytest.approx(2_000, abs=1)


@pytest.mark.usefixtures("event")
def test_S402_high_4_of_5_of_the_site_with_its_adjustment(connection: Connection) -> None:
    """The building took 8 kW on the days before and takes 9 kW that day: 4.5 kWh in half an hour. It shows 7 kW: 1 kWh."""
    for back in (1, 2, 5, 6, 7):
        readings = [metered(at(30 * n) - back * DAY, 8) for n in range(-8, 2)]
        site.load(connection, FACILITY, readings, START, replace=False)
    today = [*(metered(at(30 * n), 9) for n in range(-8, 1)), metered(at(30), 7)]
    site.load(connection, FACILITY, today, START, replace=False)
    found = explained.settlement(connection, "e1", "m-ann", replace(AT_SITE, baseline=BaselineKind.HIGH_4_OF_5))
    assert found.site is not None
    assert found.site.faults == []
    assert found.site.adjustment_w == pytest.approx(1_000)
    assert found.site.intervals[0].baseline_wh == pytest.approx(4_500)
    assert found.delivered_wh == 1_000


@pytest.mark.usefixtures("event")
def test_S402_without_a_day_to_measure_against_nothing_is_settled(connection: Connection) -> None:
    with pytest.raises(Clash, match="no earlier day of hall is known to measure 2026-06-03 against"):
        statements.settle(connection, MONEY, HIGH_4_OF_5, at(61))
