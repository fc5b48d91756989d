"""An event at its site: the site's baseline by its kind, what its meter or its chargers show, and what that leaves of the
credit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import Connection, select

from dr_engine.domain.baseline import BaselineKind
from dr_engine.domain.car import HOUR_S
from dr_engine.domain.high_four import DayLoad, HighFour, days_like, high_four, rule_of
from dr_engine.domain.settlement import Delivered
from dr_engine.domain.site import SiteCheck, SiteReading, site_interval
from dr_engine.domain.terms import MeasuredAt, Terms
from dr_engine.store import site
from dr_engine.store.events import DrEvent
from dr_engine.store.tables import dr_events

Parts = Mapping[str, Sequence[Delivered]]
Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class _Baseline:
    """What the site would have taken in each interval (None: nobody knows), and why."""

    intervals_wh: Sequence[float | None]
    statistic: HighFour | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Look:
    """An event at its site, with the credit that its cars have by themselves."""

    connection: Connection
    event: DrEvent
    parts: Parts
    terms: Terms

    def load_wh(self, period: Period) -> float | None:
        """What the site took, by the meter that counts."""
        meter = site.metered_wh if self.terms.measured_at is MeasuredAt.SITE else site.chargers_wh
        return meter(self.connection, self.event.facility_id, *period)

    def chargers_wh(self, period: Period) -> float:
        """What its chargers took, as far as it is known."""
        return site.chargers_wh(self.connection, self.event.facility_id, *period) or 0.0

    def building_w(self, period: Period) -> float | None:
        """The site without its chargers; None where the chargers are all that is metered, since they are storage."""
        if self.terms.measured_at is not MeasuredAt.SITE:
            return None
        whole = site.metered_wh(self.connection, self.event.facility_id, *period)
        return None if whole is None else _power_w(whole - self.chargers_wh(period), period)

    def last_before(self) -> SiteReading | None:
        """The last whole period of the site's meter before the event."""
        return site.last_before(self.connection, self.event.facility_id, self.event.start)

    def unknown(self, fault: str) -> _Baseline:
        """No baseline, and why."""
        return _Baseline([None] * len(self.event.intervals), faults=(fault,))


def check_of(connection: Connection, event: DrEvent, parts: Parts, terms: Terms) -> SiteCheck:
    """The event at its site, with the credit that its cars have by themselves."""
    look = _Look(connection, event, parts, terms)
    baseline = _BY_KIND[terms.baseline](look)
    intervals, faults = [], list(baseline.faults)
    for position, interval in enumerate(event.intervals):
        period = interval.start, interval.end
        actual = look.load_wh(period)
        if actual is None:
            whose = "site's meter" if terms.measured_at is MeasuredAt.SITE else "chargers' registers"
            faults.append(f"the {whose} of {event.facility_id} is not known from {interval.start.isoformat()} on")
        credited = sum(own[position].credit_wh for own in parts.values())
        chargers = look.chargers_wh(period)
        intervals.append(site_interval(interval, baseline.intervals_wh[position], actual, chargers, credited))
    found = baseline.statistic
    if found is None:
        return SiteCheck(tuple(intervals), faults=tuple(faults))
    return SiteCheck(tuple(intervals), found.days, found.adjustment_w, found.short, tuple(faults))


def _power_w(energy_wh: float, period: Period) -> float:
    return energy_wh / _hours(period)


def _hours(period: Period) -> float:
    return (period[1] - period[0]).total_seconds() / HOUR_S


# The kinds --------------------------------------------------------------------------------------------------------------


def _registered(look: _Look) -> _Baseline:
    """The cars' registered plans, and beside them the building as it was just before the event."""
    before = look.last_before()
    building_w = None if before is None else look.building_w((before.start, before.end))
    if building_w is None:
        return look.unknown(_nothing_before(look.event))
    return _Baseline(
        [
            building_w * _hours((interval.start, interval.end)) + sum(own[place].baseline_wh for own in look.parts.values())
            for place, interval in enumerate(look.event.intervals)
        ]
    )


def _just_before(look: _Look) -> _Baseline:
    """The site as its meter showed it in the last whole period before the event."""
    before = look.last_before()
    if before is None:
        return look.unknown(_nothing_before(look.event))
    power_w = _power_w(before.net_wh, (before.start, before.end))
    return _Baseline([power_w * _hours((one.start, one.end)) for one in look.event.intervals])


def _nothing_before(event: DrEvent) -> str:
    return f"the site's meter of {event.facility_id} is not known before {event.start.isoformat()}"


def _high_four(look: _Look) -> _Baseline:
    """The statistic of the site's own last days."""
    event, terms, zone = look.event, look.terms, ZoneInfo(look.terms.time_zone)
    today = event.start.astimezone(zone).date()
    free = set(holidays.country_holidays(terms.country, years=[today.year - 1, today.year]))
    ends = event.start - timedelta(seconds=terms.adjust_gap_s)
    before = ends - timedelta(seconds=terms.adjust_s), ends
    periods = [(one.start, one.end) for one in event.intervals]

    def of_day(day: date) -> DayLoad | None:
        energies = [look.load_wh(_earlier(period, today - day, zone)) for period in periods]
        known = tuple(one for one in energies if one is not None)
        if len(known) < len(energies):
            return None
        return DayLoad(day, known, look.building_w(_earlier(before, today - day, zone)))

    days = days_like(today, free, _event_days(look, zone))
    lengths_s = [HOUR_S * _hours(period) for period in periods]
    found = high_four(rule_of(today, free), days, of_day, lengths_s, look.building_w(before))
    if found is None:
        return look.unknown(f"no earlier day of {event.facility_id} is known to measure {today.isoformat()} against")
    return _Baseline(found.intervals_wh, found)


def _earlier(period: Period, back: timedelta, zone: ZoneInfo) -> Period:
    """The same time of an earlier day on the site's clock."""
    local = period[0].astimezone(zone).replace(tzinfo=None)
    start = (local - back).replace(tzinfo=zone).astimezone(UTC)
    return start, start + (period[1] - period[0])


def _event_days(look: _Look, zone: ZoneInfo) -> set[date]:
    """The days on which the facility had another event."""
    row, event = dr_events.c, look.event
    query = select(row.start).where(
        row.facility_id == event.facility_id, row.cancelled_at.is_(None), row.event_id != event.event_id
    )
    return {start.astimezone(zone).date() for start in look.connection.execute(query).scalars()}


_BY_KIND: dict[BaselineKind, Callable[[_Look], _Baseline]] = {
    BaselineKind.REGISTERED: _registered,
    BaselineKind.JUST_BEFORE: _just_before,
    BaselineKind.HIGH_4_OF_5: _high_four,
}
