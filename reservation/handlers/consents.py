"""A member agrees, or no longer does: recorded, and applied to stays to come, in one transaction."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from reservation.domain.booking import OCCUPYING
from reservation.domain.consent import Consent, ConsentText, Means, Purpose, Told, Wish, Withdrawn
from reservation.domain.member import Member, Preferences
from reservation.domain.refusal import Conflict, Invalid, Reason
from reservation.handlers import known, tokens
from reservation.handlers.bookings import wish_otherwise
from reservation.store import bookings, consents, members, offers

NOTHING = Preferences()
"""What holds for somebody who has agreed to nothing."""


def agree(connection: Connection, identity: str, wish: Wish, now: datetime) -> Consent:
    """Keep what the member says. Raises Unknown, Invalid, and Conflict for what cannot be taken back by itself."""
    member = known.member(connection, identity)
    new = replace(member, preferences=wish.on(member.preferences))
    given = Withdrawn(wish.dr is False, wish.discharge is False, 0)
    if wish.told.purposes is not None and Purpose.CHARGING not in wish.told.purposes:
        _check_no_stays_by_car(connection, member, now)
        new = replace(new, car=None, car_name="", car_model_id=None, tokens=(), plates=())
    members.replace(connection, new)
    tokens.announce(connection, new, member, now)
    return record(connection, new, member.preferences, wish.told, now, also=given)


def record(
    connection: Connection, member: Member, had: Preferences, told: Told, now: datetime, also: Withdrawn | None = None
) -> Consent:
    """Append what the member, as it now is, agrees to, and take back from stays what was agreed to before and is no longer
    (and what is `also` withdrawn). Raises Invalid for an unknown text, Conflict for a member without any purpose."""
    last = consents.latest(connection, member.id)
    purposes = told.purposes if told.purposes is not None else last.purposes if last else None
    if purposes is not None and Purpose.STAYS not in purposes:
        raise Conflict("nobody is a member without the data that stays need: erase the member instead")
    if told.text_version is not None and consents.text(connection, told.text_version) is None:
        raise Invalid(f"no consent text of version {told.text_version!r}; put it at consent-texts first")
    consent = Consent(now, told.means, member.preferences, purposes, told.text_version)
    consents.add(connection, member.id, consent)
    if told.purposes is not None:
        _want_offers(connection, member.id, now, wanted=Purpose.OFFERS in told.purposes)
    for withdrawn in filter(None, (Withdrawn.between(had, member.preferences), also)):
        _narrow_stays(connection, member, withdrawn, now)
    return consent


def want_offers(connection: Connection, member: Member, means: Means, now: datetime, *, wanted: bool) -> None:
    """The member wants offers, or none from now on."""
    last = consents.latest(connection, member.id)
    _want_offers(connection, member.id, now, wanted=wanted)  # also of members whose purposes nobody recorded
    if last is not None and last.purposes is not None and (Purpose.OFFERS in last.purposes) != wanted:
        told = Told(means, last.purposes ^ {Purpose.OFFERS}, last.text_version)
        record(connection, member, member.preferences, told, now)


def end(connection: Connection, member_id: str, now: datetime) -> None:
    """The member is forgotten: what was agreed to stays as the proof that it was, under an id that names nobody."""
    consents.add(connection, member_id, Consent(now, Means.ERASURE, NOTHING, frozenset()))


def put_text(connection: Connection, text: ConsentText) -> bool:
    """Keep a text under its version; whether it is new. Raises Conflict for another one under the same version, since
    members may have agreed to that."""
    there = consents.text(connection, text.version)
    if there is None:
        consents.add_text(connection, text)
        return True
    if there.texts != text.texts:
        raise Conflict(f"version {text.version} is another text, which members may have agreed to; take a new version")
    return False


def _want_offers(connection: Connection, member_id: str, now: datetime, *, wanted: bool) -> None:
    if wanted != (member_id not in offers.declined(connection)):
        offers.set_declined(connection, member_id, None if wanted else now)


def _check_no_stays_by_car(connection: Connection, member: Member, now: datetime) -> None:
    standing = bookings.listed(connection, member_id=member.id, states=OCCUPYING, ending_after=now)
    if by_car := [stay for stay in standing if stay.charging is not None]:
        told = f"member {member.number} has {len(by_car)} stays by car: cancel or change them first"
        raise Conflict(told, Reason.STAYS_BY_CAR, count=len(by_car))


def _narrow_stays(connection: Connection, member: Member, withdrawn: Withdrawn, now: datetime) -> None:
    for stay in bookings.listed(connection, member_id=member.id, states=OCCUPYING, ending_after=now):
        if stay.charging is not None:
            wish_otherwise(connection, stay, withdrawn.of(stay.charging), now)
