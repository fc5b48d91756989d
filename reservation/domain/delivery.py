"""How a notice gets from the inbox to the member: over the first channel that both have, again when it fails, up to a bound.

The operator sets channels up by name, each as one apprise URL with `{address}` in it; a member has addresses by the same
names. So a member chooses where the text goes, and never what our process connects to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import quote

from contracts.ids import MemberId

PLACEHOLDER = "{address}"
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
"""After each failure but the last."""
MAX_ERROR = 300


class DeliveryState(StrEnum):
    """KEPT: only the inbox has it, since the member and we share no channel. EXPIRED: it would have come too late."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    KEPT = "kept"


class Contact(NamedTuple):
    """Where a member is reached: a channel's name and the address in it, as an e-mail address or a LINE user id."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Due:
    """A notice to be sent now. `attempts` have failed so far; `stay` is the booking that it tells of, if that stands."""

    id: str
    member_id: MemberId
    subject: str
    text: str
    attempts: int
    expires_at: datetime | None
    stay: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. `next_at` is set while it waits for another attempt."""

    state: DeliveryState
    attempts: int
    channel: str | None = None
    next_at: datetime | None = None
    error: str | None = None


def check_channel(name: str, url: str) -> None:
    """Raises ValueError for a channel that cannot be told apart by address."""
    if PLACEHOLDER not in url:
        raise ValueError(f"channel {name!r}: the URL needs {PLACEHOLDER} where the member's address belongs")


def shared(contacts: Iterable[Contact], channels: Mapping[str, str]) -> Contact | None:
    """The member's first contact over a channel that is set up, or None."""
    return next((contact for contact in contacts if contact.channel in channels), None)


def url_to(contact: Contact, channels: Mapping[str, str]) -> str:
    """The URL for one member, the address quoted so that it cannot change any other part."""
    return channels[contact.channel].replace(PLACEHOLDER, quote(contact.address, safe=""))


def too_late(due: Due, now: datetime) -> bool:
    """Whether nobody wants it any more, as an offer whose periods have begun."""
    return due.expires_at is not None and due.expires_at <= now


def succeeded(due: Due, channel: str) -> Outcome:
    """The channel took it."""
    return Outcome(DeliveryState.SENT, due.attempts + 1, channel)


def failed(due: Due, channel: str, error: str, now: datetime) -> Outcome:
    """The channel did not take it: again after a pause, or never."""
    attempts, why = due.attempts + 1, error[:MAX_ERROR]
    if attempts > len(PAUSES):
        return Outcome(DeliveryState.FAILED, attempts, channel, error=why)
    return Outcome(DeliveryState.WAITING, attempts, channel, now + PAUSES[attempts - 1], why)
