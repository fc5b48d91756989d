"""Paid periods arrive and become offers to the right members (patent S100-S106)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from contracts.dr import IncentiveWindowsPublished
from contracts.ids import FacilityId, MemberId, new_id
from reservation import offer_wording
from reservation.domain import audience, offer, paid
from reservation.domain.consent import Means
from reservation.domain.facility import Facility
from reservation.domain.member import Member
from reservation.domain.notice import Notice, NoticeKind
from reservation.domain.offer import Candidate, OfferPolicy, Schedule
from reservation.domain.paid import PaidPeriod
from reservation.domain.period import Period
from reservation.domain.refusal import Conflict, Invalid
from reservation.handlers import consents, known
from reservation.store import facilities, mailboxes, members, notices, receipts
from reservation.store import offers as store
from reservation.store import paid as paid_store
from reservation.store.visits import visits_since
from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Telling:
    """One member's offer."""

    member: Member
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A member who gets none, and why, in words for staff."""

    member: Member
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would be told what, and who would not; nothing is sent."""

    periods: Sequence[PaidPeriod]
    told: Sequence[Telling]
    left_out: Sequence[LeftOut]


@dataclass(frozen=True, slots=True)
class Links:
    """Where what is told leads. Without `base_url` it leads nowhere."""

    base_url: str | None

    def facility(self, facility_id: str) -> str:
        """The page on which a facility is booked."""
        return f"{self.base_url}/f/{facility_id}" if self.base_url else ""

    def decline(self, token: str) -> str:
        """The page on which a member declines further offers."""
        return f"{self.base_url}/offers/decline/{token}" if self.base_url else ""


def hearing(clock: Clock, links: Links) -> Callable[[Connection, IncentiveWindowsPublished], bool]:
    """`hear` at most once for each message: True when this call did it."""
    return mailboxes.once(lambda connection, event: hear(connection, event, links, clock.now()), clock)


def hear(connection: Connection, event: IncentiveWindowsPublished, links: Links, now: datetime) -> None:
    """Keep the periods (S100), and offer what is new where the policy wants that (S102). Those of a facility that is not
    set up are passed over: they come again when it is (FacilityAdded). Raises Invalid."""
    facility = facilities.find(connection, event.facility_id)
    if facility is None:
        return
    paid_store.replace(connection, facility.id, Period(event.start, event.end), paid.published(event, facility), now)
    policy = store.policy_of(connection, facility.id)
    fresh = paid_store.listed(connection, facility.id, now, unoffered=True)
    if policy.automatic and fresh:
        schedule = offer.schedule(policy, fresh, now, facility.zone)
        if schedule is not None:
            _send(connection, facility, policy, fresh, schedule, links, now, automatic=True)


def preview(connection: Connection, facility_id: str, policy: OfferPolicy | None, links: Links, now: datetime) -> Preview:
    """What an offer of all paid periods to come would say, and to whom, by this policy or by the facility's own.

    Raises Unknown, and Invalid when nothing is paid or it is too late.
    """
    facility = known.facility(connection, facility_id)
    policy = policy or store.policy_of(connection, facility.id)
    periods, schedule = _offered(connection, facility, policy, now)
    return _chosen(connection, facility, policy, periods, schedule, links, now)


def send(connection: Connection, facility_id: str, links: Links, now: datetime, *, again: bool) -> store.Offer:
    """Offer all paid periods to come, by the facility's policy. Raises Unknown, Invalid, and Conflict when every one of
    them was offered already, unless it is to be done `again`."""
    facility = known.facility(connection, facility_id)
    policy = store.policy_of(connection, facility.id)
    periods, schedule = _offered(connection, facility, policy, now)
    if not again and not paid_store.listed(connection, facility.id, now, unoffered=True):
        raise Conflict("all of these periods were offered already")
    return _send(connection, facility, policy, periods, schedule, links, now, automatic=False)


def decline(connection: Connection, token: str, now: datetime) -> bool:
    """Who has this token wants no more offers; False when nobody has."""
    member_id = store.of_token(connection, token)
    if member_id is None:
        return False
    consents.want_offers(connection, known.member(connection, member_id), Means.LINK, now, wanted=False)
    return True


def _offered(
    connection: Connection, facility: Facility, policy: OfferPolicy, now: datetime
) -> tuple[list[PaidPeriod], Schedule]:
    periods = [one for one in paid_store.listed(connection, facility.id, now) if one.period.start > now]
    if not periods:
        raise Invalid(f"no paid period of {facility.id} is to come")
    schedule = offer.schedule(policy, periods, now, facility.zone)
    if schedule is None:
        raise Invalid(f"it is too late: {policy.lead_h} hours before, and not between quiet hours")
    return periods, schedule


def _send(
    connection: Connection,
    facility: Facility,
    policy: OfferPolicy,
    periods: Sequence[PaidPeriod],
    schedule: Schedule,
    links: Links,
    now: datetime,
    *,
    automatic: bool,
) -> store.Offer:
    chosen = _chosen(connection, facility, policy, periods, schedule, links, now)
    made = store.Offer(
        id=new_id(),
        facility_id=FacilityId(facility.id),
        made_at=now,
        automatic=automatic,
        policy=policy,
        periods=[_kept(one) for one in periods],
        chosen=len(chosen.told),
        left_out=len(chosen.left_out),
    )
    store.add(connection, made)
    paid_store.mark_offered(connection, facility.id, periods, made.id)
    about = store.reference(made.id)
    notices.add(
        connection,
        [
            Notice(
                id=new_id(),
                member_id=MemberId(one.member.id),
                kind=NoticeKind.OFFER,
                at=now,
                text=one.text,
                reference=about,
                subject=offer_wording.subject(facility, one.member),
                not_before=one.at,
                expires_at=schedule.expires_at,
            )
            for one in chosen.told
        ],
    )
    return made


def _chosen(
    connection: Connection,
    facility: Facility,
    policy: OfferPolicy,
    periods: Sequence[PaidPeriod],
    schedule: Schedule,
    links: Links,
    now: datetime,
) -> Preview:
    everyone = members.listed(connection)
    candidates = _candidates(connection, facility, policy, everyone, now)
    why = {one.member_id: offer.left_out(policy, one) for one in candidates}
    chosen = [member for member in everyone if why[member.id] is None]
    tokens = store.tokens(connection, [member.id for member in chosen]) if links.base_url else {}
    told = [
        Telling(
            member,
            offer_wording.text(
                facility,
                member,
                periods,
                link=links.facility(facility.id),
                decline=links.decline(tokens[member.id]) if tokens else "",
            ),
            schedule.not_before,
        )
        for member in chosen
    ]
    left_out = [LeftOut(member, reason) for member in everyone if (reason := why[member.id]) is not None]
    return Preview(periods, told, left_out)


def _candidates(
    connection: Connection, facility: Facility, policy: OfferPolicy, everyone: Sequence[Member], now: datetime
) -> list[Candidate]:
    wanted = policy.audience
    back = {days: now - timedelta(days=days) for days in audience.spent_days(wanted) | audience.visited_days(wanted)}
    spent = {days: receipts.spent_since(connection, facility.id, back[days]) for days in audience.spent_days(wanted)}
    visits = {days: visits_since(connection, facility, back[days], now) for days in audience.visited_days(wanted)}
    had, declined = store.had_since(connection, now - offer.WEEK), store.declined(connection)
    return [
        Candidate(
            member_id=member.id,
            record=audience.Record(
                has_car=member.car is not None,
                takes_part=member.preferences.dr,
                spent_minor={days: found.get(member.id, 0) for days, found in spent.items()},
                visits={days: found.get(member.id, 0) for days, found in visits.items()},
            ),
            wants_offers=member.id not in declined,
            had=had.get(member.id, 0),
        )
        for member in everyone
    ]


def _kept(one: PaidPeriod) -> dict[str, str | int]:
    return {
        "start": one.period.start.isoformat(),
        "end": one.period.end.isoformat(),
        "direction": one.direction.value,
        "minor_per_kwh": one.minor_per_kwh,
    }
