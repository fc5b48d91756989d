"""The day's own checks: each is a question that the day must answer well, with the figure that answers it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gridstay.day.metering import Metered, delivered_w, full_minutes, worst
from gridstay.report import Check
from simulators.aggregator import Posted

BAND = 0.10
SETTLING = timedelta(minutes=2)


@dataclass(frozen=True)
class Departure:
    """How a guest who came left. SOC in percent; `promised` is what the booking said would be there, None: nothing."""

    guest: str
    promised_pct: int | None
    left_with_pct: float
    floor_pct: int
    arrived_with_pct: float
    lowest_pct: float
    early: bool

    @property
    def broken(self) -> bool:
        """Whether a promise to this guest was broken: the SOC at the booked end, or the floor that is never gone below."""
        short = self.promised_pct is not None and not self.early and self.left_with_pct < self.promised_pct - ROUNDING_PCT
        return short or self.lowest_pct < min(self.floor_pct, self.arrived_with_pct) - ROUNDING_PCT


ROUNDING_PCT = 0.05
"""Stations tell the SOC to a tenth of a percent."""


def delivery(requests: Iterable[Posted], pool: Sequence[Metered]) -> Check:
    """Metered power against the request, in every full minute after the first two of each event (X2)."""
    deviations = []
    for posted in requests:
        for minute in full_minutes(posted.intervals[0].start, posted.intervals[-1].end, SETTLING):
            asked = posted.power_at(minute)
            if asked:
                deviations.append((delivered_w(pool, minute) - asked) / abs(asked))
    figure = {
        "minutes": len(deviations),
        "minutes_outside": sum(abs(deviation) > BAND for deviation in deviations),
        "worst_pct": round(100 * worst(deviations), 2),
        "mean_pct": round(100 * sum(map(abs, deviations)) / len(deviations), 2) if deviations else None,
    }
    ok = bool(deviations) and worst(deviations) <= BAND
    return Check(ok, figure, "Metered power stayed within 10 % of the request in every full minute after the first two.")


def promises(departures: Iterable[Departure]) -> Check:
    """Nobody left with less than was promised, nor was anybody taken below the floor (X1)."""
    broken = [departure.guest for departure in departures if departure.broken]
    return Check(not broken, len(broken), "No guest left with less charge than was promised when they booked.")


def reports(found: Mapping[Posted, Sequence[Mapping[str, Any]]]) -> Check:
    """The grid holds a report of each event, about each of its intervals, from meters that were read (X5)."""
    told = 0
    for posted, sent in found.items():
        intervals = [one for report in sent for resource in report["resources"] for one in resource["intervals"]]
        good = [one for one in intervals if {"type": "DATA_QUALITY", "values": ["MISSING"]} not in one["payloads"]]
        told += len(sent) == 1 and len(good) == len(posted.intervals)
    figure = {"events": len(found), "reported": told}
    return Check(bool(found) and told == len(found), figure, "The grid was told of each event what the meters said.")


def allocations(statements: Iterable[Mapping[str, Any]]) -> Check:
    """The parts of each compensation sum to the whole (S402)."""
    rows = list(statements)
    off = [
        row["total_minor"] - row["undistributed_minor"] - sum(share["amount_minor"] for share in row["allocation"])
        for row in rows
    ]
    paid = sum(row["total_minor"] for row in rows)
    figure = {"statements": len(rows), "paid_minor": paid, "difference_minor": sum(map(abs, off))}
    return Check(bool(rows) and not any(off), figure, "What the guests were allotted adds up to what the grid paid.")


def ledger(verification: Mapping[str, Any]) -> Check:
    """Every entry of the ledger balances (S500)."""
    return Check(bool(verification["ok"]), verification, "Every entry of the points ledger balances.")


def exactly_once(sent: Mapping[str, Sequence[str]], handled: Mapping[tuple[str, str], Sequence[str]], unsent: int) -> Check:
    """Every durable event reached each of its consumers once. `sent`: kind -> message ids; `handled`: (consumer, kind) ->
    message ids in its inbox."""
    missing = sum(len(set(sent.get(kind, ())) - set(ids)) for (_, kind), ids in handled.items())
    twice = sum(len(ids) - len(set(ids)) for ids in handled.values())
    strangers = sum(len(set(ids) - set(sent.get(kind, ()))) for (_, kind), ids in handled.items())
    figure = {
        "events": sum(map(len, sent.values())),
        "handled": sum(map(len, handled.values())),
        "missing": missing,
        "twice": twice,
        "strangers": strangers,
        "unsent": unsent,
    }
    ok = bool(sent) and not (missing or twice or strangers or unsent)
    return Check(ok, figure, "Every message between the services was handled exactly once.")


def nothing_lost(acknowledged: set[tuple[str, str, int, datetime]], stored: set[tuple[str, str, int, datetime]]) -> Check:
    """Every transaction event that was acknowledged to a station is in the database (X7)."""
    missing = acknowledged - stored
    figure = {"acknowledged": len(acknowledged), "missing": len(missing)}
    return Check(bool(acknowledged) and not missing, figure, "Every message acknowledged to a charger is in the database.")
