"""Offers of paid periods (patent S102, S104): by which policy, to whom and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from contracts.ids import MemberId
from reservation.domain.audience import Condition, Everyone, Record, missing
from reservation.domain.paid import PaidPeriod

WEEK = timedelta(days=7)


class OfferPolicy(BaseModel):
    """How a facility offers. Times are local; the same time twice: no quiet hours.

    `automatic`: an offer goes out by itself when new paid periods are published (S100). Nobody gets more than `per_week`
    offers in seven days. One that would come less than `lead_h` hours before the last of its periods begins is not sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    automatic: bool = False
    audience: Condition = Everyone()
    per_week: Annotated[int, Field(strict=True, ge=0, le=100)] = 2
    quiet_from: time = time(21)
    quiet_until: time = time(9)
    lead_h: Annotated[int, Field(strict=True, ge=0, le=168)] = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member, as far as an offer is concerned. `had` are the offers of the last seven days."""

    member_id: MemberId
    record: Record
    wants_offers: bool
    had: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an offer goes out, and when it is of no use any more."""

    not_before: datetime
    expires_at: datetime


def schedule(policy: OfferPolicy, paid: Sequence[PaidPeriod], now: datetime, zone: ZoneInfo) -> Schedule | None:
    """When to send; None when that would be too late. Quiet hours are waited out."""
    last = max(one.period.start for one in paid)
    expires_at = last - timedelta(hours=policy.lead_h)
    not_before = after_quiet(policy, now, zone)
    return Schedule(not_before, expires_at) if not_before < expires_at else None


def after_quiet(policy: OfferPolicy, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant, or the end of the quiet hours in which it lies."""
    begin, end, local = policy.quiet_from, policy.quiet_until, now.astimezone(zone)
    at = local.time()
    is_quiet = begin <= at < end if begin <= end else at >= begin or at < end
    if not is_quiet:
        return now
    day = local.date() + timedelta(days=begin > end and at >= begin)
    return datetime.combine(day, end, tzinfo=zone).astimezone(now.tzinfo)


def left_out(policy: OfferPolicy, candidate: Candidate) -> str | None:
    """Why the member gets no offer, in words for staff; None for one who does (S104)."""
    if not candidate.wants_offers:
        return "wants no offers"
    if why := missing(policy.audience, candidate.record):
        return why
    if candidate.had >= policy.per_week:
        return f"had {candidate.had} in seven days, {policy.per_week} at most"
    return None
